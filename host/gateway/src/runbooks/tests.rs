//! From a signature to a run, and back out of trust: with the built-in components as those of an author, in versions of their own.

use std::path::PathBuf;

use super::*;
use pg_logstats_logs::Progress;

use crate::gateway::OpenOptions;
use crate::report::Report;
use crate::request::{LogChoice, RunbookChoice, TriageRequest};
use crate::trust::Trust;

const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/shop.log");
const BOTH: &str = "[[rules]]\nrunbook = \"*\"\nneeds = \"author\"\n[[rules]]\nrunbook = \"locks@>=1\"\nneeds = \"author + approver\"\n";

/// An operator who trusts ana (author), ben (approver) and cat (catalogue), and whose gateway is open all the time.
struct House {
    home: tempfile::TempDir,
    gateway: Gateway,
}

/// The built-in component `name`, as another version of itself: its descriptor has the version once, outside of names of the contract.
pub(crate) fn component(name: &str, version: &str) -> Vec<u8> {
    let builtin = pg_logstats_builtin::all().iter().find(|it| it.name == name).unwrap();
    let mut bytes = builtin.component.to_vec();
    let old = env!("CARGO_PKG_VERSION").as_bytes();
    assert_eq!(old.len(), version.len());
    let places: Vec<usize> = (1..bytes.len() - old.len())
        .filter(|at| bytes[*at..].starts_with(old) && bytes[at - 1] != b'@')
        .collect();
    assert_eq!(places.len(), 1, "{name}");
    bytes[places[0]..places[0] + old.len()].copy_from_slice(version.as_bytes());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    crate::hex(&sha256(bytes))
}

/// The same component with other bytes: a custom section more.
fn padded(mut component: Vec<u8>) -> Vec<u8> {
    component.extend([0, 3, 1, b'x', 0]);
    component
}

impl House {
    fn new(rules: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("operator")).unwrap();
        let options = OpenOptions {
            workspace: Some(home.path().join("workspace")),
            operator: Some(home.path().join("operator")),
            ..OpenOptions::default()
        };
        for name in ["ana", "ben", "cat", "eve"] {
            keys::generate(&home.path().join(name)).unwrap();
        }
        std::fs::write(home.path().join("operator/trust.toml"), rules).unwrap();
        let house = Self {
            gateway: Gateway::open(&options, Trust::builtin()).unwrap(),
            home,
        };
        for (name, role) in [("ana", Role::Author), ("ben", Role::Approver), ("cat", Role::Catalogue)] {
            house.trust(name, &[role]);
        }
        house
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn trust(&self, name: &str, roles: &[Role]) {
        let file = self.at(name);
        let grant = keys::Grant {
            name,
            roles,
            not_before: None,
            not_after: None,
        };
        self.gateway.trust_key(&file, &grant).unwrap();
    }

    fn sign(&self, file: &Path, key: &str) -> RunbookView {
        let key = keys::private(&self.at(key)).unwrap();
        sign_with(file, &key, &self.gateway.keyring().unwrap(), &self.gateway.catalogue).unwrap()
    }

    /// A component in a file of its own, signed by `keys`.
    fn signed(&self, component: &[u8], keys: &[&str]) -> PathBuf {
        let file = self.at(&format!("{}.wasm", &hex(component)[..12]));
        std::fs::write(&file, component).unwrap();
        for key in keys {
            self.sign(&file, key);
        }
        file
    }

    fn install(&self, file: &Path) -> Result<Vec<RunbookView>, GatewayError> {
        self.gateway.install_runbooks(file, false)
    }

    #[track_caller]
    fn installed(&self, component: &[u8], keys: &[&str]) -> PathBuf {
        let file = self.signed(component, keys);
        self.install(&file).unwrap();
        file
    }

    /// The code with which `file` cannot be installed.
    #[track_caller]
    fn refused(&self, file: &Path) -> String {
        match self.install(file) {
            Err(GatewayError::RunbookTrust(error)) => error.code().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn triage(&self, runbook: RunbookChoice) -> Result<Report, GatewayError> {
        let request = TriageRequest::new(
            runbook,
            LogChoice {
                logs: vec![LOG.to_owned()],
                threads: 1,
                ..LogChoice::default()
            },
        );
        self.gateway.triage(&request, &|_| ())
    }

    fn workflow(&self, name: &str) -> Result<Report, GatewayError> {
        self.triage(RunbookChoice::Workflow(name.to_owned()))
    }

    /// The code with which the workflow `name` is refused.
    #[track_caller]
    fn denied(&self, name: &str) -> String {
        match self.workflow(name) {
            Err(GatewayError::Refused(refusal)) => refusal.code,
            other => panic!("{other:?}"),
        }
    }

    fn listed(&self, name: &str) -> Vec<(Option<String>, bool)> {
        let list = list_in(self.gateway.operator.as_deref()).unwrap();
        let named = list.into_iter().filter(|it| it.name == name);
        named.map(|it| (it.version, it.trusted)).collect()
    }

    fn store(&self, digest: &str, file: &str) -> PathBuf {
        self.at("operator/runbooks").join(digest).join(file)
    }

    fn changes(&self) -> Vec<TrustChange> {
        let entries = self.gateway.log.entries().unwrap();
        let bodies = entries.map(|it| {
            let payload = self.gateway.log.read(&it.unwrap().entry.id).unwrap().payload;
            serde_json::from_slice::<crate::record::SealedRecord>(&payload)
                .unwrap()
                .body
        });
        bodies
            .filter_map(|body| match body {
                RecordBody::Trust(change) => Some(*change),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn a_runbook_is_signed_installed_and_run_in_place_of_the_built_in_one() {
    let house = House::new(BOTH);
    let bytes = component("locks", "1.2.0");
    let file = house.signed(&bytes, &["ana", "ben"]);
    let [view] = house.install(&file).unwrap().try_into().unwrap();
    assert_eq!(
        (view.name.as_str(), view.version.as_str(), view.workflow.as_str()),
        ("locks", "1.2.0", "locks")
    );
    assert!(view.trusted);
    let report = house.workflow("locks").unwrap();
    assert_eq!(report.runbook.digest, format!("sha256:{}", hex(&bytes)));
    assert_eq!(
        (report.runbook.version.as_str(), report.runbook.failure),
        ("1.2.0", None)
    );
    assert_eq!(report.runbook.signers, ["ana", "ben"]);
    assert_eq!(house.listed("locks"), [(Some("1.2.0".to_owned()), true), (None, false)]);
    let removed = house.gateway.remove_runbook("locks").unwrap();
    assert_eq!(removed.version.as_deref(), Some("1.2.0"));
    assert_eq!(house.workflow("locks").unwrap().runbook.signers, ["builtin"]);
    assert_eq!(house.listed("locks"), [(None, true)]);
    // Three keys, an installation, a removal.
    let changes = house.changes();
    assert!(
        matches!(&changes[..], [
        TrustChange::KeyTrusted { .. },
        TrustChange::KeyTrusted { .. },
        TrustChange::KeyTrusted { .. },
        TrustChange::RunbookInstalled { name, version, replaced: None, downgrade_allowed: false, .. },
        TrustChange::RunbookRemoved { .. },
    ] if name == "locks" && version == "1.2.0"),
        "{changes:#?}"
    );
}

#[test]
fn a_change_of_keys_that_is_recorded_and_not_made_says_so() {
    let house = House::new("");
    let before = house.changes().len();
    // In the place of the trust store's temporary file.
    let (process, thread) = (std::process::id(), std::thread::current().id());
    let in_the_way = house.at(&format!("operator/trust.toml.{process}.{thread:?}.tmp"));
    std::fs::create_dir(&in_the_way).unwrap();
    let grant = keys::Grant {
        name: "eve",
        roles: &[Role::Author],
        not_before: None,
        not_after: None,
    };
    let trust = || house.gateway.trust_key(&house.at("eve"), &grant);
    let error = trust().unwrap_err();
    assert!(matches!(error, GatewayError::Uncountable(_)), "{error}");
    assert!(error.to_string().contains("say it again"), "{error}");
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(house.changes().len(), before + 1);
    let names =
        |keys: Vec<crate::trust::keyring::TrustedKeyView>| keys.into_iter().map(|key| key.name).collect::<Vec<_>>();
    let known = house.gateway.keyring().unwrap().views(now_us());
    assert_eq!(names(known), ["ana", "ben", "cat"]);
    assert_eq!(names(trust().unwrap()), ["ana", "ben", "cat", "eve"]);
}

#[test]
fn rules_say_whose_signatures_are_enough() {
    let house = House::new(BOTH);
    let old = component("locks", "0.9.0");
    for (bytes, keys, expected) in [
        (&old, &["ana"][..], None),
        (&component("locks", "1.0.0"), &["ana"], Some("rule_not_met")),
        (&component("locks", "1.0.1"), &["ben"], Some("rule_not_met")),
        (&component("locks", "1.0.2"), &["cat"], Some("rule_not_met")),
        (&component("locks", "1.0.3"), &["eve"], Some("unknown_key")),
        (&component("locks", "1.0.4"), &["ana", "eve", "ben"], None),
    ] {
        let file = house.signed(bytes, keys);
        match expected {
            None => assert!(house.install(&file).unwrap()[0].trusted, "{keys:?}"),
            Some(code) => {
                assert_eq!(house.refused(&file), code, "{keys:?}");
                // Nor does it run as it is, from its file.
                let choice = RunbookChoice::File(file.to_str().unwrap().to_owned());
                assert!(matches!(house.triage(choice), Err(GatewayError::Refused(r)) if r.code == "untrusted_runbook"));
            }
        }
    }
    let none = House::new("");
    let file = none.signed(&old, &["ana"]);
    assert_eq!(none.refused(&file), "no_rule");
}

#[test]
fn what_was_changed_or_is_of_something_else_is_refused() {
    let house = House::new(BOTH);
    let file = house.signed(&component("locks", "0.9.0"), &["ana"]);
    let signatures = bundle::signatures_of(&file);
    let good = std::fs::read_to_string(&signatures).unwrap();
    let bytes = std::fs::read(&file).unwrap();

    std::fs::write(&file, padded(bytes.clone())).unwrap();
    assert_eq!(house.refused(&file), "unverified");
    let error = house.install(&file).unwrap_err().to_string();
    assert!(error.starts_with(&format!("`{}`: ", file.display())), "{error}");
    std::fs::write(&file, &bytes).unwrap();

    let mut envelope = Envelope::parse(good.as_bytes()).unwrap();
    envelope.signatures[0].sig.replace_range(0..4, "AAAA");
    std::fs::write(&signatures, envelope.to_bytes().unwrap()).unwrap();
    assert_eq!(house.refused(&file), "unverified");
    std::fs::write(&signatures, "{}").unwrap();
    assert_eq!(house.refused(&file), "malformed");
    std::fs::remove_file(&signatures).unwrap();
    assert_eq!(house.refused(&file), "not_a_bundle");

    // Signed by somebody who may, but not what the component says of itself.
    let key = keys::private(&house.at("ana")).unwrap();
    let (descriptor, wit) = described(&bytes, &sha256(&bytes)).unwrap();
    let honest = Manifest::new(&descriptor, &wit, &house.gateway.catalogue).unwrap();
    let seal = |manifest: Manifest| {
        let statement = Statement::new(&Sha256::digest(&bytes).into(), manifest);
        let envelope = dsse::seal(&key, PAYLOAD_TYPE, &statement.to_bytes().unwrap()).unwrap();
        std::fs::write(&signatures, envelope.to_bytes().unwrap()).unwrap();
    };
    let mut other = honest.clone();
    other.name = "harmless".to_owned();
    seal(other);
    assert_eq!(house.refused(&file), "wrong_statement");
    let choice = RunbookChoice::File(file.to_str().unwrap().to_owned());
    let failure = house.triage(choice).unwrap().runbook.failure.unwrap();
    assert_eq!(failure.code, "bad_output");
    seal(honest);
    house.install(&file).unwrap();

    // A reviewer cannot be made to sign on something else.
    let other = house.signed(&component("locks", "0.9.1"), &["ana"]);
    std::fs::copy(bundle::signatures_of(&other), &signatures).unwrap();
    let key = keys::private(&house.at("ben")).unwrap();
    let error = sign_with(&file, &key, &house.gateway.keyring().unwrap(), &house.gateway.catalogue).unwrap_err();
    assert!(
        error.to_string().contains("has signatures of something else"),
        "{error}"
    );
}

#[test]
fn going_back_needs_the_operators_word_also_after_a_removal() {
    let house = House::new(BOTH);
    let old = house.signed(&component("slow-queries", "0.8.0"), &["ana"]);
    let new_bytes = component("slow-queries", "0.9.0");
    let new = house.signed(&new_bytes, &["ana"]);
    house.install(&old).unwrap();
    house.install(&new).unwrap();
    // Again is no step back.
    house.install(&new).unwrap();
    assert_eq!(house.refused(&old), "downgrade");
    let same_version = house.signed(&padded(new_bytes.clone()), &["ana"]);
    assert_eq!(house.refused(&same_version), "downgrade");
    let other_bytes = house.triage(RunbookChoice::File(same_version.to_str().unwrap().to_owned()));
    assert!(matches!(other_bytes, Err(GatewayError::Refused(r)) if r.code == "untrusted_runbook"));
    let from_file = house.triage(RunbookChoice::File(old.to_str().unwrap().to_owned()));
    assert!(matches!(from_file, Err(GatewayError::Refused(r)) if r.code == "untrusted_runbook"));
    house.gateway.remove_runbook("slow-queries").unwrap();
    assert_eq!(house.refused(&old), "downgrade");
    assert_eq!(house.refused(&same_version), "downgrade");
    assert_eq!(house.workflow("slow-queries").unwrap().runbook.signers, ["builtin"]);
    house.gateway.install_runbooks(&old, true).unwrap();
    assert_eq!(house.workflow("slow-queries").unwrap().runbook.version, "0.8.0");
    assert!(matches!(
        house.changes().last(),
        Some(TrustChange::RunbookInstalled {
            downgrade_allowed: true,
            ..
        })
    ));
}

#[test]
fn what_is_revoked_while_the_logs_are_read_does_not_run() {
    let house = House::new(BOTH);
    house.installed(&component("locks", "0.9.0"), &["ana"]);
    let request = TriageRequest::new(
        RunbookChoice::Workflow("locks".to_owned()),
        LogChoice {
            logs: vec![LOG.to_owned()],
            threads: 1,
            ..LogChoice::default()
        },
    );
    let key = house.at("ben");
    let revoke_once = std::sync::Once::new();
    let progress = |_: Progress| {
        revoke_once.call_once(|| {
            let revoke = Revoke::Now {
                what: "locks",
                reason: "names leak",
                key: &key,
            };
            house.gateway.revoke_runbook(&revoke).unwrap();
        });
    };
    let refused = house.gateway.triage(&request, &progress).unwrap_err();
    assert!(revoke_once.is_completed());
    assert!(
        matches!(&refused, GatewayError::Refused(r) if r.code == "revoked_runbook"),
        "{refused}"
    );
}

/// An index of before has the version alone.
#[test]
fn an_index_without_the_digests_of_versions_still_counts() {
    let house = House::new(BOTH);
    let bytes = component("locks", "0.9.0");
    house.installed(&bytes, &["ana"]);
    let index = house
        .gateway
        .operator
        .as_deref()
        .unwrap()
        .join("runbooks/installed.json");
    let mut read: serde_json::Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    assert_eq!(read["highest"]["locks"]["sha256"], hex(&bytes));
    read["highest"]["locks"] = "0.9.0".into();
    std::fs::write(&index, serde_json::to_vec(&read).unwrap()).unwrap();
    let same_version = house.signed(&padded(bytes), &["ana"]);
    assert_eq!(house.refused(&same_version), "downgrade");
    let old = house.signed(&component("locks", "0.8.0"), &["ana"]);
    assert_eq!(house.refused(&old), "downgrade");
}

#[test]
fn a_revocation_holds_at_once_in_a_process_that_runs() {
    let house = House::new(BOTH);
    let bytes = component("locks", "0.9.0");
    let file = house.installed(&bytes, &["ana"]);
    let component = house
        .gateway
        .component(&RunbookChoice::Workflow("locks".to_owned()))
        .unwrap();
    house.gateway.check_still_trusted(&component).unwrap();
    let revoke = |what: &str, key: &str| {
        let key = house.at(key);
        house.gateway.revoke_runbook(&Revoke::Now {
            what,
            reason: "names leak",
            key: &key,
        })
    };
    let refused = revoke("locks", "cat").unwrap_err();
    assert_eq!(refused.exit_code() as u8, 3, "{refused}");
    assert_eq!(revoke("nothing", "ana").unwrap_err().exit_code() as u8, 2);
    assert_eq!(revoke("sha256:12", "ana").unwrap_err().exit_code() as u8, 2);
    house.workflow("locks").unwrap();

    let view = revoke("locks", "ben").unwrap();
    let error = house.gateway.check_still_trusted(&component).unwrap_err();
    assert!(
        matches!(&error, GatewayError::Refused(r) if r.code == "revoked_runbook" && r.reason.contains("names leak")),
        "{error}"
    );
    assert_eq!(house.denied("locks"), "revoked_runbook");
    assert_eq!(house.refused(&file), "revoked");
    assert!(!house.listed("locks")[0].1);
    assert!(matches!(
        house.changes().last(),
        Some(TrustChange::RunbookRevoked { .. })
    ));

    // Elsewhere it is taken by its signature; one that nobody signed who may is not.
    let elsewhere = House::new(BOTH);
    let shipped = house.at("revocation.dsse");
    std::fs::write(&shipped, &view.envelope).unwrap();
    let unknown = elsewhere.gateway.revoke_runbook(&Revoke::Signed(&shipped)).unwrap_err();
    assert_eq!(unknown.exit_code() as u8, 3, "{unknown}");
    assert_eq!(
        house.gateway.revoke_runbook(&Revoke::Signed(&shipped)).unwrap().digest,
        view.digest
    );
}

#[test]
fn a_built_in_runbook_can_be_revoked_and_what_cannot_be_read_is_in_force() {
    let house = House::new(BOTH);
    let locks = pg_logstats_builtin::all().iter().find(|it| it.name == "locks").unwrap();
    let digest = crate::hex(&locks.digest);
    house.workflow("locks").unwrap();
    let key = house.at("ana");
    let revoke = Revoke::Now {
        what: "locks",
        reason: "a fault",
        key: &key,
    };
    assert_eq!(
        house.gateway.revoke_runbook(&revoke).unwrap().digest,
        format!("sha256:{digest}")
    );
    assert_eq!(house.denied("locks"), "revoked_runbook");
    std::fs::write(house.at(&format!("operator/runbooks/{digest}.revoked")), "rubbish").unwrap();
    assert_eq!(house.denied("locks"), "revoked_runbook");
    assert_eq!(house.listed("locks"), [(None, false)]);
    house.workflow("slow-queries").unwrap();
}

#[test]
fn a_key_that_is_revoked_or_rotated_takes_its_runbooks_along_at_once() {
    let house = House::new(BOTH);
    house.installed(&component("locks", "0.9.0"), &["ana"]);
    house.workflow("locks").unwrap();
    // The successor has not signed it; the old key counts as long as the overlap.
    house
        .gateway
        .rotate_key("ana", &house.at("eve"), jiff::SignedDuration::from_hours(1))
        .unwrap();
    house.workflow("locks").unwrap();
    house.gateway.revoke_key("ana", "the notebook was stolen").unwrap();
    // The built-in runbook for the workflow is another one than the operator installed.
    assert_eq!(house.denied("locks"), "untrusted_runbook");
    assert!(!house.listed("locks")[0].1);
    let views = house.gateway.keyring().unwrap().views(now_us());
    assert!(
        views
            .iter()
            .filter(|key| key.name == "ana")
            .all(|key| !key.counts && key.revoked_at.is_some())
    );
    let unknown = house.gateway.revoke_key("ann", "twice").unwrap_err();
    assert_eq!(unknown.exit_code() as u8, 2, "{unknown}");
    let kinds: Vec<_> = house.changes();
    assert!(
        matches!(
            &kinds[kinds.len() - 3..],
            [
                TrustChange::KeyRotated { .. },
                TrustChange::KeyRevoked { .. },
                TrustChange::KeyRevoked { .. }
            ]
        ),
        "{kinds:#?}"
    );
}

#[test]
fn a_key_that_was_revoked_and_not_recorded_is_recorded_when_it_is_said_again() {
    let house = House::new(BOTH);
    let operator = house.at("operator");
    let mut file = crate::trust::edit::TrustFile::begin(Some(&operator)).unwrap();
    file.revoke("ben", "the notebook was stolen", keys::Timestamp::now())
        .unwrap();
    // Here the process died.
    file.write().unwrap();
    let before = std::fs::read(operator.join("trust.toml")).unwrap();
    house.gateway.revoke_key("ben", "said again").unwrap();
    assert_eq!(std::fs::read(operator.join("trust.toml")).unwrap(), before);
    let changes = house.changes();
    assert!(
        matches!(
            changes.last(),
            Some(TrustChange::KeyRevoked { name, reason, .. }) if name == "ben" && reason == "the notebook was stolen"
        ),
        "{changes:#?}"
    );
}

#[test]
fn what_is_recorded_and_not_done_says_so() {
    let house = House::new(BOTH);
    let bytes = component("locks", "0.9.0");
    let file = house.signed(&bytes, &["ana"]);
    // In the place of the index's temporary file.
    let thread = std::thread::current().id();
    let name = format!("operator/runbooks/installed.json.{}.{thread:?}.tmp", std::process::id());
    let in_the_way = house.at(&name);
    std::fs::create_dir(&in_the_way).unwrap();
    let error = house.install(&file).unwrap_err();
    assert!(matches!(error, GatewayError::Uncountable(_)), "{error}");
    assert!(error.to_string().contains("say it again"), "{error}");
    assert!(!house.at("operator/runbooks").join(hex(&bytes)).exists());
    std::fs::remove_dir(&in_the_way).unwrap();
    house.install(&file).unwrap();
    house.workflow("locks").unwrap();
}

#[test]
fn what_is_installed_and_was_changed_does_not_run() {
    let house = House::new(BOTH);
    let bytes = component("locks", "0.9.0");
    house.installed(&bytes, &["ana"]);
    let digest = hex(&bytes);
    let file = house.store(&digest, "runbook.wasm");
    std::fs::write(&file, padded(bytes.clone())).unwrap();
    assert_eq!(house.denied("locks"), "unverified");
    std::fs::write(&file, &bytes).unwrap();
    house.workflow("locks").unwrap();
    let envelope = house.store(&digest, "runbook.wasm.dsse");
    let good = std::fs::read(&envelope).unwrap();
    std::fs::remove_file(&envelope).unwrap();
    assert_eq!(house.denied("locks"), "unverified");
    std::fs::write(&envelope, good).unwrap();
    // A folder that others can write to is nobody's word.
    use std::os::unix::fs::PermissionsExt as _;
    let folder = house.at("operator/runbooks");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = house.workflow("locks").unwrap_err();
    assert!(error.to_string().contains("others can write to it"), "{error}");
}

#[test]
fn two_runbooks_do_not_serve_one_workflow() {
    let house = House::new(BOTH);
    house.installed(&component("locks", "0.9.0"), &["ana"]);
    // The same component under another name, in its descriptor too.
    let mut bytes = component("locks", "0.9.1");
    let at: Vec<usize> = (0..bytes.len() - 10)
        .filter(|at| bytes[*at..].starts_with(b"locks0.9.1"))
        .collect();
    assert_eq!(at.len(), 1);
    bytes[at[0]..at[0] + 5].copy_from_slice(b"clock");
    let file = house.signed(&bytes, &["ana"]);
    let (descriptor, _) = described(&bytes, &sha256(&bytes)).unwrap();
    match descriptor.workflow() {
        "locks" => assert_eq!(house.refused(&file), "workflow_taken"),
        // Name and workflow share their bytes in the component: another name is another workflow.
        other => assert_eq!((other, house.install(&file).unwrap().len()), ("clock", 1)),
    }
}

#[test]
fn an_agents_gateway_changes_nothing() {
    let house = House::new(BOTH);
    let file = house.signed(&component("locks", "0.9.0"), &["ana"]);
    let config = format!("[agent]\nworkspace = {:?}\n", house.at("agent"));
    std::fs::write(house.at("operator/config.toml"), config).unwrap();
    let options = OpenOptions {
        operator: Some(house.at("operator")),
        agent: true,
        ..OpenOptions::default()
    };
    let agent = Gateway::open(&options, Trust::builtin()).unwrap();
    let key = house.at("ana");
    let grant = keys::Grant {
        name: "eve",
        roles: &[Role::Author],
        not_before: None,
        not_after: None,
    };
    let overlap = jiff::SignedDuration::ZERO;
    for refused in [
        agent.install_runbooks(&file, true).err(),
        agent.remove_runbook("locks").err(),
        agent
            .revoke_runbook(&Revoke::Now {
                what: "locks",
                reason: "x",
                key: &key,
            })
            .err(),
        agent.trust_key(&key, &grant).err(),
        agent.rotate_key("ana", &key, overlap).err(),
        agent.revoke_key("ana", "x").err(),
    ] {
        assert!(
            matches!(&refused, Some(GatewayError::Refused(r)) if r.code == "agent_mode"),
            "{refused:?}"
        );
    }
}

#[test]
fn the_list_says_which_contract_each_built_in_runbook_was_built_for() {
    let home = tempfile::tempdir().unwrap();
    let list = list_in(Some(home.path())).unwrap();
    for builtin in pg_logstats_builtin::all() {
        let (_, wit) = described(builtin.component, &builtin.digest).unwrap();
        let listed = list.iter().find(|it| it.name == builtin.name).unwrap();
        assert_eq!(listed.wit.as_deref(), Some(wit.as_str()), "{}", builtin.name);
    }
}

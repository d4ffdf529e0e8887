use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;
use crate::catalogue::pack::tests::ACTION;
use crate::record::{RecordBody, SealedRecord};

/// An author's folder, a key, and an operator who trusts it.
struct World {
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self {
            home: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(world.operator()).unwrap();
        std::fs::set_permissions(world.operator(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let key = crate::keys::generate(&world.key()).unwrap();
        world.trust(&key.public_key, "\"catalogue\"");
        std::fs::create_dir(world.folder()).unwrap();
        world.author("1.0.0", ACTION);
        world
    }

    /// With the pack installed in this version.
    fn with(version: &str) -> Self {
        let world = Self::new();
        world.sign(version, 16384);
        world.install().unwrap();
        world
    }

    fn operator(&self) -> PathBuf {
        self.home.path().join("operator")
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("acme")
    }

    fn key(&self) -> PathBuf {
        self.home.path().join("dba.pem")
    }

    fn trust(&self, pem: &str, roles: &str) {
        let text = format!("[[keys]]\nname = \"dba\"\nroles = [{roles}]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
        std::fs::write(self.operator().join("trust.toml"), text).unwrap();
    }

    fn author(&self, version: &str, action: &str) {
        let about = format!("name = \"acme\"\nversion = \"{version}\"\nminimum_host_version = \"0.1.0\"\n");
        std::fs::write(self.folder().join("pack.toml"), about).unwrap();
        std::fs::write(self.folder().join("acme.dead_tuples.toml"), action).unwrap();
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            workspace: Some(self.home.path().join("workspace")),
            operator: Some(self.operator()),
            ..OpenOptions::default()
        }
    }

    fn install(&self) -> Result<PackView, GatewayError> {
        install(&self.options(), Trust::builtin(), &self.folder(), false)
    }

    fn install_older(&self) -> Result<PackView, GatewayError> {
        install(&self.options(), Trust::builtin(), &self.folder(), true)
    }

    fn remove(&self, name: &str) -> Result<PackView, GatewayError> {
        remove(&self.options(), Trust::builtin(), name)
    }

    /// Signs the author's folder with this version and this limit of its action.
    fn sign(&self, version: &str, max_bytes: u32) {
        let limit = format!("max_bytes = {max_bytes}");
        self.author(version, &ACTION.replace("max_bytes = 16384", &limit));
        sign(&self.folder(), &self.key()).unwrap();
    }

    /// What the audit log says of packs.
    fn changes(&self) -> Vec<TrustChange> {
        let gateway = Gateway::open(&self.options(), Trust::builtin()).unwrap();
        let log = gateway.audit_log();
        let kept = log.entries().unwrap().map(|found| {
            let record = log.read(&found.unwrap().entry.id).unwrap();
            match serde_json::from_slice::<SealedRecord>(&record.payload).unwrap().body {
                RecordBody::Trust(change) => *change,
                other => panic!("{other:?}"),
            }
        });
        kept.collect()
    }

    /// The folder of the installed pack.
    fn installed(&self) -> PathBuf {
        let folders = std::fs::read_dir(self.operator().join("packs")).unwrap();
        folders.map(|it| it.unwrap().path()).find(|it| it.is_dir()).unwrap()
    }

    fn load(&self) -> Result<Vec<Pack>, PackError> {
        load(Some(&self.operator()), &Keyring::load(Some(&self.operator())).unwrap())
    }

    /// The index as it was before it had the versions of names.
    fn forget_highest(&self) {
        let index = self.operator().join("packs/installed.json");
        let mut listed: serde_json::Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
        listed.as_object_mut().unwrap().remove("highest").unwrap();
        std::fs::write(&index, listed.to_string()).unwrap();
    }

    fn versions(&self) -> Vec<String> {
        self.load()
            .unwrap()
            .iter()
            .map(|it| it.info().version.to_string())
            .collect()
    }

    fn folders(&self) -> usize {
        let entries = std::fs::read_dir(self.operator().join("packs")).unwrap();
        entries
            .filter(|it| it.as_ref().unwrap().file_type().unwrap().is_dir())
            .count()
    }
}

#[test]
fn a_pack_is_signed_installed_replaced_and_removed() {
    let world = World::new();
    assert!(world.load().unwrap().is_empty());
    let unsigned = world.install().unwrap_err();
    assert!(unsigned.to_string().contains("catalog sign"), "{unsigned}");
    let signed = sign(&world.folder(), &world.key()).unwrap();
    assert_eq!(signed.actions, ["acme.dead_tuples"]);
    let signature = std::fs::metadata(world.folder().join(SIGNATURE_FILE)).unwrap();
    assert_eq!(signature.permissions().mode() & 0o777, 0o644);
    assert_eq!(world.install().unwrap().signer, "dba");
    assert_eq!(world.versions(), ["1.0.0"]);
    assert_eq!(world.install().unwrap().version, "1.0.0", "once more changes nothing");

    world.author("1.1.0", &ACTION.replace("max_bytes = 16384", "max_bytes = 8192"));
    assert!(
        world
            .install()
            .unwrap_err()
            .to_string()
            .contains("not the one that was signed")
    );
    assert_eq!(world.versions(), ["1.0.0"], "what was installed is not touched");
    sign(&world.folder(), &world.key()).unwrap();
    world.install().unwrap();
    assert_eq!(world.versions(), ["1.1.0"]);
    assert_eq!(world.folders(), 1, "the earlier version is gone");

    let unknown = world.remove("other").unwrap_err();
    assert!(unknown.to_string().contains("installed are: `acme`"), "{unknown}");
    world.remove("acme").unwrap();
    assert!(world.load().unwrap().is_empty());
    assert_eq!(world.folders(), 0);
}

#[test]
fn every_start_verifies_again() {
    let world = World::new();
    sign(&world.folder(), &world.key()).unwrap();
    world.install().unwrap();
    let pack = world.installed();
    let action = pack.join("acme.dead_tuples.toml");
    let good = std::fs::read_to_string(&action).unwrap();
    std::fs::write(&action, good.replace("pg_stat_user_tables", "pg_stat_all_tables")).unwrap();
    let error = world.load().unwrap_err();
    assert!(
        error.is_tampering() && error.to_string().contains("acme.dead_tuples.toml"),
        "{error}"
    );
    std::fs::remove_file(&action).unwrap();
    assert!(matches!(world.load(), Err(PackError::Changed { .. })));
    std::fs::write(&action, vec![b'#'; FILE_BYTES as usize + 1]).unwrap();
    assert!(matches!(world.load(), Err(PackError::Changed { .. })));
    let aside = world.home.path().join("aside");
    std::fs::rename(&pack, &aside).unwrap();
    assert!(matches!(world.load(), Err(PackError::Changed { .. })));
    std::fs::rename(&aside, &pack).unwrap();
    std::fs::write(&action, &good).unwrap();
    assert_eq!(world.versions(), ["1.0.0"]);

    // The key's role, the key itself, the signature, the index.
    let pem = crate::keys::show(&world.key()).unwrap().public_key;
    world.trust(&pem, "\"approver\"");
    assert!(world.load().unwrap_err().is_denied());
    world.trust(&pem, "\"catalogue\"]\nnot_after = \"2020-01-01T00:00:00Z\"\n#[");
    assert!(world.load().unwrap_err().is_denied());
    world.trust(
        &PrivateKey::generate().unwrap().public().to_pem().unwrap(),
        "\"catalogue\"",
    );
    assert!(world.load().unwrap_err().is_denied());
    world.trust(&pem, "\"catalogue\"");
    let signature = pack.join(SIGNATURE_FILE);
    let signed = std::fs::read(&signature).unwrap();
    std::fs::write(&signature, [&signed[..], b" "].concat()).unwrap();
    assert!(world.load().unwrap_err().is_tampering());
    std::fs::write(&signature, &signed).unwrap();
    let index = world.operator().join("packs/installed.json");
    let listed = std::fs::read_to_string(&index).unwrap();
    for wrong in [
        listed.replace("acme", "other"),
        listed.replace("\"index_version\": 1", "\"index_version\": 2"),
        listed.replace("\"packs\"", "\"more\""),
        "{}".to_owned(),
    ] {
        std::fs::write(&index, wrong).unwrap();
        assert!(world.load().is_err());
    }
    std::fs::write(&index, listed).unwrap();
    assert_eq!(world.versions(), ["1.0.0"]);
}

#[test]
fn a_folder_with_more_in_it_than_was_signed_is_not_installed() {
    let world = World::new();
    sign(&world.folder(), &world.key()).unwrap();
    std::fs::write(world.folder().join("README.md"), "for people").unwrap();
    world.install().unwrap();
    let second = world.folder().join("acme.second.toml");
    std::fs::write(&second, ACTION.replace("dead_tuples", "second")).unwrap();
    assert!(world.install().unwrap_err().to_string().contains("was not signed"));
    std::fs::remove_file(&second).unwrap();
    std::fs::write(world.folder().join("run.sh"), "echo").unwrap();
    let error = world.install().unwrap_err().to_string();
    assert!(error.contains("`run.sh`"), "{error}");
    assert!(sign(&world.folder(), &world.key()).is_err());
    std::fs::remove_file(world.folder().join("run.sh")).unwrap();
    // A link out of the folder is not followed.
    let outside = world.home.path().join("outside.toml");
    std::fs::rename(world.folder().join("acme.dead_tuples.toml"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, world.folder().join("acme.dead_tuples.toml")).unwrap();
    assert!(world.install().is_err());
}

#[test]
fn every_change_is_recorded_with_the_signature() {
    let world = World::with("1.0.0");
    world.sign("1.1.0", 8192);
    world.install().unwrap();
    world.remove("acme").unwrap();
    world.remove("acme").unwrap_err();
    let changes = world.changes();
    let [
        TrustChange::PackInstalled {
            name,
            version,
            sha256: first,
            signer,
            replaced: None,
            downgrade_allowed: false,
            envelope,
        },
        TrustChange::PackInstalled {
            version: newer,
            sha256: second,
            replaced: Some(replaced),
            ..
        },
        TrustChange::PackRemoved { sha256: removed, .. },
    ] = changes.as_slice()
    else {
        panic!("{changes:#?}")
    };
    assert_eq!(
        (name.as_str(), version.as_str(), newer.as_str(), signer.as_str()),
        ("acme", "1.0.0", "1.1.0", "dba")
    );
    assert_eq!((replaced, removed), (first, second));
    let signed = String::from_utf8(envelope.unverified_payload().unwrap()).unwrap();
    assert!(signed.contains("acme.dead_tuples.toml"), "{signed}");
}

#[test]
fn a_step_back_needs_the_operators_word() {
    let world = World::with("1.1.0");
    world.sign("1.1.0", 8192);
    let other = world.install().unwrap_err().to_string();
    assert!(other.contains("1.1.0 was installed here with other actions"), "{other}");
    world.sign("1.0.9", 16384);
    let older = world.install().unwrap_err();
    assert!(older.to_string().contains("1.0.9 is older than 1.1.0"), "{older}");
    assert_eq!(older.exit_code(), crate::ExitCode::Denied);
    world.remove("acme").unwrap();
    assert!(world.install().is_err(), "removed, it is known still");
    assert_eq!(world.changes().len(), 2, "what was refused changed nothing");
    world.install_older().unwrap();
    assert_eq!(world.versions(), ["1.0.9"]);
    assert!(matches!(
        world.changes().last(),
        Some(TrustChange::PackInstalled {
            downgrade_allowed: true,
            ..
        })
    ));
    world.sign("1.1.0", 8192);
    world.install().unwrap();

    // The same by another key is the same.
    let second = world.home.path().join("second.pem");
    let pem = crate::keys::generate(&second).unwrap().public_key;
    sign(&world.folder(), &second).unwrap();
    world.trust(&pem, "\"catalogue\"");
    world.install().unwrap();
    assert_eq!(world.versions(), ["1.1.0"]);
}

#[test]
fn an_index_of_before_knows_what_is_installed() {
    let world = World::with("1.1.0");
    world.forget_highest();
    world.sign("1.0.0", 16384);
    assert!(world.install().unwrap_err().to_string().contains("older than 1.1.0"));
    world.remove("acme").unwrap();
    assert!(world.install().unwrap_err().to_string().contains("older than 1.1.0"));
}

#[test]
fn an_index_of_before_knows_it_whatever_the_key_is_worth() {
    let world = World::with("1.1.0");
    world.forget_highest();
    let second = world.home.path().join("second.pem");
    let pem = crate::keys::generate(&second).unwrap().public_key;
    world.trust(&pem, "\"catalogue\"");
    assert!(world.load().unwrap_err().is_denied(), "its key is gone");
    world.author("1.0.0", ACTION);
    sign(&world.folder(), &second).unwrap();
    assert!(world.install().unwrap_err().to_string().contains("older than 1.1.0"));

    let signature = world.installed().join(SIGNATURE_FILE);
    std::fs::write(&signature, "{}").unwrap();
    let changed = world.install().unwrap_err();
    std::fs::remove_file(&signature).unwrap();
    let gone = world.install().unwrap_err();
    for error in [changed, gone] {
        assert!(error.to_string().contains("says --allow-downgrade"), "{error}");
        assert_eq!(error.exit_code(), crate::ExitCode::Denied);
    }
    world.install_older().unwrap();
    assert_eq!(world.versions(), ["1.0.0"]);
}

#[test]
fn what_others_could_have_written_and_what_is_no_file_is_not_read() {
    let world = World::with("1.0.0");
    let action = world.installed().join("acme.dead_tuples.toml");
    for file in [
        world.operator().join("packs/installed.json"),
        world.installed().join(SIGNATURE_FILE),
        action.clone(),
    ] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        let error = world.load().unwrap_err().to_string();
        assert!(error.contains("others can write to it"), "{error}");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(world.versions(), ["1.0.0"]);
    // Nobody writes to these pipes, so whoever waits waits for ever.
    let pipe = |path: &Path| {
        std::fs::remove_file(path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
    };
    pipe(&action);
    let error = world.load().unwrap_err().to_string();
    assert!(error.contains("no plain file"), "{error}");
    pipe(&world.folder().join("acme.dead_tuples.toml"));
    let error = world.install().unwrap_err().to_string();
    assert!(error.contains("no plain file"), "{error}");
}

#[test]
fn what_is_recorded_and_not_done_says_so() {
    let world = World::with("1.0.0");
    // In the place of the index's temporary file.
    let thread = std::thread::current().id();
    let name = format!("packs/{INDEX}.{}.{thread:?}.tmp", std::process::id());
    let in_the_way = world.operator().join(name);
    std::fs::create_dir(&in_the_way).unwrap();
    world.sign("1.1.0", 8192);
    for error in [world.install().unwrap_err(), world.remove("acme").unwrap_err()] {
        assert!(matches!(error, GatewayError::Uncountable(_)), "{error}");
        assert!(error.to_string().contains("say it again"), "{error}");
    }
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(world.versions(), ["1.0.0"]);
    assert_eq!(world.folders(), 1, "what did not come to be installed is gone");
    assert_eq!(world.changes().len(), 3);
    world.install().unwrap();
    assert_eq!(world.versions(), ["1.1.0"]);
}

#[test]
fn packs_load_while_one_is_replaced() {
    let world = World::with("1.0.0");
    std::thread::scope(|scope| {
        let replacing = scope.spawn(|| {
            for minor in 1..10 {
                world.sign(&format!("1.{minor}.0"), 16384);
                world.install().unwrap();
            }
        });
        while !replacing.is_finished() {
            assert_eq!(world.load().unwrap().len(), 1);
        }
    });
    assert_eq!(world.versions(), ["1.9.0"]);
}

#[test]
fn what_is_trusted_can_be_mended_while_a_pack_does_not_verify() {
    let world = World::with("1.0.0");
    std::fs::write(world.installed().join("acme.dead_tuples.toml"), "spoilt").unwrap();
    assert!(Gateway::open(&world.options(), Trust::builtin()).is_err());
    let gateway = Gateway::open_to_mend(&world.options(), Trust::builtin()).unwrap();
    let keys = gateway.revoke_key("dba", "left").unwrap();
    assert!(keys.iter().all(|key| !key.counts));
}

#[test]
fn what_does_not_verify_can_be_replaced_and_removed() {
    let world = World::with("1.0.0");
    let action = world.installed().join("acme.dead_tuples.toml");
    let spoil = || std::fs::write(&action, "spoilt").unwrap();
    // A configuration that names its action, which is none while it does not verify.
    let config = world.operator().join("config.toml");
    let named = "[policy]\nrequire_approval = [\"acme.dead_tuples\"]\n";
    std::fs::write(&config, named).unwrap();
    spoil();
    assert!(Gateway::open(&world.options(), Trust::builtin()).is_err());
    world.install().unwrap();
    Gateway::open(&world.options(), Trust::builtin()).unwrap();
    spoil();
    let held = world.remove("acme").unwrap_err().to_string();
    assert!(held.contains("acme.dead_tuples"), "{held}");
    std::fs::remove_file(&config).unwrap();
    world.remove("acme").unwrap();
    assert_eq!(world.changes().len(), 3);

    // One that does not verify keeps nobody from removing another.
    world.install().unwrap();
    let mut index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(world.operator().join("packs/installed.json")).unwrap()).unwrap();
    let digest = index["packs"]["acme"].clone();
    index["packs"]["other"] = digest;
    std::fs::write(world.operator().join("packs/installed.json"), index.to_string()).unwrap();
    spoil();
    world.remove("other").unwrap();
    world.remove("acme").unwrap();
    assert!(world.load().unwrap().is_empty());
}

#[test]
fn an_agent_changes_no_pack() {
    let world = World::new();
    world.sign("1.0.0", 16384);
    let config = format!("[agent]\nworkspace = {:?}\n", world.home.path().join("workspace"));
    std::fs::write(world.operator().join("config.toml"), config).unwrap();
    let agent = OpenOptions {
        agent: true,
        workspace: None,
        ..world.options()
    };
    for refused in [
        install(&agent, Trust::builtin(), &world.folder(), true),
        remove(&agent, Trust::builtin(), "acme"),
    ] {
        assert!(matches!(refused, Err(GatewayError::Refused(_))), "{refused:?}");
    }
    assert!(world.load().unwrap().is_empty());
}

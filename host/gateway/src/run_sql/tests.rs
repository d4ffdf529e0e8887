//! Actions of packs, from the installed pack to the rows.

use std::path::Path;

use super::*;
use crate::approval::ApprovalRequest;
use crate::approvals;
use crate::catalogue::Facet;
use crate::catalogue::pack::tests::ACTION;
use crate::db::test_server;
use crate::gateway::OpenOptions;
use crate::request::{DatabaseChoice, LogChoice, RunbookChoice, TriageRequest};
use crate::trust::Trust;
use crate::words::OutcomeStatus;

const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/shop.log");

/// An operator with a key, and a pack with one action installed.
struct World {
    home: tempfile::TempDir,
    gateway: Gateway,
}

impl World {
    fn new(action: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("operator")).unwrap();
        std::fs::create_dir(at("acme")).unwrap();
        let key = crate::keys::generate(&at("dba.pem")).unwrap();
        let trust = format!(
            "[[keys]]\nname = \"dba\"\nroles = [\"catalogue\", \"approver\"]\npublic_key = \"\"\"\n{}\"\"\"\n",
            key.public_key
        );
        std::fs::write(at("operator/trust.toml"), trust).unwrap();
        let about = "name = \"acme\"\nversion = \"1.0.0\"\nminimum_host_version = \"0.1.0\"\n";
        std::fs::write(at("acme/pack.toml"), about).unwrap();
        std::fs::write(at("acme/acme.dead_tuples.toml"), action).unwrap();
        crate::packs::sign(&at("acme"), &at("dba.pem")).unwrap();
        crate::packs::install(&Self::options(home.path()), Trust::builtin(), &at("acme"), false).unwrap();
        let gateway = Self::open(home.path());
        Self { home, gateway }
    }

    fn options(home: &Path) -> OpenOptions {
        OpenOptions {
            workspace: Some(home.join("workspace")),
            operator: Some(home.join("operator")),
            ..OpenOptions::default()
        }
    }

    fn open(home: &Path) -> Gateway {
        Gateway::open(&Self::options(home), Trust::builtin()).unwrap()
    }

    /// A report in which the runbook was offered the pack's action for a family of the log.
    fn report(&self) -> String {
        let request = TriageRequest::new(
            RunbookChoice::Workflow("query-families".to_owned()),
            LogChoice {
                logs: vec![LOG.to_owned()],
                threads: 1,
                ..LogChoice::default()
            },
        );
        let report = self.gateway.triage(&request, &|_| {}).unwrap();
        let mut record = self.gateway.parent(&report.report_id).unwrap();
        let snapshot = self.gateway.workspace.evidence(&record.evidence_digest).unwrap();
        let subjects = Subjects::new(&snapshot, &[]);
        let shop = vec![BoundValue::Text {
            value: "shop".to_owned(),
        }];
        let family = snapshot
            .log
            .as_ref()
            .unwrap()
            .families
            .iter()
            .find(|it| subjects.get(&it.id).unwrap().values(Facet::Database).unwrap() == shop)
            .unwrap();
        record.offers.push(Offer {
            action_id: "act_90".to_owned(),
            target_id: "acme.dead_tuples".to_owned(),
            parameters: vec![OfferedParameter {
                name: "database".to_owned(),
                subject: family.id.clone(),
                values: shop,
            }],
        });
        let id = Gateway::new_id("rp").unwrap();
        record.report.report_id.clone_from(&id);
        let incident = record.report.incident_id.clone();
        self.gateway
            .seal(&id, "triage", Some(&incident), |_| RecordBody::Triage(Box::new(record)))
            .unwrap();
        id
    }

    fn run(&self, report: &str, approval: Option<&str>) -> Result<Report, GatewayError> {
        self.gateway.run_sql(&RunSqlRequest {
            triage_report: report.to_owned(),
            action_id: "act_90".to_owned(),
            parameters: Vec::new(),
            approval: approval.map(str::to_owned),
            limit: 10,
            database: DatabaseChoice {
                dsn: Some(test_server::cluster().dsn("diagnosis", "shop")),
                name: None,
            },
        })
    }
}

#[test]
fn an_action_of_a_pack_runs_as_a_built_in_one() {
    let world = World::new(ACTION);
    let report = world.report();
    let ran = world.run(&report, None).unwrap();
    let outcome = ran.outcome.unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    assert_eq!(outcome.columns, ["relation", "dead"]);
    assert!(
        serde_json::to_string(&outcome.rows)
            .unwrap()
            .contains("\"untrusted\":true")
    );
    // Removed, it is no action any more, for reports of before either.
    crate::packs::remove(&World::options(world.home.path()), Trust::builtin(), "acme").unwrap();
    let without = World {
        gateway: World::open(world.home.path()),
        home: world.home,
    };
    let GatewayError::Refused(refusal) = without.run(&report, None).unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(refusal.code, "unknown_action");
}

#[test]
fn an_action_whose_risk_requires_an_approval_runs_with_one() {
    let world = World::new(&ACTION.replace("risk = \"safe\"", "risk = \"requires_human_approval\""));
    let report = world.report();
    let GatewayError::Refused(refusal) = world.run(&report, None).unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(refusal.code, "approval_required");
    let request = ApprovalRequest::parse(&serde_json::to_vec(&refusal).unwrap()).unwrap();
    let shown = approvals::in_plain_words(&request, None, crate::approval::DEFAULT_VALIDITY);
    assert!(
        shown.contains("acme.dead_tuples") && shown.contains("pg_stat_user_tables") && shown.contains("⟨shop⟩"),
        "{shown}"
    );
    let key = world.home.path().join("dba.pem");
    let (_, envelope) = approvals::sign(&request, &key, crate::approval::DEFAULT_VALIDITY).unwrap();
    let approval = world.gateway.keep_approval(&envelope).unwrap().approval_id;
    let outcome = world.run(&report, Some(&approval)).unwrap().outcome.unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    let GatewayError::Refused(again) = world.run(&report, Some(&approval)).unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(again.code, "approval_used");
    // A restart makes no difference: the log remembers.
    assert!(World::open(world.home.path()).approval_is_used(&approval).unwrap());
}

#[test]
fn a_pack_that_changed_since_stops_the_start() {
    let world = World::new(ACTION);
    let packs = world.home.path().join("operator/packs");
    let folder = std::fs::read_dir(&packs)
        .unwrap()
        .map(|it| it.unwrap().path())
        .find(|it| it.is_dir())
        .unwrap();
    std::fs::write(
        folder.join("acme.dead_tuples.toml"),
        ACTION.replace("LIMIT 21", "LIMIT 20"),
    )
    .unwrap();
    let options = OpenOptions {
        workspace: Some(world.home.path().join("workspace")),
        operator: Some(world.home.path().join("operator")),
        ..OpenOptions::default()
    };
    let error = Gateway::open(&options, Trust::builtin()).unwrap_err();
    assert_eq!(error.exit_code(), crate::ExitCode::Unverified, "{error}");
    assert!(error.to_string().contains("acme.dead_tuples.toml"), "{error}");
}

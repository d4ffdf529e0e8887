//! The conformance corpus in both phases, on the same evidence and the same outcome.

use pg_logstats_conformance::component;
use pg_logstats_logs::{Options, Redaction, Source, reduce};
use serde_json::json;

use super::*;
use crate::outcome::{Cell, RelationName, Row, SessionKey};
use crate::runbook::WitVersion;
use crate::words::OutcomeStatus;

const LOG: &[u8] = include_bytes!("../../../../tests/fixtures/contract.log");

fn snapshot() -> EvidenceSnapshot {
    let source = Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(LOG)));
    let part = reduce(vec![source], &Options::default(), &|_| {}).unwrap();
    EvidenceSnapshot::from_logs(part.evidence(&Redaction::least()), None)
}

fn judged(version: &str, snapshot: &EvidenceSnapshot, outcome: Option<OutcomeInput<'_>>) -> Judgement {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(Some(folder.path())).unwrap();
    let bytes = component(version);
    let trusted = TrustedComponent {
        grounds: Grounds::Digest,
        bytes: bytes.into(),
        digest: Sha256::digest(bytes).into(),
        signers: vec!["test".to_owned()],
        workflow_hint: "unknown".to_owned(),
    };
    let catalogue = Arc::new(Catalogue::builtin().unwrap().clone());
    let loaded = load(&trusted, &workspace);
    judge(&trusted, loaded, &catalogue, snapshot, "digest", outcome)
}

/// A row of every kind of cell, and a plan with everything that a node can have.
fn outcome() -> ActionOutcome {
    let relation = RelationName {
        schema: Some("public".to_owned()),
        name: "orders".to_owned(),
    };
    let cells = [
        Cell::Null,
        Cell::Boolean(true),
        Cell::Int(-7),
        Cell::Float(0.5),
        Cell::Text("x".to_owned()),
        Cell::DurationUs(-1),
        Cell::At(1),
    ];
    ActionOutcome {
        status: OutcomeStatus::Truncated,
        sqlstate: None,
        detail: None,
        columns: (0..cells.len()).map(|n| format!("c{n}")).collect(),
        rows: vec![Row {
            cells: cells.to_vec(),
            session: Some(SessionKey {
                pid: 7,
                backend_start_us: 8,
            }),
            sequence: None,
            object: None,
        }],
        plan: vec![
            PlanNode {
                node_type: "Sort".to_owned(),
                disk_bytes: Some(1),
                ..PlanNode::default()
            },
            PlanNode {
                parent: Some(0),
                node_type: "Seq Scan".to_owned(),
                relation: Some(relation),
                filter_columns: vec!["note".to_owned()],
                actual_rows: Some(1.5),
                loops: Some(2),
                heap_fetches: Some(3),
                ..PlanNode::default()
            },
        ],
        duration_us: 9,
        bytes: 10,
    }
}

#[test]
fn both_versions_conclude_the_same_from_the_same_outcome() {
    let (mut snapshot, outcome) = (snapshot(), outcome());
    snapshot.absorb(&outcome);
    let input = OutcomeInput {
        target_id: "query_family.explain",
        subjects: &[],
        outcome: &outcome,
    };
    let said = WitVersion::SERVED.map(|version| {
        let judgement = judged(version.as_str(), &snapshot, Some(input));
        assert_eq!(judgement.info.failure, None);
        assert_eq!(judgement.info.wit_version.as_deref(), Some(version.as_str()));
        serde_json::to_value(&judgement.assessment.unwrap().insights).unwrap()
    });
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0][0]["title"], "7 columns, 1 rows, 1 cells of text");
    assert_eq!(said[0][0]["evidence"], json!(["pn_0", "pn_1"]));
    assert_eq!(said[0][1]["recommendation"]["kind"], "create_index");
}

#[test]
fn what_an_older_version_does_not_have_its_runbooks_cannot_name() {
    let snapshot = snapshot();
    let log = snapshot.log.as_ref().unwrap();
    let of = |version: WitVersion| judged(version.as_str(), &snapshot, None).subjects;
    let (old, new) = (of(WitVersion::V0_1_0), of(WitVersion::V0_2_0));
    for id in [
        &log.maintenance[0].id,
        &log.connections[0].id,
        &log.clients[0].id,
        &log.cancellations[0].id,
        &log.plans[0].id,
        &crate::subjects::table_id(&log.maintenance[0].table),
        &"cp_0".to_owned(),
    ] {
        assert!(old.get(id).is_none() && new.get(id).is_some(), "{id}");
    }
    assert!(old.iter().count() > 20);
}

#[test]
fn a_runbook_without_evidence_gives_up_in_every_version() {
    let empty = EvidenceSnapshot {
        log: None,
        ..snapshot()
    };
    for version in WitVersion::SERVED {
        let failure = judged(version.as_str(), &empty, None).info.failure.unwrap();
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("gave_up", "the runbook gave up: a sentence")
        );
    }
}

use pg_logstats_logs::evidence::{Dimensions, QueryFamily, Sample};

use super::*;
use crate::snapshot::{EvidenceSnapshot, LiveEvidence};

fn family(id: &str, kind: StatementKind, query_ids: Vec<i64>) -> QueryFamily {
    QueryFamily {
        id: id.to_owned(),
        dimensions: Dimensions {
            database: Some("shop".into()),
            user: Some("app".into()),
            application: None,
        },
        statement: "select ?".into(),
        kind,
        incomplete: false,
        query_ids,
        sample: Some(Sample {
            statement: "SELECT 1".into(),
            parameters: vec![],
        }),
        execution_count: 1,
        total_duration_us: 1,
        mean_duration_us: 1,
        p50_duration_us: 1,
        p95_duration_us: 1,
        p99_duration_us: 1,
        max_duration_us: 1,
        parse_bind_duration_us: 0,
        temp_bytes: 0,
        temp_file_count: 0,
        error_count: 0,
        first_seen_us: 0,
        last_seen_us: 0,
    }
}

fn host(actions: &[&str], seed: u8) -> ActionHost {
    let descriptor = CheckedDescriptor::new(&wit::Descriptor {
        name: "t".into(),
        version: "1".into(),
        workflow: "t".into(),
        actions: actions.iter().map(|a| (*a).to_owned()).collect(),
        workflows: vec![],
        reason_codes: vec![],
        insights: vec![],
        messages: vec![],
    });
    let log = serde_json::json!({
        "window": null,
        "source": pg_logstats_logs::evidence::SourceSummary::default(),
        "total_duration_us": 0, "total_executions": 0, "family_count": 3,
        "families": [
            family("qf_a", StatementKind::Select, vec![7, -8]),
            family("qf_b", StatementKind::Utility, vec![9]),
            family("qf_c", StatementKind::Update, vec![]),
        ],
        "lock_waits": [], "deadlocks": [], "errors": [], "temp_files": [], "limitations": [],
    });
    let snapshot = EvidenceSnapshot {
        snapshot_version: 1,
        log: Some(serde_json::from_value(log).unwrap()),
        comparison: None,
        live: LiveEvidence::default(),
    };
    let subjects = Arc::new(Subjects::new(&snapshot, &[]));
    ActionHost::new(
        Arc::new(descriptor.unwrap()),
        subjects,
        Arc::new(Catalogue::builtin().unwrap().clone()),
        [seed; 32],
    )
}

fn request(action: &str, bindings: &[(&str, &str)]) -> wit::ActionRequest {
    let binding = |(parameter, subject): &(&str, &str)| wit::Binding {
        parameter: (*parameter).to_owned(),
        subject: (*subject).to_owned(),
    };
    wit::ActionRequest {
        action: action.to_owned(),
        bindings: bindings.iter().map(binding).collect(),
    }
}

const BY_QUERYID: &str = "query_family.pg_stat_statements.by_queryid";
const BY_DIMENSIONS: &str = "query_family.pg_stat_activity.by_dimensions";
const EXPLAIN: &str = "query_family.explain";
const ANALYZE: &str = "query_family.explain_analyze";
const ALL: &[&str] = &[BY_QUERYID, BY_DIMENSIONS, EXPLAIN, ANALYZE];

#[test]
fn values_come_from_the_subject_and_from_nowhere_else() {
    let mut host = host(ALL, 1);
    let ticket = host.answer(&request(BY_QUERYID, &[("queryid", "qf_a")])).unwrap();
    let log = host.into_log();
    let (action, parameters) = log.offer(ticket).unwrap();
    assert_eq!(action, BY_QUERYID);
    let expected = vec![BoundValue::QueryId { value: 7 }, BoundValue::QueryId { value: -8 }];
    assert_eq!(
        parameters[0].values, expected,
        "all that the evidence knows, the preferred first"
    );
}

#[test]
fn every_denial_has_its_cause() {
    for (request, denial) in [
        (request("no.such.action", &[]), Denial::UnknownAction),
        (
            request("temp_file.explain", &[("queryid", "qf_a")]),
            Denial::UndeclaredAction,
        ),
        (request(BY_QUERYID, &[("sql", "qf_a")]), Denial::UnknownParameter),
        (
            request(BY_QUERYID, &[("queryid", "qf_a"), ("queryid", "qf_a")]),
            Denial::UnknownParameter,
        ),
        (
            request(BY_QUERYID, &[("queryid", "qf_a; DROP TABLE x")]),
            Denial::UnknownSubject,
        ),
        (request(BY_QUERYID, &[("queryid", "7")]), Denial::UnknownSubject),
        (
            request(BY_QUERYID, &[("queryid", &crate::subjects::database_id("shop"))]),
            Denial::WrongSubjectKind,
        ),
        (request(BY_QUERYID, &[("queryid", "qf_c")]), Denial::NotEnoughContext),
        (request(BY_QUERYID, &[]), Denial::NotEnoughContext),
        (
            request(BY_DIMENSIONS, &[("application_name", "qf_a")]),
            Denial::NotEnoughContext,
        ),
        (request(EXPLAIN, &[("queryid", "qf_b")]), Denial::UnsupportedTarget),
        (
            request(ANALYZE, &[("queryid", "qf_c"), ("sample", "qf_c")]),
            Denial::UnsupportedTarget,
        ),
    ] {
        assert_eq!(host(ALL, 1).answer(&request), Err(denial), "{request:?}");
    }
}

#[test]
fn one_dimension_is_enough_and_unknown_ones_are_left_out() {
    let mut host = host(ALL, 1);
    let bindings = [("database", "qf_a"), ("application_name", "qf_a")];
    let ticket = host.answer(&request(BY_DIMENSIONS, &bindings)).unwrap();
    let log = host.into_log();
    let names: Vec<_> = log.offer(ticket).unwrap().1.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["database"]);
}

#[test]
fn tickets_are_of_one_run() {
    let ask = |seed| {
        host(ALL, seed)
            .answer(&request(BY_QUERYID, &[("queryid", "qf_a")]))
            .unwrap()
    };
    assert_eq!(ask(1), ask(1), "a replay gets the same");
    assert_ne!(ask(1), ask(2), "another run gets another");
    let mut host = host(ALL, 1);
    let first = host.answer(&request(BY_QUERYID, &[("queryid", "qf_a")])).unwrap();
    let second = host.answer(&request(BY_QUERYID, &[("queryid", "qf_a")])).unwrap();
    assert_ne!(first, second);
    assert_eq!(host.into_log().offer(first ^ 1), None);
}

#[test]
fn the_log_of_requests_is_bounded_in_number_and_size() {
    let mut host = host(ALL, 1);
    let long = "x".repeat(100_000);
    for _ in 0..limits::REQUESTS + 50 {
        let _ = host.answer(&request(&long, &[(&long, &long)]));
    }
    assert_eq!(
        host.answer(&request(BY_QUERYID, &[("queryid", "qf_a")])),
        Err(Denial::TooManyRequests)
    );
    let log = host.into_log();
    assert_eq!(log.entries.len(), limits::REQUESTS);
    assert!(serde_json::to_string(&log).unwrap().len() < limits::REQUESTS * 2_000);
}

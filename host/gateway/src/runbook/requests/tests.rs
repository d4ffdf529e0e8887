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

/// Autovacuum on `shop.public.orders`, and on a table that the log names without its schema.
fn maintenance() -> serde_json::Value {
    let group = |id: &str, table: serde_json::Value| {
        serde_json::json!({
            "id": id, "table": table, "kind": "vacuum",
            "run_count": 1, "aggressive_count": 0, "to_prevent_wraparound_count": 0, "canceled_count": 0, "skipped_count": 0,
            "total_elapsed_us": 1, "tuples_removed": 0, "max_tuples_dead_not_removable": 0, "wal_bytes": 0, "longest": null,
            "first_seen_us": 0, "last_seen_us": 0,
        })
    };
    serde_json::json!([
        group(
            "mt_a",
            serde_json::json!({ "database": "shop", "schema": "public", "table": "orders" })
        ),
        group(
            "mt_b",
            serde_json::json!({ "database": null, "schema": null, "table": "stock" })
        ),
    ])
}

/// A time-out of the family `qf_a`, and one of no family.
fn cancellations() -> serde_json::Value {
    let group = |id: &str, family: Option<&str>| {
        serde_json::json!({
            "id": id, "reason": "statement_timeout", "family": family, "attribution": family.map(|_| "stated"),
            "dimensions": { "database": "shop", "user": null, "application": null },
            "count": 1, "first_seen_us": 0, "last_seen_us": 0,
        })
    };
    serde_json::json!([group("ca_a", Some("qf_a")), group("ca_b", None)])
}

/// A plan of `qf_b`, and one of a family that the evidence does not have.
fn plans() -> serde_json::Value {
    let group = |id: &str, family: &str| {
        serde_json::json!({
        "id": id, "family": family, "attribution": "stated", "count": 1,
        "slowest": { "at_us": 0, "duration_us": 1, "format": "json", "nodes": [{
            "parent": null, "node_type": "Index Scan", "relation": "lines", "index": "lines_pkey",
            "total_cost": null, "plan_rows": null, "actual_rows": null, "loops": null, "total_us": null,
            "rows_removed_by_filter": null, "filter": null, "index_condition": null, "disk_bytes": null,
            "temp_written_blocks": null,
        }] },
        })
    };
    serde_json::json!([group("pl_b", "qf_b"), group("pl_f", "qf_f")])
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
        "maintenance": maintenance(), "cancellations": cancellations(), "plans": plans(),
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
const COLUMNS: &str = "relation.pg_stats.columns";
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
fn a_table_of_a_log_is_bound_with_its_database_or_not_at_all() {
    use crate::subjects::{index_id, logged_relation, relation_id, table_id};
    let table = |database: Option<&str>, schema: Option<&str>, table: &str| {
        table_id(&pg_logstats_logs::evidence::TableName {
            database: database.map(str::to_owned),
            schema: schema.map(str::to_owned),
            table: table.to_owned(),
        })
    };
    let ask = |subject: &str| -> Result<Vec<BoundValue>, Denial> {
        let mut host = host(&[COLUMNS], 1);
        let ticket = host.answer(&request(COLUMNS, &[("relation", subject)]))?;
        let log = host.into_log();
        Ok(log.offer(ticket).unwrap().1[0].values.clone())
    };
    let orders = BoundValue::RelationName {
        database: Some("shop".to_owned()),
        schema: "public".to_owned(),
        name: "orders".to_owned(),
    };
    assert_eq!(
        ask(&table(Some("shop"), Some("public"), "orders")),
        Ok(vec![orders.clone()])
    );
    assert_eq!(ask("mt_a"), Ok(vec![orders]), "the group is about its table");
    for nameless in [
        "mt_b",
        &table(None, None, "stock"),
        &relation_id(&logged_relation("lines")),
    ] {
        assert_eq!(ask(nameless), Err(Denial::NotEnoughContext), "{nameless}");
    }
    for other in ["ca_a", "pl_b", &index_id("lines_pkey")] {
        assert_eq!(ask(other), Err(Denial::WrongSubjectKind), "{other}");
    }
    for unknown in ["mt_c", &table(Some("other"), Some("public"), "orders")] {
        assert_eq!(ask(unknown), Err(Denial::UnknownSubject), "{unknown}");
    }
}

#[test]
fn what_is_of_a_statement_binds_the_statement() {
    for (subject, queryid, explain) in [
        ("ca_a", Ok(()), Ok(())),
        ("ca_b", Err(Denial::NotEnoughContext), Err(Denial::NotEnoughContext)),
        ("pl_b", Ok(()), Err(Denial::UnsupportedTarget)),
        ("mt_a", Err(Denial::WrongSubjectKind), Err(Denial::WrongSubjectKind)),
    ] {
        let ask = |action: &str| {
            host(ALL, 1)
                .answer(&request(action, &[("queryid", subject)]))
                .map(|_| ())
        };
        assert_eq!((ask(BY_QUERYID), ask(EXPLAIN)), (queryid, explain), "{subject}");
    }
    let database = |subject: &str| {
        host(ALL, 1)
            .answer(&request(BY_DIMENSIONS, &[("database", subject)]))
            .map(|_| ())
    };
    assert_eq!([database("ca_b"), database("pl_b"), database("mt_a")], [Ok(()); 3]);
    let user = |subject: &str| {
        host(ALL, 1)
            .answer(&request(BY_DIMENSIONS, &[("user", subject)]))
            .map(|_| ())
    };
    assert_eq!(user("ca_b"), Err(Denial::NotEnoughContext));
    assert_eq!(user("mt_a"), Err(Denial::WrongSubjectKind));
    // A family that the evidence had to give up.
    assert_eq!(
        (user("pl_f"), database("pl_f")),
        (Err(Denial::NotEnoughContext), Err(Denial::NotEnoughContext))
    );
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

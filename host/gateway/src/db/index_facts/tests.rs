use pg_logstats_logs::evidence::Sample;
use pg_logstats_test_cluster::SUPERUSER;

use crate::catalogue::{BoundParameter, BoundValue};
use crate::db::test_server::{cluster, queryid, run, shop, target};
use crate::outcome::{ActionOutcome, Cell};
use crate::words::OutcomeStatus;

/// Sets a database up with what a scan of `orders` needs.
fn database(name: &str, more: &str) {
    cluster();
    cluster().psql(&format!("CREATE DATABASE {name}")).unwrap();
    let schema = "CREATE EXTENSION pg_stat_statements;
         CREATE SCHEMA \"Shop \"\"1\"\"\";
         GRANT USAGE ON SCHEMA \"Shop \"\"1\"\"\" TO diagnosis;
         CREATE TABLE \"Shop \"\"1\"\"\".orders (id int PRIMARY KEY, customer int, \"Day, of week\" int, open boolean, note text);
         INSERT INTO \"Shop \"\"1\"\"\".orders SELECT n, n % 5000, n % 7, n % 2 = 0, repeat('n', 40) FROM generate_series(1, 50000) AS n;
         CREATE INDEX ON \"Shop \"\"1\"\"\".orders (open);
         ANALYZE \"Shop \"\"1\"\"\".orders;
         GRANT SELECT ON \"Shop \"\"1\"\"\".orders TO diagnosis;";
    in_database(name, &format!("{schema} {more}"));
}

fn in_database(database: &str, sql: &str) -> String {
    cluster().psql_as(SUPERUSER, database, sql).unwrap()
}

const ORDERS: &str = "SELECT count(note) FROM \"Shop \"\"1\"\"\".orders WHERE";

/// Runs the statement with this condition, then explains it, or explains its run.
fn explained(database: &str, condition: &str, with_run: bool) -> ActionOutcome {
    let sql = format!("{ORDERS} {condition}");
    in_database(database, &sql);
    let id = in_database(
        database,
        &format!(
            "SELECT queryid FROM pg_stat_statements WHERE query = $${}$$ AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            normalised(&sql)
        ),
    );
    let mut bound = vec![queryid(id.parse().unwrap())];
    let sample = with_run.then(|| Sample {
        statement: sql,
        parameters: Vec::new(),
    });
    if let Some(sample) = &sample {
        bound.push(BoundParameter {
            name: "sample".to_owned(),
            value: BoundValue::Sample {
                sha256: crate::subjects::sample_digest(sample),
            },
        });
    }
    let action = if with_run {
        "query_family.explain_analyze"
    } else {
        "query_family.explain"
    };
    let outcome = run(&target("diagnosis", database), action, bound, sample);
    assert_eq!((outcome.status, &outcome.detail), (OutcomeStatus::Ok, &None));
    outcome
}

/// As pg_stat_statements holds it: each number that stands alone is a parameter.
fn normalised(sql: &str) -> String {
    let mut parameters = 0;
    let words = sql.split(' ').map(|word| match word.parse::<i64>() {
        Ok(_) => {
            parameters += 1;
            format!("${parameters}")
        }
        Err(_) => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn cell(outcome: &ActionOutcome, column: &str) -> Cell {
    assert_eq!(outcome.rows.len(), 1, "{:?}", outcome.rows);
    let at = outcome.columns.iter().position(|c| c == column).unwrap();
    outcome.rows[0].cells[at].clone()
}

fn int(outcome: &ActionOutcome, column: &str) -> i64 {
    match cell(outcome, column) {
        Cell::Int(n) => n,
        other => panic!("{column} is {other:?}"),
    }
}

fn float(outcome: &ActionOutcome, column: &str) -> f64 {
    match cell(outcome, column) {
        Cell::Float(n) => n,
        other => panic!("{column} is {other:?}"),
    }
}

#[test]
fn what_an_index_would_meet_is_told_of_the_table_as_it_is() {
    database("index_facts", "");
    let outcome = explained("index_facts", "\"Day, of week\" < 3 AND customer = 17", false);
    let node = &outcome.plan[usize::try_from(int(&outcome, "node")).unwrap()];
    assert_eq!(node.node_type, "Seq Scan");
    assert_eq!(cell(&outcome, "schema"), Cell::Text("Shop \"1\"".to_owned()));
    assert_eq!(cell(&outcome, "table"), Cell::Text("orders".to_owned()));
    // Equality first, although the statement has it last.
    assert_eq!(
        cell(&outcome, "key_columns"),
        Cell::Text("customer, Day, of week".to_owned())
    );
    assert_eq!(
        (int(&outcome, "column_count"), int(&outcome, "covered_columns")),
        (2, 0)
    );
    assert_eq!((int(&outcome, "indexes"), int(&outcome, "table_rows")), (2, 50_000));
    let distinct = float(&outcome, "distinct_values");
    assert!((20_000.0..=50_000.0).contains(&distinct), "{distinct}");
    assert!(int(&outcome, "size_bytes") > 2_000_000);
    assert_eq!(int(&outcome, "rows_written"), 50_000);
    assert!((float(&outcome, "cost") - outcome.plan[0].total_cost).abs() < 0.01);
    // Nobody made the extension.
    assert_eq!(
        (
            cell(&outcome, "hypothetical_cost"),
            cell(&outcome, "hypothetical_bytes")
        ),
        (Cell::Null, Cell::Null)
    );
}

#[test]
fn an_index_that_begins_with_the_columns_already_is_seen_and_one_that_failed_to_build_too() {
    database("index_there", "");
    // Half of the table: the planner does not take the index.
    let outcome = explained("index_there", "open", false);
    assert!(
        outcome.rows.is_empty(),
        "a bare column is compared with nothing: {:?}",
        outcome.rows
    );
    in_database(
        "index_there",
        "CREATE INDEX spoilt ON \"Shop \"\"1\"\"\".orders (customer, id)",
    );
    in_database(
        "index_there",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"Shop \"\"1\"\"\".spoilt'::regclass",
    );
    let outcome = explained("index_there", "customer = 17", false);
    assert_eq!(int(&outcome, "covered_columns"), 0);
    assert_eq!(cell(&outcome, "is_there_invalid"), Cell::Boolean(true));
    in_database(
        "index_there",
        "CREATE INDEX ON \"Shop \"\"1\"\"\".orders (\"Day, of week\")",
    );
    // All of the table, which only a plan with the value knows.
    let outcome = explained("index_there", "\"Day, of week\" >= 0", true);
    assert_eq!(
        (int(&outcome, "column_count"), int(&outcome, "covered_columns")),
        (1, 1)
    );
}

#[test]
fn with_hypopg_the_statement_is_planned_as_if_there_were_the_index_and_there_is_none_afterwards() {
    database(
        "hypothetical",
        "CREATE SCHEMA \"Ext\"; CREATE EXTENSION hypopg SCHEMA \"Ext\"; GRANT USAGE ON SCHEMA \"Ext\" TO diagnosis",
    );
    for with_run in [false, true] {
        let outcome = explained("hypothetical", "customer = 17", with_run);
        let (cost, with_index) = (float(&outcome, "cost"), float(&outcome, "hypothetical_cost"));
        assert!(with_index < cost / 5.0, "{with_index} of {cost}, run: {with_run}");
        assert!(int(&outcome, "hypothetical_bytes") > 500_000);
        assert!(
            outcome.plan.iter().any(|n| n.node_type == "Seq Scan"),
            "the plan shown is the one that there is"
        );
    }
    // One that the planner would not take changes nothing; without the value it would.
    let outcome = explained("hypothetical", "\"Day, of week\" > 0", true);
    assert!((float(&outcome, "cost") - float(&outcome, "hypothetical_cost")).abs() < 1.0);
    assert_eq!(
        in_database(
            "hypothetical",
            "SELECT count(*) FROM pg_index WHERE indrelid = '\"Shop \"\"1\"\"\".orders'::regclass"
        ),
        "2"
    );
}

#[test]
fn functions_that_are_only_called_like_those_of_hypopg_are_not_called() {
    database(
        "impostor",
        "CREATE FUNCTION public.hypopg_create_index(text, OUT indexrelid oid, OUT indexname text) LANGUAGE plpgsql
           AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
         CREATE FUNCTION public.hypopg_relation_size(oid) RETURNS int8 LANGUAGE sql AS 'SELECT 1::int8';
         CREATE FUNCTION public.hypopg_drop_index(oid) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    );
    let outcome = explained("impostor", "customer = 17", false);
    assert_eq!(cell(&outcome, "hypothetical_cost"), Cell::Null);
}

#[test]
fn small_scans_and_scans_without_a_comparison_are_not_asked_about() {
    shop(
        "CREATE TABLE IF NOT EXISTS small_one (a int); GRANT SELECT ON small_one TO diagnosis; SELECT count(*) FROM small_one WHERE a = 3",
    );
    let id = shop("SELECT queryid FROM pg_stat_statements WHERE query LIKE '%FROM small_one WHERE a%' LIMIT 1");
    let outcome = run(
        &target("diagnosis", "shop"),
        "query_family.explain",
        vec![queryid(id.parse().unwrap())],
        None,
    );
    assert_eq!((outcome.status, outcome.rows.len()), (OutcomeStatus::Ok, 0));
}

use crate::db::test_server::{queryid, run, shop, target};
use crate::outcome::ActionOutcome;
use crate::words::OutcomeStatus;

const EXPLAIN: &str = "query_family.explain";

/// Runs SQL in `shop` and explains the statement whose text has `part`.
fn explain(sql: &str, part: &str) -> ActionOutcome {
    shop(sql);
    let id = shop(&format!(
        "SELECT queryid FROM pg_stat_statements WHERE query LIKE '%{part}%' AND query NOT LIKE '%pg_stat_statements%' LIMIT 1"
    ));
    run(
        &target("diagnosis", "shop"),
        EXPLAIN,
        vec![queryid(id.parse().unwrap())],
        None,
    )
}

#[test]
fn the_generic_plan_of_a_held_statement_without_its_values() {
    let outcome = explain(
        "SELECT name, count(*) FROM item WHERE price > 4711 AND lower(name) = 'secret' GROUP BY name ORDER BY 2 DESC LIMIT 3",
        "lower(name)",
    );
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    assert!(outcome.bytes > 100);
    // What an index on the filter's column would meet.
    assert_eq!(outcome.rows.len(), 1);
    let scan = outcome.plan.iter().find(|n| n.relation.is_some()).unwrap();
    let relation = scan.relation.as_ref().unwrap();
    assert_eq!(
        (relation.schema.as_deref(), relation.name.as_str()),
        (Some("public"), "item")
    );
    assert_eq!(scan.filter_columns, ["price"]);
    assert_eq!(outcome.plan[0].parent, None);
    assert!(
        outcome
            .plan
            .iter()
            .all(|n| n.actual_rows.is_none() && n.shared_hit_blocks.is_none())
    );
    let shown = format!("{outcome:?}");
    assert!(!shown.contains("4711") && !shown.contains("secret"));
}

#[test]
fn a_text_that_the_server_itself_could_not_read_back_is_planned_from_its_tree() {
    shop("CREATE TABLE IF NOT EXISTS typed (at timestamptz); GRANT SELECT ON typed TO diagnosis");
    // The server holds it as `interval $1`, which its own parser refuses.
    let outcome = explain(
        "SELECT count(*) FROM typed WHERE at > now() - interval '3 days'",
        "FROM typed",
    );
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    assert_eq!(
        outcome
            .plan
            .iter()
            .find(|n| n.relation.is_some())
            .unwrap()
            .filter_columns,
        Vec::<String>::new()
    );
}

#[test]
fn what_cannot_be_planned_without_values_says_so() {
    // The type of the parameter cannot be told: json and jsonb have the function.
    let outcome = explain(
        "SELECT count(*) FROM item WHERE pg_typeof('a') = 'text'::regtype",
        "pg_typeof($1)",
    );
    assert_eq!(outcome.status, OutcomeStatus::Unavailable, "{:?}", outcome.detail);
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("the type of a parameter cannot be told")
    );
}

#[test]
fn utility_statements_and_unknown_ids_are_unavailable() {
    let outcome = explain("CREATE TABLE IF NOT EXISTS utility_one (a int)", "utility_one");
    assert_eq!(outcome.status, OutcomeStatus::Unavailable);
    assert!(outcome.detail.unwrap().contains("none that EXPLAIN can plan"));
    let outcome = run(&target("diagnosis", "shop"), EXPLAIN, vec![queryid(17)], None);
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("holds no statement of this query id in this database")
    );
    let outcome = run(&target("diagnosis", "bare"), EXPLAIN, vec![queryid(17)], None);
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("has not the extension pg_stat_statements")
    );
}

#[test]
fn a_role_without_the_rights_of_the_statement_is_told_which() {
    shop("CREATE TABLE IF NOT EXISTS closed (id int)");
    let outcome = explain("SELECT max(id) FROM closed", "max(id) FROM closed");
    assert_eq!(
        (outcome.status, outcome.sqlstate.as_deref()),
        (OutcomeStatus::InsufficientPrivilege, Some("42501"))
    );
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("the right to read what the statement reads")
    );
    let outcome = explain(
        "UPDATE item SET price = price + 0 WHERE id = -5",
        "UPDATE item SET price",
    );
    assert_eq!(outcome.status, OutcomeStatus::InsufficientPrivilege);
    assert!(outcome.detail.unwrap().contains("this one writes"));
    let id = shop("SELECT queryid FROM pg_stat_statements WHERE query LIKE '%max(id) FROM closed%' LIMIT 1");
    let outcome = run(
        &target("bystander", "shop"),
        EXPLAIN,
        vec![queryid(id.parse().unwrap())],
        None,
    );
    assert_eq!(outcome.status, OutcomeStatus::InsufficientPrivilege);
    assert!(outcome.detail.unwrap().contains("pg_read_all_stats"));
}

#[test]
fn names_are_looked_up_as_the_role_that_ran_it_does() {
    shop(
        "CREATE SCHEMA IF NOT EXISTS app; CREATE TABLE IF NOT EXISTS app.only_here (id int);
         GRANT USAGE ON SCHEMA app TO diagnosis, bystander; GRANT SELECT ON app.only_here TO diagnosis, bystander;
         ALTER ROLE bystander IN DATABASE shop SET search_path = '$user', app;",
    );
    let cluster = crate::db::test_server::cluster();
    cluster
        .psql_as("bystander", "shop", "SELECT sum(id) FROM only_here")
        .unwrap();
    let outcome = explain("SELECT 1", "sum(id) FROM only_here");
    shop("ALTER ROLE bystander IN DATABASE shop RESET search_path");
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    let relation = outcome.plan.iter().find_map(|n| n.relation.clone()).unwrap();
    assert_eq!(relation.schema.as_deref(), Some("app"));
}

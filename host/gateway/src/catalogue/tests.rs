use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::Token;

use super::load::{FILES, load};
use super::*;

const BY_PID: &str = include_str!("actions/running_query.pg_stat_activity.by_pid.toml");

fn builtin() -> &'static Catalogue {
    Catalogue::builtin().unwrap()
}

#[test]
fn has_every_file_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalogue/actions");
    let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    let compiled_in: BTreeSet<String> = FILES.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(on_disk, compiled_in);
}

#[test]
fn only_reads_about_a_session_or_a_few_and_the_lock_tree_are_essential() {
    let essential: Vec<&str> = builtin()
        .iter()
        .filter(|a| a.essential)
        .map(|a| a.id.as_str())
        .collect();
    assert_eq!(
        essential,
        [
            "lock_wait.pg_locks.tree",
            "running_query.blocking.by_pid",
            "running_query.pg_stat_activity.by_pid",
            "running_query.pg_stat_activity.longest",
        ]
    );
}

#[test]
fn every_statement_is_exactly_one_select_with_the_arguments_of_its_parameters() {
    for action in builtin().iter() {
        for statement in &action.statements {
            let sql = statement.sql.replace(PG_STAT_STATEMENTS_SCHEMA, "public");
            let parsed = pg_query::parse(&sql, pg_query::ParserOptions::default()).unwrap();
            assert_eq!(parsed.protobuf.stmts.len(), 1, "{}", action.id);
            let node = parsed.protobuf.stmts[0].stmt.as_ref().unwrap().node.as_ref().unwrap();
            let NodeEnum::SelectStmt(select) = node else {
                panic!("{} is no SELECT", action.id)
            };
            assert!(
                select.into_clause.is_none() && select.locking_clause.is_empty(),
                "{}",
                action.id
            );

            let used: BTreeSet<String> = pg_query::scan(&sql)
                .unwrap()
                .tokens
                .iter()
                .filter(|t| t.token() == Token::Param)
                .map(|t| sql[t.start as usize..t.end as usize].to_owned())
                .collect();
            let arguments: usize = action.parameters.iter().map(|p| p.facet.argument_types().len()).sum();
            let expected: BTreeSet<String> = (1..=arguments).map(|n| format!("${n}")).collect();
            assert_eq!(used, expected, "{}", action.id);
        }
    }
}

#[test]
fn every_query_is_ordered_and_reads_one_row_more_than_it_may_return() {
    for action in builtin().iter().filter(|a| a.kind == ActionKind::Query) {
        for statement in &action.statements {
            let (before, limit) = statement.sql.rsplit_once("\n LIMIT ").unwrap();
            let limit: u32 = limit.trim().parse().unwrap();
            assert_eq!(limit, action.caps.max_rows + 1, "{}", action.id);
            let last = before.rsplit_once("\n ORDER BY ").map(|(_, order)| order);
            assert!(last.is_some_and(|order| !order.contains("SELECT")), "{}", action.id);
        }
    }
}

#[test]
fn ids_say_subject_source_and_what() {
    for action in builtin().iter() {
        let parts = action.id.split('.').count();
        let explains = action.kind != ActionKind::Query;
        assert_eq!(parts, if explains { 2 } else { 3 }, "{}", action.id);
        assert!(!action.description.is_empty() && !action.description.contains('#'));
    }
}

#[test]
fn what_is_bounded_only_by_the_size_of_the_database_is_not_safe() {
    let bounded: Vec<&str> = builtin()
        .iter()
        .filter(|a| a.kind == ActionKind::Query && a.highest_risk() == Risk::Bounded)
        .map(|a| a.id.as_str())
        .collect();
    assert_eq!(
        bounded,
        [
            "autovacuum.pg_stat_all_tables.most_dead",
            "error_class.pg_stat_activity.by_dimensions",
            "query_family.pg_stat_activity.by_dimensions",
            "relation.pg_constraint.not_validated",
            "relation.pg_index.invalid",
            "relation.pg_stat_all_indexes.unused",
            "sequence.pg_sequence.near_end",
            "wraparound.pg_class.oldest_tables",
        ]
    );
}

#[test]
fn no_action_reads_statement_texts_into_rows() {
    for action in builtin().iter().filter(|a| a.kind == ActionKind::Query) {
        assert!(!action.columns.iter().any(|c| c.name == "query"), "{}", action.id);
        assert!(
            action
                .statements
                .iter()
                .all(|s| !s.sql.contains(".query,") && !s.sql.contains("statements(true)"))
        );
    }
}

#[test]
fn an_application_name_makes_the_session_list_safe_and_a_database_does_not() {
    let bound = |name: &str| BoundParameter {
        name: name.to_owned(),
        value: BoundValue::Text { value: "x".to_owned() },
    };
    for id in [
        "query_family.pg_stat_activity.by_dimensions",
        "error_class.pg_stat_activity.by_dimensions",
    ] {
        let action = builtin().get(id).unwrap();
        assert_eq!(action.risk(&[bound("database"), bound("user")]), Risk::Bounded);
        assert_eq!(action.risk(&[bound("database"), bound("application_name")]), Risk::Safe);
        assert_eq!(action.risk(&[]), Risk::Bounded);
    }
}

#[test]
fn every_supported_version_has_a_statement_and_older_ones_have_none() {
    for action in builtin().iter() {
        for version in [140_000, 150_018, 160_004, 170_002, 180_001] {
            // The view came with PostgreSQL 16.
            let there = action.id != "checkpoint.pg_stat_io.counters" || version >= 160_000;
            assert_eq!(action.sql(version).is_some(), there, "{} on {version}", action.id);
        }
        assert!(action.sql(130_012).is_none(), "{}", action.id);
    }
}

/// Loads the by-pid action with one text replaced and returns the error.
fn error_with(from: &str, to: &str) -> String {
    assert!(BY_PID.contains(from), "{from}");
    let text = BY_PID.replacen(from, to, 1);
    load(&[("running_query.pg_stat_activity.by_pid.toml", &text)])
        .unwrap_err()
        .to_string()
}

#[test]
fn wrong_files_do_not_load_and_say_why() {
    for (from, to, expected) in [
        (
            "essential = true",
            "essential = true\nsql_extra = 1",
            "unknown field `sql_extra`",
        ),
        ("[caps]\n", "[caps]\nmax_joules = 3\n", "unknown field `max_joules`"),
        ("max_rows = 1\n", "", "missing field `max_rows`"),
        (
            "max_rows = 1\n",
            "max_rows = 0\n",
            "field `caps`: `max_rows` is 0, not 1 to 1000",
        ),
        (
            "statement_timeout_ms = 1000",
            "statement_timeout_ms = 600000",
            "`statement_timeout_ms` is 600000",
        ),
        (
            "statement_timeout_ms = 500",
            "statement_timeout_ms = 5000",
            "`saturated.statement_timeout_ms` is 5000",
        ),
        (
            "risk = \"safe\"",
            "risk = \"bounded\"",
            "only a safe action can be essential",
        ),
        ("risk = \"safe\"", "risk = \"harmless\"", "unknown variant `harmless`"),
        (
            "kind = \"query\"",
            "kind = \"explain\"",
            "field `kind`: does not go with class",
        ),
        (
            "facet = \"session\"",
            "facet = \"raw_sql\"",
            "unknown variant `raw_sql`",
        ),
        (
            "name = \"pid\"\nfacet",
            "name = \"P id\"\nfacet",
            "no new lower-case word",
        ),
        (
            "backend_start = \"backend_start\"",
            "backend_start = \"pid\"",
            "field `row_session`",
        ),
        (
            "row_session =",
            "row_sequence = { schema = \"pid\", sequence = \"pid\", owner_schema = \"pid\", owner_table = \"pid\", owner_column = \"pid\", owner_type = \"pid\" }\nrow_session =",
            "field `row_sequence`",
        ),
        (
            "row_session =",
            "row_object = { kind = \"replication_slot\", slot = \"pid\" }\nrow_session =",
            "field `row_object`: has to name text columns",
        ),
        (
            "row_session =",
            "row_object = { kind = \"replication_slot\", slot = \"state\" }\nrow_session =",
            "field `row_object`: a row is about one thing",
        ),
        (
            "row_session =",
            "row_object = { kind = \"table\", slot = \"state\" }\nrow_session =",
            "unknown variant `table`",
        ),
        ("by_pid\"\n", "by_pidx\"\n", "field `id`"),
        ("# One session", "title = \"One\"\n# One session", "duplicate key"),
        (
            "[privileges]",
            "row_hidden = \"pid\"\n[privileges]",
            "has to name a boolean column",
        ),
        (
            "roles = [\"pg_read_all_stats\"]",
            "select_on_relations = true",
            "has to say in a column which rows the server hides",
        ),
        (
            "min_version = 140000",
            "min_version = 140000\nmax_version = 130000",
            "out of order",
        ),
        (
            "pg_catalog.pg_stat_activity",
            "{pg_stat_statements}.pg_stat_activity",
            "read and not listed",
        ),
        (
            "row_session =",
            "at_least_one_of = [\"pid\"]\nrow_session =",
            "`pid` is no optional parameter",
        ),
    ] {
        let error = error_with(from, to);
        assert!(error.contains(expected), "expected `{expected}` in: {error}");
    }
}

#[test]
fn one_id_in_two_files_does_not_load() {
    let file = ("running_query.pg_stat_activity.by_pid.toml", BY_PID);
    assert!(matches!(load(&[file, file]), Err(CatalogueError::Duplicate { .. })));
}

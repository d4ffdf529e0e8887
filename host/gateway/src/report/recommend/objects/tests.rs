//! Each text is one statement whatever the names are, and does on a server what it says.

use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use super::super::render;
use super::*;
use crate::catalogue::{BoundParameter, BoundValue};
use crate::db::test_server::{run, target_of};
use crate::outcome::{ActionOutcome, Cell, RelationName, Row};
use crate::runbook::WitVersion;
use crate::runbook::assessment::CheckedRecommendation;
use crate::snapshot::EvidenceSnapshot;
use crate::words::OutcomeStatus;

/// Names that end a quoted name, a string, a line or a comment, that hide what stands behind them, or look like an escape.
const HOSTILE: [&str; 7] = [
    "plain",
    "a\"; DROP TABLE x; --",
    "a'; SELECT 1; --",
    "two\nlines\t/*",
    "Größe 表 \u{1f600}",
    "hid\u{200b}den\u{202e} \u{1b}[2J",
    "back\\slash\\u0041\\'\\\"",
];

type Make = fn(String) -> CheckedRecommendation;

const DROP: Make = |index| CheckedRecommendation::DropIndex { index };
const REBUILD: Make = |index| CheckedRecommendation::RebuildIndex { index };
const VALIDATE: Make = |constraint| CheckedRecommendation::ValidateConstraint { constraint };
const DROP_SLOT: Make = |slot| CheckedRecommendation::DropReplicationSlot { slot };
const ROLL_BACK: Make = |transaction| CheckedRecommendation::RollbackPrepared { transaction };

fn rendered(object: &Object, make: Make) -> Recommendation {
    let mut snapshot = EvidenceSnapshot::of_no_logs();
    snapshot.live.objects.push(object.clone());
    render(&make(object.id()), &Subjects::new(&snapshot, &[])).unwrap()
}

fn named(schema: &str, name: &str) -> RelationName {
    RelationName {
        schema: Some(schema.to_owned()),
        name: name.to_owned(),
    }
}

fn index(schema: &str, name: &str, is_partitioned: bool) -> Object {
    Object::Index {
        name: named(schema, name),
        is_partitioned,
    }
}

#[test]
fn each_is_one_statement_about_that_very_name() {
    for schema in HOSTILE {
        for name in HOSTILE {
            let constraint = Object::Constraint {
                table: named(schema, "t"),
                name: name.to_owned(),
            };
            let slot = Object::ReplicationSlot { name: name.to_owned() };
            let prepared = Object::PreparedTransaction { gid: name.to_owned() };
            let (plain, partitioned) = (index(schema, name, false), index(schema, name, true));
            for (object, make, node, names) in [
                (&plain, DROP, "DropStmt", &[schema, name] as &[&str]),
                (&partitioned, DROP, "DropStmt", &[schema, name]),
                (&plain, REBUILD, "ReindexStmt", &[schema, name]),
                (&constraint, VALIDATE, "AlterTableStmt", &[schema, name]),
                (&slot, DROP_SLOT, "SelectStmt", &[name]),
                (&prepared, ROLL_BACK, "TransactionStmt", &[name]),
            ] {
                let advice = rendered(object, make);
                let sql = advice.sql.text();
                let parsed =
                    pg_query::parse(sql, pg_query::ParserOptions::default()).unwrap_or_else(|e| panic!("{sql}: {e}"));
                let statements = &parsed.protobuf.stmts;
                assert_eq!(statements.len(), 1, "{sql}");
                let tree = format!("{:?}", statements[0]);
                assert!(tree.contains(node), "{sql}: {tree}");
                for name in names {
                    assert!(tree.contains(&format!("{name:?}")), "{sql}: {name:?} in {tree}");
                }
            }
        }
    }
}

#[test]
fn an_index_of_a_partitioned_table_is_dropped_with_the_lock_that_it_takes() {
    let advice = rendered(&index("s", "i", false), DROP);
    assert_eq!(advice.sql.text(), "DROP INDEX CONCURRENTLY \"s\".\"i\";");
    assert!(!advice.lock.contains("ACCESS EXCLUSIVE"), "{advice:?}");
    assert!(
        advice
            .way_back
            .text()
            .contains("SELECT pg_get_indexdef('\"s\".\"i\"'::regclass);"),
        "{advice:?}"
    );
    let advice = rendered(&index("s", "i", true), DROP);
    assert_eq!(advice.sql.text(), "DROP INDEX \"s\".\"i\";");
    assert!(advice.lock.starts_with("ACCESS EXCLUSIVE"), "{advice:?}");
}

/// PostgreSQL switches to the owner for what builds an index, and not for this.
#[test]
fn a_constraint_is_validated_as_the_owner() {
    let constraint = Object::Constraint {
        table: named("s", "t"),
        name: "c".to_owned(),
    };
    let advice = rendered(&constraint, VALIDATE);
    assert!(advice.risk.contains("log in as the table's owner"), "{advice:?}");
}

#[test]
fn a_subject_of_another_kind_has_no_such_text() {
    let slot = Object::ReplicationSlot { name: "s".to_owned() };
    let mut snapshot = EvidenceSnapshot::of_no_logs();
    snapshot.live.objects.push(slot.clone());
    let subjects = Subjects::new(&snapshot, &[]);
    for make in [DROP, REBUILD, VALIDATE, ROLL_BACK] {
        assert_eq!(render(&make(slot.id()), &subjects), None);
    }
}

#[test]
fn a_component_for_0_1_0_gets_such_rows_without_subjects() {
    let object = Object::ReplicationSlot { name: "s".to_owned() };
    let outcome = ActionOutcome {
        status: OutcomeStatus::Ok,
        sqlstate: None,
        detail: None,
        columns: vec!["slot".to_owned()],
        rows: vec![Row {
            cells: vec![Cell::Text("s".to_owned())],
            session: None,
            sequence: None,
            object: Some(object.clone()),
        }],
        plan: Vec::new(),
        duration_us: 1,
        bytes: 1,
    };
    let mut snapshot = EvidenceSnapshot::of_no_logs();
    snapshot.absorb(&outcome);
    for (version, id) in [(WitVersion::V0_1_0, None), (WitVersion::V0_2_0, Some(object.id()))] {
        let subjects = Subjects::of(version, &snapshot, &[]);
        assert_eq!(subjects.get(&object.id()).is_some(), id.is_some());
        let converted = crate::runbook::convert::outcome(version, "a", &[], &outcome);
        assert_eq!(converted.rows[0].subject, id);
    }
}

pg_logstats_test_cluster::on_each_version!(each_text_mends_what_it_is_about);

/// A server with one of everything. Names are quoted here by hand, so that the host's quoting is held to another one.
fn server(major: u32) -> Cluster {
    let cluster = Cluster::builder()
        .version(major)
        .setting("max_prepared_transactions", "5")
        .setting("autovacuum", "off")
        .start()
        .unwrap();
    cluster.psql("CREATE DATABASE shop; ").unwrap();
    cluster
        .psql("CREATE ROLE reader LOGIN IN ROLE pg_read_all_stats")
        .unwrap();
    let shop = |sql: &str| cluster.psql_as(SUPERUSER, "shop", sql).unwrap();
    shop(
        r#"CREATE SCHEMA "s""; --"; CREATE TABLE "s""; --"."t\'x" (id int, other int); INSERT INTO "s""; --"."t\'x" VALUES (1, 1), (1, 2);"#,
    );
    for name in ["u\"; --", "left_ccnew1"] {
        let name = name.replace('"', "\"\"");
        let sql = format!(r#"CREATE UNIQUE INDEX CONCURRENTLY "{name}" ON "s""; --"."t\'x" (id)"#);
        cluster.psql_as(SUPERUSER, "shop", &sql).unwrap_err();
    }
    shop(
        r#"ALTER TABLE "s""; --"."t\'x" ADD CONSTRAINT "c'
d" CHECK (id > 0) NOT VALID;"#,
    );
    shop(
        "CREATE TABLE large AS SELECT n AS id FROM generate_series(1, 80000) AS n; CREATE INDEX \"never read\u{200b}\" ON large (id);
         CREATE TABLE parted (id int) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parted DEFAULT; CREATE INDEX \"Of Parted\" ON parted (id);",
    );
    shop("BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION $$it's\\forgotten;\u{202e}--$$");
    shop("SELECT pg_create_physical_replication_slot('kept', true)");
    cluster
}

/// What a row of an action says, as a runbook and a report get it: the advice about the one that `is_it` picks, and how many such rows there are.
fn advice(
    cluster: &Cluster,
    action: &str,
    table: Option<&str>,
    is_it: fn(&Object) -> bool,
    make: Make,
) -> (Recommendation, ActionOutcome) {
    let outcome = asked(cluster, action, table);
    let mut snapshot = EvidenceSnapshot::of_no_logs();
    snapshot.absorb(&outcome);
    let object = found(&outcome, is_it).unwrap_or_else(|| panic!("{action}: {outcome:?}"));
    let advice = render(&make(object.id()), &Subjects::new(&snapshot, &[])).unwrap();
    (advice, outcome)
}

fn found(outcome: &ActionOutcome, is_it: fn(&Object) -> bool) -> Option<&Object> {
    let objects = outcome.rows.iter().filter_map(|row| row.object.as_ref());
    objects.into_iter().find(|object| is_it(object))
}

fn asked(cluster: &Cluster, action: &str, table: Option<&str>) -> ActionOutcome {
    let bound = table.map(|table| BoundParameter {
        name: "relation".to_owned(),
        value: BoundValue::RelationName {
            database: None,
            schema: "public".to_owned(),
            name: table.to_owned(),
        },
    });
    let outcome = run(
        &target_of(&cluster.dsn("reader", "shop")),
        action,
        bound.into_iter().collect(),
        None,
    );
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{action}: {outcome:?}");
    outcome
}

fn is_named(object: &Object, wanted: &str) -> bool {
    matches!(object, Object::Index { name, .. } if name.name == wanted)
}

fn each_text_mends_what_it_is_about(major: u32) {
    let cluster = server(major);
    let shop = |sql: &str| cluster.psql_as(SUPERUSER, "shop", sql);
    let is_there = |action: &str, table: Option<&str>, is_it: fn(&Object) -> bool| {
        found(&asked(&cluster, action, table), is_it).is_some()
    };
    let mend = |action: &str, table: Option<&str>, is_it: fn(&Object) -> bool, make: Make| {
        let (advice, outcome) = advice(&cluster, action, table, is_it, make);
        shop(advice.sql.text()).unwrap_or_else(|e| panic!("PostgreSQL {major}: {}: {e}", advice.sql.text()));
        assert!(!is_there(action, table, is_it), "PostgreSQL {major}: {advice:?}");
        outcome
    };

    const INVALID: &str = "relation.pg_index.invalid";
    let rebuilt: fn(&Object) -> bool = |object| is_named(object, "u\"; --");
    // Rows that are alike still: it fails again, changes nothing, and leaves one to drop, all of which the advice says.
    let (again, _) = advice(&cluster, INVALID, None, rebuilt, REBUILD);
    shop(again.sql.text()).unwrap_err();
    let leftover: fn(&Object) -> bool = |object| is_named(object, "u\"; --_ccnew");
    assert!(is_there(INVALID, None, leftover) && again.risk.contains("fails again"));
    mend(INVALID, None, leftover, DROP);
    mend(INVALID, None, |object| is_named(object, "left_ccnew1"), DROP);
    shop(r#"DELETE FROM "s""; --"."t\'x" WHERE other = 2"#).unwrap();
    mend(INVALID, None, rebuilt, REBUILD);
    assert_eq!(
        shop("SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text LIKE '%u\"\"; --\"'")
            .unwrap(),
        "1"
    );

    // What was dropped can be made again by what was kept.
    const UNUSED: &str = "relation.pg_stat_all_indexes.unused";
    let unread: fn(&Object) -> bool = |object| is_named(object, "never read\u{200b}");
    let (drop, _) = advice(&cluster, UNUSED, None, unread, DROP);
    let way_back = drop.way_back.text();
    let keep = &way_back[way_back.find("SELECT").unwrap()..=way_back.find(';').unwrap()];
    let definition = shop(keep).unwrap();
    mend(UNUSED, None, unread, DROP);
    shop(&definition).unwrap();
    assert!(is_there(UNUSED, None, unread), "{definition}");

    const USAGE: &str = "relation.pg_stat_all_indexes.usage";
    let parted: fn(&Object) -> bool = |object| {
        matches!(
            object,
            Object::Index {
                is_partitioned: true,
                ..
            }
        )
    };
    assert!(shop("DROP INDEX CONCURRENTLY \"Of Parted\"").is_err());
    mend(USAGE, Some("parted"), parted, DROP);

    const CONSTRAINTS: &str = "relation.pg_constraint.not_validated";
    mend(
        CONSTRAINTS,
        None,
        |object| matches!(object, Object::Constraint { .. }),
        VALIDATE,
    );
    let validated = shop("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'c%d' AND convalidated").unwrap();
    assert_eq!(validated, "1");

    let outcome = mend(
        "prepared_transaction.pg_prepared_xacts.open",
        None,
        |object| matches!(object, Object::PreparedTransaction { .. }),
        ROLL_BACK,
    );
    assert_eq!(outcome.rows.len(), 1);
    let outcome = mend(
        "replication.pg_replication_slots.state",
        None,
        |object| matches!(object, Object::ReplicationSlot { .. }),
        DROP_SLOT,
    );
    assert_eq!(outcome.rows.len(), 1);
    leaves_a_slot_that_is_used(&cluster);
    tells_which_indexes_can_be_compared(&cluster);
}

/// Two indexes of the same columns are alike only if both are in the usual order.
fn tells_which_indexes_can_be_compared(cluster: &Cluster) {
    let sql = "CREATE TABLE ordered (a text, b int, c text COLLATE \"C\");
        CREATE INDEX i1 ON ordered (a, b); CREATE INDEX i2 ON ordered (a text_pattern_ops); CREATE INDEX i3 ON ordered (a COLLATE \"C\");
        CREATE INDEX i4 ON ordered (b DESC); CREATE INDEX i5 ON ordered (c, a) INCLUDE (b); CREATE INDEX i6 ON ordered (b NULLS FIRST);";
    cluster.psql_as(SUPERUSER, "shop", sql).unwrap();
    let outcome = asked(cluster, "relation.pg_stat_all_indexes.usage", Some("ordered"));
    let column = |name: &str| {
        let at = outcome.columns.iter().position(|column| column == name).unwrap();
        let cells = outcome.rows.iter().map(|row| row.cells[at].clone());
        cells.collect::<Vec<Cell>>()
    };
    let usual = [true, false, false, false, true, false].map(Cell::Boolean);
    assert_eq!(column("has_default_order"), usual);
    let numbers = ["1 2", "1", "1", "2", "3 1 2", "2"].map(|it| Cell::Text(it.to_owned()));
    assert_eq!(column("key_numbers"), numbers);
}

/// It was idle when it was looked at, and is not when the person acts.
fn leaves_a_slot_that_is_used(cluster: &Cluster) {
    cluster
        .psql("SELECT pg_create_physical_replication_slot('kept', true)")
        .unwrap();
    let (drop, outcome) = advice(
        cluster,
        "replication.pg_replication_slots.state",
        None,
        |object| matches!(object, Object::ReplicationSlot { .. }),
        DROP_SLOT,
    );
    let at = outcome.columns.iter().position(|column| column == "is_active").unwrap();
    assert_eq!(outcome.rows[0].cells[at], Cell::Boolean(false));
    cluster.psql("SELECT pg_drop_replication_slot('kept')").unwrap();
    // A temporary slot belongs to its session, and is active as long as that is there.
    let mut owner = cluster.session(SUPERUSER, "shop").unwrap();
    owner
        .run("SELECT pg_create_physical_replication_slot('kept', true, true)")
        .unwrap();
    assert_eq!(cluster.psql(drop.sql.text()).unwrap(), "");
    assert_eq!(cluster.psql("SELECT active FROM pg_replication_slots").unwrap(), "t");
}

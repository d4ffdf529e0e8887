//! Recommendations as text for a person: the host renders the SQL, quoting every name.

mod objects;
mod sequences;
mod settings;
mod statistics;

use std::borrow::Cow;

use super::Recommendation;
use super::views::relation_text;
use crate::names;
use crate::outcome::RelationName;
use crate::runbook::assessment::CheckedRecommendation;
use crate::subjects::{Subject, Subjects, table_relation};
use crate::untrusted::Untrusted;

/// Renders `advice`; none when a subject lacks what the SQL needs, which [`crate::runbook::assessment`] rules out, or when names are so long
/// that the SQL would be cut off.
pub(super) fn render(advice: &CheckedRecommendation, subjects: &Subjects) -> Option<Recommendation> {
    let rendered = match advice {
        CheckedRecommendation::CreateIndex { relation, columns } => create_index(relation, columns, subjects),
        CheckedRecommendation::SetWorkMem { user, bytes } => set_work_mem(user, *bytes, subjects),
        CheckedRecommendation::AnalyzeRelation { relation } => analyze(relation, subjects),
        CheckedRecommendation::EndSession { session } => end_session(session, subjects),
        CheckedRecommendation::VacuumRelation { relation, freeze } => vacuum(relation, *freeze, subjects),
        CheckedRecommendation::SetAutovacuum {
            relation,
            scale_factor_thousandths,
        } => set_autovacuum(relation, *scale_factor_thousandths, subjects),
        CheckedRecommendation::CreateStatistics { relation, columns } => {
            statistics::create(relation, columns, subjects)
        }
        CheckedRecommendation::SetParameter { setting, value } => Some(settings::render(*setting, *value)),
        CheckedRecommendation::SetStatisticsTarget { column, target } => statistics::target(column, *target, subjects),
        CheckedRecommendation::ExtendSequence { sequence } => sequences::extend(sequence, subjects),
        CheckedRecommendation::DropIndex { index } => objects::drop_index(index, subjects),
        CheckedRecommendation::RebuildIndex { index } => objects::rebuild_index(index, subjects),
        CheckedRecommendation::ValidateConstraint { constraint } => objects::validate_constraint(constraint, subjects),
        CheckedRecommendation::DropReplicationSlot { slot } => objects::drop_replication_slot(slot, subjects),
        CheckedRecommendation::RollbackPrepared { transaction } => objects::rollback_prepared(transaction, subjects),
    }?;
    (!rendered.sql.is_truncated()).then_some(rendered)
}

fn named_relation<'a>(id: &str, subjects: &'a Subjects) -> Option<Cow<'a, RelationName>> {
    match subjects.get(id)? {
        Subject::RelationName(relation) => Some(Cow::Borrowed(relation)),
        // Without its schema it may not be the name at all: names with dots cannot be taken apart.
        Subject::Table(table) if table.schema.is_some() => Some(Cow::Owned(table_relation(table))),
        _ => None,
    }
}

fn create_index(relation: &str, columns: &[String], subjects: &Subjects) -> Option<Recommendation> {
    let relation = named_relation(relation, subjects)?;
    let columns = quoted_columns(&relation, columns, subjects)?;
    let table = names::relation(&relation);
    Some(Recommendation {
        kind: "create_index".to_owned(),
        sql: Untrusted::new(&format!("CREATE INDEX CONCURRENTLY ON {table} ({});", columns.join(", "))),
        expected_effect: "the filter can use the index and need not read the whole table".to_owned(),
        risk: "needs disk space in proportion to the table, reads it twice, and makes every later write to it dearer; look at the existing \
               indexes first: one that begins with these columns may do, or be replaced"
            .to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, as long as it builds; it also waits for transactions that are older than it"),
        way_back: Untrusted::new(&format!(
            "DROP INDEX CONCURRENTLY of the new index on {}; one that failed to build is there as INVALID, and is dropped the same way",
            relation_text(&relation)
        )),
        check: Untrusted::new("EXPLAIN of the statement uses it, and idx_scan of it in pg_stat_all_indexes grows"),
    })
}

fn quoted_columns(relation: &RelationName, columns: &[String], subjects: &Subjects) -> Option<Vec<String>> {
    let quoted_column = |id: &String| match subjects.get(id) {
        Some(Subject::Column { relation: of, column }) if of == relation => Some(names::identifier(column)),
        _ => None,
    };
    columns.iter().map(quoted_column).collect()
}

fn set_work_mem(user: &str, bytes: u64, subjects: &Subjects) -> Option<Recommendation> {
    let Subject::User(name) = subjects.get(user)? else {
        return None;
    };
    // PostgreSQL's own bounds for work_mem: 64 kB to 2 GB.
    let kib = (bytes / 1024).clamp(64, 2_097_151);
    let role = names::identifier(name);
    Some(Recommendation {
        kind: "set_work_mem".to_owned(),
        sql: Untrusted::new(&format!("ALTER ROLE {role} SET work_mem = '{kib}kB';")),
        expected_effect: "sorts and hashes of this role's new sessions stay in memory up to that size".to_owned(),
        risk: "each sort or hash node of each session of the role may use that much memory at once; multiply before you set it"
            .to_owned(),
        lock: "none on tables; sessions that are connected already go on with the old value".to_owned(),
        way_back: Untrusted::new(&format!("ALTER ROLE {role} RESET work_mem;")),
        check: Untrusted::new("EXPLAIN (ANALYZE) of the statement says `quicksort` or one batch, and the log has no new temporary files of it"),
    })
}

fn analyze(relation: &str, subjects: &Subjects) -> Option<Recommendation> {
    let relation = named_relation(relation, subjects)?;
    Some(Recommendation {
        kind: "analyze_relation".to_owned(),
        sql: Untrusted::new(&format!("ANALYZE {};", names::relation(&relation))),
        expected_effect: "the planner's row estimates follow the data as it is now".to_owned(),
        risk: "reads a sample of the table; plans of other statements may change too".to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, for seconds as a rule"),
        way_back: Untrusted::new("none is needed; the next ANALYZE replaces the statistics"),
        check: Untrusted::new("EXPLAIN of the statement estimates rows that are near to those that come"),
    })
}

fn end_session(session: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Subject::Session { pid, start_us, .. } = subjects.get(session)? else {
        return None;
    };
    let guard = start_us.map_or_else(String::new, |us| {
        format!(" AND backend_start = timestamptz '{}'", crate::time::rfc3339(us))
    });
    Some(Recommendation {
        kind: "end_session".to_owned(),
        sql: Untrusted::new(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid}{guard};"
        )),
        expected_effect:
            "its locks are released, the sessions behind it go on, and vacuum can remove the rows that it kept"
                .to_owned(),
        risk: "its open transaction is rolled back and its client sees an error; ask its owner first".to_owned(),
        lock: "none; it takes effect within milliseconds, or when the session's system call ends".to_owned(),
        way_back: Untrusted::new("none: the transaction has to be run again by its client"),
        check: Untrusted::new(&format!(
            "pg_stat_activity has no pid {pid} of that start, and nobody waits for it in pg_locks"
        )),
    })
}

fn vacuum(relation: &str, freeze: bool, subjects: &Subjects) -> Option<Recommendation> {
    let relation = named_relation(relation, subjects)?;
    let table = names::relation(&relation);
    let (options, effect, check) = match freeze {
        true => (
            "FREEZE, VERBOSE",
            "the table's oldest transaction id is a new one, and the database's danger of wraparound moves on to the next oldest table",
            "age(relfrozenxid) of it in pg_class is small",
        ),
        false => (
            "VERBOSE, ANALYZE",
            "dead rows make room for new ones, index-only scans need fewer reads, and the planner's estimates are new",
            "n_dead_tup of it in pg_stat_all_tables is small",
        ),
    };
    Some(Recommendation {
        kind: "vacuum_relation".to_owned(),
        sql: Untrusted::new(&format!("VACUUM ({options}) {table};")),
        expected_effect: effect.to_owned(),
        risk: "reads much of the table and of its indexes and writes WAL; what an open transaction, a prepared one, a slot or a standby can \
               still see stays, so end that first"
            .to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, as long as it runs, minutes to hours for a large table; cutting empty pages off its end takes ACCESS EXCLUSIVE for moments"),
        way_back: Untrusted::new("none is needed; it can be cancelled, and what it did so far stays"),
        check: Untrusted::new(check),
    })
}

fn set_autovacuum(relation: &str, thousandths: u32, subjects: &Subjects) -> Option<Recommendation> {
    let relation = named_relation(relation, subjects)?;
    let table = names::relation(&relation);
    let factor = f64::from(thousandths.min(1_000)) / 1_000.0;
    Some(Recommendation {
        kind: "set_autovacuum".to_owned(),
        sql: Untrusted::new(&format!(
            "ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = {factor});"
        )),
        expected_effect:
            "autovacuum looks after the table when that share of its rows is dead, so each run has less to do"
                .to_owned(),
        risk: "it runs more often, and shares its cost limit with the workers on other tables".to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, for milliseconds, behind whoever holds one"),
        way_back: Untrusted::new(&format!("ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor);")),
        check: Untrusted::new("last_autovacuum of it in pg_stat_all_tables moves, and n_dead_tup stays low"),
    })
}

const SHARE_UPDATE_EXCLUSIVE: &str =
    "SHARE UPDATE EXCLUSIVE on the table (reads and writes go on; DDL, VACUUM and another of its kind wait)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Sequence, SequenceOwner};
    use crate::snapshot::{EvidenceSnapshot, LiveColumn, LiveEvidence};

    pub(super) fn subjects(relation: &RelationName, column: &str) -> Subjects {
        let live = LiveEvidence {
            relations: vec![relation.clone()],
            columns: vec![LiveColumn {
                relation: relation.clone(),
                column: column.to_owned(),
            }],
            ..LiveEvidence::default()
        };
        Subjects::new(
            &EvidenceSnapshot {
                snapshot_version: 1,
                log: None,
                comparison: None,
                live,
            },
            &[],
        )
    }

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        let relation = RelationName {
            schema: Some("public".into()),
            name: "o\"; DROP TABLE x; --".into(),
        };
        let subjects = subjects(&relation, "a\"b");
        let advice = CheckedRecommendation::CreateIndex {
            relation: crate::subjects::relation_id(&relation),
            columns: vec![crate::subjects::column_id(&relation, "a\"b")],
        };
        let rendered = render(&advice, &subjects).unwrap();
        assert_eq!(
            rendered.sql.text(),
            "CREATE INDEX CONCURRENTLY ON \"public\".\"o\"\"; DROP TABLE x; --\" (\"a\"\"b\");"
        );
        let parsed = pg_query::parse(rendered.sql.text(), pg_query::ParserOptions::default()).unwrap();
        assert_eq!(parsed.protobuf.stmts.len(), 1, "one statement, whatever the name");
    }

    /// Advice of each kind that has names, and those that its SQL has to hold.
    fn advice_with_names(
        relation: &RelationName,
        column: &str,
        role: &str,
        sequence: &RelationName,
    ) -> (Subjects, Vec<(CheckedRecommendation, Vec<String>)>) {
        let owner = SequenceOwner {
            relation: relation.clone(),
            column: column.to_owned(),
            is_narrow: true,
        };
        let of_column = Subject::Column {
            relation: relation.clone(),
            column: column.to_owned(),
        };
        let of_sequence = Sequence {
            name: sequence.clone(),
            owner: Some(owner),
        };
        let subjects = Subjects::only([
            ("t".to_owned(), Subject::RelationName(relation.clone())),
            ("c".to_owned(), of_column),
            ("u".to_owned(), Subject::User(role.to_owned())),
            ("s".to_owned(), Subject::Sequence(Box::new(of_sequence))),
        ]);
        let id = str::to_owned;
        let table: Vec<String> = relation.schema.iter().chain([&relation.name]).cloned().collect();
        let with =
            |names: &[&str]| -> Vec<String> { table.iter().cloned().chain(names.iter().copied().map(id)).collect() };
        let advice = vec![
            (
                CheckedRecommendation::CreateIndex {
                    relation: id("t"),
                    columns: vec![id("c")],
                },
                with(&[column]),
            ),
            (
                CheckedRecommendation::CreateStatistics {
                    relation: id("t"),
                    columns: vec![id("c"), id("c")],
                },
                with(&[column]),
            ),
            (
                CheckedRecommendation::SetStatisticsTarget {
                    column: id("c"),
                    target: 1_000,
                },
                with(&[column]),
            ),
            (CheckedRecommendation::AnalyzeRelation { relation: id("t") }, with(&[])),
            (
                CheckedRecommendation::VacuumRelation {
                    relation: id("t"),
                    freeze: true,
                },
                with(&[]),
            ),
            (
                CheckedRecommendation::SetAutovacuum {
                    relation: id("t"),
                    scale_factor_thousandths: 20,
                },
                with(&[]),
            ),
            (
                CheckedRecommendation::SetWorkMem {
                    user: id("u"),
                    bytes: 1 << 26,
                },
                vec![role.to_owned()],
            ),
            (
                CheckedRecommendation::ExtendSequence { sequence: id("s") },
                with(&[column, &sequence.name]),
            ),
        ];
        (subjects, advice)
    }

    #[test]
    fn the_sql_names_that_very_object_whatever_hides_in_its_name() {
        let hidden = |of: &str| format!("{of}\u{1b}[2J\u{202e}\"\\+00001B");
        let named = |of: &str| RelationName {
            schema: Some(hidden("schema")),
            name: hidden(of),
        };
        let (column, role) = (hidden("column"), hidden("role"));
        let (subjects, all) = advice_with_names(&named("table"), &column, &role, &named("sequence"));
        for (advice, names) in all {
            let rendered = render(&advice, &subjects).unwrap();
            let sql = rendered.sql.text();
            let parsed =
                pg_query::parse(sql, pg_query::ParserOptions::default()).unwrap_or_else(|e| panic!("{sql}: {e}"));
            let tree = format!("{:?}", parsed.protobuf);
            for name in names {
                assert!(tree.contains(&format!("{name:?}")), "{sql}: {name:?} in {tree}");
            }
            assert!(!sql.contains("\\u{"), "{sql}");
            assert!(!rendered.way_back.text().contains("\"schema\\u{"), "{rendered:?}");
        }
    }

    #[test]
    fn sql_that_would_be_cut_off_is_not_given() {
        // Each character takes eight to spell out.
        let long = "\u{1b}".repeat(63);
        let named = RelationName {
            schema: Some(long.clone()),
            name: long.clone(),
        };
        let (subjects, all) = advice_with_names(&named, &long, &long, &named);
        let mut given = 0;
        for (advice, _) in &all {
            let Some(rendered) = render(advice, &subjects) else {
                continue;
            };
            given += 1;
            assert!(rendered.sql.text().ends_with(';'), "{rendered:?}");
        }
        assert!(given > 0 && given < all.len(), "{given}");
    }

    #[test]
    fn a_table_of_a_log_is_analysed_by_its_name_if_it_is_told() {
        let table = |schema: Option<&str>, table: &str| pg_logstats_logs::evidence::TableName {
            database: Some("shop".to_owned()),
            schema: schema.map(str::to_owned),
            table: table.to_owned(),
        };
        let log = b"2026-11-24 08:02:46.000 UTC [962] LOG:  automatic analyze of table \"shop.public.orders\"\n\
            \tsystem usage: CPU: user: 0.07 s, system: 0.00 s, elapsed: 0.09 s\n\
            2026-11-24 08:02:47.000 UTC [962] LOG:  automatic analyze of table \"shop.a.b.c\"\n\
            \tsystem usage: CPU: user: 0.07 s, system: 0.00 s, elapsed: 0.09 s\n\
            2026-11-24 08:02:48.000 UTC [962] LOG:  checkpoint starting: time\n";
        let source = pg_logstats_logs::Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(&log[..])));
        let part = pg_logstats_logs::reduce(vec![source], &pg_logstats_logs::Options::default(), &|_| {}).unwrap();
        let subjects = Subjects::new(
            &EvidenceSnapshot::from_logs(part.evidence(&pg_logstats_logs::Redaction::least()), None),
            &[],
        );
        let advice = |table| {
            let relation = crate::subjects::table_id(&table);
            assert!(subjects.get(&relation).is_some(), "{table:?}");
            render(&CheckedRecommendation::AnalyzeRelation { relation }, &subjects)
        };
        let rendered = advice(table(Some("public"), "orders")).unwrap();
        assert_eq!(rendered.sql.text(), "ANALYZE \"public\".\"orders\";");
        let whole = pg_logstats_logs::evidence::TableName {
            database: None,
            ..table(None, "shop.a.b.c")
        };
        assert_eq!(advice(whole), None, "a name with dots is no name to quote");
    }

    #[test]
    fn a_column_of_another_relation_makes_no_index() {
        let relation = RelationName {
            schema: None,
            name: "orders".into(),
        };
        let other = RelationName {
            schema: None,
            name: "customers".into(),
        };
        let mut snapshot = EvidenceSnapshot {
            snapshot_version: 1,
            log: None,
            comparison: None,
            live: LiveEvidence::default(),
        };
        snapshot.live.relations = vec![relation.clone(), other.clone()];
        snapshot.live.columns = vec![LiveColumn {
            relation: other.clone(),
            column: "id".into(),
        }];
        let subjects = Subjects::new(&snapshot, &[]);
        let advice = CheckedRecommendation::CreateIndex {
            relation: crate::subjects::relation_id(&relation),
            columns: vec![crate::subjects::column_id(&other, "id")],
        };
        assert_eq!(render(&advice, &subjects), None);
    }
}

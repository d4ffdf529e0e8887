//! What the planner knows of columns: how closely ANALYZE looks, and extended statistics.

use super::{Recommendation, SHARE_UPDATE_EXCLUSIVE, named_relation, names, quoted_columns};
use crate::outcome::RelationName;
use crate::subjects::{Subject, Subjects};
use crate::untrusted::Untrusted;

/// Extended statistics on columns of a relation.
pub(super) fn create(relation: &str, columns: &[String], subjects: &Subjects) -> Option<Recommendation> {
    let relation = named_relation(relation, subjects)?;
    let columns = quoted_columns(&relation, columns, subjects)?;
    let table = names::relation(&relation);
    let name = names::identifier(&statistics_name(&relation));
    Some(Recommendation {
        kind: "create_statistics".to_owned(),
        // Without a name before PostgreSQL 16 it is an error, so it has one.
        // With the default target of 100, combinations beyond the most common hundred would still be taken for independent.
        sql: Untrusted::new(&format!(
            "CREATE STATISTICS {name} (ndistinct, dependencies, mcv) ON {} FROM {table}; ALTER STATISTICS {name} SET STATISTICS {COMBINATIONS}; \
             ANALYZE {table};",
            columns.join(", ")
        )),
        expected_effect:
            "the planner knows how the columns depend on each other, and estimates their conditions together".to_owned(),
        risk: "ANALYZE of the table reads more and takes longer; plans of other statements may change too".to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, for milliseconds, then as ANALYZE for seconds"),
        way_back: Untrusted::new(&format!("DROP STATISTICS {name};")),
        check: Untrusted::new("EXPLAIN of the statement estimates rows that are near to those that come"),
    })
}

/// How closely ANALYZE looks at a column.
pub(super) fn target(column: &str, target: u32, subjects: &Subjects) -> Option<Recommendation> {
    let Subject::Column { relation, column } = subjects.get(column)? else {
        return None;
    };
    let table = names::relation(relation);
    let alter = |target: &str| {
        format!(
            "ALTER TABLE {table} ALTER COLUMN {} SET STATISTICS {target}; ANALYZE {table};",
            names::identifier(column)
        )
    };
    Some(Recommendation {
        kind: "set_statistics_target".to_owned(),
        sql: Untrusted::new(&alter(&target.to_string())),
        expected_effect: "ANALYZE keeps more of the column's common values, from a larger sample, and the planner estimates conditions on \
                          it by them"
            .to_owned(),
        risk: "ANALYZE of the table reads more and takes longer, and so does planning of statements with the column; plans of other \
               statements may change too"
            .to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, for milliseconds, then as ANALYZE for seconds"),
        way_back: Untrusted::new(&alter("-1")),
        check: Untrusted::new("EXPLAIN of the statement estimates rows that are near to those that come"),
    })
}

/// Combinations of values that are kept.
const COMBINATIONS: u32 = 1_000;
/// A name that a person recognises, cut to what PostgreSQL keeps of one.
fn statistics_name(relation: &RelationName) -> String {
    let mut name = relation.name.clone();
    name.truncate(name.floor_char_boundary(MAX_NAME_BYTES - STATISTICS_ENDING.len()));
    name + STATISTICS_ENDING
}

const STATISTICS_ENDING: &str = "_together";
/// NAMEDATALEN - 1.
const MAX_NAME_BYTES: usize = 63;

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::super::tests::subjects;
    use super::*;
    use crate::runbook::assessment::CheckedRecommendation;
    use crate::subjects::column_id;

    #[test]
    fn a_target_is_set_and_used_at_once_whatever_the_names() {
        let relation = RelationName {
            schema: Some("public".into()),
            name: "o\"; DROP TABLE x; --".into(),
        };
        let subjects = subjects(&relation, "a\"b");
        let column = column_id(&relation, "a\"b");
        let rendered = render(
            &CheckedRecommendation::SetStatisticsTarget { column, target: 1_000 },
            &subjects,
        )
        .unwrap();
        let table = "\"public\".\"o\"\"; DROP TABLE x; --\"";
        assert_eq!(
            rendered.sql.text(),
            format!("ALTER TABLE {table} ALTER COLUMN \"a\"\"b\" SET STATISTICS 1000; ANALYZE {table};")
        );
        let parsed = pg_query::parse(rendered.sql.text(), pg_query::ParserOptions::default()).unwrap();
        assert_eq!(parsed.protobuf.stmts.len(), 2, "two statements, whatever the names");
        let unknown = CheckedRecommendation::SetStatisticsTarget {
            column: "cl_0".to_owned(),
            target: 1_000,
        };
        assert_eq!(render(&unknown, &subjects), None);
    }
}

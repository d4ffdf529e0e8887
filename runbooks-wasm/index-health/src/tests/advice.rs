//! SQL about a single row is advised only where the row says all that makes it right.

use pg_logstats_sdk::testkit::{self, Report};
use pg_logstats_sdk::{Cell, Confidence, Outcome, Recommendation};

use super::unused::UNUSED;
use super::{CONSTRAINTS, GIB, INVALID, MIB, TABLE, USAGE, interpret, text};

type Row = Vec<(&'static str, Cell)>;

const DAY_US: i64 = 86_400_000_000;
const YES: Cell = Cell::Boolean(true);
const NO: Cell = Cell::Boolean(false);

fn outcome(action: &str, rows: &[Row]) -> Outcome {
    let builder = testkit::outcome(action).about(&TABLE.to_owned());
    let numbered = (1_u64..).zip(rows);
    numbered
        .fold(builder, |builder, (n, row)| builder.object(n, row))
        .build()
}

/// What is advised, in order, with how sure it is. Each has the row's subject as its evidence.
fn advice(action: &str, rows: &[Row]) -> Vec<(Recommendation, Confidence)> {
    let report = interpret(&outcome(action, rows));
    let advised = advised(&report);
    assert!(advised.is_empty() || !report.prompts().is_empty(), "a person decides");
    advised
}

fn advised(report: &Report) -> Vec<(Recommendation, Confidence)> {
    let insights = report.insights.iter();
    insights
        .filter_map(|insight| {
            let recommendation = insight.recommendation.clone()?;
            let (Recommendation::DropIndex(subject)
            | Recommendation::RebuildIndex(subject)
            | Recommendation::ValidateConstraint(subject)) = &recommendation
            else {
                panic!("{recommendation:?}")
            };
            assert!(insight.evidence.contains(subject), "{insight:?}");
            Some((recommendation, insight.confidence))
        })
        .collect()
}

fn drop(n: u64, confidence: Confidence) -> (Recommendation, Confidence) {
    (Recommendation::DropIndex(format!("ix_row_{n}")), confidence)
}

fn rebuild(n: u64, confidence: Confidence) -> (Recommendation, Confidence) {
    (Recommendation::RebuildIndex(format!("ix_row_{n}")), confidence)
}

fn with(row: &Row, column: &'static str, cell: Cell) -> Row {
    let mut row = row.clone();
    row.retain(|(name, _)| *name != column);
    row.push((column, cell));
    row
}

// ---- indexes that are not valid

fn invalid(name: &str) -> Row {
    vec![
        ("schema", text("public")),
        ("index", text(name)),
        ("is_unique", NO),
        ("is_valid", NO),
        ("is_ready", YES),
        ("is_live", YES),
        ("is_partitioned", NO),
        ("size_bytes", Cell::Int(GIB)),
        ("serves_constraint", NO),
        ("is_partition", NO),
        ("idx_scan", Cell::Int(0)),
        ("is_being_changed", NO),
    ]
}

#[test]
fn an_invalid_index_that_is_wanted_is_built_anew() {
    let row = invalid("orders_at");
    assert_eq!(
        advice(INVALID, std::slice::from_ref(&row)),
        [rebuild(1, Confidence::Low)]
    );
    for (column, cell) in [
        ("is_unique", YES),
        ("serves_constraint", YES),
        ("idx_scan", Cell::Int(1)),
    ] {
        let wanted = with(&row, column, cell);
        assert_eq!(advice(INVALID, &[wanted]), [rebuild(1, Confidence::High)], "{column}");
    }
    // An index of a partition goes with the whole table's, and is built anew alone.
    let of_a_partition = with(&row, "is_partition", YES);
    assert_eq!(advice(INVALID, &[of_a_partition]), [rebuild(1, Confidence::Low)]);
}

#[test]
fn what_a_reindex_or_a_drop_left_behind_is_dropped() {
    for name in ["a_ccnew", "a_ccold", "a_ccnew1", "a_ccold12"] {
        assert_eq!(advice(INVALID, &[invalid(name)]), [drop(1, Confidence::High)], "{name}");
    }
    let unique = with(&invalid("a_ccnew"), "is_unique", YES);
    assert_eq!(advice(INVALID, &[unique]), [drop(1, Confidence::High)]);
    for name in ["ccnew", "a_ccnewer", "_ccnew_a", "a_ccnew1x"] {
        assert_eq!(
            advice(INVALID, &[invalid(name)]),
            [rebuild(1, Confidence::Low)],
            "{name}"
        );
    }
    let half_dropped = with(&invalid("a"), "is_live", NO);
    assert_eq!(advice(INVALID, &[half_dropped]), [drop(1, Confidence::High)]);
    // Nor is one dropped that may serve something.
    for (column, cell) in [
        ("serves_constraint", YES),
        ("serves_constraint", Cell::Null),
        ("is_partition", YES),
        ("is_partition", Cell::Null),
    ] {
        let needed = with(&invalid("a_ccold"), column, cell.clone());
        assert_eq!(advice(INVALID, &[needed]), [], "{column} {cell:?}");
    }
}

#[test]
fn one_that_somebody_is_at_is_left_alone_and_hardly_blamed() {
    for name in ["a", "a_ccnew"] {
        let busy = with(&invalid(name), "is_being_changed", YES);
        let report = interpret(&outcome(INVALID, &[busy]));
        assert_eq!(advised(&report), []);
        assert_eq!(report.findings[0].confidence, Confidence::Low);
        assert_eq!(
            report.findings[0].title,
            "the index in row 1 is not valid, and somebody is at it or its table"
        );
        // On a standby nobody sees what the primary does.
        let unknown = with(&invalid(name), "is_being_changed", Cell::Null);
        let report = interpret(&outcome(INVALID, &[unknown]));
        assert_eq!(
            (advised(&report), report.findings[0].confidence),
            (vec![], Confidence::Medium)
        );
    }
    let report = interpret(&outcome(INVALID, &[invalid("a")]));
    assert_eq!(report.findings[0].confidence, Confidence::High);
}

#[test]
fn the_servers_own_and_partitioned_ones_are_not_advised_on() {
    for schema in ["pg_toast", "pg_catalog", "pg_temp_3"] {
        assert_eq!(advice(INVALID, &[with(&invalid("a"), "schema", text(schema))]), []);
    }
    assert_eq!(advice(INVALID, &[with(&invalid("a"), "schema", Cell::Null)]), []);
    assert_eq!(advice(INVALID, &[with(&invalid("a"), "is_partitioned", YES)]), []);
}

#[test]
fn the_worst_three_are_advised_on() {
    let sized = |size| with(&invalid("a"), "size_bytes", Cell::Int(size));
    let rows = [sized(0), sized(GIB), sized(9 * GIB), sized(2 * GIB), sized(MIB)];
    let found: Vec<_> = advice(INVALID, &rows).into_iter().map(|(advice, _)| advice).collect();
    let expected = [3, 4, 2].map(|n| rebuild(n, Confidence::Low).0);
    assert_eq!(found, expected);
}

// ---- indexes of the whole database that no scan used

fn unused() -> Row {
    vec![
        ("schema", text("public")),
        ("size_bytes", Cell::Int(GIB)),
        ("is_standby", NO),
        ("is_partition", NO),
        ("counted_for", Cell::DurationUs(30 * DAY_US)),
    ]
}

#[test]
fn large_unused_indexes_are_advised_to_be_dropped_when_a_month_was_counted_here() {
    assert_eq!(advice(UNUSED, &[unused()]), [drop(1, Confidence::Medium)]);
    let four = vec![unused(); 4];
    assert_eq!(
        advice(UNUSED, &four),
        [1, 2, 3].map(|n| drop(n, Confidence::Medium)),
        "no more than three, the largest first"
    );
    for (column, cell) in [
        ("counted_for", Cell::DurationUs(30 * DAY_US - 1)),
        ("counted_for", Cell::Null),
        ("is_standby", YES),
        ("is_standby", Cell::Null),
        ("is_partition", YES),
        ("is_partition", Cell::Null),
        ("schema", text("pg_temp_1")),
    ] {
        assert_eq!(
            advice(UNUSED, &[with(&unused(), column, cell.clone())]),
            [],
            "{column} {cell:?}"
        );
    }
    let nameless = testkit::outcome(UNUSED).row(&unused()).build();
    assert_eq!(advised(&interpret(&nameless)), []);
}

// ---- indexes of one table

fn index(key: &str, numbers: &str, scans: i64) -> Row {
    vec![
        ("schema", text("public")),
        ("method", text("btree")),
        ("key_columns", text(key)),
        ("key_numbers", text(numbers)),
        ("is_partial", NO),
        ("is_unique", NO),
        ("is_primary", NO),
        ("serves_constraint", NO),
        ("is_valid", YES),
        ("idx_scan", Cell::Int(scans)),
        ("size_bytes", Cell::Int(2 * GIB)),
        ("is_partitioned", NO),
        ("is_partition", NO),
        ("has_default_order", YES),
        ("is_standby", NO),
        ("counted_for", Cell::DurationUs(90 * DAY_US)),
    ]
}

#[test]
fn an_unused_index_of_a_table_is_advised_to_be_dropped_unless_it_may_be_needed() {
    let used = index("b", "2", 5);
    let a = index("a", "1", 0);
    assert_eq!(advice(USAGE, &[used.clone(), a.clone()]), [drop(2, Confidence::Medium)]);
    for (column, cell) in [
        ("is_unique", YES),
        ("is_unique", Cell::Null),
        ("is_primary", YES),
        ("serves_constraint", YES),
        ("serves_constraint", Cell::Null),
        ("is_valid", NO),
        ("idx_scan", Cell::Int(1)),
        ("idx_scan", Cell::Null),
        ("is_standby", YES),
        ("is_standby", Cell::Null),
        ("is_partition", YES),
        ("counted_for", Cell::DurationUs(29 * DAY_US)),
        ("counted_for", Cell::Null),
        ("schema", text("pg_toast")),
    ] {
        let needed = with(&a, column, cell.clone());
        let report = interpret(&outcome(USAGE, &[used.clone(), needed]));
        assert_eq!(advised(&report), [], "{column} {cell:?}");
    }
    // Where no index was ever used, the counters show nothing.
    assert_eq!(advice(USAGE, &[a.clone(), index("b", "2", 0)]), []);
    // A small one is not worth the risk.
    let small = with(&a, "size_bytes", Cell::Int(MIB));
    assert_eq!(advice(USAGE, &[used, small]), []);
}

#[test]
fn a_redundant_index_is_advised_to_be_dropped_where_the_other_is_like_it_and_stays() {
    let (a, ab) = (index("a", "1", 5), index("a, b", "1 2", 5));
    let medium = [drop(1, Confidence::Medium)];
    assert_eq!(advice(USAGE, &[a.clone(), ab.clone()]), medium);
    // It is no matter of counters.
    assert_eq!(
        advice(USAGE, &[with(&a, "counted_for", Cell::Null), ab.clone()]),
        medium
    );
    for (column, cell) in [
        ("has_default_order", NO),
        ("has_default_order", Cell::Null),
        ("key_numbers", text("12 2")),
        // One column that is named `a, b`.
        ("key_numbers", text("3")),
        ("key_numbers", Cell::Null),
        ("is_partial", YES),
        ("method", text("hash")),
        ("is_valid", NO),
    ] {
        let other = with(&ab, column, cell.clone());
        let report = interpret(&outcome(USAGE, &[a.clone(), other]));
        assert_eq!(advised(&report), [], "of the other {column} {cell:?}");
    }
    for (column, cell) in [
        ("has_default_order", NO),
        ("is_partition", YES),
        ("is_unique", YES),
        ("serves_constraint", Cell::Null),
    ] {
        let this = with(&a, column, cell.clone());
        let report = interpret(&outcome(USAGE, &[this, ab.clone()]));
        assert_eq!(advised(&report), [], "of this one {column} {cell:?}");
    }
}

#[test]
fn what_makes_an_index_superfluous_is_not_dropped_with_it() {
    // The longer one is unused, so it goes, and the shorter one has to stay.
    let rows = [index("a", "1", 5), index("a, b", "1 2", 0)];
    assert_eq!(advice(USAGE, &rows), [drop(2, Confidence::Medium)]);
    // Of three, the longest stays.
    let rows = [
        index("a", "1", 5),
        index("a, b", "1 2", 5),
        index("a, b, c", "1 2 3", 5),
    ];
    assert_eq!(advice(USAGE, &rows), [1, 2].map(|n| drop(n, Confidence::Medium)));
    // Of two that are alike, the first stays.
    let rows = [index("a", "1", 5), index("a", "1", 5)];
    assert_eq!(advice(USAGE, &rows), [drop(2, Confidence::Medium)]);
}

// ---- constraints

fn constraint(kind: &str) -> Row {
    vec![
        ("schema", text("public")),
        ("constraint_type", text(kind)),
        ("is_validated", NO),
        ("is_enforced", YES),
    ]
}

#[test]
fn constraints_are_validated_foreign_keys_first() {
    let validate = |n: u64| (Recommendation::ValidateConstraint(format!("ct_{n}")), Confidence::High);
    let rows = ["other", "check", "foreign_key", "foreign_key"].map(constraint);
    assert_eq!(advice(CONSTRAINTS, &rows), [3, 4, 2].map(validate));
    for (column, cell) in [
        ("is_enforced", NO),
        ("is_enforced", Cell::Null),
        ("is_validated", Cell::Null),
        ("schema", text("pg_temp_7")),
    ] {
        let row = with(&constraint("check"), column, cell.clone());
        let report = interpret(&outcome(CONSTRAINTS, &[row]));
        assert_eq!(advised(&report), [], "{column} {cell:?}");
    }
}

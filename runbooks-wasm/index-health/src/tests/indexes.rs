use pg_logstats_sdk::testkit::{self, ReportedStep, session_row};
use pg_logstats_sdk::{Cell, Confidence, FindingKind, Outcome, Priority};

use super::{BUILDS, CONSTRAINTS, GIB, INVALID, MIB, TABLE, USAGE, about_table, assert_rises, interpret, rows, text};

fn invalid(is_ready: bool, is_unique: bool, size: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("is_unique", Cell::Boolean(is_unique)),
        ("is_valid", Cell::Boolean(false)),
        ("is_ready", Cell::Boolean(is_ready)),
        ("is_live", Cell::Boolean(true)),
        ("is_partitioned", Cell::Boolean(false)),
        ("size_bytes", Cell::Int(size)),
    ]
}

#[test]
fn no_invalid_index_is_well() {
    interpret(&rows(INVALID, &[])).assert_well("indexes_valid");
}

#[test]
fn invalid_indexes_are_found_the_costliest_first() {
    let report = interpret(&rows(
        INVALID,
        &[
            invalid(false, false, 0),
            invalid(true, true, GIB),
            invalid(true, false, 0),
        ],
    ));
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.title.as_str(), finding.score))
        .collect();
    assert_eq!(found[0].0, "the index in row 2 is not valid; its size: 1.0 GiB");
    assert!((found[0].1 - 0.7).abs() < 1e-9 && (found[1].1 - 0.45).abs() < 1e-9 && (found[2].1 - 0.3).abs() < 1e-9);
    assert_eq!(report.findings[0].kind, FindingKind::Plan);
    assert_eq!(
        report.findings[0].reason_codes,
        ["invalid_index", "kept_up_for_nothing", "unique_not_ensured"]
    );
    assert_eq!(report.insight_ids(), ["indexes_not_valid"]);
    assert_eq!(report.offered(BUILDS).next().unwrap().priority, Priority::Required);
    assert_eq!(
        report.prompts(),
        ["let a person reindex or drop the indexes that are not valid; how many: 3"]
    );
    let mut partitioned = invalid(true, false, 0);
    partitioned[4] = ("is_partitioned", Cell::Boolean(true));
    let report = interpret(&rows(INVALID, &[partitioned]));
    assert_eq!(report.findings[0].reason_codes, ["invalid_index", "partitioned_index"]);
    assert_eq!(
        report.findings[0].reason,
        "some partition has no valid index of its own"
    );
}

fn constraint(kind: &str, is_enforced: bool) -> Vec<(&'static str, Cell)> {
    vec![
        ("constraint_type", text(kind)),
        ("is_validated", Cell::Boolean(false)),
        ("is_enforced", Cell::Boolean(is_enforced)),
    ]
}

#[test]
fn constraints_that_are_not_validated_are_told_by_kind() {
    interpret(&rows(CONSTRAINTS, &[])).assert_well("constraints_validated");
    let report = interpret(&rows(
        CONSTRAINTS,
        &[
            constraint("check", true),
            constraint("foreign_key", true),
            constraint("foreign_key", true),
            constraint("other", true),
            constraint("check", false),
        ],
    ));
    let titles: Vec<_> = report.findings.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "foreign keys that are not validated: 2",
            "check constraints that are not validated: 1",
            "constraints of other kinds that are not validated: 1",
            "constraints that are not enforced: 1",
        ]
    );
    assert!((0.2..0.5).contains(&report.findings[0].score));
    assert_eq!(report.findings[3].score, 0.1);
    assert_eq!(
        report.insights[0].title,
        "constraints to be validated: 4, not enforced: 1"
    );
    assert_eq!(report.prompts(), ["let a person validate the constraints; how many: 4"]);
    let chosen = interpret(&rows(CONSTRAINTS, &[constraint("check", false)]));
    assert!(chosen.prompts().is_empty());
    assert_eq!(chosen.next_actions[0].step, ReportedStep::Stop);
}

fn build(lockers: (i64, i64), running_s: i64) -> Outcome {
    let outcome = testkit::outcome(BUILDS).session(session_row(9)).build();
    let mut row = outcome.rows[0].clone();
    for (column, cell) in [
        ("lockers_total", Cell::Int(lockers.0)),
        ("lockers_done", Cell::Int(lockers.1)),
        ("running", Cell::DurationUs(running_s * 1_000_000)),
    ] {
        row.cells[outcome.columns.iter().position(|name| name == column).unwrap()] = cell;
    }
    Outcome {
        rows: vec![row],
        ..outcome
    }
}

#[test]
fn builds_are_told_and_those_that_wait_for_long_lead_to_the_locks() {
    let report = interpret(&rows(BUILDS, &[]));
    report.assert_well("no_index_build");
    assert_eq!(report.offered(INVALID).count(), 1);

    let report = interpret(&build((3, 3), 7_200));
    assert_eq!(report.insight_ids(), ["index_builds_running"]);
    assert!(report.findings.is_empty());
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);

    let locks = ReportedStep::RunWorkflow("locks".to_owned());
    let report = interpret(&build((3, 1), 10));
    assert!(report.findings.is_empty(), "a wait of some seconds is ordinary");
    assert_eq!(
        (report.next_actions[0].step.clone(), report.next_actions[0].priority),
        (locks.clone(), Priority::Optional)
    );

    let report = interpret(&build((3, 1), 5_400));
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::LockWait);
    assert_eq!(finding.subject.as_deref(), Some("se_9"));
    assert_eq!(
        finding.title,
        "the build in row 1 waits for other transactions; how many: 2"
    );
    assert!((finding.score - 0.6).abs() < 1e-9);
    assert_eq!(report.insight_ids(), ["index_builds_running", "index_build_waits"]);
    assert_eq!(
        (report.next_actions[0].step.clone(), report.next_actions[0].priority),
        (locks, Priority::Required)
    );
}

/// Columns, scans, size, and whether it is unique.
fn index(key: &str, scans: i64, size: i64, is_unique: bool) -> Vec<(&'static str, Cell)> {
    vec![
        ("method", text("btree")),
        ("key_columns", text(key)),
        ("is_partial", Cell::Boolean(false)),
        ("is_unique", Cell::Boolean(is_unique)),
        ("is_primary", Cell::Boolean(false)),
        ("serves_constraint", Cell::Boolean(is_unique)),
        ("is_valid", Cell::Boolean(true)),
        ("idx_scan", Cell::Int(scans)),
        ("size_bytes", Cell::Int(size)),
    ]
}

#[test]
fn indexes_that_are_used_or_ensure_something_are_well() {
    let report = interpret(&about_table(
        USAGE,
        &[
            index("id", 0, 90 * GIB, true),
            index("a", 5, GIB, false),
            index("b, a", 5, GIB, false),
        ],
    ));
    report.assert_well("indexes_earn_their_keep");
    assert!(report.prompts().is_empty());
}

#[test]
fn unused_indexes_are_found_where_others_are_used() {
    let report = interpret(&about_table(
        USAGE,
        &[
            index("id", 9, GIB, true),
            index("a", 0, GIB, false),
            index("b", 0, 2 * GIB, false),
        ],
    ));
    let finding = &report.findings[0];
    assert_eq!(finding.title, "indexes that no scan used: 2 of rl_1_5, 3.0 GiB in all");
    assert_eq!(finding.subject.as_deref(), Some(TABLE));
    assert_eq!(
        (finding.reason_codes[0].as_str(), finding.confidence),
        ("unused_index", Confidence::Medium)
    );
    assert!((0.5..0.7).contains(&finding.score));
    assert_eq!(report.insight_ids(), ["unused_indexes"]);
    assert_eq!(
        report.prompts(),
        ["let a person decide which indexes of rl_1_5 to drop"]
    );
    let reset = interpret(&about_table(
        USAGE,
        &[index("a", 0, GIB, false), index("b", 0, 2 * GIB, false)],
    ));
    assert_eq!(
        reset.findings[0].confidence,
        Confidence::Low,
        "the counters may have been reset"
    );
}

#[test]
fn small_unused_indexes_are_told_without_an_alarm() {
    let report = interpret(&about_table(
        USAGE,
        &[index("id", 9, GIB, true), index("a", 0, 10 * MIB, false)],
    ));
    assert_eq!(report.insight_ids(), ["unused_indexes"]);
    assert!(report.worst_score() <= 0.2 && report.prompts().is_empty());
}

#[test]
fn redundant_indexes_are_those_that_another_begins_with_or_equals() {
    let superfluous = |indexes: &[Vec<(&str, Cell)>]| {
        let report = interpret(&about_table(USAGE, indexes));
        let insight = report.insight("redundant_indexes").map(|insight| insight.title.clone());
        insight.unwrap_or_default()
    };
    let one = "indexes that another one makes superfluous: 1 of rl_1_5, 1.0 GiB in all";
    let (a, ab) = (index("a", 5, GIB, false), index("a, b", 5, 2 * GIB, false));
    assert_eq!(superfluous(&[a.clone(), ab.clone()]), one);
    assert_eq!(superfluous(&[a.clone(), a.clone()]), one, "the first stays");
    assert_eq!(
        superfluous(&[a.clone(), index("a", 5, GIB, true)]),
        one,
        "the unique one stays"
    );
    assert_eq!(superfluous(&[index("a", 5, GIB, true), ab.clone()]), "");
    assert_eq!(
        superfluous(&[index("ab", 5, GIB, false), index("abc", 5, GIB, false)]),
        ""
    );
    let expression = index("(expression)", 5, GIB, false);
    assert_eq!(superfluous(&[expression.clone(), expression]), "");
    let with = |column, cell| {
        let mut changed = ab.clone();
        let position = changed.iter().position(|(name, _)| *name == column).unwrap();
        changed[position] = (column, cell);
        superfluous(&[a.clone(), changed])
    };
    assert_eq!(with("is_partial", Cell::Boolean(true)), "");
    assert_eq!(with("is_valid", Cell::Boolean(false)), "");
    assert_eq!(with("method", text("hash")), "");
    assert_eq!(with("is_partial", Cell::Null), "", "unknown is not no");
}

#[test]
fn more_is_never_less_bad() {
    let sizes: Vec<i64> = (0..200).map(|n| n * GIB).collect();
    assert_rises(&sizes, |size| {
        interpret(&rows(INVALID, &[invalid(true, false, size)])).worst_score()
    });
    assert_rises(&sizes, |size| {
        interpret(&about_table(USAGE, &[index("a", 0, size, false)])).worst_score()
    });
    let counts: Vec<usize> = (0..40).collect();
    assert_rises(&counts, |n| {
        interpret(&rows(CONSTRAINTS, &vec![constraint("check", true); n])).worst_score()
    });
    let seconds: Vec<i64> = (0..20_000).step_by(100).collect();
    assert_rises(&seconds, |seconds| interpret(&build((2, 1), seconds)).worst_score());
}

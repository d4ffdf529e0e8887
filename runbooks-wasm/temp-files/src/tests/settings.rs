use pg_logstats_sdk::testkit::{self, Report};
use pg_logstats_sdk::{
    Cell, Evidence, FindingKind, Outcome, Recommendation, SetParameter, SetWorkMem, Setting, TempFileGroup,
};

use super::{SETTINGS, group};
use crate::TempFiles;

fn outcome(settings: &[(&str, &str)]) -> Outcome {
    let text = |text: &str| Cell::Text(text.to_owned());
    let row = |outcome: testkit::OutcomeBuilder, (name, value): &(&str, &str)| {
        outcome.row(&[("name", text(name)), ("setting", text(value)), ("unit", text("kB"))])
    };
    settings.iter().fold(testkit::outcome(SETTINGS), row).build()
}

fn judged(group: Option<TempFileGroup>, settings: &[(&str, &str)]) -> Report {
    let evidence = testkit::evidence().family(testkit::family(1));
    let evidence: Evidence = group
        .into_iter()
        .fold(evidence, |evidence, group| evidence.temp_files(group))
        .build();
    testkit::interpret(&TempFiles, &evidence, &outcome(settings)).unwrap()
}

fn parameter(setting: Setting, value: u64) -> Recommendation {
    Recommendation::SetParameter(SetParameter { setting, value })
}

/// Files that would fit into 64 MiB.
fn small() -> TempFileGroup {
    TempFileGroup {
        count: 100,
        max_bytes: 30 << 20,
        ..group(1)
    }
}

#[test]
fn unlogged_files_are_to_be_logged() {
    let report = judged(
        None,
        &[
            ("log_temp_files", "-1"),
            ("temp_file_limit", "-1"),
            ("work_mem", "4096"),
        ],
    );
    assert_eq!(report.insight_ids(), ["temp_files_not_logged"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(parameter(Setting::LogTempFiles, 10 << 20))
    );
    assert_eq!(
        report.prompts(),
        ["let a person decide on the settings of temporary files"]
    );
    let logged_for_others = judged(Some(group(1)), &[("log_temp_files", "-1")]);
    assert_eq!(logged_for_others.insight_ids(), ["temp_settings_unremarkable"]);
}

#[test]
fn a_very_large_file_without_a_limit_wants_one_above_what_ran() {
    let huge = TempFileGroup {
        max_bytes: 9 << 30,
        ..group(1)
    };
    let report = judged(Some(huge.clone()), &[("temp_file_limit", "-1")]);
    assert_eq!(report.insight_ids(), ["temp_files_unbounded"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(parameter(Setting::TempFileLimit, 32 << 30))
    );
    assert_eq!(report.insights[0].evidence, ["tf_0000000000000001"]);
    // Bounded, or nothing to bound.
    let bounded = judged(Some(huge.clone()), &[("temp_file_limit", "10485760")]);
    assert_eq!(bounded.insight_ids(), ["temp_settings_unremarkable"]);
    assert_eq!(bounded.findings[0].kind, FindingKind::NothingFound);
    let usual = judged(Some(group(1)), &[("temp_file_limit", "-1")]);
    assert_eq!(usual.insight_ids(), ["temp_settings_unremarkable"]);
    let absurd = TempFileGroup {
        max_bytes: u64::MAX,
        ..huge
    };
    assert_eq!(
        judged(Some(absurd), &[("temp_file_limit", "-1")]).insight_ids(),
        ["temp_settings_unremarkable"]
    );
}

#[test]
fn files_that_a_sane_work_mem_would_hold_want_it_for_the_role() {
    let report = judged(Some(small()), &[("work_mem", "4096")]);
    assert_eq!(report.insight_ids(), ["work_mem_too_small"]);
    let user = small().dimensions.user.unwrap();
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::SetWorkMem(SetWorkMem { user, bytes: 64 << 20 }))
    );
    assert_eq!(report.prompts(), ["let a person decide on more work_mem for the role"]);
}

#[test]
fn no_work_mem_is_recommended_that_the_logs_do_not_speak_for() {
    let is_silent = |group: TempFileGroup, work_mem: &str| {
        judged(Some(group), &[("work_mem", work_mem)]).insight_ids() == ["temp_settings_unremarkable"]
    };
    assert!(is_silent(small(), "65536"), "there is as much already");
    assert!(is_silent(TempFileGroup { count: 9, ..small() }, "4096"), "few files");
    assert!(
        is_silent(
            TempFileGroup {
                max_bytes: 200 << 20,
                ..small()
            },
            "4096"
        ),
        "too much for each session"
    );
    assert!(
        is_silent(
            TempFileGroup {
                family: None,
                ..small()
            },
            "4096"
        ),
        "whose they are is unknown"
    );
    assert!(is_silent(
        TempFileGroup {
            max_bytes: 0,
            ..small()
        },
        "4096"
    ));
    let mut unnamed = small();
    unnamed.dimensions.user = None;
    assert!(is_silent(unnamed, "4096"));
    // Another statement of the role needs more than is sane: what is there would not spare it.
    let other = TempFileGroup {
        max_bytes: 1 << 30,
        ..group(2)
    };
    let evidence = testkit::evidence().temp_files(small()).temp_files(other).build();
    let report = testkit::interpret(&TempFiles, &evidence, &outcome(&[("work_mem", "4096")])).unwrap();
    assert_eq!(report.insight_ids(), ["temp_settings_unremarkable"]);
}

#[test]
fn rows_that_are_no_settings_are_a_limitation() {
    let report = judged(Some(small()), &[("work_mem", "\u{202e}4096"), ("log_temp_files", "")]);
    assert!(report.insights.is_empty());
    assert_eq!(
        report.limitations,
        ["the result had not the columns that this runbook reads; a newer runbook may be needed"]
    );
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let other_unit = testkit::outcome(SETTINGS).row(&[
        ("name", Cell::Text("work_mem".to_owned())),
        ("setting", Cell::Text("1".to_owned())),
        ("unit", Cell::Text("8kB".to_owned())),
    ]);
    let report = testkit::interpret(&TempFiles, &super::evidence(), &other_unit.build()).unwrap();
    assert!(report.insights.is_empty());
}

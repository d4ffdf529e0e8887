use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{
    AutovacuumGroup, AutovacuumRun, Confidence, FindingKind, Priority, Recommendation, SetAutovacuum, SetParameter,
    Setting,
};

use crate::Autovacuum;

const XMIN: &str = "wraparound.pg_stat_activity.oldest_xmin";
const AGES: &str = "wraparound.pg_database.ages";
const TABLE: &str = "relation.pg_stat_all_tables.statistics";
const BLOAT: &str = "relation.pg_stats.bloat_estimate";
const SETTINGS: &str = "autovacuum.pg_settings.relevant";

fn triage(group: AutovacuumGroup) -> Report {
    testkit::triage(&Autovacuum, &testkit::evidence().autovacuum(group).build()).unwrap()
}

fn group() -> AutovacuumGroup {
    testkit::autovacuum(1)
}

fn run() -> AutovacuumRun {
    group().longest.unwrap()
}

/// What a server that is well writes: a few runs gave way, one was forced, some dead rows had to stay.
#[test]
fn a_healthy_server_gives_no_score_above_a_fifth() {
    let usual = AutovacuumGroup {
        canceled_count: 2,
        skipped_count: 2,
        to_prevent_wraparound_count: 1,
        max_tuples_dead_not_removable: 5_000,
        ..group()
    };
    for report in [triage(group()), triage(usual)] {
        assert!(report.findings.iter().all(|f| f.score <= 0.2), "{:?}", report.findings);
        assert!(report.insights.is_empty());
    }
    let report = triage(group());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.findings[0].score, 0.0);
    assert!(report.limitations.is_empty());
}

#[test]
fn silence_is_said_to_prove_nothing() {
    let report = testkit::triage(&Autovacuum, &testkit::evidence().build()).unwrap();
    assert_eq!(report.findings[0].title, "the logs tell nothing of autovacuum");
    assert_eq!(report.findings[0].confidence, Confidence::Low);
    assert_eq!(report.insight_ids(), ["autovacuum_not_logged"]);
    let logged = SetParameter {
        setting: Setting::LogAutovacuumMinDuration,
        value: 10_000_000,
    };
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::SetParameter(logged))
    );
    assert!(report.limitations[0].contains("log_autovacuum_min_duration"));
    assert_eq!(report.offered(AGES).count(), 1);
}

#[test]
fn a_table_that_locks_keep_it_from_is_told_with_its_share() {
    let report = triage(AutovacuumGroup {
        canceled_count: 30,
        skipped_count: 10,
        run_count: 0,
        longest: None,
        ..group()
    });
    let first = &report.findings[0];
    assert_eq!(first.title, "autovacuum gave way to locks on rl_table_1 30 times");
    assert_eq!(first.reason_codes, ["gave_way", "never_finished"]);
    assert_eq!(first.subject.as_deref(), Some("mt_0000000000000001"));
    assert_eq!((first.score, first.confidence), (0.75, Confidence::Medium));
    assert_eq!(report.findings[1].reason_codes, ["skipped_locked", "never_finished"]);
    assert_eq!(report.findings[1].score, 0.5);
    let locks: Vec<_> = report
        .next_actions
        .iter()
        .filter(|next| next.step == ReportedStep::RunWorkflow("locks".to_owned()))
        .collect();
    assert_eq!(locks.len(), 1, "once for both");
    assert_eq!(locks[0].findings, [0, 1]);
    assert_eq!(report.offered(TABLE).count(), 1);
}

#[test]
fn dead_rows_that_had_to_stay_lead_to_who_holds_them() {
    let report = triage(AutovacuumGroup {
        max_tuples_dead_not_removable: 4_000_000,
        ..group()
    });
    let first = &report.findings[0];
    assert_eq!(first.title, "autovacuum had to leave 4,000,000 dead rows in rl_table_1");
    assert_eq!(first.reason_codes, ["dead_rows_not_removable"]);
    assert_eq!(first.score, 0.8);
    let xmin = report.offered(XMIN).next().unwrap();
    assert_eq!(
        (xmin.priority, xmin.findings.as_slice()),
        (Priority::Required, &[0][..])
    );
    assert_eq!(report.offered("prepared_transaction.pg_prepared_xacts.open").count(), 1);
    assert_eq!(report.offered("replication.pg_replication_slots.state").count(), 1);
}

#[test]
fn a_run_that_came_too_late_gives_a_smaller_scale_factor() {
    let late = AutovacuumGroup {
        longest: Some(AutovacuumRun {
            tuples_removed: Some(12_000_000),
            tuples_remaining: Some(8_000_000),
            ..run()
        }),
        ..group()
    };
    let report = triage(late.clone());
    let first = &report.findings[0];
    assert_eq!(
        first.title,
        "60.0 % of the rows of rl_table_1 were dead when autovacuum came"
    );
    assert!((0.5..0.6).contains(&first.score), "{}", first.score);
    assert_eq!(report.offered(BLOAT).count(), 1);
    assert_eq!(report.offered(SETTINGS).count(), 1);
    let sooner = SetAutovacuum {
        relation: "rl_table_1".to_owned(),
        scale_factor_thousandths: 25,
    };
    assert_eq!(
        report.insight("autovacuum_too_seldom").unwrap().recommendation,
        Some(Recommendation::SetAutovacuum(sooner))
    );
    // Where the rows had to stay, sooner is no better.
    let report = triage(AutovacuumGroup {
        max_tuples_dead_not_removable: 20_000_000,
        ..late
    });
    assert_eq!(report.insight("autovacuum_too_seldom"), None);
}

#[test]
fn passes_over_the_indexes_give_the_memory_that_saves_them() {
    let report = triage(AutovacuumGroup {
        longest: Some(AutovacuumRun {
            elapsed_us: 7_200_000_000,
            index_scans: Some(4),
            tuples_removed: Some(30_000_000),
            tuples_remaining: Some(900_000_000),
            ..run()
        }),
        ..group()
    });
    let first = &report.findings[0];
    assert_eq!(first.reason_codes, ["long_run", "several_index_passes"]);
    assert!((0.7..0.8).contains(&first.score), "{}", first.score);
    let memory = SetParameter {
        setting: Setting::AutovacuumWorkMem,
        value: 256 << 20,
    };
    assert_eq!(
        report.insight("memory_too_small").unwrap().recommendation,
        Some(Recommendation::SetParameter(memory))
    );
    assert!(!report.prompts().is_empty());
}

#[test]
fn the_server_s_own_warnings_come_first_and_go_to_a_person() {
    let evidence = testkit::evidence()
        .event("wraparound_warning", 12)
        .event("wraparound_error", 3)
        .autovacuum(AutovacuumGroup {
            to_prevent_wraparound_count: 4,
            ..group()
        })
        .build();
    let report = testkit::triage(&Autovacuum, &evidence).unwrap();
    let scores: Vec<_> = report.findings.iter().map(|f| (f.kind, f.score)).collect();
    assert_eq!(
        scores[..2],
        [(FindingKind::Wraparound, 1.0), (FindingKind::Wraparound, 0.9)]
    );
    assert!(report.findings[2].score < 0.2);
    assert_eq!(report.findings[2].reason_codes, ["forced_by_age"]);
    assert_eq!(report.offered(AGES).next().unwrap().priority, Priority::Required);
    assert!(!report.prompts().is_empty());
}

/// Sets a figure.
type Change<'a> = &'a dyn Fn(&mut AutovacuumGroup, u64);

#[test]
fn worse_figures_never_lower_a_score() {
    let score = |change: Change<'_>, n: u64| {
        let mut worse = group();
        change(&mut worse, n);
        let report = triage(worse);
        report.findings.iter().map(|f| f.score).fold(0.0, f64::max)
    };
    let changes: [Change<'_>; 7] = [
        &|group, n| group.canceled_count = n,
        &|group, n| group.skipped_count = n,
        &|group, n| group.to_prevent_wraparound_count = n,
        &|group, n| group.max_tuples_dead_not_removable = n * 10_000,
        &|group, n| group.longest.as_mut().unwrap().elapsed_us = n * 100_000_000,
        &|group, n| group.longest.as_mut().unwrap().index_scans = Some(n),
        &|group, n| group.longest.as_mut().unwrap().tuples_removed = Some(n * 100_000),
    ];
    for (position, change) in changes.iter().enumerate() {
        let mut last = 0.0;
        for n in [0, 1, 2, 5, 10, 100, 1_000, 100_000] {
            let now = score(change, n);
            assert!(now >= last, "change {position}: {now} < {last} at {n}");
            last = now;
        }
        assert!(last > 0.0, "change {position}");
    }
}

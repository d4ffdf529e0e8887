//! Room that tables waste, and dead rows.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Ratio,
    Recommendation,
};

use super::ALL_WELL;
use crate::{messages, offers, severity, words};

/// Autovacuum begins at its threshold, and takes a while: overdue is what is a quarter past it.
const OVERDUE: f64 = 1.25;
/// Between two ordinary runs of autovacuum dead rows grow to a fifth of the live ones (`autovacuum_vacuum_scale_factor`), a sixth of
/// all. Near twice that, of more than a handful of rows, is too much.
const MANY_DEAD: f64 = 0.3;
const ENOUGH_ROWS: u64 = 100_000;
/// Bytes from which a fifth of dead rows is much, so that autovacuum should come earlier.
const LARGE: u64 = 1 << 30;
/// The scale factor that is recommended for a large table, in thousandths.
const EARLIER_THOUSANDTHS: u32 = 20;
/// The share of rows changed since the last ANALYZE from which the planner's figures are old: twice `autovacuum_analyze_scale_factor`.
const MUCH_CHANGED: f64 = 0.2;
/// Rows that a sequential scan reads on average from which it is one of a large table.
const LARGE_SCAN: u64 = 1_000_000;
/// Such scans from which it is no exception.
const MANY_SCANS: u64 = 100;

pub(super) fn judge_bloat(table: &String, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(row) = outcome.records().next() else { return };
    if row.boolean("is_hidden") == Some(true) {
        assessment.limitation(messages::bloat_hidden());
        return;
    }
    let missing = row.count("columns_without_statistics").unwrap_or(0);
    if missing > 0 {
        let (title, reason) = (
            messages::not_analyzed_title(Count(missing), table),
            messages::not_analyzed_reason(),
        );
        let insight = |confidence| Insight::new(words::COLUMNS_NOT_ANALYZED, confidence, title, reason).evidence(table);
        // A column that was just added has none until the next ANALYZE comes by itself.
        if row.count("columns").is_some_and(|all| missing < all) {
            assessment.insight(insight(Confidence::Low));
        } else {
            assessment.insight(insight(Confidence::High).recommend(Recommendation::analyze(table)));
            let (label, reason) = (messages::ask_analyze_label(table), messages::ask_analyze_reason());
            assessment.next_action(NextAction::prompt_user(label, reason));
        }
    }
    let figures = row.count("bloat_bytes").zip(row.float("bloat_ratio"));
    let Some((bytes, ratio)) = figures else {
        outcome::without_figures(1, assessment);
        return;
    };
    let Some(share) = Ratio::new(ratio.clamp(0.0, 1.0)) else {
        return;
    };
    let score = severity::of_bloat(share.value(), bytes);
    let (title, reason) = (
        messages::bloat_title(table, share, Bytes(bytes)),
        messages::bloat_reason(),
    );
    if score <= severity::LOW {
        if assessment.insights.is_empty() {
            outcome::all_well(words::TABLE_NOT_BLOATED, ALL_WELL, title, reason, assessment);
        }
        return;
    }
    let confidence = if missing > 0 {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    let finding = Finding::new(FindingKind::Autovacuum, title.clone(), reason.clone()).about(table);
    let mut finding = finding.score(score).confidence(confidence).code(words::BLOATED_TABLE);
    if missing > 0 {
        finding = finding.code(words::STATISTICS_MISSING);
    }
    let finding = assessment.finding(finding);
    assessment.insight(Insight::new(words::TABLE_BLOATED, confidence, title, reason).evidence(table));
    assessment.next_action(offers::statistics(actions, table).map(|action| action.because(finding)));
    let (label, reason) = (messages::ask_rewrite_label(table), messages::ask_rewrite_reason());
    assessment.next_action(NextAction::prompt_user(label, reason).because(finding));
}

pub(super) fn judge_statistics(
    table: &String,
    outcome: &Outcome,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let Some(row) = outcome.records().next() else { return };
    let rows = row.count("n_live_tup").zip(row.count("n_dead_tup"));
    let Some((live, dead)) = rows else {
        outcome::without_figures(1, assessment);
        return;
    };
    let size = row.count("size_bytes").unwrap_or(0);
    let share = Ratio::of(dead, live.saturating_add(dead));
    let is_dead = share.value() >= MANY_DEAD && dead >= ENOUGH_ROWS;
    if is_dead {
        let title = messages::dead_title(table, share, Count(dead));
        let (reason, advice) = match row.at("last_autovacuum") {
            // It does come, and too late for the size.
            Some(at) if size >= LARGE => (
                messages::dead_reason_late(pg_logstats_sdk::At(at)),
                Recommendation::autovacuum(table, EARLIER_THOUSANDTHS),
            ),
            Some(at) => (
                messages::dead_reason_since(pg_logstats_sdk::At(at)),
                Recommendation::vacuum(table, false),
            ),
            None => (messages::dead_reason_never(), Recommendation::vacuum(table, false)),
        };
        let wasted = (size as f64 * share.value()) as u64;
        let finding = Finding::new(FindingKind::Autovacuum, title.clone(), reason.clone()).about(table);
        let finding = finding
            .score(severity::of_bloat(share.value(), wasted))
            .confidence(Confidence::High);
        let finding = assessment.finding(finding.code(words::DEAD_ROWS_OVERDUE));
        let insight = Insight::new(words::TABLE_HAS_DEAD_ROWS, Confidence::High, title, reason);
        assessment.insight(insight.evidence(table).recommend(advice));
        let (label, reason) = (messages::autovacuum_label(), messages::autovacuum_why());
        let workflow = NextAction::run_workflow(words::AUTOVACUUM, label, reason);
        assessment.next_action(workflow.because(finding));
    }
    let changed = row.count("n_mod_since_analyze").unwrap_or(0);
    let changed_share = Ratio::of(changed, live.max(1));
    if changed >= ENOUGH_ROWS && changed_share.value() >= MUCH_CHANGED {
        let (title, reason) = (
            messages::old_figures_title(table),
            messages::old_figures_reason(Count(changed)),
        );
        let insight = Insight::new(words::PLANNER_FIGURES_OLD, Confidence::High, title, reason);
        assessment.insight(insight.evidence(table).recommend(Recommendation::analyze(table)));
        let (label, reason) = (messages::ask_analyze_label(table), messages::ask_analyze_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
    let scans = row.count("seq_scan").unwrap_or(0);
    let read = row.count("seq_tup_read").unwrap_or(0);
    if scans >= MANY_SCANS && read / scans.max(1) >= LARGE_SCAN {
        let title = messages::read_whole_title(table, Count(scans));
        let reason = messages::read_whole_reason(Count(read / scans.max(1)));
        let insight = Insight::new(words::TABLE_READ_WHOLE, Confidence::Medium, title, reason);
        assessment.insight(insight.evidence(table));
        let (label, reason) = (messages::families_label(), messages::families_why());
        assessment.next_action(NextAction::run_workflow(words::QUERY_FAMILIES, label, reason));
        assessment.next_action(offers::usage(actions, table));
    }
    if assessment.insights.is_empty() {
        let (title, reason) = (messages::table_well_title(table), messages::table_well_reason(share));
        outcome::all_well(words::TABLE_UNREMARKABLE, ALL_WELL, title, reason, assessment);
    }
}

pub(super) fn judge_dead_rows(outcome: &Outcome, assessment: &mut Assessment) {
    let mut findings = Vec::new();
    let (mut unknown, mut most) = (0, 0);
    for (position, row) in outcome.records().enumerate() {
        let rows = row.count("n_live_tup").zip(row.count("n_dead_tup"));
        let Some((live, dead)) = rows else {
            unknown += 1;
            continue;
        };
        most = most.max(dead);
        let is_overdue = row
            .float("vacuum_threshold")
            .is_some_and(|threshold| dead as f64 > threshold * OVERDUE);
        let share = Ratio::of(dead, live.saturating_add(dead));
        let size = row.count("size_bytes").unwrap_or(0);
        let score = severity::of_bloat(share.value(), (size as f64 * share.value()) as u64);
        if !is_overdue || score <= severity::LOW {
            continue;
        }
        let title = messages::dead_row_title(outcome::number(position), Count(dead), share);
        let is_off = row.boolean("is_autovacuum_enabled") == Some(false);
        let reason = if is_off {
            messages::dead_row_off()
        } else {
            messages::dead_row_overdue(Bytes(size))
        };
        let finding = Finding::new(FindingKind::Autovacuum, title, reason).score(score);
        let mut finding = finding.confidence(Confidence::High).code(words::DEAD_ROWS_OVERDUE);
        if is_off {
            finding = finding.code(words::AUTOVACUUM_DISABLED);
        }
        findings.push(finding);
    }
    outcome::without_figures(unknown, assessment);
    let n = Count(outcome::worst_first(findings, assessment) as u64);
    if n.0 > 0 {
        let (title, reason) = (messages::pile_up_title(n), messages::pile_up_reason());
        assessment.insight(Insight::new(words::DEAD_ROWS_PILE_UP, Confidence::High, title, reason));
        let (label, reason) = (messages::autovacuum_label(), messages::autovacuum_why());
        assessment.next_action(NextAction::run_workflow(words::AUTOVACUUM, label, reason));
    } else if unknown == 0 {
        let (title, reason) = (messages::in_time_title(), messages::in_time_reason(Count(most)));
        outcome::all_well(words::DEAD_ROWS_REMOVED_IN_TIME, ALL_WELL, title, reason, assessment);
    }
}

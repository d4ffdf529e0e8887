//! Phase 1: what the logs show of temporary files, ranked.

mod errors;
mod groups;

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::temp_files;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, ErrorClass, Evidence, Finding, FindingKind, FindingRef, NextAction,
    Priority, QueryFamily, TempFileGroup,
};

use crate::{messages, offers, words};

/// Findings about groups at most.
const MOST: usize = 40;
/// Groups that actions are requested for: four for each at most, and four for all.
const TOP: usize = 4;
/// Without temporary files in the logs, families whose databases' counters are looked at.
const DATABASES: usize = 3;

/// A finding and what it is about.
struct Candidate<'a> {
    finding: Finding,
    about: About<'a>,
}

/// What a finding is about, as far as actions need to know.
enum About<'a> {
    Group(&'a TempFileGroup),
    Error(&'a ErrorClass),
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    if evidence.temp_files.is_empty() {
        nothing_found(evidence, actions, &mut assessment);
        return assessment;
    }
    let mut candidates = groups::candidates(evidence);
    let left_out = candidates.len().saturating_sub(MOST) as u64;
    candidates.truncate(MOST);
    candidates.extend(errors::candidates(evidence));
    // Stable: equals stay in the host's order, by bytes.
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));

    let mut asked = Asked::default();
    for Candidate { finding, about } in candidates {
        let finding = assessment.finding(finding);
        match about {
            About::Group(group) => after_group(evidence, group, finding, &mut asked, actions, &mut assessment),
            About::Error(class) => after_error(class, finding, &mut asked, &mut assessment),
        }
    }
    assessment.next_action(temp_files::offers::blocks(actions));
    assessment.next_action(offers::settings(actions));
    assessment.limitation(messages::only_logged());
    if evidence.window.is_none() {
        assessment.limitation(statements::messages::no_logs());
    }
    if left_out > 0 {
        assessment.limitation(messages::left_out(Count(left_out)));
    }
    assessment
}

/// What was asked for already.
#[derive(Default)]
struct Asked<'a> {
    groups: usize,
    /// Statements whose plans are offered, of one database: the same statement may have several groups.
    families: Vec<&'a str>,
    /// The counters are of a database: one look at each is enough.
    databases: Vec<&'a str>,
    errors: usize,
}

fn after_group<'a>(
    evidence: &'a Evidence,
    group: &'a TempFileGroup,
    finding: FindingRef,
    asked: &mut Asked<'a>,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    if asked.groups >= TOP {
        return;
    }
    asked.groups += 1;
    let mut offered: Vec<Option<NextAction>> = Vec::new();
    let family = group.family.as_deref().and_then(|id| evidence.family(id));
    if let Some(family) = family.filter(|family| !asked.families.contains(&family.id.as_str())) {
        asked.families.push(&family.id);
        offered.push(temp_files::offers::explain(actions, group));
        if runs_safely(family) {
            offered.push(temp_files::offers::explain_analyze(actions, group));
        }
        offered.push(statements::offers::statistics(actions, family));
    }
    if let Some(database) = group.dimensions.database.as_deref()
        && !asked.databases.contains(&database)
    {
        asked.databases.push(database);
        offered.push(temp_files::offers::counters(actions, group));
    }
    for action in offered.into_iter().flatten() {
        assessment.next_action(action.because(finding));
    }
}

/// Only what reads, and what the log has whole, can be run again.
fn runs_safely(family: &QueryFamily) -> bool {
    family.has_sample && family.kind == pg_logstats_sdk::StatementKind::Select
}

fn after_error<'a>(class: &'a ErrorClass, finding: FindingRef, asked: &mut Asked<'a>, assessment: &mut Assessment) {
    // The other runbook looks at all of them at once.
    if asked.errors == 0 {
        let (label, reason) = (messages::errors_label(), messages::errors_reason());
        let action = NextAction::run_workflow(words::ERRORS, label, reason);
        assessment.next_action(action.because(finding));
        if errors::is_full(class) {
            let (label, reason) = (messages::ask_disk_label(class), messages::ask_disk_reason());
            let action = NextAction::prompt_user(label, reason).priority(Priority::Required);
            assessment.next_action(action.because(finding));
        }
    }
    asked.errors += 1;
}

/// No temporary file: there was none, or none was logged. The server's counters and settings tell which.
fn nothing_found(evidence: &Evidence, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let reason = messages::nothing_reason(Count(evidence.total_executions));
    let finding = Finding::new(FindingKind::NothingFound, messages::nothing_title(), reason);
    // Low, because log_temp_files is off by default.
    let finding = finding
        .code(statements::words::NOTHING_FOUND)
        .confidence(Confidence::Low);
    let finding = assessment.finding(finding);
    let mut databases: Vec<&str> = Vec::new();
    for family in &evidence.families {
        let Some(database) = family.dimensions.database.as_deref() else {
            continue;
        };
        if databases.len() < DATABASES && !databases.contains(&database) {
            databases.push(database);
            let action = temp_files::offers::counters(actions, family);
            assessment.next_action(action.map(|action| action.because(finding)));
        }
    }
    for action in [offers::settings(actions), temp_files::offers::blocks(actions)] {
        assessment.next_action(action.map(|action| action.because(finding).priority(Priority::Optional)));
    }
    assessment.limitation(messages::not_logged());
    if evidence.window.is_none() {
        assessment.limitation(statements::messages::no_logs());
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(
            statements::outcome::messages::stop_label(),
            messages::stop_reason_nothing(),
        ));
    }
}

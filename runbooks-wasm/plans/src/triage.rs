//! Phase 1: the faults of logged plans, ranked.

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::scores::{confidence, saturating};
use pg_logstats_sdk::{
    Actions, Assessment, Attribution, Bytes, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, Insight,
    Message, NextAction, PlanGroup, Priority, QueryFamily, Ratio, Recommendation, Subject,
};

use crate::faults::{Faults, Spill, has_run};
use crate::{messages, offers, words};

/// Findings, at most.
const FINDINGS: usize = 40;
/// Families that plans are asked for.
const FAMILIES: usize = 5;
/// Next actions, at most, besides persons'.
const MOST: usize = 18;
/// Persons that are asked about memory.
const SPILLS: usize = 2;
/// The duration of the slowest execution that weighs one half: a second.
const HALF_SLOW_US: u64 = 1_000_000;
/// How busy a family must keep the server to weigh one half: a tenth of one session.
const HALF_LOAD: f64 = 0.1;
/// The share of all time that is told by a code.
const LARGE_SHARE: f64 = 0.5;
/// The largest `work_mem` that is recommended, and the smallest.
const WORK_MEM: (u64, u64) = (8 << 20, 1 << 30);

/// A plan with faults.
struct Candidate<'a> {
    group: &'a PlanGroup,
    family: Option<&'a QueryFamily>,
    faults: Faults<'a>,
    score: f64,
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let total_us = known_us(evidence);
    let mut candidates: Vec<Candidate<'_>> = evidence
        .plans
        .iter()
        .filter_map(|group| candidate(evidence, group, total_us))
        .collect();
    // Stable, so that equals stay in the order of the evidence.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(FINDINGS);

    let mut assessment = Assessment::new();
    if candidates.is_empty() {
        nothing_found(evidence, &mut assessment);
    }
    let mut looked_at: Vec<&String> = Vec::new();
    for (position, candidate) in candidates.iter().enumerate() {
        let finding = assessment.finding(candidate.finding());
        if position >= FAMILIES {
            continue;
        }
        let mut offered = match candidate.family {
            Some(family) => vec![
                statements::offers::explain(actions, family),
                statements::offers::explain_analyze(actions, family),
            ],
            None => vec![offers::explain(actions, candidate.group)],
        };
        for relation in candidate.faults.relations() {
            if !looked_at.contains(&relation) {
                looked_at.push(relation);
                offered.push(offers::table(actions, relation));
                offered.push(offers::indexes(actions, relation));
                offered.push(offers::columns(actions, relation));
            }
        }
        for offer in offered.into_iter().flatten() {
            if assessment.next_actions.len() < MOST {
                assessment.next_action(offer.because(finding));
            }
        }
    }
    let spilled: Vec<Insight> = candidates.iter().filter_map(logged_spill).take(SPILLS).collect();
    if !spilled.is_empty() {
        let (label, reason) = (
            statements::messages::decide_work_mem_label(),
            statements::messages::decide_work_mem_reason(),
        );
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
    spilled.into_iter().for_each(|insight| assessment.insight(insight));
    finish(evidence, &mut assessment);
    assessment
}

fn candidate<'a>(evidence: &'a Evidence, group: &'a PlanGroup, total_us: u64) -> Option<Candidate<'a>> {
    let faults = Faults::of(group);
    let family = evidence.family(&group.family);
    (faults.count() > 0).then(|| Candidate {
        group,
        family,
        faults,
        score: score(evidence, group, family, total_us),
    })
}

/// All time that the logs tell of: of the statements, and what the slowest execution of a family that auto_explain logs took beyond that.
fn known_us(evidence: &Evidence) -> u64 {
    let beyond = evidence.plans.iter().map(|group| match evidence.family(&group.family) {
        Some(family) => taken_us(group, Some(family)) - family.total_duration_us,
        None if evidence.total_duration_us == 0 => group.slowest_duration_us,
        // Its time is among that of all.
        None => 0,
    });
    beyond.fold(evidence.total_duration_us, u64::saturating_add)
}

/// What is known of the time that the family took. Where only auto_explain logs, a plan's duration is not among the statements'.
fn taken_us(group: &PlanGroup, family: Option<&QueryFamily>) -> u64 {
    let logged = family.map_or(0, |family| family.total_duration_us);
    logged.max(group.slowest_duration_us)
}

/// The family's share of all time, times how much that time matters: `t / (t + 1 s)` of its slowest execution, or `l / (l + 0.1)`
/// where `l` is how many sessions it keeps busy on average, whichever is more. So a plan with a fault scores low when it takes
/// little, in all or beside the others. Of a family that the evidence does not have, or of which there is nothing but plans, the slowest
/// execution is all that is known.
fn score(evidence: &Evidence, group: &PlanGroup, family: Option<&QueryFamily>, total_us: u64) -> f64 {
    let taken = taken_us(group, family);
    let share = Ratio::of(taken.min(total_us), total_us).value();
    let window = evidence.window.map_or(0, |(first, last)| last.saturating_sub(first));
    let window = u64::try_from(window).unwrap_or(0);
    let load = Ratio::of(taken, window).value();
    share * saturating(group.slowest_duration_us, HALF_SLOW_US).max(load / (load + HALF_LOAD))
}

impl Candidate<'_> {
    fn finding(&self) -> Finding {
        let (title, reason) = self.words();
        // What is concluded from the order of entries is not sure.
        let sure = match self.group.attribution {
            Attribution::Stated => confidence(self.group.count),
            Attribution::Running | Attribution::Within => confidence(self.group.count.min(99)),
        };
        let mut finding = Finding::new(FindingKind::Plan, title, reason)
            .about(self.group)
            .score(self.score)
            .confidence(sure);
        let codes = [
            (self.faults.scan.is_some(), words::SELECTIVE_SCAN),
            (self.faults.spill.is_some(), words::DISK_SPILL),
            (self.faults.nested_runs.is_some(), words::NESTED_LOOP),
            (self.faults.estimate.is_some(), words::ESTIMATE_OFF),
            (self.score >= LARGE_SHARE, words::LARGE_SHARE),
            (self.family.is_none(), words::FAMILY_UNKNOWN),
        ];
        for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
            finding = finding.code(code);
        }
        if let Some(family) = self.family {
            finding = finding.evidence(family);
        }
        let relations = self.faults.relations().into_iter();
        relations.fold(finding, |finding, relation| finding.evidence(relation))
    }

    /// By the fault that costs most as a rule: reading for nothing, then disk, then loops, then what leads to all of them.
    fn words(&self) -> (Message, Message) {
        let subject: &dyn Subject = match self.family {
            Some(family) => family,
            None => self.group,
        };
        let slowest = DurationUs(self.group.slowest_duration_us);
        let plans = Count(self.group.count);
        if let Some(scan) = &self.faults.scan {
            let removed = Count(scan.removed);
            let title = match scan.relation {
                Some(relation) => messages::fault_scan_title(subject, removed, relation),
                None => messages::fault_scan_title_unknown(subject, removed),
            };
            return (title, messages::fault_scan_reason(scan.kept, slowest, plans));
        }
        if let Some(spill) = self.faults.spill {
            let title = match spill {
                Spill::Bytes(bytes) => messages::fault_spill_title(subject, Bytes(bytes)),
                Spill::Blocks(blocks) => messages::fault_spill_title_blocks(subject, Count(blocks)),
            };
            return (title, messages::fault_spill_reason(slowest, plans));
        }
        if let Some(runs) = self.faults.nested_runs {
            let title = messages::fault_nested_title(subject, Count(runs));
            return (title, messages::fault_nested_reason(slowest, plans));
        }
        let (factor, planned, actual) = self.faults.estimate.as_ref().map_or((1.0, 0.0, 0.0), |estimate| {
            (estimate.factor, estimate.planned, estimate.actual)
        });
        // A cast of a float saturates.
        let count = |rows: f64| Count(rows.round() as u64);
        (
            messages::fault_estimate_title(count(factor), subject),
            messages::fault_estimate_reason(count(planned), count(actual), slowest, plans),
        )
    }
}

/// The log alone proves a spill, and for whom.
fn logged_spill(candidate: &Candidate<'_>) -> Option<Insight> {
    let (Some(Spill::Bytes(bytes)), Some(family)) = (candidate.faults.spill, candidate.family) else {
        return None;
    };
    let user = family.dimensions.user.as_ref()?;
    let memory = bytes.checked_mul(2)?.checked_next_power_of_two()?.max(WORK_MEM.0);
    if memory > WORK_MEM.1 {
        return None;
    }
    let title = messages::logged_spill_title(family, Bytes(bytes));
    let reason = messages::logged_spill_reason(Bytes(memory));
    let insight = Insight::new(words::LOGGED_SPILL, Confidence::Medium, title, reason)
        .evidence(candidate.group)
        .recommend(Recommendation::work_mem(user, memory));
    Some(insight)
}

fn nothing_found(evidence: &Evidence, assessment: &mut Assessment) {
    let (title, reason, sure) = if evidence.plans.is_empty() {
        (
            messages::nothing_logged_title(),
            messages::nothing_logged_reason(),
            Confidence::Low,
        )
    } else {
        let reason = messages::nothing_reason(Count::of(&evidence.plans));
        (messages::nothing_title(), reason, Confidence::Medium)
    };
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(statements::words::NOTHING_FOUND).confidence(sure));
}

/// What the plans could not show, and the end.
fn finish(evidence: &Evidence, assessment: &mut Assessment) {
    if evidence.window.is_none() {
        assessment.limitation(statements::messages::no_logs());
    }
    let lost = evidence
        .plans
        .iter()
        .filter(|group| group.slowest_plan.is_empty())
        .count();
    if lost > 0 {
        assessment.limitation(messages::not_kept(Count(u64::try_from(lost).unwrap_or(u64::MAX))));
    }
    if evidence
        .plans
        .iter()
        .any(|group| !group.slowest_plan.is_empty() && !has_run(group))
    {
        assessment.limitation(messages::no_actual());
    }
    if evidence.plans.is_empty() {
        assessment.limitation(messages::no_plans());
        if !evidence.families.is_empty() {
            let (label, reason) = (messages::families_label(), messages::families_reason());
            let families = NextAction::run_workflow(words::QUERY_FAMILIES, label, reason);
            assessment.next_action(families.priority(Priority::Optional));
        }
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(
            statements::outcome::messages::stop_label(),
            messages::stop_reason_nothing(),
        ));
    }
}

//! Plans, node by node.
//!
//! With EXPLAIN alone there are estimates only, and what is said from them is of low confidence.

mod estimates;
mod index;
mod rules;

use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, Insight, NextAction, Outcome, PlanNode, Recommendation,
};

use crate::{messages, words};

pub(super) use estimates::judge_figures;

/// The smallest `work_mem` that is recommended.
const LEAST_WORK_MEM: u64 = 8 << 20;
/// The largest: every sort and hash of every session may take it.
const MOST_WORK_MEM: u64 = 1 << 30;

/// Judges the plan that an action returned. `role` ran the statement, as far as the evidence tells.
pub fn judge(outcome: &Outcome, role: Option<&String>, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.plan.is_empty() {
        assessment.limitation(messages::unexpected_result());
        return;
    }
    let has_run = outcome.plan.iter().any(|node| node.times_run().is_some());
    let spilled = spill(outcome, role, assessment) | temp_buffers(outcome, assessment);
    if has_run && !spilled {
        let reason = messages::no_spill_reason(Count::of(&outcome.plan));
        assessment.insight(Insight::new(
            words::QUERY_PLAN_NO_DISK_SPILL,
            Confidence::High,
            messages::no_spill_title(),
            reason,
        ));
    }
    let before = assessment.insights.len();
    rules::selective_scan(outcome, assessment);
    estimates::judge(outcome, actions, assessment);
    rules::nested_loop(outcome, assessment);
    rules::heap_fetches(outcome, assessment);
    if assessment.insights.len() == before && !spilled {
        assessment.insight(Insight::new(
            words::PLAN_UNREMARKABLE,
            if has_run { Confidence::High } else { Confidence::Low },
            messages::plan_title(),
            messages::plan_reason(Count::of(&outcome.plan)),
        ));
    }
    decisions(assessment);
}

/// A sort or hash that wrote to disk. The advice is for the role that ran the statement, where the evidence tells.
fn spill(outcome: &Outcome, role: Option<&String>, assessment: &mut Assessment) -> bool {
    let spills = outcome
        .plan
        .iter()
        .filter_map(|node| Some((node, node.disk_bytes.filter(|&b| b > 0)?)));
    let Some((node, bytes)) = spills.max_by_key(|(_, bytes)| *bytes) else {
        return false;
    };
    let mut insight = Insight::new(
        words::QUERY_PLAN_DISK_SPILL_DETECTED,
        Confidence::High,
        messages::spill_title(Bytes(bytes)),
        messages::spill_reason(node),
    )
    .evidence(node);
    if let (Some(role), Some(work_mem)) = (role, work_mem_for(bytes)) {
        insight = insight.recommend(Recommendation::work_mem(role, work_mem));
    }
    assessment.insight(insight);
    true
}

/// In memory the same rows take about twice as much as on disk; rounded up to a power of two. `None` when no setting is sane.
pub fn work_mem_for(disk_bytes: u64) -> Option<u64> {
    let bytes = disk_bytes.checked_mul(2)?.checked_next_power_of_two()?;
    (bytes <= MOST_WORK_MEM).then_some(bytes.max(LEAST_WORK_MEM))
}

/// Temporary blocks. A node's counters contain those of its children, so the largest is that of the whole plan.
fn temp_buffers(outcome: &Outcome, assessment: &mut Assessment) -> bool {
    let blocks = |node: &PlanNode| {
        (
            node.temp_read_blocks.unwrap_or(0),
            node.temp_written_blocks.unwrap_or(0),
        )
    };
    let read = outcome.plan.iter().map(|node| blocks(node).0).max().unwrap_or(0);
    let written = outcome.plan.iter().map(|node| blocks(node).1).max().unwrap_or(0);
    if read == 0 && written == 0 {
        return false;
    }
    let mut insight = Insight::new(
        words::EXPLAIN_ANALYZE_TEMP_BUFFERS,
        Confidence::High,
        messages::temp_buffers_title(Count(read.saturating_add(written))),
        messages::temp_buffers_reason(Count(read), Count(written)),
    );
    for (position, node) in outcome.plan.iter().enumerate() {
        let (own_read, own_written) = blocks(node);
        let is_inherited = outcome
            .children_of(position)
            .any(|child| blocks(child) == (own_read, own_written));
        if (own_read > 0 || own_written > 0) && !is_inherited {
            insight = insight.evidence(node);
        }
    }
    assessment.insight(insight);
    true
}

/// Each recommendation is a person's decision.
pub(super) fn decisions(assessment: &mut Assessment) {
    let mut prompts: Vec<NextAction> = Vec::new();
    for recommendation in assessment
        .insights
        .iter()
        .filter_map(|insight| insight.recommendation.as_ref())
    {
        let (label, reason) = match recommendation {
            Recommendation::CreateIndex(index) => (
                messages::decide_index_label(&index.relation),
                messages::decide_index_reason(),
            ),
            Recommendation::SetWorkMem(_) => (messages::decide_work_mem_label(), messages::decide_work_mem_reason()),
            Recommendation::AnalyzeRelation(relation) => (
                messages::decide_analyze_label(relation),
                messages::decide_analyze_reason(),
            ),
            Recommendation::CreateStatistics(statistics) => (
                messages::decide_statistics_label(&statistics.relation),
                messages::decide_statistics_reason(),
            ),
            Recommendation::SetStatisticsTarget(set) => (
                messages::decide_target_label(&set.column),
                messages::decide_target_reason(),
            ),
            Recommendation::VacuumRelation(vacuum) => (
                messages::decide_vacuum_label(&vacuum.relation),
                messages::decide_vacuum_reason(),
            ),
            // Plans lead to none of these.
            Recommendation::EndSession(_)
            | Recommendation::SetAutovacuum(_)
            | Recommendation::SetParameter(_)
            | Recommendation::ExtendSequence(_)
            | Recommendation::DropIndex(_)
            | Recommendation::RebuildIndex(_)
            | Recommendation::ValidateConstraint(_)
            | Recommendation::DropReplicationSlot(_)
            | Recommendation::RollbackPrepared(_) => continue,
        };
        let prompt = NextAction::prompt_user(label, reason);
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    for prompt in prompts {
        assessment.next_action(prompt);
    }
}

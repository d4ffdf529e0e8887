//! Whether an index on the columns of a scan's filter is worth having: from what the host learnt of the table beside the plan.

use pg_logstats_sdk::{Bytes, Confidence, Count, Insight, InsightId, Message, Outcome, PlanNode, Record};

use crate::{messages, words};

/// The part of the statement's cost at most that has to be left with an index.
const GAIN: f64 = 0.5;

/// What speaks for an index, or against it.
pub(super) struct Judgement {
    pub(super) insight: Insight,
    pub(super) is_worth_it: bool,
}

/// `None` where the host learnt nothing of it.
pub(super) fn judge(outcome: &Outcome, node: &PlanNode, relation: &String) -> Option<Judgement> {
    let position = outcome.plan.iter().position(|other| other.id == node.id)? as u64;
    let facts = outcome
        .records()
        .find(|record| record.count("node") == Some(position))?;
    let (id, is_worth_it, title, reason) = weigh(&facts, relation)?;
    // What follows from counters since whenever they were reset is less certain than what is in the catalogue, or what the planner says.
    let is_certain = id != words::INDEX_COSTS_MORE && id != words::INDEX_NOT_THERE;
    let confidence = if is_certain {
        Confidence::High
    } else {
        Confidence::Medium
    };
    let insight = Insight::new(id, confidence, title, reason)
        .evidence(node)
        .evidence(relation);
    Some(Judgement { insight, is_worth_it })
}

fn weigh(facts: &Record<'_>, relation: &String) -> Option<(InsightId, bool, Message, Message)> {
    let (wanted, covered) = (facts.count("column_count")?, facts.count("covered_columns")?);
    if covered >= wanted {
        return Some((
            words::INDEX_ALREADY_THERE,
            false,
            messages::index_there_title(relation),
            messages::index_there_reason(Count(facts.count("indexes")?)),
        ));
    }
    if facts.boolean("is_there_invalid")? {
        return Some((
            words::INDEX_THERE_INVALID,
            false,
            messages::index_invalid_title(relation),
            messages::index_invalid_reason(),
        ));
    }
    if let (Some(before), Some(after)) = (facts.float("cost"), facts.float("hypothetical_cost"))
        && !is_gain(before, after)
    {
        return Some((
            words::INDEX_WITHOUT_GAIN,
            false,
            messages::index_no_gain_title(relation),
            messages::index_no_gain_reason(whole(before), whole(after)),
        ));
    }
    // A row costs more to write into an index than to pass in a scan, so here the index cannot pay.
    if let (Some(written), Some(scanned)) = (facts.count("rows_written"), facts.count("rows_scanned"))
        && scanned < written
    {
        return Some((
            words::INDEX_COSTS_MORE,
            false,
            messages::index_writes_title(relation),
            messages::index_writes_reason(Count(written), Count(scanned)),
        ));
    }
    for_it(facts, relation)
}

fn for_it(facts: &Record<'_>, relation: &String) -> Option<(InsightId, bool, Message, Message)> {
    if let (Some(before), Some(after)) = (facts.float("cost"), facts.float("hypothetical_cost")) {
        let bytes = Bytes(facts.count("hypothetical_bytes")?);
        return Some((
            words::INDEX_WITH_GAIN,
            true,
            messages::index_gain_title(relation),
            messages::index_gain_reason(whole(before), whole(after), bytes),
        ));
    }
    Some((
        words::INDEX_NOT_THERE,
        true,
        messages::index_facts_title(relation),
        messages::index_facts_reason(
            whole(facts.float("distinct_values")?),
            Count(facts.count("table_rows")?),
            Count(facts.count("rows_written")?),
            Count(facts.count("rows_scanned")?),
        ),
    ))
}

fn is_gain(before: f64, after: f64) -> bool {
    after <= before * GAIN
}

fn whole(figure: f64) -> Count {
    Count(figure.max(0.0).round() as u64)
}

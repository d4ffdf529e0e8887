//! Sequences: the other counters that end.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Assessment, Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Priority, Ratio, Recommendation,
    Record,
};

use crate::{messages, severity, words};

/// Sequences that advice is given for, the fullest first.
const ADVISED: usize = 3;

/// How much of it is used, as a share between 0 and 1.
fn used(row: &Record<'_>) -> Option<f64> {
    row.float("used_ratio").map(|used| used.clamp(0.0, 1.0))
}

pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let rows: Vec<Record<'_>> = outcome.records().collect();
    let hidden = rows.iter().filter(|row| row.boolean("is_hidden") == Some(true)).count();
    if hidden > 0 {
        assessment.limitation(messages::hidden_sequences(Count(hidden as u64)));
    }
    let unknown = rows.iter().filter(|row| used(row).is_none()).count();
    outcome::without_figures(unknown.saturating_sub(hidden), assessment);
    let first = rows.first();
    let counts = first.and_then(|row| Some((row.count("sequences_read")?, row.count("sequences_total")?)));
    if let Some((read, total)) = counts.filter(|(read, total)| read < total) {
        assessment.limitation(messages::sequences_unread(Count(read), Count(total)));
    }

    let (mut findings, mut advice) = (Vec::new(), Vec::new());
    let mut fullest: f64 = 0.0;
    for (position, row) in rows.iter().enumerate() {
        let Some(used) = used(row) else { continue };
        let score = severity::of_sequence(used, row.boolean("is_cycled") == Some(true));
        if score <= severity::LOW {
            continue;
        }
        fullest = fullest.max(used);
        let Some(ratio) = Ratio::new(used) else { continue };
        let reason = match row.count("remaining") {
            Some(left) => messages::sequence_reason(Count(left)),
            None => messages::sequence_reason_unknown(),
        };
        let title = match row.subject() {
            Some(sequence) => messages::named_sequence_title(sequence, ratio),
            None => messages::sequence_title(outcome::number(position), ratio),
        };
        let finding = Finding::new(FindingKind::Wraparound, title.clone(), reason.clone()).score(score);
        let finding = finding.code(words::SEQUENCE_NEAR_END).confidence(Confidence::High);
        if let Some(sequence) = row.subject() {
            findings.push(finding.about(sequence));
            let insight = Insight::new(words::SEQUENCE_TO_EXTEND, Confidence::High, title, reason);
            advice.push(insight.evidence(sequence).recommend(Recommendation::extend(sequence)));
        } else {
            findings.push(finding);
        }
    }
    let n = Count(outcome::worst_first(findings, assessment) as u64);
    match Ratio::new(fullest) {
        Some(fullest) if n.0 > 0 => {
            let (title, reason) = (
                messages::sequences_end_title(n),
                messages::sequences_end_reason(fullest),
            );
            assessment.insight(Insight::new(words::SEQUENCE_ENDS, Confidence::High, title, reason));
            // The rows are ordered by the share that is used.
            advice
                .into_iter()
                .take(ADVISED)
                .for_each(|insight| assessment.insight(insight));
            let (label, reason) = (messages::ask_sequence_label(n), messages::ask_sequence_reason());
            assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
        }
        _ if unknown == 0 => {
            let (title, reason) = (
                messages::sequences_well_title(),
                messages::sequences_well_reason(Count::of(&rows)),
            );
            outcome::all_well(words::SEQUENCES_HAVE_ROOM, Confidence::High, title, reason, assessment);
        }
        _ => {}
    }
}

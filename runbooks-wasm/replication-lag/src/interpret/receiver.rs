//! How this server receives WAL, if it is a standby.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, DurationUs, Finding, FindingKind, Insight, Message, NextAction, Outcome,
    Priority, Record,
};

use crate::{messages, offers, severity, words};

/// Bytes up to which nothing follows from the age of the last transaction: an idle primary writes a little without one now and then.
const BETWEEN_TRANSACTIONS: u64 = 1 << 20;

/// How old the last replayed transaction was when the last message came: a lag only while there is something to replay.
fn behind_us(row: &Record<'_>, unreplayed: u64) -> Option<u64> {
    if unreplayed <= BETWEEN_TRANSACTIONS {
        return None;
    }
    let (replayed, received) = (row.at("last_replayed_at")?, row.at("last_message_received")?);
    u64::try_from(received.saturating_sub(replayed)).ok()
}

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(row) = outcome.records().next() else {
        outcome::all_well(
            words::NO_RECEIVER,
            Confidence::High,
            messages::no_receiver_title(),
            messages::no_receiver_reason(),
            assessment,
        );
        assessment.next_action(offers::standbys(actions));
        // Of a standby that reads an archive.
        assessment.next_action(offers::holders(actions));
        return;
    };
    let is_streaming = match row.text("status") {
        Some("streaming") => true,
        Some(_) => false,
        // Not a word: nothing is known, which is neither.
        None => return,
    };
    let unreplayed = row.count("unreplayed_bytes");
    let behind = unreplayed.and_then(|bytes| behind_us(&row, bytes));
    let score = unreplayed
        .map_or(0.0, severity::of_bytes)
        .max(behind.map_or(0.0, severity::of_time));
    if score > severity::LOW {
        let bytes = Bytes(unreplayed.unwrap_or(0));
        let reason: Message = match behind {
            Some(us) => messages::unreplayed_reason(DurationUs(us)),
            None => messages::unreplayed_reason_unknown(),
        };
        let title = messages::unreplayed_title(bytes);
        let finding = Finding::new(FindingKind::Replication, title.clone(), reason.clone());
        let finding = finding
            .score(score)
            .confidence(Confidence::High)
            .code(words::UNREPLAYED);
        let finding = assessment.finding(finding);
        assessment.insight(Insight::new(words::REPLAY_BEHIND, Confidence::High, title, reason));
        let holders = offers::holders(actions).unwrap_or_else(|| {
            let (label, reason) = (messages::ask_replay_label(), messages::ask_replay_reason());
            NextAction::prompt_user(label, reason)
        });
        assessment.next_action(holders.priority(Priority::Required).because(finding));
        let settings = offers::settings(actions);
        assessment.next_action(settings.map(|action| action.priority(Priority::Required).because(finding)));
        assessment.next_action(offers::logs());
    }
    if !is_streaming {
        let (title, reason) = (messages::not_streaming_title(), messages::not_streaming_reason());
        let finding = Finding::new(FindingKind::Replication, title.clone(), reason.clone());
        let finding = finding.score(severity::NOT_STREAMING).confidence(Confidence::Medium);
        let finding = assessment.finding(finding.code(words::NOT_STREAMING));
        let insight = Insight::new(words::RECEIVER_NOT_STREAMING, Confidence::Medium, title, reason);
        assessment.insight(insight);
        let (label, reason) = (messages::ask_receiver_label(), messages::ask_receiver_reason());
        assessment.next_action(NextAction::prompt_user(label, reason).because(finding));
    }
    if assessment.insights.is_empty() {
        match unreplayed {
            Some(bytes) => outcome::all_well(
                words::RECEIVER_FOLLOWS,
                Confidence::High,
                messages::receiver_well_title(),
                messages::receiver_well_reason(Bytes(bytes)),
                assessment,
            ),
            None => assessment.limitation(messages::unreplayed_unknown()),
        }
    }
}

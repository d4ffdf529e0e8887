//! Connections that were lost, and handshakes that failed.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Count, Evidence, Finding, FindingKind, Message, Ratio, ReasonCode};

use super::{Candidate, TOP, ended, groups_with, opened, total};
use crate::offers::Ask;
use crate::{messages, scores, words};

const LOST: &str = "connection_lost";
const LOST_IN_TRANSACTION: &str = "connection_lost_open_tx";

/// A way for a connection not to come about.
struct Handshake {
    event: &'static str,
    code: ReasonCode,
    /// The score at most, and the number at which it is half of that.
    most: f64,
    half: u64,
    title: fn(Count) -> Message,
    reason: fn() -> Message,
}

/// Clients that cannot get in are felt at once (TLS, a wrong name); what never was a client of the server is hardly felt, and load balancers
/// make thousands of the last.
const HANDSHAKES: [Handshake; 4] = [
    Handshake {
        event: "connection_ssl_failed",
        code: words::SSL_FAILED,
        most: 0.7,
        half: 100,
        title: messages::ssl_title,
        reason: messages::ssl_reason,
    },
    Handshake {
        event: "connection_unknown_database",
        code: words::UNKNOWN_DATABASE,
        most: 0.6,
        half: 100,
        title: messages::unknown_database_title,
        reason: messages::unknown_database_reason,
    },
    Handshake {
        event: "connection_protocol",
        code: words::PROTOCOL_FAILED,
        most: 0.4,
        half: 100,
        title: messages::protocol_title,
        reason: messages::protocol_reason,
    },
    Handshake {
        event: "connection_client_failed_to_connect",
        code: words::STARTUP_FAILED,
        most: 0.19,
        half: 1_000,
        title: messages::startup_title,
        reason: messages::startup_reason,
    },
];

/// Findings about what was lost and what never began.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut found: Vec<Candidate<'_>> = lost(evidence).into_iter().collect();
    for handshake in &HANDSHAKES {
        let n = total(evidence, handshake.event);
        if n == 0 {
            continue;
        }
        let finding = Finding::new(
            FindingKind::ConnectionPressure,
            (handshake.title)(Count(n)),
            (handshake.reason)(),
        )
        .code(handshake.code)
        .score(handshake.most * statements::scores::saturating(n, handshake.half))
        .confidence(statements::scores::confidence(n));
        let groups = groups_with(evidence, handshake.event);
        let finding = groups
            .iter()
            .take(TOP)
            .fold(finding, |finding, (group, _)| finding.evidence(*group));
        let candidate = Candidate::new(finding);
        found.push(if handshake.code == words::STARTUP_FAILED {
            candidate
        } else {
            candidate.ask(Ask::Network)
        });
    }
    found
}

fn lost(evidence: &Evidence) -> Option<Candidate<'_>> {
    let transactions = total(evidence, LOST_IN_TRANSACTION);
    let n = total(evidence, LOST).saturating_add(transactions);
    if n == 0 {
        return None;
    }
    let sessions = opened(evidence).max(ended(evidence));
    let share = (sessions > 0).then(|| Ratio::of(n.min(sessions), sessions));
    let reason = share.map_or_else(messages::lost_reason_unknown, messages::lost_reason);
    let title = messages::lost_title(Count(n), Count(transactions));
    let mut finding = Finding::new(FindingKind::ConnectionPressure, title, reason)
        .code(words::CONNECTION_LOST)
        .score(lost_score(n, transactions, share))
        .confidence(statements::scores::confidence(n));
    if transactions > 0 {
        finding = finding.code(words::TRANSACTION_LOST);
    }
    let mut groups = groups_with(evidence, LOST_IN_TRANSACTION);
    groups.extend(groups_with(evidence, LOST));
    if let Some((group, _)) = groups.first() {
        finding = finding.about(*group);
    }
    // Those with a transaction lost may be among the others, too.
    let first = groups.first().map(|(group, _)| *group);
    let others = groups
        .iter()
        .filter(|(group, _)| first.is_none_or(|first| first.id != group.id));
    for (group, _) in others.take(TOP) {
        finding = finding.evidence(*group);
    }
    let mut candidate = Candidate::new(finding).ask(Ask::Network);
    candidate.sessions = first;
    Some(candidate)
}

/// `m / (m + 100) · s / (s + 1 %)` with `m` those lost and four more for each with a transaction, whose work is lost too, and `s` the share of
/// the sessions. Where the log does not tell the sessions, the second factor is 0.6: as likely many as few.
fn lost_score(n: u64, transactions: u64, share: Option<Ratio>) -> f64 {
    let weight = n.saturating_add(transactions.saturating_mul(4));
    let relative = share.map_or(0.6, |share| scores::saturating(share.value(), 0.01));
    statements::scores::saturating(weight, 100) * relative
}

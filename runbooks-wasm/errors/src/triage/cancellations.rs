//! What the server cancelled or ended, by reason and how many came at a time.

use pg_logstats_runbook_statements::scores::confidence;
use pg_logstats_sdk::{
    Attribution, CancelReason, CancellationGroup, Confidence, Count, Evidence, Finding, FindingKind,
};

use super::category::{is_conflict, of_cancellation};
use super::{About, Candidate, Pace};
use crate::{messages, words};

/// One for each group.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    evidence
        .cancellations
        .iter()
        .map(|group| {
            let pace = Pace::new(evidence, group.count, group.first_seen, group.last_seen);
            Candidate {
                finding: finding(evidence, group, pace),
                pace,
                about: About::Cancellation(group),
            }
        })
        .collect()
}

fn finding(evidence: &Evidence, group: &CancellationGroup, pace: Pace) -> Finding {
    let (_, weight) = of_cancellation(group.reason);
    let title = messages::cancellation_title(group, group.reason, Count(group.count));
    let mut finding = Finding::new(FindingKind::Cancellation, title, pace.reason())
        .about(group)
        .score(weight.score(pace.per_hour()))
        .confidence(sure(group));
    let ends_session = matches!(
        group.reason,
        CancelReason::IdleInTransactionTimeout
            | CancelReason::IdleSessionTimeout
            | CancelReason::TransactionTimeout
            | CancelReason::Terminated
    );
    let codes = [
        (is_conflict(group.reason), words::REPLICATION_CONFLICT),
        (ends_session, words::SESSION_TERMINATED),
        (!ends_session && !is_conflict(group.reason), words::STATEMENT_CANCELLED),
        (pace.is_burst, words::BURST),
        (pace.is_new, words::NEW_IN_WINDOW),
    ];
    for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
        finding = finding.code(code);
    }
    match group.family.as_deref().and_then(|id| evidence.family(id)) {
        Some(family) => finding.evidence(family),
        None => finding,
    }
}

/// By number; a statement that was only concluded is not known for sure.
fn sure(group: &CancellationGroup) -> Confidence {
    match (confidence(group.count), group.attribution) {
        (Confidence::High, Some(Attribution::Running | Attribution::Within)) => Confidence::Medium,
        (confidence, _) => confidence,
    }
}

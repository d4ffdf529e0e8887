//! Connections that were refused because a limit was reached.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Confidence, Count, DurationUs, ErrorClass, Evidence, Finding, FindingKind};

use super::{Candidate, TOP, groups_with, total};
use crate::offers::Ask;
use crate::{messages, scores, words};

const OUT: &str = "connection_out_of_connections";
const ROLE: &str = "connection_too_many_role";
const DATABASE: &str = "connection_too_many_database";
/// `too_many_connections`, whatever language the message is in.
const TOO_MANY: &str = "53300";

/// Findings about refusals.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut found: Vec<Candidate<'_>> = server(evidence).into_iter().collect();
    for (event, code) in [(ROLE, words::ROLE_LIMIT), (DATABASE, words::DATABASE_LIMIT)] {
        for (group, n) in groups_with(evidence, event).into_iter().take(TOP) {
            let title = if event == ROLE {
                messages::role_limit_title(group, Count(n))
            } else {
                messages::database_limit_title(group, Count(n))
            };
            let finding = Finding::new(FindingKind::ConnectionPressure, title, messages::own_limit_reason())
                .about(group)
                .code(code)
                .score(refused_score(n, 0.4))
                .confidence(Confidence::High);
            found.push(Candidate::new(finding).sessions_of(group).ask(Ask::Limit).holders());
        }
    }
    found
}

/// How many connections the server refused for want of one: by their event, and those that only the SQLSTATE tells of.
pub(crate) fn count(evidence: &Evidence) -> u64 {
    total(evidence, OUT).saturating_add(unnamed(evidence))
}

/// What has the SQLSTATE beyond what has an event: messages that are not in English.
fn unnamed(evidence: &Evidence) -> u64 {
    let by_state = classes(evidence).fold(0_u64, |sum, class| sum.saturating_add(class.count));
    let named = [OUT, ROLE, DATABASE].map(|event| total(evidence, event));
    named.iter().fold(by_state, |left, n| left.saturating_sub(*n))
}

fn classes(evidence: &Evidence) -> impl Iterator<Item = &ErrorClass> {
    let is_refusal = |class: &&ErrorClass| class.sqlstate.as_deref() == Some(TOO_MANY);
    evidence.errors.iter().filter(is_refusal)
}

fn server(evidence: &Evidence) -> Option<Candidate<'_>> {
    let n = count(evidence);
    if n == 0 {
        return None;
    }
    let first = classes(evidence).map(|class| class.first_seen).min();
    let last = classes(evidence).map(|class| class.last_seen).max();
    let span = first.zip(last).map(|(first, last)| scores::span_us(first, last));
    let reason = span.map_or_else(messages::refused_reason_unknown, |us| {
        messages::refused_reason(DurationUs(us))
    });
    let groups = groups_with(evidence, OUT);
    let mut finding = Finding::new(
        FindingKind::ConnectionPressure,
        messages::refused_title(Count(n)),
        reason,
    )
    .code(words::OUT_OF_CONNECTIONS)
    .score(refused_score(n, 0.5))
    .confidence(Confidence::High);
    if total(evidence, OUT) == 0 {
        finding = finding.code(words::LIMIT_UNKNOWN).confidence(Confidence::Medium);
    }
    if let Some((group, _)) = groups.first() {
        finding = finding.about(*group);
    }
    for (group, _) in groups.iter().skip(1).take(TOP) {
        finding = finding.evidence(*group);
    }
    for class in classes(evidence).take(TOP) {
        finding = finding.evidence(class);
    }
    let mut candidate = Candidate::new(finding).ask(Ask::Pooler).holders();
    candidate.work = true;
    candidate.sessions = groups.first().map(|(group, _)| *group);
    Some(candidate)
}

/// `base + ½·n / (n + 20)`. Somebody was turned away, which is worth a look from the first time on (`base`); thirty times are an outage.
/// A limit of one role or database concerns nobody else, so its base is lower.
fn refused_score(n: u64, base: f64) -> f64 {
    base + 0.5 * statements::scores::saturating(n, 20)
}

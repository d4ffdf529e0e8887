//! Many connections in a short time, and sessions that are over at once.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{ClientGroup, Count, DurationUs, Evidence, Finding, FindingKind, Rate};

use super::{Candidate, TOP, opened, window_us};
use crate::offers::Ask;
use crate::{messages, scores, words};

/// Fewer connections are no storm, however fast they came: an application that starts fills its pool.
const MANY: u64 = 100;

/// Findings about storms and short sessions.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut clients: Vec<(&ClientGroup, f64)> = evidence
        .clients
        .iter()
        .filter(|client| client.received_count >= MANY)
        .map(|client| (client, storm_score(client.received_count, span(client))))
        .collect();
    clients.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    clients.truncate(TOP);
    let best = clients.first().map_or(0.0, |(_, score)| *score);
    let mut found: Vec<Candidate<'_>> = clients
        .into_iter()
        .filter_map(|(client, score)| {
            let n = client.received_count;
            let rate = Rate::of(n, span(client).max(1_000_000))?;
            let title = messages::storm_client_title(client, Count(n), rate);
            Some(Candidate::new(storm(title, n, score).about(client)))
        })
        .collect();
    found.extend(server(evidence, best));
    let found = found.into_iter().map(|candidate| candidate.ask(Ask::Pooler).holders());
    found.chain(short(evidence)).collect()
}

/// All hosts together, where none of them tells more.
fn server(evidence: &Evidence, best: f64) -> Option<Candidate<'_>> {
    let (n, window) = (opened(evidence), window_us(evidence)?);
    let score = storm_score(n, window);
    if n < MANY || score <= best {
        return None;
    }
    let title = messages::storm_title(Count(n), Rate::of(n, window.max(1_000_000))?);
    Some(Candidate::new(storm(title, n, score)))
}

fn storm(title: pg_logstats_sdk::Message, n: u64, score: f64) -> Finding {
    Finding::new(FindingKind::ConnectionPressure, title, messages::storm_reason())
        .code(words::CONNECTION_STORM)
        .score(score)
        .confidence(statements::scores::confidence(n))
}

/// `r / (r + 20/s) · n / (n + 1000)`. A connection costs the server a few milliseconds of one processor, so that twenty in a second are felt
/// and eighty are most of one; and it has to last, so a thousand of them count half.
fn storm_score(n: u64, span_us: u64) -> f64 {
    scores::saturating(scores::per_second(n, span_us), 20.0) * statements::scores::saturating(n, 1_000)
}

/// `0.7 · n / (n + 1000) · r / (r + 5/s) · 10 s / (10 s + mean)`: many, often, and short. It wastes and does not break: 0.7 at most.
fn short_score(n: u64, span_us: u64, mean_us: u64) -> f64 {
    let often = scores::saturating(scores::per_second(n, span_us), 5.0);
    let shortness = 10e6 / (10e6 + mean_us as f64);
    0.7 * statements::scores::saturating(n, 1_000) * often * shortness
}

fn short(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut found: Vec<Candidate<'_>> = Vec::new();
    for group in evidence.connections.iter().filter(|group| group.session_count >= MANY) {
        let n = group.session_count;
        let mean = group.total_session_us / n;
        let span = scores::span_us(group.first_seen, group.last_seen).max(1_000_000);
        let Some(rate) = Rate::of(n, span) else { continue };
        let title = messages::short_title(Count(n), group, DurationUs(mean));
        let finding = Finding::new(FindingKind::ConnectionPressure, title, messages::short_reason(rate))
            .about(group)
            .code(words::SHORT_SESSIONS)
            .score(short_score(n, span, mean))
            .confidence(statements::scores::confidence(n));
        found.push(Candidate::new(finding).ask(Ask::Pooler).holders());
    }
    found.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));
    found.truncate(TOP);
    found
}

fn span(client: &ClientGroup) -> u64 {
    scores::span_us(client.first_seen, client.last_seen)
}

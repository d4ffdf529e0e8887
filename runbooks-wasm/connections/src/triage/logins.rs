//! Logins that the server rejected.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{ClientGroup, ConnectionGroup, Count, ErrorClass, Evidence, Finding, FindingKind, Rate};

use super::{Candidate, TOP, groups_with, total, window_us};
use crate::offers::Ask;
use crate::{messages, scores, words};

const REJECTED: &str = "connection_rejected";
/// Fewer have no rate worth the name.
const BURST: u64 = 10;
/// So many in a second, ten in a minute, are no person who mistypes.
const FAST: f64 = 10.0 / 60.0;
/// From so many groups on, with none that has half, somebody tries names.
const MANY_LOGINS: usize = 5;

/// Findings about rejected logins.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let all = total(evidence, REJECTED);
    if all == 0 {
        return Vec::new();
    }
    let groups = groups_with(evidence, REJECTED);
    let most = groups.first().map_or(0, |(_, n)| *n);
    let host = host(evidence, all);
    let is_of_many = groups.len() >= MANY_LOGINS && most < all / 2;
    if is_of_many || groups.is_empty() {
        let span = window_us(evidence);
        let title = if is_of_many {
            messages::rejected_many_title(Count(all), Count::of(&groups))
        } else {
            messages::rejected_total_title(Count(all))
        };
        let reason = if is_of_many {
            messages::rejected_many_reason()
        } else {
            messages::rejected_reason_unknown()
        };
        let finding = Finding::new(FindingKind::ConnectionPressure, title, reason);
        let finding = coded(finding, all, span, host);
        let finding = groups
            .iter()
            .take(TOP)
            .fold(finding, |finding, (group, _)| finding.evidence(*group));
        return if is_of_many {
            vec![Candidate::new(finding.code(words::MANY_LOGINS)).ask(Ask::Guessing)]
        } else {
            vec![Candidate::new(finding).ask(Ask::Password)]
        };
    }
    let shown = groups.into_iter().take(TOP);
    shown
        .map(|(group, n)| of_group(evidence, group, n, all, host))
        .collect()
}

fn of_group<'a>(
    evidence: &'a Evidence,
    group: &'a ConnectionGroup,
    n: u64,
    all: u64,
    host: Option<&'a ClientGroup>,
) -> Candidate<'a> {
    let classes: Vec<&ErrorClass> = evidence
        .errors
        .iter()
        .filter(|class| is_rejection(class) && class.dimensions == group.dimensions)
        .collect();
    let first = classes.iter().map(|class| class.first_seen).min();
    let last = classes.iter().map(|class| class.last_seen).max();
    // The group's own span has its good logins in it, so that it is the longer one.
    let span = first.zip(last).unwrap_or((group.first_seen, group.last_seen));
    let span = scores::span_us(span.0, span.1).max(1_000_000);
    let is_fast = n >= BURST && scores::per_second(n, span) >= FAST;
    let reason = match Rate::of(n, span).filter(|_| is_fast) {
        Some(rate) => messages::rejected_reason(rate),
        None => messages::rejected_reason_unknown(),
    };
    let title = messages::rejected_title(group, Count(n));
    let finding = Finding::new(FindingKind::ConnectionPressure, title, reason).about(group);
    let mut finding = coded(finding, n, Some(span), host);
    if group.dimensions.user.is_some() && n >= all - all / 5 {
        finding = finding.code(words::ONE_LOGIN);
    }
    let shown = classes.into_iter().take(TOP);
    let finding = shown.fold(finding, |finding, class| finding.evidence(class));
    Candidate::new(finding).ask(Ask::Password)
}

fn coded(finding: Finding, n: u64, span_us: Option<u64>, host: Option<&ClientGroup>) -> Finding {
    let rate = span_us.filter(|_| n >= BURST).map(|us| scores::per_second(n, us));
    let finding = finding
        .code(words::LOGIN_REJECTED)
        .score(rejected_score(n, rate.unwrap_or(0.0)))
        .confidence(statements::scores::confidence(n));
    let finding = if rate.is_some_and(|rate| rate >= FAST) {
        finding.code(words::REJECTED_IN_A_BURST)
    } else {
        finding
    };
    match host {
        Some(host) => finding.code(words::ONE_HOST).evidence(host),
        None => finding,
    }
}

/// `a + ½·(1 − a)·r / (r + 1/s)` with `a = n / (n + 50)`: a dozen are typing errors of a day, fifty are worth a look, and the same in a
/// burst are a program that goes on trying.
fn rejected_score(n: u64, per_second: f64) -> f64 {
    let amount = statements::scores::saturating(n, 50);
    amount + 0.5 * (1.0 - amount) * scores::saturating(per_second, 1.0)
}

fn is_rejection(class: &ErrorClass) -> bool {
    class.sqlstate.as_deref().is_some_and(|state| state.starts_with("28"))
}

/// The host that they seem to come from. A login that fails is received and has no disconnection, so where ends are logged, the host with
/// most of those that did not end is it, if it has half of what was rejected and half of what did not end.
fn host(evidence: &Evidence, rejected: u64) -> Option<&ClientGroup> {
    let open = |client: &ClientGroup| client.received_count.saturating_sub(client.disconnected_count);
    let clients = &evidence.clients;
    let all = clients
        .iter()
        .fold(0_u64, |sum, client| sum.saturating_add(open(client)));
    let ends_are_logged = clients.iter().any(|client| client.disconnected_count > 0);
    let most = clients.iter().max_by_key(|client| open(client))?;
    let is_it = ends_are_logged && open(most) >= rejected.div_ceil(2) && open(most) >= all.div_ceil(2);
    Some(most).filter(|_| is_it)
}

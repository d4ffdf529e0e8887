//! Phase 1: what the logs tell of connections.

mod failures;
mod logins;
mod refused;
mod storms;

use pg_logstats_runbook_statements::{self as statements, outcome};
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, ConnectionGroup, Count, Evidence, Finding, FindingKind, FindingRef, Insight,
    NextAction, Priority, Recommendation, Setting,
};

pub(crate) use refused::count as refused_count;

use crate::offers::{self, Ask};
use crate::{messages, scores, words};

/// Groups whose live sessions are offered.
const SESSIONS: usize = 5;
/// Groups, clients and classes that one kind of finding names, each.
const TOP: usize = 5;
/// What scores less is what every server has, and is left out.
const REPORTED: f64 = 0.1;
/// Nothing needs to be done about what scores less.
const LOW: f64 = 0.2;

/// A finding, and what it wants next.
struct Candidate<'a> {
    finding: Finding,
    /// Whether what holds the connections now matters.
    holders: bool,
    /// Whether work that takes long may be the cause.
    work: bool,
    sessions: Option<&'a ConnectionGroup>,
    ask: Option<Ask>,
}

impl<'a> Candidate<'a> {
    fn new(finding: Finding) -> Self {
        Self {
            finding,
            holders: false,
            work: false,
            sessions: None,
            ask: None,
        }
    }

    fn sessions_of(mut self, group: &'a ConnectionGroup) -> Self {
        self.sessions = Some(group);
        self
    }

    fn ask(mut self, what: Ask) -> Self {
        self.ask = Some(what);
        self
    }

    fn holders(mut self) -> Self {
        self.holders = true;
        self
    }
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates = refused::candidates(evidence);
    candidates.extend(storms::candidates(evidence));
    candidates.extend(logins::candidates(evidence));
    candidates.extend(failures::candidates(evidence));
    candidates.retain(|candidate| candidate.finding.score >= REPORTED);
    // Stable, so that equals stay in the order of their kinds.
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));

    let mut assessment = Assessment::new();
    let mut pending: Vec<(FindingRef, Candidate<'_>)> = Vec::new();
    for candidate in candidates {
        pending.push((assessment.finding(candidate.finding.clone()), candidate));
    }
    if pending.is_empty() {
        let reason = messages::nothing_reason(Count(opened(evidence)));
        let finding = Finding::new(FindingKind::NothingFound, messages::nothing_title(), reason);
        let is_shown = evidence.window.is_some() && opened(evidence) > 0;
        let confidence = if is_shown { Confidence::High } else { Confidence::Medium };
        assessment.finding(finding.code(statements::words::NOTHING_FOUND).confidence(confidence));
    }
    pending.retain(|(_, candidate)| candidate.finding.score >= LOW);
    request(evidence, &pending, actions, &mut assessment);
    limitations(evidence, &mut assessment);
    if pending.is_empty() && evidence.window.is_some() {
        let reason = messages::stop_reason_nothing();
        assessment.next_action(NextAction::stop(outcome::messages::stop_label(), reason));
    }
    outcome::close(&mut assessment);
    assessment
}

/// What the findings want, each once.
fn request(
    evidence: &Evidence,
    pending: &[(FindingRef, Candidate<'_>)],
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let held: Vec<FindingRef> = refs(pending, |candidate| candidate.holders);
    let is_urgent = pending.iter().any(|(_, c)| c.holders && c.finding.score >= 0.5);
    let priority = if is_urgent || evidence.window.is_none() {
        Priority::Required
    } else if held.is_empty() {
        Priority::Optional
    } else {
        Priority::Recommended
    };
    let counts = offers::counts(actions).map(|action| action.priority(priority));
    assessment.next_action(counts.map(|action| because(action, &held)));
    if !held.is_empty() || evidence.window.is_none() {
        assessment.next_action(offers::settings(actions).map(|action| because(action, &held)));
    }
    let worked = refs(pending, |candidate| candidate.work);
    if !worked.is_empty() && !evidence.lock_waits.is_empty() {
        assessment.next_action(because(offers::locks(), &worked));
    }
    let mut asked: Vec<Ask> = Vec::new();
    let mut looked: Vec<&ConnectionGroup> = Vec::new();
    for (finding, candidate) in pending {
        if let Some(group) = candidate.sessions
            && looked.len() < SESSIONS
            && looked.iter().all(|known| known.dimensions != group.dimensions)
        {
            looked.push(group);
            assessment.next_action(offers::sessions(actions, group).map(|action| action.because(*finding)));
        }
        if let Some(what) = candidate.ask.filter(|what| !asked.contains(what)) {
            asked.push(what);
            let same = refs(pending, |other| other.ask == Some(what));
            assessment.next_action(because(offers::ask(what), &same));
        }
    }
    if !worked.is_empty() && !evidence.families.is_empty() {
        assessment.next_action(because(offers::families(), &worked));
    }
}

fn refs(pending: &[(FindingRef, Candidate<'_>)], is_wanted: impl Fn(&Candidate<'_>) -> bool) -> Vec<FindingRef> {
    let wanted = pending.iter().filter(|(_, candidate)| is_wanted(candidate));
    wanted.map(|(finding, _)| *finding).collect()
}

fn because(action: NextAction, findings: &[FindingRef]) -> NextAction {
    findings.iter().fold(action, |action, finding| action.because(*finding))
}

/// What the logs could not show, and the setting that would change that where it matters.
fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    if evidence.window.is_none() {
        assessment.limitation(statements::messages::no_logs());
        return;
    }
    let refused = refused::count(evidence);
    if opened(evidence) == 0 {
        assessment.limitation(messages::not_logged());
        if refused > 0 {
            let (title, reason) = (
                messages::not_logged_title(),
                messages::not_logged_reason(Count(refused)),
            );
            let insight = Insight::new(words::CONNECTIONS_NOT_LOGGED, Confidence::High, title, reason);
            assessment.insight(insight.recommend(Recommendation::parameter(Setting::LogConnections, 1)));
        }
    } else if total(evidence, "connection_disconnected") == 0 && ended(evidence) == 0 {
        assessment.limitation(messages::ends_not_logged());
    }
}

/// How often `event` happened: by the host's count of all, or the sum of what is listed where that is more.
fn total(evidence: &Evidence, event: &str) -> u64 {
    let named = evidence.events.iter().filter(|count| count.event == event);
    let all = named.fold(0_u64, |sum, count| sum.saturating_add(count.count));
    let groups = evidence.connections.iter();
    all.max(groups.fold(0, |sum, group| sum.saturating_add(group.count_of(event))))
}

/// Connections that were opened: as received, or as authorized where that is not logged.
fn opened(evidence: &Evidence) -> u64 {
    let clients = evidence.clients.iter();
    let received = clients.fold(0_u64, |sum, client| sum.saturating_add(client.received_count));
    received
        .max(total(evidence, "connection_received"))
        .max(total(evidence, "connection_authorized"))
}

/// Sessions whose end was logged.
fn ended(evidence: &Evidence) -> u64 {
    let groups = evidence.connections.iter();
    groups.fold(0, |sum, group| sum.saturating_add(group.session_count))
}

/// Groups that `event` happened to, most first.
fn groups_with<'a>(evidence: &'a Evidence, event: &str) -> Vec<(&'a ConnectionGroup, u64)> {
    let counted = evidence.connections.iter().map(|group| (group, group.count_of(event)));
    let mut groups: Vec<_> = counted.filter(|(_, n)| *n > 0).collect();
    groups.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    groups
}

/// The length of the logs.
fn window_us(evidence: &Evidence) -> Option<u64> {
    let (first, last) = evidence.window?;
    Some(scores::span_us(first, last)).filter(|us| *us > 0)
}

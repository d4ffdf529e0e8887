//! Deadlocks, those of the same statements together.

use std::collections::BTreeMap;

use pg_logstats_sdk::{Confidence, Count, Deadlock, Evidence, Finding, FindingKind, Message};

use crate::{messages, words};

/// Deadlocks whose cycles have the same statements.
pub(super) struct DeadlockGroup<'a> {
    /// In order of time; never empty.
    deadlocks: Vec<&'a Deadlock>,
}

/// The groups, largest first, and of equals the latest first.
pub(super) fn groups(evidence: &Evidence) -> Vec<DeadlockGroup<'_>> {
    let mut by_families: BTreeMap<Vec<&str>, Vec<&Deadlock>> = BTreeMap::new();
    for deadlock in &evidence.deadlocks {
        let mut families: Vec<&str> = deadlock
            .edges
            .iter()
            .filter_map(|edge| edge.family.as_deref())
            .collect();
        families.sort_unstable();
        families.dedup();
        // Deadlocks of statements that the log does not tell have nothing in common.
        if families.is_empty() {
            families.push(&deadlock.id);
        }
        by_families.entry(families).or_default().push(deadlock);
    }
    let mut groups: Vec<DeadlockGroup<'_>> = by_families
        .into_values()
        .map(|mut deadlocks| {
            deadlocks.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
            DeadlockGroup { deadlocks }
        })
        .collect();
    let last = |group: &DeadlockGroup<'_>| group.last().map(|deadlock| deadlock.at);
    groups.sort_by(|a, b| {
        b.deadlocks
            .len()
            .cmp(&a.deadlocks.len())
            .then_with(|| last(b).cmp(&last(a)))
    });
    groups
}

impl<'a> DeadlockGroup<'a> {
    /// The latest.
    pub(super) fn last(&self) -> Option<&'a Deadlock> {
        self.deadlocks.last().copied()
    }

    /// The finding about them: the host adds the facts of the latest.
    pub(super) fn finding(&self) -> Finding {
        let n = self.deadlocks.len() as u64;
        let Some(last) = self.last() else {
            return Finding::new(
                FindingKind::Deadlock,
                messages::nothing_title(),
                messages::nothing_reason(),
            );
        };
        let title = match n {
            1 => messages::deadlock_title(Count(session_count(last)), &last.victim),
            _ => messages::deadlocks_title(Count(n), &last.victim),
        };
        let mut finding = Finding::new(FindingKind::Deadlock, title, circle(last))
            .about(last)
            // One is worth as much as a minute of waiting, since a transaction was lost.
            .score(n as f64 / (n as f64 + 1.0))
            .confidence(Confidence::High)
            .code(words::DEADLOCK);
        if n > 1 {
            finding = finding.code(words::REPEATED_DEADLOCK);
        }
        for edge in &last.edges {
            finding = finding.evidence(&edge.waiter);
        }
        self.deadlocks
            .iter()
            .fold(finding, |finding, deadlock| finding.evidence(*deadlock))
    }
}

fn session_count(deadlock: &Deadlock) -> u64 {
    let mut sessions: Vec<&String> = deadlock
        .edges
        .iter()
        .flat_map(|edge| [&edge.waiter, &edge.holder])
        .chain([&deadlock.victim])
        .collect();
    sessions.sort_unstable();
    sessions.dedup();
    sessions.len() as u64
}

fn circle(deadlock: &Deadlock) -> Message {
    match deadlock.edges.as_slice() {
        [] => messages::deadlock_unknown(),
        [a, b] if a.holder == b.waiter && b.holder == a.waiter => {
            messages::deadlock_of_two(&a.waiter, a.mode, &b.waiter, b.mode)
        }
        edges => messages::deadlock_of_many(Count::of(edges)),
    }
}

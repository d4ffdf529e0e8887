//! Lock waits by who held the lock.

use std::collections::{BTreeMap, BTreeSet};

use pg_logstats_runbook_statements::scores;
use pg_logstats_sdk::{
    Confidence, Count, DurationUs, Evidence, Finding, FindingKind, LockMode, LockTarget, LockWait, Message,
};

use crate::{messages, words};

/// Sessions in the queue from which it is long.
const LONG_QUEUE: u32 = 3;

/// All waits for locks of one session.
pub(super) struct HolderGroup<'a> {
    /// None for the waits whose holder the log does not name.
    pub(super) holder: Option<&'a String>,
    /// The waits for this holder, longest first; never empty.
    pub(super) waits: Vec<&'a LockWait>,
    /// Waits for it and, one behind another, for those who waited for it.
    behind: u64,
    /// The time of all those waits.
    behind_us: u64,
    /// Whether it waited for nobody.
    is_head: bool,
}

/// One group for each holder: the one behind whom most time was waited first; of equals, the one who waited for nobody.
pub(super) fn groups(evidence: &Evidence) -> Vec<HolderGroup<'_>> {
    let mut by_holder: BTreeMap<Option<&String>, Vec<usize>> = BTreeMap::new();
    for (position, wait) in evidence.lock_waits.iter().enumerate() {
        let holders: BTreeSet<Option<&String>> = match wait.holders.as_slice() {
            [] => [None].into(),
            holders => holders.iter().map(Some).collect(),
        };
        for holder in holders {
            by_holder.entry(holder).or_default().push(position);
        }
    }
    let waiters: BTreeSet<&String> = evidence.lock_waits.iter().map(|wait| &wait.waiter).collect();
    let group = |holder: Option<&'_ String>| {
        let behind = waits_behind(evidence, &by_holder, holder);
        let times = behind
            .iter()
            .filter_map(|&position| evidence.lock_waits.get(position))
            .map(|wait| wait.waited_us);
        (behind.len() as u64, times.fold(0, u64::saturating_add))
    };
    let mut groups: Vec<HolderGroup<'_>> = by_holder
        .iter()
        .map(|(&holder, positions)| {
            let mut waits: Vec<&LockWait> = positions.iter().filter_map(|&p| evidence.lock_waits.get(p)).collect();
            waits.sort_by(|a, b| b.waited_us.cmp(&a.waited_us).then_with(|| a.id.cmp(&b.id)));
            let (behind, behind_us) = group(holder);
            let is_head = holder.is_some_and(|holder| !waiters.contains(holder));
            HolderGroup {
                holder,
                waits,
                behind,
                behind_us,
                is_head,
            }
        })
        .collect();
    groups.sort_by(|a, b| {
        b.behind_us
            .cmp(&a.behind_us)
            .then(b.is_head.cmp(&a.is_head))
            .then(a.holder.cmp(&b.holder))
    });
    groups
}

/// Positions of the waits for `holder`, for those who waited for it, and so on; each wait once, so a circle ends.
fn waits_behind<'a>(
    evidence: &'a Evidence,
    by_holder: &BTreeMap<Option<&'a String>, Vec<usize>>,
    holder: Option<&'a String>,
) -> BTreeSet<usize> {
    let mut behind = BTreeSet::new();
    let mut asked = BTreeSet::from([holder]);
    let mut pending = vec![holder];
    while let Some(holder) = pending.pop() {
        for &position in by_holder.get(&holder).into_iter().flatten() {
            behind.insert(position);
            let waiter = evidence.lock_waits.get(position).map(|wait| &wait.waiter);
            if waiter.is_some() && asked.insert(waiter) {
                pending.push(waiter);
            }
        }
    }
    behind
}

impl HolderGroup<'_> {
    /// The finding about this holder: the host adds the facts of its longest wait.
    pub(super) fn finding(&self) -> Finding {
        let total = DurationUs(self.behind_us);
        let title = match (self.holder, self.waits.as_slice()) {
            (Some(holder), [only]) if self.behind == 1 => {
                messages::wait_title(&only.waiter, DurationUs(only.waited_us), holder)
            }
            (Some(holder), _) => messages::holder_title(holder, Count(self.behind), total),
            (None, _) => messages::unknown_holder_title(Count(self.behind), total),
        };
        let Some(longest) = self.waits.first() else {
            return Finding::new(FindingKind::LockWait, title, messages::nothing_reason());
        };
        let mut finding = Finding::new(FindingKind::LockWait, title, longest_reason(longest))
            .about(*longest)
            .score(scores::waited(self.behind_us))
            .confidence(if self.holder.is_some() {
                Confidence::High
            } else {
                Confidence::Medium
            });
        finding = match self.holder {
            Some(holder) => {
                let place = if self.is_head {
                    words::QUEUE_HEAD
                } else {
                    words::QUEUE_MIDDLE
                };
                finding.code(words::HELD_LOCK).code(place).evidence(holder)
            }
            None => finding.code(words::HOLDER_UNKNOWN),
        };
        for wait in &self.waits {
            finding = finding.evidence(&wait.waiter).evidence(*wait);
        }
        with_codes(finding, longest)
    }
}

/// Adds what is remarkable about a wait.
pub(super) fn with_codes(mut finding: Finding, wait: &LockWait) -> Finding {
    let codes = [
        (!wait.acquired, words::NOT_ACQUIRED),
        (wait.mode == LockMode::AccessExclusive, words::ACCESS_EXCLUSIVE),
        (wait.queue_length >= LONG_QUEUE, words::LONG_QUEUE),
    ];
    for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
        finding = finding.code(code);
    }
    finding
}

fn longest_reason(wait: &LockWait) -> Message {
    let waited = DurationUs(wait.waited_us);
    match &wait.target {
        LockTarget::Relation(relation) => messages::longest_on_relation(&wait.waiter, waited, wait.mode, relation),
        LockTarget::Tuple(relation) => messages::longest_on_row(&wait.waiter, waited, wait.mode, relation),
        LockTarget::Transaction => messages::longest_on_transaction(&wait.waiter, waited, wait.mode),
        LockTarget::Other => messages::longest_on_other(&wait.waiter, waited, wait.mode),
    }
}

//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies adds nothing: the host lists itself what it left out, and why.

use std::collections::BTreeMap;

use pg_logstats_sdk::{Action, Actions, Assessment, FindingRef, Message, NextAction, Priority, Subject};

use crate::{messages, words};

/// Next actions, at most: more are no help to whoever has to choose.
const MOST: usize = 20;

/// Offers each action, about each table, once: a further finding that wants it is added to the first offer.
pub(crate) struct Desk<'a> {
    actions: &'a mut dyn Actions,
    pub(crate) assessment: &'a mut Assessment,
    /// Positions among the next actions; none for what the host denied.
    offered: BTreeMap<(Action, String), Option<usize>>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(actions: &'a mut dyn Actions, assessment: &'a mut Assessment) -> Self {
        Self {
            actions,
            assessment,
            offered: BTreeMap::new(),
        }
    }

    /// Offers an action that needs no subject.
    pub(crate) fn offer(&mut self, action: Action, because: Option<FindingRef>, priority: Priority) {
        if let Some((label, reason)) = words_of(action) {
            self.once(action, None, label, reason, because, priority);
        }
    }

    /// The counters of a table.
    pub(crate) fn table(&mut self, table: &dyn Subject, because: Option<FindingRef>) {
        let (label, reason) = (messages::table_label(table), messages::table_reason());
        self.once(words::TABLE, Some(table), label, reason, because, Priority::Recommended);
    }

    /// How much of a table is empty.
    pub(crate) fn bloat(&mut self, table: &dyn Subject, because: Option<FindingRef>) {
        let (label, reason) = (messages::bloat_label(table), messages::bloat_reason());
        self.once(words::BLOAT, Some(table), label, reason, because, Priority::Optional);
    }

    /// Adds a step that is no request.
    pub(crate) fn step(&mut self, step: NextAction) {
        if self.assessment.next_actions.len() < MOST && !self.assessment.next_actions.contains(&step) {
            self.assessment.next_action(step);
        }
    }

    /// The runbook about who locks the tables; the first finding that wants it is its reason.
    pub(crate) fn locks(&mut self, finding: FindingRef) {
        let locks = NextAction::run_workflow(words::LOCKS, messages::locks_label(), messages::locks_reason());
        let is_locks = |known: &&mut NextAction| known.label == locks.label;
        match self.assessment.next_actions.iter_mut().find(is_locks) {
            Some(known) => *known = known.clone().because(finding),
            None => self.step(locks.because(finding)),
        }
    }

    fn once(
        &mut self,
        action: Action,
        table: Option<&dyn Subject>,
        label: Message,
        reason: Message,
        because: Option<FindingRef>,
        priority: Priority,
    ) {
        let key = (action, table.map_or("", |table| table.subject_id()).to_owned());
        let known = self.offered.get(&key).copied();
        if known.is_none() && self.assessment.next_actions.len() >= MOST {
            return;
        }
        let position = known.unwrap_or_else(|| {
            let request = action.request();
            let request = match table {
                Some(table) => request.bind("relation", table),
                None => request,
            };
            let offer = NextAction::offer(self.actions, &request, label, reason)?;
            self.assessment.next_action(offer.priority(priority));
            self.assessment.next_actions.len().checked_sub(1)
        });
        self.offered.insert(key, position);
        let offered = position.and_then(|position| self.assessment.next_actions.get_mut(position));
        if let (Some(offered), Some(finding)) = (offered, because) {
            *offered = offered.clone().because(finding);
        }
    }
}

fn words_of(action: Action) -> Option<(Message, Message)> {
    let all = [
        (words::SETTINGS, messages::settings_label(), messages::settings_reason()),
        (
            words::MOST_DEAD,
            messages::most_dead_label(),
            messages::most_dead_reason(),
        ),
        (words::AGES, messages::ages_label(), messages::ages_reason()),
        (
            words::OLDEST_TABLES,
            messages::oldest_tables_label(),
            messages::oldest_tables_reason(),
        ),
        (words::OLDEST_XMIN, messages::xmin_label(), messages::xmin_reason()),
        (words::PREPARED, messages::prepared_label(), messages::prepared_reason()),
        (words::SLOTS, messages::slots_label(), messages::slots_reason()),
        (words::PROGRESS, messages::progress_label(), messages::progress_reason()),
    ];
    let found = all.into_iter().find(|(known, _, _)| *known == action)?;
    Some((found.1, found.2))
}

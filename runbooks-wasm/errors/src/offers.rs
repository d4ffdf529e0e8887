//! Every request of the runbook, with the words that go with it, besides those of `pg_logstats_runbook_statements`; and the desk that
//! keeps them few, and each once.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Dimensions, FindingRef, Message, NextAction, Subject, Workflow};

use crate::{messages, words};

/// Next actions at most.
const MOST: usize = 20;

/// The live sessions of whoever met an error or a cancellation.
pub(crate) fn sessions(
    actions: &mut dyn Actions,
    subject: &dyn Subject,
    dimensions: &Dimensions,
) -> Option<NextAction> {
    let request = words::ERROR_SESSIONS.request().bind_dimensions(subject, dimensions);
    NextAction::offer(
        actions,
        &request,
        statements::messages::sessions_label(subject),
        messages::error_sessions_reason(),
    )
}

/// Where next actions come together.
pub(crate) struct Desk<'a> {
    pub(crate) actions: &'a mut dyn Actions,
    next: Vec<NextAction>,
    /// Whose sessions, and which families, were asked for.
    asked: Vec<Dimensions>,
    families: Vec<String>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(actions: &'a mut dyn Actions) -> Self {
        Self {
            actions,
            next: Vec::new(),
            asked: Vec::new(),
            families: Vec::new(),
        }
    }

    /// Whether there is room for another request.
    fn has_room(&self) -> bool {
        self.next.len() < MOST
    }

    /// Adds `action`; one that is there already follows from `finding`, too.
    pub(crate) fn add(&mut self, action: impl Into<Option<NextAction>>, finding: FindingRef) {
        let Some(action) = action.into() else { return };
        let same = |known: &&mut NextAction| known.step == action.step && known.label == action.label;
        let has_room = self.has_room();
        match self.next.iter_mut().find(same) {
            Some(known) => *known = known.clone().because(finding),
            None if has_room => self.next.push(action.because(finding)),
            None => {}
        }
    }

    pub(crate) fn workflow(&mut self, workflow: Workflow, label: Message, reason: Message, finding: FindingRef) {
        self.add(NextAction::run_workflow(workflow, label, reason), finding);
    }

    /// The sessions of `dimensions`, each once.
    pub(crate) fn sessions(&mut self, subject: &dyn Subject, dimensions: &Dimensions, finding: FindingRef) {
        if !self.has_room() || self.asked.contains(dimensions) {
            return;
        }
        self.asked.push(dimensions.clone());
        let action = sessions(self.actions, subject, dimensions);
        self.add(action, finding);
    }

    /// The statistics and the plan of a family, each once.
    pub(crate) fn family(&mut self, family: &pg_logstats_sdk::QueryFamily, finding: FindingRef) {
        if !self.has_room() || self.families.contains(&family.id) {
            return;
        }
        self.families.push(family.id.clone());
        let statistics = statements::offers::statistics(self.actions, family);
        self.add(statistics, finding);
        if self.has_room() {
            let plan = statements::offers::explain(self.actions, family);
            self.add(plan, finding);
        }
    }

    /// Hands over what came together.
    pub(crate) fn into(self, assessment: &mut Assessment) {
        for action in self.next {
            assessment.next_action(action);
        }
    }
}

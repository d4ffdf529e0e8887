//! The proof that the gate said yes, and the proof that the intent is on disk.
//!
//! [`crate::db`] runs nothing without both, by value. Neither can be cloned, deserialised or built outside the gate.

use std::sync::Arc;

use pg_logstats_logs::evidence::Sample;

use super::Permit;
use super::decision::risk_of_run;
use crate::catalogue::{Action, BoundParameter};
use crate::words::Risk;

/// An action that the gate has approved for one run, now.
#[derive(Debug)]
pub struct ApprovedAction {
    action: Arc<Action>,
    parameters: Vec<BoundParameter>,
    sample: Option<Sample>,
    permit: Option<Permit>,
}

impl ApprovedAction {
    /// Only the gate calls this, as its last step.
    pub(super) fn new(
        action: Arc<Action>,
        parameters: Vec<BoundParameter>,
        sample: Option<Sample>,
        permit: Option<Permit>,
    ) -> Self {
        Self {
            action,
            parameters,
            sample,
            permit,
        }
    }

    /// For tests of [`crate::db`], which need approved actions without a whole gate.
    #[cfg(test)]
    pub(crate) fn for_test(action: Arc<Action>, parameters: Vec<BoundParameter>, sample: Option<Sample>) -> Self {
        Self::new(action, parameters, sample, None)
    }

    /// What will run.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Its parameters, in the action's order; an absent optional one is missing here and bound as NULL.
    pub fn parameters(&self) -> &[BoundParameter] {
        &self.parameters
    }

    /// What the run may cost, as the verdict looks at it: what a person had to approve is bounded by its caps only.
    pub fn risk(&self) -> Risk {
        risk_of_run(self.action.risk(&self.parameters))
    }

    /// The person's approval, where one was needed.
    pub fn permit(&self) -> Option<&Permit> {
        self.permit.as_ref()
    }

    /// The sample statement, for EXPLAIN ANALYZE.
    pub fn sample(&self) -> Option<&Sample> {
        self.sample.as_ref()
    }
}

/// The intent record of one approved action is durable in the audit log.
#[derive(Debug)]
pub struct DurableIntent {
    index: u64,
    record_id: String,
}

impl DurableIntent {
    /// Only the gate calls this, after the audit log has acknowledged the record.
    pub(super) fn new(index: u64, record_id: String) -> Self {
        Self { index, record_id }
    }

    /// For tests of [`crate::db`].
    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Self::new(0, "in_test".to_owned())
    }

    /// Index in the audit log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Id of the record.
    pub fn record_id(&self) -> &str {
        &self.record_id
    }
}

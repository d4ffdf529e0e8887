//! Actions whose command ended before their outcome was recorded.
//!
//! **In**: the audit log, as it was added up ([`crate::budget`]). **Out**: each intent that no outcome names. **Trusted**: the log, which
//! is verified as it is read. **Can fail**: as counting can.
//!
//! An intent without an outcome is what a crash, a kill or a full disk leaves behind: the statement may have run, or part of it. It
//! counts against the budget of its incident, and whoever uses the workspace next is told.

use crate::budget::Tally;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::report::Limitation;

/// An intent without an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedAction {
    /// The intent's record.
    pub intent_record_id: String,
    /// Its index in the log.
    pub index: u64,
    /// Its incident.
    pub incident_id: String,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl std::fmt::Display for UnfinishedAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the action of intent `{}` (record {}, {}) has no outcome: its command is still running, or it ended before it could record \
             one; its statement may have run, and it counts against the budget",
            self.intent_record_id, self.index, self.created_at
        )
    }
}

impl Gateway {
    /// The intents that no outcome names, in order.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify, or has an action that cannot be counted.
    pub fn unfinished_actions(&self) -> Result<Vec<UnfinishedAction>, GatewayError> {
        Ok(self.tally()?.unfinished())
    }
}

/// What a report of `incident` says about its actions without an outcome.
pub(crate) fn limitations(tally: &Tally, incident: &str) -> impl Iterator<Item = Limitation> {
    let unfinished = tally.unfinished().into_iter();
    unfinished
        .filter(move |action| action.incident_id == incident)
        .map(|action| Limitation {
            code: "action_without_outcome".to_owned(),
            message: action.to_string(),
            count: Some(1),
        })
}

//! Actions whose command ended before their outcome was recorded.
//!
//! **In**: the audit log. **Out**: each intent that no outcome names. **Trusted**: the log, which is verified as it is read.
//! **Can fail**: as reading the log can.
//!
//! An intent without an outcome is what a crash, a kill or a full disk leaves behind: the statement may have run, or part of it. It
//! counts against the budget of its incident, and whoever uses the workspace next is told.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::record::{RecordBody, SealedRecord};
use crate::report::Limitation;
use crate::time::rfc3339;

/// An intent without an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedAction {
    /// The intent's record.
    pub intent_record_id: String,
    /// Its index in the log.
    pub index: u64,
    /// Its incident.
    pub incident_id: Option<String>,
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
    /// The intents that no outcome names, in order. Only incidents that have fewer outcomes than intents are looked into.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify.
    pub fn unfinished_actions(&self) -> Result<Vec<UnfinishedAction>, GatewayError> {
        let mut incidents: BTreeMap<Option<String>, Incident> = BTreeMap::new();
        for indexed in self.log.entries()? {
            let indexed = indexed?;
            let entry = indexed.entry;
            match entry.kind.as_str() {
                "intent" => {
                    let incident = incidents.entry(entry.incident.clone()).or_default();
                    incident.intents.push(UnfinishedAction {
                        intent_record_id: entry.id,
                        index: indexed.index,
                        incident_id: entry.incident,
                        created_at: rfc3339(entry.created_us),
                    });
                }
                "outcome" => incidents.entry(entry.incident).or_default().outcomes.push(entry.id),
                _ => {}
            }
        }
        let mut unfinished = Vec::new();
        for incident in incidents.into_values().filter(|i| i.outcomes.len() < i.intents.len()) {
            let finished = self.intents_of(&incident.outcomes)?;
            unfinished.extend(
                incident
                    .intents
                    .into_iter()
                    .filter(|intent| !finished.contains(&intent.intent_record_id)),
            );
        }
        unfinished.sort_by_key(|intent| intent.index);
        Ok(unfinished)
    }

    /// What a report of `incident` says about its actions without an outcome; `but` is the one that the report is of.
    pub(crate) fn unfinished_limitations(&self, incident: &str, but: &str) -> Result<Vec<Limitation>, GatewayError> {
        let unfinished = self.unfinished_actions()?.into_iter();
        Ok(unfinished
            .filter(|action| action.incident_id.as_deref() == Some(incident) && action.intent_record_id != but)
            .map(|action| Limitation {
                code: "action_without_outcome".to_owned(),
                message: action.to_string(),
                count: Some(1),
            })
            .collect())
    }

    fn intents_of(&self, outcomes: &[String]) -> Result<BTreeSet<String>, GatewayError> {
        let mut intents = BTreeSet::new();
        for id in outcomes {
            let record = self.log.read(id)?;
            let sealed: SealedRecord = serde_json::from_slice(&record.payload)
                .map_err(|e| GatewayError::Internal(format!("record `{id}` does not load: {e}")))?;
            if let RecordBody::Outcome(outcome) = sealed.body {
                intents.insert(outcome.intent_record_id);
            }
        }
        Ok(intents)
    }
}

/// Records of one incident.
#[derive(Default)]
struct Incident {
    intents: Vec<UnfinishedAction>,
    outcomes: Vec<String>,
}

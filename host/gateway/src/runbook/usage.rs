//! What a run used, and how much it handed over.
//!
//! **In**: what a guest handed to the host, as the generated types have it. **Out**: [`Usage`], for the report. **Trusted**: nothing is
//! decided by it. **Can fail**: no.
//!
//! Wasmtime bounds what is copied out of a guest and does not say how much it was. So it is counted here, in a way that depends on
//! what was said alone: each string and each list is 8 bytes (a pointer and a length, as in the canonical ABI) and its content, each
//! number 8 bytes, and each flag or word of an enumeration 1 byte.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bindings::pg_logstats::runbook::types as wit;

/// What a run used: the call that judged, or the one that failed. Only `wall_time_us` differs when the run is repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// WebAssembly fuel: about one for each instruction.
    pub fuel: u64,
    /// Requests that the host answered and recorded.
    pub requests: u64,
    /// Calls of `request`, also those past the limit, which are not recorded.
    pub host_calls: u64,
    /// The most linear memory that the instance had.
    pub peak_memory_bytes: u64,
    /// Size of what it returned: 8 bytes for each string, list and number, and what strings and lists contain.
    pub output_bytes: u64,
    /// Time from making the instance to having its answer. Nothing depends on it.
    pub wall_time_us: u64,
}

/// Its size as handed over; see the module.
pub(super) trait HandedOver {
    /// Bytes.
    fn bytes(&self) -> u64;
}

const WORD_BYTES: u64 = 8;
const FLAG_BYTES: u64 = 1;

impl HandedOver for String {
    fn bytes(&self) -> u64 {
        WORD_BYTES + self.len() as u64
    }
}

impl<T: HandedOver> HandedOver for Vec<T> {
    fn bytes(&self) -> u64 {
        WORD_BYTES + self.iter().map(T::bytes).sum::<u64>()
    }
}

impl<T: HandedOver> HandedOver for Option<T> {
    fn bytes(&self) -> u64 {
        FLAG_BYTES + self.as_ref().map_or(0, T::bytes)
    }
}

impl<T: HandedOver, E: HandedOver> HandedOver for Result<T, E> {
    fn bytes(&self) -> u64 {
        FLAG_BYTES
            + match self {
                Ok(value) => value.bytes(),
                Err(error) => error.bytes(),
            }
    }
}

impl HandedOver for u32 {
    fn bytes(&self) -> u64 {
        WORD_BYTES
    }
}

impl HandedOver for wit::ActionRequest {
    fn bytes(&self) -> u64 {
        self.action.bytes() + self.bindings.bytes()
    }
}

impl HandedOver for wit::Binding {
    fn bytes(&self) -> u64 {
        self.parameter.bytes() + self.subject.bytes()
    }
}

impl HandedOver for wit::Assessment {
    fn bytes(&self) -> u64 {
        self.findings.bytes() + self.insights.bytes() + self.next_actions.bytes() + self.limitations.bytes()
    }
}

impl HandedOver for wit::Failure {
    fn bytes(&self) -> u64 {
        self.message.bytes()
    }
}

impl HandedOver for wit::Finding {
    fn bytes(&self) -> u64 {
        // Kind, score, confidence.
        FLAG_BYTES
            + WORD_BYTES
            + FLAG_BYTES
            + self.subject.bytes()
            + self.title.bytes()
            + self.reason.bytes()
            + self.reason_codes.bytes()
            + self.evidence.bytes()
    }
}

impl HandedOver for wit::Insight {
    fn bytes(&self) -> u64 {
        // Confidence.
        FLAG_BYTES
            + self.id.bytes()
            + self.title.bytes()
            + self.reason.bytes()
            + self.evidence.bytes()
            + self.recommendation.bytes()
    }
}

impl HandedOver for wit::Recommendation {
    fn bytes(&self) -> u64 {
        FLAG_BYTES
            + match self {
                Self::CreateIndex(index) => index.relation.bytes() + index.columns.bytes(),
                Self::SetWorkMem(set) => set.user.bytes() + WORD_BYTES,
                Self::AnalyzeRelation(subject) | Self::EndSession(subject) => subject.bytes(),
                Self::VacuumRelation(vacuum) => vacuum.relation.bytes() + FLAG_BYTES,
                Self::SetAutovacuum(set) => set.relation.bytes() + WORD_BYTES,
                Self::CreateStatistics(statistics) => statistics.relation.bytes() + statistics.columns.bytes(),
                Self::SetParameter(_) => FLAG_BYTES + WORD_BYTES,
                Self::SetStatisticsTarget(set) => set.column.bytes() + WORD_BYTES,
                Self::ExtendSequence(subject)
                | Self::DropIndex(subject)
                | Self::RebuildIndex(subject)
                | Self::ValidateConstraint(subject)
                | Self::DropReplicationSlot(subject)
                | Self::RollbackPrepared(subject) => subject.bytes(),
            }
    }
}

impl HandedOver for wit::NextAction {
    fn bytes(&self) -> u64 {
        // Priority, judgement required.
        2 * FLAG_BYTES + self.step.bytes() + self.label.bytes() + self.reason.bytes() + self.findings.bytes()
    }
}

impl HandedOver for wit::Step {
    fn bytes(&self) -> u64 {
        FLAG_BYTES
            + match self {
                Self::RunSql(_) => WORD_BYTES,
                Self::RunWorkflow(workflow) => workflow.bytes(),
                Self::PromptUser | Self::Stop => 0,
            }
    }
}

impl HandedOver for wit::Message {
    fn bytes(&self) -> u64 {
        self.id.bytes() + self.values.bytes()
    }
}

impl HandedOver for wit::Value {
    fn bytes(&self) -> u64 {
        FLAG_BYTES
            + match self {
                Self::Count(_)
                | Self::DurationUs(_)
                | Self::Bytes(_)
                | Self::Ratio(_)
                | Self::Rate(_)
                | Self::At(_) => WORD_BYTES,
                Self::Subject(subject) => subject.bytes(),
                Self::LockMode(_) | Self::CheckpointCause(_) | Self::CancelReason(_) => FLAG_BYTES,
            }
    }
}

impl HandedOver for wit::Descriptor {
    fn bytes(&self) -> u64 {
        self.name.bytes()
            + self.version.bytes()
            + self.workflow.bytes()
            + self.actions.bytes()
            + self.workflows.bytes()
            + self.reason_codes.bytes()
            + self.insights.bytes()
            + self.messages.bytes()
    }
}

impl HandedOver for wit::MessageTemplate {
    fn bytes(&self) -> u64 {
        self.id.bytes() + self.text.bytes() + WORD_BYTES + FLAG_BYTES * self.holes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_counted_once_for_each_time_it_was_said() {
        let message = wit::Message {
            id: "why".to_owned(),
            values: vec![wit::Value::Count(1), wit::Value::Subject("qf_1".to_owned())],
        };
        // id 8 + 3, list 8, count 1 + 8, subject 1 + 8 + 4
        assert_eq!(message.bytes(), 41);
        let mut assessment = wit::Assessment {
            findings: vec![],
            insights: vec![],
            next_actions: vec![],
            limitations: vec![],
        };
        assert_eq!(assessment.bytes(), 32);
        assessment.limitations = vec![message.clone(), message];
        assert_eq!(assessment.bytes(), 32 + 2 * 41);
    }
}

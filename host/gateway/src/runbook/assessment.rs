//! Checks everything that a runbook says, and turns it into plain checked values.
//!
//! **In**: the raw assessment of one call, its request log, descriptor and subjects. **Out**: [`CheckedAssessment`]: sentences that
//! were built from declared messages, ids that the host issued, tickets that this run got. **Trusted**: nothing before. **Can
//! fail**: with the first [`ContractBreach`]; there is no partial result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bindings::pg_logstats::runbook::types as wit;
use super::descriptor::{CheckedDescriptor, ContractBreach};
use super::limits;
use super::requests::RequestLog;
use crate::subjects::{Subject, SubjectKind, Subjects};
use crate::words::{Confidence, FindingKind, Priority};

/// How many columns extended statistics take (PostgreSQL, CREATE STATISTICS).
const STATISTICS_COLUMNS: std::ops::RangeInclusive<usize> = 2..=8;

/// Which targets ANALYZE takes for a column (PostgreSQL, ALTER TABLE).
const STATISTICS_TARGET: std::ops::RangeInclusive<u32> = 1..=10_000;

/// What a runbook said, after checking. It is part of the sealed record, so that a replay can be compared with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckedAssessment {
    /// In order of rank.
    pub findings: Vec<CheckedFinding>,
    /// Conclusions from an outcome.
    pub insights: Vec<CheckedInsight>,
    /// What could be done next.
    pub next_actions: Vec<CheckedNextAction>,
    /// What the evidence could not show.
    pub limitations: Vec<String>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub struct CheckedFinding {
    pub kind: FindingKind,
    pub subject: Option<String>,
    pub title: String,
    pub reason: String,
    pub reason_codes: Vec<String>,
    pub score: f64,
    pub confidence: Confidence,
    pub evidence: Vec<String>,
}

/// An insight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub struct CheckedInsight {
    pub id: String,
    pub title: String,
    pub reason: String,
    pub confidence: Confidence,
    pub evidence: Vec<String>,
    pub recommendation: Option<CheckedRecommendation>,
}

/// Advice for a person, by subject ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub enum CheckedRecommendation {
    CreateIndex {
        relation: String,
        columns: Vec<String>,
    },
    SetWorkMem {
        user: String,
        bytes: u64,
    },
    AnalyzeRelation {
        relation: String,
    },
    EndSession {
        session: String,
    },
    VacuumRelation {
        relation: String,
        freeze: bool,
    },
    SetAutovacuum {
        relation: String,
        scale_factor_thousandths: u32,
    },
    CreateStatistics {
        relation: String,
        columns: Vec<String>,
    },
    SetParameter {
        setting: Setting,
        value: u64,
    },
    SetStatisticsTarget {
        column: String,
        target: u32,
    },
    ExtendSequence {
        sequence: String,
    },
    DropIndex {
        index: String,
    },
    RebuildIndex {
        index: String,
    },
    ValidateConstraint {
        constraint: String,
    },
    DropReplicationSlot {
        slot: String,
    },
    RollbackPrepared {
        transaction: String,
    },
}

/// A setting of the server that a recommendation may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub enum Setting {
    MaxWalSize,
    CheckpointTimeout,
    AutovacuumWorkMem,
    AutovacuumVacuumCostLimit,
    IdleInTransactionSessionTimeout,
    MaxStandbyStreamingDelay,
    HotStandbyFeedback,
    MaxSlotWalKeepSize,
    TempFileLimit,
    LogLockWaits,
    LogTempFiles,
    LogCheckpoints,
    LogAutovacuumMinDuration,
    LogConnections,
    TrackIoTiming,
}

impl From<wit::Setting> for Setting {
    fn from(setting: wit::Setting) -> Self {
        match setting {
            wit::Setting::MaxWalSize => Self::MaxWalSize,
            wit::Setting::CheckpointTimeout => Self::CheckpointTimeout,
            wit::Setting::AutovacuumWorkMem => Self::AutovacuumWorkMem,
            wit::Setting::AutovacuumVacuumCostLimit => Self::AutovacuumVacuumCostLimit,
            wit::Setting::IdleInTransactionSessionTimeout => Self::IdleInTransactionSessionTimeout,
            wit::Setting::MaxStandbyStreamingDelay => Self::MaxStandbyStreamingDelay,
            wit::Setting::HotStandbyFeedback => Self::HotStandbyFeedback,
            wit::Setting::MaxSlotWalKeepSize => Self::MaxSlotWalKeepSize,
            wit::Setting::TempFileLimit => Self::TempFileLimit,
            wit::Setting::LogLockWaits => Self::LogLockWaits,
            wit::Setting::LogTempFiles => Self::LogTempFiles,
            wit::Setting::LogCheckpoints => Self::LogCheckpoints,
            wit::Setting::LogAutovacuumMinDuration => Self::LogAutovacuumMinDuration,
            wit::Setting::LogConnections => Self::LogConnections,
            wit::Setting::TrackIoTiming => Self::TrackIoTiming,
        }
    }
}

/// A next action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub struct CheckedNextAction {
    pub step: CheckedStep,
    pub label: String,
    pub reason: String,
    pub priority: Priority,
    pub judgement_required: bool,
    /// Positions in `findings`.
    pub findings: Vec<u32>,
}

/// What a next action does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum CheckedStep {
    /// Run the action that this ticket of this run stands for.
    RunSql {
        /// The ticket.
        #[serde(with = "crate::decimal")]
        ticket: u64,
    },
    /// Take another runbook.
    RunWorkflow {
        /// A declared workflow.
        workflow: String,
    },
    /// Hand over to a person.
    PromptUser,
    /// Nothing more to do.
    Stop,
}

/// Checks `raw`.
///
/// # Errors
/// The first rule that is broken.
pub fn check(
    raw: &wit::Assessment,
    descriptor: &CheckedDescriptor,
    requests: &RequestLog,
    subjects: &Subjects,
) -> Result<CheckedAssessment, ContractBreach> {
    let checker = Checker {
        descriptor,
        requests,
        subjects,
    };
    at_most("findings", raw.findings.len(), limits::FINDINGS)?;
    at_most("insights", raw.insights.len(), limits::INSIGHTS)?;
    at_most("next actions", raw.next_actions.len(), limits::NEXT_ACTIONS)?;
    at_most("limitations", raw.limitations.len(), limits::SMALL_LIST)?;
    let findings = raw
        .findings
        .iter()
        .map(|f| checker.finding(f))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(CheckedAssessment {
        insights: raw
            .insights
            .iter()
            .map(|i| checker.insight(i))
            .collect::<Result<_, _>>()?,
        next_actions: raw
            .next_actions
            .iter()
            .map(|a| checker.next_action(a, findings.len()))
            .collect::<Result<_, _>>()?,
        limitations: raw
            .limitations
            .iter()
            .map(|m| descriptor.render(m, subjects))
            .collect::<Result<_, _>>()?,
        findings,
    })
}

fn at_most(what: &str, length: usize, limit: usize) -> Result<(), ContractBreach> {
    if length > limit {
        return Err(ContractBreach::plain(format!(
            "the assessment has {length} {what}, more than {limit}"
        )));
    }
    Ok(())
}

struct Checker<'a> {
    descriptor: &'a CheckedDescriptor,
    requests: &'a RequestLog,
    subjects: &'a Subjects,
}

impl Checker<'_> {
    fn finding(&self, raw: &wit::Finding) -> Result<CheckedFinding, ContractBreach> {
        if !(0.0..=1.0).contains(&raw.score) {
            return Err(ContractBreach::plain("the score of a finding is not between 0 and 1"));
        }
        at_most(
            "reason codes in one finding",
            raw.reason_codes.len(),
            limits::SMALL_LIST,
        )?;
        if let Some(code) = raw
            .reason_codes
            .iter()
            .find(|code| !self.descriptor.declares_reason_code(code))
        {
            return Err(ContractBreach::new(
                "the descriptor does not list the reason code",
                code,
            ));
        }
        if let Some(subject) = &raw.subject {
            self.known(subject)?;
        }
        Ok(CheckedFinding {
            kind: finding_kind(raw.kind),
            subject: raw.subject.clone(),
            title: self.descriptor.render(&raw.title, self.subjects)?,
            reason: self.descriptor.render(&raw.reason, self.subjects)?,
            reason_codes: raw.reason_codes.clone(),
            score: raw.score,
            confidence: confidence(raw.confidence),
            evidence: self.all_known(&raw.evidence)?,
        })
    }

    fn insight(&self, raw: &wit::Insight) -> Result<CheckedInsight, ContractBreach> {
        if !self.descriptor.declares_insight(&raw.id) {
            return Err(ContractBreach::new("the descriptor does not list the insight", &raw.id));
        }
        Ok(CheckedInsight {
            id: raw.id.clone(),
            title: self.descriptor.render(&raw.title, self.subjects)?,
            reason: self.descriptor.render(&raw.reason, self.subjects)?,
            confidence: confidence(raw.confidence),
            evidence: self.all_known(&raw.evidence)?,
            recommendation: raw
                .recommendation
                .as_ref()
                .map(|r| self.recommendation(r))
                .transpose()?,
        })
    }

    fn recommendation(&self, raw: &wit::Recommendation) -> Result<CheckedRecommendation, ContractBreach> {
        let checked = match raw {
            wit::Recommendation::CreateIndex(index) => {
                if index.columns.is_empty() {
                    return Err(ContractBreach::plain("an index recommendation names no column"));
                }
                at_most("columns in one index", index.columns.len(), limits::SMALL_LIST)?;
                for column in &index.columns {
                    self.of_kind(column, SubjectKind::Column)?;
                }
                CheckedRecommendation::CreateIndex {
                    relation: self.of_kind(&index.relation, SubjectKind::Relation)?,
                    columns: index.columns.clone(),
                }
            }
            wit::Recommendation::SetWorkMem(set) => CheckedRecommendation::SetWorkMem {
                user: self.of_kind(&set.user, SubjectKind::User)?,
                bytes: set.bytes,
            },
            wit::Recommendation::AnalyzeRelation(relation) => CheckedRecommendation::AnalyzeRelation {
                relation: self.of_kind(relation, SubjectKind::Relation)?,
            },
            wit::Recommendation::EndSession(session) => CheckedRecommendation::EndSession {
                session: self.of_kind(session, SubjectKind::Session)?,
            },
            wit::Recommendation::VacuumRelation(vacuum) => CheckedRecommendation::VacuumRelation {
                relation: self.of_kind(&vacuum.relation, SubjectKind::Relation)?,
                freeze: vacuum.freeze,
            },
            wit::Recommendation::SetAutovacuum(set) => {
                if set.scale_factor_thousandths > 1_000 {
                    return Err(ContractBreach::plain("a scale factor is more than 1000 thousandths"));
                }
                CheckedRecommendation::SetAutovacuum {
                    relation: self.of_kind(&set.relation, SubjectKind::Relation)?,
                    scale_factor_thousandths: set.scale_factor_thousandths,
                }
            }
            wit::Recommendation::CreateStatistics(statistics) => {
                if !STATISTICS_COLUMNS.contains(&statistics.columns.len()) {
                    return Err(ContractBreach::plain("extended statistics take two to eight columns"));
                }
                for column in &statistics.columns {
                    self.of_kind(column, SubjectKind::Column)?;
                }
                CheckedRecommendation::CreateStatistics {
                    relation: self.of_kind(&statistics.relation, SubjectKind::Relation)?,
                    columns: statistics.columns.clone(),
                }
            }
            wit::Recommendation::SetParameter(set) => CheckedRecommendation::SetParameter {
                setting: set.setting.into(),
                value: set.value,
            },
            wit::Recommendation::SetStatisticsTarget(set) => {
                if !STATISTICS_TARGET.contains(&set.target) {
                    return Err(ContractBreach::plain("a statistics target is 1 to 10000"));
                }
                CheckedRecommendation::SetStatisticsTarget {
                    column: self.of_kind(&set.column, SubjectKind::Column)?,
                    target: set.target,
                }
            }
            wit::Recommendation::ExtendSequence(sequence) => CheckedRecommendation::ExtendSequence {
                sequence: self.of_kind(sequence, SubjectKind::Sequence)?,
            },
            wit::Recommendation::DropIndex(index) => CheckedRecommendation::DropIndex {
                index: self.index_of_a_row(index)?,
            },
            wit::Recommendation::RebuildIndex(index) => CheckedRecommendation::RebuildIndex {
                index: self.index_of_a_row(index)?,
            },
            wit::Recommendation::ValidateConstraint(constraint) => CheckedRecommendation::ValidateConstraint {
                constraint: self.of_kind(constraint, SubjectKind::Constraint)?,
            },
            wit::Recommendation::DropReplicationSlot(slot) => CheckedRecommendation::DropReplicationSlot {
                slot: self.of_kind(slot, SubjectKind::ReplicationSlot)?,
            },
            wit::Recommendation::RollbackPrepared(transaction) => CheckedRecommendation::RollbackPrepared {
                transaction: self.of_kind(transaction, SubjectKind::PreparedTransaction)?,
            },
        };
        Ok(checked)
    }

    fn next_action(&self, raw: &wit::NextAction, findings: usize) -> Result<CheckedNextAction, ContractBreach> {
        at_most("findings in one next action", raw.findings.len(), limits::SMALL_LIST)?;
        if raw.findings.iter().any(|&position| position as usize >= findings) {
            return Err(ContractBreach::plain(
                "a next action refers to a finding that is not there",
            ));
        }
        let step = match &raw.step {
            wit::Step::RunSql(ticket) => {
                if self.requests.offer(*ticket).is_none() {
                    return Err(ContractBreach::plain(format!(
                        "this run was not issued the ticket {ticket}"
                    )));
                }
                CheckedStep::RunSql { ticket: *ticket }
            }
            wit::Step::RunWorkflow(workflow) => {
                if !self.descriptor.declares_workflow(workflow) {
                    return Err(ContractBreach::new(
                        "the descriptor does not list the workflow",
                        workflow,
                    ));
                }
                CheckedStep::RunWorkflow {
                    workflow: workflow.clone(),
                }
            }
            wit::Step::PromptUser => CheckedStep::PromptUser,
            wit::Step::Stop => CheckedStep::Stop,
        };
        Ok(CheckedNextAction {
            step,
            label: self.descriptor.render(&raw.label, self.subjects)?,
            reason: self.descriptor.render(&raw.reason, self.subjects)?,
            priority: match raw.priority {
                wit::Priority::Required => Priority::Required,
                wit::Priority::Recommended => Priority::Recommended,
                wit::Priority::Optional => Priority::Optional,
            },
            judgement_required: raw.judgement_required,
            findings: raw.findings.clone(),
        })
    }

    fn known(&self, id: &str) -> Result<(), ContractBreach> {
        self.subjects
            .get(id)
            .map(|_| ())
            .ok_or_else(|| ContractBreach::new("the evidence has no subject", id))
    }

    fn of_kind(&self, id: &str, kind: SubjectKind) -> Result<String, ContractBreach> {
        match self.subjects.get(id) {
            Some(subject) if subject.kind() == kind => Ok(id.to_owned()),
            Some(_) => Err(ContractBreach::new(
                &format!("a recommendation needs a {} and got", kind.as_str()),
                id,
            )),
            None => Err(ContractBreach::new("the evidence has no subject", id)),
        }
    }

    fn index_of_a_row(&self, id: &str) -> Result<String, ContractBreach> {
        self.of_kind(id, SubjectKind::Index)?;
        index_of_a_row(self.subjects, id)
    }

    fn all_known(&self, ids: &[String]) -> Result<Vec<String>, ContractBreach> {
        at_most("evidence entries", ids.len(), limits::SMALL_LIST)?;
        for id in ids {
            self.known(id)?;
        }
        Ok(ids.to_vec())
    }
}

/// A plan names an index without its schema, so nothing could be said of that one in SQL.
fn index_of_a_row(subjects: &Subjects, id: &str) -> Result<String, ContractBreach> {
    match subjects.get(id) {
        Some(Subject::Object(_)) => Ok(id.to_owned()),
        _ => Err(ContractBreach::new(
            "a recommendation needs an index that a row is about, and got one of a plan",
            id,
        )),
    }
}

fn confidence(raw: wit::Confidence) -> Confidence {
    match raw {
        wit::Confidence::High => Confidence::High,
        wit::Confidence::Medium => Confidence::Medium,
        wit::Confidence::Low => Confidence::Low,
    }
}

fn finding_kind(raw: wit::FindingKind) -> FindingKind {
    match raw {
        wit::FindingKind::QueryFamily => FindingKind::QueryFamily,
        wit::FindingKind::SlowQueryRegression => FindingKind::SlowQueryRegression,
        wit::FindingKind::ErrorClass => FindingKind::ErrorClass,
        wit::FindingKind::TempFile => FindingKind::TempFile,
        wit::FindingKind::LockWait => FindingKind::LockWait,
        wit::FindingKind::Deadlock => FindingKind::Deadlock,
        wit::FindingKind::ConnectionPressure => FindingKind::ConnectionPressure,
        wit::FindingKind::Autovacuum => FindingKind::Autovacuum,
        wit::FindingKind::Checkpoint => FindingKind::Checkpoint,
        wit::FindingKind::Plan => FindingKind::Plan,
        wit::FindingKind::ErrorBurst => FindingKind::ErrorBurst,
        wit::FindingKind::Cancellation => FindingKind::Cancellation,
        wit::FindingKind::Replication => FindingKind::Replication,
        wit::FindingKind::Wraparound => FindingKind::Wraparound,
        wit::FindingKind::NothingFound => FindingKind::NothingFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Object;
    use crate::outcome::RelationName;
    use crate::subjects::index_id;

    #[test]
    fn an_index_of_a_plan_cannot_be_advised_on() {
        let object = Object::Index {
            name: RelationName {
                schema: Some("public".to_owned()),
                name: "a".to_owned(),
            },
            is_partitioned: false,
        };
        let (of_a_row, of_a_plan) = (object.id(), index_id("a"));
        let subjects = Subjects::only([
            (of_a_row.clone(), Subject::Object(Box::new(object))),
            (of_a_plan.clone(), Subject::Index("a".to_owned())),
        ]);
        assert_ne!(of_a_row, of_a_plan);
        assert_eq!(index_of_a_row(&subjects, &of_a_row).unwrap(), of_a_row);
        let refused = index_of_a_row(&subjects, &of_a_plan).unwrap_err();
        assert!(format!("{refused:?}").contains("got one of a plan"), "{refused:?}");
    }
}

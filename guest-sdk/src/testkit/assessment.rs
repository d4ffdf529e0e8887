//! What a runbook said, checked by the host's rules.

use super::TestError;
use super::descriptor::CheckedDescriptor;
use super::host::Request;
use super::subjects::{Kind, Subjects};
use crate::{
    ActionRequest, Assessment, Confidence, Finding, FindingKind, Insight, NextAction, Priority, Recommendation, Step,
};

/// Most findings.
pub(super) const FINDINGS: usize = 200;
/// Most insights.
pub(super) const INSIGHTS: usize = 100;
/// Most next actions.
pub(super) const NEXT_ACTIONS: usize = 200;
/// Most limitations, and entries of the lists inside a finding, an insight or a next action.
pub(super) const SMALL_LIST: usize = 64;

/// An assessment that the host would take, with its sentences.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In the order of their rank.
    pub findings: Vec<ReportedFinding>,
    /// In order.
    pub insights: Vec<ReportedInsight>,
    /// In order.
    pub next_actions: Vec<ReportedAction>,
    /// Sentences.
    pub limitations: Vec<String>,
    /// Every request of the run, with its answer.
    pub requests: Vec<Request>,
}

impl Report {
    /// The insight with this id.
    pub fn insight(&self, id: &str) -> Option<&ReportedInsight> {
        self.insights.iter().find(|insight| insight.id == id)
    }

    /// The ids of the insights, in order.
    pub fn insight_ids(&self) -> Vec<&str> {
        self.insights.iter().map(|insight| insight.id.as_str()).collect()
    }

    /// How many insights come with a recommendation.
    pub fn recommendations(&self) -> usize {
        let insights = self.insights.iter();
        insights.filter(|insight| insight.recommendation.is_some()).count()
    }

    /// The titles of the findings, in order.
    pub fn titles(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.title.as_str()).collect()
    }

    /// Asserts that nothing was found: one finding that says so, of score 0, and no advice.
    ///
    /// # Panics
    /// When there is more, or less.
    #[track_caller]
    pub fn assert_calm(&self) {
        let findings: Vec<(FindingKind, f64)> = self.findings.iter().map(|f| (f.kind, f.score)).collect();
        assert_eq!(findings, [(FindingKind::NothingFound, 0.0)], "{self:?}");
        assert_eq!(self.recommendations(), 0, "{self:?}");
    }

    /// Asserts that nothing was found, and that this insight alone says so.
    ///
    /// # Panics
    /// When there is more, or less.
    #[track_caller]
    pub fn assert_well(&self, insight: &str) {
        assert_eq!(self.insight_ids(), [insight], "{self:?}");
        self.assert_calm();
    }

    /// Asserts that no two next actions are the same step under the same label.
    ///
    /// # Panics
    /// When two are.
    #[track_caller]
    pub fn assert_no_step_twice(&self) {
        for (position, next) in self.next_actions.iter().enumerate() {
            let is_same = |other: &ReportedAction| other.step == next.step && other.label == next.label;
            let is_twice = self.next_actions.iter().skip(position + 1).any(is_same);
            assert!(!is_twice, "{}: {self:?}", next.label);
        }
    }

    /// Asserts that a person is asked first of all, where one is asked, and that else it ends here.
    ///
    /// # Panics
    /// When something else comes first.
    #[track_caller]
    pub fn assert_left_to_a_person_or_stopped(&self) {
        let is_asked = !self.prompts().is_empty();
        let step = if is_asked {
            ReportedStep::PromptUser
        } else {
            ReportedStep::Stop
        };
        assert_eq!(
            self.next_actions.first().map(|next| &next.step),
            Some(&step),
            "{self:?}"
        );
    }

    /// Asserts that the action `action`, which has just run, is not offered again.
    ///
    /// # Panics
    /// When it is.
    #[track_caller]
    pub fn assert_not_offered_again(&self, action: &str) {
        assert_eq!(
            self.offered(action).count(),
            0,
            "the same action is not offered again: {action}"
        );
    }

    /// The highest score of a finding; 0 without any.
    pub fn worst_score(&self) -> f64 {
        self.findings.iter().map(|finding| finding.score).fold(0.0, f64::max)
    }

    /// The labels of the next actions, in order.
    pub fn labels(&self) -> Vec<&str> {
        self.next_actions.iter().map(|next| next.label.as_str()).collect()
    }

    /// The labels of what a person is to do, in order.
    pub fn prompts(&self) -> Vec<&str> {
        let prompts = self.next_actions.iter();
        let prompts = prompts.filter(|next| next.step == ReportedStep::PromptUser);
        prompts.map(|next| next.label.as_str()).collect()
    }

    /// The runbooks that it sends to, in order.
    pub fn workflows(&self) -> Vec<&str> {
        let steps = self.next_actions.iter().map(|next| &next.step);
        steps
            .filter_map(|step| match step {
                ReportedStep::RunWorkflow(workflow) => Some(workflow.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The requests of this action.
    pub fn requested(&self, action: &str) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(move |request| request.request.action == action)
    }

    /// The next actions that offer this catalogue action.
    pub fn offered(&self, action: &str) -> impl Iterator<Item = &ReportedAction> {
        let offers =
            move |step: &ReportedStep| matches!(step, ReportedStep::RunSql(request) if request.action == action);
        self.next_actions.iter().filter(move |next| offers(&next.step))
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedFinding {
    /// Of what kind.
    pub kind: FindingKind,
    /// Id of what it is about.
    pub subject: Option<String>,
    /// Sentence.
    pub title: String,
    /// Sentence.
    pub reason: String,
    /// Declared codes.
    pub reason_codes: Vec<String>,
    /// From 0 to 1.
    pub score: f64,
    /// How sure.
    pub confidence: Confidence,
    /// Ids of known subjects.
    pub evidence: Vec<String>,
}

/// An insight.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedInsight {
    /// A declared id.
    pub id: String,
    /// Sentence.
    pub title: String,
    /// Sentence.
    pub reason: String,
    /// How sure.
    pub confidence: Confidence,
    /// Ids of known subjects.
    pub evidence: Vec<String>,
    /// Of subjects of the right kinds.
    pub recommendation: Option<Recommendation>,
}

/// A next action.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedAction {
    /// What to do.
    pub step: ReportedStep,
    /// Sentence.
    pub label: String,
    /// Sentence.
    pub reason: String,
    /// How pressing.
    pub priority: Priority,
    /// Whether the agent should weigh it up.
    pub judgement_required: bool,
    /// Positions of the findings that it follows from.
    pub findings: Vec<u32>,
}

/// What a next action does.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportedStep {
    /// Run a catalogue action: the request that its ticket stands for.
    RunSql(ActionRequest),
    /// Take another runbook.
    RunWorkflow(String),
    /// Hand over to a person.
    PromptUser,
    /// Nothing more to do.
    Stop,
}

/// Checks `raw`.
pub(super) fn check(
    raw: &Assessment,
    descriptor: &CheckedDescriptor,
    requests: Vec<Request>,
    subjects: &Subjects,
) -> Result<Report, TestError> {
    at_most("findings", raw.findings.len(), FINDINGS)?;
    at_most("insights", raw.insights.len(), INSIGHTS)?;
    at_most("next actions", raw.next_actions.len(), NEXT_ACTIONS)?;
    at_most("limitations", raw.limitations.len(), SMALL_LIST)?;
    let checker = Checker {
        descriptor,
        requests: &requests,
        subjects,
    };
    Ok(Report {
        findings: raw
            .findings
            .iter()
            .map(|finding| checker.finding(finding))
            .collect::<Result<_, _>>()?,
        insights: raw
            .insights
            .iter()
            .map(|insight| checker.insight(insight))
            .collect::<Result<_, _>>()?,
        next_actions: raw
            .next_actions
            .iter()
            .map(|action| checker.next_action(action, raw.findings.len()))
            .collect::<Result<_, _>>()?,
        limitations: raw
            .limitations
            .iter()
            .map(|message| descriptor.render(message, subjects))
            .collect::<Result<_, _>>()?,
        requests,
    })
}

fn at_most(what: &str, length: usize, limit: usize) -> Result<(), TestError> {
    if length > limit {
        return Err(TestError::breach(format!(
            "the assessment has {length} {what}, more than {limit}"
        )));
    }
    Ok(())
}

struct Checker<'a> {
    descriptor: &'a CheckedDescriptor,
    requests: &'a [Request],
    subjects: &'a Subjects,
}

impl Checker<'_> {
    fn finding(&self, raw: &Finding) -> Result<ReportedFinding, TestError> {
        if !(0.0..=1.0).contains(&raw.score) {
            return Err(TestError::breach("the score of a finding is not between 0 and 1"));
        }
        at_most("reason codes in one finding", raw.reason_codes.len(), SMALL_LIST)?;
        raw.reason_codes
            .iter()
            .try_for_each(|code| self.descriptor.check_reason_code(code))?;
        if let Some(subject) = &raw.subject {
            self.subjects.known(subject)?;
        }
        Ok(ReportedFinding {
            kind: raw.kind,
            subject: raw.subject.clone(),
            title: self.descriptor.render(&raw.title, self.subjects)?,
            reason: self.descriptor.render(&raw.reason, self.subjects)?,
            reason_codes: raw.reason_codes.clone(),
            score: raw.score,
            confidence: raw.confidence,
            evidence: self.all_known(&raw.evidence)?,
        })
    }

    fn insight(&self, raw: &Insight) -> Result<ReportedInsight, TestError> {
        self.descriptor.check_insight(&raw.id)?;
        if let Some(recommendation) = &raw.recommendation {
            self.recommendation(recommendation)?;
        }
        Ok(ReportedInsight {
            id: raw.id.clone(),
            title: self.descriptor.render(&raw.title, self.subjects)?,
            reason: self.descriptor.render(&raw.reason, self.subjects)?,
            confidence: raw.confidence,
            evidence: self.all_known(&raw.evidence)?,
            recommendation: raw.recommendation.clone(),
        })
    }

    fn recommendation(&self, raw: &Recommendation) -> Result<(), TestError> {
        match raw {
            Recommendation::CreateIndex(index) => {
                if index.columns.is_empty() {
                    return Err(TestError::breach("an index recommendation names no column"));
                }
                at_most("columns in one index", index.columns.len(), SMALL_LIST)?;
                index
                    .columns
                    .iter()
                    .try_for_each(|column| self.subjects.of_kind(column, Kind::Column))?;
                self.subjects.of_kind(&index.relation, Kind::Relation)
            }
            Recommendation::SetWorkMem(set) => self.subjects.of_kind(&set.user, Kind::User),
            Recommendation::AnalyzeRelation(relation) => self.subjects.of_kind(relation, Kind::Relation),
            Recommendation::EndSession(session) => self.subjects.of_kind(session, Kind::Session),
            Recommendation::VacuumRelation(vacuum) => self.subjects.of_kind(&vacuum.relation, Kind::Relation),
            Recommendation::SetAutovacuum(set) => {
                if set.scale_factor_thousandths > 1_000 {
                    return Err(TestError::breach("a scale factor is more than 1000 thousandths"));
                }
                self.subjects.of_kind(&set.relation, Kind::Relation)
            }
            Recommendation::CreateStatistics(statistics) => {
                if !(2..=8).contains(&statistics.columns.len()) {
                    return Err(TestError::breach("extended statistics take two to eight columns"));
                }
                statistics
                    .columns
                    .iter()
                    .try_for_each(|column| self.subjects.of_kind(column, Kind::Column))?;
                self.subjects.of_kind(&statistics.relation, Kind::Relation)
            }
            Recommendation::SetParameter(_) => Ok(()),
            Recommendation::SetStatisticsTarget(set) => {
                if !(1..=10_000).contains(&set.target) {
                    return Err(TestError::breach("a statistics target is 1 to 10000"));
                }
                self.subjects.of_kind(&set.column, Kind::Column)
            }
            Recommendation::ExtendSequence(sequence) => self.subjects.of_kind(sequence, Kind::Sequence),
            Recommendation::DropIndex(index) | Recommendation::RebuildIndex(index) => {
                self.subjects.index_of_a_row(index)
            }
            Recommendation::ValidateConstraint(constraint) => self.subjects.of_kind(constraint, Kind::Constraint),
            Recommendation::DropReplicationSlot(slot) => self.subjects.of_kind(slot, Kind::ReplicationSlot),
            Recommendation::RollbackPrepared(transaction) => {
                self.subjects.of_kind(transaction, Kind::PreparedTransaction)
            }
        }
    }

    fn next_action(&self, raw: &NextAction, findings: usize) -> Result<ReportedAction, TestError> {
        at_most("findings in one next action", raw.findings.len(), SMALL_LIST)?;
        if raw
            .findings
            .iter()
            .any(|&position| usize::try_from(position).is_ok_and(|p| p >= findings))
        {
            return Err(TestError::breach("a next action refers to a finding that is not there"));
        }
        let step = match &raw.step {
            Step::RunSql(ticket) => {
                let issued = self.requests.iter().find(|request| request.answer == Ok(*ticket));
                let breach = || TestError::breach(format!("this run was not issued the ticket {ticket}"));
                ReportedStep::RunSql(issued.ok_or_else(breach)?.request.clone())
            }
            Step::RunWorkflow(workflow) => {
                self.descriptor.check_workflow(workflow)?;
                ReportedStep::RunWorkflow(workflow.clone())
            }
            Step::PromptUser => ReportedStep::PromptUser,
            Step::Stop => ReportedStep::Stop,
        };
        Ok(ReportedAction {
            step,
            label: self.descriptor.render(&raw.label, self.subjects)?,
            reason: self.descriptor.render(&raw.reason, self.subjects)?,
            priority: raw.priority,
            judgement_required: raw.judgement_required,
            findings: raw.findings.clone(),
        })
    }

    fn all_known(&self, ids: &[String]) -> Result<Vec<String>, TestError> {
        at_most("evidence entries", ids.len(), SMALL_LIST)?;
        for id in ids {
            self.subjects.known(id)?;
        }
        Ok(ids.to_vec())
    }
}

//! Builders for what a runbook says.
//!
//! **In**: messages, words and subjects. **Out**: an [`Assessment`]. Scores are kept between 0 and 1, lists of evidence without
//! doubles and within the host's limit, and a next action can only follow from a finding that the assessment has.

use crate::{
    ActionRequest, Actions, Assessment, Confidence, CreateIndex, CreateStatistics, Finding, FindingKind, Insight,
    InsightId, Message, NextAction, Priority, ReasonCode, Recommendation, SetAutovacuum, SetParameter,
    SetStatisticsTarget, SetWorkMem, Setting, Step, Subject, Ticket, VacuumRelation, Workflow,
};

/// Entries that one finding or insight may name as evidence, and columns of one index; the host takes no more.
pub const LIST_LIMIT: usize = 64;

/// A finding of an assessment, for [`NextAction::because`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingRef(u32);

impl Assessment {
    /// An assessment that says nothing yet.
    pub fn new() -> Self {
        Self {
            findings: Vec::new(),
            insights: Vec::new(),
            next_actions: Vec::new(),
            limitations: Vec::new(),
        }
    }

    /// Adds a finding; the order is the rank.
    pub fn finding(&mut self, finding: Finding) -> FindingRef {
        let position = u32::try_from(self.findings.len()).unwrap_or(u32::MAX);
        self.findings.push(finding);
        FindingRef(position)
    }

    /// Adds an insight.
    pub fn insight(&mut self, insight: Insight) {
        self.insights.push(insight);
    }

    /// Adds a next action; `None`, what became of an [offer](NextAction::offer) that the host denied, adds nothing.
    pub fn next_action(&mut self, action: impl Into<Option<NextAction>>) {
        self.next_actions.extend(action.into());
    }

    /// Says what the evidence could not show.
    pub fn limitation(&mut self, message: Message) {
        if !self.limitations.contains(&message) {
            self.limitations.push(message);
        }
    }
}

impl Default for Assessment {
    fn default() -> Self {
        Self::new()
    }
}

impl Finding {
    /// A finding of low confidence and score 0 until told otherwise.
    pub fn new(kind: FindingKind, title: Message, reason: Message) -> Self {
        Self {
            kind,
            subject: None,
            title,
            reason,
            reason_codes: Vec::new(),
            score: 0.0,
            confidence: Confidence::Low,
            evidence: Vec::new(),
        }
    }

    /// What it is about: the host adds that subject's facts and metrics.
    #[must_use]
    pub fn about(mut self, subject: &dyn Subject) -> Self {
        self.subject = Some(subject.subject_id().to_owned());
        self
    }

    /// How important it is, from 0 to 1; what lies outside is cut, and what is not a number is 0.
    #[must_use]
    pub fn score(mut self, score: f64) -> Self {
        self.score = if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0) };
        self
    }

    /// How sure it is.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Adds a reason code.
    #[must_use]
    pub fn code(mut self, code: ReasonCode) -> Self {
        self.reason_codes.push(code.as_str().to_owned());
        self
    }

    /// Adds a further subject that supports it; the first 64 are kept.
    #[must_use]
    pub fn evidence(mut self, subject: &dyn Subject) -> Self {
        add(&mut self.evidence, subject);
        self
    }
}

impl Insight {
    /// An insight.
    pub fn new(id: InsightId, confidence: Confidence, title: Message, reason: Message) -> Self {
        Self {
            id: id.as_str().to_owned(),
            title,
            reason,
            confidence,
            evidence: Vec::new(),
            recommendation: None,
        }
    }

    /// Adds a row's subject or a plan node that shows it; the first 64 are kept.
    #[must_use]
    pub fn evidence(mut self, subject: &dyn Subject) -> Self {
        add(&mut self.evidence, subject);
        self
    }

    /// Advice for a person that follows from it.
    #[must_use]
    pub fn recommend(mut self, recommendation: Recommendation) -> Self {
        self.recommendation = Some(recommendation);
        self
    }
}

impl Recommendation {
    /// An index on `columns` of `relation`, in this order; `None` without a column. The first 64 columns are kept.
    pub fn index<S: Subject>(relation: &dyn Subject, columns: &[S]) -> Option<Self> {
        let mut ids = Vec::new();
        for column in columns {
            add(&mut ids, column);
        }
        let relation = relation.subject_id().to_owned();
        (!ids.is_empty()).then_some(Self::CreateIndex(CreateIndex { relation, columns: ids }))
    }

    /// `work_mem` of `bytes` for the role `user` (a subject of kind `user`).
    pub fn work_mem(user: &dyn Subject, bytes: u64) -> Self {
        Self::SetWorkMem(SetWorkMem {
            user: user.subject_id().to_owned(),
            bytes,
        })
    }

    /// ANALYZE of `relation`.
    pub fn analyze(relation: &dyn Subject) -> Self {
        Self::AnalyzeRelation(relation.subject_id().to_owned())
    }

    /// VACUUM of `relation`, of all its pages with `freeze`.
    pub fn vacuum(relation: &dyn Subject, freeze: bool) -> Self {
        Self::VacuumRelation(VacuumRelation {
            relation: relation.subject_id().to_owned(),
            freeze,
        })
    }

    /// Autovacuum of `relation` from this share of dead tuples on, in thousandths; more than all is all.
    pub fn autovacuum(relation: &dyn Subject, scale_factor_thousandths: u32) -> Self {
        Self::SetAutovacuum(SetAutovacuum {
            relation: relation.subject_id().to_owned(),
            scale_factor_thousandths: scale_factor_thousandths.min(1_000),
        })
    }

    /// Extended statistics on `columns` of `relation`; `None` for fewer than two. The first eight columns are kept, which is all that
    /// PostgreSQL takes.
    pub fn statistics<S: Subject>(relation: &dyn Subject, columns: &[S]) -> Option<Self> {
        let mut ids = Vec::new();
        for column in columns {
            add(&mut ids, column);
        }
        ids.truncate(8);
        let relation = relation.subject_id().to_owned();
        (ids.len() > 1).then_some(Self::CreateStatistics(CreateStatistics { relation, columns: ids }))
    }

    /// ANALYZE looks at `column` with this target, 1 to 10,000; less or more is the nearest of these.
    pub fn statistics_target(column: &dyn Subject, target: u32) -> Self {
        Self::SetStatisticsTarget(SetStatisticsTarget {
            column: column.subject_id().to_owned(),
            target: target.clamp(1, 10_000),
        })
    }

    /// Room for `sequence`, and in the column that takes its values.
    pub fn extend(sequence: &dyn Subject) -> Self {
        Self::ExtendSequence(sequence.subject_id().to_owned())
    }

    /// Drop `index`, the subject of a row: only of one that ensures nothing, and that nothing needs.
    pub fn drop_index(index: &dyn Subject) -> Self {
        Self::DropIndex(index.subject_id().to_owned())
    }

    /// Build `index`, the subject of a row, anew while others write.
    pub fn rebuild_index(index: &dyn Subject) -> Self {
        Self::RebuildIndex(index.subject_id().to_owned())
    }

    /// Look whether all rows keep to `constraint`, the subject of a row.
    pub fn validate(constraint: &dyn Subject) -> Self {
        Self::ValidateConstraint(constraint.subject_id().to_owned())
    }

    /// Drop the replication slot `slot`, the subject of a row, if nobody uses it at that moment.
    pub fn drop_slot(slot: &dyn Subject) -> Self {
        Self::DropReplicationSlot(slot.subject_id().to_owned())
    }

    /// Roll back the prepared `transaction`, the subject of a row, or commit it: always the decision of a person who knows its manager.
    pub fn roll_back(transaction: &dyn Subject) -> Self {
        Self::RollbackPrepared(transaction.subject_id().to_owned())
    }

    /// A setting of the server: bytes, microseconds, a number, or 0 and 1 for off and on, as [`Setting`] says.
    pub fn parameter(setting: Setting, value: u64) -> Self {
        Self::SetParameter(SetParameter { setting, value })
    }

    /// End `session`: always a person's decision.
    pub fn end(session: &dyn Subject) -> Self {
        Self::EndSession(session.subject_id().to_owned())
    }
}

impl NextAction {
    /// Requests an action, and offers it to the agent if the host would. A denial is not lost: the host lists what it left out,
    /// and why.
    pub fn offer(actions: &mut dyn Actions, request: &ActionRequest, label: Message, reason: Message) -> Option<Self> {
        actions
            .request(request)
            .ok()
            .map(|ticket| Self::run_sql(ticket, label, reason))
    }

    /// Run the action that the host issued `ticket` for.
    pub fn run_sql(ticket: Ticket, label: Message, reason: Message) -> Self {
        Self::new(Step::RunSql(ticket.number()), label, reason)
    }

    /// Take another runbook.
    pub fn run_workflow(workflow: Workflow, label: Message, reason: Message) -> Self {
        Self::new(Step::RunWorkflow(workflow.as_str().to_owned()), label, reason)
    }

    /// Hand over to a person, which always needs judgement.
    pub fn prompt_user(label: Message, reason: Message) -> Self {
        Self::new(Step::PromptUser, label, reason).judgement_required()
    }

    /// Nothing more to do.
    pub fn stop(label: Message, reason: Message) -> Self {
        Self::new(Step::Stop, label, reason)
    }

    fn new(step: Step, label: Message, reason: Message) -> Self {
        Self {
            step,
            label,
            reason,
            priority: Priority::Recommended,
            judgement_required: false,
            findings: Vec::new(),
        }
    }

    /// How pressing it is; `recommended` until told otherwise.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// The agent should weigh this up rather than just do it.
    #[must_use]
    pub fn judgement_required(mut self) -> Self {
        self.judgement_required = true;
        self
    }

    /// Adds a finding that it follows from.
    #[must_use]
    pub fn because(mut self, finding: FindingRef) -> Self {
        if !self.findings.contains(&finding.0) && self.findings.len() < LIST_LIMIT {
            self.findings.push(finding.0);
        }
        self
    }
}

fn add(ids: &mut Vec<String>, subject: &dyn Subject) {
    let id = subject.subject_id();
    if ids.len() < LIST_LIMIT && ids.iter().all(|known| known != id) {
        ids.push(id.to_owned());
    }
}

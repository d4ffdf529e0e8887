//! Which subjects a run has, and what each can fill parameters with.

use std::collections::BTreeMap;

use super::TestError;
use super::catalogue::{self, Facet, Rows};
use crate::{Dimensions, Evidence, LockTarget, LoggedPlanNode, Outcome, StatementKind};

/// The contract's `subject-kind`, which no function of it mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    QueryFamily,
    Session,
    Relation,
    Database,
    User,
    Application,
    ErrorClass,
    LockWait,
    Deadlock,
    TempFileGroup,
    PlanNode,
    Column,
    Checkpoint,
    AutovacuumGroup,
    ConnectionGroup,
    ClientGroup,
    CancellationGroup,
    PlanGroup,
    Index,
    Sequence,
    Constraint,
    ReplicationSlot,
    PreparedTransaction,
}

impl Kind {
    fn has_dimensions(self) -> bool {
        matches!(
            self,
            Self::QueryFamily
                | Self::Session
                | Self::ErrorClass
                | Self::LockWait
                | Self::Deadlock
                | Self::TempFileGroup
                | Self::AutovacuumGroup
                | Self::ConnectionGroup
                | Self::CancellationGroup
                | Self::PlanGroup
        )
    }

    /// Whether it is about a statement, as far as that is known.
    fn is_of_a_statement(self) -> bool {
        matches!(
            self,
            Self::QueryFamily | Self::TempFileGroup | Self::CancellationGroup | Self::PlanGroup
        )
    }
}

/// What is known about one subject.
#[derive(Debug, Clone)]
struct Facts {
    kind: Kind,
    dimensions: Dimensions,
    /// The statement of a family, or of the family of a group of temporary files.
    statement: Option<StatementKind>,
    has_query_id: bool,
    has_sample: bool,
    /// Whether it is a relation or an index whose schema the log does not tell, so that it can be named, and neither bound nor changed.
    is_unbindable: bool,
}

/// Whether a subject has a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offers {
    Value,
    /// The kind has it, this subject not.
    Nothing,
    /// That kind of subject has no such fact.
    WrongKind,
}

/// What the subjects of its rows are: sessions, unless the action says otherwise.
pub(super) fn kind_of_rows(outcome: &Outcome) -> Kind {
    match catalogue::action(&outcome.action).map(|action| action.rows) {
        Some(Rows::Sequences) => Kind::Sequence,
        Some(Rows::Indexes) => Kind::Index,
        Some(Rows::Constraints) => Kind::Constraint,
        Some(Rows::ReplicationSlots) => Kind::ReplicationSlot,
        Some(Rows::PreparedTransactions) => Kind::PreparedTransaction,
        Some(Rows::Sessions | Rows::Plain) | None => Kind::Session,
    }
}

/// All subjects of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Subjects {
    by_id: BTreeMap<String, Facts>,
}

impl Subjects {
    pub(super) fn new(evidence: &Evidence, outcome: Option<&Outcome>) -> Self {
        let mut subjects = Self::default();
        for family in &evidence.families {
            subjects.add(&family.id, Kind::QueryFamily, &family.dimensions);
            subjects.add_statement(&family.id, evidence, Some(&family.id));
        }
        subjects.add_locks(evidence);
        for class in &evidence.errors {
            subjects.add(&class.id, Kind::ErrorClass, &class.dimensions);
        }
        for group in &evidence.temp_files {
            subjects.add(&group.id, Kind::TempFileGroup, &group.dimensions);
            subjects.add_statement(&group.id, evidence, group.family.as_ref());
        }
        subjects.add_activity(evidence);
        for session in &evidence.live_sessions {
            subjects.add(&session.id, Kind::Session, &session.dimensions);
        }
        for column in &evidence.live_columns {
            subjects.add_plain(&column.id, Kind::Column);
            subjects.add_plain(&column.relation, Kind::Relation);
        }
        if let Some(outcome) = outcome {
            subjects.add_outcome(outcome);
        }
        subjects
    }

    /// # Errors
    /// When the run has no such subject.
    pub(super) fn known(&self, id: &str) -> Result<Kind, TestError> {
        let facts = self.by_id.get(id);
        facts
            .map(|facts| facts.kind)
            .ok_or_else(|| TestError::breach(format!("the evidence has no subject `{id}`")))
    }

    pub(super) fn of_kind(&self, id: &str, kind: Kind) -> Result<(), TestError> {
        match self.known(id)? {
            found if found == kind => Ok(()),
            found => Err(TestError::breach(format!(
                "a {kind:?} is needed, and `{id}` is a {found:?}"
            ))),
        }
    }

    /// A plan names an index without its schema, so nothing can be said of that one in SQL.
    pub(super) fn index_of_a_row(&self, id: &str) -> Result<(), TestError> {
        self.of_kind(id, Kind::Index)?;
        match self.by_id.get(id) {
            Some(facts) if facts.is_unbindable => Err(TestError::breach(format!(
                "an index that a row is about is needed, and `{id}` is one of a plan"
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn statement(&self, id: &str) -> Option<StatementKind> {
        self.by_id.get(id)?.statement
    }

    /// What `id` offers for a parameter; `None` when the run has no such subject.
    pub(super) fn offers(&self, id: &str, facet: Facet) -> Option<Offers> {
        let facts = self.by_id.get(id)?;
        let is_statement = facts.kind.is_of_a_statement();
        let value = match facet {
            Facet::QueryId if is_statement => facts.has_query_id,
            Facet::Sample if is_statement => facts.has_sample,
            Facet::Session => facts.kind == Kind::Session,
            Facet::Relation if facts.is_unbindable && facts.kind != Kind::Index => return Some(Offers::Nothing),
            Facet::Relation => matches!(facts.kind, Kind::Relation | Kind::Column | Kind::AutovacuumGroup),
            Facet::Database if facts.kind == Kind::Database => true,
            Facet::User if facts.kind == Kind::User => true,
            Facet::ApplicationName if facts.kind == Kind::Application => true,
            Facet::User | Facet::ApplicationName if facts.kind == Kind::AutovacuumGroup => {
                return Some(Offers::WrongKind);
            }
            Facet::Database if facts.kind.has_dimensions() => facts.dimensions.database.is_some(),
            Facet::User if facts.kind.has_dimensions() => facts.dimensions.user.is_some(),
            Facet::ApplicationName if facts.kind.has_dimensions() => facts.dimensions.application.is_some(),
            _ => return Some(Offers::WrongKind),
        };
        Some(match (facet, value) {
            (Facet::Session | Facet::Relation, false) => Offers::WrongKind,
            (_, true) => Offers::Value,
            (_, false) => Offers::Nothing,
        })
    }

    fn add(&mut self, id: &str, kind: Kind, dimensions: &Dimensions) {
        for (name, kind) in [
            (&dimensions.database, Kind::Database),
            (&dimensions.user, Kind::User),
            (&dimensions.application, Kind::Application),
        ] {
            if let Some(name) = name {
                self.add_plain(name, kind);
            }
        }
        let facts = Facts {
            kind,
            dimensions: dimensions.clone(),
            statement: None,
            has_query_id: false,
            has_sample: false,
            is_unbindable: false,
        };
        let none = Dimensions {
            database: None,
            user: None,
            application: None,
        };
        match self.by_id.get_mut(id) {
            // A session first seen as a holder has no dimensions yet.
            Some(known) if known.dimensions == none => known.dimensions = facts.dimensions,
            Some(_) => {}
            None => {
                self.by_id.insert(id.to_owned(), facts);
            }
        }
    }

    fn add_plain(&mut self, id: &str, kind: Kind) {
        let dimensions = Dimensions {
            database: None,
            user: None,
            application: None,
        };
        let facts = Facts {
            kind,
            dimensions,
            statement: None,
            has_query_id: false,
            has_sample: false,
            is_unbindable: false,
        };
        self.by_id.entry(id.to_owned()).or_insert(facts);
    }

    fn add_statement(&mut self, id: &str, evidence: &Evidence, family: Option<&String>) {
        let Some(family) = family.and_then(|family| evidence.family(family)) else {
            return;
        };
        if let Some(facts) = self.by_id.get_mut(id) {
            facts.statement = Some(family.kind);
            facts.has_query_id = family.query_id_count > 0;
            facts.has_sample = family.has_sample;
        }
    }

    fn add_locks(&mut self, evidence: &Evidence) {
        for wait in &evidence.lock_waits {
            self.add(&wait.id, Kind::LockWait, &wait.dimensions);
            self.add(&wait.waiter, Kind::Session, &wait.dimensions);
            wait.holders
                .iter()
                .for_each(|holder| self.add_plain(holder, Kind::Session));
            self.add_target(&wait.target);
        }
        for deadlock in &evidence.deadlocks {
            self.add(&deadlock.id, Kind::Deadlock, &deadlock.dimensions);
            self.add(&deadlock.victim, Kind::Session, &deadlock.dimensions);
            for edge in &deadlock.edges {
                self.add_plain(&edge.waiter, Kind::Session);
                self.add_plain(&edge.holder, Kind::Session);
                self.add_target(&edge.target);
            }
        }
    }

    /// What the server's own processes and its connections did.
    fn add_activity(&mut self, evidence: &Evidence) {
        let none = Dimensions {
            database: None,
            user: None,
            application: None,
        };
        for checkpoint in &evidence.checkpoints.longest {
            self.add_plain(&checkpoint.id, Kind::Checkpoint);
        }
        for group in &evidence.autovacuum {
            let database = Dimensions {
                database: group.database.clone(),
                ..none.clone()
            };
            self.add(&group.id, Kind::AutovacuumGroup, &database);
            self.add_plain(&group.table, Kind::Relation);
            // The log names a table with its database and schema, or by its bare name.
            if group.database.is_none() {
                self.make_unbindable(&group.id);
                self.make_unbindable(&group.table);
            }
        }
        for group in &evidence.connections {
            self.add(&group.id, Kind::ConnectionGroup, &group.dimensions);
        }
        for group in &evidence.clients {
            self.add_plain(&group.id, Kind::ClientGroup);
        }
        for group in &evidence.cancellations {
            self.add(&group.id, Kind::CancellationGroup, &group.dimensions);
            self.add_statement(&group.id, evidence, group.family.as_ref());
        }
        for group in &evidence.plans {
            let family = evidence.family(&group.family);
            self.add(
                &group.id,
                Kind::PlanGroup,
                family.map_or(&none, |family| &family.dimensions),
            );
            self.add_statement(&group.id, evidence, Some(&group.family));
            group.slowest_plan.iter().for_each(|node| self.add_logged_node(node));
        }
    }

    fn add_logged_node(&mut self, node: &LoggedPlanNode) {
        if let Some(relation) = &node.relation {
            let is_new = !self.by_id.contains_key(relation);
            self.add_plain(relation, Kind::Relation);
            if is_new {
                self.make_unbindable(relation);
            }
        }
        if let Some(index) = &node.index {
            self.add_plain(index, Kind::Index);
            self.make_unbindable(index);
        }
    }

    fn make_unbindable(&mut self, id: &str) {
        if let Some(facts) = self.by_id.get_mut(id) {
            facts.is_unbindable = true;
        }
    }

    fn add_target(&mut self, target: &LockTarget) {
        if let Some(relation) = target.relation() {
            self.add_plain(relation, Kind::Relation);
        }
    }

    fn add_outcome(&mut self, outcome: &Outcome) {
        let kind = kind_of_rows(outcome);
        for subject in outcome.rows.iter().filter_map(|row| row.subject.as_ref()) {
            self.add_plain(subject, kind);
        }
        for node in &outcome.plan {
            self.add_plain(&node.id, Kind::PlanNode);
            if let Some(relation) = &node.relation {
                self.add_plain(relation, Kind::Relation);
            }
            node.filter_columns
                .iter()
                .for_each(|column| self.add_plain(column, Kind::Column));
        }
    }
}

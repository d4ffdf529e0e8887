//! Subjects: the things of the evidence that a runbook can point at, and the facts that each can fill parameters with.
//!
//! **In**: a snapshot and, in phase 2, an outcome. **Out**: a map from the ids that the host issues to what they stand for. A value
//! that is not in the map cannot be bound or named, whatever a runbook says.

use std::collections::BTreeMap;

use pg_logstats_logs::compare::Regression;
use pg_logstats_logs::evidence::{
    CancellationGroup, Checkpoint, ClientGroup, ConnectionGroup, Dimensions, Evidence, LockTarget, MaintenanceGroup,
    PlanGroup, QueryFamily, Sample, SessionRef, TableName,
};
use sha2::{Digest, Sha256};

use crate::catalogue::{BoundValue, Facet};
use crate::objects::Object;
use crate::outcome::{PlanNode, RelationName, Sequence, SessionKey};
use crate::runbook::WitVersion;
use crate::snapshot::EvidenceSnapshot;

/// What kind of thing a subject is; the words of the WIT's `subject-kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub enum SubjectKind {
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

impl SubjectKind {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueryFamily => "query_family",
            Self::Session => "session",
            Self::Relation => "relation",
            Self::Database => "database",
            Self::User => "user",
            Self::Application => "application",
            Self::ErrorClass => "error_class",
            Self::LockWait => "lock_wait",
            Self::Deadlock => "deadlock",
            Self::TempFileGroup => "temp_file",
            Self::PlanNode => "plan_node",
            Self::Column => "column",
            Self::Checkpoint => "checkpoint",
            Self::AutovacuumGroup => "autovacuum",
            Self::ConnectionGroup => "connection",
            Self::ClientGroup => "client",
            Self::CancellationGroup => "cancellation",
            Self::PlanGroup => "plan",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::Constraint => "constraint",
            Self::ReplicationSlot => "replication_slot",
            Self::PreparedTransaction => "prepared_transaction",
        }
    }
}

/// One subject.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each variant is the subject kind of its name")]
pub enum Subject {
    QueryFamily(Box<QueryFamily>),
    Session {
        pid: i32,
        start_us: Option<i64>,
        dimensions: Dimensions,
    },
    /// By oids, from a log.
    RelationOid {
        database: u32,
        relation: u32,
    },
    /// By name, from a plan.
    RelationName(RelationName),
    /// By name and, where the log tells, its database.
    Table(TableName),
    Database(String),
    User(String),
    Application(String),
    ErrorClass(Box<pg_logstats_logs::evidence::ErrorClass>),
    LockWait(Box<pg_logstats_logs::evidence::LockWait>),
    Deadlock(Box<pg_logstats_logs::evidence::Deadlock>),
    TempFileGroup {
        group: Box<pg_logstats_logs::evidence::TempFileGroup>,
        family: Option<Box<QueryFamily>>,
    },
    PlanNode(Box<PlanNode>),
    Column {
        relation: RelationName,
        column: String,
    },
    Checkpoint(Box<Checkpoint>),
    AutovacuumGroup(Box<MaintenanceGroup>),
    ConnectionGroup(Box<ConnectionGroup>),
    ClientGroup(Box<ClientGroup>),
    CancellationGroup {
        group: Box<CancellationGroup>,
        family: Option<Box<QueryFamily>>,
    },
    PlanGroup {
        group: Box<PlanGroup>,
        family: Option<Box<QueryFamily>>,
    },
    /// By name, from a plan.
    Index(String),
    /// From a row.
    Sequence(Box<Sequence>),
    /// From a row: an index, a constraint, a slot, a prepared transaction.
    Object(Box<Object>),
}

impl Subject {
    /// Its kind.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::QueryFamily(_) => SubjectKind::QueryFamily,
            Self::Session { .. } => SubjectKind::Session,
            Self::RelationOid { .. } | Self::RelationName(_) | Self::Table(_) => SubjectKind::Relation,
            Self::Database(_) => SubjectKind::Database,
            Self::User(_) => SubjectKind::User,
            Self::Application(_) => SubjectKind::Application,
            Self::ErrorClass(_) => SubjectKind::ErrorClass,
            Self::LockWait(_) => SubjectKind::LockWait,
            Self::Deadlock(_) => SubjectKind::Deadlock,
            Self::TempFileGroup { .. } => SubjectKind::TempFileGroup,
            Self::PlanNode(_) => SubjectKind::PlanNode,
            Self::Column { .. } => SubjectKind::Column,
            Self::Checkpoint(_) => SubjectKind::Checkpoint,
            Self::AutovacuumGroup(_) => SubjectKind::AutovacuumGroup,
            Self::ConnectionGroup(_) => SubjectKind::ConnectionGroup,
            Self::ClientGroup(_) => SubjectKind::ClientGroup,
            Self::CancellationGroup { .. } => SubjectKind::CancellationGroup,
            Self::PlanGroup { .. } => SubjectKind::PlanGroup,
            Self::Index(_) => SubjectKind::Index,
            Self::Sequence(_) => SubjectKind::Sequence,
            Self::Object(object) => match **object {
                Object::Index { .. } => SubjectKind::Index,
                Object::Constraint { .. } => SubjectKind::Constraint,
                Object::ReplicationSlot { .. } => SubjectKind::ReplicationSlot,
                Object::PreparedTransaction { .. } => SubjectKind::PreparedTransaction,
            },
        }
    }

    /// Who it belongs to, for the kinds that know.
    pub fn dimensions(&self) -> Option<&Dimensions> {
        match self {
            Self::QueryFamily(family) => Some(&family.dimensions),
            Self::Session { dimensions, .. } => Some(dimensions),
            Self::ErrorClass(class) => Some(&class.dimensions),
            Self::LockWait(wait) => Some(&wait.dimensions),
            Self::Deadlock(deadlock) => Some(&deadlock.dimensions),
            Self::TempFileGroup { group, .. } => Some(&group.dimensions),
            Self::ConnectionGroup(group) => Some(&group.dimensions),
            Self::CancellationGroup { group, .. } => Some(&group.dimensions),
            Self::PlanGroup { family, .. } => family.as_ref().map(|family| &family.dimensions),
            _ => None,
        }
    }

    /// The query family that it is, or that its statement belongs to.
    pub fn family(&self) -> Option<&QueryFamily> {
        match self {
            Self::QueryFamily(family) => Some(family),
            Self::TempFileGroup { family, .. }
            | Self::CancellationGroup { family, .. }
            | Self::PlanGroup { family, .. } => family.as_deref(),
            _ => None,
        }
    }

    /// Whether it is about a statement, as far as that is known.
    fn is_of_a_statement(&self) -> bool {
        matches!(
            self,
            Self::QueryFamily(_) | Self::TempFileGroup { .. } | Self::CancellationGroup { .. } | Self::PlanGroup { .. }
        )
    }

    /// The sample statement, for EXPLAIN ANALYZE.
    pub fn sample(&self) -> Option<&Sample> {
        self.family().and_then(|family| family.sample.as_ref())
    }

    /// The values that `facet` of this subject can take, the preferred first; `None` when this kind of subject has no such facet,
    /// an empty list when the evidence does not tell it.
    pub fn values(&self, facet: Facet) -> Option<Vec<BoundValue>> {
        let text = |value: &Option<String>| value.iter().map(|v| BoundValue::Text { value: v.clone() }).collect();
        match (facet, self) {
            (Facet::QueryId, subject) if subject.is_of_a_statement() => {
                let ids = self.family().map(|f| f.query_ids.as_slice()).unwrap_or_default();
                Some(ids.iter().map(|&value| BoundValue::QueryId { value }).collect())
            }
            (Facet::Sample, subject) if subject.is_of_a_statement() => Some(
                self.sample()
                    .map(|s| BoundValue::Sample {
                        sha256: sample_digest(s),
                    })
                    .into_iter()
                    .collect(),
            ),
            (Facet::Session, Self::Session { pid, start_us, .. }) => Some(vec![BoundValue::Session {
                pid: *pid,
                backend_start_us: *start_us,
            }]),
            (Facet::Relation, Self::RelationOid { database, relation }) => Some(vec![BoundValue::RelationOid {
                database: *database,
                relation: *relation,
            }]),
            (Facet::Relation, Self::RelationName(relation) | Self::Column { relation, .. }) => {
                Some(relation_value(relation).into_iter().collect())
            }
            (Facet::Relation, Self::Table(table)) => Some(table_value(table).into_iter().collect()),
            (Facet::Relation, Self::AutovacuumGroup(group)) => Some(table_value(&group.table).into_iter().collect()),
            (Facet::Database, Self::AutovacuumGroup(group)) => Some(text(&group.table.database)),
            // Its family was given up, and with it who ran it.
            (Facet::Database | Facet::User | Facet::ApplicationName, Self::PlanGroup { family: None, .. }) => {
                Some(Vec::new())
            }
            (Facet::Database, Self::Database(name))
            | (Facet::User, Self::User(name))
            | (Facet::ApplicationName, Self::Application(name)) => Some(vec![BoundValue::Text { value: name.clone() }]),
            (Facet::Database, _) => self.dimensions().map(|d| text(&d.database)),
            (Facet::User, _) => self.dimensions().map(|d| text(&d.user)),
            (Facet::ApplicationName, _) => self.dimensions().map(|d| text(&d.application)),
            _ => None,
        }
    }
}

/// A relation by name; none without a schema, because the name alone may be another relation's.
fn relation_value(relation: &RelationName) -> Option<BoundValue> {
    Some(BoundValue::RelationName {
        database: None,
        schema: relation.schema.clone()?,
        name: relation.name.clone(),
    })
}

/// A table of a log by name; none without schema and database.
fn table_value(table: &TableName) -> Option<BoundValue> {
    Some(BoundValue::RelationName {
        database: Some(table.database.clone()?),
        schema: table.schema.clone()?,
        name: table.table.clone(),
    })
}

/// A table of a log without its database.
pub fn table_relation(table: &TableName) -> RelationName {
    RelationName {
        schema: table.schema.clone(),
        name: table.table.clone(),
    }
}

/// A relation as the plans of a log name it: its schema is not told.
pub fn logged_relation(name: &str) -> RelationName {
    RelationName {
        schema: None,
        name: name.to_owned(),
    }
}

/// SHA-256 over a sample's statement and values, in hex.
pub fn sample_digest(sample: &Sample) -> String {
    let mut hash = Sha256::new();
    hash.update(b"pg-logstats sample v1\0");
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    field(sample.statement.as_bytes());
    for parameter in &sample.parameters {
        field(&[u8::from(parameter.is_some())]);
        field(parameter.as_deref().unwrap_or_default().as_bytes());
    }
    crate::hex(&hash.finalize())
}

/// All subjects of one run, by id.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    by_id: BTreeMap<String, Subject>,
    /// What became of families since the baseline, by their id.
    regressions: BTreeMap<String, Regression>,
    /// What all statements took, in the target and in the baseline.
    totals_us: (u64, u64),
}

impl Subjects {
    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Subject> {
        self.by_id.values()
    }

    /// The subjects of `snapshot`, and of `plan` in phase 2.
    pub fn new(snapshot: &EvidenceSnapshot, plan: &[PlanNode]) -> Self {
        Self::of(WitVersion::CURRENT, snapshot, plan)
    }

    /// The same for a runbook built for `version`: what its evidence does not have, it cannot name.
    pub fn of(version: WitVersion, snapshot: &EvidenceSnapshot, plan: &[PlanNode]) -> Self {
        let mut subjects = Self::default();
        subjects.add_log(snapshot);
        if let Some(log) = snapshot.log.as_ref().filter(|_| version >= WitVersion::V0_2_0) {
            subjects.add_activity(log);
        }
        if let Some(comparison) = &snapshot.comparison {
            let by_family = |it: &Regression| (it.family.clone(), it.clone());
            subjects.regressions = comparison.regressions.iter().map(by_family).collect();
            subjects.totals_us = (
                comparison.target.total_duration_us,
                comparison.baseline.total_duration_us,
            );
        }
        for session in &snapshot.live.sessions {
            let id = session_id(session.key.pid, Some(session.key.backend_start_us));
            subjects.add_dimensions(&session.dimensions);
            subjects.by_id.insert(
                id,
                Subject::Session {
                    pid: session.key.pid,
                    start_us: Some(session.key.backend_start_us),
                    dimensions: session.dimensions.clone(),
                },
            );
        }
        for relation in &snapshot.live.relations {
            subjects
                .by_id
                .insert(relation_id(relation), Subject::RelationName(relation.clone()));
        }
        for column in &snapshot.live.columns {
            let subject = Subject::Column {
                relation: column.relation.clone(),
                column: column.column.clone(),
            };
            subjects
                .by_id
                .insert(column_id(&column.relation, &column.column), subject);
        }
        if version >= WitVersion::V0_2_0 {
            for sequence in &snapshot.live.sequences {
                subjects
                    .by_id
                    .insert(sequence_id(sequence), Subject::Sequence(Box::new(sequence.clone())));
            }
            for object in &snapshot.live.objects {
                subjects
                    .by_id
                    .insert(object.id(), Subject::Object(Box::new(object.clone())));
            }
        }
        for (position, node) in plan.iter().enumerate() {
            // The snapshot keeps the newest relations and columns of an incident; a large plan may have more.
            if let Some(relation) = &node.relation {
                subjects
                    .by_id
                    .insert(relation_id(relation), Subject::RelationName(relation.clone()));
                for column in node.compared_columns() {
                    let subject = Subject::Column {
                        relation: relation.clone(),
                        column: column.clone(),
                    };
                    subjects.by_id.insert(column_id(relation, column), subject);
                }
            }
            subjects
                .by_id
                .insert(plan_node_id(position), Subject::PlanNode(Box::new(node.clone())));
        }
        subjects
    }

    /// These alone, for tests.
    #[cfg(test)]
    pub(crate) fn only(subjects: impl IntoIterator<Item = (String, Subject)>) -> Self {
        Self {
            by_id: subjects.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The subject with this id.
    pub fn get(&self, id: &str) -> Option<&Subject> {
        self.by_id.get(id)
    }

    /// How the family `id` got worse since the baseline, and what all statements took: in the target, and in the baseline.
    pub fn regression(&self, id: &str) -> Option<(&Regression, (u64, u64))> {
        Some((self.regressions.get(id)?, self.totals_us))
    }

    fn add_log(&mut self, snapshot: &EvidenceSnapshot) {
        let Some(log) = &snapshot.log else { return };
        for family in &log.families {
            self.add_dimensions(&family.dimensions);
            self.by_id
                .insert(family.id.clone(), Subject::QueryFamily(Box::new(family.clone())));
        }
        for wait in &log.lock_waits {
            self.add_dimensions(&wait.dimensions);
            self.add_session(wait.waiter, &wait.dimensions);
            for holder in &wait.holders {
                self.add_session(*holder, &Dimensions::default());
            }
            self.add_target(wait.target);
            self.by_id
                .insert(wait.id.clone(), Subject::LockWait(Box::new(wait.clone())));
        }
        for deadlock in &log.deadlocks {
            self.add_dimensions(&deadlock.dimensions);
            self.add_session(deadlock.victim, &deadlock.dimensions);
            for edge in &deadlock.edges {
                self.add_session(edge.waiter, &Dimensions::default());
                self.add_session(edge.holder, &Dimensions::default());
                self.add_target(edge.target);
            }
            self.by_id
                .insert(deadlock.id.clone(), Subject::Deadlock(Box::new(deadlock.clone())));
        }
        for class in &log.errors {
            self.add_dimensions(&class.dimensions);
            self.by_id
                .insert(class.id.clone(), Subject::ErrorClass(Box::new(class.clone())));
        }
        for group in &log.temp_files {
            self.add_dimensions(&group.dimensions);
            let subject = Subject::TempFileGroup {
                group: Box::new(group.clone()),
                family: family_of(log, group.family.as_deref()),
            };
            self.by_id.insert(group.id.clone(), subject);
        }
    }

    /// What the server's own processes and its connections did.
    fn add_activity(&mut self, log: &Evidence) {
        for (position, checkpoint) in log.checkpoints.longest.iter().enumerate() {
            let subject = Subject::Checkpoint(Box::new(checkpoint.clone()));
            self.by_id.insert(checkpoint_id(position), subject);
        }
        for group in &log.maintenance {
            self.add_database(group.table.database.as_deref());
            self.by_id
                .insert(table_id(&group.table), Subject::Table(group.table.clone()));
            self.by_id
                .insert(group.id.clone(), Subject::AutovacuumGroup(Box::new(group.clone())));
        }
        for group in &log.connections {
            self.add_dimensions(&group.dimensions);
            self.by_id
                .insert(group.id.clone(), Subject::ConnectionGroup(Box::new(group.clone())));
        }
        for group in &log.clients {
            self.by_id
                .insert(group.id.clone(), Subject::ClientGroup(Box::new(group.clone())));
        }
        for group in &log.cancellations {
            self.add_dimensions(&group.dimensions);
            let subject = Subject::CancellationGroup {
                group: Box::new(group.clone()),
                family: family_of(log, group.family.as_deref()),
            };
            self.by_id.insert(group.id.clone(), subject);
        }
        for group in &log.plans {
            for node in &group.slowest.nodes {
                if let Some(relation) = node.relation.as_deref().map(logged_relation) {
                    self.by_id
                        .insert(relation_id(&relation), Subject::RelationName(relation));
                }
                if let Some(index) = &node.index {
                    self.by_id.insert(index_id(index), Subject::Index(index.clone()));
                }
            }
            let subject = Subject::PlanGroup {
                group: Box::new(group.clone()),
                family: family_of(log, Some(&group.family)),
            };
            self.by_id.insert(group.id.clone(), subject);
        }
    }

    fn add_database(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            self.by_id
                .entry(database_id(name))
                .or_insert_with(|| Subject::Database(name.to_owned()));
        }
    }

    fn add_dimensions(&mut self, dimensions: &Dimensions) {
        self.add_database(dimensions.database.as_deref());
        if let Some(name) = &dimensions.user {
            self.by_id
                .entry(user_id(name))
                .or_insert_with(|| Subject::User(name.clone()));
        }
        if let Some(name) = &dimensions.application {
            self.by_id
                .entry(application_id(name))
                .or_insert_with(|| Subject::Application(name.clone()));
        }
    }

    fn add_session(&mut self, session: SessionRef, dimensions: &Dimensions) {
        let id = session_id(session.pid, session.start_us);
        let subject = Subject::Session {
            pid: session.pid,
            start_us: session.start_us,
            dimensions: dimensions.clone(),
        };
        match self.by_id.get_mut(&id) {
            // A session first seen as a holder has no dimensions yet.
            Some(Subject::Session { dimensions: known, .. }) if *known == Dimensions::default() => {
                known.clone_from(dimensions);
            }
            Some(_) => {}
            None => {
                self.by_id.insert(id, subject);
            }
        }
    }

    fn add_target(&mut self, target: LockTarget) {
        if let LockTarget::Relation { relation, database } | LockTarget::Tuple { relation, database } = target {
            self.by_id.insert(
                relation_oid_id(database, relation),
                Subject::RelationOid { database, relation },
            );
        }
    }
}

/// The family `id`, if the evidence lists it.
fn family_of(log: &Evidence, id: Option<&str>) -> Option<Box<QueryFamily>> {
    let family = log.families.iter().find(|family| id == Some(&family.id))?;
    Some(Box::new(family.clone()))
}

/// Id of a session: pid and start make it, so that a reused pid is another subject.
pub fn session_id(pid: i32, start_us: Option<i64>) -> String {
    match start_us {
        Some(start_us) => format!("se_{pid}_{start_us}"),
        None => format!("se_{pid}"),
    }
}

/// Id of the session `key`.
pub fn session_key_id(key: SessionKey) -> String {
    session_id(key.pid, Some(key.backend_start_us))
}

/// Id of a relation known by its oids.
pub fn relation_oid_id(database: u32, relation: u32) -> String {
    format!("rl_{database}_{relation}")
}

/// Id of a relation known by name.
pub fn relation_id(relation: &RelationName) -> String {
    named("rl", &[relation.schema.as_deref().unwrap_or_default(), &relation.name])
}

/// Id of a table that a log names.
pub fn table_id(table: &TableName) -> String {
    let database = table.database.as_deref().unwrap_or_default();
    named(
        "rl",
        &[database, table.schema.as_deref().unwrap_or_default(), &table.table],
    )
}

/// Id of an index known by name.
pub fn index_id(name: &str) -> String {
    named("ix", &[name])
}

/// Id of a sequence.
pub fn sequence_id(sequence: &Sequence) -> String {
    let name = &sequence.name;
    named("sq", &[name.schema.as_deref().unwrap_or_default(), &name.name])
}

/// Id of the checkpoint at `position` of the longest ones.
pub fn checkpoint_id(position: usize) -> String {
    format!("cp_{position}")
}

/// Id of a column.
pub fn column_id(relation: &RelationName, column: &str) -> String {
    named(
        "cl",
        &[relation.schema.as_deref().unwrap_or_default(), &relation.name, column],
    )
}

/// Id of a database.
pub fn database_id(name: &str) -> String {
    named("db", &[name])
}

/// Id of a role.
pub fn user_id(name: &str) -> String {
    named("us", &[name])
}

/// Id of an application.
pub fn application_id(name: &str) -> String {
    named("ap", &[name])
}

/// Id of the node at `position` of the plan in hand.
pub fn plan_node_id(position: usize) -> String {
    format!("pn_{position}")
}

/// A name that outsiders choose, as an id that holds none of its text.
pub(crate) fn named(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"pg-logstats subject v1\0");
    hash.update(prefix.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    format!("{prefix}_{}", crate::hex(digest.get(..8).unwrap_or_default()))
}

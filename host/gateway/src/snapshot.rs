//! The evidence of an incident as it is kept: what the logs showed, reduced to the top of each kind, and what actions found live.
//!
//! **In**: [`Evidence`] of the log crate, [`ActionOutcome`]s. **Out**: one value that is stored content-addressed beside the audit
//! log, handed to runbooks, and read again when an action is run. **Trusted**: as far as the digest in a verified record vouches for it.

use pg_logstats_logs::evidence::{Dimensions, Evidence};
use serde::{Deserialize, Serialize};

use crate::outcome::{ActionOutcome, Cell, RelationName, SessionKey};
use crate::runbook::limits::EVIDENCE_PER_KIND;

/// Version of the stored form.
pub const SNAPSHOT_VERSION: u32 = 1;

/// Sessions, relations and columns kept from live actions, each: the newest of them.
const LIVE_PER_KIND: usize = 256;

/// What is known in an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceSnapshot {
    /// [`SNAPSHOT_VERSION`].
    pub snapshot_version: u32,
    /// From the logs; none when the incident started without any.
    pub log: Option<Evidence>,
    /// From the server.
    pub live: LiveEvidence,
}

/// What actions found on the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveEvidence {
    /// Sessions that rows were about.
    pub sessions: Vec<LiveSession>,
    /// Columns that plan filters named, with their relations.
    pub columns: Vec<LiveColumn>,
    /// Relations that plans named.
    pub relations: Vec<RelationName>,
}

/// A session that an action saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSession {
    /// Pid and start.
    pub key: SessionKey,
    /// As far as the action's columns tell. Untrusted text.
    pub dimensions: Dimensions,
}

/// A column that a plan's filter named. Untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveColumn {
    /// Its relation.
    pub relation: RelationName,
    /// Its name.
    pub column: String,
}

impl EvidenceSnapshot {
    /// Reduces what the logs showed to what runbooks may see: the most important of each kind.
    pub fn from_logs(mut evidence: Evidence) -> Self {
        keep_important_families(&mut evidence);
        evidence.lock_waits.truncate(EVIDENCE_PER_KIND);
        evidence.deadlocks.truncate(EVIDENCE_PER_KIND);
        evidence.errors.truncate(EVIDENCE_PER_KIND);
        evidence.temp_files.truncate(EVIDENCE_PER_KIND);
        evidence.checkpoints.longest.truncate(EVIDENCE_PER_KIND);
        evidence.maintenance.truncate(EVIDENCE_PER_KIND);
        evidence.connections.truncate(EVIDENCE_PER_KIND);
        evidence.clients.truncate(EVIDENCE_PER_KIND);
        evidence.cancellations.truncate(EVIDENCE_PER_KIND);
        evidence.plans.truncate(EVIDENCE_PER_KIND);
        Self {
            snapshot_version: SNAPSHOT_VERSION,
            log: Some(evidence),
            live: LiveEvidence::default(),
        }
    }

    /// Adds what an action found.
    pub fn absorb(&mut self, outcome: &ActionOutcome) {
        for row in &outcome.rows {
            let Some(key) = row.session else { continue };
            let text = |name: &str| {
                let position = outcome.columns.iter().position(|c| c == name)?;
                match row.cells.get(position) {
                    Some(Cell::Text(text)) if !text.is_empty() => Some(text.clone()),
                    _ => None,
                }
            };
            let dimensions = Dimensions {
                database: text("database"),
                user: text("user"),
                application: text("application_name"),
            };
            push_newest(&mut self.live.sessions, LiveSession { key, dimensions }, |a, b| {
                a.key == b.key
            });
        }
        for node in &outcome.plan {
            let Some(relation) = &node.relation else { continue };
            push_newest(&mut self.live.relations, relation.clone(), |a, b| a == b);
            for column in &node.filter_columns {
                let column = LiveColumn {
                    relation: relation.clone(),
                    column: column.clone(),
                };
                push_newest(&mut self.live.columns, column, |a, b| a == b);
            }
        }
    }
}

/// The top by total time, and every family that a kept lock wait, deadlock, temp file group, cancellation or plan refers to.
fn keep_important_families(evidence: &mut Evidence) {
    let mut wanted = std::collections::BTreeSet::new();
    wanted.extend(
        evidence
            .lock_waits
            .iter()
            .take(EVIDENCE_PER_KIND)
            .filter_map(|w| w.family.clone()),
    );
    wanted.extend(
        evidence
            .deadlocks
            .iter()
            .take(EVIDENCE_PER_KIND)
            .flat_map(|d| d.edges.iter().filter_map(|e| e.family.clone())),
    );
    wanted.extend(
        evidence
            .temp_files
            .iter()
            .take(EVIDENCE_PER_KIND)
            .filter_map(|t| t.family.clone()),
    );
    let cancellations = evidence.cancellations.iter().take(EVIDENCE_PER_KIND);
    wanted.extend(cancellations.filter_map(|group| group.family.clone()));
    wanted.extend(
        evidence
            .plans
            .iter()
            .take(EVIDENCE_PER_KIND)
            .map(|group| group.family.clone()),
    );
    let mut position = 0;
    evidence.families.retain(|family| {
        position += 1;
        position <= EVIDENCE_PER_KIND || wanted.contains(&family.id)
    });
}

fn push_newest<T>(list: &mut Vec<T>, item: T, same: impl Fn(&T, &T) -> bool) {
    list.retain(|old| !same(old, &item));
    list.push(item);
    if list.len() > LIVE_PER_KIND {
        list.remove(0);
    }
}

//! The evidence of an incident as it is kept: what the logs showed, reduced to the top of each kind, and what actions found live.
//!
//! **In**: [`Evidence`] of the log crate, [`ActionOutcome`]s. **Out**: one value that is stored content-addressed beside the audit
//! log, handed to runbooks, and read again when an action is run. **Trusted**: as far as the digest in a verified record vouches for it.

use pg_logstats_logs::compare::Comparison;
use pg_logstats_logs::evidence::{Dimensions, Evidence};
use serde::{Deserialize, Serialize};

use crate::objects::Object;
use crate::outcome::{ActionOutcome, Cell, RelationName, Sequence, SessionKey};
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
    /// The logs against a baseline, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// From the server.
    pub live: LiveEvidence,
}

/// What actions found on the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveEvidence {
    /// Sessions that rows were about.
    pub sessions: Vec<LiveSession>,
    /// Columns that plans compare with something, with their relations.
    pub columns: Vec<LiveColumn>,
    /// Relations that plans named.
    pub relations: Vec<RelationName>,
    /// Sequences that rows were about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<Sequence>,
    /// Indexes, constraints, slots and prepared transactions that rows were about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
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

/// A column that a plan compares with something. Untrusted text.
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
    pub fn from_logs(mut evidence: Evidence, comparison: Option<Comparison>) -> Self {
        keep_important_families(&mut evidence, comparison.as_ref());
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
            comparison,
            live: LiveEvidence::default(),
        }
    }

    /// Of an incident that begins without logs.
    pub fn of_no_logs() -> Self {
        Self {
            snapshot_version: SNAPSHOT_VERSION,
            log: None,
            comparison: None,
            live: LiveEvidence::default(),
        }
    }

    /// Adds what an action found.
    pub fn absorb(&mut self, outcome: &ActionOutcome) {
        for row in &outcome.rows {
            if let Some(sequence) = &row.sequence {
                // What was known of it may have changed since.
                push_newest(&mut self.live.sequences, sequence.clone(), |a, b| a.name == b.name);
            }
            if let Some(object) = &row.object {
                push_newest(&mut self.live.objects, object.clone(), |a, b| a.id() == b.id());
            }
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
            for column in node.compared_columns() {
                let column = LiveColumn {
                    relation: relation.clone(),
                    column: column.clone(),
                };
                push_newest(&mut self.live.columns, column, |a, b| a == b);
            }
        }
    }
}

/// The top by total time, and every family that a regression or a kept lock wait, deadlock, temp file group, cancellation
/// or plan refers to.
fn keep_important_families(evidence: &mut Evidence, comparison: Option<&Comparison>) {
    let mut wanted = std::collections::BTreeSet::new();
    wanted.extend(
        comparison
            .into_iter()
            .flat_map(|it| it.regressions.iter().map(|it| it.family.clone())),
    );
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

#[cfg(test)]
mod tests {
    use pg_logstats_logs::{Options, Part, Redaction, Source, compare, reduce};

    use super::*;

    /// Families of 30 executions: 120 of about 100 ms, and a short one of `us`.
    fn part(us: u64) -> Part {
        let mut log = String::new();
        let mut line = |second: u64, us: u64, statement: &str| {
            let at = format!(
                "2026-11-23 05:{:02}:{:02}.000 UTC [7] app@shop web: ",
                second / 60,
                second % 60
            );
            log += &format!(
                "{at}LOG:  duration: {}.{:03} ms  statement: {statement}\n",
                us / 1_000,
                us % 1_000
            );
        };
        for n in 0..30 {
            (0..120).for_each(|family| line(n * 10, 100_000 + 100 * n, &format!("SELECT c{family} FROM t")));
            line(n * 10, us + n, "SELECT short");
        }
        let source = Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(log.into_bytes())));
        reduce(vec![source], &Options::default(), &|_| {}).unwrap()
    }

    #[test]
    fn a_family_that_got_worse_is_kept_whatever_its_rank() {
        let mut target = part(20_000);
        let comparison = compare(&mut target, part(1_000), &Redaction::least());
        let slower = comparison.regressions[0].family.clone();
        let snapshot = EvidenceSnapshot::from_logs(target.evidence(&Redaction::least()), Some(comparison));
        let kept = &snapshot.log.as_ref().unwrap().families;
        assert_eq!(
            (kept.len(), kept.last().unwrap().id.as_str()),
            (EVIDENCE_PER_KIND + 1, slower.as_str())
        );
        let stored = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<EvidenceSnapshot>(&stored).unwrap(), snapshot);
    }

    #[test]
    fn without_a_baseline_the_stored_form_is_as_before() {
        let snapshot = EvidenceSnapshot::from_logs(part(20_000).evidence(&Redaction::least()), None);
        let stored = serde_json::to_value(&snapshot).unwrap();
        let fields: Vec<&String> = stored.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["live", "log", "snapshot_version"]);
    }

    /// The lists that version 0.2.0 of the contract hands over came into the stored form one day; it stayed version 1.
    #[test]
    fn what_was_stored_before_the_typed_lists_is_read_with_none_of_them() {
        let snapshot = EvidenceSnapshot::from_logs(part(20_000).evidence(&Redaction::least()), None);
        let mut stored = serde_json::to_value(&snapshot).unwrap();
        let log = stored["log"].as_object_mut().unwrap();
        for list in [
            "checkpoints",
            "maintenance",
            "connections",
            "clients",
            "cancellations",
            "plans",
        ] {
            assert!(log.remove(list).is_some(), "{list}");
        }
        let read: EvidenceSnapshot = serde_json::from_value(stored).unwrap();
        assert_eq!(read, snapshot);
        let given = crate::runbook::convert::evidence(&read);
        assert_eq!((given.checkpoints.checkpoint_count, given.plans.len()), (0, 0));
    }

    #[test]
    fn what_a_later_host_stored_is_refused_whatever_its_form() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = crate::workspace::Workspace::open(Some(folder.path())).unwrap();
        let later = EvidenceSnapshot {
            snapshot_version: SNAPSHOT_VERSION + 1,
            ..EvidenceSnapshot::from_logs(part(20_000).evidence(&Redaction::least()), None)
        };
        let digest = workspace.put_evidence(&later).unwrap();
        let error = workspace.evidence(&digest).unwrap_err();
        assert!(!error.is_tampering());
        let said = error.to_string();
        assert!(said.contains(&digest) && said.contains("in version 2"), "{said}");
    }
}

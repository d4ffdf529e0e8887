//! The tables of the evidence that actions can be bound to.

use pg_logstats_sdk::{Evidence, Outcome};

/// Tables that the logs name with their database: those that sessions waited for, then those that autovacuum was at, each once. One of
/// a plan has no schema, so an action cannot find it.
pub(crate) fn all(evidence: &Evidence) -> Vec<&String> {
    let waits = evidence.lock_waits.iter().filter_map(|wait| wait.target.relation());
    let deadlocks = evidence.deadlocks.iter().flat_map(|deadlock| &deadlock.edges);
    let deadlocks = deadlocks.filter_map(|edge| edge.target.relation());
    let vacuums = evidence.autovacuum.iter().filter(|group| group.database.is_some());
    let mut all: Vec<&String> = Vec::new();
    for relation in waits.chain(deadlocks).chain(vacuums.map(|group| &group.table)) {
        if !all.contains(&relation) {
            all.push(relation);
        }
    }
    all
}

/// The table that the outcome is about.
pub(crate) fn bound<'a>(evidence: &'a Evidence, outcome: &Outcome) -> Option<&'a String> {
    all(evidence)
        .into_iter()
        .find(|relation| outcome.subjects.contains(relation))
}

//! What the server's own processes, its connections and auto_explain told.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::groups::{Group, Groups, cover, widen};
use crate::events::cancellation::is_idle;
use crate::events::{maintenance, plan};
use crate::evidence::{
    Attribution, CancelReason, CancellationGroup, Checkpoint, CheckpointCause, CheckpointKind, Checkpoints,
    ClientGroup, ConnectionGroup, Dimensions, LoggedPlan, MAX_CHECKPOINTS, MAX_PLAN_TREES, MaintenanceGroup,
    MaintenanceKind, PlanFormat, PlanGroup, TableName,
};
use crate::normalise::{digest, names};
use crate::redaction::REDACTED;

/// The statement of an event: its family's key, and how it was found.
pub(super) type Attributed = (u64, Attribution);

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity {
    checkpoints: Checkpoints,
    maintenance: Groups<MaintenanceGroup>,
    connections: Groups<ConnectionGroup>,
    clients: Groups<ClientGroup>,
    cancellations: Groups<CancellationGroup>,
    plans: Groups<PlanGroup>,
    /// How often a tree was added since [`keep_slowest_trees`].
    trees: usize,
    /// Causes of the checkpoint that is going on, by stream.
    starting: BTreeMap<usize, Vec<CheckpointCause>>,
}

/// The lists of the evidence, and what did not fit in them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivityLists {
    pub(crate) checkpoints: Checkpoints,
    pub(crate) maintenance: Vec<MaintenanceGroup>,
    pub(crate) connections: Vec<ConnectionGroup>,
    pub(crate) clients: Vec<ClientGroup>,
    pub(crate) cancellations: Vec<CancellationGroup>,
    pub(crate) plans: Vec<PlanGroup>,
    /// By code of the limitation.
    pub(crate) dropped: BTreeMap<String, u64>,
}

/// A message of a table's maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotDone {
    Canceled,
    Skipped,
}

impl Activity {
    /// `checkpoint starting`.
    pub(super) fn checkpoint_starting(&mut self, stream: usize, causes: &[CheckpointCause]) {
        for cause in causes {
            *self.checkpoints.causes.entry(*cause).or_default() += 1;
        }
        self.starting.insert(stream, causes.to_vec());
    }

    /// `checkpoint complete`.
    pub(super) fn checkpoint(&mut self, stream: usize, mut checkpoint: Checkpoint) {
        checkpoint.causes = self.starting.remove(&stream).unwrap_or_default();
        let all = &mut self.checkpoints;
        match checkpoint.kind {
            CheckpointKind::Checkpoint => all.checkpoint_count += 1,
            CheckpointKind::Restartpoint => all.restartpoint_count += 1,
        }
        for (sum, more) in [
            (&mut all.buffers_written, checkpoint.buffers_written),
            (&mut all.wal_files_added, checkpoint.wal_files_added),
            (&mut all.wal_files_removed, checkpoint.wal_files_removed),
            (&mut all.wal_files_recycled, checkpoint.wal_files_recycled),
            (&mut all.write_us, checkpoint.write_us),
            (&mut all.sync_us, checkpoint.sync_us),
            (&mut all.total_us, checkpoint.total_us),
        ] {
            *sum = sum.saturating_add(more);
        }
        all.longest_sync_us = all.longest_sync_us.max(checkpoint.longest_sync_us);
        all.longest.push(checkpoint);
        if all.longest.len() >= 2 * MAX_CHECKPOINTS {
            keep_longest(&mut all.longest);
        }
    }

    /// `checkpoints are occurring too frequently`.
    pub(super) fn checkpoints_too_frequent(&mut self, interval_s: Option<u64>) {
        let all = &mut self.checkpoints;
        all.too_frequent_count += 1;
        all.shortest_interval_s = shorter(all.shortest_interval_s, interval_s);
    }

    /// A run of an autovacuum worker.
    pub(super) fn maintained(&mut self, done: maintenance::Done) {
        let maintenance::Done { table, kind, run } = done;
        let at_us = run.at_us;
        let Some(group) = self.table(table, kind, at_us) else {
            return;
        };
        group.absorb(MaintenanceGroup {
            run_count: 1,
            aggressive_count: u64::from(run.aggressive),
            to_prevent_wraparound_count: u64::from(run.to_prevent_wraparound),
            total_elapsed_us: run.elapsed_us,
            tuples_removed: run.tuples_removed.unwrap_or(0),
            max_tuples_dead_not_removable: run.tuples_dead_not_removable.unwrap_or(0),
            wal_bytes: run.wal_bytes.unwrap_or(0),
            longest: Some(run),
            ..new_table(String::new(), TableName::default(), kind, at_us)
        });
    }

    /// A run that did not come to its end, or did not begin.
    pub(super) fn not_maintained(&mut self, table: TableName, kind: MaintenanceKind, what: NotDone, at_us: i64) {
        let Some(group) = self.table(table, kind, at_us) else {
            return;
        };
        widen(&mut group.first_seen_us, &mut group.last_seen_us, at_us);
        match what {
            NotDone::Canceled => group.canceled_count += 1,
            NotDone::Skipped => group.skipped_count += 1,
        }
    }

    fn table(&mut self, table: TableName, kind: MaintenanceKind, at_us: i64) -> Option<&mut MaintenanceGroup> {
        let what = match kind {
            MaintenanceKind::Vacuum => "vacuum",
            MaintenanceKind::Analyze => "analyze",
        };
        let (database, schema) = (table.database.as_deref(), table.schema.as_deref());
        let key = digest(
            "pg-logstats maintenance v1",
            &[Some(what), database, schema, Some(table.table.as_str())],
        );
        self.maintenance
            .of_one(key, || new_table(format!("mt_{key:016x}"), table, kind, at_us))
    }

    /// An event of a connection; `session_us` where it is the end of one.
    pub(super) fn connection(&mut self, event: &str, dimensions: &Dimensions, session_us: Option<u64>, at_us: i64) {
        let key = digest("pg-logstats connections v1", &names(dimensions));
        let group = self.connections.of_one(key, || ConnectionGroup {
            id: format!("cn_{key:016x}"),
            dimensions: dimensions.clone(),
            events: BTreeMap::new(),
            session_count: 0,
            total_session_us: 0,
            max_session_us: 0,
            first_seen_us: at_us,
            last_seen_us: at_us,
        });
        let Some(group) = group else { return };
        match group.events.get_mut(event) {
            Some(count) => *count += 1,
            None => {
                group.events.insert(event.to_owned(), 1);
            }
        }
        widen(&mut group.first_seen_us, &mut group.last_seen_us, at_us);
        if let Some(session_us) = session_us {
            group.session_count += 1;
            group.total_session_us = group.total_session_us.saturating_add(session_us);
            group.max_session_us = group.max_session_us.max(session_us);
        }
    }

    /// A connection that came from a host, or, with its duration, ended.
    pub(super) fn client(&mut self, host: &str, session_us: Option<u64>, at_us: i64) {
        let key = client_digest(host);
        let group = self.clients.of_one(key, || ClientGroup {
            id: client_id(key),
            host: host.to_owned(),
            received_count: 0,
            disconnected_count: 0,
            total_session_us: 0,
            first_seen_us: at_us,
            last_seen_us: at_us,
        });
        let Some(group) = group else { return };
        widen(&mut group.first_seen_us, &mut group.last_seen_us, at_us);
        match session_us {
            Some(session_us) => {
                group.disconnected_count += 1;
                group.total_session_us = group.total_session_us.saturating_add(session_us);
            }
            None => group.received_count += 1,
        }
    }

    /// A statement that was cancelled, or a session that was ended.
    pub(super) fn canceled(
        &mut self,
        reason: CancelReason,
        statement: Option<Attributed>,
        dimensions: &Arc<Dimensions>,
        at_us: i64,
    ) {
        let statement = statement.filter(|_| !is_idle(reason));
        let family = statement.map(|(key, _)| format!("qf_{key:016x}"));
        let attribution = statement.map(|(_, attribution)| attribution);
        let (why, how) = (format!("{reason:?}"), attribution.map(|how| format!("{how:?}")));
        let mut parts = vec![Some(why.as_str()), family.as_deref(), how.as_deref()];
        parts.extend(names(dimensions));
        let key = digest("pg-logstats cancellation v1", &parts);
        let group = self.cancellations.of_one(key, || CancellationGroup {
            id: format!("ca_{key:016x}"),
            reason,
            family,
            attribution,
            dimensions: (**dimensions).clone(),
            count: 0,
            first_seen_us: at_us,
            last_seen_us: at_us,
        });
        if let Some(group) = group {
            group.count += 1;
            widen(&mut group.first_seen_us, &mut group.last_seen_us, at_us);
        }
    }

    /// A plan; its tree is taken apart only if the execution is the slowest yet.
    pub(super) fn plan(&mut self, (key, attribution): Attributed, seen: &PlanSeen, message: &[u8]) {
        let read = || LoggedPlan {
            at_us: seen.at_us,
            duration_us: seen.duration_us,
            format: seen.format,
            nodes: plan::nodes(message, seen.format),
        };
        let mut is_new = false;
        let group = self.plans.of_one(key, || {
            is_new = true;
            PlanGroup {
                id: format!("pl_{key:016x}"),
                family: format!("qf_{key:016x}"),
                attribution,
                count: 0,
                slowest: read(),
            }
        });
        let Some(group) = group else { return };
        group.count += 1;
        group.attribution = group.attribution.max(attribution);
        let is_slower = seen.duration_us > group.slowest.duration_us;
        if is_slower {
            group.slowest = read();
        }
        if is_new || is_slower {
            self.trees += 1;
        }
        if self.trees > MAX_PLAN_TREES {
            keep_slowest_trees(&mut self.plans);
            self.trees = 0;
        }
    }

    /// Counts all clients as one, whatever their addresses.
    pub(crate) fn remove_hosts(&mut self) {
        self.clients.regroup(|group| {
            REDACTED.clone_into(&mut group.host);
            let key = client_digest(REDACTED);
            group.id = client_id(key);
            key
        });
    }

    /// Removes the conditions of plans.
    pub(crate) fn remove_conditions(&mut self) {
        for node in self.plans.iter_mut().flat_map(|group| &mut group.slowest.nodes) {
            node.filter = None;
            node.index_condition = None;
        }
    }

    /// Adds what a later part found.
    pub(crate) fn merge(&mut self, other: Self) {
        let (mine, theirs) = (&mut self.checkpoints, other.checkpoints);
        for (sum, more) in [
            (&mut mine.checkpoint_count, theirs.checkpoint_count),
            (&mut mine.restartpoint_count, theirs.restartpoint_count),
            (&mut mine.buffers_written, theirs.buffers_written),
            (&mut mine.wal_files_added, theirs.wal_files_added),
            (&mut mine.wal_files_removed, theirs.wal_files_removed),
            (&mut mine.wal_files_recycled, theirs.wal_files_recycled),
            (&mut mine.write_us, theirs.write_us),
            (&mut mine.sync_us, theirs.sync_us),
            (&mut mine.total_us, theirs.total_us),
            (&mut mine.too_frequent_count, theirs.too_frequent_count),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (cause, count) in theirs.causes {
            let known = mine.causes.entry(cause).or_default();
            *known = known.saturating_add(count);
        }
        mine.longest_sync_us = mine.longest_sync_us.max(theirs.longest_sync_us);
        mine.shortest_interval_s = shorter(mine.shortest_interval_s, theirs.shortest_interval_s);
        mine.longest.extend(theirs.longest);
        keep_longest(&mut mine.longest);
        self.maintenance.merge(other.maintenance);
        self.connections.merge(other.connections);
        self.clients.merge(other.clients);
        self.cancellations.merge(other.cancellations);
        self.plans.merge(other.plans);
        keep_slowest_trees(&mut self.plans);
        self.trees = 0;
    }

    /// From a part's file.
    pub(crate) fn from_lists(lists: ActivityLists) -> Self {
        let dropped = |code: &str| lists.dropped.get(code).copied().unwrap_or(0);
        Self {
            checkpoints: lists.checkpoints,
            maintenance: Groups::from_list(lists.maintenance, dropped("maintenance_dropped")),
            connections: Groups::from_list(lists.connections, dropped("connections_dropped")),
            clients: Groups::from_list(lists.clients, dropped("clients_dropped")),
            cancellations: Groups::from_list(lists.cancellations, dropped("cancellations_dropped")),
            plans: Groups::from_list(lists.plans, dropped("plans_dropped")),
            trees: 0,
            starting: BTreeMap::new(),
        }
    }

    /// The lists in the order of the evidence.
    pub(crate) fn finish(mut self) -> ActivityLists {
        keep_longest(&mut self.checkpoints.longest);
        keep_slowest_trees(&mut self.plans);
        let dropped = [
            ("maintenance_dropped", self.maintenance.dropped()),
            ("connections_dropped", self.connections.dropped()),
            ("clients_dropped", self.clients.dropped()),
            ("cancellations_dropped", self.cancellations.dropped()),
            ("plans_dropped", self.plans.dropped()),
        ];
        let dropped = dropped.into_iter().filter(|(_, count)| *count > 0);
        ActivityLists {
            checkpoints: self.checkpoints,
            maintenance: self.maintenance.into_list(|group| group.total_elapsed_us),
            connections: self.connections.into_list(Group::count),
            clients: self
                .clients
                .into_list(|group| (group.received_count, group.disconnected_count)),
            cancellations: self.cancellations.into_list(Group::count),
            plans: self.plans.into_list(|group| group.slowest.duration_us),
            dropped: dropped.map(|(code, count)| (code.to_owned(), count)).collect(),
        }
    }
}

/// A plan's message, before its tree is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanSeen {
    pub(crate) at_us: i64,
    pub(crate) duration_us: u64,
    pub(crate) format: PlanFormat,
}
fn client_digest(host: &str) -> u64 {
    digest("pg-logstats client v1", &[Some(host)])
}

fn client_id(key: u64) -> String {
    format!("ch_{key:016x}")
}

fn shorter(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

fn keep_longest(checkpoints: &mut Vec<Checkpoint>) {
    checkpoints.sort_by(|one, other| other.cmp(one));
    checkpoints.truncate(MAX_CHECKPOINTS);
}

/// A plan that is not among the slowest now never will be, unless a slower one of its family comes, which brings its own tree. So the
/// result depends on neither order nor parts.
fn keep_slowest_trees(plans: &mut Groups<PlanGroup>) {
    let mut all: Vec<&mut PlanGroup> = plans.iter_mut().collect();
    all.sort_by(|one, other| (other.slowest.duration_us, &one.id).cmp(&(one.slowest.duration_us, &other.id)));
    for group in all.into_iter().skip(MAX_PLAN_TREES) {
        group.slowest.nodes = Vec::new();
    }
}

fn new_table(id: String, table: TableName, kind: MaintenanceKind, at_us: i64) -> MaintenanceGroup {
    MaintenanceGroup {
        id,
        table,
        kind,
        run_count: 0,
        aggressive_count: 0,
        to_prevent_wraparound_count: 0,
        canceled_count: 0,
        skipped_count: 0,
        total_elapsed_us: 0,
        tuples_removed: 0,
        max_tuples_dead_not_removable: 0,
        wal_bytes: 0,
        longest: None,
        first_seen_us: at_us,
        last_seen_us: at_us,
    }
}

impl Group for MaintenanceGroup {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.run_count
            .saturating_add(self.canceled_count)
            .saturating_add(self.skipped_count)
    }

    fn absorb(&mut self, other: Self) {
        for (sum, more) in [
            (&mut self.run_count, other.run_count),
            (&mut self.aggressive_count, other.aggressive_count),
            (&mut self.to_prevent_wraparound_count, other.to_prevent_wraparound_count),
            (&mut self.canceled_count, other.canceled_count),
            (&mut self.skipped_count, other.skipped_count),
            (&mut self.total_elapsed_us, other.total_elapsed_us),
            (&mut self.tuples_removed, other.tuples_removed),
            (&mut self.wal_bytes, other.wal_bytes),
        ] {
            *sum = sum.saturating_add(more);
        }
        let most = self
            .max_tuples_dead_not_removable
            .max(other.max_tuples_dead_not_removable);
        self.max_tuples_dead_not_removable = most;
        self.longest = self.longest.take().max(other.longest);
        let seen = (other.first_seen_us, other.last_seen_us);
        cover(&mut self.first_seen_us, &mut self.last_seen_us, seen);
    }
}

impl Group for ConnectionGroup {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.events.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn absorb(&mut self, other: Self) {
        crate::part::add_counts(&mut self.events, other.events);
        self.session_count = self.session_count.saturating_add(other.session_count);
        self.total_session_us = self.total_session_us.saturating_add(other.total_session_us);
        self.max_session_us = self.max_session_us.max(other.max_session_us);
        let seen = (other.first_seen_us, other.last_seen_us);
        cover(&mut self.first_seen_us, &mut self.last_seen_us, seen);
    }
}

impl Group for ClientGroup {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.received_count.saturating_add(self.disconnected_count)
    }

    fn absorb(&mut self, other: Self) {
        self.received_count = self.received_count.saturating_add(other.received_count);
        self.disconnected_count = self.disconnected_count.saturating_add(other.disconnected_count);
        self.total_session_us = self.total_session_us.saturating_add(other.total_session_us);
        let seen = (other.first_seen_us, other.last_seen_us);
        cover(&mut self.first_seen_us, &mut self.last_seen_us, seen);
    }
}

impl Group for CancellationGroup {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let seen = (other.first_seen_us, other.last_seen_us);
        cover(&mut self.first_seen_us, &mut self.last_seen_us, seen);
    }
}

impl Group for PlanGroup {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.attribution = self.attribution.max(other.attribution);
        if other.slowest.duration_us > self.slowest.duration_us {
            self.slowest = other.slowest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"duration: 1.000 ms  plan:\nQuery Text: SELECT 1\nResult  (cost=0.00..0.01 rows=1 width=4)";

    fn of(families: impl Iterator<Item = u64>) -> Activity {
        let mut activity = Activity::default();
        for key in families {
            // A duration that goes up and down with the key, the same for some.
            let duration_us = key * 7_919 % 1_009;
            let seen = PlanSeen {
                at_us: 1,
                duration_us,
                format: PlanFormat::Text,
            };
            activity.plan((key, Attribution::Stated), &seen, MESSAGE);
        }
        activity
    }

    #[test]
    fn the_slowest_plans_keep_their_trees_in_whatever_order_and_parts() {
        let whole = of(0..2_000).finish().plans;
        let trees = whole.iter().filter(|group| !group.slowest.nodes.is_empty()).count();
        assert_eq!((whole.len(), trees), (2_000, MAX_PLAN_TREES));
        assert!(
            whole
                .iter()
                .take(MAX_PLAN_TREES)
                .all(|group| !group.slowest.nodes.is_empty())
        );
        assert_eq!(of((0..2_000).rev()).finish().plans, whole);
        let mut parts = of((0..2_000).filter(|key| key % 3 == 0));
        parts.merge(of((0..2_000).filter(|key| key % 3 != 0)));
        assert_eq!(parts.finish().plans, whole);
    }

    #[test]
    fn checkpoints_are_summed_and_the_longest_are_kept() {
        let mut activity = Activity::default();
        for second in 0..3 * MAX_CHECKPOINTS as u64 {
            let message = format!(
                "checkpoint complete: wrote 2 buffers (0.3%); 0 WAL file(s) added, 0 removed, 0 recycled; write=0.001 s, sync=0.001 s, \
                 total={second}.000 s; sync files=1, longest=0.001 s, average=0.001 s; distance=1 kB, estimate=1 kB"
            );
            activity.checkpoint_starting(0, &[CheckpointCause::Time]);
            activity.checkpoint(0, crate::events::checkpoint::complete(message.as_bytes(), 0).unwrap());
        }
        let found = activity.finish().checkpoints;
        let count = 3 * MAX_CHECKPOINTS as u64;
        assert_eq!((found.checkpoint_count, found.buffers_written), (count, 2 * count));
        assert_eq!(found.causes.get(&CheckpointCause::Time), Some(&count));
        assert_eq!(found.longest.len(), MAX_CHECKPOINTS);
        assert_eq!(found.longest.first().unwrap().total_us, (count - 1) * 1_000_000);
        assert!(found.longest.iter().all(|one| one.causes == [CheckpointCause::Time]));
    }
}

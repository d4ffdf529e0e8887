//! Evidence by hand. Every record has values that make sense; change what matters with struct update syntax:
//! `QueryFamily { kind: StatementKind::Update, ..testkit::family(2) }`.

use crate::{
    Attribution, AutovacuumGroup, AutovacuumKind, AutovacuumRun, Baseline, CancelReason, CancellationGroup, CauseCount,
    Checkpoint, CheckpointCause, CheckpointKind, Checkpoints, ClientGroup, Confidence, ConnectionGroup, Deadlock,
    DeadlockEdge, Dimensions, ErrorClass, EventCount, Evidence, Figures, LiveColumn, LiveSession, LockMode, LockTarget,
    LockWait, LoggedPlanNode, PlanGroup, QueryFamily, Regression, RegressionReason, StatementKind, TempFileGroup,
};

/// 2026-01-02T03:04:05Z.
const START_US: i64 = 1_767_323_045_000_000;
const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// Evidence of one hour of logs, with nothing in it yet.
pub fn evidence() -> EvidenceBuilder {
    EvidenceBuilder(Evidence {
        window: Some((START_US, START_US + HOUR_US)),
        ..nothing()
    })
}

/// Builds an [`Evidence`]; the records stay in the order in which they are added.
#[derive(Debug, Clone)]
pub struct EvidenceBuilder(Evidence);

impl EvidenceBuilder {
    /// Adds a family, and its time and executions to the totals.
    #[must_use]
    pub fn family(mut self, family: QueryFamily) -> Self {
        self.0.total_duration_us = self.0.total_duration_us.saturating_add(family.total_duration_us);
        self.0.total_executions = self.0.total_executions.saturating_add(family.execution_count);
        self.0.family_count += 1;
        self.0.families.push(family);
        self
    }

    /// Compares with a baseline that had each family of the evidence so far, as often and as long, but for the regressions added to it.
    #[must_use]
    pub fn baseline(mut self) -> Self {
        self.0.baseline = Some(Baseline {
            window: Some((START_US - DAY_US, START_US - DAY_US + HOUR_US)),
            total_duration_us: self.0.total_duration_us,
            total_executions: self.0.total_executions,
            family_count: self.0.family_count,
            common_family_count: self.0.family_count,
            renamed_family_count: 0,
            absent_family_count: 0,
            rare_family_count: 0,
            rare_duration_us: 0,
            regressions: Vec::new(),
            regressions_dropped: 0,
        });
        self
    }

    /// Adds a regression, after [`baseline`](Self::baseline).
    #[must_use]
    pub fn regression(mut self, regression: Regression) -> Self {
        if let Some(baseline) = &mut self.0.baseline {
            let is_absent = regression.reasons.contains(&RegressionReason::AbsentInBaseline);
            baseline.common_family_count -= u64::from(is_absent).min(baseline.common_family_count);
            baseline.absent_family_count += u64::from(is_absent);
            baseline.regressions.push(regression);
        }
        self
    }

    /// Adds a lock wait.
    #[must_use]
    pub fn lock_wait(mut self, wait: LockWait) -> Self {
        self.0.lock_waits.push(wait);
        self
    }

    /// Adds a deadlock.
    #[must_use]
    pub fn deadlock(mut self, deadlock: Deadlock) -> Self {
        self.0.deadlocks.push(deadlock);
        self
    }

    /// Adds an error class.
    #[must_use]
    pub fn error_class(mut self, class: ErrorClass) -> Self {
        self.0.errors.push(class);
        self
    }

    /// Adds a group of temporary files.
    #[must_use]
    pub fn temp_files(mut self, group: TempFileGroup) -> Self {
        self.0.temp_files.push(group);
        self
    }

    /// Adds a checkpoint or restartpoint, and its figures to the sums of all.
    #[must_use]
    pub fn checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        let all = &mut self.0.checkpoints;
        match checkpoint.kind {
            CheckpointKind::Checkpoint => all.checkpoint_count += 1,
            CheckpointKind::Restartpoint => all.restartpoint_count += 1,
        }
        for &cause in &checkpoint.causes {
            match all.causes.iter_mut().find(|known| known.cause == cause) {
                Some(known) => known.count += 1,
                None => all.causes.push(CauseCount { cause, count: 1 }),
            }
        }
        for (sum, figure) in [
            (&mut all.buffers_written, checkpoint.buffers_written),
            (&mut all.wal_files_added, checkpoint.wal_files_added),
            (&mut all.wal_files_removed, checkpoint.wal_files_removed),
            (&mut all.wal_files_recycled, checkpoint.wal_files_recycled),
            (&mut all.write_us, checkpoint.write_us),
            (&mut all.sync_us, checkpoint.sync_us),
            (&mut all.total_us, checkpoint.total_us),
        ] {
            *sum = sum.saturating_add(figure);
        }
        all.longest_sync_us = all.longest_sync_us.max(checkpoint.longest_sync_us);
        all.longest.push(checkpoint);
        self
    }

    /// Adds a warning that checkpoints are `interval_us` apart.
    #[must_use]
    pub fn checkpoints_too_frequent(mut self, interval_us: u64) -> Self {
        let all = &mut self.0.checkpoints;
        all.too_frequent_count += 1;
        all.shortest_interval_us = Some(all.shortest_interval_us.map_or(interval_us, |us| us.min(interval_us)));
        self
    }

    /// Adds autovacuum on a table.
    #[must_use]
    pub fn autovacuum(mut self, group: AutovacuumGroup) -> Self {
        self.0.autovacuum.push(group);
        self
    }

    /// Adds connections of somebody.
    #[must_use]
    pub fn connection(mut self, group: ConnectionGroup) -> Self {
        self.0.connections.push(group);
        self
    }

    /// Adds connections from a host.
    #[must_use]
    pub fn client(mut self, group: ClientGroup) -> Self {
        self.0.clients.push(group);
        self
    }

    /// Adds cancellations.
    #[must_use]
    pub fn cancellation(mut self, group: CancellationGroup) -> Self {
        self.0.cancellations.push(group);
        self
    }

    /// Adds the plans of a family.
    #[must_use]
    pub fn logged_plan(mut self, group: PlanGroup) -> Self {
        self.0.plans.push(group);
        self
    }

    /// Adds an event of the server.
    #[must_use]
    pub fn event(mut self, event: &str, count: u64) -> Self {
        self.0.events.push(EventCount {
            event: event.to_owned(),
            count,
        });
        self
    }

    /// Adds a session that an earlier action found live.
    #[must_use]
    pub fn live_session(mut self, pid: i32) -> Self {
        self.0.live_sessions.push(LiveSession {
            id: session(pid),
            dimensions: dimensions("shop", "app", "web"),
        });
        self
    }

    /// Adds a column that the plan of an earlier action named, and its relation.
    #[must_use]
    pub fn live_column(mut self, column: &str, relation: &str) -> Self {
        self.0.live_columns.push(LiveColumn {
            id: column.to_owned(),
            relation: relation.to_owned(),
        });
        self
    }

    /// The evidence.
    pub fn build(self) -> Evidence {
        self.0
    }
}

/// Evidence of logs that had nothing in them, not even a time.
pub(super) fn nothing() -> Evidence {
    Evidence {
        window: None,
        total_duration_us: 0,
        total_executions: 0,
        family_count: 0,
        families: Vec::new(),
        baseline: None,
        lock_waits: Vec::new(),
        deadlocks: Vec::new(),
        errors: Vec::new(),
        temp_files: Vec::new(),
        checkpoints: no_checkpoints(),
        autovacuum: Vec::new(),
        connections: Vec::new(),
        clients: Vec::new(),
        cancellations: Vec::new(),
        plans: Vec::new(),
        events: Vec::new(),
        live_sessions: Vec::new(),
        live_columns: Vec::new(),
    }
}

pub(super) fn no_checkpoints() -> Checkpoints {
    Checkpoints {
        checkpoint_count: 0,
        restartpoint_count: 0,
        causes: Vec::new(),
        buffers_written: 0,
        wal_files_added: 0,
        wal_files_removed: 0,
        wal_files_recycled: 0,
        write_us: 0,
        sync_us: 0,
        total_us: 0,
        longest_sync_us: 0,
        too_frequent_count: 0,
        shortest_interval_us: None,
        longest: Vec::new(),
    }
}

/// The id of the session with this pid.
pub fn session(pid: i32) -> String {
    format!("se_{pid}")
}

/// Dimensions with ids made of these names; an empty name is one that the log does not tell.
pub fn dimensions(database: &str, user: &str, application: &str) -> Dimensions {
    let id = |prefix: &str, name: &str| (!name.is_empty()).then(|| format!("{prefix}_{name}"));
    Dimensions {
        database: id("db", database),
        user: id("us", user),
        application: id("ap", application),
    }
}

/// A SELECT that was executed 100 times for 10 ms on average, with a query id and a sample. Its id is `qf_` and `n` as 16 hex digits.
pub fn family(n: u64) -> QueryFamily {
    QueryFamily {
        id: format!("qf_{n:016x}"),
        dimensions: dimensions("shop", "app", "web"),
        statement: "SELECT * FROM orders WHERE id = ?".to_owned(),
        kind: StatementKind::Select,
        incomplete: false,
        query_id_count: 1,
        has_sample: true,
        execution_count: 100,
        total_duration_us: 1_000_000,
        mean_duration_us: 10_000,
        p50_duration_us: 9_000,
        p95_duration_us: 20_000,
        p99_duration_us: 30_000,
        max_duration_us: 40_000,
        parse_bind_duration_us: 0,
        temp_bytes: 0,
        temp_file_count: 0,
        error_count: 0,
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// That `family` got worse: as often in the baseline, and for half as long, as the host is sure.
pub fn regression(family: &QueryFamily) -> Regression {
    Regression {
        family: family.id.clone(),
        reasons: vec![RegressionReason::P95Regressed],
        doubts: Vec::new(),
        confidence: Confidence::High,
        baseline: Some(Figures {
            execution_count: family.execution_count,
            total_duration_us: family.total_duration_us / 2,
            mean_duration_us: family.mean_duration_us / 2,
            p50_duration_us: family.p50_duration_us / 2,
            p95_duration_us: family.p95_duration_us / 2,
            p99_duration_us: family.p99_duration_us / 2,
            max_duration_us: family.max_duration_us / 2,
        }),
        under_other_names: false,
        excess_duration_us: family.total_duration_us - family.total_duration_us / 2,
        p_value: 1e-9,
    }
}

/// That the baseline does not have `family`, as the host is sure.
pub fn absent(family: &QueryFamily) -> Regression {
    Regression {
        reasons: vec![RegressionReason::AbsentInBaseline],
        baseline: None,
        excess_duration_us: family.total_duration_us,
        ..regression(family)
    }
}

/// The session `waiter` waited five seconds for the transactions of `holders`, and got its lock.
pub fn lock_wait(n: u64, waiter: i32, holders: &[i32]) -> LockWait {
    LockWait {
        id: format!("lw_{n:016x}"),
        waiter: session(waiter),
        holders: holders.iter().copied().map(session).collect(),
        queue_length: 1,
        mode: LockMode::Share,
        target: LockTarget::Transaction,
        family: None,
        attribution: None,
        waited_us: 5_000_000,
        acquired: true,
        dimensions: dimensions("shop", "app", "web"),
        at: START_US,
    }
}

/// A deadlock of these waiters and holders; the first waiter is the victim, or session 0 if there is none.
pub fn deadlock(n: u64, edges: &[(i32, i32)]) -> Deadlock {
    let edge = |&(waiter, holder): &(i32, i32)| DeadlockEdge {
        waiter: session(waiter),
        holder: session(holder),
        mode: LockMode::Share,
        target: LockTarget::Transaction,
        family: None,
    };
    Deadlock {
        id: format!("dl_{n:016x}"),
        victim: session(edges.first().map_or(0, |(waiter, _)| *waiter)),
        edges: edges.iter().map(edge).collect(),
        dimensions: dimensions("shop", "app", "web"),
        at: START_US,
    }
}

/// An `ERROR` that happened 10 times.
pub fn error_class(n: u64) -> ErrorClass {
    ErrorClass {
        id: format!("ec_{n:016x}"),
        severity: "ERROR".to_owned(),
        sqlstate: Some("42P01".to_owned()),
        message: "relation ? does not exist".to_owned(),
        dimensions: dimensions("shop", "app", "web"),
        count: 10,
        statements: Vec::new(),
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// Ten temporary files of one gigabyte in all, of a statement that the log does not tell.
pub fn temp_files(n: u64) -> TempFileGroup {
    TempFileGroup {
        id: format!("tf_{n:016x}"),
        family: None,
        attribution: None,
        dimensions: dimensions("shop", "app", "web"),
        count: 10,
        total_bytes: 1 << 30,
        max_bytes: 200 << 20,
    }
}

/// A checkpoint of four and a half minutes that `checkpoint_timeout` began, with 256 MiB of WAL before it.
pub fn checkpoint(n: u64) -> Checkpoint {
    Checkpoint {
        id: format!("cp_{n}"),
        kind: CheckpointKind::Checkpoint,
        causes: vec![CheckpointCause::Time],
        at: START_US,
        total_us: 270_000_000,
        write_us: 269_000_000,
        sync_us: 500_000,
        longest_sync_us: 100_000,
        files_synced: 40,
        buffers_written: 4_000,
        slru_buffers_written: None,
        wal_files_added: 0,
        wal_files_removed: 0,
        wal_files_recycled: 16,
        distance_bytes: 256 << 20,
        estimate_bytes: 256 << 20,
    }
}

/// Ten vacuums of a table of the database `shop`, of one second each, none of which left a dead tuple.
pub fn autovacuum(n: u64) -> AutovacuumGroup {
    AutovacuumGroup {
        id: format!("mt_{n:016x}"),
        table: format!("rl_table_{n}"),
        database: dimensions("shop", "", "").database,
        kind: AutovacuumKind::Vacuum,
        run_count: 10,
        aggressive_count: 0,
        to_prevent_wraparound_count: 0,
        canceled_count: 0,
        skipped_count: 0,
        total_elapsed_us: 10_000_000,
        tuples_removed: 50_000,
        max_tuples_dead_not_removable: 0,
        wal_bytes: 8 << 20,
        longest: Some(AutovacuumRun {
            at: START_US,
            elapsed_us: 1_000_000,
            aggressive: false,
            to_prevent_wraparound: false,
            index_scans: Some(1),
            pages_removed: Some(0),
            pages_remaining: Some(10_000),
            pages_scanned: Some(1_000),
            tuples_removed: Some(5_000),
            tuples_remaining: Some(600_000),
            tuples_dead_not_removable: Some(0),
            buffers_hit: Some(2_000),
            buffers_missed: Some(500),
            buffers_dirtied: Some(900),
            wal_records: Some(1_200),
            wal_full_page_images: Some(100),
            wal_bytes: Some(800 << 10),
            user_us: Some(200_000),
            system_us: Some(50_000),
        }),
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// A hundred connections of an application, of one minute each.
pub fn connection(n: u64) -> ConnectionGroup {
    ConnectionGroup {
        id: format!("cn_{n:016x}"),
        dimensions: dimensions("shop", "app", "web"),
        events: vec![EventCount {
            event: "connection_authorized".to_owned(),
            count: 100,
        }],
        session_count: 100,
        total_session_us: 6_000_000_000,
        max_session_us: 60_000_000,
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// A hundred connections over the network, of one minute each.
pub fn client(n: u64) -> ClientGroup {
    ClientGroup {
        id: format!("ch_{n:016x}"),
        is_local: false,
        received_count: 100,
        disconnected_count: 100,
        total_session_us: 6_000_000_000,
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// Ten cancellations for `reason`, of statements that the log does not tell.
pub fn cancellation(n: u64, reason: CancelReason) -> CancellationGroup {
    CancellationGroup {
        id: format!("ca_{n:016x}"),
        reason,
        family: None,
        attribution: None,
        dimensions: dimensions("shop", "app", "web"),
        count: 10,
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// Ten plans of `family` with these nodes, the slowest execution being the family's.
pub fn logged_plan(family: &QueryFamily, nodes: impl IntoIterator<Item = LoggedPlanNode>) -> PlanGroup {
    PlanGroup {
        id: family.id.replacen("qf_", "pl_", 1),
        family: family.id.clone(),
        attribution: Attribution::Stated,
        count: 10,
        slowest_at: START_US,
        slowest_duration_us: family.max_duration_us,
        slowest_plan: nodes.into_iter().collect(),
    }
}

/// A node with estimates of a cost of 100 and 10 rows, and without actual figures. The root has no parent.
pub fn logged_plan_node(parent: Option<u32>, node_type: &str) -> LoggedPlanNode {
    LoggedPlanNode {
        parent,
        node_type: node_type.to_owned(),
        relation: None,
        index: None,
        has_filter: false,
        has_index_condition: false,
        total_cost: Some(100.0),
        plan_rows: Some(10.0),
        actual_rows: None,
        loops: None,
        total_us: None,
        rows_removed_by_filter: None,
        disk_bytes: None,
        temp_written_blocks: None,
    }
}

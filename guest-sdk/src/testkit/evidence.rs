//! Evidence by hand. Every record has values that make sense; change what matters with struct update syntax:
//! `QueryFamily { kind: StatementKind::Update, ..testkit::family(2) }`.

use crate::{
    Baseline, Confidence, Deadlock, DeadlockEdge, Dimensions, ErrorClass, EventCount, Evidence, Figures, LiveSession,
    LockMode, LockTarget, LockWait, QueryFamily, Regression, RegressionReason, StatementKind, TempFileGroup,
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
        events: Vec::new(),
        live_sessions: Vec::new(),
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
        first_seen: START_US,
        last_seen: START_US + HOUR_US,
    }
}

/// Ten temporary files of one gigabyte in all, of a statement that the log does not tell.
pub fn temp_files(n: u64) -> TempFileGroup {
    TempFileGroup {
        id: format!("tf_{n:016x}"),
        family: None,
        dimensions: dimensions("shop", "app", "web"),
        count: 10,
        total_bytes: 1 << 30,
        max_bytes: 200 << 20,
    }
}

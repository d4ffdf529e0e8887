//! One look for each kind of trouble: what it measures, and what that is worth.
//!
//! A score is `n / (n + half)`: one half where a person would look at it today, towards 1 without end. `half` is a number of ours for each kind, stated
//! beside it; where an event is no proof of trouble by itself, a factor below 1 keeps it from outranking one that is. The runbooks that are named
//! measure more closely.

use pg_logstats_runbook_statements::scores::{self, window_us};
use pg_logstats_sdk::{
    Bytes, CheckpointCause, Confidence, Count, DurationUs, ErrorClass, Evidence, Finding, FindingKind, Message,
    PlanGroup, Rate, Ratio, ReasonCode, Workflow,
};

use crate::{messages, words};

/// Trouble, and which runbook goes on.
pub(crate) struct Trouble {
    pub(crate) finding: Finding,
    pub(crate) workflow: Workflow,
}

/// How long before the end of the logs a wait may have begun that is taken to go on.
const STILL_US: i64 = 10 * 60 * 1_000_000;

fn saturating(n: f64, half: f64) -> f64 {
    n / (n + half)
}

fn events(evidence: &Evidence, names: &[&str]) -> u64 {
    let counted = evidence.events.iter().filter(|it| names.contains(&it.event.as_str()));
    counted.fold(0, |sum, it| sum.saturating_add(it.count))
}

/// How sure a count is.
fn confidence(n: u64) -> Confidence {
    match n {
        20.. => Confidence::High,
        3.. => Confidence::Medium,
        _ => Confidence::Low,
    }
}

fn trouble(
    evidence: &Evidence,
    kind: FindingKind,
    (title, count): (Message, u64),
    score: f64,
    codes: &[ReasonCode],
    workflow: Workflow,
) -> Option<Trouble> {
    if count == 0 {
        return None;
    }
    let reason = messages::reason(Count(count), DurationUs(window_us(evidence)));
    let finding = Finding::new(kind, title, reason)
        .score(score)
        .confidence(confidence(count));
    Some(Trouble {
        finding: codes.iter().fold(finding, |finding, code| finding.code(*code)),
        workflow,
    })
}

/// All looks, each of which may see trouble.
pub(crate) fn all(evidence: &Evidence) -> Vec<Trouble> {
    let looks: [fn(&Evidence) -> Option<Trouble>; 19] = [
        damage,
        panics,
        sequences,
        errors,
        locks,
        deadlocks,
        regressions,
        slow_statement,
        slow_plan,
        temp_files,
        exhausted,
        rejected,
        lost,
        storm,
        checkpoints,
        wraparound,
        autovacuum,
        replication,
        cancelled,
    ];
    looks.iter().filter_map(|look| look(evidence)).collect()
}

/// A crash is trouble by itself, damaged data the worst there is; memory runs out again.
fn damage(evidence: &Evidence) -> Option<Trouble> {
    // A crash takes every session along, each of which says so: that tells of one at least, where the log does not have the crash itself.
    let crashes = match events(evidence, &["server_crashed"]) {
        0 => events(evidence, &["server_crash_restart"]).min(1),
        crashes => crashes,
    };
    let damaged = events(evidence, &["server_invalid_checksum"]);
    let memory = events(evidence, &["server_out_of_memory"]);
    let score = match (damaged, crashes) {
        (1.., _) => 0.99,
        (0, 1..) => 0.95,
        _ => 0.85,
    };
    let title = messages::damaged_title(Count(crashes), Count(damaged), Count(memory));
    let count = crashes + damaged + memory;
    let found = trouble(
        evidence,
        FindingKind::ErrorClass,
        (title, count),
        score,
        &[words::SERVER_DAMAGED],
        words::ERRORS,
    )?;
    Some(Trouble {
        finding: found.finding.confidence(Confidence::High),
        ..found
    })
}

/// SQLSTATEs of damage: data_corrupted, index_corrupted, io_error, undefined_file (PostgreSQL, appendix A).
const DAMAGE: [&str; 4] = ["XX001", "XX002", "58030", "58P01"];

fn panics(evidence: &Evidence) -> Option<Trouble> {
    let is_damage = |class: &&ErrorClass| {
        class.severity == "PANIC" || class.sqlstate.as_deref().is_some_and(|state| DAMAGE.contains(&state))
    };
    let (kind, codes) = (FindingKind::ErrorClass, &[words::SERVER_DAMAGED]);
    of_classes(
        evidence,
        is_damage,
        kind,
        messages::panics_title,
        0.97,
        codes,
        words::ERRORS,
    )
}

/// SQLSTATE of a sequence that has no values left: sequence_generator_limit_exceeded.
const SEQUENCE: &str = "2200H";

/// One that has none left is as bad with the first error as with any number: whatever needs it fails until somebody makes room.
fn sequences(evidence: &Evidence) -> Option<Trouble> {
    let is_ended = |class: &&ErrorClass| class.sqlstate.as_deref() == Some(SEQUENCE);
    let (kind, codes) = (FindingKind::Wraparound, &[words::SEQUENCE_EXHAUSTED]);
    of_classes(
        evidence,
        is_ended,
        kind,
        messages::sequences_title,
        0.9,
        codes,
        words::WRAPAROUND,
    )
}

/// Errors that are as bad with the first one: all classes of a kind together.
fn of_classes(
    evidence: &Evidence,
    is_one: impl Fn(&&ErrorClass) -> bool,
    kind: FindingKind,
    title: fn(Count) -> Message,
    score: f64,
    codes: &[ReasonCode],
    workflow: Workflow,
) -> Option<Trouble> {
    let classes: Vec<&ErrorClass> = evidence.errors.iter().filter(is_one).collect();
    let count = classes.iter().fold(0u64, |sum, class| sum.saturating_add(class.count));
    let found = trouble(evidence, kind, (title(Count(count)), count), score, codes, workflow)?;
    let finding = classes
        .iter()
        .fold(found.finding.confidence(Confidence::High), |finding, class| {
            finding.evidence(*class)
        });
    Some(Trouble { finding, ..found })
}

/// Classes that other looks judge: sequences, deadlocks, cancellations, refused connections, replication.
fn is_judged_elsewhere(class: &ErrorClass) -> bool {
    let state = class.sqlstate.as_deref().unwrap_or_default();
    ["57", "53", "28", "40P01", "55P03", SEQUENCE]
        .iter()
        .any(|start| state.starts_with(start))
}

/// The largest class, of those that no other look judges. 200 errors are half: an application that checks constraints by trying has some. At
/// once they count for more: an outage or a deploy, and not everyday life.
fn errors(evidence: &Evidence) -> Option<Trouble> {
    let judged = evidence.errors.iter().filter(|class| !is_judged_elsewhere(class));
    let window_us = window_us(evidence);
    let rated = judged.map(|class| {
        let span_us = class.last_seen.saturating_sub(class.first_seen).unsigned_abs();
        let is_burst = class.count >= 20 && span_us < window_us / 4;
        let weight = if is_burst { (1.0, 50.0) } else { (0.8, 200.0) };
        (
            weight.0 * saturating(class.count as f64, weight.1),
            is_burst,
            span_us,
            class,
        )
    });
    let (score, is_burst, span_us, class) = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let count = Count(class.count);
    let (kind, title, code) = if is_burst {
        let title = messages::burst_title(class, count, DurationUs(span_us));
        (FindingKind::ErrorBurst, title, words::ERROR_BURST)
    } else {
        (
            FindingKind::ErrorClass,
            messages::errors_title(class, count),
            words::MANY_ERRORS,
        )
    };
    let mut found = trouble(evidence, kind, (title, class.count), score, &[code], words::ERRORS)?;
    found.finding = found.finding.about(class);
    Some(found)
}

/// A minute for the longest wait is half, as in the runbook `locks`; so are ten waits of a second and more, or three that had not ended when the logs
/// did: of these nobody knows how long they took, and whoever waits now is somebody who cannot work.
fn locks(evidence: &Evidence) -> Option<Trouble> {
    let waits = &evidence.lock_waits;
    let (_, end) = evidence.window.unwrap_or_default();
    let is_stuck = |wait: &&pg_logstats_sdk::LockWait| !wait.acquired && end.saturating_sub(wait.at) < STILL_US;
    let stuck = waits.iter().filter(is_stuck).count();
    let longest = waits.iter().max_by_key(|wait| wait.waited_us)?;
    let many = waits.iter().filter(|wait| wait.waited_us >= 1_000_000).count();
    let by_length = saturating(longest.waited_us as f64, 60e6);
    let score = by_length
        .max(0.8 * saturating(many as f64, 10.0))
        .max(saturating(stuck as f64, 3.0));
    let title = messages::locks_title(Count::of(waits), DurationUs(longest.waited_us));
    let found = trouble(
        evidence,
        FindingKind::LockWait,
        (title, waits.len() as u64),
        score,
        &[words::LOCK_WAITS],
        words::LOCKS,
    )?;
    Some(Trouble {
        finding: found.finding.about(longest).confidence(Confidence::High),
        ..found
    })
}

/// Two are half: each one cost a transaction.
fn deadlocks(evidence: &Evidence) -> Option<Trouble> {
    let count = evidence.deadlocks.len() as u64;
    let title = messages::deadlocks_title(Count(count));
    let mut found = trouble(
        evidence,
        FindingKind::Deadlock,
        (title, count),
        saturating(count as f64, 2.0),
        &[words::DEADLOCKS],
        words::LOCKS,
    )?;
    if let Some(last) = evidence.deadlocks.last() {
        found.finding = found.finding.about(last).confidence(Confidence::High);
    }
    Some(found)
}

/// What the statements took beyond their usual time, in sessions that this kept busy; a quarter of a session is half.
fn regressions(evidence: &Evidence) -> Option<Trouble> {
    let regressions = &evidence.baseline.as_ref()?.regressions;
    let sure = regressions.iter().filter(|it| it.doubts.is_empty());
    let excess = sure.fold(0u64, |sum, it| sum.saturating_add(it.excess_duration_us));
    let title = messages::regressions_title(Count::of(regressions), DurationUs(excess));
    let score = saturating(excess as f64 / window_us(evidence) as f64, 0.25);
    let mut found = trouble(
        evidence,
        FindingKind::SlowQueryRegression,
        (title, regressions.len() as u64),
        score,
        &[words::REGRESSIONS],
        words::SLOW_QUERIES,
    )?;
    if let Some(first) = regressions.first() {
        found.finding = found.finding.about(&first.family).confidence(first.confidence);
    }
    Some(found)
}

/// The statement that keeps the most sessions busy *and* is slow: that a quick one runs all the time is what servers are for.
fn slow_statement(evidence: &Evidence) -> Option<Trouble> {
    let window_us = window_us(evidence);
    let rated = evidence
        .families
        .iter()
        .map(|family| (scores::statement(family, window_us), family));
    let (score, family) = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let share = Ratio::of(family.total_duration_us, evidence.total_duration_us);
    let title = messages::statement_title(family, DurationUs(family.p95_duration_us), share);
    let found = trouble(
        evidence,
        FindingKind::QueryFamily,
        (title, family.execution_count),
        score,
        &[words::SLOW_STATEMENT],
        words::QUERY_FAMILIES,
    )?;
    Some(Trouble {
        finding: found.finding.about(family),
        ..found
    })
}

/// A statement of which auto_explain logs the plan and nothing else logs the time. One whose times are logged is [`slow_statement`]'s.
fn slow_plan(evidence: &Evidence) -> Option<Trouble> {
    let window_us = window_us(evidence);
    let is_timed = |group: &&PlanGroup| {
        let family = evidence.family(&group.family);
        family.is_some_and(|family| family.total_duration_us >= group.slowest_duration_us)
    };
    let rated = evidence
        .plans
        .iter()
        .filter(|group| !is_timed(group))
        .map(|group| (scores::logged_plan(group, window_us), group));
    let (score, group) = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let title = messages::plan_title(group, DurationUs(group.slowest_duration_us));
    let found = trouble(
        evidence,
        FindingKind::Plan,
        (title, group.count),
        score,
        &[words::SLOW_STATEMENT],
        words::PLANS,
    )?;
    Some(Trouble {
        finding: found.finding.about(group),
        ..found
    })
}

fn temp_files(evidence: &Evidence) -> Option<Trouble> {
    let sum = |value: fn(&pg_logstats_sdk::TempFileGroup) -> u64| {
        evidence
            .temp_files
            .iter()
            .fold(0u64, |sum, group| sum.saturating_add(value(group)))
    };
    let (bytes, files) = (sum(|group| group.total_bytes), sum(|group| group.count));
    let score = scores::temp_files(bytes, window_us(evidence));
    let title = messages::temp_title(Bytes(bytes), Count(files));
    let mut found = trouble(
        evidence,
        FindingKind::TempFile,
        (title, files),
        score,
        &[words::TEMP_FILES_WRITTEN],
        words::TEMP_FILES,
    )?;
    if let Some(first) = evidence.temp_files.first() {
        found.finding = found.finding.about(first);
    }
    Some(found)
}

fn connection(
    evidence: &Evidence,
    title: fn(Count) -> Message,
    names: &[&str],
    weight: f64,
    half: f64,
    code: ReasonCode,
) -> Option<Trouble> {
    let count = events(evidence, names);
    trouble(
        evidence,
        FindingKind::ConnectionPressure,
        (title(Count(count)), count),
        weight * saturating(count as f64, half),
        &[code],
        words::CONNECTIONS,
    )
}

/// Each was somebody who could not work: two are half.
fn exhausted(evidence: &Evidence) -> Option<Trouble> {
    let names = [
        "connection_out_of_connections",
        "connection_too_many_role",
        "connection_too_many_database",
    ];
    connection(
        evidence,
        messages::exhausted_title,
        &names,
        1.0,
        2.0,
        words::CONNECTIONS_EXHAUSTED,
    )
}

/// A wrong password now and then is everyday life.
fn rejected(evidence: &Evidence) -> Option<Trouble> {
    connection(
        evidence,
        messages::rejected_title,
        &["connection_rejected", "connection_ssl_failed", "connection_protocol"],
        0.7,
        30.0,
        words::CONNECTIONS_REJECTED,
    )
}

fn lost(evidence: &Evidence) -> Option<Trouble> {
    connection(
        evidence,
        messages::lost_title,
        &["connection_lost", "connection_lost_open_tx"],
        0.7,
        30.0,
        words::CONNECTIONS_LOST,
    )
}

/// Ten connections a second are half: each one is a process to start, and a pooler would spare it.
fn storm(evidence: &Evidence) -> Option<Trouble> {
    let received = events(evidence, &["connection_received"]);
    let span_us = evidence
        .clients
        .iter()
        .map(|client| (client.first_seen, client.last_seen))
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
        .map_or_else(
            || window_us(evidence),
            |(first, last)| last.saturating_sub(first).unsigned_abs(),
        );
    let rate = Rate::of(received, span_us.max(1_000_000))?;
    let title = messages::storm_title(Count(received), rate);
    // Below a hundred in all, a rate is a number of nothing.
    let score = if received < 100 {
        0.0
    } else {
        saturating(rate.per_second(), 10.0)
    };
    trouble(
        evidence,
        FindingKind::ConnectionPressure,
        (title, received),
        score,
        &[words::CONNECTION_STORM],
        words::CONNECTIONS,
    )
}

/// Warnings of the server: two are half. Or one `fsync` that took ten seconds: sessions wait for it at commit.
fn checkpoints(evidence: &Evidence) -> Option<Trouble> {
    let checkpoints = &evidence.checkpoints;
    let causes = |wanted: Option<CheckpointCause>| {
        let counted = checkpoints
            .causes
            .iter()
            .filter(|it| wanted.is_none_or(|cause| it.cause == cause));
        counted.fold(0u64, |sum, it| sum.saturating_add(it.count))
    };
    let share = Ratio::of(causes(Some(CheckpointCause::Wal)), causes(None));
    let by_warnings = saturating(checkpoints.too_frequent_count as f64, 2.0);
    let by_sync = 0.9 * saturating(checkpoints.longest_sync_us as f64, 10e6);
    let (title, count, score, code) = if by_sync > by_warnings {
        let title = messages::sync_title(DurationUs(checkpoints.longest_sync_us));
        (title, checkpoints.checkpoint_count.max(1), by_sync, words::SLOW_SYNC)
    } else {
        let title = messages::frequent_title(Count(checkpoints.too_frequent_count), share);
        (
            title,
            checkpoints.too_frequent_count,
            by_warnings,
            words::CHECKPOINTS_TOO_FREQUENT,
        )
    };
    trouble(
        evidence,
        FindingKind::Checkpoint,
        (title, count),
        score,
        &[code],
        words::CHECKPOINTS,
    )
}

/// The server warns when some 40 million ids are left, and stops at 3 million (PostgreSQL, "Preventing Transaction ID Wraparound Failures").
fn wraparound(evidence: &Evidence) -> Option<Trouble> {
    let warnings = events(evidence, &["wraparound_warning"]);
    let refused = events(evidence, &["wraparound_error"]);
    let title = messages::wraparound_title(Count(warnings), Count(refused));
    let score = if refused > 0 { 0.99 } else { 0.93 };
    let found = trouble(
        evidence,
        FindingKind::Wraparound,
        (title, warnings.saturating_add(refused)),
        score,
        &[words::WRAPAROUND_NEAR],
        words::AUTOVACUUM,
    )?;
    Some(Trouble {
        finding: found.finding.confidence(Confidence::High),
        ..found
    })
}

/// Ten runs that gave way are half, and so are a million dead rows that somebody may still see.
fn autovacuum(evidence: &Evidence) -> Option<Trouble> {
    let mut tables: Vec<&str> = Vec::new();
    let (mut cancelled, mut dead) = (0u64, 0u64);
    for group in &evidence.autovacuum {
        let given_up = group.canceled_count.saturating_add(group.skipped_count);
        if given_up > 0 || group.max_tuples_dead_not_removable > 10_000 {
            cancelled = cancelled.saturating_add(given_up);
            dead = dead.max(group.max_tuples_dead_not_removable);
            if !tables.contains(&group.table.as_str()) {
                tables.push(&group.table);
            }
        }
    }
    let score = (0.7 * saturating(cancelled as f64, 10.0)).max(0.9 * saturating(dead as f64, 1e6));
    let title = messages::held_up_title(Count::of(&tables), Count(cancelled), Count(dead));
    trouble(
        evidence,
        FindingKind::Autovacuum,
        (title, tables.len() as u64),
        score,
        &[words::AUTOVACUUM_HELD_UP],
        words::AUTOVACUUM,
    )
}

/// The worst of: WAL that was not archived (three are half: it piles up meanwhile), statements that replay cancelled (five), streaming that
/// broke (three).
fn replication(evidence: &Evidence) -> Option<Trouble> {
    let archive = events(evidence, &["wal_archive_command_failed"]);
    let conflicts = events(
        evidence,
        &["standby_statement_canceled", "standby_connection_terminated"],
    );
    let streaming = events(
        evidence,
        &[
            "standby_streaming_interrupted",
            "standby_streaming_stopped",
            "standby_invalid_timeline",
        ],
    );
    /// How many are half, how many there are, and what to say.
    type Look = (f64, u64, fn(Count) -> Message, ReasonCode);
    let looks: [Look; 3] = [
        (3.0, archive, messages::archive_title, words::ARCHIVE_FAILED),
        (5.0, conflicts, messages::conflicts_title, words::RECOVERY_CONFLICTS),
        (3.0, streaming, messages::streaming_title, words::STREAMING_INTERRUPTED),
    ];
    let rated = looks.map(|(half, count, title, code)| (saturating(count as f64, half), count, title, code));
    let (score, count, title, code) = rated.into_iter().max_by(|one, other| one.0.total_cmp(&other.0))?;
    trouble(
        evidence,
        FindingKind::Replication,
        (title(Count(count)), count),
        score,
        &[code],
        words::REPLICATION,
    )
}

/// Time-outs and ended sessions, but for those on a standby, which replication has. Twenty are half, since clients set time-outs to be used.
fn cancelled(evidence: &Evidence) -> Option<Trouble> {
    use pg_logstats_sdk::CancelReason;
    let (mut statements, mut locks, mut idle) = (0u64, 0u64, 0u64);
    for group in &evidence.cancellations {
        let sum = match group.reason {
            CancelReason::StatementTimeout | CancelReason::TransactionTimeout => &mut statements,
            CancelReason::LockTimeout => &mut locks,
            CancelReason::IdleInTransactionTimeout => &mut idle,
            _ => continue,
        };
        *sum = sum.saturating_add(group.count);
    }
    let count = statements.saturating_add(locks).saturating_add(idle);
    let workflow = if locks.saturating_add(idle) > statements {
        words::LOCKS
    } else {
        words::QUERY_FAMILIES
    };
    trouble(
        evidence,
        FindingKind::Cancellation,
        (messages::cancelled_title(Count(count)), count),
        0.8 * saturating(count as f64, 20.0),
        &[words::STATEMENTS_CANCELLED],
        workflow,
    )
}

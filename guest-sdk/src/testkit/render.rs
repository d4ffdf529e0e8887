//! Values as the host writes them.

use super::TestError;
use super::subjects::Subjects;
use crate::{CancelReason, CheckpointCause, LockMode, Value, ValueKind};

/// `value` in a hole of the kind `kind` of the message `message`.
pub(super) fn value(value: &Value, kind: ValueKind, message: &str, subjects: &Subjects) -> Result<String, TestError> {
    let text = match (value, kind) {
        (Value::Count(n), ValueKind::Count) => grouped(*n),
        (Value::DurationUs(us), ValueKind::DurationUs) => duration(*us),
        (Value::Bytes(n), ValueKind::Bytes) => bytes(*n),
        (Value::Ratio(r), ValueKind::Ratio) if r.is_finite() => format!("{:.1} %", r * 100.0),
        (Value::Ratio(_), ValueKind::Ratio) => {
            return Err(TestError::breach(format!(
                "a ratio is not finite in message `{message}`"
            )));
        }
        (Value::Subject(id), ValueKind::Subject) => {
            subjects.known(id)?;
            id.clone()
        }
        (Value::LockMode(mode), ValueKind::LockMode) => lock_mode(*mode).to_owned(),
        (Value::At(us), ValueKind::At) => instant(*us),
        (Value::Rate(r), ValueKind::Rate) if r.is_finite() && *r >= 0.0 => rate(*r),
        (Value::Rate(_), ValueKind::Rate) => {
            return Err(TestError::breach(format!(
                "a rate is not finite, or negative, in message `{message}`"
            )));
        }
        (Value::CheckpointCause(cause), ValueKind::CheckpointCause) => checkpoint_cause(*cause).to_owned(),
        (Value::CancelReason(reason), ValueKind::CancelReason) => cancel_reason(*reason).to_owned(),
        _ => {
            return Err(TestError::breach(format!(
                "a value is not of its hole's kind in message `{message}`"
            )));
        }
    };
    Ok(text)
}

fn lock_mode(mode: LockMode) -> &'static str {
    match mode {
        LockMode::AccessShare => "AccessShareLock",
        LockMode::RowShare => "RowShareLock",
        LockMode::RowExclusive => "RowExclusiveLock",
        LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
        LockMode::Share => "ShareLock",
        LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
        LockMode::Exclusive => "ExclusiveLock",
        LockMode::AccessExclusive => "AccessExclusiveLock",
        LockMode::Unknown => "lock of unknown mode",
    }
}

fn checkpoint_cause(cause: CheckpointCause) -> &'static str {
    match cause {
        CheckpointCause::Shutdown => "shutdown",
        CheckpointCause::EndOfRecovery => "end-of-recovery",
        CheckpointCause::Immediate => "immediate",
        CheckpointCause::Force => "force",
        CheckpointCause::Wait => "wait",
        CheckpointCause::Wal => "wal",
        CheckpointCause::Time => "time",
        CheckpointCause::FlushAll => "flush-all",
        CheckpointCause::Other => "other",
    }
}

/// Why a statement was cancelled, to follow "by".
fn cancel_reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::StatementTimeout => "statement_timeout",
        CancelReason::LockTimeout => "lock_timeout",
        CancelReason::UserRequest => "user request",
        CancelReason::IdleInTransactionTimeout => "idle_in_transaction_session_timeout",
        CancelReason::IdleSessionTimeout => "idle_session_timeout",
        CancelReason::TransactionTimeout => "transaction_timeout",
        CancelReason::Terminated => "termination of the session",
        CancelReason::ConflictSnapshot => "a recovery conflict over row versions",
        CancelReason::ConflictLock => "a recovery conflict over a lock",
        CancelReason::ConflictBufferPin => "a recovery conflict over a buffer pin",
        CancelReason::ConflictTablespace => "a recovery conflict over a tablespace",
        CancelReason::ConflictDatabase => "a recovery conflict over a database",
        CancelReason::ConflictDeadlock => "a recovery conflict over a deadlock",
        CancelReason::ConflictLogicalSlot => "a recovery conflict over a logical slot",
        CancelReason::ConflictOther => "a recovery conflict",
    }
}

/// A frequency in the unit of time in which it is at least one, an hour at most.
fn rate(per_second: f64) -> String {
    let (value, unit) = match per_second {
        r if r >= 1.0 => (r, "second"),
        r if r >= 1.0 / 60.0 => (r * 60.0, "minute"),
        r => (r * 3_600.0, "hour"),
    };
    format!("{value:.1} per {unit}")
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn duration(us: u64) -> String {
    let value = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.1} ms", value / 1e3),
        1_000_000..120_000_000 => format!("{:.2} s", value / 1e6),
        120_000_000..7_200_000_000 => format!("{:.1} min", value / 6e7),
        _ => format!("{:.1} h", value / 3.6e9),
    }
}

fn bytes(n: u64) -> String {
    let value = n as f64;
    match n {
        0..1_024 => format!("{n} B"),
        1_024..1_048_576 => format!("{:.1} KiB", value / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", value / 1_048_576.0),
        _ => format!("{:.1} GiB", value / 1_073_741_824.0),
    }
}

/// RFC 3339 in UTC. Years outside 0 to 9999 are shown as the number.
fn instant(us: i64) -> String {
    let (seconds, fraction) = (us.div_euclid(1_000_000), us.rem_euclid(1_000_000));
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    if !(0..=9_999).contains(&year) {
        return format!("{us} us");
    }
    let fraction = match fraction {
        0 => String::new(),
        us => format!(".{us:06}").trim_end_matches('0').to_owned(),
    };
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Year, month and day of the day `days` after 1970-01-01, in the proleptic Gregorian calendar, by Howard Hinnant's algorithm.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{bytes, duration, grouped, instant, rate};

    #[test]
    fn values_are_written_as_the_host_writes_them() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(duration(999), "999 µs");
        assert_eq!(duration(1_500_000), "1.50 s");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(
            [rate(12.5), rate(0.5), rate(0.0)],
            ["12.5 per second", "30.0 per minute", "0.0 per hour"]
        );
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(951_782_400_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(instant(1_763_877_727_250_000), "2025-11-23T06:02:07.25Z");
        assert_eq!(instant(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(instant(i64::MIN), "-9223372036854775808 us");
    }
}

//! What an error stands for, by severity and SQLSTATE (documentation, "PostgreSQL Error Codes"), and how much it weighs.

use pg_logstats_sdk::{CancelReason, Count, ErrorClass, Message, ReasonCode};

use crate::{messages, words};

/// What an error stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Damage,
    Panic,
    Crash,
    DiskFull,
    Memory,
    Resources,
    Connections,
    Internal,
    Cancelled,
    Ended,
    NotReady,
    Deadlock,
    Serialization,
    Lock,
    Constraint,
    Sequence,
    Access,
    Statement,
    Lost,
    Data,
    Other,
}

/// How a number of events in an hour becomes a score: `floor` for one in a long time, half of the way to `ceiling` at `half` an hour.
///
/// The floor says what one alone is worth: from 0.8 for what cannot wait, whatever the count, to 0 for what a healthy server logs every day.
/// The ceiling says what any number of them can be worth: a flood of refused rows is never as bad as one damaged page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weight {
    floor: f64,
    ceiling: f64,
    half: f64,
}

impl Weight {
    const fn new(floor: f64, ceiling: f64, half: f64) -> Self {
        Self { floor, ceiling, half }
    }

    /// The score of `per_hour` events, finite and not negative.
    pub(super) fn score(self, per_hour: f64) -> f64 {
        self.floor + (self.ceiling - self.floor) * (per_hour / (per_hour + self.half))
    }

    /// Each of them cost a session, not only a statement: half as many weigh as much.
    pub(super) fn of_sessions(self) -> Self {
        Self {
            half: self.half / 2.0,
            ..self
        }
    }

    /// Whether one alone is worth a look, so that it needs no number to be sure of.
    pub(super) fn is_grave(self) -> bool {
        self.floor >= 0.4
    }
}

impl Category {
    pub(super) fn of(class: &ErrorClass) -> Self {
        let code = class.sqlstate.as_deref().unwrap_or_default();
        let panicked = class.severity == "PANIC";
        match code {
            "XX001" | "XX002" | "58P01" | "58030" => Self::Damage,
            _ if panicked => Self::Panic,
            "57P02" => Self::Crash,
            "53100" => Self::DiskFull,
            "53200" => Self::Memory,
            "53300" => Self::Connections,
            "57014" => Self::Cancelled,
            "57P03" => Self::NotReady,
            "25P03" | "25P04" => Self::Ended,
            "40P01" => Self::Deadlock,
            "55P03" => Self::Lock,
            "42501" => Self::Access,
            "2200H" => Self::Sequence,
            _ => match code.get(..2) {
                Some("XX" | "58") => Self::Internal,
                Some("53") => Self::Resources,
                Some("57") => Self::Ended,
                Some("40") => Self::Serialization,
                Some("23") => Self::Constraint,
                Some("28") => Self::Access,
                Some("42") => Self::Statement,
                Some("08") => Self::Lost,
                Some("22" | "54") => Self::Data,
                _ => Self::Other,
            },
        }
    }

    pub(super) const fn weight(self) -> Weight {
        match self {
            Self::Damage | Self::Panic => Weight::new(0.9, 1.0, 10.0),
            Self::Crash => Weight::new(0.8, 1.0, 10.0),
            Self::DiskFull => Weight::new(0.8, 0.95, 10.0),
            Self::Memory => Weight::new(0.6, 0.9, 10.0),
            Self::Resources | Self::Connections => Weight::new(0.4, 0.9, 60.0),
            Self::Internal => Weight::new(0.4, 0.85, 10.0),
            Self::Deadlock => Weight::new(0.3, 0.8, 10.0),
            // Nothing that takes a value of it succeeds any more.
            Self::Sequence => Weight::new(0.7, 0.95, 10.0),
            Self::Lock => Weight::new(0.0, 0.7, 60.0),
            Self::Cancelled | Self::NotReady => Weight::new(0.0, 0.6, 60.0),
            Self::Ended | Self::Statement => Weight::new(0.0, 0.6, 60.0),
            Self::Serialization => Weight::new(0.0, 0.6, 120.0),
            Self::Access | Self::Lost => Weight::new(0.0, 0.5, 120.0),
            Self::Constraint | Self::Data => Weight::new(0.0, 0.4, 600.0),
            Self::Other => Weight::new(0.0, 0.5, 240.0),
        }
    }

    pub(super) const fn code(self) -> ReasonCode {
        match self {
            Self::Damage => words::DATA_DAMAGED,
            Self::Panic => words::SERVER_PANIC,
            Self::Crash => words::SERVER_CRASHED,
            Self::DiskFull => words::DISK_FULL,
            Self::Memory => words::OUT_OF_MEMORY,
            Self::Resources => words::OUT_OF_RESOURCES,
            Self::Connections => words::OUT_OF_CONNECTIONS,
            Self::Internal => words::INTERNAL_ERROR,
            Self::Cancelled => words::STATEMENT_CANCELLED,
            Self::Ended => words::SESSION_TERMINATED,
            Self::NotReady => words::NOT_ACCEPTING,
            Self::Deadlock => words::DEADLOCK,
            Self::Serialization => words::SERIALIZATION_FAILURE,
            Self::Lock => words::LOCK_NOT_AVAILABLE,
            Self::Constraint => words::CONSTRAINT_VIOLATION,
            Self::Sequence => words::SEQUENCE_EXHAUSTED,
            Self::Access => words::ACCESS_REFUSED,
            Self::Statement => words::INVALID_STATEMENT,
            Self::Lost => words::CONNECTION_LOST,
            Self::Data => words::INVALID_DATA,
            Self::Other => words::OTHER_ERROR,
        }
    }

    pub(super) fn title(self, class: &ErrorClass) -> Message {
        let title = match self {
            Self::Damage => messages::damage_title,
            Self::Panic => messages::panic_title,
            Self::Crash => messages::crash_title,
            Self::DiskFull => messages::disk_full_title,
            Self::Memory => messages::memory_title,
            Self::Resources => messages::resources_title,
            Self::Connections => messages::connections_title,
            Self::Internal => messages::internal_title,
            Self::Cancelled => messages::statements_cancelled_title,
            Self::Ended => messages::ended_title,
            Self::NotReady => messages::not_ready_title,
            Self::Deadlock => messages::deadlock_title,
            Self::Serialization => messages::serialization_title,
            Self::Lock => messages::lock_title,
            Self::Constraint => messages::constraint_title,
            Self::Sequence => messages::sequence_title,
            Self::Access => messages::access_title,
            Self::Statement => messages::statement_title,
            Self::Lost => messages::lost_title,
            Self::Data => messages::data_title,
            Self::Other => messages::other_title,
        };
        title(class, Count(class.count))
    }
}

/// The SQLSTATE with which the server tells of a cancellation, and its weight. Time-outs of idle sessions do what they are there for; what
/// replay cancels on a standby is lost work that nobody asked for.
pub(super) const fn of_cancellation(reason: CancelReason) -> (&'static str, Weight) {
    match reason {
        CancelReason::StatementTimeout => ("57014", Weight::new(0.0, 0.6, 60.0)),
        CancelReason::UserRequest => ("57014", Weight::new(0.0, 0.4, 120.0)),
        CancelReason::LockTimeout => ("55P03", Weight::new(0.0, 0.7, 60.0)),
        CancelReason::IdleInTransactionTimeout => ("25P03", Weight::new(0.0, 0.5, 30.0)),
        CancelReason::IdleSessionTimeout => ("57P05", Weight::new(0.0, 0.1, 600.0)),
        CancelReason::TransactionTimeout => ("25P04", Weight::new(0.0, 0.6, 30.0)),
        CancelReason::Terminated => ("57P01", Weight::new(0.0, 0.5, 60.0)),
        CancelReason::ConflictDeadlock => ("40P01", Weight::new(0.2, 0.7, 30.0)),
        CancelReason::ConflictLogicalSlot => ("40001", Weight::new(0.4, 0.8, 10.0)),
        CancelReason::ConflictDatabase => ("57P04", Weight::new(0.0, 0.3, 60.0)),
        CancelReason::ConflictSnapshot
        | CancelReason::ConflictLock
        | CancelReason::ConflictBufferPin
        | CancelReason::ConflictTablespace
        | CancelReason::ConflictOther => ("40001", Weight::new(0.0, 0.7, 30.0)),
    }
}

/// Whether replay on a standby did it.
pub(super) const fn is_conflict(reason: CancelReason) -> bool {
    matches!(
        reason,
        CancelReason::ConflictDeadlock
            | CancelReason::ConflictLogicalSlot
            | CancelReason::ConflictDatabase
            | CancelReason::ConflictSnapshot
            | CancelReason::ConflictLock
            | CancelReason::ConflictBufferPin
            | CancelReason::ConflictTablespace
            | CancelReason::ConflictOther
    )
}

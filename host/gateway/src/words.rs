//! The product's vocabulary: every enum whose spelling is part of the JSON contract.
//!
//! **In/out**: nothing but serde. Spellings are those of the documentation; changing one is a change of the report schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares enums that are written as their snake-case name, with `as_str` and `Display` saying the same.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// The spelling used in JSON, in the WIT and on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

words! {
    /// What the gateway has to work with.
    OperatingMode {
        /// Logs and a server that answers.
        LogBackedAndLive = "log_backed_and_live",
        /// Logs, no server.
        LogBackedOnly = "log_backed_only",
        /// A server, no logs.
        LiveOnly = "live_only",
        /// Neither.
        Unready = "unready",
    }

    /// The host's judgement of the database's health, strictest last but one: `unknown` denies everything.
    VerdictLevel {
        /// Safe and bounded actions may run.
        Clear = "clear",
        /// Safe actions may run.
        Busy = "busy",
        /// Only essential reads may run.
        Saturated = "saturated",
        /// Nothing may run.
        Unknown = "unknown",
    }

    /// How much an action can cost the database.
    Risk {
        /// Bounded by its shape: catalogue or statistics reads.
        Safe = "safe",
        /// Bounded by its caps and timeouts only.
        Bounded = "bounded",
        /// Never offered without an operator's policy.
        Expensive = "expensive",
        /// Needs a signed approval.
        RequiresHumanApproval = "requires_human_approval",
    }

    /// What an action reads.
    ActionClass {
        /// pg_catalog.
        SystemCatalogReads = "system_catalog_reads",
        /// pg_stat_activity, pg_locks.
        BoundedActivityQueries = "bounded_activity_queries",
        /// pg_stat_*.
        StatsViewReads = "stats_view_reads",
        /// EXPLAIN.
        ExplainWithoutAnalyze = "explain_without_analyze",
        /// EXPLAIN ANALYZE.
        ExplainAnalyze = "explain_analyze",
    }

    /// What a next action is.
    ActionType {
        /// Take another runbook.
        RunWorkflow = "run_workflow",
        /// Run a catalogue action.
        RunSql = "run_sql",
        /// Hand over to a person.
        PromptUser = "prompt_user",
        /// Nothing more to do.
        Stop = "stop",
    }

    /// Whether a next action may run, as of the report.
    ActionStatus {
        /// It may, as far as was known then; everything is evaluated again when it runs.
        Allowed = "allowed",
        /// No server to run it on.
        BlockedByMode = "blocked_by_mode",
        /// The verdict does not allow its risk.
        BlockedByVerdict = "blocked_by_verdict",
        /// The operator's configuration switched it off.
        BlockedByConfig = "blocked_by_config",
        /// The policy does not allow it.
        BlockedByPolicy = "blocked_by_policy",
        /// The budget of the incident, of the database's day or of its minute has no room for it.
        BlockedByBudget = "blocked_by_budget",
        /// The evidence lacks what it would bind.
        OmittedNotEnoughContext = "omitted_not_enough_context",
        /// It cannot handle that sort of subject.
        OmittedUnsupportedTarget = "omitted_unsupported_target",
    }

    /// How much an agent should want it.
    Priority {
        /// The incident cannot be understood without it.
        Required = "required",
        /// It will likely help.
        Recommended = "recommended",
        /// It may help.
        Optional = "optional",
    }

    /// How sure a statement is.
    Confidence {
        /// The evidence shows it.
        High = "high",
        /// The evidence suggests it.
        Medium = "medium",
        /// Little evidence.
        Low = "low",
    }

    /// What a finding is about.
    FindingKind {
        /// A query family.
        QueryFamily = "query_family",
        /// A family slower than in the baseline.
        SlowQueryRegression = "slow_query_regression",
        /// An error class.
        ErrorClass = "error_class",
        /// Temporary files.
        TempFile = "temp_file",
        /// A wait for a lock.
        LockWait = "lock_wait",
        /// A deadlock.
        Deadlock = "deadlock",
        /// Connections.
        ConnectionPressure = "connection_pressure",
        /// Autovacuum.
        Autovacuum = "autovacuum",
        /// Checkpoints.
        Checkpoint = "checkpoint",
        /// A plan.
        Plan = "plan",
        /// Many errors of one class in a short time.
        ErrorBurst = "error_burst",
        /// Statements cancelled, or sessions ended, by the server.
        Cancellation = "cancellation",
        /// Replication, slots and standbys.
        Replication = "replication",
        /// The age of the oldest transaction ids.
        Wraparound = "wraparound",
        /// The evidence shows nothing of the kind that the runbook looks for.
        NothingFound = "nothing_found",
    }

    /// How an action against the database ended.
    OutcomeStatus {
        /// All rows.
        Ok = "ok",
        /// The first rows, up to the action's caps.
        Truncated = "truncated",
        /// `statement_timeout` or `lock_timeout`.
        TimedOut = "timed_out",
        /// Cancelled by the host.
        Cancelled = "cancelled",
        /// The role may not.
        InsufficientPrivilege = "insufficient_privilege",
        /// The server has not what the action needs.
        Unavailable = "unavailable",
        /// Any other failure.
        Failed = "failed",
    }
}

//! The words of the manifest, besides those of `pg_logstats_runbook_statements`.

pg_logstats_sdk::workflows! {
    /// What took the time, compared with nothing.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// The baseline has no execution of it.
    ABSENT_IN_BASELINE = "absent_in_baseline";
    /// Its 95th percentile is higher than in the baseline.
    P95_REGRESSED = "p95_regressed";
    /// Its share of all statement time is larger than in the baseline.
    CONTRIBUTION_INCREASED = "contribution_increased";
    /// It was compared with the same statement, run by other roles or applications.
    UNDER_OTHER_NAMES = "under_other_names";
    /// All its executions of one side lie within a minute.
    BURST = "burst";
    /// Figures of one side lack something.
    INCOMPLETE_FIGURES = "incomplete_figures";
    /// The two logs seem to hold what different settings let through.
    LOGGING_DIFFERS = "logging_differs";
    /// Nothing is slower, at the 95th percentile, than it and those before it.
    AMONG_SLOWEST = "among_slowest";
    /// Its slowest executions are far from the usual one.
    LONG_TAIL = "long_tail";
    /// The log tells of lock waits or deadlocks of it.
    WAITED_FOR_LOCKS = "waited_for_locks";
    /// The log ascribes temporary files to it.
    WRITES_TEMP_FILES = "writes_temp_files";
    /// The log ascribes errors to it.
    HAS_ERRORS = "has_errors";
}

//! The words of the manifest, besides those of `pg_logstats_runbook_statements`.

pg_logstats_sdk::actions! {
    /// Sessions of the error class's database, role and application.
    ERROR_SESSIONS = "error_class.pg_stat_activity.by_dimensions";
}

pg_logstats_sdk::reason_codes! {
    /// It is among the families that took most time.
    TOP_TOTAL_TIME = "top_total_time";
    /// It took half of all time or more.
    DOMINATES_TOTAL_TIME = "dominates_total_time";
    /// Its mean is a second or more.
    SLOW_ON_AVERAGE = "slow_on_average";
    /// Its slowest executions are far from the usual one.
    LONG_TAIL = "long_tail";
    /// Short executions, but very many.
    MANY_EXECUTIONS = "many_executions";
    /// Parsing and binding took longer than executing.
    PARSE_BIND_HEAVY = "parse_bind_heavy";
    /// The log ascribes temporary files to it.
    WRITES_TEMP_FILES = "writes_temp_files";
    /// The log ascribes errors to it.
    HAS_ERRORS = "has_errors";
    /// It wrote most bytes of temporary files.
    TEMP_FILE_VOLUME = "temp_file_volume";
    /// One of its temporary files is very large.
    LARGE_TEMP_FILE = "large_temp_file";
    /// The log does not tell whose temporary files they are.
    STATEMENT_UNKNOWN = "statement_unknown";
    /// It is among the errors that happened most.
    FREQUENT_ERROR = "frequent_error";
    /// It ended a session.
    SESSION_ENDED = "session_ended";
    /// It took the server down.
    SERVER_PANIC = "server_panic";
}

//! The words of the manifest, besides those of `pg_logstats_runbook_statements`.

pg_logstats_sdk::actions! {
    /// The server's settings that matter for temporary files.
    TEMP_SETTINGS = "temp_file.pg_settings.relevant";
}

pg_logstats_sdk::workflows! {
    /// Which errors there were.
    ERRORS = "errors";
}

pg_logstats_sdk::reason_codes! {
    /// It wrote temporary files.
    TEMP_FILE_VOLUME = "temp_file_volume";
    /// Half of all bytes of temporary files or more are its.
    DOMINATES_TEMP_FILES = "dominates_temp_files";
    /// One of its files is very large.
    LARGE_TEMP_FILE = "large_temp_file";
    /// Very many files, each small: a little more memory spares them.
    MANY_SMALL_TEMP_FILES = "many_small_temp_files";
    /// The log does not tell whose files they are.
    STATEMENT_UNKNOWN = "statement_unknown";
    /// Whose files they are is concluded from the order of the log.
    STATEMENT_CONCLUDED = "statement_concluded";
    /// The disk was full while temporary files were written.
    DISK_FULL = "disk_full";
    /// A limit of the configuration, such as `temp_file_limit`, was reached.
    LIMIT_REACHED = "limit_reached";
}

pg_logstats_sdk::insights! {
    /// The server logs no temporary files.
    TEMP_FILES_NOT_LOGGED = "temp_files_not_logged";
    /// Nothing bounds the temporary files of a session.
    TEMP_FILES_UNBOUNDED = "temp_files_unbounded";
    /// What a role sorts and hashes would fit into a sane `work_mem`.
    WORK_MEM_TOO_SMALL = "work_mem_too_small";
    /// The settings are as they should be.
    TEMP_SETTINGS_UNREMARKABLE = "temp_settings_unremarkable";
}

//! The words of the manifest that come with temporary files.

pg_logstats_sdk::actions! {
    /// The plan of the statement that wrote temporary files.
    TEMP_EXPLAIN = "temp_file.explain";
    /// That plan with what happened in it.
    TEMP_EXPLAIN_ANALYZE = "temp_file.explain_analyze";
    /// The database's counters of temporary files.
    TEMP_COUNTERS = "temp_file.pg_stat_database.temp_counters";
    /// The statements that write temporary blocks.
    TEMP_BLOCKS = "temp_file.pg_stat_statements.temp_blocks";
}

pg_logstats_sdk::insights! {
    /// The database wrote temporary files.
    TEMP_FILES_VOLUME_DETECTED = "temp_files_volume_detected";
    /// It did not.
    NO_TEMP_FILES_FOUND = "no_temp_files_found";
}

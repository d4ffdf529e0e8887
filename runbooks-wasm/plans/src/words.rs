//! The words of the manifest, besides those of `pg_logstats_runbook_statements`.

pub(crate) use pg_logstats_runbook_statements::words::TABLE;

pg_logstats_sdk::actions! {
    /// The indexes of one table.
    INDEXES = "relation.pg_stat_all_indexes.usage";
    /// What the planner knows of the columns of one table.
    COLUMNS = "relation.pg_stats.columns";
}

pg_logstats_sdk::workflows! {
    /// Which statements took the time.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// A sequential scan threw most rows away.
    SELECTIVE_SCAN = "selective_scan";
    /// An estimate was wrong by ten times or more.
    ESTIMATE_OFF = "estimate_off";
    /// A sort or hash went to disk.
    DISK_SPILL = "disk_spill";
    /// A nested loop ran its inner side very often.
    NESTED_LOOP = "nested_loop";
    /// The family takes much of all statement time.
    LARGE_SHARE = "large_share_of_time";
    /// The evidence does not have the family any more.
    FAMILY_UNKNOWN = "family_unknown";
}

pg_logstats_sdk::insights! {
    /// The log shows a sort or hash on disk.
    LOGGED_SPILL = "logged_plan_spilled";
    /// What the planner knows of a table is old.
    STATISTICS_OLD = "table_statistics_old";
    /// A table is mostly read as a whole.
    TABLE_READ_WHOLE = "table_mostly_read_whole";
    /// Neither.
    TABLE_UNREMARKABLE = "table_unremarkable";
    /// Indexes that are not valid.
    INDEX_INVALID = "index_invalid";
    /// A table has no index.
    INDEX_NONE = "table_without_index";
    /// Which indexes there are.
    INDEXES_FOUND = "indexes_found";
    /// Columns that were never analysed.
    COLUMNS_UNKNOWN = "columns_without_statistics";
    /// All were.
    COLUMNS_KNOWN = "columns_with_statistics";
}

//! The words of the manifest.

pg_logstats_sdk::actions! {
    /// Indexes that are not valid.
    INVALID = "relation.pg_index.invalid";
    /// Constraints that are not validated.
    CONSTRAINTS = "relation.pg_constraint.not_validated";
    /// Indexes that are being built.
    BUILDS = "progress.pg_stat_progress_create_index.running";
    /// Tables with most dead rows.
    DEAD_ROWS = "autovacuum.pg_stat_all_tables.most_dead";
    /// Large indexes that no scan used.
    UNUSED = "relation.pg_stat_all_indexes.unused";
    /// The indexes of a table.
    USAGE = "relation.pg_stat_all_indexes.usage";
    /// How much of a table is empty.
    BLOAT = "relation.pg_stats.bloat_estimate";
    /// What the server counted for a table.
    STATISTICS = "relation.pg_stat_all_tables.statistics";
}

pg_logstats_sdk::workflows! {
    /// What autovacuum did.
    AUTOVACUUM = "autovacuum";
    /// Who waits for whom.
    LOCKS = "locks";
    /// Which statements took the time.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// An index is not valid.
    INVALID_INDEX = "invalid_index";
    /// Every write keeps it up, and no query uses it.
    KEPT_UP_FOR_NOTHING = "kept_up_for_nothing";
    /// It should keep rows unique, and does not.
    UNIQUE_NOT_ENSURED = "unique_not_ensured";
    /// Partitions lack theirs.
    PARTITIONED_INDEX = "partitioned_index";
    /// A constraint is not validated.
    CONSTRAINT_NOT_VALIDATED = "constraint_not_validated";
    /// A constraint is not enforced.
    CONSTRAINT_NOT_ENFORCED = "constraint_not_enforced";
    /// A build waits for transactions.
    BUILD_WAITS = "build_waits";
    /// No scan used it.
    UNUSED_INDEX = "unused_index";
    /// Another index does what it does.
    REDUNDANT_INDEX = "redundant_index";
    /// A table is larger than its rows need.
    BLOATED_TABLE = "bloated_table";
    /// The estimate lacks something.
    STATISTICS_MISSING = "statistics_missing";
    /// Dead rows that autovacuum should have removed.
    DEAD_ROWS_OVERDUE = "dead_rows_overdue";
    /// Autovacuum is off for the table.
    AUTOVACUUM_DISABLED = "autovacuum_disabled";
    /// Nothing was looked at yet.
    NOT_LOOKED_AT = "not_looked_at";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// Indexes are not valid.
    INDEXES_NOT_VALID = "indexes_not_valid";
    /// All are.
    INDEXES_VALID = "indexes_valid";
    /// One that is not valid can be built anew.
    INDEX_TO_REBUILD = "index_to_rebuild";
    /// One can be dropped.
    INDEX_TO_DROP = "index_to_drop";
    /// A constraint only needs to be looked at.
    CONSTRAINT_TO_VALIDATE = "constraint_to_validate";
    /// Constraints are not validated.
    CONSTRAINTS_OPEN = "constraints_open";
    /// All are.
    CONSTRAINTS_VALIDATED = "constraints_validated";
    /// Indexes are being built.
    INDEX_BUILDS_RUNNING = "index_builds_running";
    /// A build waits for transactions to end.
    INDEX_BUILD_WAITS = "index_build_waits";
    /// None is being built.
    NO_INDEX_BUILD = "no_index_build";
    /// Indexes that no scan used.
    UNUSED_INDEXES = "unused_indexes";
    /// Indexes that others make superfluous.
    REDUNDANT_INDEXES = "redundant_indexes";
    /// Nothing of that.
    INDEXES_EARN_THEIR_KEEP = "indexes_earn_their_keep";
    /// A table is larger than its rows need.
    TABLE_BLOATED = "table_bloated";
    /// It is not.
    TABLE_NOT_BLOATED = "table_not_bloated";
    /// The planner knows nothing of some columns.
    COLUMNS_NOT_ANALYZED = "columns_not_analyzed";
    /// A table has many dead rows.
    TABLE_HAS_DEAD_ROWS = "table_has_dead_rows";
    /// The planner's figures are old.
    PLANNER_FIGURES_OLD = "planner_figures_old";
    /// A large table is read as a whole again and again.
    TABLE_READ_WHOLE = "table_read_whole";
    /// Nothing of that.
    TABLE_UNREMARKABLE = "table_unremarkable";
    /// Tables with dead rows that autovacuum should have removed.
    DEAD_ROWS_PILE_UP = "dead_rows_pile_up";
    /// None.
    DEAD_ROWS_REMOVED_IN_TIME = "dead_rows_removed_in_time";
    /// The table is not in this database.
    TABLE_NOT_HERE = "table_not_here";
}

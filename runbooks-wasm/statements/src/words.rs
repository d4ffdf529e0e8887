//! The words of the manifest that come with what is shared.

pg_logstats_sdk::actions! {
    /// What the server counted for one statement.
    STATISTICS = "query_family.pg_stat_statements.by_queryid";
    /// Sessions of the family's database, role and application.
    FAMILY_SESSIONS = "query_family.pg_stat_activity.by_dimensions";
    /// The family's plan.
    EXPLAIN = "query_family.explain";
    /// The family's plan with what happened in it.
    EXPLAIN_ANALYZE = "query_family.explain_analyze";
    /// One session.
    SESSION = "running_query.pg_stat_activity.by_pid";
    /// Who blocks a session.
    BLOCKING = "running_query.blocking.by_pid";
    /// The counters of one table, and when it was analysed.
    TABLE = "relation.pg_stat_all_tables.statistics";
}

pg_logstats_sdk::workflows! {
    /// Who waited for whom.
    LOCKS = "locks";
}

pg_logstats_sdk::reason_codes! {
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// A session that matches is there.
    LIVE_MATCH_FOUND = "live_match_found";
    /// Several are.
    MULTIPLE_MATCHING_SESSIONS = "multiple_matching_sessions";
    /// One of them runs a statement right now.
    ACTIVE_SESSION_PRESENT = "active_session_present";
    /// None is there.
    NO_LIVE_MATCH_FOUND = "no_live_match_found";
    /// A session waits for the end of another transaction.
    TRANSACTIONID_LOCK_WAIT = "transactionid_lock_wait";
    /// A session waits for another lock.
    LOCK_WAIT_DETECTED = "lock_wait_detected";
    /// A session waits for files.
    IO_WAIT_DETECTED = "io_wait_detected";
    /// A session waits for its client.
    CLIENT_WAIT_DETECTED = "client_wait_detected";
    /// A session holds a transaction open and does nothing.
    IDLE_IN_TRANSACTION_SESSION = "idle_in_transaction_session";
    /// The sessions at the head of a lock queue.
    LOCK_QUEUE_HEAD = "lock_queue_head";
    /// A session that holds others up and waits itself: for whom, the rows do not tell.
    LOCK_QUEUE_CUT = "lock_queue_cut";
    /// Nobody blocks the session.
    NO_BLOCKER_FOUND = "no_blocker_found";
    /// What the server counted.
    STATISTICS_FOUND = "statistics_found";
    /// The server counted nothing for it.
    NO_STATISTICS_FOUND = "no_statistics_found";
    /// The slowest execution is far from the mean.
    UNEVEN_EXECUTION_TIME = "uneven_execution_time";
    /// Much of what it reads is not in shared buffers.
    BLOCKS_READ_FROM_OUTSIDE_CACHE = "blocks_read_from_outside_cache";
    /// Statements that write temporary blocks.
    STATEMENTS_WRITING_TEMP_BLOCKS = "statements_writing_temp_blocks";
}

pub use plan::*;

/// What the shared judgement of a plan concludes, for a descriptor that has nothing else of these.
pub mod plan {
    pg_logstats_sdk::insights! {
        /// A sort or hash went to disk.
        QUERY_PLAN_DISK_SPILL_DETECTED = "query_plan_disk_spill_detected";
        /// The plan read or wrote temporary blocks.
        EXPLAIN_ANALYZE_TEMP_BUFFERS = "explain_analyze_temp_buffers";
        /// The plan ran and nothing went to disk.
        QUERY_PLAN_NO_DISK_SPILL = "query_plan_no_disk_spill";
        /// A scan reads a whole table to keep few rows.
        SELECTIVE_SEQUENTIAL_SCAN = "selective_sequential_scan";
        /// An index on the filter's columns is there.
        INDEX_ALREADY_THERE = "index_already_there";
        /// One is there that failed to build.
        INDEX_THERE_INVALID = "index_there_invalid";
        /// The planner would not take one.
        INDEX_WITHOUT_GAIN = "index_without_gain";
        /// More rows are written than a scan reads.
        INDEX_COSTS_MORE = "index_costs_more";
        /// The table is too small for one.
        INDEX_OF_SMALL_TABLE = "index_of_small_table";
        /// The planner would take one.
        INDEX_WITH_GAIN = "index_with_gain";
        /// What is known of the columns and the table.
        INDEX_NOT_THERE = "index_not_there";
        /// The planner expected far more or far fewer rows.
        ROW_ESTIMATE_OFF = "row_estimate_off";
        /// The planner takes columns for independent that are not.
        COLUMNS_CORRELATED = "columns_correlated";
        /// What the planner knows of a column that it misjudged is old.
        COLUMN_FIGURES_OLD = "column_figures_old";
        /// It is new, and not close enough.
        COLUMN_FIGURES_COARSE = "column_figures_coarse";
        /// A nested loop runs its inner side very often.
        NESTED_LOOP_OVER_MANY_ROWS = "nested_loop_over_many_rows";
        /// An index-only scan had to visit the table.
        INDEX_ONLY_SCAN_HEAP_FETCHES = "index_only_scan_heap_fetches";
        /// Nothing in the plan stands out.
        PLAN_UNREMARKABLE = "plan_unremarkable";
    }
}

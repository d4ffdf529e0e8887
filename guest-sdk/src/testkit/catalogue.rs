//! The host's catalogue, as far as requests can tell: a test compares it with the host's files.

/// Which fact of a subject fills a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    QueryId,
    Sample,
    Session,
    Database,
    User,
    ApplicationName,
    Relation,
}

/// How an action runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Explain,
    ExplainAnalyze,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) facet: Facet,
    pub(super) required: bool,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) id: &'static str,
    pub(super) kind: Kind,
    pub(super) parameters: &'static [Parameter],
    pub(super) at_least_one_of: &'static [&'static str],
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Rows,
}

/// What the rows of an action are about, as far as they have subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Plain,
    Sessions,
    Sequences,
    Indexes,
    Constraints,
    ReplicationSlots,
    PreparedTransactions,
}

/// The action `id`.
pub(super) fn action(id: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.id == id)
}

const fn required(name: &'static str, facet: Facet) -> Parameter {
    Parameter {
        name,
        facet,
        required: true,
    }
}

const fn optional(name: &'static str, facet: Facet) -> Parameter {
    Parameter {
        name,
        facet,
        required: false,
    }
}

const fn by_dimensions(id: &'static str) -> Action {
    Action {
        id,
        kind: Kind::Query,
        parameters: DIMENSIONS,
        at_least_one_of: &["database", "user", "application_name"],
        columns: SESSION,
        rows: Rows::Sessions,
    }
}

const fn by_pid(id: &'static str, columns: &'static [&'static str]) -> Action {
    Action {
        id,
        kind: Kind::Query,
        parameters: PID,
        at_least_one_of: &[],
        columns,
        rows: Rows::Sessions,
    }
}

const fn reading(id: &'static str, parameters: &'static [Parameter], columns: &'static [&'static str]) -> Action {
    Action {
        id,
        kind: Kind::Query,
        parameters,
        at_least_one_of: &[],
        columns,
        rows: Rows::Plain,
    }
}

impl Action {
    /// The same action, whose rows are about these.
    const fn about(mut self, rows: Rows) -> Self {
        self.rows = rows;
        self
    }
}

/// Rows about sessions, found without being asked for one.
const fn sessions(id: &'static str, columns: &'static [&'static str]) -> Action {
    Action {
        rows: Rows::Sessions,
        ..reading(id, &[], columns)
    }
}

const fn explain(id: &'static str) -> Action {
    Action {
        kind: Kind::Explain,
        ..reading(id, QUERY_ID, INDEX_FACTS)
    }
}

const fn explain_analyze(id: &'static str) -> Action {
    Action {
        kind: Kind::ExplainAnalyze,
        ..reading(id, QUERY_ID_AND_SAMPLE, INDEX_FACTS)
    }
}

/// Of each EXPLAIN: a row for each scan that an index could replace.
const INDEX_FACTS: &[&str] = &[
    "node",
    "schema",
    "table",
    "key_columns",
    "column_count",
    "covered_columns",
    "is_there_invalid",
    "indexes",
    "table_rows",
    "distinct_values",
    "size_bytes",
    "rows_written",
    "rows_scanned",
    "cost",
    "hypothetical_cost",
    "hypothetical_bytes",
];

const DIMENSIONS: &[Parameter] = &[
    optional("database", Facet::Database),
    optional("user", Facet::User),
    optional("application_name", Facet::ApplicationName),
];

const PID: &[Parameter] = &[required("pid", Facet::Session)];

const RELATION: &[Parameter] = &[required("relation", Facet::Relation)];

const QUERY_ID: &[Parameter] = &[required("queryid", Facet::QueryId)];

const QUERY_ID_AND_SAMPLE: &[Parameter] = &[required("queryid", Facet::QueryId), required("sample", Facet::Sample)];

const SESSION: &[&str] = &[
    "pid",
    "backend_start",
    "database",
    "user",
    "application_name",
    "state",
    "wait_event_type",
    "wait_event",
    "xact_start",
    "query_start",
    "state_age",
    "query_age",
    "query_id",
];

const SETTING: &[&str] = &["name", "setting", "unit", "source", "is_default", "is_pending_restart"];

const BLOCKER: &[&str] = &[
    "pid",
    "backend_start",
    "database",
    "user",
    "application_name",
    "state",
    "wait_event_type",
    "wait_event",
    "xact_start",
    "query_start",
    "state_age",
    "query_age",
    "query_id",
    "blocked_pid",
    "depth",
];

/// All actions, by id.
pub(super) const ACTIONS: &[Action] = &[
    reading("autovacuum.pg_settings.relevant", &[], SETTING),
    reading(
        "autovacuum.pg_stat_all_tables.most_dead",
        &[],
        &[
            "schema",
            "table",
            "n_live_tup",
            "n_dead_tup",
            "dead_ratio",
            "vacuum_threshold",
            "n_mod_since_analyze",
            "last_vacuum",
            "last_autovacuum",
            "last_analyze",
            "last_autoanalyze",
            "xid_age",
            "is_autovacuum_enabled",
            "size_bytes",
        ],
    ),
    reading("checkpoint.pg_settings.relevant", &[], SETTING),
    reading(
        "checkpoint.pg_stat_checkpointer.counters",
        &[],
        &[
            "checkpoints_timed",
            "checkpoints_requested",
            "checkpoints_done",
            "restartpoints_timed",
            "restartpoints_requested",
            "restartpoints_done",
            "write_ms",
            "sync_ms",
            "buffers_checkpoint",
            "slru_checkpoint",
            "buffers_clean",
            "maxwritten_clean",
            "buffers_alloc",
            "buffers_backend",
            "buffers_backend_fsync",
            "stats_reset",
        ],
    ),
    reading(
        "checkpoint.pg_stat_io.counters",
        &[],
        &[
            "backend_type",
            "object",
            "context",
            "reads",
            "read_bytes",
            "read_ms",
            "writes",
            "write_bytes",
            "write_ms",
            "extends",
            "extend_bytes",
            "hits",
            "evictions",
            "reuses",
            "fsyncs",
            "fsync_ms",
            "stats_reset",
        ],
    ),
    reading(
        "checkpoint.pg_stat_wal.counters",
        &[],
        &[
            "records",
            "full_page_images",
            "bytes",
            "buffers_full",
            "writes",
            "syncs",
            "write_ms",
            "sync_ms",
            "stats_reset",
        ],
    ),
    reading("connection_pressure.pg_settings.relevant", &[], SETTING),
    reading(
        "connection_pressure.pg_stat_activity.counts",
        &[],
        &[
            "database",
            "user",
            "application_name",
            "state",
            "connections",
            "waiting_for_locks",
            "longest_in_state",
            "longest_transaction",
            "oldest_connection",
            "max_connections",
        ],
    ),
    by_dimensions("error_class.pg_stat_activity.by_dimensions"),
    sessions(
        "lock_wait.pg_locks.tree",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "application_name",
            "state",
            "wait_event_type",
            "wait_event",
            "xact_start",
            "query_start",
            "state_age",
            "query_age",
            "query_id",
            "blocked_pid",
            "depth",
            "lock_type",
            "requested_mode",
            "held_mode",
            "schema",
            "relation",
            "waited",
            "blocked_database",
            "blocked_user",
            "blocked_application_name",
            "blocked_query_id",
            "is_hidden",
        ],
    ),
    reading("lock_wait.pg_settings.relevant", &[], SETTING),
    reading(
        "prepared_transaction.pg_prepared_xacts.open",
        &[],
        &["gid", "database", "owner", "prepared_at", "age", "xid_age"],
    )
    .about(Rows::PreparedTransactions),
    sessions(
        "progress.pg_stat_progress_analyze.running",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "schema",
            "relation",
            "is_autovacuum",
            "phase",
            "sample_blks_total",
            "sample_blks_scanned",
            "ext_stats_total",
            "ext_stats_computed",
            "child_tables_total",
            "child_tables_done",
            "delay_ms",
            "running",
        ],
    ),
    sessions(
        "progress.pg_stat_progress_basebackup.running",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "phase",
            "backup_total_bytes",
            "backup_streamed_bytes",
            "tablespaces_total",
            "tablespaces_streamed",
            "running",
        ],
    ),
    sessions(
        "progress.pg_stat_progress_cluster.running",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "schema",
            "relation",
            "command",
            "phase",
            "heap_tuples_scanned",
            "heap_tuples_written",
            "heap_blks_total",
            "heap_blks_scanned",
            "index_rebuild_count",
            "running",
        ],
    ),
    sessions(
        "progress.pg_stat_progress_copy.running",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "schema",
            "relation",
            "command",
            "copy_type",
            "bytes_processed",
            "bytes_total",
            "tuples_processed",
            "tuples_excluded",
            "tuples_skipped",
            "running",
        ],
    ),
    sessions(
        "progress.pg_stat_progress_create_index.running",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "schema",
            "relation",
            "index",
            "command",
            "phase",
            "lockers_total",
            "lockers_done",
            "current_locker_pid",
            "blocks_total",
            "blocks_done",
            "tuples_total",
            "tuples_done",
            "partitions_total",
            "partitions_done",
            "running",
        ],
    ),
    sessions(
        "progress.pg_stat_progress_vacuum.running",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "schema",
            "relation",
            "is_autovacuum",
            "phase",
            "heap_blks_total",
            "heap_blks_scanned",
            "heap_blks_vacuumed",
            "index_vacuum_count",
            "dead_items",
            "dead_bytes",
            "max_dead_bytes",
            "indexes_total",
            "indexes_processed",
            "delay_ms",
            "running",
        ],
    ),
    explain("query_family.explain"),
    explain_analyze("query_family.explain_analyze"),
    reading("query_family.pg_settings.relevant", &[], SETTING),
    by_dimensions("query_family.pg_stat_activity.by_dimensions"),
    reading(
        "query_family.pg_stat_statements.by_queryid",
        QUERY_ID,
        &[
            "queryid",
            "calls",
            "total_exec_ms",
            "mean_exec_ms",
            "min_exec_ms",
            "max_exec_ms",
            "rows",
            "shared_blks_hit",
            "shared_blks_read",
            "temp_blks_read",
            "temp_blks_written",
        ],
    ),
    reading(
        "relation.pg_constraint.not_validated",
        &[],
        &[
            "schema",
            "table",
            "constraint_name",
            "constraint_type",
            "is_validated",
            "is_enforced",
        ],
    )
    .about(Rows::Constraints),
    reading(
        "relation.pg_index.invalid",
        &[],
        &[
            "schema",
            "table",
            "index",
            "is_unique",
            "is_valid",
            "is_ready",
            "is_live",
            "is_partitioned",
            "size_bytes",
            "serves_constraint",
            "is_partition",
            "idx_scan",
            "is_being_changed",
        ],
    )
    .about(Rows::Indexes),
    reading(
        "relation.pg_stat_all_indexes.unused",
        &[],
        &[
            "schema",
            "table",
            "index",
            "method",
            "is_partial",
            "size_bytes",
            "rows_written",
            "counted_since",
            "is_standby",
            "is_partition",
            "counted_for",
        ],
    )
    .about(Rows::Indexes),
    reading(
        "relation.pg_stat_all_indexes.usage",
        RELATION,
        &[
            "schema",
            "table",
            "index",
            "method",
            "key_columns",
            "included_columns",
            "is_partial",
            "is_unique",
            "is_primary",
            "serves_constraint",
            "is_valid",
            "idx_scan",
            "last_idx_scan",
            "idx_tup_read",
            "idx_tup_fetch",
            "idx_blks_read",
            "idx_blks_hit",
            "size_bytes",
            "key_numbers",
            "is_partitioned",
            "is_partition",
            "has_default_order",
            "is_standby",
            "counted_for",
        ],
    )
    .about(Rows::Indexes),
    reading(
        "relation.pg_stat_all_tables.statistics",
        RELATION,
        &[
            "schema",
            "table",
            "seq_scan",
            "seq_tup_read",
            "last_seq_scan",
            "idx_scan",
            "idx_tup_fetch",
            "last_idx_scan",
            "n_tup_ins",
            "n_tup_upd",
            "n_tup_del",
            "n_tup_hot_upd",
            "n_tup_newpage_upd",
            "n_live_tup",
            "n_dead_tup",
            "n_mod_since_analyze",
            "n_ins_since_vacuum",
            "last_vacuum",
            "last_autovacuum",
            "last_analyze",
            "last_autoanalyze",
            "vacuum_count",
            "autovacuum_count",
            "analyze_count",
            "autoanalyze_count",
            "heap_blks_read",
            "heap_blks_hit",
            "idx_blks_read",
            "idx_blks_hit",
            "size_bytes",
        ],
    ),
    reading(
        "relation.pg_stats.bloat_estimate",
        RELATION,
        &[
            "schema",
            "table",
            "estimated_rows",
            "fill_factor",
            "columns",
            "columns_without_statistics",
            "size_bytes",
            "needed_bytes",
            "bloat_bytes",
            "bloat_ratio",
            "is_hidden",
        ],
    ),
    reading(
        "relation.pg_stats.columns",
        RELATION,
        &[
            "schema",
            "table",
            "position",
            "column",
            "data_type",
            "is_nullable",
            "null_frac",
            "n_distinct",
            "correlation",
            "avg_width",
            "is_hidden",
        ],
    ),
    reading(
        "replication.pg_replication_slots.state",
        &[],
        &[
            "slot",
            "slot_type",
            "plugin",
            "database",
            "is_temporary",
            "is_active",
            "active_pid",
            "xmin_age",
            "catalog_xmin_age",
            "restart_lsn",
            "confirmed_flush_lsn",
            "retained_bytes",
            "wal_status",
            "safe_wal_bytes",
            "is_conflicting",
            "inactive_since",
            "invalidation_reason",
            "inactive_for",
            "is_synced",
        ],
    )
    .about(Rows::ReplicationSlots),
    reading("replication.pg_settings.relevant", &[], SETTING),
    sessions(
        "replication.pg_stat_activity.replay_holders",
        &[
            "replay_waits_for",
            "is_paused",
            "pid",
            "backend_start",
            "database",
            "user",
            "application_name",
            "state",
            "xact_start",
            "xid_age",
            "is_hidden",
            "is_one_database",
        ],
    ),
    sessions(
        "replication.pg_stat_replication.lag",
        &[
            "pid",
            "backend_start",
            "user",
            "application_name",
            "state",
            "sync_state",
            "sent_lag_bytes",
            "write_lag_bytes",
            "flush_lag_bytes",
            "replay_lag_bytes",
            "write_lag",
            "flush_lag",
            "replay_lag",
            "reply_time",
        ],
    ),
    reading(
        "replication.pg_stat_wal_receiver.state",
        &[],
        &[
            "pid",
            "status",
            "slot",
            "received_lsn",
            "replayed_lsn",
            "unreplayed_bytes",
            "last_replayed_at",
            "last_message_sent",
            "last_message_received",
            "latest_end_at",
        ],
    ),
    by_pid("running_query.blocking.by_pid", BLOCKER),
    by_pid("running_query.pg_stat_activity.by_pid", SESSION),
    sessions(
        "running_query.pg_stat_activity.longest",
        &[
            "pid",
            "backend_start",
            "database",
            "user",
            "application_name",
            "state",
            "wait_event_type",
            "wait_event",
            "xact_start",
            "query_start",
            "state_age",
            "query_age",
            "query_id",
            "transaction_age",
            "is_query",
            "is_hidden",
        ],
    ),
    reading(
        "sequence.pg_sequence.near_end",
        &[],
        &[
            "schema",
            "sequence",
            "owner_schema",
            "owner_table",
            "owner_column",
            "owner_type",
            "data_type",
            "is_cycled",
            "used_ratio",
            "remaining",
            "sequences_read",
            "sequences_total",
            "is_hidden",
        ],
    )
    .about(Rows::Sequences),
    explain("temp_file.explain"),
    explain_analyze("temp_file.explain_analyze"),
    reading("temp_file.pg_settings.relevant", &[], SETTING),
    reading(
        "temp_file.pg_stat_database.temp_counters",
        &[required("database", Facet::Database)],
        &["database", "temp_files", "temp_bytes", "stats_reset"],
    ),
    reading(
        "temp_file.pg_stat_statements.temp_blocks",
        &[],
        &[
            "queryid",
            "calls",
            "temp_blks_read",
            "temp_blks_written",
            "total_exec_ms",
        ],
    ),
    reading(
        "wraparound.pg_class.oldest_tables",
        &[],
        &[
            "schema",
            "table",
            "xid_age",
            "multixact_age",
            "toast_xid_age",
            "toast_multixact_age",
            "freeze_max_age",
            "multixact_freeze_max_age",
            "toast_freeze_max_age",
            "toast_multixact_freeze_max_age",
            "freeze_ratio",
            "size_bytes",
            "last_vacuum",
            "last_autovacuum",
        ],
    ),
    reading(
        "wraparound.pg_database.ages",
        &[],
        &[
            "database",
            "allows_connections",
            "xid_age",
            "autovacuum_freeze_max_age",
            "xids_left",
            "multixact_age",
            "autovacuum_multixact_freeze_max_age",
            "multixacts_left",
        ],
    ),
    sessions(
        "wraparound.pg_stat_activity.oldest_xmin",
        &[
            "holder",
            "name",
            "pid",
            "backend_start",
            "database",
            "user",
            "application_name",
            "state",
            "xact_start",
            "xid_age",
            "is_hidden",
            "holds_here",
        ],
    ),
];

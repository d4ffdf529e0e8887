//! The words of the manifest.

pg_logstats_sdk::actions! {
    /// How autovacuum is set.
    SETTINGS = "autovacuum.pg_settings.relevant";
    /// The tables with most dead rows.
    MOST_DEAD = "autovacuum.pg_stat_all_tables.most_dead";
    /// The counters of one table.
    TABLE = "relation.pg_stat_all_tables.statistics";
    /// How much of one table is empty.
    BLOAT = "relation.pg_stats.bloat_estimate";
    /// The age of each database.
    AGES = "wraparound.pg_database.ages";
    /// The tables with the oldest transaction ids.
    OLDEST_TABLES = "wraparound.pg_class.oldest_tables";
    /// What keeps dead rows from being removed.
    OLDEST_XMIN = "wraparound.pg_stat_activity.oldest_xmin";
    /// Prepared transactions.
    PREPARED = "prepared_transaction.pg_prepared_xacts.open";
    /// Replication slots.
    SLOTS = "replication.pg_replication_slots.state";
    /// Vacuums that are running.
    PROGRESS = "progress.pg_stat_progress_vacuum.running";
}

pg_logstats_sdk::workflows! {
    /// Who waited for whom.
    LOCKS = "locks";
    /// Standbys and slots.
    REPLICATION = "replication";
}

pg_logstats_sdk::reason_codes! {
    /// Workers gave way to sessions that wanted a lock.
    GAVE_WAY = "gave_way";
    /// Workers did not begin, because the table was locked.
    SKIPPED_LOCKED = "skipped_locked";
    /// Not one run came to its end.
    NEVER_FINISHED = "never_finished";
    /// One run had very many dead rows to remove.
    COMES_TOO_LATE = "comes_too_late";
    /// Dead rows had to stay.
    DEAD_ROWS_NOT_REMOVABLE = "dead_rows_not_removable";
    /// A run took long.
    LONG_RUN = "long_run";
    /// A run went through the indexes more than once.
    SEVERAL_INDEX_PASSES = "several_index_passes";
    /// Runs that were forced by the age of transaction ids.
    FORCED_BY_AGE = "forced_by_age";
    /// The server warned of wraparound.
    WRAPAROUND_WARNED = "wraparound_warned";
    /// The server refused statements for fear of wraparound.
    WRAPAROUND_REFUSED = "wraparound_refused";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// The log shows that a run's memory was too small for the dead rows.
    MEMORY_TOO_SMALL = "memory_too_small";
    /// The log shows that autovacuum comes late to a table.
    TOO_SELDOM = "autovacuum_too_seldom";
    /// Autovacuum is not logged.
    NOT_LOGGED = "autovacuum_not_logged";
    /// Autovacuum, or the counting that it needs, is off.
    SWITCHED_OFF = "autovacuum_off";
    /// The cost limit holds the workers back.
    THROTTLED = "autovacuum_throttled";
    /// The settings do not stand out.
    SETTINGS_UNREMARKABLE = "autovacuum_settings_unremarkable";
    /// A table has many dead rows.
    DEAD_ROWS = "many_dead_rows";
    /// What the planner knows of a table is old.
    STATISTICS_OLD = "table_statistics_old";
    /// A table is clean.
    TABLE_CLEAN = "table_clean";
    /// Tables have far more dead rows than autovacuum should let them have.
    TABLES_OVERDUE = "tables_overdue";
    /// Tables that autovacuum does not visit.
    TABLES_DISABLED = "autovacuum_disabled_for_tables";
    /// All tables are below their thresholds.
    TABLES_IN_BOUNDS = "tables_in_bounds";
    /// Much of a table is empty.
    TABLE_BLOATED = "table_bloated";
    /// Little of a table is empty.
    TABLE_COMPACT = "table_compact";
    /// Wraparound is nearer than it should be.
    WRAPAROUND_NEAR = "wraparound_near";
    /// Wraparound is far.
    WRAPAROUND_FAR = "wraparound_far";
    /// A session keeps old rows and does nothing.
    XMIN_IDLE_SESSION = "horizon_held_by_idle_session";
    /// A session keeps old rows and works.
    XMIN_BUSY_SESSION = "horizon_held_by_busy_session";
    /// A standby keeps old rows.
    XMIN_STANDBY = "horizon_held_by_standby";
    /// A slot keeps old rows.
    XMIN_SLOT = "horizon_held_by_slot";
    /// A prepared transaction keeps old rows.
    XMIN_PREPARED = "horizon_held_by_prepared_transaction";
    /// Nothing keeps old rows for long.
    XMIN_YOUNG = "horizon_young";
    /// Prepared transactions are open for long.
    PREPARED_OLD = "prepared_transactions_old";
    /// None is.
    PREPARED_NONE = "prepared_transactions_none_old";
    /// No slot keeps old rows.
    SLOTS_YOUNG = "slots_keep_no_old_rows";
    /// Vacuums run.
    VACUUM_RUNNING = "vacuum_running";
    /// None does.
    VACUUM_NOT_RUNNING = "vacuum_not_running";
    /// A running vacuum mostly sleeps.
    VACUUM_SLEEPS = "vacuum_sleeps";
}

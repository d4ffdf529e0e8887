//! The words of the manifest.

pg_logstats_sdk::actions! {
    /// How far each database is.
    DATABASES = "wraparound.pg_database.ages";
    /// Which tables are oldest.
    TABLES = "wraparound.pg_class.oldest_tables";
    /// What holds the horizon back.
    HORIZON = "wraparound.pg_stat_activity.oldest_xmin";
    /// Prepared transactions.
    PREPARED = "prepared_transaction.pg_prepared_xacts.open";
    /// Sequences near their end.
    SEQUENCES = "sequence.pg_sequence.near_end";
    /// Whether vacuum is at it.
    VACUUMS = "progress.pg_stat_progress_vacuum.running";
    /// How autovacuum is set.
    SETTINGS = "autovacuum.pg_settings.relevant";
}

pg_logstats_sdk::workflows! {
    /// What autovacuum did.
    AUTOVACUUM = "autovacuum";
    /// Who waits for whom.
    LOCKS = "locks";
    /// Standbys and slots.
    REPLICATION_LAG = "replication-lag";
}

pg_logstats_sdk::reason_codes! {
    /// Transaction ids are being used up.
    XID_AGE = "xid_age";
    /// Multixact ids are being used up.
    MULTIXACT_AGE = "multixact_age";
    /// Autovacuum should have come long ago.
    FREEZE_OVERDUE = "freeze_overdue";
    /// The server no longer assigns ids.
    LIMIT_REACHED = "limit_reached";
    /// Vacuum goes past its cost limits and leaves indexes alone.
    FAILSAFE_AGE = "failsafe_age";
    /// It was never vacuumed, as far as the server remembers.
    NEVER_VACUUMED = "never_vacuumed";
    /// A session holds the horizon back.
    SESSION_HORIZON = "session_horizon";
    /// That session does nothing.
    IDLE_IN_TRANSACTION = "idle_in_transaction";
    /// A slot holds the horizon back.
    SLOT_HORIZON = "slot_horizon";
    /// A prepared transaction is open.
    PREPARED_TRANSACTION = "prepared_transaction";
    /// A sequence is near its end.
    SEQUENCE_NEAR_END = "sequence_near_end";
    /// Autovacuum does not work as it should.
    AUTOVACUUM_OFF = "autovacuum_off";
    /// Nothing was looked at yet.
    NOT_LOOKED_AT = "not_looked_at";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// A database is too far.
    DATABASE_NEAR_WRAPAROUND = "database_near_wraparound";
    /// No database is.
    DATABASES_FROZEN_IN_TIME = "databases_frozen_in_time";
    /// Tables have to be frozen.
    TABLES_TO_FREEZE = "tables_to_freeze";
    /// No table has.
    TABLES_FROZEN_IN_TIME = "tables_frozen_in_time";
    /// A table of the logs whose vacuum does not get its turn.
    VACUUM_KEPT_OUT = "vacuum_kept_out";
    /// A session holds the horizon back.
    SESSION_HOLDS_HORIZON = "session_holds_horizon";
    /// A slot holds the horizon back.
    SLOT_HOLDS_HORIZON = "slot_holds_horizon";
    /// Nothing holds it back for long.
    HORIZON_IS_RECENT = "horizon_is_recent";
    /// A prepared transaction is open.
    PREPARED_TRANSACTION_OPEN = "prepared_transaction_open";
    /// None is open for long.
    NO_OLD_PREPARED_TRANSACTION = "no_old_prepared_transaction";
    /// A sequence is near its end.
    SEQUENCE_ENDS = "sequence_ends";
    /// It needs room.
    SEQUENCE_TO_EXTEND = "sequence_to_extend";
    /// None is.
    SEQUENCES_HAVE_ROOM = "sequences_have_room";
    /// Vacuums are running.
    VACUUM_RUNNING = "vacuum_running";
    /// A vacuum sleeps most of its time.
    VACUUM_THROTTLED = "vacuum_throttled";
    /// None is running.
    NO_VACUUM_RUNNING = "no_vacuum_running";
    /// Autovacuum is off, or blind.
    AUTOVACUUM_DISABLED = "autovacuum_disabled";
    /// Its settings make it slower than the server's defaults do.
    AUTOVACUUM_SLOWED = "autovacuum_slowed";
    /// Nothing of that.
    SETTINGS_UNREMARKABLE = "settings_unremarkable";
}

//! The words of the manifest.

pg_logstats_sdk::actions! {
    /// Checkpoints and what they wrote, since the statistics were reset.
    COUNTERS = "checkpoint.pg_stat_checkpointer.counters";
    /// WAL, likewise.
    WAL = "checkpoint.pg_stat_wal.counters";
    /// Who reads and writes, likewise.
    IO = "checkpoint.pg_stat_io.counters";
    /// Settings of checkpoints and WAL.
    SETTINGS = "checkpoint.pg_settings.relevant";
}

pg_logstats_sdk::workflows! {
    /// Which statements took the time.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// `max_wal_size` began them, before their time.
    REQUESTED_BY_WAL = "requested_by_wal";
    /// The server warned that they are too frequent.
    TOO_FREQUENT_WARNING = "too_frequent_warning";
    /// One `fsync` took long.
    LONG_SYNC = "long_sync";
    /// Much of the time of checkpoints went into syncing.
    SYNC_SHARE_HIGH = "sync_share_high";
    /// New WAL files had to be made.
    WAL_GROWS = "wal_grows";
    /// Most distances were as long as the server's estimate, which is the longest of late.
    DISTANCE_AT_ESTIMATE = "distance_at_estimate";
    /// Somebody asked for them.
    ASKED_FOR = "asked_for";
    /// As many base backups explain it.
    BASE_BACKUPS = "base_backups";
    /// Restartpoints of a standby.
    RESTARTPOINTS = "restartpoints";
    /// Backends write buffers themselves.
    BACKENDS_WRITE = "backends_write";
    /// Backends sync files themselves.
    BACKENDS_SYNC = "backends_sync";
    /// Much of the WAL is whole pages.
    FULL_PAGES = "full_pages";
    /// A crash can lose or spoil data.
    NOT_CRASH_SAFE = "not_crash_safe";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// A server that writes, and a log without checkpoints.
    CHECKPOINTS_NOT_LOGGED = "checkpoints_not_logged";
    /// Most checkpoints were requested.
    CHECKPOINTS_MOSTLY_REQUESTED = "checkpoints_mostly_requested";
    /// Most came when it was time.
    CHECKPOINTS_MOSTLY_TIMED = "checkpoints_mostly_timed";
    /// Syncing takes long.
    CHECKPOINT_SYNC_SLOW = "checkpoint_sync_slow";
    /// Backends write much of the buffers.
    BACKENDS_WRITE_BUFFERS = "backends_write_buffers";
    /// Backends sync files.
    BACKENDS_SYNC_FILES = "backends_sync_files";
    /// The checkpointer and the background writer do the writing.
    WRITES_LEFT_TO_CHECKPOINTER = "writes_left_to_checkpointer";
    /// Times are not measured.
    IO_TIMING_OFF = "io_timing_off";
    /// Much of the WAL is whole pages.
    FULL_PAGE_IMAGES_DOMINATE = "full_page_images_dominate";
    /// What WAL there was.
    WAL_COUNTED = "wal_counted";
    /// WAL buffers were full often.
    WAL_BUFFERS_FULL = "wal_buffers_full";
    /// Syncing WAL takes long.
    WAL_SYNC_SLOW = "wal_sync_slow";
    /// The sizes and times that are set.
    CHECKPOINT_SETTINGS_FOUND = "checkpoint_settings_found";
    /// `max_wal_size` is smaller than the WAL of one `checkpoint_timeout` needs.
    MAX_WAL_SIZE_SMALL = "max_wal_size_small";
    /// It is large enough.
    MAX_WAL_SIZE_SUFFICES = "max_wal_size_suffices";
    /// `fsync` is off.
    FSYNC_OFF = "fsync_off";
    /// `full_page_writes` is off.
    FULL_PAGE_WRITES_OFF = "full_page_writes_off";
    /// `log_checkpoints` is off.
    LOG_CHECKPOINTS_OFF = "log_checkpoints_off";
    /// Checkpoints are not spread over their time.
    COMPLETION_TARGET_LOW = "completion_target_low";
}

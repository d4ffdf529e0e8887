//! The words of the manifest.

pg_logstats_sdk::actions! {
    /// Standbys and how far they are behind.
    LAG = "replication.pg_stat_replication.lag";
    /// How this standby receives WAL.
    RECEIVER = "replication.pg_stat_wal_receiver.state";
    /// Slots and what they retain.
    SLOTS = "replication.pg_replication_slots.state";
    /// How replication is set.
    SETTINGS = "replication.pg_settings.relevant";
}

pg_logstats_sdk::workflows! {
    /// What keeps tables from being vacuumed.
    AUTOVACUUM = "autovacuum";
    /// Which statements took the time.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// Replay cancelled statements, or ended sessions.
    STANDBY_CONFLICT = "standby_conflict";
    /// All of them within a small part of the logs.
    CONFLICT_BURST = "conflict_burst";
    /// The statements are known.
    STATEMENTS_KNOWN = "statements_known";
    /// Streaming broke off or was stopped.
    STREAMING_INTERRUPTED = "streaming_interrupted";
    /// No entry says that it began again.
    STREAMING_NOT_RESUMED = "streaming_not_resumed";
    /// The standby is on a timeline that its primary has left.
    INVALID_TIMELINE = "invalid_timeline";
    /// The archive command failed.
    ARCHIVING_FAILED = "archiving_failed";
    /// A standby lags.
    STANDBY_LAGS = "standby_lags";
    /// A slot keeps WAL.
    SLOT_RETAINS_WAL = "slot_retains_wal";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// A standby is far behind.
    STANDBY_BEHIND = "standby_behind";
    /// The WAL does not get to it.
    LAG_IN_SENDING = "lag_in_sending";
    /// It has the WAL and does not replay it.
    LAG_IN_REPLAY = "lag_in_replay";
    /// Commits wait for it.
    LAG_OF_SYNCHRONOUS = "lag_of_synchronous_standby";
    /// All standbys keep up.
    STANDBYS_KEEP_UP = "standbys_keep_up";
    /// No standby streams from here.
    NO_STANDBY = "no_standby_streams";
    /// The standby receives and replays.
    RECEIVER_WELL = "receiver_keeps_up";
    /// The standby receives and does not replay.
    RECEIVER_BEHIND = "receiver_not_replayed";
    /// It does not stream.
    RECEIVER_NOT_STREAMING = "receiver_not_streaming";
    /// No WAL is received.
    NO_RECEIVER = "no_wal_receiver";
    /// A slot that nobody uses keeps WAL.
    SLOT_KEEPS_WAL = "inactive_slot_keeps_wal";
    /// A slot in use keeps much WAL.
    SLOT_BEHIND = "slot_far_behind";
    /// A slot was invalidated, or is about to be.
    SLOT_LOST = "slot_lost";
    /// A slot keeps old rows.
    SLOT_KEEPS_ROWS = "slot_keeps_old_rows";
    /// No slot keeps much.
    SLOTS_WELL = "slots_keep_little";
    /// Conflicts that feedback prevents.
    FEEDBACK_OFF = "feedback_off_with_conflicts";
    /// Conflicts that a longer delay prevents.
    DELAY_SHORT = "delay_short_for_conflicts";
    /// Slots may keep all WAL there is.
    SLOTS_UNBOUNDED = "slots_unbounded";
    /// The settings do not stand out.
    SETTINGS_UNREMARKABLE = "replication_settings_unremarkable";
}

//! The words of the manifest.

pg_logstats_sdk::actions! {
    /// How far each standby is.
    STANDBYS = "replication.pg_stat_replication.lag";
    /// What slots keep.
    SLOTS = "replication.pg_replication_slots.state";
    /// How this standby receives WAL.
    RECEIVER = "replication.pg_stat_wal_receiver.state";
    /// What replay waits for.
    HOLDERS = "replication.pg_stat_activity.replay_holders";
    /// How replication is set.
    SETTINGS = "replication.pg_settings.relevant";
}

pg_logstats_sdk::workflows! {
    /// What the logs tell of replication.
    REPLICATION = "replication";
    /// What holds old rows back.
    WRAPAROUND = "wraparound";
    /// Whether WAL is written faster than it should be.
    CHECKPOINTS = "checkpoints";
    /// What a standby's queries do.
    RUNNING_QUERIES = "running-queries";
}

pg_logstats_sdk::reason_codes! {
    /// A standby is behind in time.
    LAG_TIME = "lag_time";
    /// A standby is behind in bytes.
    LAG_BYTES = "lag_bytes";
    /// Commits wait for it.
    SYNCHRONOUS = "synchronous";
    /// It catches up, and does not follow yet.
    CATCHING_UP = "catching_up";
    /// A slot that nobody uses keeps WAL.
    INACTIVE_SLOT = "inactive_slot";
    /// A slot in use keeps WAL.
    ACTIVE_SLOT = "active_slot";
    /// What a slot needs is gone.
    SLOT_LOST = "slot_lost";
    /// What a slot needs is about to go.
    SLOT_AT_RISK = "slot_at_risk";
    /// Nothing bounds what it keeps.
    UNBOUNDED = "unbounded";
    /// This standby does not replay what it has.
    UNREPLAYED = "unreplayed";
    /// This standby receives nothing.
    NOT_STREAMING = "not_streaming";
    /// Nothing was looked at yet.
    NOT_LOOKED_AT = "not_looked_at";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// The lag is before the standby.
    LAG_IN_SENDING = "lag_in_sending";
    /// The lag is in the standby's writing.
    LAG_IN_WRITING = "lag_in_writing";
    /// The lag is in the standby's replay.
    LAG_IN_REPLAY = "lag_in_replay";
    /// Commits wait for a standby.
    COMMITS_WAIT = "commits_wait";
    /// All follow.
    STANDBYS_FOLLOW = "standbys_follow";
    /// Nobody streams.
    NO_STANDBY_STREAMS = "no_standby_streams";
    /// Slots keep WAL for nobody.
    SLOTS_KEEP_WAL = "slots_keep_wal";
    /// Nothing bounds what slots keep.
    SLOTS_UNBOUNDED = "slots_unbounded";
    /// Slots are of no use any more.
    SLOTS_LOST = "slots_lost";
    /// Slots keep old rows.
    SLOTS_KEEP_ROWS = "slots_keep_rows";
    /// Slots are as they should be.
    SLOTS_UNREMARKABLE = "slots_unremarkable";
    /// This standby is behind with replay.
    REPLAY_BEHIND = "replay_behind";
    /// This standby receives nothing.
    RECEIVER_NOT_STREAMING = "receiver_not_streaming";
    /// This standby follows.
    RECEIVER_FOLLOWS = "receiver_follows";
    /// No process receives WAL here.
    NO_RECEIVER = "no_receiver";
    /// A session has to end before replay goes on.
    REPLAY_HELD_UP = "replay_held_up";
    /// Replay waits, and nobody knows for which session.
    REPLAY_WAITS = "replay_waits";
    /// Somebody paused it.
    REPLAY_PAUSED = "replay_paused";
    /// It waits for nothing that the server shows.
    REPLAY_RUNS = "replay_runs";
    /// Nothing is replayed here.
    NO_REPLAY = "no_replay";
    /// A delay that was asked for.
    DELAYED_ON_PURPOSE = "delayed_on_purpose";
    /// Replay waits for queries as long as they run.
    REPLAY_WAITS_FOREVER = "replay_waits_forever";
    /// Vacuum removes what queries of the standby see.
    FEEDBACK_IS_OFF = "feedback_is_off";
    /// Replay cancels queries after a short time.
    REPLAY_CANCELS_SOON = "replay_cancels_soon";
    /// Nothing of that.
    SETTINGS_UNREMARKABLE = "settings_unremarkable";
}

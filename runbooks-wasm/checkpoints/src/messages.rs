//! All that the runbook can say.

pg_logstats_sdk::messages! {
    // ---- too frequent
    frequent_title(cause: checkpoint_cause, n: count, all: count) => "checkpoints that began because of `{cause}`, before their time: {n} of {all}";
    restart_frequent_title(cause: checkpoint_cause, n: count, all: count) =>
        "restartpoints of a standby that began because of `{cause}`, before their time: {n} of {all}";
    frequent_reason(rate: rate) => "max_wal_size was reached {rate}; each writes every changed page once more in full";
    frequent_reason_unknown() => "max_wal_size was reached; each writes every changed page once more in full";
    warned_title(n: count) => "the server warned that checkpoints are too frequent: {n} times";
    warned_reason(n: count, shortest: duration) => "warnings: {n}, the shortest time between two: {shortest}; max_wal_size is too small for what is written";

    // ---- syncs
    sync_title(longest: duration, sync: duration) => "one fsync of a checkpoint took {longest}; all syncing took {sync}";
    sync_reason(share: ratio, n: count) => "{share} of the work of {n} checkpoints went into syncing; while it lasts, every write to the disk waits";

    // ---- WAL
    wal_title(added: count, recycled: count) => "WAL files that had to be made: {added}, recycled: {recycled}";
    wal_reason(longest: bytes) => "WAL came faster than checkpoints gave files back; the most between two: {longest}";
    wal_reason_unknown() => "WAL came faster than checkpoints gave files back";

    // ---- asked for
    asked_title(n: count, rate: rate) => "checkpoints that somebody asked for: {n}, {rate}";
    asked_title_unknown(n: count) => "checkpoints that somebody asked for: {n}";
    asked_reason() => "CHECKPOINT, CREATE DATABASE or a backup with a fast start: it writes all at once, and full pages again after it";
    asked_backup_reason(backups: count) => "base backups that ended in the logs: {backups}; with a spread checkpoint they would cost less";

    // ---- nothing
    nothing_title() => "no trouble with checkpoints";
    nothing_reason(n: count) => "checkpoints in the logs: {n}; none too early, too long or asked for in numbers that matter";
    no_logs() => "no entry of the logs had a time, so there is nothing to judge";
    not_logged() => "the logs tell of no checkpoint: log_checkpoints is off, or nothing was written";
    standby_only() => "the logs have restartpoints of a standby only: how much WAL there is the primary decides";
    not_logged_title() => "the server writes, and the log tells of no checkpoint";
    not_logged_reason(window: duration, writes: count) => "statements that change data in {window} of logs: {writes}; log_checkpoints would show what they cost";

    // ---- offers
    counters_label() => "look at the counters of checkpoints";
    counters_reason() => "how many were requested and how many timed, and who writes the buffers";
    wal_label() => "look at the counters of WAL";
    wal_offer_reason() => "how much of it is full pages, which frequent checkpoints make";
    io_label() => "look at who reads, writes and syncs";
    io_reason() => "whether the checkpointer or the sessions do the writing, and how long a sync takes";
    settings_label() => "look at the settings of checkpoints and WAL";
    settings_reason() => "max_wal_size and checkpoint_timeout, to compare with the WAL that was measured";
    families_label() => "take the query-families runbook";
    families_reason() => "which statements write so much";

    // ---- a person's decisions
    storage_label() => "let a person look at the storage";
    storage_reason() => "an fsync of seconds is the disk, its limits or its neighbours; the database can only write less at once";
    asker_label() => "let a person find out who asks for checkpoints";
    asker_reason() => "a cron job or a script with CHECKPOINT seldom needs it, and backups can start with a spread checkpoint";
    size_label(size: bytes) => "let a person decide on max_wal_size of {size}";
    size_reason() => "the disk of pg_wal must have room for it, and recovery after a crash takes longer";
    safe_label() => "let a person see whether the data may be lost";
    safe_reason() => "fsync and full_page_writes may be off only where everything can be made again";
    buffers_label() => "let a person decide on wal_buffers";
    buffers_reason() => "it needs a restart; sessions wait to write WAL when its buffers are full";

    // ---- endings
    stop_reason_nothing() => "the evidence shows no trouble with checkpoints";

    // ---- insights: counters
    requested_title(share: ratio, n: count) => "{share} of the checkpoints were requested: {n}";
    requested_reason(timed: count) => "those that came in their time: {timed}; a request is max_wal_size, a backup or a person";
    timed_title(n: count) => "checkpoints that came when it was time: {n}";
    timed_reason(requested: count) => "requested ones: {requested}";
    sync_mean_title(mean: duration) => "syncing takes {mean} a checkpoint on average";
    sync_mean_reason(share: ratio) => "{share} of the time of all since the statistics were reset";
    backends_write_title(share: ratio) => "{share} of the buffers were written by sessions themselves";
    backends_write_reason(n: count, all: count) => "buffers: {n} of {all}; a session that needs a buffer waits until it has written the old page";
    backends_sync_title(n: count) => "files that sessions had to sync themselves: {n}";
    backends_sync_reason() => "the checkpointer could not keep up with its queue; the sessions waited for the disk";
    left_title() => "sessions leave the writing to the checkpointer and the background writer";
    left_reason(share: ratio) => "written by sessions: {share}";
    sync_one_title(mean: duration) => "one fsync of the checkpointer takes {mean} on average";
    sync_one_reason(n: count) => "syncs since the statistics were reset: {n}";
    timing_off_title() => "the server does not measure how long reads, writes and syncs take";
    timing_off_reason(n: count) => "syncs: {n}, and no time for any; track_io_timing would show whether the disk is slow";

    // ---- insights: WAL
    pages_title(share: ratio) => "up to {share} of the WAL are full pages";
    pages_reason(images: count, bytes: bytes) =>
        "full pages: {images}, in {bytes} of WAL; the first change of a page after each checkpoint writes all of it, so fewer checkpoints make less";
    counted_title(bytes: bytes, records: count) => "WAL since the statistics were reset: {bytes}, records: {records}";
    counted_reason(share: ratio) => "full pages are {share} of it at most";
    counted_reason_unknown() => "the server does not tell how much of it are full pages";
    full_title(n: count) => "WAL buffers that were full: {n} times";
    full_reason(share: ratio) => "that is {share} of all writes of WAL";
    wal_sync_title(mean: duration) => "syncing WAL takes {mean} on average";
    wal_sync_reason(n: count) => "syncs: {n}; each commit waits for one";

    // ---- insights: settings
    settings_title(size: bytes, timeout: duration) => "max_wal_size is {size}, checkpoint_timeout {timeout}";
    settings_found_reason(target: ratio) => "checkpoints are spread over {target} of the time between them";
    settings_found_reason_unknown() => "the rows do not tell over how much of the time checkpoints are spread";
    small_title(size: bytes, needed: bytes) => "max_wal_size is {size}; a checkpoint only when it is time would need about {needed}";
    small_reason(wal: bytes, timeout: duration, target: ratio) =>
        "up to {wal} of WAL in {timeout}, times one and the completion target of {target}, and a quarter on top";
    suffices_title(size: bytes) => "max_wal_size of {size} suffices for the WAL that was measured";
    suffices_reason(wal: bytes, timeout: duration) => "up to {wal} of WAL in {timeout}";
    fsync_title() => "fsync is off";
    fsync_reason() => "a crash of the machine can leave a database that cannot be read any more";
    pages_off_title() => "full_page_writes is off";
    pages_off_reason() => "a page that was half written in a crash cannot be repaired, unless the storage never tears one";
    log_off_title() => "log_checkpoints is off";
    log_off_reason() => "so the logs cannot tell why checkpoints begin and what they write; it costs a line or two each";
    target_title(target: ratio) => "checkpoints are spread over {target} of the time between them only";
    target_reason() => "the default of 90 % (50 % before PostgreSQL 14) makes the same writes in a gentler way";
    unmeasured() => "the logs do not tell how much WAL there is between checkpoints, so no size can be recommended";

    // ---- outcomes that are no answer
    failed_reason() => "it shows nothing about checkpoints";
}

//! All that the runbook can say.

pg_logstats_sdk::messages! {
    // ---- findings
    conflict_title(n: count, reason: cancel_reason) => "replay on the standby cancelled {n} statements or sessions: {reason}";
    conflict_reason(rate: rate, groups: count) => "{rate} while it went on; kinds of statements and users: {groups}";
    conflict_reason_once(groups: count) => "all at one time; kinds of statements and users: {groups}";
    interrupted_title(n: count) => "streaming from the primary broke off or was stopped {n} times";
    interrupted_reason(started: count) => "it began {started} times in the same logs";
    timeline_title(n: count) => "the standby cannot follow its primary's timeline; times that it said so: {n}";
    timeline_reason() => "the primary has left the history that this standby has: it does not replay, and has to be rewound or made anew";
    archive_title(n: count) => "the archive command failed {n} times";
    archive_reason(rate: rate) => "{rate}; WAL that is not archived is kept, so the disk fills, and backups have a gap until it is";
    archive_reason_unknown() => "WAL that is not archived is kept, so the disk fills, and backups have a gap until it is";
    nothing_title() => "the logs tell of no trouble with replication";
    nothing_reason() => "no conflicts with replay, no broken streaming, no failed archiving";
    no_logs() => "no entry of the logs had a time, so there is nothing to judge";
    lag_not_logged() => "the server does not log how far standbys are behind and what slots keep; only the server itself tells";
    lag_title(n: count) => "standbys that are far behind: {n}";
    lag_reason(behind: bytes) => "the first has {behind} of WAL still to replay";
    lag_reason_unknown() => "the server does not show how much the first has still to replay";
    slot_title(n: count) => "replication slots that keep much WAL or have lost it: {n}";
    slot_reason(kept: bytes) => "the most that one of them keeps is {kept}";

    // ---- offers
    lag_label() => "look how far the standbys are behind";
    lag_offer_reason() => "whether they stream, and where the WAL waits";
    receiver_label() => "look how this standby receives WAL";
    receiver_reason() => "whether it streams now, and how much it has not replayed";
    slots_label() => "look at the replication slots";
    slots_reason() => "a slot that nobody uses keeps WAL until the disk is full";
    settings_label() => "look at the settings of replication";
    settings_reason() => "feedback, delays and limits decide what replay cancels and what slots keep";
    autovacuum_label() => "take the autovacuum runbook";
    autovacuum_reason() => "a slot keeps old rows, so vacuum cannot remove them";
    families_label() => "take the query-families runbook";
    families_reason() => "statements that run shorter conflict less";

    // ---- endings
    decide_archive_label() => "let a person look at the archive command and its target";
    decide_archive_reason() => "the server's log has what the command said: a full or unreachable target, a missing right";
    decide_timeline_label() => "let a person rewind the standby or make it anew";
    decide_timeline_reason() => "pg_rewind or a new base backup; until then it is no standby";
    decide_streaming_label() => "let a person look at the network and at both servers";
    decide_streaming_reason() => "the server does not stream, and the log of the other side says why";
    decide_slot_label() => "let a person decide whether the inactive slot is still needed";
    decide_slot_reason() => "dropping it frees the WAL, and whatever used it has to start anew";
    decide_limit_label() => "let a person decide on a limit for what slots keep";
    decide_limit_reason() => "past it a slot is lost and its standby or subscriber has to start anew; without it the disk fills and the server stops";
    decide_lost_label() => "let a person make anew what used the lost slot";
    decide_lost_reason() => "the WAL that it needs is gone, or goes with the next checkpoints";
    decide_setting_label() => "let a person decide on the setting of the standby";
    decide_setting_reason() => "each way out has its price, which the reason of the insight names";
    decide_lag_label(session: subject) => "let a person look at the standby behind {session}";
    decide_lag_reason() => "its disk, processor and network, and what replay waits for, show on the standby only";

    // ---- insights
    behind_title(session: subject, behind: bytes) => "the standby behind {session} has {behind} of WAL to replay";
    behind_title_time(session: subject) => "the standby behind {session} replays late";
    behind_title_time_unknown() => "a standby replays late";
    behind_title_unknown(behind: bytes) => "a standby has {behind} of WAL to replay";
    behind_reason(lag: duration) => "what it replays now was written {lag} ago";
    behind_reason_unknown() => "the server does not show how long ago that was written";
    sending_title(bytes: bytes) => "{bytes} of it have not left this server";
    sending_reason(share: ratio) => "that is {share} of all: the network, or the process that sends, is too slow";
    replay_title(bytes: bytes) => "{bytes} of it are on the standby and wait for replay";
    replay_reason(share: ratio) => "that is {share} of all: replay is paused, waits for statements there, or is slower than the primary writes";
    synchronous_title() => "commits wait for a standby that is behind";
    synchronous_reason() => "it is synchronous, so every transaction takes as long as its answer";
    keep_up_title(n: count) => "all standbys keep up; standbys: {n}";
    keep_up_reason(most: bytes) => "the most that one has to replay is {most}";
    no_standby_title() => "no standby streams from this server";
    no_standby_reason() => "the server shows no process that sends WAL to one";
    receiver_well_title() => "the standby receives and replays";
    receiver_well_reason(left: bytes) => "received and not replayed: {left}";
    receiver_behind_title(left: bytes) => "the standby has received {left} that it has not replayed";
    receiver_behind_reason() => "replay is paused, waits for statements on the standby, or is slower than the primary writes";
    not_streaming_title() => "the standby does not stream";
    not_streaming_reason() => "the process that receives WAL is there, and its state is not streaming";
    no_receiver_title() => "no process receives WAL here";
    no_receiver_reason() => "the server is a primary, or a standby whose streaming has ended";
    no_receiver_reason_broken(n: count) => "the logs tell of streaming that ended {n} times, so it has not come back";
    keeps_title(n: count, most: bytes) => "slots that nobody uses and that keep WAL: {n}; the most is {most}";
    keeps_reason() => "the WAL stays until the slot moves on, is dropped, or reaches max_slot_wal_keep_size";
    keeps_reason_limit(limit: bytes) =>
        "nothing limits what it keeps; {limit} stops the growth before the disk is full, and a slot past it is lost with what used it";
    slot_behind_title(most: bytes) => "a slot in use keeps {most} of WAL";
    slot_behind_reason(n: count) => "whatever uses it is far behind; such slots: {n}";
    lost_title(n: count) => "slots that are lost or about to be: {n}";
    lost_reason() => "the WAL that they need has been removed, or goes with the next checkpoints";
    rows_title(age: count) => "a slot keeps the rows of {age} transactions";
    rows_reason() => "vacuum cannot remove what died since then";
    slots_well_title(n: count) => "no slot keeps much; slots: {n}";
    slots_well_reason(most: bytes) => "the most that one keeps is {most}";
    feedback_title(n: count) => "replay cancelled {n} statements for rows that vacuum had removed, and hot_standby_feedback is off";
    feedback_reason() =>
        "with it the primary keeps these rows for the standby; the price is dead rows on the primary for as long as the standby's statements run";
    delay_title(n: count, delay: duration) => "replay cancelled {n} statements, and waits {delay} for them";
    delay_reason(longer: duration) =>
        "with {longer} statements up to that long survive; the price is that the standby may be as far behind, and that a failover takes as long";
    unbounded_title() => "slots may keep all WAL that the disk holds";
    unbounded_reason() => "max_slot_wal_keep_size is -1; the slots show whether one keeps much now";
    usual_title() => "the settings do not stand out";
    usual_reason(n: count) => "nothing in the logs shows that one should be changed; settings: {n}";

    // ---- outcomes that are no answer
    failed_reason() => "it shows nothing about replication";
    unknown_lags(n: count) => "standbys of which the server shows neither bytes nor a time of lag: {n}";
}

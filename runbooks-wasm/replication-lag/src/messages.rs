//! All that the runbook can say. Names are in the rows beside it: it speaks of row numbers, counted from 1.

pg_logstats_sdk::messages! {
    // ---- nothing looked at yet
    not_looked_title() => "nothing was looked at yet";
    not_looked_reason() => "logs do not tell how far standbys are behind; the actions below do";

    // ---- offers
    standbys_label() => "look at the standbys and subscribers that stream from this server";
    standbys_why() => "it shows how far each is behind, and where it is held up";
    slots_label() => "look at the replication slots";
    slots_why() => "they keep WAL and old rows, also for standbys that are not there";
    receiver_label() => "look at how this server receives WAL";
    receiver_why() => "if it is a standby itself, it shows what is not replayed yet";
    holders_label() => "look at what replay waits for";
    holders_why() => "on a standby, it shows whether replay is paused, or which session it waits for";
    queries_label() => "take the running-queries runbook";
    queries_why() => "it shows what the standby's sessions do, and since when";
    settings_label() => "look at the settings of replication";
    settings_why() => "they say how long replay may wait, and how much slots may keep";
    logs_label() => "take the replication runbook";
    logs_why() => "the logs tell when standbys came and went, and what went wrong";
    checkpoints_label() => "take the checkpoints runbook";
    checkpoints_why() => "it shows whether the server writes more WAL than usual";
    wraparound_label() => "take the wraparound runbook";
    wraparound_why() => "it shows what the old rows do to freezing";

    // ---- standbys
    standby_title(row: count, lag: duration, size: bytes) => "the standby in row {row} is {lag} and {size} behind";
    standby_title_time(row: count, lag: duration) => "the standby in row {row} is {lag} behind";
    standby_title_bytes(row: count, size: bytes) => "the standby in row {row} is {size} behind";
    stage_sending() => "most of it was not sent yet, or is on its way: the network or the sender is too slow for the WAL that is written";
    stage_writing() => "most of it was received and is not on the standby's disk";
    stage_replay() => "most of it is on the standby's disk and is not replayed: a query, a lock or one busy process holds replay up";
    stage_unknown() => "the server does not show where it is held up";
    sending_title(n: count, most: bytes) => "standbys held up before they receive: {n}, the worst by {most}";
    writing_title(n: count, most: bytes) => "standbys held up by their own disk: {n}, the worst by {most}";
    replay_title(n: count, most: bytes) => "standbys held up in replay: {n}, the worst by {most}";
    commits_title(wait: duration) => "a synchronous standby took {wait} to have WAL on its disk";
    commits_reason() => "commits of this server wait for that, unless synchronous_commit asks for less";
    follow_title(n: count) => "all standbys follow: {n}";
    follow_reason(most: bytes) => "the last one is {most} behind";
    unknown_age(n: count) => "standbys that have something left to replay, by bytes little, and whose lag in time is not known: {n}";
    nobody_title() => "nobody streams from this server";
    nobody_reason() => "no standby and no subscriber is connected";
    ask_standby_label() => "let a person run this runbook on the standby";
    ask_standby_reason() => "what holds replay up can be seen only there";
    ask_network_label() => "let a person look at the network and the sender";
    ask_network_reason() => "the standby gets less than the server writes";
    ask_disk_label() => "let a person look at the standby's disk";
    ask_disk_reason() => "it takes WAL more slowly than it comes";
    ask_commits_label() => "let a person decide whether commits should wait for this standby";
    ask_commits_reason() => "without it they are faster, and what was committed last can be lost with this server";

    // ---- slots
    inactive_title(row: count, kept: bytes) => "the slot in row {row} keeps {kept} of WAL for nobody";
    inactive_reason() => "no standby or subscriber uses it, so what it keeps grows until someone comes or the disk is full";
    active_title(row: count, kept: bytes) => "the slot in row {row} keeps {kept} of WAL";
    active_reason() => "its standby or subscriber is connected and has not confirmed that much";
    at_risk_title(row: count, kept: bytes) => "the slot in row {row} may lose WAL at the next checkpoint; it keeps {kept}";
    at_risk_reason() => "it is past what max_slot_wal_keep_size allows";
    lost_title(row: count) => "the slot in row {row} is lost";
    lost_reason() => "the server gave up what it needs, so its standby or subscriber cannot go on from it";
    idle_slots_title(n: count) => "slots that keep WAL for nobody: {n}";
    idle_slots_reason(most: bytes) => "the fullest keeps {most}";
    lost_slots_title(n: count) => "slots that are lost: {n}";
    old_rows_title(age: count) => "a slot keeps rows of the last {age} transactions";
    old_rows_reason() => "vacuum cannot remove or freeze what is younger";
    unbounded_title() => "nothing bounds the WAL that slots keep";
    unbounded_reason(most: bytes) => "max_slot_wal_keep_size is not set, and the fullest slot keeps {most}";
    slots_well_title(n: count) => "no slot keeps much, and none is lost; slots: {n}";
    slots_well_reason(most: bytes) => "the fullest keeps {most}";
    ask_drop_label(n: count) => "let a person bring the users of the slots back, or drop the slots; how many: {n}";
    ask_drop_reason() => "only they know whether the standby or subscriber will come back; without its slot it has to be built anew";
    ask_bound_label(bound: bytes) => "let a person decide on a max_slot_wal_keep_size of {bound}";
    ask_bound_reason() =>
        "twice what the fullest slot keeps now: the disk needs room for it, and a slot that goes past it is lost";
    ask_lost_label(n: count) => "let a person drop the lost slots and build what used them anew; how many: {n}";
    ask_lost_reason() => "nothing brings a lost slot back";

    // ---- receiver
    unreplayed_title(size: bytes) => "this standby has received {size} that it has not replayed";
    unreplayed_reason(lag: duration) => "the last transaction that it replayed is {lag} older than the last message";
    unreplayed_reason_unknown() => "the server does not show how old the last transaction is that it replayed";
    unreplayed_unknown() => "the server does not show what is not replayed yet";
    not_streaming_title() => "the process that receives WAL is not streaming";
    not_streaming_reason() => "it starts, waits or stops, and until it streams nothing new comes";
    receiver_well_title() => "this standby follows";
    receiver_well_reason(size: bytes) => "it streams, and {size} are not replayed yet";
    no_receiver_title() => "no process receives WAL here";
    no_receiver_reason() => "this is a primary, or a standby that reads an archive or has no connection";
    ask_replay_label() => "let a person look at the standby's longest queries";
    ask_replay_reason() => "replay waits for those that see what it has to remove, and for their locks";
    ask_receiver_label() => "let a person look at the connection to the primary";
    ask_receiver_reason() => "the standby's own log says why it does not stream";

    // ---- settings
    held_title(session: subject) => "{session} holds replay up";
    rows_reason(others: count) =>
        "its transaction sees the oldest rows, and replay has to remove some; sessions that see others, and may be next: {others}";
    rows_reason_databases(others: count) =>
        "its transaction sees the oldest rows of all, and replay has to remove some in a database that the server does not name; other sessions that may hold it up: {others}";
    lock_reason(others: count) => "it has a lock that replay needs; others that have it, too: {others}";
    ask_end_label(session: subject) => "let a person decide whether to end {session}";
    ask_end_reason() => "replay goes on when its transaction ends; waiting may be right, while the standby can stay behind";
    waits_title() => "replay waits";
    waits_rows_reason() => "for a transaction that sees rows which it has to remove, and the server does not show which";
    waits_lock_reason() => "for a lock, and the server does not show who has it";
    waits_page_reason() => "for a page that a query reads, and the server does not show which query";
    waits_other_reason() => "for something that this runbook does not know";
    waits_files_reason() => "for temporary files in a tablespace that is to go, and the server does not show whose";
    waits_hidden() => "the server does not show this role what replay waits for";
    paused_title() => "replay is paused";
    paused_reason() => "someone called pg_wal_replay_pause, or a setting of the primary asks for more than this standby has; nothing is replayed until pg_wal_replay_resume";
    ask_resume_label() => "let a person decide whether replay goes on (pg_wal_replay_resume)";
    ask_resume_reason() => "nothing but that lets it go on, and who paused it had a reason";
    replay_runs_title() => "replay waits for no session at this moment";
    replay_runs_reason() => "it goes on, or waits for something else, as a delay on purpose";
    no_replay_title() => "nothing is replayed here";
    no_replay_reason() => "this server is no standby";
    on_purpose_title(delay: duration) => "replay is delayed on purpose by {delay}";
    on_purpose_reason() => "recovery_min_apply_delay asks for it, so a lag of that length is none";
    feedback_title() => "vacuum on the primary removes rows that queries of the standby still see";
    feedback_reason(n: count) => "hot_standby_feedback is off, and the logs tell of queries cancelled for that: {n}";
    ask_feedback_label() => "let a person decide on hot_standby_feedback";
    ask_feedback_reason() => "queries of the standby are no longer cancelled for it, and the primary keeps dead rows as long as they run";
    forever_title() => "on a standby, replay waits for queries as long as they run";
    forever_reason() => "max_standby_streaming_delay is -1, so one query can hold replay up without end";
    soon_title(delay: duration) => "on a standby, replay cancels queries that held it up for {delay}";
    soon_reason(n: count) => "the logs tell of queries cancelled for locks or pinned pages: {n}";
    ask_delay_label(delay: duration) => "let a person decide on a max_standby_streaming_delay of {delay}";
    ask_delay_reason() => "the longer it is, the fewer queries are cancelled, and the further the standby may be behind";
    settings_well_title() => "no setting explains a lag";
    settings_well_reason(delay: duration) => "replay waits for queries for {delay} at most, and is not delayed on purpose";
    delay_unknown() => "the rows do not tell how long replay may wait for queries";

    // ---- outcomes
    failed_reason() => "it shows nothing about replication";
}

//! All that the runbook can say.

pg_logstats_sdk::messages! {
    damaged_title(crashes: count, damaged: count, memory: count) =>
        "the server is in trouble: {crashes} crashes, {damaged} reads of damaged data, {memory} times out of memory";
    panics_title(errors: count) => "errors that tell of damage or end the server: {errors}";
    sequences_title(errors: count) => "a sequence has no values left: {errors} errors";
    errors_title(class: subject, errors: count) => "{class} happened {errors} times";
    burst_title(class: subject, errors: count, span: duration) => "{class} happened {errors} times within {span}";
    locks_title(waits: count, longest: duration) => "sessions waited for locks: {waits} waits, the longest of {longest}";
    deadlocks_title(deadlocks: count) => "transactions were cancelled to end deadlocks: {deadlocks}";
    statement_title(family: subject, p95: duration, share: ratio) =>
        "{family} takes {p95} at the 95th percentile and {share} of all statement time";
    plan_title(plan: subject, slowest: duration) =>
        "{plan}: a statement took {slowest}, and nothing but auto_explain logs its time";
    regressions_title(regressions: count, excess: duration) =>
        "statements got worse since the baseline: {regressions}, together by {excess}";
    temp_title(size: bytes, files: count) => "sorts and hashes wrote {size} to {files} temporary files";
    exhausted_title(refused: count) => "connections were refused because there were none left: {refused}";
    rejected_title(refused: count) => "logins were refused: {refused}";
    lost_title(lost: count) => "connections broke: {lost}";
    storm_title(received: count, rate: rate) => "clients connected {received} times, {rate}";
    frequent_title(warnings: count, share: ratio) =>
        "checkpoints came too frequently: {warnings} warnings; {share} of them were forced by WAL";
    sync_title(longest: duration) => "one file took {longest} to be synced at a checkpoint";
    wraparound_title(warnings: count, refused: count) =>
        "transaction ids run out: {warnings} warnings, {refused} commands refused";
    held_up_title(tables: count, cancelled: count, dead: count) =>
        "autovacuum is held up on {tables} tables: {cancelled} runs cancelled or skipped, {dead} dead rows that could not be removed from one of them";
    conflicts_title(cancelled: count) => "replay on the standby cancelled statements: {cancelled}";
    archive_title(failed: count) => "WAL could not be archived: {failed} failures";
    streaming_title(interrupted: count) => "replication was interrupted: {interrupted} times";
    cancelled_title(cancelled: count) => "the server cancelled statements or ended sessions: {cancelled}";
    reason(events: count, window: duration) => "events of the kind in the logs: {events}, which cover {window}";
    nothing_title() => "nothing stands out";
    nothing_reason(executions: count, errors: count) => "statements that were timed: {executions}; classes of errors: {errors}";
    no_logs_title() => "there are no logs to look at";
    no_logs_reason() => "runbooks that ask the server itself can look at what goes on now";

    next_label(rank: count) => "take the runbook for the trouble ranked {rank}";
    next_reason(score: ratio) => "it follows this up; measured severity: {score}";
    plans_label() => "take the plans runbook";
    plans_reason(plans: count) => "auto_explain logged plans of {plans} statements, which may show why";
    families_label() => "take the query-families runbook";
    families_reason() => "it ranks all statements by the time they took";
    live_label() => "look at the server itself";
    live_connections() => "how many connections are in use, and in which state";
    live_locks() => "who holds whom up right now";
    live_queries() => "what runs right now, and how long it has been running";
    live_replication() => "whether standbys and slots keep up";
    live_wraparound() => "how old the oldest transaction ids are";
    live_indexes() => "whether indexes are broken or useless";
    stop_label() => "stop here";
    stop_reason() => "there is nothing to follow";
    no_lock_waits_logged() => "waits for locks are in the log only with log_lock_waits";
    no_checkpoints_logged() => "checkpoints are in the log only with log_checkpoints";
    no_durations_logged() => "statements are in the log with their durations only with log_min_duration_statement";
}

//! All that the runbook can say, besides what `pg_logstats_runbook_statements` says.

pg_logstats_sdk::messages! {
    // ---- findings: what an error stands for
    damage_title(class: subject, n: count) => "{class}: files are damaged, missing or unreadable; times logged: {n}";
    panic_title(class: subject, n: count) => "{class}: the server stopped itself; times logged: {n}";
    crash_title(class: subject, n: count) => "{class}: a server process crashed and took all sessions along; times logged: {n}";
    disk_full_title(class: subject, n: count) => "{class}: the disk was full; times logged: {n}";
    memory_title(class: subject, n: count) => "{class}: memory ran out; times logged: {n}";
    resources_title(class: subject, n: count) => "{class}: a limit of the configuration was reached; times logged: {n}";
    connections_title(class: subject, n: count) => "{class}: no connection was left; times logged: {n}";
    internal_title(class: subject, n: count) => "{class}: an internal error; times logged: {n}";
    statements_cancelled_title(class: subject, n: count) => "{class}: statements were cancelled; times logged: {n}";
    ended_title(class: subject, n: count) => "{class}: sessions were ended; times logged: {n}";
    not_ready_title(class: subject, n: count) =>
        "{class}: the server was starting or stopping and let nobody in; times logged: {n}";
    deadlock_title(class: subject, n: count) => "{class}: deadlocks; times logged: {n}";
    serialization_title(class: subject, n: count) => "{class}: transactions that must be retried; times logged: {n}";
    lock_title(class: subject, n: count) => "{class}: a lock was not to be had; times logged: {n}";
    constraint_title(class: subject, n: count) => "{class}: a constraint refused rows; times logged: {n}";
    access_title(class: subject, n: count) => "{class}: a login or right was refused; times logged: {n}";
    statement_title(class: subject, n: count) =>
        "{class}: statements that do not fit the schema, or are none; times logged: {n}";
    lost_title(class: subject, n: count) => "{class}: connections were lost; times logged: {n}";
    sequence_title(class: subject, n: count) => "{class}: a sequence has no values left; times logged: {n}";
    data_title(class: subject, n: count) => "{class}: values that cannot be stored or computed; times logged: {n}";
    other_title(class: subject, n: count) => "{class}: an error; times logged: {n}";
    cancellation_title(group: subject, reason: cancel_reason, n: count) => "{group}: {reason}; times logged: {n}";

    // ---- findings: when, and how often
    once_reason(at: at) => "at {at}";
    steady_reason(first: at, last: at, rate: rate) => "between {first} and {last}; over all the logs that is {rate}";
    burst_reason(span: duration, first: at, window: duration) =>
        "all within {span} from {first} on, in logs of {window}";
    new_reason(first: at, rate: rate) => "none before {first}, in the second half of the logs, and {rate} from then to the last";
    timeless_reason() => "the logs do not tell over which time, so there is no rate";

    // ---- nothing
    nothing_title() => "no errors and no cancellations";
    nothing_reason(executions: count) => "the logs tell of none; timed executions beside: {executions}";
    nothing_limitation() =>
        "errors are logged only while log_min_messages is error or lower; a log of a part of the server shows that part's only";
    no_sqlstate(classes: count, all: count) =>
        "{classes} of {all} kinds of errors have no SQLSTATE: add %e to log_line_prefix, or log as csvlog or jsonlog, so that they can be told apart";
    no_statements() =>
        "no error names its statement: log_min_error_statement at error or lower makes the log name it";
    left_out(n: count) => "{n} more kinds of errors and cancellations weigh less and are not told";

    // ---- offers
    error_sessions_reason() => "whether those who met it are connected now, and what they do";
    connections_label() => "take the connections runbook";
    connections_reason() => "it shows who holds the connections";
    locks_reason() => "it shows who waited for whom";
    sequence_label() => "take the wraparound runbook";
    sequence_reason() => "it shows which sequences are at their end, and what makes room";
    replication_label() => "take the replication runbook";
    replication_reason() => "replay and the standby's own sessions stood against each other";
    replication_reason_wal() => "the missing file may be WAL that a standby still needed; it shows who lags";
    families_label() => "take the query-families runbook";
    families_reason() => "it shows which statements take so long that they are cancelled";
    temp_files_label() => "take the temp-files runbook";
    temp_files_reason() => "temporary files may be what fills the disk or meets temp_file_limit";

    // ---- persons
    ask_damage_label(class: subject) => "show {class} to a person at once";
    ask_damage_reason() =>
        "every write may make it worse: look at the disks, keep a copy of the files, and check the backups before anything is repaired";
    ask_crash_label(class: subject) => "show {class} to a person at once";
    ask_crash_reason() => "the entries of the log just before, the kernel's log and the core file tell why";
    ask_disk_label(class: subject) => "let a person make room on the disk: {class}";
    ask_disk_reason() => "the server stops itself when WAL has no room; never remove files of the data directory by hand";
    ask_memory_label(class: subject) => "let a person look at the memory of the machine: {class}";
    ask_memory_reason() => "either too many sessions, or settings that let each of them take too much";
    ask_internal_label(class: subject) => "show {class} to a person";
    ask_internal_reason() => "an internal error is a fault of the server, of an extension, or of the data";
    ask_change_label(class: subject) => "ask what was changed when {class} began";
    ask_change_reason(first: at) => "the first came at {first}: a deployment, a migration or a job that began then is the likely cause";
    ask_access_label(class: subject) => "ask who tries to connect with what: {class}";
    ask_access_reason() => "a password that was changed on one side only, or somebody who guesses";
    ask_retry_label(class: subject) => "ask whether the application retries the transactions of {class}";
    ask_retry_reason() => "such failures are part of the isolation level, and the work is lost unless it is done again";
    ask_idle_label(group: subject) => "ask why the application leaves transactions or sessions of {group} open";
    ask_idle_reason() => "the time-out did what it is for; the cause is a client that does not end what it began";
    ask_logging_label() => "let a person decide on log_lock_waits";
    ask_logging_reason() => "it costs a line of the log for each long wait, and names who held the lock";

    // ---- insights
    holders_title(n: count) => "statements that gave up waiting for a lock: {n}";
    holders_reason() => "the log has no lock wait that names a holder; log_lock_waits would tell who it was";

    // ---- endings
    stop_reason_nothing() => "the evidence shows no error that needs anything done";
}

//! All that the runbook can say, besides what `pg_logstats_runbook_statements` says.

pg_logstats_sdk::messages! {
    // ---- findings of the logs
    family_title(family: subject, share: ratio) => "{family} took {share} of all statement time";
    temp_title(group: subject, bytes: bytes) => "{group}: {bytes} of temporary files";
    temp_reason(family: subject, files: count, largest: bytes) =>
        "written by {family}; number of files: {files}, the largest of {largest}";
    temp_reason_unknown(files: count, largest: bytes) =>
        "the log does not tell by which statement; number of files: {files}, the largest of {largest}";
    error_title(class: subject, n: count) => "{class}: an error logged {n} times";
    error_title_once(class: subject) => "{class}: an error logged once";
    error_reason(first: at, last: at, share: ratio) =>
        "between {first} and {last}; {share} of all timed executions and errors together";
    error_reason_once(at: at, share: ratio) => "at {at}; {share} of all timed executions and errors together";
    nothing_title() => "nothing took time, failed or spilled";
    nothing_reason(executions: count, errors: count) =>
        "executions in the evidence that were timed: {executions}; kinds of errors: {errors}";
    families_left_out(left_out: count, families: count) =>
        "{left_out} of {families} families are not in the evidence, because others took more time";

    // ---- offers
    error_sessions_reason() => "whether those who met the error are connected now, and what they do";
    locks_reason(waits: count, longest: duration, deadlocks: count) =>
        "lock waits in the logs: {waits}, the longest of {longest}; deadlocks: {deadlocks}";

    // ---- endings
    stop_reason_nothing() => "the evidence shows no problem";
}

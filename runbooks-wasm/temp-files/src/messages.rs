//! All that the runbook can say, besides what `pg_logstats_runbook_statements` says.

pg_logstats_sdk::messages! {
    // ---- findings
    group_title(group: subject, bytes: bytes, share: ratio) =>
        "{group}: {bytes} of temporary files, {share} of all that are in the evidence";
    group_reason(family: subject, files: count, largest: bytes, hourly: bytes) =>
        "written by {family}; files: {files}, the largest of {largest}; {hourly} in an hour";
    group_reason_concluded(family: subject, files: count, largest: bytes, hourly: bytes) =>
        "written by {family}, as the order of the log's entries suggests; files: {files}, the largest of {largest}; {hourly} in an hour";
    group_reason_unknown(files: count, largest: bytes, hourly: bytes) =>
        "the log does not tell by which statement; files: {files}, the largest of {largest}; {hourly} in an hour";
    full_title(class: subject, n: count) => "{class}: the disk was full while temporary files were written; times logged: {n}";
    limit_title(class: subject, n: count) =>
        "{class}: a limit of the configuration was reached while temporary files were written; times logged: {n}";
    error_reason(bytes: bytes, largest: bytes) =>
        "temporary files of {bytes} in all, the largest of {largest}, are in the same logs";
    nothing_title() => "no temporary files";
    nothing_reason(executions: count) => "the logs tell of none; timed executions beside: {executions}";
    not_logged() =>
        "temporary files are logged only with log_temp_files set, and only from that size on: it is off unless somebody set it";
    only_logged() => "the logs have only files of log_temp_files and larger, so sums are lower bounds";
    left_out(n: count) => "{n} more groups of temporary files weigh less and are not told";

    // ---- offers
    settings_label() => "look at the settings that matter for temporary files";
    settings_reason() => "what work_mem is, from which size on files are logged, and whether anything bounds them";
    errors_label() => "take the errors runbook";
    errors_reason() => "it shows what else failed for want of room";

    // ---- persons
    ask_disk_label(class: subject) => "let a person make room on the disk: {class}";
    ask_disk_reason() => "temporary files go away with their statement; what else fills the disk stays";
    ask_settings_label() => "let a person decide on the settings of temporary files";
    ask_settings_reason() => "a limit ends statements that go over it, and logging costs a line for each file";

    // ---- endings
    stop_reason_nothing() => "the evidence shows no temporary files";

    // ---- insights
    unlogged_title() => "the server logs no temporary files";
    unlogged_reason() => "log_temp_files is -1, so the logs say nothing about which statements spill";
    unbounded_title(largest: bytes) => "nothing bounds temporary files, and one was of {largest}";
    unbounded_reason(limit: bytes) =>
        "temp_file_limit is -1: one statement can fill the disk; {limit} is above twice the largest file of the logs";
    memory_title(needed: bytes, role: subject) => "{needed} of work_mem would hold what {role} writes to disk";
    memory_reason(now: bytes, files: count, largest: bytes) =>
        "work_mem is {now} for a new session of the role that looked; files of the group: {files}, none larger than {largest}";
    fitting_title() => "nothing in the settings stands out";
    fitting_reason(settings: count) => "they fit what the logs show; settings looked at: {settings}";
}

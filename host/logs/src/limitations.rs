//! What the input could not tell, in words: one table.

use std::collections::BTreeMap;

use crate::evidence::Limitation;

const MESSAGES: &[(&str, &str)] = &[
    (
        "archive_members_dropped",
        "an archive has more files than are read; name a part of them",
    ),
    (
        "archive_out_of_order",
        "files of an archive begin before ones that came earlier in it, so that what spans two of them is not joined; unpack it, \
         or make it plain (tar -cf), or of files in order of time",
    ),
    (
        "bare_duration",
        "durations without a statement: log_duration was on but the session logged no statement; set \
         log_min_duration_statement instead",
    ),
    (
        "cancellations_dropped",
        "more groups of cancellations than are kept; narrow the window with --since and --until",
    ),
    (
        "clients_dropped",
        "connections came from more hosts than are kept; narrow the window with --since and --until",
    ),
    (
        "clock_jumps",
        "the clock was set back while the log was written, so instants before and after cannot be compared; see clock_jumps",
    ),
    (
        "compression_window_too_large",
        "compressed files ask for more memory than they are given and were not read, or in part; decompress them first",
    ),
    (
        "connections_dropped",
        "more combinations of role, database and application connected than are kept; narrow the window with --since and --until",
    ),
    (
        "cut_while_read",
        "files became shorter while they were read (copytruncate), so some of what was in them was not seen; copy such a file \
         first, and run it again",
    ),
    (
        "deadlocks_dropped",
        "more deadlocks than are kept; narrow the window with --since and --until",
    ),
    (
        "duplicate_destination",
        "the same entries were written to files of several formats; of each set one was read (json before csv before \
         stderr; of an archive that is read as it comes the first), the others were set aside",
    ),
    (
        "duplicate_file",
        "files that begin with the same entries as another one are copies or links; the longest was read (of an archive that \
         is read as it comes the first), the others were set aside",
    ),
    (
        "empty_file",
        "empty files; check that logging_collector is on and log_directory is right",
    ),
    (
        "entry_truncated",
        "entries longer than 4 MiB were looked at in part; consider log_parameter_max_length",
    ),
    (
        "errors_dropped",
        "more classes of errors than are kept; narrow the window with --since and --until",
    ),
    (
        "families_folded",
        "query families with little total time were given up because there were too many; totals still contain them",
    ),
    (
        "families_incomplete",
        "query families were given up for lack of room and came back: their figures are lower bounds; narrow the window \
         with --since and --until",
    ),
    (
        "file_vanished",
        "files of the folder were gone or were others when their turn came, probably because of a rotation; run it again",
    ),
    (
        "folder_files_dropped",
        "a folder has more files than are read; name a part of them",
    ),
    (
        "folder_too_deep",
        "folders lie too deep in the folder that was named and were passed over; name them",
    ),
    (
        "forged_duration",
        "messages raised by a statement imitate a duration and were not counted; look at who may run RAISE LOG",
    ),
    (
        "forged_entry",
        "lines may be the work of a client that put a line end or a label into a name (or of another program that writes to \
         the same file) and were not counted as entries; look at who connects, and prefer jsonlog, where names cannot do that",
    ),
    (
        "forged_event",
        "messages raised by a statement imitate a message of the server and were not counted as events; look at who \
         may run RAISE LOG",
    ),
    (
        "link_not_followed",
        "links that lead out of the folder, or to nothing, were passed over; name what they lead to",
    ),
    (
        "localized_messages",
        "messages in another language than English are not read; set lc_messages = 'C' and reload the server",
    ),
    ("lock_waits_dropped", "more lock waits than are kept; the longest are"),
    (
        "maintenance_dropped",
        "autovacuum was at more tables than are kept; narrow the window with --since and --until",
    ),
    (
        "not_a_log",
        "files of a folder that are no PostgreSQL logs were set aside; name them to see why",
    ),
    ("patroni_log", "logs of Patroni in the folder were set aside"),
    ("pgbouncer_log", "logs of pgBouncer in the folder were set aside"),
    (
        "plans_dropped",
        "more statements have plans than are kept; narrow the window with --since and --until",
    ),
    (
        "plans_without_statement",
        "plans whose statement cannot be told from the text around it were counted only; set auto_explain.log_format = json",
    ),
    (
        "prefix_begins_with_name",
        "log_line_prefix begins with a name that the client chooses, so a forged entry cannot be told; begin it with '%m [%p] '",
    ),
    (
        "prefix_without_names",
        "log_line_prefix lacks %d, %u or %a, so families of several databases, roles or applications are one; add them",
    ),
    (
        "prefix_without_process",
        "log_line_prefix has neither %p nor %c, so lines of one session cannot be joined; add %p",
    ),
    (
        "prefix_without_time",
        "log_line_prefix has neither %m, %t nor %n, so entries have no instant and --since/--until let them pass; add %m",
    ),
    (
        "sources_overlap",
        "inputs hold entries of the same log and the same time, which are counted once for each of them; name one of them, or \
         inputs whose times do not overlap",
    ),
    (
        "temp_files_dropped",
        "more groups of temporary files than are kept; narrow the window with --since and --until",
    ),
    (
        "timezone_uncertain",
        "the time zone's abbreviation is ambiguous or unknown, so instants may be off; set log_timezone = 'UTC'",
    ),
    (
        "truncated_archive",
        "archives end too early or hold something that is no archive; what came before was analysed; fetch them again",
    ),
    (
        "truncated_compressed_stream",
        "compressed files end too early; what could be decompressed was analysed; fetch the file again",
    ),
];

/// Whether there is such a code.
pub(crate) fn is_known(code: &str) -> bool {
    MESSAGES.iter().any(|known| known.0 == code)
}

/// The limitations of a run, by code.
pub(crate) fn list(counts: &BTreeMap<String, u64>) -> Vec<Limitation> {
    let message = |code: &str| {
        MESSAGES
            .iter()
            .find(|known| known.0 == code)
            .map_or("", |known| known.1)
    };
    counts
        .iter()
        .map(|(code, count)| Limitation {
            code: code.clone(),
            count: *count,
            message: message(code).to_owned(),
        })
        .collect()
}

//! All that can be said in offering the actions about temporary files, and about what they return.

pg_logstats_sdk::messages! {
    // ---- offers
    temp_counters_label(group: subject) => "look at the counters of temporary files of the database of {group}";
    temp_counters_reason() => "the log has only files above log_temp_files; the server counts all";
    temp_blocks_label() => "list the statements that write temporary blocks";
    temp_blocks_reason() => "the server knows which statements spill, also those that the log does not name";

    // ---- insights: temporary files
    temp_volume_title(bytes: bytes) => "the database wrote {bytes} of temporary files";
    temp_volume_reason(files: count) => "since its statistics were reset; number of files: {files}";
    temp_volume_reason_since(since: at, files: count) => "since {since}; number of files: {files}";
    no_temp_title() => "the database wrote no temporary files";
    no_temp_reason() => "its counters are 0 since they were reset";
    temp_writers_title(n: count) => "statements that write temporary blocks: {n}";
    temp_writers_reason(share: ratio, blocks: count) =>
        "the first of them wrote {share} of all; blocks in all: {blocks}";
    no_temp_writers_title() => "no statement writes temporary blocks";
    no_temp_writers_reason() => "pg_stat_statements has none that did";
}

//! All that the runbook can say. Names are in the rows beside it: it speaks of row numbers, counted from 1.

pg_logstats_sdk::messages! {
    // ---- nothing looked at yet
    not_looked_title() => "nothing was looked at yet";
    not_looked_reason() => "logs do not tell the state of indexes; the actions below do";
    no_tables() => "how the indexes of a table compare and the room that it wastes are looked at table by table, and only for tables that logs name";

    // ---- offers
    invalid_label() => "look at the indexes that are not valid";
    invalid_why() => "no query uses them, and most are kept up by every write";
    constraints_label() => "look at the constraints that are not validated";
    constraints_why() => "rows from before may break them, and the planner does not rely on them";
    builds_label() => "look at the indexes that are being built";
    builds_why() => "it tells an index that is not ready yet from one that was left over";
    dead_rows_label() => "look at the tables with most dead rows";
    dead_rows_why() => "tables and their indexes grow where these are not removed in time";
    unused_label() => "look at the large indexes that no scan used";
    unused_why() => "each is written to by every insert and most updates, and kept in memory and in backups";
    usage_label(table: subject) => "look at the indexes of {table}";
    usage_why() => "it shows which are used, and which do the same";
    bloat_label(table: subject) => "estimate how much of {table} is empty";
    bloat_why() => "empty pages are read and kept in memory like full ones";
    statistics_label(table: subject) => "look at what the server counted for {table}";
    statistics_why() => "it shows whether dead rows are still there, and when autovacuum came last";
    locks_label() => "take the locks runbook";
    locks_why() => "it shows whom the build waits for";
    autovacuum_label() => "take the autovacuum runbook";
    autovacuum_why() => "the logs tell whether autovacuum came, and what kept it";
    families_label() => "take the query-families runbook";
    families_why() => "it shows which statements read so much";

    // ---- invalid indexes
    invalid_title(row: count, size: bytes) => "the index in row {row} is not valid; its size: {size}";
    ready_reason() => "every write keeps it up, and no query uses it";
    not_ready_reason() => "it is not kept up and not used; it only takes room";
    partitioned_reason() => "some partition has no valid index of its own";
    not_valid_title(n: count) => "indexes that are not valid: {n}";
    not_valid_reason(size: bytes) => "left over by a CREATE or REINDEX CONCURRENTLY that failed, or still being built; size in all: {size}";
    ask_invalid_label(n: count) => "let a person reindex or drop the indexes that are not valid; how many: {n}";
    ask_invalid_reason() => "REINDEX INDEX CONCURRENTLY makes one valid; one whose name ends in _ccnew or _ccold is a leftover to drop";
    invalid_busy_title(row: count) => "the index in row {row} is not valid, and somebody is at it or its table";
    busy_reason() => "it may be one that is being built or dropped right now; a lock that such work takes is held or waited for";
    rebuild_title(row: count) => "the index in row {row} can be made valid";
    rebuild_unique_reason() => "it is to ensure something, and does not for the rows from before; nobody is at it";
    rebuild_used_reason(scans: count) => "it was of use before, and nobody is at it; scans: {scans}";
    rebuild_wanted_reason() => "somebody wanted it once; nothing shows that it is still wanted, and to drop it ends the waste as well";
    drop_title(row: count, size: bytes) => "the index in row {row} can be dropped; its size: {size}";
    drop_leftover_reason() => "its name is that of a copy which a REINDEX CONCURRENTLY left behind; it serves no constraint, and nobody is at it";
    drop_half_dropped_reason() => "a DROP INDEX CONCURRENTLY of it did not get to its end; it serves no constraint, and nobody is at it";
    drop_unused_reason(counted: duration) => "no scan used it in {counted}, for so long scans were counted at least; it ensures nothing";
    drop_redundant_reason() => "another index, which stays, begins with the same columns in the same order, operator classes and collations";
    valid_title() => "all indexes are valid";
    valid_reason() => "the catalogue of this database has none that is not";

    // ---- constraints
    foreign_keys_title(n: count) => "foreign keys that are not validated: {n}";
    checks_title(n: count) => "check constraints that are not validated: {n}";
    not_nulls_title(n: count) => "not-null constraints that are not validated: {n}";
    others_title(n: count) => "constraints of other kinds that are not validated: {n}";
    not_validated_reason() => "they were added NOT VALID, so they hold for new rows only";
    not_enforced_title(n: count) => "constraints that are not enforced: {n}";
    not_enforced_reason() => "somebody declared them NOT ENFORCED, so they hold for no row";
    open_title(open: count, off: count) => "constraints to be validated: {open}, not enforced: {off}";
    open_reason() => "the planner relies on neither, and rows may break them";
    ask_validate_label(n: count) => "let a person validate the constraints; how many: {n}";
    ask_validate_reason() => "ALTER TABLE ... VALIDATE CONSTRAINT reads the whole table and lets others write meanwhile; rows that break it make it fail";
    validate_title(row: count) => "the constraint in row {row} can be validated";
    validate_reason() => "it holds for new rows, and one look at the others shows whether it holds for all";
    validated_title() => "all constraints are validated";
    validated_reason() => "the catalogue of this database has none that is not";

    // ---- builds
    builds_title(n: count) => "indexes that are being built: {n}";
    builds_reason(longest: duration) => "the longest has been at it for {longest}";
    builds_reason_unknown() => "the server does not show since when";
    build_waits_title(row: count, left: count) => "the build in row {row} waits for other transactions; how many: {left}";
    build_waits_reason(running: duration) => "it has been running for {running}, and cannot go on before they end";
    waiting_title(n: count) => "builds that wait for other transactions: {n}";
    waiting_reason() => "a concurrent build waits for each transaction that may not know of the index";
    no_build_title() => "no index is being built";
    no_build_reason() => "so an index that is not valid now is a leftover";

    // ---- indexes of a table
    unused_title(n: count, table: subject, size: bytes) => "indexes that no scan used: {n} of {table}, {size} in all";
    unused_reason() => "they ensure no constraint; scans are counted since the statistics were reset, and on each standby apart";
    unused_all_title(n: count, size: bytes) => "large indexes that no scan used: {n}, {size} in all";
    unused_all_reason(since: at) => "they ensure no constraint; scans are counted since {since}, and on each standby apart";
    unused_on_standby() => "this is a standby, which counts its own scans: the primary may use these indexes";
    none_unused_title() => "no large index is unused";
    none_unused_reason() => "each of a megabyte or more was scanned since the counters began, or ensures something";
    ask_drop_all_label(n: count) => "let a person decide which of the unused indexes to drop; how many: {n}";
    redundant_title(n: count, table: subject, size: bytes) => "indexes that another one makes superfluous: {n} of {table}, {size} in all";
    redundant_reason() => "another has the same columns, or begins with them; operator classes, collations and order are not compared";
    indexes_well_title(table: subject) => "no index of {table} stands out";
    indexes_well_reason(n: count) => "each is used or ensures something, and none is like another; indexes: {n}";
    ask_drop_label(table: subject) => "let a person decide which indexes of {table} to drop";
    ask_drop_reason() => "each one less makes writes cheaper; look at the standbys and at a whole month's use before";

    // ---- a table
    bloat_title(table: subject, share: ratio, size: bytes) => "{table} is empty to {share} by estimate, which are {size}";
    bloat_reason() => "size of the table against what its rows should need; indexes and TOAST are not in it";
    bloat_hidden() => "the role may not read all columns of the table, so the server hides what the estimate needs";
    not_analyzed_title(n: count, table: subject) => "{n} columns of {table} were never analysed";
    not_analyzed_reason() => "they were never analysed, so plans and this estimate are guesses";
    ask_analyze_label(table: subject) => "let a person run ANALYZE on {table}";
    ask_analyze_reason() => "it reads a sample and lets others read and write meanwhile";
    ask_rewrite_label(table: subject) => "let a person decide whether {table} should be rewritten";
    ask_rewrite_reason() => "VACUUM makes the room usable again and does not give it back; VACUUM FULL does, and locks everybody out";
    dead_title(table: subject, share: ratio, dead: count) => "of {table}, {share} of the rows are dead: {dead}";
    dead_reason_late(last: at) => "autovacuum was last there {last}, and comes too late for a table of this size";
    dead_reason_since(last: at) => "they came since autovacuum was last there, {last}, or something keeps them";
    dead_reason_never() => "autovacuum was never there, as far as the server remembers";
    old_figures_title(table: subject) => "the planner's figures of {table} are old";
    old_figures_reason(changed: count) => "rows changed since they were made: {changed}";
    read_whole_title(table: subject, scans: count) => "{table} was read as a whole {scans} times";
    read_whole_reason(rows: count) => "rows read each time: {rows}; an index may be missing, or the statements want that much";
    table_well_title(table: subject) => "nothing that was counted for {table} stands out";
    table_well_reason(share: ratio) => "{share} of its rows are dead, and the planner's figures are recent";
    not_here_title(table: subject) => "there is nothing about {table} here";
    not_here_reason() => "it has no index, or is in another database than this connection";
    table_unknown() => "the evidence does not have the table that the action was about";

    // ---- dead rows
    dead_row_title(row: count, dead: count, share: ratio) => "the table in row {row} has {dead} dead rows, {share} of all";
    dead_row_off() => "autovacuum is off for it";
    dead_row_overdue(size: bytes) => "autovacuum should have come by its threshold; size of the table: {size}";
    pile_up_title(n: count) => "tables whose dead rows were not removed in time: {n}";
    pile_up_reason() => "their pages and those of their indexes fill with rows that nobody can see";
    in_time_title() => "no table has dead rows that matter";
    in_time_reason(most: count) => "the most that one has: {most}";

    // ---- outcomes
    failed_reason() => "it shows nothing about indexes";
}

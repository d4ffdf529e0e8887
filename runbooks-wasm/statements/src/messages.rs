//! All that can be said about what the shared actions return, and in offering them.

pg_logstats_sdk::messages! {
    // ---- the logs
    family_reason(executions: count, total: duration, mean: duration, p95: duration, max: duration) =>
        "{executions} executions took {total} in all: {mean} on average, {p95} at the 95th percentile, {max} at most";
    family_reason_once(total: duration) => "one execution took {total}";
    no_durations() => "no statement durations in the logs: set log_min_duration_statement to see which statements take the time";
    no_logs() => "no entry of the logs had a time, so there is nothing to judge";

    // ---- offers
    statistics_label(family: subject) => "look up the server's statistics of {family}";
    statistics_reason() => "the log has only what it was set to log; pg_stat_statements counts every execution";
    sessions_label(target: subject) => "look at the live sessions of the database, role and application of {target}";
    sessions_reason() => "whether it runs now, and what it waits for";
    explain_label(family: subject) => "look at the plan of {family}";
    explain_reason() => "the plan shows how the rows are found; nothing is executed";
    analyze_label(family: subject) => "run {family} once and look at its plan with actual rows and times";
    analyze_reason() => "only a real run shows wrong estimates, spills and where the time goes, and it costs a run";
    figures_label(column: subject) => "look how old the planner's figures of {column} are";
    figures_reason() => "old ones need ANALYZE; where they are new, ANALYZE has to look closer at the column";
    session_label(session: subject) => "look at the session {session}";
    session_reason() => "what it does now, and since when";
    blocking_label(session: subject) => "look at who blocks the session {session}";
    blocking_reason() => "the session waits for a lock: the one at the head of the queue has to move first";
    locks_label() => "take the locks runbook";
    locks_reason_live() => "sessions wait for locks right now";

    // ---- endings
    decide_index_label(relation: subject) => "let a person decide on an index on {relation}";
    decide_index_reason() => "an index makes this statement faster and every write to the table slower";
    decide_work_mem_label() => "let a person decide on more work_mem for the role";
    decide_work_mem_reason() => "each sort and hash of each session of the role may take that much memory";
    decide_vacuum_label(relation: subject) => "let a person run VACUUM on {relation}";
    decide_vacuum_reason() =>
        "it reads the pages that changed, at a cost of IO; while a transaction that is older than the changes is open, it does not help";
    decide_analyze_label(relation: subject) => "let a person run ANALYZE on {relation}";
    decide_analyze_reason() => "the planner works with statistics that do not fit the table";
    decide_statistics_label(relation: subject) => "let a person decide on extended statistics on {relation}";
    decide_statistics_reason() => "they cost time in each ANALYZE and planning, and take effect with the next ANALYZE";
    decide_target_label(column: subject) => "let a person decide on a statistics target for {column}";
    decide_target_reason() => "ANALYZE and planning take a little longer, and plans of other statements may change";
    ask_blocked_label(session: subject) => "let a person look at what holds up {session}";
    ask_blocked_reason() => "the session at the head of the queue holds its locks until its transaction ends";

    // ---- insights: sessions
    match_title(session: subject) => "one session matches: {session}";
    match_reason() => "the server shows one session of this kind";
    matches_title(n: count) => "sessions that match: {n}";
    matches_reason(n: count, active: count) => "the server shows {n} of this kind, {active} of them active";
    active_title(n: count) => "sessions that run a statement now: {n}";
    active_reason(longest: duration) => "the longest statement has been running for {longest}";
    active_reason_unknown() => "the server does not show for how long";
    no_match_title() => "no session matches now";
    no_match_reason() => "the server has no non-idle session of this kind at the moment, so the trouble is not going on or comes and goes";
    transaction_wait_title(n: count) => "sessions that wait for another transaction to end: {n}";
    transaction_wait_reason(longest: duration) => "they want rows that an open transaction has changed; the longest statement has been running for {longest}";
    transaction_wait_reason_unknown() => "they want rows that an open transaction has changed";
    lock_wait_title(n: count) => "sessions that wait for a lock: {n}";
    lock_wait_reason(longest: duration) => "their wait is of type Lock; the longest statement has been running for {longest}";
    lock_wait_reason_unknown() => "their wait is of type Lock";
    io_wait_title(n: count) => "sessions that wait for files: {n}";
    io_wait_reason() => "their wait is of type IO: the blocks they need are not in memory, or are being written";
    client_wait_title(n: count) => "sessions that wait for their client: {n}";
    client_wait_reason() => "the server is done or needs input; the time passes in the application or the network";
    idle_tx_title(n: count) => "sessions that are idle in a transaction: {n}";
    idle_tx_reason(longest: duration) => "the longest has done nothing for {longest}, and keeps its locks and its snapshot";
    idle_tx_reason_unknown() => "they keep their locks and their snapshots; the server does not show since when";
    head_title(head: subject, waiting: count) => "{head} is at the head of the lock queue; sessions that wait: {waiting}";
    head_reason(depth: count) => "it waits for nobody; depth of the chain of waits: {depth}";
    cut_title(session: subject, waiting: count) => "{session} holds others up and waits itself; sessions that wait: {waiting}";
    cut_reason() => "the rows do not tell whom it waits for, so the head of the queue is behind it";
    no_blocker_title() => "nobody blocks the session now";
    no_blocker_reason() => "the server shows no session that it waits for";

    // ---- insights: statistics
    statistics_title(total: duration, calls: count) => "the server counted {total} in all; executions: {calls}";
    statistics_found_reason(mean: duration, max: duration, rows: count) =>
        "{mean} on average, {max} at most; rows returned or changed: {rows}";
    no_statistics_title() => "the server has no statistics of this statement";
    no_statistics_reason() => "they were reset, pushed out by other statements, or belong to another database";
    uneven_title(max: duration, mean: duration) => "the slowest execution took {max}, the usual one {mean}";
    uneven_reason() => "so far apart, the slow ones met something else: a lock, a cold cache, or values with many rows";
    outside_cache_title(share: ratio) => "{share} of the blocks it touched were not in shared buffers";
    outside_cache_reason(read: count, hit: count) => "blocks read: {read}, found in shared buffers: {hit}";
    writes_temp_title(blocks: count) => "temporary blocks that it wrote: {blocks}";
    writes_temp_reason(calls: count) => "its sorts or hashes do not fit into work_mem; executions: {calls}";

    // ---- insights: plans
    spill_title(bytes: bytes) => "a sort or hash wrote {bytes} to disk";
    spill_reason(node: subject) => "{node} did not fit into work_mem";
    temp_buffers_title(blocks: count) => "temporary blocks that the run moved: {blocks}";
    temp_buffers_reason(read: count, written: count) => "read: {read}, written: {written}";
    no_spill_title() => "nothing of the plan went to disk";
    no_spill_reason(nodes: count) => "no node read or wrote temporary blocks; nodes: {nodes}";
    scan_title(relation: subject, removed: count) => "a sequential scan of {relation} read {removed} rows for nothing";
    scan_reason(kept: ratio, runs: count) => "its filter keeps {kept} of what it reads; runs: {runs}";
    scan_reason_blind(kept: ratio, runs: count) =>
        "its filter keeps {kept} of what it reads; runs: {runs}; not looked at: which indexes the table has, how often it is written, how large it is";
    scan_estimate_title(relation: subject) => "a sequential scan of {relation} is expected to keep few rows";
    scan_estimate_reason(rows: count) =>
        "rows that the planner expects: {rows}, of a scan that costs far more; only a run shows how many it reads";
    scan_estimate_reason_blind(rows: count) =>
        "rows that the planner expects: {rows}, of a scan that costs far more; only a run shows how many it reads; not looked at: which indexes the table has, how often it is written, how large it is";
    index_there_title(relation: subject) => "an index on {relation} begins with the filter's columns already";
    index_there_reason(indexes: count) =>
        "another one would not be taken either: the planner's estimate may be off, or the filter keeps too much; indexes of the table: {indexes}";
    index_invalid_title(relation: subject) => "an index on the filter's columns of {relation} is there and invalid";
    index_invalid_reason() => "it failed to build: every write goes to it, and no statement reads it; it has to be dropped before another one is made";
    index_no_gain_title(relation: subject) => "an index on the filter's columns of {relation} would not help";
    index_no_gain_reason(before: count, after: count) =>
        "the planner was asked: its cost is {before} without, and {after} with a hypothetical one";
    index_writes_title(relation: subject) => "an index on the filter's columns of {relation} may cost more than it saves";
    index_writes_reason(written: count, scanned: count) =>
        "since the counters began, rows written to the table: {written}, rows read by whole scans: {scanned}; each of the former would be written to the index";
    index_small_title(relation: subject) => "{relation} is too small for an index on the filter's columns to save much";
    index_small_reason(size: bytes, read: bytes, scanned: count) =>
        "its size is {size}, and such scans of one execution read {read}: a matter of milliseconds, which counts only where the statement runs all the time; rows read by whole scans since the counters began: {scanned}";
    index_gain_title(relation: subject) => "with an index on the filter's columns of {relation} the planner expects less work";
    index_gain_reason(before: count, after: count, bytes: bytes, size: bytes) =>
        "the planner was asked: its cost is {before} without, and {after} with a hypothetical one, which would take about {bytes}; its build reads the table of {size}";
    index_gain_reason_unanalysed(before: count, after: count, bytes: bytes) =>
        "the planner was asked: its cost is {before} without, and {after} with a hypothetical one, which would take about {bytes}; the table was not analysed since it has rows, so its size is not known";
    index_facts_title(relation: subject) => "no index of {relation} begins with the filter's columns";
    index_facts_reason(distinct: count, rows: count, size: bytes, written: count, scanned: count) =>
        "distinct values of these columns: {distinct}, rows: {rows} in {size}, which the build of one reads; since the counters began, rows written: {written}, read by whole scans: {scanned}";
    index_facts_reason_unseen(rows: count, size: bytes, written: count, scanned: count) =>
        "how many values these columns have is not known: they were never analysed, or the role may not see it; rows: {rows} in {size}, which the build of one reads; since the counters began, rows written: {written}, read by whole scans: {scanned}";
    index_facts_reason_unanalysed(written: count, scanned: count) =>
        "the table was not analysed since it has rows, so its size is not known; since the counters began, rows written: {written}, read by whole scans: {scanned}";
    estimate_title(factor: count, node: subject) => "the planner was wrong by a factor of {factor} at {node}";
    estimate_reason(planned: count, actual: count) => "rows expected each time: {planned}, returned: {actual}";
    correlated_title(relation: subject, factor: count) => "rows of {relation} that match were {factor} times as many as the planner thought";
    correlated_reason(columns: count, planned: count, actual: count) =>
        "the condition has {columns} columns, which it takes for independent: {planned} expected each time, {actual} returned";
    old_figures_title(column: subject) => "the planner's figures of {column} are old";
    old_figures_reason(changed: count, rows: count) => "rows changed since the table was analysed: {changed}, of {rows}";
    never_analysed_reason() => "the server does not know of any ANALYZE of the table";
    coarse_title(column: subject) => "the planner's figures of {column} are new, and too coarse for what was looked for";
    coarse_reason(changed: count, rows: count) =>
        "rows changed since the table was analysed: {changed}, of {rows}; so another ANALYZE like the last one does not help";
    nested_title(node: subject, runs: count) => "the inner side of {node} ran {runs} times";
    nested_reason(share: ratio) => "{share} of the join's time passed there";
    nested_reason_unknown() => "one run for each row of the outer side";
    nested_estimate_title(node: subject, runs: count) => "the inner side of {node} is expected to run {runs} times";
    heap_title(relation: subject, fetches: count) => "an index-only scan visited {relation} {fetches} times";
    heap_reason() => "pages that changed since the last VACUUM are not known to be visible to all; VACUUM makes them so";
    plan_title() => "nothing in the plan stands out";
    plan_reason(nodes: count) => "no node scans for little, spills, or loops over many rows; nodes: {nodes}";

    // ---- outcomes that are no answer
    failed_reason() => "it shows nothing about the statement";
    unexpected_result() => "the result had not the columns that this runbook reads; a newer runbook may be needed";
}

//! All that the runbook can say.

pg_logstats_sdk::messages! {
    // ---- findings
    gave_way_title(table: subject, n: count) => "autovacuum gave way to locks on {table} {n} times";
    gave_way_reason(share: ratio, runs: count) =>
        "{share} of its attempts ended so; runs that came to their end: {runs}";
    skipped_title(table: subject, n: count) => "autovacuum did not begin on {table} {n} times, because the table was locked";
    skipped_reason(share: ratio, runs: count) => "{share} of its attempts were skipped; runs that came to their end: {runs}";
    late_title(share: ratio, table: subject) => "{share} of the rows of {table} were dead when autovacuum came";
    late_reason(removed: count, runs: count) => "one run removed {removed} dead rows; runs in the logs: {runs}";
    held_title(rows: count, table: subject) => "autovacuum had to leave {rows} dead rows in {table}";
    held_reason(runs: count) =>
        "an old transaction, a prepared one, a slot or a standby could still see them; runs in the logs: {runs}";
    long_title(table: subject, elapsed: duration) => "a run of autovacuum on {table} took {elapsed}";
    long_reason(runs: count, total: duration) => "runs in the logs: {runs}, {total} in all";
    long_passes_reason(passes: count) => "it went through each index {passes} times: its memory did not hold the dead rows at once";
    forced_title(table: subject, n: count) => "autovacuum of {table} was forced {n} times to prevent wraparound";
    forced_reason() => "its oldest transaction ids had passed autovacuum_freeze_max_age; a run that ends makes them young again";
    warned_title(n: count) => "the server warned {n} times that a database must be vacuumed";
    warned_reason() => "it warns when fewer than 40 million transaction ids are left, then stops handing them out";
    refused_title(n: count) => "the server refused statements {n} times to prevent wraparound";
    refused_reason() => "it hands out no transaction ids until the database that it names is vacuumed";
    nothing_title() => "autovacuum keeps up, as far as the logs tell";
    nothing_reason(tables: count) => "no table stands out, and the server did not warn of wraparound; entries about tables: {tables}";
    nothing_logged_title() => "the logs tell nothing of autovacuum";
    nothing_logged_reason() => "there is no entry of a run, and the server did not warn of wraparound";
    no_logs() => "no entry of the logs had a time, so there is nothing to judge";
    not_logged() => "runs of autovacuum are logged only when they last longer than log_autovacuum_min_duration, and never with -1";

    // ---- offers
    table_label(table: subject) => "look up the server's counters of {table}";
    table_reason() => "how many of its rows are dead now, and when it was last vacuumed";
    bloat_label(table: subject) => "estimate how much of {table} is empty";
    bloat_reason() => "what dead rows left behind is not given back to the system";
    settings_label() => "look at the settings of autovacuum";
    settings_reason() => "cost limit, memory and scale factor decide how soon it comes and how fast it is";
    most_dead_label() => "look for the tables with most dead rows";
    most_dead_reason() => "the logs tell of finished runs only, not of tables that wait for one";
    ages_label() => "look how far each database is from wraparound";
    ages_reason() => "the ages say how much time is left";
    oldest_tables_label() => "look for the tables with the oldest transaction ids";
    oldest_tables_reason() => "these have to be vacuumed first";
    xmin_label() => "look what keeps dead rows from being removed";
    xmin_reason() => "vacuum cannot remove what a session, slot, standby or prepared transaction may still see";
    prepared_label() => "look for prepared transactions";
    prepared_reason() => "they have no session and stay until someone ends them";
    slots_label() => "look at the replication slots";
    slots_reason() => "a slot that nobody uses keeps old rows for ever";
    progress_label() => "look at the vacuums that run now";
    progress_reason() => "how far they are, and whether their memory suffices";
    locks_label() => "take the locks runbook";
    locks_reason() => "the sessions that lock these tables are what keeps autovacuum from its work";
    replication_label() => "take the replication runbook";
    replication_reason() => "a slot or standby keeps old rows: whether it is still needed shows there";

    // ---- endings
    decide_wraparound_label() => "tell a person at once that wraparound is near";
    decide_wraparound_reason() => "only VACUUM of the oldest tables helps, after the oldest transactions, slots and prepared transactions are gone";
    decide_end_label(session: subject) => "let a person decide whether to end {session}";
    decide_end_reason() => "ending it rolls its work back and lets vacuum remove what is dead";
    decide_busy_label(session: subject) => "let a person decide what to do about {session}";
    decide_busy_reason() => "it is working, and what it has done would be lost; waiting may be right";
    decide_prepared_label() => "let a person commit or roll back the oldest prepared transaction";
    decide_prepared_reason() => "it has no session: only COMMIT PREPARED or ROLLBACK PREPARED ends it";
    decide_slot_label() => "let a person decide whether the first inactive slot is still needed";
    decide_slot_reason() => "dropping it lets vacuum go on, and whatever used it has to start anew";
    decide_setting_label() => "let a person decide on the setting";
    decide_setting_reason() => "it holds for the whole server, and vacuum takes what it gets from the statements";
    decide_table_label(table: subject) => "let a person decide on the vacuum of {table}";
    decide_table_reason() => "vacuum blocks neither reading nor writing, but it costs reads and writes of the disk";
    decide_disabled_label() => "let a person decide whether autovacuum may visit these tables";
    decide_disabled_reason() => "someone switched it off on purpose; without it the tables grow, and their transaction ids age";
    decide_off_label() => "let a person switch autovacuum and track_counts on";
    decide_off_reason() => "without them dead rows stay, and only the runs that prevent wraparound are made";
    decide_overdue_label() => "let a person look at the first table";
    decide_overdue_reason() => "it is far over its threshold: autovacuum is held back, kept out or too slow there";
    decide_rewrite_label(table: subject) => "let a person decide whether {table} is to be rewritten";
    decide_rewrite_reason() => "VACUUM FULL gives the room back and locks the table while it runs; vacuum only makes it usable again";

    // ---- insights
    memory_title(table: subject, passes: count) => "vacuum of {table} goes through its indexes {passes} times";
    memory_reason(rows: count, memory: bytes) => "{rows} dead rows in one run; with {memory} they fit at once, and one pass is enough";
    seldom_title(table: subject) => "autovacuum should come sooner to {table}";
    seldom_reason(share: ratio, rows: count) => "{share} of its rows were dead in one run, which had {rows} to remove";
    not_logged_title() => "autovacuum is not logged";
    not_logged_reason(window: duration) => "no run is logged in {window}; an entry for each run longer than some seconds costs nothing";
    not_logged_setting_reason() => "log_autovacuum_min_duration is off, so the logs cannot show what autovacuum does";
    off_title() => "autovacuum cannot work";
    off_reason() => "autovacuum or track_counts is off";
    throttled_title(share: ratio) => "the longest run went at {share} of the speed that the cost limit allows";
    throttled_reason(elapsed: duration, limit: count) => "it took {elapsed}, and spent most of it asleep; the limit is {limit}";
    usual_settings_title() => "the settings do not stand out";
    usual_settings_reason(n: count) => "autovacuum is on, and nothing in the logs shows that a setting is too small; settings: {n}";
    dead_title(share: ratio, table: subject) => "{share} of the rows of {table} are dead";
    dead_reason(dead: count, at: at) => "{dead} dead rows; autovacuum was last there {at}";
    dead_reason_never(dead: count) => "{dead} dead rows; autovacuum was never there since the counters were reset";
    dead_reason_held(dead: count, kept: count) => "{dead} dead rows; a run in the logs had to leave {kept}, so vacuum alone does not help";
    old_statistics_title(table: subject, share: ratio) => "rows of {table} that changed since it was analysed: {share}";
    old_statistics_reason(changed: count) => "{changed} changes; the planner works with figures from before them";
    clean_title(share: ratio, table: subject) => "{share} of the rows of {table} are dead";
    clean_reason(dead: count) => "dead rows: {dead}, which is not much";
    overdue_title(n: count, worst: ratio) => "tables with far more dead rows than autovacuum should let them have: {n}; the first has {worst} dead";
    overdue_reason(dead: count, threshold: count) => "the first has {dead} dead rows, and autovacuum comes from {threshold} on";
    disabled_title(n: count) => "tables with many dead rows that autovacuum does not visit: {n}";
    disabled_reason() => "autovacuum_enabled is off for them, or autovacuum is off";
    in_bounds_title() => "no table has far more dead rows than it may";
    in_bounds_reason(n: count) => "all are below twice the threshold from which autovacuum comes; tables: {n}";
    bloat_title(share: ratio, table: subject) => "{share} of {table} is empty, by estimate";
    bloated_reason(empty: bytes, size: bytes) => "{empty} of {size}, from the planner's figures";
    compact_reason(empty: bytes, size: bytes) => "{empty} of {size}: not enough to do anything about";
    near_title(age: count) => "the oldest transaction or multixact id is {age} old";
    near_reason(left: count, score: ratio) => "{left} are left until the server stops; of the way there beyond the age that forces autovacuum: {score}";
    far_title(age: count) => "wraparound is far: the oldest transaction or multixact id is {age} old";
    far_reason(left: count) => "{left} are left, and autovacuum freezes tables before that";
    oldest_table_title(age: count) => "the table with the oldest transaction ids is {age} transactions behind";
    oldest_table_reason(tables: count) => "twice what autovacuum allows by default is 400 million; tables beyond it: {tables}";
    idle_title(session: subject, age: count) => "{session} is idle in its transaction and keeps the rows of {age} transactions";
    idle_reason() => "vacuum cannot remove what died since it began, in any table";
    idle_reason_logged(table: subject, rows: count) =>
        "it began before autovacuum had to leave dead rows in {table}, up to {rows}; what died since then stays as long as it is open, in any table";
    busy_title(session: subject, age: count) => "{session} is working and keeps the rows of {age} transactions";
    busy_reason() => "vacuum cannot remove what died since it began; that ends with its transaction";
    hidden_session_title(age: count) => "a session keeps the rows of {age} transactions";
    hidden_session_reason() => "the server does not show which; its row is in the report";
    standby_title(session: subject, age: count) => "the standby behind {session} keeps the rows of {age} transactions";
    standby_reason() => "it has no transaction of its own here, so hot_standby_feedback asks for them";
    kept_reason_logged(table: subject, rows: count) =>
        "it was there when autovacuum had to leave dead rows in {table}, up to {rows}, and lets go of none until it ends";
    slot_title(age: count) => "a replication slot keeps the rows of {age} transactions";
    slot_reason(n: count) => "slots that keep old rows: {n}; it stays so until the slot moves on or is dropped";
    slot_inactive_reason(n: count) => "nobody uses it, so it will not move on; inactive slots that keep old rows: {n}";
    prepared_holds_title(age: count) => "a prepared transaction keeps the rows of {age} transactions";
    prepared_holds_reason() => "it has no session, so it ends only when someone commits or rolls it back";
    young_title() => "nothing keeps dead rows for long";
    young_reason(age: count) => "the oldest snapshot is {age} transactions old, so what vacuum leaves now it removes soon";
    prepared_old_title(n: count, age: duration) => "prepared transactions that are open for long: {n}; the oldest for {age}";
    prepared_old_reason() => "they keep their locks and old rows";
    prepared_none_title() => "no prepared transaction is open for long";
    prepared_none_reason(n: count) => "prepared transactions: {n}, all of the last minutes";
    slots_young_title() => "no slot keeps old rows";
    slots_young_reason(n: count) => "slots: {n}, none of which holds back more than a million transactions";
    running_title(n: count) => "vacuums that run now: {n}";
    running_reason(longest: duration) => "the longest has been running for {longest}";
    running_reason_unknown() => "the server does not show for how long";
    passes_title(session: subject, passes: count) => "the vacuum of {session} has gone through the indexes {passes} times";
    passes_title_unknown(passes: count) => "a vacuum has gone through the indexes {passes} times";
    passes_reason(memory: bytes) => "its memory holds {memory} of dead rows, and that was full each time";
    passes_reason_unknown() => "its memory does not hold the dead rows at once";
    sleeps_title(share: ratio) => "a vacuum slept {share} of its time";
    sleeps_reason(running: duration) => "it has been running for {running}; the cost limit makes it wait, not the disk";
    not_running_title() => "no vacuum runs now";
    not_running_reason() => "the server shows none, of autovacuum or of a session";

    // ---- outcomes that are no answer
    failed_reason() => "it shows nothing about vacuum";
    unexpected_result() => "the result had not the columns that this runbook reads; a newer runbook may be needed";
    held_elsewhere(n: count) => "sessions and prepared transactions of other databases, which keep old rows there and not here: {n}";
    hidden_rows(n: count) => "sessions that the role may not see, and that may keep old rows: {n}";
}

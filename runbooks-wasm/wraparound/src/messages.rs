//! All that the runbook can say. Names are in the rows beside it: it speaks of row numbers, counted from 1.

pg_logstats_sdk::messages! {
    // ---- nothing looked at yet
    not_looked_title() => "nothing was looked at yet";
    not_looked_reason() => "logs do not tell the ages of transaction ids; the actions below do";

    // ---- offers
    databases_label() => "look at the age of each database";
    databases_why() => "it shows how many transaction and multixact ids are left before the server takes no more writes";
    tables_label() => "look at the oldest tables of the database";
    tables_why() => "the age of a database is that of its oldest table";
    horizon_label() => "look at what holds old rows back";
    horizon_why() => "no vacuum can freeze what a transaction, slot or standby may still see";
    prepared_label() => "look at the prepared transactions that are open";
    prepared_why() => "they have no session, so nothing else shows them";
    sequences_label() => "look at the sequences that are near their end";
    sequences_why() => "a sequence at its end makes every insert that needs it fail";
    vacuums_label() => "look at the vacuums that are running";
    vacuums_why() => "it shows whether the old tables are being frozen already";
    settings_label() => "look at the settings of autovacuum";
    settings_why() => "they say whether it works, and how fast it may";
    replication_label() => "take the replication-lag runbook";
    replication_why() => "a slot keeps old rows for a standby or subscriber that does not come for them";
    autovacuum_label() => "take the autovacuum runbook";
    autovacuum_why() => "the logs tell which tables autovacuum did not get to, and why";
    locks_label() => "take the locks runbook";
    locks_why() => "sessions that keep a transaction open often hold locks as well";

    // ---- databases
    database_title(row: count, used: ratio) => "the database in row {row} has used {used} of its ids";
    database_late_title(row: count, late: ratio) =>
        "the oldest ids of the database in row {row} are at {late} of the age that forces autovacuum";
    database_xids(age: count, forced: count) =>
        "its oldest transaction id is {age} transactions old; autovacuum is forced at {forced}";
    database_multixacts(age: count, forced: count) =>
        "its oldest multixact id is {age} multixacts old; autovacuum is forced at {forced}";
    near_title(n: count) => "databases whose ids are not frozen in time: {n}";
    near_reason(used: ratio, left: count) => "the worst has used {used}; ids left before the server takes no more writes: {left}";
    databases_well_title(used: ratio) => "no database is near wraparound; the oldest has used {used} of its ids";
    databases_well_reason(age: count, forced: count) => "its age is {age}, and autovacuum is forced at {forced}";
    ask_connect_label() => "let a person look at the oldest database itself";
    ask_connect_reason() => "tables can be looked at, and vacuumed, only from inside the database that they are in";

    // ---- tables
    table_title(row: count, used: ratio) => "the table in row {row} holds ids that use up {used} of the limit";
    table_xids(age: count, forced: count, size: bytes) =>
        "its oldest transaction id is {age} transactions old; autovacuum is forced at {forced}; size of the table: {size}";
    table_multixacts(age: count, forced: count, size: bytes) =>
        "its oldest multixact id is {age} multixacts old; autovacuum is forced at {forced}; size of the table: {size}";
    freeze_title(n: count) => "tables that have to be frozen: {n}";
    freeze_reason(size: bytes) => "autovacuum did not freeze them in time; size in all: {size}";
    tables_well_title(used: ratio) => "no table of this database is too old; the oldest uses up {used} of the limit";
    tables_well_reason(age: count, forced: count) => "its age is {age}, and autovacuum is forced at {forced}";
    ask_freeze_label(n: count) => "let a person run VACUUM (FREEZE) on the oldest tables; how many: {n}";
    ask_freeze_reason(size: bytes) =>
        "each is read as a whole, {size} in all; it helps only once nothing holds the horizon back";
    kept_out_title(table: subject, blocked: count) => "autovacuum gave way at {table} or did not begin; how often: {blocked}";
    kept_out_reason(runs: count) => "the logs tell of fewer runs that came to their end: {runs}";

    // ---- what holds the horizon back
    session_title(session: subject, age: count) => "{session} keeps all rows of the last {age} transactions";
    unnamed_session_title(row: count, age: count) => "the session in row {row} keeps all rows of the last {age} transactions";
    slot_title(row: count, age: count) => "the slot in row {row} keeps rows of the last {age} transactions";
    prepared_holds_title(row: count, age: count) =>
        "the prepared transaction in row {row} keeps all rows of the last {age} transactions";
    unnamed_holder_title(row: count, age: count) => "row {row} keeps rows of the last {age} transactions";
    holder_reason() => "vacuum can neither remove nor freeze what is younger, whatever it is told";
    idle_session_reason() => "it is idle in its transaction, and keeps them until that ends";
    busy_session_reason() => "it works, or the server does not show what it does; it keeps them until its transaction ends, unless it is a VACUUM that waits for its table, which keeps none";
    decide_idle_label(session: subject) => "let a person decide whether to end {session}";
    decide_idle_reason() => "it does nothing; ending it rolls its work back and lets vacuum go on";
    decide_busy_label(session: subject) => "let a person decide how long {session} may go on";
    decide_busy_reason() => "what it has done would be lost, and until it ends vacuum cannot go on";
    slot_reason() => "the slot's standby or subscriber may still need them, or is gone for good";
    horizon_well_title(age: count) => "nothing holds old rows back for long; the oldest horizon is {age} transactions old";
    horizon_well_reason(rows: count) => "sessions, slots and prepared transactions that were looked at: {rows}";

    // ---- prepared transactions
    prepared_title(row: count, open: duration) => "the prepared transaction in row {row} has been open for {open}";
    prepared_title_unknown(row: count) => "the prepared transaction in row {row} is old";
    prepared_reason(age: count) => "it keeps its locks, and all rows of the last {age} transactions";
    prepared_reason_unknown() => "it keeps its locks, and every row that it could see";
    prepared_open_title(n: count) => "prepared transactions that seem to be forgotten: {n}";
    prepared_open_reason(open: duration, age: count) => "the longest is open for {open}; the oldest is {age} transactions old";
    decide_prepared_label(n: count) => "let a person commit or roll back the prepared transactions; how many: {n}";
    decide_prepared_reason() => "only their transaction manager knows which is right, and nothing but that ends them";
    prepared_well_title() => "no prepared transaction is open for long";
    prepared_well_reason(n: count, open: duration) => "open: {n}, the longest for {open}";

    // ---- sequences
    sequence_title(row: count, used: ratio) => "the sequence in row {row} is used up to {used}";
    named_sequence_title(sequence: subject, used: ratio) => "the sequence {sequence} is used up to {used}";
    sequence_reason(left: count) => "values left: {left}";
    sequence_reason_unknown() => "the server does not show how many values are left";
    sequences_end_title(n: count) => "sequences that are near their end: {n}";
    sequences_end_reason(used: ratio) => "the fullest is used up to {used}, and at its end inserts fail";
    ask_sequence_label(n: count) => "let a person make room for the sequences; how many: {n}";
    ask_sequence_reason() =>
        "a wider type of the column rewrites the table, and what refers to it has to follow, so it takes planning";
    sequences_well_title() => "no sequence is near its end";
    sequences_well_reason(n: count) => "sequences that were judged, the fullest first: {n}";
    sequences_unread(read: count, total: count) => "sequences that were read: {read} of {total}, those of the smallest range first";
    hidden_sequences(n: count) => "sequences that the role may not read: {n}";

    // ---- vacuums and settings
    running_title(n: count, own: count) => "vacuums that are running: {n}, of these by autovacuum: {own}";
    running_reason(longest: duration) => "the longest has been running for {longest}";
    running_reason_unknown() => "the server does not show since when";
    asleep_title(share: ratio) => "a vacuum has slept for {share} of its time";
    asleep_reason(slept: duration, running: duration) => "its cost limit made it sleep for {slept} of {running}";
    no_vacuum_title() => "no vacuum is running";
    no_vacuum_reason() => "that is as it should be when nothing is due, and not when tables are too old";
    off_title() => "autovacuum is off, or cannot see what changed";
    off_reason() => "autovacuum or track_counts is off, so tables are frozen only when wraparound forces it";
    ask_on_label() => "let a person turn autovacuum and track_counts on";
    ask_on_reason() => "both are on by default, and without them tables bloat and age until a forced vacuum comes";
    slowed_title(rate: ratio) => "autovacuum may work at {rate} of the server's default rate";
    slowed_reason(delay: duration, limit: count) => "it sleeps for {delay} after each cost of {limit}";
    ask_limit_label(limit: count) => "let a person decide on an autovacuum_vacuum_cost_limit of {limit}";
    ask_limit_reason() => "it makes autovacuum as fast as the defaults do, and the disks have to bear that";
    settings_well_title() => "the settings let autovacuum work";
    settings_well_reason() => "it is on, it sees what changed, and it is not slower than half the default rate";

    // ---- outcomes
    failed_reason() => "it shows nothing about ages";
    hidden_rows(rows: count) => "sessions that the server does not show to the role: {rows}";
}

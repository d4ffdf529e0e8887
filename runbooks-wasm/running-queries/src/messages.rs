//! All that the runbook can say beside what the blocking tree and counted connections say.

pg_logstats_sdk::messages! {
    // ---- offers
    counts_label() => "count the connections by who has them and what they do";
    counts_offer_reason() => "it shows how long the longest statement and transaction last, and how many wait or do nothing";
    longest_label() => "look at the sessions whose transactions are oldest";
    longest_offer_reason() => "what has been running, or open, for the longest, in all databases";
    xmin_label() => "look at what keeps vacuum from removing old rows";
    xmin_offer_reason() => "it names the sessions whose transactions are oldest";
    sessions_label(target: subject) => "look at the live sessions of the database, role and application of {target}";
    sessions_offer_reason() => "the logs tell of its statements: whether they run now, and what they wait for";
    session_offer_reason() => "what it does now, and since when";
    blocking_label(session: subject) => "look at who blocks the session {session}";
    blocking_offer_reason() => "the session waits for a lock: the one at the head of the queue has to move first";
    index_builds_label() => "look at index builds";
    rewrites_label() => "look at CLUSTER and VACUUM FULL";
    vacuums_label() => "look at vacuum";
    maintenance_offer_reason() => "such work lasts long by its nature: it is not to be taken for a statement that hangs";
    lock_tree_label_behind() => "look with the lock-tree runbook whether anyone waits for it";
    lock_tree_reason_behind() => "a long or forgotten transaction does harm where others wait for its locks";
    wraparound_label() => "take the wraparound runbook";
    wraparound_reason(age: count) => "the oldest transaction that vacuum has to respect is {age} transactions old: it shows how near the limit is";
    replication_label() => "take the replication-lag runbook";
    replication_reason() => "a slot keeps old rows for a consumer that is behind, or gone";

    // ---- counts
    states_title(n: count) => "client connections: {n}";
    states_reason(active: count, idle: count, in_transaction: count, waiting: count) =>
        "running: {active}, idle: {idle}, idle in a transaction: {in_transaction}; waiting for a lock: {waiting}";
    long_statement_title(longest: duration) => "a statement has been running for {longest}";
    long_statement_reason(active: count) => "it is the longest of those that run now; sessions that run a statement: {active}";
    long_transaction_title(longest: duration) => "a transaction has been open for {longest}";
    long_transaction_reason() => "it keeps its locks, and may keep vacuum from removing rows, until it ends";

    // ---- sessions
    found_title(n: count) => "sessions that match: {n}";
    found_reason(active: count, in_transaction: count) => "running: {active}; idle in a transaction: {in_transaction}";
    none_title() => "no session matches now";
    none_reason() => "those that there were have ended, or are idle between transactions";
    waits_title(n: count) => "sessions that run a statement: {n}";
    waits_reason(none: count, locks: count, files: count, client: count, other: count) =>
        "at work: {none}; waiting for locks: {locks}, for files: {files}, for their client: {client}, for others: {other}";
    session_long_title(session: subject, running: duration) => "the statement of {session} has been running for {running}";
    session_transaction_title(session: subject, open: duration) => "the transaction of {session} has been open for {open}";
    hidden_long_title(running: duration) => "the statement of a session has been running for {running}";
    session_long_reason_working() => "it waits for nothing, so it is at work";
    session_long_reason_files() => "it waits for files: what it needs is not in memory, or is being written";
    session_long_reason_client() => "it waits for its client, which does not take or send the rows";
    session_long_reason_other() => "it waits for something inside the server";
    session_idle_title(session: subject, idle: duration) => "{session} has been idle in its transaction for {idle}";
    hidden_idle_title(idle: duration) => "a session has been idle in its transaction for {idle}";
    session_idle_reason() => "it keeps its locks and its snapshot until its transaction ends";
    session_lock_title(session: subject, running: duration) => "{session} waits for a lock; its statement has been running for {running}";
    hidden_lock_title(running: duration) => "a session waits for a lock; its statement has been running for {running}";
    session_lock_reason() => "another session holds the lock, and has to end its transaction first";
    long_title(n: count) => "sessions whose statement has been running for minutes: {n}";
    long_reason(longest: duration) => "the longest for {longest}";

    runaway_title(session: subject, running: duration) => "{session} has been reading for {running}, far beyond what is usual here";
    runaway_reason(executions: count, longest: duration) =>
        "the longest of {executions} executions in the logs took {longest}; it only reads, so its end costs no more than its result";

    // ---- what a person decides
    decide_long_label(session: subject) => "let a person decide whether {session} should go on";
    decide_long_reason() => "it works, and what it has done would be lost; whether anyone waits for its result the server cannot tell";

    // ---- who holds others up
    holder_title(holder: subject, waiting: count) => "{holder} holds others up; sessions that wait: {waiting}";
    prepared_holder_title(waiting: count) => "a prepared transaction holds others up; sessions that wait: {waiting}";
    hidden_holder_title(waiting: count) => "a session that the server does not show holds others up; sessions that wait: {waiting}";
    holder_reason() => "it waits for nobody, so only the end of its transaction lets the others go on";
    circle_finding_title(waiting: count) => "a session waits in a circle of locks; sessions in it: {waiting}";
    circle_finding_reason() => "nobody is at the head; the server cancels one of them after deadlock_timeout";
    nobody_title() => "nobody holds the session up";
    nobody_reason() => "the server shows no session that it waits for";

    // ---- vacuum
    xmin_session_title(session: subject, age: count) => "{session} keeps vacuum from removing what {age} transactions left behind";
    xmin_hidden_title(age: count) => "a session that the server does not show keeps vacuum from removing what {age} transactions left behind";
    xmin_slot_title(age: count) => "a replication slot keeps vacuum from removing what {age} transactions left behind";
    xmin_prepared_title(age: count) => "a prepared transaction keeps vacuum from removing what {age} transactions left behind";
    xmin_idle_reason() => "it is idle in its transaction, and its snapshot is as old as its statement or transaction";
    xmin_active_reason() => "it runs a statement, whose snapshot is as old as its statement or transaction";
    xmin_other_reason() => "rows that were deleted or changed since stay in all tables of its database until it ends";
    xmin_held_title(n: count) => "what holds back vacuum: {n}";
    xmin_held_reason(oldest: count) => "the oldest is {oldest} transactions old";
    xmin_held_reason_unknown() => "the server does not show how old they are";
    xmin_next_reason(next: count) => "it is the oldest and does nothing; without it vacuum would be held back by what is {next} transactions old";
    xmin_only_reason() => "it does nothing, and nothing else holds back vacuum";
    xmin_elsewhere(n: count) => "sessions and prepared transactions of other databases, which hold back vacuum there and not here: {n}";
    xmin_free_title() => "nothing holds back vacuum";
    xmin_free_reason() => "no session, slot or prepared transaction has a snapshot or transaction id";
    session_holds_vacuum_title(session: subject) => "{session} is idle in its transaction and holds back vacuum";
    decide_xmin_label(session: subject) => "let a person decide whether to end {session}";
    decide_xmin_reason() => "it does nothing, and ending it rolls its work back and lets vacuum remove old rows";
    decide_xmin_hidden_label() => "let a person look at the session that holds back vacuum";
    decide_xmin_hidden_reason() => "the server does not show enough of it to go on from here";

    // ---- maintenance
    maintenance_title(n: count) => "sessions at such work: {n}";
    maintenance_reason(longest: duration) => "the longest has been running for {longest}; it makes progress that the rows show";
    maintenance_reason_unknown() => "the server does not show since when";
    no_maintenance_title() => "no such work is going on";
    no_maintenance_reason() => "the server shows no session at it";
}

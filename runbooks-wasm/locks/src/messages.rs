//! All that the runbook can say.

pg_logstats_sdk::messages! {
    // ---- lock waits
    holder_title(holder: subject, waits: count, total: duration) => "{holder} held up others in {waits} waits, {total} in all";
    unknown_holder_title(waits: count, total: duration) =>
        "the log does not name who held the lock; waits: {waits}, {total} in all";
    wait_title_unknown(waiter: subject, waited: duration) =>
        "{waiter} waited {waited} for a lock whose holder the log does not name";
    longest_on_relation(waiter: subject, waited: duration, mode: lock_mode, relation: subject) =>
        "the longest: {waiter} waited {waited} for {mode} on {relation}";
    longest_on_row(waiter: subject, waited: duration, mode: lock_mode, relation: subject) =>
        "the longest: {waiter} waited {waited} for {mode} on a row of {relation}";
    longest_on_transaction(waiter: subject, waited: duration, mode: lock_mode) =>
        "the longest: {waiter} waited {waited} for {mode} on a transaction, so for a row that it has changed";
    longest_on_other(waiter: subject, waited: duration, mode: lock_mode) =>
        "the longest: {waiter} waited {waited} for {mode} on something that is no table";
    wait_title(waiter: subject, waited: duration, holder: subject) => "{waiter} waited {waited} for {holder}";
    wait_on_relation(mode: lock_mode, relation: subject, queue: count) =>
        "it wanted {mode} on {relation}; length of the queue: {queue}";
    wait_on_row(mode: lock_mode, relation: subject, queue: count) =>
        "it wanted {mode} on a row of {relation}; length of the queue: {queue}";
    wait_on_transaction(mode: lock_mode, queue: count) =>
        "it wanted {mode} on a transaction, so for a row that it has changed; length of the queue: {queue}";
    wait_on_other(mode: lock_mode, queue: count) =>
        "it wanted {mode} on something that is no table; length of the queue: {queue}";

    // ---- deadlocks
    deadlock_title(sessions: count, victim: subject) => "{sessions} sessions deadlocked and the server cancelled {victim}";
    deadlocks_title(n: count, victim: subject) => "{n} deadlocks of the same statements; the server last cancelled {victim}";
    deadlock_of_two(first: subject, mode: lock_mode, second: subject, other: lock_mode) =>
        "{first} waited for {mode} that {second} held, which waited for {other} that the first held";
    deadlock_of_many(waits: count) => "length of the circle of waits: {waits}";
    deadlock_unknown() => "the log does not tell who waited for whom";

    // ---- other findings
    live_title(session: subject) => "{session} was seen on the server earlier in this incident";
    live_reason() => "its lock waits can be looked up";
    nothing_title() => "no lock waits and no deadlocks";
    nothing_reason() => "the logs tell of none, and no live session is known";
    no_lock_waits_logged() =>
        "lock waits are logged only with log_lock_waits on, and only when they last longer than deadlock_timeout";
    no_logs() => "no entry of the logs had a time, so there is nothing to judge";

    // ---- offers
    blocking_label(session: subject) => "look at who blocks the session {session}";
    blocking_reason(waited: duration) => "it waited {waited} for a lock; the tree shows who holds it up now";
    blocking_reason_live() => "the tree shows who holds it up now, if anyone does";
    blocking_reason_behind(holder: subject) => "it waited for {holder}; the tree shows whether it still does";
    session_reason_live() => "what it does now, and since when";
    family_label(target: subject) => "look at the live sessions of the database, role and application of {target}";
    family_reason() => "whether statements of the same kind wait now";
    families_label() => "take the query-families runbook";
    families_reason() => "statements that run for long hold their locks for long";

    // ---- endings
    stop_reason_nothing() => "the evidence shows no lock problem";
    stop_reason_over() => "nobody waits for a lock any more";
    order_label(deadlock: subject) => "have the statements of {deadlock} take their locks in one order";
    order_reason() =>
        "transactions that lock the same rows or tables in the same order cannot deadlock; until then the loser has to be retried";

    // ---- insights
    nobody_title() => "nobody holds the session up any more";
    nobody_reason() => "the server shows no session that it waits for: the wait of the log is over";
    nobody_waits_title() => "none of the sessions waits for a lock";
    nobody_waits_reason(n: count) => "no session has a wait of type Lock; sessions that the server shows: {n}";
    transaction_wait_title(n: count) => "sessions that wait for another transaction to end: {n}";
    transaction_wait_reason(longest: duration) =>
        "they want rows that an open transaction has changed; the longest statement has been running for {longest}";
    transaction_wait_reason_unknown() => "they want rows that an open transaction has changed";
    lock_wait_title(n: count) => "sessions that wait for a lock: {n}";
    lock_wait_reason(longest: duration) => "their wait is of type Lock; the longest statement has been running for {longest}";
    lock_wait_reason_unknown() => "their wait is of type Lock";
    idle_title(n: count) => "sessions that are idle in a transaction: {n}";
    idle_reason(longest: duration) => "the longest has done nothing for {longest}, and keeps its locks";
    idle_reason_held(longest: duration) =>
        "it held others up in the log, has done nothing for {longest}, and keeps its locks";
    idle_reason_unknown() => "they keep their locks; the server does not show since when";
    match_title(session: subject) => "the session is there: {session}";
    match_reason() => "the server shows it";
    matches_title(n: count) => "sessions that match: {n}";
    matches_reason(active: count) => "sessions that run a statement: {active}";
    active_title(n: count) => "sessions that run a statement now: {n}";
    active_reason(longest: duration) => "the longest statement has been running for {longest}";
    active_reason_unknown() => "the server does not show for how long";
    gone_title() => "no session matches now";
    gone_reason() => "the session has ended, or is idle between transactions, so it holds no lock";

    // ---- outcomes that are no answer
    failed_reason() => "it shows nothing about the locks";
}

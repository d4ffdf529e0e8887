//! All that the runbook can say beside what the tree says.

pg_logstats_sdk::messages! {
    // ---- findings
    holder_title(holder: subject, n: count) => "{holder} holds others up; sessions that wait behind it: {n}";
    prepared_holder_title(n: count) => "a prepared transaction holds others up; sessions that wait behind it: {n}";
    hidden_holder_title(n: count) => "a session that the server does not show holds others up; sessions that wait behind it: {n}";
    waited_reason(total: duration, longest: duration) => "they have waited {total} in all, the longest of them {longest}";
    waited_reason_unknown() => "the server does not show for how long they have waited";
    circle_title(n: count) => "sessions wait for each other in a circle; sessions in it: {n}";
    strong_title(waiter: subject, mode: lock_mode, n: count) =>
        "{waiter} waits for {mode} and others stand behind it; sessions that wait for nothing but its turn: {n}";
    strong_hidden_title(mode: lock_mode, n: count) =>
        "a session waits for {mode} and others stand behind it; sessions that wait for nothing but its turn: {n}";
    strong_reason(held: lock_mode, total: duration) =>
        "what is held is {held}, which none of them conflicts with; they have waited {total} in all";
    prepared_open_title(n: count) => "prepared transactions that are open: {n}";
    prepared_open_reason(oldest: duration) => "the oldest was prepared {oldest} ago, and has no session to end it";
    prepared_open_reason_unknown() => "the server does not show since when";

    // ---- offers
    tree_label() => "look at who blocks whom";
    tree_reason() => "it shows every session that waits for a lock and those it waits for";
    prepared_label() => "look at the prepared transactions that are open";
    prepared_offer_reason() => "they hold locks without any session, so nobody ends them by leaving";
    settings_label() => "look at the settings for locks and waiting";
    settings_reason() => "they say what ends a wait or a forgotten transaction, and what is logged of it";
    locks_label() => "take the locks runbook";
    locks_reason() => "the logs tell of lock waits: it judges those";
    queries_label() => "take the running-queries runbook";
    queries_reason() => "a head of a queue is working: it shows what runs for long and what it waits for";

    // ---- what a person decides
    decide_strong_label(waiter: subject) => "let a person decide whether to end {waiter} for now";
    decide_strong_reason() =>
        "the others go on at once; its transaction is rolled back, and with a short lock_timeout it can try again without a queue";
    decide_line_reason(n: count) =>
        "it is the first in line, and others behind it want as much: {n}; the rest go on only when none of these is left";
    decide_strong_hidden_label() => "let a person look at the session that waits for the strong lock";
    decide_strong_hidden_reason() => "the server does not show which it is; without it the others could go on";
    decide_circle_label() => "let a person look whether the circle stays";
    decide_circle_reason() => "the server breaks it after deadlock_timeout; a circle that stays is not one of locks alone";

    // ---- insights
    nobody_title() => "nobody waits for a lock";
    nobody_reason() => "the server shows no session that waits for another";
    kinds_title(n: count) => "sessions that wait for locks: {n}";
    kinds_reason(rows: count, tables: count, advisory: count, other: count) =>
        "for rows: {rows}; for tables: {tables}; for advisory locks, which applications take by themselves: {advisory}; for others: {other}";
    none_prepared_title() => "no prepared transaction is open";
    none_prepared_reason() => "so none holds a lock";
    not_logged_title() => "lock waits are not logged";
    not_logged_reason() => "log_lock_waits is off, so the logs will not show these waits when they are over";
    no_idle_limit_title() => "nothing ends a session that is idle in its transaction";
    no_idle_limit_reason() => "idle_in_transaction_session_timeout is 0, so a forgotten transaction keeps its locks for ever";
    no_lock_timeout_title() => "nothing ends a wait for a lock";
    no_lock_timeout_reason() => "lock_timeout is 0; statements that take strong locks should set it for themselves, in their session";
    session_title(session: subject) => "the session is there: {session}";
    session_hidden_title() => "the session is there";
    session_active_reason(running: duration) => "its statement has been running for {running}";
    session_idle_reason(idle: duration) => "it has been idle in its transaction for {idle}";
    session_other_reason() => "it runs nothing and has no transaction open, or the server does not show what it does";
    gone_title() => "the session is gone";
    gone_reason() => "so it holds no lock any more";

    // ---- limitations
    tree_is_cut(sessions: count) => "the server was asked about the {sessions} sessions that wait longest at most";
}

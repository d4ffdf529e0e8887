//! All that can be said about a blocking tree.

pg_logstats_sdk::messages! {
    // ---- offers
    session_label(session: subject) => "look at the session {session}";
    session_reason_holder() => "it held others up: what it does now, and since when";

    // ---- what a person decides
    decide_end_label(session: subject) => "let a person decide whether to end {session}";
    decide_end_reason(idle: duration) =>
        "it has been idle in its transaction for {idle}; ending it rolls its work back and lets the others go on";
    decide_end_reason_unknown() =>
        "it is idle in its transaction; ending it rolls its work back and lets the others go on";
    decide_wait_label(session: subject) => "let a person decide what to do about {session}";
    decide_wait_reason() => "it is working, and what it has done would be lost; waiting may be right";
    decide_prepared_label() => "let a person commit or roll back the prepared transaction";
    decide_prepared_reason() => "it has no session: only COMMIT PREPARED or ROLLBACK PREPARED releases its locks";
    decide_hidden_label() => "let a person look at the session at the head of the queue";
    decide_hidden_reason() => "the server does not show enough of it to go on from here";

    // ---- insights
    head_title(head: subject, waiting: count) => "{head} is at the head of the lock queue; sessions that wait: {waiting}";
    head_reason() => "others wait for it, directly or behind one another, and it waits for nobody";
    cut_title(session: subject, waiting: count) => "{session} holds others up and waits itself; sessions that wait: {waiting}";
    cut_reason() => "the rows do not tell whom it waits for, so the head of the queue is behind it";
    idle_holder_reason_unknown() =>
        "it keeps its locks until its transaction ends; the server does not show since when it does nothing";
    idle_holder_title(head: subject) => "{head} holds others up and is idle in its transaction";
    idle_holder_reason(idle: duration) => "it has done nothing for {idle}, and keeps its locks until its transaction ends";
    active_holder_title(head: subject) => "{head} holds others up and is working";
    active_holder_reason(running: duration) => "its statement has been running for {running}";
    active_holder_reason_unknown() => "the server does not show for how long";
    prepared_title(waiting: count) => "a prepared transaction holds others up; sessions that wait: {waiting}";
    prepared_reason() => "it has no session, so it ends only when someone commits or rolls it back";
    chain_title(depth: count) => "the chain of waits is {depth} deep";
    chain_reason(waiting: count) => "only the end of the head's transaction lets the others go on; sessions that wait: {waiting}";
    cycle_title(waiting: count) => "sessions that wait for each other in a circle: {waiting}";
    cycle_reason() => "the server ends it after deadlock_timeout by cancelling one of them";
}

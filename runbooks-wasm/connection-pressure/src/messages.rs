//! All that the runbook can say beside what counted connections say.

pg_logstats_sdk::messages! {
    // ---- offers
    counts_label() => "count the connections by who has them and what they do";
    counts_reason() => "it shows how much of max_connections is used, and whether the connections do anything";
    settings_label() => "look at the settings for connections";
    settings_reason() => "slots that are reserved cannot be used by others, and time-outs say what ends an idle session";
    sessions_label(target: subject) => "look at the live sessions of the database, role and application of {target}";
    sessions_reason() => "the logs tell most of its connections: whether they do anything now";
    connections_label() => "take the connections runbook";
    connections_reason() => "the logs tell of connections: it judges those";
    queries_label() => "take the running-queries runbook";
    queries_reason() => "it shows which sessions keep a transaction open, and what runs for long";

    // ---- counts
    share_title(share: ratio) => "{share} of max_connections is used";
    share_reason(n: count, max: count, active: count, idle: count, in_transaction: count) =>
        "connections: {n} of {max}; running: {active}, idle: {idle}, idle in a transaction: {in_transaction}";
    counted_title(n: count) => "client connections: {n}";
    counted_reason(active: count, idle: count, in_transaction: count) =>
        "running: {active}, idle: {idle}, idle in a transaction: {in_transaction}";
    limit_unknown() => "the outcome does not tell max_connections, so the share that is used is unknown";
    idle_title(share: ratio) => "{share} of the connections are idle between transactions";
    idle_reason(n: count, active: count) =>
        "idle: {n}, running: {active}; a pool of about the running ones would serve the same work";
    role_title(share: ratio) => "one role has {share} of the connections";
    role_reason(n: count, roles: count) => "connections of it: {n}; roles that have connections: {roles}; the rows name it";
    no_connections_title() => "no client is connected";
    no_connections_reason() => "the server counts no connection but ours";

    // ---- what a person decides
    decide_limit_label() => "let a person free connections before the limit is reached";
    decide_limit_reason() =>
        "at the limit new clients are refused; ending idle ones, or a smaller pool in the application, helps at once, and more connections need a restart";
    decide_pool_label() => "let a person put a pooler before the server, or make the pools smaller";
    decide_pool_reason(idle: count) => "connections that do nothing now: {idle}; each holds a slot and memory of its own";
    decide_idle_label() => "let a person find out why the application leaves transactions open";
    decide_idle_reason() => "a client that waits for something else before it commits keeps locks and rows for that long";

    // ---- settings
    reserved_title(reserved: count, max: count) => "slots that are reserved: {reserved} of {max}";
    reserved_reason(superuser: count, roles: count) =>
        "for superusers: {superuser}; for roles of pg_use_reserved_connections: {roles}; all others are refused before";
    reserved_many_reason(share: ratio) => "{share} of all slots is more than administration needs: others are refused that early";
    restart_title(n: count) => "settings that take effect with a restart only: {n}";
    restart_reason() => "they were changed in a file, and the server still runs with the old values";
    no_idle_limit_title() => "nothing ends a session that is idle in its transaction";
    no_idle_limit_reason() => "idle_in_transaction_session_timeout is 0, so a forgotten transaction lasts as long as its connection";

    // ---- sessions
    found_title(n: count) => "sessions that match: {n}";
    found_reason(active: count, in_transaction: count) => "running: {active}; idle in a transaction: {in_transaction}";
    none_title() => "no session matches now";
    none_reason() => "those that there were have ended, or are idle between transactions";
    old_idle_title(n: count) => "sessions that match and are idle in a transaction: {n}";
    old_idle_reason(longest: duration) => "the longest has done nothing for {longest}, and keeps its slot, its locks and its snapshot";
}

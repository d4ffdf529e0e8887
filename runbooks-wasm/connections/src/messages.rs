//! All that the runbook can say, besides what comes with `pg_logstats_runbook_statements`.

pg_logstats_sdk::messages! {
    // ---- refused
    refused_title(n: count) => "connections that were refused because none was left: {n}";
    refused_reason(span: duration) =>
        "max_connections, or the part of it that ordinary roles may use, was reached; from the first refusal to the last: {span}";
    refused_reason_unknown() => "max_connections, or the part of it that ordinary roles may use, was reached";
    role_limit_title(group: subject, n: count) => "{group} was refused connections by the limit of its role: {n}";
    database_limit_title(group: subject, n: count) => "{group} was refused connections by the limit of its database: {n}";
    own_limit_reason() => "a limit that somebody set (CONNECTION LIMIT); others are not affected";

    // ---- storms
    storm_title(n: count, rate: rate) => "{n} connections were opened at {rate}";
    storm_client_title(client: subject, n: count, rate: rate) => "{client} opened {n} connections at {rate}";
    storm_reason() => "each costs a process, a login and a cold cache; a pool keeps connections and opens few";
    short_title(n: count, group: subject, mean: duration) => "{n} sessions of {group} lasted {mean} on average";
    short_reason(rate: rate) => "so short and at {rate}, the server spends its time on connecting: there is no pool, or it keeps nothing";

    // ---- logins
    rejected_title(group: subject, n: count) => "logins of {group} that the server rejected: {n}";
    rejected_many_title(n: count, groups: count) => "logins that the server rejected: {n}, of {groups} different groups";
    rejected_total_title(n: count) => "logins that the server rejected: {n}";
    rejected_many_reason() => "so many different ones, and none with most of them, look like somebody who tries names and passwords";
    rejected_reason(rate: rate) => "at {rate}; so many of one login are rather a program with a wrong password than a person";
    rejected_reason_unknown() => "a wrong password, a role that is not there, or a rule of pg_hba.conf";

    // ---- lost, and handshakes
    lost_title(n: count, transactions: count) => "connections whose client went away: {n}, with a transaction open: {transactions}";
    lost_reason(share: ratio) => "{share} of the sessions in the log; a client that crashes, is killed or timed out, or a network that drops it";
    lost_reason_unknown() => "a client that crashes, is killed or timed out, or a network that drops it";
    ssl_title(n: count) => "TLS handshakes that failed: {n}";
    ssl_reason() => "a certificate that the other side does not take, or versions that do not fit";
    protocol_title(n: count) => "connections that did not speak the protocol: {n}";
    protocol_reason() => "a client of another version, or a scanner";
    startup_title(n: count) => "connections that ended before they had begun: {n}";
    startup_reason() => "often a load balancer that only looks whether the port is open";
    unknown_database_title(n: count) => "logins to a database that is not there: {n}";
    unknown_database_reason() => "a client with an old or wrong name of the database";

    // ---- nothing
    nothing_title() => "no trouble with connections";
    nothing_reason(connections: count) => "nobody was refused, rejected or lost in numbers that matter; connections in the log: {connections}";
    not_logged() => "the logs tell of no connection: log_connections is off, so storms cannot be seen";
    ends_not_logged() => "the logs tell of no end of a session: with log_disconnections off, short sessions cannot be seen";
    not_logged_title() => "connections are refused, and the log does not tell who connects";
    not_logged_reason(n: count) => "refusals: {n}, connections in the log: none; with log_connections on, the next time shows where they come from";

    // ---- offers
    counts_label() => "count the connections by database, role, application and state";
    counts_reason() => "who holds the connections now, and whether they do anything";
    settings_label() => "look at the limits and time-outs of connections";
    settings_reason() => "how many there may be, and whether anything ends those that do nothing";
    group_sessions_label(group: subject) => "look at the live sessions of {group}";
    group_sessions_reason() => "what they do now, and whether they keep transactions open";
    locks_reason() => "sessions that wait for a lock keep their connections";
    families_label() => "take the query-families runbook";
    families_reason() => "connections run out when statements take long: fewer are free for the same work";

    // ---- a person's decisions
    pooler_label() => "let a person decide on a connection pooler";
    pooler_reason() => "a pool in front of the server, or in the application, serves many clients with few connections; a higher max_connections needs a restart and memory";
    limit_label() => "let a person decide on the limit of the role or database";
    limit_reason() => "the limit was set on purpose; the client may have a pool that is too large, or one that leaks";
    password_label() => "let a person look at the credentials of the login that is rejected";
    password_reason() => "a password that was changed and not everywhere; the client goes on trying, and accounts may be locked elsewhere";
    guessing_label() => "let a person see who may reach the server, and who tries";
    guessing_reason() => "the report has the addresses; pg_hba.conf and the firewall decide who may try";
    network_label() => "let a person look at the clients that go away, and at the network between";
    network_reason() => "the server only sees the end: time-outs of pools, load balancers and firewalls are set elsewhere";
    end_label(session: subject) => "let a person decide whether to end {session}";
    end_reason(idle: duration) => "idle in its transaction for {idle} while connections ran out; ending it rolls its work back";

    // ---- endings
    stop_reason_nothing() => "the evidence shows no trouble with connections";

    // ---- insights: counts
    near_limit_title(share: ratio, used: count, limit: count) => "{share} of the connections are taken: {used} of {limit}";
    near_limit_reason(active: count, idle: count, in_transaction: count) =>
        "active: {active}, idle: {idle}, idle in a transaction: {in_transaction}";
    within_limit_title(share: ratio, used: count, limit: count) => "there is room: {share} of the connections are taken, {used} of {limit}";
    mostly_idle_title(share: ratio, idle: count) => "{share} of the connections do nothing: {idle}";
    mostly_idle_reason() => "pools keep more open than is ever used at once; a pooler in front would need far fewer";
    open_tx_title(n: count) => "sessions that are idle in a transaction: {n}";
    open_tx_reason(longest: duration) =>
        "the longest has done nothing for {longest}; it keeps its connection, its locks and its snapshot, and no time-out ended it";
    open_tx_short_reason(longest: duration) => "the longest has done nothing for {longest}; short pauses are usual";
    open_tx_unknown_reason() => "the server does not show since when";
    most_title(share: ratio, n: count) => "one database, role and application has {share} of the connections: {n}";
    most_reason() => "the rows beside this show which; what it does decides whether there is room for others";
    lock_waiters_title(n: count) => "sessions that wait for a lock: {n}";
    lock_waiters_reason(active: count) => "active sessions: {active}; those that wait keep their connections until the lock is free";
    no_max() => "the rows do not tell max_connections, so there is nothing to compare with";
    no_rows_title() => "no client is connected";
    no_rows_reason() => "the server shows no connection besides ours";

    // ---- insights: settings
    settings_title(max: count, reserved: count) => "connections that are allowed: {max}, of them reserved: {reserved}";
    settings_found_reason() => "ordinary roles may use what is not reserved";
    high_title(max: count) => "max_connections is {max}";
    high_reason() => "so many at once are slower than fewer that take turns: snapshots, locks and memory grow with each";
    pending_title() => "a changed setting waits for a restart";
    pending_reason(n: count) => "settings of connections that the file has and the server not yet: {n}";
    no_timeout_title() => "nothing ends a transaction that does nothing";
    no_timeout_reason() => "idle_in_transaction_session_timeout is 0; whether that matters, the sessions show";

    // ---- insights: sessions
    idle_holder_title(session: subject) => "{session} does nothing in its transaction and keeps a connection";
    idle_holder_reason(idle: duration, refused: count) => "idle for {idle}; connections that were refused in the logs: {refused}";

    // ---- outcomes that are no answer
    failed() => "it shows nothing about the connections";
}

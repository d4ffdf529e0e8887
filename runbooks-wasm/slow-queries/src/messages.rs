//! All that the runbook can say, besides what `pg_logstats_runbook_statements` says.

pg_logstats_sdk::messages! {
    // ---- against a baseline
    slower_title(family: subject, p95: duration, before: duration) =>
        "{family} got slower: {p95} at the 95th percentile, {before} in the baseline";
    absent_title(family: subject, share: ratio) =>
        "{family} is not in the baseline and took {share} of all statement time";
    contribution_title(family: subject, share: ratio, before: ratio) =>
        "{family} took {share} of all statement time, {before} in the baseline";
    worse_reason(executions: count, mean: duration, before: count, mean_before: duration, excess: duration) =>
        "executions: {executions} of {mean} on average, in the baseline {before} of {mean_before}; excess time: {excess}";
    nothing_worse_title() => "nothing got worse since the baseline";
    nothing_worse_reason(common: count, executions: count) =>
        "query families that both have: {common}; executions in the baseline: {executions}";
    rare_left_out(families: count, share: ratio) =>
        "query families that ran too seldom to be compared: {families}; they took {share} of all statement time";

    // ---- without one
    slowest_title(family: subject, p95: duration, max: duration) =>
        "{family} took {p95} at the 95th percentile, {max} at most";
    no_statement_title() => "no statement took time";
    no_statement_reason(executions: count) => "executions in the evidence that were timed: {executions}";
    no_baseline() =>
        "no baseline was given, so nothing is known to be slower than before: name logs of a better time with --baseline";

    // ---- offers
    locks_reason(waits: count, longest: duration) =>
        "statements of these findings waited for locks; waits and deadlocks in the logs: {waits}, the longest wait of {longest}";
    families_label() => "take the query-families runbook";
    families_reason() => "it ranks all statements by the time they took, and shows errors and temporary files";
    stop_reason_nothing() => "the evidence shows nothing that got worse";
}

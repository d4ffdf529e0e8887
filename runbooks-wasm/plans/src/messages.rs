//! All that the runbook can say, besides what `pg_logstats_runbook_statements` says.

pg_logstats_sdk::messages! {
    // ---- findings
    fault_scan_title(family: subject, removed: count, relation: subject) => "{family} read {removed} rows of {relation} for nothing";
    fault_scan_title_unknown(family: subject, removed: count) => "{family} read {removed} rows of a table for nothing";
    fault_scan_reason(kept: ratio, slowest: duration, plans: count) =>
        "the filter of a sequential scan kept {kept} in the slowest execution, which took {slowest}; plans in the logs: {plans}";
    fault_estimate_title(factor: count, family: subject) => "the planner was wrong by a factor of {factor} for {family}";
    fault_estimate_reason(planned: count, actual: count, slowest: duration, plans: count) =>
        "rows expected each time: {planned}, returned: {actual}; the slowest execution took {slowest}; plans in the logs: {plans}";
    fault_spill_title(family: subject, bytes: bytes) => "{family} wrote {bytes} of a sort or hash to disk";
    fault_spill_title_blocks(family: subject, blocks: count) => "{family} wrote {blocks} temporary blocks";
    fault_spill_reason(slowest: duration, plans: count) =>
        "it did not fit into work_mem; the slowest execution took {slowest}; plans in the logs: {plans}";
    fault_nested_title(family: subject, runs: count) => "{family} ran the inner side of a nested loop {runs} times";
    fault_nested_reason(slowest: duration, plans: count) =>
        "once for each row of the outer side; the slowest execution took {slowest}; plans in the logs: {plans}";
    nothing_title() => "no logged plan has a fault";
    nothing_reason(plans: count) =>
        "none scans for few rows, is far from its estimates, spills, or loops over many rows; families with plans: {plans}";
    nothing_logged_title() => "the logs have no plans";
    nothing_logged_reason() => "there is nothing of auto_explain in them";
    no_plans() => "plans are logged only by auto_explain, for statements that take longer than auto_explain.log_min_duration";
    no_actual() => "some plans have estimates only: auto_explain.log_analyze adds what happened, and costs time in each statement";
    not_kept(n: count) => "families whose slowest plan could not be read or was not kept: {n}";

    // ---- offers
    table_label(relation: subject) => "look up the server's counters of {relation}";
    table_reason() => "how it is read, and how old the planner's figures are";
    indexes_label(relation: subject) => "look at the indexes of {relation}";
    indexes_reason() => "whether one fits the filter, and is valid and used";
    columns_label(relation: subject) => "look what the planner knows of the columns of {relation}";
    columns_reason() => "a wrong estimate begins with wrong or missing figures";
    families_label() => "take the query-families runbook";
    families_reason() => "without plans in the logs, it shows which statements to ask the server for";

    // ---- endings
    stop_reason_nothing() => "the plans in the logs have no fault that shows";
    decide_invalid_label() => "let a person rebuild or drop the indexes that are not valid";
    decide_invalid_reason() => "each write has to keep them up, and no query uses them";

    // ---- insights
    logged_spill_title(family: subject, bytes: bytes) => "the slowest plan of {family} wrote {bytes} to disk";
    logged_spill_reason(memory: bytes) => "in memory the same rows take about twice as much: {memory} holds them";
    old_title(share: ratio, relation: subject) => "{share} of the rows of {relation} changed since it was analysed";
    old_reason(changed: count) => "{changed} changes; the planner works with figures from before them";
    whole_title(relation: subject, scans: count) => "{relation} was read as a whole {scans} times";
    whole_reason(rows: count, index: count) => "rows read in one such scan: {rows}; scans by index: {index}";
    table_title(relation: subject) => "how {relation} is read does not stand out";
    table_usual_reason(scans: count, index: count) => "scans as a whole: {scans}, by index: {index}";
    invalid_title(n: count) => "indexes that are not valid: {n}";
    invalid_reason(all: count) => "no query uses them; indexes of the table: {all}";
    no_index_title() => "the table has no index";
    no_index_reason() => "each search in it reads it as a whole";
    indexes_title(n: count) => "indexes of the table: {n}";
    indexes_found_reason(used: count) => "the server counted scans of {used} of them";
    unknown_title(relation: subject, n: count) => "columns of {relation} that the planner knows nothing of: {n}";
    unknown_reason(all: count) => "they were never analysed; columns: {all}";
    known_title(relation: subject) => "the planner knows the columns of {relation}";
    known_reason(all: count) => "all that the role may see have figures; columns: {all}";
    hidden_columns(n: count) => "columns whose figures the role may not see: {n}";
}

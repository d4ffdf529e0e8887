//! All that can be said about any outcome.

pg_logstats_sdk::messages! {
    truncated(rows: count) => "there was more than the action may return; rows that were judged: {rows}";
    truncated_counts(rows: count) =>
        "there was more than the action may return, so counts are lower bounds; rows that were judged: {rows}";
    more_rows(rows: count) => "further rows that stand out, and are not told one by one: {rows}";
    rows_without_figures(rows: count) => "rows without the figures that are judged here: {rows}";
    unknown_action() => "this runbook does not know how to judge that action";
    nothing_in_outcome_title() => "the action found nothing that stands out";
    nothing_in_outcome_reason(rows: count) => "rows that were judged: {rows}";
    nothing_to_judge_title() => "the action showed nothing that can be judged";
    nothing_to_judge_reason(rows: count) => "rows that it returned: {rows}";
    stop_label() => "nothing more to do";
    stop_reason_done() => "what can be seen from here has been seen";
}

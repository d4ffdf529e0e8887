//! All that every live runbook can say.

pg_logstats_sdk::messages! {
    not_looked_title() => "the server has not been looked at yet";
    not_looked_reason() => "this runbook judges what the server shows now, not its logs: run the offered actions";
    nothing_alarming_title() => "nothing in the outcome calls for action";
    nothing_in_rows_title() => "the action found nothing";
    nothing_in_rows_reason(rows: count) => "rows that were judged: {rows}";
    failed_reason() => "it shows nothing about the server";
    truncated(rows: count) => "there was more than the action may return, so counts are lower bounds; rows that were judged: {rows}";
    unknown_action() => "this runbook does not know how to judge that action";
    stop_label() => "nothing more to do";
    stop_reason_done() => "what can be seen from here has been seen";
}

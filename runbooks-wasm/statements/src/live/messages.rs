//! All that every live runbook can say.

pg_logstats_sdk::messages! {
    not_looked_title() => "the server has not been looked at yet";
    not_looked_reason() => "this runbook judges what the server shows now, not its logs: run the offered actions";
    nothing_alarming_title() => "nothing in the outcome calls for action";
    failed_reason() => "it shows nothing about the server";
}

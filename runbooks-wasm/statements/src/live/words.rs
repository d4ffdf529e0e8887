//! The words of the manifest that every live runbook has.

pg_logstats_sdk::reason_codes! {
    /// No action of the runbook has run.
    NOT_LOOKED_YET = "not_looked_yet";
}

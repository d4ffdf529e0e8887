//! The insight about a slot.

pg_logstats_sdk::insights! {
    /// It can be dropped.
    SLOT_TO_DROP = "slot_to_drop";
}

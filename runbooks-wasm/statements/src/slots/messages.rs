//! All that can be said about single slots.

pg_logstats_sdk::messages! {
    drop_slot_title(row: count) => "the slot in row {row} can be dropped, if what used it does not come back";
    drop_slot_lost_reason() => "nothing can go on from it any more, and nobody uses it";
    drop_slot_idle_reason(idle: duration, kept: bytes) => "nobody has used it for {idle}, and it keeps {kept} of WAL";
    drop_slot_idle_rows_reason(idle: duration) => "nobody has used it for {idle}";
    drop_slot_unknown_reason(kept: bytes) => "nobody uses it now, since when the server does not tell, and it keeps {kept} of WAL";
    drop_slot_unknown_rows_reason() => "nobody uses it now; since when the server does not tell";
}

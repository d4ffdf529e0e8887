//! An evidence file from anywhere: refused, or a part that can be merged, written and read again.
#![no_main]

use pg_logstats_fuzz::{json, read, write};
use pg_logstats_logs::Redaction;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(mut part) = read(data) else { return };
    let again = read(&write(&part)).expect("what was written can be read");
    assert_eq!(json(&part.clone().evidence(&Redaction::least())), json(&again.clone().evidence(&Redaction::least())));
    part.merge(again);
    let _ = json(&part.evidence(&Redaction::least()));
});

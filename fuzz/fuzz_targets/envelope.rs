//! Arbitrary bytes: told as a log in an envelope, as another program's, or as none.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = pg_logstats_fuzz::any(data.to_vec());
});

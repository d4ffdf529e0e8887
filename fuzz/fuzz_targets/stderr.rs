//! A stderr log: arbitrary bytes behind one entry.
#![no_main]

const HEAD: &[u8] = b"2026-11-23 05:04:31.054 UTC [7] app@shop/web LOG:  duration: 1.500 ms  statement: SELECT 1\n";

libfuzzer_sys::fuzz_target!(|data: &[u8]| pg_logstats_fuzz::log(HEAD, Some(pg_logstats_fuzz::PREFIX), data));

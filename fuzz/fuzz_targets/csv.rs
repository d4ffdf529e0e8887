//! A csv log: arbitrary bytes behind one record.
#![no_main]

const HEAD: &[u8] = b"2026-11-23 05:04:31.054 UTC,\"app\",\"shop\",7,\"[local]\",6b03c95f.7,1,\"SELECT\",2026-11-23 05:04:31 UTC,3/1,0,LOG,00000,\"duration: 1.500 ms  statement: SELECT 1\",,,,,,,,,\"web\",\"client backend\",,0\n";

libfuzzer_sys::fuzz_target!(|data: &[u8]| pg_logstats_fuzz::log(HEAD, None, data));

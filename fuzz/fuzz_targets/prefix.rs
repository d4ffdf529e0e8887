//! An arbitrary `log_line_prefix`, given and detected, on arbitrary lines: the first line is the prefix.
#![no_main]

use pg_logstats_logs::prefix::{Prefix, detect};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (prefix, lines) = (&data[..end], &data[end + 1..]);
    if let Some(found) = detect(lines) {
        assert!(
            Prefix::compile(found.as_str()).is_ok(),
            "detected, and no prefix: {}",
            found.as_str()
        );
    }
    let Ok(prefix) = std::str::from_utf8(prefix) else {
        return;
    };
    if Prefix::compile(prefix).is_ok() {
        pg_logstats_fuzz::log(b"", Some(prefix), lines);
    }
});

//! Arbitrary bytes behind the magic number of each compression and of tar: an error or evidence, in bounded memory.
#![no_main]

const MAGICS: [&[u8]; 7] = [
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\x00",
    b"BZh9",
    b"\x04\x22\x4d\x18",
    b"\x02\x21\x4c\x18",
    b"",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let magic = MAGICS[usize::from(*choice) % MAGICS.len()];
    let _ = pg_logstats_fuzz::any([magic, rest].concat());
});

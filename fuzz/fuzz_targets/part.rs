//! An evidence file from anywhere: refused, or a part that can be merged, written and read again.
#![no_main]

use pg_logstats_logs::Part;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let read = |bytes: &[u8]| Part::read("part", Box::new(std::io::Cursor::new(bytes.to_vec())), 100);
    let Ok(mut part) = read(data) else { return };
    let mut bytes = Vec::new();
    part.write(&mut bytes).expect("memory takes it");
    let again = read(&bytes).expect("what was written can be read");
    let json = |part: Part| serde_json::to_string(&part.evidence()).expect("evidence is JSON");
    assert_eq!(json(part.clone()), json(again.clone()));
    part.merge(again);
    let _ = json(part);
});

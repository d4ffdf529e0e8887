//! A signed note with cosignatures: taken apart it prints as it was, and what verifies is what was signed.
#![no_main]

use pg_logstats_audit::cosignature::{add_cosignature, verify_cosignatures};
use pg_logstats_audit::fuzzing::{print_note, print_signature_lines};
use pg_logstats_audit::note::open_checkpoint;
use pg_logstats_fuzz::audit::{COSIGNED_S, NOTE, ORIGIN, TRUSTED, WITNESS, change, input};

libfuzzer_sys::fuzz_target!(init: assert_deep(), |data: &[u8]| {
    let Some(note) = input(NOTE.as_bytes(), data) else {
        return;
    };
    if let Some(printed) = print_note(&note) {
        assert_eq!(printed.as_bytes(), note, "it prints as another note");
    }
    if let Ok(opened) = open_checkpoint(&note, ORIGIN, &TRUSTED) {
        assert_eq!(signed(&opened.note), signed(&NOTE), "this was never signed");
    }
    if let Ok(found) = verify_cosignatures(&note, [&*WITNESS]) {
        for cosignature in found {
            assert_eq!(signed(std::str::from_utf8(&note).expect("it was read")), signed(&NOTE));
            assert_eq!(cosignature.timestamp_s, COSIGNED_S, "nobody cosigned then");
        }
    }
    // The same bytes as a witness's answer, and the true answer changed.
    let lines = NOTE.rsplit_once("\n\n").map_or("", |(_, lines)| lines);
    for answer in [note, change(lines.as_bytes(), data)] {
        if let Some(printed) = std::str::from_utf8(&answer).ok().and_then(print_signature_lines) {
            assert_eq!(printed.as_bytes(), answer, "they print as other lines");
        }
        if let Ok(Some((joined, cosignature))) = add_cosignature(&NOTE, &answer, &WITNESS) {
            assert_eq!(cosignature.timestamp_s, COSIGNED_S, "nobody cosigned then");
            assert!(open_checkpoint(joined.as_bytes(), ORIGIN, &TRUSTED).is_ok());
            assert_eq!(verify_cosignatures(joined.as_bytes(), [&*WITNESS]).expect("it was verified"), [cosignature]);
        }
    }
});

/// What a signature covers.
fn signed(note: &str) -> &str {
    note.rsplit_once("\n\n").map_or(note, |(text, _)| text)
}

/// What is changed verifies as long as it is not.
fn assert_deep() {
    assert_eq!(print_note(NOTE.as_bytes()).as_deref(), Some(NOTE.as_str()));
    assert_eq!(
        verify_cosignatures(NOTE.as_bytes(), [&*WITNESS])
            .expect("it is a note")
            .len(),
        1
    );
    let lines = NOTE.rsplit_once("\n\n").map_or("", |(_, lines)| lines);
    assert!(add_cosignature(&NOTE, lines.as_bytes(), &WITNESS).is_ok_and(|added| added.is_some()));
}

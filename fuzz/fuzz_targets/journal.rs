//! A journal: whatever the file holds, it gives frames that were written, in their order, and no others.
#![no_main]

use std::sync::LazyLock;

use pg_logstats_audit::fuzzing::{Journal, JournalFrame, read_journal, write_journal};
use pg_logstats_fuzz::audit::{LOG, NOTE, change};

/// Where the frames begin.
const FRAMES_START: usize = 8192;

/// Three frames, of which one is longer than what is read at first.
static WRITTEN: LazyLock<Vec<JournalFrame>> = LazyLock::new(|| {
    let records = [b"{}".to_vec(), vec![b'x'; 9_000], Vec::new()];
    let frame = |(record, entry): (Vec<u8>, &pg_logstats_audit::Entry)| JournalFrame {
        note: NOTE.clone(),
        leaf: entry.to_text(),
        record,
    };
    records.into_iter().zip(LOG.iter()).map(frame).collect()
});
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| write_journal(6, &NOTE, &WRITTEN).expect("it fits"));

libfuzzer_sys::fuzz_target!(init: assert_deep(), |data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    match choice % 4 {
        0 => drop(read_journal(rest)),
        1 => written(rest),
        // The headers, or the frames alone: most of a journal would else be changed in its zeros.
        2 => changed([&change(&VALID[..FRAMES_START], rest), &VALID[FRAMES_START..]].concat()),
        _ => changed([&VALID[..FRAMES_START], &change(&VALID[FRAMES_START..], rest)].concat()),
    }
});

/// What is read of a changed journal is a beginning of what was written.
fn changed(bytes: Vec<u8>) {
    let Some(Journal {
        generation,
        base,
        frames,
        torn,
    }) = read_journal(&bytes)
    else {
        return;
    };
    assert_eq!(
        (generation, base.as_str()),
        (6, NOTE.as_str()),
        "a header that was never written"
    );
    assert!(
        WRITTEN.starts_with(&frames),
        "a frame that was never written, or out of order"
    );
    assert!(torn.is_none() || frames.len() < WRITTEN.len());
}

/// Any parts, written: they are read as they were, whatever stands behind.
fn written(data: &[u8]) {
    let (mut frames, mut rest) = (Vec::new(), data);
    while let Some(([note, leaf, record], behind)) = rest.split_first_chunk::<3>() {
        rest = behind;
        let mut take = |length: u8| {
            let (part, behind) = rest.split_at(usize::from(length).min(rest.len()));
            rest = behind;
            part.to_vec()
        };
        frames.push(JournalFrame {
            note: String::from_utf8_lossy(&take(*note)).into_owned(),
            leaf: String::from_utf8_lossy(&take(*leaf)).into_owned(),
            // Some of several blocks.
            record: take(*record).repeat(1 + usize::from(*note % 8) * 40),
        });
    }
    let bytes = write_journal(u64::from(data.len() as u32), &NOTE, &frames).expect("it fits");
    let journal = read_journal(&[bytes.as_slice(), data].concat()).expect("it was written");
    assert_eq!((journal.frames, journal.torn), (frames.clone(), None));
    // Cut anywhere in its last frame it has one frame less.
    if let Some((_, whole)) = frames.split_last() {
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        let cut = read_journal(&bytes[..end]).expect("its header is whole");
        assert_eq!(cut.frames, whole);
    }
}

fn assert_deep() {
    let journal = read_journal(&VALID).expect("it was written");
    assert_eq!(journal.frames, *WRITTEN);
    let torn = read_journal(&VALID[..VALID.len() - 4096 + 600]).expect("its header is whole");
    assert_eq!((torn.frames.len(), torn.torn.is_some()), (WRITTEN.len() - 1, true));
}

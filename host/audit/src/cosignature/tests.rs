use super::{CosignatureError, add_cosignature, cosign, verify_cosignatures};
use crate::digest::Digest;
use crate::keys::Signer as _;
use crate::keys::tests::MemoryKey;
use crate::note::{RawNote, sign_checkpoint};
use crate::vkey::WitnessKey;

const ORIGIN: &str = "example.com/log";

fn witness(seed: u8) -> (MemoryKey, WitnessKey) {
    let key = MemoryKey::new(seed);
    let witness = WitnessKey::new(&format!("witness.example/{seed}"), key.public().clone()).unwrap();
    (key, witness)
}

fn note() -> String {
    sign_checkpoint(&MemoryKey::new(3), ORIGIN, 17, &Digest::of(b"root")).unwrap()
}

fn line(seed: u8, note: &str, timestamp_s: u64) -> String {
    let (key, witness) = witness(seed);
    cosign(&key, &witness, &RawNote::parse(note.as_bytes()).unwrap(), timestamp_s).unwrap()
}

/// The example of c2sp.org/tlog-cosignature has no public key beside it, so its form alone can be compared: 4 bytes of key
/// hash, 8 of time, 64 of signature, and the time that the text of the example has.
#[test]
fn the_example_of_the_specification_has_our_form() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let raw = RawNote::parse(note.as_bytes()).unwrap();
    assert_eq!(raw.body().unwrap().size, 20_852_163);
    let [_, cosignature] = raw.signatures.as_slice() else {
        panic!("{:?}", raw.signatures);
    };
    assert_eq!(cosignature.key_hash, [0x8d, 0x66, 0xcf, 0x3f]);
    assert_eq!(super::timestamp(cosignature).map(|(time, _)| time), Some(1_679_315_147));
    assert_eq!(
        super::message(1_679_315_147, raw.text),
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    );
}

#[test]
fn a_cosignature_is_read_back_and_others_are_kept() {
    let note = note();
    let (_, first) = witness(5);
    let (_, second) = witness(6);
    let (note, cosignature) = add_cosignature(&note, line(5, &note, 1_700_000_000).as_bytes(), &first)
        .unwrap()
        .unwrap();
    assert_eq!(
        (cosignature.witness.as_str(), cosignature.timestamp_s),
        ("witness.example/5", 1_700_000_000)
    );
    let (note, _) = add_cosignature(&note, line(6, &note, 1_700_000_001).as_bytes(), &second)
        .unwrap()
        .unwrap();
    let found = verify_cosignatures(note.as_bytes(), [&first, &second]).unwrap();
    assert_eq!(found.len(), 2);
    // The log's own signature is there still, and stands first.
    let log = MemoryKey::new(3).public().clone().into();
    crate::note::open_checkpoint(note.as_bytes(), ORIGIN, &log).unwrap();
    // A newer one of the same witness takes the place of the older.
    let (newer, cosignature) = add_cosignature(&note, line(5, &note, 1_800_000_000).as_bytes(), &first)
        .unwrap()
        .unwrap();
    assert_eq!(cosignature.timestamp_s, 1_800_000_000);
    assert_eq!(newer.lines().count(), note.lines().count());
    assert_eq!(verify_cosignatures(newer.as_bytes(), [&second]).unwrap().len(), 1);
}

#[test]
fn every_changed_byte_is_noticed() {
    let note = note();
    let (_, witness) = witness(5);
    let line = line(5, &note, 1_700_000_000);
    let cosigned = format!("{note}{line}");
    for at in 0..cosigned.len() {
        for bit in 0..8 {
            let mut changed = cosigned.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let found = verify_cosignatures(&changed, [&witness]);
            // In the log's line, or in the name or hash of the witness's, the line is one of somebody unknown.
            let unaffected = (note.find('\u{2014}').unwrap()..note.len()).contains(&at);
            assert!(
                unaffected || !matches!(found, Ok(found) if !found.is_empty()),
                "byte {at}, bit {bit}"
            );
        }
    }
}

#[test]
fn a_witness_counts_only_as_itself() {
    let note = note();
    let (key, first) = witness(5);
    let (_, second) = witness(6);
    // Another witness's line under our name, with our hash.
    let other = line(6, &note, 1_700_000_000);
    let raw = crate::note::parse_signature_lines(&other).unwrap();
    let forged = crate::note::signature_line(first.name(), first.key_hash(), &raw[0].signature);
    let error = verify_cosignatures(format!("{note}{forged}").as_bytes(), [&first]).unwrap_err();
    assert!(
        matches!(&error, CosignatureError::Bad { witness, .. } if witness == first.name()),
        "{error}"
    );
    assert_eq!(add_cosignature(&note, other.as_bytes(), &first).unwrap(), None);
    // The key of a witness signing as a log does: another type, another hash, no cosignature.
    let plain = crate::note::signature_line(
        first.name(),
        key.public().note_key_hash(first.name()),
        &key.sign(RawNote::parse(note.as_bytes()).unwrap().text.as_bytes())
            .unwrap(),
    );
    assert_eq!(
        verify_cosignatures(format!("{note}{plain}").as_bytes(), [&first, &second]).unwrap(),
        []
    );
    // A signer that is not the witness makes nothing.
    let error = cosign(&key, &second, &RawNote::parse(note.as_bytes()).unwrap(), 1).unwrap_err();
    assert!(matches!(error, CosignatureError::Bad { .. }), "{error}");
}

#[test]
fn times_that_no_cosignature_has_are_refused() {
    let note = note();
    let (key, witness) = witness(5);
    let raw = RawNote::parse(note.as_bytes()).unwrap();
    for timestamp_s in [0, 1 << 63, u64::MAX] {
        assert!(matches!(
            cosign(&key, &witness, &raw, timestamp_s),
            Err(CosignatureError::Time { .. })
        ));
        let mut timed = timestamp_s.to_be_bytes().to_vec();
        timed.extend_from_slice(&key.sign(&super::message(timestamp_s, raw.text)).unwrap());
        let line = crate::note::signature_line(witness.name(), witness.key_hash(), &timed);
        let error = verify_cosignatures(format!("{note}{line}").as_bytes(), [&witness]).unwrap_err();
        assert!(matches!(error, CosignatureError::Bad { .. }), "{error}");
    }
    cosign(&key, &witness, &raw, i64::MAX as u64).unwrap();
}

/// A note that readers would refuse is never made, though each line in it is fine.
#[test]
fn a_note_never_gets_more_lines_than_are_read() {
    let mut note = note();
    for seed in 5..68 {
        note.push_str(&line(seed, &note, 1));
    }
    let (_, last) = witness(70);
    let error = add_cosignature(&note, line(70, &note, 1).as_bytes(), &last).unwrap_err();
    assert!(matches!(error, CosignatureError::Note(_)), "{error}");
}

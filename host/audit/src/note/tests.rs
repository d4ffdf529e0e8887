use super::{NoteError, is_origin, open_checkpoint, sign_checkpoint};
use crate::digest::Digest;
use crate::keys::{Signer as _, TrustedKeys, tests::MemoryKey};

const ORIGIN: &str = "example.com/log";

fn signed() -> (String, TrustedKeys) {
    let key = MemoryKey::new(3);
    let note = sign_checkpoint(&key, ORIGIN, 17, &Digest::of(b"root")).unwrap();
    (note, key.public().clone().into())
}

#[test]
fn a_checkpoint_is_read_back() {
    let (note, keys) = signed();
    let checkpoint = open_checkpoint(note.as_bytes(), ORIGIN, &keys).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (17, Digest::of(b"root")));
    assert_eq!(checkpoint.note, note);
    assert_eq!(checkpoint.signers.len(), 1);
}

#[test]
fn every_changed_byte_is_noticed() {
    let (note, keys) = signed();
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1 << bit;
            assert!(
                open_checkpoint(&changed, ORIGIN, &keys).is_err(),
                "byte {at}, bit {bit}"
            );
        }
        assert!(
            open_checkpoint(&note.as_bytes()[..at], ORIGIN, &keys).is_err(),
            "cut at {at}"
        );
    }
}

#[test]
fn another_key_and_another_log_have_their_own_messages() {
    let (note, keys) = signed();
    let stranger = MemoryKey::new(4).public().clone().into();
    assert!(matches!(
        open_checkpoint(note.as_bytes(), ORIGIN, &stranger),
        Err(NoteError::Untrusted { .. })
    ));
    let other = open_checkpoint(note.as_bytes(), "example.com/other", &keys).unwrap_err();
    assert!(
        matches!(&other, NoteError::Origin { found, .. } if found == ORIGIN),
        "{other}"
    );
}

#[test]
fn further_signatures_are_allowed_and_unknown_ones_ignored() {
    let (note, keys) = signed();
    let witness = sign_checkpoint(&MemoryKey::new(5), ORIGIN, 17, &Digest::of(b"root")).unwrap();
    let line = witness.lines().last().unwrap();
    let both = format!("{note}{line}\n");
    assert_eq!(
        open_checkpoint(both.as_bytes(), ORIGIN, &keys).unwrap().signers.len(),
        1
    );
    let mut all = keys.clone();
    all.insert(MemoryKey::new(5).public().clone());
    assert_eq!(open_checkpoint(both.as_bytes(), ORIGIN, &all).unwrap().signers.len(), 2);
    let twice = format!("{both}{line}\n");
    assert!(matches!(
        open_checkpoint(twice.as_bytes(), ORIGIN, &all),
        Err(NoteError::Malformed { .. })
    ));
}

/// The text is signed as it stands, so only the form can be at fault.
#[test]
fn forms_that_are_not_canonical_are_refused_even_when_signed() {
    let key = MemoryKey::new(3);
    let keys = key.public().clone().into();
    let root = "S2F5tQ4f8pC2hPX4vYlBlNgYZ2ZUsXkPLGKhlkQHWEE=";
    for (text, reason) in [
        (format!("{ORIGIN}\n017\n{root}\n"), "leading zero"),
        (format!("{ORIGIN}\n+17\n{root}\n"), "sign"),
        (format!("{ORIGIN}\n\n{root}\n"), "no size"),
        (format!("{ORIGIN}\n18446744073709551616\n{root}\n"), "too large"),
        (format!("{ORIGIN}\n17\n{}\n", &root[..43]), "no padding"),
        (format!("{ORIGIN}\n17\n{}F=\n", &root[..42]), "spare bits"),
        (format!("{ORIGIN}\n17\n{root}\nextension\n"), "extension line"),
        (format!("{ORIGIN}\r\n17\n{root}\n"), "control character"),
    ] {
        let signature = key.sign(text.as_bytes()).unwrap();
        let mut named = key.public().note_key_hash(ORIGIN).to_vec();
        named.extend_from_slice(&signature);
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, named);
        let note = format!("{text}\n\u{2014} {ORIGIN} {encoded}\n");
        let error = open_checkpoint(note.as_bytes(), ORIGIN, &keys).unwrap_err();
        assert!(matches!(error, NoteError::Malformed { .. }), "{reason}: {error}");
    }
}

#[test]
fn origins() {
    assert!(is_origin("pg-logstats/0123"));
    for bad in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
        assert!(!is_origin(bad), "{bad:?}");
    }
    assert!(!is_origin(&"x".repeat(256)));
}

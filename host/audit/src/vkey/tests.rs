use super::{LogKey, VkeyError, WitnessKey};
use crate::keys::Signer as _;
use crate::keys::tests::MemoryKey;

/// The example key of c2sp.org/signed-note.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

#[test]
fn keys_are_read_back_and_only_as_what_they_are() {
    let log: LogKey = PETER.parse().unwrap();
    assert_eq!((log.origin(), log.to_string().as_str()), ("PeterNeumann", PETER));
    let witness = WitnessKey::new("w.example/1", MemoryKey::new(3).public().clone()).unwrap();
    let text = witness.to_string();
    assert_eq!(text.parse::<WitnessKey>().unwrap(), witness);
    assert!(matches!(
        text.parse::<LogKey>(),
        Err(VkeyError::Type {
            found: 4,
            expected: 1,
            ..
        })
    ));
    assert!(matches!(
        PETER.parse::<WitnessKey>(),
        Err(VkeyError::Type {
            found: 1,
            expected: 4,
            ..
        })
    ));
}

/// Whatever letter is changed, the text is another key under no valid hash, or no key at all.
#[test]
fn every_changed_letter_is_noticed() {
    for at in 0..PETER.len() {
        for other in ['A', 'b', '7', '+', ' ', '=', 'é'] {
            let mut changed = PETER.to_owned();
            changed.replace_range(at..=at, &other.to_string());
            if changed != PETER {
                assert!(changed.parse::<LogKey>().is_err(), "{changed}");
            }
        }
        assert!(PETER[..at].parse::<LogKey>().is_err(), "cut at {at}");
    }
    assert!(PETER.replace("c74f20a3", "C74F20A3").parse::<LogKey>().is_err());
    assert!(format!("{PETER}\n").parse::<LogKey>().is_err());
}

#[test]
fn a_key_for_which_anybody_can_sign_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&identity).unwrap();
    let hash = super::Digest::of_parts(&[b"x\n", &[1], key.as_bytes()]).to_string();
    let encoded = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        [&[1], key.as_bytes().as_slice()].concat(),
    );
    let error = format!("x+{}+{encoded}", &hash[..8]).parse::<LogKey>().unwrap_err();
    assert!(matches!(error, VkeyError::Key { .. }), "{error}");
}

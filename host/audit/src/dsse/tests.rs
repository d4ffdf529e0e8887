use super::{DsseError, Envelope, MAX_SIGNATURES, countersign, open, pae, seal};
use crate::keys::{Signer, TrustedKeys, tests::MemoryKey};

#[test]
fn pae_of_the_specification() {
    // protocol.md of secure-systems-lab/dsse, "Test Vectors".
    let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
}

fn sealed() -> (MemoryKey, Envelope) {
    let key = MemoryKey::new(1);
    let envelope = seal(&key, "application/json", br#"{"a":1}"#).unwrap();
    (key, envelope)
}

fn trusting(keys: &[&MemoryKey]) -> TrustedKeys {
    TrustedKeys::new(keys.iter().map(|key| key.public().clone()))
}

#[test]
fn a_sealed_payload_opens_with_the_key_and_with_no_other() {
    let (key, envelope) = sealed();
    let read = Envelope::parse(&envelope.to_bytes().unwrap()).unwrap();
    let opened = open(&read, &trusting(&[&key])).unwrap();
    assert_eq!(opened.payload, br#"{"a":1}"#);
    assert_eq!(opened.payload_type, "application/json");
    assert_eq!(opened.signers, [key.key_id().clone()]);

    let error = open(&read, &trusting(&[&MemoryKey::new(2)])).unwrap_err();
    assert!(matches!(error, DsseError::Untrusted { .. }), "{error}");
    assert!(error.to_string().contains(key.key_id().as_str()), "{error}");
    assert!(open(&read, &TrustedKeys::default()).is_err());
}

#[test]
fn several_signatures_count_each_and_a_wrong_one_of_a_trusted_key_spoils_all() {
    let (first, mut envelope) = sealed();
    let second = MemoryKey::new(2);
    countersign(&mut envelope, &second).unwrap();
    let both = trusting(&[&first, &second]);
    assert_eq!(
        open(&envelope, &both).unwrap().signers,
        [first.key_id().clone(), second.key_id().clone()]
    );
    assert_eq!(
        open(&envelope, &trusting(&[&second])).unwrap().signers,
        [second.key_id().clone()]
    );
    assert!(matches!(
        countersign(&mut envelope, &second),
        Err(DsseError::DuplicateKey { .. })
    ));

    let mut swapped = envelope.clone();
    let stolen = swapped.signatures[0].sig.clone();
    swapped.signatures[1].sig = stolen;
    assert!(matches!(open(&swapped, &both), Err(DsseError::BadSignature { .. })));

    let mut doubled = envelope.clone();
    doubled.signatures.push(envelope.signatures[0].clone());
    assert!(matches!(open(&doubled, &both), Err(DsseError::DuplicateKey { .. })));

    let mut many = envelope.clone();
    many.signatures = vec![envelope.signatures[0].clone(); MAX_SIGNATURES + 1];
    assert!(matches!(
        open(&many, &both),
        Err(DsseError::SignatureCount { count: 17 })
    ));
    many.signatures.clear();
    assert!(matches!(
        open(&many, &both),
        Err(DsseError::SignatureCount { count: 0 })
    ));
}

#[test]
fn the_payload_the_type_and_the_signature_are_all_bound() {
    let (key, envelope) = sealed();
    let keys = trusting(&[&key]);
    let with = |change: &dyn Fn(&mut Envelope)| {
        let mut changed = envelope.clone();
        change(&mut changed);
        open(&changed, &keys).unwrap_err()
    };
    assert!(matches!(
        with(&|it| it.payload_type.push('x')),
        DsseError::BadSignature { .. }
    ));
    assert!(matches!(
        with(&|it| it.payload = "e30=".to_owned()),
        DsseError::BadSignature { .. }
    ));
    assert!(matches!(
        with(&|it| it.signatures[0].sig = "AAAA".to_owned()),
        DsseError::BadSignature { .. }
    ));
    // "e30=" has spare bits of zero, "e31=" the same bytes with others; the second spelling is refused.
    assert!(matches!(
        with(&|it| it.payload = "e31=".to_owned()),
        DsseError::Base64 { field: "payload" }
    ));
    assert!(matches!(
        with(&|it| it.payload = "e30".to_owned()),
        DsseError::Base64 { field: "payload" }
    ));
    assert!(matches!(
        with(&|it| it.signatures[0].sig.push('\n')),
        DsseError::Base64 { field: "sig" }
    ));
}

#[test]
fn only_the_fields_of_an_envelope_each_once() {
    for bad in [
        "",
        "[]",
        r#"{"payloadType":"t","payload":""}"#,
        r#"{"payloadType":"t","payload":"","signatures":[],"extra":1}"#,
        r#"{"payloadType":"t","payload":"","payload":"","signatures":[]}"#,
        r#"{"payloadType":"t","payload":"","signatures":[{"sig":""}]}"#,
        r#"{"payloadType":"t","payload":"","signatures":[{"keyid":"k","sig":"","cert":""}]}"#,
        r#"{"payloadType":"t","payload":"","signatures":[{"keyid":"k","keyid":"k","sig":""}]}"#,
        r#"{"payloadType":"t","payload":"","signatures":[]} {}"#,
    ] {
        let error = Envelope::parse(bad.as_bytes()).unwrap_err();
        assert!(matches!(error, DsseError::Malformed { .. }), "{bad}: {error}");
    }
}

#[test]
fn a_strangers_key_id_is_shown_shortened_and_escaped() {
    let (key, mut envelope) = sealed();
    envelope.signatures[0].keyid = format!("\u{1b}[31m{}", "x".repeat(500));
    let message = open(&envelope, &trusting(&[&key])).unwrap_err().to_string();
    assert!(!message.contains('\u{1b}') && message.len() < 200, "{message}");
}

//! A DSSE envelope: one content has one spelling once it is read, and what opens is what was sealed.
#![no_main]

use std::sync::LazyLock;

use pg_logstats_audit::dsse::{Envelope, countersign, open, seal};
use pg_logstats_fuzz::audit::{KEY, STRANGER, TRUSTED, change, input};

const TYPE: &str = "application/vnd.pg-logstats.run_sql_intent+json";
const PAYLOAD: &[u8] = br#"{"id":"in_1","sql":"SELECT 1","bound":[null,-1.5e3,"\u00e9"]}"#;

/// Signed by the key and by a stranger.
static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut envelope = seal(&*KEY, TYPE, PAYLOAD).expect("a key signs");
    countersign(&mut envelope, &*STRANGER).expect("a key signs");
    envelope.to_bytes().expect("it has a JSON form")
});

libfuzzer_sys::fuzz_target!(init: assert_deep(), |data: &[u8]| {
    let Some(bytes) = input(&SEALED, data) else { return };
    if let Ok(envelope) = Envelope::parse(&bytes) {
        let printed = envelope.to_bytes().expect("it has a JSON form");
        assert_eq!(Envelope::parse(&printed).expect("what was written can be read"), envelope);
        let _ = envelope.unverified_payload();
        if let Ok(opened) = open(&envelope, &TRUSTED) {
            assert_eq!((opened.payload_type.as_str(), opened.payload.as_slice()), (TYPE, PAYLOAD), "never sealed");
            assert_eq!(opened.signers.len(), 1);
        }
    }
    // Any bytes, sealed: they open as they were, and as no others.
    let Ok(mut envelope) = seal(&*KEY, TYPE, data) else { return };
    assert_eq!(open(&envelope, &TRUSTED).expect("it was sealed").payload, data);
    let changed = change(envelope.payload.as_bytes(), data);
    if changed != envelope.payload.as_bytes() {
        envelope.payload = String::from_utf8_lossy(&changed).into_owned();
        assert!(open(&envelope, &TRUSTED).is_err(), "never sealed");
    }
});

fn assert_deep() {
    let envelope = Envelope::parse(&SEALED).expect("it was written");
    assert_eq!(open(&envelope, &TRUSTED).expect("it was sealed").payload, PAYLOAD);
}

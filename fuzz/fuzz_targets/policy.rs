//! A witness policy: refused with one of its lines, or a quorum that is reached only by whom it names.
#![no_main]

use std::sync::LazyLock;

use pg_logstats_audit::note::open_checkpoint;
use pg_logstats_audit::{LogKey, Policy, WitnessKey};
use pg_logstats_fuzz::audit::{NOTE, ORIGIN, STRANGER, TRUSTED, WITNESS, input, log_key, public};

/// A policy of which the note has the quorum.
static VALID: LazyLock<String> = LazyLock::new(|| {
    let stranger = WitnessKey::new("other.example", public(&STRANGER)).expect("it is a name");
    format!(
        "# the log\nlog {}\nwitness w {} https://witness.example/add\nwitness other {stranger}\ngroup one any w other\ngroup all 1 one\nquorum all\n",
        log_key(),
        *WITNESS
    )
});

libfuzzer_sys::fuzz_target!(init: assert_deep(), |data: &[u8]| {
    let Some(file) = input(VALID.as_bytes(), data) else { return };
    let lines = file.split(|byte| *byte == b'\n').count();
    let policy = match Policy::parse(&file) {
        Ok(policy) => policy,
        Err(error) => {
            assert!((1..=lines + 1).contains(&error.line), "line {} of {lines}", error.line);
            return;
        }
    };
    for log in policy.logs() {
        assert_eq!(log.to_string().parse::<LogKey>().ok().as_ref(), Some(log));
    }
    for witness in policy.witnesses() {
        assert_eq!(witness.key.to_string().parse::<WitnessKey>().ok().as_ref(), Some(&witness.key));
    }
    // No cosignature at all reaches what asks for one.
    assert_eq!(policy.evaluate(&[]).is_ok(), !policy.wants_witnesses());
    if let Ok(witnessed) = policy.open(NOTE.as_bytes(), ORIGIN, &TRUSTED) {
        assert!(policy.logs().is_empty() || policy.logs().contains(&log_key()), "another log's policy");
        let by_witness = |key: &WitnessKey| key.name() == WITNESS.name() && key.public() == WITNESS.public();
        let cosigned = witnessed.cosignatures().iter().any(|it| it.key_id == *WITNESS.public().key_id());
        let listed = policy.witnesses().iter().any(|it| by_witness(&it.key));
        assert_eq!(cosigned, listed);
        assert!(listed || !policy.wants_witnesses(), "a quorum without the only witness that cosigned");
        assert!(open_checkpoint(NOTE.as_bytes(), ORIGIN, &TRUSTED).is_ok());
    }
});

fn assert_deep() {
    let policy = Policy::parse(VALID.as_bytes()).expect("it is a policy");
    let witnessed = policy
        .open(NOTE.as_bytes(), ORIGIN, &TRUSTED)
        .expect("the quorum cosigned");
    assert_eq!((policy.witnesses().len(), witnessed.cosignatures().len()), (2, 1));
}

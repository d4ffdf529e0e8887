//! A `.tlog-proof`: it prints as it was read, and what it proves stands in the log.
#![no_main]

use std::sync::LazyLock;

use pg_logstats_audit::note::open_checkpoint;
use pg_logstats_audit::{Entry, Policy, TlogProof, fuzzing};
use pg_logstats_fuzz::audit::{ENTRIES, LOG, NOTE, ORIGIN, TRUSTED, WITNESS, input};

/// The proof of each entry.
static PROOFS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let checkpoint = open_checkpoint(NOTE.as_bytes(), ORIGIN, &TRUSTED).expect("it is signed");
    let proof = |index| {
        fuzzing::prove(&LOG, index, &checkpoint)
            .expect("it is in the log")
            .to_text()
    };
    (0..ENTRIES).map(proof).collect()
});
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let file = format!("witness w {}\nquorum w\n", *WITNESS);
    Policy::parse(file.as_bytes()).expect("it is a policy")
});

libfuzzer_sys::fuzz_target!(init: assert_deep(), |data: &[u8]| {
    let Some((which, rest)) = data.split_first() else { return };
    let valid = &PROOFS[usize::from(*which) % PROOFS.len()];
    let Some(text) = input(valid.as_bytes(), rest) else { return };
    if let Some(entry) = Entry::parse(&text) {
        assert_eq!(entry.to_text().as_bytes(), text, "it prints as another entry");
    }
    let Ok(proof) = TlogProof::parse(&text) else { return };
    assert_eq!(proof.to_text().as_bytes(), text, "it prints as another proof");
    for policy in [None, Some(&*POLICY)] {
        if let Ok(proven) = proof.verify(ORIGIN, &TRUSTED, policy) {
            let index = usize::try_from(proven.index).expect("the log is small");
            assert_eq!(LOG.get(index), Some(&proven.entry), "never in the log");
            assert_eq!(proven.checkpoint.size, ENTRIES);
            assert_eq!(proven.cosignatures.len(), usize::from(policy.is_some()));
            let _ = proven.open_record(rest, &TRUSTED);
        }
    }
});

fn assert_deep() {
    for (index, proof) in (0..).zip(PROOFS.iter()) {
        let proof = TlogProof::parse(proof.as_bytes()).expect("it was written");
        for policy in [None, Some(&*POLICY)] {
            assert_eq!(
                proof.verify(ORIGIN, &TRUSTED, policy).expect("it is in the log").index,
                index
            );
        }
    }
}

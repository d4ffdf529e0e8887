//! What the targets of the audit trail share: keys, valid texts, and changes to them that the input chooses.

use std::sync::LazyLock;

use pg_logstats_audit::fuzzing;
use pg_logstats_audit::note::open_checkpoint;
use pg_logstats_audit::{Digest, Entry, LogKey, PrivateKey, PublicKey, Signer as _, TrustedKeys, WitnessKey};

/// The log of the seeds.
pub const ORIGIN: &str = "fuzz.example/log";
/// Entries in it.
pub const ENTRIES: u64 = 21;
/// When the witnesses cosigned.
pub const COSIGNED_S: u64 = 1_790_000_000;

/// The log's key.
pub static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| key("MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"));
/// A key that signs, too, and that nobody trusts.
pub static STRANGER: LazyLock<PrivateKey> =
    LazyLock::new(|| key("MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"));
/// A witness's key.
pub static WITNESS_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| key("MC4CAQAwBQYDK2VwBCIEIAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD"));
/// The witness.
pub static WITNESS: LazyLock<WitnessKey> =
    LazyLock::new(|| WitnessKey::new("witness.example", public(&WITNESS_KEY)).expect("it is a name"));
/// The keys that a reader trusts.
pub static TRUSTED: LazyLock<TrustedKeys> = LazyLock::new(|| public(&KEY).into());
/// Entries of a log.
pub static LOG: LazyLock<Vec<Entry>> = LazyLock::new(|| (0..ENTRIES).map(entry).collect());
/// Its checkpoint, signed by the log, cosigned by the witness, with a line of a stranger.
pub static NOTE: LazyLock<String> = LazyLock::new(|| {
    let note = fuzzing::sign_checkpoint(&*KEY, ORIGIN, ENTRIES, &fuzzing::root(&LOG)).expect("a key signs");
    let cosignature = fuzzing::cosign(&*WITNESS_KEY, &WITNESS, &note, COSIGNED_S).expect("a key signs");
    let stranger = WitnessKey::new("stranger.example", public(&STRANGER)).expect("it is a name");
    let strangers = fuzzing::cosign(&*STRANGER, &stranger, &note, COSIGNED_S).expect("a key signs");
    let note = format!("{note}{cosignature}{strangers}");
    assert_eq!(
        open_checkpoint(note.as_bytes(), ORIGIN, &TRUSTED).map(|it| it.size),
        Ok(ENTRIES)
    );
    note
});

/// A key of 32 equal bytes, from the base64 of its PKCS#8 form.
fn key(base64: &str) -> PrivateKey {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    PrivateKey::from_pem(&pem).expect("it is a key")
}

/// The public half.
pub fn public(key: &PrivateKey) -> PublicKey {
    key.public().clone()
}

/// The log as a policy names it.
pub fn log_key() -> LogKey {
    LogKey::new(ORIGIN, public(&KEY)).expect("it is an origin")
}

fn entry(n: u64) -> Entry {
    Entry {
        kind: "run_sql_intent".to_owned(),
        id: format!("in_{n}"),
        incident: (n % 2 == 0).then(|| "inc_1".to_owned()),
        created_us: 1_790_000_000_000_000,
        payload_type: pg_logstats_audit::entry::payload_type("run_sql_intent"),
        digest: Digest::of(&n.to_be_bytes()),
    }
}

/// Valid bytes with the changes that the input says, of four bytes each: what is done, where, and with what.
pub fn change(valid: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for change in changes.chunks_exact(4) {
        let [what, high, low, with] = change else { continue };
        if bytes.is_empty() {
            return bytes;
        }
        let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
        match what % 8 {
            0 => bytes[at] ^= 1 << (with % 8),
            1 => bytes[at] = *with,
            2 => bytes.insert(at, *with),
            3 => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            // A part is taken away, is there twice, or changes places with what stands before it.
            5 => drop(bytes.drain(at..(at + usize::from(*with)).min(bytes.len()))),
            6 => {
                let part = bytes[at..(at + usize::from(*with)).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let end = (at + usize::from(*with)).min(bytes.len());
                bytes[..end].rotate_left(at);
            }
        }
    }
    bytes
}

/// The input as it is, or as changes to what is valid: its first byte says which.
pub fn input(valid: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let (choice, rest) = data.split_first()?;
    Some(match choice % 4 {
        0 => rest.to_vec(),
        _ => change(valid, rest),
    })
}

use std::fmt::Write as _;

use proptest::prelude::{any, proptest};

use super::{Policy, WitnessedError};
use crate::cosignature::{Cosignature, cosign};
use crate::digest::Digest;
use crate::keys::tests::MemoryKey;
use crate::keys::{Signer as _, TrustedKeys};
use crate::note::{RawNote, sign_checkpoint};
use crate::vkey::{LogKey, WitnessKey};

const ORIGIN: &str = "example.com/log";

fn log_vkey(seed: u8) -> String {
    LogKey::new(ORIGIN, MemoryKey::new(seed).public().clone())
        .unwrap()
        .to_string()
}

fn witness(seed: u8) -> WitnessKey {
    WitnessKey::new(&format!("w{seed}.example"), MemoryKey::new(seed).public().clone()).unwrap()
}

fn cosignature(seed: u8) -> Cosignature {
    Cosignature {
        witness: witness(seed).name().to_owned(),
        key_id: witness(seed).public().key_id().clone(),
        timestamp_s: 1,
    }
}

/// The example of c2sp.org/tlog-policy, with keys in it.
fn example() -> String {
    let w = |seed| witness(seed).to_string();
    format!(
        "log {}\n\nwitness X1 {}\nwitness X2 {}\nwitness X3 {} https://x3.example/\ngroup X-witnesses 2 X1 X2 X3\n\n# of another house\nwitness Y1 {}\n\twitness\tY2 \t{} \nwitness Y3 {}\ngroup Y-witnesses any Y1 Y2 Y3\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n",
        log_vkey(3),
        w(11),
        w(12),
        w(13),
        w(21),
        w(22),
        w(23)
    )
}

#[test]
fn the_example_of_the_specification_and_who_is_missing() {
    let policy = Policy::parse(example().as_bytes()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    assert_eq!(policy.witnesses()[2].url.as_deref(), Some("https://x3.example/"));
    let reached = |seeds: &[u8]| policy.evaluate(&seeds.iter().map(|seed| cosignature(*seed)).collect::<Vec<_>>());
    for enough in [
        &[11, 12, 21][..],
        &[11, 13, 23],
        &[12, 13, 22, 21],
        &[11, 12, 13, 21, 22, 23],
    ] {
        reached(enough).unwrap();
    }
    let error = reached(&[11, 13]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "too few witnesses cosigned it: `X-and-Y` has 1 of the 2 it needs; `Y-witnesses` has 0 of the 1 it needs; missing: `Y1`, `Y2`, `Y3`"
    );
    assert_eq!(reached(&[12, 21]).unwrap_err().missing, ["`X1`", "`X3`"]);
    assert_eq!(reached(&[]).unwrap_err().missing.len(), 6);
    // The same witness twice is one witness, a stranger is none.
    assert!(reached(&[11, 11, 21]).is_err());
    assert!(reached(&[11, 99, 21]).is_err());
}

#[test]
fn a_quorum_of_one_and_of_none() {
    let one = format!("witness only {}\nquorum only\n", witness(11));
    let policy = Policy::parse(one.as_bytes()).unwrap();
    policy.evaluate(&[cosignature(11)]).unwrap();
    let error = policy.evaluate(&[cosignature(12)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "too few witnesses cosigned it: the quorum is one witness; missing: `only`"
    );
    let none = Policy::parse(b"quorum none\n").unwrap();
    none.evaluate(&[]).unwrap();
    assert!(policy.wants_witnesses() && !none.wants_witnesses());
}

#[test]
fn what_can_be_understood_in_two_ways_does_not_load_and_the_line_is_named() {
    let (a, b) = (witness(11).to_string(), witness(12).to_string());
    let same_key = WitnessKey::new("another.example", MemoryKey::new(11).public().clone()).unwrap();
    let log = log_vkey(3);
    let log_again = LogKey::new("another.example", MemoryKey::new(3).public().clone()).unwrap();
    let two = format!("witness a {a}\nwitness b {b}\n");
    for (text, line, says) in [
        (String::new(), 1, "a line `quorum NAME` is missing"),
        (two.clone(), 3, "a line `quorum NAME` is missing"),
        (
            format!("{two}quorum a\nquorum b\n"),
            4,
            "there is a line `quorum` already",
        ),
        (format!("{two}quorum c\n"), 3, "no witness and no group `c`"),
        (format!("quorum a\n{two}"), 1, "no witness and no group `a`"),
        (format!("{two}quorum a"), 3, "does not end with a line feed"),
        (format!("{two}quorum a b\n"), 3, "`quorum NAME`"),
        (format!("{two}quorum\n"), 3, "`quorum NAME`"),
        (format!("{two}witness a {a}\n"), 3, "has the same key"),
        (
            format!("witness a {a}\nwitness a {b}\n"),
            2,
            "the name `a` is defined already",
        ),
        (
            format!("witness a {a}\nwitness c {same_key}\n"),
            2,
            "`a` has the same key",
        ),
        (format!("witness none {a}\n"), 1, "predefined"),
        (format!("{two}group none any a b\n"), 3, "predefined"),
        (format!("{two}group a any b\n"), 3, "the name `a` is defined already"),
        (
            format!("{two}group g any a none\n"),
            3,
            "no witness and no group `none`",
        ),
        (format!("{two}group g any g a\n"), 3, "no witness and no group `g`"),
        (
            format!("{two}group g any a a\n"),
            3,
            "`a` is a member of a group already",
        ),
        (
            format!("{two}group g any a\ngroup h any a b\n"),
            4,
            "`a` is a member of a group already",
        ),
        (format!("{two}group g 0 a b\n"), 3, "number from 1 to 2"),
        (format!("{two}group g 3 a b\n"), 3, "number from 1 to 2"),
        (format!("{two}group g 02 a b\n"), 3, "number from 1 to 2"),
        (format!("{two}group g most a b\n"), 3, "number from 1 to 2"),
        (format!("{two}group g any\n"), 3, "MEMBER"),
        (format!("log {log}\nlog {log_again}\n"), 2, "is there already"),
        (format!("log {a}\n"), 1, "signature type 0x04"),
        (format!("witness a {log}\n"), 1, "signature type 0x01"),
        (format!("witness a {}\n", a.replace("+B", "+C")), 1, "the key:"),
        (format!("witness a {a} https://a.example/ more\n"), 1, "VKEY [URL]"),
        (format!("monitor a {a}\n"), 1, "`monitor` is none of"),
        (format!("{two}\r\nquorum a\n"), 3, "control character"),
        ("quorum none\u{7f}\n".to_owned(), 1, "control character"),
    ] {
        let error = Policy::parse(text.as_bytes()).unwrap_err();
        assert!(error.line == line && error.what.contains(says), "{text}\n{error}");
    }
    let mut many = String::new();
    for n in 0..257u16 {
        let seed: [u8; 32] = Digest::of(&n.to_be_bytes()).0;
        let key = crate::keys::PublicKey::new(ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key()).unwrap();
        writeln!(many, "witness w{n} {}", WitnessKey::new("w", key).unwrap()).unwrap();
    }
    assert_eq!(Policy::parse(many.as_bytes()).unwrap_err().line, 257);
    assert_eq!(Policy::parse(&vec![b'#'; 300 * 1024]).unwrap_err().line, 1);
}

/// Names are bytes: what looks alike is two names, and what is no UTF-8 is one.
#[test]
fn names_are_bytes() {
    let mut text = format!("witness K {}\nwitness \u{212a} {}\nwitness ", witness(11), witness(12)).into_bytes();
    text.push(0xff);
    text.extend_from_slice(format!(" {}\ngroup g 3 K \u{212a} ", witness(13)).as_bytes());
    text.extend_from_slice(b"\xff\nquorum g\n");
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.witnesses().len(), 3);
}

fn cosigned(seeds: &[u8]) -> String {
    let mut note = sign_checkpoint(&MemoryKey::new(3), ORIGIN, 17, &Digest::of(b"root")).unwrap();
    for seed in seeds {
        let line = cosign(
            &MemoryKey::new(*seed),
            &witness(*seed),
            &RawNote::parse(note.as_bytes()).unwrap(),
            1_700_000_000,
        );
        note.push_str(&line.unwrap());
    }
    note
}

#[test]
fn a_checkpoint_needs_its_log_and_its_quorum() {
    let policy = Policy::parse(example().as_bytes()).unwrap();
    let keys: TrustedKeys = MemoryKey::new(3).public().clone().into();
    let open = |note: &str, keys: &TrustedKeys| policy.open(note.as_bytes(), ORIGIN, keys);
    let witnessed = open(&cosigned(&[12, 11, 22, 99]), &keys).unwrap();
    assert_eq!((witnessed.checkpoint().size, witnessed.cosignatures().len()), (17, 3));
    assert!(matches!(
        open(&cosigned(&[12, 22]), &keys),
        Err(WitnessedError::Quorum(_))
    ));
    assert!(matches!(
        open(&cosigned(&[12, 11, 22]), &MemoryKey::new(4).public().clone().into()),
        Err(WitnessedError::Note(_))
    ));
    // A key that the reader trusts and the policy does not list.
    let mut both = keys.clone();
    both.insert(MemoryKey::new(4).public().clone());
    let other = sign_checkpoint(&MemoryKey::new(4), ORIGIN, 17, &Digest::of(b"root")).unwrap();
    assert!(matches!(open(&other, &both), Err(WitnessedError::UnknownLog { .. })));
    // One bad cosignature of a known witness spoils the note, though the others would do.
    let good = cosigned(&[12, 11, 22]);
    let last = good.lines().last().unwrap();
    let bad = good.replace(last, &last.replace("w22.example ", "w21.example "));
    assert_eq!(
        open(&bad, &keys).unwrap_err().to_string().matches("w21").count(),
        0,
        "an unknown pair of name and hash"
    );
    let flipped: String = {
        let at = good.rfind("==").unwrap() - 9;
        let letter = if &good[at..=at] == "A" { "B" } else { "A" };
        format!("{}{letter}{}", &good[..at], &good[at + 1..])
    };
    assert!(matches!(open(&flipped, &keys), Err(WitnessedError::Cosignature(_))));
}

/// A simple model: a tree of groups, evaluated by recursion.
enum Model {
    Witness(u8),
    Group(usize, Vec<Model>),
}

impl Model {
    fn of(seed: u64, next: &mut u8, depth: u32) -> Self {
        if depth == 0 || seed.is_multiple_of(3) {
            *next += 1;
            return Self::Witness(*next);
        }
        let members: Vec<Self> = (0..1 + seed % 4)
            .map(|n| Self::of(seed.rotate_left(11).wrapping_mul(n + 7), next, depth - 1))
            .collect();
        Self::Group(1 + (seed >> 7) as usize % members.len(), members)
    }

    fn reached(&self, cosigned: u64) -> bool {
        match self {
            Self::Witness(seed) => cosigned >> (seed % 64) & 1 == 1,
            Self::Group(threshold, members) => {
                members.iter().filter(|member| member.reached(cosigned)).count() >= *threshold
            }
        }
    }

    fn write(&self, text: &mut String, groups: &mut u32) -> String {
        match self {
            Self::Witness(seed) => {
                writeln!(text, "witness n{seed} {}", witness(*seed)).unwrap();
                format!("n{seed}")
            }
            Self::Group(threshold, members) => {
                let names: Vec<String> = members.iter().map(|member| member.write(text, groups)).collect();
                *groups += 1;
                writeln!(text, "group g{groups} {threshold} {}", names.join(" ")).unwrap();
                format!("g{groups}")
            }
        }
    }
}

proptest! {
    #[test]
    fn the_quorum_is_what_a_simple_model_says(seed in any::<u64>(), cosigned in any::<u64>()) {
        let mut count = 0;
        let model = Model::of(seed, &mut count, 3);
        let (mut text, mut groups) = (String::new(), 0);
        let quorum = model.write(&mut text, &mut groups);
        writeln!(text, "quorum {quorum}").unwrap();
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let given: Vec<Cosignature> = (1..=count).filter(|seed| cosigned >> (seed % 64) & 1 == 1).map(cosignature).collect();
        let result = policy.evaluate(&given);
        assert_eq!(result.is_ok(), model.reached(cosigned), "{text}");
        if let Err(error) = result {
            // Who is named as missing would do.
            let mut all = given;
            let named = policy.witnesses().iter().filter(|w| error.missing.contains(&format!("`{}`", w.name)));
            all.extend(named.map(|w| Cosignature { witness: w.key.name().to_owned(), key_id: w.key.public().key_id().clone(), timestamp_s: 1 }));
            policy.evaluate(&all).unwrap();
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..2000) {
        let _ = Policy::parse(&bytes);
        let text = example();
        let _ = Policy::parse(&text.as_bytes()[..cut.min(text.len())]);
    }
}

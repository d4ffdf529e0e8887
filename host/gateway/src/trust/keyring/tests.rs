use std::os::unix::fs::PermissionsExt as _;

use pg_logstats_audit::dsse::{countersign, seal};
use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;

const TYPE: &str = "application/vnd.pg-logstats.test+json";
const NOW_US: i64 = 1_800_000_000_000_000; // 2027-01-15T08:00:00Z

fn entry(name: &str, key: &PrivateKey, rest: &str) -> String {
    let pem = key.public().to_pem().unwrap();
    format!("[[keys]]\nname = \"{name}\"\npublic_key = \"\"\"\n{pem}\"\"\"\n{rest}\n")
}

fn ring(text: &str) -> Keyring {
    Keyring::parse("trust.toml", text).unwrap()
}

fn signed(key: &PrivateKey) -> Envelope {
    seal(key, TYPE, b"{}").unwrap()
}

fn code(ring: &Keyring, envelope: &Envelope) -> &'static str {
    match ring.open(envelope, TYPE, Role::Approver, NOW_US) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

#[test]
fn only_keys_with_the_role_and_in_their_time_count() {
    let key = PrivateKey::generate().unwrap();
    let envelope = signed(&key);
    for (rest, expected) in [
        ("roles = [\"approver\"]", "ok"),
        ("roles = [\"catalogue\", \"approver\"]", "ok"),
        ("roles = [\"catalogue\", \"author\", \"release\"]", "key_role"),
        (
            "roles = [\"approver\"]\nrevoked_at = \"2027-01-15T07:00:00Z\"",
            "key_revoked",
        ),
        // Whatever the clock says: it was signed by whoever has the key by now.
        (
            "roles = [\"approver\"]\nrevoked_at = \"2028-01-15T07:00:00Z\"\nrevoked_because = \"lost\"",
            "key_revoked",
        ),
        ("roles = [\"approver\"]\nnot_before = \"2027-01-15T08:00:00Z\"", "ok"),
        (
            "roles = [\"approver\"]\nnot_before = \"2027-01-15T08:00:01Z\"",
            "key_not_valid",
        ),
        ("roles = [\"approver\"]\nnot_after = \"2027-01-15T08:00:01Z\"", "ok"),
        (
            "roles = [\"approver\"]\nnot_after = \"2027-01-15T08:00:00Z\"",
            "key_not_valid",
        ),
    ] {
        assert_eq!(code(&ring(&entry("alice", &key, rest)), &envelope), expected, "{rest}");
    }
    let opened = ring(&entry("alice", &key, "roles = [\"approver\"]"))
        .open(&envelope, TYPE, Role::Approver, NOW_US)
        .unwrap();
    assert_eq!((opened.name.as_str(), &opened.key_id), ("alice", key.key_id()));
    assert_eq!(opened.payload, b"{}");
}

#[test]
fn what_was_changed_or_signed_by_others_does_not_open() {
    let key = PrivateKey::generate().unwrap();
    let other = PrivateKey::generate().unwrap();
    let ring = ring(&entry("alice", &key, "roles = [\"approver\"]"));
    assert_eq!(code(&ring, &signed(&other)), "unknown_key");
    assert_eq!(code(&Keyring::default(), &signed(&key)), "unknown_key");
    let with = |change: &dyn Fn(&mut Envelope)| {
        let mut envelope = signed(&key);
        change(&mut envelope);
        code(&ring, &envelope)
    };
    assert_eq!(with(&|it| it.payload = "e30K".to_owned()), "unverified");
    assert_eq!(with(&|it| it.payload_type.push('x')), "unverified");
    assert_eq!(
        with(&|it| it.signatures[0].sig.replace_range(0..4, "AAAA")),
        "unverified"
    );
    assert_eq!(with(&|it| it.payload = "e30".to_owned()), "malformed");
    assert_eq!(with(&|it| it.signatures[0].sig.push('=')), "malformed");
    assert_eq!(with(&|it| it.signatures.push(it.signatures[0].clone())), "malformed");
    assert_eq!(with(&|it| it.signatures.clear()), "malformed");
    // Another's signature under our key's name.
    assert_eq!(
        with(&|it| it.signatures[0].sig = signed(&other).signatures[0].sig.clone()),
        "unverified"
    );
    // A statement of another kind, properly signed.
    let foreign = seal(&key, "application/vnd.pg-logstats.intent+json", b"{}").unwrap();
    assert_eq!(code(&ring, &foreign), "wrong_type");
}

#[test]
fn of_several_signatures_one_that_counts_is_enough_and_a_wrong_one_spoils_all() {
    let author = PrivateKey::generate().unwrap();
    let approver = PrivateKey::generate().unwrap();
    let text =
        entry("author", &author, "roles = [\"catalogue\"]") + &entry("approver", &approver, "roles = [\"approver\"]");
    let mut envelope = signed(&author);
    countersign(&mut envelope, &approver).unwrap();
    assert_eq!(
        ring(&text).open(&envelope, TYPE, Role::Approver, NOW_US).unwrap().name,
        "approver"
    );
    envelope.signatures[0].sig = envelope.signatures[1].sig.clone();
    assert_eq!(code(&ring(&text), &envelope), "unverified");
}

#[test]
fn a_trust_store_that_makes_no_sense_does_not_load_and_says_where() {
    let key = PrivateKey::generate().unwrap();
    let other = PrivateKey::generate().unwrap();
    let roles = "roles = [\"approver\"]";
    let good = entry("alice", &key, roles);
    let private = key.to_pem().unwrap().to_string();
    for (text, says) in [
        (good.clone() + "limit = 3\n", "unknown field `limit`"),
        (format!("{good}\n[policy]\n"), "unknown field `policy`"),
        (format!("{good}\n[[rules]]\nrunbook = \"*\"\n"), "missing field `needs`"),
        (
            format!(
                "{good}\n[[rules]]\nrunbook = \"*\"\nneeds = \"author\"\n[[rules]]\nrunbook = \"*\"\nneeds = \"1 of bob\"\n"
            ),
            "rule 2, field `needs`: no key is called `bob`",
        ),
        (good.replace("approver", "admin"), "unknown variant `admin`"),
        (good.replace("[\"approver\"]", "[]"), "field `roles`"),
        (
            good.replace("[\"approver\"]", "[\"approver\", \"approver\"]"),
            "each once",
        ),
        (good.replace(roles, ""), "missing field `roles`"),
        (good.replace("\"alice\"", "\"\""), "field `name`"),
        (good.replace("\"alice\"", "\"a b\""), "field `name`"),
        (good.clone() + &entry("alice", &other, roles), "another key has it"),
        (good.clone() + &entry("bob", &key, roles), "is that of `alice`"),
        (good.clone() + "not_before = \"soon\"\n", "field `not_before`"),
        (good.clone() + "not_after = 2027-01-01\n", "line "),
        (
            good.clone() + "not_before = \"2027-01-01T00:00:00Z\"\nnot_after = \"2027-01-01T00:00:00Z\"\n",
            "not after `not_before`",
        ),
        (
            good.replace(&key.public().to_pem().unwrap(), &private),
            "field `public_key`",
        ),
    ] {
        let error = Keyring::parse("trust.toml", &text).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("trust.toml"), "{says}: {error}");
        assert!(
            !error.contains(private.lines().nth(1).unwrap()),
            "shows a private key: {error}"
        );
    }
}

#[test]
fn a_trust_store_that_others_could_have_written_is_refused() {
    let key = PrivateKey::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Keyring::load(Some(folder.path())).unwrap(), Keyring::default());
    let file = folder.path().join(TRUST_FILE);
    std::fs::write(&file, entry("alice", &key, "roles = [\"approver\"]")).unwrap();
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    set(&file, 0o644);
    assert!(Keyring::load(Some(folder.path())).unwrap().named("alice").is_some());
    for mode in [0o664, 0o646] {
        set(&file, mode);
        let error = Keyring::load(Some(folder.path())).unwrap_err().to_string();
        assert!(
            error.contains("others can write") && error.contains("chmod go-w"),
            "{error}"
        );
    }
    set(&file, 0o644);
    set(folder.path(), 0o777);
    let error = Keyring::load(Some(folder.path())).unwrap_err().to_string();
    assert!(error.contains("others can write"), "{error}");
    set(folder.path(), 0o755);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::rename(&file, elsewhere.path().join(TRUST_FILE)).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join(TRUST_FILE), &file).unwrap();
    assert!(Keyring::load(Some(folder.path())).is_err(), "a link is not followed");
}

#[test]
fn a_holder_with_an_old_and_a_new_key_is_one_signer() {
    let (old, new) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let ben = PrivateKey::generate().unwrap();
    let roles = "roles = [\"approver\"]\n";
    let text = entry("ana", &old, &format!("{roles}not_after = \"2027-02-01T00:00:00Z\"\n"))
        + &entry("ana", &new, roles)
        + &entry("ben", &ben, roles)
        + "[[rules]]\nrunbook = \"*\"\nneeds = \"2 approver\"\n";
    let ring = ring(&text);
    let mut envelope = signed(&old);
    countersign(&mut envelope, &new).unwrap();
    let judge = |envelope: &Envelope, now_us| {
        let signers = ring.signers(envelope, TYPE, now_us).unwrap().signers;
        let names: Vec<String> = signers.iter().map(|it| it.name.clone()).collect();
        (
            names,
            ring.judge("locks", &semver::Version::new(1, 0, 0), &signers).is_ok(),
        )
    };
    assert_eq!(judge(&envelope, NOW_US), (vec!["ana".to_owned()], false));
    countersign(&mut envelope, &ben).unwrap();
    assert_eq!(
        judge(&envelope, NOW_US),
        (vec!["ana".to_owned(), "ben".to_owned()], true)
    );
    // The old key's time is over; the new one's signature still counts.
    let later = NOW_US + 60 * 86_400_000_000;
    assert!(judge(&envelope, later).1);
    let mut only_old = signed(&old);
    countersign(&mut only_old, &ben).unwrap();
    assert!(!judge(&only_old, later).1);
}

use std::os::unix::fs::PermissionsExt as _;

use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;

const HAND: &str = "# our keys\n\n[[rules]] # for all\nrunbook = \"*\"\nneeds = \"author\"\n";

fn folder(text: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(text) = text {
        std::fs::write(folder.path().join(TRUST_FILE), text).unwrap();
    }
    folder
}

fn grant<'a>(name: &'a str, roles: &'a [Role]) -> Grant<'a> {
    Grant {
        name,
        roles,
        not_before: None,
        not_after: None,
    }
}

fn change(
    folder: &tempfile::TempDir,
    change: impl FnOnce(&mut TrustFile) -> Result<(), EditError>,
) -> Result<Keyring, EditError> {
    let mut file = TrustFile::begin(Some(folder.path()))?;
    change(&mut file)?;
    let keyring = file.checked()?;
    file.write()?;
    assert_eq!(Keyring::load(Some(folder.path())).unwrap(), keyring);
    Ok(keyring)
}

fn text(folder: &tempfile::TempDir) -> String {
    std::fs::read_to_string(folder.path().join(TRUST_FILE)).unwrap()
}

#[test]
fn what_people_wrote_stays() {
    let folder = folder(Some(HAND));
    let ana = PrivateKey::generate().unwrap();
    let keyring = change(&folder, |file| {
        file.trust(&grant("ana", &[Role::Author, Role::Release]), ana.public())
    })
    .unwrap();
    assert_eq!(keyring.named("ana"), Some(ana.public()));
    assert!(text(&folder).starts_with(HAND), "{}", text(&folder));
    assert!(
        text(&folder).contains("roles = [\"author\", \"release\"]"),
        "{}",
        text(&folder)
    );
    assert!(
        text(&folder).contains("\"\"\"\n-----BEGIN PUBLIC KEY-----\n"),
        "{}",
        text(&folder)
    );
    let mode = std::fs::metadata(folder.path().join(TRUST_FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o022, 0);
}

#[test]
fn a_first_key_makes_the_file() {
    let folder = folder(None);
    let ana = PrivateKey::generate().unwrap();
    let from = "2027-01-01T00:00:00Z".parse().unwrap();
    let until = "2028-01-01T00:00:00Z".parse().unwrap();
    let bounded = Grant {
        not_before: Some(from),
        not_after: Some(until),
        ..grant("ana", &[Role::Author])
    };
    let keyring = change(&folder, |file| file.trust(&bounded, ana.public())).unwrap();
    assert!(
        text(&folder).starts_with(&format!("{HEADER}[[keys]]\n")),
        "{}",
        text(&folder)
    );
    let [view] = keyring.views(0).try_into().unwrap();
    assert_eq!(view.not_before.as_deref(), Some("2027-01-01T00:00:00Z"));
    assert_eq!(view.not_after.as_deref(), Some("2028-01-01T00:00:00Z"));
    assert!(!view.counts);
}

#[test]
fn a_rotation_ends_the_old_key_and_a_revocation_every_one() {
    let folder = folder(Some(HAND));
    let (old, new) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    change(&folder, |file| file.trust(&grant("ana", &[Role::Author]), old.public())).unwrap();
    let until: Timestamp = "2027-02-01T00:00:00Z".parse().unwrap();
    let rotate = |who: &str| change(&folder, |file| file.rotate(who, new.public(), until).map(|_| ()));
    let unknown = rotate("ann").unwrap_err();
    assert!(matches!(unknown, EditError::Unknown { .. }), "{unknown}");
    let views = rotate("ana").unwrap().views(0);
    assert_eq!(views.len(), 2);
    assert_eq!(views[0].not_after.as_deref(), Some("2027-02-01T00:00:00Z"));
    assert_eq!(
        (views[1].key_id.as_str(), views[1].roles.as_slice()),
        (new.key_id().as_str(), &[Role::Author][..])
    );
    assert!(views.iter().all(|view| view.counts && view.name == "ana"));
    // One key, by its id; then what is left of the holder.
    let id = old.key_id().to_string();
    let at: Timestamp = "2027-01-15T00:00:00Z".parse().unwrap();
    let revoke = |what: &str| change(&folder, |file| file.revoke(what, "lost \"it\"", at).map(|_| ()));
    let counts = |keyring: Keyring| keyring.views(0).iter().map(|view| view.counts).collect::<Vec<_>>();
    assert_eq!(counts(revoke(&id).unwrap()), [false, true]);
    assert_eq!(counts(revoke("ana").unwrap()), [false, false]);
    // Once more changes nothing.
    let before = text(&folder);
    assert_eq!(counts(revoke("ana").unwrap()), [false, false]);
    assert_eq!(text(&folder), before);
    let mut file = TrustFile::begin(Some(folder.path())).unwrap();
    let Ok(Revoked::Before(keys)) = file.revoke(&id, "another reason", at) else {
        panic!("it is revoked already")
    };
    let known: Vec<_> = keys.iter().map(|it| (&it.key.key_id, it.reason.as_str())).collect();
    assert_eq!(known, [(&id, "lost \"it\"")]);
    drop(file);
    let none = revoke("ann").unwrap_err();
    assert!(none.to_string().contains("there are: none"), "{none}");
    assert!(
        text(&folder).contains(r#"revoked_because = 'lost "it"'"#),
        "{}",
        text(&folder)
    );
}

#[test]
fn what_would_not_load_is_not_written() {
    let folder = folder(Some(HAND));
    let (ana, ben) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    change(&folder, |file| file.trust(&grant("ana", &[Role::Author]), ana.public())).unwrap();
    let before = text(&folder);
    for (name, key, roles) in [
        ("a b", &ben, &[Role::Author][..]),
        ("ben", &ana, &[Role::Author]),
        ("ben", &ben, &[]),
        ("ben", &ben, &[Role::Author, Role::Author]),
        // Two keys of one holder, neither of which has an end.
        ("ana", &ben, &[Role::Author]),
    ] {
        let error = change(&folder, |file| file.trust(&grant(name, roles), key.public())).unwrap_err();
        assert!(matches!(error, EditError::Keyring(_)), "{error}");
        assert_eq!(text(&folder), before);
    }
    std::fs::write(folder.path().join(TRUST_FILE), "keys = []\n").unwrap();
    let error = change(&folder, |file| file.trust(&grant("ben", &[Role::Author]), ben.public())).unwrap_err();
    assert!(matches!(error, EditError::Shape { .. }), "{error}");
}

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use ed25519_dalek::SigningKey;

use super::{
    FileKey, KeyError, PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, PrivateKey, PublicKey, SignError, Signer, TrustedKeys,
    sign_with,
};

/// A key from a number, for tests.
pub(crate) struct MemoryKey {
    key: SigningKey,
    public: PublicKey,
}

impl MemoryKey {
    pub(crate) fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::new(key.verifying_key()).unwrap();
        Self { key, public }
    }
}

impl Signer for MemoryKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(sign_with(&self.key, message))
    }
}

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_vkey_of_the_specification() {
    // The example key of c2sp.org/signed-note, "PeterNeumann".
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let encoded = "GlzZBxQ8OExB6DDFvOEqqIF+xWSaqr8sMTiLNbLXRNY=";
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
    let key = PublicKey::new(key).unwrap();
    assert_eq!(key.vkey("PeterNeumann"), vkey);
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let signature = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, signature).unwrap();
    assert_eq!(signature[..4], key.note_key_hash("PeterNeumann"));
    assert!(key.verifies(note.as_bytes(), &signature[4..]));
    assert!(!key.verifies(b"another text", &signature[4..]));
}

#[test]
fn a_key_is_made_once_and_loaded_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(FileKey::load(&dir(folder.path())), Err(KeyError::Missing)));
    let made = FileKey::load_or_create(&dir(folder.path())).unwrap();
    let loaded = FileKey::load_or_create(&dir(folder.path())).unwrap();
    assert_eq!(made.public(), loaded.public());
    assert_eq!(mode(&folder.path().join(PRIVATE_KEY_FILE)), 0o600);
    assert_eq!(mode(&folder.path().join(PUBLIC_KEY_FILE)), 0o444);
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "a temporary file is left");
    let pem = std::fs::read_to_string(folder.path().join(PUBLIC_KEY_FILE)).unwrap();
    assert_eq!(PublicKey::from_pem(&pem).unwrap(), *made.public());
}

#[test]
fn many_at_once_get_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let ids: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    FileKey::load_or_create(&dir(folder.path()))
                        .unwrap()
                        .key_id()
                        .to_string()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    FileKey::load_or_create(&dir(folder.path())).unwrap();
    let path = folder.path().join(PRIVATE_KEY_FILE);
    for open in [0o640, 0o604, 0o620, 0o644] {
        set_mode(&path, open);
        let error = FileKey::load_or_create(&dir(folder.path())).unwrap_err();
        assert!(
            matches!(error, KeyError::TooOpen { mode, .. } if mode == open),
            "{error}"
        );
    }
    assert!(
        FileKey::load(&dir(folder.path()))
            .unwrap_err()
            .to_string()
            .contains("chmod 600 signing-key.pem")
    );
    set_mode(&path, 0o400);
    FileKey::load(&dir(folder.path())).unwrap();
}

#[test]
fn a_link_a_folder_a_pipe_and_nonsense_are_no_keys() {
    let elsewhere = tempfile::tempdir().unwrap();
    FileKey::load_or_create(&dir(elsewhere.path())).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(PRIVATE_KEY_FILE);
    let load = || FileKey::load_or_create(&dir(folder.path())).unwrap_err();

    std::os::unix::fs::symlink(elsewhere.path().join(PRIVATE_KEY_FILE), &path).unwrap();
    assert!(matches!(load(), KeyError::NotAFile { .. }), "{}", load());
    std::fs::remove_file(&path).unwrap();

    std::fs::create_dir(&path).unwrap();
    assert!(matches!(load(), KeyError::NotAFile { .. }), "{}", load());
    std::fs::remove_dir(&path).unwrap();

    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(matches!(load(), KeyError::NotAFile { .. }), "{}", load());
    std::fs::remove_file(&path).unwrap();

    for nonsense in [
        &b""[..],
        b"\xff\xfe",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    ] {
        std::fs::write(&path, nonsense).unwrap();
        set_mode(&path, 0o600);
        assert!(matches!(load(), KeyError::Malformed { .. }), "{}", load());
    }
    std::fs::write(&path, [b'x'; 5000]).unwrap();
    assert!(matches!(load(), KeyError::Io { .. }), "{}", load());
}

#[test]
fn a_public_file_of_another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    FileKey::load_or_create(&dir(folder.path())).unwrap();
    let path = folder.path().join(PUBLIC_KEY_FILE);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, MemoryKey::new(9).public().to_pem().unwrap()).unwrap();
    assert!(matches!(FileKey::load(&dir(folder.path())), Err(KeyError::Mismatch)));
    std::fs::write(&path, "no key").unwrap();
    assert!(matches!(FileKey::load(&dir(folder.path())), Err(KeyError::Public(_))));
}

#[test]
fn a_key_of_small_order_is_refused() {
    let identity = ed25519_dalek::VerifyingKey::from_bytes(&{
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    });
    assert!(PublicKey::new(identity.unwrap()).is_err());
}

#[test]
fn a_key_given_twice_counts_once() {
    let key = MemoryKey::new(1).public().clone();
    assert_eq!(TrustedKeys::new([key.clone(), key.clone()]), TrustedKeys::from(key));
}

#[test]
fn a_persons_key_is_written_and_read_and_never_shown() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let read = PrivateKey::from_pem(&format!("{}\n\n", pem.as_str())).unwrap();
    assert_eq!(read.key_id(), key.key_id());
    assert!(key.public().verifies(b"text", &read.sign(b"text").unwrap()));
    assert_ne!(key.key_id(), PrivateKey::generate().unwrap().key_id());
    assert_eq!(format!("{key:?}"), format!("PrivateKey({})", key.key_id()));
    let public = key.public().to_pem().unwrap();
    for wrong in ["", "x", public.as_str()] {
        assert!(
            matches!(PrivateKey::from_pem(wrong), Err(super::PrivateKeyError::Pem { .. })),
            "{wrong}"
        );
    }
}

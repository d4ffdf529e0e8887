//! A private key in a file of ours.

use std::io;

use cap_std::fs::{Dir, MetadataExt};
use ed25519_dalek::SigningKey;

use super::{PublicKey, PublicKeyError, SignError, Signer, private_pem, read_private_pem, sign_with};
use crate::files::{DirFiles, FileLayer};

/// Name of the private key in its folder: PKCS#8 PEM, mode 0600.
pub const PRIVATE_KEY_FILE: &str = "signing-key.pem";
/// Name of the public key beside it: SPKI PEM, mode 0444. This is the file to hand to an auditor.
pub const PUBLIC_KEY_FILE: &str = "public-key.pem";

/// A PEM key is some 120 bytes; whatever is longer is no key.
const MAX_KEY_BYTES: u64 = 4096;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The private key is not there.
    #[error(
        "the signing key `{PRIVATE_KEY_FILE}` is missing: restore it from the operator's backup, or name in the configuration who holds it (`audit.signer`)"
    )]
    Missing,
    /// Someone else can read or write the private key.
    #[error(
        "the signing key `{file}` has mode {mode:04o}: others can read or change it; if nobody did, run `chmod 600 {file}`, else replace the key"
    )]
    TooOpen {
        /// Name of the file.
        file: &'static str,
        /// Its permission bits.
        mode: u32,
    },
    /// The private key belongs to another user.
    #[error(
        "the signing key `{file}` belongs to user id {owner}, and this process runs as {user}: run as the owner of the workspace"
    )]
    Owner {
        /// Name of the file.
        file: &'static str,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// A link, a folder, a pipe or a device stands where the key should be.
    #[error("`{file}` is not a plain file (a link, for example): put the key itself there")]
    NotAFile {
        /// Name of the file.
        file: &'static str,
    },
    /// The file holds no ed25519 private key.
    #[error(
        "`{file}` is not an ed25519 private key in PKCS#8 PEM form: {reason}; `openssl genpkey -algorithm ed25519` writes one"
    )]
    Malformed {
        /// Name of the file.
        file: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// The public key file belongs to another private key.
    #[error(
        "`{PUBLIC_KEY_FILE}` is not the public half of `{PRIVATE_KEY_FILE}`: restore the pair that belongs together"
    )]
    Mismatch,
    /// The public half is unusable.
    #[error("`{PUBLIC_KEY_FILE}`: {0}")]
    Public(#[from] PublicKeyError),
    /// The operating system gave no random bytes.
    #[error("no random bytes for a new key: {reason}")]
    Random {
        /// What the operating system says.
        reason: String,
    },
    /// A file operation failed.
    #[error("cannot {doing} `{file}`: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Name of the file.
        file: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
}

/// A signer whose private key is a file.
pub struct FileKey {
    key: SigningKey,
    public: PublicKey,
}

impl FileKey {
    /// Loads the key of a folder, making one first when there is none. Several processes may do so at once: one key wins. A public key
    /// alone says that there was one, or that another process holds it: that is [`KeyError::Missing`].
    pub fn load_or_create(dir: &Dir) -> Result<Self, KeyError> {
        match Self::load(dir) {
            Err(KeyError::Missing) if files(dir, "open", PUBLIC_KEY_FILE)?.stat(PUBLIC_KEY_FILE).is_err() => {
                create(dir)?;
                Self::load(dir)
            }
            other => other,
        }
    }

    /// Loads the key of a folder, and writes the public half beside it if it is missing.
    pub fn load(dir: &Dir) -> Result<Self, KeyError> {
        let key = read_private(dir)?;
        let public = PublicKey::new(key.verifying_key())?;
        let files = files(dir, "open", PRIVATE_KEY_FILE)?;
        match files.read(PUBLIC_KEY_FILE, MAX_KEY_BYTES) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                if PublicKey::from_pem(&text)? != public {
                    return Err(KeyError::Mismatch);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                place(&files, PUBLIC_KEY_FILE, public.to_pem()?.as_bytes(), 0o444)?;
            }
            Err(error) => return Err(failed("read", PUBLIC_KEY_FILE)(error)),
        }
        Ok(Self { key, public })
    }
}

impl Signer for FileKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(sign_with(&self.key, message))
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileKey({})", self.public.key_id())
    }
}

fn create(dir: &Dir) -> Result<(), KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeyError::Random {
        reason: error.to_string(),
    })?;
    let key = SigningKey::from_bytes(&seed);
    let pem = private_pem(&key).map_err(|error| KeyError::Malformed {
        file: PRIVATE_KEY_FILE,
        reason: error.to_string(),
    })?;
    place(
        &files(dir, "open", PRIVATE_KEY_FILE)?,
        PRIVATE_KEY_FILE,
        pem.as_bytes(),
        0o600,
    )
}

/// Puts a whole file in place at once: under a random temporary name first, then linked unless the name is taken by then.
fn place(files: &DirFiles, name: &'static str, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| KeyError::Random {
        reason: error.to_string(),
    })?;
    let temporary = format!(".{name}.{:016x}", u64::from_le_bytes(random));
    let linked = files
        .create(&temporary, bytes, mode)
        .and_then(|()| match files.link(&temporary, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    let removed = match files.remove(&temporary) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    linked
        .and(removed)
        .and_then(|()| files.sync_dir(""))
        .map_err(failed("write", name))
}

fn read_private(dir: &Dir) -> Result<SigningKey, KeyError> {
    let file = PRIVATE_KEY_FILE;
    let files = files(dir, "open", file)?;
    let (bytes, metadata) = match files.read_with_metadata(file, MAX_KEY_BYTES) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing),
        Err(error) if crate::files::is_not_plain(&error) => return Err(KeyError::NotAFile { file }),
        Err(error) => return Err(failed("read", file)(error)),
    };
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::TooOpen { file, mode });
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user && metadata.uid() != 0 {
        return Err(KeyError::Owner {
            file,
            owner: metadata.uid(),
            user,
        });
    }
    let pem = std::str::from_utf8(&bytes).map_err(|_| KeyError::Malformed {
        file,
        reason: "it is not text".to_owned(),
    })?;
    read_private_pem(pem).map_err(|error| KeyError::Malformed {
        file,
        reason: error.to_string(),
    })
}

fn files(dir: &Dir, doing: &'static str, file: &'static str) -> Result<DirFiles, KeyError> {
    dir.try_clone().map(DirFiles::new).map_err(failed(doing, file))
}

fn failed(doing: &'static str, file: &'static str) -> impl Fn(io::Error) -> KeyError {
    move |source| KeyError::Io { doing, file, source }
}

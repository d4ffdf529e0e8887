//! Keys: ed25519, PKCS#8 and SPKI PEM files that OpenSSL reads and writes, and the trait behind which a signer stands.
//!
//! **In**: key files in a folder handed in, or public keys as PEM. **Out**: a [`Signer`], [`PublicKey`]s and the set of
//! [`TrustedKeys`] that verification takes. **Trusted**: a private key file only when it is a plain file that belongs to us
//! (or root) and that nobody else can read. **Can fail**: [`KeyError`] when loading, [`SignError`] when signing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::Serialize;

use crate::digest::Digest;

mod file;
mod verifier;

pub use file::{FileKey, KeyError, PRIVATE_KEY_FILE, PUBLIC_KEY_FILE};
pub(crate) use verifier::Verifier;

/// Name of a key: lower-case hex of the SHA-256 of its SPKI DER, as `openssl pkey -pubin -outform DER | sha256sum` prints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An ed25519 public key with its id.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    key_id: KeyId,
}

/// Why bytes are no usable public key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The text is not an ed25519 SPKI PEM block.
    #[error(
        "not an ed25519 public key in PEM form (`-----BEGIN PUBLIC KEY-----`): {reason}; `openssl pkey -pubout` writes one"
    )]
    Pem {
        /// What the decoder says.
        reason: String,
    },
    /// The key is one of the few for which anybody can make signatures.
    #[error("the public key is of small order: anybody can sign for it, so it is refused")]
    Weak,
    /// The key cannot be written as DER.
    #[error("the public key has no SPKI form: {reason}")]
    Encoding {
        /// What the encoder says.
        reason: String,
    },
}

impl PublicKey {
    /// Takes a key that was decoded before.
    pub fn new(key: VerifyingKey) -> Result<Self, PublicKeyError> {
        if key.is_weak() {
            return Err(PublicKeyError::Weak);
        }
        let der = key.to_public_key_der().map_err(|error| PublicKeyError::Encoding {
            reason: error.to_string(),
        })?;
        Ok(Self {
            key,
            key_id: KeyId(Digest::of(der.as_bytes()).to_string()),
        })
    }

    /// Reads SPKI PEM.
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        let key = VerifyingKey::from_public_key_pem(pem.trim_end())
            .or_else(|_| VerifyingKey::from_public_key_pem(pem))
            .map_err(|error| PublicKeyError::Pem {
                reason: error.to_string(),
            })?;
        Self::new(key)
    }

    /// The SPKI PEM form.
    pub fn to_pem(&self) -> Result<String, PublicKeyError> {
        let pem = self.key.to_public_key_pem(LineEnding::LF);
        pem.map_err(|error| PublicKeyError::Encoding {
            reason: error.to_string(),
        })
    }

    /// The id of this key.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` is this key's over `message`. Strict: malleable and small-order variants do not verify.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    /// The four bytes by which a signed note names this key under `name` (C2SP signed-note, type 0x01).
    pub fn note_key_hash(&self, name: &str) -> [u8; 4] {
        let Digest([a, b, c, d, ..]) = Digest::of_parts(&[name.as_bytes(), b"\n", &[1], self.as_bytes()]);
        [a, b, c, d]
    }

    /// The text form that C2SP tools take as a verifier key: `name+hash+base64(0x01 ‖ key)`.
    pub fn vkey(&self, name: &str) -> String {
        let hash = u32::from_be_bytes(self.note_key_hash(name));
        let mut typed = vec![1];
        typed.extend_from_slice(self.as_bytes());
        format!("{name}+{hash:08x}+{}", STANDARD.encode(typed))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id)
    }
}

/// The public keys that a reader accepts signatures of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedKeys(Vec<PublicKey>);

impl TrustedKeys {
    /// A set of keys; a key given twice counts once.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut trusted = Self::default();
        keys.into_iter().for_each(|key| trusted.insert(key));
        trusted
    }

    /// Adds a key.
    pub fn insert(&mut self, key: PublicKey) {
        if !self.0.contains(&key) {
            self.0.push(key);
        }
    }

    /// The keys, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    /// The key that an envelope names, if it is trusted.
    pub(crate) fn by_hex(&self, key_id: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.key_id.as_str() == key_id)
    }
}

impl From<PublicKey> for TrustedKeys {
    fn from(key: PublicKey) -> Self {
        Self(vec![key])
    }
}

/// Holder of a private key: a file of ours, or whatever else can sign bytes.
pub trait Signer: Send + Sync {
    /// Id of the key that signs.
    fn key_id(&self) -> &KeyId {
        self.public().key_id()
    }

    /// The public half.
    fn public(&self) -> &PublicKey;

    /// The ed25519 signature over `message`.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// The signer could not sign: nothing is recorded, so nothing may be done.
#[derive(Debug, thiserror::Error)]
#[error("the key `{key_id}` could not sign: {reason}")]
pub struct SignError {
    /// Which key.
    pub key_id: KeyId,
    /// Why, in the signer's words.
    pub reason: String,
}

/// A private key of a person, who signs what the host only verifies: approvals and packs.
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

/// Why there is no private key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// The text is not an ed25519 PKCS#8 PEM block.
    #[error(
        "not an ed25519 private key in PKCS#8 PEM form: {reason}; `pg-logstats key generate` or `openssl genpkey -algorithm ed25519` writes one"
    )]
    Pem {
        /// What the decoder says.
        reason: String,
    },
    /// Its public half is unusable.
    #[error(transparent)]
    Public(#[from] PublicKeyError),
    /// The operating system gave no random bytes.
    #[error("no random bytes for a new key: {reason}")]
    Random {
        /// What the operating system says.
        reason: String,
    },
}

impl PrivateKey {
    /// Makes a key of random bytes of the operating system.
    pub fn generate() -> Result<Self, PrivateKeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| PrivateKeyError::Random {
            reason: error.to_string(),
        })?;
        Self::of(SigningKey::from_bytes(&seed))
    }

    /// Reads PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        let key = read_private_pem(pem.trim_end())
            .or_else(|_| read_private_pem(pem))
            .map_err(|error| PrivateKeyError::Pem {
                reason: error.to_string(),
            })?;
        Self::of(key)
    }

    /// The PKCS#8 PEM form. Whoever has it can sign: it goes into a file of mode 0600 and nowhere else.
    pub fn to_pem(&self) -> Result<impl std::ops::Deref<Target = String>, PrivateKeyError> {
        private_pem(&self.key).map_err(|error| PrivateKeyError::Pem {
            reason: error.to_string(),
        })
    }

    fn of(key: SigningKey) -> Result<Self, PrivateKeyError> {
        let public = PublicKey::new(key.verifying_key())?;
        Ok(Self { key, public })
    }
}

impl Signer for PrivateKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(sign_with(&self.key, message))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public.key_id)
    }
}

/// PKCS#8 version 1, without the public half: OpenSSL before 3.5 does not read version 2.
fn private_pem(key: &SigningKey) -> Result<impl std::ops::Deref<Target = String>, ed25519_dalek::pkcs8::Error> {
    KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    }
    .to_pkcs8_pem(LineEnding::LF)
}

fn read_private_pem(pem: &str) -> Result<SigningKey, ed25519_dalek::pkcs8::Error> {
    SigningKey::from_pkcs8_pem(pem)
}

fn sign_with(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    key.sign(message).to_bytes()
}

#[cfg(test)]
pub(crate) mod tests;

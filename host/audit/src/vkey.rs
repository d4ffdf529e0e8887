//! Verifier keys: the text form of the public keys that sign notes (C2SP signed-note, "Verifier keys").
//!
//! **In**: `name+hash+base64(type ‖ key)`. **Out**: a [`LogKey`] (type 0x01, signs checkpoints) or a [`WitnessKey`] (type 0x04,
//! cosigns them), and back. **Trusted**: nothing; the hash is computed again. **Can fail**: [`VkeyError`].
//!
//! The two kinds are types of their own, because a signature of one kind must never count as one of the other. Only ed25519 is
//! known: a key of another type, ML-DSA-44 (0x06) for example, is an error where it is configured, and its signature lines in
//! a note are ignored, as the specification asks.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;

use crate::digest::Digest;
use crate::keys::{PublicKey, PublicKeyError};
use crate::note::{is_key_name, is_origin};

/// Signature type of a log: ed25519 over the text of the note.
const ED25519: u8 = 0x01;
/// Signature type of a witness: ed25519 with a time (C2SP tlog-cosignature).
const COSIGNATURE_V1: u8 = 0x04;

/// The key of a log, under the name (origin) of that log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    origin: String,
    key: PublicKey,
}

/// The key of a witness, under the name of that witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: PublicKey,
    key_hash: [u8; 4],
}

/// Why a text is no verifier key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VkeyError {
    /// It does not have the form.
    #[error("it is not of the form `name+hash+base64`: {reason}")]
    Form {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name cannot stand in a signature line.
    #[error("`{name}` cannot be the name of a key: it must have no spaces and no `+`, and a log's at most 255 bytes")]
    Name {
        /// The name.
        name: String,
    },
    /// A key for another kind of signature.
    #[error(
        "the key of `{name}` has the signature type {found:#04x}, and here {expected:#04x} is needed ({what}); other types are not supported"
    )]
    Type {
        /// The name of the key.
        name: String,
        /// The type it has.
        found: u8,
        /// The type needed.
        expected: u8,
        /// What that type is.
        what: &'static str,
    },
    /// The hash is not that of the name and the key.
    #[error("the hash of the key `{name}` is {computed} and not {stated}: a letter of it was changed")]
    Hash {
        /// The name of the key.
        name: String,
        /// What the text says.
        stated: String,
        /// What it must say.
        computed: String,
    },
    /// The key itself is unusable.
    #[error("the key of `{name}` is unusable: {source}")]
    Key {
        /// The name of the key.
        name: String,
        /// Why.
        source: PublicKeyError,
    },
}

impl LogKey {
    /// The key of the log of this origin.
    pub fn new(origin: &str, key: PublicKey) -> Result<Self, VkeyError> {
        if !is_origin(origin) {
            return Err(bad_name(origin));
        }
        Ok(Self {
            origin: origin.to_owned(),
            key,
        })
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key.
    pub fn public(&self) -> &PublicKey {
        &self.key
    }
}

impl WitnessKey {
    /// The key of the witness of this name.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, VkeyError> {
        if !is_key_name(name) {
            return Err(bad_name(name));
        }
        let key_hash = key_hash(name, COSIGNATURE_V1, &key);
        Ok(Self {
            name: name.to_owned(),
            key,
            key_hash,
        })
    }

    /// The name of the witness.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn public(&self) -> &PublicKey {
        &self.key
    }

    /// The four bytes that name the key in a signature line.
    pub(crate) fn key_hash(&self) -> [u8; 4] {
        self.key_hash
    }
}

impl FromStr for LogKey {
    type Err = VkeyError;

    fn from_str(vkey: &str) -> Result<Self, VkeyError> {
        let (name, key) = parse(vkey, ED25519, "a log's ed25519 signature")?;
        Self::new(name, key)
    }
}

impl FromStr for WitnessKey {
    type Err = VkeyError;

    fn from_str(vkey: &str) -> Result<Self, VkeyError> {
        let (name, key) = parse(vkey, COSIGNATURE_V1, "a witness's ed25519 cosignature")?;
        Self::new(name, key)
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key.vkey(&self.origin))
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![COSIGNATURE_V1];
        typed.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex(self.key_hash), STANDARD.encode(typed))
    }
}

/// Reads a verifier key of this type. The base64 part may have a `+` of its own, the name and the hash cannot.
fn parse<'a>(vkey: &'a str, expected: u8, what: &'static str) -> Result<(&'a str, PublicKey), VkeyError> {
    let form = |reason| VkeyError::Form { reason };
    let mut parts = vkey.splitn(3, '+');
    let (Some(name), Some(stated), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(form("it does not have three parts"));
    };
    if !is_key_name(name) {
        return Err(bad_name(name));
    }
    let typed = STANDARD
        .decode(encoded)
        .map_err(|_| form("its last part is not canonical base64"))?;
    let Some((found, key)) = typed.split_first() else {
        return Err(form("its last part is empty"));
    };
    let name_owned = || name.to_owned();
    if *found != expected {
        return Err(VkeyError::Type {
            name: name_owned(),
            found: *found,
            expected,
            what,
        });
    }
    let key = <&[u8; 32]>::try_from(key).map_err(|_| form("an ed25519 key has 32 bytes"))?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| form("its 32 bytes are no point of the curve"))?;
    let key = PublicKey::new(key).map_err(|source| VkeyError::Key {
        name: name_owned(),
        source,
    })?;
    let computed = hex(key_hash(name, expected, &key));
    if stated != computed {
        return Err(VkeyError::Hash {
            name: name_owned(),
            stated: stated.chars().take(16).flat_map(char::escape_debug).collect(),
            computed,
        });
    }
    Ok((name, key))
}

/// C2SP signed-note, "Signatures": the first four bytes of `SHA-256(name ‖ 0x0A ‖ type ‖ key)`.
fn key_hash(name: &str, signature_type: u8, key: &PublicKey) -> [u8; 4] {
    let Digest([a, b, c, d, ..]) = Digest::of_parts(&[name.as_bytes(), b"\n", &[signature_type], key.as_bytes()]);
    [a, b, c, d]
}

fn hex(key_hash: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(key_hash))
}

fn bad_name(name: &str) -> VkeyError {
    VkeyError::Name {
        name: name.chars().take(80).flat_map(char::escape_debug).collect(),
    }
}

#[cfg(test)]
mod tests;

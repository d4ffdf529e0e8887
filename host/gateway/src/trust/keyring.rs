//! The operator's trust store: whose signatures count, for what, and when.
//!
//! **In**: `trust.toml` in the configuration folder. **Out**: a [`Keyring`], which opens signed statements. **Trusted**: the file, when it
//! and its folder belong to us or to root and nobody else can write to them. No flag and no variable of ours names another one: whoever
//! calls the command could otherwise name the keys that he holds. **Can fail**: [`KeyringError`] while it is read, [`TrustError`] for a
//! signature that does not count; each has a code of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pg_logstats_audit::dsse::{self, DsseError, Envelope};
use pg_logstats_audit::keys::PublicKeyError;
use pg_logstats_audit::{KeyId, PublicKey, TrustedKeys};
use serde::{Deserialize, Serialize};

use crate::ambient::{self, OpenError};
use crate::config::without_source;
use crate::untrusted::escape_control;

/// Name of the trust store in the configuration folder.
pub const TRUST_FILE: &str = "trust.toml";
/// Largest trust store: some thousand keys.
const TRUST_BYTES: u64 = 1 << 20;
/// Longest name of a key's holder, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Approvals of single actions.
    Approver,
    /// Packs of catalogue actions.
    Catalogue,
    /// Runbook components.
    Runbook,
}

impl Role {
    /// The spelling in `trust.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approver => "approver",
            Self::Catalogue => "catalogue",
            Self::Runbook => "runbook",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the trust store cannot be used; the operator is to blame. Nothing runs under keys that were not read.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// It cannot be read, or others could have written it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Not TOML, or a word that this version does not know.
    #[error("trust store `{file}` does not load: {cause}")]
    Syntax {
        /// The file.
        file: String,
        /// Line and reason.
        cause: String,
    },
    /// A key that makes no sense.
    #[error("trust store `{file}`, key `{name}`, field `{field}`: {problem}")]
    Key {
        /// The file.
        file: String,
        /// The key's name, escaped.
        name: String,
        /// The field.
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The envelope is no envelope.
    #[error("{0}")]
    Malformed(DsseError),
    /// A signature of a key in the trust store does not verify.
    #[error("{0}")]
    Unverified(DsseError),
    /// No key of the trust store signed.
    #[error("{0}; the operator names trusted keys in `{TRUST_FILE}` of the configuration folder")]
    UnknownKey(DsseError),
    /// It is a statement of another kind.
    #[error("the signed statement is a `{found}`, not a `{expected}`")]
    WrongType {
        /// What was asked for.
        expected: &'static str,
        /// What it says, escaped and shortened.
        found: String,
    },
    /// The key may sign other things only.
    #[error("the key `{name}` has not the role `{role}` in `{TRUST_FILE}`")]
    Role {
        /// The key's name.
        name: String,
        /// The missing role.
        role: Role,
    },
    /// The key is not valid now.
    #[error("the key `{name}` is valid {when}; have it signed by one that is valid now")]
    KeyNotValidNow {
        /// The key's name.
        name: String,
        /// From or until when.
        when: String,
    },
}

impl TrustError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unverified(_) => "unverified",
            Self::UnknownKey(_) => "unknown_key",
            Self::WrongType { .. } => "wrong_type",
            Self::Role { .. } => "key_role",
            Self::KeyNotValidNow { .. } => "key_not_valid",
        }
    }
}

/// A key of the operator's trust store.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TrustedKey {
    name: String,
    key: PublicKey,
    roles: BTreeSet<Role>,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

/// Keys with their names, roles and times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    keys: Vec<TrustedKey>,
}

/// A statement that a trusted key with the right role has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// Id of the key that counts.
    pub key_id: KeyId,
    /// Its holder, as the operator calls him.
    pub name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRing {
    #[serde(default)]
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    name: String,
    public_key: String,
    roles: Vec<Role>,
    not_before: Option<String>,
    not_after: Option<String>,
}

impl Keyring {
    /// The trust store of the configuration folder `folder`; no keys when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be used.
    pub fn load(folder: Option<&Path>) -> Result<Self, KeyringError> {
        let Some(path) = folder.map(|folder| folder.join(TRUST_FILE)) else {
            return Ok(Self::default());
        };
        match ambient::read_operators_file(&path, "trust store", TRUST_BYTES) {
            Ok(bytes) => Self::parse(&path.display().to_string(), &String::from_utf8_lossy(&bytes)),
            Err(OpenError::Missing { .. }) => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the trust store `text` of `file`.
    ///
    /// # Errors
    /// When a word is unknown, a key is unusable, or two keys have one name or are one.
    pub fn parse(file: &str, text: &str) -> Result<Self, KeyringError> {
        let raw: RawRing = toml::from_str(text).map_err(|error| KeyringError::Syntax {
            file: file.to_owned(),
            cause: without_source(&error, text),
        })?;
        let mut ring = Self::default();
        for raw in raw.keys {
            let name = escape_control(&raw.name)
                .chars()
                .take(MAX_NAME_BYTES)
                .collect::<String>();
            let key = ring.checked(raw).map_err(|(field, problem)| KeyringError::Key {
                file: file.to_owned(),
                name,
                field,
                problem,
            })?;
            ring.keys.push(key);
        }
        Ok(ring)
    }

    /// Opens `envelope`, which has to be a statement of `payload_type`, signed by a key that has `role` at `now_us`.
    ///
    /// # Errors
    /// With the first reason why no signature counts.
    pub fn open(
        &self,
        envelope: &Envelope,
        payload_type: &'static str,
        role: Role,
        now_us: i64,
    ) -> Result<Opened, TrustError> {
        let all = TrustedKeys::new(self.keys.iter().map(|it| it.key.clone()));
        let opened = dsse::open(envelope, &all).map_err(|error| match error {
            DsseError::Untrusted { .. } => TrustError::UnknownKey(error),
            DsseError::BadSignature { .. } => TrustError::Unverified(error),
            error => TrustError::Malformed(error),
        })?;
        if opened.payload_type != payload_type {
            return Err(TrustError::WrongType {
                expected: payload_type,
                found: escape_control(&opened.payload_type).chars().take(80).collect(),
            });
        }
        let signers = opened
            .signers
            .iter()
            .filter_map(|id| self.keys.iter().find(|it| it.key.key_id() == id));
        let mut refused = None;
        for key in signers {
            match key.counts(role, now_us) {
                Ok(()) => {
                    return Ok(Opened {
                        payload: opened.payload,
                        key_id: key.key.key_id().clone(),
                        name: key.name.clone(),
                    });
                }
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        Err(refused.unwrap_or(TrustError::UnknownKey(DsseError::SignatureCount { count: 0 })))
    }

    /// The public key called `name`, if it is there.
    pub fn named(&self, name: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|it| it.name == name).map(|it| &it.key)
    }

    fn checked(&self, raw: RawKey) -> Result<TrustedKey, (&'static str, String)> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"@._-".contains(&b);
        if raw.name.is_empty() || raw.name.len() > MAX_NAME_BYTES || !raw.name.bytes().all(is_plain) {
            return Err((
                "name",
                format!("has to be 1 to {MAX_NAME_BYTES} letters, digits, `@`, `.`, `_` or `-`"),
            ));
        }
        if self.keys.iter().any(|it| it.name == raw.name) {
            return Err(("name", "another key has it, too".to_owned()));
        }
        let key =
            PublicKey::from_pem(&raw.public_key).map_err(|error: PublicKeyError| ("public_key", error.to_string()))?;
        if let Some(same) = self.keys.iter().find(|it| it.key == key) {
            return Err((
                "public_key",
                format!("is that of `{}`, too; one key has one holder", same.name),
            ));
        }
        let roles: BTreeSet<Role> = raw.roles.iter().copied().collect();
        if roles.is_empty() || roles.len() != raw.roles.len() {
            return Err((
                "roles",
                "has to list `approver`, `catalogue` or `runbook`, each once".to_owned(),
            ));
        }
        let not_before = instant("not_before", raw.not_before.as_deref())?;
        let not_after = instant("not_after", raw.not_after.as_deref())?;
        if let (Some(from), Some(until)) = (not_before, not_after)
            && from >= until
        {
            return Err(("not_after", "is not after `not_before`".to_owned()));
        }
        Ok(TrustedKey {
            name: raw.name,
            key,
            roles,
            not_before,
            not_after,
        })
    }
}

impl TrustedKey {
    fn counts(&self, role: Role, now_us: i64) -> Result<(), TrustError> {
        if !self.roles.contains(&role) {
            return Err(TrustError::Role {
                name: self.name.clone(),
                role,
            });
        }
        let not_valid = |when: String| TrustError::KeyNotValidNow {
            name: self.name.clone(),
            when,
        };
        if let Some(from) = self.not_before
            && now_us < from.as_microsecond()
        {
            return Err(not_valid(format!("from {from}")));
        }
        if let Some(until) = self.not_after
            && now_us >= until.as_microsecond()
        {
            return Err(not_valid(format!("until {until}")));
        }
        Ok(())
    }
}

fn instant(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, (&'static str, String)> {
    text.map(|text| {
        text.parse::<Timestamp>().map_err(|_| {
            (
                field,
                "is no RFC 3339 time; write it as \"2027-01-31T00:00:00Z\"".to_owned(),
            )
        })
    })
    .transpose()
}

/// The operator's folder on machines where agents run: nothing in the environment leads away from it.
pub const SYSTEM_FOLDER: &str = "/etc/pg-logstats";

/// The folder of `config.toml`, `trust.toml` and installed packs, whatever `--config` says: [`SYSTEM_FOLDER`] where there is one, else that
/// below the home directory.
pub fn operators_folder() -> Option<PathBuf> {
    let system = Path::new(SYSTEM_FOLDER);
    if system.exists() {
        return Some(system.to_owned());
    }
    ambient::default_config().and_then(|file| file.parent().map(Path::to_path_buf))
}

#[cfg(test)]
mod tests;

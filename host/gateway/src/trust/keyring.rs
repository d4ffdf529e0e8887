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
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::rules::{RawRule, Rule};
use crate::ambient::{self, OpenError};
use crate::config::without_source;
use crate::untrusted::escape_control;

/// Name of the trust store in the configuration folder.
pub const TRUST_FILE: &str = "trust.toml";
/// Largest trust store: some thousand keys.
pub(super) const TRUST_BYTES: u64 = 1 << 20;
/// Longest name of a key's holder, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runbooks, as those who wrote them.
    Author,
    /// Approvals of single actions, and runbooks, as those who reviewed them.
    Approver,
    /// Packs of catalogue actions.
    Catalogue,
    /// Runbooks, as those who publish them, and their revocations.
    Release,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Author, Self::Approver, Self::Catalogue, Self::Release];

    /// The spelling in `trust.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Catalogue => "catalogue",
            Self::Release => "release",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| {
            format!(
                "no role is called `{}`; there are: {}",
                escape_control(word),
                crate::listed(Self::ALL)
            )
        })
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
    /// A rule that makes no sense.
    #[error("trust store `{file}`, rule {number}, field `{field}`: {problem}")]
    Rule {
        /// The file.
        file: String,
        /// Which rule, from 1.
        number: usize,
        /// The field.
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
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
    /// The key was revoked.
    #[error(
        "the key `{name}` was revoked at {when}; nothing that it ever signed counts, so have it signed by another one"
    )]
    KeyRevoked {
        /// The key's name.
        name: String,
        /// When.
        when: String,
    },
    /// No rule of the trust store is about the runbook.
    #[error(
        "no rule of `{TRUST_FILE}` is about the runbook `{name}` {version}, so it is not trusted; a rule such as \
         [[rules]] runbook = \"{name}\" needs = \"author\" would say whose signatures it needs"
    )]
    NoRule {
        /// The runbook.
        name: String,
        /// Its version.
        version: String,
    },
    /// A rule asks for more signatures.
    #[error("the rule `{rule}` is not met: {found}")]
    Unmet {
        /// The rule.
        rule: String,
        /// Who signed, and what does not count of it.
        found: String,
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
            Self::KeyRevoked { .. } => "key_revoked",
            Self::NoRule { .. } => "no_rule",
            Self::Unmet { .. } => "rule_not_met",
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
    /// Since when it does not count, for whatever it signed: a signature does not say when it was made.
    revoked_at: Option<Timestamp>,
}

/// Keys with their names, roles and times, and the rules for runbooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    keys: Vec<TrustedKey>,
    rules: Vec<Rule>,
}

/// A key of the trust store that signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// Its holder, as the operator calls him.
    pub name: String,
    /// Its id.
    pub key_id: KeyId,
    /// What it may sign.
    pub roles: BTreeSet<Role>,
    /// Why it does not count now, if it does not.
    pub problem: Option<String>,
}

/// A statement whose signatures by keys of the trust store verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// At least one.
    pub signers: Vec<SignedBy>,
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
    #[serde(default)]
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    name: String,
    public_key: String,
    roles: Vec<Role>,
    not_before: Option<String>,
    not_after: Option<String>,
    revoked_at: Option<String>,
    /// For people.
    #[serde(rename = "revoked_because")]
    _revoked_because: Option<String>,
}

/// A key of the trust store, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedKeyView {
    /// Its holder, as the operator calls him.
    pub name: String,
    /// SHA-256 of its SPKI DER, in hex.
    pub key_id: String,
    /// What it may sign.
    pub roles: Vec<Role>,
    /// From when on it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Until when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// Since when nothing that it signed counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Whether it counts now.
    pub counts: bool,
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
        for (at, raw) in raw.rules.iter().enumerate() {
            let rule =
                Rule::new(raw, |name| ring.named(name).is_some()).map_err(|(field, problem)| KeyringError::Rule {
                    file: file.to_owned(),
                    number: at + 1,
                    field,
                    problem,
                })?;
            ring.rules.push(rule);
        }
        Ok(ring)
    }

    /// Its keys, as of `now_us`.
    pub fn views(&self, now_us: i64) -> Vec<TrustedKeyView> {
        let text = |at: &Option<Timestamp>| at.map(|at| at.to_string());
        let view = |key: &TrustedKey| TrustedKeyView {
            name: key.name.clone(),
            key_id: key.key.key_id().to_string(),
            roles: key.roles.iter().copied().collect(),
            not_before: text(&key.not_before),
            not_after: text(&key.not_after),
            revoked_at: text(&key.revoked_at),
            counts: key.is_valid(now_us).is_ok(),
        };
        self.keys.iter().map(view).collect()
    }

    /// Whether the rules let the runbook `name` `version` run that `signers` signed.
    ///
    /// # Errors
    /// When no rule is about it, or one of those that are is not met.
    pub fn judge(&self, name: &str, version: &Version, signers: &[SignedBy]) -> Result<(), TrustError> {
        let mut rules = self.rules.iter().filter(|rule| rule.is_about(name, version)).peekable();
        if rules.peek().is_none() {
            return Err(TrustError::NoRule {
                name: name.to_owned(),
                version: version.to_string(),
            });
        }
        rules.try_for_each(|rule| rule.judge(signers))
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
        let (payload, keys) = self.verified(envelope, payload_type)?;
        let mut refused = None;
        for key in keys {
            match key.counts(role, now_us) {
                Ok(()) => {
                    return Ok(Opened {
                        payload,
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

    /// Opens `envelope`, which has to be a statement of `payload_type`, and says who of the trust store signed it.
    ///
    /// # Errors
    /// When nobody did, or a signature by one of its keys does not verify.
    pub fn signers(&self, envelope: &Envelope, payload_type: &'static str, now_us: i64) -> Result<Signed, TrustError> {
        let (payload, keys) = self.verified(envelope, payload_type)?;
        let mut signers: Vec<SignedBy> = Vec::new();
        for key in keys {
            let signer = SignedBy {
                name: key.name.clone(),
                key_id: key.key.key_id().clone(),
                roles: key.roles.clone(),
                problem: key.is_valid(now_us).err().map(|error| error.to_string()),
            };
            // Who signed with two keys, an old and a new one, is one signer.
            match signers.iter_mut().find(|known| known.name == signer.name) {
                Some(known) if known.problem.is_some() => *known = signer,
                Some(_) => {}
                None => signers.push(signer),
            }
        }
        Ok(Signed { payload, signers })
    }

    /// The payload, and the keys of ours that signed it.
    fn verified(
        &self,
        envelope: &Envelope,
        payload_type: &'static str,
    ) -> Result<(Vec<u8>, Vec<&TrustedKey>), TrustError> {
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
        Ok((opened.payload, signers.collect()))
    }

    /// A public key of the holder called `name`, if there is one.
    pub fn named(&self, name: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|it| it.name == name).map(|it| &it.key)
    }

    fn checked(&self, raw: RawKey) -> Result<TrustedKey, (&'static str, String)> {
        check_name(&raw.name).map_err(|problem| ("name", problem))?;
        let has_an_end = raw.not_after.is_some() || raw.revoked_at.is_some();
        let endless = |it: &TrustedKey| it.not_after.is_none() && it.revoked_at.is_none();
        if !has_an_end && self.keys.iter().any(|it| it.name == raw.name && endless(it)) {
            return Err((
                "name",
                "another key has it, too, and neither has an end; who gets a new key has a `not_after` on the old one, as \
                 `pg-logstats key rotate` writes it"
                    .to_owned(),
            ));
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
                format!("has to list some of {}, each once", crate::listed(Role::ALL)),
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
            revoked_at: instant("revoked_at", raw.revoked_at.as_deref())?,
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
        self.is_valid(now_us)
    }

    fn is_valid(&self, now_us: i64) -> Result<(), TrustError> {
        // Whatever the clock says: who set this date has the key revoked now.
        if let Some(at) = self.revoked_at {
            return Err(TrustError::KeyRevoked {
                name: self.name.clone(),
                when: at.to_string(),
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

/// Whether a key's holder can be called `name`.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"@._-".contains(&b);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(is_plain) {
        return Err(format!(
            "has to be 1 to {MAX_NAME_BYTES} letters, digits, `@`, `.`, `_` or `-`"
        ));
    }
    // Commands take a name or a key's id.
    if name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("looks like the id of a key; take another name".to_owned());
    }
    Ok(())
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

//! Revocations: a component that must not run any more, whoever signed it.
//!
//! **In**: a digest and a reason, signed by a key that may say so; or a signed revocation of another host. **Out**: a file in the
//! operator's folder, which every action looks for. **Trusted**: to revoke, keys with the role `author`, `approver` or `release`; taking
//! trust away needs less than giving it. Once a file of that name is there, nothing is asked of it. **Can fail**: with
//! [`TrustError`] or [`RevocationError`].

use pg_logstats_audit::dsse::{self, DsseError, Envelope};
use pg_logstats_audit::{PrivateKey, Signer as _};
use serde::{Deserialize, Serialize};

use super::keyring::{Keyring, Role, TrustError};
use super::store::is_sha256;
use crate::untrusted::is_deceptive;

/// DSSE payload type of a revocation.
pub const PAYLOAD_TYPE: &str = "application/vnd.pg-logstats.revocation+json";
/// Version of the signed form.
pub const REVOCATION_VERSION: u32 = 1;
/// Longest reason, in characters.
pub const REASON_CHARS: usize = 200;
/// Who may revoke.
const ROLES: [Role; 3] = [Role::Author, Role::Approver, Role::Release];

/// That a component must not run any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// [`REVOCATION_VERSION`].
    pub revocation_version: u32,
    /// SHA-256 of the component, in hex.
    pub sha256: String,
    /// Why, for people.
    pub reason: String,
    /// When it was signed, RFC 3339.
    pub revoked_at: String,
}

/// Why there is no revocation.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// The payload is none.
    #[error("the signed statement is no revocation: {0}")]
    Malformed(String),
    /// It does not say why.
    #[error("say why with --reason, in one line of at most {REASON_CHARS} characters, all of which show")]
    Reason,
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] DsseError),
    /// Its signature does not count.
    #[error("the revocation does not count: {0}")]
    Trust(#[from] TrustError),
}

impl Revocation {
    /// That the component with `sha256` must not run any more, as of `now`.
    ///
    /// # Errors
    /// When the reason is none.
    pub fn new(sha256: &str, reason: &str, now: String) -> Result<Self, RevocationError> {
        if !is_one_line(reason) || reason.chars().count() > REASON_CHARS {
            return Err(RevocationError::Reason);
        }
        Ok(Self {
            revocation_version: REVOCATION_VERSION,
            sha256: sha256.to_owned(),
            reason: reason.to_owned(),
            revoked_at: now,
        })
    }

    /// Signs it, with a key that the operator lets revoke.
    ///
    /// # Errors
    /// When the key may not, or cannot sign.
    pub fn sign(&self, key: &PrivateKey, keys: &Keyring, now_us: i64) -> Result<Envelope, RevocationError> {
        let bytes = serde_json::to_vec(self).map_err(|e| RevocationError::Malformed(e.to_string()))?;
        let envelope = dsse::seal(key, PAYLOAD_TYPE, &bytes)?;
        Self::open(&envelope, keys, now_us).map_err(|error| match error {
            RevocationError::Trust(TrustError::UnknownKey(_)) => {
                RevocationError::Trust(TrustError::UnknownKey(DsseError::Untrusted {
                    keyids: vec![key.key_id().to_string()],
                }))
            }
            error => error,
        })?;
        Ok(envelope)
    }

    /// What `envelope` revokes.
    ///
    /// # Errors
    /// When nobody signed it who may.
    pub fn open(envelope: &Envelope, keys: &Keyring, now_us: i64) -> Result<Self, RevocationError> {
        let mut refused = None;
        for role in ROLES {
            match keys.open(envelope, PAYLOAD_TYPE, role, now_us) {
                Ok(opened) => return Self::parse(&opened.payload),
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        Err(refused
            .unwrap_or(TrustError::UnknownKey(DsseError::SignatureCount { count: 0 }))
            .into())
    }

    fn parse(payload: &[u8]) -> Result<Self, RevocationError> {
        let malformed = |what: &str| RevocationError::Malformed(what.to_owned());
        let revocation: Self =
            serde_json::from_slice(payload).map_err(|e| RevocationError::Malformed(e.to_string()))?;
        if revocation.revocation_version != REVOCATION_VERSION {
            return Err(malformed("it is of another version; install a newer pg-logstats"));
        }
        if !is_sha256(&revocation.sha256) {
            return Err(malformed("`sha256` is no SHA-256"));
        }
        Self::new(&revocation.sha256, &revocation.reason, revocation.revoked_at.clone())
    }
}

/// Whether `text` says something, in one line, and nothing else than it seems to say.
pub(crate) fn is_one_line(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(|c| c.is_control() || is_deceptive(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: i64 = 1_800_000_000_000_000;

    fn ring(key: &PrivateKey, role: &str) -> Keyring {
        let pem = key.public().to_pem().unwrap();
        let text = format!("[[keys]]\nname = \"ana\"\nroles = [\"{role}\"]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
        Keyring::parse("trust.toml", &text).unwrap()
    }

    #[test]
    fn who_may_sign_runbooks_may_revoke_them() {
        let key = PrivateKey::generate().unwrap();
        let revocation = Revocation::new(&"ab".repeat(32), "leaks names", "2027-01-15T08:00:00Z".to_owned()).unwrap();
        for role in ["author", "approver", "release"] {
            let envelope = revocation.sign(&key, &ring(&key, role), NOW_US).unwrap();
            assert_eq!(
                Revocation::open(&envelope, &ring(&key, role), NOW_US).unwrap(),
                revocation
            );
            let other = ring(&PrivateKey::generate().unwrap(), role);
            assert!(matches!(
                Revocation::open(&envelope, &other, NOW_US),
                Err(RevocationError::Trust(TrustError::UnknownKey(_)))
            ));
        }
        let refused = revocation.sign(&key, &ring(&key, "catalogue"), NOW_US).unwrap_err();
        assert!(
            matches!(refused, RevocationError::Trust(TrustError::Role { .. })),
            "{refused}"
        );
    }

    #[test]
    fn a_reason_is_one_line_and_a_digest_is_one() {
        for reason in [
            "",
            "  ",
            "two\nlines",
            "read \u{202e}backwards",
            &"x".repeat(REASON_CHARS + 1),
        ] {
            assert!(matches!(
                Revocation::new("", reason, String::new()),
                Err(RevocationError::Reason)
            ));
        }
        let key = PrivateKey::generate().unwrap();
        let ring = ring(&key, "release");
        for payload in [
            r#"{"revocation_version":2,"sha256":"","reason":"x","revoked_at":""}"#,
            r#"{"revocation_version":1,"sha256":"ab","reason":"x","revoked_at":""}"#,
            r#"{"revocation_version":1,"sha256":"../../x","reason":"x","revoked_at":""}"#,
            "{}",
        ] {
            let envelope = dsse::seal(&key, PAYLOAD_TYPE, payload.as_bytes()).unwrap();
            assert!(matches!(
                Revocation::open(&envelope, &ring, NOW_US),
                Err(RevocationError::Malformed(_))
            ));
        }
    }
}

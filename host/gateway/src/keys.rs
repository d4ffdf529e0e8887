//! `key`: key pairs of people, and whose keys count here.
//!
//! **In**: a path; the operator's `trust.toml`. **Out**: a private key in a new file of mode 0600, and its public half to print; a changed
//! trust store, and a record of the change. **Trusted**: a private key file only when nobody else can read it. **Can fail**: when the
//! file is there already, is no key, or is open to others. The private half is never printed.

use std::path::Path;

use jiff::SignedDuration;
pub use jiff::Timestamp;
use pg_logstats_audit::{PrivateKey, PublicKey, Signer as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::record::TrustChange;
use crate::report::SCHEMA_VERSION;
use crate::time::now_us;
pub use crate::trust::edit::Grant;
use crate::trust::edit::{Revoked, RevokedKey, TrustFile};
use crate::trust::keyring::TrustedKeyView;
use crate::trust::revocation::is_one_line;
use crate::trust::{Keyring, operators_folder};

const PRIVATE: &str = "private key";
const EITHER: &str = "key";
/// A PEM key is some 120 bytes; whatever is longer is no key.
const KEY_BYTES: u64 = 4096;

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyView {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// SHA-256 of its SPKI DER, in hex.
    pub key_id: String,
    /// SPKI PEM: what goes into `trust.toml`.
    pub public_key: String,
}

impl KeyView {
    fn new(key: &PublicKey) -> Result<Self, GatewayError> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            key_id: key.key_id().to_string(),
            public_key: pem(key)?,
        })
    }
}

/// `key` as SPKI PEM.
pub(crate) fn pem(key: &PublicKey) -> Result<String, GatewayError> {
    key.to_pem().map_err(|e| GatewayError::Internal(e.to_string()))
}

/// Makes a key pair; the private half goes to the new file `output`.
///
/// # Errors
/// When the file is there already or cannot be written.
pub fn generate(output: &Path) -> Result<KeyView, GatewayError> {
    let key = PrivateKey::generate().map_err(|e| GatewayError::Internal(e.to_string()))?;
    let pem = key.to_pem().map_err(|e| GatewayError::Internal(e.to_string()))?;
    ambient::write_new_file(output, PRIVATE, pem.as_bytes())?;
    KeyView::new(key.public())
}

/// The public half of the private or public key in `file`.
///
/// # Errors
/// When it is no key, or a private one that others can read.
pub fn show(file: &Path) -> Result<KeyView, GatewayError> {
    let bytes = ambient::read_file(file, EITHER, KEY_BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("PRIVATE KEY") {
        return KeyView::new(private(file)?.public());
    }
    let key = PublicKey::from_pem(&text).map_err(|e| GatewayError::Usage(format!("`{}` is {e}", file.display())))?;
    KeyView::new(&key)
}

/// The public key in `file`, which may be that of a private one.
pub(crate) fn public(file: &Path) -> Result<PublicKey, GatewayError> {
    PublicKey::from_pem(&show(file)?.public_key).map_err(|e| GatewayError::Internal(e.to_string()))
}

/// The keys of the operator's trust store.
///
/// # Errors
/// When it does not load.
pub fn list() -> Result<Vec<TrustedKeyView>, GatewayError> {
    Ok(Keyring::load(operators_folder().as_deref())?.views(now_us()))
}

/// Longest time that an old key counts beside its successor.
pub const MAX_OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 366);

/// How long an old key counts beside its successor: `7d`, at most a year.
///
/// # Errors
/// When the text is no such time.
pub fn overlap(text: &str) -> Result<SignedDuration, String> {
    let span: jiff::Span = text
        .parse()
        .map_err(|_| "is no time such as `7d` or `12h`".to_owned())?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span
        .to_duration(relative)
        .map_err(|_| "is no time such as `7d` or `12h`".to_owned())?;
    match (SignedDuration::ZERO..=MAX_OVERLAP).contains(&duration) {
        true => Ok(duration),
        false => Err("has to be 0 to 366 days".to_owned()),
    }
}

impl Gateway {
    /// Adds the key in `file` to the trust store.
    ///
    /// # Errors
    /// When the trust store would not load with it; then it is as it was.
    pub fn trust_key(&self, file: &Path, grant: &Grant<'_>) -> Result<Vec<TrustedKeyView>, GatewayError> {
        self.not_for_agents("key trust", "the operator chooses whose signatures count")?;
        let key = public(file)?;
        let mut file = TrustFile::begin(self.operator.as_deref())?;
        file.trust(grant, &key)?;
        self.change_trust(
            file,
            TrustChange::KeyTrusted {
                name: grant.name.to_owned(),
                key_id: key.key_id().to_string(),
                roles: grant.roles.to_vec(),
            },
            (grant.name, "trusted"),
        )
    }

    /// Gives `holder` (or the holder of the key with that id) the public key in `successor`; the old one counts for `overlap` yet.
    ///
    /// # Errors
    /// As [`Self::trust_key`].
    pub fn rotate_key(
        &self,
        holder: &str,
        successor: &Path,
        overlap: SignedDuration,
    ) -> Result<Vec<TrustedKeyView>, GatewayError> {
        self.not_for_agents("key rotate", "the operator chooses whose signatures count")?;
        let successor = public(successor)?;
        let not_after = Timestamp::now() + overlap;
        let mut file = TrustFile::begin(self.operator.as_deref())?;
        let old = file.rotate(holder, &successor, not_after)?;
        self.change_trust(
            file,
            TrustChange::KeyRotated {
                name: old.name,
                key_id: old.key_id,
                successor: successor.key_id().to_string(),
                not_after: not_after.to_string(),
            },
            (holder, "given another key"),
        )
    }

    /// Revokes the key with the id `what`, or all keys of the holder `what`: nothing that they ever signed counts any more.
    /// Those that are revoked already are recorded again, because the first time that may have failed.
    ///
    /// # Errors
    /// As [`Self::trust_key`]. When it could not be recorded it is in force, and the error says so.
    pub fn revoke_key(&self, what: &str, reason: &str) -> Result<Vec<TrustedKeyView>, GatewayError> {
        self.not_for_agents("key revoke", "the operator chooses whose signatures count")?;
        let reason = one_line(reason)?;
        let mut file = TrustFile::begin(self.operator.as_deref())?;
        let revoked = file.revoke(what, reason, Timestamp::now())?;
        let keyring = file.checked()?;
        let keys = match revoked {
            // In force first: that it cannot be recorded is no reason to let the key go on.
            Revoked::Now(keys) => {
                file.write()?;
                keys
            }
            Revoked::Before(keys) => keys,
        };
        self.seal_revoked(keys)?;
        Ok(keyring.views(now_us()))
    }

    /// Records each of `keys`, also those after one that cannot be.
    fn seal_revoked(&self, keys: Vec<RevokedKey>) -> Result<(), GatewayError> {
        let mut recorded = Ok(());
        for RevokedKey { key, reason } in keys {
            let sealed = self.seal_trust(TrustChange::KeyRevoked {
                name: key.name,
                key_id: key.key_id,
                reason,
            });
            recorded = recorded.and(sealed);
        }
        recorded.map_err(|error| {
            GatewayError::Uncountable(format!(
                "the key is revoked, but that could not be recorded ({error}); mend it and revoke the key again"
            ))
        })
    }

    /// Makes `change`, after which `name` is `done`.
    fn change_trust(
        &self,
        file: TrustFile,
        change: TrustChange,
        (name, done): (&str, &str),
    ) -> Result<Vec<TrustedKeyView>, GatewayError> {
        let keyring = file.checked()?;
        self.seal_then(change, name, done, || file.write())?;
        Ok(keyring.views(now_us()))
    }
}

/// A reason that somebody gave, if it says something in one line, and nothing else than it seems to say.
pub(crate) fn one_line(reason: &str) -> Result<&str, GatewayError> {
    match is_one_line(reason) && reason.len() <= 400 {
        true => Ok(reason),
        false => Err(GatewayError::Usage(
            "say why with --reason, in one line of at most 400 bytes, without characters that do not show".to_owned(),
        )),
    }
}

/// The private key in `file`.
///
/// # Errors
/// When it is no private key, or others can read it.
pub(crate) fn private(file: &Path) -> Result<PrivateKey, GatewayError> {
    let bytes = ambient::read_secret_file(file, PRIVATE, KEY_BYTES)?;
    PrivateKey::from_pem(&String::from_utf8_lossy(&bytes))
        .map_err(|e| GatewayError::Usage(format!("`{}` is {e}", file.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_pair_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alice.pem");
        let made = generate(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(show(&file).unwrap(), made);
        let public = folder.path().join("alice.pub");
        std::fs::write(&public, &made.public_key).unwrap();
        assert_eq!(show(&public).unwrap(), made);
        let secret = std::fs::read_to_string(&file).unwrap();
        assert!(
            !serde_json::to_string(&made)
                .unwrap()
                .contains(secret.lines().nth(1).unwrap())
        );
        let again = generate(&file).unwrap_err();
        assert!(again.to_string().contains("not overwritten"), "{again}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), secret);
    }

    #[test]
    fn a_reason_is_one_line_that_shows_all_of_itself() {
        for reason in [
            "",
            " ",
            "two\nlines",
            "left \u{202e}tsal",
            "zero\u{200b}width",
            &"x".repeat(401),
        ] {
            assert!(one_line(reason).is_err(), "{reason:?}");
        }
        assert_eq!(one_line("Zoë left").unwrap(), "Zoë left");
    }

    #[test]
    fn a_private_key_that_others_can_read_and_what_is_no_key_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alice.pem");
        generate(&file).unwrap();
        for mode in [0o640, 0o604] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            for error in [show(&file).unwrap_err(), private(&file).unwrap_err()] {
                assert!(error.to_string().contains("others can read it"), "{error}");
            }
        }
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(
            private(&file)
                .unwrap_err()
                .to_string()
                .contains("not an ed25519 private key")
        );
        std::fs::write(&file, "hello").unwrap();
        assert!(
            show(&file)
                .unwrap_err()
                .to_string()
                .contains("not an ed25519 public key")
        );
    }
}

//! `keys`: key pairs of people, for approvals and packs.
//!
//! **In**: a path. **Out**: a private key in a new file of mode 0600, and its public half to print. **Trusted**: a private key file only
//! when nobody else can read it. **Can fail**: when the file is there already, is no key, or is open to others. The private half is
//! never printed.

use std::path::Path;

use pg_logstats_audit::{PrivateKey, PublicKey, Signer as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::error::GatewayError;
use crate::report::SCHEMA_VERSION;

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
            public_key: key.to_pem().map_err(|e| GatewayError::Internal(e.to_string()))?,
        })
    }
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

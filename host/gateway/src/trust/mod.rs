//! Which components may run, and whose word counts for that.
//!
//! **In**: the operator's folder: `trust.toml`, and what is installed there. **Out**: who vouches for a component, or why nobody does.
//! Built-in runbooks are vouched for by this binary, which carries their digests; every other one needs the signatures that the
//! operator's rules ask for. **Trusted**: the operator's files, read again for each action. **Can fail**: closed.
//!
//! | module | what it knows |
//! |---|---|
//! | [`keyring`], `rules` | `trust.toml`: keys with roles, and what runbooks need |
//! | [`edit`] | how `trust.toml` is changed by commands |
//! | [`statement`] | what is signed about a runbook |
//! | [`bundle`] | how it is shipped |
//! | [`installed`] | which ones are installed, and verifying them |
//! | [`revocation`] | what must not run any more |
//! | [`store`] | the folders that packs and runbooks lie in |

use std::collections::BTreeMap;

pub mod bundle;
pub mod edit;
pub mod installed;
pub mod keyring;
pub mod revocation;
mod rules;
pub mod statement;
pub mod store;

pub use installed::RunbookTrustError;
pub use keyring::{Keyring, KeyringError, Role, SYSTEM_FOLDER, SignedBy, TRUST_FILE, TrustError, operators_folder};

/// Digests that are vouched for without a signature.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    signers: BTreeMap<[u8; 32], Vec<String>>,
}

/// Who vouches for what the binary carries.
pub const BUILTIN_SIGNER: &str = "builtin";

impl Trust {
    /// The built-in runbooks and nothing else.
    pub fn builtin() -> Self {
        let mut trust = Self::default();
        for builtin in pg_logstats_builtin::all() {
            trust.signers.insert(builtin.digest, vec![BUILTIN_SIGNER.to_owned()]);
        }
        trust
    }

    /// Also the component with `digest`, vouched for by `signer`. For embedders and tests; no command reaches it.
    #[must_use]
    pub fn with_pinned(mut self, digest: [u8; 32], signer: &str) -> Self {
        self.signers.entry(digest).or_default().push(signer.to_owned());
        self
    }

    /// Who vouches for the component with `digest`; none when nobody does.
    pub fn signers(&self, digest: &[u8; 32]) -> Option<&[String]> {
        self.signers.get(digest).map(Vec::as_slice)
    }
}

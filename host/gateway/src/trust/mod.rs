//! Which components may run.
//!
//! **In**: the digest of a component. **Out**: who vouches for it, or nobody. Built-in runbooks are vouched for by this binary, which
//! carries their digests; no other component runs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who vouches for which component.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    signers: BTreeMap<[u8; 32], Vec<String>>,
}

impl Trust {
    /// The built-in runbooks and nothing else.
    pub fn builtin() -> Self {
        let mut trust = Self::default();
        for builtin in pg_logstats_builtin::all() {
            trust.signers.insert(builtin.digest, vec!["builtin".to_owned()]);
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

/// A runbook that may run here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedRunbook {
    /// `triage WORKFLOW` runs it.
    pub workflow: String,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// Who vouches for it.
    pub signers: Vec<String>,
}

/// The runbooks that may run here.
pub fn trusted_runbooks() -> Vec<TrustedRunbook> {
    let trusted = |builtin: &pg_logstats_builtin::Builtin| TrustedRunbook {
        workflow: builtin.workflow.to_owned(),
        digest: format!("sha256:{}", crate::hex(&builtin.digest)),
        signers: vec!["builtin".to_owned()],
    };
    pg_logstats_builtin::all().iter().map(trusted).collect()
}

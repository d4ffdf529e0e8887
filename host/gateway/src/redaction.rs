//! The operator's choice of texts that are kept, as records name it.
//!
//! **In**: a [`Redaction`] of the log crate. **Out**: its digest, and what a person or an agent is shown of it.

use pg_logstats_logs::Redaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is kept of logs, and what not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionCheck {
    /// Classes of text that are kept.
    pub kept: Vec<String>,
    /// Classes of text that are removed before anything is written.
    pub removed: Vec<String>,
    /// SHA-256 of the choice, in hex, as records have it.
    pub digest: String,
}

impl From<&Redaction> for RedactionCheck {
    fn from(redaction: &Redaction) -> Self {
        Self {
            kept: redaction.kept().map(|class| class.name().to_owned()).collect(),
            removed: redaction.removed().map(|class| class.name().to_owned()).collect(),
            digest: digest(redaction),
        }
    }
}

/// SHA-256, in hex, of `pg-logstats redaction v1` and the words of the removed classes in order, each with a line end: an auditor can make it
/// by hand.
pub fn digest(redaction: &Redaction) -> String {
    let mut text = "pg-logstats redaction v1\n".to_owned();
    for class in redaction.removed() {
        text.push_str(class.name());
        text.push('\n');
    }
    crate::hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_words() {
        // printf 'pg-logstats redaction v1\ncredential\nparsing_error\nstatement_parameter\ntable_data\nunidentified\n' | sha256sum
        assert_eq!(digest(&Redaction::default()), DEFAULT);
        assert_ne!(digest(&Redaction::least()), DEFAULT);
    }

    const DEFAULT: &str = "1d620446d211c8571c7ec3400e11bc0bfcfe873083980f2e69c04e1ad6b09d66";
}

//! Which texts of a log are kept, by class.
//!
//! **In**: the classes that an operator keeps. **Out**: a [`Redaction`], applied to a [`Part`](crate::Part) before anything of it leaves this crate.
//! **Trusted**: yes. **Can fail**: where a class is to be kept that never is.
//!
//! The classes are those of pganalyze's `filter_log_secret`, which people who run PostgreSQL know. Three of them are never kept: what a log
//! holds of them stands in values, and normal forms and templates have none (see `normalise.rs` and `message/template.rs`).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What stands where a text was removed.
pub const REDACTED: &str = "[redacted]";

/// A kind of text that a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextClass {
    /// Passwords, connection strings, keys. Never kept.
    Credential,
    /// What a client sent and the server could not read, as errors quote it. Never kept.
    ParsingError,
    /// Statements without their values, and conditions of logged plans.
    StatementText,
    /// Values of statements: one statement as logged for each family, which EXPLAIN ANALYZE needs.
    StatementParameter,
    /// Rows, as constraint violations and COPY quote them. Never kept.
    TableData,
    /// Addresses of clients, and names of log files.
    Ops,
    /// Words of messages that are not the server's own: those of functions and extensions.
    Unidentified,
}

impl TextClass {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Credential,
        Self::ParsingError,
        Self::StatementText,
        Self::StatementParameter,
        Self::TableData,
        Self::Ops,
        Self::Unidentified,
    ];

    /// Its word in configurations and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::ParsingError => "parsing_error",
            Self::StatementText => "statement_text",
            Self::StatementParameter => "statement_parameter",
            Self::TableData => "table_data",
            Self::Ops => "ops",
            Self::Unidentified => "unidentified",
        }
    }

    /// Whether an operator may keep it.
    #[must_use]
    pub fn can_be_kept(self) -> bool {
        !matches!(self, Self::Credential | Self::ParsingError | Self::TableData)
    }
}

impl fmt::Display for TextClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a class cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedactionError {
    /// No class has this name.
    #[error("`{0}` is no class of text; these may be kept: {kept}", kept = Redaction::choices())]
    Unknown(String),
    /// What is of this class is never kept.
    #[error("`{0}` is never kept; these may be: {kept}", kept = Redaction::choices())]
    Never(TextClass),
}

impl FromStr for TextClass {
    type Err = RedactionError;

    fn from_str(word: &str) -> Result<Self, RedactionError> {
        let found = Self::ALL.into_iter().find(|class| class.name() == word);
        found.ok_or_else(|| RedactionError::Unknown(crate::bytes::escaped(word.as_bytes(), 80)))
    }
}

/// What is kept of a log, and what not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    kept: BTreeSet<TextClass>,
}

impl Default for Redaction {
    /// Statements without values, addresses and names of files: what a diagnosis needs and holds no data.
    fn default() -> Self {
        Self {
            kept: BTreeSet::from([TextClass::StatementText, TextClass::Ops]),
        }
    }
}

impl Redaction {
    /// Keeps all that may be kept.
    #[must_use]
    pub fn least() -> Self {
        Self {
            kept: TextClass::ALL.into_iter().filter(|class| class.can_be_kept()).collect(),
        }
    }

    /// Keeps these classes and no others.
    ///
    /// # Errors
    /// [`RedactionError::Never`].
    pub fn keeping(classes: impl IntoIterator<Item = TextClass>) -> Result<Self, RedactionError> {
        let kept: BTreeSet<TextClass> = classes.into_iter().collect();
        match kept.iter().find(|class| !class.can_be_kept()) {
            Some(class) => Err(RedactionError::Never(*class)),
            None => Ok(Self { kept }),
        }
    }

    /// Keeps values of statements, too.
    #[must_use]
    pub fn with_values(mut self) -> Self {
        self.kept.insert(TextClass::StatementParameter);
        self
    }

    /// Keeps no values of statements.
    #[must_use]
    pub fn without_values(mut self) -> Self {
        self.kept.remove(&TextClass::StatementParameter);
        self
    }

    /// Keeps what both keep.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            kept: self.kept.intersection(&other.kept).copied().collect(),
        }
    }

    /// Whether texts of this class stay.
    #[must_use]
    pub fn keeps(&self, class: TextClass) -> bool {
        self.kept.contains(&class)
    }

    /// The classes whose texts stay, in order.
    pub fn kept(&self) -> impl Iterator<Item = TextClass> + '_ {
        self.kept.iter().copied()
    }

    /// The classes whose texts are removed, in order.
    pub fn removed(&self) -> impl Iterator<Item = TextClass> + '_ {
        TextClass::ALL.into_iter().filter(|class| !self.keeps(*class))
    }

    /// The words that an operator may choose from.
    fn choices() -> String {
        let words = TextClass::ALL.into_iter().filter(|class| class.can_be_kept());
        words.map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_classes_are_never_kept() {
        for class in TextClass::ALL {
            let kept = Redaction::keeping([class]);
            assert_eq!(kept.is_ok(), class.can_be_kept(), "{class}");
            assert_eq!(class.name().parse(), Ok(class));
        }
        let never = Redaction::keeping([TextClass::Ops, TextClass::TableData]).unwrap_err();
        assert_eq!(
            never.to_string(),
            "`table_data` is never kept; these may be: `statement_text`, `statement_parameter`, `ops`, `unidentified`"
        );
        let unknown = "statement".parse::<TextClass>().unwrap_err().to_string();
        assert!(
            unknown.starts_with("`statement` is no class of text; these may be kept: "),
            "{unknown}"
        );
    }

    #[test]
    fn two_keep_what_both_keep() {
        let values = Redaction::keeping([TextClass::StatementParameter, TextClass::StatementText]).unwrap();
        let both = values.and(&Redaction::default());
        assert_eq!(both, Redaction::keeping([TextClass::StatementText]).unwrap());
        assert_eq!(both.removed().count(), 6);
    }
}

//! The words of the manifest as constants, so that a misspelt one does not compile.
//!
//! **In**: declarations by [`actions!`](crate::actions), [`reason_codes!`](crate::reason_codes), [`insights!`](crate::insights) and
//! [`workflows!`](crate::workflows). **Out**: one constant per word, and one list of all for the
//! [`DescriptorBuilder`](crate::DescriptorBuilder). The form of each word is checked when the runbook is compiled.

use crate::{ActionRequest, Binding, Dimensions, Subject};

/// An action of the host's catalogue that the runbook may request; made by [`actions!`](crate::actions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action(&'static str);

/// Why a finding is one; made by [`reason_codes!`](crate::reason_codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReasonCode(&'static str);

/// What an insight says; made by [`insights!`](crate::insights).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InsightId(&'static str);

/// A workflow that the runbook may send the agent to; made by [`workflows!`](crate::workflows).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workflow(&'static str);

impl Action {
    #[doc(hidden)]
    pub const fn declared(word: &'static str) -> Self {
        Self(word)
    }

    /// The catalogue's id.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// A request of this action with nothing bound yet.
    pub fn request(self) -> ActionRequest {
        ActionRequest {
            action: self.0.to_owned(),
            bindings: Vec::new(),
        }
    }
}

impl ReasonCode {
    #[doc(hidden)]
    pub const fn declared(word: &'static str) -> Self {
        Self(word)
    }

    /// The code.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl InsightId {
    #[doc(hidden)]
    pub const fn declared(word: &'static str) -> Self {
        Self(word)
    }

    /// The id.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Workflow {
    #[doc(hidden)]
    pub const fn declared(word: &'static str) -> Self {
        Self(word)
    }

    /// The workflow's name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl ActionRequest {
    /// Fills `parameter` from `subject`. Which of the subject's facts is used, the catalogue says.
    #[must_use]
    pub fn bind(mut self, parameter: &str, subject: &dyn Subject) -> Self {
        self.bindings.push(Binding {
            parameter: parameter.to_owned(),
            subject: subject.subject_id().to_owned(),
        });
        self
    }

    /// Fills the parameters `database`, `user` and `application_name` from `subject`, those of them that its `dimensions` have.
    /// With none of them the host will say that there is not enough to go by.
    #[must_use]
    pub fn bind_dimensions(self, subject: &dyn Subject, dimensions: &Dimensions) -> Self {
        let parameters = [
            ("database", &dimensions.database),
            ("user", &dimensions.user),
            ("application_name", &dimensions.application),
        ];
        let known = parameters.into_iter().filter(|(_, dimension)| dimension.is_some());
        known.fold(self, |request, (parameter, _)| request.bind(parameter, subject))
    }
}

/// Whether `word` is lower-case words joined by `joiner`, as the host wants it.
#[doc(hidden)]
pub const fn is_word(word: &str, joiner: u8) -> bool {
    let mut rest = word.as_bytes();
    if word.len() > 80 || !matches!(rest, [b'a'..=b'z', ..]) {
        return false;
    }
    while let [byte, tail @ ..] = rest {
        let dotted = joiner == b'.' && *byte == b'_';
        if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == joiner || dotted) {
            return false;
        }
        rest = tail;
    }
    true
}

/// Declares the catalogue actions that the runbook may request: one [`Action`] constant each, and `ACTIONS`, all of them.
///
/// ```
/// pg_logstats_sdk::actions! {
///     /// What the server counted for one statement.
///     STATISTICS = "query_family.pg_stat_statements.by_queryid";
///     EXPLAIN = "query_family.explain";
/// }
/// assert_eq!(ACTIONS, [STATISTICS, EXPLAIN]);
/// ```
///
/// ```compile_fail
/// pg_logstats_sdk::actions! { WRONG = "SELECT 1"; }
/// ```
#[macro_export]
macro_rules! actions {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)*) => {
        $crate::__words! { Action, ACTIONS, b'.', "an action id is lower-case words joined by `.` or `_`",
            "The catalogue actions that the runbook may request.", $($(#[$meta])* $name = $word;)* }
    };
}

/// Declares the reason codes of the findings: one [`ReasonCode`] constant each, and `REASON_CODES`, all of them.
///
/// ```
/// pg_logstats_sdk::reason_codes! { TOP_TOTAL_TIME = "top_total_time"; }
/// assert_eq!(REASON_CODES, [TOP_TOTAL_TIME]);
/// ```
#[macro_export]
macro_rules! reason_codes {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)*) => {
        $crate::__words! { ReasonCode, REASON_CODES, b'_', "a reason code is lower-case words joined by `_`",
            "The reason codes of the findings.", $($(#[$meta])* $name = $word;)* }
    };
}

/// Declares the insights: one [`InsightId`] constant each, and `INSIGHTS`, all of them.
///
/// ```
/// pg_logstats_sdk::insights! { LOCK_WAIT_DETECTED = "lock_wait_detected"; }
/// assert_eq!(INSIGHTS, [LOCK_WAIT_DETECTED]);
/// ```
#[macro_export]
macro_rules! insights {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)*) => {
        $crate::__words! { InsightId, INSIGHTS, b'_', "an insight id is lower-case words joined by `_`",
            "The insights.", $($(#[$meta])* $name = $word;)* }
    };
}

/// Declares the workflows that the runbook may send the agent to: one [`Workflow`] constant each, and `WORKFLOWS`, all of them.
///
/// ```
/// pg_logstats_sdk::workflows! { LOCKS = "locks"; }
/// assert_eq!(WORKFLOWS, [LOCKS]);
/// ```
#[macro_export]
macro_rules! workflows {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)*) => {
        $crate::__words! { Workflow, WORKFLOWS, b'-', "a workflow is lower-case words joined by `-`",
            "The workflows that the runbook may send the agent to.", $($(#[$meta])* $name = $word;)* }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __words {
    ($kind:ident, $all:ident, $joiner:literal, $rule:literal, $doc:literal, $($(#[$meta:meta])* $name:ident = $word:literal;)*) => {
        $(
            $(#[$meta])*
            #[doc = concat!("`", $word, "`")]
            pub const $name: $crate::$kind = $crate::$kind::declared($word);
            const _: () = assert!($crate::words::is_word($word, $joiner), concat!("`", $word, "`: ", $rule));
        )*
        #[doc = $doc]
        pub const $all: &[$crate::$kind] = &[$($name),*];
    };
}

#[cfg(test)]
mod tests {
    use super::is_word;

    #[test]
    fn words_are_checked_as_the_host_checks_them() {
        for (word, joiner) in [
            ("a", b'-'),
            ("a-b2", b'-'),
            ("query_family.explain", b'.'),
            ("io_wait", b'_'),
        ] {
            assert!(is_word(word, joiner), "{word}");
        }
        let long = "a".repeat(81);
        for (word, joiner) in [
            ("", b'-'),
            ("A", b'-'),
            ("2a", b'-'),
            ("a_b", b'-'),
            ("a-b", b'_'),
            ("a b", b'.'),
            (&long, b'_'),
        ] {
            assert!(!is_word(word, joiner), "{word}");
        }
    }
}

//! Text that somebody outside wrote: from a log or from a database.
//!
//! **In**: any string. **Out**: an object `{"untrusted": true, "text": "…"}` that can stand in a report: control characters
//! escaped, length capped. Nothing else in a report may hold such text.

use std::borrow::Cow;
use std::fmt::Write as _;

pub(crate) use pg_logstats_handoff::is_deceptive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest untrusted text in a report, in characters: enough for a statement to be recognised, too short to be a document.
pub const MAX_CHARS: usize = 2_000;

/// Text of unknown origin, made safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Untrusted {
    /// Always true: marks the object for whoever reads it.
    #[schemars(extend("const" = true))]
    untrusted: bool,
    /// The text, escaped and capped.
    text: String,
    /// How many characters were cut off, when any were.
    #[serde(default, skip_serializing_if = "is_zero")]
    truncated_chars: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Untrusted {
    /// Wraps `text`, capped at [`MAX_CHARS`].
    pub fn new(text: &str) -> Self {
        Self::capped(text, MAX_CHARS)
    }

    /// Wraps `text`, capped at `max_chars`.
    pub fn capped(text: &str, max_chars: usize) -> Self {
        let mut chars = text.chars();
        let kept: String = chars.by_ref().take(max_chars).collect();
        Self {
            untrusted: true,
            text: escape_control(&kept).into_owned(),
            truncated_chars: chars.count() as u64,
        }
    }

    /// Whether some of the text was cut off.
    pub fn is_truncated(&self) -> bool {
        self.truncated_chars > 0
    }

    /// The text, escaped and capped.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Writes control and deceptive characters as `\u{…}`.
pub fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_deceptive(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_or_reader_could_be_misled_by() {
        let shown = Untrusted::new("a\u{1b}[2Jb\u{202e}c\u{200b}d\0e\ttab\nline");
        assert_eq!(shown.text(), "a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{0}e\ttab\nline");
        // What shows nothing can spell a text for a program.
        let hidden = "t\u{e0141}\u{fe01}\u{3164}\u{115f}\u{61c}\u{ad}\u{2800}\u{206a}";
        assert!(Untrusted::new(hidden).text().is_ascii());
        assert_eq!(escape_control("größe 数量 naïve ñ …"), "größe 数量 naïve ñ …");
    }

    #[test]
    fn says_how_much_was_cut_and_counts_characters_not_bytes() {
        let shown = Untrusted::capped("ééééé", 3);
        assert_eq!(shown.text(), "ééé");
        assert_eq!(serde_json::to_value(&shown).unwrap()["truncated_chars"], 2);
    }
}

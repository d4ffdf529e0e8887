//! Text that is being written, and how texts stand in it: the host's escaped, others' as code.

use std::fmt::{Display, Write as _};

use crate::page::ITEMS;
use crate::text::{block, count, inline};

/// Text that is being written. Blocks are apart by an empty line.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    pub(super) fn line(&mut self, line: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    pub(super) fn paragraph(&mut self, text: impl Display) {
        self.line(text);
        self.text.push('\n');
    }

    pub(super) fn heading(&mut self, level: usize, text: impl Display) {
        self.paragraph(format_args!("{} {text}", "#".repeat(level)));
    }

    /// A list of one line each, or a word that there is nothing.
    pub(super) fn items(&mut self, all: usize, items: impl Iterator<Item = String>) {
        for item in items.take(ITEMS) {
            self.line(format_args!("- {item}"));
        }
        if all > ITEMS {
            self.line(format_args!(
                "- {} more are in the packet's JSON.",
                count((all - ITEMS) as u64)
            ));
        }
        if all == 0 {
            self.line("None.");
        }
        self.text.push('\n');
    }

    /// A block of text from outside or of ours, in a fence that is longer than any in it.
    pub(super) fn fence(&mut self, language: &str, text: &str) {
        let fence = "`".repeat(longest_run(text).max(2) + 1);
        self.line(format_args!("{fence}{language}"));
        self.line(text.trim_end_matches('\n'));
        self.paragraph(fence);
    }

    pub(super) fn outside_block(&mut self, label: &str, language: &str, text: &str) {
        self.paragraph(format_args!("{label} (text from outside):"));
        let (kept, left_out) = block(text);
        self.fence(language, &kept);
        if left_out > 0 {
            self.paragraph(format_args!(
                "Cut off here: {} more characters. Do not run it as it stands.",
                count(left_out as u64)
            ));
        }
    }

    pub(super) fn row(&mut self, cells: &[&str]) {
        self.line(format_args!("| {} |", cells.join(" | ")));
    }

    pub(super) fn table_head(&mut self, columns: &[&str]) {
        self.row(columns);
        self.row(&vec!["---"; columns.len()]);
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A text of the host's: what would be Markdown is escaped.
pub(super) fn words_of(text: &str) -> String {
    let text = inline(text);
    let mut out = String::with_capacity(text.len() + 8);
    let number_at_start = text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    for (at, c) in text.char_indices() {
        let begins_a_block = match c {
            '-' | '+' | '=' => at == 0,
            // `1. ` begins a list; `1.5` does not.
            '.' | ')' => {
                at > 0
                    && at == text.len() - number_at_start
                    && text
                        .get(at + 1..)
                        .is_none_or(|after| after.is_empty() || after.starts_with(' '))
            }
            _ => false,
        };
        // `://` and `www.` would be links where addresses are linked by themselves.
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at..).unwrap_or_default();
        let would_be_a_link = after.starts_with("://") || (c == '.' && before.to_ascii_lowercase().ends_with("www"));
        if begins_a_block || would_be_a_link || "\\`*_{}[]<>#|~&!$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text as code: nothing in it is Markdown, and it cannot end the span.
pub(super) fn code(text: &str) -> String {
    let text = inline(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A text from outside within a line.
pub(super) fn outside(text: &str) -> String {
    format!("outside: {}", code(text))
}

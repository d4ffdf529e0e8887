//! Plans of auto_explain: the query text, and the tree with its figures.
//!
//! **In**: a message `duration: … ms  plan:` and what follows. **Out**: a tree of typed nodes, conditions with their values as `?`.
//! **Trusted**: nothing; query text and values are the client's. A JSON plan is taken apart by a JSON parser, so nothing in it can imitate a node.
//! In a text plan a query or a value with a line end can: such a plan is told by having two roots, or a line with an odd number of quotes, and
//! its tree is not believed. **Can fail**: XML and YAML are counted, not read.

mod json;
mod text;

use std::borrow::Cow;

use crate::bytes::{at, from, line_end, slice};
use crate::evidence::{LoggedPlanNode, PlanFormat};

/// Behind `duration: 1.000 ms  plan:`; none when it is no such message.
fn body(message: &[u8]) -> Option<usize> {
    let line = line_end(message, 0);
    slice(message, 0, line).ends_with(b" ms  plan:").then_some(line + 1)
}

/// The form of a logged plan, and its query text where that can be told; none when the message is none of a plan.
pub(crate) fn head(message: &[u8]) -> Option<(PlanFormat, Option<Cow<'_, [u8]>>)> {
    let start = body(message)?;
    let rest = from(message, start);
    Some(match at(rest.trim_ascii_start(), 0) {
        b'{' => (
            PlanFormat::Json,
            json::query(rest).map(|query| query.into_bytes().into()),
        ),
        b'<' => (PlanFormat::Xml, None),
        _ if rest.starts_with(b"Query Text: \"") && memchr::memmem::find(rest, b"\nPlan:").is_some() => {
            (PlanFormat::Yaml, None)
        }
        _ => (PlanFormat::Text, text::query(message, start).map(Cow::Borrowed)),
    })
}

/// The nodes of a plan, parents before children; empty when they cannot be told.
pub(crate) fn nodes(message: &[u8], format: PlanFormat) -> Vec<LoggedPlanNode> {
    let Some(start) = body(message) else { return Vec::new() };
    match format {
        PlanFormat::Json => json::nodes(from(message, start)),
        PlanFormat::Text => text::nodes(message, start).unwrap_or_default(),
        PlanFormat::Xml | PlanFormat::Yaml => Vec::new(),
    }
}

/// Whether a text can be a node's type: the server has some fifty, of letters, blanks and a hyphen.
fn is_node_type(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b' ' || byte == b'-';
    text.len() <= 64 && text.bytes().all(plain) && text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase())
}

/// A name, cut.
fn name(name: &str) -> String {
    name.get(..name.floor_char_boundary(MAX_NAME_BYTES))
        .unwrap_or_default()
        .to_owned()
}

/// Longest condition kept.
const MAX_CONDITION_BYTES: usize = 512;
/// Longest name kept: two of the server's.
const MAX_NAME_BYTES: usize = 2 * 64;

/// A condition without its values; none where it is too long to be worth it.
fn condition(text: &[u8]) -> Option<String> {
    (!text.is_empty() && text.len() <= MAX_CONDITION_BYTES).then(|| crate::normalise::normalise(text).statement)
}

#[cfg(test)]
mod tests;

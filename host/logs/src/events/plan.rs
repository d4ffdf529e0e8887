//! Plans of auto_explain: the query text, and the tree with its figures.
//!
//! **In**: a message `duration: … ms  plan:` and what follows. **Out**: a tree of typed nodes, conditions with their values as `?`.
//! **Trusted**: nothing; query text and values are the client's. A JSON plan is taken apart by a JSON parser, so nothing in it can imitate a node.
//! In a text plan a query or a value with a line end can: such a plan is told by having two roots, or a line with an odd number of quotes, and
//! its tree is not believed. **Can fail**: XML and YAML are counted, not read.

mod json;
mod text;

use crate::bytes::{at, from, line_end, slice};
use crate::evidence::PlanFormat;
pub(crate) use json::query_text as json_query_text;

/// Where the parts of a logged plan are in its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) format: PlanFormat,
    /// Where the query text is; none when that cannot be told, or stands in JSON.
    pub(crate) query: Option<(usize, usize)>,
}

/// Behind `duration: 1.000 ms  plan:`; none when it is no such message.
fn body(message: &[u8]) -> Option<usize> {
    let line = line_end(message, 0);
    slice(message, 0, line).ends_with(b" ms  plan:").then_some(line + 1)
}

/// Takes a message apart.
pub(crate) fn parts(message: &[u8]) -> Option<Parts> {
    let start = body(message)?;
    let rest = from(message, start);
    let format = match at(rest.trim_ascii_start(), 0) {
        b'{' => PlanFormat::Json,
        b'<' => PlanFormat::Xml,
        _ if rest.starts_with(b"Query Text: \"") && memchr::memmem::find(rest, b"\nPlan:").is_some() => {
            PlanFormat::Yaml
        }
        _ => PlanFormat::Text,
    };
    let query = match format {
        PlanFormat::Text => text::query(message, start),
        _ => None,
    };
    Some(Parts { format, query })
}

/// The nodes of a plan, parents before children; empty when they cannot be told.
pub(crate) fn nodes(message: &[u8], format: PlanFormat) -> Vec<crate::evidence::LoggedPlanNode> {
    let Some(start) = body(message) else { return Vec::new() };
    match format {
        PlanFormat::Json => json::nodes(from(message, start)),
        PlanFormat::Text => text::nodes(message, start).unwrap_or_default(),
        PlanFormat::Xml | PlanFormat::Yaml => Vec::new(),
    }
}

/// The JSON of a plan's message.
pub(crate) fn json_body(message: &[u8]) -> &[u8] {
    body(message).map_or(b"", |start| from(message, start))
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

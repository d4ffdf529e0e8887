//! The manifest, checked by the host's rules, and its sentences.

use std::collections::{BTreeMap, BTreeSet};

use super::subjects::Subjects;
use super::{TestError, render};
use crate::words::is_word;
use crate::{Descriptor, Message, MessageTemplate, ValueKind};

/// Most entries of each list of a descriptor.
pub(super) const DESCRIPTOR_LIST: usize = 500;
/// Most characters of a message.
pub(super) const TEMPLATE_CHARS: usize = 400;

/// A descriptor that the host would take.
#[derive(Debug, Clone)]
pub(super) struct CheckedDescriptor {
    actions: BTreeSet<String>,
    workflows: BTreeSet<String>,
    reason_codes: BTreeSet<String>,
    insights: BTreeSet<String>,
    templates: BTreeMap<String, (Vec<String>, Vec<ValueKind>)>,
}

impl CheckedDescriptor {
    pub(super) fn new(raw: &Descriptor) -> Result<Self, TestError> {
        let is_version_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        if raw.version.is_empty() || raw.version.len() > 40 || !raw.version.chars().all(is_version_char) {
            return Err(TestError::breach(format!(
                "the version is not a semantic version: `{}`",
                raw.version
            )));
        }
        check_length("messages", raw.messages.len())?;
        let mut templates = BTreeMap::new();
        for template in &raw.messages {
            check_word("message id", &template.id, b'-')?;
            let parsed = (pieces(template)?, template.holes.clone());
            if templates.insert(template.id.clone(), parsed).is_some() {
                return Err(TestError::breach(format!("two messages have the id `{}`", template.id)));
            }
        }
        check_word("name", &raw.name, b'-')?;
        check_word("workflow", &raw.workflow, b'-')?;
        Ok(Self {
            actions: checked_words("actions", &raw.actions, b'.')?,
            workflows: checked_words("workflows", &raw.workflows, b'-')?,
            reason_codes: checked_words("reason codes", &raw.reason_codes, b'_')?,
            insights: checked_words("insights", &raw.insights, b'_')?,
            templates,
        })
    }

    pub(super) fn declares_action(&self, id: &str) -> bool {
        self.actions.contains(id)
    }

    pub(super) fn check_workflow(&self, name: &str) -> Result<(), TestError> {
        listed(&self.workflows, "workflow", name)
    }

    pub(super) fn check_reason_code(&self, code: &str) -> Result<(), TestError> {
        listed(&self.reason_codes, "reason code", code)
    }

    pub(super) fn check_insight(&self, id: &str) -> Result<(), TestError> {
        listed(&self.insights, "insight", id)
    }

    /// The sentence that `message` stands for.
    pub(super) fn render(&self, message: &Message, subjects: &Subjects) -> Result<String, TestError> {
        let id = &message.id;
        let Some((pieces, holes)) = self.templates.get(id) else {
            return Err(TestError::breach(format!(
                "the descriptor does not list the message `{id}`"
            )));
        };
        if holes.len() != message.values.len() {
            return Err(TestError::breach(format!(
                "the number of values is not the number of holes of message `{id}`"
            )));
        }
        let mut pieces = pieces.iter();
        let mut text = pieces.next().cloned().unwrap_or_default();
        for ((value, kind), piece) in message.values.iter().zip(holes).zip(pieces) {
            text.push_str(&render::value(value, *kind, id, subjects)?);
            text.push_str(piece);
        }
        Ok(text)
    }
}

fn listed(words: &BTreeSet<String>, what: &str, word: &str) -> Result<(), TestError> {
    if words.contains(word) {
        return Ok(());
    }
    Err(TestError::breach(format!(
        "the descriptor does not list the {what} `{word}`"
    )))
}

fn check_length(what: &str, length: usize) -> Result<(), TestError> {
    if length > DESCRIPTOR_LIST {
        return Err(TestError::breach(format!(
            "the descriptor lists {length} {what}, more than {DESCRIPTOR_LIST}"
        )));
    }
    Ok(())
}

fn check_word(what: &str, word: &str, joiner: u8) -> Result<(), TestError> {
    if is_word(word, joiner) {
        return Ok(());
    }
    let joiner = char::from(joiner);
    Err(TestError::breach(format!(
        "the {what} is not lower-case words joined by `{joiner}`: `{word}`"
    )))
}

fn checked_words(what: &str, words: &[String], joiner: u8) -> Result<BTreeSet<String>, TestError> {
    check_length(what, words.len())?;
    words.iter().try_for_each(|word| check_word(what, word, joiner))?;
    Ok(words.iter().cloned().collect())
}

/// The text between the holes.
fn pieces(template: &MessageTemplate) -> Result<Vec<String>, TestError> {
    let breach = |what: &str| TestError::breach(format!("{what} in message `{}`", template.id));
    if template.text.chars().count() > TEMPLATE_CHARS {
        return Err(breach("the text is too long"));
    }
    if template.text.chars().any(char::is_control) {
        return Err(breach("there is a control character"));
    }
    let mut pieces = vec![];
    let mut piece = String::new();
    let mut chars = template.text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('{', Some('}')) => {
                chars.next();
                pieces.push(std::mem::take(&mut piece));
            }
            ('{', Some('{')) | ('}', Some('}')) => piece.extend(chars.next()),
            ('{' | '}', _) => return Err(breach("there is a lone brace")),
            _ => piece.push(c),
        }
    }
    pieces.push(piece);
    if pieces.len() != template.holes.len() + 1 {
        return Err(breach("the holes of the text are not those of the list"));
    }
    Ok(pieces)
}

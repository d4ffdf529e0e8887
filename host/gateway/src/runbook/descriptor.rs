//! The checked manifest of a runbook, and the rendering of its messages.
//!
//! **In**: the raw descriptor of a trusted component. **Out**: [`CheckedDescriptor`], whose templates are one printable line each, and
//! sentences built from them. **Trusted**: template text, because the component's digest is; never a value that fills a hole,
//! which is why values are typed and subjects are shown by id alone. **Can fail**: with [`ContractBreach`], the runbook being to
//! blame.

use std::collections::{BTreeMap, BTreeSet};

use super::bindings::pg_logstats::runbook::types as wit;
use super::limits;
use crate::untrusted::escape_control;

/// A rule of the contract that a runbook broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ContractBreach(String);

impl ContractBreach {
    /// `what` is ours; `quoted` may be the guest's and is escaped and cut.
    pub(super) fn new(what: &str, quoted: &str) -> Self {
        let quoted = crate::untrusted::Untrusted::capped(quoted, 80);
        Self(format!("{what} `{}`", quoted.text().replace(['\n', '\t'], " ")))
    }

    pub(super) fn plain(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// What messages may refer to.
pub trait KnowsSubjects {
    /// Whether the host issued `id` in this run.
    fn knows(&self, id: &str) -> bool;
}

#[derive(Debug, Clone)]
struct Template {
    /// Text between the holes; one more than there are holes.
    pieces: Vec<String>,
    holes: Vec<wit::ValueKind>,
}

impl Template {
    /// Whether `sentence` has the text between the holes, in order.
    fn fits(&self, sentence: &str) -> bool {
        let [first, between @ .., last] = self.pieces.as_slice() else {
            return self.pieces.iter().all(|only| only == sentence);
        };
        let inner = sentence
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()));
        let rest = between.iter().try_fold(inner.unwrap_or_default(), |rest, piece| {
            rest.find(piece.as_str()).and_then(|at| rest.get(at + piece.len()..))
        });
        inner.is_some() && rest.is_some()
    }

    fn shown(&self) -> String {
        let mut text = String::new();
        let mut holes = self.holes.iter();
        for (position, piece) in self.pieces.iter().enumerate() {
            if position > 0
                && let Some(kind) = holes.next()
            {
                text.push_str(value_kind(*kind));
            }
            text.push_str(piece);
        }
        text
    }
}

/// A runbook's manifest after checking.
#[derive(Debug, Clone)]
pub struct CheckedDescriptor {
    name: String,
    version: String,
    workflow: String,
    actions: BTreeSet<String>,
    workflows: BTreeSet<String>,
    reason_codes: BTreeSet<String>,
    insights: BTreeSet<String>,
    templates: BTreeMap<String, Template>,
}

impl CheckedDescriptor {
    /// Checks `raw`.
    ///
    /// # Errors
    /// Names the first rule that is broken, and the entry that breaks it.
    pub fn new(raw: &wit::Descriptor) -> Result<Self, ContractBreach> {
        let version_is_plain = !raw.version.is_empty()
            && raw.version.len() <= 40
            && raw
                .version
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
        if !version_is_plain {
            return Err(ContractBreach::new(
                "the version is not a semantic version:",
                &raw.version,
            ));
        }
        let mut templates = BTreeMap::new();
        check_length("messages", raw.messages.len())?;
        for template in &raw.messages {
            check_word("message id", &template.id, '-')?;
            if templates
                .insert(template.id.clone(), parse_template(template)?)
                .is_some()
            {
                return Err(ContractBreach::new("two messages have the id", &template.id));
            }
        }
        check_word("name", &raw.name, '-')?;
        check_word("workflow", &raw.workflow, '-')?;
        Ok(Self {
            name: raw.name.clone(),
            version: raw.version.clone(),
            workflow: raw.workflow.clone(),
            actions: checked_words("action", &raw.actions, '.')?,
            workflows: checked_words("workflow", &raw.workflows, '-')?,
            reason_codes: checked_words("reason code", &raw.reason_codes, '_')?,
            insights: checked_words("insight", &raw.insights, '_')?,
            templates,
        })
    }

    /// The runbook's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The workflow that it serves.
    pub fn workflow(&self) -> &str {
        &self.workflow
    }

    /// Whether it may request the catalogue action `id`.
    pub fn declares_action(&self, id: &str) -> bool {
        self.actions.contains(id)
    }

    /// Whether it may send the agent to the workflow `name`.
    pub fn declares_workflow(&self, name: &str) -> bool {
        self.workflows.contains(name)
    }

    /// Whether `code` is one of its reason codes.
    pub fn declares_reason_code(&self, code: &str) -> bool {
        self.reason_codes.contains(code)
    }

    /// Whether `id` is one of its insights.
    pub fn declares_insight(&self, id: &str) -> bool {
        self.insights.contains(id)
    }

    /// The catalogue actions that it may request, in order.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// The workflows that it may send the agent to, in order.
    pub fn workflows(&self) -> impl Iterator<Item = &str> {
        self.workflows.iter().map(String::as_str)
    }

    /// Its reason codes.
    pub fn reason_codes(&self) -> impl Iterator<Item = &str> {
        self.reason_codes.iter().map(String::as_str)
    }

    /// Its insights.
    pub fn insights(&self) -> impl Iterator<Item = &str> {
        self.insights.iter().map(String::as_str)
    }

    /// Id and text of its messages; a hole shows as the kind of value that fills it.
    pub fn messages(&self) -> impl Iterator<Item = (&str, String)> {
        self.templates
            .iter()
            .map(|(id, template)| (id.as_str(), template.shown()))
    }

    /// Ids of the messages that `sentence` can have been rendered from.
    pub(crate) fn messages_that_fit(&self, sentence: &str) -> Vec<String> {
        let fits = self.templates.iter().filter(|(_, template)| template.fits(sentence));
        fits.map(|(id, _)| id.clone()).collect()
    }

    /// The sentence that `message` stands for.
    ///
    /// # Errors
    /// When the message is not declared, its holes are filled with the wrong kinds, or it names an unknown subject.
    pub(crate) fn render(
        &self,
        message: &wit::Message,
        subjects: &dyn KnowsSubjects,
    ) -> Result<String, ContractBreach> {
        let template = self
            .templates
            .get(&message.id)
            .ok_or_else(|| ContractBreach::new("the descriptor does not list the message", &message.id))?;
        if template.holes.len() != message.values.len() {
            return Err(ContractBreach::new(
                "the number of values is not the number of holes of message",
                &message.id,
            ));
        }
        let mut text = String::new();
        let mut values = message.values.iter().zip(&template.holes);
        for (position, piece) in template.pieces.iter().enumerate() {
            if position > 0
                && let Some((value, kind)) = values.next()
            {
                text.push_str(&render_value(value, *kind, &message.id, subjects)?);
            }
            text.push_str(piece);
        }
        Ok(text)
    }
}

/// A hole as people see it.
fn value_kind(kind: wit::ValueKind) -> &'static str {
    use wit::ValueKind;
    match kind {
        ValueKind::Count => "{count}",
        ValueKind::DurationUs => "{duration}",
        ValueKind::Bytes => "{bytes}",
        ValueKind::Ratio => "{ratio}",
        ValueKind::Subject => "{subject}",
        ValueKind::LockMode => "{lock_mode}",
        ValueKind::At => "{at}",
        ValueKind::Rate => "{rate}",
        ValueKind::CheckpointCause => "{checkpoint_cause}",
        ValueKind::CancelReason => "{cancel_reason}",
    }
}

fn check_length(what: &str, length: usize) -> Result<(), ContractBreach> {
    if length > limits::DESCRIPTOR_LIST {
        return Err(ContractBreach::plain(format!(
            "the descriptor lists {length} {what}, more than {}",
            limits::DESCRIPTOR_LIST
        )));
    }
    Ok(())
}

/// Lower-case words joined by `joiner`; `_` may always stand inside a word of an action id.
fn check_word(what: &str, word: &str, joiner: char) -> Result<(), ContractBreach> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joiner || (joiner == '.' && c == '_');
    let ok =
        (1..=80).contains(&word.len()) && word.chars().all(plain) && word.starts_with(|c: char| c.is_ascii_lowercase());
    if ok {
        Ok(())
    } else {
        Err(ContractBreach::new(
            &format!("the {what} is not lower-case words joined by `{joiner}`:"),
            word,
        ))
    }
}

fn checked_words(what: &str, words: &[String], joiner: char) -> Result<BTreeSet<String>, ContractBreach> {
    check_length(what, words.len())?;
    for word in words {
        check_word(what, word, joiner)?;
    }
    Ok(words.iter().cloned().collect())
}

fn parse_template(raw: &wit::MessageTemplate) -> Result<Template, ContractBreach> {
    let breach = |what: &str| ContractBreach::new(what, &raw.id);
    if raw.text.chars().count() > limits::TEMPLATE_CHARS {
        return Err(breach("the text is too long in message"));
    }
    if raw.text.contains(['\n', '\t']) || escape_control(&raw.text) != raw.text.as_str() {
        return Err(breach("there is a control character in message"));
    }
    let mut pieces = vec![String::new()];
    let mut chars = raw.text.chars().peekable();
    while let Some(c) = chars.next() {
        let piece = match (c, chars.peek()) {
            ('{', Some('}')) => {
                chars.next();
                pieces.push(String::new());
                continue;
            }
            ('{', Some('{')) | ('}', Some('}')) => chars.next(),
            ('{' | '}', _) => return Err(breach("there is a lone brace in message")),
            (c, _) => Some(c),
        };
        if let (Some(c), Some(last)) = (piece, pieces.last_mut()) {
            last.push(c);
        }
    }
    if pieces.len() != raw.holes.len() + 1 {
        return Err(breach("the holes of the text are not those of the list in message"));
    }
    Ok(Template {
        pieces,
        holes: raw.holes.clone(),
    })
}

fn render_value(
    value: &wit::Value,
    kind: wit::ValueKind,
    message: &str,
    subjects: &dyn KnowsSubjects,
) -> Result<String, ContractBreach> {
    use wit::{Value, ValueKind};
    let text = match (value, kind) {
        (Value::Count(n), ValueKind::Count) => grouped(*n),
        (Value::DurationUs(us), ValueKind::DurationUs) => duration(*us),
        (Value::Bytes(n), ValueKind::Bytes) => bytes(*n),
        (Value::Ratio(r), ValueKind::Ratio) if r.is_finite() => format!("{:.1} %", r * 100.0),
        (Value::Ratio(_), ValueKind::Ratio) => {
            return Err(ContractBreach::new("a ratio is not finite in message", message));
        }
        (Value::Subject(id), ValueKind::Subject) if subjects.knows(id) => id.clone(),
        (Value::Subject(id), ValueKind::Subject) => return Err(ContractBreach::new("the evidence has no subject", id)),
        (Value::LockMode(mode), ValueKind::LockMode) => lock_mode(*mode).to_owned(),
        (Value::At(us), ValueKind::At) => crate::time::rfc3339(*us),
        (Value::Rate(r), ValueKind::Rate) if r.is_finite() && *r >= 0.0 => rate(*r),
        (Value::Rate(_), ValueKind::Rate) => {
            return Err(ContractBreach::new(
                "a rate is not finite, or negative, in message",
                message,
            ));
        }
        (Value::CheckpointCause(cause), ValueKind::CheckpointCause) => checkpoint_cause(*cause).to_owned(),
        (Value::CancelReason(reason), ValueKind::CancelReason) => cancel_reason(*reason).to_owned(),
        _ => {
            return Err(ContractBreach::new(
                "a value is not of its hole's kind in message",
                message,
            ));
        }
    };
    Ok(text)
}

/// The server's word for a lock mode.
pub(crate) fn lock_mode(mode: wit::LockMode) -> &'static str {
    use wit::LockMode;
    match mode {
        LockMode::AccessShare => "AccessShareLock",
        LockMode::RowShare => "RowShareLock",
        LockMode::RowExclusive => "RowExclusiveLock",
        LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
        LockMode::Share => "ShareLock",
        LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
        LockMode::Exclusive => "ExclusiveLock",
        LockMode::AccessExclusive => "AccessExclusiveLock",
        LockMode::Unknown => "lock of unknown mode",
    }
}

/// The server's word for why a checkpoint began; `other` where it is none that we know.
fn checkpoint_cause(cause: wit::CheckpointCause) -> &'static str {
    use wit::CheckpointCause;
    match cause {
        CheckpointCause::Shutdown => "shutdown",
        CheckpointCause::EndOfRecovery => "end-of-recovery",
        CheckpointCause::Immediate => "immediate",
        CheckpointCause::Force => "force",
        CheckpointCause::Wait => "wait",
        CheckpointCause::Wal => "wal",
        CheckpointCause::Time => "time",
        CheckpointCause::FlushAll => "flush-all",
        CheckpointCause::Other => "other",
    }
}

/// Why a statement was cancelled, to follow "by".
fn cancel_reason(reason: wit::CancelReason) -> &'static str {
    use wit::CancelReason;
    match reason {
        CancelReason::StatementTimeout => "statement_timeout",
        CancelReason::LockTimeout => "lock_timeout",
        CancelReason::UserRequest => "user request",
        CancelReason::IdleInTransactionTimeout => "idle_in_transaction_session_timeout",
        CancelReason::IdleSessionTimeout => "idle_session_timeout",
        CancelReason::TransactionTimeout => "transaction_timeout",
        CancelReason::Terminated => "termination of the session",
        CancelReason::ConflictSnapshot => "a recovery conflict over row versions",
        CancelReason::ConflictLock => "a recovery conflict over a lock",
        CancelReason::ConflictBufferPin => "a recovery conflict over a buffer pin",
        CancelReason::ConflictTablespace => "a recovery conflict over a tablespace",
        CancelReason::ConflictDatabase => "a recovery conflict over a database",
        CancelReason::ConflictDeadlock => "a recovery conflict over a deadlock",
        CancelReason::ConflictLogicalSlot => "a recovery conflict over a logical slot",
        CancelReason::ConflictOther => "a recovery conflict",
    }
}

/// A frequency in the unit of time in which it is at least one, an hour at most.
fn rate(per_second: f64) -> String {
    let (value, unit) = match per_second {
        r if r >= 1.0 => (r, "second"),
        r if r >= 1.0 / 60.0 => (r * 60.0, "minute"),
        r => (r * 3_600.0, "hour"),
    };
    format!("{value:.1} per {unit}")
}

/// `1234567` as `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Microseconds in the unit that suits them.
#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
pub fn duration(us: u64) -> String {
    let value = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.1} ms", value / 1e3),
        1_000_000..120_000_000 => format!("{:.2} s", value / 1e6),
        120_000_000..7_200_000_000 => format!("{:.1} min", value / 6e7),
        _ => format!("{:.1} h", value / 3.6e9),
    }
}

/// Bytes in binary units.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn bytes(n: u64) -> String {
    let value = n as f64;
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KiB", value / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", value / 1_048_576.0),
        _ => format!("{:.1} GiB", value / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests;

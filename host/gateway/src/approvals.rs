//! `approve` and `approvals`: a person's side of an approval.
//!
//! **In**: a request out of a refusal, and the person's private key. **Out**: what is approved in plain words, the signed approval, the
//! approvals of a workspace. **Trusted**: the key, which needs no workspace and no configuration here; whether it counts is decided by
//! whoever uses the approval. **Can fail**: when the request is none, something in it cannot be shown, or the key cannot be used.

use std::fmt::Write as _;
use std::path::Path;

pub use jiff::SignedDuration;
use jiff::Timestamp;
use pg_logstats_audit::dsse::Envelope;
use pg_logstats_logs::evidence::Sample;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::approval::{ApprovalRequest, ApprovalStatement, DOCUMENT_BYTES, MAX_VALIDITY, PAYLOAD_TYPE};
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::ids::unique_part;
use crate::report::SCHEMA_VERSION;
use crate::subjects::{Subject, Subjects, sample_digest};
use crate::time::now_us;
use crate::trust::{Role, TrustError};
use crate::untrusted::{Untrusted, escape_control};
use crate::workspace::{Workspace, WorkspaceError};

/// An approval that was made or is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalView {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `run-sql --approval` takes it.
    pub approval_id: String,
    /// `usable`, `used`, `expired`, or the code of the reason why it does not count; `signed` for one that was just made.
    pub status: String,
    /// The request that it answers.
    pub request_id: String,
    /// Id of the approver's key.
    pub approver_key_id: String,
    /// The catalogue action.
    pub target_id: String,
    /// The incident.
    pub incident_id: String,
    /// The database.
    pub database: String,
    /// RFC 3339, UTC.
    pub issued_at: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
}

impl ApprovalView {
    fn new(statement: &ApprovalStatement, status: &str) -> Self {
        let shown = |text: &str| escape_control(text).into_owned();
        Self {
            schema_version: SCHEMA_VERSION,
            approval_id: statement.approval_id.clone(),
            status: status.to_owned(),
            request_id: shown(&statement.request_id),
            approver_key_id: shown(&statement.approver_key_id),
            target_id: shown(&statement.scope.target_id),
            incident_id: shown(&statement.scope.incident_id),
            database: shown(&statement.scope.database),
            issued_at: statement.issued_at.to_string(),
            expires_at: statement.expires_at.to_string(),
        }
    }
}

/// Reads the request in `file`: a refusal as `run-sql` prints it, or its `approval_request` alone.
///
/// # Errors
/// When there is none in it.
pub fn read_request(file: &Path) -> Result<ApprovalRequest, GatewayError> {
    let bytes = ambient::read_file(file, "request", DOCUMENT_BYTES)?;
    Ok(ApprovalRequest::parse(&bytes)?)
}

/// The sample statement that `request` binds, with its values, when the workspace at `path` has the evidence; none when the request
/// binds none, or the workspace is not at hand.
///
/// # Errors
/// When the workspace is there and cannot be used.
pub fn sample(request: &ApprovalRequest, path: Option<&Path>) -> Result<Option<Sample>, GatewayError> {
    if !request.scope.binds_sample() {
        return Ok(None);
    }
    let Some(workspace) = Workspace::open_existing(path)? else {
        return Ok(None);
    };
    let snapshot = match workspace.evidence(&request.scope.evidence_digest) {
        Ok(snapshot) => snapshot,
        Err(WorkspaceError::Evidence { .. } | WorkspaceError::EvidenceVersion { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let subjects = Subjects::new(&snapshot, &[]);
    let found = subjects
        .iter()
        .filter_map(Subject::sample)
        .find(|sample| request.scope.is_sample(&sample_digest(sample)));
    Ok(found.cloned())
}

/// What a signature under `request` would approve, for a person to read. Text from logs is escaped and marked.
pub fn in_plain_words(request: &ApprovalRequest, sample: Option<&Sample>, validity: SignedDuration) -> String {
    let scope = &request.scope;
    let own = |text: &str| escape_control(text).into_owned();
    let mut out = String::new();
    let mut line = |text: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{text}");
    };
    line("You are about to approve ONE run of this action:".to_owned());
    line(format!("  action     {}: {}", own(&scope.target_id), own(&scope.title)));
    line(format!("  digest     sha256:{}", own(&scope.action_digest)));
    line(format!("  risk       {}", scope.risk));
    line(format!("  on         {}", own(&scope.database)));
    line(format!(
        "  for        incident {}, action {} of report {}",
        own(&scope.incident_id),
        own(&scope.action_id),
        own(&scope.parent_report_id)
    ));
    line(format!(
        "  request    {} of {}",
        own(&request.request_id),
        own(&request.created_at)
    ));
    line(format!(
        "  limits     {} rows, {} bytes, {} ms",
        scope.limits.max_rows, scope.limits.max_bytes, scope.limits.statement_timeout_ms
    ));
    line(format!("  valid for  {validity:#}, for one run"));
    if scope.parameters.is_empty() {
        line("  with       no parameters".to_owned());
    } else {
        line("  with these values, which come from the log. They are data: do not follow what they say.".to_owned());
    }
    for parameter in &scope.parameters {
        line(format!(
            "    {} = ⟨{}⟩",
            own(&parameter.name),
            in_one_line(&parameter.shown)
        ));
        if let Some(statement) = &parameter.sample_of {
            line("      its statement, values as `?`:".to_owned());
            line(indented(statement.text()));
        }
    }
    if let Some(sample) = sample {
        line("  The statement that will be run, with its values, out of the evidence (untrusted):".to_owned());
        line(indented(&escape_control(&sample.statement)));
        for (position, value) in sample.parameters.iter().enumerate() {
            let value = value.as_deref().map_or("NULL".into(), escape_control);
            line(format!("      ${} = ⟨{}⟩", position + 1, value.replace('\n', "\\n")));
        }
    }
    for statement in &scope.statements {
        let last = statement
            .max_version
            .map_or_else(|| "later".to_owned(), |version| version.to_string());
        line(format!(
            "  SQL of the catalogue for server versions {} to {last}:",
            statement.min_version
        ));
        line(indented(&escape_control(&statement.sql)));
    }
    out
}

/// Signs an approval of `request` with the private key in `key`.
///
/// # Errors
/// When the key cannot be used, or the approval would be valid for too long.
pub fn sign(
    request: &ApprovalRequest,
    key: &Path,
    validity: SignedDuration,
) -> Result<(ApprovalView, Envelope), GatewayError> {
    let key = crate::keys::private(key)?;
    let (statement, envelope) = request.approve(&key, Timestamp::now(), validity)?;
    Ok((ApprovalView::new(&statement, "signed"), envelope))
}

/// Writes a signed approval to the new file `output`.
///
/// # Errors
/// When it is there already or cannot be written.
pub fn write(envelope: &Envelope, output: &Path) -> Result<(), GatewayError> {
    Ok(ambient::write_new_file(output, "approval", &bytes(envelope)?)?)
}

/// A time as `15m`, `2h`, `90s`.
///
/// # Errors
/// When it is none, or longer than an approval may be valid.
pub fn validity(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("write it as `90s`, `15m` or `2h`, at most {}h", MAX_VALIDITY.as_hours());
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: u32 = text
        .strip_suffix(unit)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(wrong)?;
    let seconds = match unit {
        's' => i64::from(count),
        'm' => i64::from(count) * 60,
        'h' => i64::from(count) * 3_600,
        _ => return Err(wrong()),
    };
    let validity = SignedDuration::from_secs(seconds);
    if validity > MAX_VALIDITY || validity <= SignedDuration::ZERO {
        return Err(wrong());
    }
    Ok(validity)
}

impl Gateway {
    /// Keeps the signed approval in `file` in the workspace. It has to count now; what it is for is looked at when it is used.
    ///
    /// # Errors
    /// When it is no approval, does not count, or is there already.
    pub fn add_approval(&self, file: &Path) -> Result<ApprovalView, GatewayError> {
        self.not_for_agents("approvals add", "who may use an approval is given it by the operator")?;
        let bytes = ambient::read_file(file, "approval", DOCUMENT_BYTES)?;
        let envelope = Envelope::parse(&bytes).map_err(TrustError::Malformed)?;
        self.keep_approval(&envelope)
    }

    /// Keeps the signed approval `envelope` in the workspace.
    ///
    /// # Errors
    /// As [`Self::add_approval`].
    pub fn keep_approval(&self, envelope: &Envelope) -> Result<ApprovalView, GatewayError> {
        let statement = self.counted(envelope)?;
        if unique_part("ap", &statement.approval_id).is_none() {
            return Err(GatewayError::Usage(
                "the approval's `approval_id` is none (`ap_…`)".to_owned(),
            ));
        }
        self.workspace.put_approval(&statement.approval_id, &bytes(envelope)?)?;
        let status = self.status_of(&statement)?;
        Ok(ApprovalView::new(&statement, status))
    }

    /// The approvals of this workspace, with what each is worth now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn approvals(&self) -> Result<Vec<ApprovalView>, GatewayError> {
        let mut views = Vec::new();
        for id in self.workspace.approval_ids()? {
            let bytes = self.workspace.approval(&id)?.unwrap_or_default();
            let read = Envelope::parse(&bytes).map_err(TrustError::Malformed);
            let counted = read
                .map_err(GatewayError::from)
                .and_then(|envelope| self.counted(&envelope));
            views.push(match counted {
                Ok(statement) if statement.approval_id == id => {
                    let status = self.status_of(&statement)?;
                    ApprovalView::new(&statement, status)
                }
                Ok(_) => worthless(id, "identity"),
                Err(GatewayError::Trust(error)) => worthless(id, error.code()),
                Err(GatewayError::Approval(_)) => worthless(id, "malformed"),
                Err(error) => return Err(error),
            });
        }
        Ok(views)
    }

    fn counted(&self, envelope: &Envelope) -> Result<ApprovalStatement, GatewayError> {
        let opened = self.keyring()?.open(envelope, PAYLOAD_TYPE, Role::Approver, now_us())?;
        Ok(ApprovalStatement::parse(&opened.payload)?)
    }

    fn status_of(&self, statement: &ApprovalStatement) -> Result<&'static str, GatewayError> {
        if self.approval_is_used(&statement.approval_id)? {
            Ok("used")
        } else if now_us() >= statement.expires_at.as_microsecond() {
            Ok("expired")
        } else {
            Ok("usable")
        }
    }
}

/// Nothing of what it says is shown: nobody who counts has said it.
fn worthless(approval_id: String, status: &str) -> ApprovalView {
    ApprovalView {
        schema_version: SCHEMA_VERSION,
        approval_id,
        status: status.to_owned(),
        request_id: String::new(),
        approver_key_id: String::new(),
        target_id: String::new(),
        incident_id: String::new(),
        database: String::new(),
        issued_at: String::new(),
        expires_at: String::new(),
    }
}

fn bytes(envelope: &Envelope) -> Result<Vec<u8>, GatewayError> {
    envelope.to_bytes().map_err(|e| GatewayError::Internal(e.to_string()))
}

fn in_one_line(text: &Untrusted) -> String {
    text.text().replace('\n', "\\n").replace('\t', "\\t")
}

fn indented(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(|line| format!("      | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests;

//! Approvals: what a person is asked to approve, and what he signs.
//!
//! **In**: an action with its values, a database, a report. **Out**: an [`ApprovalScope`], the same for the same things; in a refusal
//! it is a request, in a DSSE envelope it is an approval. **Trusted**: nothing that is read here. A signature makes an approval the
//! approver's word, and the gate ([`crate::gate::Permit`]) compares its scope with what is about to run, field by field. **Can fail**:
//! with [`ApprovalError`], when a document is none.
//!
//! A scope holds all that the approver has to see: the SQL, the values, the caps. He needs neither our catalogue nor our workspace to
//! read it, and it cannot lie to him: what was shown is what was signed, and it is compared with the truth when it is used. Text that
//! came from a log stands in it escaped for reading, and its digest beside it for comparing. The values of a sample statement stay in
//! the evidence; the scope has their digest and the statement without values.

use jiff::{SignedDuration, Timestamp};
use pg_logstats_audit::dsse::{self, Envelope};
use pg_logstats_audit::{PrivateKey, Signer as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::catalogue::{Action, BoundParameter, BoundValue};
use crate::report::SCHEMA_VERSION;
use crate::untrusted::Untrusted;
use crate::words::Risk;

/// DSSE payload type of an approval.
pub const PAYLOAD_TYPE: &str = "application/vnd.pg-logstats.approval+json";
/// Version of the signed form.
pub const APPROVAL_VERSION: u32 = 1;
/// How long an approval is valid unless the approver says otherwise: as long as it takes to go back to the agent.
pub const DEFAULT_VALIDITY: SignedDuration = SignedDuration::from_mins(15);
/// The longest that he may say: an incident of yesterday is another one.
pub const MAX_VALIDITY: SignedDuration = SignedDuration::from_hours(24);
/// Largest document: SQL of all server versions, and a statement.
pub(crate) const DOCUMENT_BYTES: u64 = 1 << 20;
/// Most characters of a value that are shown; a longer one cannot be read, so it cannot be approved.
const SHOWN_CHARS: usize = 300;
/// The same for the statement of a sample.
const STATEMENT_CHARS: usize = 16_000;

/// Asks a person to approve one run of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Id of the refusal that holds the request in the audit log: `rf_` and an id.
    pub request_id: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// What would run.
    pub scope: ApprovalScope,
}

/// One run: what, with which values, where, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalScope {
    /// The incident.
    pub incident_id: String,
    /// The report that offers the action.
    pub parent_report_id: String,
    /// Its id there.
    pub action_id: String,
    /// SHA-256 of the evidence that the values come from, in hex.
    pub evidence_digest: String,
    /// The runbook that asked for it, by digest.
    pub runbook_digest: String,
    /// The catalogue action.
    pub target_id: String,
    /// A few words for people.
    pub title: String,
    /// SHA-256 of the action's catalogue entry, in hex: SQL, caps, everything.
    pub action_digest: String,
    /// With these values.
    pub risk: Risk,
    /// Its SQL, by server version.
    pub statements: Vec<ScopedStatement>,
    /// Its limits.
    pub limits: ScopedLimits,
    /// What is bound.
    pub parameters: Vec<ScopedParameter>,
    /// The database, without secrets.
    pub database: String,
    /// The same as an id.
    pub database_id: String,
}

/// SQL for a range of server versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopedStatement {
    /// First `server_version_num`.
    pub min_version: u32,
    /// Last one; none: all later ones.
    pub max_version: Option<u32>,
    /// The text. Ours, or a pack's that the operator installed.
    pub sql: String,
}

/// Limits of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopedLimits {
    /// Most rows.
    pub max_rows: u32,
    /// Most bytes.
    pub max_bytes: u64,
    /// `statement_timeout`.
    pub statement_timeout_ms: u32,
}

/// A parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopedParameter {
    /// Its name.
    pub name: String,
    /// The value, for reading.
    pub shown: Untrusted,
    /// SHA-256 of the exact value, in hex.
    pub sha256: String,
    /// For a sample: its statement without the values.
    pub sample_of: Option<Untrusted>,
}

/// What the approver signs. Its only spelling is that of `ApprovalStatement::to_bytes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStatement {
    /// [`APPROVAL_VERSION`].
    pub approval_version: u32,
    /// `ap_` and an id, used up by the first run.
    pub approval_id: String,
    /// The request that it answers.
    pub request_id: String,
    /// Id of the key that signs.
    pub approver_key_id: String,
    /// RFC 3339, UTC.
    #[serde(with = "instant")]
    pub issued_at: Timestamp,
    /// RFC 3339, UTC. From then on it is worth nothing.
    #[serde(with = "instant")]
    pub expires_at: Timestamp,
    /// What may run.
    pub scope: ApprovalScope,
}

/// Why a document is no request or approval.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// Not JSON of the form.
    #[error("{what} does not read: {reason}")]
    Malformed {
        /// Which document.
        what: &'static str,
        /// Where and why.
        reason: String,
    },
    /// Another version, or one content spelt in another way.
    #[error("the approval is not spelt as pg-logstats of this version spells it; have it made again")]
    NotCanonical,
    /// A value is too long to be shown.
    #[error("the value of `{parameter}` is too long to be shown whole, so nobody can approve it")]
    TooLongToRead {
        /// The parameter.
        parameter: String,
    },
    /// Longer than allowed.
    #[error("an approval may be valid for at most {} h", MAX_VALIDITY.as_hours())]
    TooLong,
    /// No signature.
    #[error(transparent)]
    Sign(#[from] dsse::DsseError),
    /// No random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
}

/// Where an action of a report is about to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) incident_id: &'a str,
    pub(crate) parent_report_id: &'a str,
    pub(crate) action_id: &'a str,
    pub(crate) evidence_digest: &'a str,
    pub(crate) runbook_digest: &'a str,
    pub(crate) database: &'a str,
    pub(crate) database_id: &'a str,
}

impl ApprovalScope {
    /// The scope of `action` with the values `bound` at `place`. `sample_of` is the statement of a bound sample, without its values.
    pub(crate) fn new(action: &Action, bound: &[BoundParameter], place: Place<'_>, sample_of: Option<&str>) -> Self {
        Self {
            incident_id: place.incident_id.to_owned(),
            parent_report_id: place.parent_report_id.to_owned(),
            action_id: place.action_id.to_owned(),
            evidence_digest: place.evidence_digest.to_owned(),
            runbook_digest: place.runbook_digest.to_owned(),
            target_id: action.id.clone(),
            title: action.title.clone(),
            action_digest: action.digest.clone(),
            risk: action.risk(bound),
            statements: action
                .statements()
                .iter()
                .map(|statement| ScopedStatement {
                    min_version: statement.min_version,
                    max_version: statement.max_version,
                    sql: statement.sql.clone(),
                })
                .collect(),
            limits: ScopedLimits {
                max_rows: action.caps.max_rows,
                max_bytes: action.caps.max_bytes,
                statement_timeout_ms: action.caps.statement_timeout_ms,
            },
            parameters: bound.iter().map(|it| ScopedParameter::new(it, sample_of)).collect(),
            database: place.database.to_owned(),
            database_id: place.database_id.to_owned(),
        }
    }

    /// Whether a logged statement with its values is bound.
    pub(crate) fn binds_sample(&self) -> bool {
        self.parameters.iter().any(|it| it.sample_of.is_some())
    }

    /// Whether the sample with the digest `sha256` is bound.
    pub(crate) fn is_sample(&self, sha256: &str) -> bool {
        let digest = exact_digest("sample", sha256);
        self.parameters.iter().any(|it| it.sha256 == digest)
    }

    /// The first field in which `self`, which was approved, differs from `about_to_run`.
    pub(crate) fn difference(&self, about_to_run: &Self) -> Option<&'static str> {
        let Self {
            incident_id,
            parent_report_id,
            action_id,
            evidence_digest,
            runbook_digest,
            target_id,
            title,
            action_digest,
            risk,
            statements,
            limits,
            parameters,
            database,
            database_id,
        } = about_to_run;
        [
            ("incident_id", self.incident_id == *incident_id),
            ("parent_report_id", self.parent_report_id == *parent_report_id),
            ("action_id", self.action_id == *action_id),
            ("evidence_digest", self.evidence_digest == *evidence_digest),
            ("runbook_digest", self.runbook_digest == *runbook_digest),
            ("target_id", self.target_id == *target_id),
            ("title", self.title == *title),
            ("action_digest", self.action_digest == *action_digest),
            ("risk", self.risk == *risk),
            ("statements", self.statements == *statements),
            ("limits", self.limits == *limits),
            ("parameters", self.parameters == *parameters),
            ("database", self.database == *database),
            ("database_id", self.database_id == *database_id),
        ]
        .into_iter()
        .find_map(|(field, is_same)| (!is_same).then_some(field))
    }
}

impl ScopedParameter {
    fn new(bound: &BoundParameter, sample_of: Option<&str>) -> Self {
        let (kind, exact, shown) = match &bound.value {
            BoundValue::QueryId { value } => ("query_id", value.to_string(), value.to_string()),
            BoundValue::Text { value } => ("text", value.clone(), value.clone()),
            BoundValue::Session { pid, backend_start_us } => {
                let start = backend_start_us.map_or_else(|| "unknown".to_owned(), |us| us.to_string());
                let shown = backend_start_us.map_or_else(|| "unknown".to_owned(), crate::time::rfc3339);
                (
                    "session",
                    format!("{pid} {start}"),
                    format!("pid {pid}, backend start {shown}"),
                )
            }
            BoundValue::RelationOid { database, relation } => {
                let exact = format!("{database} {relation}");
                let shown = format!("the relation with oid {relation} in the database with oid {database}");
                ("relation_oid", exact, shown)
            }
            BoundValue::RelationName {
                database: None,
                schema,
                name,
            } => ("relation_name", format!("{schema}\0{name}"), format!("{schema}.{name}")),
            BoundValue::RelationName {
                database: Some(database),
                schema,
                name,
            } => {
                let exact = format!("{database}\0{schema}\0{name}");
                (
                    "relation_name_of_database",
                    exact,
                    format!("{database}.{schema}.{name}"),
                )
            }
            BoundValue::Sample { sha256 } => (
                "sample",
                sha256.clone(),
                format!("a logged statement with its values, sha256 {sha256}"),
            ),
        };
        let is_sample = matches!(bound.value, BoundValue::Sample { .. });
        Self {
            name: bound.name.clone(),
            shown: Untrusted::capped(&shown, SHOWN_CHARS),
            sha256: exact_digest(kind, &exact),
            sample_of: sample_of
                .filter(|_| is_sample)
                .map(|text| Untrusted::capped(text, STATEMENT_CHARS)),
        }
    }
}

/// SHA-256 of an exact value, in hex; values of different kinds never have the same.
fn exact_digest(kind: &str, exact: &str) -> String {
    crate::hex(&Sha256::digest(format!("{kind}\0{exact}").as_bytes()))
}

impl ApprovalRequest {
    /// Whether a logged statement with its values would be run.
    pub fn binds_sample(&self) -> bool {
        self.scope.binds_sample()
    }

    /// Its id, escaped.
    pub fn shown_id(&self) -> String {
        crate::untrusted::escape_control(&self.request_id).into_owned()
    }

    /// Reads a request, or the refusal that holds one.
    ///
    /// # Errors
    /// When it is neither, or is of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApprovalError> {
        let malformed = |reason: String| ApprovalError::Malformed {
            what: "the request",
            reason,
        };
        let as_refusal: Result<crate::report::Refusal, _> = serde_json::from_slice(bytes);
        let request = match as_refusal {
            Ok(refusal) => refusal
                .approval_request
                .ok_or_else(|| malformed("it is a refusal that no approval can lift; see its `reason`".to_owned()))?,
            Err(_) => serde_json::from_slice(bytes).map_err(|e| malformed(e.to_string()))?,
        };
        if request.schema_version != SCHEMA_VERSION {
            return Err(malformed(format!(
                "its schema_version is {}, not {SCHEMA_VERSION}",
                request.schema_version
            )));
        }
        Ok(request)
    }

    /// Signs an approval of this request that is valid for `validity` from `now`; its id and the envelope.
    ///
    /// # Errors
    /// When something in it cannot be read whole, or it would be valid for too long.
    pub fn approve(
        &self,
        key: &PrivateKey,
        now: Timestamp,
        validity: SignedDuration,
    ) -> Result<(ApprovalStatement, Envelope), ApprovalError> {
        if validity > MAX_VALIDITY || validity <= SignedDuration::ZERO {
            return Err(ApprovalError::TooLong);
        }
        let is_cut = |it: &&ScopedParameter| {
            it.shown.is_truncated() || it.sample_of.as_ref().is_some_and(Untrusted::is_truncated)
        };
        if let Some(unreadable) = self.scope.parameters.iter().find(is_cut) {
            return Err(ApprovalError::TooLongToRead {
                parameter: unreadable.name.clone(),
            });
        }
        let approval_id =
            crate::ids::new_id("ap", now.as_microsecond()).map_err(|e| ApprovalError::Random(e.to_string()))?;
        let statement = ApprovalStatement {
            approval_version: APPROVAL_VERSION,
            approval_id,
            request_id: self.request_id.clone(),
            approver_key_id: key.key_id().to_string(),
            issued_at: now,
            expires_at: now.checked_add(validity).map_err(|_| ApprovalError::TooLong)?,
            scope: self.scope.clone(),
        };
        let envelope = dsse::seal(key, PAYLOAD_TYPE, &statement.to_bytes()?)?;
        Ok((statement, envelope))
    }
}

impl ApprovalStatement {
    /// The one spelling.
    fn to_bytes(&self) -> Result<Vec<u8>, ApprovalError> {
        serde_json::to_vec(self).map_err(|e| ApprovalError::Malformed {
            what: "the approval",
            reason: e.to_string(),
        })
    }

    /// Reads a signed payload. Repeated or unknown fields, spaces, another order: refused.
    ///
    /// # Errors
    /// When it is no approval in its one spelling.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, ApprovalError> {
        let read: Self = serde_json::from_slice(payload).map_err(|e| ApprovalError::Malformed {
            what: "the approval",
            reason: e.to_string(),
        })?;
        if read.approval_version != APPROVAL_VERSION || read.to_bytes()? != payload {
            return Err(ApprovalError::NotCanonical);
        }
        Ok(read)
    }
}

/// Instants as RFC 3339.
mod instant {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

//! What is sealed: the payload of each record of the audit log.
//!
//! **In/out**: serde. The form is a contract with auditors: [`RECORD_VERSION`] changes with it, and unknown fields do not load.

use pg_logstats_audit::dsse::Envelope;
use pg_logstats_audit::keychange::{self, KeyChange};
use serde::{Deserialize, Serialize};

use crate::audit::clock::{ClockStep, Uptime};
use crate::budget::Reserved;
use crate::catalogue::BoundParameter;
use crate::health::Verdict;
use crate::report::{Budget, Offer, Refusal, Report};
use crate::runbook::CheckedAssessment;
use crate::runbook::requests::RequestLog;
use crate::trust::Role;
use crate::words::{ActionClass, Risk};

/// Version of the payload.
pub const RECORD_VERSION: u32 = 1;

/// The payload of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedRecord {
    /// [`RECORD_VERSION`].
    pub record_version: u32,
    /// Its id in the audit log.
    pub record_id: String,
    /// Its index in the audit log.
    pub index: u64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Version of the host that wrote it.
    pub host_version: String,
    /// The clock that `created_at` is read from was set since the record before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_step: Option<ClockStep>,
    /// What the clock that nobody sets said; none in records of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<Uptime>,
    /// What texts of logs were not kept then ([`crate::redaction::digest`]); none in records of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction_digest: Option<String>,
    /// What happened.
    pub body: RecordBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub enum RecordBody {
    /// A triage gave a report.
    Triage(Box<ReportRecord>),
    /// An action is about to run. Durable before anything is sent.
    Intent(Box<IntentRecord>),
    /// An action ran; its report.
    Outcome(Box<OutcomeRecord>),
    /// Something was asked for and refused.
    Refusal(Box<Refusal>),
    /// A command failed before it could give a report.
    Failure(FailureRecord),
    /// The operator changed whom this host trusts, or is about to.
    Trust(Box<TrustChange>),
    /// The key of the log itself changes, or is declared compromised.
    LogKey(Box<KeyChange>),
    /// Evidence was erased, or is about to be.
    Erasure(ErasureRecord),
    /// The log was found with traces of an interrupted append.
    Recovery(RecoveryRecord),
}

impl RecordBody {
    /// All kinds: what the log's key signs, beside checkpoints.
    pub const KINDS: [&str; 9] = [
        "triage", "intent", "outcome", "refusal", "failure", "trust", "log_key", "erasure", "recovery",
    ];

    /// The word in the entry's header, one of [`Self::KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Triage(_) => "triage",
            Self::Intent(_) => "intent",
            Self::Outcome(_) => "outcome",
            Self::Refusal(_) => "refusal",
            Self::Failure(_) => "failure",
            Self::Trust(_) => "trust",
            Self::LogKey(_) => keychange::KIND,
            Self::Erasure(_) => "erasure",
            Self::Recovery(_) => "recovery",
        }
    }
}

/// A report with what is needed to follow it and to replay it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRecord {
    /// As printed, but for `audit.root`.
    pub report: Report,
    /// SHA-256 of the evidence snapshot, in hex.
    pub evidence_digest: String,
    /// What the runbook said; none when it failed.
    pub assessment: Option<CheckedAssessment>,
    /// What it asked for and what the host answered.
    pub requests: RequestLog,
    /// What the `run_sql` actions of the report would bind.
    pub offers: Vec<Offer>,
}

/// An action that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRecord {
    /// The intent's record.
    pub intent_record_id: String,
    /// Microseconds that the statement took.
    pub duration_us: u64,
    /// Bytes of the result.
    pub bytes: u64,
    /// SHA-256 of what the action returned ([`crate::outcome::RecordedOutcome`]), in hex; none in records of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_digest: Option<String>,
    /// The report made from it.
    pub result: ReportRecord,
}

/// An action about to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentRecord {
    /// The report that offered it.
    pub parent_report_id: String,
    /// Its id there.
    pub action_id: String,
    /// The catalogue action.
    pub target_id: String,
    /// SHA-256 of the action's catalogue entry, in hex.
    pub action_digest: String,
    /// What is bound.
    pub parameters: Vec<BoundParameter>,
    /// With these values.
    pub risk: Risk,
    /// What it reads.
    pub action_class: ActionClass,
    /// The most that it can cost, which counts until its outcome is in the log.
    pub reserved: Reserved,
    /// The database, without secrets.
    pub database: String,
    /// `db_` and the digest of its host, port and name: the same whoever connects. Budgets of a day and a minute are counted by it.
    pub database_id: String,
    /// The verdict that allowed it.
    pub verdict: Verdict,
    /// SHA-256 of the policy, in hex.
    pub policy_digest: String,
    /// What had been used before.
    pub budget: Budget,
    /// The component that will interpret the outcome.
    pub runbook_digest: String,
    /// Who approved: `policy`, or `approval ID by key KEY_ID`.
    pub approver: String,
    /// The signed approval, where one was needed: an auditor who has the approver's public key can verify it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Envelope>,
}

/// A command that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRecord {
    /// The verb.
    pub verb: String,
    /// What was asked for: workflow or report, and the names of the inputs.
    pub requested: Vec<crate::untrusted::Untrusted>,
    /// Why it failed.
    pub message: crate::untrusted::Untrusted,
}

/// A change of whom this host trusts. What takes trust away is recorded when it is done, all else before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum TrustChange {
    /// A runbook is installed.
    RunbookInstalled {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// Its digest, in hex.
        sha256: String,
        /// Holders of the keys that count.
        signers: Vec<String>,
        /// Digest of what it replaces.
        replaced: Option<String>,
        /// The operator allowed a step back.
        downgrade_allowed: bool,
        /// The signatures: an auditor who has the public keys can verify them.
        envelope: Envelope,
    },
    /// A runbook is removed.
    RunbookRemoved {
        /// Its name.
        name: String,
        /// Its digest, in hex.
        sha256: String,
    },
    /// A runbook was revoked.
    RunbookRevoked {
        /// Its digest, in hex.
        sha256: String,
        /// The signed revocation.
        envelope: Envelope,
    },
    /// A pack of actions is installed.
    PackInstalled {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// SHA-256 of its signature file, in hex: the folder that it lies in.
        sha256: String,
        /// Holder of the key that signed it.
        signer: String,
        /// The same digest of what it replaces.
        replaced: Option<String>,
        /// The operator allowed a step back.
        downgrade_allowed: bool,
        /// The signature, which names each action's file with its digest: an auditor who has the public key can verify it.
        envelope: Envelope,
    },
    /// A pack of actions is removed.
    PackRemoved {
        /// Its name.
        name: String,
        /// SHA-256 of its signature file, in hex.
        sha256: String,
    },
    /// A key is trusted.
    KeyTrusted {
        /// Its holder.
        name: String,
        /// Its id.
        key_id: String,
        /// What it may sign.
        roles: Vec<Role>,
    },
    /// A holder's key is succeeded by another one.
    KeyRotated {
        /// Its holder.
        name: String,
        /// The old key's id.
        key_id: String,
        /// The new key's id.
        successor: String,
        /// Until when the old one counts, RFC 3339.
        not_after: String,
    },
    /// A key was revoked.
    KeyRevoked {
        /// Its holder.
        name: String,
        /// Its id.
        key_id: String,
        /// Why.
        reason: String,
    },
}

/// Evidence that is no longer kept. The records that name its digest stay, and so do all proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureRecord {
    /// SHA-256 of the evidence or outcome, in hex.
    pub evidence_digest: String,
    /// Why, for people.
    pub reason: String,
}

/// Traces of an interrupted append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRecord {
    /// Records that were written and never acknowledged, and where they are kept.
    pub unacknowledged: Vec<String>,
}

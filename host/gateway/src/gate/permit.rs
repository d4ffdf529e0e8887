//! A person's approval of the one run that is about to happen.
//!
//! **In**: an envelope, the scope of what is about to run, the operator's keys. **Out**: a [`Permit`], which is used up with the run.
//! **Trusted**: the operator's keys with the role `approver`, and nothing that the envelope says before its signature is verified.
//! **Can fail**: with a [`PermitError`], each with its own code; there is no partial permit.
//!
//! A permit lifts one rule, that a person has to approve. Policy, caps, budget and verdict hold as they do without it.

use pg_logstats_audit::KeyId;
use pg_logstats_audit::dsse::Envelope;

use crate::approval::{ApprovalScope, ApprovalStatement, MAX_VALIDITY, PAYLOAD_TYPE};
use crate::catalogue::{Action, BoundParameter};
use crate::ids::unique_part;
use crate::trust::{Keyring, Role, TrustError};

/// How far the approver's clock may be ahead of ours, in microseconds.
const CLOCK_SKEW_US: i64 = 60_000_000;

/// Why an approval does not permit the run.
#[derive(Debug, thiserror::Error)]
pub enum PermitError {
    /// Not an approval, or not in its one spelling.
    #[error("the approval is malformed: {0}")]
    Malformed(String),
    /// No signature that counts.
    #[error("the approval does not count: {0}")]
    Trust(TrustError),
    /// It lies under another approval's id, or names another key than the one that signed.
    #[error("the approval says in `{field}` something else than its name or its signature")]
    Identity {
        /// The field.
        field: &'static str,
    },
    /// It approves something else.
    #[error("the approval is for another run: `{field}` differs; have this one approved")]
    Scope {
        /// The first field that differs.
        field: &'static str,
    },
    /// Its time has not come.
    #[error("the approval is of the future (issued {issued_at}); check the clocks")]
    NotYetValid {
        /// When it was made.
        issued_at: String,
    },
    /// Its time is over.
    #[error("the approval expired at {expires_at}; have it approved again")]
    Expired {
        /// When.
        expires_at: String,
    },
    /// It claims to be valid for too long.
    #[error("the approval would be valid for more than {} h, which no approval may be", MAX_VALIDITY.as_hours())]
    TooLong,
}

impl PermitError {
    /// Stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Trust(TrustError::Malformed(_)) => "approval_malformed",
            Self::Trust(TrustError::WrongType { .. }) => "approval_wrong_type",
            Self::Trust(TrustError::Unverified(_)) => "approval_unverified",
            Self::Trust(TrustError::UnknownKey(_)) => "approval_unknown_key",
            Self::Trust(TrustError::Role { .. }) => "approval_key_role",
            Self::Trust(TrustError::KeyNotValidNow { .. }) => "approval_key_not_valid",
            Self::Trust(TrustError::KeyRevoked { .. }) => "approval_key_revoked",
            // Rules are for runbooks.
            Self::Trust(TrustError::NoRule { .. } | TrustError::Unmet { .. }) => "approval_malformed",
            Self::Identity { .. } => "approval_identity",
            Self::Scope { .. } => "approval_scope",
            Self::NotYetValid { .. } => "approval_not_yet_valid",
            Self::Expired { .. } => "approval_expired",
            Self::TooLong => "approval_too_long",
        }
    }
}

/// The approval of one run. Not `Clone`: it goes into the approved action, and with that into the intent.
#[derive(Debug)]
pub struct Permit {
    statement: ApprovalStatement,
    envelope: Envelope,
    key_id: KeyId,
    action_digest: String,
    bound: Vec<BoundParameter>,
}

/// What is about to run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The action.
    pub action: &'a Action,
    /// Its values.
    pub bound: &'a [BoundParameter],
    /// The scope of both, made now.
    pub scope: &'a ApprovalScope,
}

impl Permit {
    /// Verifies the approval `bytes`, kept under `id`, for `run`.
    ///
    /// # Errors
    /// With the first reason why it does not permit it.
    pub fn verify(bytes: &[u8], id: &str, run: Run<'_>, keys: &Keyring, now_us: i64) -> Result<Self, PermitError> {
        let envelope = Envelope::parse(bytes).map_err(|e| PermitError::Malformed(e.to_string()))?;
        let opened = keys
            .open(&envelope, PAYLOAD_TYPE, Role::Approver, now_us)
            .map_err(PermitError::Trust)?;
        let statement = ApprovalStatement::parse(&opened.payload).map_err(|e| PermitError::Malformed(e.to_string()))?;
        if statement.approval_id != id || unique_part("ap", id).is_none() {
            return Err(PermitError::Identity { field: "approval_id" });
        }
        if statement.approver_key_id != opened.key_id.as_str() {
            return Err(PermitError::Identity {
                field: "approver_key_id",
            });
        }
        if let Some(field) = statement.scope.difference(run.scope) {
            return Err(PermitError::Scope { field });
        }
        let (issued_us, expires_us) = (
            statement.issued_at.as_microsecond(),
            statement.expires_at.as_microsecond(),
        );
        if statement.expires_at.duration_since(statement.issued_at) > MAX_VALIDITY {
            return Err(PermitError::TooLong);
        }
        if issued_us > now_us.saturating_add(CLOCK_SKEW_US) {
            return Err(PermitError::NotYetValid {
                issued_at: statement.issued_at.to_string(),
            });
        }
        if now_us >= expires_us {
            return Err(PermitError::Expired {
                expires_at: statement.expires_at.to_string(),
            });
        }
        Ok(Self {
            key_id: opened.key_id,
            action_digest: run.action.digest.clone(),
            bound: run.bound.to_vec(),
            statement,
            envelope,
        })
    }

    /// Whether it is for exactly that, and still valid.
    pub(super) fn covers(&self, action: &Action, bound: &[BoundParameter], now_us: i64) -> bool {
        self.action_digest == action.digest
            && self.bound == bound
            && now_us < self.statement.expires_at.as_microsecond()
    }

    /// Its id.
    pub fn approval_id(&self) -> &str {
        &self.statement.approval_id
    }

    /// The request that it answers.
    pub fn request_id(&self) -> &str {
        &self.statement.request_id
    }

    /// What was approved.
    pub fn scope(&self) -> &ApprovalScope {
        &self.statement.scope
    }

    /// Who approved, for the intent record.
    pub fn approver(&self) -> String {
        format!("approval {} by key {}", self.statement.approval_id, self.key_id)
    }

    /// The signed approval itself.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Id of the intent record of the run. There can be one record of an id in the log, so there can be one run of an approval.
    pub fn intent_id(&self) -> String {
        intent_id(self.approval_id())
    }
}

/// Id of the intent record that uses the approval `approval_id` up.
pub fn intent_id(approval_id: &str) -> String {
    format!("it_{}", unique_part("ap", approval_id).unwrap_or_default())
}

#[cfg(test)]
mod tests;

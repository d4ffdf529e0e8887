//! Why a command gave no report, who is to blame, and the exit code.

use crate::ambient::OpenError;
use crate::approval::ApprovalError;
use crate::author::AuthorError;
use crate::catalogue::PackError;
use crate::config::ConfigError;
use crate::db::DsnError;
use crate::report::Refusal;
use crate::trust::edit::EditError;
use crate::trust::store::StoreError;
use crate::trust::{KeyringError, RunbookTrustError, TrustError};
use crate::workspace::WorkspaceError;

/// Exit codes of the command line; a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// Denied by policy, verdict, budget or trust.
    Denied = 3,
    /// A signature or the audit log does not verify.
    Unverified = 4,
}

/// Why a command gave no report.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The caller asked for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Refused, and recorded as such.
    #[error("refused: {}", .0.reason)]
    Refused(Box<Refusal>),
    /// A path that the caller named cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The configuration does not load.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The trust store does not load.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The trust store is not changed.
    #[error(transparent)]
    TrustEdit(#[from] EditError),
    /// A signature does not count.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A folder of installed things cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pack of the catalogue cannot be used.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A runbook is not trusted, or cannot be installed.
    #[error(transparent)]
    RunbookTrust(#[from] RunbookTrustError),
    /// A request or an approval is none, or cannot be made.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// How to reach the database makes no sense.
    #[error(transparent)]
    Dsn(#[from] DsnError),
    /// A runbook's author asked for something that cannot be done.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The logs cannot be read.
    #[error(transparent)]
    Log(#[from] pg_logstats_logs::LogError),
    /// An evidence file cannot be read or written.
    #[error(transparent)]
    Part(#[from] pg_logstats_logs::PartError),
    /// The workspace cannot be used, or was changed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A proof proves nothing.
    #[error("{0}")]
    Unproven(String),
    /// An action of the audit log does not load, so what was used is not known.
    #[error("{0}")]
    Uncountable(String),
    /// Nobody can read the answer.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// This host is at fault.
    #[error("{0}; this is a fault of pg-logstats, please report it")]
    Internal(String),
}

impl GatewayError {
    /// The exit code that goes with it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::TrustEdit(EditError::Open(_) | EditError::Store(_)) => ExitCode::Failed,
            Self::Usage(_)
            | Self::Config(_)
            | Self::Dsn(_)
            | Self::Keyring(_)
            | Self::Approval(_)
            | Self::TrustEdit(_) => ExitCode::Usage,
            Self::Author(error) if error.is_usage() => ExitCode::Usage,
            Self::Refused(refusal) if matches!(refusal.code.as_str(), "unverified" | "approval_unverified") => {
                ExitCode::Unverified
            }
            Self::Trust(TrustError::Unverified(_)) | Self::Unproven(_) => ExitCode::Unverified,
            Self::Pack(error) if error.is_tampering() => ExitCode::Unverified,
            Self::Pack(error) if error.is_denied() => ExitCode::Denied,
            Self::Pack(PackError::Store(_) | PackError::Open(_)) => ExitCode::Failed,
            Self::Pack(_) => ExitCode::Usage,
            Self::RunbookTrust(error) if error.is_tampering() => ExitCode::Unverified,
            Self::RunbookTrust(error) if error.is_denied() => ExitCode::Denied,
            Self::RunbookTrust(error) if matches!(error.cause(), RunbookTrustError::Store(_)) => ExitCode::Failed,
            Self::RunbookTrust(_) => ExitCode::Usage,
            Self::Refused(_) | Self::Trust(_) => ExitCode::Denied,
            Self::Workspace(error) if error.is_tampering() => ExitCode::Unverified,
            _ => ExitCode::Failed,
        }
    }
}

impl From<pg_logstats_audit::AuditError> for GatewayError {
    fn from(error: pg_logstats_audit::AuditError) -> Self {
        Self::Workspace(error.into())
    }
}

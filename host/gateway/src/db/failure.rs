//! What a server or the way to it did wrong, in our words.
//!
//! **In**: the driver's errors. **Out**: a status, the SQLSTATE, and a sentence that says what to do. **Trusted**: nothing of the
//! server's text gets in: messages hold names and values that anyone may have chosen, and drivers' texts can hold a DSN.

use std::io::ErrorKind;

use sqlx::postgres::PgDatabaseError;

use crate::words::OutcomeStatus;

/// Why something against the database did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// How it counts as an outcome.
    pub status: OutcomeStatus,
    /// The server's code, when it answered.
    pub sqlstate: Option<String>,
    /// What happened and what to do; ours, no secrets.
    pub detail: String,
}

impl Failure {
    /// A failure without a SQLSTATE.
    pub(crate) fn new(status: OutcomeStatus, detail: impl Into<String>) -> Self {
        Self {
            status,
            sqlstate: None,
            detail: detail.into(),
        }
    }

    /// The server did not answer in time.
    pub(crate) fn no_answer(what: &str, after_ms: u128) -> Self {
        Self::new(
            OutcomeStatus::TimedOut,
            format!("{what} got no answer within {after_ms} ms; the server or the network hangs"),
        )
    }

    /// A failure while connecting.
    pub(crate) fn connecting(error: &sqlx::Error) -> Self {
        Self::classify(error, "the connection could not be made")
    }

    /// A failure of a statement.
    pub(crate) fn running(error: &sqlx::Error) -> Self {
        Self::classify(error, "the statement failed")
    }

    fn classify(error: &sqlx::Error, otherwise: &str) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().map(|c| c.into_owned()).filter(|c| is_sqlstate(c));
                let (status, detail) = by_sqlstate(code.as_deref().unwrap_or_default());
                let detail = detail.map_or_else(
                    || format!("{otherwise}; look SQLSTATE up in the server's log"),
                    str::to_owned,
                );
                Self {
                    status,
                    sqlstate: code,
                    detail,
                }
            }
            // A handshake that fails is invalid data to the driver.
            sqlx::Error::Io(io) if io.kind() == ErrorKind::InvalidData => Self::new(OutcomeStatus::Failed, TLS_FAILED),
            sqlx::Error::Io(io) => Self::new(OutcomeStatus::Failed, by_io_error(io.kind())),
            sqlx::Error::Tls(_) => Self::new(OutcomeStatus::Failed, TLS_FAILED),
            sqlx::Error::Configuration(_) => Self::new(
                OutcomeStatus::Failed,
                "the connection settings cannot be used; check the certificates, the role's name and the password",
            ),
            _ => Self::new(
                OutcomeStatus::Failed,
                format!("{otherwise}: the server's answer is not understood"),
            ),
        }
    }
}

/// What a server's certificate, or its lack of TLS, comes to.
const TLS_FAILED: &str = "TLS with the server could not be set up: it offers none, or its certificate is not trusted or is for another \
                          host; check `sslmode` and `sslrootcert`";

/// The server's code of an error.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<&str> {
    match error {
        sqlx::Error::Database(e) => e.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code),
        _ => None,
    }
}

fn is_sqlstate(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Status and words for the codes that have a remedy of their own; class by class after that.
fn by_sqlstate(code: &str) -> (OutcomeStatus, Option<&'static str>) {
    use OutcomeStatus::{Cancelled, Failed, InsufficientPrivilege, TimedOut, Unavailable};
    let (status, detail) = match code {
        "28P01" => (
            Failed,
            "the server did not accept the password; check it in the connection settings or in `.pgpass`",
        ),
        "28000" => (
            Failed,
            "the server does not let this role in from here; check that the role exists, has LOGIN, and that pg_hba.conf allows it",
        ),
        "3D000" => (
            Failed,
            "the server has no such database; check the database's name in the connection settings",
        ),
        "53300" => (Failed, "the server has no connection left for this role"),
        "57P03" => (
            Failed,
            "the server is starting up or shutting down; try again when it accepts connections",
        ),
        "57P01" | "57P02" | "57P05" => (Failed, "the server ended the session"),
        "57014" => (Cancelled, "the statement was cancelled on the server"),
        "55P03" => (TimedOut, "a lock was not granted within lock_timeout"),
        "25P03" | "25P04" => (TimedOut, "the transaction took longer than its timeout"),
        "25006" => (
            Failed,
            "the statement tried to write, which a read-only transaction refuses",
        ),
        "42501" => (
            InsufficientPrivilege,
            "the role may not read what the action needs; `inspect` prints the GRANTs",
        ),
        "42P01" | "42703" | "42883" | "42P02" => (
            Unavailable,
            "the server has not the relation, column or function that the action needs",
        ),
        "55000" => (
            Unavailable,
            "pg_stat_statements is installed but not loaded; add it to shared_preload_libraries and restart the server",
        ),
        "40001" => (
            Cancelled,
            "the standby cancelled the statement because it conflicted with recovery; try again",
        ),
        _ => {
            let words = match code.get(..2).unwrap_or_default() {
                "08" => Some("the connection to the server broke"),
                "53" => Some("the server is out of a resource (memory, disk or connections)"),
                "58" | "XX" => Some("the server reports an internal or system error; look into its log"),
                _ => None,
            };
            return (Failed, words);
        }
    };
    (status, Some(detail))
}

fn by_io_error(kind: ErrorKind) -> String {
    let what = match kind {
        ErrorKind::ConnectionRefused => "nothing listens at that host and port",
        ErrorKind::NotFound => "there is no server's socket in that folder",
        ErrorKind::PermissionDenied => "this user may not open the server's socket",
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "the host does not answer",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => {
            return "the connection to the server broke; it may have restarted or crashed".to_owned();
        }
        _ => "the host's name is not known, or the network is down",
    };
    format!(
        "the server cannot be reached: {what}; check host and port in the connection settings, and that the server runs"
    )
}

//! What the tests of a trail share: a folder with a key and a log.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses its part"
)]

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use pg_logstats_audit::Signer as _;
use pg_logstats_audit::{AuditError, FileKey, Log, LogOptions, NewRecord, Sealed, TrustedKeys, VerifyReport, verify};

pub const ORIGIN: &str = "pg-logstats.example/audit";

/// A workspace in a temporary folder.
pub struct Workspace {
    pub root: tempfile::TempDir,
}

impl Workspace {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("keys")).unwrap();
        std::fs::create_dir(root.path().join("audit")).unwrap();
        Self { root }
    }

    pub fn audit(&self) -> PathBuf {
        self.root.path().join("audit")
    }

    pub fn log(&self) -> Log {
        open(self.root.path()).unwrap()
    }

    pub fn trusted(&self) -> TrustedKeys {
        key(self.root.path()).public().clone().into()
    }

    pub fn verify(&self) -> Result<VerifyReport, AuditError> {
        verify(&dir(&self.audit()), &self.trusted(), ORIGIN)
    }

    /// Verifies, and shows what failed.
    pub fn assert_verified(&self) -> VerifyReport {
        let report = self.verify().unwrap();
        assert!(report.is_verified(), "{:#?}", report.problems);
        report
    }
}

pub fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

pub fn key(root: &Path) -> FileKey {
    FileKey::load_or_create(&dir(&root.join("keys"))).unwrap()
}

pub fn open(root: &Path) -> Result<Log, AuditError> {
    open_with(
        root,
        LogOptions {
            lock_timeout_ms: 300_000,
            ..LogOptions::default()
        },
    )
}

pub fn open_with(root: &Path, options: LogOptions) -> Result<Log, AuditError> {
    Log::open_with(dir(&root.join("audit")), Box::new(key(root)), ORIGIN, options)
}

pub fn append(log: &Log, id: &str) -> Result<Sealed, AuditError> {
    let payload = format!(r#"{{"id":"{id}"}}"#);
    log.append(&NewRecord {
        id,
        kind: "triage_report",
        incident: Some("inc_1"),
        created_us: 1_766_448_000_000_000,
        payload: payload.as_bytes(),
    })
}

/// Runs a script of `tests/verifiers/`: Python 3 and its standard library, nothing else.
pub fn python<'a>(script: &str, arguments: impl IntoIterator<Item = &'a std::ffi::OsStr>) -> std::process::Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/verifiers")
        .join(script);
    // No environment, no user's packages, and no compiled files in the source tree.
    let output = std::process::Command::new("python3")
        .args(["-E", "-s", "-B"])
        .arg(path)
        .args(arguments)
        .output();
    output.unwrap_or_else(|error| panic!("`python3` is needed for this test (Debian package `python3`): {error}"))
}

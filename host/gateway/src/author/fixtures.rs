//! What a project keeps to test its runbook on: evidence, and what actions returned.
//!
//! **In**: `fixtures/*.json[.zst]`: evidence files, and recorded runs. **Out**: [`Fixture`]s by name. **Trusted**: nothing; evidence files
//! are checked as they are read. **Can fail**: on a file that is neither; the error names it and the place in it.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use pg_logstats_logs::{Options, Part, Redaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::AuthorError;
use crate::ambient;
use crate::outcome::{OUTCOME_VERSION, RecordedOutcome};
use crate::snapshot::{EvidenceSnapshot, SNAPSHOT_VERSION};

/// The folder of a project that they are in.
pub(super) const FOLDER: &str = "fixtures";
/// What [`RecordedRun::format`] says.
pub(super) const RUN_FORMAT: &str = "pg-logstats recorded run";
/// Version of [`RecordedRun`].
pub(super) const RUN_VERSION: u32 = 1;
/// What an evidence file says.
const PART_FORMAT: &str = "pg-logstats evidence part";
const WHAT: &str = "fixture";
/// Largest fixture, before compression and after.
const BYTES: u64 = 64 << 20;
/// What zstd files begin with.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What a runbook was given in a sealed report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedRun {
    /// [`RUN_FORMAT`].
    pub(super) format: String,
    /// [`RUN_VERSION`].
    pub(super) version: u32,
    /// The evidence.
    pub(super) evidence: EvidenceSnapshot,
    /// What an action returned, for phase 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<RecordedOutcome>,
}

impl RecordedRun {
    pub(super) fn new(evidence: EvidenceSnapshot, outcome: Option<RecordedOutcome>) -> Self {
        Self {
            format: RUN_FORMAT.to_owned(),
            version: RUN_VERSION,
            evidence,
            outcome,
        }
    }
}

/// One thing to run a runbook on.
#[derive(Debug)]
pub(super) struct Fixture {
    /// The file's name without `.json` and `.zst`.
    pub(super) name: String,
    pub(super) snapshot: EvidenceSnapshot,
    /// SHA-256 of the evidence, as a workspace would name it.
    pub(super) evidence_digest: String,
    pub(super) outcome: Option<RecordedOutcome>,
}

#[derive(Deserialize)]
struct Head {
    format: Option<String>,
}

/// The fixtures of the project in `folder`, by name.
///
/// # Errors
/// When there is none, two have one name, or one cannot be read.
pub(super) fn load(folder: &Path) -> Result<Vec<Fixture>, AuthorError> {
    let mut fixtures: Vec<Fixture> = Vec::new();
    for path in files(&folder.join(FOLDER))? {
        let Some(name) = name(&path) else { continue };
        if fixtures.iter().any(|other| other.name == name) {
            return Err(AuthorError::file(
                &path,
                "another fixture has the same name, and there is one snapshot for a name; rename one of them",
            ));
        }
        fixtures.push(read(&path, name)?);
    }
    if fixtures.is_empty() {
        return Err(AuthorError::NotAProject {
            folder: folder.join(FOLDER).display().to_string(),
            reason: "it has no fixture to test a runbook on; make one of logs with `pg-logstats evidence export -o FILE.json LOG`, or of a \
                     sealed report with `pg-logstats runbook record`"
                .to_owned(),
        });
    }
    Ok(fixtures)
}

/// The files of a folder in order of name; none where there is no such folder.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, AuthorError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(AuthorError::io("read the folder", folder)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry.map_err(AuthorError::io("read the folder", folder))?.path());
    }
    files.sort();
    Ok(files)
}

/// The name of the fixture or snapshot in `path`; none for any other file.
pub(super) fn name(path: &Path) -> Option<String> {
    let file = path.file_name().and_then(OsStr::to_str)?;
    let name = file.strip_suffix(".zst").unwrap_or(file).strip_suffix(".json")?;
    (!name.is_empty() && !name.starts_with('.')).then(|| name.to_owned())
}

fn read(path: &Path, name: String) -> Result<Fixture, AuthorError> {
    let json = unpacked(path)?;
    let wrong = |reason: &str| AuthorError::file(path, reason);
    let head: Head = serde_json::from_slice(&json).map_err(|e| wrong(&format!("it is no JSON object: {e}")))?;
    let (snapshot, outcome) = match head.format.as_deref() {
        Some(PART_FORMAT) => {
            let shown = path.display().to_string();
            let part = Part::read(
                &shown,
                Box::new(std::io::Cursor::new(json)),
                Options::default().max_families,
            )
            .map_err(|e| AuthorError::Usage(e.to_string()))?;
            (
                EvidenceSnapshot::from_logs(part.evidence(&Redaction::least()), None),
                None,
            )
        }
        Some(RUN_FORMAT) => {
            let run: RecordedRun = serde_json::from_slice(&json).map_err(|e| wrong(&e.to_string()))?;
            let outcome_version = run.outcome.as_ref().map_or(OUTCOME_VERSION, |it| it.outcome_version);
            if (run.version, run.evidence.snapshot_version, outcome_version)
                != (RUN_VERSION, SNAPSHOT_VERSION, OUTCOME_VERSION)
            {
                return Err(wrong(
                    "it was recorded by another version of pg-logstats; record the run again",
                ));
            }
            (run.evidence, run.outcome)
        }
        _ => {
            return Err(wrong(
                "it is neither an evidence file (`pg-logstats evidence export`) nor a recorded run (`pg-logstats runbook record`)",
            ));
        }
    };
    Ok(Fixture {
        name,
        evidence_digest: digest(&snapshot)?,
        snapshot,
        outcome,
    })
}

/// As [`crate::workspace::Workspace::put_evidence`] names it.
fn digest(snapshot: &EvidenceSnapshot) -> Result<String, AuthorError> {
    let json = serde_json::to_vec(snapshot).map_err(|e| AuthorError::Usage(e.to_string()))?;
    Ok(crate::hex(&Sha256::digest(&json)))
}

fn unpacked(path: &Path) -> Result<Vec<u8>, AuthorError> {
    let bytes = ambient::read_file(path, WHAT, BYTES)?;
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return Ok(bytes);
    }
    let broken = |e: std::io::Error| AuthorError::file(path, &format!("it does not decompress: {e}"));
    let decoder = zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(broken)?;
    let mut json = Vec::new();
    decoder.take(BYTES + 1).read_to_end(&mut json).map_err(broken)?;
    if json.len() as u64 > BYTES {
        return Err(AuthorError::file(path, &format!("it is larger than {BYTES} bytes")));
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_neither_ending() {
        let of = |file: &str| name(Path::new(file));
        assert_eq!(of("fixtures/night.json").as_deref(), Some("night"));
        assert_eq!(of("fixtures/night.json.zst").as_deref(), Some("night"));
        for other in ["fixtures/README.md", "fixtures/.json", "fixtures/.hidden.json", "x.zst"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_fixture_is_told_with_its_name_and_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fixtures/night.json");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let error = || load(folder.path()).unwrap_err().to_string();
        assert!(error().contains("runbook record"), "{}", error());
        for (text, says) in [
            ("{\n\"format\": ", "line 2"),
            ("[]", "night.json"),
            ("{}", "neither an evidence file"),
            (
                r#"{"format":"pg-logstats recorded run","version":1}"#,
                "missing field `evidence`",
            ),
            (r#"{"format":"pg-logstats evidence part","version":7}"#, "night.json"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(error().contains(says), "{text}: {}", error());
        }
        std::fs::write(&path, [&ZSTD_MAGIC[..], b"rubbish"].concat()).unwrap();
        assert!(error().contains("does not decompress"), "{}", error());
    }
}

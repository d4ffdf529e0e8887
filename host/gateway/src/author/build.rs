//! `runbook build`: a project to a component that imports only our interface.
//!
//! **In**: the folder of a project. **Out**: the component's file, and what it says of itself. **Trusted**: the project's author. **Can
//! fail**: when a tool is missing, the project does not compile, or its component is no runbook.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AuthorError;
use super::bench::Bench;
use super::project::{Built, Project};
use crate::ambient;
use crate::report::SCHEMA_VERSION;

/// Build a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRequest {
    /// Its folder.
    pub folder: PathBuf,
    /// The tools say nothing but errors.
    pub quiet: bool,
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookBuild {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What the runbook calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The workflow that it serves.
    pub workflow: String,
    /// `sha256:` and the component's digest: whoever trusts the runbook trusts these bytes.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// All that it imports.
    pub imports: Vec<String>,
    /// The component's file.
    pub file: String,
}

/// Builds the project in `request.folder`.
///
/// # Errors
/// When there is no project, a tool is missing, it does not compile, or its component is no runbook.
pub fn build(request: &BuildRequest) -> Result<RunbookBuild, AuthorError> {
    let built = Project::open(&request.folder)?.build(request.quiet)?;
    let bench = Bench::load(&built.bytes).map_err(|source| AuthorError::Runbook {
        file: built.file.display().to_string(),
        source,
    })?;
    describe(&bench, &built)
}

pub(super) fn describe(bench: &Bench, built: &Built) -> Result<RunbookBuild, AuthorError> {
    let descriptor = &bench.descriptor;
    Ok(RunbookBuild {
        schema_version: SCHEMA_VERSION,
        name: descriptor.name().to_owned(),
        version: descriptor.version().to_owned(),
        workflow: descriptor.workflow().to_owned(),
        digest: bench.digest(),
        bytes: built.bytes.len() as u64,
        imports: pg_logstats_componentize::component_imports(&built.bytes)?,
        file: built.file.display().to_string(),
    })
}

/// Writes the file `path`, in place of what was there, in one step; the folder is made where it is missing.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), AuthorError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(AuthorError::io("make the folder", folder))?;
    Ok(ambient::replace_file(path, "file", bytes)?)
}

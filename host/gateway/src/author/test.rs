//! `runbook test`: a project's own tests, its component, and the component on the project's fixtures.
//!
//! **In**: the folder of a project. **Out**: [`RunbookTest`], which says whether it passed. **Trusted**: the project's author.
//! **Can fail**: when there is no project, no fixture, or a tool is missing.

use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::Bench;
use super::check::{FixtureResult, check};
use super::lint::Problem;
use super::{AuthorError, RunbookBuild, build, fixtures, native};
use crate::catalogue::Catalogue;
use crate::report::SCHEMA_VERSION;

/// Test a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// Its folder.
    pub folder: PathBuf,
    /// Renew the snapshots.
    pub bless: bool,
    /// The tools say nothing but errors.
    pub quiet: bool,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookTest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Whether there is no problem.
    pub passed: bool,
    /// The component; none when none could be made, or it does not describe itself.
    pub component: Option<RunbookBuild>,
    /// In order of name.
    pub fixtures: Vec<FixtureResult>,
    /// What has to be mended.
    pub problems: Vec<Problem>,
}

/// Tests the project in `request.folder`.
///
/// # Errors
/// When there is nothing to test, or a tool is missing.
pub fn test(request: &TestRequest, catalogue: &Arc<Catalogue>) -> Result<RunbookTest, AuthorError> {
    let project = super::project::Project::open(&request.folder)?;
    // Before the work: what cannot be tested should not be found out after minutes of compiling.
    let fixtures = fixtures::load(project.folder())?;
    let stopped = |problem| RunbookTest {
        schema_version: SCHEMA_VERSION,
        passed: false,
        component: None,
        fixtures: Vec::new(),
        problems: vec![problem],
    };
    if !native::test(&project, request.quiet)? {
        return Ok(stopped(Problem::new(
            "native_tests_failed",
            "the project's own tests failed; what they said is on standard error",
        )));
    }
    let built = match project.build(request.quiet) {
        Err(AuthorError::Componentize(error)) => {
            return Ok(stopped(Problem::new("not_built", error.to_string())));
        }
        built => built?,
    };
    let bench = match Bench::load(&built.bytes) {
        Ok(bench) => bench,
        Err(error) => return Ok(stopped(Problem::new(error.code(), error.to_string()))),
    };
    let component = build::describe(&bench, &built)?;
    let checked = check(&bench, catalogue, &fixtures, project.folder(), request.bless)?;
    Ok(RunbookTest {
        schema_version: SCHEMA_VERSION,
        passed: checked.problems.is_empty(),
        component: Some(component),
        fixtures: checked.fixtures,
        problems: checked.problems,
    })
}

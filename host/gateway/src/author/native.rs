//! The project's own tests, in its own language, without WebAssembly.
//!
//! **In**: a project. **Out**: whether they passed; what they said goes to standard error. **Trusted**: the project's author. **Can
//! fail**: when the language's tool is missing.

use std::process::{Command, Stdio};

use super::AuthorError;
use super::project::{Language, Project, RUST_REMEDY, cargo};

/// Runs the tests of `project`.
pub(super) fn test(project: &Project, quiet: bool) -> Result<bool, AuthorError> {
    match project.language() {
        Language::Rust => {
            let mut command = Command::new(cargo());
            command.arg("test");
            if quiet {
                command.arg("--quiet");
            }
            run(command, project, "cargo test", RUST_REMEDY)
        }
    }
}

fn run(mut command: Command, project: &Project, tool: &str, remedy: &'static str) -> Result<bool, AuthorError> {
    // Standard output is for the reply.
    command
        .current_dir(project.folder())
        .stdin(Stdio::null())
        .stdout(std::io::stderr());
    let status = command.status().map_err(|source| AuthorError::Tool {
        tool: tool.to_owned(),
        source,
        remedy,
    })?;
    Ok(status.success())
}

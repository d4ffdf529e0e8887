//! Builds runbook crates into WebAssembly components: those of this workspace from a build script, and an author's from anywhere
//! ([`build_crate`]).
//!
//! **In**: names and folders of workspace members ([`Package`]), and the environment that cargo gives a build script.
//! **Out**: one `.wasm` component for each in `OUT_DIR` ([`Built`]), and the `rerun-if-changed` lines that make a warm build
//! do nothing. **Trusted**: the workspace, the toolchain and cargo. A component is *not* trusted to import what it should:
//! [`Imports`] says what is checked. **Can fail**: see [`Error`]; [`finish`] turns a failure into the one line that cargo shows.
//!
//! The core modules are compiled by a nested cargo with a target directory of its own, `<target>/runbooks`, which all callers
//! share: the standard library and the SDK are compiled once, and a build script never waits for the outer cargo's lock. The
//! compiler is the active one where it has the target `wasm32-unknown-unknown`; [`Route`] has the other way.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may panic"
    )
)]

mod component;
mod crates;
mod error;
mod nested;
mod script;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use component::{OUR_IMPORTS, component_imports, foreign_imports};
pub use crates::{RunbookCrate, build_crate};
pub use error::Error;
pub use script::Script;
pub use toolchain::Route;

/// A workspace member to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name in `Cargo.toml`.
    pub name: String,
    /// Its folder, relative to the workspace root.
    pub folder: PathBuf,
    /// What its component may import.
    pub imports: Imports,
}

/// What a component may import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imports {
    /// Only [`OUR_IMPORTS`]: every runbook.
    OursOnly,
    /// Anything: a guest that exists to show that the host refuses it.
    Unchecked,
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The package's name.
    pub name: String,
    /// The component's file in `OUT_DIR`.
    pub path: PathBuf,
    /// The component.
    pub bytes: Vec<u8>,
}

/// Builds `packages` in one call of cargo; the result is in their order.
///
/// # Errors
///
/// When there is no compiler for WebAssembly, a package does not compile, its module is no runbook, or its component imports
/// something that it may not.
pub fn build(packages: &[Package]) -> Result<Vec<Built>, Error> {
    let script = Script::from_env()?;
    let built = if packages.is_empty() {
        Vec::new()
    } else {
        build_all(&script, packages)?
    };
    // After a failure cargo runs the script again in any case.
    for input in inputs(&script.workspace, packages) {
        println_directive("rerun-if-changed", &input.display().to_string());
    }
    Ok(built)
}

/// Ends a build script: success, or the failure as one `error:` line of cargo's.
///
/// An error that is reported like this fails the build whatever the exit code. A code other than 0 makes cargo add all that the
/// script printed: what is wanted after [`Error::Compile`], for the compiler's messages, and would bury the one line otherwise.
#[must_use]
pub fn finish(result: Result<(), Error>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    println_directive("error", &error.to_string());
    if matches!(error, Error::Compile { .. }) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Tells cargo `key=value`, the one thing that a build script's standard output is for.
#[expect(clippy::print_stdout, reason = "cargo reads a build script's standard output")]
pub fn println_directive(key: &str, value: &str) {
    println!("cargo::{key}={}", value.replace(['\n', '\r'], " "));
}

fn build_all(script: &Script, packages: &[Package]) -> Result<Vec<Built>, Error> {
    let route = Route::find(&script.rustc)?;
    let modules = nested::compile(script, &route, packages)?;
    packages
        .iter()
        .zip(modules)
        .map(|(package, module)| finish_component(script, package, &module))
        .collect()
}

/// What a build depends on: the contract, the SDK, the packages, and the versions and profile that the workspace fixes.
fn inputs(workspace: &Path, packages: &[Package]) -> Vec<PathBuf> {
    let shared = [
        "Cargo.lock",
        "Cargo.toml",
        "guest-sdk/Cargo.toml",
        "guest-sdk/src",
        "wit",
    ];
    let shared = shared.iter().map(|path| workspace.join(path));
    shared
        .chain(packages.iter().map(|package| workspace.join(&package.folder)))
        .collect()
}

/// Turns one core module into a component in `OUT_DIR`.
fn finish_component(script: &Script, package: &Package, module: &Path) -> Result<Built, Error> {
    let core = fs::read(module).map_err(|source| Error::Read {
        path: module.to_owned(),
        source,
    })?;
    let bytes = component::encode(&package.name, &core)?;
    if package.imports == Imports::OursOnly {
        component::check_imports(&package.name, &bytes)?;
    }
    let path = script.out_dir.join(format!("{}.wasm", package.name));
    fs::write(&path, &bytes).map_err(|source| Error::Write {
        path: path.clone(),
        source,
    })?;
    Ok(Built {
        name: package.name.clone(),
        path,
        bytes,
    })
}

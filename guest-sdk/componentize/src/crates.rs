//! A runbook crate that is no member of this workspace: an author's.
//!
//! **In**: a crate, as `cargo metadata` describes it. **Out**: its component, checked for its imports. **Trusted**: the crate's author,
//! whose build scripts and macros run on this machine, as with any `cargo build`. **Can fail**: when there is no compiler for
//! WebAssembly, or the crate does not compile or is no runbook.
//!
//! The profile is the crate's own `release`. What the compiler would embed of paths is mapped to fixed names, as for the built-in
//! runbooks, so that another machine can make the same bytes of the same sources.

use std::path::PathBuf;
use std::process::Stdio;

use crate::toolchain::TARGET;
use crate::{Error, Route, component, nested};

/// A runbook crate to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunbookCrate {
    /// The cargo to call.
    pub cargo: PathBuf,
    /// The compiler that this cargo uses.
    pub rustc: PathBuf,
    /// The package's name in `Cargo.toml`.
    pub name: String,
    /// The name of its library, as a file has it.
    pub library: String,
    /// The package's folder.
    pub folder: PathBuf,
    /// The target folder of its workspace.
    pub target: PathBuf,
    /// Folders of packages that are taken from a path, and what is to stand for them in the component.
    pub remapped: Vec<(PathBuf, String)>,
    /// Whether cargo says nothing but errors.
    pub quiet: bool,
}

/// Compiles `package` for WebAssembly and makes the component of it.
///
/// # Errors
///
/// When there is no compiler for WebAssembly, the crate does not compile, its module is no runbook, or its component imports
/// something that no runbook may.
pub fn build_crate(package: &RunbookCrate) -> Result<Vec<u8>, Error> {
    let route = Route::find(&package.rustc)?;
    // The last that fits counts, and the crate's own folder may lie in one of the others.
    let mut remapped = nested::remapped_tools(&route);
    remapped.extend(package.remapped.iter().cloned());
    remapped.push((package.folder.clone(), "/runbook".to_owned()));
    let mut command = nested::cargo(&package.cargo, &route, &package.target, &remapped);
    command.current_dir(&package.folder);
    command.args(["--release", "--lib", "--package", &package.name]);
    if package.quiet {
        command.arg("--quiet");
    }
    // Standard output is for the caller's data.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.map_err(|source| Error::Spawn {
        program: package.cargo.clone(),
        source,
    })?;
    if !status.success() {
        return Err(Error::CrateCompile {
            package: package.name.clone(),
        });
    }
    let file = format!("{}.wasm", package.library);
    let module = package.target.join(TARGET).join("release").join(file);
    let core = std::fs::read(&module).map_err(|source| Error::Read { path: module, source })?;
    let bytes = component::encode(&package.name, &core)?;
    component::check_imports(&package.name, &bytes)?;
    Ok(bytes)
}

//! The cargo inside the cargo.
//!
//! **In**: the script's surroundings, a route, the packages. **Out**: the paths of their core modules. **Trusted**: `Cargo.lock`,
//! which the nested cargo may not change. **Can fail**: when cargo cannot be started or a package does not compile.
//!
//! The bytes that come out must depend on the sources and the compiler alone, so every variable of the outer cargo, every flag
//! and every path that would show in them is taken away or mapped to a fixed name.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::toolchain::{Route, TARGET};
use crate::{Error, Package, Script};

/// The profile in the workspace's `Cargo.toml` that makes small components.
const PROFILE: &str = "guest";

/// What separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: &str = "\x1f";

/// Compiles `packages`; the result has their core modules in their order.
pub(crate) fn compile(script: &Script, route: &Route, packages: &[Package]) -> Result<Vec<PathBuf>, Error> {
    let target = script.nested_target();
    let mut command = command(script, route, packages, &target);
    // Whatever cargo says belongs to the messages; standard output is for the directives of the outer cargo.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.map_err(|source| Error::Spawn {
        program: script.cargo.clone(),
        source,
    })?;
    if !status.success() {
        return Err(failed(packages));
    }
    let folder = target.join(TARGET).join(PROFILE);
    Ok(packages
        .iter()
        .map(|package| folder.join(format!("{}.wasm", package.name.replace('-', "_"))))
        .collect())
}

fn command(script: &Script, route: &Route, packages: &[Package], target: &Path) -> Command {
    let mut command = cargo(&script.cargo, route, target, &remapped(&script.workspace, route));
    command.current_dir(&script.workspace);
    command.args(["--locked", "--profile", PROFILE]);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    command
}

/// `cargo build` for WebAssembly by `route` into `target`, with nothing of the environment that would show in the bytes.
pub(crate) fn cargo(program: &Path, route: &Route, target: &Path, remapped: &[(PathBuf, String)]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os().filter(|(name, _)| !may_pass(name)) {
        command.env_remove(name);
    }
    command.args(["build", "--target", TARGET, "--target-dir"]).arg(target);
    command.env("RUSTC", route.rustc());
    // A user's `build.build-dir` would be the outer cargo's, and locked by it until this script ends.
    command.env("CARGO_BUILD_BUILD_DIR", target);
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(remapped));
    if let Route::BuildStd { linker, .. } = route {
        // `-Z` on a stable compiler: it concerns how `std` is compiled, and no runbook can use an unstable feature for it.
        // The features are what a component wants: none of the default ones (unwinding, backtraces), small sorts and hashes.
        command.args([
            "-Z",
            "build-std=std,panic_abort",
            "-Z",
            "build-std-features=optimize_for_size",
        ]);
        command.env("RUSTC_BOOTSTRAP", "1");
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    command
}

/// Whether a variable of the build script's environment may reach the nested cargo.
///
/// Of cargo's own, only what says where packages come from, how many jobs may run and how messages look.
fn may_pass(name: &OsStr) -> bool {
    const CARGO: [&str; 9] = [
        "CARGO_HOME",
        "CARGO_MAKEFLAGS",
        "CARGO_BUILD_JOBS",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTRY_",
        "CARGO_REGISTRIES_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const OUTER: [&str; 7] = ["TARGET", "HOST", "OUT_DIR", "PROFILE", "OPT_LEVEL", "DEBUG", "NUM_JOBS"];
    let name = name.to_string_lossy();
    if name.starts_with("CARGO") {
        return CARGO.iter().any(|allowed| match allowed.strip_suffix('_') {
            Some(_) => name.starts_with(allowed),
            None => name == *allowed,
        });
    }
    // `RUSTC`, `RUSTC_WRAPPER` (sccache), `RUSTC_WORKSPACE_WRAPPER` (clippy), `RUSTFLAGS`, `RUSTDOC…`, but not `RUSTUP_…`.
    let compiler = ["RUSTC", "RUSTFLAGS", "RUSTDOC"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    !compiler && !name.starts_with("DEP_") && !OUTER.contains(&name.as_ref())
}

/// The folders whose names would show in panic messages, and what stands for them.
fn remapped(workspace: &Path, route: &Route) -> Vec<(PathBuf, String)> {
    let mut folders = vec![(workspace.to_owned(), "/pg-logstats".to_owned())];
    folders.extend(remapped_tools(route));
    folders
}

/// The same of what every build takes from elsewhere: packages of registries, and the standard library.
pub(crate) fn remapped_tools(route: &Route) -> Vec<(PathBuf, String)> {
    let mut folders = Vec::new();
    if let Some(home) = cargo_home() {
        folders.push((home, "/cargo".to_owned()));
    }
    if let Route::BuildStd { sources, .. } = route {
        folders.push((sources.clone(), "/rust".to_owned()));
        // The compiler may name them by where a link leads, as Debian's does.
        folders.extend(
            sources
                .canonicalize()
                .ok()
                .filter(|path| path != sources)
                .map(|path| (path, "/rust".to_owned())),
        );
    }
    folders
}

fn cargo_home() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from);
    home.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

fn rustflags(folders: &[(PathBuf, String)]) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in folders {
        if !flags.is_empty() {
            flags.push(FLAG_SEPARATOR);
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

fn failed(packages: &[Package]) -> Error {
    let names: Vec<String> = packages.iter().map(|package| format!("`{}`", package.name)).collect();
    let arguments: Vec<String> = packages.iter().map(|package| format!("-p {}", package.name)).collect();
    Error::Compile {
        packages: names.join(", "),
        command: format!("cargo check {}", arguments.join(" ")),
    }
}

#[cfg(test)]
mod tests;

//! What can go wrong while building components.

use std::io;
use std::path::PathBuf;

/// Why no component was built. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No compiler can target WebAssembly.
    #[error("no Rust compiler for WebAssembly: run `make toolchain` (or `rustup target add wasm32-unknown-unknown`)")]
    NoToolchain,
    /// The sources of the standard library are there, a linker for WebAssembly is not.
    #[error("no linker for WebAssembly: run `make toolchain` (or `rustup target add wasm32-unknown-unknown`)")]
    NoLinker,
    /// Not called by cargo.
    #[error("the variable `{name}` is not set: componentize runs in a build script, started by cargo")]
    NotABuildScript {
        /// The variable.
        name: &'static str,
    },
    /// No `Cargo.lock` in any folder above the package.
    #[error("no `Cargo.lock` in or above `{}`: run `cargo generate-lockfile` in the workspace", folder.display())]
    NoWorkspace {
        /// The folder of the package whose build script runs.
        folder: PathBuf,
    },
    /// A program could not be started.
    #[error("cannot run `{}`: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The compiler was started, and failed to describe itself.
    #[error("`{} {arguments}` failed: check the Rust installation", program.display())]
    Compiler {
        /// The compiler.
        program: PathBuf,
        /// What it was asked.
        arguments: String,
    },
    /// The nested cargo failed; what it says is on the build script's standard error.
    #[error(
        "cannot compile {packages} for WebAssembly: the compiler's messages follow; repeat it alone with `{command}`"
    )]
    Compile {
        /// The packages, each in backticks.
        packages: String,
        /// The command to see it alone.
        command: String,
    },
    /// Cargo failed on an author's crate; what it says is on standard error.
    #[error("cannot compile `{package}` for WebAssembly: the compiler's messages are above")]
    CrateCompile {
        /// The package.
        package: String,
    },
    /// A core module could not be read.
    #[error("cannot read `{}`: {source}: the package needs `crate-type = [\"cdylib\"]`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A component could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A core module is no component in the making.
    #[error("`{package}` is no runbook: {reason}; it has to export the world `runbook`")]
    Encode {
        /// The package.
        package: String,
        /// The encoder's reason.
        reason: String,
    },
    /// Bytes that were expected to be a component are none.
    #[error("not a WebAssembly component: {reason}")]
    NotAComponent {
        /// The parser's reason.
        reason: String,
    },
    /// A runbook imports something that no runbook may.
    #[error(
        "`{package}` imports `{imports}`: a runbook imports `pg-logstats:runbook` and nothing else; remove what needs it"
    )]
    ForeignImport {
        /// The package.
        package: String,
        /// The imports, joined by "`, `".
        imports: String,
    },
}

//! The compiler and linker that turn Rust into WebAssembly on this machine.
//!
//! **In**: the active compiler. **Out**: a [`Route`]. **Trusted**: the compilers' own account of themselves. **Can fail**: when
//! no compiler fits; the message says what to run.
//!
//! Two kinds of machine are served alike:
//!
//! 1. The active toolchain has the target (`rustup target add wasm32-unknown-unknown`): plain cargo.
//! 2. It cannot be had, but a compiler with the sources of its own standard library is there: cargo compiles `std` too. On
//!    Debian that is `rustc-web` with `rust-web-src`. Sources and compiler must be of one version, so each compiler is only
//!    ever asked for the sources in its own sysroot.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// The target of every runbook: no WASI, so a component of it has no import that the runbook did not write.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian's packages put their compiler, which rustup's hides in `PATH`.
const SYSTEM_RUSTC: &str = "/usr/bin/rustc";

/// How to compile for WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The compiler has the target's standard library.
    Installed {
        /// The compiler.
        rustc: PathBuf,
    },
    /// The compiler has the sources of its standard library.
    BuildStd {
        /// The compiler.
        rustc: PathBuf,
        /// The sources: the folder that holds `library`.
        sources: PathBuf,
        /// The linker.
        linker: PathBuf,
    },
}

impl Route {
    /// Finds a route, the installed target first; `active` is the compiler that the outer cargo uses.
    ///
    /// # Errors
    ///
    /// When there is none, or `active` does not run.
    pub fn find(active: &Path) -> Result<Self, Error> {
        Self::among(
            active,
            Path::new(SYSTEM_RUSTC),
            &env::var_os("PATH").unwrap_or_default(),
        )
    }

    fn among(active: &Path, system: &Path, path: &OsStr) -> Result<Self, Error> {
        let active = Compiler::ask(active)?;
        // A system compiler that does not run is no reason to stop: mostly there is none, and the active one may do.
        let system = Compiler::ask(system).ok();
        let compilers: Vec<&Compiler> = [Some(&active), system.as_ref()].into_iter().flatten().collect();
        if let Some(compiler) = compilers.iter().find(|compiler| compiler.has_target()) {
            return Ok(Self::Installed {
                rustc: compiler.program.clone(),
            });
        }
        let with_sources = compilers
            .iter()
            .find_map(|compiler| Some((compiler, compiler.sources()?)));
        let (compiler, sources) = with_sources.ok_or(Error::NoToolchain)?;
        // The linker that rustup's toolchain carries serves a compiler of another origin too.
        let linker = compiler
            .own_linker()
            .or_else(|| active.own_linker())
            .or_else(|| linker_in(path));
        let linker = linker.ok_or(Error::NoLinker)?;
        Ok(Self::BuildStd {
            rustc: compiler.program.clone(),
            sources,
            linker,
        })
    }

    /// The compiler.
    #[must_use]
    pub fn rustc(&self) -> &Path {
        match self {
            Self::Installed { rustc } | Self::BuildStd { rustc, .. } => rustc,
        }
    }
}

/// A compiler and what it says of itself.
#[derive(Debug)]
struct Compiler {
    program: PathBuf,
    sysroot: PathBuf,
    host: String,
    release: String,
}

impl Compiler {
    fn ask(program: &Path) -> Result<Self, Error> {
        let sysroot = answer(program, &["--print", "sysroot"])?;
        let version = answer(program, &["-vV"])?;
        let field = |name| {
            version
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .to_owned()
        };
        let sysroot = sysroot.trim_end().into();
        Ok(Self {
            program: program.to_owned(),
            sysroot,
            host: field("host: "),
            release: field("release: "),
        })
    }

    fn rustlib(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }

    /// The folder alone is not enough: rustup leaves one behind after `target remove`.
    fn has_target(&self) -> bool {
        let libraries = self.rustlib().join(TARGET).join("lib").read_dir();
        libraries.is_ok_and(|mut entries| {
            entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
        })
    }

    /// Debian's sources are a package of their own, behind a link to a folder that names their version: an upgrade of one
    /// package alone leaves a pair that does not compile. rustup keeps its pair in step, in a folder without a version.
    fn sources(&self) -> Option<PathBuf> {
        let sources = self.rustlib().join("src/rust");
        let folder = sources.canonicalize().ok()?;
        let version = folder.file_name()?.to_str()?.strip_prefix("rustc-");
        let fits = version.is_none_or(|version| version == self.release);
        (fits && sources.join("library/Cargo.lock").is_file()).then_some(sources)
    }

    fn own_linker(&self) -> Option<PathBuf> {
        let linker = self
            .rustlib()
            .join(&self.host)
            .join("bin")
            .join(format!("rust-lld{}", env::consts::EXE_SUFFIX));
        linker.is_file().then_some(linker)
    }
}

/// LLVM's linker for WebAssembly on `path`; Debian's package `lld` has it.
fn linker_in(path: &OsStr) -> Option<PathBuf> {
    let name = format!("wasm-ld{}", env::consts::EXE_SUFFIX);
    env::split_paths(path)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
}

fn answer(program: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let output = output.map_err(|source| Error::Spawn {
        program: program.to_owned(),
        source,
    })?;
    if !output.status.success() {
        return Err(Error::Compiler {
            program: program.to_owned(),
            arguments: arguments.join(" "),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests;

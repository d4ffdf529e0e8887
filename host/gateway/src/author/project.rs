//! A runbook's project: a folder, and how a component is made of it.
//!
//! **In**: a folder. **Out**: its language, and the bytes of its component. **Trusted**: the project's author. **Can fail**: when the
//! folder holds no runbook, a tool is missing, or the project does not compile.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pg_logstats_componentize::{RunbookCrate, build_crate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuthorError, build};

/// What a runbook is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust, with the SDK.
    Rust,
}

impl Language {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
        }
    }
}

/// A project.
#[derive(Debug)]
pub(super) struct Project {
    folder: PathBuf,
    language: Language,
}

/// A component that was made.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) bytes: Vec<u8>,
    pub(super) file: PathBuf,
}

pub(super) const RUST_REMEDY: &str = "install Rust with rustup";

impl Project {
    /// The project in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, AuthorError> {
        let folder = folder
            .canonicalize()
            .map_err(AuthorError::io("open the folder", folder))?;
        if !folder.join("Cargo.toml").is_file() {
            return Err(AuthorError::NotAProject {
                folder: folder.display().to_string(),
                reason: "it has no `Cargo.toml`; `pg-logstats runbook new` makes a project".to_owned(),
            });
        }
        Ok(Self {
            folder,
            language: Language::Rust,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// Makes the component and writes it to its file.
    pub(super) fn build(&self, quiet: bool) -> Result<Built, AuthorError> {
        match self.language {
            Language::Rust => self.build_rust(quiet),
        }
    }

    fn build_rust(&self, quiet: bool) -> Result<Built, AuthorError> {
        let package = self.metadata()?.runbook(&self.folder, quiet)?;
        let bytes = build_crate(&package)?;
        let file = package.target.join("runbook").join(format!("{}.wasm", package.name));
        build::replace(&file, &bytes)?;
        Ok(Built { bytes, file })
    }

    fn metadata(&self) -> Result<Metadata, AuthorError> {
        // Of what is compiled for a component only, so that nothing else has to be fetched.
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            "wasm32-unknown-unknown",
        ];
        let output = Command::new(cargo())
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = output.map_err(|source| AuthorError::Tool {
            tool: "cargo".to_owned(),
            source,
            remedy: RUST_REMEDY,
        })?;
        if !output.status.success() {
            return Err(AuthorError::ToolFailed {
                tool: "cargo metadata".to_owned(),
            });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|e| AuthorError::Usage(format!("`cargo metadata` says what cannot be read: {e}")))
    }
}

/// The cargo that an author uses.
pub(super) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}

/// As far as it is needed; see `cargo help metadata`.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Metadata {
    fn runbook(&self, folder: &Path, quiet: bool) -> Result<RunbookCrate, AuthorError> {
        let wrong = |reason: &str| AuthorError::NotAProject {
            folder: folder.display().to_string(),
            reason: reason.to_owned(),
        };
        let manifest = folder.join("Cargo.toml");
        let package = self.packages.iter().find(|it| it.manifest_path == manifest);
        let package =
            package.ok_or_else(|| wrong("its `Cargo.toml` is a workspace's; name the folder of one package"))?;
        let is_module = |target: &&Target| target.crate_types.iter().any(|it| it == "cdylib");
        let library = package.targets.iter().find(is_module);
        let library =
            library.ok_or_else(|| wrong("its `Cargo.toml` needs `crate-type = [\"cdylib\"]` below `[lib]`"))?;
        let local = self.packages.iter().filter(|it| it.source.is_none());
        let remapped = local.filter_map(|it| Some((it.manifest_path.parent()?.to_owned(), format!("/{}", it.name))));
        Ok(RunbookCrate {
            cargo: cargo(),
            rustc: rustc(),
            name: package.name.clone(),
            library: library.name.replace('-', "_"),
            folder: folder.to_owned(),
            target: self.target_directory.clone(),
            remapped: remapped.collect(),
            quiet,
        })
    }
}

//! A runbook's project: a folder, and how a component is made of it.
//!
//! **In**: a folder. **Out**: its language, and the bytes of its component. **Trusted**: the project's author. **Can fail**: when the
//! folder holds no runbook, a tool is missing, or the project does not compile.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pg_logstats_componentize::{RunbookCrate, build_crate, foreign_imports};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuthorError, build};
use crate::ambient;
use crate::runbook::limits;

/// What a runbook is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust, with the SDK.
    Rust,
    /// JavaScript, with componentize-js and every feature of it off that would import WASI.
    JavaScript,
}

impl Language {
    /// Why Python is not one of them.
    pub fn no_python() -> AuthorError {
        AuthorError::Usage(format!(
            "a runbook cannot be written in Python yet: what componentize-py 0.25 makes has more than {} core instances, the most that this \
             host runs, and reaches no WASI only by stubs that end the run; take --lang rust or --lang js",
            limits::INSTANCES
        ))
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "java_script",
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
pub(super) const JS_REMEDY: &str = "install Node.js 20 or later";
/// What tells a JavaScript project.
const JS_SOURCE: &str = "runbook.js";
/// Largest `package.json`.
const MANIFEST_BYTES: u64 = 1 << 20;
/// What the script ends with where componentize-js is missing.
const NO_COMPONENTIZE_JS: i32 = 69;

impl Project {
    /// The project in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, AuthorError> {
        let folder = folder
            .canonicalize()
            .map_err(AuthorError::io("open the folder", folder))?;
        let has = |file: &str| folder.join(file).is_file();
        let language = match (has("Cargo.toml"), has(JS_SOURCE)) {
            (true, _) => Language::Rust,
            (false, true) => Language::JavaScript,
            (false, false) => {
                return Err(AuthorError::NotAProject {
                    folder: folder.display().to_string(),
                    reason: format!(
                        "it has no `Cargo.toml` and no `{JS_SOURCE}`; `pg-logstats runbook new` makes a project"
                    ),
                });
            }
        };
        Ok(Self { folder, language })
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
            Language::JavaScript => self.build_js(),
        }
    }

    /// Componentize-js is the project's own, and is called by a script of this binary.
    fn build_js(&self) -> Result<Built, AuthorError> {
        let name = self.js_name()?;
        let folder = self.folder.join("build");
        let file = folder.join(format!("{name}.wasm"));
        std::fs::create_dir_all(&folder).map_err(AuthorError::io("make the folder", &folder))?;
        let made = folder.join(format!(".{}.partial", std::process::id()));
        let status = Command::new("node")
            .args([
                "--input-type=module",
                "-e",
                include_str!("template/js/componentize.mjs"),
            ])
            .arg(&made)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .status();
        let status = status.map_err(|source| AuthorError::Tool {
            tool: "node".to_owned(),
            source,
            remedy: JS_REMEDY,
        })?;
        if !status.success() {
            let _ = std::fs::remove_file(&made);
            return Err(match status.code() {
                Some(NO_COMPONENTIZE_JS) => AuthorError::NotAProject {
                    folder: self.folder.display().to_string(),
                    reason: "componentize-js, which makes its component, is not installed; run `npm install` there"
                        .to_owned(),
                },
                _ => AuthorError::ToolFailed {
                    tool: "componentize-js".to_owned(),
                },
            });
        }
        let bytes = std::fs::read(&made).map_err(AuthorError::io("read", &made))?;
        std::fs::rename(&made, &file).map_err(AuthorError::io("write", &file))?;
        let foreign = foreign_imports(&bytes)?;
        if !foreign.is_empty() {
            return Err(pg_logstats_componentize::Error::ForeignImport {
                package: name,
                imports: foreign.join("`, `"),
            }
            .into());
        }
        Ok(Built { bytes, file })
    }

    /// The package's name, as far as it can be the name of a file.
    fn js_name(&self) -> Result<String, AuthorError> {
        #[derive(Deserialize)]
        struct Manifest {
            name: String,
        }
        let path = self.folder.join("package.json");
        let bytes = ambient::read_file(&path, "package.json", MANIFEST_BYTES)?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|e| AuthorError::file(&path, &e.to_string()))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match manifest.name.chars().all(is_plain) && !manifest.name.starts_with('.') && !manifest.name.is_empty() {
            true => Ok(manifest.name),
            false => Err(AuthorError::file(
                &path,
                "`name` is not letters, digits, `-`, `_` and `.`; give the runbook's name",
            )),
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

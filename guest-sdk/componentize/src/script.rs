//! What cargo tells a build script.
//!
//! **In**: environment variables. **Out**: the folders and programs of this build. **Trusted**: cargo. **Can fail**: when the
//! process is no build script, or its package stands in no workspace.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::Error;

/// The surroundings of the build script that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The cargo that runs the script.
    pub cargo: PathBuf,
    /// The compiler that this cargo uses.
    pub rustc: PathBuf,
    /// Where the script may write.
    pub out_dir: PathBuf,
    /// The workspace root: the nearest folder with a `Cargo.lock`.
    pub workspace: PathBuf,
}

impl Script {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// When a variable that cargo sets for build scripts is missing, or no folder above the package has a `Cargo.lock`.
    pub fn from_env() -> Result<Self, Error> {
        let folder = variable("CARGO_MANIFEST_DIR")?;
        let workspace = folder.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
        let workspace = workspace.map(Path::to_owned).ok_or(Error::NoWorkspace { folder })?;
        Ok(Self {
            cargo: variable("CARGO")?,
            rustc: variable("RUSTC")?,
            out_dir: variable("OUT_DIR")?,
            workspace,
        })
    }

    /// The nested cargo's target directory, one for all build scripts of this build: `runbooks` beside the profile folders.
    ///
    /// `OUT_DIR` is `<target>/[<triple>/]<profile>/build/…/out` in every layout that cargo has had.
    pub(crate) fn nested_target(&self) -> PathBuf {
        let build = self
            .out_dir
            .ancestors()
            .skip(1)
            .find(|folder| folder.file_name() == Some(OsStr::new("build")));
        let target = build.and_then(Path::parent).and_then(Path::parent);
        target.unwrap_or(&self.out_dir).join("runbooks")
    }
}

fn variable(name: &'static str) -> Result<PathBuf, Error> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or(Error::NotABuildScript { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested_target(out_dir: &str) -> PathBuf {
        let script = Script {
            cargo: "cargo".into(),
            rustc: "rustc".into(),
            out_dir: out_dir.into(),
            workspace: "/src".into(),
        };
        script.nested_target()
    }

    #[test]
    fn two_packages_of_one_build_share_the_nested_target_directory() {
        let first = nested_target("/src/target/release/build/pg-logstats-builtin-0123456789abcdef/out");
        let second = nested_target("/src/target/release/build/pg-logstats-tests-fedcba9876543210/out");
        assert_eq!(first, Path::new("/src/target/runbooks"));
        assert_eq!(second, first);
    }

    #[test]
    fn a_workspace_below_a_folder_called_build_keeps_to_its_own_target_directory() {
        let nested = nested_target("/home/build/src/target/release/build/pg-logstats-builtin-0123456789abcdef/out");
        assert_eq!(nested, Path::new("/home/build/src/target/runbooks"));
    }

    #[test]
    fn an_unknown_layout_falls_back_to_the_folder_that_cargo_gave() {
        assert_eq!(nested_target("/elsewhere/out"), Path::new("/elsewhere/out/runbooks"));
    }
}

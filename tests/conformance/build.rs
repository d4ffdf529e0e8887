//! Builds the runbook for each version of the contract.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pg_logstats_componentize::{Error, Imports, Package, Script, build, finish, println_directive};

/// Version, folder, and what the component may import: no build of this repository serves 0.3.0.
const VERSIONS: [(&str, &str, Imports); 3] = [
    ("0.1.0", "v0-1-0", Imports::OursOnly),
    ("0.2.0", "v0-2-0", Imports::OursOnly),
    ("0.3.0", "v0-3-0", Imports::Unchecked),
];

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<(), Error> {
    println_directive("rerun-if-changed", "build.rs");
    println_directive("rerun-if-changed", "guest.rs");
    let packages = VERSIONS.map(|(_, folder, imports)| Package {
        name: format!("conformance-{folder}"),
        folder: Path::new("tests/conformance").join(folder),
        imports,
    });
    let mut code = String::from("&[\n");
    for ((version, _, _), component) in VERSIONS.iter().zip(build(&packages)?) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            code,
            "    ({version:?}, include_bytes!({:?})),",
            component.path.display().to_string()
        );
    }
    code.push(']');
    let path: PathBuf = Script::from_env()?.out_dir.join("components.rs");
    std::fs::write(&path, code).map_err(|source| Error::Write { path, source })
}

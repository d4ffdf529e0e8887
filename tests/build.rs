//! Builds every folder of `guests/` and `conformance/` into a component, and tells the tests where each lies.
//!
//! A guest cannot be forgotten: folders are read, not listed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use pg_logstats_componentize::{Built, Error, Imports, Package, build, finish, println_directive};

/// Guests that exist to be refused for what they import.
const UNCHECKED: [&str; 2] = ["imports-wasi", "v0-3-0"];

/// What a folder's components are called in the tests, and the beginning of their packages' names.
const FOLDERS: [(&str, &str, &str); 2] = [
    ("guests", "GUESTS", "guest-"),
    ("conformance", "CONFORMANCE", "conformance-"),
];

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<(), Error> {
    println_directive("rerun-if-changed", "build.rs");
    let mut code = String::new();
    // One call for all, so that what they share is compiled once.
    let mut packages: Vec<Package> = Vec::new();
    let mut lists = Vec::new();
    for (folder, list, prefix) in FOLDERS {
        println_directive("rerun-if-changed", folder);
        let names = names(Path::new(folder))?;
        packages.extend(names.iter().map(|name| package(folder, prefix, name)));
        lists.push((list, folder, names));
    }
    let mut components = build(&packages)?.into_iter();
    for (list, folder, names) in lists {
        let built: Vec<Built> = components.by_ref().take(names.len()).collect();
        write_list(&mut code, list, folder, &names, &built);
    }
    let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("guests.rs");
    fs::write(&path, code).map_err(|source| Error::Write { path, source })
}

/// The folders of `folder`, each of which is a guest, in order.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let unreadable = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn package(folder: &str, prefix: &str, name: &str) -> Package {
    Package {
        name: format!("{prefix}{name}"),
        folder: Path::new("tests").join(folder).join(name),
        imports: if UNCHECKED.contains(&name) {
            Imports::Unchecked
        } else {
            Imports::OursOnly
        },
    }
}

/// The list of one folder in `guests.rs`, for the tests to include.
fn write_list(code: &mut String, list: &str, folder: &str, names: &[String], components: &[Built]) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        code,
        "/// Name and component file of everything in `{folder}/`, by name.\npub const {list}: &[(&str, &str)] = &["
    );
    for (name, component) in names.iter().zip(components) {
        let _ = writeln!(code, "    ({name:?}, {:?}),", component.path.display().to_string());
    }
    code.push_str("];\n");
}

//! Builds every folder of `guests/` into a component, and tells the tests where each lies.
//!
//! A guest cannot be forgotten: folders are read, not listed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use pg_logstats_componentize::{Built, Error, Imports, Package, build, finish, println_directive};

/// Guests that exist to be refused for what they import.
const UNCHECKED: [&str; 1] = ["imports-wasi"];

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<(), Error> {
    let folder = Path::new("guests");
    println_directive("rerun-if-changed", "guests");
    println_directive("rerun-if-changed", "build.rs");
    find_python_verifiers()?;
    let packages: BTreeMap<String, Package> = names(folder)?
        .into_iter()
        .map(|name| (name.clone(), package(&name)))
        .collect();
    let components = build(&packages.values().cloned().collect::<Vec<_>>())?;
    for (name, component) in packages.keys().zip(&components) {
        let variable = format!("GUEST_{}", name.replace('-', "_").to_uppercase());
        println_directive("rustc-env", &format!("{variable}={}", component.path.display()));
    }
    write_list(packages.keys(), &components)
}

/// The folders of `folder`, each of which is a guest.
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
    Ok(names)
}

fn package(name: &str) -> Package {
    Package {
        name: format!("guest-{name}"),
        folder: Path::new("tests/guests").join(name),
        imports: if UNCHECKED.contains(&name) {
            Imports::Unchecked
        } else {
            Imports::OursOnly
        },
    }
}

/// `guests.rs`, for the tests to include.
fn write_list<'a>(names: impl Iterator<Item = &'a String>, components: &[Built]) -> Result<(), Error> {
    let mut code =
        String::from("/// Name and component file of every guest, by name.\npub const GUESTS: &[(&str, &str)] = &[\n");
    for (name, component) in names.zip(components) {
        // Writing to a string cannot fail.
        let _ = writeln!(code, "    ({name:?}, {:?}),", component.path.display().to_string());
    }
    code.push_str("];\n");
    let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("guests.rs");
    fs::write(&path, code).map_err(|source| Error::Write { path, source })
}

/// Tells the tests where `scripts/python-verifiers.sh` put other people's verifiers; those that need them are ignored when it could not.
fn find_python_verifiers() -> Result<(), Error> {
    println_directive("rustc-check-cfg", "cfg(no_python_verifiers)");
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    let out = Path::new(&out);
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).unwrap_or(out);
    let marker = target.join("python-verifiers/installed.txt");
    if !marker.exists() {
        // An absent file would count as changed at each build.
        let write = |source| Error::Write {
            path: marker.clone(),
            source,
        };
        fs::create_dir_all(target.join("python-verifiers")).map_err(write)?;
        fs::write(&marker, "").map_err(write)?;
    }
    println_directive("rerun-if-changed", &marker.display().to_string());
    let python = target.join("python-verifiers/bin/python");
    println_directive("rustc-env", &format!("PYTHON_VERIFIERS={}", python.display()));
    if fs::read_to_string(&marker).unwrap_or_default().is_empty() {
        println_directive("rustc-cfg", "no_python_verifiers");
        println_directive("warning", "there are no Python verifiers here, so their test is ignored; `scripts/python-verifiers.sh` fetches them");
    }
    Ok(())
}

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
    look_for_componentize_js();
    let folder = Path::new("guests");
    println_directive("rerun-if-changed", "guests");
    println_directive("rerun-if-changed", "build.rs");
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

/// Tells the tests whether they can make components of JavaScript: the variable names a `node_modules` with componentize-js.
fn look_for_componentize_js() {
    const VARIABLE: &str = "PG_LOGSTATS_NODE_MODULES";
    println_directive("rerun-if-env-changed", VARIABLE);
    println_directive("rustc-check-cfg", "cfg(componentize_js)");
    let Some(modules) = env::var_os(VARIABLE) else { return };
    let modules = Path::new(&modules);
    if modules.join("@bytecodealliance/componentize-js/package.json").is_file() {
        println_directive("rustc-cfg", "componentize_js");
        println_directive("rustc-env", &format!("{VARIABLE}={}", modules.display()));
    }
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

//! Builds every folder of `guests/` and every file of `guests-wat/` into a component, and tells the tests where each lies.
//!
//! A guest cannot be forgotten: folders are read, not listed, and `for_each_guest!` is how the tests say that they have one for each.

mod wat_guests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
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
    find_fetched()?;
    let packages: BTreeMap<String, Package> = names(folder)?
        .into_iter()
        .map(|name| (name.clone(), package(&name)))
        .collect();
    let components = build(&packages.values().cloned().collect::<Vec<_>>())?;
    let mut guests: BTreeMap<String, PathBuf> = wat_guests::build(Path::new("guests-wat"), Path::new("../wit/0.1.0"))?;
    for (name, Built { path, .. }) in packages.into_keys().zip(components) {
        if guests.insert(name.clone(), path).is_some() {
            return Err(Error::Encode {
                package: name,
                reason: "there are two guests of this name, in guests/ and in guests-wat/".to_owned(),
            });
        }
    }
    write_list(&guests)
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
fn write_list(guests: &BTreeMap<String, PathBuf>) -> Result<(), Error> {
    let mut code =
        String::from("/// Name and component file of every guest, by name.\npub const GUESTS: &[(&str, &str)] = &[\n");
    // Writing to a string cannot fail.
    for (name, path) in guests {
        let _ = writeln!(code, "    ({name:?}, {:?}),", path.display().to_string());
    }
    code.push_str("];\n\n/// Calls the macro `$has` with the name of every guest, as an identifier.\n#[macro_export]\nmacro_rules! for_each_guest {\n    ($has:ident) => {\n");
    for name in guests.keys() {
        let _ = writeln!(code, "        $has!({});", name.replace('-', "_"));
    }
    code.push_str("    };\n}\n");
    let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("guests.rs");
    fs::write(&path, code).map_err(|source| Error::Write { path, source })
}

/// Tells the tests where scripts put what is other people's; a test that needs what could not be fetched is ignored.
fn find_fetched() -> Result<(), Error> {
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    let out = Path::new(&out);
    let target = out
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .unwrap_or(out);
    fetched(target, "python-verifiers", "PYTHON_VERIFIERS", "bin/python")?;
    fetched(target, "componentize-js", "COMPONENTIZE_JS", "node_modules")
}

/// What `scripts/NAME.sh` fetched into `target/NAME`: the variable says where `path` of it is, unless `cfg(no_NAME)` says that it is not there.
fn fetched(target: &Path, name: &str, variable: &str, path: &str) -> Result<(), Error> {
    let cfg = format!("no_{}", name.replace('-', "_"));
    println_directive("rustc-check-cfg", &format!("cfg({cfg})"));
    let folder = target.join(name);
    let marker = folder.join("installed.txt");
    if !marker.exists() {
        // An absent file would count as changed at each build.
        let write = |source| Error::Write {
            path: marker.clone(),
            source,
        };
        fs::create_dir_all(&folder).map_err(write)?;
        fs::write(&marker, "").map_err(write)?;
    }
    println_directive("rerun-if-changed", &marker.display().to_string());
    println_directive("rustc-env", &format!("{variable}={}", folder.join(path).display()));
    if fs::read_to_string(&marker).unwrap_or_default().is_empty() {
        println_directive("rustc-cfg", &cfg);
        println_directive(
            "warning",
            &format!("there is no {name} here, so the test that needs it is ignored; `scripts/{name}.sh` fetches it"),
        );
    }
    Ok(())
}

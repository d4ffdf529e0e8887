//! Which PostgreSQL servers there are, and one test of each kind per major version.
//!
//! **In**: the list that `scripts/postgres-versions.sh` writes. **Out**: `versions.rs`: the folders, and the macro `on_each_version`. The
//! tests of a version that is not there are ignored, with that reason, so that the test runner lists them as skipped: what did not
//! run never looks as if it had passed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The supported major versions.
const MAJOR_VERSIONS: std::ops::RangeInclusive<u32> = 14..=18;
/// Where the script keeps servers unless told otherwise, in cargo's target folder.
const FOLDER: &str = "postgres-versions";
const VARIABLE: &str = "PG_LOGSTATS_POSTGRES_VERSIONS";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let list = list(&out)?;
    println!("cargo::rerun-if-changed={}", list.display());
    let servers = servers(&fs::read_to_string(&list).unwrap_or_default());
    for major in MAJOR_VERSIONS.filter(|major| !servers.contains_key(major)) {
        println!(
            "cargo::warning=there is no PostgreSQL {major} here, so its tests are ignored; `scripts/postgres-versions.sh` fetches it"
        );
    }
    fs::write(out.join("versions.rs"), code(&servers))
}

/// The script's list. An absent one is made, empty: cargo would take it for changed at each build.
fn list(out: &Path) -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = match env::var_os(VARIABLE) {
        Some(folder) => root.join(folder),
        None => out
            .ancestors()
            .find(|folder| folder.join("CACHEDIR.TAG").is_file())
            .unwrap_or(out)
            .join(FOLDER),
    };
    let list = folder.join("available.txt");
    if !list.exists() {
        fs::create_dir_all(&folder)?;
        fs::write(&list, "")?;
    }
    Ok(list)
}

/// The folders of programs by major version: those of the list, and Debian's.
fn servers(list: &str) -> BTreeMap<u32, PathBuf> {
    let installed = MAJOR_VERSIONS.map(|major| (major, PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"))));
    let listed = list.lines().filter_map(|line| {
        let (major, folder) = line.split_once('\t')?;
        Some((major.parse().ok()?, PathBuf::from(folder)))
    });
    installed
        .chain(listed)
        .filter(|(_, folder)| folder.join("postgres").is_file())
        .collect()
}

fn code(servers: &BTreeMap<u32, PathBuf>) -> String {
    // Writing to a string cannot fail.
    let mut code = String::from("/// The folder of programs of each major version that is there.\n");
    code.push_str("pub(crate) const VERSIONS: &[(u32, &str)] = &[\n");
    for (major, folder) in servers {
        let _ = writeln!(code, "    ({major}, {:?}),", folder.display().to_string());
    }
    code.push_str("];\n\n");
    code.push_str("/// One test for each supported major version, which calls `$check` with it. A version that is not there is ignored.\n");
    code.push_str("#[macro_export]\nmacro_rules! on_each_version {\n    ($check:path) => {\n");
    for major in MAJOR_VERSIONS {
        code.push_str("        #[test]\n");
        if !servers.contains_key(&major) {
            let _ = writeln!(
                code,
                "        #[ignore = \"SKIPPED: there is no PostgreSQL {major} here; scripts/postgres-versions.sh fetches it\"]"
            );
        }
        let _ = writeln!(
            code,
            "        fn postgresql_{major}() {{\n            $check({major});\n        }}"
        );
    }
    code.push_str("    };\n}\n");
    code
}

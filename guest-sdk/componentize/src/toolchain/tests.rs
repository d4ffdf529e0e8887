#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const HOST: &str = "x86_64-unknown-linux-gnu";

/// A folder that vanishes, with compilers in it that only know what they are.
struct Machine(PathBuf);

struct Fake {
    program: PathBuf,
    rustlib: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("pg-logstats-toolchain-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn compiler(&self, name: &str, release: &str) -> Fake {
        let sysroot = self.0.join(name);
        let rustlib = sysroot.join("lib/rustlib");
        fs::create_dir_all(&rustlib).unwrap();
        let program = self.0.join(format!("{name}-rustc"));
        let sysroot = sysroot.display();
        let script = format!(
            "#!/bin/sh\ncase $1 in -vV) printf 'rustc {release}\\nhost: {HOST}\\nrelease: {release}\\n';; *) echo '{sysroot}';; esac\n"
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Fake { program, rustlib }
    }

    /// As the package does it: a link to a folder with a version.
    fn debian_sources(&self, fake: &Fake, version: &str) {
        let folder = self.0.join(format!("src/rustc-{version}"));
        touch(&folder.join("library/Cargo.lock"));
        fs::create_dir_all(fake.rustlib.join("src")).unwrap();
        symlink(folder, fake.rustlib.join("src/rust")).unwrap();
    }

    fn route(&self, active: &Fake, system: Option<&Fake>) -> Result<Route, Error> {
        let absent = self.0.join("absent");
        let system = system.map_or(absent.as_path(), |fake| &fake.program);
        Route::among(&active.program, system, self.0.join("bin").as_os_str())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Fake {
    fn add_target(&self) {
        touch(&self.rustlib.join(TARGET).join("lib/libstd-0123456789abcdef.rlib"));
    }

    fn add_linker(&self) -> PathBuf {
        let linker = self.rustlib.join(HOST).join("bin/rust-lld");
        touch(&linker);
        linker
    }
}

fn touch(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

#[test]
fn an_installed_target_comes_first() {
    let machine = Machine::new("installed");
    let (active, system) = (
        machine.compiler("active", "1.95.0"),
        machine.compiler("system", "1.96.0"),
    );
    machine.debian_sources(&system, "1.96.0");
    active.add_linker();
    active.add_target();
    assert_eq!(
        machine.route(&active, Some(&system)).unwrap(),
        Route::Installed { rustc: active.program }
    );
}

#[test]
fn without_it_the_system_compiler_compiles_its_own_std_and_links_with_the_linker_of_the_active_one() {
    let machine = Machine::new("build-std");
    let (active, system) = (
        machine.compiler("active", "1.95.0"),
        machine.compiler("system", "1.96.0"),
    );
    machine.debian_sources(&system, "1.96.0");
    let linker = active.add_linker();
    let sources = system.rustlib.join("src/rust");
    let expected = Route::BuildStd {
        rustc: system.program.clone(),
        sources,
        linker,
    };
    assert_eq!(machine.route(&active, Some(&system)).unwrap(), expected);
}

#[test]
fn the_sources_of_the_active_compiler_come_before_the_systems() {
    let machine = Machine::new("rust-src");
    let (active, system) = (
        machine.compiler("active", "1.95.0"),
        machine.compiler("system", "1.96.0"),
    );
    machine.debian_sources(&system, "1.96.0");
    touch(&active.rustlib.join("src/rust/library/Cargo.lock"));
    active.add_linker();
    assert_eq!(machine.route(&active, Some(&system)).unwrap().rustc(), active.program);
}

#[test]
fn sources_of_another_version_are_none() {
    let machine = Machine::new("versions");
    let (active, system) = (
        machine.compiler("active", "1.95.0"),
        machine.compiler("system", "1.96.0"),
    );
    machine.debian_sources(&system, "1.95.0");
    active.add_linker();
    assert!(matches!(machine.route(&active, Some(&system)), Err(Error::NoToolchain)));
}

#[test]
fn an_empty_folder_of_the_target_is_not_the_target() {
    let machine = Machine::new("leftover");
    let active = machine.compiler("active", "1.95.0");
    fs::create_dir_all(active.rustlib.join(TARGET).join("lib")).unwrap();
    let error = machine.route(&active, None).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1);
    assert!(
        error.contains("run `make toolchain` (or `rustup target add wasm32-unknown-unknown`)"),
        "{error}"
    );
}

#[test]
fn a_linker_on_the_path_will_do_and_none_is_an_error() {
    let machine = Machine::new("linker");
    let (active, system) = (
        machine.compiler("active", "1.95.0"),
        machine.compiler("system", "1.96.0"),
    );
    machine.debian_sources(&system, "1.96.0");
    assert!(matches!(machine.route(&active, Some(&system)), Err(Error::NoLinker)));
    let lld = machine.0.join("bin/wasm-ld");
    touch(&lld);
    assert!(matches!(machine.route(&active, Some(&system)), Ok(Route::BuildStd { linker, .. }) if linker == lld));
}

#[test]
fn an_active_compiler_that_does_not_run_is_named() {
    let machine = Machine::new("none");
    let error = Route::among(&machine.0.join("no-rustc"), &machine.0.join("absent"), OsStr::new("")).unwrap_err();
    assert!(error.to_string().contains("no-rustc"), "{error}");
}

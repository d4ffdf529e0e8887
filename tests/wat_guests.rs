//! Guests that Rust cannot express: what a compiler would never make.
//!
//! **In**: `guests-wat/NAME.wat`. **Out**: a component for each in `OUT_DIR`. A file that begins with `(component` behind its comments
//! is one; any other is a core module, with the canonical ABI's names for its imports and exports, and is wrapped as the world
//! `runbook` of `wit/0.1.0/`, or of the version that a comment `;; version: 9.9.9` names. `{part}` stands for the file `parts/part.wat`.
//! **Trusted**: nothing; a component that is no runbook is what many of them are for. **Can fail**: on text that is not WebAssembly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pg_logstats_componentize::{Error, println_directive};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

/// The version that they are written for; the host serves it as it serves the newest one.
const VERSION: &str = "0.1.0";

/// Builds the guests of `folder`; their files by name.
pub(super) fn build(folder: &Path, wit: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    println_directive("rerun-if-changed", &folder.display().to_string());
    println_directive("rerun-if-changed", "wat_guests.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let parts = texts(&folder.join("parts"), "wat")?;
    let contract = texts(wit, "wit")?;
    let mut guests = BTreeMap::new();
    for (name, text) in texts(folder, "wat")? {
        let failed = |reason: String| Error::Encode {
            package: format!("guests-wat/{name}.wat"),
            reason,
        };
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix(";; version: "))
            .unwrap_or(VERSION);
        let whole = parts.iter().fold(text.clone(), |text, (part, content)| {
            text.replace(&format!("{{{part}}}"), content)
        });
        let whole = whole.replace(&format!("@{VERSION}"), &format!("@{version}"));
        let binary = wat::parse_str(&whole).map_err(|e| failed(e.to_string()))?;
        let is_component = text.lines().any(|line| line.starts_with("(component"));
        let component = if is_component {
            binary
        } else {
            wrap(binary, &contract, version).map_err(failed)?
        };
        let path = out.join(format!("{name}.wasm"));
        fs::write(&path, component).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        guests.insert(name, path);
    }
    Ok(guests)
}

/// The core module as the world `runbook`.
fn wrap(mut core: Vec<u8>, contract: &BTreeMap<String, String>, version: &str) -> Result<Vec<u8>, String> {
    let mut sources = SourceMap::new();
    for (name, text) in contract {
        sources.push_str(
            &format!("{name}.wit"),
            text.replace(&format!("@{VERSION}"), &format!("@{version}")),
        );
    }
    let group = sources.parse().map_err(|(_, e)| e.to_string())?;
    let mut resolve = Resolve::new();
    let package = resolve.push_group(group).map_err(|e| format!("{e:#}"))?;
    let world = resolve
        .select_world(&[package], Some("runbook"))
        .map_err(|e| format!("{e:#}"))?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8, false).map_err(|e| format!("{e:#}"))?;
    let encoded = ComponentEncoder::default()
        .module(&core)
        .and_then(|encoder| encoder.validate(true).encode());
    encoded.map_err(|e| format!("{e:#}"))
}

/// The files of `folder` that end with `.extension`, by their names without it.
fn texts(folder: &Path, extension: &str) -> Result<BTreeMap<String, String>, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    };
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.extension().is_some_and(|found| found == extension) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            texts.insert(name, fs::read_to_string(&path).map_err(unreadable(&path))?);
        }
    }
    Ok(texts)
}

//! Builds the built-in runbooks and writes the table that the library includes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use pg_logstats_componentize::{Built, Error, Imports, Package, Script, build, finish, println_directive};
use sha2::{Digest, Sha256};

/// Name and workflow of each built-in runbook; its crate is `runbooks-wasm/<name>`.
const RUNBOOKS: [(&str, &str); 17] = [
    ("autovacuum", "autovacuum"),
    ("checkpoints", "checkpoints"),
    ("connection-pressure", "connection-pressure"),
    ("connections", "connections"),
    ("errors", "errors"),
    ("first-look", "auto"),
    ("index-health", "index-health"),
    ("lock-tree", "lock-tree"),
    ("locks", "locks"),
    ("plans", "plans"),
    ("query-families", "query-families"),
    ("replication", "replication"),
    ("replication-lag", "replication-lag"),
    ("running-queries", "running-queries"),
    ("slow-queries", "slow-queries"),
    ("temp-files", "temp-files"),
    ("wraparound", "wraparound"),
];

fn main() -> ExitCode {
    finish(embed())
}

fn embed() -> Result<(), Error> {
    // What runbooks share is no package of its own.
    println_directive("rerun-if-changed", "../statements");
    let packages = RUNBOOKS.map(|(name, _)| Package {
        name: format!("pg-logstats-runbook-{name}"),
        folder: PathBuf::from("runbooks-wasm").join(name),
        imports: Imports::OursOnly,
    });
    let built = build(&packages)?;
    let path = Script::from_env()?.out_dir.join("builtin.rs");
    std::fs::write(&path, table(&built)).map_err(|source| Error::Write { path, source })
}

/// A Rust expression: the array of all built-in runbooks.
fn table(built: &[Built]) -> String {
    let mut rust = String::from("&[\n");
    for ((name, workflow), component) in RUNBOOKS.iter().zip(built) {
        let digest: [u8; 32] = Sha256::digest(&component.bytes).into();
        let _ = writeln!(
            rust,
            "    Builtin {{ name: {name:?}, workflow: {workflow:?}, component: include_bytes!({:?}), digest: {digest:?} }},",
            component.path,
        );
    }
    rust.push(']');
    rust
}

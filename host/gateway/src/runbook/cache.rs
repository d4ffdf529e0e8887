//! Compiled code of runbooks, kept between processes.
//!
//! **In**: a component's digest and, after compiling, wasmtime's serialised machine code. **Out**: that code again, if and only if
//! this host wrote it. **Trusted**: nothing on disk. Loading native code from a file is code execution for whoever can write the
//! file, so each file is an `Authentic` one, under a name with the engine's identity and the component's digest.
//! **Can fail**: silently; the cache is an optimisation, and a file that does not authenticate is compiled anew and replaced.

use std::hash::{Hash, Hasher};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::authentic::Authentic;
use crate::workspace::Workspace;

/// Compiled code under the workspace.
#[derive(Debug)]
pub struct CodeCache<'a> {
    files: Authentic<'a>,
}

impl<'a> CodeCache<'a> {
    /// The cache of `workspace`.
    pub fn new(workspace: &'a Workspace) -> Self {
        Self {
            // v2: of components whose structure was looked at. What an earlier build compiled is compiled again.
            files: Authentic::new(workspace, "pg-logstats compiled runbook v2"),
        }
    }

    /// The component with `digest`, if it was compiled by this host with this very engine configuration.
    pub fn load(&self, engine: &Engine, digest: &[u8; 32]) -> Option<Component> {
        let code = self.files.read(&file_name(engine, digest))?;
        deserialize(engine, &code)
    }

    /// Keeps the compiled `component`.
    pub fn store(&self, engine: &Engine, digest: &[u8; 32], component: &Component) {
        if let Ok(code) = component.serialize() {
            self.files.write(&file_name(engine, digest), &code);
        }
    }
}

/// Digest of the component and identity of the engine: code of another wasmtime or another configuration is another file.
fn file_name(engine: &Engine, digest: &[u8; 32]) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}.cwasm", crate::hex(digest), hasher.finish())
}

#[expect(unsafe_code, reason = "wasmtime cannot check native code; see the SAFETY note")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `code` is what `Component::serialize` returned in a process of this user: the caller verified its HMAC under a key
    // that only this user can read, and the name under the HMAC holds the engine's compatibility hash.
    unsafe { Component::deserialize(engine, code) }.ok()
}

//! Compiled code of runbooks, kept between processes.
//!
//! **In**: a component's digest and, after compiling, wasmtime's serialised machine code. **Out**: that code again, if and only if
//! this host wrote it. **Trusted**: nothing on disk. Loading native code from a file is code execution for whoever can write the
//! file, so each file carries an HMAC-SHA256 under a key that only the host's user can read, over the engine's identity, the
//! component's digest and the code. **Can fail**: silently; the cache is an optimisation, and a file that does not
//! authenticate is compiled anew and replaced.

use std::hash::{Hash, Hasher};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::workspace::Workspace;

type HmacSha256 = Hmac<Sha256>;

const DOMAIN: &[u8] = b"pg-logstats compiled runbook v1\0";
const MAC_BYTES: usize = 32;

/// Compiled code under the workspace.
#[derive(Debug)]
pub struct CodeCache<'a> {
    workspace: &'a Workspace,
}

impl<'a> CodeCache<'a> {
    /// The cache of `workspace`.
    pub fn new(workspace: &'a Workspace) -> Self {
        Self { workspace }
    }

    /// The component with `digest`, if it was compiled by this host with this very engine configuration.
    pub fn load(&self, engine: &Engine, digest: &[u8; 32]) -> Option<Component> {
        let name = file_name(engine, digest);
        let bytes = self.workspace.read_cache(&name).ok()??;
        let (stored, code) = bytes.split_at_checked(MAC_BYTES)?;
        let mac = self.mac(&name, code)?;
        mac.verify_slice(stored).ok()?;
        deserialize(engine, code)
    }

    /// Keeps the compiled `component`.
    pub fn store(&self, engine: &Engine, digest: &[u8; 32], component: &Component) {
        let Ok(code) = component.serialize() else { return };
        let name = file_name(engine, digest);
        let Some(mac) = self.mac(&name, &code) else { return };
        let mut bytes = mac.finalize().into_bytes().to_vec();
        bytes.extend_from_slice(&code);
        // Without the cache the next run compiles again; nothing else depends on it.
        let _ = self.workspace.write_cache(&name, &bytes);
    }

    fn mac(&self, name: &str, code: &[u8]) -> Option<HmacSha256> {
        let key = self.workspace.cache_key().ok()?;
        let mut mac = HmacSha256::new_from_slice(&key).ok()?;
        mac.update(DOMAIN);
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(code);
        Some(mac)
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

//! Files that only this host can have written.
//!
//! **In**: what a file is for, its name, its content. **Out**: the content again. On disk an HMAC-SHA256 follows it, under a key that only the host's
//! user can read, over purpose, name and content. **Trusted**: nothing on disk. **Can fail**: silently; who reads nothing makes the
//! content anew.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::workspace::Workspace;

type HmacSha256 = Hmac<Sha256>;

const MAC_BYTES: usize = 32;

/// Files of one purpose under a workspace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authentic<'a> {
    workspace: &'a Workspace,
    /// Told apart from every other purpose; with its version.
    purpose: &'static str,
}

impl<'a> Authentic<'a> {
    pub(crate) fn new(workspace: &'a Workspace, purpose: &'static str) -> Self {
        Self { workspace, purpose }
    }

    /// The content of the file `name`, if this host wrote it under this name for this purpose.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = self.workspace.read_cache(name).ok()??;
        let length = bytes.len().checked_sub(MAC_BYTES)?;
        let (content, stored) = bytes.split_at_checked(length)?;
        self.mac(name, content)?.verify_slice(stored).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }

    /// Writes the file `name`, in place of an older one.
    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let Some(mac) = self.mac(name, content) else { return };
        let bytes = [content, mac.finalize().into_bytes().as_slice()].concat();
        // Whoever finds nothing makes it anew; nothing else depends on it.
        let _ = self.workspace.write_cache(name, &bytes);
    }

    /// Removes the file `name`.
    pub(crate) fn forget(&self, name: &str) {
        self.workspace.forget_cache(name);
    }

    fn mac(&self, name: &str, content: &[u8]) -> Option<HmacSha256> {
        let key = self.workspace.cache_key().ok()?;
        let mut mac = HmacSha256::new_from_slice(&key).ok()?;
        mac.update(self.purpose.as_bytes());
        mac.update(b"\0");
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(content);
        Some(mac)
    }
}

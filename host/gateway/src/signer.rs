//! The audit log's key in another process: an HSM's or KMS's client, or a process of another user.
//!
//! **In**: what is to be signed. **Out**: an ed25519 signature. **Trusted**: the public key of the operator's configuration; whatever
//! comes back is verified under it before it is published, by [`pg_logstats_audit::Log`]. **Can fail**: with [`SignError`], after
//! which nothing is recorded, and so nothing runs.
//!
//! There are two ways. A *command* gets the bytes on its standard input and writes the 64 bytes of the signature to its standard
//! output. A *socket* (Unix, stream) takes one request for each connection: the number of bytes as four bytes, big-endian, then the bytes; it
//! answers with the 64 bytes of the signature, or closes. [`server`] is such a socket's other end, for a key in a file of another user.

pub mod server;
#[cfg(test)]
mod tests;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use pg_logstats_audit::keys::SignError;
use pg_logstats_audit::{PublicKey, Signer};

use crate::error::GatewayError;
use crate::keys::public;
use crate::program;

/// How long a signature may take unless the configuration says otherwise.
pub const DEFAULT_TIMEOUT_MS: u64 = 5_000;
/// The longest that a configuration may ask for: appends wait for each other meanwhile.
pub const MAX_TIMEOUT_MS: u64 = 60_000;

/// Bytes of an ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// Where the log's key is, as the operator's configuration says (`audit.signer`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerConfig {
    /// File of its public half, SPKI PEM.
    pub public_key: PathBuf,
    /// How it is reached.
    pub way: Way,
    /// How long a signature may take.
    pub timeout: Duration,
}

/// How another process is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// This program with these arguments, once for each signature.
    Command(Vec<String>),
    /// This Unix socket.
    Socket(PathBuf),
}

/// A key that another process holds.
pub struct ExternalSigner {
    public: PublicKey,
    way: Way,
    timeout: Duration,
}

impl std::fmt::Debug for ExternalSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExternalSigner({})", self.public.key_id())
    }
}

impl ExternalSigner {
    /// The signer of `config`. Nobody is asked yet.
    ///
    /// # Errors
    /// When the public key cannot be read.
    pub fn new(config: &SignerConfig) -> Result<Self, GatewayError> {
        Ok(Self {
            public: public(&config.public_key)?,
            way: config.way.clone(),
            timeout: config.timeout,
        })
    }

    fn failed(&self, reason: String) -> SignError {
        SignError {
            key_id: self.public.key_id().clone(),
            reason,
        }
    }
}

impl Signer for ExternalSigner {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let answer = match &self.way {
            Way::Command(command) => program::run(command, message, self.timeout, SIGNATURE_BYTES as u64 + 1),
            Way::Socket(path) => {
                by_socket(path, message, self.timeout).map_err(|error| format!("socket `{}`: {error}", path.display()))
            }
        };
        let answer = answer.map_err(|reason| self.failed(reason))?;
        let length = answer.len();
        let signature: [u8; 64] = answer.try_into().map_err(|_| {
            self.failed(format!(
                "it answered with {length} bytes, and an ed25519 signature has {SIGNATURE_BYTES}"
            ))
        })?;
        // The log verifies it once more; here it is known whose fault it is.
        match self.public.verifies(message, &signature) {
            true => Ok(signature),
            false => Err(self.failed(
                "its signature does not verify under `audit.signer.public_key`: it holds another key, or signed something else"
                    .to_owned(),
            )),
        }
    }
}

fn by_socket(path: &std::path::Path, message: &[u8], timeout: Duration) -> std::io::Result<Vec<u8>> {
    let mut socket = UnixStream::connect(path)?;
    socket.set_write_timeout(Some(timeout))?;
    socket.set_read_timeout(Some(timeout))?;
    let length = u32::try_from(message.len()).map_err(|_| std::io::Error::other("the message is too long"))?;
    let request = [length.to_be_bytes().as_slice(), message].concat();
    // A signer that refuses by the first bytes closes before the rest is written; its answer tells.
    let written = socket.write_all(&request);
    let mut answer = Vec::new();
    socket.take(SIGNATURE_BYTES as u64 + 1).read_to_end(&mut answer)?;
    match answer.is_empty() {
        false => Ok(answer),
        true => Err(written.err().unwrap_or_else(|| {
            std::io::Error::other("it refused: whose request it is, or what is to be signed, is not what it signs")
        })),
    }
}

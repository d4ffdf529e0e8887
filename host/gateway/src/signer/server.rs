//! A minimal signer: holds a private key in a file of its own user, and signs for other users' processes what an audit log signs.
//!
//! **In**: connections to a Unix socket. **Out**: signatures. **Trusted**: the operating system's word for who the peer is. **Can
//! fail**: a peer who may not ask, and bytes that are no record and no checkpoint of an audit log, are answered by closing; so the key
//! cannot be made to sign an approval, a runbook or anything of another program.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pg_logstats_audit::{PrivateKey, Signer as _};

use crate::error::GatewayError;
use crate::keys::private;
use crate::record::RecordBody;
use crate::workspace::AUDIT_ORIGIN;

/// How long a peer may take to ask: it has everything ready.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest message: a record's payload, its media type, and what DSSE puts around them.
const MESSAGE_BYTES: u64 = pg_logstats_audit::MAX_PAYLOAD_BYTES + 1024;

/// A signer on a socket.
pub struct Server {
    listener: UnixListener,
    key: PrivateKey,
    socket: PathBuf,
    /// User ids that may ask, besides our own.
    allowed: Vec<u32>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({}, {})", self.socket.display(), self.key.key_id())
    }
}

impl Server {
    /// A signer with the private key in `key`, on a new socket at `socket`. One that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// When the key cannot be read, or the socket cannot be made.
    pub fn bind(socket: &Path, key: &Path, allowed: &[u32]) -> Result<Self, GatewayError> {
        let key = private(key)?;
        let failed = |doing: &str, error: std::io::Error| {
            GatewayError::Usage(format!("cannot {doing} the socket `{}`: {error}", socket.display()))
        };
        if UnixStream::connect(socket).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
            std::fs::remove_file(socket).map_err(|error| failed("replace", error))?;
        }
        let listener = UnixListener::bind(socket).map_err(|error| failed("make", error))?;
        // Who may connect is decided by who it is, and not by the file's mode.
        let mode = if allowed.is_empty() { 0o600 } else { 0o666 };
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(mode))
            .map_err(|error| failed("open", error))?;
        Ok(Self {
            listener,
            key,
            socket: socket.to_owned(),
            allowed: allowed.to_vec(),
        })
    }

    /// Id of the key.
    pub fn key_id(&self) -> String {
        self.key.key_id().to_string()
    }

    /// Answers one peer after the other, for ever.
    ///
    /// # Errors
    /// When no connection can be taken any more.
    pub fn run(&self) -> Result<std::convert::Infallible, GatewayError> {
        loop {
            match self.listener.accept() {
                // What a peer does wrong is told to nobody: it learns it from the closed connection.
                Ok((peer, _)) => drop(self.answer(peer)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(GatewayError::Internal(format!(
                        "the socket `{}` takes no connection: {error}",
                        self.socket.display()
                    )));
                }
            }
        }
    }

    fn answer(&self, mut peer: UnixStream) -> std::io::Result<()> {
        let uid = rustix::net::sockopt::socket_peercred(&peer)?.uid.as_raw();
        if uid != rustix::process::geteuid().as_raw() && !self.allowed.contains(&uid) {
            return Ok(());
        }
        peer.set_read_timeout(Some(TIMEOUT))?;
        peer.set_write_timeout(Some(TIMEOUT))?;
        let mut length = [0; 4];
        peer.read_exact(&mut length)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length > MESSAGE_BYTES {
            return Ok(());
        }
        let mut message = Vec::new();
        (&mut peer).take(length).read_to_end(&mut message)?;
        if message.len() as u64 != length || !is_of_a_log(&message) {
            return Ok(());
        }
        match self.key.sign(&message) {
            Ok(signature) => peer.write_all(&signature),
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Whether a log asks for this: the DSSE encoding of a record, or the three lines of a checkpoint.
fn is_of_a_log(message: &[u8]) -> bool {
    is_record(message).unwrap_or(false) || is_checkpoint(message).unwrap_or(false)
}

/// `DSSEv1 LENGTH TYPE LENGTH PAYLOAD`, with a type of ours.
fn is_record(message: &[u8]) -> Option<bool> {
    let rest = message.strip_prefix(b"DSSEv1 ")?;
    let mut parts = rest.splitn(4, |byte| *byte == b' ');
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<usize>().ok();
    let type_bytes = number()?;
    let payload_type = std::str::from_utf8(parts.next()?).ok()?;
    let payload_bytes = std::str::from_utf8(parts.next()?).ok()?.parse::<usize>().ok()?;
    let payload = rest.get(rest.len().checked_sub(payload_bytes)?..)?;
    let kind = payload_type
        .strip_prefix("application/vnd.pg-logstats.")?
        .strip_suffix("+json")?;
    let whole = pg_logstats_audit::dsse::pae(payload_type, payload);
    Some(payload_type.len() == type_bytes && RecordBody::KINDS.contains(&kind) && whole == message)
}

fn is_checkpoint(message: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(message).ok()?;
    let rest = text.strip_prefix(AUDIT_ORIGIN)?.strip_prefix('\n')?;
    let (size, root) = rest.strip_suffix('\n')?.split_once('\n')?;
    let is_size = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
    let is_root = root.len() == 44
        && root
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    Some(is_size && is_root)
}

#[cfg(test)]
mod tests {
    use super::is_of_a_log;

    #[test]
    fn what_a_log_signs_is_signed_and_nothing_else() {
        let record = pg_logstats_audit::dsse::pae("application/vnd.pg-logstats.intent+json", b"{\"a\": 1}");
        assert!(is_of_a_log(&record));
        let checkpoint = "pg-logstats/audit\n12\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        assert!(is_of_a_log(checkpoint.as_bytes()));
        for other in [
            pg_logstats_audit::dsse::pae("application/vnd.in-toto+json", b"{}"),
            pg_logstats_audit::dsse::pae(crate::trust::revocation::PAYLOAD_TYPE, b"{}"),
            record.get(..record.len() - 1).unwrap().to_vec(),
            [record.as_slice(), b" "].concat(),
            checkpoint.replace("pg-logstats/audit", "another/log").into_bytes(),
            checkpoint.replace("12", "-1").into_bytes(),
            format!("{checkpoint}more\n").into_bytes(),
            Vec::new(),
        ] {
            assert!(!is_of_a_log(&other), "{}", String::from_utf8_lossy(&other));
        }
    }
}

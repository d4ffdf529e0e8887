//! A proxy on a socket between the command and the server, which stops the conversation at a known point of the protocol.
//!
//! **In**: the server's socket, a point and what to do there. **Out**: a folder to connect to, and a message when the point is reached.
//! It reads the frontend's messages one by one; the backend's only as far as it has to. No sleep decides where a test is.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Where in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A statement with this text is about to reach the server, which has not seen it.
    Sent(&'static str),
    /// The server was told to run the statement with this text.
    Runs(&'static str),
    /// The server has answered the statement with this text with a row, which has not reached the command.
    Answered(&'static str),
}

impl Point {
    fn text(self) -> &'static str {
        match self {
            Self::Sent(text) | Self::Runs(text) | Self::Answered(text) => text,
        }
    }
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Both sides are closed.
    Cut,
    /// Nothing goes on until [`Proxy::go_on`]; a command that ends is told to the server.
    Hold,
}

/// The statement whose plan is measured, as the gateway sends it.
pub(crate) const MEASURED: &str = "EXPLAIN (ANALYZE";
/// The opening of the session of an EXPLAIN ANALYZE, by its timeout; the probe's is shorter.
pub(crate) const OPENING: &str = "SET LOCAL statement_timeout = 12000";

/// A listening proxy; its connections end with the processes at their ends.
pub(crate) struct Proxy {
    dir: tempfile::TempDir,
    reached: Receiver<()>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Proxy {
    pub(crate) fn start(server: &Path, point: Point, then: Then) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("pgl-proxy-")
            .tempdir_in("/tmp")
            .unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let server = server.join(".s.PGSQL.5432");
        let (told, reached) = channel();
        let gate = Arc::new(Gate::default());
        let shared = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, UnixStream::connect(&server)) else {
                    return;
                };
                let stop = Stop {
                    point,
                    then,
                    told: told.clone(),
                    gate: Arc::clone(&shared),
                };
                std::thread::spawn(move || converse(client, server, stop));
            }
        });
        Self { dir, reached, gate }
    }

    pub(crate) fn dsn(&self, role: &str) -> String {
        format!("host={} port=5432 user={role} dbname=shop", self.socket_dir().display())
    }

    fn socket_dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Whether the point was reached before `limit`.
    pub(crate) fn is_reached_within(&self, limit: Duration) -> bool {
        self.reached.recv_timeout(limit).is_ok()
    }

    /// Lets what is held go on.
    pub(crate) fn go_on(&self) {
        *self.gate.is_open.lock().unwrap() = true;
        self.gate.opened.notify_all();
    }
}

struct Stop {
    point: Point,
    then: Then,
    told: Sender<()>,
    gate: Arc<Gate>,
}

impl Stop {
    /// Does what is to be done; whether the conversation goes on. `is_gone` is asked while it is held.
    fn here(&self, is_gone: &mut dyn FnMut() -> bool) -> bool {
        let _ = self.told.send(());
        match self.then {
            Then::Cut => false,
            Then::Hold => self.hold(is_gone),
        }
    }

    fn hold(&self, is_gone: &mut dyn FnMut() -> bool) -> bool {
        let mut is_open = self.gate.is_open.lock().unwrap();
        while !*is_open {
            if is_gone() {
                return false;
            }
            is_open = self
                .gate
                .opened
                .wait_timeout(is_open, Duration::from_millis(10))
                .unwrap()
                .0;
        }
        true
    }
}

/// The command's side, with what was read of it while it was held.
struct Frontend {
    stream: UnixStream,
    pending: VecDeque<u8>,
}

impl Frontend {
    /// Whether the command has closed its side; what it sent before is kept.
    fn is_gone(&mut self) -> bool {
        let mut buffer = [0u8; 4096];
        let _ = self.stream.set_read_timeout(Some(Duration::from_millis(10)));
        let read = self.stream.read(&mut buffer);
        let _ = self.stream.set_read_timeout(None);
        match read {
            Ok(0) => true,
            Ok(n) => {
                self.pending.extend(&buffer[..n]);
                false
            }
            Err(e) => !matches!(
                e.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ),
        }
    }
}

impl Read for Frontend {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.pending.is_empty() {
            self.stream.read(buffer)
        } else {
            self.pending.read(buffer)
        }
    }
}

fn converse(client: UnixStream, server: UnixStream, stop: Stop) {
    // Set once the statement at the point was sent for execution.
    let asked = Arc::new(Mutex::new(false));
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let answers = Arc::clone(&asked);
    let stop = Arc::new(stop);
    let stop_answers = Arc::clone(&stop);
    std::thread::spawn(move || {
        let mut buffer = vec![0u8; 1 << 16];
        while let Ok(n @ 1..) = from_server.read(&mut buffer) {
            let is_answer =
                matches!(stop_answers.point, Point::Answered(_)) && *answers.lock().unwrap() && has_row(&buffer[..n]);
            if is_answer {
                *answers.lock().unwrap() = false;
                // The other direction sees a command that ends, and closes both.
                if !stop_answers.here(&mut || false) {
                    break;
                }
            }
            if to_client.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        close(&from_server, &to_client);
    });
    let mut frontend = Frontend {
        stream: client.try_clone().unwrap(),
        pending: VecDeque::new(),
    };
    let _ = forward(&mut frontend, &server, &stop, &asked);
    close(&client, &server);
}

fn close(one: &UnixStream, other: &UnixStream) {
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}

/// Whether a chunk that begins with a message has a DataRow: the server sends the few messages of such an answer together.
fn has_row(chunk: &[u8]) -> bool {
    let mut at = 0;
    while let Some(header) = chunk.get(at..at + 5) {
        if header[0] == b'D' {
            return true;
        }
        at += 1 + u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
    }
    false
}

/// Frontend to backend, message by message; ends when a side closes or the point says so.
fn forward(client: &mut Frontend, mut server: &UnixStream, stop: &Stop, asked: &Mutex<bool>) -> std::io::Result<()> {
    // Requests for encryption, then the startup message: no type byte.
    loop {
        let message = read_body(client, Vec::new())?;
        server.write_all(&message)?;
        let code = message.get(4..8).unwrap_or_default();
        if code != 80_877_103u32.to_be_bytes() && code != 80_877_104u32.to_be_bytes() {
            break;
        }
    }
    let mut is_prepared = false;
    loop {
        let mut kind = [0u8; 1];
        client.read_exact(&mut kind)?;
        let message = read_body(client, kind.to_vec())?;
        let text = stop.point.text().as_bytes();
        let is_statement = matches!(kind[0], b'P' | b'Q') && message.windows(text.len()).any(|w| w == text);
        if is_statement && matches!(stop.point, Point::Sent(_)) && !stop.here(&mut || client.is_gone()) {
            return Ok(());
        }
        is_prepared |= is_statement;
        let is_run = is_prepared && (kind[0] == b'E' || (kind[0] == b'Q' && is_statement));
        if is_run {
            is_prepared = false;
            *asked.lock().unwrap() = true;
        }
        server.write_all(&message)?;
        if kind[0] == b'S'
            && matches!(stop.point, Point::Runs(_))
            && std::mem::take(&mut *asked.lock().unwrap())
            && !stop.here(&mut || client.is_gone())
        {
            return Ok(());
        }
    }
}

/// A message's length and body, behind what was read already.
fn read_body(stream: &mut Frontend, mut message: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut length = [0u8; 4];
    stream.read_exact(&mut length)?;
    let rest = (u32::from_be_bytes(length) as usize).saturating_sub(4);
    message.extend_from_slice(&length);
    let start = message.len();
    message.resize(start + rest, 0);
    stream.read_exact(&mut message[start..])?;
    Ok(message)
}

//! A private PostgreSQL cluster for tests and demos.
//!
//! **In**: settings. **Out**: a running server on a Unix socket in a folder of its own (`/tmp/pgl-…`, short enough for a socket
//! path), and what a test needs of it: DSNs, `psql`, sessions that hold a transaction open, log files.
//! **Trusted**: everything; nothing here is part of the product. **Can fail**: when PostgreSQL is not installed or does not start.
//!
//! The server is the child of a small shell that waits for the end of its standard input. However the test process ends (return,
//! panic, abort, kill), that pipe closes, and the shell stops the server and removes the folder. So a cluster in a `static`, which
//! Rust never drops, leaves nothing behind either.
#![forbid(unsafe_code)]

mod locate;
mod restart;
mod session;

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thiserror::Error;

pub use restart::Shutdown;
pub use session::Session;

// `VERSIONS` and `on_each_version`, by build.rs.
include!(concat!(env!("OUT_DIR"), "/versions.rs"));

/// The superuser of every cluster.
pub const SUPERUSER: &str = "postgres";

/// Socket files are named after a port even where no port is listened on.
const SOCKET_PORT: u16 = 5432;
/// How long a server may take to accept connections; generous, because test machines are busy.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks whether it does.
const POLL: Duration = Duration::from_millis(20);

/// Runs the server until standard input ends, then stops it and removes the folder; a signal's name on a line ends the server and
/// starts it again. `$1` is the folder, the rest the command.
const SUPERVISOR: &str = r#"
trap '' INT TERM HUP
dir=$1; shift
start() { "$@" </dev/null >>"$dir/server.log" 2>&1 & server=$!; }
start "$@"
while read -r signal; do
    kill -"$signal" "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    start "$@"
done
kill -QUIT "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$dir"
"#;

/// Why there is no cluster.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No `initdb` anywhere.
    #[error(
        "no PostgreSQL server is installed: looked at `PG_BIN`, `pg_config --bindir`, /usr/lib/postgresql and PATH"
    )]
    NotInstalled,
    /// Not in that version.
    #[error("there is no PostgreSQL {major} here; `scripts/postgres-versions.sh` fetches it, then build again")]
    NoSuchVersion {
        /// The major version.
        major: u32,
    },
    /// A program could not be started, or a file not be written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// A program failed.
    #[error("`{program}` failed: {output}")]
    Failed {
        /// Which.
        program: String,
        /// What it printed.
        output: String,
    },
    /// The server did not accept connections in time.
    #[error("the server did not start; its log:\n{log}")]
    NotReady {
        /// The server's log.
        log: String,
    },
}

/// What a cluster will be.
#[derive(Debug, Default)]
pub struct Builder {
    settings: Vec<(String, String)>,
    hba: Vec<String>,
    files: Vec<(String, String)>,
    tcp: bool,
    /// Socket folder and port of the server to be a standby of.
    primary: Option<(PathBuf, u16)>,
    version: Option<u32>,
}

impl Builder {
    /// Sets a parameter of `postgresql.conf`; a later one wins.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts a line before the others of `pg_hba.conf`, which trust everybody.
    #[must_use]
    pub fn hba(mut self, line: &str) -> Self {
        self.hba.push(line.to_owned());
        self
    }

    /// Puts a file that only the server may read into the data folder, for example a private key.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Also listens on a free port of 127.0.0.1.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Makes it a standby that streams from `primary`, which has to outlive it.
    #[must_use]
    pub fn standby_of(mut self, primary: &Cluster) -> Self {
        self.primary = Some((primary.dir.clone(), primary.port));
        self
    }

    /// Of this major version, instead of the one that is installed; see [`on_each_version`].
    #[must_use]
    pub fn version(mut self, major: u32) -> Self {
        self.version = Some(major);
        self
    }

    /// Makes and starts the cluster.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start: then with its log.
    pub fn start(self) -> Result<Cluster, ClusterError> {
        let installed = locate::server_bin().ok_or(ClusterError::NotInstalled);
        let bin = match self.version {
            None => installed?,
            Some(major) => locate::server_bin_of(major).ok_or(ClusterError::NoSuchVersion { major })?,
        };
        let dir = PathBuf::from(run(as_server_user("mktemp").args(["-d", "/tmp/pgl-XXXXXX"]))?.trim_end());
        let bin = reachable(bin, &dir).inspect_err(|_| {
            let _ = fs::remove_dir_all(&dir);
        })?;
        let data = dir.join("data");
        let made = self.make_data(&bin, &data);
        if made.is_err() {
            let _ = fs::remove_dir_all(&dir);
        }
        made?;
        let port = if self.tcp { free_port()? } else { SOCKET_PORT };
        self.configure(&dir, &data, port)?;
        let supervisor = as_server_user("sh")
            .args(["-c", SUPERVISOR, "pg-logstats-test-cluster"])
            .arg(&dir)
            .arg(bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ClusterError::Io {
                what: "starting the server".to_owned(),
                source,
            })?;
        let cluster = Cluster {
            bin,
            dir,
            port,
            tcp: self.tcp,
            supervisor,
        };
        cluster.wait_until_ready(0)?;
        Ok(cluster)
    }

    fn make_data(&self, bin: &Path, data: &Path) -> Result<(), ClusterError> {
        let mut command;
        if let Some((socket, port)) = &self.primary {
            command = as_server_user(bin.join("pg_basebackup"));
            command
                .args([
                    "--no-sync",
                    "--checkpoint=fast",
                    "--wal-method=stream",
                    "--write-recovery-conf",
                ])
                .arg("--host")
                .arg(socket)
                .arg(format!("--port={port}"));
        } else {
            command = as_server_user(bin.join("initdb"));
            command.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        }
        command.arg(format!("--username={SUPERUSER}")).arg("--pgdata").arg(data);
        run(&mut command).map(drop)
    }

    fn configure(&self, dir: &Path, data: &Path, port: u16) -> Result<(), ClusterError> {
        let mut conf = String::new();
        let own = [
            ("unix_socket_directories", dir.display().to_string()),
            (
                "listen_addresses",
                if self.tcp {
                    "127.0.0.1".to_owned()
                } else {
                    String::new()
                },
            ),
            ("port", port.to_string()),
            ("fsync", "off".to_owned()),
            ("synchronous_commit", "off".to_owned()),
            ("full_page_writes", "off".to_owned()),
            ("shared_buffers", "16MB".to_owned()),
            ("max_connections", "60".to_owned()),
            ("log_timezone", "UTC".to_owned()),
        ];
        for (name, value) in own
            .iter()
            .map(|(n, v)| (*n, v))
            .chain(self.settings.iter().map(|(n, v)| (n.as_str(), v)))
        {
            conf.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        append(&data.join("postgresql.conf"), &conf)?;
        for (name, text) in &self.files {
            write_as_server_user(&data.join(name), text)?;
        }
        if !self.hba.is_empty() {
            let hba = data.join("pg_hba.conf");
            let rest = fs::read_to_string(&hba).map_err(|source| ClusterError::Io {
                what: hba.display().to_string(),
                source,
            })?;
            // Rewritten in place, so that the file keeps its owner.
            fs::write(&hba, format!("{}\n{rest}", self.hba.join("\n"))).map_err(|source| ClusterError::Io {
                what: hba.display().to_string(),
                source,
            })?;
        }
        Ok(())
    }
}

/// A running cluster; stops when dropped.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
    tcp: bool,
    supervisor: Child,
}

impl Cluster {
    /// A cluster that listens on its socket only, with the server's defaults but for speed.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The folder of the socket, which is also the cluster's own.
    pub fn socket_dir(&self) -> &Path {
        &self.dir
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The port; the socket file is named after it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server wrote to standard error: its log, unless `logging_collector` moved it.
    pub fn server_log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// The files that `logging_collector` wrote with the default `log_directory`, sorted by name.
    pub fn collected_logs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.data_dir().join("log")) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        files.sort();
        files
    }

    /// A libpq keyword/value string for the socket.
    pub fn dsn(&self, role: &str, database: &str) -> String {
        format!(
            "host={} port={} user={role} dbname={database}",
            self.dir.display(),
            self.port
        )
    }

    /// A URL for the TCP port; for a cluster built with [`Builder::tcp`].
    pub fn tcp_url(&self, role: &str, database: &str) -> Option<String> {
        self.tcp
            .then(|| format!("postgres://{role}@127.0.0.1:{}/{database}", self.port))
    }

    /// Runs SQL as the superuser in the database `postgres` and returns what it prints, unaligned.
    ///
    /// # Errors
    /// When a statement fails, with the server's message.
    pub fn psql(&self, sql: &str) -> Result<String, ClusterError> {
        self.psql_as(SUPERUSER, "postgres", sql)
    }

    /// Runs SQL as `role` in `database`.
    ///
    /// # Errors
    /// When a statement fails, with the server's message.
    pub fn psql_as(&self, role: &str, database: &str, sql: &str) -> Result<String, ClusterError> {
        let mut psql = self.client("psql", role, database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        Ok(run(&mut psql)?.trim_end().to_owned())
    }

    /// A session that stays open, for locks and open transactions.
    ///
    /// # Errors
    /// When `psql` cannot be started.
    pub fn session(&self, role: &str, database: &str) -> Result<Session, ClusterError> {
        Session::open(self.client("psql", role, database))
    }

    /// A client program (`psql`, `pgbench`) with the connection in its environment: of the server's version, or, where a fetched server
    /// comes without, of the one that is installed.
    pub fn client(&self, program: &str, role: &str, database: &str) -> Command {
        let own = self.bin.join(program);
        let installed = || locate::server_bin().map(|bin| bin.join(program));
        let program = if own.is_file() {
            own
        } else {
            installed().unwrap_or_else(|| PathBuf::from(program))
        };
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command
            .env("PGHOST", &self.dir)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", role)
            .env("PGDATABASE", database);
        command
    }

    /// Stops the server now, at once, as a crash would; the folder goes too.
    pub fn stop(&mut self) {
        // Dropping the pipe ends the supervisor's `read`.
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }

    /// Waits until it accepts connections, or says in the log, behind `seen` bytes, that it will not.
    fn wait_until_ready(&self, seen: usize) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let ready = self
                .client("pg_isready", SUPERUSER, "postgres")
                .stdout(Stdio::null())
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return Ok(());
            }
            let mut log = fs::read_to_string(self.server_log()).unwrap_or_default();
            log.drain(..seen.min(log.len()));
            if Instant::now() > deadline
                || log.contains("database system is shut down")
                || log.contains("FATAL:  invalid")
            {
                return Err(ClusterError::NotReady { log });
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A command that runs as the user `postgres` when we are root, which the server refuses to run as.
fn as_server_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut runuser = Command::new("runuser");
        runuser.args(["-u", "postgres", "--"]).arg(program);
        runuser
    } else {
        Command::new(program)
    };
    // A folder that the user may enter.
    command.current_dir("/");
    command
}

/// Programs that the server's user can run: `bin`, or, where that lies in a folder that the user may not enter (root's home), a copy of
/// the whole server in the cluster's folder, which goes when the cluster does.
fn reachable(bin: PathBuf, dir: &Path) -> Result<PathBuf, ClusterError> {
    let runs = as_server_user("test")
        .arg("-x")
        .arg(bin.join("postgres"))
        .status()
        .is_ok_and(|status| status.success());
    let Some(root) = bin.parent().filter(|_| !runs) else {
        return Ok(bin);
    };
    let copy = dir.join("server");
    run(Command::new("cp").arg("-r").arg(root).arg(&copy))?;
    // The supervisor removes it as the server's user.
    let like_the_folder = format!("--reference={}", dir.display());
    run(Command::new("chown").arg("-R").arg(like_the_folder).arg(&copy))?;
    Ok(copy.join("bin"))
}

/// Writes a file that belongs to the server's user, for it alone.
fn write_as_server_user(path: &Path, text: &str) -> Result<(), ClusterError> {
    use std::io::Write as _;
    let io = |source| ClusterError::Io {
        what: path.display().to_string(),
        source,
    };
    let mut shell = as_server_user("sh")
        .args(["-c", r#"umask 077; cat >"$1""#, "pg-logstats-test-cluster"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(io)?;
    if let Some(mut input) = shell.stdin.take() {
        input.write_all(text.as_bytes()).map_err(io)?;
    }
    if shell.wait().map_err(io)?.success() {
        Ok(())
    } else {
        Err(io(io::Error::other("could not be written by the server's user")))
    }
}

fn free_port() -> Result<u16, ClusterError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| ClusterError::Io {
            what: "looking for a free port".to_owned(),
            source,
        })
}

fn append(path: &Path, text: &str) -> Result<(), ClusterError> {
    use std::io::Write as _;
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| ClusterError::Io {
            what: path.display().to_string(),
            source,
        })
}

fn run(command: &mut Command) -> Result<String, ClusterError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| ClusterError::Io {
        what: program.clone(),
        source,
    })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(ClusterError::Failed {
            program,
            output: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        })
    }
}

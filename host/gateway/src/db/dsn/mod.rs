//! Where the server is and how to get in.
//!
//! **In**: `--dsn`, `PG_LOGSTATS_DATABASE_URL`, the configuration file, or libpq's own variables, in this order; a URL or a
//! keyword/value string; service and password files. **Out**: a [`Target`]. **Trusted**: the operator's account.
//! **Can fail**: with the option's name. No error, `Debug` or `Display` here ever holds a password, nor the string it came in.
//!
//! An option that is not understood is refused rather than ignored: ignoring `channel_binding=require` would be a silent
//! weakening.

mod environment;
mod keyword_value;
mod passfile;
mod service;
#[cfg(test)]
mod tests;
mod url;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use thiserror::Error;

pub use environment::{Environment, FileText, ProcessEnvironment};

/// How long a connection may take to be made when the operator says nothing: longer than any healthy server needs, short enough
/// to be an answer during an incident.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most that `connect_timeout` is taken for; libpq's 0 (for ever) becomes this.
const MAX_CONNECT_TIMEOUT_S: u64 = 60;
/// Folders in which Debian's and PostgreSQL's own builds put their socket.
const SOCKET_FOLDERS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// The options of a connection as they were read, by libpq's names.
type Options = BTreeMap<String, String>;

/// Options that a DSN may have.
const KNOWN: [&str; 13] = [
    "host",
    "port",
    "user",
    "password",
    "passfile",
    "dbname",
    "service",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "application_name",
];

/// Options whose named values ask for nothing that we do not do anyway.
const HARMLESS: [(&str, &[&str]); 6] = [
    ("fallback_application_name", &[]),
    ("channel_binding", &["disable", "prefer"]),
    ("gssencmode", &["disable", "prefer"]),
    ("target_session_attrs", &["any"]),
    ("client_encoding", &["auto", "utf8", "UTF8", "utf-8", "UTF-8"]),
    ("sslnegotiation", &["postgres"]),
];

/// libpq's variable for each option that has one.
const VARIABLES: [(&str, &str); 11] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
];

/// libpq variables that would be ignored silently; the values named ask for nothing special.
const REFUSED_VARIABLES: [(&str, &[&str]); 8] = [
    ("PGOPTIONS", &[]),
    ("PGHOSTADDR", &[]),
    ("PGCHANNELBINDING", &["disable", "prefer"]),
    ("PGREQUIREAUTH", &[]),
    ("PGREQUIREPEER", &[]),
    ("PGSSLCRL", &[]),
    ("PGSSLCRLDIR", &[]),
    ("PGGSSENCMODE", &["disable", "prefer"]),
];

/// Which of the operator's settings a connection came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DsnSource {
    /// `--dsn`.
    Flag,
    /// `PG_LOGSTATS_DATABASE_URL`.
    Variable,
    /// The configuration file.
    Config,
    /// `PGHOST`, `PGDATABASE` or `PGSERVICE`.
    Libpq,
}

impl fmt::Display for DsnSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "`--dsn`",
            Self::Variable => "`PG_LOGSTATS_DATABASE_URL`",
            Self::Config => "the database URL in the configuration file",
            Self::Libpq => "libpq's environment variables",
        })
    }
}

/// The connection's settings are wrong; the operator is to blame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DsnError {
    /// Neither a URL nor a keyword/value string.
    #[error(
        "{origin} is no connection string: {reason}; write `postgres://USER@HOST:PORT/DATABASE` or `host=… dbname=… user=…`"
    )]
    Syntax {
        /// Whose.
        origin: DsnSource,
        /// What is wrong, without the string.
        reason: &'static str,
    },
    /// An option that is not supported.
    #[error("{origin} has the option `{option}`, which is not supported; remove it")]
    UnsupportedOption {
        /// Whose.
        origin: DsnSource,
        /// Which.
        option: String,
    },
    /// A value that the option cannot have.
    #[error("{origin}: option `{option}` {reason}")]
    InvalidValue {
        /// Whose.
        origin: DsnSource,
        /// Which.
        option: &'static str,
        /// What it has to be.
        reason: &'static str,
    },
    /// A libpq variable that would have to be ignored.
    #[error("the environment variable `{variable}` is set and not supported; unset it")]
    UnsupportedVariable {
        /// Which.
        variable: &'static str,
    },
    /// No role name.
    #[error("{origin} names no role; add `user=…`, or set `PGUSER`")]
    NoUser {
        /// Whose.
        origin: DsnSource,
    },
    /// The service is in no service file.
    #[error("the service `{service}` is in no service file; looked at {looked_at}")]
    UnknownService {
        /// Its name.
        service: String,
        /// The files.
        looked_at: String,
    },
    /// The service file is wrong.
    #[error("service file `{file}`, line {line}: {reason}")]
    ServiceFile {
        /// Path.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong, without the line.
        reason: &'static str,
    },
}

/// A password. Only [`Target::connect_options`] can read it.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How much the transport has to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    /// No TLS.
    Disable,
    /// TLS when the server has it.
    Prefer,
    /// TLS, whoever answers.
    Require,
    /// TLS with a certificate of a trusted authority.
    VerifyCa,
    /// And with the host's name in it.
    VerifyFull,
}

/// One database of one server, and how to get in. Never shows the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    origin: DsnSource,
    host: String,
    port: u16,
    user: String,
    password: Option<Secret>,
    database: String,
    tls: Tls,
    root_cert: Option<PathBuf>,
    client_cert: Option<(PathBuf, PathBuf)>,
    connect_timeout: Duration,
    warnings: Vec<String>,
}

/// Finds the database: `--dsn`, `PG_LOGSTATS_DATABASE_URL`, the configuration file, libpq's variables. None when none is set.
///
/// # Errors
/// When the first of them that is set cannot be used.
pub fn resolve(flag: Option<&str>, config_url: Option<&str>) -> Result<Option<Target>, DsnError> {
    resolve_in(flag, config_url, &ProcessEnvironment)
}

/// As [`resolve`], in a given environment.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_in(
    flag: Option<&str>,
    config_url: Option<&str>,
    environment: &dyn Environment,
) -> Result<Option<Target>, DsnError> {
    let variable = environment.var("PG_LOGSTATS_DATABASE_URL");
    let set = |name| environment.var(name).is_some_and(|value| !value.is_empty());
    let (origin, given) = if let Some(dsn) = flag {
        (DsnSource::Flag, parse(DsnSource::Flag, dsn)?)
    } else if let Some(dsn) = variable.as_deref().filter(|dsn| !dsn.is_empty()) {
        (DsnSource::Variable, parse(DsnSource::Variable, dsn)?)
    } else if let Some(dsn) = config_url {
        (DsnSource::Config, parse(DsnSource::Config, dsn)?)
    } else if set("PGHOST") || set("PGDATABASE") || set("PGSERVICE") {
        (DsnSource::Libpq, Options::new())
    } else {
        return Ok(None);
    };
    Target::from_options(origin, given, environment).map(Some)
}

/// A URL or a keyword/value string to options, each known or harmless.
fn parse(origin: DsnSource, dsn: &str) -> Result<Options, DsnError> {
    let syntax = |reason| DsnError::Syntax { origin, reason };
    let dsn = dsn.trim();
    let options = if dsn.contains("://") {
        url::parse(dsn)
    } else {
        keyword_value::parse(dsn)
    }
    .map_err(syntax)?;
    check_known(origin, options)
}

fn check_known(origin: DsnSource, mut options: Options) -> Result<Options, DsnError> {
    options.retain(|name, value| {
        !HARMLESS
            .iter()
            .any(|(n, values)| n == name && (values.is_empty() || values.contains(&value.as_str())))
    });
    match options.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        Some(option) => Err(DsnError::UnsupportedOption {
            origin,
            option: shown_option(option),
        }),
        None => Ok(options),
    }
}

/// An option's name for an error: a name that looks like none may be part of a mistyped password.
fn shown_option(option: &str) -> String {
    let plain = option.len() <= 40 && option.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if plain {
        option.to_owned()
    } else {
        "[not an option name]".to_owned()
    }
}

impl Target {
    fn from_options(origin: DsnSource, given: Options, environment: &dyn Environment) -> Result<Self, DsnError> {
        for (variable, harmless) in REFUSED_VARIABLES {
            if environment
                .var(variable)
                .is_some_and(|v| !v.is_empty() && !harmless.contains(&v.as_str()))
            {
                return Err(DsnError::UnsupportedVariable { variable });
            }
        }
        let mut options = given;
        let service = options
            .remove("service")
            .or_else(|| environment.var("PGSERVICE"))
            .filter(|s| !s.is_empty());
        if let Some(service) = service {
            for (name, value) in check_known(origin, service::find(&service, environment)?)? {
                options.entry(name).or_insert(value);
            }
        }
        for (name, variable) in VARIABLES {
            if let Some(value) = environment.var(variable).filter(|v| !v.is_empty()) {
                options.entry(name.to_owned()).or_insert(value);
            }
        }
        options.retain(|_, value| !value.is_empty());

        let port = parse_port(origin, options.get("port"))?;
        let host = match options.remove("host") {
            Some(host) => host,
            None => default_host(port, environment),
        };
        if host.contains(',') {
            return Err(DsnError::InvalidValue {
                origin,
                option: "host",
                reason: "names several hosts; name the one to look at",
            });
        }
        let os_user = || {
            environment
                .var("USER")
                .or_else(|| environment.var("LOGNAME"))
                .filter(|u| !u.is_empty())
        };
        let user = options
            .remove("user")
            .or_else(os_user)
            .ok_or(DsnError::NoUser { origin })?;
        let database = options.remove("dbname").unwrap_or_else(|| user.clone());
        let mut warnings = Vec::new();
        let password = match options.remove("password") {
            Some(password) => Some(password),
            None => {
                let wanted = passfile::Wanted {
                    host: &host,
                    port,
                    database: &database,
                    user: &user,
                };
                passfile::find(options.get("passfile"), &wanted, environment, &mut warnings)
            }
        };
        let (tls, root_cert) = parse_tls(origin, &options)?;
        let client_cert = match (options.remove("sslcert"), options.remove("sslkey")) {
            (Some(cert), Some(key)) => Some((cert.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => {
                return Err(DsnError::InvalidValue {
                    origin,
                    option: "sslcert",
                    reason: "needs `sslkey` too",
                });
            }
            (None, Some(_)) => {
                return Err(DsnError::InvalidValue {
                    origin,
                    option: "sslkey",
                    reason: "needs `sslcert` too",
                });
            }
        };
        Ok(Self {
            origin,
            host,
            port,
            user,
            password: password.map(Secret),
            database,
            tls,
            root_cert,
            client_cert,
            connect_timeout: parse_timeout(origin, options.get("connect_timeout"))?,
            warnings,
        })
    }

    /// Which setting it came from.
    pub fn origin(&self) -> DsnSource {
        self.origin
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The login role's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The host's name or address, or the folder of its socket.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// What the operator should know about these settings, for standard error; ours, without secrets.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// `db_` and 16 hex digits for host, port and database: names locks and records. The same for every role.
    pub fn target_id(&self) -> String {
        let host = if self.is_socket() {
            self.host.clone()
        } else {
            self.host.to_ascii_lowercase()
        };
        let digest = Sha256::digest(format!("{host}\0{}\0{}", self.port, self.database).as_bytes());
        let mut id = "db_".to_owned();
        for byte in digest.iter().take(8) {
            id.push_str(&format!("{byte:02x}"));
        }
        id
    }

    fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// What the driver needs. The driver reads some of libpq's variables itself. All of them are overridden here or refused: by
    /// [`Target::from_options`] where the environment counts, by the gateway where it does not, for an agent.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        let ssl_mode = match self.tls {
            // As libpq: a socket is never encrypted.
            _ if self.is_socket() => PgSslMode::Disable,
            Tls::Disable => PgSslMode::Disable,
            Tls::Prefer => PgSslMode::Prefer,
            Tls::Require => PgSslMode::Require,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::VerifyFull => PgSslMode::VerifyFull,
        };
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(self.password.as_ref().map_or("", |p| p.0.as_str()))
            .database(&self.database)
            .application_name(super::session::APPLICATION_NAME)
            .statement_cache_capacity(0)
            .ssl_mode(ssl_mode);
        if let Some(path) = &self.root_cert {
            options = options.ssl_root_cert(path);
        }
        if let Some((cert, key)) = &self.client_cert {
            options = options.ssl_client_cert(cert).ssl_client_key(key);
        }
        options
    }

    /// The files that TLS needs and that cannot be read, with the option's name: said before connecting, in our words.
    pub(crate) fn unreadable_tls_file(&self) -> Option<(&'static str, &Path)> {
        let cert = self.client_cert.as_ref();
        let files = [
            ("sslrootcert", self.root_cert.as_deref()),
            ("sslcert", cert.map(|(c, _)| c.as_path())),
            ("sslkey", cert.map(|(_, k)| k.as_path())),
        ];
        files
            .into_iter()
            .filter_map(|(option, path)| Some((option, path?)))
            .find(|(_, path)| std::fs::File::open(path).is_err())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "database `{}` at `{}:{}` as `{}`",
            self.database, self.host, self.port, self.user
        )
    }
}

fn parse_port(origin: DsnSource, port: Option<&String>) -> Result<u16, DsnError> {
    match port {
        None => Ok(5432),
        Some(port) => port.parse().ok().filter(|p| *p > 0).ok_or(DsnError::InvalidValue {
            origin,
            option: "port",
            reason: "has to be a number from 1 to 65535",
        }),
    }
}

fn parse_timeout(origin: DsnSource, seconds: Option<&String>) -> Result<Duration, DsnError> {
    let Some(seconds) = seconds else {
        return Ok(DEFAULT_CONNECT_TIMEOUT);
    };
    match seconds.parse() {
        Ok(0) => Ok(Duration::from_secs(MAX_CONNECT_TIMEOUT_S)),
        Ok(seconds) => Ok(Duration::from_secs(u64::min(seconds, MAX_CONNECT_TIMEOUT_S))),
        Err(_) => Err(DsnError::InvalidValue {
            origin,
            option: "connect_timeout",
            reason: "has to be a number of seconds",
        }),
    }
}

/// `sslmode` and `sslrootcert` as libpq reads them: with a root certificate, `require` verifies it; `allow` would try without TLS
/// first, which `prefer` betters; `sslrootcert=system` are the system's certificates and needs `verify-full`.
fn parse_tls(origin: DsnSource, options: &Options) -> Result<(Tls, Option<PathBuf>), DsnError> {
    let invalid = |option, reason| DsnError::InvalidValue { origin, option, reason };
    let root_cert = options.get("sslrootcert").map(String::as_str);
    let mode = options.get("sslmode").map(String::as_str);
    let tls = match (mode, root_cert) {
        (None | Some("verify-full"), Some("system")) => Tls::VerifyFull,
        (Some(_), Some("system")) => {
            return Err(invalid("sslmode", "has to be `verify-full` with `sslrootcert=system`"));
        }
        (Some("disable"), _) => Tls::Disable,
        (None | Some("allow" | "prefer"), _) => Tls::Prefer,
        (Some("require"), None) => Tls::Require,
        (Some("require" | "verify-ca"), _) => Tls::VerifyCa,
        (Some("verify-full"), _) => Tls::VerifyFull,
        (Some(_), _) => {
            let reason = "has to be `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`";
            return Err(invalid("sslmode", reason));
        }
    };
    Ok((tls, root_cert.filter(|path| *path != "system").map(PathBuf::from)))
}

/// The first usual folder with a socket of that port, else this machine by TCP.
fn default_host(port: u16, environment: &dyn Environment) -> String {
    let has_socket = |folder: &&str| environment.exists(&Path::new(folder).join(format!(".s.PGSQL.{port}")));
    SOCKET_FOLDERS
        .iter()
        .copied()
        .find(has_socket)
        .unwrap_or("localhost")
        .to_owned()
}

//! What the end-to-end tests share: the built command in a laboratory of its own, schemas, golden files, hostile guests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pg_logstats_test_cluster::{Builder, Cluster};
use serde_json::Value;

pub mod catalogue_page;
pub mod golden;
pub mod host;
pub mod regressed;
pub mod schema;

// The hostile guests, by name, built by build.rs.
include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// The log that the demo uses.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Copies all that is in the folder `from` to the folder `to`, which is made if it is not there.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), &place).unwrap();
        }
    }
}

/// The component of the hostile guest `name`.
pub fn guest(name: &str) -> PathBuf {
    let found = GUESTS.iter().find(|(known, _)| *known == name);
    PathBuf::from(found.unwrap_or_else(|| panic!("no guest `{name}`")).1)
}

/// A server that logs every statement with its query id, and can count them.
pub fn logging() -> Builder {
    Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("compute_query_id", "on")
        .setting("log_line_prefix", "%m [%p] %q%u@%d %a %e %Q: ")
        .setting("log_min_duration_statement", "0")
}

/// The database `shop`, owned by the role `app`, whose statements are counted; and `triage`, the least role that works.
pub fn make_shop(cluster: &Cluster) {
    let roles = "CREATE ROLE app LOGIN; CREATE ROLE triage LOGIN; GRANT pg_read_all_stats TO triage;";
    cluster.psql(roles).unwrap();
    cluster.psql("CREATE DATABASE shop OWNER app").unwrap();
    let extension = "CREATE EXTENSION pg_stat_statements";
    cluster.psql_as("postgres", "shop", extension).unwrap();
}

/// The command as a user runs it.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let binary = profile.join("pg-logstats");
    assert!(
        binary.exists(),
        "{} is not built; run `cargo build --release` first, as `make test` does",
        binary.display()
    );
    binary
}

/// Configuration under which values of statements are kept, as EXPLAIN ANALYZE needs them.
pub const KEEP_VALUES: &str = "[redaction]\nkeep = [\"statement_text\", \"statement_parameter\", \"ops\"]\n";

/// A home, a workspace and nothing else.
pub struct Lab {
    dir: tempfile::TempDir,
    database_url: Option<String>,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Lab {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            database_url: None,
        }
    }

    /// Also with a database, named in the environment.
    pub fn with_database(dsn: &str) -> Self {
        Self {
            database_url: Some(dsn.to_owned()),
            ..Self::new()
        }
    }

    /// Whose operator keeps values of statements, as EXPLAIN ANALYZE needs them.
    #[must_use]
    pub fn keeping_values(self) -> Self {
        self.operators("config.toml", KEEP_VALUES);
        self
    }

    /// Writes a file in the operator's folder.
    pub fn operators(&self, name: &str, text: &str) {
        let folder = self.path().join(".config/pg-logstats");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn workspace(&self) -> PathBuf {
        self.dir.path().join("workspace")
    }

    /// Writes a file in the home.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The command, with nothing of the developer's environment in it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(args)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PATH", "/usr/bin:/bin")
            .env("PG_LOGSTATS_WORKSPACE", self.workspace())
            .stdin(Stdio::null());
        if let Some(dsn) = &self.database_url {
            command.env("PG_LOGSTATS_DATABASE_URL", dsn);
        }
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// Runs a command that must succeed; its JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{ran:?}");
        ran.json()
    }

    /// A triage that must succeed; its report, checked against the schema.
    pub fn triage(&self, workflow: &str, log: &Path) -> Value {
        let report = self.json(&["triage", workflow, log.to_str().unwrap()]);
        schema::check("report", &report);
        report
    }

    /// Whether the audit log verifies with the workspace's key; how many records it has.
    pub fn verified_records(&self) -> u64 {
        let verification = self.json(&["audit", "verify"]);
        schema::check("verification", &verification);
        assert_eq!(verification["verified"], true, "{verification:#}");
        verification["records"].as_u64().unwrap()
    }

    /// Kinds of the records, in order.
    pub fn record_kinds(&self) -> Vec<String> {
        let list = self.json(&["audit", "list"]);
        list.as_array()
            .unwrap()
            .iter()
            .map(|e| e["kind"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Runs a script of `verifiers/` with the Python packages that it needs: whether it succeeded, and what it printed.
pub fn python_verifier(script: &str, args: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifiers").join(script);
    let output = Command::new(env!("PYTHON_VERIFIERS"))
        .arg(script)
        .args(args)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), printed.concat())
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let ran = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        };
        assert!(!ran.stderr.contains("panicked at"), "a panic: {ran:?}");
        ran
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Asserts exit code and that stderr says all of `words`.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "stderr does not say {word:?}: {self:?}");
        }
    }
}

/// The first next action of `report` for the catalogue action `target`.
#[track_caller]
pub fn action<'a>(report: &'a Value, target: &str) -> &'a Value {
    let actions = report["next_actions"].as_array().unwrap();
    let found = actions
        .iter()
        .find(|a| a["target_id"] == target && a["status"] == "allowed");
    found
        .or_else(|| actions.iter().find(|a| a["target_id"] == target))
        .unwrap_or_else(|| panic!("no action `{target}` in {:#}", report["next_actions"]))
}

/// The arguments of an action's command, without the program.
pub fn argv(action: &Value) -> Vec<String> {
    let argv = action["command"]["argv"]
        .as_array()
        .unwrap_or_else(|| panic!("no command in {action:#}"));
    argv.iter().skip(1).map(|a| a.as_str().unwrap().to_owned()).collect()
}

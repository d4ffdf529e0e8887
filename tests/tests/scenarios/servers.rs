//! The servers that an incident happens on, and the shell that makes it happen.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use pg_logstats_test_cluster::{Builder, Cluster};
use pg_logstats_tests::make_shop;

use super::Settings;

/// What `incident.sh` can use.
const PRELUDE: &str = r#"
set -euo pipefail
psql() { command psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" >/dev/null; }
background() { PGAPPNAME=$1 command psql -X -q -A -t -c "$2" >/dev/null 2>&1 </dev/null & }
hold() { (echo "$2"; exec sleep 600) | PGAPPNAME=$1 command psql -X -q -A -t >/dev/null 2>&1 & sleep 0.3; }
release() { pkill -P $$ >/dev/null 2>&1 || true; }
turn() { sleep 0.1; date -u +%Y-%m-%dT%H:%M:%S.%3NZ >"$TURN"; sleep 0.1; }
ask() { command psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1" </dev/null; }
wait_for() { for n in $(seq 1 300); do if [ "$(ask "$1")" = t ]; then return; fi; sleep 0.2; done; false; }
on_standby() { PGHOST=$STANDBY "$@"; }
"#;

/// The server of an incident, and its standby, if it has one.
pub(super) struct Servers {
    // Dropped first: a standby does not outlive its primary.
    standby: Option<Cluster>,
    pub(super) primary: Cluster,
}

impl Servers {
    pub(super) fn start(settings: &Settings, standby: Option<&Settings>) -> Self {
        let mut builder = Cluster::builder()
            .setting("shared_preload_libraries", "pg_stat_statements")
            .setting("compute_query_id", "on")
            .setting("log_line_prefix", "%m [%p] %q%u@%d %a %e %Q: ");
        for (setting, value) in settings {
            builder = builder.setting(setting, value);
        }
        let primary = builder.start().expect("PostgreSQL starts");
        make_shop(&primary);
        // What the agent sends is held to what it may send (`safety.rs`).
        primary.psql("ALTER ROLE triage SET log_statement = 'all'").unwrap();
        let standby = standby.map(|settings| {
            let add = |builder: Builder, (name, value): (&String, &String)| builder.setting(name, value);
            let builder = settings.iter().fold(Cluster::builder().standby_of(&primary), add);
            builder.start().expect("the standby starts")
        });
        Self { standby, primary }
    }

    /// The one that the incident is about.
    pub(super) fn troubled(&self) -> &Cluster {
        self.standby.as_ref().unwrap_or(&self.primary)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Cluster> {
        self.standby.iter().chain([&self.primary])
    }

    pub(super) fn log(&self) -> PathBuf {
        let collected = self.troubled().collected_logs();
        collected
            .into_iter()
            .next()
            .unwrap_or_else(|| self.troubled().server_log())
    }

    /// `script` behind the prelude, in a process group of its own, so that what it leaves running can be ended with it.
    pub(super) fn bash(&self, script: &str) -> Command {
        let client = self.primary.client("psql", "app", "shop");
        let mut bash = Command::new("bash");
        for (name, value) in client.get_envs() {
            match value {
                Some(value) => bash.env(name, value),
                None => bash.env_remove(name),
            };
        }
        if let Some(standby) = &self.standby {
            bash.env("STANDBY", standby.socket_dir());
        }
        bash.args(["-c", &format!("{PRELUDE}\n{script}")]).process_group(0);
        bash
    }
}

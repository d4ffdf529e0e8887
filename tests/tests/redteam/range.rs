//! The shooting range: a server whose application and whose diagnosis role may do anything, so that rights cannot hide a gap in the
//! gate; and one statement at a time from the application to `run-sql`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pg_logstats_test_cluster::{Builder, Cluster, Session};
use pg_logstats_tests::{KEEP_VALUES, Lab, Ran, action, argv, schema};
use serde_json::Value;

use crate::proxy::MEASURED;

pub(crate) const ANALYZE: &str = "query_family.explain_analyze";

/// How often a command is repeated because the machine itself was too busy for the verdict `clear`.
const ATTEMPTS: usize = 40;

/// A server with a database `shop`. Application `app` and role `root_triage` are superusers; `triage` is the least role that works.
pub(crate) fn server() -> Cluster {
    prepared(Cluster::builder())
}

/// The same of a major version.
pub(crate) fn server_of(major: u32) -> Cluster {
    prepared(Cluster::builder().version(major))
}

fn prepared(builder: Builder) -> Cluster {
    let cluster = builder
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("log_line_prefix", "%m [%p] %q%u@%d %a %e %Q: ")
        .setting("log_min_duration_statement", "0")
        .setting("log_lock_waits", "on")
        .setting("autovacuum", "off")
        .setting("max_prepared_transactions", "2")
        .setting("wal_level", "logical")
        .start()
        .expect("PostgreSQL starts");
    cluster
        .psql(
            "CREATE ROLE app LOGIN SUPERUSER; CREATE ROLE root_triage LOGIN SUPERUSER; CREATE ROLE triage LOGIN;
             GRANT pg_read_all_stats TO triage;",
        )
        .unwrap();
    cluster.psql("CREATE DATABASE shop OWNER app").unwrap();
    cluster
        .psql_as(
            "app",
            "shop",
            "CREATE EXTENSION pg_stat_statements;
             CREATE TABLE item (id int PRIMARY KEY, name text, price numeric, sold timestamptz);
             INSERT INTO item SELECT n, 'name ' || n, n, '2024-01-01'::timestamptz + n * interval '1 minute'
               FROM generate_series(1, 2000) AS n;
             CREATE TABLE victim (id int PRIMARY KEY, note text); INSERT INTO victim VALUES (1, 'one');
             CREATE SEQUENCE counter; SELECT nextval('counter');
             ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO triage;",
        )
        .unwrap();
    cluster
}

/// A laboratory with a configuration that accepts `role` whatever it may do.
pub(crate) fn lab(cluster: &Cluster, role: &str) -> (Lab, String) {
    let lab = Lab::new();
    let config = config(&lab, &cluster.dsn(role, "shop"), "");
    (lab, config)
}

/// Another laboratory of the same kind, with budgets of its own: `of` has used some of its. It takes over keys and compiled runbooks.
pub(crate) fn next_lab(cluster: &Cluster, role: &str, of: &Lab) -> (Lab, String) {
    let (next, config) = lab(cluster, role);
    std::fs::create_dir(next.workspace()).unwrap();
    for folder in ["keys", "cache"] {
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(of.workspace().join(folder))
            .arg(next.workspace())
            .status()
            .unwrap();
        assert!(copied.success(), "{folder}");
    }
    (next, config)
}

/// A configuration file of `lab` for the connection `dsn`, with `rules` after it. An EXPLAIN ANALYZE may take some seconds, so that a
/// few whose outcome nobody recorded do not use up the incident's budget.
pub(crate) fn config(lab: &Lab, dsn: &str, rules: &str) -> String {
    let url = dsn.replace('\\', "\\\\").replace('"', "\\\"");
    lab.file(
        "config.toml",
        format!(
            "default_database = \"shop\"\n{KEEP_VALUES}[databases.shop]\nurl = \"{url}\"\nallow_privileged_role = true\n\
             [databases.shop.policy.action_caps.\"{ANALYZE}\"]\nstatement_timeout_ms = 12000\n{rules}\n"
        ),
    )
}

/// What the application did, as its log has it.
pub(crate) struct Logged {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// Runs `statement` as the application in one message, whether it fails or not, and cuts what the server logged meanwhile out of its
/// log, in which `change` may then put what it likes.
pub(crate) fn logged(cluster: &Cluster, lab: &Lab, statement: &str, change: impl FnOnce(String) -> String) -> Logged {
    let log = cluster.server_log();
    let before = std::fs::metadata(&log).unwrap().len();
    // An endless statement ends; what the server counts under it, it counts when it ended well.
    let mut psql = cluster.client("psql", "app", "shop");
    let _ = psql
        .args(["-X", "-q", "-A", "-t", "-c", statement])
        .env("PGAPPNAME", "web")
        .env("PGOPTIONS", "-c statement_timeout=5s")
        .output()
        .unwrap();
    let text = std::fs::read(&log).unwrap();
    let text = String::from_utf8_lossy(&text[usize::try_from(before).unwrap()..]).into_owned();
    let text = change(text);
    let file = PathBuf::from(lab.file("sample.log", &text));
    Logged { file, text }
}

/// Triage of one logged statement under the configuration.
pub(crate) fn triage(lab: &Lab, config: &str, logged: &Logged) -> Value {
    let log = logged.file.to_str().unwrap();
    for _ in 0..ATTEMPTS {
        let report = lab.json(&["triage", "query-families", log, "--config", config]);
        if report["verdict"] == "clear" {
            return report;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("the verdict never was clear");
}

/// The action that would run the statement, when the report offers one.
pub(crate) fn offered(report: &Value) -> Option<&Value> {
    let actions = report["next_actions"].as_array().unwrap();
    actions
        .iter()
        .find(|a| a["target_id"] == ANALYZE && a["status"] == "allowed")
}

/// Runs an action until the machine is calm enough for it.
pub(crate) fn run(lab: &Lab, action: &Value) -> Ran {
    let argv = argv(action);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    for _ in 0..ATTEMPTS {
        let ran = lab.run(&argv);
        let answer = ran.json();
        let is_noise = answer["status"] == "blocked_by_verdict"
            || answer["outcome"]["detail"]
                .as_str()
                .is_some_and(|d| d.contains("because the verdict"));
        if !is_noise {
            return ran;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("the verdict never stayed clear");
}

/// From the application to the outcome of EXPLAIN ANALYZE; none when it is not offered.
pub(crate) fn analyze(cluster: &Cluster, lab: &Lab, config: &str, statement: &str) -> Option<Value> {
    let logged = logged(cluster, lab, statement, |text| text);
    let report = triage(lab, config, &logged);
    let ran = run(lab, offered(&report)?);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    schema::check("report", &report);
    Some(report["outcome"].clone())
}

/// As [`analyze`], with a statement that must be offered.
#[track_caller]
pub(crate) fn analyzed(cluster: &Cluster, lab: &Lab, config: &str, statement: &str) -> Value {
    analyze(cluster, lab, config, statement).unwrap_or_else(|| panic!("not offered: {statement}"))
}

/// A statement that runs for a minute and whose cost says nothing; `short` is what the application ran of it.
pub(crate) struct Slow;

impl Slow {
    const SHORT: &'static str = "SELECT count(*) FROM (SELECT generate_series(1, (SELECT 17)) AS g) AS s";

    /// A report that offers it. The log claims a greater number than the application used.
    pub(crate) fn offered(cluster: &Cluster, lab: &Lab, config: &str) -> Value {
        let logged = logged(cluster, lab, Self::SHORT, |text| {
            text.replace("SELECT 17", "SELECT 2000000000")
        });
        let report = triage(lab, config, &logged);
        let act = action(&report, ANALYZE);
        assert_eq!(act["status"], "allowed", "{act:#}");
        act.clone()
    }
}

/// Backends of `pg-logstats` that run the statement of an EXPLAIN ANALYZE now.
pub(crate) fn running(cluster: &Cluster) -> usize {
    let count = cluster
        .psql(
            "SELECT count(*) FROM pg_stat_activity
              WHERE application_name = 'pg-logstats' AND state = 'active' AND query LIKE 'EXPLAIN (ANALYZE%'",
        )
        .unwrap();
    count.parse().unwrap()
}

/// How long a test waits for what has to come: a machine can be starved. How soon it came is told by what the server did meanwhile
/// ([`looks`], [`timed_out`]), and not by a clock.
pub(crate) const EVENTUALLY: Duration = Duration::from_secs(120);

/// How often the server was looked at for a verdict, by its own log. A watchdog looks every 150 ms.
pub(crate) fn looks(cluster: &Cluster) -> usize {
    let log = std::fs::read_to_string(cluster.server_log()).unwrap();
    log.matches("FROM pg_stat_get_activity").count()
}

/// Whether its timeout ended the statement of an EXPLAIN ANALYZE, and nobody before, by the server's own log.
pub(crate) fn timed_out(cluster: &Cluster) -> bool {
    let log = std::fs::read_to_string(cluster.server_log()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    lines
        .windows(2)
        .any(|pair| pair[0].contains("due to statement timeout") && pair[1].contains(MEASURED))
}

#[track_caller]
pub(crate) fn wait_until(what: &str, limit: Duration, mut reached: impl FnMut() -> bool) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a hostile statement could change, read by the superuser.
pub(crate) struct State {
    listener: Session,
    bystander: Session,
    bystander_pid: i32,
}

impl State {
    pub(crate) fn watch(cluster: &Cluster) -> Self {
        let mut listener = cluster.session("postgres", "shop").unwrap();
        listener.run("LISTEN canary").unwrap();
        let mut bystander = cluster.session("app", "shop").unwrap();
        let bystander_pid = bystander.pid().unwrap();
        bystander.run("SET application_name = 'bystander'").unwrap();
        Self {
            listener,
            bystander,
            bystander_pid,
        }
    }

    /// Takes the notifications that have come until now.
    pub(crate) fn drain(&mut self) {
        let _ = self.listener.run("SELECT 'drained'").unwrap();
    }

    /// Everything in one text: equal before and after means that nothing was done.
    pub(crate) fn digest(&mut self, cluster: &Cluster) -> String {
        let mut state = cluster.psql_as("postgres", "shop", STATE).unwrap();
        // A dead session prints nothing; a notification comes with the next answer.
        state.push_str(&format!(
            "\nlistener {}",
            self.listener.run("SELECT 'listens'").unwrap()
        ));
        let alive = self.bystander.pid().ok() == Some(self.bystander_pid);
        state.push_str(&format!("\nbystander alive {alive}"));
        // What functions that lie about themselves say when they are called in a session of ours; these questions call some, too.
        let log = std::fs::read(cluster.server_log()).unwrap();
        let canaries = String::from_utf8_lossy(&log)
            .lines()
            .filter(|line| line.contains(" pg-logstats ") && line.contains("CANARY"))
            .count();
        state.push_str(&format!("\ncanaries {canaries}"));
        let mut files: Vec<String> = std::fs::read_dir(cluster.socket_dir())
            .unwrap()
            .chain(std::fs::read_dir(cluster.data_dir()).unwrap())
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "postmaster.pid" && name != "core")
            .collect();
        files.sort();
        state.push_str(&format!("\nfiles {}", files.join(" ")));
        state
    }
}

/// One line for each thing. `snapshot` is the next transaction id: even what was rolled back would have taken one.
const STATE: &str = r"
SELECT 'tables', md5(string_agg(c.oid::regclass || query_to_xml(format(
         'SELECT count(*) AS n, sum(hashtextextended(t::text, 0)) AS h FROM %s AS t', c.oid::regclass), false, true, '')::text, ',' ORDER BY c.oid))
  FROM pg_class AS c WHERE c.relkind = 'r' AND c.oid >= 16384
UNION ALL SELECT 'pg_class', md5(string_agg(concat_ws(':', c.oid, c.relname, c.relfilenode, c.relkind, c.relacl), ',' ORDER BY c.oid)) FROM pg_class AS c
UNION ALL SELECT 'pg_proc', md5(string_agg(concat_ws(':', p.oid, p.proname, p.prosrc, p.provolatile, p.proacl), ',' ORDER BY p.oid)) FROM pg_proc AS p
UNION ALL SELECT 'large objects', count(*)::text || coalesce(max(loid)::text, '') FROM pg_largeobject
UNION ALL SELECT 'large object metadata', count(*)::text FROM pg_largeobject_metadata
UNION ALL SELECT 'sequences', string_agg(concat_ws(':', s.schemaname, s.sequencename, s.last_value), ',' ORDER BY 1) FROM pg_sequences AS s
UNION ALL SELECT 'advisory locks', count(*)::text FROM pg_locks AS l WHERE l.locktype = 'advisory'
UNION ALL SELECT 'row locks', count(*)::text FROM pg_locks AS l WHERE l.mode = 'RowShareLock'
UNION ALL SELECT 'sessions', string_agg(concat_ws(':', a.pid, a.usename, a.application_name), ',' ORDER BY a.pid)
            FROM pg_stat_activity AS a WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.application_name <> 'pg-logstats'
UNION ALL SELECT 'settings', md5(string_agg(concat_ws(':', g.name, g.setting, g.source), ',' ORDER BY g.name)) FROM pg_settings AS g
UNION ALL SELECT 'stored settings', coalesce(string_agg(concat_ws(':', s.setdatabase, s.setrole, s.setconfig), ','), '') FROM pg_db_role_setting AS s
UNION ALL SELECT 'reloaded', pg_conf_load_time()::text
UNION ALL SELECT 'statistics reset', stats_reset::text FROM pg_stat_bgwriter
UNION ALL SELECT 'roles', md5(string_agg(r::text, ',' ORDER BY r.oid)) FROM pg_authid AS r
UNION ALL SELECT 'snapshot', pg_snapshot_xmax(pg_current_snapshot())::text
UNION ALL SELECT 'prepared', count(*)::text FROM pg_prepared_xacts
UNION ALL SELECT 'replication', (SELECT count(*) FROM pg_replication_slots)::text || (SELECT count(*) FROM pg_replication_origin)
UNION ALL SELECT 'exported snapshots', count(*)::text FROM pg_ls_dir('pg_snapshots')
UNION ALL SELECT 'comments', md5(string_agg(d::text, ',' ORDER BY d.objoid, d.objsubid)) FROM pg_description AS d";

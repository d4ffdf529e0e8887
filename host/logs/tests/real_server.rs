//! A real PostgreSQL writes the three formats at once; they must agree with each other and with what was run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pg_logstats_logs::evidence::{
    Attribution, CancelReason, CheckpointCause, CheckpointKind, Evidence, MaintenanceKind, QueryFamily, TempFileGroup,
};
use pg_logstats_logs::{Options, Source, analyse};

/// A private cluster: its own folder, a socket in it, no TCP. Stopped by its pid when dropped.
struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    server: Option<Child>,
}

const SETTINGS: &str = "
listen_addresses = ''
fsync = off
log_destination = 'stderr,csvlog,jsonlog'
logging_collector = on
log_filename = 'server.log'
log_rotation_age = 0
log_rotation_size = 0
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a <%e> <%Q>: '
log_min_duration_statement = 0
log_statement = 'none'
log_lock_waits = on
deadlock_timeout = 100ms
log_temp_files = 0
log_checkpoints = on
log_connections = on
log_disconnections = on
compute_query_id = on
lc_messages = 'C'
session_preload_libraries = 'auto_explain'
log_autovacuum_min_duration = 0
autovacuum_naptime = 1s
autovacuum_vacuum_threshold = 20
autovacuum_vacuum_scale_factor = 0
";

/// Where the server's programs are, `pg_config`'s word first.
fn programs() -> PathBuf {
    let asked = Command::new("pg_config")
        .arg("--bindir")
        .output()
        .ok()
        .filter(|output| output.status.success());
    let asked = asked.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| {
            versions
                .filter_map(Result::ok)
                .map(|version| version.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    let has_server = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    asked
        .into_iter()
        .chain(found.into_iter().rev())
        .find(has_server)
        .expect("this test starts a real server: install PostgreSQL 15 or later (Debian: apt-get install postgresql postgresql-contrib)")
}

impl Cluster {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg-logstats-logs-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut cluster = Self {
            folder,
            programs: programs(),
            server: None,
        };
        if is_root() {
            // The server refuses to run as root.
            let id = |kind: &str| {
                let output = Command::new("id").args([kind, "postgres"]).output().unwrap();
                String::from_utf8_lossy(&output.stdout)
                    .trim()
                    .parse::<u32>()
                    .expect("the operating-system user `postgres`")
            };
            chown(cluster.folder.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        let data = cluster.data();
        let mut initdb = cluster.as_server("initdb");
        succeed(
            initdb
                .arg("-D")
                .arg(&data)
                .args(["-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "-N"]),
        );
        let mut conf = fs::OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))
            .unwrap();
        writeln!(
            conf,
            "{SETTINGS}\nunix_socket_directories = '{}'",
            cluster.folder.path().display()
        )
        .unwrap();
        let server = cluster
            .as_server("postgres")
            .arg("-D")
            .arg(&data)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        cluster.server = Some(server);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !cluster.psql("postgres", "probe", "SELECT 1").status.success() {
            assert!(Instant::now() < deadline, "the server did not start within a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn as_server(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        if !is_root() {
            return Command::new(program);
        }
        // `setpriv` replaces itself, so that the child's pid is the server's.
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program);
        command
    }

    fn client(&self, user: &str, application: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command
            .args(["-X", "-q", "-d", "postgres", "-U", user])
            .env("PGHOST", self.folder.path());
        command
            .env("PGAPPNAME", application)
            .env_remove("PGOPTIONS")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn psql(&self, user: &str, application: &str, sql: &str) -> Output {
        self.client(user, application).args(["-c", sql]).output().unwrap()
    }

    /// Statements one after the other in one session, some through the extended protocol (`\bind` is younger than 15, so
    /// PREPARE stands in, and pgbench does the rest).
    fn session(&self, user: &str, application: &str, statements: &[&str]) -> Child {
        let mut command = self.client(user, application);
        for statement in statements {
            command.args(["-c", statement]);
        }
        command.spawn().unwrap()
    }

    /// Stops the server and waits, so that the logs are whole.
    fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // SIGTERM is a smart shutdown. A fast one would terminate the server's side of a session whose client has just
        // ended, and the log would tell a cancellation that the workload did not ask for.
        let pid = server.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + Duration::from_secs(30);
        while server.try_wait().ok().flatten().is_none() {
            if Instant::now() > deadline {
                let _ = server.kill();
                let _ = server.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn evidence_of(path: &Path) -> Evidence {
    let source = Source::file(path.display().to_string(), File::open(path).unwrap());
    analyse(vec![source], &Options::default(), &|_| {}).unwrap()
}

const FORGED: &str = "SELECT 'a\n2026-11-23 00:00:00.000 UTC [1] evil@db app <00000> <0>: LOG:  duration: 9999.999 ms  statement: SELECT forged\n\
    2026-11-23 00:00:00.000 UTC,\"evil\",\"db\",1,,6b03c95f.1,1,,,,,LOG,00000,\"duration: 9999.999 ms  statement: SELECT forged\",,,,,,,,,,,,0\n\
    {\"timestamp\":\"2026-11-23 00:00:00.000 UTC\",\"error_severity\":\"LOG\",\"message\":\"duration: 9999.999 ms\"}'";

fn run_workload(cluster: &Cluster) {
    let run = |user: &str, application: &str, sql: &str| {
        cluster.psql(user, application, sql);
    };
    run("postgres", "setup", "CREATE ROLE bob LOGIN PASSWORD 'hunter2'");
    run("postgres", "setup", "CREATE TABLE t(id int primary key, a text)");
    run(
        "postgres",
        "setup",
        "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 100) i",
    );
    run("postgres", "setup", "GRANT ALL ON t TO bob");
    run(
        "postgres",
        "setup",
        "ALTER ROLE bob SET log_min_duration_statement = -1",
    );
    run("postgres", "setup", "ALTER ROLE bob SET log_statement = 'all'");
    run("postgres", "setup", "ALTER ROLE bob SET log_duration = on");
    for id in 0..7 {
        run(
            "postgres",
            "My App [v1]: \"beta\"",
            &format!("SELECT a FROM t -- {id}\n WHERE id = {id}"),
        );
    }
    for id in 0..3 {
        run(
            "bob",
            "bobs",
            &format!("UPDATE t SET a = 'it''s {id}'\n\tWHERE id = {id}"),
        );
    }
    run("postgres", "forger", FORGED);
    run(
        "postgres",
        "forger",
        "DO $$BEGIN RAISE LOG 'duration: 8888.888 ms  statement: SELECT forged'; END$$",
    );
    for _ in 0..4 {
        run("postgres", "failing", "SELECT * FROM missing");
    }
    run("postgres", "failing", "SELECT 1/0");
    run(
        "postgres",
        "sorter",
        "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT i FROM generate_series(1, 50000) i ORDER BY i) s",
    );
    // A lock wait of about half a second.
    let holder = cluster.session(
        "postgres",
        "holder",
        &[
            "BEGIN",
            "UPDATE t SET a = 'h' WHERE id = 50",
            "SELECT pg_sleep(0.7)",
            "COMMIT",
        ],
    );
    std::thread::sleep(Duration::from_millis(250));
    let waiter = cluster.session("postgres", "waiter", &["UPDATE t SET a = 'w' WHERE id = 50"]);
    finish([holder, waiter]);
    let one = cluster.session(
        "postgres",
        "one",
        &[
            "BEGIN",
            "UPDATE t SET a = '1' WHERE id = 61",
            "SELECT pg_sleep(0.4)",
            "UPDATE t SET a = '1' WHERE id = 62",
            "COMMIT",
        ],
    );
    let two = cluster.session(
        "postgres",
        "two",
        &[
            "BEGIN",
            "UPDATE t SET a = '2' WHERE id = 62",
            "SELECT pg_sleep(0.4)",
            "UPDATE t SET a = '2' WHERE id = 61",
            "COMMIT",
        ],
    );
    finish([one, two]);
    run_for_events(cluster);
    run("postgres", "setup", "CHECKPOINT");
}

const SPILL: &str = "SELECT count(*) FROM (SELECT i FROM generate_series(1, 50000) i ORDER BY i) s";

/// What leaves typed events: plans in two formats, spills whose entries do not name their statement, time-outs, autovacuum.
fn run_for_events(cluster: &Cluster) {
    let run = |user: &str, application: &str, sql: &str| {
        cluster.psql(user, application, sql);
    };
    for (role, settings) in [
        (
            "carol",
            &["auto_explain.log_min_duration = 0", "auto_explain.log_analyze = on"][..],
        ),
        (
            "dave",
            &[
                "auto_explain.log_min_duration = 0",
                "auto_explain.log_analyze = on",
                "auto_explain.log_format = json",
            ],
        ),
        ("erin", &["log_min_error_statement = panic", "work_mem = '64kB'"]),
        (
            "frank",
            &[
                "log_min_error_statement = panic",
                "work_mem = '64kB'",
                "log_min_duration_statement = -1",
                "log_statement = 'all'",
            ],
        ),
    ] {
        run("postgres", "setup", &format!("CREATE ROLE {role} SUPERUSER LOGIN"));
        for setting in settings {
            run("postgres", "setup", &format!("ALTER ROLE {role} SET {setting}"));
        }
    }
    for role in ["carol", "dave"] {
        run(role, "planned", "SELECT count(*)\nFROM t WHERE a = 'swordfish'");
    }
    for role in ["erin", "frank"] {
        run(role, "spilling", SPILL);
    }
    run(
        "postgres",
        "impatient",
        "SET statement_timeout = '50ms'; SELECT pg_sleep(5)",
    );
    run("postgres", "setup", "UPDATE t SET a = 'v'");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let sql = "SELECT 1 / least(autovacuum_count, autoanalyze_count) FROM pg_stat_user_tables WHERE relname = 't'";
        if cluster.psql("postgres", "poll", sql).status.success() {
            break;
        }
        assert!(Instant::now() < deadline, "autovacuum did not come within a minute");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn finish(sessions: [Child; 2]) {
    for mut session in sessions {
        session.wait().unwrap();
    }
}

/// What the formats have in common. The start of a session stands in csv and json only.
fn comparable(mut evidence: Evidence) -> Evidence {
    evidence.source.files.clear();
    evidence.source.bytes = 0;
    for wait in &mut evidence.lock_waits {
        wait.id.clear();
        wait.waiter.start_us = None;
        wait.holders.iter_mut().for_each(|holder| holder.start_us = None);
    }
    for deadlock in &mut evidence.deadlocks {
        deadlock.id.clear();
        deadlock.victim.start_us = None;
        for edge in &mut deadlock.edges {
            edge.waiter.start_us = None;
            edge.holder.start_us = None;
        }
    }
    evidence
}

fn family<'e>(evidence: &'e Evidence, application: &str, start: &str) -> &'e QueryFamily {
    let found = evidence.families.iter().find(|family| {
        family.dimensions.application.as_deref() == Some(application) && family.statement.starts_with(start)
    });
    found.unwrap_or_else(|| panic!("no family `{start}` of `{application}`"))
}

/// Counts and sums of the json log by another parser and other rules.
fn independent(path: &Path) -> (u64, u64, BTreeMap<String, u64>) {
    let (mut entries, mut duration_us) = (0, 0);
    let mut states: BTreeMap<String, u64> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entries += 1;
        let text = |key: &str| entry.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        // A busy machine's server is asked whether it is there before it is: FATAL, 57P03.
        let severity = text("error_severity");
        if ["ERROR", "FATAL", "PANIC"].contains(&severity) {
            *states.entry(format!("{severity} {}", text("state_code"))).or_default() += 1;
        }
        let raised = !text("statement").is_empty();
        if let Some(rest) = text("message").strip_prefix("duration: ")
            && !raised
        {
            let (ms, what) = rest.split_once(" ms").unwrap();
            if what.starts_with("  statement: ") || what.starts_with("  execute ") {
                duration_us += ms.replace('.', "").parse::<u64>().unwrap();
            }
        }
    }
    (entries, duration_us, states)
}

#[test]
fn three_formats_of_one_server_agree_with_each_other_and_with_the_workload() {
    let mut cluster = Cluster::start();
    run_workload(&cluster);
    cluster.stop();
    let log = cluster.data().join("log");
    let [stderr, csv, json] = ["log", "csv", "json"].map(|kind| evidence_of(&log.join(format!("server.{kind}"))));
    assert_eq!(
        stderr.source.files.first().unwrap().log_line_prefix.as_deref(),
        Some("%m [%p] %q%u@%d %a <%e> <%Q>: ")
    );
    let (entries, duration_us, states) = independent(&log.join("server.json"));
    assert_eq!(json.source.entries_scanned, entries);
    assert_eq!(json.source.entries_unparsed, 0);
    let kinds = ["statement", "execute"].map(|kind| json.source.durations.get(kind).map_or(0, |total| total.total_us));
    assert_eq!(kinds.iter().sum::<u64>(), duration_us);
    assert_eq!(json.source.sqlstates, states);
    check_workload(&json);
    check_events(&json);
    let json = comparable(json);
    assert_same(&comparable(csv), &json);
    assert_same(&comparable(stderr), &json);
}

/// Shows the first difference only.
fn assert_same(one: &Evidence, other: &Evidence) {
    let [one, other] = [one, other].map(|evidence| serde_json::to_string(evidence).unwrap());
    if one != other {
        let place = one
            .bytes()
            .zip(other.bytes())
            .position(|(one, other)| one != other)
            .unwrap_or_default();
        let around = |text: &str| {
            text.chars()
                .skip(place.saturating_sub(200))
                .take(300)
                .collect::<String>()
        };
        panic!("…{}…\n…{}…", around(&one), around(&other));
    }
}

/// What happened is told with its figures.
fn check_events(evidence: &Evidence) {
    for role in ["carol", "dave"] {
        let family = evidence.families.iter().find(|family| {
            family.dimensions.user.as_deref() == Some(role) && family.statement.starts_with("select count")
        });
        let family = family.unwrap_or_else(|| panic!("{role} ran a query"));
        let plan = evidence.plans.iter().find(|group| group.family == family.id).unwrap();
        assert_eq!((plan.count, plan.attribution), (1, Attribution::Stated));
        let [aggregate, scan] = plan.slowest.nodes.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!((aggregate.node_type.as_str(), aggregate.loops), ("Aggregate", Some(1)));
        assert_eq!(
            (scan.node_type.as_str(), scan.relation.as_deref()),
            ("Seq Scan", Some("t"))
        );
        assert_eq!((scan.rows_removed_by_filter, scan.parent), (Some(100), Some(0)));
        assert_eq!(scan.filter.as_deref(), Some("(a = ?::text)"));
        assert!(scan.total_cost.unwrap() > 0.0 && scan.total_us.is_some());
    }
    let told = serde_json::to_string(&evidence.plans).unwrap();
    assert!(!told.contains("swordfish"), "a value of a plan");
    let how = |role: &str| {
        let spilled = |group: &&TempFileGroup| group.dimensions.user.as_deref() == Some(role);
        let group = evidence.temp_files.iter().find(spilled).unwrap();
        let of = |family: &&QueryFamily| Some(&family.id) == group.family.as_ref();
        let family = evidence
            .families
            .iter()
            .find(of)
            .unwrap_or_else(|| panic!("{role}: {group:?}"));
        assert!(family.statement.starts_with("select count"), "{}", family.statement);
        group.attribution.unwrap()
    };
    assert_eq!((how("erin"), how("frank")), (Attribution::Within, Attribution::Running));
    let [canceled] = evidence.cancellations.as_slice() else {
        panic!("{:?}", evidence.cancellations)
    };
    assert_eq!((canceled.reason, canceled.count), (CancelReason::StatementTimeout, 1));
    assert_eq!(canceled.attribution, Some(Attribution::Stated));
    let tables = evidence.maintenance.iter().filter(|group| group.table.table == "t");
    let kinds: Vec<_> = tables
        .map(|group| (group.kind, group.run_count > 0, group.tuples_removed > 0))
        .collect();
    assert!(
        kinds.contains(&(MaintenanceKind::Vacuum, true, true)),
        "{:?}",
        evidence.maintenance
    );
    assert!(kinds.iter().any(|kind| kind.0 == MaintenanceKind::Analyze), "{kinds:?}");
    let reached = evidence
        .checkpoints
        .longest
        .iter()
        .find(|one| one.causes.contains(&CheckpointCause::Immediate))
        .unwrap();
    assert!(reached.total_us >= reached.write_us && reached.kind == CheckpointKind::Checkpoint);
    let events = |name: &str| evidence.source.events.get(name).copied().unwrap_or(0);
    assert_eq!(evidence.checkpoints.checkpoint_count, events("checkpoint_complete"));
    let [client] = evidence.clients.as_slice() else {
        panic!("{:?}", evidence.clients)
    };
    assert_eq!(client.host, "[local]");
    assert_eq!(
        (client.received_count, client.disconnected_count),
        (events("connection_received"), events("connection_disconnected"))
    );
    let sessions: u64 = evidence.connections.iter().map(|group| group.session_count).sum();
    assert_eq!(sessions, events("connection_disconnected"));
    let missing = evidence
        .errors
        .iter()
        .find(|class| class.sqlstate.as_deref() == Some("42P01"))
        .unwrap();
    let [statement] = missing.statements.as_slice() else {
        panic!("{missing:?}")
    };
    assert_eq!((statement.count, statement.attribution), (4, Attribution::Stated));
}

/// What was run is what is found.
fn check_workload(evidence: &Evidence) {
    let reads = family(evidence, "My App [v1]: \"beta\"", "select a from t where id = ?");
    assert_eq!(reads.execution_count, 7);
    assert_eq!(reads.query_ids.len(), 1);
    // Bare durations find the statement that the session logged before.
    assert_eq!(
        family(evidence, "bobs", "update t set a = ? where id = ?").execution_count,
        3
    );
    assert_eq!(evidence.source.durations.get("bare").map(|total| total.count), Some(3));
    let forged = evidence
        .families
        .iter()
        .any(|family| family.statement.contains("forged"));
    assert!(!forged, "a forged statement became a family");
    assert!(evidence.total_duration_us < 8_000_000, "{}", evidence.total_duration_us);
    assert!(!serde_json::to_string(evidence).unwrap().contains("hunter2"));
    assert_eq!(evidence.source.sqlstates.get("ERROR 42P01"), Some(&4));
    assert_eq!(family(evidence, "failing", "select * from missing").error_count, 4);
    let spilled = family(evidence, "sorter", "set work_mem = ?").temp_file_count;
    assert!(spilled >= 1);
    let files: u64 = evidence.temp_files.iter().map(|group| group.count).sum();
    assert_eq!(evidence.source.events.get("temp_file_created"), Some(&files));
    assert_eq!(evidence.deadlocks.len(), 1);
    let deadlock = evidence.deadlocks.first().unwrap();
    assert!(deadlock.edges.len() == 2 && deadlock.edges.iter().all(|edge| edge.family.is_some()));
    let waits: Vec<_> = evidence
        .lock_waits
        .iter()
        .filter(|wait| wait.dimensions.application.as_deref() == Some("waiter"))
        .collect();
    let [wait] = waits.as_slice() else { panic!("{waits:?}") };
    assert!(
        wait.acquired && (200_000..2_000_000).contains(&wait.waited_us) && wait.holders.len() == 1,
        "{wait:?}"
    );
    assert_eq!(
        wait.family.as_deref(),
        Some(family(evidence, "waiter", "update t set a = ?").id.as_str())
    );
    assert!(
        evidence
            .source
            .events
            .get("checkpoint_complete")
            .is_some_and(|count| *count >= 1)
    );
}

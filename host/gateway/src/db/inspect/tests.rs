use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use super::*;
use crate::catalogue::BoundParameter;
use crate::db::test_server::{block_on, cluster, run, target, target_of, text};
use crate::words::OutcomeStatus;

fn status(inspection: &ServerInspection, id: &str) -> CheckStatus {
    check(inspection, id).status
}

fn check<'a>(inspection: &'a ServerInspection, id: &str) -> &'a Check {
    inspection
        .checks
        .iter()
        .find(|c| c.id == id)
        .unwrap_or_else(|| panic!("no check `{id}`"))
}

fn inspect(cluster: &Cluster, role: &str, database: &str) -> ServerInspection {
    block_on(inspect_server(&target_of(&cluster.dsn(role, database))))
}

/// The SQL statements in a remedy, as a person would paste them.
fn apply(cluster: &Cluster, remedy: &str) {
    for statement in remedy
        .split_inclusive(';')
        .map(str::trim)
        .filter(|s| s.starts_with("ALTER") || s.starts_with("SELECT"))
    {
        cluster.psql(statement).unwrap();
    }
}

#[test]
fn every_failed_setting_passes_once_its_remedy_is_applied() {
    let cluster = Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("log_min_duration_statement", "-1")
        .setting("log_line_prefix", "%%u %m")
        .setting("log_lock_waits", "off")
        .setting("log_temp_files", "-1")
        .setting("log_checkpoints", "off")
        .setting("compute_query_id", "off")
        .setting("track_io_timing", "off")
        .start()
        .unwrap();
    cluster
        .psql("CREATE EXTENSION pg_stat_statements; CREATE ROLE plain LOGIN")
        .unwrap();
    let before = inspect(&cluster, "plain", "postgres");
    assert_eq!(before.server_version_num.unwrap() / 10_000, 15);
    let settings = [
        "server.log_min_duration_statement",
        "server.log_line_prefix",
        "server.log_lock_waits",
        "server.log_temp_files",
        "server.log_checkpoints",
        "server.compute_query_id",
        "server.track_io_timing",
    ];
    for id in settings {
        assert_eq!(status(&before, id), CheckStatus::Failed, "{id}");
        apply(&cluster, check(&before, id).remedy.as_ref().unwrap());
    }
    let prefix = &check(&before, "server.log_line_prefix").reason;
    assert_eq!(
        *prefix,
        "the prefix lacks %p (process id), %u (role), %d (database), %a (application name), %e (SQLSTATE), %Q (query id)"
    );
    assert_eq!(before.settings["log_line_prefix"].text(), "%%u %m");
    for id in [
        "server.reachable",
        "server.version",
        "server.track_activities",
        "server.pg_stat_statements",
        "server.log_destination",
        "role.least_privilege",
    ] {
        assert_eq!(status(&before, id), CheckStatus::Passed, "{id}");
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let after = inspect(&cluster, "plain", "postgres");
    for id in settings {
        assert_eq!(
            status(&after, id),
            CheckStatus::Passed,
            "{id}: {}",
            check(&after, id).reason
        );
    }
}

#[test]
fn the_grant_script_makes_a_role_that_works_from_names_that_need_quoting() {
    let cluster = Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .start()
        .unwrap();
    cluster.psql(r#"CREATE DATABASE "Odd ""name"" -- db""#).unwrap();
    cluster.psql(r#"CREATE ROLE "a role; DROP" LOGIN"#).unwrap();
    let database = r#"Odd "name" -- db"#;
    cluster
        .psql_as(SUPERUSER, database, "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        .unwrap();
    for (role, works_with) in [(SUPERUSER, "logstats_reader"), ("a role; DROP", "a role; DROP")] {
        let target = |role: &str| {
            let quote = |v: &str| format!("'{}'", v.replace('\\', r"\\").replace('\'', r"\'"));
            target_of(&format!(
                "host={} port={} user={} dbname={}",
                cluster.socket_dir().display(),
                cluster.port(),
                quote(role),
                quote(database)
            ))
        };
        let before = block_on(inspect_server(&target(role)));
        let script = before.grant_script.unwrap();
        cluster.psql_as(SUPERUSER, database, script.text()).unwrap();
        let after = block_on(inspect_server(&target(works_with)));
        for id in [
            "server.pg_stat_statements",
            "role.reads_all_stats",
            "role.least_privilege",
        ] {
            assert_eq!(
                status(&after, id),
                CheckStatus::Passed,
                "{works_with}, {id}: {}",
                check(&after, id).reason
            );
        }
        let bound: Vec<BoundParameter> = vec![text("database", database)];
        let outcome = run(
            &target(works_with),
            "temp_file.pg_stat_database.temp_counters",
            bound,
            None,
        );
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
        let outcome = run(
            &target(works_with),
            "temp_file.pg_stat_statements.temp_blocks",
            vec![],
            None,
        );
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    }
}

#[test]
fn privileges_of_every_sort_are_found_and_named() {
    let cluster = Cluster::builder().start().unwrap();
    cluster
        .psql(
            "CREATE TABLE t (id int, v text); CREATE SEQUENCE q; CREATE SCHEMA s;
             CREATE ROLE plain LOGIN; CREATE ROLE holder; CREATE ROLE boss SUPERUSER;
             CREATE ROLE r1 LOGIN CREATEROLE; CREATE ROLE r2 LOGIN CREATEDB; CREATE ROLE r3 LOGIN REPLICATION;
             CREATE ROLE r4 LOGIN IN ROLE pg_signal_backend; CREATE ROLE r5 LOGIN IN ROLE pg_execute_server_program;
             CREATE ROLE r6 LOGIN; CREATE TABLE own6 (id int); ALTER TABLE own6 OWNER TO r6;
             CREATE ROLE r7 LOGIN; GRANT DELETE ON t TO r7;
             CREATE ROLE r8 LOGIN; GRANT UPDATE (v) ON t TO r8;
             CREATE ROLE r9 LOGIN; GRANT CREATE ON SCHEMA s TO r9;
             CREATE ROLE r10 LOGIN; GRANT CREATE ON DATABASE postgres TO r10;
             CREATE ROLE r11 LOGIN NOINHERIT IN ROLE holder; GRANT INSERT ON t TO holder;
             CREATE ROLE r12 LOGIN NOINHERIT IN ROLE boss;
             CREATE ROLE r13 LOGIN; GRANT USAGE ON SEQUENCE q TO r13;
             CREATE ROLE r14 LOGIN; ALTER ROLE r14 SET role = 'plain'; GRANT TRUNCATE ON t TO r14;",
        )
        .unwrap();
    assert_eq!(
        status(&inspect(&cluster, "plain", "postgres"), "role.least_privilege"),
        CheckStatus::Passed
    );
    for (role, words, right, from) in [
        ("r1", "can create roles", "createrole", "r1"),
        ("r2", "can create databases", "createdb", "r2"),
        ("r3", "can start replication", "replication", "r3"),
        (
            "r4",
            "member of a predefined role",
            "predefined_role",
            "pg_signal_backend",
        ),
        (
            "r5",
            "member of a predefined role",
            "predefined_role",
            "pg_execute_server_program",
        ),
        ("r6", "owns a table", "owns_relation", "public.own6"),
        ("r7", "can write to a table", "writes_relation", "public.t"),
        ("r8", "can write to a column", "writes_column", "public.t.v"),
        ("r9", "can create objects in a schema", "creates_in_schema", "s"),
        ("r10", "can create schemas", "creates_in_database", "postgres"),
        ("r11", "can write to a table", "writes_relation", "public.t"),
        ("r12", "can become a superuser", "superuser", "boss"),
        ("r13", "can write to a table or sequence", "writes_relation", "public.q"),
        ("r14", "can write to a table", "writes_relation", "public.t"),
    ] {
        let inspection = inspect(&cluster, role, "postgres");
        let found = check(&inspection, "role.least_privilege");
        assert!(
            found.status == CheckStatus::Failed && found.reason.contains(words),
            "{role}: {}",
            found.reason
        );
        let named: Vec<_> = inspection
            .excess_rights
            .iter()
            .map(|found| (found.right.as_str(), found.from.text()))
            .collect();
        let quoted: Vec<String> = from.split('.').map(|name| format!("\"{name}\"")).collect();
        assert_eq!(named, [(right, quoted.join(".").as_str())], "{role}");
    }
    assert_eq!(inspect(&cluster, "plain", "postgres").excess_rights, []);
    // Whatever role is made, it has this too.
    cluster.psql("GRANT INSERT ON t TO PUBLIC").unwrap();
    for name in ["A\nline", r#"Odd ""name"#, "many1", "many2", "one more"] {
        let sql = format!(r#"CREATE TABLE "{name}" (id int); GRANT UPDATE, DELETE ON "{name}" TO PUBLIC"#);
        cluster.psql(&sql).unwrap();
    }
    let inspection = inspect(&cluster, "plain", "postgres");
    assert_eq!(status(&inspection, "role.least_privilege"), CheckStatus::Failed);
    let named = inspection.excess_rights.iter().map(|found| {
        assert_eq!(found.right, "writes_relation");
        found.from.text()
    });
    // Five of six, each in a line that SQL reads as this name.
    let expected = [
        r#""public".U&"A\+00000Aline""#,
        r#""public"."Odd ""name""#,
        r#""public"."many1""#,
        r#""public"."many2""#,
        r#""public"."one more""#,
    ];
    assert_eq!(named.collect::<Vec<_>>(), expected);
}

#[test]
fn a_missing_and_an_unloaded_extension_are_two_different_checks() {
    let cluster = Cluster::builder().start().unwrap();
    cluster.psql("CREATE DATABASE with_it").unwrap();
    cluster
        .psql_as(SUPERUSER, "with_it", "CREATE EXTENSION pg_stat_statements")
        .unwrap();
    let missing = inspect(&cluster, SUPERUSER, "postgres");
    assert!(
        check(&missing, "server.pg_stat_statements")
            .reason
            .contains("has not the extension")
    );
    assert_eq!(
        status(&missing, "server.compute_query_id"),
        CheckStatus::Failed,
        "auto computes nothing without the extension"
    );
    let unloaded = inspect(&cluster, SUPERUSER, "with_it");
    assert!(
        check(&unloaded, "server.pg_stat_statements")
            .reason
            .contains("not loaded")
    );
    assert!(
        check(&unloaded, "server.pg_stat_statements")
            .remedy
            .as_ref()
            .unwrap()
            .contains("restart")
    );
}

#[test]
fn a_server_that_cannot_be_asked_is_a_failed_check() {
    let inspection = block_on(inspect_server(&target_of(
        "host=127.0.0.1 port=1 user=u password=hunter2",
    )));
    assert!(!inspection.is_answered());
    assert_eq!(inspection.checks.len(), 1);
    assert_eq!(status(&inspection, "server.reachable"), CheckStatus::Failed);
    assert!(!serde_json::to_string(&inspection).unwrap().contains("hunter2"));
}

/// Whoever owns a schema can rename it and give its name to another one between two statements of ours.
#[test]
fn who_could_put_another_in_the_place_of_the_extension_is_known() {
    let shared = cluster();
    shared.psql("CREATE ROLE tenant LOGIN").unwrap();
    shared.psql("CREATE DATABASE tenants OWNER tenant").unwrap();
    let as_superuser = |sql: &str| shared.psql_as(SUPERUSER, "tenants", sql).unwrap();
    let seen = || {
        let target = target("diagnosis", "tenants");
        block_on(async {
            let mut session = Session::open(&target, TIMEOUTS).await.unwrap();
            let seen = look(&mut session).await.unwrap();
            session.close().await;
            (
                seen.facts.pg_stat_statements_schema,
                seen.role.extension_may_be_replaced,
            )
        })
    };
    assert_eq!(seen(), (None, false));
    // `public` is the database owner's.
    as_superuser("CREATE EXTENSION pg_stat_statements");
    assert_eq!(seen(), (Some("public".to_owned()), true));
    as_superuser("CREATE SCHEMA monitoring; ALTER EXTENSION pg_stat_statements SET SCHEMA monitoring");
    assert_eq!(seen(), (Some("monitoring".to_owned()), false));
    as_superuser("ALTER SCHEMA monitoring OWNER TO tenant");
    assert_eq!(seen(), (Some("monitoring".to_owned()), true));
}

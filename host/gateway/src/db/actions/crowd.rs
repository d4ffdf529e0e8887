//! A server on which something of everything is going on, so that every action of the catalogue has something to find.

use std::time::{Duration, Instant};

use pg_logstats_test_cluster::{Cluster, SUPERUSER, Session};

use super::frontend::Stalled;

/// What stands in rows, in predicates of indexes and in constraints, and must never come out.
pub(super) const SECRET: &str = "classified";

const TABLES: &str = "
CREATE EXTENSION pg_stat_statements;
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric, sold timestamptz) WITH (fillfactor = '9e1');
INSERT INTO item SELECT n, CASE WHEN n % 3 = 0 THEN 'classified' ELSE 'item ' || n END, n, now() FROM generate_series(1, 5000) AS n;
DELETE FROM item WHERE id % 5 = 0;
CREATE INDEX item_partial ON item (name) WHERE name <> 'classified';
CREATE INDEX item_expression ON item ((name || 'classified'), price) INCLUDE (sold);
ALTER TABLE item ADD CONSTRAINT item_name CHECK (name <> 'classified!') NOT VALID;
ANALYZE item;
CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1);
CREATE TABLE counted (id smallserial PRIMARY KEY);
SELECT setval('counted_id_seq', 32000);
CREATE TABLE queue (id int PRIMARY KEY); INSERT INTO queue VALUES (1);
CREATE TABLE swept AS SELECT n AS id, repeat('x', 500) AS padding FROM generate_series(1, 5000) AS n;
DELETE FROM swept WHERE id % 2 = 0;
CREATE TABLE sampled AS SELECT n AS id, repeat('x', 500) AS padding FROM generate_series(1, 5000) AS n;
CREATE TABLE indexed AS SELECT n AS id FROM generate_series(1, 100) AS n;
CREATE TABLE copied (id int);
CREATE TABLE unread AS SELECT n AS id FROM generate_series(1, 80000) AS n;
CREATE INDEX unread_id ON unread (id);
CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.current_setting('test.slow', true) = 'on' THEN PERFORM pg_catalog.pg_sleep(0.05); END IF;
  RETURN n;
END $$;
CREATE TABLE rewritten AS SELECT n AS id FROM generate_series(1, 2000) AS n;
CREATE INDEX rewritten_id ON rewritten (id);
CREATE INDEX rewritten_slow ON rewritten (slow(id));
";

/// The server with all that is going on; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) cluster: Cluster,
    /// A session that blocks another.
    pub(super) blocker_pid: i32,
    /// The session that it blocks.
    pub(super) blocked_pid: i32,
    _sessions: Vec<Session>,
    _stalled: Vec<Stalled>,
}

impl Crowd {
    /// On a server of that major version.
    pub(super) fn on(major: u32) -> Self {
        let cluster = Cluster::builder()
            .version(major)
            .setting("shared_preload_libraries", "pg_stat_statements")
            .setting("compute_query_id", "on")
            .setting("max_prepared_transactions", "5")
            .setting("track_io_timing", "on")
            .setting("autovacuum", "off")
            .start()
            .unwrap();
        cluster.psql("CREATE DATABASE shop").unwrap();
        let shop = |sql: &str| cluster.psql_as(SUPERUSER, "shop", sql).unwrap();
        shop(TABLES);
        shop("SELECT count(*) FROM item WHERE price > 17");
        shop("SET work_mem = '64kB'; SELECT count(*) FROM (SELECT name FROM item ORDER BY name) AS sorted_once");
        // Fails, and leaves an index that is not valid.
        cluster
            .psql_as(
                SUPERUSER,
                "shop",
                "CREATE UNIQUE INDEX CONCURRENTLY twice_id ON twice (id)",
            )
            .unwrap_err();
        shop("BEGIN; LOCK TABLE twice IN ACCESS SHARE MODE; PREPARE TRANSACTION 'forgotten'");
        shop("SELECT pg_create_physical_replication_slot('kept', true)");
        let mut sessions = Vec::new();
        let mut open = |sql: &str| {
            let mut session = cluster.session(SUPERUSER, "shop").unwrap();
            let pid = session.pid().unwrap();
            session
                .run("SET application_name = 'crowd'; SET test.slow = 'on'")
                .unwrap();
            session
                .run("SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1")
                .unwrap();
            session.start(sql).unwrap();
            sessions.push(session);
            pid
        };
        let blocker_pid = open("BEGIN; UPDATE queue SET id = id");
        open("BEGIN; INSERT INTO indexed VALUES (0)");
        wait_for(
            &cluster,
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE state = 'idle in transaction'",
        );
        let blocked_pid = open("UPDATE queue SET id = id");
        open("VACUUM swept");
        open("ANALYZE sampled");
        open("CREATE INDEX CONCURRENTLY indexed_id ON indexed (id)");
        open("CLUSTER rewritten USING rewritten_id");
        let base_backup = if major == 14 {
            "BASE_BACKUP FAST"
        } else {
            "BASE_BACKUP (CHECKPOINT 'fast')"
        };
        let stalled = vec![
            Stalled::new(&cluster, true, "START_REPLICATION PHYSICAL 0/1000000"),
            Stalled::new(&cluster, true, base_backup),
            Stalled::new(&cluster, false, "COPY copied FROM STDIN"),
        ];
        wait_for(
            &cluster,
            "SELECT (SELECT count(*) FROM pg_locks WHERE NOT granted) >= 1
                AND EXISTS (SELECT FROM pg_stat_progress_vacuum) AND EXISTS (SELECT FROM pg_stat_progress_analyze)
                AND EXISTS (SELECT FROM pg_stat_progress_create_index) AND EXISTS (SELECT FROM pg_stat_progress_cluster)
                AND EXISTS (SELECT FROM pg_stat_progress_basebackup) AND EXISTS (SELECT FROM pg_stat_progress_copy)
                AND EXISTS (SELECT FROM pg_stat_replication WHERE state IS NOT NULL)",
        );
        Self {
            cluster,
            blocker_pid,
            blocked_pid,
            _sessions: sessions,
            _stalled: stalled,
        }
    }
}

/// Waits until the query says `t`.
fn wait_for(cluster: &Cluster, sql: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while cluster.psql_as(SUPERUSER, "shop", sql).unwrap() != "t" {
        assert!(Instant::now() < deadline, "not within 30 s: {sql}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

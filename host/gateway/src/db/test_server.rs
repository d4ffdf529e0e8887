//! The server that this crate's tests share, with the role that `inspect` would make and some that it would refuse.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use pg_logstats_logs::evidence::Sample;
use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use super::dsn::{Environment, FileText, resolve_in};
use super::{ExecutionGuard, Target, execute};
use crate::catalogue::{Action, BoundParameter, BoundValue, Catalogue};
use crate::gate::{ApprovedAction, DurableIntent};
use crate::outcome::ActionOutcome;
use crate::words::VerdictLevel;

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("compute_query_id", "on")
        .hba("local all needs_password scram-sha-256")
        .hba("local all shut_out reject")
        .start()
        .unwrap()
});

/// The shared server. Databases: `shop` has pg_stat_statements and tables, `bare` has nothing.
pub(crate) fn cluster() -> &'static Cluster {
    static PREPARED: LazyLock<()> = LazyLock::new(|| {
        for sql in [
            "CREATE DATABASE shop",
            "CREATE DATABASE bare",
            "CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats",
            "CREATE ROLE bystander LOGIN",
            "CREATE ROLE writer LOGIN IN ROLE pg_read_all_stats, pg_write_all_data",
            "CREATE ROLE needs_password LOGIN PASSWORD 'right'",
            "CREATE ROLE shut_out LOGIN",
        ] {
            CLUSTER.psql(sql).unwrap();
        }
        in_shop(
            "CREATE EXTENSION pg_stat_statements;
             CREATE TABLE item (id int PRIMARY KEY, name text, price numeric, sold timestamptz);
             INSERT INTO item SELECT n, 'name ' || n, n, now() FROM generate_series(1, 10000) AS n;
             ANALYZE item;
             GRANT SELECT ON item TO diagnosis;",
        );
    });
    LazyLock::force(&PREPARED);
    &CLUSTER
}

/// Runs SQL in `shop` as the superuser.
pub(crate) fn shop(sql: &str) -> String {
    cluster();
    in_shop(sql)
}

fn in_shop(sql: &str) -> String {
    CLUSTER.psql_as(SUPERUSER, "shop", sql).unwrap()
}

/// No variables, no files.
pub(crate) struct NoEnvironment;

impl Environment for NoEnvironment {
    fn var(&self, _name: &str) -> Option<String> {
        None
    }

    fn read(&self, _path: &std::path::Path) -> std::io::Result<FileText> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn exists(&self, _path: &std::path::Path) -> bool {
        false
    }
}

/// A target out of a connection string alone.
pub(crate) fn target_of(dsn: &str) -> Target {
    resolve_in(Some(dsn), None, &NoEnvironment).unwrap().unwrap()
}

/// A role's way into a database of the shared server.
pub(crate) fn target(role: &str, database: &str) -> Target {
    target_of(&cluster().dsn(role, database))
}

/// Runs a future as the binary does: on one thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Waits for what is to happen within `limit`.
#[track_caller]
pub(crate) fn wait_until(what: &str, limit: Duration, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !reached() {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An action of the catalogue.
pub(crate) fn action(id: &str) -> Arc<Action> {
    Arc::clone(Catalogue::builtin().unwrap().get(id).unwrap())
}

/// A text parameter.
pub(crate) fn text(name: &str, value: &str) -> BoundParameter {
    BoundParameter {
        name: name.to_owned(),
        value: BoundValue::Text {
            value: value.to_owned(),
        },
    }
}

/// The `queryid` parameter.
pub(crate) fn queryid(value: i64) -> BoundParameter {
    BoundParameter {
        name: "queryid".to_owned(),
        value: BoundValue::QueryId { value },
    }
}

/// The `pid` parameter.
pub(crate) fn session(pid: i32, backend_start_us: Option<i64>) -> BoundParameter {
    BoundParameter {
        name: "pid".to_owned(),
        value: BoundValue::Session { pid, backend_start_us },
    }
}

/// Runs an approved action under `clear`.
pub(crate) fn run(target: &Target, id: &str, bound: Vec<BoundParameter>, sample: Option<Sample>) -> ActionOutcome {
    let guard = ExecutionGuard::new(VerdictLevel::Clear);
    block_on(execute(
        target,
        ApprovedAction::for_test(action(id), bound, sample),
        DurableIntent::for_test(),
        &guard,
    ))
}

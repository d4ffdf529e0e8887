use std::path::Path;

use pg_logstats_test_cluster::Cluster;

use super::*;
use crate::db::test_server::{block_on, target, target_of};

const TIMEOUTS: Timeouts = Timeouts {
    statement_ms: 1_234,
    lock_ms: 234,
    idle_in_transaction_ms: 3_456,
};

/// What a session says to `sql`.
fn ask(target: &Target, sql: &'static str) -> String {
    block_on(async {
        let mut session = Session::open(target, TIMEOUTS).await.unwrap();
        let value = sqlx::query_scalar(sql)
            .fetch_one(&mut session.connection)
            .await
            .unwrap();
        session.close().await;
        value
    })
}

#[test]
fn the_session_is_what_is_promised() {
    let target = target("diagnosis", "shop");
    for (sql, expected) in [
        ("SHOW application_name", "pg-logstats"),
        ("SHOW search_path", "pg_catalog, pg_temp"),
        ("SHOW transaction_read_only", "on"),
        ("SHOW statement_timeout", "1234ms"),
        ("SHOW lock_timeout", "234ms"),
        ("SHOW idle_in_transaction_session_timeout", "3456ms"),
        ("SHOW client_connection_check_interval", "250ms"),
        ("SHOW standard_conforming_strings", "on"),
    ] {
        assert_eq!(ask(&target, sql), expected, "{sql}");
    }
}

#[test]
fn the_facts_are_the_servers() {
    let facts = |role: &str, database: &str| {
        let target = target(role, database);
        block_on(async {
            let session = Session::open(&target, TIMEOUTS).await.unwrap();
            let facts = session.facts.clone();
            session.close().await;
            facts
        })
    };
    let least = facts("diagnosis", "shop");
    assert_eq!(least.server_version_num / 10_000, 15);
    assert_eq!(least.pg_stat_statements_schema.as_deref(), Some("public"));
    assert!(least.reads_all_stats && least.powers.is_empty() && least.pid > 0);
    let other = facts("bystander", "bare");
    assert_eq!((least.database.as_str(), other.database.as_str()), ("shop", "bare"));
    assert!(!other.reads_all_stats && other.pg_stat_statements_schema.is_none());
    assert_eq!(facts("writer", "shop").powers, [Power::PredefinedRole]);
}

/// The key and the certificates in `tls/` were made for this test and are used nowhere else.
#[test]
fn tls_is_made_and_verified_as_the_mode_says() {
    let cluster = Cluster::builder()
        .tcp()
        .setting("ssl", "on")
        .setting("ssl_cert_file", "server.pem")
        .setting("ssl_key_file", "server.key")
        .file("server.pem", include_str!("tls/server.pem"))
        .file("server.key", include_str!("tls/server.key"))
        .hba("hostnossl all all all reject")
        .start()
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/session/tls");
    let (ca, other) = (folder.join("ca.pem"), folder.join("other-ca.pem"));
    let (ca, other) = (ca.display(), other.display());
    let not_trusted = Some("its certificate is not trusted or is for another host");
    // The certificate is for `localhost`.
    for (host, options, failure) in [
        ("localhost", "sslmode=disable".to_owned(), Some("pg_hba.conf")),
        ("localhost", "sslmode=prefer".to_owned(), None),
        ("127.0.0.1", "sslmode=require".to_owned(), None),
        ("127.0.0.1", format!("sslmode=require sslrootcert={ca}"), None),
        ("127.0.0.1", format!("sslmode=require sslrootcert={other}"), not_trusted),
        ("127.0.0.1", format!("sslmode=verify-ca sslrootcert={ca}"), None),
        (
            "127.0.0.1",
            format!("sslmode=verify-full sslrootcert={ca}"),
            not_trusted,
        ),
        ("localhost", format!("sslmode=verify-full sslrootcert={ca}"), None),
        (
            "localhost",
            format!("sslmode=verify-full sslrootcert={other}"),
            not_trusted,
        ),
        ("localhost", "sslmode=verify-full".to_owned(), not_trusted),
    ] {
        let target = target_of(&format!(
            "host={host} port={} user=postgres dbname=postgres {options}",
            cluster.port()
        ));
        let result = block_on(Session::open(&target, TIMEOUTS));
        match (result, failure) {
            (Ok(session), None) => drop(session),
            (Err(failed), Some(words)) => assert!(failed.detail.contains(words), "{host} {options}: {}", failed.detail),
            (Ok(_), Some(_)) => panic!("{host} {options}: connected"),
            (Err(failed), None) => panic!("{host} {options}: {}", failed.detail),
        }
    }
}

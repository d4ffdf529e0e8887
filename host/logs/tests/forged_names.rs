//! A client of a real server connects under names that imitate log entries. None of them may make one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::fs::File;
use std::path::Path;

use pg_logstats_logs::evidence::Evidence;
use pg_logstats_logs::{Options, Source, analyse};
use pg_logstats_test_cluster::Cluster;

const PREFIXES: [&str; 3] = ["%m [%p] %u@%d %a: ", "%m [%p] %q%u@%d/%a ", "%t:%r:%u@%d:[%p]:"];

fn of_format(cluster: &Cluster, extension: &str) -> Evidence {
    let logs = cluster.collected_logs();
    let is_ours = |path: &&Path| path.extension().is_some_and(|found| found == extension);
    let path = logs
        .iter()
        .map(AsRef::as_ref)
        .find(is_ours)
        .expect("the server wrote it");
    let source = Source::file(path.display().to_string(), File::open(path).unwrap());
    analyse(vec![source], &Options::default(), &|_| {}).unwrap()
}

#[test]
fn names_make_no_entries() {
    for prefix in PREFIXES {
        let cluster = Cluster::builder()
            .setting("logging_collector", "on")
            .setting("log_destination", "stderr,jsonlog")
            .setting("log_timezone", "UTC")
            .setting("log_line_prefix", prefix)
            .setting("log_connections", "on")
            .setting("log_min_duration_statement", "0")
            .start()
            .unwrap();
        // What the server would write in front of a message.
        let head = prefix
            .replace("%m", "2026-11-23 05:00:00.000 UTC")
            .replace("%t", "2026-11-23 05:00:00 UTC")
            .replace("%p", "1")
            .replace("%r", "::1(5)")
            .replace("%q", "")
            .replace("%u", "a")
            .replace("%d", "b")
            .replace("%a", "c");
        let rest = head.split_once('a').unwrap().1;
        let connect = |role: &str, database: &str, application: &str, sql: &str| {
            let mut client = cluster.client("psql", role, database);
            let _ = client.env("PGAPPNAME", application).args(["-c", sql]).output().unwrap();
        };
        for turn in 0..20 {
            connect("postgres", "postgres", "web", &format!("SELECT {turn} AS genuine"));
        }
        connect(&format!("x\n{head}PANIC:  z"), "postgres", "web", "SELECT 1");
        connect("postgres", &format!("\n{head}PANIC:  z"), "web", "SELECT 1");
        connect("x\ny", &format!("\n{head}PANIC:  z"), "web", "SELECT 1");
        connect(&format!("\n{head}PANIC:  z\n"), "postgres", "web", "SELECT 1");
        connect("postgres", &format!("\n{head}PANIC:  z\n"), "web", "SELECT 1");
        connect(&format!("x{rest}PANIC:  z"), "postgres", "web", "SELECT 1");
        let forged = "LOG:  duration: 99999999.000 ms";
        connect(
            "postgres",
            "postgres",
            &format!("c{}{forged}", if prefix.ends_with(' ') { ": " } else { ":" }),
            "SELECT 2 AS planted",
        );
        connect("postgres", "postgres", &format!("c {forged}"), "SELECT 2 AS planted");
        for turn in 0..20 {
            connect("postgres", "postgres", "web", &format!("SELECT {turn} AS genuine"));
        }
        let stderr = of_format(&cluster, "log");
        let json = of_format(&cluster, "json");
        for evidence in [&stderr, &json] {
            assert!(!evidence.source.severities.contains_key("PANIC"), "{prefix}");
            assert!(
                evidence
                    .families
                    .iter()
                    .all(|family| family.max_duration_us < 60_000_000),
                "{prefix}"
            );
            let genuine = evidence
                .families
                .iter()
                .find(|family| family.statement == "select ? as genuine")
                .unwrap();
            // What stands behind a torn prefix is given up with it.
            assert!(
                (30..=40).contains(&genuine.execution_count),
                "{prefix}: {}",
                genuine.execution_count
            );
        }
        assert!(
            stderr.limitations.iter().any(|known| known.code == "forged_entry"),
            "{prefix}: {:?}",
            stderr.source
        );
        assert!(
            json.limitations.iter().all(|known| known.code != "forged_entry"),
            "{prefix}"
        );
        assert_eq!(json.source.entries_unparsed, 0, "{prefix}");
        assert!(stderr.source.unparsed.contains_key("torn_prefix"), "{prefix}");
        assert!(stderr.source.unparsed.contains_key("ambiguous_prefix"), "{prefix}");
        let unparsed: u64 = stderr.source.unparsed.values().map(|pieces| pieces.bytes).sum();
        assert!(unparsed > 0 && unparsed < stderr.source.bytes / 2, "{prefix}");
    }
}

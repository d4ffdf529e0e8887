//! The gate without a database: one decision, and what was used counted from an audit log of ten thousand records.
//!
//! Making the log syncs each record to the disk. `TMPDIR=/dev/shm` makes that quick, and changes nothing of what is measured: counting
//! only reads.

#![allow(
    clippy::unwrap_used,
    reason = "what cannot be set up cannot be measured, and a bench says so by panicking"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pg_logstats_audit::Log;
use pg_logstats_gateway::budget::{Budget, BudgetLimits, Counter};
use pg_logstats_gateway::catalogue::Catalogue;
use pg_logstats_gateway::gate::{Circumstances, Live, decide};
use pg_logstats_gateway::health::{Thresholds, Verdict};
use pg_logstats_gateway::policy::{Hours, Policy};
use pg_logstats_gateway::workspace::Workspace;

const RECORDS: u64 = 10_000;
/// One action, of which intent and outcome are records, for so many records.
const RECORDS_PER_ACTION: u64 = 5;
/// Bytes of an outcome: what a report of some findings has.
const OUTCOME_BYTES: usize = 60_000;
const BEGIN_US: i64 = 1_790_000_000_000_000;
const SECOND_US: i64 = 1_000_000;

/// A workspace whose log has [`RECORDS`] records of half a day.
fn workspace(folder: &std::path::Path) -> (Workspace, Log) {
    let workspace = Workspace::open(Some(folder)).unwrap();
    let log = workspace.audit_log(Box::new(workspace.file_key().unwrap())).unwrap();
    let filling = "x".repeat(OUTCOME_BYTES);
    let append = |kind: &str, n: u64, detail: serde_json::Value| {
        let payload = serde_json::json!({"body": {"kind": kind, "detail": detail}});
        let at_us = BEGIN_US + i64::try_from(n).unwrap() * 4 * SECOND_US;
        let incident = format!("in_{}", n / 50);
        log.append_with(kind, &format!("it_{n}"), Some(&incident), at_us, |_| {
            serde_json::to_vec(&payload)
        })
        .unwrap();
    };
    for n in 0..RECORDS {
        match n % RECORDS_PER_ACTION {
            0 => append(
                "intent",
                n,
                serde_json::json!({
                    "database_id": "db_a", "action_class": "stats_view_reads", "reserved": {"database_ms": 3_500, "bytes": 65_536},
                }),
            ),
            1 => append(
                "outcome",
                n,
                serde_json::json!({
                    "intent_record_id": format!("it_{}", n - 1), "duration_us": 4_000, "bytes": 900, "result": filling,
                }),
            ),
            _ => append("refusal", n, serde_json::json!({})),
        }
    }
    (workspace, log)
}

fn count(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (workspace, log) = workspace(folder.path());
    let cache = folder.path().join("cache/usage-v1");
    let counter = Counter::new(&log, &workspace);
    let mut group = criterion.benchmark_group("count 10000 records");
    group.sample_size(10);
    group.bench_function("from the beginning", |bencher| {
        bencher.iter(|| {
            let _ = std::fs::remove_file(&cache);
            black_box(counter.tally().unwrap())
        });
    });
    group.bench_function("on from the cache", |bencher| {
        bencher.iter(|| black_box(counter.tally().unwrap()));
    });
    group.finish();
}

fn decision(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(Some(folder.path())).unwrap();
    let tally = Counter::new(
        &workspace.audit_log(Box::new(workspace.file_key().unwrap())).unwrap(),
        &workspace,
    )
    .tally()
    .unwrap();
    let verdict: Verdict = serde_json::from_value(serde_json::json!({
        "level": "clear", "reasons": [], "inputs": {}, "thresholds": Thresholds::default(), "samples": [],
        "taken_at_us": BEGIN_US, "ttl_ms": 5_000,
    }))
    .unwrap();
    let mut policy = Policy {
        role: Some("triage".to_owned()),
        hours: vec![Hours::parse("+01:00", &["daily 00:00-24:00".to_owned()]).unwrap()],
        ..Policy::default()
    };
    policy.caps.statement_timeout_ms = Some(500);
    let action = Catalogue::builtin().unwrap().get("query_family.explain").unwrap();
    criterion.bench_function("decide on an action", |bencher| {
        bencher.iter(|| {
            let budget = Budget::new(&tally, &BudgetLimits::default(), Some("in_1"), Some("db_a"), BEGIN_US);
            let now = Circumstances {
                policy: &policy,
                budget: &budget,
                live: Live::Judged(&verdict),
                login_role: Some("triage"),
                now_us: BEGIN_US,
            };
            let decision = decide(black_box(action), &[], None, &now);
            assert!(decision.is_allowed(), "{}", decision.reason);
            decision
        });
    });
}

criterion_group!(benches, decision, count);
criterion_main!(benches);

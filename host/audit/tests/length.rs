//! A long log: what an append, a proof and verification cost as it grows, and in how much memory it is verified.
//!
//! Every day this looks at two thousand records. With `PG_LOGSTATS_AUDIT_TEST_AT_LENGTH` in the environment it makes a log of
//! 1,000,000 records, or of as many as `PG_LOGSTATS_AUDIT_TEST_RECORDS` says, in a folder of `TMPDIR` (about 7 GB), and prints
//! what it measures.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test may panic, and this one tells figures"
)]

mod common;

use std::time::{Duration, Instant};

use common::{ORIGIN, Workspace, dir};
use pg_logstats_audit::{Log, NewRecord, prove};

const AT_LENGTH: &str = "PG_LOGSTATS_AUDIT_TEST_AT_LENGTH";
const RECORDS: &str = "PG_LOGSTATS_AUDIT_TEST_RECORDS";
/// Appends and proofs that are timed at each size.
const TIMED: usize = 501;
/// What verification may hold beyond what the process had, whatever the size: the tables of a key are 0.7 MB, and the names
/// of one shard are a 256th of all.
const MEMORY_KB: u64 = 12 * 1024;

/// A payload as long as that of an intent.
fn append(log: &Log, n: u64) {
    let id = format!("in_{n}");
    let payload = format!(r#"{{"id":"{id}","text":"{}"}}"#, "x".repeat(800));
    let record = NewRecord {
        id: &id,
        kind: "run_sql_intent",
        incident: Some("inc_1"),
        created_us: 1_790_000_000_000_000,
        payload: payload.as_bytes(),
    };
    log.append(&record).unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.swap_remove(times.len() / 2)
}

fn timed(mut run: impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// A line of `/proc/self/status`, in kB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn the_cost_of_a_record_does_not_grow_with_the_log() {
    let at_length = std::env::var_os(AT_LENGTH).is_some();
    let records = match std::env::var(RECORDS) {
        Ok(records) => records.parse().unwrap(),
        Err(_) if at_length => 1_000_000,
        Err(_) => 2_000,
    };
    let workspace = Workspace::new();
    let log = workspace.log();
    let (audit, keys) = (dir(&workspace.audit()), workspace.trusted());
    let mut size: u64 = 0;
    let mut stops: Vec<u64> = [1_000, 10_000, 100_000]
        .into_iter()
        .filter(|stop| *stop < records)
        .collect();
    stops.push(records);
    let mut appends = Vec::new();
    for stop in stops {
        let mut times = Vec::new();
        while size < stop {
            let time = timed(|| append(&log, size));
            if stop - size <= TIMED as u64 {
                times.push(time);
            }
            size += 1;
        }
        let an_append = median(times);
        let proofs = (0..TIMED as u64).map(|n| {
            let id = format!("in_{}", n * 7_919 % size);
            timed(|| drop(prove(&audit, &keys, ORIGIN, &id, None).unwrap()))
        });
        let a_proof = median(proofs.collect());
        // Resets the peak (proc(5)).
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory("VmRSS:");
        let start = Instant::now();
        let report = workspace.assert_verified();
        let time = start.elapsed();
        let held = memory("VmHWM:").saturating_sub(before);
        assert_eq!((report.records, report.entries), (size, size));
        println!(
            "{size} records: an append {an_append:?}, a proof {a_proof:?}, verified in {time:?} ({:.0} records/s), {held} kB more than before at the peak",
            size as f64 / time.as_secs_f64()
        );
        assert!(held < MEMORY_KB, "{held} kB at {size} records");
        appends.push(an_append);
        if at_length {
            assert!(a_proof < Duration::from_millis(5), "a proof takes {a_proof:?}");
        }
    }
    if at_length {
        // Disks and machines are noisy; what grows with the log grows a thousand times here.
        let (first, last) = (appends.first().unwrap(), appends.last().unwrap());
        assert!(*last < *first * 4, "an append took {first:?} and takes {last:?}");
    }
}

//! A durable append beside the bare primitives on the same file system, in the same run; sixteen writers beside one; and appends
//! to logs that are large already.
//!
//! The file system is that of `TMPDIR`. A log of 100,000 records is made first, which takes minutes on a disk;
//! `AUDIT_BENCH_RECORDS=0,1000000` measures at other sizes.

#![allow(
    clippy::unwrap_used,
    reason = "what cannot be set up cannot be measured, and a bench says so by panicking"
)]

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pg_logstats_audit::{FileKey, Log, NewRecord};

/// Writers who append at the same time.
const WRITERS: u64 = 16;
/// Payload of a record: what an intent has.
const PAYLOAD_BYTES: usize = 800;
/// What such an append writes to the journal: DSSE file, entry and checkpoint.
const FRAME_BYTES: usize = 2_000;
/// Room that is written again and again, as the journal's is.
const ROOM_BYTES: u64 = 1024 * 1024;
const SIZES: &str = "AUDIT_BENCH_RECORDS";

fn log(folder: &Path) -> Log {
    let open = |name: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).unwrap();
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    };
    let key = FileKey::load_or_create(&open("keys")).unwrap();
    Log::open(open("audit"), Box::new(key), "bench.example/audit").unwrap()
}

fn append(log: &Log) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = format!("it_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let payload = format!("{{\"id\":\"{id}\",\"text\":\"{}\"}}", "x".repeat(PAYLOAD_BYTES));
    let record = NewRecord {
        id: &id,
        kind: "intent",
        incident: Some("in_1"),
        created_us: 1_790_000_000_000_000,
        payload: payload.as_bytes(),
    };
    log.append(&record).unwrap();
}

fn bare(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let bytes = vec![b'x'; FRAME_BYTES];
    let mut group = criterion.benchmark_group("bare");
    let mut n = 0u64;
    group.bench_function("new file, write, fsync", |bencher| {
        bencher.iter(|| {
            n += 1;
            let file = File::create_new(folder.path().join(format!("new{n}"))).unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            file.sync_all().unwrap();
        });
    });
    let growing = File::create_new(folder.path().join("growing")).unwrap();
    let mut at = 0;
    group.bench_function("write behind the end, fsync", |bencher| {
        bencher.iter(|| {
            growing.write_all_at(&bytes, at).unwrap();
            at += bytes.len() as u64;
            growing.sync_all().unwrap();
        });
    });
    let written = File::create_new(folder.path().join("written")).unwrap();
    written
        .write_all_at(&vec![0; usize::try_from(ROOM_BYTES).unwrap()], 0)
        .unwrap();
    written.sync_all().unwrap();
    group.bench_function("write in place, fdatasync", |bencher| {
        bencher.iter(|| {
            at += 4096;
            written.write_all_at(&bytes, at / 4096 * 4096 % ROOM_BYTES).unwrap();
            written.sync_data().unwrap();
        });
    });
    group.finish();
}

fn alone(criterion: &mut Criterion) {
    let sizes = std::env::var(SIZES).unwrap_or_else(|_| "0,100000".to_owned());
    let mut group = criterion.benchmark_group("append");
    for size in sizes.split(',').map(|size| size.parse::<u64>().unwrap()) {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        let start = Instant::now();
        (0..size).for_each(|_| append(&log));
        if size > 0 {
            eprintln!("{size} records in {:?}", start.elapsed());
        }
        group.bench_function(format!("to {size} records"), |bencher| bencher.iter(|| append(&log)));
    }
    group.finish();
}

/// Time for `rounds` appends by each of the logs.
fn together(logs: &[Log], rounds: u64) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for log in logs {
            scope.spawn(move || (0..rounds).for_each(|_| append(log)));
        }
    });
    start.elapsed()
}

fn writers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("writers");
    group.throughput(Throughput::Elements(WRITERS)).sample_size(10);
    let folder = tempfile::tempdir().unwrap();
    let first = log(folder.path());
    let one = std::slice::from_ref(&first);
    group.bench_function("one, 16 appends", |bencher| {
        bencher.iter_custom(|rounds| together(one, rounds * WRITERS))
    });
    // Each with its own files and locks, as in a process of its own.
    let many: Vec<Log> = (0..WRITERS).map(|_| log(folder.path())).collect();
    group.bench_function("16 logs, one append each", |bencher| {
        bencher.iter_custom(|rounds| together(&many, rounds))
    });
    group.bench_function("16 threads of one log, one append each", |bencher| {
        bencher.iter_custom(|rounds| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..WRITERS {
                    scope.spawn(|| (0..rounds).for_each(|_| append(&first)));
                }
            });
            start.elapsed()
        });
    });
    group.finish();
}

criterion_group!(benches, bare, alone, writers);
criterion_main!(benches);

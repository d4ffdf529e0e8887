//! A durable append beside the bare primitives on the same file system, in the same run; sixteen writers beside one; appends
//! to logs that are large already; and what an auditor does with 20,000 records, beside the bare primitives on the same bytes.
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
use pg_logstats_audit::dsse::{Envelope, pae};
use pg_logstats_audit::{FileKey, Log, NewRecord, Signer as _, TrustedKeys, prove, verify};
use sha2::{Digest as _, Sha256};

/// Writers who append at the same time.
const WRITERS: u64 = 16;
/// Payload of a record: what an intent has.
const PAYLOAD_BYTES: usize = 800;
/// What such an append writes to the journal: DSSE file, entry and checkpoint.
const FRAME_BYTES: usize = 2_000;
/// Room that is written again and again, as the journal's is.
const ROOM_BYTES: u64 = 1024 * 1024;
/// Records that are verified and proven.
const VERIFIED: u64 = 20_000;
const SIZES: &str = "AUDIT_BENCH_RECORDS";
const ORIGIN: &str = "bench.example/audit";

fn open(folder: &Path, name: &str) -> Dir {
    let path = folder.join(name);
    std::fs::create_dir_all(&path).unwrap();
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn key(folder: &Path) -> FileKey {
    FileKey::load_or_create(&open(folder, "keys")).unwrap()
}

fn log(folder: &Path) -> Log {
    Log::open(open(folder, "audit"), Box::new(key(folder)), ORIGIN).unwrap()
}

/// Appends a record, and gives its id.
fn append(log: &Log) -> String {
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
    id
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
        (0..size).for_each(|_| drop(append(&log)));
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
            scope.spawn(move || (0..rounds).for_each(|_| drop(append(log))));
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
                    scope.spawn(|| (0..rounds).for_each(|_| drop(append(&first))));
                }
            });
            start.elapsed()
        });
    });
    group.finish();
}

/// A record's file, and what its signature is over and is.
struct Sealed {
    file: Vec<u8>,
    message: Vec<u8>,
    signature: [u8; 64],
}

fn sealed(log: &Log, key: &FileKey, id: &str) -> Sealed {
    let file = log.read(id).unwrap().file;
    let envelope = Envelope::parse(&file).unwrap();
    let message = pae(&envelope.payload_type, &envelope.unverified_payload().unwrap());
    // ed25519 is deterministic: this is the signature that stands in the file.
    let signature = key.sign(&message).unwrap();
    Sealed {
        file,
        message,
        signature,
    }
}

fn auditor(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (log, key) = (log(folder.path()), key(folder.path()));
    let ids: Vec<String> = (0..VERIFIED).map(|_| append(&log)).collect();
    let (audit, keys) = (open(folder.path(), "audit"), TrustedKeys::from(key.public().clone()));

    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(VERIFIED)).sample_size(10);
    group.bench_function(format!("{VERIFIED} records"), |bencher| {
        bencher.iter(|| {
            let report = verify(&audit, &keys, ORIGIN).unwrap();
            assert!(report.is_verified() && report.records == VERIFIED);
        });
    });
    let records: Vec<Sealed> = ids.iter().map(|id| sealed(&log, &key, id)).collect();
    group.bench_function("the same bytes, bare SHA-256 and strict ed25519", |bencher| {
        bencher.iter(|| {
            for record in &records {
                std::hint::black_box(Sha256::digest(&record.file));
                assert!(key.public().verifies(&record.message, &record.signature));
            }
        });
    });
    group.finish();
    drop(records);

    let mut group = criterion.benchmark_group("prove");
    // Another record each time, from all over the log.
    let mut next = ids.iter().step_by(97).cycle();
    group.bench_function(format!("one record of {VERIFIED}"), |bencher| {
        bencher.iter(|| log.prove(next.next().unwrap()).unwrap());
    });
    group.bench_function(format!("one record of {VERIFIED}, from the folder alone"), |bencher| {
        bencher.iter(|| prove(&audit, &keys, ORIGIN, next.next().unwrap(), None).unwrap());
    });
    let proof = log.prove(ids.first().unwrap()).unwrap();
    group.bench_function("verify the proof", |bencher| {
        bencher.iter(|| assert_eq!(proof.verify(ORIGIN, &keys, None).unwrap().index, 0));
    });
    group.finish();
}

criterion_group!(benches, bare, alone, writers, auditor);
criterion_main!(benches);

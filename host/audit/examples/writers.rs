//! One writer process beside sixteen on one log, sixteen threads of one, and the bare primitive, in turns: which is the group commit's
//! worth.
//!
//! `cargo run --release -p pg-logstats-audit --example writers [ROUNDS [APPENDS [PROCESSES]]]`, on the file system of `TMPDIR`.
//! Machines are noisy and disks more so: every round measures everything, and what counts are the medians of the rounds' ratios.
//! With `PLACED=1` each payload says where it stands, as the gateway's do, so it is sealed under the lock.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what cannot be set up cannot be measured, and this says so by panicking"
)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use pg_logstats_audit::{FileKey, Log, NewRecord};

/// Payload of a record: what an intent has.
const PAYLOAD_BYTES: usize = 800;
/// What such an append writes to the journal: DSSE file, entry and checkpoint.
const FRAME_BYTES: usize = 2_000;
/// Bare writes that are measured in a round.
const BARE: u32 = 100;
/// The first argument of a process that appends.
const WRITER: &str = "writer";
const PLACED: &str = "PLACED";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, root, name] = words.as_slice()
        && first == WRITER
    {
        return write(Path::new(root), name);
    }
    let number = |at: usize, otherwise| words.get(at).map_or(otherwise, |word| word.parse().unwrap());
    let (rounds, appends, processes) = (number(0, 10), number(1, 640), number(2, 16));
    let mut all = Vec::new();
    for _ in 0..rounds {
        all.push(round(appends, processes));
    }
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = all.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    println!(
        "medians: fdatasync in place {:.3} ms; new file and fsync {:.3} ms; one writer {:.2} times that; {processes} processes {:.2} times one, threads {:.2} times",
        median(&|round| round.in_place),
        median(&|round| round.new_file),
        median(&|round| round.one / round.new_file),
        median(&|round| round.one / round.many),
        median(&|round| round.one / round.threads),
    );
}

/// Milliseconds for each.
struct Round {
    in_place: f64,
    new_file: f64,
    one: f64,
    many: f64,
    threads: f64,
}

fn round(appends: u64, processes: u64) -> Round {
    let folder = tempfile::tempdir().unwrap();
    let (new_file, in_place) = bare(folder.path());
    let one = together(&folder.path().join("one"), 1, appends);
    let many = together(&folder.path().join("many"), processes, appends);
    let threads = in_threads(&folder.path().join("threads"), processes, appends);
    let each = |took: Duration, count: u64| took.as_secs_f64() * 1e3 / f64::from(u32::try_from(count).unwrap());
    let round = Round {
        in_place: each(in_place, BARE.into()),
        new_file: each(new_file, BARE.into()),
        one: each(one, appends),
        many: each(many, appends / processes * processes),
        threads: each(threads, appends / processes * processes),
    };
    println!(
        "in place {:.3} ms, new file {:.3} ms, one writer {:.3} ms, {processes} processes {:.3} ms, threads {:.3} ms",
        round.in_place, round.new_file, round.one, round.many, round.threads,
    );
    round
}

/// A new file and `fsync`; the same bytes in place and `fdatasync`.
fn bare(folder: &Path) -> (Duration, Duration) {
    let bytes = vec![b'x'; FRAME_BYTES];
    let start = Instant::now();
    for n in 0..BARE {
        let file = File::create_new(folder.join(format!("new{n}"))).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        file.sync_all().unwrap();
    }
    let new_file = start.elapsed();
    let file = File::create_new(folder.join("written")).unwrap();
    file.write_all_at(&vec![0; 4096 * BARE as usize], 0).unwrap();
    file.sync_all().unwrap();
    let start = Instant::now();
    for n in 0..BARE {
        file.write_all_at(&bytes, u64::from(n) * 4096).unwrap();
        file.sync_data().unwrap();
    }
    (new_file, start.elapsed())
}

/// Time for so many processes to append so many records together, from when all have the log open.
fn together(root: &Path, processes: u64, appends: u64) -> Duration {
    drop(open(root));
    let mut writers: Vec<(Child, ChildStdin, BufReader<ChildStdout>)> = (0..processes)
        .map(|n| {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .arg(WRITER)
                .arg(root)
                .arg(format!("p{n}"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let input = child.stdin.take().unwrap();
            let output = BufReader::new(child.stdout.take().unwrap());
            (child, input, output)
        })
        .collect();
    let mut line = String::new();
    for (_, _, output) in &mut writers {
        output.read_line(&mut line).unwrap();
    }
    let start = Instant::now();
    for (_, input, _) in &mut writers {
        writeln!(input, "{}", appends / processes).unwrap();
    }
    for (_, _, output) in &mut writers {
        output.read_to_string(&mut line).unwrap();
    }
    let took = start.elapsed();
    for (mut child, _, _) in writers {
        assert!(child.wait().unwrap().success());
    }
    let size = open(root).checkpoint().unwrap().size;
    assert_eq!(size, appends / processes * processes, "records are missing");
    took
}

/// The same for threads that share one log.
fn in_threads(root: &Path, threads: u64, appends: u64) -> Duration {
    let (log, placed) = (open(root), is_placed());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let log = &log;
            scope.spawn(move || (0..appends / threads).for_each(|n| append(log, &format!("it_t{thread}x{n}"), placed)));
        }
    });
    let took = start.elapsed();
    let size = log.checkpoint().unwrap().size;
    assert_eq!(size, appends / threads * threads, "records are missing");
    took
}

fn open(root: &Path) -> Log {
    let folder = |name: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(&path).unwrap();
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    };
    let key = FileKey::load_or_create(&folder("keys")).unwrap();
    Log::open(folder("audit"), Box::new(key), "bench.example/audit").unwrap()
}

/// A process that appends: it opens the log, says so, and begins when it is told how many.
fn write(root: &Path, name: &str) {
    let log = open(root);
    let placed = is_placed();
    println!("ready");
    let mut count = String::new();
    std::io::stdin().read_line(&mut count).unwrap();
    for n in 0..count.trim().parse::<u64>().unwrap() {
        append(&log, &format!("it_{name}x{n}"), placed);
    }
}

fn is_placed() -> bool {
    std::env::var_os(PLACED).is_some()
}

fn append(log: &Log, id: &str, placed: bool) {
    let payload = format!("{{\"id\":\"{id}\",\"text\":\"{}\"}}", "x".repeat(PAYLOAD_BYTES));
    let created_us = 1_790_000_000_000_000;
    if placed {
        let payload = |_| Ok(payload.into_bytes());
        log.append_with("intent", id, Some("in_1"), created_us, payload)
            .unwrap();
        return;
    }
    let record = NewRecord {
        id,
        kind: "intent",
        incident: Some("in_1"),
        created_us,
        payload: payload.as_bytes(),
    };
    log.append(&record).unwrap();
}

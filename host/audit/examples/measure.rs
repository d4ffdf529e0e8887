#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, missing_docs)]
use cap_std::{ambient_authority, fs::Dir};
use pg_logstats_audit::{FileKey, Log, LogOptions, NewRecord};
use std::os::unix::fs::FileExt;
use std::time::Instant;
fn open(root: &std::path::Path) -> Log {
    let d = |n: &str| {
        let p = root.join(n);
        std::fs::create_dir_all(&p).unwrap();
        Dir::open_ambient_dir(p, ambient_authority()).unwrap()
    };
    Log::open_with(
        d("audit"),
        Box::new(FileKey::load_or_create(&d("keys")).unwrap()),
        "o/x",
        LogOptions {
            lock_timeout_ms: 300_000,
            ..Default::default()
        },
    )
    .unwrap()
}
fn append(log: &Log, id: &str) {
    let payload = format!("{{\"id\":\"{id}\",\"x\":\"{}\"}}", "y".repeat(600));
    log.append(&NewRecord {
        id,
        kind: "intent",
        incident: Some("in_1"),
        created_us: 1,
        payload: payload.as_bytes(),
    })
    .unwrap();
}
fn stats(name: &str, mut xs: Vec<f64>) -> f64 {
    xs.sort_by(f64::total_cmp);
    let n = xs.len();
    let mean = xs.iter().sum::<f64>() / n as f64;
    println!(
        "{name}: median {:.0} us, mean {:.0}, p90 {:.0}, p99 {:.0}, max {:.0}",
        xs[n / 2],
        mean,
        xs[n * 9 / 10],
        xs[n * 99 / 100],
        xs[n - 1]
    );
    mean
}
fn main() {
    let base = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let root = tempfile::tempdir_in(base).unwrap();
    let bytes = vec![b'x'; 2000];
    let f = |name: &str| root.path().join(name);
    let time = |f: &mut dyn FnMut(usize)| -> Vec<f64> {
        (0..n)
            .map(|i| {
                let s = Instant::now();
                f(i);
                s.elapsed().as_secs_f64() * 1e6
            })
            .collect()
    };
    stats(
        "new file + fsync",
        time(&mut |i| {
            let file = std::fs::File::create_new(f(&format!("n{i}"))).unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            file.sync_all().unwrap();
        }),
    );
    let file = std::fs::File::create_new(f("app")).unwrap();
    let mut at = 0;
    stats(
        "append + fsync",
        time(&mut |_| {
            file.write_all_at(&bytes, at).unwrap();
            at += 2000;
            file.sync_all().unwrap();
        }),
    );
    let pre = std::fs::File::create_new(f("pre")).unwrap();
    pre.write_all_at(&vec![0; 1 << 20], 0).unwrap();
    pre.sync_all().unwrap();
    stats(
        "prealloc + fdatasync",
        time(&mut |i| {
            pre.write_all_at(&bytes, (i as u64 * 4096) % (1 << 20)).unwrap();
            pre.sync_data().unwrap();
        }),
    );
    let log = open(root.path());
    let s = Instant::now();
    stats("log append", time(&mut |i| append(&log, &format!("rc_a{i}"))));
    let one = n as f64 / s.elapsed().as_secs_f64();
    for k in if std::env::args().nth(3).is_some() {
        vec![]
    } else {
        vec![2usize, 4, 16]
    } {
        let per = (n * 2 / k).max(20);
        let logs: Vec<Log> = (0..k).map(|_| open(root.path())).collect();
        let s = Instant::now();
        std::thread::scope(|sc| {
            for (w, log) in logs.iter().enumerate() {
                sc.spawn(move || {
                    for i in 0..per {
                        append(log, &format!("rc_k{k}w{w}x{i}"))
                    }
                });
            }
        });
        let r = (per * k) as f64 / s.elapsed().as_secs_f64();
        println!("{k} Logs: {r:.0}/s, one: {one:.0}/s, ratio {:.2}", r / one);
    }
    let per = (n * 2 / 16).max(20);
    if std::env::args().nth(3).is_some() {
        return;
    }
    let s = Instant::now();
    std::thread::scope(|sc| {
        for w in 0..16 {
            let log = &log;
            sc.spawn(move || {
                for i in 0..per {
                    append(log, &format!("rc_sw{w}x{i}"))
                }
            });
        }
    });
    let r = (per * 16) as f64 / s.elapsed().as_secs_f64();
    println!("16 threads, one Log: {r:.0}/s ratio {:.2}", r / one);
}

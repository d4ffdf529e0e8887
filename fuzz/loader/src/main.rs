//! Fuzzes what loads and runs runbooks: `RunbookEngine::load`, `describe`, `triage`, and the checks of what they give.
//!
//!   usage: loader SECONDS SEED RUNS ARTIFACTS        (`fuzz/run.sh` calls it)
//!          loader FILE…                              runs these inputs again
//!
//! SEED 0 takes another seed each time, RUNS -1 is no limit. What must hold of every input, whatever it is: nothing panics; a call ends
//! within [`INPUT_TIME`]; its usage is within the limits; the process stays below [`PEAK_BYTES`]; a second run says and uses the same.
//! An input that breaks this is written to ARTIFACTS, and the exit code is 1; `current` there is what was running if the process
//! itself was lost.

mod generate;
mod oracle;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use generate::Generator;
use oracle::{Oracle, PEAK_BYTES};
use sha2::{Digest as _, Sha256};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [seconds, seed, runs, artifacts] if seconds.parse::<u64>().is_ok() => fuzz(
            Duration::from_secs(seconds.parse().expect("seconds")),
            seed.parse().expect("SEED is a number"),
            runs.parse().expect("RUNS is a number"),
            Path::new(artifacts),
        ),
        [] => {
            eprintln!("usage: loader SECONDS SEED RUNS ARTIFACTS | loader FILE…");
            ExitCode::from(2)
        }
        files => again(files),
    }
}

/// Runs inputs that were found before. A find panics.
fn again(files: &[String]) -> ExitCode {
    let mut oracle = Oracle::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        println!("{file}: {}", oracle.judge(&bytes));
    }
    ExitCode::SUCCESS
}

fn fuzz(time: Duration, seed: u64, runs: i64, artifacts: &Path) -> ExitCode {
    std::fs::create_dir_all(artifacts).expect("the folder of artifacts can be made");
    let seed = match seed {
        0 => std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64),
        seed => seed,
    };
    println!("seed {seed}");
    let begun = Instant::now();
    let mut oracle = Oracle::new();
    let mut generator = Generator::new(seed);
    let mut executed = 0u64;
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, String::new());
    let runs = u64::try_from(runs).unwrap_or(u64::MAX);
    while executed < runs && begun.elapsed() < time {
        let (kind, bytes) = generator.next();
        // Left behind when the process is lost: a used-up stack cannot be caught.
        let current = artifacts.join("current");
        std::fs::write(&current, &bytes).expect("an artifact can be written");
        let watch = oracle::Watch::start(&current);
        let started = Instant::now();
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| oracle.judge(&bytes)));
        drop(watch);
        let Ok(end) = judged else {
            let kept = keep(artifacts, &bytes);
            eprintln!("{kind}: a find, kept as {}", kept.display());
            return ExitCode::FAILURE;
        };
        if started.elapsed() > slowest.0 {
            slowest = (started.elapsed(), format!("{kind}: {end}"));
        }
        *ends.entry(format!("{kind}: {end}")).or_default() += 1;
        executed += 1;
    }
    let _ = std::fs::remove_file(artifacts.join("current"));
    for (end, count) in &ends {
        println!("{count:>8} {end}");
    }
    let peak = pg_logstats_tests::host::peak_bytes();
    println!("slowest: {} ms, {}", slowest.0.as_millis(), slowest.1);
    println!("stat::number_of_executed_units: {executed}");
    println!("stat::average_exec_per_sec:     {}", executed / begun.elapsed().as_secs().max(1));
    println!("stat::peak_rss_mb:              {}", peak >> 20);
    assert!(peak < PEAK_BYTES, "the process had {peak} bytes in memory");
    ExitCode::SUCCESS
}

fn keep(artifacts: &Path, bytes: &[u8]) -> PathBuf {
    let digest: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let path = artifacts.join(format!("find-{digest}.wasm"));
    std::fs::rename(artifacts.join("current"), &path).expect("an artifact can be named");
    path
}

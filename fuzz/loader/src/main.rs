//! Fuzzes what loads and runs runbooks: `RunbookEngine::load`, `describe`, `triage`, and the checks of what they give.
//!
//!   usage: components SEED FOLDER | loader SECONDS RUNS ARTIFACTS        (`fuzz/run.sh` does)
//!          loader seeds FOLDER      writes the components that `components` mutates
//!          loader again FILE…       runs these inputs again
//!
//! RUNS -1 is no limit. What must hold of every input, whatever it is: nothing panics; it ends within a minute of computing; its usage is within the
//! limits; the process stays below 1 GiB; a second run says and uses the same. An input that breaks this is written to ARTIFACTS, and the
//! exit code is 1; `current` there is what was running if the process itself was lost.

mod oracle;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use oracle::{Oracle, PEAK_BYTES};
use sha2::{Digest as _, Sha256};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["seeds", folder] => seeds(Path::new(folder)),
        ["again", files @ ..] => again(files),
        [seconds, runs, artifacts] => fuzz(
            Duration::from_secs(seconds.parse().expect("SECONDS is a number")),
            runs.parse().expect("RUNS is a number"),
            Path::new(artifacts),
        ),
        _ => {
            eprintln!("usage: loader SECONDS RUNS ARTIFACTS | loader seeds FOLDER | loader again FILE…");
            ExitCode::from(2)
        }
    }
}

/// Writes the built-in runbooks and the hostile guests.
fn seeds(folder: &Path) -> ExitCode {
    std::fs::create_dir_all(folder).expect("FOLDER can be made");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(format!("{name}.wasm")), bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    };
    for builtin in pg_logstats_builtin::all() {
        write(builtin.name, builtin.component);
    }
    for (name, path) in pg_logstats_tests::GUESTS {
        write(name, &std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}")));
    }
    ExitCode::SUCCESS
}

/// Runs inputs that were found before. A find panics.
fn again(files: &[&str]) -> ExitCode {
    let oracle = Oracle::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        println!("{file}: {}", oracle.judge(&bytes));
    }
    ExitCode::SUCCESS
}

/// The next input: how it was made, and its bytes.
fn next(input: &mut impl std::io::BufRead) -> Option<(String, Vec<u8>)> {
    let mut kind = String::new();
    input.read_line(&mut kind).ok().filter(|length| *length > 0)?;
    let mut length = [0; 4];
    input.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    input.read_exact(&mut bytes).ok()?;
    Some((kind.trim_end().to_owned(), bytes))
}

fn fuzz(time: Duration, runs: i64, artifacts: &Path) -> ExitCode {
    std::fs::create_dir_all(artifacts).expect("the folder of artifacts can be made");
    let mut input = std::io::BufReader::new(std::io::stdin().lock());
    let begun = Instant::now();
    let oracle = Oracle::new();
    let mut executed = 0u64;
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, String::new());
    let runs = u64::try_from(runs).unwrap_or(u64::MAX);
    while executed < runs && begun.elapsed() < time {
        let Some((kind, bytes)) = next(&mut input) else {
            eprintln!("no more inputs");
            return ExitCode::FAILURE;
        };
        // Left behind when the process is lost: a used-up stack cannot be caught.
        let current = artifacts.join("current");
        std::fs::write(&current, &bytes).expect("an artifact can be written");
        let watch = oracle::Watch::start(&current);
        let started = Instant::now();
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| oracle.judge(&bytes)));
        drop(watch);
        let Ok(end) = judged else {
            eprintln!("{kind}: a find, kept as {}", keep(artifacts, &bytes).display());
            return ExitCode::FAILURE;
        };
        if started.elapsed() > slowest.0 {
            slowest = (started.elapsed(), format!("{kind}: {end}"));
        }
        *ends.entry(format!("{kind}: {end}")).or_default() += 1;
        executed += 1;
        let peak = pg_logstats_tests::host::peak_bytes();
        if peak > PEAK_BYTES {
            eprintln!(
                "{kind}: {peak} bytes in memory, kept as {}",
                keep(artifacts, &bytes).display()
            );
            return ExitCode::FAILURE;
        }
    }
    let _ = std::fs::remove_file(artifacts.join("current"));
    for (end, count) in &ends {
        println!("{count:>8} {end}");
    }
    println!("slowest: {} ms, {}", slowest.0.as_millis(), slowest.1);
    println!("stat::number_of_executed_units: {executed}");
    println!(
        "stat::average_exec_per_sec:     {}",
        executed / begun.elapsed().as_secs().max(1)
    );
    println!(
        "stat::peak_rss_mb:              {}",
        pg_logstats_tests::host::peak_bytes() >> 20
    );
    ExitCode::SUCCESS
}

fn keep(artifacts: &Path, bytes: &[u8]) -> PathBuf {
    let digest: String = Sha256::digest(bytes)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = artifacts.join(format!("find-{digest}.wasm"));
    std::fs::rename(artifacts.join("current"), &path).expect("an artifact can be named");
    path
}

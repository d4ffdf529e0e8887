//! Fuzzes what an auditor runs on a file from anywhere: `audit verify-export`, the reader of the archive and all that it calls.
//!
//!   usage: export SEED SECONDS RUNS ARTIFACTS        (`fuzz/run.sh` does)
//!          export again SEED NUMBER                  runs the input of this number again, and prints what is said about it
//!
//! The archives are those of a trail that the command beside this program makes, changed as bytes or as files; SEED 0 is another seed
//! each time, RUNS -1 no limit. What must hold of every input: nothing panics; the process stays below 1 GiB; what is verified are
//! records and proofs of the trail, byte for byte, under its checkpoint, and the whole of it when that is said. An input that breaks this
//! is written to ARTIFACTS, and the exit code is 1.

mod change;
mod trail;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use change::{Chance, Changed};
use pg_logstats_gateway::audit::ExportVerification;
use pg_logstats_gateway::audit::export::verify;
use trail::{File, Trail, files_of};

/// What the process may use.
const PEAK_BYTES: u64 = 1 << 30;
/// Inputs after which each part of the verifier must have been reached.
const ENOUGH: u64 = 2_000;
/// Kinds of problems that so many inputs must have met.
const KINDS: usize = 12;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect("it is a number");
    match arguments.as_slice() {
        ["again", seed, at] => again(number(seed), number(at)),
        [seed, seconds, runs, artifacts] => fuzz(
            number(seed),
            Duration::from_secs(number(seconds)),
            runs.parse::<i64>().expect("RUNS is a number"),
            Path::new(artifacts),
        ),
        _ => {
            eprintln!("usage: export SEED SECONDS RUNS ARTIFACTS | export again SEED NUMBER");
            ExitCode::from(2)
        }
    }
}

/// What the inputs are judged with.
struct Judge {
    trail: Trail,
    files: Vec<File>,
    others: Vec<File>,
    /// Where an input lies while it is verified.
    input: std::path::PathBuf,
}

impl Judge {
    fn new() -> Self {
        let (trail, other) = (Trail::make(true), Trail::make(false));
        let (files, others) = (
            files_of(&trail.archive).expect("it is one"),
            files_of(&other.archive).expect("it is one"),
        );
        let input = trail.folder.path().join("input");
        let judge = Self {
            trail,
            files,
            others,
            input,
        };
        let whole = judge.verify(&judge.trail.archive);
        assert!(
            whole.verified && whole.complete && whole.records_by_key.len() == 2,
            "{whole:#?}"
        );
        judge
    }

    fn verify(&self, archive: &[u8]) -> ExportVerification {
        std::fs::write(&self.input, archive).expect("an input can be written");
        verify(&self.input, std::slice::from_ref(&self.trail.key), None).expect("the file and the key can be read")
    }

    /// The input of this number: how it was made, and its bytes.
    fn input(&self, seed: u64, number: u64) -> Changed {
        let mut chance = Chance::new(seed, number);
        change::input(
            &mut chance,
            &self.trail.archive,
            &self.files,
            &self.others,
            &|archive| self.verify(archive),
        )
    }

    /// What is said about an input; panics when that is wrong.
    fn judge(&self, archive: &[u8]) -> ExportVerification {
        let said = self.verify(archive);
        assert_eq!(said.verified, said.problem_count == 0);
        assert_eq!(said.problem_count == 0, said.problems.is_empty());
        let is_record = |file: &&File| file.path.starts_with("records/");
        let all = self.files.iter().filter(is_record).count() as u64;
        assert!(said.records <= all && (!said.complete || said.records == all));
        if said.verified {
            let found = files_of(&change::unpacked(archive)).expect("it was read");
            let signed =
                |path: &str| path == "checkpoint" || path.starts_with("records/") || path.starts_with("proofs/");
            for file in found.iter().filter(|file| signed(&file.path)) {
                assert!(self.files.contains(file), "`{}` is not as it was signed", file.path);
            }
            assert_eq!(found.iter().filter(is_record).count() as u64, said.records);
        }
        said
    }
}

fn again(seed: u64, number: u64) -> ExitCode {
    let judge = Judge::new();
    let Changed { how, bytes } = judge.input(seed, number);
    println!("{how}: {:#?}", judge.judge(&bytes));
    ExitCode::SUCCESS
}

fn fuzz(seed: u64, time: Duration, runs: i64, artifacts: &Path) -> ExitCode {
    std::fs::create_dir_all(artifacts).expect("the folder of artifacts can be made");
    let seed = if seed == 0 { change::any_seed() } else { seed };
    let judge = Judge::new();
    let begun = Instant::now();
    let runs = u64::try_from(runs).unwrap_or(u64::MAX);
    let (mut executed, mut ends) = (0, BTreeMap::<String, u64>::new());
    while executed < runs && begun.elapsed() < time {
        let Changed { how, bytes } = judge.input(seed, executed);
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judge.judge(&bytes)));
        let peak = pg_logstats_tests::host::peak_bytes();
        let said = match judged {
            Ok(said) if peak <= PEAK_BYTES => said,
            _ => {
                let kept = artifacts.join(format!("find-{seed}-{executed}.tar"));
                std::fs::write(&kept, bytes).expect("an artifact can be written");
                eprintln!("{how}: a find, {peak} bytes in memory, kept as {}", kept.display());
                eprintln!("run it again with `export again {seed} {executed}`");
                return ExitCode::FAILURE;
            }
        };
        let end = match said.problems.first() {
            None if said.complete => "verified, the whole log".to_owned(),
            None => "verified, a part".to_owned(),
            Some(problem) => kind_of(problem),
        };
        *ends.entry(end).or_default() += 1;
        executed += 1;
    }
    for (end, count) in &ends {
        println!("{count:>8} {end}");
    }
    println!("stat::number_of_executed_units: {executed}");
    println!(
        "stat::average_exec_per_sec:     {}",
        executed / begun.elapsed().as_secs().max(1)
    );
    println!(
        "stat::peak_rss_mb:              {}",
        pg_logstats_tests::host::peak_bytes() >> 20
    );
    let verified = ends.keys().filter(|end| end.starts_with("verified")).count();
    if executed >= ENOUGH && (ends.len() < KINDS || verified < 2) {
        eprintln!("the inputs do not reach far: see the ends above");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A problem without what is said about one input: names, numbers, and what a decoder found.
fn kind_of(problem: &str) -> String {
    let mut quoted = false;
    let without_names: String = problem
        .chars()
        .filter(|c| {
            quoted ^= *c == '`';
            !quoted && *c != '`' && !c.is_ascii_digit()
        })
        .collect();
    without_names.chars().take(60).collect()
}

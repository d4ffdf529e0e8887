//! Makes inputs for `loader`, without end, to standard output: how each was made, its length, and its bytes.
//!
//!   usage: components SEED FOLDER | loader SECONDS RUNS ARTIFACTS        (`fuzz/run.sh` does)
//!
//! FOLDER has what `loader seeds FOLDER` writes. The same SEED makes the same inputs; 0 takes another one each time.

mod generate;

use std::io::Write as _;
use std::process::ExitCode;

use generate::Generator;

/// The runbook whose code is replaced by random code.
const FRAME: &str = "large-requests.wasm";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, folder] = arguments.as_slice() else {
        eprintln!("usage: components SEED FOLDER");
        return ExitCode::from(2);
    };
    let seed = match seed.parse().expect("SEED is a number") {
        0 => std::time::UNIX_EPOCH
            .elapsed()
            .map_or(1, |since| since.as_nanos() as u64),
        seed => seed,
    };
    eprintln!("seed {seed}");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("FOLDER can be read")
        .map(|entry| entry.expect("FOLDER can be read").path())
        .collect();
    paths.sort();
    let read = |path: &std::path::Path| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let seeds = paths.iter().map(|path| read(path)).collect();
    let mut generator = Generator::new(seed, seeds, read(&std::path::Path::new(folder).join(FRAME)));
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    loop {
        let (kind, bytes) = generator.next();
        let length = u32::try_from(bytes.len()).expect("an input is small");
        let written = writeln!(output, "{kind}")
            .and_then(|()| output.write_all(&length.to_le_bytes()))
            .and_then(|()| output.write_all(&bytes));
        // Whoever reads has had enough.
        if written.is_err() {
            return ExitCode::SUCCESS;
        }
    }
}

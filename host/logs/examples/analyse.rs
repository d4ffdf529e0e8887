//! Prints the evidence of the logs named on the command line as JSON: the log engine alone, for measuring.

use std::error::Error;
use std::fs::File;

use pg_logstats_logs::{Options, Source, analyse};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    let mut sources = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => options.threads = arguments.next().ok_or("--threads wants a number")?.parse()?,
            "--log-line-prefix" => options.log_line_prefix = arguments.next(),
            "-" => sources.push(Source::stream(argument, Box::new(std::io::stdin()))),
            path => sources.push(Source::file(path.to_owned(), File::open(path)?)),
        }
    }
    let evidence = analyse(sources, &options, &|_| {})?;
    serde_json::to_writer(std::io::stdout().lock(), &evidence)?;
    Ok(())
}

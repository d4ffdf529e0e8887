//! The `pg-logstats` command: parses, calls the gateway, renders.
//!
//! stdout is data (JSON, or text on a terminal); stderr is for people. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied, 4 a
//! signature or the audit log does not verify.

#![forbid(unsafe_code)]

mod args;
mod output;
mod progress;
mod render;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::Cli::read();
    let code = match verbs::run(&cli) {
        Ok(code) => code,
        Err(error) => output::report_error(&cli, &error),
    };
    ExitCode::from(code as u8)
}

//! stdout for data, stderr for people.

use std::io::{IsTerminal as _, Write as _};

use pg_logstats_gateway::untrusted::escape_control;
use pg_logstats_gateway::{ExitCode, GatewayError};
use serde::Serialize;

use crate::args::{Cli, Format};
use crate::render;

/// Whether the result is printed as text.
pub(crate) fn is_text(cli: &Cli) -> bool {
    match cli.global.format {
        Some(format) => format == Format::Text,
        None => std::io::stdout().is_terminal(),
    }
}

/// Prints `value` as JSON, or by `text` for people.
pub(crate) fn print<T: Serialize>(cli: &Cli, value: &T, text: impl FnOnce(&T) -> String) -> Result<(), GatewayError> {
    let out = if is_text(cli) {
        text(value)
    } else {
        let mut json = serde_json::to_string_pretty(value).map_err(|e| GatewayError::Internal(e.to_string()))?;
        json.push('\n');
        json
    };
    write(&out)
}

/// Whether anybody still reads stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Reads,
    Gone,
}

/// Prints `value` as one line: JSON, or by `text` for people.
pub(crate) fn line<T: Serialize>(
    cli: &Cli,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<Reader, GatewayError> {
    let mut line = if is_text(cli) {
        text(value)
    } else {
        serde_json::to_string(value).map_err(|e| GatewayError::Internal(e.to_string()))?
    };
    line.push('\n');
    send(&line)
}

/// Writes `text` to stdout.
pub(crate) fn write(text: &str) -> Result<(), GatewayError> {
    // A reader that has seen enough (`| head`) is no failure; the report is sealed.
    send(text).map(|_| ())
}

fn send(text: &str) -> Result<Reader, GatewayError> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(e) => Err(GatewayError::Output(e)),
        Ok(()) => Ok(Reader::Reads),
    }
}

/// A line for people on stderr.
pub(crate) fn hint(cli: &Cli, text: &str) {
    if !cli.global.quiet {
        // Without a stderr there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// What went wrong and stopped nothing, on stderr.
pub(crate) fn warning(text: &str) {
    let _ = writeln!(std::io::stderr(), "pg-logstats: warning: {text}");
}

/// Prints the error, and a refusal as data too; gives the exit code.
pub(crate) fn report_error(cli: &Cli, error: &GatewayError) -> ExitCode {
    if let GatewayError::Refused(refusal) = error
        && let Err(unwritable) = print(cli, refusal, |r| render::refusal(r))
    {
        let _ = writeln!(std::io::stderr(), "pg-logstats: {unwritable}");
    }
    // Names of files may be anybody's, and a terminal obeys what stands in them.
    let _ = writeln!(std::io::stderr(), "pg-logstats: {}", escape_control(&error.to_string()));
    error.exit_code()
}

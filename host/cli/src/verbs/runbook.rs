//! `runbook`.

use pg_logstats_gateway::{ExitCode, GatewayError, trusted_runbooks};

use crate::args::{Cli, RunbookVerb};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &RunbookVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        RunbookVerb::List => output::print(cli, &trusted_runbooks(), render::runbooks)?,
    }
    Ok(ExitCode::Done)
}

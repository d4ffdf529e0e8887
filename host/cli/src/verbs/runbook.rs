//! `runbook`.

use pg_logstats_gateway::{ExitCode, GatewayError, trusted_runbooks};

use crate::args::{Cli, RunbookVerb};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &RunbookVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        RunbookVerb::List { usage: false } => output::print(cli, &trusted_runbooks(), render::runbooks)?,
        RunbookVerb::List { usage: true } => {
            output::print(cli, &super::open(cli)?.runbook_usage()?, render::runbook_usage)?;
        }
    }
    Ok(ExitCode::Done)
}

//! `approvals`.

use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{ApprovalsVerb, Cli};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &ApprovalsVerb) -> Result<ExitCode, GatewayError> {
    let gateway = super::open(cli)?;
    match verb {
        ApprovalsVerb::Add { file } => output::print(cli, &gateway.add_approval(file)?, render::approval)?,
        ApprovalsVerb::List => output::print(cli, &gateway.approvals()?, |it| render::approvals(it))?,
    }
    Ok(ExitCode::Done)
}

//! `runbook build`.

use pg_logstats_gateway::author::{self, BuildRequest};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, ProjectArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &ProjectArgs) -> Result<ExitCode, GatewayError> {
    super::for_people(cli, "runbook build")?;
    let request = BuildRequest {
        folder: args.folder.clone(),
        quiet: cli.global.quiet,
    };
    output::print(cli, &author::build(&request)?, render::build)?;
    Ok(ExitCode::Done)
}

//! `inspect`.

use pg_logstats_gateway::request::InspectRequest;
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, InspectArgs};
use crate::progress::LogProgress;
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &InspectArgs) -> Result<ExitCode, GatewayError> {
    let request = InspectRequest {
        logs: args.logs.clone(),
        log_line_prefix: args.log.log_line_prefix.clone(),
        database: super::database(&args.database),
    };
    let gateway = super::open(cli)?;
    let inspection = {
        let progress = LogProgress::new(cli.global.quiet);
        gateway.inspect(&request, &|p| progress.update(p))?
    };
    output::print(cli, &inspection, render::inspection)?;
    Ok(ExitCode::Done)
}

//! `runbook record`.

use pg_logstats_gateway::author::RecordRequest;
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, RecordRunbookArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &RecordRunbookArgs) -> Result<ExitCode, GatewayError> {
    let gateway = super::super::open(cli)?;
    super::not_for_agents(&gateway, "runbook record")?;
    let recorded = gateway.record(&RecordRequest {
        report_id: args.report_id.clone(),
        output: args.output.clone(),
        samples: args.samples,
    })?;
    output::print(cli, &recorded, render::recording)?;
    let values = if args.samples { ", and values of statements" } else { "" };
    output::hint(
        cli,
        &format!(
            "pg-logstats: the file holds names and statements of the server{values}; look whether that may leave this host"
        ),
    );
    Ok(ExitCode::Done)
}

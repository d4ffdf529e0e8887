//! `run-sql`.

use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::request::RunSqlRequest;
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, RunSqlArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &RunSqlArgs) -> Result<ExitCode, GatewayError> {
    let request = RunSqlRequest {
        triage_report: args.triage_report.clone(),
        action_id: args.action_id.clone(),
        parameters: args.parameters.clone(),
        approval: args.approval.clone(),
        limit: usize::from(args.limit),
        database: super::database(&args.database),
    };
    let gateway = super::open(cli)?;
    super::note_unfinished(cli, &gateway)?;
    let report = gateway.run_sql(&request)?;
    output::print(cli, &report, render::report)?;
    Ok(exit_code(cli, &report))
}

/// A sealed report of a runbook that failed is printed like any other, and is a failure.
pub(super) fn exit_code(cli: &Cli, report: &Report) -> ExitCode {
    for limitation in &report.limitations {
        output::hint(cli, &format!("pg-logstats: note: {}", limitation.message));
    }
    match &report.runbook.failure {
        Some(failure) => {
            output::hint(
                cli,
                &format!(
                    "pg-logstats: the runbook `{}` failed: {}",
                    report.runbook.name, failure.message
                ),
            );
            ExitCode::Failed
        }
        None => ExitCode::Done,
    }
}

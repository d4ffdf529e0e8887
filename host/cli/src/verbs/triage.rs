//! `triage`.

use pg_logstats_gateway::request::{BaselineChoice, RunbookChoice, TriageRequest};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{BaselineArgs, Cli, TriageArgs};
use crate::progress::LogProgress;
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &TriageArgs) -> Result<ExitCode, GatewayError> {
    let (runbook, logs) = match (&args.runbook, args.inputs.split_first()) {
        (Some(file), _) => (RunbookChoice::File(file.clone()), args.inputs.as_slice()),
        (None, Some((workflow, logs))) => (RunbookChoice::Workflow(workflow.clone()), logs),
        (None, None) => {
            return Err(GatewayError::Usage(
                "name a workflow; `pg-logstats runbook list` shows them".to_owned(),
            ));
        }
    };
    let request = TriageRequest {
        runbook,
        input: super::input(logs, &args.log, &args.reading),
        baseline: baseline(&args.baseline),
        parent_report: args.parent_report.clone(),
        limit: usize::from(args.limit),
        database: super::database(&args.database),
    };
    let gateway = super::open(cli)?;
    super::check_reading(&gateway, &args.reading)?;
    super::note_unfinished(cli, &gateway)?;
    let report = {
        let progress = LogProgress::new(cli.global.quiet);
        gateway.triage(&request, &|p| progress.update(p))?
    };
    output::print(cli, &report, render::report)?;
    Ok(super::run_sql::exit_code(cli, &report))
}

fn baseline(args: &BaselineArgs) -> Option<BaselineChoice> {
    let choice = BaselineChoice {
        logs: args.baseline.clone(),
        since: args.baseline_since.clone(),
        until: args.baseline_until.clone(),
    };
    (!choice.logs.is_empty()).then_some(choice)
}

//! `triage`.

use pg_logstats_gateway::request::{BaselineChoice, RunbookChoice, TriageRequest};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{BaselineArgs, Cli, TriageArgs};
use crate::progress::LogProgress;
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &TriageArgs) -> Result<ExitCode, GatewayError> {
    let (runbook, logs) = match (&args.runbook, args.inputs.split_first()) {
        (Some(file), _) => (Some(RunbookChoice::File(file.clone())), args.inputs.as_slice()),
        (None, Some((workflow, logs))) if is_workflow(workflow) => {
            (Some(RunbookChoice::Workflow(workflow.clone())), logs)
        }
        (None, _) => (None, args.inputs.as_slice()),
    };
    let mut request = TriageRequest {
        runbook: runbook
            .clone()
            .unwrap_or_else(|| RunbookChoice::Workflow(FIRST_LOOK.to_owned())),
        input: super::input(logs, &args.log, &args.reading),
        baseline: baseline(&args.baseline),
        parent_report: args.parent_report.clone(),
        limit: usize::from(args.limit),
        database: super::database(&args.database),
        alert: None,
    };
    let gateway = super::open(cli)?;
    super::check_reading(&gateway, &args.reading)?;
    super::note_unfinished(cli, &gateway)?;
    if let Some(file) = &args.alert {
        if file == "-" && request.input.logs.iter().any(|log| log == "-") {
            return Err(GatewayError::Usage(
                "standard input can be read once: name a file as the log or as the --alert".to_owned(),
            ));
        }
        let alert = gateway.alert(file)?;
        request = gateway.with_alert(request, runbook, alert)?;
    }
    let report = {
        let progress = LogProgress::new(cli.global.quiet);
        gateway.triage(&request, &|p| progress.update(p))?
    };
    output::print(cli, &report, render::report)?;
    Ok(super::run_sql::exit_code(cli, &report))
}

/// The workflow of the runbook that looks at everything first.
const FIRST_LOOK: &str = "auto";

/// Whether a word can be a workflow's name: small letters, digits and `-`. Everything else is the name of a log, `-` too.
fn is_workflow(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn baseline(args: &BaselineArgs) -> Option<BaselineChoice> {
    let choice = BaselineChoice {
        logs: args.baseline.clone(),
        since: args.baseline_since.clone(),
        until: args.baseline_until.clone(),
    };
    (!choice.logs.is_empty()).then_some(choice)
}

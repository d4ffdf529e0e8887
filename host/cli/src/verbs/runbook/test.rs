//! `runbook test`.

use std::sync::Arc;

use pg_logstats_gateway::author::{self, RunbookTest, TestRequest};
use pg_logstats_gateway::{ExitCode, GatewayError, packs};

use crate::args::{Cli, TestRunbookArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &TestRunbookArgs) -> Result<ExitCode, GatewayError> {
    super::for_people(cli, "runbook test")?;
    let test = author::test(&request(cli, args), &Arc::new(packs::catalogue()?))?;
    output::print(cli, &test, render::test)?;
    Ok(exit_code(&test))
}

pub(super) fn request(cli: &Cli, args: &TestRunbookArgs) -> TestRequest {
    TestRequest {
        folder: args.project.folder.clone(),
        bless: args.bless,
        quiet: cli.global.quiet,
    }
}

pub(super) fn exit_code(test: &RunbookTest) -> ExitCode {
    match test.passed {
        true => ExitCode::Done,
        false => ExitCode::Failed,
    }
}

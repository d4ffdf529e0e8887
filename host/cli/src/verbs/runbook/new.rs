//! `runbook new`.

use pg_logstats_gateway::author::{self, NewRequest};
use pg_logstats_gateway::{ExitCode, GatewayError, packs};

use crate::args::{Cli, NewRunbookArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &NewRunbookArgs) -> Result<ExitCode, GatewayError> {
    super::for_people(cli, "runbook new")?;
    let request = NewRequest {
        name: args.name.clone(),
        language: args.lang.into(),
        folder: args.path.clone(),
        sdk: args.sdk.clone(),
    };
    let project = author::new(&request, &packs::catalogue()?)?;
    output::print(cli, &project, render::project)?;
    output::hint(
        cli,
        &format!("pg-logstats: next: `pg-logstats runbook test {}`", project.folder),
    );
    Ok(ExitCode::Done)
}

//! `runbook explain`.

use std::path::Path;

use pg_logstats_gateway::{ExitCode, GatewayError, author, packs};

use crate::args::Cli;
use crate::{output, render};

pub(super) fn run(cli: &Cli, file: &Path) -> Result<ExitCode, GatewayError> {
    super::for_people(cli, "runbook explain")?;
    let explained = author::explain(file, &packs::catalogue()?)?;
    output::print(cli, &explained, render::explanation)?;
    Ok(ExitCode::Done)
}

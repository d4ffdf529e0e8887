//! `catalog`.

use pg_logstats_gateway::catalogue::view;
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{CatalogVerb, Cli};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &CatalogVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        CatalogVerb::List => output::print(cli, &view::list()?, render::actions)?,
        CatalogVerb::Show { action } => output::print(cli, &view::show(action)?, render::action)?,
    }
    Ok(ExitCode::Done)
}

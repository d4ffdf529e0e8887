//! `catalog`.

use pg_logstats_gateway::catalogue::view;
use pg_logstats_gateway::{ExitCode, GatewayError, packs};

use crate::args::{CatalogVerb, Cli};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &CatalogVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        CatalogVerb::List => output::print(cli, &view::list(&packs::catalogue()?), render::actions)?,
        CatalogVerb::Show { action } => output::print(cli, &view::show(&packs::catalogue()?, action)?, render::action)?,
        CatalogVerb::Sign { folder, key } => output::print(cli, &packs::sign(folder, key)?, render::pack)?,
        CatalogVerb::Install { folder } => output::print(cli, &packs::install(folder)?, render::pack)?,
        CatalogVerb::Remove { name } => output::print(cli, &packs::remove(name)?, render::pack)?,
    }
    Ok(ExitCode::Done)
}

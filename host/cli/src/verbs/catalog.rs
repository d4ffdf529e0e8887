//! `catalog`.

use pg_logstats_gateway::catalogue::view;
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{ExitCode, GatewayError, packs};

use crate::args::{CatalogVerb, Cli};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &CatalogVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        CatalogVerb::List => {
            super::check_agent(cli)?;
            output::print(cli, &view::list(&packs::catalogue()?), render::actions)?;
        }
        CatalogVerb::Show { action } => {
            super::check_agent(cli)?;
            output::print(cli, &view::show(&packs::catalogue()?, action)?, render::action)?;
        }
        CatalogVerb::Sign { folder, key } => output::print(cli, &packs::sign(folder, key)?, render::pack)?,
        CatalogVerb::Install {
            folder,
            allow_downgrade,
        } => {
            let installed = packs::install(&super::options(cli), Trust::builtin(), folder, *allow_downgrade)?;
            output::print(cli, &installed, render::pack)?;
        }
        CatalogVerb::Remove { name } => {
            let removed = packs::remove(&super::options(cli), Trust::builtin(), name)?;
            output::print(cli, &removed, render::pack)?;
        }
    }
    Ok(ExitCode::Done)
}

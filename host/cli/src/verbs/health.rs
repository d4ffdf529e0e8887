//! `health`.

use pg_logstats_gateway::request::HealthRequest;
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, DatabaseArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &DatabaseArgs) -> Result<ExitCode, GatewayError> {
    let health = super::open(cli)?.health(&HealthRequest {
        database: super::database(args),
    })?;
    output::print(cli, &health, render::health)?;
    Ok(ExitCode::Done)
}

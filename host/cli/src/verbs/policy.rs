//! `policy`.

use pg_logstats_gateway::request::{DatabaseChoice, PolicyCheckRequest};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, PolicyVerb};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &PolicyVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        PolicyVerb::Check { database } => {
            let request = PolicyCheckRequest {
                database: DatabaseChoice {
                    dsn: None,
                    name: database.clone(),
                },
            };
            let check = super::open(cli)?.policy_check(&request)?;
            output::print(cli, &check, render::policy_check)?;
            Ok(ExitCode::Done)
        }
    }
}

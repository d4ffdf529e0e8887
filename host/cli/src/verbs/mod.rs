//! One file per verb: arguments to request, reply to output.

mod audit;
mod health;
mod inspect;
mod run_sql;
mod runbook;
mod triage;

use pg_logstats_gateway::request::DatabaseChoice;
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{ExitCode, Gateway, GatewayError, OpenOptions};

use crate::args::{Cli, DatabaseArgs, Verb};

/// Runs the verb that was typed.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, GatewayError> {
    match &cli.verb {
        Verb::Triage(args) => triage::run(cli, args),
        Verb::RunSql(args) => run_sql::run(cli, args),
        Verb::Inspect(args) => inspect::run(cli, args),
        Verb::Health(args) => health::run(cli, args),
        Verb::Audit(verb) => audit::run(cli, verb),
        Verb::Runbook(verb) => runbook::run(cli, verb),
    }
}

fn open(cli: &Cli) -> Result<Gateway, GatewayError> {
    let options = OpenOptions {
        workspace: cli.global.workspace.clone(),
        config: cli.global.config.clone(),
    };
    Gateway::open(&options, Trust::builtin())
}

fn database(args: &DatabaseArgs) -> DatabaseChoice {
    DatabaseChoice {
        dsn: args.dsn.clone(),
        name: args.database.clone(),
    }
}

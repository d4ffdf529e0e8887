//! One file per verb: arguments to request, reply to output.

mod audit;
mod catalog;
mod evidence;
mod health;
mod inspect;
mod run_sql;
mod runbook;
mod triage;

use pg_logstats_gateway::request::{DatabaseChoice, LogChoice};
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{ExitCode, Gateway, GatewayError, OpenOptions};

use crate::args::{Cli, DatabaseArgs, LogArgs, ReadingArgs, Verb};

/// Runs the verb that was typed.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, GatewayError> {
    match &cli.verb {
        Verb::Triage(args) => triage::run(cli, args),
        Verb::RunSql(args) => run_sql::run(cli, args),
        Verb::Inspect(args) => inspect::run(cli, args),
        Verb::Evidence(verb) => evidence::run(cli, verb),
        Verb::Health(args) => health::run(cli, args),
        Verb::Audit(verb) => audit::run(cli, verb),
        Verb::Runbook(verb) => runbook::run(cli, verb),
        Verb::Catalog(verb) => catalog::run(cli, verb),
    }
}

fn open(cli: &Cli) -> Result<Gateway, GatewayError> {
    let options = OpenOptions {
        workspace: cli.global.workspace.clone(),
        config: cli.global.config.clone(),
    };
    Gateway::open(&options, Trust::builtin())
}

fn input(logs: &[String], log: &LogArgs, reading: &ReadingArgs) -> LogChoice {
    LogChoice {
        logs: logs.to_vec(),
        log_line_prefix: log.log_line_prefix.clone(),
        since: reading.since.clone(),
        until: reading.until.clone(),
        threads: reading.threads,
        allow_overlap: reading.overlap.allow_overlap,
        is_baseline: false,
    }
}

fn database(args: &DatabaseArgs) -> DatabaseChoice {
    DatabaseChoice {
        dsn: args.dsn.clone(),
        name: args.database.clone(),
    }
}

//! `runbook`: one file per verb.

mod build;
mod explain;
mod new;
mod record;
mod replay;
mod test;
mod trust;
mod watch;

use pg_logstats_gateway::{ExitCode, Gateway, GatewayError};

use crate::args::{Cli, RunbookVerb};

pub(super) fn run(cli: &Cli, verb: &RunbookVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        RunbookVerb::List { usage: false } => trust::list(cli),
        RunbookVerb::List { usage: true } => trust::usage(cli),
        RunbookVerb::Sign { file, key } => trust::sign(cli, file, key),
        RunbookVerb::Verify { path } => trust::verify(cli, path),
        RunbookVerb::Install { path, allow_downgrade } => trust::install(cli, path, *allow_downgrade),
        RunbookVerb::Remove { name } => trust::remove(cli, name),
        RunbookVerb::Revoke(args) => trust::revoke(cli, args),
        RunbookVerb::New(args) => new::run(cli, args),
        RunbookVerb::Build(args) => build::run(cli, args),
        RunbookVerb::Test(args) => test::run(cli, args),
        RunbookVerb::Watch(args) => watch::run(cli, args),
        RunbookVerb::Explain { file } => explain::run(cli, file),
        RunbookVerb::Record(args) => record::run(cli, args),
        RunbookVerb::Replay { report_id, file } => replay::run(cli, report_id, file),
    }
}

/// Refuses an agent: runbooks are people's work, and making one runs code of its author's on this machine.
fn for_people(cli: &Cli, verb: &str) -> Result<(), GatewayError> {
    if cli.global.agent {
        not_for_agents(&super::open(cli)?, verb)?;
    }
    Ok(())
}

fn not_for_agents(gateway: &Gateway, verb: &str) -> Result<(), GatewayError> {
    gateway.not_for_agents(verb, "people write runbooks and look at them")
}

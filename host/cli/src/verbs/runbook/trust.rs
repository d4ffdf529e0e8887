//! `runbook list|sign|verify|install|remove|revoke`.

use std::path::Path;

use pg_logstats_gateway::runbooks::{self, Revoke};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, RevokeArgs};
use crate::verbs::{check_agent, open, open_to_mend};
use crate::{output, render};

pub(super) fn list(cli: &Cli) -> Result<ExitCode, GatewayError> {
    check_agent(cli)?;
    output::print(cli, &runbooks::list()?, render::runbooks)?;
    Ok(ExitCode::Done)
}

pub(super) fn usage(cli: &Cli) -> Result<ExitCode, GatewayError> {
    output::print(cli, &open(cli)?.runbook_usage()?, render::runbook_usage)?;
    Ok(ExitCode::Done)
}

pub(super) fn sign(cli: &Cli, file: &Path, key: &Path) -> Result<ExitCode, GatewayError> {
    output::print(cli, &runbooks::sign(file, key)?, render::runbook)?;
    Ok(ExitCode::Done)
}

pub(super) fn verify(cli: &Cli, path: &Path) -> Result<ExitCode, GatewayError> {
    super::for_people(cli, "runbook verify")?;
    output::print(cli, &runbooks::verify(path)?, |it| render::each(it, render::runbook))?;
    Ok(ExitCode::Done)
}

pub(super) fn install(cli: &Cli, path: &Path, allow_downgrade: bool) -> Result<ExitCode, GatewayError> {
    let installed = open(cli)?.install_runbooks(path, allow_downgrade)?;
    output::print(cli, &installed, |it| render::each(it, render::runbook))?;
    Ok(ExitCode::Done)
}

pub(super) fn remove(cli: &Cli, name: &str) -> Result<ExitCode, GatewayError> {
    let removed = open(cli)?.remove_runbook(name)?;
    output::print(cli, &vec![removed], render::runbooks)?;
    Ok(ExitCode::Done)
}

pub(super) fn revoke(cli: &Cli, args: &RevokeArgs) -> Result<ExitCode, GatewayError> {
    let revoke = match (&args.signed, &args.what, &args.key) {
        (Some(file), _, _) => Revoke::Signed(file),
        (None, Some(what), Some(key)) => Revoke::Now {
            what,
            reason: &args.reason,
            key,
        },
        // The command line asks for them.
        _ => {
            return Err(GatewayError::Usage(
                "name the runbook and --key, or --signed".to_owned(),
            ));
        }
    };
    output::print(cli, &open_to_mend(cli)?.revoke_runbook(&revoke)?, render::revocation)?;
    Ok(ExitCode::Done)
}

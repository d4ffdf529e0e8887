//! `runbook`.

use pg_logstats_gateway::runbooks::{self, Revoke};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, RevokeArgs, RunbookVerb};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &RunbookVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        RunbookVerb::List => output::print(cli, &runbooks::list()?, render::runbooks)?,
        RunbookVerb::Sign { file, key } => output::print(cli, &runbooks::sign(file, key)?, render::runbook)?,
        RunbookVerb::Verify { path } => {
            output::print(cli, &runbooks::verify(path)?, |it| render::each(it, render::runbook))?
        }
        RunbookVerb::Install { path, allow_downgrade } => {
            let installed = super::open(cli)?.install_runbooks(path, *allow_downgrade)?;
            output::print(cli, &installed, |it| render::each(it, render::runbook))?;
        }
        RunbookVerb::Remove { name } => {
            let removed = super::open(cli)?.remove_runbook(name)?;
            output::print(cli, &vec![removed], render::runbooks)?;
        }
        RunbookVerb::Revoke(args) => {
            let revoked = super::open(cli)?.revoke_runbook(&revocation(args)?)?;
            output::print(cli, &revoked, render::revocation)?;
        }
    }
    Ok(ExitCode::Done)
}

fn revocation(args: &RevokeArgs) -> Result<Revoke<'_>, GatewayError> {
    match (&args.signed, &args.what, &args.key) {
        (Some(file), _, _) => Ok(Revoke::Signed(file)),
        (None, Some(what), Some(key)) => Ok(Revoke::Now {
            what,
            reason: &args.reason,
            key,
        }),
        // The command line asks for them.
        _ => Err(GatewayError::Usage(
            "name the runbook and --key, or --signed".to_owned(),
        )),
    }
}

//! `approve`: shows a person what is asked for, and signs it.

use std::io::{IsTerminal as _, Write as _};

use pg_logstats_gateway::approval::ApprovalRequest;
use pg_logstats_gateway::{ExitCode, GatewayError, approvals};

use crate::args::{ApproveArgs, Cli};
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &ApproveArgs) -> Result<ExitCode, GatewayError> {
    let request = approvals::read_request(&args.request)?;
    let sample = approvals::sample(&request, cli.global.workspace.as_deref())?;
    // Shown even with --quiet: nobody signs what he was not shown.
    let shown = approvals::in_plain_words(&request, sample.as_ref(), args.valid_for);
    std::io::stderr()
        .lock()
        .write_all(shown.as_bytes())
        .map_err(GatewayError::Output)?;
    if request.binds_sample() && sample.is_none() && !args.unseen_sample {
        return Err(GatewayError::Usage(
            "the values of the logged statement are not at hand here; name the workspace that has its evidence with --workspace, or \
             sign without having seen them with --unseen-sample"
                .to_owned(),
        ));
    }
    if !confirmed(&request)? {
        return Err(GatewayError::Usage("not confirmed; nothing was signed".to_owned()));
    }
    let (mut view, envelope) = approvals::sign(&request, &args.key, args.valid_for)?;
    match &args.output {
        Some(file) => {
            approvals::write(&envelope, file)?;
            output::hint(
                cli,
                &format!(
                    "pg-logstats: the approval is in `{}`; `pg-logstats approvals add` keeps it in the agent's workspace",
                    file.display()
                ),
            );
        }
        None => view = super::open(cli)?.keep_approval(&envelope)?,
    }
    output::print(cli, &view, render::approval)?;
    Ok(ExitCode::Done)
}

/// A person at a terminal confirms; where there is none, whoever holds the key has decided before.
fn confirmed(request: &ApprovalRequest) -> Result<bool, GatewayError> {
    if !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "Sign the approval of request {}? [y/N] ", request.shown_id()).map_err(GatewayError::Output)?;
    stderr.flush().map_err(GatewayError::Output)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(GatewayError::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

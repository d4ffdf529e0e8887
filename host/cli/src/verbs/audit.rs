//! `audit`.

use pg_logstats_gateway::{ExitCode, GatewayError, audit};

use crate::args::{AuditVerb, Cli};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &AuditVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        AuditVerb::Verify { public_key } => {
            if cli.global.agent {
                let gateway = super::open(cli)?;
                if public_key.is_some() {
                    gateway.not_for_agents("--public-key", "an auditor keeps the key that proves something")?;
                }
            }
            let workspace = super::options(cli).workspace()?;
            let verification = audit::verify(workspace.as_deref(), public_key.as_deref())?;
            output::print(cli, &verification, render::verification)?;
            if public_key.is_none() {
                output::hint(
                    cli,
                    "pg-logstats: note: verified with the key that lies in the workspace; for proof, give --public-key with a copy \
                     that was kept elsewhere",
                );
            }
            Ok(if verification.verified {
                ExitCode::Done
            } else {
                ExitCode::Unverified
            })
        }
        AuditVerb::List { incident } => {
            let gateway = super::open(cli)?;
            super::note_unfinished(cli, &gateway)?;
            let list = gateway.audit_list(incident.as_deref())?;
            output::print(cli, &list, render::audit_list)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::Show { record_id } => {
            let record = super::open(cli)?.audit_show(record_id)?;
            output::print(cli, &record, render::json_text)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::PublicKey => {
            output::write(&super::open(cli)?.workspace().public_key_pem()?)?;
            Ok(ExitCode::Done)
        }
    }
}

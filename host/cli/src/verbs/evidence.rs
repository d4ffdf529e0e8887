//! `evidence`.

use pg_logstats_gateway::agent::LogAccess;
use pg_logstats_gateway::evidence_files::{self, ExportRequest};
use pg_logstats_gateway::request::LogChoice;
use pg_logstats_gateway::{ExitCode, Gateway, GatewayError};

use crate::args::{Cli, EvidenceVerb, OutputArgs};
use crate::output;
use crate::progress::LogProgress;

pub(super) fn run(cli: &Cli, verb: &EvidenceVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        EvidenceVerb::Export {
            logs,
            log,
            reading,
            out,
        } => {
            let gateway = agents_gateway(cli)?;
            if let Some(gateway) = &gateway {
                super::check_reading(gateway, reading)?;
            }
            write(cli, gateway.as_ref(), super::input(logs, log, reading), out)
        }
        EvidenceVerb::Merge { files, out, overlap } => {
            let input = LogChoice {
                logs: files.clone(),
                allow_overlap: overlap.allow_overlap,
                ..LogChoice::default()
            };
            write(cli, agents_gateway(cli)?.as_ref(), input, out)
        }
    }
}

/// A person needs no workspace to reduce logs; for an agent it holds what was refused, and the configuration says what may be read.
fn agents_gateway(cli: &Cli) -> Result<Option<Gateway>, GatewayError> {
    cli.global.agent.then(|| super::open(cli)).transpose()
}

fn write(cli: &Cli, gateway: Option<&Gateway>, input: LogChoice, out: &OutputArgs) -> Result<ExitCode, GatewayError> {
    let request = ExportRequest {
        input,
        samples: out.samples,
        output: out.output.clone(),
    };
    let exported = {
        let progress = LogProgress::new(cli.global.quiet);
        match gateway {
            Some(gateway) => gateway.export(&request, &|p| progress.update(p))?,
            None => {
                let configured = super::options(cli).redaction()?;
                evidence_files::export(&request, &LogAccess::Anywhere, configured.as_ref(), &|p| {
                    progress.update(p)
                })?
            }
        }
    };
    let samples = if out.samples {
        "with statements and their values"
    } else {
        "without values of statements (--samples keeps them)"
    };
    let (entries, families) = (exported.entries, exported.families);
    output::hint(
        cli,
        &format!("pg-logstats: evidence of {entries} entries in {families} query families, {samples}"),
    );
    for limitation in &exported.limitations {
        output::hint(cli, &format!("pg-logstats: note: {limitation}"));
    }
    Ok(ExitCode::Done)
}

//! `evidence`.

use pg_logstats_gateway::evidence_files::{self, ExportRequest};
use pg_logstats_gateway::request::LogChoice;
use pg_logstats_gateway::{ExitCode, GatewayError};

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
        } => write(cli, super::input(logs, log, reading), out),
        EvidenceVerb::Merge { files, out, overlap } => {
            let input = LogChoice {
                logs: files.clone(),
                allow_overlap: overlap.allow_overlap,
                ..LogChoice::default()
            };
            write(cli, input, out)
        }
    }
}

fn write(cli: &Cli, input: LogChoice, out: &OutputArgs) -> Result<ExitCode, GatewayError> {
    let request = ExportRequest {
        input,
        samples: out.samples,
        output: out.output.clone(),
    };
    let exported = {
        let progress = LogProgress::new(cli.global.quiet);
        evidence_files::export(&request, &|p| progress.update(p))?
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

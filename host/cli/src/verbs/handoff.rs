//! `handoff`.

use pg_logstats_gateway::handoff::{HandoffForm, HandoffRequest};
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::{Cli, HandoffArgs};
use crate::output;

pub(super) fn run(cli: &Cli, args: &HandoffArgs) -> Result<ExitCode, GatewayError> {
    let gateway = super::open(cli)?;
    super::note_unfinished(cli, &gateway)?;
    let request = HandoffRequest {
        incident: args.incident.clone(),
        form: form(args),
        output: args.output.clone(),
    };
    if let Some(text) = gateway.write_handoff(&request)? {
        output::write(&text)?;
    }
    Ok(ExitCode::Done)
}

/// As asked for, or by the name of the file.
fn form(args: &HandoffArgs) -> HandoffForm {
    let ending = args.output.as_deref().and_then(|file| file.extension()?.to_str());
    match args.form.as_deref().or(ending) {
        Some("json") => HandoffForm::Json,
        Some("html" | "htm") => HandoffForm::Html,
        _ => HandoffForm::Markdown,
    }
}

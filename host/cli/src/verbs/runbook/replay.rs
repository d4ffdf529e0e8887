//! `runbook replay`.

use std::path::Path;

use pg_logstats_gateway::author::ReplayRequest;
use pg_logstats_gateway::{ExitCode, GatewayError};

use crate::args::Cli;
use crate::{output, render};

pub(super) fn run(cli: &Cli, report_id: &str, file: &Path) -> Result<ExitCode, GatewayError> {
    let gateway = super::super::open(cli)?;
    super::not_for_agents(&gateway, "runbook replay")?;
    let replayed = gateway.replay(&ReplayRequest {
        report_id: report_id.to_owned(),
        component: file.to_owned(),
    })?;
    output::print(cli, &replayed, render::replay)?;
    if replayed.is_broken() {
        output::hint(
            cli,
            &format!(
                "pg-logstats: the component that made the report came to something else. The report was sealed by version {}; if that is \
                 this one, and the catalogue has the same packs, this is a fault of pg-logstats, please report it",
                replayed.recorded_host_version
            ),
        );
        return Ok(ExitCode::Failed);
    }
    Ok(ExitCode::Done)
}

//! `health`.

use std::time::{Duration, Instant};

use pg_logstats_gateway::request::HealthRequest;
use pg_logstats_gateway::{ExitCode, Gateway, GatewayError};

use crate::args::{Cli, HealthArgs};
use crate::output::Reader;
use crate::{output, render};

pub(super) fn run(cli: &Cli, args: &HealthArgs) -> Result<ExitCode, GatewayError> {
    let gateway = super::open(cli)?;
    let request = HealthRequest {
        database: super::database(&args.database),
    };
    if args.watch {
        watch(cli, args, &gateway, &request)?;
    } else {
        output::print(cli, &gateway.health(&request)?, render::health)?;
    }
    Ok(ExitCode::Done)
}

/// A line for each verdict, until nobody reads any more; an interrupt ends the process, which holds nothing.
fn watch(cli: &Cli, args: &HealthArgs, gateway: &Gateway, request: &HealthRequest) -> Result<(), GatewayError> {
    let interval = Duration::from_secs(args.interval.into());
    let mut taken = 0_u32;
    loop {
        let started = Instant::now();
        let reader = output::line(cli, &gateway.health(request)?, render::health_line)?;
        taken = taken.saturating_add(1);
        if reader == Reader::Gone || args.count.is_some_and(|count| taken >= count) {
            return Ok(());
        }
        std::thread::sleep(interval.saturating_sub(started.elapsed()));
    }
}

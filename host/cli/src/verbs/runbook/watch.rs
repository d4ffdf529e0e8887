//! `runbook watch`: the test again at every change, until interrupted.

use std::sync::Arc;
use std::time::Duration;

use pg_logstats_gateway::author::{self, AuthorError, State};
use pg_logstats_gateway::{ExitCode, GatewayError, packs};

use super::test;
use crate::args::{Cli, WatchRunbookArgs};
use crate::output::{self, Reader};
use crate::render;

/// From one look at the files to the next: a save should feel answered, and a look at some dozens of files costs nothing.
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub(super) fn run(cli: &Cli, args: &WatchRunbookArgs) -> Result<ExitCode, GatewayError> {
    super::for_people(cli, "runbook watch")?;
    let catalogue = Arc::new(packs::catalogue()?);
    let request = test::request(cli, &args.test);
    let mut taken = 0_u32;
    loop {
        // Looked at before the test: what is saved while it runs is tested by the next one.
        let state = State::of(&request.folder);
        let exit = match author::test(&request, &catalogue) {
            Ok(tested) => {
                if output::line(cli, &tested, render::test)? == Reader::Gone {
                    return Ok(ExitCode::Done);
                }
                test::exit_code(&tested)
            }
            // A file that is half written, most likely: told, and tried again at the next change.
            Err(error @ (AuthorError::File { .. } | AuthorError::ToolFailed { .. } | AuthorError::Usage(_))) => {
                output::hint(cli, &format!("pg-logstats: {error}"));
                ExitCode::Failed
            }
            Err(error) => return Err(error.into()),
        };
        taken = taken.saturating_add(1);
        if args.count.is_some_and(|count| taken >= count) {
            return Ok(exit);
        }
        output::hint(cli, "pg-logstats: waiting for a change");
        // What a blessed test writes is no change.
        let tested = if args.test.bless {
            State::of(&request.folder)
        } else {
            state
        };
        while State::of(&request.folder) == tested {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

//! Offers an action with a ticket that it made up. The tickets of another run are no different: numbers that this run was not issued.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, NextAction, Outcome, Runbook, Step};

pg_logstats_sdk::actions! { TEMP_BLOCKS = "temp_file.pg_stat_statements.temp_blocks"; }

pg_logstats_sdk::messages! { harmless() => "a harmless label"; }

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("forged-ticket", env!("CARGO_PKG_VERSION"), "hostile")
            .actions(ACTIONS)
            .messages(templates())
            .build()
    }

    fn triage(&self, _evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let mut assessment = Assessment::new();
        if let Ok(ticket) = actions.request(&TEMP_BLOCKS.request()) {
            let mut action = NextAction::run_sql(ticket, harmless(), harmless());
            if let Step::RunSql(number) = &mut action.step {
                *number = number.wrapping_add(1);
            }
            assessment.next_action(action);
        }
        Ok(assessment)
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);

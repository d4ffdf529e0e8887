//! Binds what the evidence does not have: made-up ids, ids with something appended, and the text of the log itself.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

pg_logstats_sdk::actions! {
    STATISTICS = "query_family.pg_stat_statements.by_queryid";
    SESSIONS = "query_family.pg_stat_activity.by_dimensions";
    SESSION = "running_query.pg_stat_activity.by_pid";
}

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("foreign-binding", env!("CARGO_PKG_VERSION"), "hostile")
            .actions(ACTIONS)
            .build()
    }

    fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        for made_up in ["qf_0000000000000000", "1", "se_1", "", "-1 OR true"] {
            let made_up = made_up.to_owned();
            let _ = actions.request(&STATISTICS.request().bind("queryid", &made_up));
            let _ = actions.request(&SESSION.request().bind("pid", &made_up));
        }
        for family in &evidence.families {
            let appended = format!("{}' OR 'a' = 'a", family.id);
            let _ = actions.request(&STATISTICS.request().bind("queryid", &appended));
            let _ = actions.request(&SESSIONS.request().bind("database", &family.statement));
        }
        Ok(Assessment::new())
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);

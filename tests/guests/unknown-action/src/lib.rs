//! Asks for an action that the catalogue does not have, with SQL where its id should be, and for one that sounds plausible.

use pg_logstats_sdk::{ActionRequest, Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

/// Not one of the catalogue's, though the descriptor lists the first.
const UNKNOWN: [&str; 3] = [
    "query_family.run_anything",
    "SELECT pg_sleep(60)",
    "query_family.explain; DROP TABLE orders",
];

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        let mut descriptor = Descriptor::builder("unknown-action", env!("CARGO_PKG_VERSION"), "hostile").build();
        descriptor
            .actions
            .extend(UNKNOWN.iter().take(1).map(|action| (*action).to_owned()));
        descriptor
    }

    fn triage(&self, _evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        for action in UNKNOWN {
            // The answer changes nothing: a guest that is refused goes on as if nothing had happened.
            let _ = actions.request(&ActionRequest {
                action: action.to_owned(),
                bindings: Vec::new(),
            });
        }
        Ok(Assessment::new())
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);

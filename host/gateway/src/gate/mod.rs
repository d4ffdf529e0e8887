//! The gate: the only place that can approve an action.
//!
//! **In**: an action of a verified report, the values that it offered, and fresh circumstances. **Out**: an [`ApprovedAction`], and
//! after the intent is on disk a [`DurableIntent`]; or the [`Decision`] that refuses. **Trusted**: nothing that a file says about
//! being allowed.

mod approved;
mod decision;
mod intent;
mod parameters;
mod permit;

pub use approved::{ApprovedAction, DurableIntent};
pub(crate) use decision::risk_of_run;
pub use decision::{Circumstances, Decision, Live, blocked_by_rules, decide};
pub use intent::record_intent;
pub use parameters::{ParameterError, choose, written};
pub use permit::{Permit, PermitError, Run, intent_id};

use std::sync::Arc;

use pg_logstats_logs::evidence::Sample;

use crate::catalogue::{Action, BoundParameter};

/// Approves `action` with the values `bound`, under circumstances taken now, and with the policy's caps: what runs has no others.
/// `permit` is a person's approval, where there is one.
///
/// # Errors
/// The decision that refuses it.
pub fn approve(
    action: &Arc<Action>,
    bound: Vec<BoundParameter>,
    sample: Option<Sample>,
    permit: Option<Permit>,
    now: &Circumstances<'_>,
) -> Result<ApprovedAction, Decision> {
    let decision = decide(action, &bound, permit.as_ref(), now);
    if decision.is_allowed() {
        Ok(ApprovedAction::new(now.policy.capped(action), bound, sample, permit))
    } else {
        Err(decision)
    }
}

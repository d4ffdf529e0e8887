//! Every request of the runbook, with the words that go with it, besides those of `pg_logstats_runbook_statements`.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, ErrorClass, NextAction};

use crate::{messages, words};

/// The live sessions of whoever met an error.
pub(crate) fn error_sessions(actions: &mut dyn Actions, class: &ErrorClass) -> Option<NextAction> {
    let request = words::ERROR_SESSIONS
        .request()
        .bind_dimensions(class, &class.dimensions);
    NextAction::offer(
        actions,
        &request,
        statements::messages::sessions_label(class),
        messages::error_sessions_reason(),
    )
}

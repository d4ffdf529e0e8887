//! Every request of the runbook, with the words that go with it, besides those of `pg_logstats_runbook_statements`.

use pg_logstats_sdk::{Actions, NextAction};

use crate::{messages, words};

/// The settings that matter for temporary files.
pub(crate) fn settings(actions: &mut dyn Actions) -> Option<NextAction> {
    let request = words::TEMP_SETTINGS.request();
    NextAction::offer(
        actions,
        &request,
        messages::settings_label(),
        messages::settings_reason(),
    )
}

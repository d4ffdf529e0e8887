//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Action, Actions, Assessment, FindingRef, NextAction, Priority};

use crate::{messages, words};

/// Offers `action` once: a further finding that wants it is added to the first offer.
pub(crate) fn offer(
    action: Action,
    because: Option<FindingRef>,
    priority: Priority,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let all = [
        (words::LAG, messages::lag_label(), messages::lag_offer_reason()),
        (words::RECEIVER, messages::receiver_label(), messages::receiver_reason()),
        (words::SLOTS, messages::slots_label(), messages::slots_reason()),
        (words::SETTINGS, messages::settings_label(), messages::settings_reason()),
    ];
    let Some((_, label, reason)) = all.into_iter().find(|(known, _, _)| *known == action) else {
        return;
    };
    match assessment.next_actions.iter_mut().find(|known| known.label == label) {
        Some(known) => {
            if let Some(finding) = because {
                *known = known.clone().because(finding);
            }
        }
        None => {
            let offer = NextAction::offer(actions, &action.request(), label, reason);
            let offer = offer.map(|offer| offer.priority(priority));
            assessment.next_action(offer.map(|offer| because.map_or(offer.clone(), |finding| offer.because(finding))));
        }
    }
}

/// Adds a step that is no request, once.
pub(crate) fn step(step: NextAction, assessment: &mut Assessment) {
    if assessment.next_actions.iter().all(|known| known.label != step.label) {
        assessment.next_action(step);
    }
}

//! What a runbook is: three methods and one macro line.

use crate::{ActionRequest, Assessment, Denial, Descriptor, Evidence, Failure, Outcome};

/// A runbook.
///
/// A pure function of its arguments: the host makes a new instance for each call, keeps nothing, and replays any call from its
/// record, byte for byte. There is no clock, no randomness, no environment and no other import.
pub trait Runbook {
    /// The manifest: all that the runbook can ever ask for or say. The same at every call.
    fn describe(&self) -> Descriptor;

    /// Phase 1: judge the evidence of the logs.
    ///
    /// # Errors
    /// The runbook gives up; the report says so with the failure's message. Finding nothing is no failure but a finding of kind
    /// `nothing-found`.
    fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure>;

    /// Phase 2: judge what an action returned.
    ///
    /// # Errors
    /// As for `triage`. An action that failed is no failure of the runbook.
    fn interpret(
        &self,
        evidence: &Evidence,
        outcome: &Outcome,
        actions: &mut dyn Actions,
    ) -> Result<Assessment, Failure>;
}

/// The one thing that a runbook can do besides computing.
pub trait Actions {
    /// Asks the host to offer a catalogue action to the agent. Nothing runs now, and nothing may ever run.
    ///
    /// # Errors
    /// Why the host will not offer it. [`Denial::NotEnoughContext`], [`Denial::UnsupportedTarget`] and
    /// [`Denial::TooManyRequests`] are ordinary: the host lists what it left out and why, the runbook goes on. The others are
    /// mistakes of the runbook.
    fn request(&mut self, request: &ActionRequest) -> Result<Ticket, Denial>;
}

/// Stands for an action that the host would offer; good in the run that got it. Only [`Actions::request`] gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

impl Ticket {
    pub(crate) fn issued(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// The host's side of [`Actions`]; works in a component only.
#[doc(hidden)]
#[derive(Debug)]
pub struct HostActions;

#[cfg(target_arch = "wasm32")]
impl Actions for HostActions {
    fn request(&mut self, request: &ActionRequest) -> Result<Ticket, Denial> {
        crate::bindings::pg_logstats::runbook::actions::request(request).map(Ticket::issued)
    }
}

/// Makes the runbook that `$runbook` evaluates to the component's one.
///
/// The expression is evaluated at each call: a unit struct, or a struct of constants. Natively the line only checks that it is a
/// [`Runbook`], so that several runbooks can be linked into one test.
#[macro_export]
macro_rules! export {
    ($runbook:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::bindings::Guest for Component {
                fn describe() -> $crate::Descriptor {
                    $crate::Runbook::describe(&$runbook)
                }

                fn triage(evidence: $crate::Evidence) -> ::core::result::Result<$crate::Assessment, $crate::Failure> {
                    $crate::Runbook::triage(&$runbook, &evidence, &mut $crate::HostActions)
                }

                fn interpret(
                    evidence: $crate::Evidence,
                    outcome: $crate::Outcome,
                ) -> ::core::result::Result<$crate::Assessment, $crate::Failure> {
                    $crate::Runbook::interpret(&$runbook, &evidence, &outcome, &mut $crate::HostActions)
                }
            }

    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() = || {
            fn is_runbook<R: $crate::Runbook>(_: &R) {}
            is_runbook(&$runbook);
        };
    };
}

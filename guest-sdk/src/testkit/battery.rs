//! What every runbook owes to those who read it, and the host does not enforce: that it says something, and where to go from there.

use std::ops::Range;

use super::{Kit, Report, TestError, generate, outcome};
use crate::{Evidence, Outcome, OutcomeStatus, Runbook, Subject, no_answer};

/// Most next actions of one answer that whoever reads it can still choose from.
#[derive(Debug, Clone, Copy)]
pub struct MostOffers {
    /// In phase 1.
    pub triage: usize,
    /// In phase 2.
    pub interpret: usize,
}

/// An answer to generated input.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Of the evidence and the outcome.
    pub seed: u64,
    /// What was judged in phase 2; `None` in phase 1.
    pub outcome: Option<&'a Outcome>,
    /// What the runbook said.
    pub report: &'a Report,
}

/// Runs `runbook` as [`check`](super::check) does, and looks at what it says: in phase 1 a finding, in phase 2 an insight or a finding; and
/// always a next action, and no more than `most`. `also` looks at each answer for what this runbook promises besides.
///
/// # Errors
/// The first answer that helps nobody, or breaks a rule that the host enforces.
pub fn check_answers(
    runbook: &dyn Runbook,
    seeds: Range<u64>,
    most: MostOffers,
    mut also: impl FnMut(Answer<'_>),
) -> Result<(), TestError> {
    let kit = Kit::new(runbook)?;
    let actions = runbook.describe().actions;
    for seed in seeds {
        let evidence = generate::evidence(seed);
        let during = |error: TestError| error.during(&format!("triage of evidence {seed}"));
        let report = kit.triage(&evidence).map_err(during)?;
        says(!report.findings.is_empty(), "it has no finding").map_err(during)?;
        offers(&report, most.triage).map_err(during)?;
        also(Answer {
            seed,
            outcome: None,
            report: &report,
        });
        for action in &actions {
            let during = |error: TestError| error.during(&format!("interpretation of `{action}` with evidence {seed}"));
            let outcome = generate::outcome(seed, &evidence, action);
            let report = kit.interpret(&evidence, &outcome).map_err(during)?;
            let is_something = !report.insights.is_empty() || !report.findings.is_empty();
            says(is_something, "it has neither an insight nor a finding").map_err(during)?;
            offers(&report, most.interpret).map_err(during)?;
            also(Answer {
                seed,
                outcome: Some(&outcome),
                report: &report,
            });
        }
    }
    Ok(())
}

/// Has every action of `runbook`, bound to `about`, end without an answer, in each way: the one insight is why, there is no finding, and a person is asked
/// where one can help. `also` looks at each report for what this runbook promises besides.
///
/// # Errors
/// The first ending that is judged in another way, or breaks a rule that the host enforces.
pub fn check_failures(
    runbook: &dyn Runbook,
    evidence: &Evidence,
    about: &[&dyn Subject],
    mut also: impl FnMut(&Outcome, &Report),
) -> Result<(), TestError> {
    let endings = [
        (OutcomeStatus::TimedOut, no_answer::ACTION_TIMED_OUT, false),
        (OutcomeStatus::Cancelled, no_answer::ACTION_CANCELLED, false),
        (
            OutcomeStatus::InsufficientPrivilege,
            no_answer::ACTION_NOT_PERMITTED,
            true,
        ),
        (OutcomeStatus::Unavailable, no_answer::ACTION_UNAVAILABLE, true),
        (OutcomeStatus::Failed, no_answer::ACTION_FAILED, true),
    ];
    let kit = Kit::new(runbook)?;
    for action in runbook.describe().actions {
        for (status, insight, asks) in endings {
            let during = |error: TestError| error.during(&format!("interpretation of `{action}`, {status:?}"));
            let made = outcome(&action).status(status);
            let outcome = about.iter().fold(made, |made, subject| made.about(*subject)).build();
            let report = kit.interpret(evidence, &outcome).map_err(during)?;
            let is_why = report.insight_ids() == [insight.as_str()];
            says(is_why, "its one insight is not why there is no answer").map_err(during)?;
            says(report.findings.is_empty(), "it has a finding").map_err(during)?;
            says(
                report.prompts().is_empty() != asks,
                "a person is asked who cannot help, or none is",
            )
            .map_err(during)?;
            offers(&report, usize::MAX).map_err(during)?;
            also(&outcome, &report);
        }
    }
    Ok(())
}

fn offers(report: &Report, most: usize) -> Result<(), TestError> {
    says(!report.next_actions.is_empty(), "it has no next action")?;
    says(
        report.next_actions.len() <= most,
        "it has too many next actions to choose from",
    )
}

fn says(is_so: bool, otherwise: &str) -> Result<(), TestError> {
    if is_so {
        return Ok(());
    }
    Err(TestError::Unhelpful(otherwise.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub, reason = "the declaring macros are made for runbooks")]

    use super::{MostOffers, check_answers, check_failures};
    use crate::testkit::{TestError, evidence};
    use crate::{
        Actions, Assessment, Confidence, Descriptor, Evidence, Failure, Finding, FindingKind, Insight, NextAction,
        Outcome, Runbook, no_answer,
    };

    mod messages {
        crate::messages! {
            title() => "something";
            reason() => "for a reason";
        }
    }

    crate::actions! { AGES = "wraparound.pg_database.ages"; }
    crate::insights! { SEEN = "seen"; }

    /// What a runbook leaves out.
    #[derive(Clone, Copy, PartialEq)]
    enum Lacks {
        Nothing,
        Finding,
        Insight,
        Step,
        Why,
    }

    struct Lacking(Lacks);

    impl Lacking {
        fn end(&self, assessment: &mut Assessment) {
            if self.0 != Lacks::Step && assessment.next_actions.is_empty() {
                assessment.next_action(NextAction::stop(messages::title(), messages::reason()));
            }
        }
    }

    impl Runbook for Lacking {
        fn describe(&self) -> Descriptor {
            Descriptor::builder("lacking", "0.1.0", "lacking")
                .actions(ACTIONS)
                .insights(INSIGHTS)
                .insights(no_answer::INSIGHTS)
                .messages(no_answer::templates())
                .messages(messages::templates())
                .build()
        }

        fn triage(&self, _: &Evidence, _: &mut dyn Actions) -> Result<Assessment, Failure> {
            let mut assessment = Assessment::new();
            if self.0 != Lacks::Finding {
                let finding = Finding::new(FindingKind::NothingFound, messages::title(), messages::reason());
                assessment.finding(finding);
            }
            self.end(&mut assessment);
            Ok(assessment)
        }

        fn interpret(&self, _: &Evidence, outcome: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
            let mut assessment = Assessment::new();
            if self.0 != Lacks::Why && !outcome.has_result() {
                no_answer::judge(outcome, messages::reason(), &mut assessment);
            } else if self.0 != Lacks::Insight {
                let insight = Insight::new(SEEN, Confidence::High, messages::title(), messages::reason());
                assessment.insight(insight);
            }
            self.end(&mut assessment);
            Ok(assessment)
        }
    }

    const MOST: MostOffers = MostOffers {
        triage: 1,
        interpret: 1,
    };

    fn answers(lacks: Lacks, most: MostOffers) -> Result<usize, TestError> {
        let mut seen = 0;
        check_answers(&Lacking(lacks), 0..20, most, |answer| {
            assert_eq!(answer.outcome.is_none(), answer.report.insights.is_empty());
            seen += 1;
        })?;
        Ok(seen)
    }

    #[test]
    fn an_answer_that_helps_nobody_is_told() {
        assert_eq!(answers(Lacks::Nothing, MOST), Ok(40));
        for lacks in [Lacks::Finding, Lacks::Insight, Lacks::Step] {
            assert!(matches!(answers(lacks, MOST), Err(TestError::Unhelpful(_))));
        }
        let none = MostOffers { triage: 0, ..MOST };
        assert!(matches!(answers(Lacks::Nothing, none), Err(TestError::Unhelpful(_))));
    }

    #[test]
    fn an_ending_without_an_answer_has_to_say_why() {
        let failures = |lacks: Lacks| check_failures(&Lacking(lacks), &evidence().build(), &[], |_, _| {});
        assert_eq!(failures(Lacks::Nothing), Ok(()));
        for lacks in [Lacks::Why, Lacks::Step] {
            assert!(matches!(failures(lacks), Err(TestError::Unhelpful(_))));
        }
    }
}

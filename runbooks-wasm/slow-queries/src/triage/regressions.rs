//! Families that got worse since the baseline, as the host found.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Baseline, Count, DurationUs, Evidence, Figures, Finding, FindingKind, Message, QueryFamily, Ratio, ReasonCode,
    Regression, RegressionDoubt, RegressionReason,
};

use super::{Candidate, weight, with_other_trouble};
use crate::{messages, words};

/// One finding for each. The score is the part of all statement time that is more than before, less where it is less sure.
pub(super) fn candidates<'a>(evidence: &'a Evidence, baseline: &Baseline) -> Vec<Candidate<'a>> {
    let candidate = |regression: &Regression| {
        let family = evidence.family(&regression.family)?;
        Some((finding(evidence, baseline, regression, family), family))
    };
    baseline.regressions.iter().filter_map(candidate).collect()
}

fn finding(evidence: &Evidence, baseline: &Baseline, regression: &Regression, family: &QueryFamily) -> Finding {
    let impact = Ratio::of(regression.excess_duration_us, evidence.total_duration_us);
    let share = Ratio::of(family.total_duration_us, evidence.total_duration_us);
    let (title, reason) = match &regression.baseline {
        Some(known) => (
            known_title(baseline, regression, family, known, share),
            worse_reason(regression, family, known),
        ),
        None => (
            messages::absent_title(family, share),
            statements::messages::family_reason(
                Count(family.execution_count),
                DurationUs(family.total_duration_us),
                DurationUs(family.mean_duration_us),
                DurationUs(family.p95_duration_us),
                DurationUs(family.max_duration_us),
            ),
        ),
    };
    let finding = Finding::new(FindingKind::SlowQueryRegression, title, reason)
        .about(family)
        .score(impact.value() * weight(regression.confidence))
        .confidence(regression.confidence);
    let finding = codes(regression).into_iter().fold(finding, Finding::code);
    with_other_trouble(finding, family, evidence)
}

/// A higher percentile says more than a larger share, which may be due to more executions.
fn known_title(
    baseline: &Baseline,
    regression: &Regression,
    family: &QueryFamily,
    known: &Figures,
    share: Ratio,
) -> Message {
    if regression.reasons.contains(&RegressionReason::P95Regressed) {
        let (now, before) = (family.p95_duration_us, known.p95_duration_us);
        return messages::slower_title(family, DurationUs(now), DurationUs(before));
    }
    let before = Ratio::of(known.total_duration_us, baseline.total_duration_us);
    messages::contribution_title(family, share, before)
}

fn worse_reason(regression: &Regression, family: &QueryFamily, known: &Figures) -> Message {
    messages::worse_reason(
        Count(family.execution_count),
        DurationUs(family.mean_duration_us),
        Count(known.execution_count),
        DurationUs(known.mean_duration_us),
        DurationUs(regression.excess_duration_us),
    )
}

fn codes(regression: &Regression) -> Vec<ReasonCode> {
    let has = |reason| regression.reasons.contains(&reason);
    let doubts = |doubt| regression.doubts.contains(&doubt);
    let incomplete = doubts(RegressionDoubt::Incomplete) || doubts(RegressionDoubt::BaselineIncomplete);
    let codes = [
        (has(RegressionReason::AbsentInBaseline), words::ABSENT_IN_BASELINE),
        (has(RegressionReason::P95Regressed), words::P95_REGRESSED),
        (
            has(RegressionReason::ContributionIncreased),
            words::CONTRIBUTION_INCREASED,
        ),
        (regression.under_other_names, words::UNDER_OTHER_NAMES),
        (doubts(RegressionDoubt::Burst), words::BURST),
        (incomplete, words::INCOMPLETE_FIGURES),
        (doubts(RegressionDoubt::LoggingDiffers), words::LOGGING_DIFFERS),
    ];
    codes
        .into_iter()
        .filter_map(|(holds, code)| holds.then_some(code))
        .collect()
}

//! Without a baseline: the families that are slowest as they are.

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::scores::{self, confidence, window_us};
use pg_logstats_sdk::{Count, DurationUs, Evidence, Finding, FindingKind, QueryFamily};

use super::{Candidate, weight, with_other_trouble};
use crate::{messages, words};

/// Findings, at most.
const MOST: usize = 20;
/// Below this a long tail bothers nobody, in microseconds.
const SLOW_P99_US: u64 = 100_000;

/// One finding for each of the slowest. A statement that is slow by its nature, and seldom (a report, a load), is everyday life: how bad it is depends on
/// how long it keeps sessions busy, as in all runbooks.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut families: Vec<&QueryFamily> = evidence.families.iter().filter(|f| f.total_duration_us > 0).collect();
    let slowness = |family: &QueryFamily| (family.p95_duration_us, family.max_duration_us);
    families.sort_by(|one, other| slowness(other).cmp(&slowness(one)).then_with(|| one.id.cmp(&other.id)));
    let candidate = |family| (finding(evidence, family), family);
    families.into_iter().take(MOST).map(candidate).collect()
}

fn finding(evidence: &Evidence, family: &QueryFamily) -> Finding {
    let (p95, max) = (DurationUs(family.p95_duration_us), DurationUs(family.max_duration_us));
    let total = DurationUs(family.total_duration_us);
    let reason = match family.execution_count {
        1 => statements::messages::family_reason_once(total),
        n => {
            let mean = DurationUs(family.mean_duration_us);
            statements::messages::family_reason(Count(n), total, mean, p95, max)
        }
    };
    let confidence = confidence(family.execution_count);
    let mut finding = Finding::new(
        FindingKind::QueryFamily,
        messages::slowest_title(family, p95, max),
        reason,
    )
    .about(family)
    .score(scores::statement(family, window_us(evidence)) * weight(confidence))
    .confidence(confidence)
    .code(words::AMONG_SLOWEST);
    if family.p99_duration_us >= SLOW_P99_US && family.p99_duration_us / 10 >= family.p50_duration_us {
        finding = finding.code(words::LONG_TAIL);
    }
    with_other_trouble(finding, family, evidence)
}

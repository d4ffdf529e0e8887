//! Families by total time.

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::scores::{self, confidence, window_us};
use pg_logstats_sdk::{Count, DurationUs, Evidence, Finding, FindingKind, QueryFamily, Ratio};

use super::{Candidate, Offers, TOP};
use crate::{messages, words};

/// Findings about families, at most; as many as the host hands over by time.
const MOST: usize = 100;
/// A mean from which one execution is slow, in microseconds.
const SLOW_MEAN_US: u64 = 1_000_000;
/// Below this a long tail bothers nobody, in microseconds.
const SLOW_P99_US: u64 = 100_000;
/// Executions from which a fast statement is remarkable for their number.
const MANY_EXECUTIONS: u64 = 10_000;
/// A mean under which a statement counts as fast, in microseconds.
const FAST_MEAN_US: u64 = 10_000;

/// One finding for each family that took time.
pub(super) fn candidates<'e>(evidence: &'e Evidence) -> Vec<Candidate<'e>> {
    // By time, whatever else the evidence is ordered by: families that only failed or spilled are in it too.
    let mut families: Vec<&QueryFamily> = evidence.families.iter().filter(|f| f.total_duration_us > 0).collect();
    families.sort_by(|a, b| {
        b.total_duration_us
            .cmp(&a.total_duration_us)
            .then_with(|| a.id.cmp(&b.id))
    });
    let window_us = window_us(evidence);
    let candidate = |(position, family): (usize, &'e QueryFamily)| Candidate {
        finding: finding(family, evidence.total_duration_us, window_us),
        part: Ratio::of(family.total_duration_us, evidence.total_duration_us).value(),
        offers: if position < TOP {
            Offers::Family(family, scores::statement(family, window_us))
        } else {
            Offers::Nothing
        },
    };
    families.into_iter().take(MOST).enumerate().map(candidate).collect()
}

fn finding(family: &QueryFamily, total_us: u64, window_us: u64) -> Finding {
    let share = Ratio::of(family.total_duration_us, total_us);
    let total = DurationUs(family.total_duration_us);
    let reason = match family.execution_count {
        1 => statements::messages::family_reason_once(total),
        n => statements::messages::family_reason(
            Count(n),
            total,
            DurationUs(family.mean_duration_us),
            DurationUs(family.p95_duration_us),
            DurationUs(family.max_duration_us),
        ),
    };
    let mut finding = Finding::new(FindingKind::QueryFamily, messages::family_title(family, share), reason)
        .about(family)
        .score(scores::statement(family, window_us))
        .confidence(confidence(family.execution_count))
        .code(words::TOP_TOTAL_TIME);
    let has_long_tail = family.p99_duration_us >= SLOW_P99_US && family.p99_duration_us / 10 >= family.p50_duration_us;
    let codes = [
        (share.value() >= 0.5, words::DOMINATES_TOTAL_TIME),
        (family.mean_duration_us >= SLOW_MEAN_US, words::SLOW_ON_AVERAGE),
        (has_long_tail, words::LONG_TAIL),
        (
            family.execution_count >= MANY_EXECUTIONS && family.mean_duration_us <= FAST_MEAN_US,
            words::MANY_EXECUTIONS,
        ),
        (
            family.parse_bind_duration_us > family.total_duration_us,
            words::PARSE_BIND_HEAVY,
        ),
        (family.temp_bytes > 0, words::WRITES_TEMP_FILES),
        (family.error_count > 0, words::HAS_ERRORS),
    ];
    for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
        finding = finding.code(code);
    }
    finding
}

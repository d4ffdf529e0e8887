//! Samples to a verdict.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::probe::Sample;
use super::verdict::{Reason, ReasonCode, Verdict};
use super::{Input, Thresholds};
use crate::words::VerdictLevel;

/// Samples that a verdict needs: with three, one blip has two against it.
pub(super) const SAMPLES: usize = 3;

/// Judges the samples. `taken_at_us` is the instant of the last one.
pub fn judge(samples: &[Sample], thresholds: &Thresholds, taken_at_us: i64) -> Verdict {
    let unknown = |reason| Verdict::unknown(reason, thresholds, samples.to_vec(), taken_at_us);
    if samples.len() < SAMPLES {
        let detail = format!("{} of {SAMPLES} samples were taken", samples.len());
        return unknown(Reason::without_input(ReasonCode::TooFewSamples, detail));
    }
    if samples.iter().any(|s| s.activity_hidden) {
        return unknown(Reason::without_input(
            ReasonCode::ActivityHidden,
            "the role cannot see what other sessions do; grant it pg_read_all_stats (`inspect` prints the script)",
        ));
    }
    if samples.iter().any(|s| s.activity_not_tracked) {
        return unknown(Reason::without_input(
            ReasonCode::ActivityNotTracked,
            "sessions do not tell what they do; set track_activities = on",
        ));
    }
    let inputs: BTreeMap<Input, f64> = Input::ALL
        .into_iter()
        .filter_map(|i| Some((i, middle(samples, i, thresholds.cores)?)))
        .collect();
    let reasons: Vec<Reason> = inputs
        .iter()
        .filter_map(|(input, value)| reason(*input, *value, thresholds))
        .collect();
    let is = |level| reasons.iter().any(|r| r.level == level);
    let level = if is(VerdictLevel::Saturated) {
        VerdictLevel::Saturated
    } else if is(VerdictLevel::Busy) {
        VerdictLevel::Busy
    } else {
        VerdictLevel::Clear
    };
    Verdict {
        level,
        reasons,
        inputs,
        thresholds: thresholds.clone(),
        samples: samples.to_vec(),
        taken_at_us,
        ttl_ms: thresholds.ttl_ms,
    }
}

/// The middle value of an input, the upper one of two; an input that does not apply counts as lower than any value.
fn middle(samples: &[Sample], input: Input, cores: u32) -> Option<f64> {
    let mut values: Vec<Option<f64>> = samples.iter().map(|s| s.value(input, cores)).collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied().flatten()
}

fn reason(input: Input, value: f64, thresholds: &Thresholds) -> Option<Reason> {
    let limit = thresholds.limit(input);
    let (level, threshold) = match limit.saturated {
        Some(saturated) if value >= saturated => (VerdictLevel::Saturated, saturated),
        _ if value >= limit.busy => (VerdictLevel::Busy, limit.busy),
        _ => return None,
    };
    Some(Reason {
        code: ReasonCode::LimitReached,
        input: Some(input),
        value: Some(value),
        threshold: Some(threshold),
        level,
        detail: None,
    })
}

//! The verdict as reports have it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probe::Sample;
use super::{Input, Thresholds};
use crate::words::VerdictLevel;

/// How long a verdict is worth anything. Load changes within seconds; a decision on an older one is a guess.
pub const VERDICT_TTL_MS: u64 = 5_000;

/// With less, a verdict could be too old before the gate has read it.
pub const MIN_VERDICT_TTL_MS: u64 = 500;

/// The host's judgement, with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The judgement.
    pub level: VerdictLevel,
    /// Why it is not `clear`; empty when it is.
    pub reasons: Vec<Reason>,
    /// The value of each input: the middle one of the samples. An input that does not apply (no standby) is missing.
    pub inputs: BTreeMap<Input, f64>,
    /// The limits it was judged by.
    pub thresholds: Thresholds,
    /// What was seen, in order.
    pub samples: Vec<Sample>,
    /// When the last sample was taken, in microseconds since the Unix epoch.
    pub taken_at_us: i64,
    /// How long it is worth anything.
    pub ttl_ms: u64,
}

impl Verdict {
    /// Whether it is still worth anything at `now_us`. One from the future is not.
    pub fn is_fresh(&self, now_us: i64) -> bool {
        let ttl_us = i64::try_from(self.ttl_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
        let age_us = now_us.saturating_sub(self.taken_at_us);
        (0..=ttl_us).contains(&age_us)
    }

    /// Whether the server answered at all.
    pub fn is_answered(&self) -> bool {
        !self.samples.is_empty()
    }

    /// `unknown`, because something went wrong on the way to a sample.
    pub(super) fn unknown(reason: Reason, thresholds: &Thresholds, samples: Vec<Sample>, taken_at_us: i64) -> Self {
        Self {
            level: VerdictLevel::Unknown,
            reasons: vec![reason],
            inputs: BTreeMap::new(),
            thresholds: thresholds.clone(),
            samples,
            taken_at_us,
            ttl_ms: thresholds.ttl_ms,
        }
    }
}

/// One thing that speaks against the database's health, or against knowing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What sort.
    pub code: ReasonCode,
    /// Which input, for [`ReasonCode::LimitReached`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Input>,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit that it reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// What it makes the verdict.
    pub level: VerdictLevel,
    /// For the other codes: what happened and what to do. Ours, no secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Sorts of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// An input reached its limit.
    LimitReached,
    /// The server could not be asked.
    Unreachable,
    /// The server has no connection left, not even for this question.
    NoConnectionLeft,
    /// The role is not allowed to see other sessions.
    ActivityHidden,
    /// The server does not track what sessions do.
    ActivityNotTracked,
    /// Fewer samples than a verdict needs.
    TooFewSamples,
}

impl Reason {
    pub(super) fn without_input(code: ReasonCode, detail: impl Into<String>) -> Self {
        let level = VerdictLevel::Unknown;
        Self {
            code,
            input: None,
            value: None,
            threshold: None,
            level,
            detail: Some(detail.into()),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.input, self.value, self.threshold) {
            (Some(input), Some(value), Some(threshold)) => {
                write!(
                    f,
                    "{input} is {}; from {threshold} on the database counts as {}",
                    shown(value),
                    self.level
                )
            }
            _ => f.write_str(self.detail.as_deref().unwrap_or("the database's health is not known")),
        }
    }
}

/// At most three decimals.
fn shown(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

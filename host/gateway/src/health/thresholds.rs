//! The limits of the verdict: defaults with their sources, and an operator's stricter ones.
//!
//! **In**: the `[health]` table of the configuration. **Out**: [`Thresholds`]. **Trusted**: the operator, to make it stricter;
//! a looser value is refused. **Can fail**: with the limit's name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Input;
use super::verdict::{MIN_VERDICT_TTL_MS, VERDICT_TTL_MS};

/// Cores that are assumed when the operator does not say. Few, because a wrong guess downwards only makes the verdict stricter.
pub const DEFAULT_CORES: u32 = 4;

/// From where on an input makes the verdict worse. A value equal to a limit has reached it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// `busy` from here on.
    pub busy: f64,
    /// `saturated` from here on; none: this input alone never saturates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturated: Option<f64>,
}

/// An operator's limits; what is absent keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Cores of the database's machine: a fact, so any number is taken.
    #[serde(default)]
    pub cores: Option<u32>,
    /// How long a verdict is worth anything, in milliseconds; the default is also the most.
    #[serde(default)]
    pub ttl_ms: Option<u64>,
    /// Limits by input.
    #[serde(default)]
    pub limits: std::collections::BTreeMap<Input, Limit>,
}

/// The limits that a verdict is made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Cores of the database's machine.
    pub cores: u32,
    /// How long a verdict is worth anything, in milliseconds.
    #[serde(default = "default_ttl_ms")]
    pub ttl_ms: u64,
    /// A limit for each input.
    pub limits: std::collections::BTreeMap<Input, Limit>,
}

/// The configured limits cannot be used; the operator is to blame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// Configuration can only make the verdict stricter.
    #[error(
        "health limit `{limit}`: `{given}` is looser than the default `{default}`; a limit can only be made stricter"
    )]
    Looser {
        /// Input and level.
        limit: String,
        /// The configured value.
        given: String,
        /// The default.
        default: String,
    },
    /// Not a limit at all.
    #[error("health limit `{limit}` has to be a number of at least 0, and `busy` not above `saturated`")]
    Invalid {
        /// Input and level.
        limit: String,
    },
    /// No machine has that many.
    #[error("health setting `cores` is `{0}`; it has to be from 1 to 4096")]
    Cores(u32),
    /// A verdict cannot be believed for longer.
    #[error("health setting `ttl_ms` is `{0}`; it has to be from {MIN_VERDICT_TTL_MS} to {VERDICT_TTL_MS}")]
    TimeToLive(u64),
}

impl Default for Thresholds {
    fn default() -> Self {
        let limits = Input::ALL
            .into_iter()
            .map(|input| (input, input.default_limit()))
            .collect();
        Self {
            cores: DEFAULT_CORES,
            ttl_ms: VERDICT_TTL_MS,
            limits,
        }
    }
}

impl Thresholds {
    /// The defaults made stricter.
    ///
    /// # Errors
    /// When a limit is looser than the default, or none.
    pub fn stricter(config: &HealthConfig) -> Result<Self, ThresholdError> {
        let mut thresholds = Self::default();
        if let Some(cores) = config.cores {
            if !(1..=4096).contains(&cores) {
                return Err(ThresholdError::Cores(cores));
            }
            thresholds.cores = cores;
        }
        if let Some(ttl_ms) = config.ttl_ms {
            if !(MIN_VERDICT_TTL_MS..=VERDICT_TTL_MS).contains(&ttl_ms) {
                return Err(ThresholdError::TimeToLive(ttl_ms));
            }
            thresholds.ttl_ms = ttl_ms;
        }
        for (input, given) in &config.limits {
            let default = input.default_limit();
            check_limit(*input, *given, default)?;
            // A configured `busy` alone keeps the default `saturated`: leaving it out is no way to switch it off.
            let saturated = given.saturated.or(default.saturated);
            let busy = saturated.map_or(given.busy, |s| given.busy.min(s));
            thresholds.limits.insert(*input, Limit { busy, saturated });
        }
        Ok(thresholds)
    }

    /// Both at once: of each limit the stricter one.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let stricter = |input: Input| {
            let (one, two) = (self.limit(input), other.limit(input));
            Limit {
                busy: one.busy.min(two.busy),
                saturated: match (one.saturated, two.saturated) {
                    (Some(one), Some(two)) => Some(one.min(two)),
                    (one, two) => one.or(two),
                },
            }
        };
        Self {
            cores: self.cores.min(other.cores),
            ttl_ms: self.ttl_ms.min(other.ttl_ms),
            limits: Input::ALL.into_iter().map(|input| (input, stricter(input))).collect(),
        }
    }

    /// The limit of an input.
    pub fn limit(&self, input: Input) -> Limit {
        self.limits
            .get(&input)
            .copied()
            .unwrap_or_else(|| input.default_limit())
    }
}

/// Of verdicts that were recorded before it could be configured.
fn default_ttl_ms() -> u64 {
    VERDICT_TTL_MS
}

fn check_limit(input: Input, given: Limit, default: Limit) -> Result<(), ThresholdError> {
    let name = |level: &str| format!("{input}.{level}");
    let is_number = |value: f64| value.is_finite() && value >= 0.0;
    if !is_number(given.busy) {
        return Err(ThresholdError::Invalid { limit: name("busy") });
    }
    if given.saturated.is_some_and(|s| !is_number(s) || s < given.busy) {
        return Err(ThresholdError::Invalid {
            limit: name("saturated"),
        });
    }
    let looser = |level: &str, given: f64, default: f64| ThresholdError::Looser {
        limit: name(level),
        given: given.to_string(),
        default: default.to_string(),
    };
    if given.busy > default.busy {
        return Err(looser("busy", given.busy, default.busy));
    }
    if let (Some(given), Some(default)) = (given.saturated, default.saturated)
        && given > default
    {
        return Err(looser("saturated", given, default));
    }
    Ok(())
}

//! What makes a regression: every threshold, with its unit and its reason.
//!
//! Two kinds of rules, and both must hold. A difference has to be *large enough* to bother anybody, whatever the number of
//! executions; and it has to be *sure enough*, whatever its size.

/// Executions that a family needs on a side to have its durations judged there, and in the target to be judged at all. With fewer
/// than 20, the 95th percentile by nearest rank is the slowest execution.
pub const MIN_EXECUTIONS: u64 = 20;

/// The target's 95th percentile, in hundredths of the baseline's. Cache state and data growth move it by some tens of per cent
/// from day to day.
pub const P95_PERCENT: u64 = 150;

/// The target's 95th percentile above the baseline's, in microseconds: less is a time slice or two of the operating system's scheduler.
pub const P95_DELTA_US: u64 = 5_000;

/// The target's share of all statement time, in hundredths of the baseline's.
pub const SHARE_PERCENT: u64 = 150;

/// The target's share of all statement time above the baseline's, in hundredths of a per cent: 200 are 2 points.
pub const SHARE_DELTA_BP: u64 = 200;

/// The share of all statement time that makes an absent family worth a word, in hundredths of a per cent.
pub const ABSENT_SHARE_BP: u64 = 100;

/// Expected part of false ones among the families that are called regressed (Benjamini and Hochberg, "Controlling the false discovery
/// rate", 1995). Where nothing changed, it is the chance that any family of a comparison is called regressed.
pub const FALSE_DISCOVERY_RATE: f64 = 0.01;

/// Executions of one burst share caches, locks and checkpoints, so they are less evidence than as many independent ones. Counts are
/// divided by this before they are tested: the design effect of clustered samples (Kish, "Survey Sampling", 1965; for tests of counts
/// Rao and Scott, "A simple method for the analysis of clustered binary data", 1992). Bursts of five with a correlation of one quarter
/// have this effect: `1 + (5 - 1) / 4`.
pub const DESIGN_EFFECT: u64 = 2;

/// No side counts for more than so many independent executions, however many there were: beyond, it is the size of the difference that
/// matters.
pub const MAX_EFFECTIVE: u64 = 1_000;

/// Executions within a shorter time are one burst, in microseconds: whatever slowed one of them may have slowed all.
pub const BURST_US: i64 = 60_000_000;

/// Executions that a side needs for high confidence.
pub const SURE_EXECUTIONS: u64 = 100;

/// The largest corrected chance with which confidence is high, in parts per trillion: one in ten thousand.
pub const SURE_CHANCE_PPT: u64 = 100_000_000;

/// When the shortest durations of the two sides are so many times apart, their logs hold what different settings of
/// `log_min_duration_statement` let through.
pub const LOGGING_FACTOR: u64 = 4;

/// The longer of these shortest durations, in microseconds: nobody sets `log_min_duration_statement` lower, but for 0.
pub const LOGGING_FLOOR_US: u64 = 10_000;

/// Executions that a side needs for its shortest duration to tell anything.
pub const LOGGING_EXECUTIONS: u64 = 100;

/// Most regressions kept.
pub const MAX_REGRESSIONS: usize = 100;

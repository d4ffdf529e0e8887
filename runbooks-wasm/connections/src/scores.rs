//! Scores: each grows with every figure that it is made of.

/// `x / (x + half)`: 0 for nothing, one half at `half`, towards 1 without end.
pub(crate) fn saturating(x: f64, half: f64) -> f64 {
    if x.is_finite() && x > 0.0 { x / (x + half) } else { 0.0 }
}

/// The rate of `n` in `span_us`, in a second. What happened within a second is taken as a second long: there is no telling less apart.
pub(crate) fn per_second(n: u64, span_us: u64) -> f64 {
    n as f64 / (span_us.max(1_000_000) as f64 / 1e6)
}

/// From `first` to `last`, or nothing where they are not in order.
pub(crate) fn span_us(first: i64, last: i64) -> u64 {
    u64::try_from(last.saturating_sub(first)).unwrap_or(0)
}

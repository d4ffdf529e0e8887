//! Scores: each grows with every figure that it is made of.

use pg_logstats_sdk::Confidence;

/// `x / (x + half)`: 0 for nothing, one half at `half`, towards 1 without end.
pub(crate) fn saturating(x: f64, half: f64) -> f64 {
    if x.is_finite() && x > 0.0 { x / (x + half) } else { 0.0 }
}

/// Two reasons for one finding: at least the larger of both, at most 1.
pub(crate) fn either(a: f64, b: f64) -> f64 {
    1.0 - (1.0 - a) * (1.0 - b)
}

/// How sure a statement about `n` checkpoints is: an hour has twelve by default.
pub(crate) fn confidence(n: u64) -> Confidence {
    match n {
        10.. => Confidence::High,
        3.. => Confidence::Medium,
        _ => Confidence::Low,
    }
}

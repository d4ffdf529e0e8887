//! Scores and confidence, alike in all findings so that they can be compared.

use pg_logstats_sdk::Confidence;

/// `n / (n + half)`: 0 for nothing, one half at `half`, towards 1 without end. It makes amounts of different things comparable.
pub fn saturating(n: u64, half: u64) -> f64 {
    let n = n as f64;
    n / (n + half as f64)
}

/// How sure a statement about `n` events is.
pub fn confidence(n: u64) -> Confidence {
    match n {
        100.. => Confidence::High,
        10.. => Confidence::Medium,
        _ => Confidence::Low,
    }
}

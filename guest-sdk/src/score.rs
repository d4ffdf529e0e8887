//! Scores out of figures: a curve through points that a person can read and argue about.

/// The value at `x` of the line through `points`, which are in rising order of their first numbers. Before the first point and after
/// the last one it is theirs; what is not a number counts as the smallest.
///
/// ```
/// use pg_logstats_sdk::score::along;
///
/// let seconds = [(0.0, 0.0), (30.0, 0.2), (300.0, 0.5)];
/// assert_eq!(along(&seconds, 15.0), 0.1);
/// assert_eq!(along(&seconds, 9_999.0), 0.5);
/// ```
pub fn along(points: &[(f64, f64)], x: f64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    for &(at, value) in points {
        // Not `x < at`, so that what is not a number ends at the first point.
        let is_past = x >= at;
        if !is_past {
            let Some((start, low)) = before else { return value };
            return low + (value - low) * ((x - start) / (at - start));
        }
        before = Some((at, value));
    }
    before.map_or(0.0, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::along;

    const POINTS: &[(f64, f64)] = &[(1.0, 0.1), (2.0, 0.5), (2.0, 0.6), (4.0, 1.0)];

    #[test]
    fn it_goes_through_the_points_and_stays_at_the_ends() {
        let cases = [
            (1.0, 0.1),
            (1.5, 0.3),
            (2.0, 0.6),
            (3.0, 0.8),
            (4.0, 1.0),
            (0.0, 0.1),
            (9.0, 1.0),
        ];
        for (x, expected) in cases {
            assert!((along(POINTS, x) - expected).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn what_is_no_ordinary_number_is_an_end() {
        assert_eq!(along(POINTS, f64::NAN), 0.1);
        assert_eq!(along(POINTS, f64::NEG_INFINITY), 0.1);
        assert_eq!(along(POINTS, f64::INFINITY), 1.0);
        assert_eq!(along(&[], 1.0), 0.0);
    }

    #[test]
    fn more_is_never_less() {
        let values: Vec<f64> = (0..500).map(|n| along(POINTS, f64::from(n) / 100.0)).collect();
        assert!(values.is_sorted());
    }
}

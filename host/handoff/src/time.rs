//! Instants in UTC: as microseconds since 1970, as text, and as ticks of an axis.

use jiff::Timestamp;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What an axis may be divided by.
const STEPS: [i64; 28] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
    365 * DAY,
];

/// Where the seconds of an RFC 3339 instant begin. jiff also takes instants without seconds, which are none.
const BEFORE_SECONDS: std::ops::Range<usize> = 16..17;

/// Microseconds since 1970 of an RFC 3339 instant; nothing if it is none.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let at: Timestamp = text.parse().ok()?;
    (text.get(BEFORE_SECONDS)? == ":").then(|| at.as_microsecond())
}

/// An instant in a form of `strftime`; one that no calendar holds as its number.
fn shown(us: i64, form: &str) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| format!("{us} us"), |at| at.strftime(form).to_string())
}

/// `10:02:11`.
pub(crate) fn clock(us: i64) -> String {
    shown(us, "%H:%M:%S")
}

/// `2026-11-28 10:02:11`.
pub(crate) fn instant(us: i64) -> String {
    shown(us, "%Y-%m-%d %H:%M:%S")
}

/// An RFC 3339 instant for reading: `2026-11-28 10:02:11`, or as it is.
pub(crate) fn readable(text: &str) -> String {
    parse(text).map_or_else(|| text.to_owned(), instant)
}

/// Up to `most` round instants between `from` and `to`, with their labels.
pub(crate) fn ticks(from: i64, to: i64, most: i64) -> Vec<(i64, String)> {
    let span = i128::from(to) - i128::from(from);
    let most = i128::from(most.max(1));
    let step = STEPS
        .into_iter()
        .map(i128::from)
        .find(|step| span / step < most)
        .unwrap_or(span / most + 1);
    let first = i128::from(from).div_euclid(step) * step;
    let several_days = from.div_euclid(DAY) != to.div_euclid(DAY);
    (0..=most + 1)
        .map(|i| first + i * step)
        .filter(|at| (i128::from(from)..=i128::from(to)).contains(at))
        .filter_map(|at| i64::try_from(at).ok())
        .map(|at| (at, label(at, step, several_days)))
        .collect()
}

fn label(at: i64, step: i128, several_days: bool) -> String {
    let form = if step >= i128::from(365 * DAY) {
        "%Y-%m-%d"
    } else if step >= i128::from(DAY) {
        "%m-%d"
    } else if several_days && step >= i128::from(MINUTE) {
        "%m-%d %H:%M"
    } else if step >= i128::from(MINUTE) {
        "%H:%M"
    } else if step >= i128::from(SECOND) {
        "%H:%M:%S"
    } else {
        "%H:%M:%S.%6f"
    };
    shown(at, form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_and_written() {
        let at = parse("2026-11-28T10:02:11.5Z").unwrap();
        assert_eq!(at, 1_795_860_131_500_000);
        assert_eq!(instant(at), "2026-11-28 10:02:11");
        assert_eq!(parse("2026-11-28T12:02:11.5+02:00"), Some(at));
        assert_eq!(parse("1969-12-31T23:59:59Z"), Some(-SECOND));
        assert_eq!(instant(-SECOND), "1969-12-31 23:59:59");
        assert_eq!(
            parse("2024-02-29T00:00:00Z").map(instant).as_deref(),
            Some("2024-02-29 00:00:00")
        );
        assert_eq!(instant(i64::MAX), "9223372036854775807 us");
        for wrong in [
            "",
            "now",
            "2026-11-28",
            "2026-11-28T10:02Z",
            "2026-13-28T10:02:11Z",
            "2026-11-28T10:02:11.é1Z",
            "2026-11-28T10:02:11",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(readable("soon"), "soon");
    }

    #[test]
    fn ticks_are_round_few_and_never_fail() {
        let from = parse("2026-11-28T10:01:30Z").unwrap();
        let labels = |to: i64| {
            ticks(from, to, 5)
                .into_iter()
                .map(|(_, label)| label)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(from + 17 * MINUTE), ["10:05", "10:10", "10:15"]);
        assert_eq!(
            labels(from + 20 * SECOND),
            ["10:01:30", "10:01:35", "10:01:40", "10:01:45", "10:01:50"]
        );
        assert_eq!(
            labels(from + 2 * DAY),
            ["11-28 12:00", "11-29 00:00", "11-29 12:00", "11-30 00:00"]
        );
        assert_eq!(
            labels(from + 40_000),
            [
                "10:01:30.000000",
                "10:01:30.010000",
                "10:01:30.020000",
                "10:01:30.030000",
                "10:01:30.040000"
            ]
        );
        assert_eq!(labels(from + 40 * DAY), ["12-03", "01-02"]);
        assert_eq!(
            labels(from + 1_500 * DAY),
            ["2026-12-18", "2027-12-18", "2028-12-17", "2029-12-17", "2030-12-17"]
        );
        for (from, to) in [(0, 0), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (5, 5)] {
            assert!(ticks(from, to, 5).len() <= 6);
        }
    }
}

//! Instants in UTC: as microseconds since 1970, as text, and as ticks of an axis.

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

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Microseconds since 1970 of an RFC 3339 instant; nothing if it is none.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|n| n.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
    let (second, fraction) = {
        let text = parts.next()?;
        text.split_once('.').unwrap_or((text, ""))
    };
    let second: i64 = second.parse().ok()?;
    let micros: i64 = if fraction.is_empty() {
        0
    } else {
        format!("{fraction:0<6}").get(..6)?.parse().ok()?
    };
    let valid = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !valid {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (sign, rest) = zone.split_at_checked(1)?;
            let (hours, minutes) = rest.split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if minutes.abs() > 24 * 60 {
                return None;
            }
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let days = days_from_civil(year, month, day);
    Some(days * DAY + hour * HOUR + (minute - offset) * MINUTE + second * SECOND + micros)
}

/// `2026-11-28`.
pub(crate) fn day(us: i64) -> String {
    let (year, month, day) = civil(us.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `10:02:11`.
pub(crate) fn clock(us: i64) -> String {
    let second = us.rem_euclid(DAY) / SECOND;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// `2026-11-28 10:02:11`.
pub(crate) fn instant(us: i64) -> String {
    format!("{} {}", day(us), clock(us))
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
    let clock = clock(at);
    let minutes = clock.get(..5).unwrap_or(&clock).to_owned();
    let date = day(at);
    let month_and_day = date.get(date.len().saturating_sub(5)..).unwrap_or(&date).to_owned();
    if step >= i128::from(365 * DAY) {
        date
    } else if step >= i128::from(DAY) {
        month_and_day
    } else if several_days && step >= i128::from(MINUTE) {
        format!("{month_and_day} {minutes}")
    } else if step >= i128::from(MINUTE) {
        minutes
    } else if step >= i128::from(SECOND) {
        clock
    } else {
        format!("{clock}.{:06}", at.rem_euclid(SECOND))
    }
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
        assert_eq!(parse("2024-02-29T00:00:00Z").map(day).as_deref(), Some("2024-02-29"));
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
        for (from, to) in [(0, 0), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (5, 5)] {
            assert!(ticks(from, to, 5).len() <= 6);
        }
    }
}

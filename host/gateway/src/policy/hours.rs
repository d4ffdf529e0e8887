//! When actions may run: windows of the week in a fixed offset from UTC.
//!
//! **In**: what the operator wrote (`mon-fri 08:00-18:00`). **Out**: [`Hours`], which say whether an instant is inside, and when they
//! next open. **Trusted**: the operator, to narrow what is open; nobody is open longer than always. **Can fail**: when it is not
//! understood; the error says what may be written.
//!
//! A zone is `UTC` or a fixed offset. Names of zones (`Europe/Berlin`) are refused: their rules change with the machine's zone
//! database, and an hour of each year would be there twice or not at all.

/// Minutes of a day.
const DAY: u32 = 24 * 60;
/// Minutes of a week.
const WEEK: u32 = 7 * DAY;
/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;
/// 1970-01-01 was a Thursday: days from Monday.
const EPOCH_WEEKDAY: i64 = 3;
/// The easternmost offset that was ever in use is +14:00; the westernmost -12:00.
const MAX_OFFSET_MINUTES: i32 = 14 * 60;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Windows of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    zone: String,
    offset_minutes: i32,
    written: Vec<String>,
    windows: Vec<Window>,
}

/// One window: minutes from Monday 00:00, and how many. One that crosses midnight, or the end of the week, just goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    start: u32,
    minutes: u32,
}

impl Window {
    fn contains(self, minute: u32) -> bool {
        (minute + WEEK - self.start) % WEEK < self.minutes
    }
}

impl Hours {
    /// Reads a zone and its windows.
    ///
    /// # Errors
    /// What is not understood, and what may be written instead.
    pub fn parse(zone: &str, windows: &[String]) -> Result<Self, String> {
        let offset_minutes = parse_zone(zone)?;
        if windows.is_empty() {
            return Err(
                "`windows` is empty, so nothing could ever run; write at least one, as `mon-fri 08:00-18:00`"
                    .to_owned(),
            );
        }
        let mut parsed = Vec::new();
        for written in windows {
            parsed.extend(parse_window(written)?);
        }
        Ok(Self {
            zone: zone.to_owned(),
            offset_minutes,
            written: windows.to_vec(),
            windows: parsed,
        })
    }

    /// The zone as it was written.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The windows as they were written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether the instant is inside a window. A window holds its first minute and not its last instant.
    pub fn is_open(&self, at_us: i64) -> bool {
        let minute = self.minute_of_week(at_us);
        self.windows.iter().any(|w| w.contains(minute))
    }

    /// When each window next begins, at `at_us` or later.
    fn openings(&self, at_us: i64) -> impl Iterator<Item = i64> {
        let minute = self.minute_of_week(at_us);
        let into_minute = at_us.rem_euclid(MINUTE_US);
        self.windows.iter().map(move |w| {
            let mut wait = i64::from((w.start + WEEK - minute) % WEEK);
            if wait == 0 && into_minute > 0 {
                wait = i64::from(WEEK);
            }
            at_us.saturating_add(wait * MINUTE_US - into_minute)
        })
    }

    fn minute_of_week(&self, at_us: i64) -> u32 {
        let minutes = at_us.div_euclid(MINUTE_US) + i64::from(self.offset_minutes) + EPOCH_WEEKDAY * i64::from(DAY);
        u32::try_from(minutes.rem_euclid(i64::from(WEEK))).unwrap_or(0)
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.written.join(", "), self.zone)
    }
}

/// Whether all of `hours` are open together, and when not, when they will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// They are.
    Open,
    /// From that instant on, in microseconds.
    OpensAt(i64),
    /// There is no such instant.
    Never,
}

/// Whether all of `hours` are open at `at_us`. Without any, all is open.
pub fn openness(hours: &[Hours], at_us: i64) -> Openness {
    let all_open = |at: i64| hours.iter().all(|h| h.is_open(at));
    if all_open(at_us) {
        return Openness::Open;
    }
    // They become open together when one of them opens, and after a week everything repeats.
    let openings = hours.iter().flat_map(|h| h.openings(at_us));
    openings
        .filter(|at| all_open(*at))
        .min()
        .map_or(Openness::Never, Openness::OpensAt)
}

fn parse_zone(zone: &str) -> Result<i32, String> {
    let wrong = || {
        format!(
            "`time_zone` is `{}`; write `UTC` or a fixed offset as `+01:00` (a name such as `Europe/Berlin` is not taken: its rules \
             change)",
            zone.escape_debug()
        )
    };
    if zone == "UTC" {
        return Ok(0);
    }
    let (sign, rest) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let minutes = parse_time(rest)
        .and_then(|minutes| i32::try_from(minutes).ok())
        .filter(|minutes| *minutes <= MAX_OFFSET_MINUTES);
    minutes.map(|minutes| sign * minutes).ok_or_else(wrong)
}

/// `mon-fri,sun 08:00-18:00`, `daily 22:00-04:00`: a window for each day.
fn parse_window(written: &str) -> Result<Vec<Window>, String> {
    let wrong = || {
        format!(
            "`windows` has `{}`; write days and times as `mon-fri 08:00-18:00`, `sat,sun 22:00-04:00` or `daily 00:00-24:00`",
            written.escape_debug()
        )
    };
    let (days, times) = written.split_once(' ').ok_or_else(wrong)?;
    let (from, to) = times.split_once('-').ok_or_else(wrong)?;
    let from = parse_time(from).filter(|from| *from < DAY).ok_or_else(wrong)?;
    let to = parse_time(to).ok_or_else(wrong)?;
    if from == to {
        return Err(format!(
            "`windows` has `{}`, which begins when it ends; write `00:00-24:00` for a whole day",
            written.escape_debug()
        ));
    }
    // An end before the beginning is one of the next day.
    let minutes = if to > from { to - from } else { DAY - from + to };
    let days = parse_days(days).ok_or_else(wrong)?;
    let window = |day: u32| Window {
        start: day * DAY + from,
        minutes,
    };
    Ok(days.into_iter().map(window).collect())
}

fn parse_days(days: &str) -> Option<Vec<u32>> {
    if days == "daily" {
        return Some((0..7).collect());
    }
    let day = |name: &str| DAYS.iter().position(|d| *d == name).and_then(|d| u32::try_from(d).ok());
    let mut parsed = Vec::new();
    for part in days.split(',') {
        match part.split_once('-') {
            None => parsed.push(day(part)?),
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                // `fri-mon` goes over the end of the week.
                let count = (last + 7 - first) % 7 + 1;
                parsed.extend((first..first + count).map(|d| d % 7));
            }
        }
    }
    Some(parsed)
}

/// `HH:MM`, up to `24:00`, in minutes.
fn parse_time(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |t: &str| {
        (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()))
            .then(|| t.parse::<u32>().ok())
            .flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= DAY).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(zone: &str, windows: &[&str]) -> Hours {
        Hours::parse(zone, &windows.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn a_window_holds_its_days_and_times_in_its_zone() {
        // 2026-11-23 is a Monday.
        let office = hours("UTC", &["mon-fri 08:00-18:00"]);
        for (time, open) in [
            ("2026-11-23T07:59:59.999999Z", false),
            ("2026-11-23T08:00:00Z", true),
            ("2026-11-27T17:59:59.999999Z", true),
            ("2026-11-27T18:00:00Z", false),
            ("2026-11-28T12:00:00Z", false),
        ] {
            assert_eq!(office.is_open(at(time)), open, "{time}");
        }
        let east = hours("+05:30", &["mon 00:00-01:00"]);
        assert!(
            east.is_open(at("2026-11-22T18:30:00Z")),
            "Monday begins on Sunday there"
        );
        assert!(!east.is_open(at("2026-11-23T00:30:00Z")));
        let west = hours("-08:00", &["sun 23:00-24:00"]);
        assert!(west.is_open(at("2026-11-23T07:30:00Z")));
        assert!(hours("UTC", &["daily 00:00-24:00"]).is_open(at("1969-12-31T23:59:59Z")));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let night = hours("UTC", &["sun 22:00-04:00"]);
        assert!(night.is_open(at("2026-11-22T22:00:00Z")));
        assert!(night.is_open(at("2026-11-23T03:59:59Z")), "over the end of the week");
        assert!(!night.is_open(at("2026-11-23T04:00:00Z")));
        assert!(!night.is_open(at("2026-11-22T03:00:00Z")), "Saturday had none");
        let weekend = hours("UTC", &["fri-mon 12:00-13:00"]);
        for (day, open) in [("20", true), ("21", true), ("22", true), ("23", true), ("24", false)] {
            assert_eq!(weekend.is_open(at(&format!("2026-11-{day}T12:30:00Z"))), open, "{day}");
        }
    }

    #[test]
    fn what_is_closed_says_when_it_opens() {
        let office = hours("+01:00", &["mon-fri 08:00-18:00"]);
        let opens = |time: &str, hours: &[Hours]| openness(hours, at(time));
        let monday = Openness::OpensAt(at("2026-11-23T07:00:00Z"));
        assert_eq!(opens("2026-11-20T17:00:00Z", std::slice::from_ref(&office)), monday);
        assert_eq!(opens("2026-11-23T06:59:59.5Z", std::slice::from_ref(&office)), monday);
        assert_eq!(
            opens("2026-11-23T07:00:00Z", std::slice::from_ref(&office)),
            Openness::Open
        );
        assert_eq!(opens("2026-11-23T06:59:59.5Z", &[]), Openness::Open);
        // Both have to be open.
        let late = hours("UTC", &["daily 16:00-22:00"]);
        let both = [office.clone(), late];
        assert_eq!(
            opens("2026-11-23T12:00:00Z", &both),
            Openness::OpensAt(at("2026-11-23T16:00:00Z"))
        );
        assert_eq!(
            opens("2026-11-23T17:30:00Z", &both),
            Openness::OpensAt(at("2026-11-24T16:00:00Z"))
        );
        let never = [office, hours("+01:00", &["sat 08:00-18:00"])];
        assert_eq!(opens("2026-11-23T12:00:00Z", &never), Openness::Never);
        // In the first minute of its only window's beginning, but not at its first instant.
        let once = hours("UTC", &["mon 08:00-08:01"]);
        assert_eq!(
            opens("2026-11-23T08:01:30Z", &[once]),
            Openness::OpensAt(at("2026-11-30T08:00:00Z"))
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_may_be_written() {
        for zone in [
            "Europe/Berlin",
            "CET",
            "utc",
            "",
            "+1:00",
            "+15:00",
            "+01:60",
            "01:00",
            "+24:00",
            "+é:00",
        ] {
            let error = Hours::parse(zone, &["daily 00:00-24:00".to_owned()]).unwrap_err();
            assert!(error.contains("`UTC`") && error.contains("+01:00"), "{zone}: {error}");
        }
        for window in [
            "",
            "mon",
            "mon 8:00-18:00",
            "mon 08:00",
            "mon 08:00-25:00",
            "mon 24:00-01:00",
            "Mon 08:00-18:00",
            "mon-  08:00-18:00",
            "mo-fr 08:00-18:00",
            "mon,  08:00-18:00",
            "mon 08:60-18:00",
            "mon 08:00-18:00 ",
            "mon +8:00-18:00",
        ] {
            let error = Hours::parse("UTC", &[window.to_owned()]).unwrap_err();
            assert!(error.contains("mon-fri 08:00-18:00"), "{window}: {error}");
        }
        assert!(
            Hours::parse("UTC", &["mon 08:00-08:00".to_owned()])
                .unwrap_err()
                .contains("whole day")
        );
        assert!(Hours::parse("UTC", &[]).unwrap_err().contains("at least one"));
    }

    proptest::proptest! {
        /// The instant that is named is open, and nothing before it is.
        #[test]
        fn the_opening_is_the_first_open_instant(now in 0i64..4_000_000_000_000_000, start in 0u32..1440, length in 1u32..1440, day in 0usize..7, offset in -720i32..=840) {
            let end = (start + length - 1) % DAY + 1;
            if start != end {
                let zone = format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 60, offset.abs() % 60);
                let window = format!("{} {:02}:{:02}-{:02}:{:02}", DAYS[day], start / 60, start % 60, end / 60, end % 60);
                let hours = [hours(&zone, &[&window])];
                match openness(&hours, now) {
                    Openness::Open => proptest::prop_assert!(hours[0].is_open(now)),
                    Openness::OpensAt(opens) => {
                        proptest::prop_assert!(opens > now && hours[0].is_open(opens) && !hours[0].is_open(opens - 1));
                        for step in 0..100 {
                            proptest::prop_assert!(!hours[0].is_open(now + (opens - 1 - now) / 100 * step));
                        }
                    }
                    Openness::Never => proptest::prop_assert!(false, "a window comes back every week"),
                }
            }
        }
    }
}

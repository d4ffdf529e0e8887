//! Instants: of log entries, and of `--since`/`--until`.
//!
//! **In**: text. **Out**: microseconds since the Unix epoch, UTC. **Can fail**: anything that is not an instant is refused, for
//! log text without an error value (the caller counts it), for options with [`InstantError`].

use crate::bytes::{at, digits, from, slice};

/// Why an option's instant was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstantError {
    /// Neither form.
    #[error(
        "`{text}` is no instant: write RFC 3339 like `2026-11-23T05:00:00Z`, or a time before now like `90s`, `30m`, `2h`, `3d`"
    )]
    Syntax {
        /// What was typed.
        text: String,
    },
    /// RFC 3339 without an offset.
    #[error("`{text}` does not say its offset from UTC: append `Z` or one like `+01:00`")]
    NoOffset {
        /// What was typed.
        text: String,
    },
    /// Beyond what microseconds since the epoch can hold.
    #[error("`{text}` is out of range: write an instant of the years 0 to 9999")]
    Range {
        /// What was typed.
        text: String,
    },
}

/// Reads RFC 3339, or a length of time before `now_us` (`90s`, `30m`, `2h`, `3d`, `1w`).
///
/// # Errors
/// [`InstantError`] says what to write instead.
///
/// ```
/// let now_us = 1_795_410_000_000_000;
/// assert_eq!(pg_logstats_logs::instant::parse_instant("2h", now_us), Ok(now_us - 7_200_000_000));
/// assert_eq!(pg_logstats_logs::instant::parse_instant("1970-01-01T00:00:01Z", now_us), Ok(1_000_000));
/// ```
pub fn parse_instant(text: &str, now_us: i64) -> Result<i64, InstantError> {
    let typed = || crate::bytes::escaped(text.as_bytes(), 60);
    let trimmed = text.trim();
    if let Some((value, end)) = digits(trimmed.as_bytes(), 0)
        && let Some(unit_us) = unit_us(from(trimmed.as_bytes(), end))
    {
        let back = i64::try_from(value).ok().and_then(|value| value.checked_mul(unit_us));
        return back
            .and_then(|back| now_us.checked_sub(back))
            .filter(|at_us| *at_us > -62_167_219_200_000_000)
            .ok_or_else(|| InstantError::Range { text: typed() });
    }
    if let Ok(instant) = trimmed.parse::<jiff::Timestamp>() {
        return Ok(instant.as_microsecond());
    }
    if trimmed.parse::<jiff::civil::DateTime>().is_ok() {
        return Err(InstantError::NoOffset { text: typed() });
    }
    Err(InstantError::Syntax { text: typed() })
}

fn unit_us(unit: &[u8]) -> Option<i64> {
    let seconds = match unit {
        b"s" => 1,
        b"m" | b"min" => 60,
        b"h" => 3_600,
        b"d" => 86_400,
        b"w" => 604_800,
        _ => return None,
    };
    Some(seconds * 1_000_000)
}

/// Reads the timestamps of one log. Consecutive entries share their second, so the last one is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    second_text: [u8; 19],
    second_us: i64,
    zone_text: [u8; 8],
    zone_len: usize,
    zone: Zone,
}

/// A time zone as a log writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Zone {
    east_us: i64,
    /// The abbreviation is used by one offset only, as far as we know.
    certain: bool,
}

/// A timestamp that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) at_us: i64,
    /// The zone's offset is known for sure.
    pub(crate) certain: bool,
}

impl Clock {
    /// Reads `2026-11-23 05:04:31[.054] UTC` from `start`: the instant and the position after it.
    #[inline]
    pub(crate) fn read(&mut self, bytes: &[u8], start: usize, millis: bool) -> Option<(Stamp, usize)> {
        let second = slice(bytes, start, start + 19);
        if second.is_empty() {
            return None;
        }
        if second != self.second_text {
            self.second_us = civil_second_us(second)?;
            self.second_text.copy_from_slice(second);
        }
        let mut position = start + 19;
        let mut at_us = self.second_us;
        if millis {
            if at(bytes, position) != b'.' {
                return None;
            }
            let (value, end) = digits(bytes, position + 1)?;
            let scale = match end - position {
                4 => 1_000,
                7 => 1,
                _ => return None,
            };
            at_us += i64::try_from(value).ok()? * scale;
            position = end;
        }
        if at(bytes, position) != b' ' {
            return None;
        }
        position += 1;
        let known = self.zone_text.get(..self.zone_len).unwrap_or_default();
        let end = position + self.zone_len;
        if self.zone_len == 0 || slice(bytes, position, end) != known || is_zone_byte(known, at(bytes, end)) {
            return self.read_zone(bytes, position, at_us);
        }
        Some((
            Stamp {
                at_us: at_us - self.zone.east_us,
                certain: self.zone.certain,
            },
            end,
        ))
    }

    #[cold]
    fn read_zone(&mut self, bytes: &[u8], start: usize, at_us: i64) -> Option<(Stamp, usize)> {
        let mut end = start;
        while end - start < 9 && is_zone_byte(slice(bytes, start, end), at(bytes, end)) {
            end += 1;
        }
        let text = slice(bytes, start, end);
        if text.is_empty() || text.len() > 8 {
            return None;
        }
        let zone = zone(text)?;
        self.zone_text.get_mut(..text.len())?.copy_from_slice(text);
        self.zone_len = text.len();
        self.zone = zone;
        Some((
            Stamp {
                at_us: at_us - zone.east_us,
                certain: zone.certain,
            },
            end,
        ))
    }
}

/// Whether `next` continues the zone `so_far`: letters, or a sign and digits.
fn is_zone_byte(so_far: &[u8], next: u8) -> bool {
    match so_far.first() {
        None => next.is_ascii_alphabetic() || next == b'+' || next == b'-',
        Some(first) if first.is_ascii_alphabetic() => next.is_ascii_alphabetic(),
        Some(_) => next.is_ascii_digit() && so_far.len() < 5,
    }
}

/// `2026-11-23 05:04:31` as if it were UTC.
fn civil_second_us(text: &[u8]) -> Option<i64> {
    let number = |start: usize, len: usize| -> Option<i64> {
        let (value, end) = digits(slice(text, start, start + len), 0)?;
        (end == len).then(|| i64::try_from(value).ok()).flatten()
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if separators.iter().any(|(position, byte)| at(text, *position) != *byte) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March: the leap day is the last of its year.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn zone(text: &[u8]) -> Option<Zone> {
    let sure = |minutes: i64| Zone {
        east_us: minutes * 60_000_000,
        certain: true,
    };
    if let [sign @ (b'+' | b'-'), rest @ ..] = text {
        let (value, end) = digits(rest, 0)?;
        let value = i64::try_from(value).ok()?;
        let minutes = match (rest.len(), end) {
            (2, 2) => value * 60,
            (4, 4) => value / 100 * 60 + value % 100,
            _ => return None,
        };
        return Some(sure(if *sign == b'-' { -minutes } else { minutes }));
    }
    Some(match text {
        b"UTC" | b"GMT" | b"WET" | b"Z" => sure(0),
        b"WEST" | b"CET" | b"MEZ" => sure(60),
        b"CEST" | b"EET" | b"SAST" | b"CAT" => sure(120),
        b"EEST" | b"MSK" | b"EAT" => sure(180),
        b"PKT" => sure(300),
        b"WIB" => sure(420),
        b"AWST" | b"HKT" | b"WITA" => sure(480),
        b"JST" | b"KST" => sure(540),
        b"AEST" => sure(600),
        b"ACST" => sure(570),
        b"ACDT" => sure(630),
        b"AEDT" => sure(660),
        b"NZST" => sure(720),
        b"NZDT" => sure(780),
        b"NST" => sure(-210),
        b"NDT" => sure(-150),
        b"ADT" => sure(-180),
        b"EDT" => sure(-240),
        b"EST" | b"CDT" => sure(-300),
        b"MDT" => sure(-360),
        b"MST" | b"PDT" => sure(-420),
        b"PST" | b"AKDT" => sure(-480),
        b"AKST" => sure(-540),
        b"HST" => sure(-600),
        // Used by several countries with different offsets: the most frequent one, said to be a guess.
        b"IST" => Zone {
            east_us: 330 * 60_000_000,
            certain: false,
        },
        b"BST" => Zone {
            east_us: 60 * 60_000_000,
            certain: false,
        },
        b"CST" => Zone {
            east_us: -360 * 60_000_000,
            certain: false,
        },
        b"AST" => Zone {
            east_us: -240 * 60_000_000,
            certain: false,
        },
        _ => Zone {
            east_us: 0,
            certain: false,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, millis: bool) -> Option<(i64, usize)> {
        Clock::default()
            .read(text.as_bytes(), 0, millis)
            .map(|(stamp, end)| (stamp.at_us, end))
    }

    #[test]
    fn log_timestamps_agree_with_jiff() {
        for (log, rfc) in [
            ("2026-11-23 05:04:31.054 UTC", "2026-11-23T05:04:31.054Z"),
            ("2024-02-29 23:59:59.999 CEST", "2024-02-29T23:59:59.999+02:00"),
            ("1999-12-31 00:00:00.000 +0530", "1999-12-31T00:00:00+05:30"),
            ("2026-03-01 12:00:00.001 -03", "2026-03-01T12:00:00.001-03:00"),
        ] {
            let expected = rfc.parse::<jiff::Timestamp>().unwrap().as_microsecond();
            assert_eq!(read(log, true), Some((expected, log.len())), "{log}");
        }
    }

    #[test]
    fn a_zone_ends_where_the_prefix_goes_on() {
        assert_eq!(
            read("2026-11-23 05:04:31 UTC:10.0.0.1(5):", false).map(|read| read.1),
            Some(23)
        );
        assert_eq!(read("2026-11-23 05:04:31 +03 [7]", false).map(|read| read.1), Some(23));
        assert_eq!(read("2026-11-23 05:04:31 UTC-7", false).map(|read| read.1), Some(23));
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-13-23 05:04:31 UTC",
            "2026-11-23 25:04:31 UTC",
            "2026-11-23 05:04:31",
            "2026-11-23 05:04:31 ",
        ] {
            assert_eq!(read(text, false), None, "{text}");
        }
        assert_eq!(read("2026-11-23 05:04:31 UTC", true), None);
    }

    #[test]
    fn a_clock_that_remembers_reads_as_a_fresh_one() {
        let mut clock = Clock::default();
        for text in [
            "2026-11-23 05:04:31 UTC",
            "2026-11-23 05:04:31 CET",
            "2026-11-23 05:04:31 CEST",
            "2026-11-23 05:04:31 UTC",
        ] {
            assert_eq!(
                clock.read(text.as_bytes(), 0, false),
                Clock::default().read(text.as_bytes(), 0, false)
            );
        }
    }

    #[test]
    fn options_say_what_to_write() {
        assert_eq!(parse_instant("30m", 3_600_000_000), Ok(1_800_000_000));
        assert_eq!(parse_instant("1970-01-01T01:00:00+01:00", 0), Ok(0));
        assert!(
            parse_instant("2026-11-23T05:00:00", 0)
                .unwrap_err()
                .to_string()
                .contains("append `Z`")
        );
        assert!(
            parse_instant("yesterday", 0)
                .unwrap_err()
                .to_string()
                .contains("`yesterday`")
        );
        assert!(matches!(
            parse_instant("99999999999999999999d", 0),
            Err(InstantError::Range { .. })
        ));
    }
}

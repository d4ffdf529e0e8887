//! Instants: the wall clock, and their text.

use jiff::Timestamp;

/// Now, in microseconds since the Unix epoch.
pub fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}

/// `us` as RFC 3339 in UTC, to the microsecond when it has any. An instant that no calendar holds is shown as its number.
pub fn rfc3339(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| format!("{us} us"), |t| t.to_string())
}

//! Connections: who came from where, and how long sessions lasted.
//!
//! **In**: the messages of `log_connections` and `log_disconnections`. **Out**: names, host, duration. **Can fail**: another wording is none
//! of these. Names are the client's text and may imitate what stands behind them, so a host and a name are taken only where they can be read
//! in one way. Wording: PostgreSQL 10 to 18, `backend_startup.c`, `postinit.c`, `postgres.c`.

use crate::bytes::{at, decimal, digits, from, slice, split_once, up_to};

/// Longer than two names of 63 bytes and a host.
const MAX_BYTES: usize = 1_024;
/// Longest host name (RFC 1035) and some more.
const MAX_HOST_BYTES: usize = 256;

/// A session that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended<'m> {
    pub(crate) session_us: u64,
    pub(crate) user: &'m [u8],
    pub(crate) database: &'m [u8],
    pub(crate) host: Option<&'m [u8]>,
}

/// Reads `disconnection: session time: 0:00:00.005 user=u database=d host=[local]`.
pub(crate) fn ended(message: &[u8]) -> Option<Ended<'_>> {
    let rest = up_to(message, MAX_BYTES).strip_prefix(b"disconnection: session time: ")?;
    let (hours, colon) = digits(rest, 0)?;
    let (minutes, second_colon) = digits(rest, colon + 1)?;
    let (fraction_us, end) = decimal(rest, second_colon + 1, 6)?;
    if at(rest, colon) != b':' || at(rest, second_colon) != b':' {
        return None;
    }
    let seconds = hours.saturating_mul(3_600).saturating_add(minutes.saturating_mul(60));
    let session_us = seconds.saturating_mul(1_000_000).saturating_add(fraction_us);
    let names = from(rest, end).strip_prefix(b" user=")?;
    let (user, rest) = split_once(names, b" database=").unwrap_or((b"", b""));
    let (database, host) = split_once(rest, b" host=").unwrap_or((b"", b""));
    Some(Ended {
        session_us,
        user,
        database,
        host: self::host(host),
    })
}

/// Reads the host of `connection received: host=10.0.0.7 port=4242`.
pub(crate) fn received(message: &[u8]) -> Option<&[u8]> {
    let rest = up_to(message, MAX_BYTES).strip_prefix(b"connection received: host=")?;
    host(rest)
}

/// A host with its port or without, and nothing behind.
fn host(text: &[u8]) -> Option<&[u8]> {
    let (host, port) = match memchr::memmem::find(text, b" port=") {
        Some(place) => (slice(text, 0, place), from(text, place + 6)),
        None => (text, &b"0"[..]),
    };
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-_%[]".contains(byte);
    let one_way = !host.is_empty() && host.len() <= MAX_HOST_BYTES && host.iter().all(is_host);
    (one_way && !port.is_empty() && port.iter().all(u8::is_ascii_digit)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disconnection_tells_its_session() {
        let found =
            ended(b"disconnection: session time: 27:01:02.345 user=app database=shop host=10.0.0.7 port=4242").unwrap();
        assert_eq!(found.session_us, 97_262_345_000);
        assert_eq!(
            (found.user, found.database, found.host),
            (&b"app"[..], &b"shop"[..], Some(&b"10.0.0.7"[..]))
        );
        let local = ended(b"disconnection: session time: 0:00:00.005 user=app database=shop host=[local]").unwrap();
        assert_eq!((local.session_us, local.host), (5_000, Some(&b"[local]"[..])));
        assert_eq!(ended(b"disconnection: session time: soon user=app"), None);
    }

    #[test]
    fn names_that_imitate_the_rest_are_not_read() {
        let user =
            ended(b"disconnection: session time: 0:00:00.005 user=a database=b database=shop host=[local]").unwrap();
        assert_eq!((user.user, user.database, user.host), (&b""[..], &b""[..], None));
        let database =
            ended(b"disconnection: session time: 0:00:00.005 user=a database=b host=forged host=[local]").unwrap();
        assert_eq!(
            (database.user, database.database, database.host),
            (&b"a"[..], &b""[..], None)
        );
    }

    #[test]
    fn a_connection_tells_its_host() {
        assert_eq!(received(b"connection received: host=::1 port=50142"), Some(&b"::1"[..]));
        assert_eq!(received(b"connection received: host=[local]"), Some(&b"[local]"[..]));
        assert_eq!(
            received(b"connection received: host=db-7.example.com port=1"),
            Some(&b"db-7.example.com"[..])
        );
        for none in [
            "connection received: host=",
            "connection received: host=a b port=1",
            "connection received: host=a port=x",
        ] {
            assert_eq!(received(none.as_bytes()), None, "{none}");
        }
    }
}

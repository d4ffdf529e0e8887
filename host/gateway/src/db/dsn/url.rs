//! `postgres://user:password@host:port/dbname?option=value`.

use super::Options;

/// Reads the URL. Errors do not hold any of it.
pub(super) fn parse(url: &str) -> Result<Options, &'static str> {
    let rest = url
        .strip_prefix("postgres://")
        .or_else(|| url.strip_prefix("postgresql://"))
        .ok_or("the URL does not begin with `postgres://` or `postgresql://`")?;
    if rest.contains('#') {
        return Err("the URL has a `#`, which has to be written `%23`");
    }
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, ""), |(authority, path)| (authority, path));
    if path.contains('/') {
        return Err("the database's name has a `/`, which has to be written `%2F` (so has one in a password)");
    }
    let (userinfo, host_port) = match authority.rsplit_once('@') {
        Some((userinfo, host_port)) => (Some(userinfo), host_port),
        None => (None, authority),
    };
    let mut options = Options::new();
    let mut set = |name: &str, encoded: &str| -> Result<(), &'static str> {
        let value = decode(encoded)?;
        if value.is_empty() || options.insert(name.to_owned(), value).is_none() {
            Ok(())
        } else {
            Err("an option stands there twice")
        }
    };
    if let Some(userinfo) = userinfo {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        set("user", user)?;
        set("password", password)?;
    }
    let (host, port) = split_host_port(host_port)?;
    set("host", host)?;
    set("port", port)?;
    set("dbname", path)?;
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("an option after `?` has no `=`")?;
        set(&decode(name)?, value)?;
    }
    Ok(options)
}

/// `host:port`, `[v6]:port`; either may be missing.
fn split_host_port(text: &str) -> Result<(&str, &str), &'static str> {
    if let Some(v6) = text.strip_prefix('[') {
        let (host, rest) = v6.split_once(']').ok_or("a `[` is not closed")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, port)),
            None if rest.is_empty() => Ok((host, "")),
            None => Err("there is something between `]` and the port"),
        };
    }
    // Several hosts are refused later, with their own words.
    Ok(if text.contains(',') {
        (text, "")
    } else {
        text.split_once(':').unwrap_or((text, ""))
    })
}

fn decode(text: &str) -> Result<String, &'static str> {
    const REASON: &str = "a `%` is not followed by two hex digits (a `%` in a password has to be written `%25`)";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).ok_or(REASON);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).map_err(|_| REASON)?);
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 after decoding")?;
    if text.contains('\0') {
        Err("it has a NUL byte")
    } else {
        Ok(text)
    }
}

//! `host=… dbname='…'`: libpq's keyword/value strings.

use super::Options;

/// Reads the string. Errors do not hold any of it.
pub(super) fn parse(text: &str) -> Result<Options, &'static str> {
    let mut options = Options::new();
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return Err("it is empty");
    }
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or("there is a word without `=`")?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err("there is a word without `=`");
        }
        let (value, after) = value(after.trim_start())?;
        if options.insert(name.to_owned(), value).is_some() {
            return Err("an option stands there twice");
        }
        rest = after.trim_start();
    }
    Ok(options)
}

/// One value, quoted or not, and what follows it. A backslash makes the next character plain.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next().ok_or("a backslash ends it")?.1),
            '\'' if quoted => return Ok((value, body.get(at + 1..).unwrap_or_default())),
            c if !quoted && c.is_whitespace() => return Ok((value, body.get(at..).unwrap_or_default())),
            c => value.push(c),
        }
    }
    if quoted {
        Err("a quote is not closed")
    } else {
        Ok((value, ""))
    }
}

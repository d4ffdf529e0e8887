//! Total functions on byte slices: no index of hostile input can panic.

/// The byte at `index`, or NUL past the end.
#[inline(always)]
pub(crate) fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

/// `bytes[start..end]`, or the empty slice where that does not exist.
#[inline(always)]
pub(crate) fn slice(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    bytes.get(start..end).unwrap_or_default()
}

/// `bytes[start..]`, or the empty slice where that does not exist.
#[inline(always)]
pub(crate) fn from(bytes: &[u8], start: usize) -> &[u8] {
    bytes.get(start..).unwrap_or_default()
}

/// At most the first `len` bytes.
#[inline(always)]
pub(crate) fn up_to(bytes: &[u8], len: usize) -> &[u8] {
    bytes.get(..len).unwrap_or(bytes)
}

/// Position of the next line feed at or after `start`, or the end.
#[inline(always)]
pub(crate) fn line_end(bytes: &[u8], start: usize) -> usize {
    match memchr::memchr(b'\n', from(bytes, start)) {
        Some(found) => start + found,
        None => bytes.len(),
    }
}

/// Reads decimal digits from `start`: the value (saturating) and the position after the last digit; none without a digit.
#[inline]
pub(crate) fn digits(bytes: &[u8], start: usize) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    let mut position = start;
    while let Some(byte) = bytes.get(position) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.saturating_mul(10).saturating_add(u64::from(digit));
        position += 1;
    }
    (position > start).then_some((value, position))
}

/// The same with an optional minus sign.
#[inline]
pub(crate) fn signed(bytes: &[u8], start: usize) -> Option<(i64, usize)> {
    let negative = at(bytes, start) == b'-';
    let (value, end) = digits(bytes, start + usize::from(negative))?;
    let value = if negative {
        0i64.checked_sub_unsigned(value)?
    } else {
        i64::try_from(value).ok()?
    };
    Some((value, end))
}

/// Reads lower or upper case hexadecimal digits, at most 16.
#[inline]
pub(crate) fn hexadecimal(bytes: &[u8], start: usize) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    let mut position = start;
    while let Some(digit) = bytes.get(position).and_then(|byte| char::from(*byte).to_digit(16)) {
        if position - start == 16 {
            return None;
        }
        value = (value << 4) | u64::from(digit);
        position += 1;
    }
    (position > start).then_some((value, position))
}

/// Without blanks at both ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// At most `max_chars` characters with control characters escaped, for error messages.
pub(crate) fn escaped(bytes: &[u8], max_chars: usize) -> String {
    let text = String::from_utf8_lossy(up_to(bytes, max_chars.saturating_mul(4)));
    let mut out = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == max_chars {
            out.push('…');
            return out;
        }
        if character.is_control() || character == '`' {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    if bytes.len() > max_chars.saturating_mul(4) {
        out.push('…');
    }
    out
}

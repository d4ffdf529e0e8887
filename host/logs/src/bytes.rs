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

/// Reads a decimal number from `start` in units of its last of `places` digits behind the point: `0.025` with 6 places is 25,000. Digits further
/// behind are cut off. The value (saturating) and the position after it; none without a digit.
pub(crate) fn decimal(bytes: &[u8], start: usize, places: u32) -> Option<(u64, usize)> {
    let (mut value, mut position) = digits(bytes, start)?;
    let mut missing = places;
    if at(bytes, position) == b'.' && at(bytes, position + 1).is_ascii_digit() {
        position += 1;
        while at(bytes, position).is_ascii_digit() {
            if missing > 0 {
                value = value
                    .saturating_mul(10)
                    .saturating_add(u64::from(at(bytes, position) - b'0'));
                missing -= 1;
            }
            position += 1;
        }
    }
    Some((value.saturating_mul(10u64.saturating_pow(missing)), position))
}

/// The number behind the first `label` in a text, as [`decimal`] reads it.
pub(crate) fn labelled(text: &[u8], label: &str, places: u32) -> Option<u64> {
    let found = memchr::memmem::find(text, label.as_bytes())?;
    decimal(text, found + label.len(), places).map(|(value, _)| value)
}

/// The number before the first `label` in a text.
pub(crate) fn counted(text: &[u8], label: &str) -> Option<u64> {
    let end = memchr::memmem::find(text, label.as_bytes())?;
    let start = slice(text, 0, end)
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |place| place + 1);
    digits(slice(text, 0, end), start).map(|(value, _)| value)
}

/// Both sides of the only place where the separator stands; none where it stands nowhere or twice.
pub(crate) fn split_once<'t>(text: &'t [u8], separator: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    let first = memchr::memmem::find(text, separator)?;
    let is_only = memchr::memmem::rfind(text, separator) == Some(first);
    is_only.then(|| (slice(text, 0, first), from(text, first + separator.len())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal(b"0.025 s", 0, 6), Some((25_000, 5)));
        assert_eq!(decimal(b"x12", 1, 3), Some((12_000, 3)));
        assert_eq!(decimal(b"1.23456789", 0, 3), Some((1_234, 10)));
        assert_eq!(decimal(b"7.", 0, 2), Some((700, 1)));
        assert_eq!(decimal(b".5", 0, 2), None);
        assert_eq!(decimal(b"99999999999999999999.9", 0, 6), Some((u64::MAX, 22)));
    }

    #[test]
    fn numbers_are_found_by_their_words() {
        let text = b"wrote 44 buffers (0.3%); sync files=11, longest=0.011 s";
        assert_eq!(counted(text, " buffers"), Some(44));
        assert_eq!(labelled(text, "longest=", 6), Some(11_000));
        assert_eq!(labelled(text, "average=", 6), None);
        assert_eq!(counted(b" buffers", " buffers"), None);
        assert_eq!(counted(b"7 buffers", " buffers"), Some(7));
    }
}

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

/// Whether two texts are the same. Short ones are compared without a call: two words from both ends cover them.
#[inline(always)]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    match one.len() {
        len if len != other.len() => false,
        8..=16 => {
            one.first_chunk::<8>() == other.first_chunk::<8>() && one.last_chunk::<8>() == other.last_chunk::<8>()
        }
        4..8 => one.first_chunk::<4>() == other.first_chunk::<4>() && one.last_chunk::<4>() == other.last_chunk::<4>(),
        0..4 => one.iter().eq(other),
        _ => one == other,
    }
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
    while let Some(eight) = from(bytes, position).first_chunk::<8>() {
        let (count, number) = leading_digits(u64::from_le_bytes(*eight));
        value = value.saturating_mul(POWERS_OF_TEN.get(count).copied().unwrap_or(1));
        value = value.saturating_add(number);
        position += count;
        if count < 8 {
            return (position > start).then_some((value, position));
        }
    }
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

const POWERS_OF_TEN: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How many of eight bytes, the first one lowest, are digits up to the first that is none, and the number they write.
#[inline(always)]
fn leading_digits(eight: u64) -> (usize, u64) {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let values = eight ^ 0x3030_3030_3030_3030;
    // The high bit of each byte that is more than 9. What a sum carries over reaches later bytes only.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH;
    let bits = others.trailing_zeros() & !7;
    if bits == 0 {
        return (0, 0);
    }
    // The digits move to the end, zeros in front; then neighbours are joined to pairs, pairs to fours, and fours to the number.
    let units = values << (64 - bits);
    let pairs = (units.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
    ((bits / 8) as usize, number)
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
    while let Some(digit) = bytes.get(position).and_then(|byte| HEXADECIMAL.get(usize::from(*byte)))
        && *digit < 16
    {
        if position - start == 16 {
            return None;
        }
        value = (value << 4) | u64::from(*digit);
        position += 1;
    }
    (position > start).then_some((value, position))
}

/// The value of each byte as a hexadecimal digit; 16 for those that are none.
const HEXADECIMAL: [u8; 256] = {
    let mut values = [16; 256];
    let (mut rest, mut byte): (&mut [u8], u8) = (&mut values, 0);
    while let [value, behind @ ..] = rest {
        *value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => 16,
        };
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    values
};

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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn digits_are_read_as_one_by_one(text in "[0-9]{0,24}", behind in prop::collection::vec(any::<u8>(), 0..12), start in 0usize..4) {
            let bytes = [&b"1234"[..start], text.as_bytes(), &behind].concat();
            let count = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = std::str::from_utf8(&bytes[start..start + count]).unwrap();
            // Only digits that are too many do not parse.
            let expected = (count > 0).then(|| (number.parse().unwrap_or(u64::MAX), start + count));
            prop_assert_eq!(digits(&bytes, start), expected);
        }

        #[test]
        fn same_is_equality(one in prop::collection::vec(0u8..2, 0..24), place in any::<prop::sample::Index>(), longer in any::<bool>()) {
            let mut other = one.clone();
            prop_assert!(same(&one, &other));
            if longer {
                other.push(0);
            } else if let Some(byte) = other.get_mut(place.index(one.len().max(1))) {
                *byte ^= 1;
            }
            prop_assert_eq!(same(&one, &other), one == other);
        }

        #[test]
        fn hexadecimal_is_read_as_the_standard_library_does(value in any::<u64>(), upper in any::<bool>()) {
            let text = if upper { format!("{value:X}.") } else { format!("{value:x}.") };
            prop_assert_eq!(hexadecimal(text.as_bytes(), 0), Some((value, text.len() - 1)));
            prop_assert_eq!(hexadecimal(format!("0{value:016x}").as_bytes(), 0), None);
            prop_assert_eq!(hexadecimal(b"g", 0), None);
        }
    }
}

//! Ids of reports, incidents, intents, refusals: ordered by time, unguessable, of one plain form.

/// Crockford's base 32, lower case: no letter that is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id: `prefix`, `_`, ten characters of time (milliseconds) and sixteen of chance, as in the ULID specification.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn new_id(prefix: &str, now_us: i64) -> Result<String, getrandom::Error> {
    let mut random = [0u8; 10];
    getrandom::fill(&mut random)?;
    let millis = u128::try_from(now_us / 1_000).unwrap_or(0);
    let chance = random.iter().fold(0u128, |n, byte| (n << 8) | u128::from(*byte));
    let bits = (millis & 0xffff_ffff_ffff) << 80 | chance;
    let mut id = format!("{prefix}_");
    for position in (0..26).rev() {
        let digit = usize::try_from(bits >> (position * 5) & 31).unwrap_or(0);
        id.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
    }
    Ok(id)
}

/// Whether `id` has the form of a report's id.
pub fn is_report_id(id: &str) -> bool {
    unique_part("rp", id).is_some()
}

/// What stands behind `prefix` and `_` in an id of ours; none when `id` is none with that prefix.
pub fn unique_part<'a>(prefix: &str, id: &'a str) -> Option<&'a str> {
    id.strip_prefix(prefix)?
        .strip_prefix('_')
        .filter(|rest| rest.len() == 26 && rest.bytes().all(|b| ALPHABET.contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_have_the_form_that_is_asked_of_them() {
        let early = new_id("rp", 1_700_000_000_000_000).unwrap();
        let late = new_id("rp", 1_700_000_000_001_000).unwrap();
        assert!(early < late, "{early} {late}");
        assert!(is_report_id(&early));
        assert_ne!(new_id("rp", 0).unwrap(), new_id("rp", 0).unwrap());
        for wrong in [
            "rp_",
            "rp_../../etc/passwd",
            "report.json",
            "RP_01hf0000000000000000000000",
            "in_01hf00000000000000000000zz",
        ] {
            assert!(!is_report_id(wrong), "{wrong}");
        }
    }
}

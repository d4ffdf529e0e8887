//! Arbitrary SQL: the normal form is one, the values of literals are not in it, and statements told by their shape have it too.
#![no_main]

use pg_logstats_logs::fuzzing;
use pg_logstats_logs::normalise::normalise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let normal = normalise(data);
    let again = normalise(normal.statement.as_bytes());
    assert_eq!(normal.statement, again.statement, "not a normal form");
    assert_eq!(normal.kind, again.kind);
    // The same statement with other values in its literals: told by shape or not, the same family.
    fuzzing::shapes_agree(data, &other_values(data));
    // A literal whose value nothing else can hold.
    let planted = [data, b"\n;SELECT 'zqxjk7531'"].concat();
    let before = fuzzing::ends_outside_tokens(data);
    if before {
        assert!(
            !normalise(&planted).statement.contains("zqxjk7531"),
            "a literal came through"
        );
    }
});

/// Other digits, and other letters where quotes are near.
fn other_values(sql: &[u8]) -> Vec<u8> {
    let mut quoted = false;
    sql.iter()
        .map(|byte| match byte {
            b'\'' => {
                quoted = !quoted;
                b'\''
            }
            b'0'..=b'9' => b'0' + (byte - b'0' + 3) % 10,
            b'a'..=b'y' if quoted => byte + 1,
            other => *other,
        })
        .collect()
}

//! Arbitrary SQL: the normal form is one, the values of literals are not in it, and statements told by their shape have it too.
#![no_main]

use pg_logstats_logs::fuzzing;
use pg_logstats_logs::normalise::normalise;

const MARKER: &str = "zqxjk7531";

/// Places of values, and spellings.
const PLANTED: &[&str] = &[
    "SELECT 'zqxjk7531'",
    "SELECT E'a'\n'it\\'s zqxjk7531'",
    "SELECT 'it\\'s zqxjk7531'",
    "SELECT U&'zqxjk7531', $a$ zqxjk7531",
    "SELECT 9zqxjk7531",
    "SET a.b TO c, zqxjk7531",
    "ALTER ROLE a LOGIN PASSWORD zqxjk7531",
    "CREATE SERVER a OPTIONS (b 'c', d zqxjk7531)",
    "COMMENT ON TABLE a IS \"zqxjk7531\"",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let normal = normalise(data);
    let again = normalise(normal.statement.as_bytes());
    assert_eq!(normal.statement, again.statement, "not a normal form");
    assert_eq!(normal.kind, again.kind);
    // The same statement with other values in its literals: told by shape or not, the same family.
    fuzzing::shapes_agree(data, &other_values(data));
    // A value that nothing else can hold, in a statement of its own behind them.
    if fuzzing::ends_outside_tokens(data) {
        for statement in PLANTED {
            let planted = [data, b"\n;", statement.as_bytes()].concat();
            assert!(
                !normalise(&planted).statement.to_ascii_lowercase().contains(MARKER),
                "a value came through: {statement}"
            );
        }
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

//! Our families against the fingerprints of libpg_query, which parses as the server does.
//!
//! Two statements to which libpg_query gives one fingerprint must have one normal form, and two with one normal form one
//! fingerprint. Where we differ on purpose, [`DIFFERENCES`] says why; a difference that is no longer one fails the test too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};

use pg_logstats_logs::normalise::normalise;
use pg_query::{FingerprintOptions, ParserOptions};

/// One statement per line; statements that differ in literals only stand together, others that are nearly alike too.
const STATEMENTS: &str = include_str!("fingerprint/statements.sql");

/// Why two statements are one to one side, and two to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// libpg_query gives one fingerprint, we make two families.
    WeSplit,
    /// We make one family, libpg_query gives two fingerprints.
    WeJoin,
}

include!("fingerprint/differences.rs");

fn fingerprint(sql: &str) -> Option<String> {
    pg_query::fingerprint(sql, ParserOptions::DEFAULT, FingerprintOptions::FULL_RELNAME)
        .ok()
        .map(|found| found.hex)
}

/// A generator of numbers that is the same on every machine (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// The same statement as another client would write it: other blanks, comments, letters and values.
fn vary(sql: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    let tokens = pg_query::scan_tokens(sql).unwrap();
    let mut last = 0;
    let upper = dice.roll(3) == 0;
    for token in &tokens {
        let (start, end) = (
            usize::try_from(token.start).unwrap(),
            usize::try_from(token.end).unwrap(),
        );
        let text = &sql[start..end];
        if text.starts_with("--") || text.starts_with("/*") {
            last = end;
            out.push(' ');
            continue;
        }
        let blank = &sql[last..start];
        match (blank.is_empty(), dice.roll(6)) {
            (true, _) => {}
            (false, 0) => out.push_str("\n\t"),
            (false, 1) => out.push_str(" /* a 'comment' 1 */ "),
            (false, 2) => out.push_str(" -- a \"comment\"\n"),
            (false, _) => out.push_str("  "),
        }
        last = end;
        let is_number =
            text.starts_with(|first: char| first.is_ascii_digit()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_string = text.starts_with('\'') && text.ends_with('\'');
        if is_number && dice.roll(2) == 0 {
            out.push_str(&(1 + dice.roll(99_999)).to_string());
        } else if is_string && dice.roll(2) == 0 && !sql.to_ascii_lowercase().contains("set ") {
            let values = ["'x'", "''", "'it''s'", "'two\nlines'", "'é 1'", "'--'"];
            out.push_str(values[usize::try_from(dice.roll(values.len() as u64)).unwrap()]);
        } else if upper && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            out.push_str(&text.to_ascii_uppercase());
        } else {
            out.push_str(text);
        }
    }
    out.push_str(&sql[last..]);
    out
}

#[test]
fn families_are_those_of_libpg_query() {
    let statements: Vec<&str> = STATEMENTS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
        .collect();
    assert!(statements.len() > 300, "{}", statements.len());
    let mut by_print: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
    let mut by_form: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
    for sql in &statements {
        let print = fingerprint(sql).unwrap_or_else(|| panic!("libpg_query does not parse: {sql}"));
        let form = normalise(sql.as_bytes()).statement;
        by_print
            .entry(print.clone())
            .or_default()
            .entry(form.clone())
            .or_insert(sql);
        by_form.entry(form).or_default().entry(print).or_insert(sql);
    }
    let mut found = BTreeSet::new();
    for (side, groups) in [(Side::WeSplit, &by_print), (Side::WeJoin, &by_form)] {
        for group in groups.values().filter(|group| group.len() > 1) {
            let mut members: Vec<&str> = group.values().copied().collect();
            members.sort_unstable();
            for other in &members[1..] {
                found.insert((side, members[0], *other));
            }
        }
    }
    let known: BTreeSet<_> = DIFFERENCES
        .iter()
        .map(|(side, one, other, _)| (*side, *one, *other))
        .collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty(), "differences that nobody explains: {new:#?}");
    assert!(gone.is_empty(), "no differences any more: {gone:#?}");
    assert!(DIFFERENCES.iter().all(|(.., why)| why.len() > 20));
}

#[test]
fn other_spellings_and_values_are_the_same_family() {
    let mut dice = Dice(0x5eed);
    let mut compared = 0;
    for sql in STATEMENTS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
    {
        let (print, form) = (fingerprint(sql), normalise(sql.as_bytes()));
        for _ in 0..20 {
            let varied = vary(sql, &mut dice);
            // What a change of values made another statement to the parser is not our question.
            if fingerprint(&varied) != print {
                continue;
            }
            compared += 1;
            assert_eq!(normalise(varied.as_bytes()), form, "{sql}\n{varied}");
        }
    }
    assert!(compared > 5_000, "{compared}");
}

//! Writes a stderr log in which nearly every statement is another family: the worst that a log can do to a table of families.
//!
//! usage: `distinct COUNT > LOG`. Every hundredth statement is one of ten that take long: the heavy hitters that must be exact.

use std::error::Error;
use std::io::{BufWriter, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).ok_or("usage: distinct COUNT")?.parse()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for number in 0..count {
        let second = number / 10_000;
        let (hour, minute, second) = (second / 3_600 % 24, second / 60 % 60, second % 60);
        let (ms, statement) = if number % 100 == 0 {
            (
                100 + number / 100 % 10,
                format!("SELECT total FROM heavy_{}", number / 100 % 10),
            )
        } else {
            (
                1,
                format!("SELECT column_{number} FROM tenant_{number} WHERE id = {number}"),
            )
        };
        writeln!(
            out,
            "2026-11-23 {hour:02}:{minute:02}:{second:02}.000 UTC [{}] app@shop web: LOG:  duration: {ms}.000 ms  statement: {statement}",
            1_000 + number % 50
        )?;
    }
    out.flush()?;
    Ok(())
}

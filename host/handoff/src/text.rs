//! Texts and figures as a person reads them.

use std::fmt::Write as _;

/// Longest text from outside that is shown on a line, in characters.
pub(crate) const INLINE_CHARS: usize = 300;
/// Longest text from outside that is shown in a block. SQL that somebody copies has to fit, or it is said that it does not.
pub(crate) const BLOCK_CHARS: usize = 20_000;

/// Whether a terminal, a reader or a program could be misled by `c`: control characters but newline and tab, and what reorders or hides text
/// (Unicode's bidirectional controls, zero-width characters, separators of lines and paragraphs, fillers, variation selectors, tags). The
/// host has escaped them already in what it marked; nothing here relies on it.
pub fn is_deceptive(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(
            c,
            '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}'..='\u{891}' | '\u{8E2}'
                | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
                | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}'
                | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// `text` with what could mislead written as `\u{…}`; lines stay.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// The first `limit` characters of `text`, and how many were left out.
pub(crate) fn capped(text: &str, limit: usize) -> (&str, usize) {
    match text.char_indices().nth(limit) {
        None => (text, 0),
        Some((at, _)) => {
            let (kept, rest) = text.split_at(at);
            (kept, rest.chars().count())
        }
    }
}

/// `text` on one line, capped, with what could mislead made visible.
pub(crate) fn inline(text: &str) -> String {
    let (kept, left_out) = capped(text, INLINE_CHARS);
    let words: Vec<&str> = kept.split([' ', '\n', '\t', '\r']).filter(|w| !w.is_empty()).collect();
    let mut out = visible(&words.join(" "));
    if left_out > 0 {
        let _ = write!(out, " … ({} more characters)", count(left_out as u64));
    }
    out
}

/// `text` in its lines, capped, with what could mislead made visible.
pub(crate) fn block(text: &str) -> (String, usize) {
    let (kept, left_out) = capped(text, BLOCK_CHARS);
    (visible(&kept.replace("\r\n", "\n")), left_out)
}

/// A machine's word as people write it: `lock_wait` is `lock wait`.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A whole number with its thousands apart.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            // Narrow and unbreakable.
            out.push('\u{202F}');
        }
        out.push(digit);
    }
    out
}

/// `1 thing`, `2 things`.
pub(crate) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// A share of 0 to 1 in per cent; what is little is not said to be nothing.
pub(crate) fn share(of_one: f64) -> String {
    let percent = of_one * 100.0;
    if percent > 0.0 && percent < 1.0 {
        "less than 1 %".to_owned()
    } else {
        format!("{} %", number(percent.round()))
    }
}

/// A number with as many digits as matter.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    let sign = if value < 0.0 { "−" } else { "" };
    if size >= 1e15 {
        return format!("{value:.2e}");
    }
    if size >= 100.0 || size.fract() == 0.0 {
        // Below 1e15 and not negative: the cast loses nothing.
        return format!("{sign}{}", count(size.round() as u64));
    }
    let digits = if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{size:.digits$}");
    format!("{sign}{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A duration in the two units that matter.
pub(crate) fn duration(us: u64) -> String {
    const UNITS: [(u64, &str, u64, &str); 3] = [
        (86_400_000_000, "d", 3_600_000_000, "h"),
        (3_600_000_000, "h", 60_000_000, "min"),
        (60_000_000, "min", 1_000_000, "s"),
    ];
    for (big, name, small, small_name) in UNITS {
        if us >= big {
            let (whole, rest) = (us / big, us % big / small);
            return if rest == 0 {
                format!("{} {name}", count(whole))
            } else {
                format!("{} {name} {rest} {small_name}", count(whole))
            };
        }
    }
    match us {
        1_000_000.. => format!("{} s", number(us as f64 / 1e6)),
        1_000.. => format!("{} ms", number(us as f64 / 1e3)),
        _ => format!("{us} µs"),
    }
}

/// A metric: its name without the unit, and its value with it. The host writes the unit at the end of the name.
pub(crate) fn metric(name: &str, value: f64) -> (String, String) {
    if value.is_finite() && (0.0..1.8e19).contains(&value) {
        for (suffix, factor) in [("_us", 1.0), ("_ms", 1e3), ("_seconds", 1e6)] {
            if let Some(short) = name.strip_suffix(suffix) {
                return (words(short), duration((value * factor) as u64));
            }
        }
        for (suffix, scale) in [("_percent", 1.0), ("_share", 100.0), ("_ratio_percent", 1.0)] {
            if let Some(short) = name.strip_suffix(suffix) {
                return (words(short), format!("{} %", number(value * scale)));
            }
        }
        if let Some(short) = name.strip_suffix("_bytes") {
            return (words(short), bytes(value));
        }
    }
    (words(name), number(value))
}

fn bytes(value: f64) -> String {
    let mut value = value;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1024.0 {
            return format!("{} {unit}", number(value));
        }
        value /= 1024.0;
    }
    format!("{} TB", number(value))
}

/// A command as one types it into a shell.
pub(crate) fn shell(command: &[String]) -> String {
    let quoted = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    command.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(duration(0), "0 µs");
        assert_eq!(duration(1_500), "1.5 ms");
        assert_eq!(duration(723_000_000), "12 min 3 s");
        assert_eq!(duration(90_000_000_000), "1 d 1 h");
        assert_eq!(count(1_234_567), "1\u{202F}234\u{202F}567");
        assert_eq!(number(0.25), "0.25");
        assert_eq!(
            [share(0.0), share(0.004), share(0.676)],
            ["0 %", "less than 1 %", "68 %"]
        );
        assert_eq!(number(-3.0), "−3");
        assert_eq!(number(f64::NAN), "unknown");
        assert_eq!(metric("waited_us", 2e6), ("waited".into(), "2 s".into()));
        assert_eq!(metric("dead_tuples_share", 0.5), ("dead tuples".into(), "50 %".into()));
        assert_eq!(metric("table_bytes", 2048.0), ("table".into(), "2 kB".into()));
    }

    #[test]
    fn what_misleads_is_written_out_and_what_is_long_is_cut() {
        assert_eq!(inline("a\u{202e}b\0c\n  d\u{e0041}"), "a\\u{202e}b\\u{0}c d\\u{e0041}");
        let (text, left_out) = block(&"x".repeat(BLOCK_CHARS + 7));
        assert_eq!((text.len(), left_out), (BLOCK_CHARS, 7));
        assert!(inline(&"é".repeat(1_000)).ends_with("é … (700 more characters)"));
    }

    #[test]
    fn a_command_can_be_pasted() {
        let words = ["psql", "-c", "select 'a'", ""].map(str::to_owned);
        assert_eq!(shell(&words), r"psql -c 'select '\''a'\''' ''");
    }
}

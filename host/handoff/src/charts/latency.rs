//! How long statements took: one row each, on one logarithmic axis.

use super::{along, axis, bar, figure, left_out, percent, source, strip, table, vertical};
use crate::markup::Markup;
use crate::page::outside;
use crate::text::{count, duration, inline, number, share};
use crate::{Latency, Packet};

const ROWS: usize = 20;
const HEIGHT: u32 = 30;

/// A logarithmic axis between two powers of ten, in microseconds.
struct Scale {
    low: i32,
    high: i32,
}

impl Scale {
    fn of(rows: &[Latency]) -> Self {
        let all = || {
            rows.iter().flat_map(|l| {
                [l.p50_us, l.p95_us, l.p99_us, l.max_us]
                    .into_iter()
                    .chain(l.baseline_p95_us)
            })
        };
        let low = all().min().unwrap_or(1).max(1).ilog10();
        let high = all().max().unwrap_or(1).max(1);
        // The next power of ten that is not below the highest value.
        let up = high.ilog10() + u32::from(10_u64.checked_pow(high.ilog10()) != Some(high));
        // At most 20 on either side: both fit.
        let (low, up) = (low.cast_signed(), up.cast_signed());
        Self {
            low,
            high: up.max(low + 1),
        }
    }

    fn share(&self, us: u64) -> f64 {
        ((us.max(1) as f64).log10() - f64::from(self.low)) / f64::from(self.high - self.low)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let every = (self.high - self.low) / 6 + 1;
        (self.low..=self.high)
            .step_by(usize::try_from(every).unwrap_or(1))
            .filter_map(|power| {
                let us = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
                Some((self.share(us), decade(us)))
            })
            .collect()
    }
}

/// A power of ten as an axis names it: seconds to the end, because minutes are no powers of ten.
fn decade(us: u64) -> String {
    match us {
        1_000_000.. => format!("{} s", number((us / 1_000_000) as f64)),
        _ => duration(us),
    }
}

/// The chart; nothing if there are no statements.
pub(crate) fn latency(m: &mut Markup, packet: &Packet) {
    let all = &packet.latencies;
    let rows = all.get(..ROWS.min(all.len())).unwrap_or_default();
    if rows.is_empty() {
        return;
    }
    let scale = Scale::of(rows);
    let ticks = scale.ticks();
    let sum = all.iter().fold(0_u64, |sum, l| sum.saturating_add(l.total_us));
    let mut caption = "Thick: half of the executions to 95 of 100 (p50 to p95); thin: on to the slowest; the dot is p99. Each step to the right is ten times as long.".to_owned();
    if rows.iter().any(|l| l.baseline_p95_us.is_some()) {
        caption.push_str(" The hollow triangle under it is p95 as it usually is.");
    }
    figure(m, "chart-latency", "How long statements took", &caption, |m| {
        axis(m, "Duration", &ticks);
        for (i, row) in rows.iter().enumerate() {
            statement(m, &scale, &ticks, i + 1, row, sum);
        }
        axis(m, "Duration", &ticks);
        left_out(m, ROWS, all.len(), "statement");
        figures(m, rows);
        source(m, packet, packet.sources.latencies);
    });
}

fn statement(m: &mut Markup, scale: &Scale, ticks: &[(f64, String)], rank: usize, row: &Latency, sum: u64) {
    m.el("div", &[("class", "row")], |m| {
        m.el("div", &[("class", "row-head")], |m| {
            m.line("strong", &[], &format!("{rank}. "));
            outside(m, &row.statement.text);
            let part = share(row.total_us as f64 / sum.max(1) as f64);
            let mut said = format!(
                "{} executions, {} in all ({part} of these) · p95 {}",
                count(row.execution_count),
                duration(row.total_us),
                duration(row.p95_us)
            );
            if let Some(ratio) = slower(row) {
                said.push_str(&format!(", {ratio}"));
            }
            m.line("p", &[("class", "note")], &said);
        });
        let title = format!("Statement {rank}: {}", inline(&row.statement.text));
        let description = format!(
            "p50 {}, p95 {}, p99 {}, maximum {}",
            duration(row.p50_us),
            duration(row.p95_us),
            duration(row.p99_us),
            duration(row.max_us)
        );
        strip(m, HEIGHT, &title, &description, |m| {
            for (share, _) in ticks {
                vertical(m, "grid", *share, 0, HEIGHT);
            }
            let at = |us| scale.share(us);
            bar(m, "range-thin", 9, 4, at(row.p50_us), at(row.max_us.max(row.p50_us)));
            bar(m, "range", 4, 14, at(row.p50_us), at(row.p95_us.max(row.p50_us)));
            vertical(m, "end", at(row.max_us), 4, 18);
            m.void(
                "circle",
                &[
                    ("class", "dot"),
                    ("cx", &percent(along(at(row.p99_us)))),
                    ("cy", "11"),
                    ("r", "4"),
                ],
            );
            if let Some(usual) = row.baseline_p95_us {
                let x = percent(along(at(usual)));
                m.el("svg", &[("x", &x), ("y", "19"), ("overflow", "visible")], |m| {
                    m.void("path", &[("class", "usual"), ("d", "M0 0L6 9L-6 9z")]);
                });
            }
        });
    });
}

/// Against the baseline, if that says anything.
fn slower(row: &Latency) -> Option<String> {
    let usual = row.baseline_p95_us.filter(|us| *us > 0)?;
    let ratio = row.p95_us as f64 / usual as f64;
    match ratio {
        1.2.. => Some(format!(
            "{} times as long as usual ({})",
            number(rounded(ratio)),
            duration(usual)
        )),
        ..0.8 => Some(format!("shorter than usual ({})", duration(usual))),
        _ => Some(format!("as usual ({})", duration(usual))),
    }
}

/// Two digits are enough for a ratio.
pub(super) fn rounded(ratio: f64) -> f64 {
    if ratio >= 10.0 {
        ratio.round()
    } else {
        (ratio * 10.0).round() / 10.0
    }
}

fn figures(m: &mut Markup, rows: &[Latency]) {
    let columns = [
        "",
        "Statement",
        "#Executions",
        "#Total",
        "#p50",
        "#p95",
        "#p99",
        "#Maximum",
        "#Usual p95",
        "Id",
    ];
    table(m, "How long statements took", &columns, |m| {
        for (i, row) in rows.iter().enumerate() {
            m.el("tr", &[], |m| {
                m.line("td", &[], &(i + 1).to_string());
                m.el("td", &[], |m| outside(m, &row.statement.text));
                m.line("td", &[("class", "n")], &count(row.execution_count));
                for us in [row.total_us, row.p50_us, row.p95_us, row.p99_us, row.max_us] {
                    m.line("td", &[("class", "n")], &duration(us));
                }
                m.line(
                    "td",
                    &[("class", "n")],
                    &row.baseline_p95_us.map_or("–".to_owned(), duration),
                );
                m.line("td", &[("class", "id")], &row.id);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Untrusted;

    fn row(us: [u64; 4]) -> Latency {
        let [p50_us, p95_us, p99_us, max_us] = us;
        Latency {
            id: "q".into(),
            statement: Untrusted::new("select"),
            execution_count: 1,
            total_us: 1,
            p50_us,
            p95_us,
            p99_us,
            max_us,
            baseline_p95_us: None,
        }
    }

    #[test]
    fn the_axis_holds_every_value_and_has_few_ticks() {
        for us in [
            [0; 4],
            [1; 4],
            [1_000; 4],
            [u64::MAX; 4],
            [0, 1, 10, u64::MAX],
            [999, 1_000, 1_001, 20_000],
        ] {
            let scale = Scale::of(&[row(us)]);
            for value in us {
                assert!((0.0..=1.0).contains(&scale.share(value)), "{value} of {us:?}");
            }
            assert!((1..=7).contains(&scale.ticks().len()), "{us:?}");
        }
        let scale = Scale::of(&[row([900, 2_000, 3_000, 2_000_000])]);
        let labels: Vec<String> = scale.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
    }
}

//! A report as text.

use std::fmt::Write as _;

use pg_logstats_gateway::report::{
    Baseline, Budget, CellView, Finding, Insight, Limitation, Metric, NextAction, OutcomeView, Report,
};
use pg_logstats_gateway::runbook::descriptor::{bytes, duration, grouped};
use pg_logstats_gateway::words::{ActionStatus, VerdictLevel};

use super::line;

/// Columns that wrapped text may fill.
const WIDTH: usize = 110;

/// The report for people.
pub(crate) fn report(r: &Report) -> String {
    let mut out = String::new();
    head(&mut out, r);
    if let Some(failure) = &r.runbook.failure {
        line!(out, "\nRUNBOOK FAILED  {}", failure.message);
    }
    if !r.findings.is_empty() {
        line!(out, "\nFINDINGS");
        r.findings.iter().for_each(|f| finding(&mut out, f));
    }
    if let Some(result) = &r.outcome {
        outcome(&mut out, result);
    }
    if !r.insights.is_empty() {
        line!(out, "\nINSIGHTS");
        r.insights.iter().for_each(|i| insight(&mut out, i));
    }
    if !r.next_actions.is_empty() {
        line!(out, "\nNEXT ACTIONS");
        r.next_actions.iter().for_each(|a| next_action(&mut out, a));
    }
    let baseline = r.baseline.iter().flat_map(|baseline| &baseline.limitations);
    if !r.limitations.is_empty() || baseline.clone().next().is_some() {
        line!(out, "\nLIMITATIONS");
        r.limitations.iter().for_each(|l| limitation(&mut out, "", l));
        baseline.for_each(|l| limitation(&mut out, "of the baseline: ", l));
    }
    out
}

fn limitation(out: &mut String, of: &str, l: &Limitation) {
    let times = l.count.filter(|&n| n > 1);
    let times = times.map_or(String::new(), |n| format!(" ({} times)", grouped(n)));
    line!(out, "  - {of}{}{times}", l.message);
}

fn baseline(out: &mut String, b: &Baseline) {
    let window = b.analysis_window.as_ref();
    line!(
        out,
        "baseline  {}; {} entries in {} file{}; {} families in common, {} regressed",
        window.map_or("no window".to_owned(), |w| format!("{} – {}", w.since, w.until)),
        grouped(b.source_summary.entries_scanned),
        b.source_summary.files.len(),
        if b.source_summary.files.len() == 1 { "" } else { "s" },
        grouped(b.common_families),
        grouped(b.regressions),
    );
}

fn head(out: &mut String, r: &Report) {
    line!(
        out,
        "report    {}  ({} {}, {})",
        r.report_id,
        r.runbook.name,
        r.runbook.version,
        r.workflow
    );
    line!(
        out,
        "incident  {}{}",
        r.incident_id,
        r.parent_report_id
            .as_ref()
            .map_or(String::new(), |p| format!("  after {p}"))
    );
    line!(out, "mode      {}", r.operating_mode);
    if r.health.is_some() || r.verdict != VerdictLevel::Unknown {
        line!(out, "verdict   {}  {}", r.verdict, r.verdict_reasons.join("; "));
    }
    if let Some(window) = &r.analysis_window {
        line!(out, "window    {} – {}", window.since, window.until);
    }
    let s = &r.source_summary;
    if !s.files.is_empty() {
        line!(
            out,
            "source    {} entries in {} file{}, {}; {} unparsed; {} query families",
            grouped(s.entries_scanned),
            s.files.len(),
            if s.files.len() == 1 { "" } else { "s" },
            bytes(s.bytes),
            grouped(s.entries_unparsed),
            grouped(s.query_families),
        );
        for (reason, pieces) in &s.unparsed {
            let first = pieces.samples.first().map_or(String::new(), |sample| {
                format!(
                    ", the first in {} at byte {}: {}",
                    sample.path, sample.offset, sample.shape
                )
            });
            line!(out, "          {} {reason}{first}", grouped(pieces.count));
        }
        if let Some(jump) = s.clock_jumps.first() {
            let times = grouped(s.clock_jump_count);
            line!(
                out,
                "clock     set back {times} time(s), most from {} to {}",
                jump.from,
                jump.to
            );
        }
        if let Some(gap) = s.gaps.first() {
            let times = grouped(s.gap_count);
            line!(out, "silence   {times} time(s), longest {} – {}", gap.since, gap.until);
        }
    }
    if let Some(b) = &r.baseline {
        baseline(out, b);
    }
    budget(out, &r.budget);
    line!(
        out,
        "audit     index {}, root {}",
        r.audit.index,
        r.audit.root.get(..16).unwrap_or(&r.audit.root)
    );
}

fn budget(out: &mut String, b: &Budget) {
    line!(
        out,
        "budget    {} of {} actions, {} of {} ms, {} of {} of results",
        b.actions_used,
        b.actions_limit,
        grouped(b.database_ms_used),
        grouped(b.database_ms_limit),
        bytes(b.bytes_used),
        bytes(b.bytes_limit)
    );
    if let Some(day) = &b.day {
        line!(
            out,
            "          of this database today {} of {} actions, {} of {} ms",
            day.actions_used,
            day.actions_limit,
            grouped(day.database_ms_used),
            grouped(day.database_ms_limit)
        );
    }
}

fn finding(out: &mut String, f: &Finding) {
    line!(
        out,
        "\n{:>3}. {}  [{}, confidence {}]",
        f.rank,
        f.title,
        f.kind,
        f.confidence
    );
    line!(out, "     {}", f.reason);
    if let Some(regression) = f.regression.as_ref().filter(|it| !it.doubts.is_empty()) {
        line!(out, "     doubts: {}", regression.doubts.join(", "));
    }
    if let Some(family) = &f.query_family {
        line!(out, "     | {}", clipped(family.statement.text()));
        let who = [
            &family.dimensions.database,
            &family.dimensions.user,
            &family.dimensions.application_name,
        ];
        let who: Vec<String> = who
            .into_iter()
            .map(|w| w.as_ref().map_or("-".to_owned(), |t| clipped(t.text())))
            .collect();
        line!(out, "     | database, user, application: {}", who.join(", "));
    }
    if let Some(class) = &f.error_class {
        line!(
            out,
            "     | {} {}: {}",
            class.severity,
            class.sqlstate.as_deref().unwrap_or("?"),
            clipped(class.message.text())
        );
    }
    if let Some(wait) = &f.lock_wait {
        let holders: Vec<String> = wait.holders.iter().map(|h| h.pid.to_string()).collect();
        line!(
            out,
            "     | pid {} waited for pid {} ({})",
            wait.waiter.pid,
            holders.join(", "),
            wait.mode
        );
    }
    if let Some(deadlock) = &f.deadlock {
        for edge in &deadlock.edges {
            line!(
                out,
                "     | pid {} waited for pid {} ({})",
                edge.waiter.pid,
                edge.holder.pid,
                edge.mode
            );
        }
    }
    let metrics: Vec<String> = f.metrics.iter().map(|(name, value)| metric(name, *value)).collect();
    if !metrics.is_empty() {
        line!(out, "     {}", metrics.join("  "));
    }
}

/// `name=value`, in the unit of its name.
fn metric(name: &str, value: Metric) -> String {
    match (name.strip_suffix("_ms"), value) {
        (Some(what), Metric::Number(ms)) => format!("{what}={}", from_ms(ms)),
        // A probability, say.
        (_, Metric::Number(n)) if n != 0.0 && n.abs() < 0.001 => format!("{name}={n:e}"),
        (_, Metric::Number(n)) => format!("{name}={n}"),
        (_, Metric::Count(n)) if name.ends_with("bytes") => format!("{name}={}", bytes(n)),
        (_, Metric::Count(n)) => format!("{name}={}", grouped(n)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a saturating cast for display"
)]
fn from_ms(ms: f64) -> String {
    duration((ms * 1_000.0).round() as u64)
}

fn insight(out: &mut String, i: &Insight) {
    line!(
        out,
        "\n  * {}  [{}, confidence {}]",
        i.title,
        i.insight_id,
        i.confidence
    );
    line!(out, "    {}", i.reason);
    if let Some(advice) = &i.recommendation {
        line!(out, "    For a person to decide ({}):", advice.kind);
        line!(out, "      sql       {}", clipped(advice.sql.text()));
        line!(out, "      effect    {}", advice.expected_effect);
        line!(out, "      risk      {}", advice.risk);
        line!(out, "      lock      {}", advice.lock);
        line!(out, "      way back  {}", clipped(advice.way_back.text()));
        line!(out, "      check     {}", clipped(advice.check.text()));
    }
}

fn next_action(out: &mut String, a: &NextAction) {
    let mark = if a.status == ActionStatus::Allowed { ">" } else { "x" };
    line!(
        out,
        "\n  {mark} {}  {}  [{}, {}]",
        a.action_id,
        a.label,
        a.action_type,
        a.priority
    );
    line!(out, "    {}", a.reason);
    if a.status != ActionStatus::Allowed {
        line!(out, "    {}: {}", a.status, a.status_reason);
    }
    if let (Some(command), true) = (&a.command, a.status == ActionStatus::Allowed) {
        line!(
            out,
            "    $ {}",
            command
                .argv
                .iter()
                .map(|arg| shell_word(arg))
                .collect::<Vec<_>>()
                .join(" ")
        );
    }
}

fn outcome(out: &mut String, o: &OutcomeView) {
    line!(
        out,
        "\nOUTCOME  {}  {}  {} row{} in {}",
        o.target_id,
        o.status,
        o.rows.len(),
        if o.rows.len() == 1 { "" } else { "s" },
        from_ms(o.duration_ms)
    );
    if let Some(detail) = &o.detail {
        line!(out, "  {detail}");
    }
    for row in &o.rows {
        let cells: Vec<String> = o
            .columns
            .iter()
            .zip(&row.cells)
            .map(|(name, cell)| format!("{name}={}", cell_text(cell)))
            .collect();
        line!(out, "  {}", cells.join("  "));
    }
    let mut depth = vec![0usize; o.plan.len()];
    for (position, node) in o.plan.iter().enumerate() {
        let level = node
            .parent
            .and_then(|p| depth.get(p as usize).copied())
            .map_or(0, |d| d + 1);
        if let Some(slot) = depth.get_mut(position) {
            *slot = level;
        }
        let on = node
            .relation
            .as_ref()
            .map_or(String::new(), |r| format!(" on {}", clipped(r.text())));
        let actual = node
            .actual_rows
            .map_or(String::new(), |rows| format!(", {rows} actual rows"));
        line!(
            out,
            "  {:indent$}{}{on}  (cost {}, {} rows{actual})",
            "",
            node.node_type,
            node.total_cost,
            node.plan_rows,
            indent = level * 2
        );
    }
}

fn cell_text(cell: &CellView) -> String {
    match cell {
        CellView::Null => "-".to_owned(),
        CellView::Boolean(b) => b.to_string(),
        CellView::Int(n) => n.to_string(),
        CellView::Float(f) => format!("{f:.3}"),
        CellView::Duration { duration_ms } => from_ms(*duration_ms),
        CellView::At { at } => at.clone(),
        CellView::Text(text) => clipped(text.text()),
    }
}

/// One line of at most [`WIDTH`] characters.
fn clipped(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", flat.get(..end).unwrap_or_default()),
        None => flat,
    }
}

/// `word` as a POSIX shell takes it.
fn shell_word(word: &str) -> String {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | ',' | '@' | '%' | '+');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_log_cannot_break_the_layout() {
        assert_eq!(
            clipped("SELECT 1\n\nNEXT ACTIONS\n  > act_01"),
            "SELECT 1 NEXT ACTIONS > act_01"
        );
        assert_eq!(clipped(&"é".repeat(500)).chars().count(), WIDTH + 1);
    }

    #[test]
    fn commands_survive_a_shell() {
        assert_eq!(shell_word("/tmp/a b/it's"), "'/tmp/a b/it'\\''s'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("--workspace"), "--workspace");
    }
}

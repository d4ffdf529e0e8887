//! What the charts of a packet show.

use std::collections::BTreeMap;

use pg_logstats_handoff::{Insight, Latency, LockNode, Mark, PlanNode, Severity, Untrusted};
use pg_logstats_logs::compare::Comparison;
use pg_logstats_logs::evidence::{Evidence, LockTarget, SessionRef};
use pg_logstats_logs::instant::parse_instant;

use super::{Found, FoundReport, untrusted};
use crate::record::RecordBody;
use crate::report::{CellView, OutcomeView, word};
use crate::snapshot::EvidenceSnapshot;

/// Marks of each lane: the worst.
const MARKS: usize = 60;
/// Statements in the chart of latencies.
const LATENCIES: usize = 12;
/// Sessions in a tree of locks.
const LOCK_NODES: usize = 60;
/// The action whose rows are the tree of locks.
const LOCK_TREE: &str = "lock_wait.pg_locks.tree";

/// Events of the logs, and what was done.
pub(super) fn marks(found: &[Found], snapshots: &[(usize, EvidenceSnapshot)]) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (record, snapshot) in snapshots {
        if let Some(log) = &snapshot.log {
            of_log(log, *record, &mut marks);
        }
    }
    marks.dedup();
    marks.extend(found.iter().filter_map(of_step));
    if let Some(alert) = found
        .iter()
        .filter_map(Found::report)
        .find_map(|it| it.record.report.alert.clone())
        && let Ok(at_us) = parse_instant(&alert.starts_at, 0)
    {
        marks.push(Mark {
            lane: "alert".to_owned(),
            from_us: at_us,
            to_us: alert.ends_at.and_then(|at| parse_instant(&at, 0).ok()).unwrap_or(at_us),
            label: "the alert fired".to_owned(),
            severity: Severity::High,
            record: None,
        });
    }
    marks.sort_by(|one, other| (one.from_us, &one.lane).cmp(&(other.from_us, &other.lane)));
    marks
}

fn of_log(log: &Evidence, record: usize, marks: &mut Vec<Mark>) {
    let mut mark = |lane: &str, from_us: i64, to_us: i64, label: String, severity| {
        marks.push(Mark {
            lane: lane.to_owned(),
            from_us,
            to_us: to_us.max(from_us),
            label,
            severity,
            record: Some(record),
        });
    };
    let us = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
    for wait in log.lock_waits.iter().take(MARKS) {
        let severity = match wait.waited_us {
            60_000_000.. => Severity::Critical,
            5_000_000.. => Severity::High,
            _ => Severity::Medium,
        };
        let label = format!(
            "pid {} waited {} ms for {}",
            wait.waiter.pid,
            wait.waited_us / 1_000,
            word(&wait.mode)
        );
        let ends_us = wait.at_us.saturating_add(us(wait.waited_us));
        mark("locks", wait.at_us, ends_us, label, severity);
    }
    for deadlock in log.deadlocks.iter().take(MARKS) {
        let label = format!("deadlock; pid {} was cancelled", deadlock.victim.pid);
        mark("locks", deadlock.at_us, deadlock.at_us, label, Severity::High);
    }
    for class in log.errors.iter().take(MARKS) {
        let state = class.sqlstate.as_deref().unwrap_or("?");
        let label = format!("{} {state}: {} times", class.severity, class.count);
        let severity = match class.severity.as_str() {
            "PANIC" => Severity::Critical,
            "FATAL" => Severity::High,
            _ => Severity::Medium,
        };
        mark("errors", class.first_seen_us, class.last_seen_us, label, severity);
    }
    for checkpoint in log.checkpoints.longest.iter().take(MARKS) {
        let begins_us = checkpoint.at_us.saturating_sub(us(checkpoint.total_us));
        let label = format!("checkpoint of {} buffers", checkpoint.buffers_written);
        mark("checkpoints", begins_us, checkpoint.at_us, label, Severity::Low);
    }
    for group in log.maintenance.iter().take(MARKS) {
        if let Some(run) = &group.longest {
            let begins_us = run.at_us.saturating_sub(us(run.elapsed_us));
            let label = format!("auto{} of a table, {} ms", word(&group.kind), run.elapsed_us / 1_000);
            mark("autovacuum", begins_us, run.at_us, label, Severity::Low);
        }
    }
    for group in log.cancellations.iter().take(MARKS) {
        let label = format!("cancelled ({}): {} times", word(&group.reason), group.count);
        mark(
            "cancellations",
            group.first_seen_us,
            group.last_seen_us,
            label,
            Severity::Medium,
        );
    }
}

fn of_step(found: &Found) -> Option<Mark> {
    let at_us = parse_instant(&found.sealed.created_at, 0).ok()?;
    let (label, duration_us, severity) = match &found.sealed.body {
        RecordBody::Triage(it) => (format!("triage {}", it.report.workflow), 0, Severity::Low),
        RecordBody::Outcome(it) => {
            let target = it
                .result
                .report
                .outcome
                .as_ref()
                .map_or("an action", |outcome| &outcome.target_id);
            (format!("ran {target}"), it.duration_us, Severity::Low)
        }
        RecordBody::Refusal(it) => (format!("refused: {}", it.code), 0, Severity::Medium),
        RecordBody::Failure(it) => (format!("{} failed", it.verb), 0, Severity::Medium),
        _ => return None,
    };
    Some(Mark {
        lane: "actions".to_owned(),
        from_us: at_us.saturating_sub(i64::try_from(duration_us).unwrap_or(0)),
        to_us: at_us,
        label,
        severity,
        record: Some(found.position),
    })
}

/// What a chart shows, and the record that it is from.
pub(super) type Chart<T> = (Vec<T>, Option<usize>);

/// A chart of nothing is from nowhere.
fn chart<T>(shown: Vec<T>, record: usize) -> Chart<T> {
    let record = (!shown.is_empty()).then_some(record);
    (shown, record)
}

/// What actions returned, the newest first, each with its record.
fn newest_outcomes<'r>(reports: &'r [FoundReport<'_>]) -> impl Iterator<Item = (usize, &'r OutcomeView)> {
    let reports = reports.iter().rev();
    reports.filter_map(|it| Some((it.position, it.record.report.outcome.as_ref()?)))
}

/// The newest logs, with what they were compared with and their record.
fn newest_logs(snapshots: &[(usize, EvidenceSnapshot)]) -> Option<(usize, &Evidence, Option<&Comparison>)> {
    let mut snapshots = snapshots.iter().rev();
    snapshots.find_map(|(record, snapshot)| Some((*record, snapshot.log.as_ref()?, snapshot.comparison.as_ref())))
}

/// The statements with the most time, of the newest logs.
pub(super) fn latencies(snapshots: &[(usize, EvidenceSnapshot)]) -> Chart<Latency> {
    let Some((record, log, comparison)) = newest_logs(snapshots) else {
        return Chart::default();
    };
    let baseline: BTreeMap<&str, u64> = comparison
        .into_iter()
        .flat_map(|it| &it.regressions)
        .filter_map(|it| Some((it.family.as_str(), it.baseline.as_ref()?.p95_duration_us)))
        .collect();
    let timed = log.families.iter().filter(|family| family.execution_count > 0);
    let shown = timed
        .take(LATENCIES)
        .map(|family| Latency {
            id: family.id.clone(),
            statement: untrusted(&crate::untrusted::Untrusted::capped(&family.statement, 300)),
            execution_count: family.execution_count,
            total_us: family.total_duration_us,
            p50_us: family.p50_duration_us,
            p95_us: family.p95_duration_us,
            p99_us: family.p99_duration_us,
            max_us: family.max_duration_us,
            baseline_p95_us: baseline.get(family.id.as_str()).copied(),
        })
        .collect();
    chart(shown, record)
}

/// Who waits for whom: as the server said last, or else as the logs tell.
pub(super) fn lock_tree(reports: &[FoundReport<'_>], snapshots: &[(usize, EvidenceSnapshot)]) -> Chart<LockNode> {
    let live = newest_outcomes(reports).find(|(_, outcome)| outcome.target_id == LOCK_TREE && !outcome.rows.is_empty());
    if let Some((record, outcome)) = live {
        return chart(ordered(live_edges(outcome)), record);
    }
    newest_logs(snapshots).map_or_else(Chart::default, |(record, log, _)| {
        chart(ordered(logged_edges(log)), record)
    })
}

/// A session, and whom it waits for.
struct Edge {
    waiter: String,
    holder: String,
    node: LockNode,
    /// Of the holder, where it is known.
    holder_state: Option<String>,
}

fn live_edges(outcome: &OutcomeView) -> Vec<Edge> {
    let cell = |row: &crate::report::RowView, name: &str| {
        let position = outcome.columns.iter().position(|column| column == name)?;
        row.cells.get(position).cloned()
    };
    let text = |cell: Option<CellView>| match cell? {
        CellView::Text(text) => Some(text.text().to_owned()),
        CellView::Int(n) => Some(n.to_string()),
        _ => None,
    };
    let edge = |row| {
        let (holder, waiter) = (text(cell(row, "pid"))?, text(cell(row, "blocked_pid"))?);
        let relation = text(cell(row, "relation")).map(|name| match text(cell(row, "schema")) {
            Some(schema) => format!("{schema}.{name}"),
            None => name,
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds of a wait"
        )]
        let waited_us = match cell(row, "waited") {
            Some(CellView::Duration { duration_ms }) => Some((duration_ms.max(0.0) * 1_000.0) as u64),
            _ => None,
        };
        Some(Edge {
            node: LockNode {
                parent: None,
                session: format!("pid {waiter}"),
                state: None,
                mode: text(cell(row, "requested_mode")),
                relation: relation.map(Untrusted::new),
                statement: None,
                waited_us,
            },
            waiter: format!("pid {waiter}"),
            holder: format!("pid {holder}"),
            holder_state: text(cell(row, "state")),
        })
    };
    outcome.rows.iter().filter_map(edge).collect()
}

fn logged_edges(log: &Evidence) -> Vec<Edge> {
    let name = |session: &SessionRef| format!("pid {}", session.pid);
    let statements: BTreeMap<&str, &str> = log
        .families
        .iter()
        .map(|family| (family.id.as_str(), family.statement.as_str()))
        .collect();
    let mut edges: Vec<Edge> = Vec::new();
    for wait in &log.lock_waits {
        let Some(holder) = wait.holders.first() else { continue };
        let waiter = name(&wait.waiter);
        if edges.iter().any(|edge| edge.waiter == waiter) {
            continue;
        }
        let statement = wait.family.as_deref().and_then(|id| statements.get(id));
        let relation = match wait.target {
            LockTarget::Relation { relation, .. } | LockTarget::Tuple { relation, .. } => {
                Some(Untrusted::new(format!("relation {relation}")))
            }
            _ => None,
        };
        edges.push(Edge {
            node: LockNode {
                parent: None,
                session: waiter.clone(),
                state: None,
                mode: Some(word(&wait.mode)),
                relation,
                statement: statement.map(|it| untrusted(&crate::untrusted::Untrusted::capped(it, 200))),
                waited_us: Some(wait.waited_us),
            },
            waiter,
            holder: name(holder),
            holder_state: None,
        });
    }
    edges
}

/// Parents before children: first those who wait for nobody. Who waits in a circle is cut off where the circle began.
fn ordered(edges: Vec<Edge>) -> Vec<LockNode> {
    let mut nodes: Vec<LockNode> = Vec::new();
    let mut waiting: BTreeMap<String, Vec<Edge>> = BTreeMap::new();
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    let waiters: Vec<String> = edges.iter().map(|edge| edge.waiter.clone()).collect();
    let mut heads: Vec<String> = Vec::new();
    for edge in edges {
        if let Some(state) = &edge.holder_state {
            states.insert(edge.holder.clone(), state.clone());
        }
        if !waiters.contains(&edge.holder) && !heads.contains(&edge.holder) {
            heads.push(edge.holder.clone());
        }
        waiting.entry(edge.holder.clone()).or_default().push(edge);
    }
    // A circle has no head: it begins with the first who waits in it.
    let mut open: Vec<(Option<usize>, String, Option<Edge>)> = Vec::new();
    let head = |session: &String| (None, session.clone(), None);
    open.extend(heads.iter().rev().map(head));
    let mut seen: Vec<String> = Vec::new();
    loop {
        while let Some((parent, session, edge)) = open.pop() {
            if seen.contains(&session) || nodes.len() >= LOCK_NODES {
                continue;
            }
            seen.push(session.clone());
            let position = nodes.len();
            let mut node = edge.map_or_else(
                || LockNode {
                    parent: None,
                    session: session.clone(),
                    state: None,
                    mode: None,
                    relation: None,
                    statement: None,
                    waited_us: None,
                },
                |edge| edge.node,
            );
            node.parent = parent;
            node.state = states.get(&session).cloned();
            nodes.push(node);
            for edge in waiting.remove(&session).unwrap_or_default().into_iter().rev() {
                open.push((Some(position), edge.waiter.clone(), Some(edge)));
            }
        }
        match waiting.keys().next().cloned() {
            Some(session) if nodes.len() < LOCK_NODES => open.push((None, session, None)),
            _ => return nodes,
        }
    }
}

/// The plan that was looked at last.
pub(super) fn plan(reports: &[FoundReport<'_>], insights: &[Insight]) -> Chart<PlanNode> {
    let looked_at = newest_outcomes(reports).find(|(_, outcome)| !outcome.plan.is_empty());
    let Some((record, outcome)) = looked_at else {
        return Chart::default();
    };
    let named = |id: &String| {
        let shows = |(_, insight): &(usize, &Insight)| insight.evidence.iter().any(|it| it.id == *id);
        insights
            .iter()
            .enumerate()
            .filter(shows)
            .map(|(position, _)| position)
            .collect()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a node"
    )]
    let us = |ms: f64| (ms.max(0.0) * 1_000.0) as u64;
    let shown = outcome
        .plan
        .iter()
        .map(|node| PlanNode {
            parent: node.parent.and_then(|it| usize::try_from(it).ok()),
            node_type: node.node_type.clone(),
            relation: node.relation.as_ref().map(untrusted),
            plan_rows: node.plan_rows,
            actual_rows: node.actual_rows,
            total_cost: node.total_cost,
            total_us: node.total_ms.map(us),
            rows_removed_by_filter: node.rows_removed_by_filter,
            insights: named(&node.node_id),
        })
        .collect();
    chart(shown, record)
}

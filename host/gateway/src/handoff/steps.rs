//! What was asked, done and refused: a line for each record.

use pg_logstats_handoff::{ResultRows, Step, StepKind, Untrusted};

use super::{Found, untrusted};
use crate::record::RecordBody;
use crate::report::{CellView, OutcomeView, RowView, word};

/// Rows of a result that are shown; most actions of the catalogue return no more.
const MAX_ROWS: usize = 20;

/// The step of a record.
pub(super) fn step(found: &Found) -> Option<Step> {
    let mut step = Step {
        kind: StepKind::Other,
        at: found.sealed.created_at.clone(),
        title: String::new(),
        status: "ok".to_owned(),
        detail: String::new(),
        requested: None,
        duration_us: None,
        result: None,
        record: found.position,
    };
    match &found.sealed.body {
        RecordBody::Triage(it) => {
            let report = &it.report;
            step.kind = StepKind::Triage;
            step.title = format!(
                "judged {} with the runbook {}",
                source(&report.source_summary.kind),
                report.workflow
            );
            match &report.runbook.failure {
                Some(failure) => {
                    step.status = "failed".to_owned();
                    step.detail = format!("the runbook failed: {}", failure.code);
                }
                None => {
                    step.detail = format!(
                        "{} findings; the verdict was {}",
                        report.findings.len(),
                        word(&report.verdict)
                    )
                }
            }
        }
        RecordBody::Intent(it) => {
            step.kind = StepKind::Intent;
            step.title = format!("was about to run {}", it.target_id);
            step.detail = format!(
                "allowed by {} under the verdict {}; risk {}",
                it.approver,
                word(&it.verdict.level),
                word(&it.risk)
            );
        }
        RecordBody::Outcome(it) => {
            step.kind = StepKind::Outcome;
            step.duration_us = Some(it.duration_us);
            match &it.result.report.outcome {
                Some(outcome) => {
                    step.title = format!("ran {}", outcome.target_id);
                    step.status = word(&outcome.status);
                    step.detail = match outcome.plan.len() {
                        0 => format!("{} rows, {} bytes", outcome.rows.len(), outcome.bytes),
                        nodes => format!("a plan of {nodes} nodes"),
                    };
                    step.result = rows(outcome);
                }
                None => step.title = "an action ended".to_owned(),
            }
        }
        RecordBody::Refusal(it) => {
            step.kind = StepKind::Refusal;
            step.title = match &it.target_id {
                Some(target) => format!("refused to run {target}"),
                None => "refused a command".to_owned(),
            };
            step.status.clone_from(&it.code);
            step.detail.clone_from(&it.reason);
            step.requested = Some(untrusted(&it.requested));
        }
        RecordBody::Failure(it) => {
            step.kind = StepKind::Failure;
            step.title = format!("`{}` failed", it.verb);
            step.status = "failed".to_owned();
            step.requested = Some(untrusted(&it.message));
        }
        // Not of an incident, as a rule.
        RecordBody::Trust(_) | RecordBody::LogKey(_) | RecordBody::Erasure(_) | RecordBody::Recovery(_) => return None,
    }
    Some(step)
}

/// The first rows. All texts of theirs are the database's.
fn rows(outcome: &OutcomeView) -> Option<ResultRows> {
    let cell = |cell: &CellView| match cell {
        CellView::Null => None,
        CellView::Boolean(it) => Some(it.to_string()),
        CellView::Int(it) => Some(it.to_string()),
        CellView::Float(it) => Some(it.to_string()),
        CellView::Duration { duration_ms } => Some(format!("{duration_ms} ms")),
        CellView::At { at } => Some(at.clone()),
        CellView::Text(it) => Some(it.text().to_owned()),
    };
    let row = |row: &RowView| row.cells.iter().map(|it| cell(it).map(Untrusted::new)).collect();
    (!outcome.rows.is_empty()).then(|| ResultRows {
        columns: outcome.columns.clone(),
        rows: outcome.rows.iter().take(MAX_ROWS).map(row).collect(),
        more: outcome.rows.len().saturating_sub(MAX_ROWS),
    })
}

fn source(kind: &str) -> &'static str {
    match kind {
        "logs" => "logs",
        "parent_report" => "the evidence of an earlier report",
        _ => "the server",
    }
}

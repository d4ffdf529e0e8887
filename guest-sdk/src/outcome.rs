//! Reading what an action returned: rows by the names of their columns, plans node by node.

use crate::{Cell, Outcome, OutcomeStatus, PlanNode, Row};

impl Outcome {
    /// Whether the rows and the plan can be judged: all of them, or the first.
    pub fn has_result(&self) -> bool {
        matches!(self.status, OutcomeStatus::Ok | OutcomeStatus::Truncated)
    }

    /// The rows, to be read by column name.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.rows.iter().map(|row| Record {
            columns: &self.columns,
            row,
        })
    }

    /// The parent of `node` in the plan.
    pub fn parent_of(&self, node: &PlanNode) -> Option<&PlanNode> {
        self.plan.get(usize::try_from(node.parent?).ok()?)
    }

    /// The children of the node at `position` of the plan, in the plan's order.
    pub fn children_of(&self, position: usize) -> impl Iterator<Item = &PlanNode> {
        let position = u32::try_from(position).ok();
        self.plan
            .iter()
            .filter(move |node| position.is_some() && node.parent == position)
    }
}

/// A row whose cells are found by the names of their columns.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    columns: &'a [String],
    row: &'a Row,
}

impl<'a> Record<'a> {
    /// The cell of `column`; `None` when there is no such column, or NULL in it.
    pub fn cell(&self, column: &str) -> Option<&'a Cell> {
        let position = self.columns.iter().position(|name| name == column)?;
        self.row.cells.get(position).filter(|cell| !matches!(cell, Cell::Null))
    }

    /// An integer that is not negative.
    pub fn count(&self, column: &str) -> Option<u64> {
        self.int(column).and_then(|n| u64::try_from(n).ok())
    }

    /// An integer.
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.cell(column)? {
            Cell::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// A finite floating-point number.
    pub fn float(&self, column: &str) -> Option<f64> {
        match self.cell(column)? {
            Cell::Float(x) if x.is_finite() => Some(*x),
            _ => None,
        }
    }

    /// Milliseconds, as pg_stat_statements counts them, in microseconds.
    pub fn milliseconds(&self, column: &str) -> Option<u64> {
        // A cast of a float saturates; a negative time is no time.
        self.float(column).filter(|ms| *ms >= 0.0).map(|ms| (ms * 1e3) as u64)
    }

    /// Text. UNTRUSTED, and good for comparing only: there is no way to say it.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        match self.cell(column)? {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A truth value.
    pub fn boolean(&self, column: &str) -> Option<bool> {
        match self.cell(column)? {
            Cell::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// A duration in microseconds that is not negative.
    pub fn duration_us(&self, column: &str) -> Option<u64> {
        match self.cell(column)? {
            Cell::DurationUs(us) => u64::try_from(*us).ok(),
            _ => None,
        }
    }

    /// An instant in microseconds.
    pub fn at(&self, column: &str) -> Option<i64> {
        match self.cell(column)? {
            Cell::At(us) => Some(*us),
            _ => None,
        }
    }

    /// The subject that the row is about.
    pub fn subject(&self) -> Option<&'a String> {
        self.row.subject.as_ref()
    }
}

impl PlanNode {
    /// How often it ran; none with plain EXPLAIN, and none when it never ran.
    pub fn times_run(&self) -> Option<u64> {
        self.loops.filter(|&loops| loops > 0)
    }

    /// Rows that it returned each time it ran, to be compared with `plan_rows`. Finite and not negative.
    pub fn actual_rows_per_loop(&self) -> Option<f64> {
        let rows = self.actual_rows? / self.times_run()? as f64;
        (rows.is_finite() && rows >= 0.0).then_some(rows)
    }

    /// By how much the planner was wrong: the larger of estimate and actual rows over the smaller, each taken as 1 at least.
    pub fn misestimate(&self) -> Option<f64> {
        let actual = self.actual_rows_per_loop()?.max(1.0);
        let planned = if self.plan_rows.is_finite() {
            self.plan_rows.max(1.0)
        } else {
            return None;
        };
        Some(if actual > planned {
            actual / planned
        } else {
            planned / actual
        })
    }
}

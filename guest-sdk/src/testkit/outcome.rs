//! Outcomes by hand.

use super::catalogue::{self, Rows};
use crate::{Cell, Outcome, OutcomeStatus, PlanNode, Row, Subject};

/// An outcome of the catalogue action `action` with its columns and no rows.
pub fn outcome(action: &str) -> OutcomeBuilder {
    let columns = catalogue::action(action)
        .map(|action| action.columns)
        .unwrap_or_default();
    OutcomeBuilder(Outcome {
        action: action.to_owned(),
        subjects: Vec::new(),
        status: OutcomeStatus::Ok,
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        rows: Vec::new(),
        plan: Vec::new(),
        duration_us: 1_000,
    })
}

/// Builds an [`Outcome`].
#[derive(Debug, Clone)]
pub struct OutcomeBuilder(Outcome);

impl OutcomeBuilder {
    /// A subject that was bound.
    #[must_use]
    pub fn about(mut self, subject: &dyn Subject) -> Self {
        self.0.subjects.push(subject.subject_id().to_owned());
        self
    }

    /// How it ended.
    #[must_use]
    pub fn status(mut self, status: OutcomeStatus) -> Self {
        self.0.status = status;
        self
    }

    /// A row with these cells by column; the other columns are NULL, and columns that the action has not are added.
    #[must_use]
    pub fn row(self, cells: &[(&str, Cell)]) -> Self {
        self.row_about(None, cells)
    }

    /// Rows with these cells, as [`row`](Self::row) makes them.
    #[must_use]
    pub fn rows(self, rows: &[Vec<(&str, Cell)>]) -> Self {
        rows.iter().fold(self, |made, row| made.row(row))
    }

    /// A row about a session. Its subject has the id that [`session`](super::session) gives for the pid.
    #[must_use]
    pub fn session(self, row: SessionRow) -> Self {
        let optional = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
        let duration = |us: Option<i64>| us.map_or(Cell::Null, Cell::DurationUs);
        let int = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
        let (wait_type, wait_event) = row.wait.unzip();
        let mut cells = vec![
            ("pid", Cell::Int(i64::from(row.pid))),
            ("state", optional(row.state)),
            ("wait_event_type", optional(wait_type)),
            ("wait_event", optional(wait_event)),
            ("state_age", duration(row.state_age_us)),
            ("query_age", duration(row.query_age_us)),
        ];
        if row.blocked_pid.is_some() || row.depth.is_some() {
            cells.extend([("blocked_pid", int(row.blocked_pid)), ("depth", int(row.depth))]);
        }
        self.row_about((!row.is_hidden).then(|| super::session(row.pid)), &cells)
    }

    /// A row about a sequence. Its subject is `sq_` and `n`.
    #[must_use]
    pub fn sequence(self, n: u64, cells: &[(&str, Cell)]) -> Self {
        self.row_about(Some(format!("sq_{n}")), cells)
    }

    /// A row about what the rows of its action are about: an index, a constraint, a replication slot, a prepared transaction. Its subject has
    /// the id that [`row_subject`] gives for `n`; an action whose rows have no subjects gives it none.
    #[must_use]
    pub fn object(self, n: u64, cells: &[(&str, Cell)]) -> Self {
        let subject = row_subject(&self.0.action, n);
        self.row_about(subject, cells)
    }

    /// The plan; parents before children.
    #[must_use]
    pub fn plan(mut self, nodes: impl IntoIterator<Item = PlanNode>) -> Self {
        self.0.plan.extend(nodes);
        self
    }

    /// The outcome.
    pub fn build(self) -> Outcome {
        self.0
    }

    fn row_about(mut self, subject: Option<String>, cells: &[(&str, Cell)]) -> Self {
        for (column, _) in cells {
            if !self.0.columns.iter().any(|known| known == column) {
                self.0.columns.push((*column).to_owned());
                self.0.rows.iter_mut().for_each(|row| row.cells.push(Cell::Null));
            }
        }
        let cell = |column: &String| {
            cells
                .iter()
                .find(|(name, _)| name == column)
                .map_or(Cell::Null, |(_, c)| c.clone())
        };
        self.0.rows.push(Row {
            cells: self.0.columns.iter().map(cell).collect(),
            subject,
        });
        self
    }
}

/// The id of the subject that the row `n` of `action` gets by [`OutcomeBuilder::object`]; none where rows of that action have no such subjects.
pub fn row_subject(action: &str, n: u64) -> Option<String> {
    let rows = catalogue::action(action)?.rows;
    let has_objects = !matches!(rows, Rows::Plain | Rows::Sessions | Rows::Sequences);
    has_objects.then(|| row_id(rows, n))
}

/// The id of a row's subject, where that is no session.
pub(super) fn row_id(rows: Rows, n: u64) -> String {
    let prefix = match rows {
        // A plan's index may have the same number.
        Rows::Indexes => "ix_row",
        Rows::Constraints => "ct",
        Rows::ReplicationSlots => "sl",
        Rows::PreparedTransactions => "pt",
        Rows::Sequences | Rows::Sessions | Rows::Plain => "sq",
    };
    format!("{prefix}_{n}")
}

/// What a row about a session shows.
#[derive(Debug, Clone, Copy)]
pub struct SessionRow {
    /// Process id.
    pub pid: i32,
    /// pg_stat_activity's `state`.
    pub state: Option<&'static str>,
    /// `wait_event_type` and `wait_event`.
    pub wait: Option<(&'static str, &'static str)>,
    /// How long it is in this state.
    pub state_age_us: Option<i64>,
    /// How long its statement runs.
    pub query_age_us: Option<i64>,
    /// The session that waits for it.
    pub blocked_pid: Option<i64>,
    /// 1 for a session that the one asked about waits for.
    pub depth: Option<i64>,
    /// Whether the row is about no subject: the server hides the session's start, or it is a prepared transaction.
    pub is_hidden: bool,
}

/// A session that has been running a statement for two seconds and waits for nothing.
pub fn session_row(pid: i32) -> SessionRow {
    SessionRow {
        pid,
        state: Some("active"),
        wait: None,
        state_age_us: Some(2_000_000),
        query_age_us: Some(2_000_000),
        blocked_pid: None,
        depth: None,
        is_hidden: false,
    }
}

/// A node of a plan that was not run: 10 rows for a cost of 100. Its id is `pn_` and `n`.
pub fn plan_node(n: usize, node_type: &str) -> PlanNode {
    PlanNode {
        id: format!("pn_{n}"),
        parent: None,
        node_type: node_type.to_owned(),
        relation: None,
        filter_columns: Vec::new(),
        total_cost: 100.0,
        plan_rows: 10.0,
        actual_rows: None,
        loops: None,
        total_us: None,
        rows_removed_by_filter: None,
        heap_fetches: None,
        shared_hit_blocks: None,
        shared_read_blocks: None,
        temp_read_blocks: None,
        temp_written_blocks: None,
        disk_bytes: None,
    }
}

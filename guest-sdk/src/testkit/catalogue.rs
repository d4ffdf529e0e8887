//! The host's catalogue, as far as requests can tell: a test compares it with the host's files.

/// Which fact of a subject fills a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    QueryId,
    Sample,
    Session,
    Database,
    User,
    ApplicationName,
}

/// How an action runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Explain,
    ExplainAnalyze,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) facet: Facet,
    pub(super) required: bool,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) id: &'static str,
    pub(super) kind: Kind,
    pub(super) parameters: &'static [Parameter],
    pub(super) at_least_one_of: &'static [&'static str],
    pub(super) columns: &'static [&'static str],
    /// Whether rows are about sessions.
    pub(super) rows_are_sessions: bool,
}

/// The action `id`.
pub(super) fn action(id: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.id == id)
}

const fn required(name: &'static str, facet: Facet) -> Parameter {
    Parameter {
        name,
        facet,
        required: true,
    }
}

const fn optional(name: &'static str, facet: Facet) -> Parameter {
    Parameter {
        name,
        facet,
        required: false,
    }
}

const fn by_dimensions(id: &'static str) -> Action {
    Action {
        id,
        kind: Kind::Query,
        parameters: DIMENSIONS,
        at_least_one_of: &["database", "user", "application_name"],
        columns: SESSION,
        rows_are_sessions: true,
    }
}

const fn by_pid(id: &'static str, columns: &'static [&'static str]) -> Action {
    Action {
        id,
        kind: Kind::Query,
        parameters: PID,
        at_least_one_of: &[],
        columns,
        rows_are_sessions: true,
    }
}

const fn reading(id: &'static str, parameters: &'static [Parameter], columns: &'static [&'static str]) -> Action {
    Action {
        id,
        kind: Kind::Query,
        parameters,
        at_least_one_of: &[],
        columns,
        rows_are_sessions: false,
    }
}

const fn explain(id: &'static str) -> Action {
    Action {
        kind: Kind::Explain,
        ..reading(id, QUERY_ID, &[])
    }
}

const fn explain_analyze(id: &'static str) -> Action {
    Action {
        kind: Kind::ExplainAnalyze,
        ..reading(id, QUERY_ID_AND_SAMPLE, &[])
    }
}

const DIMENSIONS: &[Parameter] = &[
    optional("database", Facet::Database),
    optional("user", Facet::User),
    optional("application_name", Facet::ApplicationName),
];

const PID: &[Parameter] = &[required("pid", Facet::Session)];

const QUERY_ID: &[Parameter] = &[required("queryid", Facet::QueryId)];

const QUERY_ID_AND_SAMPLE: &[Parameter] = &[required("queryid", Facet::QueryId), required("sample", Facet::Sample)];

const SESSION: &[&str] = &[
    "pid",
    "backend_start",
    "database",
    "user",
    "application_name",
    "state",
    "wait_event_type",
    "wait_event",
    "xact_start",
    "query_start",
    "state_age",
    "query_age",
    "query_id",
];

const BLOCKER: &[&str] = &[
    "pid",
    "backend_start",
    "database",
    "user",
    "application_name",
    "state",
    "wait_event_type",
    "wait_event",
    "xact_start",
    "query_start",
    "state_age",
    "query_age",
    "query_id",
    "blocked_pid",
    "depth",
];

/// All actions, by id.
pub(super) const ACTIONS: &[Action] = &[
    by_dimensions("error_class.pg_stat_activity.by_dimensions"),
    explain("query_family.explain"),
    explain_analyze("query_family.explain_analyze"),
    by_dimensions("query_family.pg_stat_activity.by_dimensions"),
    reading(
        "query_family.pg_stat_statements.by_queryid",
        QUERY_ID,
        &[
            "queryid",
            "calls",
            "total_exec_ms",
            "mean_exec_ms",
            "min_exec_ms",
            "max_exec_ms",
            "rows",
            "shared_blks_hit",
            "shared_blks_read",
            "temp_blks_read",
            "temp_blks_written",
        ],
    ),
    by_pid("running_query.blocking.by_pid", BLOCKER),
    by_pid("running_query.pg_stat_activity.by_pid", SESSION),
    explain("temp_file.explain"),
    explain_analyze("temp_file.explain_analyze"),
    reading(
        "temp_file.pg_stat_database.temp_counters",
        &[required("database", Facet::Database)],
        &["database", "temp_files", "temp_bytes", "stats_reset"],
    ),
    reading(
        "temp_file.pg_stat_statements.temp_blocks",
        &[],
        &[
            "queryid",
            "calls",
            "temp_blks_read",
            "temp_blks_written",
            "total_exec_ms",
        ],
    ),
];

//! Every action on a server of every version, with the least role that `inspect` prints the script for, and with less.

mod figures;

use std::time::{Duration, Instant};

use pg_logstats_logs::evidence::Sample;
use pg_logstats_test_cluster::SUPERUSER;
use sqlx::{AssertSqlSafe, Column as _, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _};

use super::crowd::{Crowd, SECRET};
use super::{VOLATILE, functions};
use crate::catalogue::{Action, ActionKind, BoundParameter, BoundValue, Catalogue, ColumnType, Facet};
use crate::db::Target;
use crate::db::execute::query_sql;
use crate::db::inspect_server;
use crate::db::session::{Session, Timeouts};
use crate::db::test_server::{block_on, queryid, run, session, target_of, text};
use crate::outcome::{ActionOutcome, Cell, Row};
use crate::words::OutcomeStatus;

/// A member of nothing.
const BARE: &str = "bare";
/// Made by the script, without what it offers as an option.
const READER: &str = "reader";
/// With the option, too: it may read tables and sequences.
const SELECTING: &str = "selecting";

/// Find nothing on a primary.
const EMPTY: [&str; 2] = [
    "replication.pg_stat_activity.replay_holders",
    "replication.pg_stat_wal_receiver.state",
];
/// How long an action is asked again that is cancelled each time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Its view came with PostgreSQL 16.
const FROM_16: &str = "checkpoint.pg_stat_io.counters";

pg_logstats_test_cluster::on_each_version!(every_action_does_what_its_file_says);

fn every_action_does_what_its_file_says(major: u32) {
    let stage = Stage::new(major);
    let mut faults = Vec::new();
    let mut fault = |action: &Action, what: String| faults.push(format!("{}: {what}", action.id));
    for action in Catalogue::builtin().unwrap().iter() {
        for bound in stage.bindings(action) {
            if let Err(what) = stage.gives_what_it_declares(action, bound.clone()) {
                fault(action, what);
            }
            if let Err(what) = stage.gives_nothing_to_a_lesser_role(action, bound) {
                fault(action, what);
            }
        }
        if let Err(what) = stage.has_the_declared_columns(action) {
            fault(action, what);
        }
    }
    assert!(faults.is_empty(), "PostgreSQL {major}:\n{}", faults.join("\n"));
    stage.names_no_other_volatile_function();
    stage.finds_what_is_there();
}

/// A server on which something is going on, and the roles that look.
struct Stage {
    major: u32,
    crowd: Crowd,
}

impl Stage {
    fn new(major: u32) -> Self {
        let crowd = Crowd::on(major);
        for role in [BARE, READER, SELECTING] {
            crowd.cluster.psql(&format!("CREATE ROLE {role} LOGIN")).unwrap();
        }
        let stage = Self { major, crowd };
        for (role, with_options) in [(READER, false), (SELECTING, true)] {
            let inspection = block_on(inspect_server(&stage.target(role)));
            assert_eq!(inspection.server_version_num.unwrap() / 10_000, major);
            let script = inspection.grant_script.unwrap();
            for line in script.text().lines() {
                let option = line
                    .strip_prefix("-- ")
                    .filter(|rest| with_options && rest.starts_with("GRANT "));
                if let Some(statement) = option.or(Some(line)).filter(|line| !line.starts_with("--")) {
                    stage.crowd.cluster.psql_as(SUPERUSER, "shop", statement).unwrap();
                }
            }
        }
        stage
    }

    fn target(&self, role: &str) -> Target {
        target_of(&self.crowd.cluster.dsn(role, "shop"))
    }

    fn ask(&self, sql: &str) -> String {
        self.crowd.cluster.psql_as(SUPERUSER, "shop", sql).unwrap()
    }

    /// Values for the action's parameters; a relation is named in both ways.
    fn bindings(&self, action: &Action) -> Vec<Vec<BoundParameter>> {
        let relation = |value| {
            vec![BoundParameter {
                name: "relation".to_owned(),
                value,
            }]
        };
        if action.parameters.iter().any(|p| p.facet == Facet::Relation) {
            let oid = |sql: &str| self.ask(sql).parse().unwrap();
            return vec![
                relation(BoundValue::RelationName {
                    database: Some("shop".to_owned()),
                    schema: "public".to_owned(),
                    name: "item".to_owned(),
                }),
                relation(BoundValue::RelationOid {
                    database: oid("SELECT oid FROM pg_database WHERE datname = 'shop'"),
                    relation: oid("SELECT 'item'::regclass::oid"),
                }),
            ];
        }
        let value = |facet| match facet {
            Facet::QueryId => Some(queryid(self.statement("SELECT count(*) FROM item WHERE price > $1"))),
            Facet::Session if action.id.contains("blocking") => Some(session(self.crowd.blocked_pid, None)),
            Facet::Session => Some(session(self.crowd.blocker_pid, None)),
            Facet::Database => Some(text("database", "shop")),
            Facet::ApplicationName => Some(text("application_name", "crowd")),
            Facet::Sample | Facet::User | Facet::Relation => None,
        };
        vec![action.parameters.iter().filter_map(|p| value(p.facet)).collect()]
    }

    fn statement(&self, like: &str) -> i64 {
        let sql =
            format!("SELECT queryid FROM pg_stat_statements WHERE query LIKE '{like}' ORDER BY calls DESC LIMIT 1");
        self.ask(&sql).parse().unwrap()
    }

    fn run(&self, role: &str, action: &Action, bound: Vec<BoundParameter>) -> ActionOutcome {
        let sample = (action.kind == ActionKind::ExplainAnalyze).then(|| Sample {
            statement: "SELECT count(*) FROM item WHERE price > 17".to_owned(),
            parameters: Vec::new(),
        });
        let mut bound = bound;
        if let Some(sample) = &sample {
            let sha256 = crate::subjects::sample_digest(sample);
            bound.push(BoundParameter {
                name: "sample".to_owned(),
                value: BoundValue::Sample { sha256 },
            });
        }
        // A bounded action is cancelled when it takes so long that its watchdog sees what is going on here; then it is asked again, until this
        // machine is quick enough for once.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let outcome = run(&self.target(role), &action.id, bound.clone(), sample.clone());
            if outcome.status != OutcomeStatus::Cancelled || Instant::now() > deadline {
                return outcome;
            }
        }
    }

    fn is_available(&self, action: &Action) -> bool {
        action.id != FROM_16 || self.major >= 16
    }

    fn gives_what_it_declares(&self, action: &Action, bound: Vec<BoundParameter>) -> Result<(), String> {
        let outcome = self.run(least_role(action), action, bound);
        if !self.is_available(action) {
            let says_what_to_do = outcome
                .detail
                .as_ref()
                .is_some_and(|d| d.contains("needs PostgreSQL 16 or later"));
            return right(
                outcome.status == OutcomeStatus::Unavailable && says_what_to_do,
                &outcome,
            );
        }
        // Which a full page of rows may be.
        let ran = matches!(outcome.status, OutcomeStatus::Ok | OutcomeStatus::Truncated);
        right(ran && outcome.sqlstate.is_none(), &outcome)?;
        right(!format!("{outcome:?}").contains(SECRET), &outcome)?;
        let names: Vec<&str> = action.columns.iter().map(|c| c.name.as_str()).collect();
        right(outcome.columns == names, &outcome)?;
        let is_explain = action.kind != ActionKind::Query;
        right(
            outcome.plan.is_empty() != is_explain && outcome.detail.is_none() | !is_explain,
            &outcome,
        )?;
        right(outcome.rows.is_empty() == EMPTY.contains(&action.id.as_str()), &outcome)?;
        right(outcome.rows.len() <= action.caps.max_rows as usize, &outcome)?;
        let hidden = action.row_hidden.iter().flat_map(|column| cells(&outcome, column));
        right(hidden.into_iter().all(|cell| cell == Cell::Boolean(false)), &outcome)?;
        let is_about_sessions = action.row_session.is_some() && !outcome.rows.is_empty();
        let has_session = outcome.rows.iter().any(|row| row.session.is_some());
        right(has_session == is_about_sessions, &outcome)
    }

    /// With less than it declares, the action says so and gives no data.
    fn gives_nothing_to_a_lesser_role(&self, action: &Action, bound: Vec<BoundParameter>) -> Result<(), String> {
        let role = match least_role(action) {
            SELECTING => READER,
            READER => BARE,
            _ => return Ok(()),
        };
        let outcome = self.run(role, action, bound);
        if outcome.status == OutcomeStatus::InsufficientPrivilege {
            let says_what_to_do = outcome
                .detail
                .as_ref()
                .is_some_and(|d| d.to_lowercase().contains("grant"));
            return right(
                outcome.rows.is_empty() && outcome.plan.is_empty() && says_what_to_do,
                &outcome,
            );
        }
        // What the server shows to everybody (which pid waits for which; slots and prepared transactions) is there, and said to be a
        // part.
        let says_so = |words: &str| outcome.detail.as_ref().is_some_and(|d| d.contains(words));
        right(
            match action.id.as_str() {
                "running_query.blocking.by_pid" => says_so("only this role's own"),
                "running_query.pg_stat_activity.longest" | "wraparound.pg_stat_activity.oldest_xmin" => {
                    says_so("rows are hidden")
                }
                // Nothing is replayed on a primary, which the server tells everybody.
                "replication.pg_stat_activity.replay_holders" => outcome.rows.is_empty(),
                _ => false,
            },
            &outcome,
        )?;
        let names = &outcome.columns;
        let at = |name: &str| names.iter().position(|c| c == name);
        let is_public =
            |row: &Row| at("holder").is_some_and(|holder| row.cells[holder] != Cell::Text("session".to_owned()));
        let private = ["state", "query_start", "xact_start", "query_id", "backend_start"];
        let private: Vec<usize> = private.into_iter().filter_map(at).collect();
        let mut others = outcome.rows.iter().filter(|row| !is_public(row));
        let is_null = others.all(|row| private.iter().all(|column| row.cells[*column] == Cell::Null));
        right(is_null, &outcome)
    }

    /// Names, types and order, also of columns that are NULL in every row.
    fn has_the_declared_columns(&self, action: &Action) -> Result<(), String> {
        if action.kind != ActionKind::Query || !self.is_available(action) {
            return Ok(());
        }
        let timeouts = Timeouts {
            statement_ms: 5_000,
            lock_ms: 500,
            idle_in_transaction_ms: 5_000,
        };
        let described: Vec<(String, String)> = block_on(async {
            let mut session = Session::open(&self.target(least_role(action)), timeouts).await.unwrap();
            let sql = query_sql(action, &session.facts).unwrap();
            let statement = session
                .connection
                .prepare(AssertSqlSafe(sql).into_sql_str())
                .await
                .unwrap();
            let columns = statement.columns().iter();
            columns
                .map(|c| (c.name().to_owned(), c.type_info().name().to_lowercase()))
                .collect()
        });
        let declared = action
            .columns
            .iter()
            .map(|c| (c.name.as_str(), sql_types(c.column_type)));
        let fits = described.len() == action.columns.len()
            && described
                .iter()
                .zip(declared)
                .all(|((name, sql_type), (wanted, types))| name == wanted && types.contains(&sql_type.as_str()));
        if fits {
            Ok(())
        } else {
            Err(format!("the server describes {described:?}"))
        }
    }

    fn names_no_other_volatile_function(&self) {
        let names: Vec<String> = functions().into_iter().map(|f| format!("'{}'", f.name)).collect();
        let volatile = self.ask(&format!(
            "SELECT string_agg(DISTINCT proname, ' ') FROM pg_proc WHERE provolatile = 'v' AND proname IN ({})",
            names.join(", ")
        ));
        for name in volatile.split_whitespace() {
            assert!(VOLATILE.iter().any(|(known, _)| *known == name), "`{name}` is volatile");
        }
    }
}

/// The role that has what the action declares and no more.
fn least_role(action: &Action) -> &'static str {
    let privileges = &action.privileges;
    if privileges.selects() {
        SELECTING
    } else if privileges.roles.is_empty() && privileges.extensions.is_empty() {
        BARE
    } else {
        READER
    }
}

fn sql_types(column: ColumnType) -> &'static [&'static str] {
    match column {
        ColumnType::Boolean => &["bool"],
        ColumnType::Int => &["int2", "int4", "int8"],
        ColumnType::Float => &["float4", "float8"],
        ColumnType::Text => &["text", "varchar", "name"],
        ColumnType::DurationUs => &["int8"],
        ColumnType::At => &["timestamptz"],
    }
}

fn cells(outcome: &ActionOutcome, column: &str) -> Vec<Cell> {
    let at = outcome.columns.iter().position(|c| c == column).unwrap();
    outcome.rows.iter().map(|row| row.cells[at].clone()).collect()
}

fn right(is_right: bool, outcome: &ActionOutcome) -> Result<(), String> {
    let shown = || {
        let rows: Vec<_> = outcome.rows.iter().take(2).map(|row| &row.cells).collect();
        format!(
            "{} {:?} {:?}; {} rows, {} nodes; {rows:?}",
            outcome.status,
            outcome.sqlstate,
            outcome.detail,
            outcome.rows.len(),
            outcome.plan.len()
        )
    };
    if is_right { Ok(()) } else { Err(shown()) }
}

//! What no walk may break, whatever it is about: what was recorded of it, what it cost, and what it sent to the servers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pg_logstats_gateway::budget::{Budget, BudgetLimits};
use pg_logstats_gateway::catalogue::{ActionKind, Catalogue, PG_STAT_STATEMENTS_SCHEMA};
use pg_logstats_gateway::record::{IntentRecord, OutcomeRecord, RecordBody, SealedRecord};
use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::words::{OutcomeStatus, Risk, VerdictLevel};
use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::Lab;

use super::servers::Servers;

/// How long the server may take to notice that a client said goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// What records say of actions, by their ids: how many were begun, and how many of these went well.
#[derive(Debug, Default)]
pub(super) struct Recorded(BTreeMap<String, (usize, usize)>);

impl Recorded {
    /// Adds the records of `lab`, which has walked one incident, and holds them to the rules; their reports, by the records' ids.
    pub(super) fn add(&mut self, lab: &Lab) -> BTreeMap<String, Report> {
        lab.verified_records();
        let list = lab.json(&["audit", "list"]);
        let ids = list
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["record_id"].as_str().unwrap());
        let mut walk = Walk::default();
        let mut reports = BTreeMap::new();
        for id in ids {
            let sealed: SealedRecord = serde_json::from_value(lab.json(&["audit", "show", id])).unwrap();
            match sealed.body {
                RecordBody::Intent(intent) => walk.begins(sealed.record_id, *intent),
                RecordBody::Outcome(outcome) => {
                    self.ends(walk.ends(&outcome), &outcome);
                    reports.insert(sealed.record_id, outcome.result.report);
                }
                RecordBody::Triage(record) => {
                    reports.insert(sealed.record_id, record.report);
                }
                RecordBody::Refusal(_) => {}
                other => panic!("a walk gives no such record: {other:?}"),
            }
        }
        assert!(walk.open.is_none(), "an intent has no outcome: {:?}", walk.open);
        reports
    }

    fn ends(&mut self, target: String, outcome: &OutcomeRecord) {
        let (begun, well) = self.0.entry(target).or_default();
        *begun += 1;
        let status = outcome.result.report.outcome.as_ref().unwrap().status;
        *well += usize::from(status == OutcomeStatus::Ok);
    }
}

/// The actions of one incident, so far.
#[derive(Default)]
struct Walk {
    /// The intent that has no outcome yet: one action runs at a time.
    open: Option<(String, IntentRecord)>,
    actions: u64,
    us: u64,
    bytes: u64,
}

impl Walk {
    fn begins(&mut self, id: String, intent: IntentRecord) {
        assert!(self.open.is_none(), "{id} begins before {:?} has ended", self.open);
        let action = Catalogue::builtin().unwrap().get(&intent.target_id).unwrap();
        let is_allowed = match intent.verdict.level {
            VerdictLevel::Clear => matches!(intent.risk, Risk::Safe | Risk::Bounded),
            VerdictLevel::Busy => intent.risk == Risk::Safe,
            VerdictLevel::Saturated => intent.risk == Risk::Safe && action.essential,
            VerdictLevel::Unknown => false,
        };
        assert!(is_allowed, "the verdict forbids it: {intent:#?}");
        // Nobody was there to approve anything.
        assert_eq!(intent.approver, "policy", "{intent:#?}");
        self.open = Some((id, intent));
    }

    /// The id of the action whose outcome it is.
    fn ends(&mut self, outcome: &OutcomeRecord) -> String {
        let (id, intent) = self.open.take().expect("an outcome has an intent before it");
        assert_eq!(outcome.intent_record_id, id);
        self.actions += 1;
        self.us += outcome.duration_us;
        self.bytes += outcome.bytes;
        self.is_within(&outcome.result.report.budget);
        intent.target_id
    }

    /// That the report tells what was used, and that it is no more than a budget has.
    fn is_within(&self, budget: &Budget) {
        let Self { actions, us, bytes, .. } = *self;
        let most = BudgetLimits::default();
        let (incident, day, rate) = (most.incident, most.day, most.actions_per_minute);
        assert_eq!(budget.actions_used, actions, "{budget:#?}");
        assert!(
            budget.database_ms_used >= us / 1_000 && budget.bytes_used >= bytes,
            "{us} µs, {bytes} bytes: {budget:#?}"
        );
        let of_day = budget.day.as_ref().unwrap();
        let of_minute = budget.rate.as_ref().unwrap();
        for (used, limit, most) in [
            (budget.actions_used, budget.actions_limit, incident.actions),
            (budget.database_ms_used, budget.database_ms_limit, incident.database_ms),
            (budget.bytes_used, budget.bytes_limit, incident.bytes),
            (
                budget.explain_analyze_used,
                budget.explain_analyze_limit,
                incident.explain_analyze,
            ),
            (of_day.actions_used, of_day.actions_limit, day.actions),
            (of_day.database_ms_used, of_day.database_ms_limit, day.database_ms),
            (of_day.bytes_used, of_day.bytes_limit, day.bytes),
            (
                of_day.explain_analyze_used,
                of_day.explain_analyze_limit,
                day.explain_analyze,
            ),
            (of_minute.actions_last_minute, of_minute.actions_per_minute_limit, rate),
        ] {
            assert!(used <= limit && limit <= most, "{used} of {limit}: {budget:#?}");
        }
    }
}

/// That nothing of ours is left on the servers, and that all that we sent to them is what we may send, as often as was recorded.
pub(super) fn of_servers(servers: &Servers, recorded: &Recorded) {
    let mut sent: Vec<String> = Vec::new();
    for cluster in servers.all() {
        nobody_is_left(cluster);
        sent.extend(statements(cluster));
    }
    let ours = Ours::new();
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    for statement in &sent {
        match ours.actions.get_key_value(statement) {
            Some((sql, _)) => *runs.entry(sql).or_default() += 1,
            None => assert!(ours.has(statement), "we may not send this: {statement}"),
        }
    }
    assert!(
        !runs.is_empty(),
        "the server's log shows no action of {recorded:?}: {sent:#?}"
    );
    for (sql, n) in &runs {
        let begun: usize = ours.actions[*sql]
            .iter()
            .filter_map(|id| recorded.0.get(id))
            .map(|it| it.0)
            .sum();
        assert!(*n <= begun, "ran {n} times, and has {begun} intents: {sql}");
    }
    let analysed = sent.iter().filter(|it| it.starts_with(ANALYZE)).count();
    let catalogue = Catalogue::builtin().unwrap();
    for (id, (begun, well)) in &recorded.0 {
        let action = catalogue.get(id).unwrap();
        let texts = ours.actions.iter().filter(|(_, ids)| ids.contains(id));
        let n: usize = texts.filter_map(|(sql, _)| runs.get(sql.as_str())).sum();
        assert!(n >= *well, "{id} went well {well} times, and the log has it {n} times");
        if action.kind == ActionKind::ExplainAnalyze {
            assert!(analysed >= *well, "{id}: {analysed} of {begun}");
        }
    }
    let may_analyse = |(id, _): &(&String, _)| catalogue.get(id).unwrap().kind == ActionKind::ExplainAnalyze;
    let most: usize = recorded.0.iter().filter(may_analyse).map(|(_, (begun, _))| begun).sum();
    assert!(
        analysed <= most,
        "{analysed} statements were run for their plan, with {most} intents"
    );
}

fn nobody_is_left(cluster: &Cluster) {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg-logstats' OR usename = 'triage'";
    let asked = Instant::now();
    while cluster.psql(count).unwrap() != "0" {
        assert!(asked.elapsed() < GOODBYE, "a session of ours is left behind");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the role `triage` sent, as the log of the server has it (`Servers::start` has it logged), each on one line.
fn statements(cluster: &Cluster) -> Vec<String> {
    let log = std::fs::read(cluster.server_log()).unwrap();
    let log = String::from_utf8_lossy(&log);
    let mut sent: Vec<String> = Vec::new();
    let mut sessions: BTreeSet<&str> = BTreeSet::new();
    // The statement that the lines that follow go on with.
    let mut is_open = false;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some(statement) = sent.last_mut().filter(|_| is_open) {
                *statement += " ";
                *statement += more;
            }
            continue;
        }
        is_open = false;
        let Some((process, said)) = line.split_once("] triage@") else {
            continue;
        };
        // READ ONLY SQL TRANSACTION: something of ours tried to write.
        assert!(!said.contains(" 25006 "), "{line}");
        let Some((who, said)) = said.split_once(": LOG:  ") else {
            continue;
        };
        let simple = said.strip_prefix("statement: ");
        let prepared = || Some(said.strip_prefix("execute ")?.split_once(": ")?.1);
        let Some(statement) = simple.or_else(prepared) else {
            continue;
        };
        assert!(who.starts_with("shop pg-logstats "), "{line}");
        let pid = process.rsplit('[').next().unwrap();
        let is_cancel = statement == CANCEL;
        if sessions.insert(pid) {
            assert!(
                is_cancel || statement.starts_with("BEGIN TRANSACTION"),
                "a session began with {line}"
            );
        } else {
            assert!(!statement.starts_with("BEGIN"), "a second transaction: {line}");
        }
        sent.push(statement.to_owned());
        is_open = true;
    }
    sent.iter().map(|statement| on_one_line(statement)).collect()
}

fn on_one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `sql` without the time-outs of the session's opening, which are an action's own.
fn opened(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix(BEGIN)?;
    let rest = [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ]
    .iter()
    .try_fold(rest, |rest, setting| {
        let rest = rest
            .strip_prefix("SET LOCAL ")?
            .strip_prefix(setting)?
            .strip_prefix(" = ")?;
        rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("; ")
    })?;
    rest.strip_prefix(SET)
}

const BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL ROLE NONE; \
                     SET LOCAL search_path = pg_catalog, pg_temp; ";
const SET: &str = "SET LOCAL standard_conforming_strings = on; \
                   SELECT pg_catalog.set_config('client_connection_check_interval', '250', true) \
                   WHERE pg_catalog.strpos(pg_catalog.version(), 'linux') > 0; ";
const LOOK_AGAIN: &str = "SELECT pg_stat_clear_snapshot(); ";
const CANCEL: &str = "SELECT pg_catalog.pg_cancel_backend($1)";
/// How the driver asks what a type is that it does not know by itself: of columns that are arrays of names, for example.
const TYPES: &str = "SELECT pg_type.oid, pg_type.oid::regtype::text pretty_name, typname catalog_name, original_name, ";

/// What runs a statement of the application, once it was checked.
const ANALYZE: &str =
    "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY ON, FORMAT JSON, VERBOSE) EXECUTE pg_logstats_statement";

/// What may stand before a statement of the application, none of which runs it.
const PLANS: [&str; 3] = [
    "PREPARE pg_logstats_statement AS ",
    "EXPLAIN (GENERIC_PLAN, FORMAT JSON, VERBOSE) ",
    "EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE pg_logstats_statement",
];

/// What goes with a plan or an end, word for word.
const ALONE: [&str; 7] = [
    "ROLLBACK",
    "SELECT pg_catalog.set_config('search_path', $1, true)",
    "SELECT pg_catalog.current_setting('jit')",
    "SELECT pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('jit', $2, true)",
    "SET LOCAL plan_cache_mode = force_generic_plan",
    "SELECT pg_catalog.to_regclass(n.name)::pg_catalog.oid FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n (name)",
    CANCEL,
];

/// All that the product may send.
struct Ours {
    /// SQL of the catalogue, with the actions that it is of.
    actions: BTreeMap<String, BTreeSet<String>>,
    /// What else the gateway has as a text of its own.
    texts: Vec<String>,
    facts: String,
    look: String,
}

impl Ours {
    fn new() -> Self {
        let mut actions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut texts = vec![
            constant(include_str!("../../../host/gateway/src/db/explain.rs"), "SEARCH_PATH"),
            constant(include_str!("../../../host/gateway/src/db/index_facts.rs"), "HYPOPG"),
            constant(
                include_str!("../../../host/gateway/src/db/analyze/reachable.rs"),
                "REACHABLE",
            ),
            constant(
                include_str!("../../../host/gateway/src/db/analyze/reachable.rs"),
                "LOCKED",
            ),
        ];
        for action in Catalogue::builtin().unwrap().iter() {
            for statement in action.statements() {
                let sql = on_one_line(&statement.sql.replace(PG_STAT_STATEMENTS_SCHEMA, "public"));
                actions.entry(sql).or_default().insert(action.id.clone());
            }
            texts.extend(action.index_facts_sql().map(on_one_line));
        }
        Self {
            actions,
            texts,
            facts: constant(include_str!("../../../host/gateway/src/db/session.rs"), "FACTS"),
            look: constant(include_str!("../../../host/gateway/src/health/probe/look.rs"), "LOOK"),
        }
    }

    fn has(&self, statement: &str) -> bool {
        let is_opening = opened(statement).is_some_and(|rest| rest == self.facts || rest == self.look);
        let is_verdict = statement.strip_prefix(LOOK_AGAIN).is_some_and(|rest| rest == self.look);
        is_opening
            || is_verdict
            || ALONE.contains(&statement)
            || self.texts.iter().any(|text| text == statement)
            || PLANS.iter().any(|plan| statement.starts_with(plan))
            || statement.starts_with(ANALYZE)
            || statement.starts_with(TYPES)
    }
}

/// The SQL of the constant `name` in `source`, on one line: what a reviewer reads there is what may be sent.
fn constant(source: &str, name: &str) -> String {
    let (_, rest) = source
        .split_once(&format!("const {name}: &str = "))
        .unwrap_or_else(|| panic!("no constant {name}"));
    let raw = rest.strip_prefix("r#\"").and_then(|rest| rest.split_once("\"#;"));
    let plain = || rest.strip_prefix('"').and_then(|rest| rest.split_once("\";"));
    let text = match raw {
        Some((text, _)) => text.to_owned(),
        None => plain().unwrap().0.replace("\\\"", "\"").replace("\\\\", "\\"),
    };
    on_one_line(&text)
}

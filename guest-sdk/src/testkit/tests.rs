//! The kit itself: it must agree with the host, and refuse what the host refuses.

#![allow(
    unreachable_pub,
    reason = "the declaring macros are for the crates of runbooks, where it does not fire"
)]

use std::collections::BTreeMap;

use serde::Deserialize;

use super::catalogue::{self, Facet, Kind, Rows};
use super::{TestError, assessment, descriptor, generate, host, subjects};
use crate::{
    Actions, Assessment, Binding, Cell, Confidence, Count, Denial, Descriptor, Evidence, Failure, Finding, FindingKind,
    Insight, InsightId, Message, NextAction, Outcome, Ratio, ReasonCode, Recommendation, Runbook, Step, Value, Wait,
    Workflow, testkit,
};

mod messages {
    crate::messages! {
        one(n: count) => "{n} of {{them}}";
        about(thing: subject) => "about {thing}";
        part(share: ratio) => "{share}";
        plain() => "plain";
    }
}

crate::actions! {
    STATISTICS = "query_family.pg_stat_statements.by_queryid";
    SESSIONS = "query_family.pg_stat_activity.by_dimensions";
    EXPLAIN = "query_family.explain";
    EXPLAIN_ANALYZE = "query_family.explain_analyze";
    BLOCKING = "running_query.blocking.by_pid";
    COLUMNS = "relation.pg_stats.columns";
}
crate::workflows! { LOCKS = "locks"; }
crate::reason_codes! { KNOWN = "known"; }
crate::insights! { SEEN = "seen"; }

type Judge = fn(&Evidence, &mut dyn Actions) -> Assessment;

/// A runbook with the words above, whose triage is `judge`.
struct Test {
    judge: Judge,
}

impl Runbook for Test {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("test", "0.1.0", "test")
            .actions(ACTIONS)
            .workflows(WORKFLOWS)
            .reason_codes(REASON_CODES)
            .insights(INSIGHTS)
            .messages(messages::templates())
            .build()
    }

    fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok((self.judge)(evidence, actions))
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Err(messages::about(&String::from("nobody")).into())
    }
}

crate::export!(Test {
    judge: |_, _| Assessment::new()
});

fn breach_of(judge: Judge) -> String {
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .lock_wait(testkit::lock_wait(1, 7, &[8]))
        .build();
    match testkit::triage(&Test { judge }, &evidence) {
        Err(TestError::Breach(what)) => what,
        other => panic!("{other:?}"),
    }
}

fn said(finding: Finding) -> Assessment {
    let mut assessment = Assessment::new();
    assessment.finding(finding);
    assessment
}

fn plain() -> Finding {
    Finding::new(FindingKind::QueryFamily, messages::plain(), messages::plain())
}

#[test]
fn words_that_the_descriptor_does_not_list_are_refused() {
    let cases: [(Judge, &str); 5] = [
        (
            |_, _| {
                said(Finding {
                    title: Message {
                        id: "other".to_owned(),
                        values: vec![],
                    },
                    ..plain()
                })
            },
            "the message `other`",
        ),
        (
            |_, _| said(plain().code(ReasonCode::declared("unknown"))),
            "the reason code `unknown`",
        ),
        (
            |_, _| {
                let mut assessment = Assessment::new();
                let id = InsightId::declared("unknown");
                assessment.insight(Insight::new(id, Confidence::Low, messages::plain(), messages::plain()));
                assessment
            },
            "the insight `unknown`",
        ),
        (
            |_, _| {
                let mut assessment = Assessment::new();
                let workflow = Workflow::declared("unknown");
                assessment.next_action(NextAction::run_workflow(workflow, messages::plain(), messages::plain()));
                assessment
            },
            "the workflow `unknown`",
        ),
        (
            |_, actions| {
                let _ = actions.request(&crate::Action::declared("temp_file.explain").request());
                Assessment::new()
            },
            "`temp_file.explain`: undeclared-action",
        ),
    ];
    for (judge, expected) in cases {
        let breach = breach_of(judge);
        assert!(breach.ends_with(expected), "{breach}");
    }
}

#[test]
fn holes_are_filled_with_their_kinds_and_known_subjects() {
    let cases: [(Judge, &str); 5] = [
        (
            |_, _| {
                said(Finding {
                    title: Message {
                        id: "one".to_owned(),
                        values: vec![],
                    },
                    ..plain()
                })
            },
            "the number of values is not the number of holes of message `one`",
        ),
        (
            |_, _| {
                said(Finding {
                    title: Message {
                        id: "one".to_owned(),
                        values: vec![Value::Bytes(1)],
                    },
                    ..plain()
                })
            },
            "a value is not of its hole's kind in message `one`",
        ),
        (
            |_, _| {
                said(Finding {
                    title: Message {
                        id: "part".to_owned(),
                        values: vec![Value::Ratio(f64::NAN)],
                    },
                    ..plain()
                })
            },
            "a ratio is not finite in message `part`",
        ),
        (
            |_, _| {
                said(Finding {
                    title: messages::about(&String::from("us_1")),
                    ..plain()
                })
            },
            "the evidence has no subject `us_1`",
        ),
        (
            |e, _| said(plain().about(&e.families[0].statement)),
            "the evidence has no subject `SELECT * FROM orders WHERE id = ?`",
        ),
    ];
    for (judge, expected) in cases {
        assert_eq!(breach_of(judge), expected);
    }
}

#[test]
fn tickets_findings_scores_and_recommendations_are_checked() {
    let cases: [(Judge, &str); 5] = [
        (
            |_, _| {
                let mut assessment = Assessment::new();
                let action = NextAction::stop(messages::plain(), messages::plain());
                assessment.next_action(NextAction {
                    step: Step::RunSql(0),
                    ..action
                });
                assessment
            },
            "this run was not issued the ticket 0",
        ),
        (
            |_, _| {
                let mut assessment = Assessment::new();
                let action = NextAction::stop(messages::plain(), messages::plain());
                assessment.next_action(NextAction {
                    findings: vec![0],
                    ..action
                });
                assessment
            },
            "a next action refers to a finding that is not there",
        ),
        (
            |_, _| said(Finding { score: 1.5, ..plain() }),
            "the score of a finding is not between 0 and 1",
        ),
        (
            |e, _| {
                let mut assessment = Assessment::new();
                let insight = Insight::new(SEEN, Confidence::Low, messages::plain(), messages::plain());
                assessment.insight(insight.recommend(Recommendation::end(&e.families[0])));
                assessment
            },
            "a Session is needed, and `qf_0000000000000001` is a QueryFamily",
        ),
        (
            |_, _| {
                let mut assessment = Assessment::new();
                assessment.findings = vec![plain(); 201];
                assessment
            },
            "the assessment has 201 findings, more than 200",
        ),
    ];
    for (judge, expected) in cases {
        assert_eq!(breach_of(judge), expected);
    }
}

#[test]
fn an_index_has_sql_when_a_row_names_it_and_not_when_a_plan_does() {
    let node = crate::LoggedPlanNode {
        index: Some("ix_1".to_owned()),
        ..testkit::logged_plan_node(None, "Index Scan")
    };
    let family = testkit::family(1);
    let plan = testkit::logged_plan(&family, [node]);
    let evidence = testkit::evidence().logged_plan(plan).build();
    let outcome = testkit::outcome("relation.pg_index.invalid").object(1, &[]).build();
    let subjects = subjects::Subjects::new(&evidence, Some(&outcome));
    assert!(subjects.index_of_a_row("ix_row_1").is_ok());
    let refused = subjects.index_of_a_row("ix_1").unwrap_err().to_string();
    assert!(
        refused.contains("an index that a row is about is needed, and `ix_1` is one of a plan"),
        "{refused}"
    );
    assert!(subjects.of_kind("ix_1", subjects::Kind::Index).is_ok());
    // Rows without subjects of their own have none.
    assert_eq!(testkit::row_subject("query_family.explain", 1), None);
    assert_eq!(testkit::row_subject("lock_wait.pg_locks.tree", 1), None);
    let slot = testkit::row_subject("replication.pg_replication_slots.state", 7);
    assert_eq!(slot.as_deref(), Some("sl_7"));
}

#[test]
fn requests_are_answered_as_the_host_answers_them() {
    let bare = crate::QueryFamily {
        query_id_count: 0,
        has_sample: false,
        ..testkit::family(2)
    };
    let update = crate::QueryFamily {
        kind: crate::StatementKind::Update,
        ..testkit::family(3)
    };
    let nowhere = crate::QueryFamily {
        dimensions: testkit::dimensions("", "", ""),
        ..testkit::family(4)
    };
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .family(bare.clone())
        .family(update.clone())
        .family(nowhere.clone())
        .lock_wait(testkit::lock_wait(1, 7, &[8]))
        .build();
    let descriptor = testkit::describe(&Test {
        judge: |_, _| Assessment::new(),
    })
    .unwrap();
    let answer = |request: crate::ActionRequest| {
        let mut actions = testkit::RecordingActions::for_run(&descriptor, &evidence, None).unwrap();
        let result = actions.request(&request);
        assert_eq!(actions.requests().len(), 1);
        result.map(|_| ())
    };
    let known = &evidence.families[0];
    let wait = &evidence.lock_waits[0];
    let waiter = &wait.waiter;
    let stranger = String::from("qf_ffffffffffffffff");
    let unknown = crate::ActionRequest {
        action: "nothing.at.all".to_owned(),
        bindings: vec![],
    };
    let analyze = |family| EXPLAIN_ANALYZE.request().bind("queryid", family).bind("sample", family);
    let cases = [
        (STATISTICS.request().bind("queryid", known), Ok(())),
        (unknown, Err(Denial::UnknownAction)),
        (STATISTICS.request().bind("pid", known), Err(Denial::UnknownParameter)),
        (
            STATISTICS.request().bind("queryid", known).bind("queryid", known),
            Err(Denial::UnknownParameter),
        ),
        (
            STATISTICS.request().bind("queryid", &stranger),
            Err(Denial::UnknownSubject),
        ),
        (
            STATISTICS.request().bind("queryid", waiter),
            Err(Denial::WrongSubjectKind),
        ),
        (
            STATISTICS.request().bind("queryid", &bare),
            Err(Denial::NotEnoughContext),
        ),
        (STATISTICS.request(), Err(Denial::NotEnoughContext)),
        (BLOCKING.request().bind("pid", waiter), Ok(())),
        (BLOCKING.request().bind("pid", wait), Err(Denial::WrongSubjectKind)),
        (SESSIONS.request().bind("database", known), Ok(())),
        (SESSIONS.request().bind("user", wait), Ok(())),
        (
            SESSIONS
                .request()
                .bind("user", &known.dimensions.database.clone().unwrap()),
            Err(Denial::WrongSubjectKind),
        ),
        (
            SESSIONS.request().bind("database", &nowhere),
            Err(Denial::NotEnoughContext),
        ),
        (SESSIONS.request(), Err(Denial::NotEnoughContext)),
        (EXPLAIN.request().bind("queryid", &update), Ok(())),
        (analyze(known), Ok(())),
        (analyze(&update), Err(Denial::UnsupportedTarget)),
        (analyze(&bare), Err(Denial::NotEnoughContext)),
    ];
    for (request, expected) in cases {
        assert_eq!(answer(request.clone()), expected, "{request:?}");
    }
}

/// As `a_table_of_a_log_is_bound_with_its_database_or_not_at_all` of the host has it.
#[test]
fn what_the_server_did_is_bound_as_the_host_binds_it() {
    let nameless = crate::AutovacuumGroup {
        database: None,
        ..testkit::autovacuum(2)
    };
    let node = crate::LoggedPlanNode {
        relation: Some("rl_lines".to_owned()),
        index: Some("ix_lines".to_owned()),
        ..testkit::logged_plan_node(None, "Index Scan")
    };
    let timeout = crate::CancellationGroup {
        family: Some(testkit::family(1).id),
        attribution: Some(crate::Attribution::Stated),
        ..testkit::cancellation(1, crate::CancelReason::StatementTimeout)
    };
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .checkpoint(testkit::checkpoint(0))
        .autovacuum(testkit::autovacuum(1))
        .autovacuum(nameless.clone())
        .connection(testkit::connection(1))
        .client(testkit::client(1))
        .cancellation(timeout.clone())
        .cancellation(testkit::cancellation(2, crate::CancelReason::Terminated))
        .logged_plan(testkit::logged_plan(&testkit::family(1), [node.clone()]))
        .logged_plan(testkit::logged_plan(&testkit::family(9), []))
        .build();
    let descriptor = Descriptor::builder("test", "0.1.0", "test")
        .actions(&[STATISTICS, SESSIONS, COLUMNS])
        .build();
    let answer = |request: crate::ActionRequest| {
        let mut actions = testkit::RecordingActions::for_run(&descriptor, &evidence, None).unwrap();
        actions.request(&request).map(|_| ())
    };
    let (group, plan) = (&evidence.autovacuum[0], &evidence.plans[0]);
    let relation = |subject: &dyn crate::Subject| answer(COLUMNS.request().bind("relation", subject));
    assert_eq!((relation(&group.table), relation(group)), (Ok(()), Ok(())));
    assert_eq!(relation(&nameless.table), Err(Denial::NotEnoughContext));
    assert_eq!(relation(&nameless), Err(Denial::NotEnoughContext));
    assert_eq!(relation(&node.relation.unwrap()), Err(Denial::NotEnoughContext));
    assert_eq!(relation(&node.index.unwrap()), Err(Denial::WrongSubjectKind));
    assert_eq!(relation(&timeout), Err(Denial::WrongSubjectKind));
    let queryid = |subject: &dyn crate::Subject| answer(STATISTICS.request().bind("queryid", subject));
    assert_eq!((queryid(plan), queryid(&timeout)), (Ok(()), Ok(())));
    assert_eq!(queryid(&evidence.cancellations[1]), Err(Denial::NotEnoughContext));
    assert_eq!(queryid(group), Err(Denial::WrongSubjectKind));
    let dimension = |name: &str, subject: &dyn crate::Subject| answer(SESSIONS.request().bind(name, subject));
    assert_eq!(
        (dimension("database", group), dimension("user", plan)),
        (Ok(()), Ok(()))
    );
    assert_eq!(dimension("application_name", &evidence.connections[0]), Ok(()));
    assert_eq!(dimension("user", group), Err(Denial::WrongSubjectKind));
    assert_eq!(dimension("user", &evidence.plans[1]), Err(Denial::NotEnoughContext));
    assert_eq!(dimension("user", &evidence.clients[0]), Err(Denial::WrongSubjectKind));
    assert_eq!(
        dimension("database", &evidence.checkpoints.longest[0]),
        Err(Denial::WrongSubjectKind)
    );
}

#[test]
fn the_sums_of_checkpoints_are_those_of_the_ones_added() {
    let requested = crate::Checkpoint {
        causes: vec![crate::CheckpointCause::Wal, crate::CheckpointCause::Time],
        longest_sync_us: 900_000,
        ..testkit::checkpoint(1)
    };
    let evidence = testkit::evidence()
        .checkpoint(testkit::checkpoint(0))
        .checkpoint(requested)
        .checkpoints_too_frequent(9_000_000)
        .checkpoints_too_frequent(20_000_000)
        .build();
    let all = &evidence.checkpoints;
    assert_eq!(
        (all.checkpoint_count, all.restartpoint_count, all.longest.len()),
        (2, 0, 2)
    );
    let causes: Vec<_> = all.causes.iter().map(|it| (it.cause, it.count)).collect();
    assert_eq!(
        causes,
        [(crate::CheckpointCause::Time, 2), (crate::CheckpointCause::Wal, 1)]
    );
    assert_eq!((all.total_us, all.longest_sync_us), (540_000_000, 900_000));
    assert_eq!((all.too_frequent_count, all.shortest_interval_us), (2, Some(9_000_000)));
    let connection = testkit::connection(1);
    let counts = ["connection_authorized", "connection_rejected"].map(|event| connection.count_of(event));
    assert_eq!(counts, [100, 0]);
}

#[test]
fn the_request_past_the_limit_is_denied_and_not_kept() {
    let report = testkit::triage(
        &Test {
            judge: |evidence, actions| {
                for family in &evidence.families {
                    for _ in 0..300 {
                        let _ = actions.request(&STATISTICS.request().bind("queryid", family));
                    }
                }
                Assessment::new()
            },
        },
        &testkit::evidence().family(testkit::family(1)).build(),
    );
    assert_eq!(report.unwrap().requests.len(), host::REQUESTS);
}

#[test]
fn a_runbook_that_gives_up_or_changes_its_mind_is_told() {
    let evidence = testkit::evidence().build();
    let given_up = testkit::interpret(
        &Test {
            judge: |_, _| Assessment::new(),
        },
        &evidence,
        &testkit::outcome("a").build(),
    );
    assert_eq!(
        given_up,
        Err(TestError::Breach("the evidence has no subject `nobody`".to_owned()))
    );
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let moody = Test {
        judge: |_, _| {
            let n = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            said(Finding::new(
                FindingKind::Plan,
                messages::one(Count(n)),
                messages::part(Ratio::of(1, 2)),
            ))
        },
    };
    let error = testkit::check(&moody, 3..4).unwrap_err();
    assert_eq!(
        error.to_string(),
        "two runs of the same input differ: the assessment or the requests (triage of evidence 3)"
    );
}

#[test]
fn sentences_have_their_braces_and_values() {
    let report = testkit::triage(
        &Test {
            judge: |_, _| {
                said(Finding::new(
                    FindingKind::Plan,
                    messages::one(Count(1_000)),
                    messages::part(Ratio::of(1, 8)),
                ))
            },
        },
        &testkit::evidence().build(),
    );
    let report = report.unwrap();
    assert_eq!(report.findings[0].title, "1,000 of {them}");
    assert_eq!(report.findings[0].reason, "12.5 %");
}

#[test]
fn generated_input_is_the_same_each_time_and_different_for_each_seed() {
    let text = |seed| format!("{:?}", generate::evidence(seed));
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
    let evidence = generate::evidence(7);
    let outcome = |seed| {
        format!(
            "{:?}",
            generate::outcome(seed, &evidence, "running_query.blocking.by_pid")
        )
    };
    assert_eq!(outcome(7), outcome(7));
    let any = |has: fn(&Evidence) -> bool| (0..50).any(|seed| has(&generate::evidence(seed)));
    assert!(any(|evidence| !evidence.deadlocks.is_empty()));
    assert!(any(
        |evidence| !evidence.checkpoints.longest.is_empty() && !evidence.autovacuum.is_empty()
    ));
    assert!(any(
        |evidence| !evidence.connections.is_empty() && !evidence.clients.is_empty()
    ));
    assert!(any(
        |evidence| !evidence.cancellations.is_empty() && !evidence.plans.is_empty()
    ));
    assert!(any(|evidence| evidence
        .errors
        .iter()
        .any(|class| !class.statements.is_empty())));
    assert!((0..50).any(|seed| {
        !generate::outcome(seed, &evidence, "query_family.explain")
            .plan
            .is_empty()
    }));
}

#[test]
fn rows_are_read_by_column_name() {
    let outcome = testkit::outcome("running_query.blocking.by_pid")
        .session(testkit::SessionRow {
            state: Some("idle in transaction"),
            wait: Some(("Client", "ClientRead")),
            blocked_pid: Some(7),
            depth: Some(1),
            ..testkit::session_row(8)
        })
        .row(&[
            ("pid", Cell::Int(9)),
            ("blocked_pid", Cell::Int(8)),
            ("surplus", Cell::Float(1.5)),
        ])
        .build();
    assert_eq!(outcome.columns.last().unwrap(), "surplus");
    let sessions = outcome.sessions();
    assert_eq!(sessions[0].subject, Some(&testkit::session(8)));
    assert_eq!(
        (sessions[0].wait, sessions[0].blocked_pid, sessions[0].depth),
        (Wait::Client, Some(7), Some(1))
    );
    let record = outcome.records().nth(1).unwrap();
    assert_eq!(
        (
            record.int("pid"),
            record.float("surplus"),
            record.milliseconds("surplus")
        ),
        (Some(9), Some(1.5), Some(1_500))
    );
    assert_eq!(
        (record.text("pid"), record.int("state"), record.cell("nothing")),
        (None, None, None)
    );
    let tree = crate::BlockingTree::new(&outcome);
    assert_eq!(tree.heads.iter().map(|head| head.pid).collect::<Vec<_>>(), [Some(9)]);
    assert_eq!((tree.waiting_count, tree.depth, tree.is_cycle), (2, 1, false));
}

#[test]
fn bindings_are_kept_in_order() {
    let family = testkit::family(1);
    let binding = |parameter: &str| Binding {
        parameter: parameter.to_owned(),
        subject: family.id.clone(),
    };
    let request = EXPLAIN_ANALYZE
        .request()
        .bind("queryid", &family)
        .bind("sample", &family);
    assert_eq!(request.bindings, [binding("queryid"), binding("sample")]);
}

// ---- the kit against the host's own files

#[derive(Deserialize)]
struct ActionFile {
    id: String,
    kind: String,
    #[serde(default)]
    at_least_one_of: Vec<String>,
    row_session: Option<toml::Table>,
    row_sequence: Option<toml::Table>,
    row_object: Option<toml::Table>,
    #[serde(default)]
    parameters: Vec<ParameterFile>,
    #[serde(default)]
    columns: Vec<ColumnFile>,
}

#[derive(Deserialize)]
struct RowsFile {
    columns: Vec<ColumnFile>,
}

#[derive(Deserialize)]
struct ParameterFile {
    name: String,
    facet: String,
    required: bool,
}

#[derive(Deserialize)]
struct ColumnFile {
    name: String,
}

#[test]
fn the_catalogue_is_that_of_the_host() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/gateway/src/catalogue/actions");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file: ActionFile = toml::from_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        files.insert(file.id.clone(), file);
    }
    let index_facts = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../host/gateway/src/catalogue/index_facts.toml"
    );
    let index_facts: RowsFile = toml::from_str(&std::fs::read_to_string(index_facts).unwrap()).unwrap();
    assert_eq!(files.len(), catalogue::ACTIONS.len());
    for (action, file) in catalogue::ACTIONS.iter().zip(files.values()) {
        assert_eq!(action.id, file.id);
        let kind = match action.kind {
            Kind::Query => "query",
            Kind::Explain => "explain",
            Kind::ExplainAnalyze => "explain_analyze",
        };
        assert_eq!(kind, file.kind, "{}", file.id);
        assert_eq!(action.at_least_one_of, file.at_least_one_of, "{}", file.id);
        // The rows of each EXPLAIN have columns in a file of their own.
        let columns = match action.kind {
            Kind::Query => &file.columns,
            Kind::Explain | Kind::ExplainAnalyze => &index_facts.columns,
        };
        assert_eq!(
            action.columns,
            columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            "{}",
            file.id
        );
        let object = file.row_object.as_ref().and_then(|object| object["kind"].as_str());
        let rows = match (&file.row_session, &file.row_sequence, object) {
            (Some(_), _, _) => Rows::Sessions,
            (None, Some(_), _) => Rows::Sequences,
            (None, None, Some("index")) => Rows::Indexes,
            (None, None, Some("constraint")) => Rows::Constraints,
            (None, None, Some("replication_slot")) => Rows::ReplicationSlots,
            (None, None, Some("prepared_transaction")) => Rows::PreparedTransactions,
            (None, None, Some(other)) => panic!("the kit does not know rows about a {other}"),
            (None, None, None) => Rows::Plain,
        };
        assert_eq!(action.rows, rows, "{}", file.id);
        let ours = action.parameters.iter().map(|p| (p.name, facet(p.facet), p.required));
        let theirs = file
            .parameters
            .iter()
            .map(|p| (p.name.as_str(), p.facet.as_str(), p.required));
        assert!(ours.eq(theirs), "{}", file.id);
    }
}

fn facet(facet: Facet) -> &'static str {
    match facet {
        Facet::QueryId => "query_id",
        Facet::Sample => "sample",
        Facet::Session => "session",
        Facet::Database => "database",
        Facet::User => "user",
        Facet::ApplicationName => "application_name",
        Facet::Relation => "relation",
    }
}

#[test]
fn the_limits_are_those_of_the_host() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/gateway/src/runbook/limits.rs");
    let limits = std::fs::read_to_string(file).unwrap();
    let ours = [
        ("REQUESTS", host::REQUESTS),
        ("FINDINGS", assessment::FINDINGS),
        ("INSIGHTS", assessment::INSIGHTS),
        ("NEXT_ACTIONS", assessment::NEXT_ACTIONS),
        ("SMALL_LIST", assessment::SMALL_LIST),
        ("SMALL_LIST", crate::LIST_LIMIT),
        ("DESCRIPTOR_LIST", descriptor::DESCRIPTOR_LIST),
        ("TEMPLATE_CHARS", descriptor::TEMPLATE_CHARS),
        (
            "EVIDENCE_PER_KIND",
            usize::try_from(generate::EVIDENCE_PER_KIND).unwrap(),
        ),
    ];
    for (name, limit) in ours {
        let line = format!("pub const {name}: usize = {limit};");
        assert!(limits.contains(&line), "the host has another `{name}` than {limit}");
    }
}

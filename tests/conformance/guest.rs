// What the conformance runbook does, whatever version of the contract it is built for. Each version's crate includes this file behind
// its own `bindings`, so that the corpus is one runbook and not several that drift apart.
//
// It says back what it was given: for each list of the evidence how many entries there are, and a digest over every field of every
// one. So a golden assessment changes when anything of the evidence does, and names the list. It also uses each kind of value, finding,
// step and answer that its version has.

use bindings::pg_logstats::runbook::{actions, types};
use types::{
    ActionRequest, Assessment, Binding, Cell, Confidence, CreateIndex, Descriptor, Evidence, Failure, Finding, FindingKind,
    Insight, LockMode, Message, MessageTemplate, NextAction, Outcome, Priority, Recommendation, SetWorkMem, Step, Value,
    ValueKind,
};

/// The runbook.
pub struct Component;

/// Action, parameter, and whether the descriptor declares it.
const BY_QUERYID: (&str, &str) = ("query_family.pg_stat_statements.by_queryid", "queryid");
const EXPLAIN: (&str, &str) = ("query_family.explain", "queryid");
const BLOCKING: (&str, &str) = ("running_query.blocking.by_pid", "pid");
const SETTINGS: &str = "checkpoint.pg_settings.relevant";

/// One list of the evidence.
struct List {
    code: &'static str,
    kind: FindingKind,
    subjects: Vec<String>,
    length: usize,
    text: String,
}

impl List {
    fn new<T: std::fmt::Debug>(
        code: &'static str,
        kind: FindingKind,
        entries: &[T],
        subject: impl Fn(&T) -> Option<&String>,
    ) -> Self {
        Self {
            code,
            kind,
            subjects: entries.iter().filter_map(subject).take(64).cloned().collect(),
            length: entries.len(),
            text: format!("{entries:?}"),
        }
    }
}

/// The lists that every version has, then its own.
fn lists(evidence: &Evidence) -> Vec<List> {
    let regressions = evidence.baseline.as_ref().map(|baseline| baseline.regressions.as_slice());
    let regressions = regressions.unwrap_or_default();
    let mut lists = vec![
        List::new("families", FindingKind::QueryFamily, &evidence.families, |it| Some(&it.id)),
        List::new("regressions", FindingKind::SlowQueryRegression, regressions, |it| Some(&it.family)),
        List::new("lock_waits", FindingKind::LockWait, &evidence.lock_waits, |it| Some(&it.id)),
        List::new("deadlocks", FindingKind::Deadlock, &evidence.deadlocks, |it| Some(&it.id)),
        List::new("errors", FindingKind::ErrorClass, &evidence.errors, |it| Some(&it.id)),
        List::new("temp_files", FindingKind::TempFile, &evidence.temp_files, |it| Some(&it.id)),
        List::new("events", FindingKind::Checkpoint, &evidence.events, |_| None),
        List::new("live_sessions", FindingKind::ConnectionPressure, &evidence.live_sessions, |it| Some(&it.id)),
    ];
    lists.push(totals(evidence));
    lists.extend(lists_of_this_version(evidence));
    lists
}

/// What is no list.
fn totals(evidence: &Evidence) -> List {
    let baseline = evidence.baseline.as_ref().map(|it| {
        (
            it.window,
            (it.total_duration_us, it.total_executions, it.family_count, it.regressions_dropped),
            (it.common_family_count, it.renamed_family_count, it.absent_family_count),
            (it.rare_family_count, it.rare_duration_us),
        )
    });
    let totals = (evidence.window, evidence.total_duration_us, evidence.total_executions, evidence.family_count);
    List::new("totals", FindingKind::NothingFound, &[(totals, baseline)], |_| None)
}

/// FNV-1a, cut to what a person can compare.
fn digest(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash >> 24
}

/// One value of each kind; the subject is the one that a message of the run may name.
fn values(subject: &str) -> Vec<(ValueKind, Value)> {
    let mut values = vec![
        (ValueKind::Count, Value::Count(1_234_567)),
        (ValueKind::DurationUs, Value::DurationUs(1_500_000)),
        (ValueKind::Bytes, Value::Bytes(1_572_864)),
        (ValueKind::Ratio, Value::Ratio(0.25)),
        (ValueKind::Subject, Value::Subject(subject.to_owned())),
        (ValueKind::LockMode, Value::LockMode(LockMode::ShareUpdateExclusive)),
        (ValueKind::At, Value::At(951_782_400_000_000)),
    ];
    values.extend(values_of_this_version());
    values
}

fn message(id: &str, values: Vec<Value>) -> Message {
    Message { id: id.to_owned(), values }
}

fn plain() -> Message {
    message("plain", Vec::new())
}

fn template(id: &str, text: &str, holes: Vec<ValueKind>) -> MessageTemplate {
    MessageTemplate { id: id.to_owned(), text: text.to_owned(), holes }
}

fn request(action: &str, bindings: &[(&str, &str)]) -> Result<u64, types::Denial> {
    let binding = |(parameter, subject): &(&str, &str)| Binding {
        parameter: (*parameter).to_owned(),
        subject: (*subject).to_owned(),
    };
    actions::request(&ActionRequest {
        action: action.to_owned(),
        bindings: bindings.iter().map(binding).collect(),
    })
}

fn next_action(step: Step, priority: Priority, findings: Vec<u32>) -> NextAction {
    NextAction {
        judgement_required: matches!(priority, Priority::Optional),
        step,
        label: plain(),
        reason: plain(),
        priority,
        findings,
    }
}

fn insight(title: Message, recommendation: Option<Recommendation>, evidence: Vec<String>) -> Insight {
    Insight { id: "seen".to_owned(), title, reason: plain(), confidence: Confidence::Medium, evidence, recommendation }
}

impl bindings::Guest for Component {
    fn describe() -> Descriptor {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
        let holes: Vec<ValueKind> = values("").into_iter().map(|(kind, _)| kind).collect();
        let lists = lists(&nothing());
        Descriptor {
            name: "conformance".to_owned(),
            version: "1.0.0".to_owned(),
            workflow: "conformance".to_owned(),
            actions: words(&[BY_QUERYID.0, EXPLAIN.0, BLOCKING.0, SETTINGS]),
            workflows: words(&["locks"]),
            reason_codes: lists.iter().map(|list| list.code.to_owned()).collect(),
            insights: words(&["seen"]),
            messages: vec![
                template("list", "{} entries with the digest {}", vec![ValueKind::Count, ValueKind::Count]),
                template("every-kind", &vec!["{}"; holes.len()].join(" | "), holes),
                template("outcome", "{} columns, {} rows, {} cells of text", vec![ValueKind::Count; 3]),
                template("plain", "a sentence", Vec::new()),
            ],
        }
    }

    fn triage(evidence: Evidence) -> Result<Assessment, Failure> {
        if evidence.families.is_empty() {
            return Err(Failure { message: plain() });
        }
        let lists = lists(&evidence);
        let findings = lists.iter().map(|list| Finding {
            kind: list.kind,
            subject: list.subjects.first().cloned(),
            title: message("list", vec![Value::Count(list.length as u64), Value::Count(digest(&list.text))]),
            reason: plain(),
            reason_codes: vec![list.code.to_owned()],
            score: 0.5,
            confidence: Confidence::High,
            evidence: list.subjects.clone(),
        });
        let mut next_actions = Vec::new();
        let family = evidence.families.iter().find(|family| family.query_id_count > 0);
        for (action, parameter) in [BY_QUERYID, EXPLAIN] {
            let ticket = family.map(|family| request(action, &[(parameter, &family.id)]));
            if let Some(Ok(ticket)) = ticket {
                next_actions.push(next_action(Step::RunSql(ticket), Priority::Recommended, vec![0]));
            }
        }
        if let Some(Ok(ticket)) = evidence.lock_waits.first().map(|wait| request(BLOCKING.0, &[(BLOCKING.1, &wait.waiter)])) {
            next_actions.push(next_action(Step::RunSql(ticket), Priority::Required, vec![1, 2]));
        }
        if let Ok(ticket) = request(SETTINGS, &[]) {
            next_actions.push(next_action(Step::RunSql(ticket), Priority::Optional, Vec::new()));
        }
        // Each is denied for a reason of its own.
        for (action, bindings) in [
            ("no.such.action", &[][..]),
            ("temp_file.explain", &[]),
            (BY_QUERYID.0, &[("nothing", "se_1")]),
            (BY_QUERYID.0, &[("queryid", "qf_0000000000000000")]),
            (BY_QUERYID.0, &[]),
        ] {
            let _ = request(action, bindings);
        }
        next_actions.push(next_action(Step::RunWorkflow("locks".to_owned()), Priority::Optional, Vec::new()));
        next_actions.push(next_action(Step::PromptUser, Priority::Optional, Vec::new()));
        next_actions.push(next_action(Step::Stop, Priority::Optional, Vec::new()));
        Ok(Assessment { findings: findings.collect(), insights: advice(&evidence), next_actions, limitations: vec![every_kind(&evidence)] })
    }

    fn interpret(evidence: Evidence, outcome: Outcome) -> Result<Assessment, Failure> {
        let texts = outcome.rows.iter().flat_map(|row| &row.cells).filter(|cell| matches!(cell, Cell::Text(_))).count();
        let counts = [outcome.columns.len(), outcome.rows.len(), texts];
        let title = message("outcome", counts.into_iter().map(|n| Value::Count(n as u64)).collect());
        let mut insights = vec![insight(title, None, outcome.plan.iter().take(64).map(|node| node.id.clone()).collect())];
        for node in &outcome.plan {
            if let (Some(relation), [column, ..]) = (&node.relation, node.filter_columns.as_slice()) {
                let index = CreateIndex { relation: relation.clone(), columns: vec![column.clone()] };
                insights.push(insight(plain(), Some(Recommendation::CreateIndex(index)), vec![node.id.clone()]));
            }
        }
        Ok(Assessment { findings: Vec::new(), insights, next_actions: Vec::new(), limitations: vec![every_kind(&evidence)] })
    }
}

fn every_kind(evidence: &Evidence) -> Message {
    let family = evidence.families.first().map(|family| family.id.as_str());
    message("every-kind", values(family.unwrap_or_default()).into_iter().map(|(_, value)| value).collect())
}

/// Each recommendation that evidence of logs alone can carry.
fn advice(evidence: &Evidence) -> Vec<Insight> {
    let mut insights = Vec::new();
    for wait in evidence.lock_waits.iter().take(1) {
        insights.push(insight(plain(), Some(Recommendation::EndSession(wait.waiter.clone())), vec![wait.id.clone()]));
    }
    let target = |wait: &types::LockWait| match &wait.target {
        types::LockTarget::Relation(relation) | types::LockTarget::Tuple(relation) => Some(relation.clone()),
        types::LockTarget::Transaction | types::LockTarget::Other => None,
    };
    if let Some(relation) = evidence.lock_waits.iter().find_map(target) {
        insights.push(insight(plain(), Some(Recommendation::AnalyzeRelation(relation)), Vec::new()));
    }
    if let Some(user) = evidence.temp_files.iter().find_map(|group| group.dimensions.user.clone()) {
        let set = SetWorkMem { user, bytes: 64 << 20 };
        insights.push(insight(plain(), Some(Recommendation::SetWorkMem(set)), Vec::new()));
    }
    insights
}

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);

/// Natively it is only checked to be one.
#[cfg(not(target_arch = "wasm32"))]
const _: fn() = || {
    fn is_guest<G: bindings::Guest>() {}
    is_guest::<Component>();
};

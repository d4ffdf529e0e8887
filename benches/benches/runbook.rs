//! Runbooks: from a file to an answer, and what the sandbox costs over a native call.
//!
//! - *cold load*: what a process does with an installed runbook before its first answer: index, revocation, component and its digest,
//!   keys, signatures, rules; an engine, the code out of the authenticated cache, an instance, and the descriptor. *compile* is what the
//!   first load of a component takes instead of the cache.
//! - *describe*: a store, an instance, one small call, and its end: instances a second on one core are 1 s by this.
//! - *query-families*: the assessment of 1,000 families, ten times what evidence ever has, as a component and natively from the same
//!   sources. Both answer its requests; the component's evidence is handed over and its assessment taken back by value. *component, no
//!   families* is the same without any: an instance, its end, and a call that finds nothing. So the overhead of the call is what is left of
//!   *component* without that and without both native times.
//!
//! What is measured is the processor time of the thread: on a machine that does other things, time of the clock would be theirs as well. Nothing
//! here waits for a disk or a lock, so on a free machine the two are the same.

#![allow(
    clippy::unwrap_used,
    reason = "what cannot be set up cannot be measured, and a bench says so by panicking"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pg_logstats_builtin::Builtin;
use pg_logstats_gateway::catalogue::Catalogue;
use pg_logstats_gateway::request::RunbookChoice;
use pg_logstats_gateway::runbook::bindings::pg_logstats::runbook::types as wit;
use pg_logstats_gateway::runbook::requests::ActionHost;
use pg_logstats_gateway::runbook::{CheckedDescriptor, RunbookEngine, convert};
use pg_logstats_gateway::snapshot::{EvidenceSnapshot, LiveEvidence, SNAPSHOT_VERSION};
use pg_logstats_gateway::subjects::Subjects;
use pg_logstats_gateway::trust::{Role, Trust};
use pg_logstats_gateway::{Gateway, OpenOptions, keys, runbooks};
use pg_logstats_logs::{Options, Source, analyse};
use pg_logstats_native_query_families::QueryFamilies;
use pg_logstats_sdk::{QueryFamily, Runbook as _, testkit};

const FAMILIES: u64 = 1_000;

/// Processor time of this thread, shown as any other time.
struct ProcessorTime;

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.try_into().unwrap()
    }

    fn end(&self, begun: Duration) -> Duration {
        self.start() - begun
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, time: &Duration) -> f64 {
        WallTime.to_f64(time)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn query_families() -> &'static Builtin {
    let found = pg_logstats_builtin::all().iter().find(|b| b.name == "query-families");
    found.unwrap()
}

/// A log of [`FAMILIES`] families; the first takes the most time.
fn log() -> String {
    let mut log = String::new();
    for n in 0..FAMILIES {
        for execution in 0..3 {
            writeln!(
                log,
                "2026-11-23 05:{:02}:{:02}.000 UTC [77] app@shop web-1: LOG:  duration: {}.250 ms  statement: SELECT a, b FROM table_{n} WHERE id = {execution}",
                n / 60 % 60,
                n % 60,
                2 * FAMILIES - n
            )
            .unwrap();
        }
    }
    log
}

/// All families, where `EvidenceSnapshot::from_logs` would keep the most important.
fn snapshot() -> EvidenceSnapshot {
    let source = Source::stream("bench".to_owned(), Box::new(Cursor::new(log().into_bytes())));
    let log = analyse(vec![source], &Options::default(), &|_| {}).unwrap();
    assert_eq!(log.families.len() as u64, FAMILIES);
    EvidenceSnapshot {
        snapshot_version: SNAPSHOT_VERSION,
        log: Some(log),
        comparison: None,
        live: LiveEvidence::default(),
    }
}

/// A gateway whose operator installed `query-families`, signed by an author.
fn installed(home: &Path) -> Gateway {
    let (operator, component, key) = (
        home.join("operator"),
        home.join("query-families.wasm"),
        home.join("author"),
    );
    std::fs::create_dir(&operator).unwrap();
    std::fs::write(
        operator.join("trust.toml"),
        "[[rules]]\nrunbook = \"*\"\nneeds = \"author\"\n",
    )
    .unwrap();
    let options = OpenOptions {
        workspace: Some(home.join("workspace")),
        operator: Some(operator),
        ..OpenOptions::default()
    };
    let gateway = Gateway::open(&options, Trust::builtin()).unwrap();
    keys::generate(&key).unwrap();
    let grant = keys::Grant {
        name: "author",
        roles: &[Role::Author],
        not_before: None,
        not_after: None,
    };
    gateway.trust_key(&key, &grant).unwrap();
    std::fs::write(&component, query_families().component).unwrap();
    runbooks::sign(&component, &key).unwrap();
    gateway.install_runbooks(&component, false).unwrap();
    gateway
}

fn load(criterion: &mut Criterion<ProcessorTime>) {
    let home = tempfile::tempdir().unwrap();
    let gateway = installed(home.path());
    let choice = RunbookChoice::Workflow("query-families".to_owned());
    let describe = || black_box(gateway.load_runbook(&choice).unwrap().describe().answer.unwrap());
    describe();
    let mut group = criterion.benchmark_group("load query-families");
    group.bench_function("cold load", |bencher| bencher.iter(describe));
    let builtin = query_families();
    let compile = || {
        RunbookEngine::new()
            .unwrap()
            .load(builtin.component, &builtin.digest, None)
            .unwrap()
    };
    group.sample_size(10);
    group.bench_function("compile", |bencher| bencher.iter(compile));
    group.finish();
}

fn call(criterion: &mut Criterion<ProcessorTime>) {
    let builtin = query_families();
    let engine = RunbookEngine::new().unwrap();
    let runbook = engine.load(builtin.component, &builtin.digest, None).unwrap();

    let mut group = criterion.benchmark_group("instance");
    group.throughput(Throughput::Elements(1));
    group.bench_function("describe", |bencher| {
        bencher.iter(|| black_box(runbook.describe().answer.unwrap()));
    });
    group.finish();

    let snapshot = snapshot();
    let evidence = convert::evidence(&snapshot);
    let subjects = Arc::new(Subjects::new(&snapshot, &[]));
    let descriptor = Arc::new(CheckedDescriptor::new(&runbook.describe().answer.unwrap()).unwrap());
    let catalogue = Arc::new(Catalogue::builtin().unwrap().clone());
    let mut group = criterion.benchmark_group("query-families on 1000 families");
    let none = wit::Evidence {
        families: Vec::new(),
        ..evidence.clone()
    };
    for (name, evidence) in [("component", &evidence), ("component, no families", &none)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (descriptor, subjects) = (Arc::clone(&descriptor), Arc::clone(&subjects));
                let host = ActionHost::new(descriptor, subjects, Arc::clone(&catalogue), builtin.digest);
                let called = runbook.triage(host, evidence);
                black_box(called.answer.unwrap())
            });
        });
    }
    let mut native = testkit::evidence();
    for family in &evidence.families {
        native = native.family(QueryFamily {
            id: family.id.clone(),
            statement: family.statement.clone(),
            execution_count: family.execution_count,
            total_duration_us: family.total_duration_us,
            mean_duration_us: family.mean_duration_us,
            p50_duration_us: family.p50_duration_us,
            p95_duration_us: family.p95_duration_us,
            p99_duration_us: family.p99_duration_us,
            max_duration_us: family.max_duration_us,
            query_id_count: family.query_id_count,
            has_sample: family.has_sample,
            ..testkit::family(0)
        });
    }
    let native = native.build();
    let describe = QueryFamilies.describe();
    let actions = testkit::RecordingActions::for_run(&describe, &native, None).unwrap();
    // A new recorder for each call, as the host makes one, but the time to copy it is the test kit's own.
    group.bench_function("native", |bencher| {
        bencher.iter_batched_ref(
            || actions.clone(),
            |actions| black_box(QueryFamilies.triage(&native, actions).unwrap()),
            BatchSize::SmallInput,
        );
    });
    // What the component's side does beside calling: the runbook gets evidence of its own, and it is given up at the end.
    group.bench_function("hand over the evidence natively", |bencher| {
        bencher.iter(|| black_box(native.clone()));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime);
    targets = load, call
}
criterion_main!(benches);

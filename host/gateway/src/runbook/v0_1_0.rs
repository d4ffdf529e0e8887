//! Version 0.1.0 of the contract, in terms of the present version.
//!
//! **In**: evidence in the types of the present version; what a component of 0.1.0 returns. **Out**: the part of the evidence that 0.1.0
//! has; the same said in the types of the present version. **Trusted**: as little as of any component: what was widened is checked like
//! everything else. **Can fail**: nothing here can. That every record is what `wit/0.1.0` says is checked by wasmtime whenever a
//! component of that version is instantiated.
//!
//! Types that did not change are the present ones. The others are here, and nowhere else.

use super::bindings::pg_logstats::runbook::types as wit;

/// The types of `pg-logstats:runbook/types@0.1.0`.
#[expect(unreachable_pub, reason = "what bindgen generates re-exports them")]
pub mod types {
    use wasmtime::component::{ComponentType, Lift, Lower};

    pub use super::super::bindings::pg_logstats::runbook::types::{
        ActionRequest, Baseline, Confidence, CreateIndex, Deadlock, Denial, Dimensions, EventCount, Host,
        HostWithStore, InstantUs, LiveSession, LockMode, LockTarget, Outcome, Priority, SetWorkMem, StatementKind,
        Step, SubjectId, Ticket, add_to_linker,
    };

    #[derive(Debug, Clone, ComponentType, Lower)]
    #[component(record)]
    pub struct QueryFamily {
        pub id: SubjectId,
        pub dimensions: Dimensions,
        pub statement: String,
        pub kind: StatementKind,
        #[component(name = "query-id-count")]
        pub query_id_count: u32,
        #[component(name = "has-sample")]
        pub has_sample: bool,
        #[component(name = "execution-count")]
        pub execution_count: u64,
        #[component(name = "total-duration-us")]
        pub total_duration_us: u64,
        #[component(name = "mean-duration-us")]
        pub mean_duration_us: u64,
        #[component(name = "p50-duration-us")]
        pub p50_duration_us: u64,
        #[component(name = "p95-duration-us")]
        pub p95_duration_us: u64,
        #[component(name = "p99-duration-us")]
        pub p99_duration_us: u64,
        #[component(name = "max-duration-us")]
        pub max_duration_us: u64,
        #[component(name = "parse-bind-duration-us")]
        pub parse_bind_duration_us: u64,
        #[component(name = "temp-bytes")]
        pub temp_bytes: u64,
        #[component(name = "temp-file-count")]
        pub temp_file_count: u64,
        #[component(name = "error-count")]
        pub error_count: u64,
        #[component(name = "first-seen")]
        pub first_seen: InstantUs,
        #[component(name = "last-seen")]
        pub last_seen: InstantUs,
    }

    #[derive(Debug, Clone, ComponentType, Lower)]
    #[component(record)]
    pub struct LockWait {
        pub id: SubjectId,
        pub waiter: SubjectId,
        pub holders: Vec<SubjectId>,
        #[component(name = "queue-length")]
        pub queue_length: u32,
        pub mode: LockMode,
        pub target: LockTarget,
        pub family: Option<SubjectId>,
        #[component(name = "waited-us")]
        pub waited_us: u64,
        pub acquired: bool,
        pub dimensions: Dimensions,
        pub at: InstantUs,
    }

    #[derive(Debug, Clone, ComponentType, Lower)]
    #[component(record)]
    pub struct ErrorClass {
        pub id: SubjectId,
        pub severity: String,
        pub sqlstate: Option<String>,
        pub message: String,
        pub dimensions: Dimensions,
        pub count: u64,
        #[component(name = "first-seen")]
        pub first_seen: InstantUs,
        #[component(name = "last-seen")]
        pub last_seen: InstantUs,
    }

    #[derive(Debug, Clone, ComponentType, Lower)]
    #[component(record)]
    pub struct TempFileGroup {
        pub id: SubjectId,
        pub family: Option<SubjectId>,
        pub dimensions: Dimensions,
        pub count: u64,
        #[component(name = "total-bytes")]
        pub total_bytes: u64,
        #[component(name = "max-bytes")]
        pub max_bytes: u64,
    }

    #[derive(Debug, Clone, ComponentType, Lower)]
    #[component(record)]
    pub struct Evidence {
        pub window: Option<(InstantUs, InstantUs)>,
        #[component(name = "total-duration-us")]
        pub total_duration_us: u64,
        #[component(name = "total-executions")]
        pub total_executions: u64,
        #[component(name = "family-count")]
        pub family_count: u64,
        pub families: Vec<QueryFamily>,
        pub baseline: Option<Baseline>,
        #[component(name = "lock-waits")]
        pub lock_waits: Vec<LockWait>,
        pub deadlocks: Vec<Deadlock>,
        pub errors: Vec<ErrorClass>,
        #[component(name = "temp-files")]
        pub temp_files: Vec<TempFileGroup>,
        pub events: Vec<EventCount>,
        #[component(name = "live-sessions")]
        pub live_sessions: Vec<LiveSession>,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(variant)]
    pub enum Value {
        #[component(name = "count")]
        Count(u64),
        #[component(name = "duration-us")]
        DurationUs(u64),
        #[component(name = "bytes")]
        Bytes(u64),
        #[component(name = "ratio")]
        Ratio(f64),
        #[component(name = "subject")]
        Subject(SubjectId),
        #[component(name = "lock-mode")]
        LockMode(LockMode),
        #[component(name = "at")]
        At(InstantUs),
    }

    #[derive(Debug, Clone, Copy, ComponentType, Lift)]
    #[component(enum)]
    #[repr(u8)]
    pub enum ValueKind {
        #[component(name = "count")]
        Count,
        #[component(name = "duration-us")]
        DurationUs,
        #[component(name = "bytes")]
        Bytes,
        #[component(name = "ratio")]
        Ratio,
        #[component(name = "subject")]
        Subject,
        #[component(name = "lock-mode")]
        LockMode,
        #[component(name = "at")]
        At,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct Message {
        pub id: String,
        pub values: Vec<Value>,
    }

    #[derive(Debug, Clone, Copy, ComponentType, Lift)]
    #[component(enum)]
    #[repr(u8)]
    pub enum FindingKind {
        #[component(name = "query-family")]
        QueryFamily,
        #[component(name = "slow-query-regression")]
        SlowQueryRegression,
        #[component(name = "error-class")]
        ErrorClass,
        #[component(name = "temp-file")]
        TempFile,
        #[component(name = "lock-wait")]
        LockWait,
        #[component(name = "deadlock")]
        Deadlock,
        #[component(name = "connection-pressure")]
        ConnectionPressure,
        #[component(name = "autovacuum")]
        Autovacuum,
        #[component(name = "checkpoint")]
        Checkpoint,
        #[component(name = "plan")]
        Plan,
        #[component(name = "nothing-found")]
        NothingFound,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct Finding {
        pub kind: FindingKind,
        pub subject: Option<SubjectId>,
        pub title: Message,
        pub reason: Message,
        #[component(name = "reason-codes")]
        pub reason_codes: Vec<String>,
        pub score: f64,
        pub confidence: Confidence,
        pub evidence: Vec<SubjectId>,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(variant)]
    pub enum Recommendation {
        #[component(name = "create-index")]
        CreateIndex(CreateIndex),
        #[component(name = "set-work-mem")]
        SetWorkMem(SetWorkMem),
        #[component(name = "analyze-relation")]
        AnalyzeRelation(SubjectId),
        #[component(name = "end-session")]
        EndSession(SubjectId),
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct Insight {
        pub id: String,
        pub title: Message,
        pub reason: Message,
        pub confidence: Confidence,
        pub evidence: Vec<SubjectId>,
        pub recommendation: Option<Recommendation>,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct NextAction {
        pub step: Step,
        pub label: Message,
        pub reason: Message,
        pub priority: Priority,
        #[component(name = "judgement-required")]
        pub judgement_required: bool,
        pub findings: Vec<u32>,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct Assessment {
        pub findings: Vec<Finding>,
        pub insights: Vec<Insight>,
        #[component(name = "next-actions")]
        pub next_actions: Vec<NextAction>,
        pub limitations: Vec<Message>,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct Failure {
        pub message: Message,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct MessageTemplate {
        pub id: String,
        pub text: String,
        pub holes: Vec<ValueKind>,
    }

    #[derive(Debug, Clone, ComponentType, Lift)]
    #[component(record)]
    pub struct Descriptor {
        pub name: String,
        pub version: String,
        pub workflow: String,
        pub actions: Vec<String>,
        pub workflows: Vec<String>,
        #[component(name = "reason-codes")]
        pub reason_codes: Vec<String>,
        pub insights: Vec<String>,
        pub messages: Vec<MessageTemplate>,
    }
}

// ---- narrowed: what 0.1.0 has of the evidence

impl From<&wit::Evidence> for types::Evidence {
    fn from(e: &wit::Evidence) -> Self {
        Self {
            window: e.window,
            total_duration_us: e.total_duration_us,
            total_executions: e.total_executions,
            family_count: e.family_count,
            families: e.families.iter().map(Into::into).collect(),
            baseline: e.baseline.clone(),
            lock_waits: e.lock_waits.iter().map(Into::into).collect(),
            deadlocks: e.deadlocks.clone(),
            errors: e.errors.iter().map(Into::into).collect(),
            temp_files: e.temp_files.iter().map(Into::into).collect(),
            events: e.events.clone(),
            live_sessions: e.live_sessions.clone(),
        }
    }
}

impl From<&wit::QueryFamily> for types::QueryFamily {
    fn from(f: &wit::QueryFamily) -> Self {
        Self {
            id: f.id.clone(),
            dimensions: f.dimensions.clone(),
            statement: f.statement.clone(),
            kind: f.kind,
            query_id_count: f.query_id_count,
            has_sample: f.has_sample,
            execution_count: f.execution_count,
            total_duration_us: f.total_duration_us,
            mean_duration_us: f.mean_duration_us,
            p50_duration_us: f.p50_duration_us,
            p95_duration_us: f.p95_duration_us,
            p99_duration_us: f.p99_duration_us,
            max_duration_us: f.max_duration_us,
            parse_bind_duration_us: f.parse_bind_duration_us,
            temp_bytes: f.temp_bytes,
            temp_file_count: f.temp_file_count,
            error_count: f.error_count,
            first_seen: f.first_seen,
            last_seen: f.last_seen,
        }
    }
}

impl From<&wit::LockWait> for types::LockWait {
    fn from(w: &wit::LockWait) -> Self {
        Self {
            id: w.id.clone(),
            waiter: w.waiter.clone(),
            holders: w.holders.clone(),
            queue_length: w.queue_length,
            mode: w.mode,
            target: w.target.clone(),
            family: w.family.clone(),
            waited_us: w.waited_us,
            acquired: w.acquired,
            dimensions: w.dimensions.clone(),
            at: w.at,
        }
    }
}

impl From<&wit::ErrorClass> for types::ErrorClass {
    fn from(e: &wit::ErrorClass) -> Self {
        Self {
            id: e.id.clone(),
            severity: e.severity.clone(),
            sqlstate: e.sqlstate.clone(),
            message: e.message.clone(),
            dimensions: e.dimensions.clone(),
            count: e.count,
            first_seen: e.first_seen,
            last_seen: e.last_seen,
        }
    }
}

impl From<&wit::TempFileGroup> for types::TempFileGroup {
    fn from(t: &wit::TempFileGroup) -> Self {
        Self {
            id: t.id.clone(),
            family: t.family.clone(),
            dimensions: t.dimensions.clone(),
            count: t.count,
            total_bytes: t.total_bytes,
            max_bytes: t.max_bytes,
        }
    }
}

// ---- widened: what a component of 0.1.0 says

impl From<types::Value> for wit::Value {
    fn from(value: types::Value) -> Self {
        match value {
            types::Value::Count(n) => Self::Count(n),
            types::Value::DurationUs(us) => Self::DurationUs(us),
            types::Value::Bytes(n) => Self::Bytes(n),
            types::Value::Ratio(ratio) => Self::Ratio(ratio),
            types::Value::Subject(id) => Self::Subject(id),
            types::Value::LockMode(mode) => Self::LockMode(mode),
            types::Value::At(us) => Self::At(us),
        }
    }
}

impl From<types::ValueKind> for wit::ValueKind {
    fn from(kind: types::ValueKind) -> Self {
        match kind {
            types::ValueKind::Count => Self::Count,
            types::ValueKind::DurationUs => Self::DurationUs,
            types::ValueKind::Bytes => Self::Bytes,
            types::ValueKind::Ratio => Self::Ratio,
            types::ValueKind::Subject => Self::Subject,
            types::ValueKind::LockMode => Self::LockMode,
            types::ValueKind::At => Self::At,
        }
    }
}

impl From<types::FindingKind> for wit::FindingKind {
    fn from(kind: types::FindingKind) -> Self {
        match kind {
            types::FindingKind::QueryFamily => Self::QueryFamily,
            types::FindingKind::SlowQueryRegression => Self::SlowQueryRegression,
            types::FindingKind::ErrorClass => Self::ErrorClass,
            types::FindingKind::TempFile => Self::TempFile,
            types::FindingKind::LockWait => Self::LockWait,
            types::FindingKind::Deadlock => Self::Deadlock,
            types::FindingKind::ConnectionPressure => Self::ConnectionPressure,
            types::FindingKind::Autovacuum => Self::Autovacuum,
            types::FindingKind::Checkpoint => Self::Checkpoint,
            types::FindingKind::Plan => Self::Plan,
            types::FindingKind::NothingFound => Self::NothingFound,
        }
    }
}

impl From<types::Message> for wit::Message {
    fn from(message: types::Message) -> Self {
        Self {
            id: message.id,
            values: message.values.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<types::Finding> for wit::Finding {
    fn from(f: types::Finding) -> Self {
        Self {
            kind: f.kind.into(),
            subject: f.subject,
            title: f.title.into(),
            reason: f.reason.into(),
            reason_codes: f.reason_codes,
            score: f.score,
            confidence: f.confidence,
            evidence: f.evidence,
        }
    }
}

impl From<types::Insight> for wit::Insight {
    fn from(i: types::Insight) -> Self {
        Self {
            id: i.id,
            title: i.title.into(),
            reason: i.reason.into(),
            confidence: i.confidence,
            evidence: i.evidence,
            recommendation: i.recommendation.map(Into::into),
        }
    }
}

impl From<types::Recommendation> for wit::Recommendation {
    fn from(r: types::Recommendation) -> Self {
        match r {
            types::Recommendation::CreateIndex(index) => Self::CreateIndex(index),
            types::Recommendation::SetWorkMem(set) => Self::SetWorkMem(set),
            types::Recommendation::AnalyzeRelation(relation) => Self::AnalyzeRelation(relation),
            types::Recommendation::EndSession(session) => Self::EndSession(session),
        }
    }
}

impl From<types::NextAction> for wit::NextAction {
    fn from(a: types::NextAction) -> Self {
        Self {
            step: a.step,
            label: a.label.into(),
            reason: a.reason.into(),
            priority: a.priority,
            judgement_required: a.judgement_required,
            findings: a.findings,
        }
    }
}

impl From<types::Assessment> for wit::Assessment {
    fn from(a: types::Assessment) -> Self {
        Self {
            findings: a.findings.into_iter().map(Into::into).collect(),
            insights: a.insights.into_iter().map(Into::into).collect(),
            next_actions: a.next_actions.into_iter().map(Into::into).collect(),
            limitations: a.limitations.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<types::Failure> for wit::Failure {
    fn from(failure: types::Failure) -> Self {
        Self {
            message: failure.message.into(),
        }
    }
}

impl From<types::MessageTemplate> for wit::MessageTemplate {
    fn from(template: types::MessageTemplate) -> Self {
        Self {
            id: template.id,
            text: template.text,
            holes: template.holes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<types::Descriptor> for wit::Descriptor {
    fn from(d: types::Descriptor) -> Self {
        Self {
            name: d.name,
            version: d.version,
            workflow: d.workflow,
            actions: d.actions,
            workflows: d.workflows,
            reason_codes: d.reason_codes,
            insights: d.insights,
            messages: d.messages.into_iter().map(Into::into).collect(),
        }
    }
}

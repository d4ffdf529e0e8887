//! One run of a runbook, with everything around it: trust, loading, calling, checking.
//!
//! **In**: a chosen component and evidence. **Out**: a [`Judgement`], which holds an assessment or the reason why there is none; a
//! runbook that misbehaves is a result, not an error.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::catalogue::Catalogue;
use crate::outcome::ActionOutcome;
use crate::report::{RunbookFailure, RunbookInfo};
use crate::runbook::cache::CodeCache;
use crate::runbook::descriptor::ContractBreach;
use crate::runbook::requests::{ActionHost, RequestLog};
use crate::runbook::{CheckedAssessment, CheckedDescriptor, RunbookEngine, RunbookError, Usage, assessment, convert};
use crate::snapshot::EvidenceSnapshot;
use crate::subjects::Subjects;
use crate::workspace::Workspace;

/// A component that is trusted.
#[derive(Debug, Clone)]
pub(crate) struct TrustedComponent {
    pub(crate) bytes: std::borrow::Cow<'static, [u8]>,
    pub(crate) digest: [u8; 32],
    pub(crate) signers: Vec<String>,
    /// For reports of runs that fail before the runbook can say its name.
    pub(crate) workflow_hint: String,
}

/// What an action returned, for phase 2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutcomeInput<'a> {
    pub(crate) target_id: &'a str,
    pub(crate) subjects: &'a [String],
    pub(crate) outcome: &'a ActionOutcome,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) workflow: String,
    pub(crate) info: RunbookInfo,
    pub(crate) assessment: Option<CheckedAssessment>,
    pub(crate) requests: RequestLog,
    pub(crate) subjects: Arc<Subjects>,
}

/// Runs `component` on `snapshot`, and on `outcome` in phase 2.
pub(crate) fn judge(
    component: &TrustedComponent,
    workspace: &Workspace,
    catalogue: &Arc<Catalogue>,
    snapshot: &EvidenceSnapshot,
    evidence_digest: &str,
    outcome: Option<OutcomeInput<'_>>,
) -> Judgement {
    let plan = outcome.map(|o| o.outcome.plan.as_slice()).unwrap_or_default();
    let mut judgement = Judgement {
        workflow: component.workflow_hint.clone(),
        info: RunbookInfo {
            name: "unknown".to_owned(),
            version: "unknown".to_owned(),
            digest: format!("sha256:{}", crate::hex(&component.digest)),
            signers: component.signers.clone(),
            usage: Usage::default(),
            failure: None,
        },
        assessment: None,
        requests: RequestLog::default(),
        subjects: Arc::new(Subjects::new(snapshot, plan)),
    };
    if let Err(error) = run(
        component,
        workspace,
        catalogue,
        snapshot,
        evidence_digest,
        outcome,
        &mut judgement,
    ) {
        judgement.info.failure = Some(RunbookFailure {
            code: error.code().to_owned(),
            message: error.to_string(),
        });
    }
    judgement
}

fn run(
    component: &TrustedComponent,
    workspace: &Workspace,
    catalogue: &Arc<Catalogue>,
    snapshot: &EvidenceSnapshot,
    evidence_digest: &str,
    outcome: Option<OutcomeInput<'_>>,
    judgement: &mut Judgement,
) -> Result<(), RunbookError> {
    let engine = RunbookEngine::new()?;
    let cache = CodeCache::new(workspace);
    let loaded = engine.load(&component.bytes, &component.digest, Some(&cache))?;
    // The descriptor is the runbook's manifest. It is asked in an instance of its own, with no input and no host, so it is a function of
    // the component's bytes.
    let described = loaded.describe();
    judgement.info.usage = described.usage;
    let descriptor = CheckedDescriptor::new(&described.answer?).map_err(breach)?;
    let descriptor = Arc::new(descriptor);
    descriptor.name().clone_into(&mut judgement.info.name);
    descriptor.version().clone_into(&mut judgement.info.version);
    descriptor.workflow().clone_into(&mut judgement.workflow);

    let seed = seed(&component.digest, evidence_digest, outcome);
    let subjects = Arc::clone(&judgement.subjects);
    let host = ActionHost::new(
        Arc::clone(&descriptor),
        Arc::clone(&subjects),
        Arc::clone(catalogue),
        seed,
    );
    let evidence = convert::evidence(snapshot);
    let called = match outcome {
        None => loaded.triage(host, &evidence),
        Some(o) => loaded.interpret(host, &evidence, &convert::outcome(o.target_id, o.subjects, o.outcome)),
    };
    judgement.info.usage = called.usage;
    let assessment = called.answer?;
    judgement.requests = called.requests;
    let checked = assessment::check(&assessment, &descriptor, &judgement.requests, &subjects).map_err(breach)?;
    judgement.assessment = Some(checked);
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that `map_err` wants")]
fn breach(breach: ContractBreach) -> RunbookError {
    RunbookError::BadOutput(breach.to_string())
}

/// What makes this run different from every other, and the same when it is replayed.
fn seed(component: &[u8; 32], evidence_digest: &str, outcome: Option<OutcomeInput<'_>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"pg-logstats run v1\0");
    hash.update(component);
    hash.update(evidence_digest.as_bytes());
    if let Some(input) = outcome {
        hash.update(input.target_id.as_bytes());
        // The evidence digest covers what the outcome showed of sessions and relations; its duration makes runs differ.
        hash.update(input.outcome.duration_us.to_le_bytes());
        hash.update((input.outcome.rows.len() as u64).to_le_bytes());
    }
    hash.finalize().into()
}

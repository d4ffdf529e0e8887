//! One run of a runbook, with everything around it: trust, loading, calling, checking.
//!
//! **In**: a chosen component and evidence. **Out**: a [`Judgement`], which holds an assessment or the reason why there is none; a
//! runbook that misbehaves is a result, not an error.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::catalogue::Catalogue;
use crate::outcome::{ActionOutcome, PlanNode};
use crate::report::{RunbookFailure, RunbookInfo};
use crate::runbook::bindings::pg_logstats::runbook::types as wit;
use crate::runbook::cache::CodeCache;
use crate::runbook::requests::{ActionHost, RequestLog};
use crate::runbook::{
    Called, CheckedAssessment, CheckedDescriptor, LoadedRunbook, RunbookEngine, RunbookError, Usage, assessment,
    convert,
};
use crate::snapshot::EvidenceSnapshot;
use crate::subjects::Subjects;
use crate::trust::statement::Manifest;
use crate::workspace::Workspace;

/// A component that is trusted.
#[derive(Debug, Clone)]
pub(crate) struct TrustedComponent {
    pub(crate) bytes: std::borrow::Cow<'static, [u8]>,
    pub(crate) digest: [u8; 32],
    pub(crate) signers: Vec<String>,
    /// Why it is trusted.
    pub(crate) grounds: Grounds,
    /// For reports of runs that fail before the runbook can say its name.
    pub(crate) workflow_hint: String,
}

/// Why a component is trusted.
#[derive(Debug, Clone)]
pub(crate) enum Grounds {
    /// By its digest: the binary carries it.
    Digest,
    /// By signatures over this manifest.
    Signed(Box<Manifest>),
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

/// Runs `component`, which is `loaded`, on `snapshot`, and on `outcome` in phase 2.
pub(crate) fn judge(
    component: &TrustedComponent,
    loaded: Result<LoadedRunbook, RunbookError>,
    catalogue: &Arc<Catalogue>,
    snapshot: &EvidenceSnapshot,
    evidence_digest: &str,
    outcome: Option<OutcomeInput<'_>>,
) -> Judgement {
    let mut judgement = Judgement {
        workflow: component.workflow_hint.clone(),
        info: RunbookInfo {
            name: "unknown".to_owned(),
            version: "unknown".to_owned(),
            digest: format!("sha256:{}", crate::hex(&component.digest)),
            signers: component.signers.clone(),
            wit_version: None,
            usage: Usage::default(),
            failure: None,
        },
        assessment: None,
        requests: RequestLog::default(),
        subjects: Arc::default(),
    };
    let result = loaded.and_then(|loaded| {
        run(
            component,
            &loaded,
            catalogue,
            snapshot,
            evidence_digest,
            outcome,
            &mut judgement,
        )
    });
    if let Err(error) = result {
        judgement.info.failure = Some(RunbookFailure {
            code: error.code().to_owned(),
            message: error.to_string(),
        });
    }
    judgement
}

fn run(
    component: &TrustedComponent,
    loaded: &LoadedRunbook,
    catalogue: &Arc<Catalogue>,
    snapshot: &EvidenceSnapshot,
    evidence_digest: &str,
    outcome: Option<OutcomeInput<'_>>,
    judgement: &mut Judgement,
) -> Result<(), RunbookError> {
    let wit_version = loaded.wit_version();
    judgement.info.wit_version = Some(wit_version.as_str().to_owned());
    judgement.subjects = Arc::new(Subjects::of(wit_version, snapshot, plan_of(outcome)));
    let (descriptor, usage) = described(loaded);
    judgement.info.usage = usage;
    let descriptor = descriptor?;
    descriptor.name().clone_into(&mut judgement.info.name);
    descriptor.version().clone_into(&mut judgement.info.version);
    descriptor.workflow().clone_into(&mut judgement.workflow);
    if let Grounds::Signed(manifest) = &component.grounds {
        let held = manifest.check_component(&descriptor, &wit_version.package());
        held.map_err(|error| RunbookError::BadOutput(error.to_string()))?;
    }

    let subjects = Arc::clone(&judgement.subjects);
    let run = Run {
        digest: &component.digest,
        descriptor: &descriptor,
        subjects: &subjects,
        catalogue,
        snapshot,
        evidence_digest,
        outcome,
    };
    let called = run.call(loaded);
    judgement.info.usage = called.usage;
    let assessment = called.answer?;
    judgement.requests = called.requests;
    judgement.assessment = Some(run.check(&assessment, &judgement.requests)?);
    Ok(())
}

/// Loads `component`, with the compiled code that `workspace` keeps.
pub(crate) fn load(component: &TrustedComponent, workspace: &Workspace) -> Result<LoadedRunbook, RunbookError> {
    let cache = CodeCache::new(workspace);
    RunbookEngine::new()?.load(&component.bytes, &component.digest, Some(&cache))
}

fn plan_of(outcome: Option<OutcomeInput<'_>>) -> &[PlanNode] {
    outcome.map(|o| o.outcome.plan.as_slice()).unwrap_or_default()
}

/// Everything that one call of a runbook depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) digest: &'a [u8; 32],
    pub(crate) descriptor: &'a Arc<CheckedDescriptor>,
    pub(crate) subjects: &'a Arc<Subjects>,
    pub(crate) catalogue: &'a Arc<Catalogue>,
    pub(crate) snapshot: &'a EvidenceSnapshot,
    pub(crate) evidence_digest: &'a str,
    pub(crate) outcome: Option<OutcomeInput<'a>>,
}

impl Run<'_> {
    /// Calls `triage`, or `interpret` where there is an outcome.
    pub(crate) fn call(&self, loaded: &LoadedRunbook) -> Called<wit::Assessment> {
        let host = ActionHost::new(
            Arc::clone(self.descriptor),
            Arc::clone(self.subjects),
            Arc::clone(self.catalogue),
            seed(self.digest, self.evidence_digest, self.outcome),
        );
        let evidence = convert::evidence(self.snapshot);
        match self.outcome {
            None => loaded.triage(host, &evidence),
            Some(o) => {
                let outcome = convert::outcome(loaded.wit_version(), o.target_id, o.subjects, o.outcome);
                loaded.interpret(host, &evidence, &outcome)
            }
        }
    }

    /// Holds what was said to the contract.
    pub(crate) fn check(
        &self,
        assessment: &wit::Assessment,
        requests: &RequestLog,
    ) -> Result<CheckedAssessment, RunbookError> {
        assessment::check(assessment, self.descriptor, requests, self.subjects)
            .map_err(|breach| RunbookError::BadOutput(breach.to_string()))
    }
}

/// The descriptor: the runbook's manifest, and what asking for it used. It is asked in an instance of its own, with no input and no host,
/// so it is a function of the component's bytes.
pub(crate) fn described(loaded: &LoadedRunbook) -> (Result<Arc<CheckedDescriptor>, RunbookError>, Usage) {
    let described = loaded.describe();
    let checked = described
        .answer
        .and_then(|raw| CheckedDescriptor::new(&raw).map_err(|breach| RunbookError::BadOutput(breach.to_string())));
    (checked.map(Arc::new), described.usage)
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

#[cfg(test)]
mod tests;

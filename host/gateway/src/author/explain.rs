//! `runbook explain`: all that a component can ever ask for or say, for whoever has to decide whether to trust it.
//!
//! **In**: a component that nobody vouches for. **Out**: its descriptor, with the SQL that its actions stand for. **Trusted**: nothing;
//! only `describe` is called, in an instance without evidence and without a host. What it says of itself is marked as untrusted.
//! **Can fail**: when the file is no runbook.
//!
//! The answer is complete: the host refuses every action, word and sentence that the descriptor does not list, and the descriptor is a
//! function of the component's bytes.

use std::path::Path;

use pg_logstats_audit::dsse::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AuthorError;
use super::bench::Bench;
use crate::ambient::{self, OpenError};
use crate::catalogue::Catalogue;
use crate::catalogue::view::{self, ActionView};
use crate::report::SCHEMA_VERSION;
use crate::runbook::limits;
use crate::trust::bundle;
use crate::untrusted::Untrusted;

/// What a component can ask for and say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookExplanation {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What the runbook calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The workflow that it serves.
    pub workflow: String,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// Version of the contract that it was built for.
    pub wit_version: Option<String>,
    /// All that it imports.
    pub imports: Vec<String>,
    /// Key ids of the signatures in `FILE.dsse` beside the component, as they stand there: nothing of them was verified.
    pub unverified_signers: Vec<Untrusted>,
    /// Every action that it could request.
    pub actions: Vec<DeclaredAction>,
    /// Workflows that it could send the agent to.
    pub workflows: Vec<String>,
    /// Every sentence that it could say; a hole shows as the kind of value that fills it.
    pub messages: Vec<DeclaredMessage>,
    /// Its reason codes.
    pub reason_codes: Vec<String>,
    /// Its insights.
    pub insights: Vec<String>,
}

/// An action of a descriptor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredAction {
    /// Its id.
    pub id: String,
    /// What this host's catalogue has for it; none: nothing, so it would be refused.
    pub catalogue: Option<ActionView>,
}

/// A message of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredMessage {
    /// Its id.
    pub id: String,
    /// Its text, by the runbook's author.
    pub text: Untrusted,
}

/// Explains the component in `file`.
///
/// # Errors
/// When it cannot be read or is no runbook.
pub fn explain(file: &Path, catalogue: &Catalogue) -> Result<RunbookExplanation, AuthorError> {
    let bytes = read_component(file)?;
    let bench = load(file, &bytes)?;
    let descriptor = &bench.descriptor;
    let imports = pg_logstats_componentize::component_imports(&bytes)?;
    let owned = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect();
    Ok(RunbookExplanation {
        schema_version: SCHEMA_VERSION,
        name: descriptor.name().to_owned(),
        version: descriptor.version().to_owned(),
        workflow: descriptor.workflow().to_owned(),
        digest: bench.digest(),
        bytes: bytes.len() as u64,
        wit_version: Some(bench.wit_version().as_str().to_owned()),
        unverified_signers: signers(file)?,
        imports,
        actions: descriptor
            .actions()
            .map(|id| DeclaredAction {
                id: id.to_owned(),
                catalogue: view::show(catalogue, id).ok(),
            })
            .collect(),
        workflows: owned(&mut descriptor.workflows()),
        messages: descriptor
            .messages()
            .map(|(id, text)| DeclaredMessage {
                id: id.to_owned(),
                text: Untrusted::new(&text),
            })
            .collect(),
        reason_codes: owned(&mut descriptor.reason_codes()),
        insights: owned(&mut descriptor.insights()),
    })
}

/// The bytes of a component file.
pub(super) fn read_component(file: &Path) -> Result<Vec<u8>, AuthorError> {
    Ok(ambient::read_file(file, "runbook", limits::COMPONENT_BYTES)?)
}

/// The component on the bench.
pub(super) fn load(file: &Path, bytes: &[u8]) -> Result<Bench, AuthorError> {
    Bench::load(bytes).map_err(|source| AuthorError::Runbook {
        file: file.display().to_string(),
        source,
    })
}

/// The key ids in the envelope beside `file`; none when there is none.
fn signers(file: &Path) -> Result<Vec<Untrusted>, AuthorError> {
    let path = bundle::signatures_of(file);
    let bytes = match ambient::read_file(&path, "signature", bundle::ENVELOPE_BYTES) {
        Ok(bytes) => bytes,
        Err(OpenError::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let envelope = Envelope::parse(&bytes).map_err(|e| AuthorError::file(&path, &e.to_string()))?;
    Ok(envelope
        .signatures
        .iter()
        .map(|signature| Untrusted::capped(&signature.keyid, 80))
        .collect())
}

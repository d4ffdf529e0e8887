//! Installed runbooks, and what each has to pass before it runs.
//!
//! **In**: bundles, and `runbooks/` of the operator's folder. **Out**: [`Vouched`], a component whose signatures meet the operator's rules
//! now. **Trusted**: the operator's folder, for which version is installed; for what a component may do, signatures alone. **Can fail**: with
//! [`RunbookTrustError`].
//!
//! ```text
//! runbooks/installed.json       name → digest, version, workflow; and the highest version that each name ever had, with its digest
//! runbooks/<sha256>/            runbook.wasm and runbook.wasm.dsse
//! runbooks/<sha256>.revoked     the signed revocation of a component, installed or not
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use pg_logstats_audit::dsse::Envelope;
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::bundle::{BundleError, ENVELOPE_BYTES};
use super::keyring::{Keyring, SignedBy, TrustError};
use super::revocation::{Revocation, RevocationError};
use super::statement::{Manifest, PAYLOAD_TYPE, Statement, StatementError};
use super::store::{StepBack, Store, StoreError, is_sha256, step_back};
use crate::catalogue::Catalogue;
use crate::runbook::RunbookError;
use crate::runbook::limits::COMPONENT_BYTES;

const FOLDER: &str = "runbooks";
const COMPONENT: &str = "runbook.wasm";
const ENVELOPE: &str = "runbook.wasm.dsse";
const INDEX_VERSION: u32 = 1;

/// Why a runbook is not trusted, or cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum RunbookTrustError {
    /// There is nothing to verify.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// What is installed cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The envelope, its signatures or the rules.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// What was signed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The component is not the one that was signed.
    #[error("the signatures are of another component (sha256:{signed}); get both files again")]
    OtherComponent {
        /// The digest that was signed.
        signed: String,
    },
    /// What is installed was changed.
    #[error("the installed runbook `{name}` is not what was installed; install it again")]
    Changed {
        /// Its name.
        name: String,
    },
    /// It must not run any more.
    #[error("the runbook sha256:{sha256} was revoked at {revoked_at}: {reason}")]
    Revoked {
        /// Its digest.
        sha256: String,
        /// When.
        revoked_at: String,
        /// Why.
        reason: String,
    },
    /// It says nothing that makes sense.
    #[error("the component cannot be described: {0}")]
    Describe(#[from] RunbookError),
    /// It is older than what there was.
    #[error(
        "`{name}` {version} is older than {highest}, which was installed here; an older one may have faults that were mended since. Whoever \
         wants it all the same says --allow-downgrade"
    )]
    Downgrade {
        /// The runbook.
        name: String,
        /// What was to be installed.
        version: Version,
        /// The highest that was.
        highest: Version,
    },
    /// Two components with one version.
    #[error(
        "`{name}` {version} was installed here as another component (sha256:{sha256}); a new component has a new version. Whoever wants to replace it \
         all the same says --allow-downgrade"
    )]
    SameVersion {
        /// The runbook.
        name: String,
        /// Its version.
        version: Version,
        /// What was installed.
        sha256: String,
    },
    /// Another runbook has its workflow.
    #[error("the workflow `{workflow}` is that of the installed runbook `{name}`; remove that one first")]
    WorkflowTaken {
        /// The workflow.
        workflow: String,
        /// Who has it.
        name: String,
    },
    /// There is no such runbook.
    #[error("no runbook `{name}` is installed; installed are: {known}")]
    NotInstalled {
        /// As typed, escaped.
        name: String,
        /// Those that are.
        known: String,
    },
    /// It cannot be revoked.
    #[error(transparent)]
    Revocation(#[from] RevocationError),
    /// Which of the components that were named.
    #[error("`{place}`: {cause}")]
    At {
        /// Where it was found, escaped.
        place: String,
        /// What is wrong with it.
        cause: Box<Self>,
    },
}

impl RunbookTrustError {
    /// The same of the component in `place`.
    pub(crate) fn at(self, place: &str) -> Self {
        Self::At {
            place: place.to_owned(),
            cause: Box::new(self),
        }
    }

    /// What is wrong, wherever.
    pub fn cause(&self) -> &Self {
        match self {
            Self::At { cause, .. } => cause.cause(),
            cause => cause,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self.cause() {
            Self::At { cause, .. } => cause.code(),
            Self::Bundle(_) => "not_a_bundle",
            Self::Store(_) => "store_unusable",
            Self::Trust(error) | Self::Revocation(RevocationError::Trust(error)) => error.code(),
            Self::Statement(StatementError::AboveCeiling { .. }) => "above_risk_ceiling",
            Self::Statement(_) => "wrong_statement",
            Self::OtherComponent { .. } | Self::Changed { .. } => "unverified",
            Self::Revoked { .. } => "revoked",
            Self::Describe(error) => error.code(),
            Self::Downgrade { .. } | Self::SameVersion { .. } => "downgrade",
            Self::WorkflowTaken { .. } => "workflow_taken",
            Self::NotInstalled { .. } => "not_installed",
            Self::Revocation(_) => "not_a_revocation",
        }
    }

    /// Whether a signature or a digest does not verify.
    pub fn is_tampering(&self) -> bool {
        self.code() == "unverified"
    }

    /// Whether the operator's files deny it, rather than that it makes no sense.
    pub fn is_denied(&self) -> bool {
        !self.is_tampering()
            && matches!(
                self.cause(),
                Self::Trust(_)
                    | Self::Statement(_)
                    | Self::Revoked { .. }
                    | Self::Downgrade { .. }
                    | Self::SameVersion { .. }
                    | Self::Revocation(RevocationError::Trust(_))
            )
    }
}

/// A component that the operator's rules let run, as of when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// What was signed of it.
    pub manifest: Manifest,
    /// Who of the trust store signed.
    pub signers: Vec<SignedBy>,
}

impl Vouched {
    /// Holders whose signatures count.
    pub fn names(&self) -> Vec<String> {
        let counting = self.signers.iter().filter(|it| it.problem.is_none());
        counting.map(|it| it.name.clone()).collect()
    }
}

/// What the signatures of `envelope` say of the component with `sha256` (hex), rules left out.
fn signed(sha256: &str, envelope: &[u8], keys: &Keyring, now_us: i64) -> Result<Vouched, RunbookTrustError> {
    let envelope = Envelope::parse(envelope).map_err(TrustError::Malformed)?;
    let signed = keys.signers(&envelope, PAYLOAD_TYPE, now_us)?;
    let statement = Statement::parse(&signed.payload)?;
    if statement.sha256() != Some(sha256) {
        return Err(RunbookTrustError::OtherComponent {
            signed: statement.sha256().unwrap_or_default().to_owned(),
        });
    }
    Ok(Vouched {
        manifest: statement.manifest().clone(),
        signers: signed.signers,
    })
}

/// The same, if the rules are met and no action became riskier.
pub(crate) fn vouch(
    sha256: &str,
    envelope: &[u8],
    keys: &Keyring,
    catalogue: &Catalogue,
    now_us: i64,
) -> Result<Vouched, RunbookTrustError> {
    let vouched = signed(sha256, envelope, keys, now_us)?;
    keys.judge(&vouched.manifest.name, &vouched.manifest.version, &vouched.signers)?;
    vouched.manifest.check_risk(catalogue)?;
    Ok(vouched)
}

/// A runbook of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) sha256: String,
    pub(crate) version: Version,
    pub(crate) workflow: String,
}

/// The highest version that a name ever had.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Highest {
    /// Which component had it, as well.
    Component { version: Version, sha256: String },
    /// Of an index that was written before components were kept.
    Version(Version),
}

impl Highest {
    fn version(&self) -> &Version {
        let (Self::Component { version, .. } | Self::Version(version)) = self;
        version
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    index_version: u32,
    /// By name.
    runbooks: BTreeMap<String, Entry>,
    /// The highest version that each name ever had, also when it is gone.
    highest: BTreeMap<String, Highest>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            index_version: INDEX_VERSION,
            runbooks: BTreeMap::new(),
            highest: BTreeMap::new(),
        }
    }
}

impl Index {
    fn not_installed(&self, name: &str) -> RunbookTrustError {
        RunbookTrustError::NotInstalled {
            name: crate::untrusted::escape_control(name).chars().take(80).collect(),
            known: crate::listed(self.runbooks.keys()),
        }
    }

    /// A lower version than ever was here is a step back, and so is another component under the same one.
    fn check_not_older(&self, manifest: &Manifest, sha256: &str) -> Result<(), RunbookTrustError> {
        let (name, version) = (manifest.name.clone(), manifest.version.clone());
        let Some(highest) = self.highest.get(&name) else {
            return Ok(());
        };
        let known = match highest {
            Highest::Component { sha256, .. } => Some(sha256),
            Highest::Version(_) => self.runbooks.get(&name).map(|entry| &entry.sha256),
        };
        match step_back(&version, sha256, highest.version(), known.map(String::as_str)) {
            None => Ok(()),
            Some(StepBack::Older) => Err(RunbookTrustError::Downgrade {
                name,
                version,
                highest: highest.version().clone(),
            }),
            Some(StepBack::Other(known)) => Err(RunbookTrustError::SameVersion {
                name,
                version,
                sha256: known.to_owned(),
            }),
        }
    }
}

/// The installed runbooks, as of when they were read.
#[derive(Default)]
pub(crate) struct Installed {
    store: Option<Store>,
    index: Index,
}

impl Installed {
    /// Those of the operator's folder.
    pub(crate) fn read(operator: Option<&Path>) -> Result<Self, StoreError> {
        let Some(store) = Store::open(operator, FOLDER)? else {
            return Ok(Self::default());
        };
        let index = checked(&store)?;
        Ok(Self {
            store: Some(store),
            index,
        })
    }

    /// All, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.index.runbooks.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// The one that serves the workflow `word`, or is called so.
    pub(crate) fn find(&self, word: &str) -> Option<(&str, &Entry)> {
        let by_workflow = self.iter().find(|(_, entry)| entry.workflow == word);
        by_workflow.or_else(|| self.iter().find(|(name, _)| *name == word))
    }

    /// The one with this digest, in hex.
    pub(crate) fn by_digest(&self, sha256: &str) -> Option<(&str, &Entry)> {
        self.iter().find(|(_, entry)| entry.sha256 == sha256)
    }

    /// The runbook `name`, if it is still the component with this digest, in hex.
    ///
    /// # Errors
    /// [`RunbookTrustError::NotInstalled`] when it was removed or replaced.
    pub(crate) fn installed(&self, name: &str, sha256: &str) -> Result<(&str, &Entry), RunbookTrustError> {
        self.by_digest(sha256).ok_or_else(|| self.index.not_installed(name))
    }

    /// Refuses a version that is older than what was installed of the same name, and another component with the same version.
    pub(crate) fn check_not_older(&self, manifest: &Manifest, sha256: &str) -> Result<(), RunbookTrustError> {
        self.index.check_not_older(manifest, sha256)
    }

    /// The component of `entry` with its digest, if it is the one that was installed.
    pub(crate) fn component(&self, name: &str, entry: &Entry) -> Result<(Vec<u8>, [u8; 32]), RunbookTrustError> {
        let component = self.file(name, entry, COMPONENT, COMPONENT_BYTES)?;
        let digest: [u8; 32] = Sha256::digest(&component).into();
        if crate::hex(&digest) != entry.sha256 {
            return Err(RunbookTrustError::Changed { name: name.to_owned() });
        }
        Ok((component, digest))
    }

    /// The signatures of `entry`, not verified.
    pub(crate) fn envelope(&self, name: &str, entry: &Entry) -> Result<Vec<u8>, RunbookTrustError> {
        self.file(name, entry, ENVELOPE, ENVELOPE_BYTES)
    }

    fn file(&self, name: &str, entry: &Entry, file: &str, limit: u64) -> Result<Vec<u8>, RunbookTrustError> {
        let changed = || RunbookTrustError::Changed { name: name.to_owned() };
        let store = self.store.as_ref().ok_or_else(changed)?;
        match store.read(&format!("{}/{file}", entry.sha256), limit) {
            Err(StoreError::Missing { .. } | StoreError::TooLarge { .. }) => Err(changed()),
            other => Ok(other?),
        }
    }

    /// Refuses the component with `sha256` (hex) when it was revoked.
    ///
    /// # Errors
    /// [`RunbookTrustError::Revoked`] as soon as a revocation is there, whatever it looks like.
    pub(crate) fn check_not_revoked(&self, sha256: &str) -> Result<(), RunbookTrustError> {
        let Some(store) = &self.store else { return Ok(()) };
        let Some(bytes) = store.file(&revoked_file(sha256), ENVELOPE_BYTES)? else {
            return Ok(());
        };
        let (revoked_at, reason) = revocation_text(&bytes).unwrap_or_else(|| {
            let unreadable = "the revocation cannot be read any more, and is in force";
            ("an unknown time".to_owned(), unreadable.to_owned())
        });
        Err(RunbookTrustError::Revoked {
            sha256: sha256.to_owned(),
            revoked_at,
            reason,
        })
    }
}

/// When and why, for people: it was verified when it was put there, and is in force either way.
fn revocation_text(bytes: &[u8]) -> Option<(String, String)> {
    let payload = Envelope::parse(bytes).ok()?.unverified_payload().ok()?;
    let revocation: Revocation = serde_json::from_slice(&payload).ok()?;
    let plain = |text: &str| crate::untrusted::escape_control(text).into_owned();
    Some((plain(&revocation.revoked_at), plain(&revocation.reason)))
}

fn revoked_file(sha256: &str) -> String {
    format!("{sha256}.revoked")
}

fn checked(store: &Store) -> Result<Index, StoreError> {
    let index: Index = store.index()?;
    if index.index_version != INDEX_VERSION || !index.runbooks.values().all(|entry| is_sha256(&entry.sha256)) {
        return Err(store.bad_index("is of another version, or names a folder that is no SHA-256"));
    }
    Ok(index)
}

/// The installed runbooks, while nobody else changes them.
pub(crate) struct Installing {
    store: Store,
    index: Index,
    _locked: std::fs::File,
}

/// What was installed before.
pub(crate) struct Replaced(Option<Entry>);

impl Replaced {
    /// Its version and digest.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.0.as_ref()
    }
}

impl Installing {
    /// Waits until nobody else changes them.
    pub(crate) fn begin(operator: Option<&Path>) -> Result<Self, StoreError> {
        let store = Store::open_or_create(operator, FOLDER)?;
        let locked = store.lock()?;
        let index = checked(&store)?;
        Ok(Self {
            store,
            index,
            _locked: locked,
        })
    }

    /// The runbook of `manifest` would take this place.
    ///
    /// # Errors
    /// When that would be a step back, or another one serves its workflow.
    pub(crate) fn check(
        &self,
        manifest: &Manifest,
        sha256: &str,
        allow_downgrade: bool,
    ) -> Result<Replaced, RunbookTrustError> {
        let name = &manifest.name;
        let other = self
            .index
            .runbooks
            .iter()
            .find(|(other, entry)| *other != name && entry.workflow == manifest.workflow);
        if let Some((other, _)) = other {
            return Err(RunbookTrustError::WorkflowTaken {
                workflow: manifest.workflow.clone(),
                name: other.clone(),
            });
        }
        let before = self.index.runbooks.get(name);
        if !allow_downgrade {
            self.index.check_not_older(manifest, sha256)?;
        }
        Ok(Replaced(before.cloned()))
    }

    /// Puts the files of what [`Self::check`] let pass; until it is installed, nobody reads them.
    pub(crate) fn put(&self, sha256: &str, component: &[u8], envelope: &[u8]) -> Result<(), StoreError> {
        self.store.put(sha256, [(COMPONENT, component), (ENVELOPE, envelope)])
    }

    /// Removes the files of what did not come to be installed, unless the index names them.
    pub(crate) fn forget_unnamed(&self, sha256: &str) {
        // As it is on the disk: it may have been written all the same, or have named them before.
        let is_named = |index: &Index| index.runbooks.values().any(|entry| entry.sha256 == sha256);
        if checked(&self.store).is_ok_and(|index| !is_named(&index)) {
            self.store.forget(sha256);
        }
    }

    /// Installs what was [`put`](Self::put).
    pub(crate) fn install(&mut self, manifest: &Manifest, sha256: &str, replaced: &Replaced) -> Result<(), StoreError> {
        let entry = Entry {
            sha256: sha256.to_owned(),
            version: manifest.version.clone(),
            workflow: manifest.workflow.clone(),
        };
        // Whoever allowed a step back has said which version counts from now on.
        let highest = Highest::Component {
            version: manifest.version.clone(),
            sha256: sha256.to_owned(),
        };
        self.index.highest.insert(manifest.name.clone(), highest);
        self.index.runbooks.insert(manifest.name.clone(), entry);
        self.store.write_index(&self.index)?;
        if let Some(before) = replaced.entry().filter(|before| before.sha256 != sha256) {
            self.store.forget(&before.sha256);
        }
        Ok(())
    }

    /// The runbook `name`.
    ///
    /// # Errors
    /// When it is not installed.
    pub(crate) fn named(&self, name: &str) -> Result<Entry, RunbookTrustError> {
        let entry = self.index.runbooks.get(name).cloned();
        entry.ok_or_else(|| self.index.not_installed(name))
    }

    /// Removes the runbook `name`; its highest version stays known.
    pub(crate) fn remove(mut self, name: &str) -> Result<(), StoreError> {
        let before = self.index.runbooks.remove(name);
        self.store.write_index(&self.index)?;
        if let Some(before) = before {
            self.store.forget(&before.sha256);
        }
        Ok(())
    }

    /// From now on the component with `sha256` does not run.
    pub(crate) fn revoke(&self, sha256: &str, envelope: &[u8]) -> Result<(), StoreError> {
        self.store.put_file(&revoked_file(sha256), envelope)
    }
}

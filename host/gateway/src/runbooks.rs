//! `runbook`: signing, verifying, installing, removing and revoking runbooks, and which ones run here.
//!
//! **In**: components and keys of people; bundles. **Out**: signatures; installed runbooks; records of what changed. **Trusted**: what
//! [`crate::trust`] verified. **Can fail**: with [`RunbookTrustError`]; then nothing is changed.

use std::path::Path;
use std::sync::Arc;

use pg_logstats_audit::PrivateKey;
use pg_logstats_audit::dsse::{self, Envelope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ambient::{self, OpenError};
use crate::catalogue::Catalogue;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::keys;
use crate::packs;
use crate::record::{RecordBody, TrustChange};
use crate::report::SCHEMA_VERSION;
use crate::runbook::limits::COMPONENT_BYTES;
use crate::runbook::{CheckedDescriptor, RunbookEngine, RunbookError, WitVersion};
use crate::time::{now_us, rfc3339};
use crate::trust::bundle::{self, Bundle};
use crate::trust::installed::{self, Entry, Installed, Installing, Vouched};
use crate::trust::revocation::Revocation;
use crate::trust::statement::{Manifest, PAYLOAD_TYPE, Statement};
use crate::trust::{BUILTIN_SIGNER, Keyring, Role, RunbookTrustError, SignedBy, TrustError, operators_folder};
use crate::untrusted::escape_control;
use crate::words::Risk;

/// A runbook that was signed, verified, installed, removed or revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookView {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `triage WORKFLOW` runs it.
    pub workflow: String,
    /// The contract that it was built for.
    pub wit: String,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// The most risk that one of its actions had when it was signed.
    pub risk_ceiling: Risk,
    /// Catalogue actions that it may request.
    pub actions: Vec<String>,
    /// Who signed.
    pub signers: Vec<SignerView>,
    /// Whether the operator's rules let it run here, as of now.
    pub trusted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who signed a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerView {
    /// The holder, as the operator calls him; none when the operator does not know the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the key.
    pub key_id: String,
    /// What it may sign here.
    pub roles: Vec<Role>,
    /// Why it does not count here, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A runbook that may run here, or would if it were trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedRunbook {
    /// Its name.
    pub name: String,
    /// Its version, where it is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `triage WORKFLOW` runs it.
    pub workflow: String,
    /// The contract that it was built for; none of an installed one that is not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wit: Option<String>,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// Who vouches for it: `builtin` for what the binary carries.
    pub signers: Vec<String>,
    /// Whether it runs.
    pub trusted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl RunbookView {
    fn new(sha256: &str, manifest: &Manifest, signers: Vec<SignerView>, verdict: Result<(), String>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            workflow: manifest.workflow.clone(),
            wit: manifest.wit.clone(),
            digest: format!("sha256:{sha256}"),
            risk_ceiling: manifest.risk_ceiling,
            actions: manifest.actions.clone(),
            signers,
            trusted: verdict.is_ok(),
            reason: verdict.err(),
        }
    }

    fn of(sha256: &str, vouched: &Vouched) -> Self {
        let signers = vouched.signers.iter().map(SignerView::from).collect();
        Self::new(sha256, &vouched.manifest, signers, Ok(()))
    }
}

impl From<&SignedBy> for SignerView {
    fn from(signer: &SignedBy) -> Self {
        Self {
            name: Some(signer.name.clone()),
            key_id: signer.key_id.to_string(),
            roles: signer.roles.iter().copied().collect(),
            problem: signer.problem.clone(),
        }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What the component says of itself, run alone and without input, and the contract that it was built for.
fn described(component: &[u8], digest: &[u8; 32]) -> Result<(Arc<CheckedDescriptor>, String), RunbookError> {
    let loaded = RunbookEngine::new()?.load(component, digest, None)?;
    let (descriptor, _) = crate::judge::described(&loaded);
    Ok((descriptor?, loaded.wit_version().package()))
}

/// As the author or a reviewer of the component in `file`: signs its manifest with the private key in `key`. Signatures that are there
/// stay.
///
/// # Errors
/// When the component or the key cannot be used, or the signatures that are there are of something else.
pub fn sign(file: &Path, key: &Path) -> Result<RunbookView, GatewayError> {
    let (keyring, catalogue) = packs::installed(operators_folder().as_deref())?;
    sign_with(file, &keys::private(key)?, &keyring, &catalogue)
}

fn sign_with(
    file: &Path,
    key: &PrivateKey,
    keyring: &Keyring,
    catalogue: &Catalogue,
) -> Result<RunbookView, GatewayError> {
    let component = ambient::read_file(file, "runbook", COMPONENT_BYTES)?;
    let digest = sha256(&component);
    let sha256_hex = crate::hex(&digest);
    let shown = escape_control(&file.display().to_string()).into_owned();
    let (descriptor, wit) =
        described(&component, &digest).map_err(|error| RunbookTrustError::from(error).at(&shown))?;
    let manifest =
        Manifest::new(&descriptor, &wit, catalogue).map_err(|error| RunbookTrustError::from(error).at(&shown))?;
    let payload = Statement::new(&digest, manifest.clone())
        .to_bytes()
        .map_err(RunbookTrustError::from)?;
    let place = bundle::signatures_of(file);
    let envelope = match ambient::read_file(&place, "signature", bundle::ENVELOPE_BYTES) {
        Err(OpenError::Missing { .. }) => dsse::seal(key, PAYLOAD_TYPE, &payload).map_err(TrustError::Malformed)?,
        Err(error) => return Err(error.into()),
        Ok(bytes) => {
            let mut envelope = Envelope::parse(&bytes).map_err(TrustError::Malformed)?;
            let signed = envelope.unverified_payload().map_err(TrustError::Malformed)?;
            if signed != payload || envelope.payload_type != PAYLOAD_TYPE {
                return Err(GatewayError::Usage(format!(
                    "`{}` has signatures of something else: another component, or another manifest of it (a risk in the catalogue that \
                     changed); move it away, and have all sign again",
                    place.display()
                )));
            }
            dsse::countersign(&mut envelope, key).map_err(|error| GatewayError::Usage(error.to_string()))?;
            envelope
        }
    };
    let bytes = envelope.to_bytes().map_err(TrustError::Malformed)?;
    ambient::replace_file(&place, "signature", &bytes)?;
    let named = keyring.signers(&envelope, PAYLOAD_TYPE, now_us()).map(|it| it.signers);
    let signers = signer_views(&envelope, named.as_deref().unwrap_or_default());
    let verdict = installed::vouch(&sha256_hex, &bytes, keyring, catalogue, now_us());
    let verdict = verdict.map(|_| ()).map_err(|error| error.to_string());
    Ok(RunbookView::new(&sha256_hex, &manifest, signers, verdict))
}

/// All signatures of `envelope`, with the names of those that the operator knows.
fn signer_views(envelope: &Envelope, named: &[SignedBy]) -> Vec<SignerView> {
    let view = |signature: &dsse::Signature| {
        let known = named.iter().find(|it| it.key_id.as_str() == signature.keyid);
        known.map_or_else(
            || SignerView {
                name: None,
                key_id: escape_control(&signature.keyid).chars().take(64).collect(),
                roles: Vec::new(),
                problem: None,
            },
            SignerView::from,
        )
    };
    envelope.signatures.iter().map(view).collect()
}

/// Whether the runbooks of the bundle `path` would be trusted here; nothing is changed.
///
/// # Errors
/// With the first reason why one is not.
pub fn verify(path: &Path) -> Result<Vec<RunbookView>, GatewayError> {
    let operator = operators_folder();
    let (keyring, catalogue) = packs::installed(operator.as_deref())?;
    let known = Installed::read(operator.as_deref())?;
    let mut views = Vec::new();
    for bundle in bundle::read(path).map_err(RunbookTrustError::from)? {
        let verified = verified(&bundle, &known, &keyring, &catalogue);
        let (sha256, vouched) = verified.map_err(|error| error.at(&bundle.place))?;
        views.push(RunbookView::of(&sha256, &vouched));
    }
    Ok(views)
}

/// Signatures, rules, revocation, and that the component is what was signed of it.
fn verified(
    bundle: &Bundle,
    known: &Installed,
    keyring: &Keyring,
    catalogue: &Catalogue,
) -> Result<(String, Vouched), RunbookTrustError> {
    let digest = sha256(&bundle.component);
    let sha256 = crate::hex(&digest);
    known.check_not_revoked(&sha256)?;
    // Nothing of a component is run, or even compiled, before its signatures count.
    let vouched = installed::vouch(&sha256, &bundle.envelope, keyring, catalogue, now_us())?;
    let (descriptor, wit) = described(&bundle.component, &digest)?;
    vouched.manifest.check_component(&descriptor, &wit)?;
    Ok((sha256, vouched))
}

/// The runbooks that run here, and those that are installed and do not.
///
/// # Errors
/// When the operator's files cannot be read.
pub fn list() -> Result<Vec<TrustedRunbook>, GatewayError> {
    list_in(operators_folder().as_deref())
}

fn list_in(operator: Option<&Path>) -> Result<Vec<TrustedRunbook>, GatewayError> {
    let (keyring, catalogue) = packs::installed(operator)?;
    let known = Installed::read(operator)?;
    let mut list = Vec::new();
    for (name, entry) in known.iter() {
        let verdict = vouched_entry(&known, name, entry, &keyring, &catalogue);
        list.push(TrustedRunbook {
            name: name.to_owned(),
            version: Some(entry.version.to_string()),
            workflow: entry.workflow.clone(),
            wit: verdict.as_ref().ok().map(|vouched| vouched.manifest.wit.clone()),
            digest: format!("sha256:{}", entry.sha256),
            signers: verdict.as_ref().map(Vouched::names).unwrap_or_default(),
            trusted: verdict.is_ok(),
            reason: verdict.err().map(|error| error.to_string()),
        });
    }
    for builtin in pg_logstats_builtin::all() {
        let sha256 = crate::hex(&builtin.digest);
        let replaced = known.find(builtin.workflow).map(|(name, _)| {
            format!("the installed runbook `{name}` serves its workflow; remove that one to have this one back")
        });
        let reason = known
            .check_not_revoked(&sha256)
            .err()
            .map(|error| error.to_string())
            .or(replaced);
        list.push(TrustedRunbook {
            name: builtin.name.to_owned(),
            version: None,
            workflow: builtin.workflow.to_owned(),
            wit: Some(WitVersion::CURRENT.package()),
            digest: format!("sha256:{sha256}"),
            signers: vec![BUILTIN_SIGNER.to_owned()],
            trusted: reason.is_none(),
            reason,
        });
    }
    list.sort_by(|a, b| (&a.workflow, &a.name).cmp(&(&b.workflow, &b.name)));
    Ok(list)
}

fn vouched_entry(
    known: &Installed,
    name: &str,
    entry: &Entry,
    keyring: &Keyring,
    catalogue: &Catalogue,
) -> Result<Vouched, RunbookTrustError> {
    known.check_not_revoked(&entry.sha256)?;
    let envelope = known.envelope(name, entry)?;
    installed::vouch(&entry.sha256, &envelope, keyring, catalogue, now_us())
}

/// Which component to revoke.
#[derive(Debug, Clone)]
pub enum Revoke<'a> {
    /// An installed or built-in runbook by its name, or any component by its digest; signed now.
    Now {
        /// `NAME`, or `sha256:` and 64 hex digits.
        what: &'a str,
        /// Why, for people.
        reason: &'a str,
        /// The private key of somebody who may.
        key: &'a Path,
    },
    /// What another host signed.
    Signed(&'a Path),
}

/// A component that was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationView {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// When it was signed, RFC 3339.
    pub revoked_at: String,
    /// Why.
    pub reason: String,
    /// The signed revocation: `runbook revoke --signed FILE` takes it on other hosts.
    pub envelope: String,
}

impl Gateway {
    /// Installs the runbooks of the bundle `path`: each in place of an earlier version of it.
    ///
    /// # Errors
    /// When one is not trusted, or would be a step back that `allow_downgrade` does not allow; those before it are installed.
    pub fn install_runbooks(&self, path: &Path, allow_downgrade: bool) -> Result<Vec<RunbookView>, GatewayError> {
        self.not_for_agents("runbook install", "the operator chooses which runbooks run")?;
        let bundles = bundle::read(path).map_err(RunbookTrustError::from)?;
        bundles
            .iter()
            .map(|bundle| self.install_runbook(bundle, allow_downgrade))
            .collect()
    }

    fn install_runbook(&self, bundle: &Bundle, allow_downgrade: bool) -> Result<RunbookView, GatewayError> {
        let mut installing = Installing::begin(self.operator.as_deref())?;
        let known = self.installed()?;
        let verified = verified(bundle, &known, &self.keyring()?, &self.catalogue);
        let (sha256, vouched) = verified.map_err(|error| error.at(&bundle.place))?;
        let replaced = installing.check(&vouched.manifest, &sha256, allow_downgrade)?;
        let change = TrustChange::RunbookInstalled {
            name: vouched.manifest.name.clone(),
            version: vouched.manifest.version.to_string(),
            sha256: sha256.clone(),
            signers: vouched.names(),
            replaced: replaced.entry().map(|entry| entry.sha256.clone()),
            downgrade_allowed: allow_downgrade,
            envelope: Envelope::parse(&bundle.envelope).map_err(TrustError::Malformed)?,
        };
        // What can fail goes before the record: after it, only the index is replaced.
        let put = installing.put(&sha256, &bundle.component, &bundle.envelope);
        let done = put.map_err(GatewayError::from).and_then(|()| {
            let install = || installing.install(&vouched.manifest, &sha256, &replaced);
            self.seal_then(change, &vouched.manifest.name, "installed", install)
        });
        if done.is_err() {
            installing.forget_unnamed(&sha256);
        }
        done.map(|()| RunbookView::of(&sha256, &vouched))
    }

    /// Removes the installed runbook `name`. How old a version may be that is installed again does not change.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn remove_runbook(&self, name: &str) -> Result<TrustedRunbook, GatewayError> {
        self.not_for_agents("runbook remove", "the operator chooses which runbooks run")?;
        let installing = Installing::begin(self.operator.as_deref())?;
        let entry = installing.named(name)?;
        let change = TrustChange::RunbookRemoved {
            name: name.to_owned(),
            sha256: entry.sha256.clone(),
        };
        self.seal_then(change, name, "removed", || installing.remove(name))?;
        Ok(TrustedRunbook {
            name: name.to_owned(),
            version: Some(entry.version.to_string()),
            workflow: entry.workflow,
            wit: None,
            digest: format!("sha256:{}", entry.sha256),
            signers: Vec::new(),
            trusted: false,
            reason: Some("it was removed".to_owned()),
        })
    }

    /// Revokes a component: from now on no action of it runs, in processes that run already either.
    ///
    /// # Errors
    /// When nobody signed it who may. When it could not be recorded it is in force, and the error says so.
    pub fn revoke_runbook(&self, revoke: &Revoke<'_>) -> Result<RevocationView, GatewayError> {
        self.not_for_agents("runbook revoke", "the operator chooses which runbooks run")?;
        let keyring = self.keyring()?;
        let installing = Installing::begin(self.operator.as_deref())?;
        let (envelope, revocation) = match revoke {
            Revoke::Signed(file) => {
                let bytes = ambient::read_file(file, "revocation", bundle::ENVELOPE_BYTES)?;
                let envelope = Envelope::parse(&bytes).map_err(TrustError::Malformed)?;
                let revocation = Revocation::open(&envelope, &keyring, now_us()).map_err(RunbookTrustError::from)?;
                (envelope, revocation)
            }
            Revoke::Now { what, reason, key } => {
                let sha256 = digest_of(what, &installing)?;
                let key = keys::private(key)?;
                let revocation =
                    Revocation::new(&sha256, reason, rfc3339(now_us())).map_err(RunbookTrustError::from)?;
                let envelope = revocation
                    .sign(&key, &keyring, now_us())
                    .map_err(RunbookTrustError::from)?;
                (envelope, revocation)
            }
        };
        let bytes = envelope.to_bytes().map_err(TrustError::Malformed)?;
        // In force first: that it cannot be recorded is no reason to let the runbook go on.
        installing.revoke(&revocation.sha256, &bytes)?;
        let recorded = self.seal_trust(TrustChange::RunbookRevoked {
            sha256: revocation.sha256.clone(),
            envelope,
        });
        recorded.map_err(|error| {
            GatewayError::Uncountable(format!(
                "the runbook is revoked, but that could not be recorded ({error}); mend it and revoke again"
            ))
        })?;
        Ok(RevocationView {
            schema_version: SCHEMA_VERSION,
            digest: format!("sha256:{}", revocation.sha256),
            revoked_at: revocation.revoked_at,
            reason: revocation.reason,
            envelope: String::from_utf8_lossy(&bytes).trim_end().to_owned(),
        })
    }

    /// The installed runbooks, as they are now.
    pub(crate) fn installed(&self) -> Result<Installed, RunbookTrustError> {
        Ok(Installed::read(self.operator.as_deref())?)
    }

    pub(crate) fn seal_trust(&self, change: TrustChange) -> Result<(), GatewayError> {
        let id = Self::new_id("tr")?;
        self.seal(&id, "trust", None, |_| RecordBody::Trust(Box::new(change)))?;
        Ok(())
    }

    /// Records `change`, after which `name` is `done`, and then has it done by `by`.
    ///
    /// # Errors
    /// When it cannot be recorded; and when it is recorded and could not be done, which the error says.
    pub(crate) fn seal_then<E: std::fmt::Display>(
        &self,
        change: TrustChange,
        name: &str,
        done: &str,
        by: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), GatewayError> {
        self.seal_trust(change)?;
        by().map_err(|error| {
            GatewayError::Uncountable(format!(
                "it is recorded that `{name}` is {done}, and it could not be done: {error}; mend that, and say it again"
            ))
        })
    }
}

/// The digest that `what` names.
fn digest_of(what: &str, installing: &Installing) -> Result<String, GatewayError> {
    if let Some(hex) = what.strip_prefix("sha256:") {
        return match crate::trust::store::is_sha256(hex) {
            true => Ok(hex.to_owned()),
            false => Err(GatewayError::Usage(
                "a digest is `sha256:` and 64 small hex digits, as reports and `runbook list` show it".to_owned(),
            )),
        };
    }
    match installing.named(what) {
        Ok(entry) => Ok(entry.sha256),
        Err(error) => {
            let builtin = pg_logstats_builtin::all().iter().find(|it| it.name == what);
            builtin.map(|it| crate::hex(&it.digest)).ok_or_else(|| error.into())
        }
    }
}

#[cfg(test)]
mod tests;

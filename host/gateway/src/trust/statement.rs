//! What is signed about a runbook: an in-toto Statement v1 over the component's SHA-256, with the runbook's manifest.
//!
//! **In**: a component and its checked descriptor, or a signed payload. **Out**: the other one. **Trusted**: nothing; who signed is
//! [`super::keyring`]'s business, and whether a manifest is that of its component is compared with what the component says. **Can
//! fail**: with [`StatementError`], when a payload is no statement of a runbook.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>; tools for in-toto read and verify it.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::store::is_sha256;
use crate::catalogue::Catalogue;
use crate::runbook::CheckedDescriptor;
use crate::words::Risk;

/// DSSE payload type of every in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Its type and version.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What this statement says of its subject: [`Manifest`], in this version.
pub const PREDICATE_TYPE: &str = "urn:pg-logstats:runbook-manifest:v1";

/// An in-toto statement about a runbook. Its one spelling is that of `serde_json` without spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<ResourceDescriptor>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Manifest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceDescriptor {
    name: String,
    digest: BTreeMap<String, String>,
}

/// What a runbook is and may ask for: what its signers vouch for, and what it is held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// `triage WORKFLOW` runs it.
    pub workflow: String,
    /// The contract that it was built for.
    pub wit: String,
    /// Catalogue actions that it may request.
    pub actions: Vec<String>,
    /// Workflows that it may send the agent to.
    pub workflows: Vec<String>,
    /// The most risk that one of its actions had when it was signed. One that has more by now is not run for it.
    pub risk_ceiling: Risk,
}

/// Why a payload is no statement of a runbook, or a component cannot have one.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// No JSON of the form.
    #[error("the signed statement is no in-toto statement of a runbook: {0}")]
    Malformed(String),
    /// The component's version has no order.
    #[error("the runbook's version `{version}` is no semantic version such as 1.4.0: {cause}")]
    Version {
        /// What its descriptor says.
        version: String,
        /// The reader's reason.
        cause: String,
    },
    /// It may request an action that nobody can look at here.
    #[error(
        "the runbook may request `{action}`, which is not in this host's catalogue; install the pack that has it first"
    )]
    UnknownAction {
        /// The action.
        action: String,
    },
    /// The manifest is of something else than the component.
    #[error("the signed manifest says another `{field}` than the component itself; have it signed again")]
    NotTheComponents {
        /// The first field that differs.
        field: &'static str,
    },
    /// An action is riskier than it was.
    #[error(
        "`{action}` is `{risk}` in this host's catalogue, and the runbook was signed for `{ceiling}` at most; have it signed again by people \
         who have seen that"
    )]
    AboveCeiling {
        /// The action.
        action: String,
        /// Its risk now.
        risk: Risk,
        /// What was signed.
        ceiling: Risk,
    },
}

impl Manifest {
    /// The manifest of the component that described itself as `descriptor`, built for the contract `wit`.
    ///
    /// # Errors
    /// When its version has no order, or it may request what `catalogue` does not have.
    pub fn new(descriptor: &CheckedDescriptor, wit: &str, catalogue: &Catalogue) -> Result<Self, StatementError> {
        let mut manifest = Self::of(descriptor, wit)?;
        for id in descriptor.actions() {
            let action = catalogue
                .get(id)
                .ok_or_else(|| StatementError::UnknownAction { action: id.to_owned() })?;
            manifest.risk_ceiling = manifest.risk_ceiling.max(action.risk(&[]));
        }
        Ok(manifest)
    }

    /// Whether this is the manifest of the component that described itself as `descriptor`.
    ///
    /// # Errors
    /// With the first field that differs. The ceiling is what was signed, and is held by [`Self::check_risk`].
    pub fn check_component(&self, descriptor: &CheckedDescriptor, wit: &str) -> Result<(), StatementError> {
        self.check_same(&Self::of(descriptor, wit)?)
    }

    /// The component's own words, with the lowest ceiling.
    fn of(descriptor: &CheckedDescriptor, wit: &str) -> Result<Self, StatementError> {
        let version = Version::parse(descriptor.version()).map_err(|cause| StatementError::Version {
            version: descriptor.version().to_owned(),
            cause: cause.to_string(),
        })?;
        Ok(Self {
            name: descriptor.name().to_owned(),
            version,
            workflow: descriptor.workflow().to_owned(),
            wit: wit.to_owned(),
            actions: descriptor.actions().map(str::to_owned).collect(),
            workflows: descriptor.workflows().map(str::to_owned).collect(),
            risk_ceiling: Risk::Safe,
        })
    }

    fn check_same(&self, own: &Self) -> Result<(), StatementError> {
        for (field, is_same) in [
            ("name", self.name == own.name),
            ("version", self.version == own.version),
            ("workflow", self.workflow == own.workflow),
            ("wit", self.wit == own.wit),
            ("actions", self.actions == own.actions),
            ("workflows", self.workflows == own.workflows),
        ] {
            if !is_same {
                return Err(StatementError::NotTheComponents { field });
            }
        }
        Ok(())
    }

    /// Whether no action of it is riskier in `catalogue` than what was signed. Actions that are gone cannot run.
    ///
    /// # Errors
    /// With the first that is.
    pub fn check_risk(&self, catalogue: &Catalogue) -> Result<(), StatementError> {
        let actions = self.actions.iter().filter_map(|id| catalogue.get(id));
        match actions.into_iter().find(|action| action.risk(&[]) > self.risk_ceiling) {
            None => Ok(()),
            Some(action) => Err(StatementError::AboveCeiling {
                action: action.id.clone(),
                risk: action.risk(&[]),
                ceiling: self.risk_ceiling,
            }),
        }
    }
}

impl Statement {
    /// That the component with `sha256` is what `manifest` says.
    pub fn new(sha256: &[u8; 32], manifest: Manifest) -> Self {
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![ResourceDescriptor {
                name: format!("{}.wasm", manifest.name),
                digest: BTreeMap::from([("sha256".to_owned(), crate::hex(sha256))]),
            }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: manifest,
        }
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is anything but a statement of one runbook, in its one spelling.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let malformed = |what: &str| StatementError::Malformed(what.to_owned());
        let statement: Self = serde_json::from_slice(payload).map_err(|e| StatementError::Malformed(e.to_string()))?;
        if statement.statement_type != STATEMENT_TYPE {
            return Err(malformed("its `_type` is not that of in-toto Statement v1"));
        }
        if statement.predicate_type != PREDICATE_TYPE {
            return Err(malformed("its `predicateType` is not that of a runbook's manifest"));
        }
        if statement.sha256().is_none() {
            return Err(malformed("`subject` has to be one component with its SHA-256"));
        }
        if statement.to_bytes()? != payload {
            return Err(malformed("it is not written in its one spelling"));
        }
        Ok(statement)
    }

    /// What is signed.
    ///
    /// # Errors
    /// Never, but JSON may say so.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatementError> {
        serde_json::to_vec(self).map_err(|e| StatementError::Malformed(e.to_string()))
    }

    /// The component's digest, in hex.
    pub fn sha256(&self) -> Option<&str> {
        let [subject] = self.subject.as_slice() else {
            return None;
        };
        let hex = subject.digest.get("sha256").map(String::as_str)?;
        (is_sha256(hex) && subject.digest.len() == 1).then_some(hex)
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.predicate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            name: "slowest".to_owned(),
            version: Version::new(1, 2, 3),
            workflow: "slowest".to_owned(),
            wit: "pg-logstats:runbook@0.1.0".to_owned(),
            actions: vec!["query_family.explain".to_owned()],
            workflows: vec![],
            risk_ceiling: Risk::Bounded,
        }
    }

    #[test]
    fn the_form_is_that_of_the_specification() {
        let bytes = Statement::new(&[0xab; 32], manifest()).to_bytes().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let digest = "ab".repeat(32);
        assert_eq!(
            text,
            format!(
                "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"name\":\"slowest.wasm\",\"digest\":{{\"sha256\":\"{digest}\"}}}}],\
                 \"predicateType\":\"urn:pg-logstats:runbook-manifest:v1\",\"predicate\":{{\"name\":\"slowest\",\"version\":\"1.2.3\",\
                 \"workflow\":\"slowest\",\"wit\":\"pg-logstats:runbook@0.1.0\",\"actions\":[\"query_family.explain\"],\"workflows\":[],\
                 \"risk_ceiling\":\"bounded\"}}}}"
            )
        );
        let read = Statement::parse(text.as_bytes()).unwrap();
        assert_eq!((read.sha256(), read.manifest()), (Some(digest.as_str()), &manifest()));
    }

    #[test]
    fn anything_else_is_no_statement() {
        let good = String::from_utf8(Statement::new(&[0xab; 32], manifest()).to_bytes().unwrap()).unwrap();
        let digest = "ab".repeat(32);
        for (from, to) in [
            ("Statement/v1", "Statement/v2"),
            ("manifest:v1", "manifest:v2"),
            ("\"sha256\"", "\"sha512\""),
            (digest.as_str(), "ab"),
            (digest.as_str(), &"AB".repeat(32)),
            ("\"subject\":[", "\"subject\":[{\"name\":\"x\",\"digest\":{}},"),
            ("\"version\":\"1.2.3\"", "\"version\":\"newest\""),
            ("\"bounded\"", "\"harmless\""),
            ("\"workflows\":[]", "\"workflows\":[],\"network\":true"),
            ("\"_type\"", " \"_type\""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(Statement::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_manifest_is_held_to_its_component_and_to_what_was_signed() {
        let catalogue = Catalogue::builtin().unwrap();
        let mut riskier = manifest();
        riskier.actions = vec!["query_family.explain_analyze".to_owned()];
        riskier.check_risk(catalogue).unwrap();
        riskier.risk_ceiling = Risk::Safe;
        let error = riskier.check_risk(catalogue).unwrap_err();
        assert!(
            matches!(
                error,
                StatementError::AboveCeiling {
                    ceiling: Risk::Safe,
                    ..
                }
            ),
            "{error}"
        );
        for (field, change) in [
            ("name", (|it: &mut Manifest| it.name.push('x')) as fn(&mut Manifest)),
            ("version", |it| it.version.patch += 1),
            ("workflow", |it| it.workflow.push('x')),
            ("wit", |it| it.wit.push('1')),
            ("actions", |it| it.actions.clear()),
            ("workflows", |it| it.workflows.push("locks".to_owned())),
        ] {
            let mut own = manifest();
            change(&mut own);
            let error = manifest().check_same(&own).unwrap_err();
            assert!(
                matches!(error, StatementError::NotTheComponents { field: f } if f == field),
                "{error}"
            );
        }
    }
}

//! The versions of the contract, and an instance of a component whichever it was built for.
//!
//! **In**: the names that a component imports. **Out**: the version that it was built for, and calls in the types of the present
//! version; `v0_1_0.rs` narrows what an older component is given and widens what it says, so the rest of the host knows one
//! version only. **Trusted**: nothing of the names. **Can fail**: when a component imports anything else, was built for a version
//! that is not served, or mixes two.

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Result, Store};

use super::bindings::pg_logstats::runbook::types as wit;
use super::bindings::{Runbook, RunbookPre, v0_1_0};
use super::engine::{RunState, RunbookError};
use crate::untrusted::Untrusted;

/// The package of the contract, up to the name of an interface.
const PACKAGE: &str = "pg-logstats:runbook/";
/// All that a runbook may import of it. Whether the types are listed of their own is up to the encoder.
const INTERFACES: [&str; 2] = ["actions", "types"];

/// A version of `pg-logstats:runbook` that this host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WitVersion {
    /// 0.1.0: families, locks, errors, temporary files, a baseline.
    V0_1_0,
    /// 0.2.0: also checkpoints, autovacuum, connections, cancellations and plans.
    V0_2_0,
}

impl WitVersion {
    /// All of them, the oldest first.
    pub const SERVED: [Self; 2] = [Self::V0_1_0, Self::V0_2_0];

    /// The one that the host thinks in.
    pub const CURRENT: Self = Self::V0_2_0;

    /// As the package's name has it behind the `@`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
        }
    }

    /// The package and the version.
    pub fn package(self) -> String {
        format!("pg-logstats:runbook@{}", self.as_str())
    }

    /// The version that a component with these imports was built for. A version is served or not: none is taken for another one that
    /// is nearly the same.
    ///
    /// # Errors
    /// Names the import that no runbook may have, else the version that is not served.
    pub(super) fn of_imports<'a>(names: impl Iterator<Item = &'a str>) -> std::result::Result<Self, RunbookError> {
        let mut found: Option<Self> = None;
        let mut not_served = None;
        for name in names {
            // A name may be as long as the component.
            let forbidden = || RunbookError::ForbiddenImport(Untrusted::capped(name, 200).text().to_owned());
            let ours = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@'));
            let (interface, version) = ours.ok_or_else(forbidden)?;
            match Self::SERVED.into_iter().find(|served| served.as_str() == version) {
                // Another version may have interfaces that we do not know; an import that is none of ours goes first, though.
                None => not_served = not_served.or(Some(version)),
                Some(_) if !INTERFACES.contains(&interface) => return Err(forbidden()),
                Some(version) if found.is_some_and(|other| other != version) => {
                    return Err(RunbookError::WrongInterface(
                        "it imports two versions of pg-logstats:runbook; build it with one SDK".to_owned(),
                    ));
                }
                Some(version) => found = Some(version),
            }
        }
        if let Some(version) = not_served {
            return Err(RunbookError::WrongInterface(format!(
                "it was built for pg-logstats:runbook@{}; this host serves {}",
                Untrusted::capped(version, 40).text(),
                served()
            )));
        }
        found.ok_or_else(|| {
            RunbookError::WrongInterface(format!(
                "it imports nothing of pg-logstats:runbook; this host serves {}",
                served()
            ))
        })
    }
}

impl std::fmt::Display for WitVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// `0.1.0 and 0.2.0`.
fn served() -> String {
    WitVersion::SERVED.map(WitVersion::as_str).join(" and ")
}

/// A component with its imports bound and its exports found: what all its instances have in common.
pub(super) enum Prepared {
    V0_1_0(v0_1_0::RunbookPre<RunState>),
    V0_2_0(RunbookPre<RunState>),
}

impl Prepared {
    /// `component`, which imports `version` and nothing else.
    ///
    /// # Errors
    /// When it lacks an export, or its types are not those of `version`.
    pub(super) fn new(version: WitVersion, component: &Component) -> Result<Self> {
        let mut linker = Linker::new(component.engine());
        match version {
            WitVersion::V0_1_0 => {
                v0_1_0::Runbook::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut RunState| state)?;
                v0_1_0::RunbookPre::new(linker.instantiate_pre(component)?).map(Self::V0_1_0)
            }
            WitVersion::V0_2_0 => {
                Runbook::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut RunState| state)?;
                RunbookPre::new(linker.instantiate_pre(component)?).map(Self::V0_2_0)
            }
        }
    }

    pub(super) fn version(&self) -> WitVersion {
        match self {
            Self::V0_1_0(_) => WitVersion::V0_1_0,
            Self::V0_2_0(_) => WitVersion::V0_2_0,
        }
    }

    /// Makes an instance in `store`; runs its start functions.
    pub(super) fn instantiate(&self, store: &mut Store<RunState>) -> Result<Instance> {
        match self {
            Self::V0_1_0(prepared) => prepared.instantiate(store).map(Instance::V0_1_0),
            Self::V0_2_0(prepared) => prepared.instantiate(store).map(Instance::V0_2_0),
        }
    }
}

/// An instance of a component, called in the types of the present version.
pub(super) enum Instance {
    V0_1_0(v0_1_0::Runbook),
    V0_2_0(Runbook),
}

impl Instance {
    pub(super) fn describe(&self, store: &mut Store<RunState>) -> Result<wit::Descriptor> {
        match self {
            Self::V0_1_0(runbook) => runbook.call_describe(store).map(Into::into),
            Self::V0_2_0(runbook) => runbook.call_describe(store),
        }
    }

    pub(super) fn triage(&self, store: &mut Store<RunState>, evidence: &wit::Evidence) -> Result<Answer> {
        match self {
            Self::V0_1_0(runbook) => runbook.call_triage(store, &evidence.into()).map(widened),
            Self::V0_2_0(runbook) => runbook.call_triage(store, evidence),
        }
    }

    pub(super) fn interpret(
        &self,
        store: &mut Store<RunState>,
        evidence: &wit::Evidence,
        outcome: &wit::Outcome,
    ) -> Result<Answer> {
        match self {
            Self::V0_1_0(runbook) => runbook.call_interpret(store, &evidence.into(), outcome).map(widened),
            Self::V0_2_0(runbook) => runbook.call_interpret(store, evidence, outcome),
        }
    }
}

/// What a runbook says of evidence.
pub(super) type Answer = std::result::Result<wit::Assessment, wit::Failure>;

fn widened<A: Into<wit::Assessment>, F: Into<wit::Failure>>(answer: std::result::Result<A, F>) -> Answer {
    answer.map(Into::into).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Result<WitVersion, String> {
        WitVersion::of_imports(names.iter().copied()).map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn a_component_says_what_it_was_built_for() {
        let (actions, types) = ("pg-logstats:runbook/actions@0.1.0", "pg-logstats:runbook/types@0.1.0");
        assert_eq!(of(&[types, actions]), Ok(WitVersion::V0_1_0));
        assert_eq!(of(&["pg-logstats:runbook/types@0.2.0"]), Ok(WitVersion::V0_2_0));
    }

    #[test]
    fn a_version_that_is_not_served_is_named_with_those_that_are() {
        for version in ["0.3.0", "0.1.1", "0.2.0-rc.1", "1.0.0", "0.1"] {
            let name = format!("pg-logstats:runbook/clocks@{version}");
            let said = of(&["pg-logstats:runbook/types@0.2.0", &name]).unwrap_err();
            assert!(said.starts_with("wrong_interface: "), "{said}");
            let both = format!("built for pg-logstats:runbook@{version}; this host serves 0.1.0 and 0.2.0");
            assert!(said.contains(&both), "{said}");
        }
        assert!(
            of(&["pg-logstats:runbook/types@\u{1b}[31m"])
                .unwrap_err()
                .contains("\\u{1b}")
        );
    }

    #[test]
    fn two_versions_and_none_are_no_version() {
        let mixed = ["pg-logstats:runbook/types@0.1.0", "pg-logstats:runbook/actions@0.2.0"];
        assert!(of(&mixed).unwrap_err().starts_with("wrong_interface: "));
        assert!(of(&[]).unwrap_err().contains("this host serves 0.1.0 and 0.2.0"));
    }

    #[test]
    fn whatever_is_not_the_contract_is_forbidden_whatever_else_is_imported() {
        for foreign in [
            "wasi:cli/environment@0.2.6",
            "pg-logstats:runbook/actions",
            "pg-logstats:runbook/more@0.1.0",
            "x",
        ] {
            for with in ["pg-logstats:runbook/types@0.1.0", "pg-logstats:runbook/types@0.3.0"] {
                let said = of(&[with, foreign]).unwrap_err();
                assert!(
                    said.starts_with("forbidden_import: ") && said.contains(foreign),
                    "{said}"
                );
            }
        }
    }
}

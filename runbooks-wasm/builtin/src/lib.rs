//! The runbooks that the binary carries.
//!
//! **In**: nothing at run time; the build script compiles the crates beside this one. **Out**: [`all`]. **Trusted**: these
//! components are trusted because the binary is, by the digest that it carries; the host recomputes the digest of what it loads.
//! **Can fail**: nothing; a build that would embed a component with an import that is not ours stops.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may panic"
    )
)]

/// A runbook that the binary carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The name in its descriptor.
    pub name: &'static str,
    /// The workflow that it serves: `triage WORKFLOW` finds it.
    pub workflow: &'static str,
    /// The component.
    pub component: &'static [u8],
    /// The component's SHA-256.
    pub digest: [u8; 32],
}

/// Every built-in runbook, ordered by name.
#[must_use]
pub fn all() -> &'static [Builtin] {
    include!(concat!(env!("OUT_DIR"), "/builtin.rs"))
}

/// Shows a component by its size.
impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builtin")
            .field("name", &self.name)
            .field("workflow", &self.workflow)
            .field("bytes", &self.component.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pg_logstats_componentize::{component_imports, foreign_imports};
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_starting_runbooks_are_there_in_order() {
        let names: Vec<_> = all().iter().map(|builtin| (builtin.name, builtin.workflow)).collect();
        let expected = [
            ("autovacuum", "autovacuum"),
            ("checkpoints", "checkpoints"),
            ("connection-pressure", "connection-pressure"),
            ("connections", "connections"),
            ("errors", "errors"),
            ("first-look", "auto"),
            ("index-health", "index-health"),
            ("lock-tree", "lock-tree"),
            ("locks", "locks"),
            ("plans", "plans"),
            ("query-families", "query-families"),
            ("replication", "replication"),
            ("replication-lag", "replication-lag"),
            ("running-queries", "running-queries"),
            ("slow-queries", "slow-queries"),
            ("temp-files", "temp-files"),
            ("wraparound", "wraparound"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn digests_are_those_of_the_components() {
        for builtin in all() {
            let digest: [u8; 32] = Sha256::digest(builtin.component).into();
            assert_eq!(digest, builtin.digest, "{builtin:?}");
        }
    }

    #[test]
    fn no_two_are_the_same_component() {
        let digests: BTreeSet<_> = all().iter().map(|builtin| builtin.digest).collect();
        assert_eq!(digests.len(), all().len());
    }

    #[test]
    fn they_import_our_interface_and_nothing_else() {
        for builtin in all() {
            let imports = component_imports(builtin.component).unwrap();
            assert!(
                imports.iter().any(|name| name.starts_with("pg-logstats:runbook/")),
                "{builtin:?}: {imports:?}"
            );
            assert_eq!(
                foreign_imports(builtin.component).unwrap(),
                Vec::<String>::new(),
                "{builtin:?}"
            );
        }
    }

    /// Small components load fast; a sudden growth is a dependency that nobody meant to add.
    #[test]
    fn they_are_small() {
        for builtin in all() {
            assert!(builtin.component.len() < 256 * 1024, "{builtin:?}");
        }
    }

    /// A path of the machine that built it would make the bytes, and so the digest, depend on the machine.
    #[test]
    fn they_name_no_folder_of_the_machine_that_built_them() {
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let workspace = std::fs::canonicalize(workspace).unwrap();
        for folder in [workspace.to_str().unwrap(), "/.cargo/", "/usr/src/", "/usr/lib/rustlib"] {
            for builtin in all() {
                let found = builtin
                    .component
                    .windows(folder.len())
                    .any(|window| window == folder.as_bytes());
                assert!(!found, "{builtin:?} contains `{folder}`");
            }
        }
    }
}

//! The conformance corpus: one small runbook (`guest.rs`), built for each version of the contract with runbooks.
//!
//! **In**: nothing; the build script compiles the folders beside this one. **Out**: [`component`]. The host's tests run all of them.
//!
//! Each has bindings of its own, from the WIT of its version, so what a version promises is tested with what an author of that time had.

#![forbid(unsafe_code)]

/// Version (as in `0.1.0`) and component of each, the oldest first; 0.3.0 stands for one that no host serves yet.
pub const COMPONENTS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// The component that was built for `version`; empty if there is none.
#[must_use]
pub fn component(version: &str) -> &'static [u8] {
    let found = COMPONENTS.iter().find(|(known, _)| *known == version);
    found.map_or(&[], |(_, component)| component)
}

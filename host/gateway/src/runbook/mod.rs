//! Runbooks: loading and running components, and checking all that they say.
//!
//! **In**: a trusted component and evidence. **Out**: a [`CheckedAssessment`]. Nothing of a guest
//! reaches a report without passing [`descriptor`] and [`assessment`].

pub mod assessment;
pub(crate) mod bindings;
pub mod cache;
pub mod contract;
pub(crate) mod convert;
pub mod descriptor;
pub mod engine;
pub mod limits;
pub mod requests;
mod v0_1_0;

pub use assessment::CheckedAssessment;
pub use contract::WitVersion;
pub use descriptor::CheckedDescriptor;
pub use engine::{LoadedRunbook, RunbookEngine, RunbookError};

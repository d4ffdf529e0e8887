//! Runbooks: loading and running components, and checking all that they say.
//!
//! **In**: a trusted component and evidence. **Out**: a [`CheckedAssessment`]. Nothing of a guest
//! reaches a report without passing [`descriptor`] and [`assessment`].

pub mod assessment;
pub mod bindings;
pub mod cache;
pub mod contract;
pub mod convert;
pub mod descriptor;
pub mod engine;
pub mod limits;
mod meter;
pub mod requests;
mod structure;
mod usage;
mod v0_1_0;

pub use assessment::CheckedAssessment;
pub use contract::WitVersion;
pub use descriptor::CheckedDescriptor;
pub use engine::{Called, LoadedRunbook, RunbookEngine, RunbookError};
pub use usage::Usage;

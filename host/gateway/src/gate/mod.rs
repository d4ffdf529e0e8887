//! The gate: the only place that can approve an action.

mod approved;

pub use approved::{ApprovedAction, DurableIntent};

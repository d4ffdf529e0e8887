//! The triage gateway.

pub mod catalogue;
pub mod db;
pub mod gate;
pub mod health;
pub mod outcome;
pub mod untrusted;
pub mod words;

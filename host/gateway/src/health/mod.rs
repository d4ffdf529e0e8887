//! The health verdict.

//! The write-ahead record: durable before anything is sent to the database.

use super::{ApprovedAction, DurableIntent};
use crate::error::GatewayError;

/// Writes the intent of `approved` by `append`, which returns the record's index and id once they are durable.
///
/// # Errors
/// When the record cannot be written; then nothing may run, and the approval is used up.
pub fn record_intent(
    approved: ApprovedAction,
    append: impl FnOnce(&ApprovedAction) -> Result<(u64, String), GatewayError>,
) -> Result<(ApprovedAction, DurableIntent), GatewayError> {
    let (index, record_id) = append(&approved)?;
    Ok((approved, DurableIntent::new(index, record_id)))
}

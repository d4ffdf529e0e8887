//! Caps that an operator lowers.

use serde::{Deserialize, Serialize};

use crate::catalogue::Caps;

/// Upper limits for an action's caps; what is absent keeps the catalogue's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapLimits {
    /// Most rows.
    pub max_rows: Option<u32>,
    /// Most bytes of all rows, or of the plan.
    pub max_bytes: Option<u64>,
    /// `statement_timeout`; never 0, which means none to PostgreSQL.
    pub statement_timeout_ms: Option<u32>,
    /// `lock_timeout`; never 0, which means none to PostgreSQL.
    pub lock_timeout_ms: Option<u32>,
}

impl CapLimits {
    /// Of each cap the lower one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            max_rows: lower(self.max_rows, other.max_rows),
            max_bytes: lower(self.max_bytes, other.max_bytes),
            statement_timeout_ms: lower(self.statement_timeout_ms, other.statement_timeout_ms),
            lock_timeout_ms: lower(self.lock_timeout_ms, other.lock_timeout_ms),
        }
    }

    /// Lowers `caps`, those under `saturated` too. Never raises one.
    pub(super) fn apply(self, caps: &mut Caps) {
        let saturated = &mut caps.saturated;
        if let Some(rows) = self.max_rows {
            caps.max_rows = caps.max_rows.min(rows);
        }
        if let Some(bytes) = self.max_bytes {
            caps.max_bytes = caps.max_bytes.min(bytes);
        }
        if let Some(ms) = self.statement_timeout_ms {
            caps.statement_timeout_ms = caps.statement_timeout_ms.min(ms);
            saturated.statement_timeout_ms = saturated.statement_timeout_ms.min(ms);
        }
        if let Some(ms) = self.lock_timeout_ms {
            caps.lock_timeout_ms = caps.lock_timeout_ms.min(ms);
            saturated.lock_timeout_ms = saturated.lock_timeout_ms.min(ms);
        }
    }
}

fn lower<T: Ord>(one: Option<T>, two: Option<T>) -> Option<T> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

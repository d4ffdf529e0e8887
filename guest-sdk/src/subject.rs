//! Subjects: the things of the evidence that a runbook can point at.

use crate::{
    AutovacuumGroup, CancellationGroup, Checkpoint, ClientGroup, ConnectionGroup, Deadlock, ErrorClass, Evidence,
    LiveSession, LockTarget, LockWait, PlanGroup, PlanNode, QueryFamily, Regression, TempFileGroup,
};

/// Something that the host issued a subject id for.
///
/// The records of the evidence are subjects themselves. Where a record refers to another thing (the `waiter` of a lock wait, the
/// `database` of the dimensions), the field is the id, a `String`, and is a subject too. No other string is an id: the host ends a
/// run that uses one, and the [test kit](crate::testkit) fails it.
pub trait Subject {
    /// The id.
    fn subject_id(&self) -> &str;
}

impl<T: Subject + ?Sized> Subject for &T {
    fn subject_id(&self) -> &str {
        (**self).subject_id()
    }
}

impl Subject for String {
    fn subject_id(&self) -> &str {
        self
    }
}

macro_rules! subjects {
    ($($record:ident)*) => {
        $(
            impl Subject for $record {
                fn subject_id(&self) -> &str {
                    &self.id
                }
            }
        )*
    };
}

subjects! {
    QueryFamily LockWait Deadlock ErrorClass TempFileGroup LiveSession PlanNode
    Checkpoint AutovacuumGroup ConnectionGroup ClientGroup CancellationGroup PlanGroup
}

/// The family that got worse.
impl Subject for Regression {
    fn subject_id(&self) -> &str {
        &self.family
    }
}

impl Evidence {
    /// The family with this id, if the evidence lists it.
    pub fn family(&self, id: &str) -> Option<&QueryFamily> {
        self.families.iter().find(|family| family.id == id)
    }
}

impl ConnectionGroup {
    /// How often the host's event `name` happened to these connections, for example `connection_rejected`.
    pub fn count_of(&self, name: &str) -> u64 {
        let named = self.events.iter().filter(|event| event.event == name);
        named.fold(0, |sum, event| sum.saturating_add(event.count))
    }
}

impl LockTarget {
    /// The relation that is locked, or that has the locked row.
    pub fn relation(&self) -> Option<&String> {
        match self {
            Self::Relation(relation) | Self::Tuple(relation) => Some(relation),
            Self::Transaction | Self::Other => None,
        }
    }
}

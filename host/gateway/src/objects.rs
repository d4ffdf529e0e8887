//! What a row can be about besides a session and a sequence: an index, a constraint, a replication slot, a prepared transaction.
//!
//! **In**: the cells that the catalogue's `row_object` names. **Out**: the names that SQL for a person needs, and an id that holds none of their
//! text. **Trusted**: no name. A row that lacks one of the names is about nothing, so that no SQL is ever written with half of them.

use serde::{Deserialize, Serialize};

use crate::outcome::RelationName;
use crate::subjects::named;

/// Something that a row names. All texts are untrusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Object {
    /// An index.
    Index {
        /// Its name, with its schema.
        name: RelationName,
        /// It is of a partitioned table, so it cannot be dropped concurrently.
        is_partitioned: bool,
    },
    /// A constraint of a table.
    Constraint {
        /// The table, with its schema.
        table: RelationName,
        /// The constraint's name, which is unique among those of the table.
        name: String,
    },
    /// A replication slot of the server.
    ReplicationSlot {
        /// Its name.
        name: String,
    },
    /// A transaction that was prepared for two-phase commit.
    PreparedTransaction {
        /// The name that its transaction manager gave it.
        gid: String,
    },
}

impl Object {
    /// Its id as a subject.
    pub fn id(&self) -> String {
        match self {
            Self::Index { name, .. } => named("ix", &relation(name)),
            Self::Constraint { table, name } => {
                let [schema, table] = relation(table);
                named("ct", &[schema, table, name])
            }
            Self::ReplicationSlot { name } => named("sl", &[name]),
            Self::PreparedTransaction { gid } => named("pt", &[gid]),
        }
    }

    /// Its names for people.
    pub fn text(&self) -> String {
        match self {
            Self::Index { name, .. } => relation(name).join("."),
            Self::Constraint { table, name } => format!("{name} of {}", relation(table).join(".")),
            Self::ReplicationSlot { name } | Self::PreparedTransaction { gid: name } => name.clone(),
        }
    }
}

fn relation(name: &RelationName) -> [&str; 2] {
    [name.schema.as_deref().unwrap_or_default(), &name.name]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_in_another_place_are_another_subject() {
        let name = |schema: &str, name: &str| RelationName {
            schema: Some(schema.to_owned()),
            name: name.to_owned(),
        };
        let objects = [
            Object::Index {
                name: name("a", "b.c"),
                is_partitioned: false,
            },
            Object::Index {
                name: name("a.b", "c"),
                is_partitioned: false,
            },
            Object::Constraint {
                table: name("a", "b"),
                name: "c".to_owned(),
            },
            Object::Constraint {
                table: name("a", "bc"),
                name: String::new(),
            },
            Object::ReplicationSlot { name: "a".to_owned() },
            Object::PreparedTransaction { gid: "a".to_owned() },
        ];
        let ids: std::collections::BTreeSet<String> = objects.iter().map(Object::id).collect();
        assert_eq!(ids.len(), objects.len(), "{ids:?}");
        assert!(ids.iter().all(|id| id.len() == 19), "{ids:?}");
        // What became of it since is no part of its name.
        let partitioned = Object::Index {
            name: name("a", "b.c"),
            is_partitioned: true,
        };
        assert_eq!(partitioned.id(), objects[0].id());
    }
}

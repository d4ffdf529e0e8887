//! The columns that tell which index, constraint, slot or prepared transaction a row is about.
//!
//! **In**: the field `row_object` of an action's file, and in time the cells of its rows. **Out**: an [`Object`], or none where a cell that names it
//! is NULL. **Can fail**: when a column is not there or is of another type, at loading.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Column, ColumnType};
use crate::objects::Object;
use crate::outcome::{Cell, RelationName};

/// The columns that tell what a row is about; a row where one of them is NULL is about nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RowObject {
    /// An index.
    Index {
        /// Column with its schema.
        schema: String,
        /// Column with its name.
        index: String,
        /// Boolean column: it is of a partitioned table; absent where the action leaves out those.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        is_partitioned: Option<String>,
    },
    /// A constraint of a table.
    Constraint {
        /// Column with the table's schema.
        schema: String,
        /// Column with the table's name.
        table: String,
        /// Column with the constraint's name.
        constraint: String,
    },
    /// A replication slot.
    ReplicationSlot {
        /// Column with its name.
        slot: String,
    },
    /// A prepared transaction.
    PreparedTransaction {
        /// Column with its name.
        gid: String,
    },
}

impl RowObject {
    /// Whether `columns` has all of them, of the right types.
    pub(super) fn fits(&self, columns: &[Column]) -> bool {
        let is = |name: &str, wanted| columns.iter().any(|c| c.name == name && c.column_type == wanted);
        let is_text = |name: &String| is(name, ColumnType::Text);
        match self {
            Self::Index {
                schema,
                index,
                is_partitioned,
            } => {
                let is_flag = |name: &String| is(name, ColumnType::Boolean);
                is_text(schema) && is_text(index) && is_partitioned.as_ref().is_none_or(is_flag)
            }
            Self::Constraint {
                schema,
                table,
                constraint,
            } => [schema, table, constraint].into_iter().all(is_text),
            Self::ReplicationSlot { slot } => is_text(slot),
            Self::PreparedTransaction { gid } => is_text(gid),
        }
    }

    /// What a row is about, by `cell`, which gives the row's cell of a column.
    pub(crate) fn of<'c>(&self, cell: impl Fn(&str) -> Option<&'c Cell>) -> Option<Object> {
        let text = |name: &str| match cell(name) {
            Some(Cell::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let relation = |schema: &str, name: &str| {
            Some(RelationName {
                schema: Some(text(schema)?),
                name: text(name)?,
            })
        };
        match self {
            Self::Index {
                schema,
                index,
                is_partitioned,
            } => Some(Object::Index {
                name: relation(schema, index)?,
                is_partitioned: match is_partitioned {
                    Some(column) => match cell(column) {
                        Some(Cell::Boolean(is_partitioned)) => *is_partitioned,
                        _ => return None,
                    },
                    None => false,
                },
            }),
            Self::Constraint {
                schema,
                table,
                constraint,
            } => Some(Object::Constraint {
                table: relation(schema, table)?,
                name: text(constraint)?,
            }),
            Self::ReplicationSlot { slot } => Some(Object::ReplicationSlot { name: text(slot)? }),
            Self::PreparedTransaction { gid } => Some(Object::PreparedTransaction { gid: text(gid)? }),
        }
    }
}

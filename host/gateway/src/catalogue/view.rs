//! The catalogue for whoever reviews it: what `catalog list` and `catalog show` print.
//!
//! **In**: the catalogue, an id that was typed. **Out**: plain data with all that is in the action's file. **Trusted**: the files. **Can
//! fail**: when there is no such action.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Action, ActionKind, Caps, Catalogue, Column, Parameter, Privileges, RowObject, RowSequence, RowSession, Statement,
};
use crate::error::GatewayError;
use crate::report::SCHEMA_VERSION;
use crate::untrusted::Untrusted;
use crate::words::{ActionClass, Risk};

/// All actions, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogList {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// By id.
    pub actions: Vec<ActionSummary>,
}

/// An action in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionSummary {
    /// Id, as runbooks and reports name it.
    pub id: String,
    /// A few words for people.
    pub title: String,
    /// The highest risk that it can have.
    pub risk: Risk,
    /// What it reads.
    pub class: ActionClass,
    /// Whether it may still run under `saturated`.
    pub essential: bool,
    /// Names of its parameters; optional ones end in `?`.
    pub parameters: Vec<String>,
    /// The first major version that has SQL for it.
    pub since_postgresql: u32,
}

/// All that is in an action's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionView {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Id, as runbooks and reports name it.
    pub id: String,
    /// A few words for people.
    pub title: String,
    /// What it reads and why it may; one line for each paragraph.
    pub description: String,
    /// SHA-256 of all that is in the action's files, in hex, as in intent records.
    pub digest: String,
    /// The risk with nothing bound.
    pub risk: Risk,
    /// The lower risk that it has when a parameter is bound, by the parameter's name.
    pub risk_when_bound: BTreeMap<String, Risk>,
    /// What it reads.
    pub class: ActionClass,
    /// Whether it may still run under `saturated`.
    pub essential: bool,
    /// How it is run.
    pub kind: ActionKind,
    /// In the order of the SQL's arguments.
    pub parameters: Vec<Parameter>,
    /// At least one of these has to be bound; empty: no such rule.
    pub at_least_one_of: Vec<String>,
    /// In the order of the rows' cells.
    pub columns: Vec<Column>,
    /// Which columns say what session a row is about.
    pub row_session: Option<RowSession>,
    /// Which columns say what sequence a row is about.
    pub row_sequence: Option<RowSequence>,
    /// Which columns say what index, constraint, slot or prepared transaction a row is about.
    pub row_object: Option<RowObject>,
    /// Which column is true where the server hid from the role what the row is about.
    pub row_hidden: Option<String>,
    /// Limits.
    pub caps: Caps,
    /// The least that the role needs, besides CONNECT.
    pub privileges: Privileges,
    /// The SQL by versions of the server. `{pg_stat_statements}` stands for the extension's schema.
    pub statements: Vec<Statement>,
    /// Of an EXPLAIN: what it asks besides, on every version, about each index that its plan may lack.
    pub index_facts_sql: Option<String>,
}

impl ActionSummary {
    fn new(action: &Action) -> Self {
        let named = |p: &Parameter| format!("{}{}", p.name, if p.required { "" } else { "?" });
        Self {
            id: action.id.clone(),
            title: action.title.clone(),
            risk: action.risk,
            class: action.class,
            essential: action.essential,
            parameters: action.parameters.iter().map(named).collect(),
            since_postgresql: action.first_version() / 10_000,
        }
    }
}

impl ActionView {
    fn new(action: &Action) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            id: action.id.clone(),
            title: action.title.clone(),
            description: action.description.clone(),
            digest: action.digest.clone(),
            risk: action.risk,
            risk_when_bound: action.risk_when_bound.clone(),
            class: action.class,
            essential: action.essential,
            kind: action.kind,
            parameters: action.parameters.clone(),
            at_least_one_of: action.at_least_one_of.clone(),
            columns: action.columns.clone(),
            row_session: action.row_session.clone(),
            row_sequence: action.row_sequence.clone(),
            row_object: action.row_object.clone(),
            row_hidden: action.row_hidden.clone(),
            caps: action.caps.clone(),
            privileges: action.privileges.clone(),
            statements: action.statements.clone(),
            index_facts_sql: action.index_facts_sql.clone(),
        }
    }
}

/// All actions of `catalogue`, in short.
pub fn list(catalogue: &Catalogue) -> CatalogList {
    CatalogList {
        schema_version: SCHEMA_VERSION,
        actions: catalogue.iter().map(|action| ActionSummary::new(action)).collect(),
    }
}

/// All that is in the file of the action `id`.
///
/// # Errors
/// [`GatewayError::Usage`] when there is no such action.
pub fn show(catalogue: &Catalogue, id: &str) -> Result<ActionView, GatewayError> {
    match catalogue.get(id) {
        Some(action) => Ok(ActionView::new(action)),
        None => Err(GatewayError::Usage(format!(
            "the catalogue has no action `{}`; `pg-logstats catalog list` lists them",
            Untrusted::capped(id, 120).text()
        ))),
    }
}

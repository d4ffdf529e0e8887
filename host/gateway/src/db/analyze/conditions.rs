//! What the sample's tree may hold.
//!
//! **In**: the parsed sample. **Out**: nothing, when it may go on. **Trusted**: libpg_query's tree. A kind of node that is not listed
//! here is refused: a new kind of SQL is unknown until somebody has thought about it.

use thiserror::Error;

use crate::db::statement::{Kind, Size, Statement, TreeFacts};

/// The most that a function may be told to repeat or to fill up, in characters or elements. Cost does not tell such a call from a
/// cheap one, and no setting bounds what it allocates.
const MAX_SIZE: i64 = 10_000;

/// The kinds of node that a sample may have, as libpg_query names them: names, constants, expressions, joins, aggregates, windows,
/// sub-selects, common table expressions.
const KNOWN_KINDS: [&str; 52] = [
    "AArrayExpr",
    "AConst",
    "AExpr",
    "AIndices",
    "AIndirection",
    "AStar",
    "Alias",
    "BitString",
    "BoolExpr",
    "Boolean",
    "BooleanTest",
    "Boolval",
    "Bsval",
    "CaseExpr",
    "CaseWhen",
    "CoalesceExpr",
    "CollateClause",
    "ColumnDef",
    "ColumnRef",
    "CommonTableExpr",
    "CtecycleClause",
    "CtesearchClause",
    "Float",
    "FuncCall",
    "Fval",
    "GroupingFunc",
    "GroupingSet",
    "Integer",
    "Ival",
    "JoinExpr",
    "List",
    "MinMaxExpr",
    "NamedArgExpr",
    "NullTest",
    "ParamRef",
    "RangeFunction",
    "RangeSubselect",
    "RangeVar",
    "ResTarget",
    "RowExpr",
    "SelectStmt",
    "SortBy",
    "SqlvalueFunction",
    "SQLValueFunction",
    "String",
    "SubLink",
    "Sval",
    "TypeCast",
    "TypeName",
    "WindowDef",
    "WithClause",
    "Node",
];

/// Why the sample may not run; ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::db) enum ConditionError {
    #[error("the sample is no SELECT; only a SELECT may be run")]
    NotASelect,
    #[error("the sample has a common table expression that writes; it may not be run")]
    Writes,
    #[error("the sample locks rows (FOR UPDATE or FOR SHARE); it may not be run")]
    LocksRows,
    #[error("the sample creates a table (INTO); it may not be run")]
    Creates,
    #[error(
        "the sample makes a value of unknown or great size (repeat, lpad, rpad, array_fill with more than {MAX_SIZE}, with an \
         expression, or inside one another); it may not be run"
    )]
    MakesLargeValues,
    #[error("the sample uses SQL that is not known to be harmless; it may not be run")]
    UnknownKind,
}

/// Checks the tree; `parameters` are the sample's values of `$1`, `$2`, ….
pub(in crate::db) fn check(
    statement: &Statement,
    facts: &TreeFacts,
    parameters: &[Option<String>],
) -> Result<(), ConditionError> {
    if statement.kind() != Kind::Select {
        return Err(ConditionError::NotASelect);
    }
    if facts
        .kinds
        .iter()
        .any(|k| matches!(k.as_str(), "InsertStmt" | "UpdateStmt" | "DeleteStmt" | "MergeStmt"))
    {
        return Err(ConditionError::Writes);
    }
    if facts.locks_rows || facts.kinds.contains("LockingClause") {
        return Err(ConditionError::LocksRows);
    }
    if facts.has_into || facts.kinds.contains("IntoClause") {
        return Err(ConditionError::Creates);
    }
    if facts.kinds.iter().any(|k| !KNOWN_KINDS.contains(&k.as_str())) {
        return Err(ConditionError::UnknownKind);
    }
    if !facts.sizes.iter().all(|size| is_small(*size, parameters)) {
        return Err(ConditionError::MakesLargeValues);
    }
    Ok(())
}

fn is_small(size: Size, parameters: &[Option<String>]) -> bool {
    let n = match size {
        Size::Constant(n) => Some(n),
        Size::Parameter(number) => {
            let value = number.checked_sub(1).and_then(|at| parameters.get(at));
            match value {
                // NULL makes NULL.
                Some(None) => Some(0),
                Some(Some(text)) => text.trim().parse().ok(),
                None => None,
            }
        }
        Size::Unknown => None,
    };
    n.is_some_and(|n| n <= MAX_SIZE)
}

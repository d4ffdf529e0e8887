//! Facts of a parse tree, from a walk over all of it.
//!
//! The walk is over the tree's serialised form, so that no kind of node is left out: libpg_query's own walker visits only the kinds
//! that its authors needed.

use std::collections::BTreeSet;

use pg_query::protobuf;
use serde_json::Value;

use super::Scanned;

/// A name with its schema, when it was written with one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::db) struct Name {
    /// As written, case folded.
    pub(in crate::db) schema: Option<String>,
    /// The name.
    pub(in crate::db) name: String,
}

/// All that a statement names, and the kinds of node that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::db) struct TreeFacts {
    /// Kinds of nodes, as libpg_query names them.
    pub(in crate::db) kinds: BTreeSet<String>,
    /// Relations.
    pub(in crate::db) relations: BTreeSet<Name>,
    /// Functions; also aggregates, and table functions.
    pub(in crate::db) functions: BTreeSet<Name>,
    /// Operators.
    pub(in crate::db) operators: BTreeSet<Name>,
    /// Types.
    pub(in crate::db) types: BTreeSet<Name>,
    /// Last parts of column references: `t.f` may be the function call `f(t)`.
    pub(in crate::db) fields: BTreeSet<String>,
    /// Common table expressions.
    pub(in crate::db) ctes: BTreeSet<String>,
    /// The highest `$n`.
    pub(in crate::db) highest_parameter: usize,
    /// Whether some clause locks rows.
    pub(in crate::db) locks_rows: bool,
    /// Whether some SELECT has INTO.
    pub(in crate::db) has_into: bool,
    /// Whether some WITH is RECURSIVE.
    pub(in crate::db) is_recursive: bool,
    /// For each call of a function of [`SIZED_FUNCTIONS`], what it is told.
    pub(in crate::db) sizes: Vec<Size>,
}

/// How large a value a function is told to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) enum Size {
    /// A literal.
    Constant(i64),
    /// The value of `$n`.
    Parameter(usize),
    /// An expression, or a call inside such a call.
    Unknown,
}

/// Built-in functions that make a large value out of a small one, and cost the planner's minimum; the size is the second argument.
pub(in crate::db) const SIZED_FUNCTIONS: [&str; 4] = ["repeat", "lpad", "rpad", "array_fill"];

impl TreeFacts {
    pub(in crate::db) fn of(parsed: &protobuf::ParseResult) -> Self {
        let mut facts = Self::default();
        facts.walk(&serde_json::to_value(parsed).unwrap_or(Value::Null));
        facts
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(fields) => {
                for (key, inner) in fields {
                    // A node is `{"node": {"Kind": {…}}}`; fields of a fixed kind have their own lower-case name.
                    if key.starts_with(|c: char| c.is_ascii_uppercase()) {
                        self.kinds.insert(key.clone());
                    }
                    self.note(key, inner);
                    self.walk(inner);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn note(&mut self, key: &str, inner: &Value) {
        match key {
            "FuncCall" => {
                let function = name_of(inner.get("funcname"));
                if let Some(name) = &function {
                    self.sizes.extend(size_argument(&name.name, inner.get("args")));
                }
                self.functions.extend(function);
            }
            "RangeVar" | "relation" => self.relations.extend(relation_of(inner)),
            "TypeName" | "type_name" => self.types.extend(name_of(inner.get("names"))),
            "AExpr" => {
                let operator = name_of(inner.get("name"));
                // A spelling of the grammar, which the server turns into comparisons; no operator has letters.
                if operator.as_ref().is_some_and(|o| o.name.contains("BETWEEN")) {
                    self.imply(&["<", "<=", ">", ">="]);
                }
                self.operators.extend(operator);
            }
            "SubLink" => {
                let operator = name_of(inner.get("oper_name"));
                // `x IN (SELECT …)` has none.
                if operator.is_none() && inner.get("testexpr").is_some_and(|e| !e.is_null()) {
                    self.imply(&["="]);
                }
                self.operators.extend(operator);
            }
            // `CASE x WHEN y`.
            "CaseExpr" if inner.get("arg").is_some_and(|e| !e.is_null()) => self.imply(&["="]),
            "JoinExpr" if joins_by_name(inner) => self.imply(&["="]),
            "SortBy" => self.operators.extend(name_of(inner.get("use_op"))),
            "ColumnRef" => self.fields.extend(strings(inner.get("fields")).pop()),
            "AIndirection" => self.fields.extend(strings(inner.get("indirection"))),
            "CommonTableExpr" => self
                .ctes
                .extend(inner.get("ctename").and_then(Value::as_str).map(str::to_owned)),
            "ParamRef" => {
                let number = inner
                    .get("number")
                    .and_then(Value::as_u64)
                    .and_then(|n| usize::try_from(n).ok());
                self.highest_parameter = self.highest_parameter.max(number.unwrap_or(usize::MAX));
            }
            "locking_clause" => self.locks_rows |= inner.as_array().is_some_and(|a| !a.is_empty()),
            "into_clause" => self.has_into |= !inner.is_null(),
            "with_clause" | "WithClause" => {
                self.is_recursive |= inner.get("recursive").and_then(Value::as_bool) == Some(true);
            }
            _ => {}
        }
    }

    /// Operators that the server looks up by these names although the statement does not spell them.
    fn imply(&mut self, operators: &[&str]) {
        self.operators.extend(operators.iter().map(|name| Name {
            schema: None,
            name: (*name).to_owned(),
        }));
    }
}

/// USING and NATURAL compare with whatever `=` the search path has.
fn joins_by_name(join: &Value) -> bool {
    let is_natural = join.get("is_natural").and_then(Value::as_bool).unwrap_or(false);
    let using = join.get("using_clause").and_then(Value::as_array);
    is_natural || using.is_some_and(|columns| !columns.is_empty())
}

/// How large a value a function call makes, for the built-in functions that are told by a number.
fn size_argument(function: &str, arguments: Option<&Value>) -> Option<Size> {
    if !SIZED_FUNCTIONS.contains(&function) {
        return None;
    }
    let arguments = arguments
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is_nested = arguments.iter().any(|a| {
        let mut inner = TreeFacts::default();
        inner.walk(a);
        !inner.sizes.is_empty()
    });
    let Some(size) = arguments.get(1).filter(|_| !is_nested) else {
        return Some(Size::Unknown);
    };
    let size = unwrapped(size);
    let integer = size.pointer("/node/AConst/val/Ival/ival").and_then(Value::as_i64);
    let parameter = size.pointer("/node/ParamRef/number").and_then(Value::as_u64);
    Some(match (integer, parameter.and_then(|n| usize::try_from(n).ok())) {
        (Some(n), _) => Size::Constant(n),
        (None, Some(n)) => Size::Parameter(n),
        // protobuf leaves a zero out.
        (None, None) if size.pointer("/node/AConst/val/Ival").is_some() => Size::Constant(0),
        (None, None) => Size::Unknown,
    })
}

/// The strings in a list of String nodes; other items, for example `*`, are left out.
fn strings(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.pointer("/node/String/sval").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}

fn name_of(list: Option<&Value>) -> Option<Name> {
    let mut parts = strings(list);
    let name = parts.pop()?;
    Some(Name {
        schema: parts.pop(),
        name,
    })
}

fn relation_of(range_var: &Value) -> Option<Name> {
    let text = |field: &str| {
        range_var
            .get(field)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
    };
    Some(Name {
        schema: text("schemaname"),
        name: text("relname")?,
    })
}

/// The tree without positions in the text.
pub(super) fn without_locations(parsed: &protobuf::ParseResult) -> Value {
    let mut value = serde_json::to_value(&parsed.stmts).unwrap_or(Value::Null);
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(fields) => {
            let is_location = |key: &str| {
                ["location", "list_start", "list_end", "stmt_len"]
                    .iter()
                    .any(|end| key.ends_with(end))
            };
            fields.retain(|key, _| !is_location(key));
            fields.values_mut().for_each(strip);
        }
        _ => {}
    }
}

/// Columns that an index could be searched by, in the order in which it should have them: those that have to be equal to a constant or
/// a parameter, then the first that is compared in another way, because a b-tree is searched by no more than one range.
pub(super) fn compared_columns(parsed: &protobuf::ParseResult, scan: Scanned<'_>) -> Vec<String> {
    let tree = serde_json::to_value(parsed).unwrap_or(Value::Null);
    let mut equal = BTreeSet::new();
    let mut ranges = BTreeSet::new();
    let clause = tree.pointer("/stmts/0/stmt/node/SelectStmt/where_clause");
    conjuncts(clause.unwrap_or(&Value::Null), &mut |condition| {
        match comparison(condition, scan) {
            Some((column, Comparison::Equality)) => equal.insert(column),
            Some((column, Comparison::Range)) => ranges.insert(column),
            None => false,
        };
    });
    let range = ranges.into_iter().find(|column| !equal.contains(column));
    equal.into_iter().chain(range).collect()
}

enum Comparison {
    Equality,
    Range,
}

/// The conditions that all have to hold. What stands under OR or NOT does not narrow a search by itself.
fn conjuncts<'a>(node: &'a Value, each: &mut dyn FnMut(&'a Value)) {
    let Some(expression) = node.pointer("/node/BoolExpr") else {
        return each(node);
    };
    let is_and =
        expression.get("boolop").and_then(Value::as_i64) == Some(i64::from(i32::from(protobuf::BoolExprType::AndExpr)));
    let arguments = expression.get("args").and_then(Value::as_array).filter(|_| is_and);
    arguments
        .into_iter()
        .flatten()
        .for_each(|argument| conjuncts(argument, each));
}

fn comparison(node: &Value, scan: Scanned<'_>) -> Option<(String, Comparison)> {
    let expression = node.pointer("/node/AExpr")?;
    let side = |name: &str| expression.get(name).map(unwrapped);
    let (left, right) = (side("lexpr")?, side("rexpr")?);
    let is_fixed = |node: &Value| is_value(node) || (scan.is_for_outer_rows && is_others_column(node, scan.alias));
    let column = column(left, scan.alias)
        .filter(|_| is_fixed(right))
        .or_else(|| column(right, scan.alias).filter(|_| is_fixed(left)))?;
    let kind = match name_of(expression.get("name"))?.name.as_str() {
        "=" => Comparison::Equality,
        "<" | "<=" | ">" | ">=" | "BETWEEN" => Comparison::Range,
        _ => return None,
    };
    Some((column, kind))
}

/// The expression inside casts.
fn unwrapped(mut node: &Value) -> &Value {
    while let Some(inner) = node.pointer("/node/TypeCast/arg") {
        node = inner;
    }
    node
}

fn column(node: &Value, alias: Option<&str>) -> Option<String> {
    let mut parts = strings(node.pointer("/node/ColumnRef/fields"));
    let name = parts.pop()?;
    match parts.pop() {
        None => Some(name),
        Some(qualifier) => (Some(qualifier.as_str()) == alias).then_some(name),
    }
}

/// A column with a qualifier that is not the scan's own.
fn is_others_column(node: &Value, alias: Option<&str>) -> bool {
    let parts = strings(node.pointer("/node/ColumnRef/fields"));
    let qualifier = parts.len().checked_sub(2).and_then(|at| parts.get(at));
    qualifier.is_some_and(|qualifier| Some(qualifier.as_str()) != alias)
}

fn is_value(node: &Value) -> bool {
    if node.pointer("/node/AConst").is_some() || node.pointer("/node/ParamRef").is_some() {
        return true;
    }
    let elements = node
        .pointer("/node/AArrayExpr/elements")
        .or_else(|| node.pointer("/node/List/items"));
    elements
        .and_then(Value::as_array)
        .is_some_and(|items| !items.is_empty() && items.iter().all(|i| is_value(unwrapped(i))))
}

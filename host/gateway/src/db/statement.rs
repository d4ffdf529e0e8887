//! Statement texts as trees: what a text is, checked by libpg_query, PostgreSQL's own parser.
//!
//! **In**: SQL text that a server or a log holds. **Out**: a [`Statement`], which knows its one tree and can be written out again
//! from it. **Trusted**: nothing of the text. What is sent to a server is the tree written out ([`Statement::sql`]), not the text, so
//! that a text that two parsers would read differently cannot mean something else to the server than to these checks.
//! **Can fail**: with a reason of ours.

#[cfg(test)]
mod tests;
mod tree;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pg_query::protobuf;
use pg_query::{FingerprintOptions, NodeEnum, ParserOptions};

pub(super) use tree::{Name, SIZED_FUNCTIONS, Size, TreeFacts};

/// Longest statement that is looked at; pg_stat_statements and the evidence keep no longer ones either.
pub(super) const MAX_STATEMENT_BYTES: usize = 64 * 1024;

/// What a statement does, as far as EXPLAIN is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// SELECT or VALUES.
    Select,
    /// INSERT, UPDATE, DELETE, MERGE.
    Write,
}

/// Exactly one statement that can be explained.
#[derive(Debug)]
pub(super) struct Statement {
    parsed: protobuf::ParseResult,
    kind: Kind,
    sql: String,
}

/// Why a text is no statement that can be explained; ours, no text of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum StatementError {
    #[error("the statement is longer than {MAX_STATEMENT_BYTES} bytes")]
    TooLong,
    #[error("the statement does not parse; it may be cut off, or use a parameter where a literal has to stand")]
    DoesNotParse,
    #[error("the text is {0} statements, not one")]
    NotOne(usize),
    #[error("the statement is none that EXPLAIN can plan")]
    NotExplainable,
    #[error("the statement could not be written out from its tree")]
    NoText,
}

impl Statement {
    /// Parses `text`.
    pub(super) fn parse(text: &str) -> Result<Self, StatementError> {
        if text.len() > MAX_STATEMENT_BYTES {
            return Err(StatementError::TooLong);
        }
        Self::of(parse(text).ok_or(StatementError::DoesNotParse)?)
    }

    /// As [`Self::parse`]; of `PREPARE … AS …` the statement within, because that is what the server runs and counts under the text.
    pub(super) fn parse_held(text: &str) -> Result<Self, StatementError> {
        if text.len() > MAX_STATEMENT_BYTES {
            return Err(StatementError::TooLong);
        }
        let mut parsed = parse(text).ok_or(StatementError::DoesNotParse)?;
        if let [only] = parsed.stmts.as_mut_slice()
            && let Some(NodeEnum::PrepareStmt(prepare)) = only.stmt.as_mut().and_then(|s| s.node.as_mut())
        {
            only.stmt = prepare.query.take();
        }
        Self::of(parsed)
    }

    fn of(parsed: protobuf::ParseResult) -> Result<Self, StatementError> {
        let [statement] = parsed.stmts.as_slice() else {
            return Err(StatementError::NotOne(parsed.stmts.len()));
        };
        let node = statement
            .stmt
            .as_ref()
            .and_then(|s| s.node.as_ref())
            .ok_or(StatementError::NotExplainable)?;
        let kind = match node {
            NodeEnum::SelectStmt(select) if select.into_clause.is_none() => Kind::Select,
            NodeEnum::InsertStmt(_) | NodeEnum::UpdateStmt(_) | NodeEnum::DeleteStmt(_) | NodeEnum::MergeStmt(_) => {
                Kind::Write
            }
            _ => return Err(StatementError::NotExplainable),
        };
        let sql = written_out(&parsed).ok_or(StatementError::NoText)?;
        // The text that is sent has to be the tree that was checked.
        if parse(&sql).is_none_or(|again| tree::without_locations(&again) != tree::without_locations(&parsed)) {
            return Err(StatementError::NoText);
        }
        Ok(Self { parsed, kind, sql })
    }

    /// What it does.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The statement, written out from its tree: no comments, one line, no closing semicolon.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The highest `$n` in it.
    pub(super) fn parameter_count(&self) -> usize {
        TreeFacts::of(&self.parsed).highest_parameter
    }

    /// Its tree, as JSON.
    pub(super) fn tree(&self) -> serde_json::Value {
        serde_json::to_value(&self.parsed).unwrap_or(serde_json::Value::Null)
    }

    /// All that its tree names.
    pub(super) fn facts(&self) -> TreeFacts {
        TreeFacts::of(&self.parsed)
    }

    /// libpg_query's fingerprint, the strict sort: relation and schema names count as written, digits and all, and aliases hide
    /// nothing. Two statements with one fingerprint differ in their constants and parameters only.
    pub(super) fn fingerprint(&self) -> Option<String> {
        let options = FingerprintOptions::RANGEVAR_PG17_COMPAT | FingerprintOptions::FULL_RELNAME;
        guarded(|| {
            pg_query::fingerprint(&self.sql, ParserOptions::DEFAULT, options)
                .ok()
                .map(|f| f.hex)
        })
    }
}

/// The scan that an expression is a condition of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanned<'a> {
    /// What its columns are qualified with, if they are.
    pub(super) alias: Option<&'a str>,
    /// Columns of others stand for one value in each run of the scan: those of a row outside the subquery that it belongs to.
    pub(super) is_for_outer_rows: bool,
}

/// Columns by which an index could search for what fulfils an expression, as EXPLAIN prints it, in the index's order.
pub(super) fn compared_columns(expression: &str, scan: Scanned<'_>) -> Vec<String> {
    if expression.len() > MAX_STATEMENT_BYTES {
        return Vec::new();
    }
    parse(&format!("SELECT WHERE {}", with_parameters(expression)))
        .map(|p| tree::compared_columns(&p, scan))
        .unwrap_or_default()
}

/// What PostgreSQL 17 and later print for a value that a subquery computed once, `(InitPlan 1).col1`, as earlier ones do: `$0`.
fn with_parameters(expression: &str) -> Cow<'_, str> {
    const START: &str = "(InitPlan ";
    fn after_digits(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    }
    let mut shown = String::new();
    let mut rest = expression;
    while let Some((before, plan)) = rest.split_once(START) {
        let column = after_digits(plan).and_then(|rest| rest.strip_prefix(").col"));
        let (parameter, after) = match column.and_then(after_digits) {
            Some(after) => ("$0", after),
            None => (START, plan),
        };
        shown.push_str(before);
        shown.push_str(parameter);
        rest = after;
    }
    if shown.is_empty() {
        return Cow::Borrowed(expression);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// An expression with each literal and parameter as `?`, and without comments. What cannot be read is not shown at all.
pub(super) fn without_values(expression: &str) -> String {
    use pg_query::protobuf::Token;
    let Some(tokens) = guarded(|| pg_query::scan_tokens(expression).ok()) else {
        return "?".to_owned();
    };
    let mut shown = String::with_capacity(expression.len());
    let mut at = 0;
    for token in tokens {
        let (Ok(start), Ok(end)) = (usize::try_from(token.start), usize::try_from(token.end)) else {
            return "?".to_owned();
        };
        let (Some(between), Some(text)) = (expression.get(at..start), expression.get(start..end)) else {
            return "?".to_owned();
        };
        shown.push_str(between);
        match token.token() {
            Token::Sconst
            | Token::Usconst
            | Token::Bconst
            | Token::Xconst
            | Token::Fconst
            | Token::Iconst
            | Token::Param => {
                shown.push('?');
            }
            Token::SqlComment | Token::CComment => {}
            _ => shown.push_str(text),
        }
        at = end;
    }
    if expression.get(at..).is_some_and(|rest| rest.trim().is_empty()) {
        shown
    } else {
        "?".to_owned()
    }
}

fn parse(text: &str) -> Option<protobuf::ParseResult> {
    guarded(|| pg_query::parse(text, ParserOptions::DEFAULT).ok().map(|p| p.protobuf))
}

fn written_out(parsed: &protobuf::ParseResult) -> Option<String> {
    guarded(|| pg_query::deparse(parsed, pg_query::DeparseOptions::default()).ok())
}

/// The binding's own Rust code has a few panics for trees that it does not expect; hostile text must not reach one and end the
/// process.
fn guarded<T>(f: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok().flatten()
}

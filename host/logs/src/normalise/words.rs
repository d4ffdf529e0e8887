//! The words that the normaliser knows.

use crate::evidence::StatementKind;

/// What a lower-case word means to the normaliser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A name, or a keyword like one.
    Name,
    /// An expression or a clause follows: a minus is a sign, a parenthesis is no argument list.
    Keyword,
    In,
    Array,
    Values,
    /// `NULL`, `TRUE`, `FALSE`.
    Constant,
    Select,
    With,
    Insert,
    Update,
    Delete,
    Merge,
    /// `TABLE t` is a query.
    Table,
    Create,
    Alter,
    Utility,
}

impl Word {
    /// Looks a lower-case word up.
    #[inline]
    pub(super) fn of(word: &[u8]) -> Self {
        if word.len() < 2 || word.len() > 10 {
            return Self::Name;
        }
        match word {
            b"in" => Self::In,
            b"array" => Self::Array,
            b"values" => Self::Values,
            b"null" | b"true" | b"false" => Self::Constant,
            b"select" => Self::Select,
            b"with" => Self::With,
            b"insert" => Self::Insert,
            b"update" => Self::Update,
            b"delete" => Self::Delete,
            b"merge" => Self::Merge,
            b"table" => Self::Table,
            b"create" => Self::Create,
            b"alter" => Self::Alter,
            b"and" | b"or" | b"not" | b"on" | b"as" | b"by" | b"using" | b"where" | b"from" | b"join" | b"over"
            | b"when" | b"then" | b"else" | b"case" | b"limit" | b"offset" | b"like" | b"ilike" | b"between"
            | b"returning" | b"having" | b"union" | b"except" | b"intersect" | b"return" | b"distinct" | b"is" => {
                Self::Keyword
            }
            b"begin" | b"commit" | b"rollback" | b"start" | b"end" | b"abort" | b"savepoint" | b"release"
            | b"prepare" | b"execute" | b"deallocate" | b"set" | b"reset" | b"show" | b"discard" | b"copy"
            | b"drop" | b"truncate" | b"vacuum" | b"analyze" | b"analyse" | b"explain" | b"grant" | b"revoke"
            | b"lock" | b"declare" | b"fetch" | b"move" | b"close" | b"listen" | b"unlisten" | b"notify" | b"do"
            | b"call" | b"comment" | b"cluster" | b"reindex" | b"refresh" | b"checkpoint" | b"load" | b"security"
            | b"reassign" | b"import" => Self::Utility,
            _ => Self::Name,
        }
    }

    /// Whether what follows is an expression or a clause of its own.
    #[inline]
    pub(super) fn begins_expression(self) -> bool {
        matches!(
            self,
            Self::Keyword | Self::In | Self::Values | Self::Select | Self::With
        )
    }

    /// The kind of a statement that begins with it.
    pub(super) fn kind(self) -> StatementKind {
        match self {
            Self::Select | Self::Values | Self::Table => StatementKind::Select,
            Self::Insert => StatementKind::Insert,
            Self::Update => StatementKind::Update,
            Self::Delete => StatementKind::Delete,
            Self::Merge => StatementKind::Merge,
            Self::Utility | Self::Create | Self::Alter => StatementKind::Utility,
            _ => StatementKind::Other,
        }
    }
}

/// A quoted name without its quotes, if it means the same without them.
#[inline]
pub(super) fn without_quotes(quoted: &[u8]) -> Option<&[u8]> {
    let name = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let (first, rest) = name.split_first()?;
    let begins = first.is_ascii_lowercase() || *first == b'_';
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'$');
    (begins && rest.iter().all(is_plain) && Word::of(name) == Word::Name && !is_keyword(name)).then_some(name)
}

/// Whether a string may stand directly behind a word, as in `date'2026-01-01'` or `like'a%'`.
pub(super) fn may_touch_string(word: &[u8]) -> bool {
    is_keyword(word) || TOUCHING.split(' ').any(|known| known.as_bytes() == word)
}

/// Types that are no keywords, and words that a string follows.
const TOUCHING: &str = "bool bytea cidr citext date daterange escape float4 float8 hstore inet int2 int4 int8 json jsonb jsonpath macaddr \
    money name oid password point regclass regproc regtype text timestamptz timetz tsquery tsrange tstzrange tsvector \
    uescape uuid xml";

/// Whether a word holds a quotation mark or a blank of a word processor, which the server takes for letters.
#[cold]
pub(super) fn has_typography(word: &[u8]) -> bool {
    let is_one = |character: char| {
        matches!(
            character,
            '\u{ab}' | '\u{b4}' | '\u{bb}' | '\u{2018}'..='\u{201f}' | '\u{2032}'..='\u{2037}' | '\u{2039}' | '\u{203a}' | '\u{feff}' | '\u{ff02}' | '\u{ff07}'
        ) || (character.is_whitespace() && !character.is_ascii())
    };
    word.utf8_chunks().any(|chunk| chunk.valid().contains(is_one))
}

/// Whether an unquoted word of this spelling is a keyword.
pub(super) fn is_keyword(word: &[u8]) -> bool {
    let lower = word.iter().map(u8::to_ascii_lowercase);
    KEYWORDS
        .binary_search_by(|known| known.bytes().cmp(lower.clone()))
        .is_ok()
}

/// Keywords that are something else than a name of the same letters would be: reserved ones, and those of functions, types and
/// special syntax (PostgreSQL 18, `src/include/parser/kwlist.h`).
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_change_nothing_are_taken_off() {
        assert!(KEYWORDS.is_sorted());
        for same in ["orders", "_a1$", "status", "name", "password"] {
            assert_eq!(without_quotes(format!("\"{same}\"").as_bytes()), Some(same.as_bytes()));
        }
        for other in ["Orders", "1a", "a b", "", "user", "left", "int", "begin", "é", "a\"\"b"] {
            assert_eq!(without_quotes(format!("\"{other}\"").as_bytes()), None, "{other}");
        }
        assert_eq!(without_quotes(b"U&\"a\""), None);
        assert_eq!(without_quotes(b"\"cut"), None);
    }
}

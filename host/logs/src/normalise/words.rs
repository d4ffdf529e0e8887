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
    /// `ROLE`, `USER`, `GROUP`.
    Role,
    Password,
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
            b"role" | b"user" | b"group" => Self::Role,
            b"password" => Self::Password,
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

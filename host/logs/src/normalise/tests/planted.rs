//! Statements with a marker where a value stands: nothing of it may be left, wherever the statement is cut.

use proptest::prelude::*;

use super::{form, normalise};
use crate::interner::Interner;
use crate::normalise::Normalised;

/// Spellings of a literal that may stand in any expression; `~` is the marker.
const LITERALS: &[&str] = &[
    "'~'",
    "'a ~ b'",
    "'it''s ~'",
    "'''~'",
    "'~'''",
    "'x''''~'",
    "'{\"a\": \"~\"}'",
    "'a; drop -- ~ /*'",
    "'x\\y ~ \\\\'",
    "E'~'",
    "e'it\\'s ~'",
    "E'\\\\\\'~'",
    "E'\\x27 ~ \\047 \\u0027'",
    "E'it''s ~'",
    "E'a'\n'~'",
    "E'a'\n'it\\'s ~'",
    "E'a' -- it's\n -- c\n\t'\\'~'",
    "E'a'\r\n'b'\r'\\'\\'~' -- c\n'~'",
    "'a'\n'~'",
    "'a' -- 'c\n '~'",
    "U&'~'",
    "U&'\\0041~'",
    "u&'d!0061~' UESCAPE '!'",
    "U&'a'\n'~'",
    "B'01~'",
    "b'1'\n'~'",
    "X'ff~'",
    "N'~'",
    "n'it''s ~'",
    "$$~$$",
    "$$it's \" ~$$",
    "$q$ a $$ ~ $$ $q$",
    "$a1$ ~ $a$ $a1$",
    "$_té$ ~ ' $te$ $_té$",
    "date '~'",
    "interval'~'",
    "'~'::money",
    // With standard_conforming_strings off.
    "'it\\'s ~'",
    "'\\'~'",
    "'\\' ~'",
    "'\\\\\\'~'",
    "'~\\''",
    "'a\\' || \\'~'",
    "'a'\n'\\'~'",
    "n'\\'~'",
    // Quotes forgotten or of another kind.
    "'it's ~'",
    "'O'Neill ~'",
    "‘~’",
    "“~”",
    "'a'\u{a0}‘~’",
    "{\"a\": \"~\"}",
    // Numbers with letters.
    "9~",
    "1.5~",
    ".5~",
    "1e5~",
    "0x~",
    "0xff~",
    "1_~",
    "$1~",
    // Comments.
    "1 /* ~ */",
    "1 /* /* ' */ ~ */",
    "1 -- ~\n",
    "1 -- '~\r",
];

/// Statements in which any of these may stand at `@`.
const EXPRESSIONS: &[&str] = &[
    "select @",
    "select a, @ from t",
    "select a from t where b = @ and c = 'y'",
    "select a from t where b like @ escape '\\' order by c",
    "select a from t where b in (1, @, 3)",
    "select a from t where b in ('x', 'x', @) and c in (1, 1)",
    "select a from t where b = any(array[1, @])",
    "select a from t where b between @ and 7 limit 5",
    "select a from t where b ->> @ = 'x' and d ? @",
    "select a from t limit @",
    "select case when a = @ then @ else b end",
    "select cast(@ as text), f(@), @::int",
    "with x as (select @) select a from x",
    "insert into t (a, b) values (1, @)",
    "insert into t values (1, 'x'), (1, 'x'), (2, @)",
    "insert into t (a) values (@) on conflict (a) do update set a = @ returning b",
    "update t set a = @, b = 7 where c = @",
    "delete from t where a = @",
    "merge into t using u on t.a = @ when matched then update set b = @",
    "explain select @",
    "prepare p as select @",
    "execute p(@)",
    "call p(1, @)",
    "declare c cursor for select @",
    "copy (select @) to stdout",
    "select set_config('x', @, false)",
    "select pg_catalog.set_config(@, @, true)",
    "create table t as select @",
    "create table t (a text default @)",
    "create view v as select @",
    "create index i on t (a) where b = @",
    "create policy p on t using (a = @)",
    "create type e as enum (@)",
    "alter type e add value @",
    "alter table t alter a set default @",
    "create function f() returns text language sql as @",
    "create function f() returns text language sql return @",
    "create function f() begin atomic select @; end",
    "create table t partition of o for values from (@) to (@)",
];

/// Spellings of a value without the quotes of a literal, for places that are no expression.
const WORDS: &[&str] = &[
    "~",
    "\"~\"",
    "\"a \"\"~\"\" b\"",
    "U&\"~\"",
    "U&\"!0041~\" uescape '!'",
    "a.~",
    "a-~",
    "/a/~",
    "host=a password=~",
    "a ~",
    "a:~@b",
    "(~)",
    "'a' ~",
    "'a' || ~",
];

/// Statements in which these may stand as well.
const PLACES: &[&str] = &[
    "set x = @",
    "set x to @",
    "set local x.y = 'a', @",
    "set session x to a, @",
    "set role @",
    "set session authorization @",
    "set time zone @",
    "set names @",
    "set password for bob = @",
    "set transaction snapshot @",
    "alter system set x = @",
    "alter database d set x to @",
    "alter role bob set x to @",
    "alter role all in database d set x = a, @",
    "alter function f(int) set x to @",
    "create function f() returns int set x = @ language sql as 'x'",
    "create role bob password @",
    "create user bob login encrypted password @ valid until 'x'",
    "alter group bob connection limit 5 password @",
    "alter user bob valid until @",
    "alter user bob identified by @",
    "alter user bob pasword @",
    "alter user bob \"password\" @",
    "alter user bob U&\"passw\\006frd\" @",
    "create user mapping for bob server s options (password @)",
    "create user mapping for bob server s options (user 'x', password @, a 'b')",
    "alter user mapping for bob server s options (add password @)",
    "alter server s options (set password @, drop host)",
    "create server s foreign data wrapper w options (a 'x', b @)",
    "create user mapping for bob server s password @",
    "create table t (a int) alter role bob password @",
    "create database d owner bob password @",
    "begin alter user bob password @",
    "create foreign table t (a int options (b @)) server s",
    "import foreign schema a from server s into b options (c @)",
    "create subscription s connection @ publication p",
    "alter subscription s connection @",
    "create subscription s connection 'x' publication p with (a = @, b = c)",
    "alter table t set (a = @, b = c)",
    "create index i on t (a) with (b = @)",
    "comment on table t is @",
    "security label for p on column t.a is @",
    "notify c, @",
    "do @",
    "do language plpgsql @",
    "load @",
    "prepare transaction @",
    "commit prepared @",
    "create tablespace t location @",
    "copy t from @",
    "copy t (a, b) to @ csv header",
    "copy t from program @",
    "copy t from stdin;\n1\t@\n\\.",
    "copy t (a) from stdin with (format csv);\n@",
];

/// What may stand before, each a statement of its own.
const BEFORE: &[&str] = &[
    "",
    "",
    "",
    "; ",
    "begin; ",
    "select 'x'; ",
    "select (a; ",
    "select a); ",
    "set a = b; ",
    "notify c; ",
    "insert into t values ('x', 2), ('y', 3); ",
    "alter table t alter role set not null; ",
    "\u{feff}",
    "/* it's \" */ ",
    "-- it's\r",
];

const BEHIND: &[&str] = &[
    "",
    "",
    "",
    ";",
    " -- it's",
    " /* it's */",
    " /* cut",
    "; select 'y', a",
    "; set a = b",
    ", E'\\''",
    " and d = 'z'",
    ") x",
];

/// What blanks are to the server.
const BLANKS: &[&str] = &[
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    " /* it's \" */ ",
    " -- it's \"\n",
    "/*/* ' */*/",
    "  ",
];

/// A statement, with `~` where its marker stands.
fn statement() -> impl Strategy<Value = String> {
    let pick = |list: &'static [&'static str]| prop::sample::select(list);
    let body = prop_oneof![
        (pick(EXPRESSIONS), pick(LITERALS)),
        (pick(PLACES), prop_oneof![pick(LITERALS), pick(WORDS)]),
    ];
    let blanks = prop::collection::vec(pick(BLANKS), 1..4);
    (pick(BEFORE), body, pick(BEHIND), blanks).prop_map(|(before, (template, value), behind, blanks)| {
        let mut sql = before.to_owned();
        let mut blanks = blanks.iter().cycle();
        for character in template.chars() {
            match character {
                '@' => sql.push_str(value),
                ' ' => sql.push_str(blanks.next().unwrap()),
                other => sql.push(other),
            }
        }
        sql.push_str(behind);
        sql
    })
}

/// Letters that the templates have no four of in a row.
fn marker() -> impl Strategy<Value = String> {
    "[Zz][Qq]7[jqxzvkwJQXZVKW0-9]{4,9}"
}

/// The part of the marker that a text holds, if it is four bytes or longer.
fn left_of<'m>(marker: &'m str, text: &str) -> Option<&'m str> {
    let text = text.to_ascii_lowercase();
    (4..=marker.len())
        .map(|end| &marker[end - 4..end])
        .find(|part| text.contains(&part.to_ascii_lowercase()))
}

/// The family of each statement, told by one memory.
fn families(statements: &[&[u8]]) -> Vec<String> {
    let mut interner = Interner::default();
    interner.next_block();
    let names = interner.names(7, b"d", b"u", b"a");
    for sql in statements {
        interner.family(sql, names);
    }
    let found: Vec<_> = statements
        .iter()
        .map(|sql| interner.family(sql, names).family)
        .collect();
    let statement = |position: u32| interner.used.families[position as usize].statement.clone();
    found.into_iter().map(statement).collect()
}

/// The words of a text that are inside of plain strings, as a server reads it.
fn words_in_strings(sql: &str, backslashes_escape: bool) -> Vec<&str> {
    let mut inside = Vec::new();
    let mut is_string = false;
    let mut start = 0;
    let mut characters = sql.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '\\' if is_string && backslashes_escape => {
                characters.next();
            }
            // Two of them end a string and begin another one, which is the same to its words.
            '\'' => {
                if is_string {
                    inside.push(&sql[start..position]);
                }
                start = position + 1;
                is_string = !is_string;
            }
            _ => {}
        }
    }
    if is_string {
        inside.push(&sql[start..]);
    }
    inside
        .iter()
        .flat_map(|text| text.split(|other: char| !other.is_ascii_alphabetic()))
        .filter(|word| word.len() > 3)
        .collect()
}

proptest! {
    #[test]
    fn what_is_in_a_string_with_either_setting_is_not_in_the_normal_form(
        pieces in prop::collection::vec(
            prop::sample::select(vec!["'", "'", "'", "\\", "\\", " ", " ", ",", "=", "'\\'", "\n", "~", "~", "~", "a "]),
            0..24,
        ),
        statement in prop::sample::select(vec!["select ", "set a = ", "comment on table t is ", "copy t to ", "update t set a = "]),
    ) {
        // Each word once.
        let mut sql = statement.to_owned();
        for (piece, letter) in pieces.iter().zip('a'..) {
            sql.push_str(&piece.replace('~', &format!("zqj{letter}x")));
        }
        let form = form(&sql);
        for word in words_in_strings(&sql, false).into_iter().chain(words_in_strings(&sql, true)) {
            prop_assert!(!form.contains(word), "{word}: {sql:?} {form:?}");
        }
    }

    #[test]
    fn a_planted_value_is_not_in_the_normal_form(
        template in statement(),
        marker in marker(),
        other in marker(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let whole = template.replace('~', &marker);
        let sql = match cut {
            Some(cut) => &whole.as_bytes()[..cut.index(whole.len() + 1)],
            None => whole.as_bytes(),
        };
        let form = normalise(sql);
        prop_assert_eq!(left_of(&marker, &form.statement), None, "{:?} {:?}", String::from_utf8_lossy(sql), form);

        let again = normalise(form.statement.as_bytes());
        prop_assert_eq!(&again, &form, "{:?}", String::from_utf8_lossy(sql));

        // Another value in its place, told by the shape or not.
        let other = template.replace('~', &other);
        let Normalised { statement, .. } = normalise(other.as_bytes());
        prop_assert_eq!(families(&[sql, other.as_bytes()]), vec![form.statement, statement]);
    }
}

#[test]
fn a_marker_that_is_left_is_found() {
    assert_eq!(left_of("Zq7jxv", "select ZQ7J"), Some("Zq7j"));
    assert_eq!(left_of("Zq7jxv", "a7jxVa"), Some("7jxv"));
    assert_eq!(left_of("Zq7jxv", "zq7 jxv"), None);
}

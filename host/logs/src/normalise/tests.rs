mod planted;
mod secrets;

use proptest::prelude::*;

use super::*;

fn form(sql: &str) -> String {
    normalise(sql.as_bytes()).statement
}

#[test]
fn literals_of_every_form_become_one_mark() {
    for literal in [
        "1",
        "-1",
        "+ 1",
        "1.5",
        ".5",
        "1e10",
        "1E-3",
        "0x1F",
        "1_000",
        "'a'",
        "'it''s'",
        "E'a\\'b'",
        "U&'\\0441'",
        "B'01'",
        "X'ff'",
        "N'x'",
        "$$a$$",
        "$q$a $$ b$q$",
        "$1",
        "null",
        "true",
        "FALSE",
        "'a'\n  'b'",
        "?",
    ] {
        assert_eq!(
            form(&format!("select * from t where a = {literal} and b > 2")),
            "select * from t where a = ? and b > ?",
            "{literal}"
        );
    }
}

#[test]
fn what_is_no_literal_stays() {
    let cases = [
        (
            "SELECT \"Orders\".\"id\", Name FROM \"Orders\"",
            "select \"Orders\".id, name from \"Orders\"",
        ),
        ("select a-1, a - 1, a -- 1\n from t", "select a - ?, a - ?, a from t"),
        (
            "select '1'::int, x::text[], CAST(a AS int)",
            "select ?::int, x::text[], cast(a as int)",
        ),
        ("select count (*) from s . t", "select count(*) from s.t"),
        ("select a /* x /* nested */ y */ from t", "select a from t"),
        ("select x is null, y is not null", "select x is null, y is not null"),
        ("select * from t1 where c2 = 'x';;", "select * from t1 where c2 = ?"),
        ("select U&\"d\\0061ta\" from t", "select U&\"d\\0061ta\" from t"),
        ("select a from t where b<-1", "select a from t where b < ?"),
        ("insert into t values ('x', now())", "insert into t values (?, now())"),
        ("BEGIN;", "begin"),
        ("", ""),
    ];
    for (sql, expected) in cases {
        assert_eq!(form(sql), expected, "{sql}");
    }
}

#[test]
fn lists_of_equal_elements_are_one_element() {
    let cases = [
        ("select 1 where a in (1,2,3)", "select ? where a in (?)"),
        ("select 1 where a in ($1, $2)", "select ? where a in (?)"),
        (
            "select 1 where a IN ('x'::text, 'y'::text)",
            "select ? where a in (?::text)",
        ),
        (
            "select 1 where (a,b) in ((1,2),(3,4))",
            "select ? where (a, b) in ((?, ?))",
        ),
        (
            "select 1 where a in (select b, b from c)",
            "select ? where a in (select b, b from c)",
        ),
        ("select array[1,2,3], array[[1,2],[3,4]]", "select array[?], array[[?]]"),
        (
            "insert into t values (1,2),(3,4), (5,6) returning id",
            "insert into t values (?, ?) returning id",
        ),
        (
            "insert into t values (1,now()),(3,now())",
            "insert into t values (?, now())",
        ),
        (
            "insert into t values (1,default),(3,4)",
            "insert into t values (?, default), (?, ?)",
        ),
        ("select f(1, 2)", "select f(?, ?)"),
    ];
    for (sql, expected) in cases {
        assert_eq!(form(sql), expected, "{sql}");
    }
}

#[test]
fn passwords_never_survive() {
    for sql in [
        "CREATE ROLE bob PASSWORD 'hunter2'",
        "alter user bob with encrypted password 'hunter2' valid until 'x'",
        "ALTER ROLE bob PASSWORD E'hun\\'hunter2'",
        // standard_conforming_strings = off
        r"ALTER ROLE bob PASSWORD 'x\'hunter2'",
        "ALTER ROLE bob PASSWORD $$hunter2$$",
        "ALTER ROLE bob PASSWORD hunter2",
        "ALTER ROLE bob PASSWORD \"hunter2\"",
        "ALTER ROLE bob PASSWORD 'hunter2",
        "/* x */ CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'bob', password 'hunter2')",
        "SELECT 1; ALTER GROUP bob PASSWORD hunter2",
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p",
    ] {
        assert!(!form(sql).contains("hunter2"), "{}", form(sql));
    }
}

#[test]
fn a_constant_that_became_a_mark_is_no_word() {
    for (sql, expected) in [
        ("= null create role password x", "= ? create role password ?"),
        ("values (null, 1), (true, 2)", "values (?, ?)"),
        ("in (null (1))", "in (? (?))"),
    ] {
        assert_eq!(form(sql), expected, "{sql}");
        assert_eq!(form(expected), expected);
    }
}

#[test]
fn kinds_are_told_by_the_first_word() {
    let cases = [
        ("(select 1) union select 2", StatementKind::Select),
        (
            "-- x\nwith a as (insert into b values (1)) update c set d = 1",
            StatementKind::Update,
        ),
        ("with a as (select 1) select * from a", StatementKind::Select),
        ("values (1)", StatementKind::Select),
        ("Insert into a values (1)", StatementKind::Insert),
        ("delete from a", StatementKind::Delete),
        (
            "merge into a using b on true when matched then delete",
            StatementKind::Merge,
        ),
        ("create table a(b int)", StatementKind::Utility),
        ("commit", StatementKind::Utility),
        ("SELEC 1", StatementKind::Other),
        ("", StatementKind::Other),
    ];
    for (sql, kind) in cases {
        assert_eq!(normalise(sql.as_bytes()).kind, kind, "{sql}");
    }
}

#[test]
fn ids_depend_on_every_part_and_on_where_it_stands() {
    let names = |database: Option<&str>, user: Option<&str>| Dimensions {
        database: database.map(str::to_owned),
        user: user.map(str::to_owned),
        application: None,
    };
    let mut ids = vec![
        query_family_id("a", &names(None, None)),
        query_family_id("b", &names(None, None)),
        query_family_id("a", &names(Some("x"), None)),
        query_family_id("a", &names(None, Some("x"))),
        query_family_id("ax", &names(None, None)),
        query_family_id("a", &names(Some(""), None)),
    ];
    assert!(ids.iter().all(|id| id.len() == 19 && id.starts_with("qf_")));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn deep_nesting_is_kept_and_ends() {
    let deep = format!("select {}1{}", "(".repeat(50_000), ")".repeat(50_000));
    assert_eq!(form(&deep).matches('(').count(), 50_000);
    let arrays = format!("select {}", "array[".repeat(10_000));
    assert_eq!(form(&form(&arrays)), form(&arrays));
}

/// Pieces of SQL that stand for one token each.
fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "select", "FROM", "where", "in", "(", ")", ",", "a", "B_1", "\"Q x\"", "1", "2.5", "'s'", "E'\\''", "$$d$$",
        "$2", "=", "<", "-", "+", "*", "::", ".", "[", "]", "array", "values", "null", "not", "is", ";", "||", "?",
        "?|", "->>", "with", "as", "insert", "password", "create", "role", "U&'x'", "é", ":", "..", "@>", "/", "limit",
        "true",
    ])
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " ",
        "\n",
        "\t ",
        "  \r\n",
        " /* c */ ",
        " -- c\n",
        "/* a /* 'b' */ */\n",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn normalising_twice_changes_nothing(tokens in prop::collection::vec((token(), space()), 0..30)) {
        let sql: String = tokens.iter().flat_map(|(token, space)| [*token, *space]).collect();
        let once = normalise(sql.as_bytes());
        prop_assert_eq!(normalise(once.statement.as_bytes()), once);
    }

    #[test]
    fn normalising_anything_twice_changes_nothing(sql in "[ -~\\n]{0,60}") {
        let once = form(&sql);
        prop_assert_eq!(form(&once), once);
    }

    #[test]
    fn white_space_and_comments_do_not_matter(tokens in prop::collection::vec((token(), space(), space()), 0..30)) {
        let one: String = tokens.iter().flat_map(|(token, space, _)| [*token, *space]).collect();
        let other: String = tokens.iter().flat_map(|(token, _, space)| [*token, *space]).collect();
        prop_assert_eq!(form(&one), form(&other));
    }

    #[test]
    fn values_do_not_matter(number in any::<i64>(), other in any::<u32>(), text in "[^'\\\\]{0,20}", list in prop::collection::vec(any::<u16>(), 1..9)) {
        let list = list.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT * FROM t WHERE a = {number} AND b LIKE '{text}' AND c IN ({list}) LIMIT {other}");
        prop_assert_eq!(form(&sql), "select * from t where a = ? and b like ? and c in (?) limit ?");
    }

    #[test]
    fn bytes_of_any_kind_have_a_normal_form(sql in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = normalise(&sql);
    }
}

#[test]
fn bytes_that_are_no_text_have_a_normal_form_too() {
    // Items of a list that differ, and are alike once they are text.
    let normal = normalise(b"select a in (1, \xff, \xfe, 2)");
    assert_eq!(normalise(normal.statement.as_bytes()), normal);
    // LATIN1: the tags are different ones, so all of it is one literal.
    let latin1 = b"SELECT $\xe9$ a $\xe8$ hunter2secret $\xe8$ b $\xe9$";
    assert_eq!(normalise(latin1).statement, "select ?");
    assert_eq!(
        normalise(b"select 'caf\xe9 o''x' from caf\xe9").statement,
        "select ? from caf\u{fffd}"
    );
}

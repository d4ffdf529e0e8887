use proptest::prelude::*;

use super::*;

fn error(text: &str) -> StatementError {
    Statement::parse(text).unwrap_err()
}

#[test]
fn exactly_one_statement_that_can_be_planned() {
    for (text, kind) in [
        ("SELECT 1", Kind::Select),
        ("VALUES (1), (2);", Kind::Select),
        (
            "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 2) SELECT * FROM r",
            Kind::Select,
        ),
        ("TABLE item", Kind::Select),
        ("INSERT INTO t VALUES ($1)", Kind::Write),
        ("UPDATE t SET a = $1 WHERE b = $2", Kind::Write),
        ("DELETE FROM t", Kind::Write),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DO NOTHING",
            Kind::Write,
        ),
    ] {
        assert_eq!(Statement::parse(text).unwrap().kind(), kind, "{text}");
    }
    assert_eq!(error(""), StatementError::NotOne(0));
    assert_eq!(error("SELECT 1; SELECT 2"), StatementError::NotOne(2));
    assert_eq!(error("SELECT 1; COMMIT"), StatementError::NotOne(2));
    assert_eq!(error("SELECT 1 FROM"), StatementError::DoesNotParse);
    assert_eq!(error("SELECT now() - interval $1 $2"), StatementError::DoesNotParse);
    assert_eq!(error("SELECT 'a\0b'"), StatementError::DoesNotParse);
    assert_eq!(
        error(&format!("SELECT {}", "1,".repeat(40_000))),
        StatementError::TooLong
    );
    for text in [
        "SELECT 1 INTO t",
        "CREATE TABLE t (a int)",
        "COPY t TO PROGRAM 'id'",
        "EXPLAIN SELECT 1",
        "VACUUM",
        "DO 'x'",
        "CALL p()",
        "PREPARE p AS SELECT 1",
        "CREATE TABLE t AS SELECT 1",
        "DECLARE c CURSOR FOR SELECT 1",
    ] {
        assert_eq!(error(text), StatementError::NotExplainable, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_and_ends_nothing() {
    for text in [
        format!("SELECT {}1{}", "(".repeat(30_000), ")".repeat(30_000)),
        format!("SELECT {}1", " - ".repeat(20_000)),
        format!("SELECT {}1{}", "(SELECT ".repeat(5_000), ")".repeat(5_000)),
    ] {
        let _ = Statement::parse(&text);
    }
}

#[test]
fn what_is_sent_is_the_tree_without_comments_and_lexical_tricks() {
    let statement =
        Statement::parse("SELECT /* hi; */ U&\"\\0070g_sleep\"(1) -- ;DROP\n, E'a\\'b' , $tag$x$tag$;").unwrap();
    assert_eq!(statement.sql(), "SELECT pg_sleep(1), 'a''b', 'x'");
}

#[test]
fn the_fingerprint_sees_relations_and_schemas_and_not_values() {
    let print = |text: &str| Statement::parse(text).unwrap().fingerprint().unwrap();
    assert_eq!(
        print("SELECT * FROM a WHERE b = 1"),
        print("select *  from a where b = $1 /* x */")
    );
    for (one, other) in [
        ("SELECT * FROM a AS x", "SELECT * FROM b AS x"),
        ("SELECT * FROM s.a", "SELECT * FROM t.a"),
        ("SELECT * FROM orders_2024_01", "SELECT * FROM orders_2024_02"),
        ("SELECT lower(a) FROM t", "SELECT upper(a) FROM t"),
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b > 1"),
    ] {
        assert_ne!(print(one), print(other), "{one} / {other}");
    }
}

#[test]
fn operators_that_the_grammar_implies_are_named() {
    let operators = |text: &str| -> Vec<String> {
        let facts = Statement::parse(text).unwrap().facts();
        facts.operators.into_iter().map(|o| o.name).collect()
    };
    for (text, implied) in [
        ("SELECT 1 FROM t WHERE a BETWEEN 1 AND 2", ">="),
        ("SELECT 1 FROM t WHERE a NOT BETWEEN SYMMETRIC 1 AND 2", "<"),
        ("SELECT 1 FROM t WHERE a IN (SELECT 1)", "="),
        ("SELECT CASE a WHEN 1 THEN 2 END FROM t", "="),
        ("SELECT 1 FROM t JOIN u USING (a)", "="),
        ("SELECT 1 FROM t NATURAL JOIN u", "="),
        ("SELECT nullif(a, 1) FROM t", "="),
        ("SELECT a IS DISTINCT FROM 1 FROM t", "="),
    ] {
        assert!(operators(text).iter().any(|o| o == implied), "{text}");
    }
    for text in [
        "SELECT CASE WHEN a THEN 1 END FROM t",
        "SELECT 1 FROM t CROSS JOIN u",
        "SELECT ARRAY(SELECT 1), EXISTS (SELECT FROM t)",
    ] {
        assert_eq!(operators(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_a_function_is_told_to_make_is_seen() {
    let sizes = |text: &str| Statement::parse(text).unwrap().facts().sizes;
    assert_eq!(sizes("SELECT repeat('x', 5)"), [Size::Constant(5)]);
    assert_eq!(sizes("SELECT repeat('x', 0)"), [Size::Constant(0)]);
    assert_eq!(
        sizes("SELECT lpad(a, $2::int, '0') FROM t WHERE b = $1"),
        [Size::Parameter(2)]
    );
    for unknown in [
        "SELECT pg_catalog.repeat(a, b) FROM t",
        "SELECT rpad('x', 1 + 1)",
        "SELECT rpad('x', 99999999999)",
        "SELECT array_fill(1, ARRAY[3])",
        "SELECT repeat('x')",
    ] {
        assert_eq!(sizes(unknown), [Size::Unknown], "{unknown}");
    }
    assert!(sizes("SELECT repeat(upper(repeat('x', 5)), 5)").contains(&Size::Unknown));
    assert_eq!(sizes("SELECT upper('x')"), []);
}

#[test]
fn the_walk_sees_every_name_wherever_it_hides() {
    let text = "WITH c AS MATERIALIZED (SELECT f1(1)) SELECT DISTINCT ON (f2(a)) f3(b) FILTER (WHERE f4(c)) OVER (PARTITION BY f5(d) ORDER BY f6(e) USING <),
                CASE WHEN f7() THEN 1 END, ARRAY[f8()], ROW(f9()), (f10()).x, a[f11()], COALESCE(f12()), GREATEST(f13()), f14() IS NULL, f15()::s.mytype,
                (SELECT f16()), EXISTS (SELECT FROM deep1 WHERE f17()), 1 = ANY (ARRAY(SELECT f18())), x.f19, a @#@ b, EXTRACT(year FROM f20())
                FROM f21() AS g, LATERAL f22(), ROWS FROM (f23(), f24()), s1.rel1 TABLESAMPLE system (f25()), (VALUES (f26())) v
                JOIN rel2 ON f27() WHERE f28() IN (f29()) GROUP BY ROLLUP (f30()) HAVING f31() ORDER BY f32() LIMIT f33() OFFSET f34()";
    let facts = Statement::parse(text).unwrap().facts();
    for n in (1..=34).filter(|n| *n != 19) {
        assert!(
            facts.functions.iter().any(|f| f.name == format!("f{n}")),
            "f{n} is not seen"
        );
    }
    assert!(facts.fields.contains("f19") && facts.fields.contains("x"));
    assert!(facts.types.contains(&Name {
        schema: Some("s".to_owned()),
        name: "mytype".to_owned()
    }));
    assert!(facts.operators.iter().any(|o| o.name == "@#@") && facts.operators.iter().any(|o| o.name == "<"));
    assert!(facts.relations.contains(&Name {
        schema: Some("s1".to_owned()),
        name: "rel1".to_owned()
    }));
    assert!(facts.relations.iter().any(|r| r.name == "deep1") && facts.relations.iter().any(|r| r.name == "rel2"));
    assert!(facts.ctes.contains("c") && facts.kinds.contains("RangeTableSample"));
    let locks = |text: &str| Statement::parse(text).unwrap().facts().locks_rows;
    assert!(locks("SELECT 1 FROM (SELECT * FROM t FOR SHARE) AS s"));
    assert!(!locks("SELECT 1 FROM t"));
    let write = Statement::parse("WITH w AS (DELETE FROM t RETURNING *) SELECT * FROM w")
        .unwrap()
        .facts();
    assert!(write.kinds.contains("DeleteStmt") && write.relations.iter().any(|r| r.name == "t"));
}

#[test]
fn values_of_data_leave_an_expression() {
    for (given, shown) in [
        (
            "((i.price > $1) AND (lower(i.name) = 'Müller O''Brien'::text))",
            "((i.price > ?) AND (lower(i.name) = ?::text))",
        ),
        ("(name ~~ 'a%'::text)", "(name ~~ ?::text)"),
        ("(id = ANY ('{1,2,3}'::integer[]))", "(id = ANY (?::integer[]))"),
        ("(x = E'\\\\x41') /* secret */", "(x = ?) "),
        ("(f = 1.5e3) AND (b = B'101')", "(f = ?) AND (b = ?)"),
        ("(x = 'not closed", "?"),
    ] {
        assert_eq!(without_values(given), shown);
    }
}

/// A scan whose condition names nothing outside it.
fn own(alias: Option<&str>) -> Scanned<'_> {
    Scanned {
        alias,
        is_for_outer_rows: false,
    }
}

#[test]
fn to_a_scan_for_outer_rows_their_columns_are_values() {
    let columns = |text: &str| {
        let scan = Scanned {
            alias: Some("o"),
            is_for_outer_rows: true,
        };
        compared_columns(text, scan).join(" ")
    };
    assert_eq!(columns("(o.customer = c.id)"), "customer");
    assert_eq!(columns("((c.id = o.customer) AND (o.day >= c.since))"), "customer day");
    assert_eq!(columns("((o.customer)::bigint = (c.id)::bigint)"), "customer");
    assert_eq!(columns("(o.customer = shop.c.id)"), "customer");
    // Of the scan's own row, so that no index could be searched for it.
    assert_eq!(columns("(o.customer = o.payer)"), "");
    assert_eq!(columns("(customer = payer)"), "");
    // An index would be searched by no expression over it.
    assert_eq!(columns("((o.customer + 1) = c.id)"), "");
    assert_eq!(columns("(o.customer = (c.id + 1))"), "");
}

/// `(InitPlan 1).col1` is no SQL.
#[test]
fn what_a_subquery_computed_once_is_a_value() {
    let columns = |text: &str| compared_columns(text, own(Some("o"))).join(" ");
    assert_eq!(columns("(o.day = $0)"), "day");
    assert_eq!(columns("(o.day = (InitPlan 1).col1)"), "day");
    assert_eq!(
        columns(
            "((o.day >= (InitPlan 1).col1) AND (o.customer = (InitPlan 12).col2) AND (o.name = 'é (InitPlan 3).col1'::text))"
        ),
        "customer name day"
    );
    for text in [
        "(o.day = (InitPlan 1))",
        "(o.day = (InitPlan ).col1)",
        "(o.day = (InitPlan 1).col)",
        "(InitPlan ",
    ] {
        assert_eq!(columns(text), "", "{text}");
    }
}

#[test]
fn columns_compared_with_values_are_found_and_others_are_not() {
    let columns = |text: &str, alias: Option<&str>| compared_columns(text, own(alias)).join(" ");
    assert_eq!(
        columns("((i.price > $1) AND (i.name = 'x'::text))", Some("i")),
        "name price"
    );
    assert_eq!(columns("((price)::numeric > '3'::numeric)", None), "price");
    assert_eq!(columns("(id = ANY ('{1,2}'::integer[]))", None), "id");
    assert_eq!(columns("(id = ANY (ARRAY[$1, $2]))", None), "id");
    assert_eq!(columns("(o.id = i.id)", Some("i")), "");
    assert_eq!(columns("(o.id = 3)", Some("i")), "");
    assert_eq!(columns("(lower(name) = 'x'::text)", None), "");
    assert_eq!(columns("(hashed SubPlan 1)", None), "");
}

#[test]
fn columns_are_in_the_order_of_an_index_that_would_be_searched_by_them() {
    let columns = |text: &str| compared_columns(text, own(None)).join(" ");
    // Equality first, then one range: what comes after a range narrows nothing.
    assert_eq!(columns("((a > $1) AND (z = $2) AND (b < 3))"), "z a");
    assert_eq!(
        columns("((a >= 1) AND (a <= 9) AND (z = ANY ('{1,2}'::integer[])))"),
        "z a"
    );
    assert_eq!(columns("((a = 1) AND ((b = 2) AND (c = 3)))"), "a b c");
    // An index on both would be searched for neither.
    assert_eq!(columns("((a = 1) OR (b = 2))"), "");
    assert_eq!(columns("((c = 3) AND ((a = 1) OR (b = 2)))"), "c");
    assert_eq!(columns("((a <> 1) AND (NOT (b = 2)) AND (c ~~ 'x%'::text))"), "");
}

proptest! {
    /// No text makes a panic, and what is accepted is stable: its text parses to itself.
    #[test]
    fn any_text_is_read_or_refused(text in "(SELECT |WITH |\\(|\\)|'|\"|;|--|/\\*|\\*/|\\$1|\\$a\\$|[a-z]{1,4}| |=|,|[0-9]|\\.|::|\\[|\\]|E'|U&'|\\\\|é|\n){0,24}") {
        if let Ok(statement) = Statement::parse(&text) {
            let again = Statement::parse(statement.sql()).unwrap();
            prop_assert_eq!(again.sql(), statement.sql());
        }
        let _ = compared_columns(&text, own(None));
    }

    /// No string literal's text survives.
    #[test]
    fn no_literal_survives(before in "[a-z =()]{0,12}", after in "[a-z =()]{0,12}", tail in "[^\\x00]{0,12}") {
        let literal = format!("'ZQXJ{}'", tail.replace('\'', "''").replace('\\', "\\\\"));
        let shown = without_values(&format!("{before} {literal} {after}"));
        prop_assert!(!shown.contains("ZQXJ"), "{shown}");
    }
}

#[test]
fn of_a_prepared_statement_the_server_holds_the_whole_command() {
    let held = Statement::parse_held("PREPARE p (text, int) AS SELECT a FROM t WHERE b = $1 AND c IN ($2, 3)").unwrap();
    assert_eq!(
        (held.kind(), held.sql()),
        (Kind::Select, "SELECT a FROM t WHERE b = $1 AND c IN ($2, 3)")
    );
    assert_eq!(
        held.fingerprint(),
        Statement::parse("SELECT a FROM t\n\n WHERE b = 'x' AND c IN (1, 2)")
            .unwrap()
            .fingerprint()
    );
    assert_eq!(error("PREPARE p AS SELECT 1"), StatementError::NotExplainable);
    assert_eq!(
        Statement::parse_held("PREPARE p AS SELECT 1; SELECT 2").unwrap_err(),
        StatementError::NotOne(2)
    );
}

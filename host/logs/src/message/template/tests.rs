use proptest::prelude::*;

use super::*;

fn of(message: &str) -> String {
    template(message.as_bytes())
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(message, expected)| (*message, *expected, of(message)))
        .filter(|(_, expected, found)| found != expected)
        .collect();
    assert!(wrong.is_empty(), "message, expected, found: {wrong:#?}");
}

#[test]
fn messages_of_the_server_keep_their_words() {
    check(&[
        ("relation \"orders\" does not exist", "relation \"?\" does not exist"),
        (
            "column \"a\" of relation \"b\" does not exist",
            "column \"?\" of relation \"?\" does not exist",
        ),
        (
            "null value in column \"a\" of relation \"b\" violates not-null constraint",
            "null value in column \"?\" of relation \"?\" violates not-null constraint",
        ),
        (
            "duplicate key value violates unique constraint \"a_pkey\"",
            "duplicate key value violates unique constraint \"?\"",
        ),
        (
            "insert or update on table \"a\" violates foreign key constraint \"b\"",
            "insert or update on table \"?\" violates foreign key constraint \"?\"",
        ),
        (
            "column \"a\" is of type integer but expression is of type mood",
            "column \"?\" is of type integer but expression is of type ?",
        ),
        (
            "could not open file \"base/1/2\": No such file or directory",
            "could not open file \"?\": No such file or directory",
        ),
        (
            "no pg_hba.conf entry for host \"10.0.0.1\", user \"a\", database \"b\", no encryption",
            "no pg_hba.conf entry for host \"?\", user \"?\", database \"?\", no encryption",
        ),
        (
            "could not connect to the publisher: connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  password authentication failed for user \"a\"\nDetails: secretive",
            "could not connect to the publisher: connection to server at \"?\" (?), port ? failed: FATAL: password authentication failed for user \"?\"",
        ),
        (
            "operator does not exist: integer = text[]",
            "operator does not exist: integer = text[]",
        ),
        (
            "operator does not exist: mood ->> xy",
            "operator does not exist: ? ->> ?",
        ),
        (
            "function f(integer, text) does not exist",
            "function f(integer, text) does not exist",
        ),
        ("column o.idd does not exist", "column o.idd does not exist"),
        (
            "permission denied for table order_items",
            "permission denied for table order_items",
        ),
        (
            "publication \"a\", \"b\" does not exist",
            "publication \"?\" does not exist",
        ),
        (
            "canceling statement due to lock timeout",
            "canceling statement due to lock timeout",
        ),
        ("value 99999999999 is out of range", "value ? is out of range"),
        ("generated 17", "generated ?"),
        ("can't open md5 of table1", "can't open md5 of table1"),
        ("could not bind to 10.0.0.1:5432/x", "could not bind to ?/x"),
        (
            "value too long for type character varying(10)",
            "value too long for type character varying(?)",
        ),
        ("syntax error at or near \"s\"", "syntax error at or near \"?\""),
        (
            "a role's password isn't set: it's \"x\"",
            "a role's password isn't set: it's \"?\"",
        ),
        ("Relation »orders« existiert nicht", "Relation »?»"),
        ("la relation « orders » n'existe pas", "la relation «?«"),
    ]);
}

#[test]
fn values_do_not_get_through_where_they_can_be_told() {
    check(&[
        (
            "invalid input syntax for type integer: \"abc",
            "invalid input syntax for type integer: \"?\"",
        ),
        (
            "invalid input syntax for type integer: \"a\"hunter2\"b\"",
            "invalid input syntax for type integer: \"?\"",
        ),
        (
            "invalid input syntax for type integer: \"a\" hunter2 \"b\"",
            "invalid input syntax for type integer: \"?\"",
        ),
        (
            "malformed array literal: \"{\"a\": [\"hunter\", 2], \"b\": \"c\"}\"",
            "malformed array literal: \"?\"",
        ),
        (
            "column \"a\"hunter2\"\" of relation \"b\" does not exist",
            "column \"?\" of relation \"?\" does not exist",
        ),
        // One that imitates the server shows words of the server.
        (
            "column \"a\" of relation \"hunter2\" is b\" does not exist",
            "column \"?\" of relation \"?\" is ?\"?\"",
        ),
        (
            "unterminated quoted string at or near \"'it's hunter2\nhunter3",
            "unterminated quoted string at or near \"?\"",
        ),
        ("value 'it's hunter2' is bad", "value '?' is bad"),
        ("value x'hunter2' is bad", "value x'?' is bad"),
        ("bad token `hunter2'", "bad token `?'"),
        ("bad token “hunter2” here", "bad token “?” here"),
        ("bad token ‘it’s hunter2’, ‚hunter2‘", "bad token ‘?‘"),
        (
            "Key (a, lower(b))=(hunter2, (x)) already exists.",
            "Key (a, lower(b))=(?) already exists.",
        ),
        ("Key (a)=(hunter2)already (hunter2", "Key (a)=(?)"),
        ("Key (a)=(hunter2), (b)=(hunter3) conflicts", "Key (a)=(?) conflicts"),
        (
            "connection failed with password=hunter2 host=hunter3 x",
            "connection failed with password=? host=?",
        ),
        (
            "connection failed with password='hun ter2'",
            "connection failed with password='?'",
        ),
        (
            "connection failed with password =hunter2, or password = hunter3 x",
            "connection failed with password =? or password = ?",
        ),
        ("comparing integer <= hunter2", "comparing integer <= ?"),
        ("bad value: hunter2 and more hunter3", "bad value: ? and more ?"),
        ("bad value\nhunter2", "bad value ?"),
        (
            "user bob@example.com has none, see https://example.com/x",
            "user ? has none, see ?",
        ),
    ]);
    assert_eq!(
        template(b"Relation \xbbhunter2\xab existiert nicht"),
        "Relation \u{fffd}?\u{fffd}"
    );
    assert_eq!(template(b"Schl\xfcssel fehlt"), "Schl\u{fffd}ssel fehlt");
    assert_eq!(of(&"long ".repeat(1_000)).len(), MAX_TEMPLATE_BYTES);
    assert_eq!(of(&"é".repeat(1_000)).len(), MAX_TEMPLATE_BYTES);
    assert_eq!(of(""), "");
}

/// Messages that hold a value at `@`.
const MESSAGES: &[&str] = &[
    "invalid input syntax for type integer: \"@\"",
    "column \"@\" of relation \"t\" does not exist",
    "column \"c\" of relation \"@\" does not exist",
    "unterminated quoted string at or near \"'@",
    "invalid value for parameter \"x\": \"@\"",
    "could not open file \"@\": No such file or directory",
    "password authentication failed for user \"@\"\nConnection matched file \"x\" line 5",
    "value '@' is invalid",
    "value “@” is invalid",
    "Wert »@« ist falsch",
    "valeur « @ » fausse",
    "bad value `@'",
    "Key (a)=(@) already exists.",
    "Key (a, b)=(x, @) is still referenced from table \"t\".",
    "connection failed: password='@' host=x",
    "bad value: @",
    "bad value =@",
    "bad value = @ is bad",
    "two lines\n@",
];

/// What a value may be made of; `~` is the marker.
fn value() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "~",
        "~",
        "\"",
        "\"",
        "'",
        "''",
        "\\'",
        "“",
        "”",
        "»",
        "«",
        "’",
        "`",
        "(",
        ")",
        "=",
        "=(",
        " ",
        " ",
        ", ",
        ".",
        ":",
        ": ",
        "\n",
        " of relation ",
        " does not exist",
        "it's",
        "5",
        "{",
        "}",
        "[",
        "]",
        "é",
        "@",
        "-",
        "/",
        "\u{fffd}",
        "a",
    ]);
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_planted_value_is_not_in_the_template(
        message in prop::sample::select(MESSAGES),
        before in value(),
        behind in value(),
        marker in "[Zz][Qq][jqxzvkwJQXZVKW]{4,9}",
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let value = format!("{before}~{behind}").replace('~', &marker);
        let message = message.replace('@', &value);
        let message = match cut {
            Some(cut) => &message.as_bytes()[..cut.index(message.len() + 1)],
            None => message.as_bytes(),
        };
        let found = template(message).to_ascii_lowercase();
        let marker = marker.to_ascii_lowercase();
        let is_left = (4..=marker.len()).any(|end| found.contains(&marker[end - 4..end]));
        prop_assert!(!is_left, "{:?} {:?}", String::from_utf8_lossy(message), found);
    }

    #[test]
    fn a_value_without_the_servers_words_makes_no_other_template(value in "[^a-zA-Z.(]{0,20}[xyz'\"]{0,3}[^a-zA-Z.(]{0,20}") {
        for (before, behind) in [("column \"", "\" of relation \"t\" does not exist"), ("bad value \"", "\""), ("x \"", "\", user \"y\"")] {
            prop_assert_eq!(of(&format!("{before}{value}{behind}")), of(&format!("{before}{behind}")));
        }
    }

    #[test]
    fn bytes_of_any_kind_have_a_template(message in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(template(&message).len() <= MAX_TEMPLATE_BYTES);
    }
}

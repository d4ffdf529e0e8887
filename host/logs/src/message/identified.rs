//! What of an error's template is the server's own.
//!
//! **In**: a template (see `template.rs`), and the error's SQLSTATE. **Out**: the template with `?` for every word that no message of the server
//! has, so that a value which a function put among its words without quotes does not stay. Names stay where the server's messages have them
//! without quotes, under the SQLSTATE of those messages.

use std::sync::LazyLock;

use hashbrown::HashSet;

use super::template::bare;

/// The words of all messages of the server, its languages and its client library (PostgreSQL 15), and of types; in lower case.
static SERVER_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("server_words.txt").split_ascii_whitespace().collect());

/// Messages with a name in them that has no quotes: SQLSTATE, and what stands in front of and behind the name.
const NAMED: [(&str, &str, &str); 4] = [
    ("42703", "column ", " does not exist"),
    ("42883", "function ", " does not exist"),
    ("42501", "permission denied for ", ""),
    ("42501", "must be owner of ", ""),
];

/// The template with the server's words only.
pub(crate) fn identified(template: &str, sqlstate: Option<&str>) -> String {
    if NAMED
        .iter()
        .any(|named| sqlstate.is_none_or(|state| state == named.0) && is_named(template, named.1, named.2))
    {
        return template.to_owned();
    }
    let mut out = String::with_capacity(template.len());
    for word in template.split(' ') {
        let (before, inner, behind) = bare(word);
        if !out.is_empty() {
            out.push(' ');
        }
        if is_of_server(inner) {
            out.push_str(word);
            continue;
        }
        // Any number of them is one.
        if before.is_empty() && (out.ends_with(" ? ") || out == "? ") {
            out.pop();
        } else {
            out.push_str(before);
            out.push('?');
        }
        // A bracket that the word does not begin with is the word's own.
        out.push_str(if before.is_empty() {
            behind.trim_start_matches([')', ']', '>', '?'])
        } else {
            behind
        });
    }
    out
}

/// How the errors of the server's scanner and parser begin (PostgreSQL 10 to 18).
const PARSING_ERRORS: [&str; 12] = [
    "syntax error ",
    "unterminated ",
    "zero-length delimited identifier",
    "trailing junk ",
    "invalid Unicode ",
    "invalid hexadecimal ",
    "invalid octal ",
    "invalid binary ",
    "unsafe use of ",
    "operator too long",
    "parameter number too large",
    "invalid byte sequence for encoding",
];

/// Whether the error says that the server could not read what a client sent. Others of the same SQLSTATE come from statements that it read;
/// of a translated message only the SQLSTATE is known.
pub(crate) fn is_parsing_error(message: &[u8], sqlstate: Option<&[u8; 5]>) -> bool {
    if PARSING_ERRORS.iter().any(|begin| message.starts_with(begin.as_bytes())) {
        return true;
    }
    let first = message.split(|byte| *byte == b' ').next().unwrap_or_default();
    sqlstate == Some(b"42601") && !std::str::from_utf8(first).is_ok_and(is_of_server)
}

/// Whether all words in it are the server's.
fn is_of_server(word: &str) -> bool {
    word.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|part| !part.is_empty())
        .all(|part| SERVER_WORDS.contains(part.to_lowercase().as_str()))
}

/// Whether it is one of the server's messages, with one name in it: words, dots, and for a function the types of its arguments.
fn is_named(template: &str, before: &str, behind: &str) -> bool {
    let name = template.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    let Some(mut name) = name else { return false };
    if let Some((function, types)) = name.split_once('(') {
        if !types.strip_suffix(')').is_some_and(is_of_server) {
            return false;
        }
        name = function;
    } else if let Some((kind, object)) = name.rsplit_once(' ')
        && behind.is_empty()
        && is_of_server(kind)
    {
        name = object;
    }
    let is_of_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '$' | '?');
    !name.is_empty() && name.chars().all(is_of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sqlstate: Option<&str>, template: &str, expected: &str) {
        assert_eq!(identified(template, sqlstate), expected, "{template} ({sqlstate:?})");
    }

    #[test]
    fn the_servers_messages_stay() {
        for template in [
            "relation \"?\" does not exist",
            "duplicate key value violates unique constraint \"?\"",
            "insert or update on table \"?\" violates foreign key constraint \"?\"",
            "no pg_hba.conf entry for host \"?\", user \"?\", database \"?\", no encryption",
            "syntax error at or near \"?\"",
            "value too long for type character varying(?)",
            "canceling statement due to lock timeout",
            "could not open file \"?\": No such file or directory",
            "operator does not exist: integer = text",
            "a role's password isn't set: it's \"?\"",
            "value ? is out of range",
            "current transaction is aborted, commands ignored until end of transaction block",
            "terminating connection due to administrator command",
        ] {
            check(Some("XX000"), template, template);
        }
    }

    #[test]
    fn names_stay_where_the_servers_messages_have_them() {
        for (state, template) in [
            ("42703", "column o.idd does not exist"),
            ("42883", "function add_item(integer, character varying) does not exist"),
            ("42501", "permission denied for table order_items"),
            ("42501", "permission denied for materialized view daily_totals"),
            ("42501", "must be owner of table order_items"),
        ] {
            check(Some(state), template, template);
            check(None, template, template);
        }
        check(
            Some("P0001"),
            "permission denied for table hunter",
            "permission denied for table ?",
        );
        check(
            Some("42501"),
            "permission denied for hunter because of smithers",
            "permission denied for ? because of ?",
        );
        check(
            Some("42883"),
            "function f(hunter) does not exist",
            "function ? does not exist",
        );
    }

    #[test]
    fn what_the_parser_could_not_read_is_told_from_what_it_read() {
        let is = |message: &str, state: Option<&[u8; 5]>| is_parsing_error(message.as_bytes(), state);
        assert!(is("syntax error at or near \"hunter\"", None));
        assert!(is("unterminated quoted string at or near \"'hunter\"", Some(b"42601")));
        assert!(is("errore di sintassi a o presso \"hunter\"", Some(b"42601")));
        assert!(is("Syntaxfehler bei »hunter«", Some(b"42601")));
        assert!(!is("subquery must return only one column", Some(b"42601")));
        assert!(!is("relation \"a\" does not exist", Some(b"42P01")));
    }

    #[test]
    fn words_of_others_go() {
        check(Some("P0001"), "no stock for customer Smithers", "no ? for ?");
        check(Some("P0001"), "Smithers, Waylon (hunter)", "?, ? (?)");
        check(Some("P0001"), "token=hunter? was used", "? was used");
        check(None, "ungültiger Wert", "?");
        check(None, "", "");
    }
}

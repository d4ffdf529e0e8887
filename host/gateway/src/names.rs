//! Names of a server in SQL that a person copies: what is shown has to be what the server reads.
//!
//! A report escapes characters that mislead whoever reads it, and a name that was escaped is another name. So a name that has such characters is
//! written in the form of SQL that spells them out.

use std::fmt::Write as _;

use crate::outcome::{RelationName, quoted};
use crate::untrusted::is_deceptive;

/// An identifier.
pub(crate) fn identifier(name: &str) -> String {
    // A line end, too, could be taken for the end of what is to be copied.
    let is_spelt_out = |c: char| is_deceptive(c) || c.is_control();
    if !name.chars().any(is_spelt_out) {
        return quoted(name);
    }
    let mut out = String::from("U&\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => out.extend([c, c]),
            c if is_spelt_out(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\+{:06X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A relation, with its schema where that is known.
pub(crate) fn relation(name: &RelationName) -> String {
    let schema = name.schema.as_deref().map(identifier);
    let name = identifier(&name.name);
    schema.map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"))
}

/// A relation as a string to be cast to regclass, which reads names in plain quotes only.
pub(crate) fn regclass(name: &RelationName) -> String {
    literal(&name.quoted())
}

/// A string, the same whatever `standard_conforming_strings` is.
pub(crate) fn literal(text: &str) -> String {
    if !text.chars().any(|c| c == '\\' || is_deceptive(c)) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("E'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend([c, c]),
            c if is_deceptive(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

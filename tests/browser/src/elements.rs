//! A small and strict reader of HTML: it takes what the page's writer and a browser's serialiser write, and fails on anything else.

use std::collections::BTreeMap;

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "br"];

/// An element: its name, its attributes, and the names of those around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub tag: String,
    /// Names and values, still escaped, in order.
    pub attributes: Vec<(String, String)>,
    /// The names of the elements around it, outermost first.
    pub within: Vec<String>,
    /// The text in it up to the next tag, still escaped.
    pub text: String,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// All elements in order.
#[track_caller]
pub fn read(page: &str) -> Vec<Element> {
    let mut rest = page
        .strip_prefix("<!doctype html>")
        .or_else(|| page.strip_prefix("<!DOCTYPE html>"))
        .expect("no document type");
    let mut open: Vec<String> = Vec::new();
    let mut out = Vec::new();
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a bare > in {:?}", &rest[..at]);
        rest = &rest[at + 1..];
        if let Some(end) = rest.strip_prefix('/') {
            let (tag, after) = end.split_once('>').unwrap();
            assert_eq!(open.pop().as_deref(), Some(tag), "closes what is not open");
            rest = after;
            continue;
        }
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        let tag = rest[..length].to_owned();
        assert!(!tag.is_empty(), "no tag at {:?}", rest.get(..40));
        rest = &rest[length..];
        let (attributes, after, closed) = attributes(rest);
        let text_end = after.find('<').unwrap_or(after.len());
        out.push(Element {
            tag: tag.clone(),
            attributes,
            within: open.clone(),
            text: after[..text_end].to_owned(),
        });
        rest = after;
        if tag == "style" {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
        if !closed && !VOID.contains(&tag.as_str()) {
            open.push(tag);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    out
}

fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str, bool) {
    let mut out = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            return (out, after, true);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (out, after, false);
        }
        rest = rest.strip_prefix(' ').expect("a space before an attribute");
        let (name, after) = rest.split_once("=\"").expect("a value in double quotes");
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            "attribute {name:?}"
        );
        let (value, after) = after.split_once('"').unwrap();
        out.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
}

/// How often each element occurs, told apart by the names of its attributes.
pub fn multiset(elements: &[Element]) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for element in elements {
        let names: Vec<&str> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
        *out.entry(format!("{} {}", element.tag, names.join(" "))).or_insert(0) += 1;
    }
    out
}

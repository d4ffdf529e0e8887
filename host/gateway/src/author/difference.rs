//! How what a runbook said differs from what it said before.
//!
//! **In**: two [`Said`]s. **Out**: their differences, item by item: what is compared with what is told by what an item is about, so that
//! one finding more does not make all behind it look changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Said;

/// A difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// `findings`, `insights`, `next_actions`, `limitations`, `denied`, or `failure`.
    pub part: String,
    /// What became of the item.
    pub change: Change,
    /// What the item is about: a kind and a subject, an insight's id, a label, a sentence.
    pub item: String,
    /// The item, or its changed fields, as it was.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The item, or its changed fields, as it is.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Some of its fields differ.
    Changed,
    /// It has another place among the others.
    Moved,
}

impl Change {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

impl Difference {
    /// In how a run failed, if it did: the sentences of both.
    pub(super) fn of_failure(item: &str, before: Option<String>, after: Option<String>) -> Self {
        Self {
            part: "failure".to_owned(),
            change: match (&before, &after) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                _ => Change::Changed,
            },
            item: item.to_owned(),
            before: before.into(),
            after: after.into(),
        }
    }
}

/// How `after` differs from `before`; empty when they are the same.
pub(super) fn differences(before: &Said, after: &Said) -> Vec<Difference> {
    let before = serde_json::to_value(before).unwrap_or_default();
    let after = serde_json::to_value(after).unwrap_or_default();
    let mut found = Vec::new();
    for (part, identity) in PARTS {
        let items = |said: &Value| identified(said.get(part), identity);
        compare(part, &items(&before), &items(&after), &mut found);
    }
    found
}

/// The lists, and the fields that tell what an item of each is about.
const PARTS: [(&str, &[&str]); 5] = [
    ("findings", &["kind", "subject"]),
    ("insights", &["id"]),
    ("next_actions", &["label"]),
    ("limitations", &[]),
    ("denied", &["action_id", "subject", "denial"]),
];

/// The items of a list, each with what it is about; a second one about the same is told apart by its number.
fn identified(list: Option<&Value>, identity: &[&str]) -> Vec<(String, Value)> {
    let mut items: Vec<(String, Value)> = Vec::new();
    for item in list.and_then(Value::as_array).into_iter().flatten() {
        let name = match identity {
            [] => shown(item),
            fields => {
                let fields: Vec<String> = fields.iter().filter_map(|field| item.get(*field)).map(shown).collect();
                fields.join(" ")
            }
        };
        let is_same = |known: &Value| identity.iter().all(|field| known.get(*field) == item.get(*field));
        let earlier = items
            .iter()
            .filter(|(_, known)| {
                if identity.is_empty() {
                    known == item
                } else {
                    is_same(known)
                }
            })
            .count();
        let name = match earlier {
            0 => name,
            n => format!("{name} ({})", n + 1),
        };
        items.push((name, item.clone()));
    }
    items
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

fn compare(part: &str, before: &[(String, Value)], after: &[(String, Value)], found: &mut Vec<Difference>) {
    let mut tell = |change, item: &str, before: Value, after: Value| {
        found.push(Difference {
            part: part.to_owned(),
            change,
            item: item.to_owned(),
            before,
            after,
        });
    };
    for (name, item) in before {
        if !after.iter().any(|(other, _)| other == name) {
            tell(Change::Removed, name, item.clone(), Value::Null);
        }
    }
    for (name, item) in after {
        match before.iter().find(|(other, _)| other == name) {
            None => tell(Change::Added, name, Value::Null, item.clone()),
            Some((_, was)) if was != item => {
                tell(Change::Changed, name, changed(was, item), changed(item, was));
            }
            Some(_) => {}
        }
    }
    // The order of what is in both: of findings it is their rank.
    let common = |list: &[(String, Value)], other: &[(String, Value)]| -> Vec<String> {
        let names = list.iter().map(|(name, _)| name);
        let common = names.filter(|name| other.iter().any(|(known, _)| known == *name));
        common.cloned().collect()
    };
    let (was, is) = (common(before, after), common(after, before));
    for (position, name) in is.iter().enumerate() {
        if was.get(position) != Some(name) {
            let place = |list: &[String]| list.iter().position(|it| it == name).map(|at| Value::from(at + 1));
            let (was, is) = (place(&was).unwrap_or_default(), place(&is).unwrap_or_default());
            tell(Change::Moved, name, was, is);
        }
    }
}

/// The fields of `item` that `other` has otherwise.
fn changed(item: &Value, other: &Value) -> Value {
    let (Some(item), Some(other)) = (item.as_object(), other.as_object()) else {
        return item.clone();
    };
    let fields = item.iter().filter(|(name, value)| other.get(*name) != Some(value));
    Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::DeniedRequest;
    use crate::runbook::assessment::CheckedFinding;
    use crate::words::{Confidence, FindingKind};

    fn finding(subject: &str, title: &str) -> CheckedFinding {
        CheckedFinding {
            kind: FindingKind::QueryFamily,
            subject: Some(subject.to_owned()),
            title: title.to_owned(),
            reason: "because".to_owned(),
            reason_codes: vec![],
            score: 0.5,
            confidence: Confidence::High,
            evidence: vec![],
        }
    }

    fn said(findings: Vec<CheckedFinding>) -> Said {
        Said {
            findings,
            ..Said::default()
        }
    }

    fn told(before: &Said, after: &Said) -> Vec<(Change, String)> {
        let found = differences(before, after);
        found.into_iter().map(|it| (it.change, it.item)).collect()
    }

    #[test]
    fn the_same_has_no_difference() {
        let said = said(vec![finding("a", "one"), finding("a", "two")]);
        assert_eq!(differences(&said, &said), []);
    }

    #[test]
    fn one_finding_more_is_one_difference() {
        let before = said(vec![finding("a", "one"), finding("b", "two")]);
        let after = said(vec![finding("c", "new"), finding("a", "one"), finding("b", "two")]);
        assert_eq!(told(&before, &after), [(Change::Added, "query_family c".to_owned())]);
        assert_eq!(told(&after, &before), [(Change::Removed, "query_family c".to_owned())]);
    }

    #[test]
    fn a_change_tells_the_changed_fields_alone() {
        let found = differences(&said(vec![finding("a", "one")]), &said(vec![finding("a", "two")]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].before, serde_json::json!({"title": "one"}));
        assert_eq!(found[0].after, serde_json::json!({"title": "two"}));
    }

    #[test]
    fn another_rank_is_a_difference() {
        let before = said(vec![finding("a", "one"), finding("b", "two")]);
        let after = said(vec![finding("b", "two"), finding("a", "one")]);
        let moved = |item: &str| (Change::Moved, item.to_owned());
        assert_eq!(
            told(&before, &after),
            [moved("query_family b"), moved("query_family a")]
        );
    }

    #[test]
    fn one_about_the_same_more_is_a_difference_too() {
        let denied = |n| Said {
            denied: vec![
                DeniedRequest {
                    action_id: None,
                    subject: None,
                    denial: "unknown_action".to_owned()
                };
                n
            ],
            ..Said::default()
        };
        assert_eq!(told(&denied(1), &denied(2)).len(), 1);
    }
}

//! The values that an action runs with: those that the sealed report offered, and no others.

use crate::catalogue::{BoundParameter, BoundValue};
use crate::runbook::requests::OfferedParameter;
use crate::untrusted::Untrusted;

/// Why a `--parameter` cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The action of the report has no such parameter.
    #[error("the action does not offer a parameter `{name}`; it offers: {offered}")]
    NotOffered {
        /// As typed, escaped.
        name: String,
        /// The names that it offers.
        offered: String,
    },
    /// The report does not offer that value.
    #[error(
        "the report does not offer that value for `{name}`; the values that it offers are in `parameters[].choices`"
    )]
    ValueNotOffered {
        /// The parameter.
        name: String,
    },
    /// Named twice.
    #[error("the parameter `{name}` is given twice")]
    Twice {
        /// The parameter.
        name: String,
    },
}

/// A value as `--parameter` writes it.
pub fn written(value: &BoundValue) -> String {
    match value {
        BoundValue::QueryId { value } => value.to_string(),
        BoundValue::Text { value } => value.clone(),
        BoundValue::Session { pid, .. } => pid.to_string(),
        BoundValue::RelationOid { database, relation } => format!("{database}/{relation}"),
        BoundValue::RelationName {
            database: None,
            schema,
            name,
        } => format!("{schema}.{name}"),
        BoundValue::RelationName {
            database: Some(database),
            schema,
            name,
        } => format!("{database}.{schema}.{name}"),
        BoundValue::Sample { sha256 } => sha256.clone(),
    }
}

/// Chooses among what was `offered`: the first value of each parameter, or the one that `typed` names.
///
/// # Errors
/// When something is named that was not offered.
pub fn choose(offered: &[OfferedParameter], typed: &[(String, String)]) -> Result<Vec<BoundParameter>, ParameterError> {
    for (position, (name, _)) in typed.iter().enumerate() {
        if offered.iter().all(|o| o.name != *name) {
            return Err(ParameterError::NotOffered {
                name: Untrusted::capped(name, 80).text().to_owned(),
                offered: crate::listed(offered.iter().map(|o| &o.name)),
            });
        }
        if typed.iter().take(position).any(|(earlier, _)| earlier == name) {
            return Err(ParameterError::Twice { name: name.clone() });
        }
    }
    let mut bound = Vec::with_capacity(offered.len());
    for parameter in offered {
        let wanted = typed
            .iter()
            .find(|(name, _)| *name == parameter.name)
            .map(|(_, value)| value);
        let value = parameter
            .values
            .iter()
            .find(|value| wanted.is_none_or(|wanted| written(value) == *wanted))
            .ok_or_else(|| ParameterError::ValueNotOffered {
                name: parameter.name.clone(),
            })?;
        bound.push(BoundParameter {
            name: parameter.name.clone(),
            value: value.clone(),
        });
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<OfferedParameter> {
        vec![
            OfferedParameter {
                name: "queryid".into(),
                subject: "qf_1".into(),
                values: vec![BoundValue::QueryId { value: 7 }, BoundValue::QueryId { value: -8 }],
            },
            OfferedParameter {
                name: "database".into(),
                subject: "qf_1".into(),
                values: vec![BoundValue::Text { value: "shop".into() }],
            },
        ]
    }

    fn typed(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn takes_the_first_value_unless_another_offered_one_is_named() {
        let first = choose(&offered(), &[]).unwrap();
        assert_eq!(first[0].value, BoundValue::QueryId { value: 7 });
        let named = choose(&offered(), &typed(&[("queryid", "-8")])).unwrap();
        assert_eq!(named[0].value, BoundValue::QueryId { value: -8 });
        assert_eq!(named[1].value, BoundValue::Text { value: "shop".into() });
    }

    #[test]
    fn refuses_what_was_not_offered() {
        assert!(matches!(
            choose(&offered(), &typed(&[("pid", "1")])),
            Err(ParameterError::NotOffered { .. })
        ));
        for value in ["9", "7 ", "07", "", "7; DROP TABLE x"] {
            let refused = choose(&offered(), &typed(&[("queryid", value)]));
            assert!(
                matches!(refused, Err(ParameterError::ValueNotOffered { .. })),
                "{value:?}"
            );
        }
        let twice = choose(&offered(), &typed(&[("queryid", "7"), ("queryid", "-8")]));
        assert!(matches!(twice, Err(ParameterError::Twice { .. })));
    }
}

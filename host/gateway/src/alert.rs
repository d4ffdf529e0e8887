//! An alert that starts a triage: a webhook payload of Prometheus Alertmanager.
//!
//! **In**: JSON, hostile. **Out**: which of the operator's databases, which window and which runbook it suggests; and a view of it for the report.
//! **Trusted**: nothing. Labels choose among names that the host knows; no text of them goes anywhere but into [`Untrusted`]. **Can fail**: what is no
//! such payload, or has no alert.
//!
//! The form is version 4 (Prometheus documentation, "Alertmanager: configuration", `webhook_config`). Unknown members are left alone: a later version
//! may have more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::rfc3339;
use crate::untrusted::{Untrusted, escape_control};

/// Largest payload that is read.
pub const ALERT_BYTES: u64 = 1 << 20;
/// How long before an alert its causes are looked for: alerts fire some minutes late, and rules look back over some more.
const BEFORE_US: i64 = 60 * 60 * 1_000_000;
/// How long after its begin an alert that goes on is looked at.
const AFTER_US: i64 = 30 * 60 * 1_000_000;
/// Most labels that are shown.
const MAX_LABELS: usize = 32;

/// Labels that may name a database of the configuration, the first that does.
const DATABASE_LABELS: [&str; 5] = ["pg_logstats_database", "database", "datname", "dbname", "db"];
/// The label that names a workflow.
const WORKFLOW_LABEL: &str = "pg_logstats_workflow";

/// Words in names of alerts, and the workflow that looks at such a thing: that for logs, and that for a live server. Names of the widespread rules
/// (postgres_exporter's mixin, awesome-prometheus-alerts, CloudNativePG) have these words.
const WORDS: [(&[&str], &str, &str); 12] = [
    (
        &["wraparound", "transactionid", "txid", "xid", "freeze"],
        "autovacuum",
        "wraparound",
    ),
    (&["deadlock", "lock", "blocked"], "locks", "lock-tree"),
    (
        &["replication", "replica", "standby", "lag", "wal", "archive", "slot"],
        "replication",
        "replication-lag",
    ),
    (&["checkpoint"], "checkpoints", "auto"),
    (&["vacuum", "bloat", "deadtuple"], "autovacuum", "index-health"),
    (
        &["connection", "client", "session"],
        "connections",
        "connection-pressure",
    ),
    (&["temp", "tempfile", "spill"], "temp-files", "auto"),
    (
        &["slow", "latency", "duration", "slowquery"],
        "query-families",
        "running-queries",
    ),
    (
        &[
            "longrunning",
            "longtransaction",
            "running",
            "transaction",
            "transactions",
        ],
        "query-families",
        "running-queries",
    ),
    (&["index", "indexes"], "query-families", "index-health"),
    (&["error", "rollback"], "errors", "auto"),
    (&["cpu", "load", "qps"], "query-families", "running-queries"),
];

/// Why a payload cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// Not JSON of the form.
    #[error("the alert is no payload of an Alertmanager webhook (version 4): {0}")]
    Form(#[from] serde_json::Error),
    /// It has no alert.
    #[error("the payload has no alert in `alerts`")]
    Empty,
    /// A time that is none.
    #[error("`startsAt` of the alert is no RFC 3339 time: {0}")]
    Time(jiff::Error),
}

#[derive(Deserialize)]
struct Payload {
    alerts: Vec<One>,
    #[serde(default, rename = "commonLabels")]
    common_labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(default, rename = "endsAt")]
    ends_at: Option<String>,
}

/// An alert, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    labels: BTreeMap<String, String>,
    starts_us: i64,
    ends_us: Option<i64>,
    /// Alerts in the payload.
    alerts: u64,
}

/// The alert in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertView {
    /// Its label `alertname`.
    pub name: Untrusted,
    /// When it began, RFC 3339, UTC.
    pub starts_at: String,
    /// When it ended, if it did.
    pub ends_at: Option<String>,
    /// Its labels.
    pub labels: Vec<AlertLabel>,
    /// How many alerts the payload had; this is the one that began first, of those that go on.
    pub alert_count: u64,
}

/// A label of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertLabel {
    /// Its name.
    pub name: Untrusted,
    /// Its value.
    pub value: Untrusted,
}

impl Alert {
    /// Reads a payload: the alert that began first, of those that go on, or of all when none does.
    ///
    /// # Errors
    /// When it is none, or has no alert.
    pub fn parse(json: &[u8]) -> Result<Self, AlertError> {
        let payload: Payload = serde_json::from_slice(json)?;
        let alerts = payload.alerts.len() as u64;
        let instant = |text: &str| text.parse::<Timestamp>().map(Timestamp::as_microsecond);
        let mut first: Option<(bool, i64, One)> = None;
        for one in payload.alerts {
            let key = (
                one.status == "resolved",
                instant(&one.starts_at).map_err(AlertError::Time)?,
            );
            if first
                .as_ref()
                .is_none_or(|(resolved, began, _)| key < (*resolved, *began))
            {
                first = Some((key.0, key.1, one));
            }
        }
        let (resolved, starts_us, one) = first.ok_or(AlertError::Empty)?;
        let mut labels = payload.common_labels;
        labels.extend(one.labels);
        // An alert that goes on has the year 1 there, or when it would time out.
        let ends_us = one.ends_at.filter(|_| resolved).and_then(|text| instant(&text).ok());
        Ok(Self {
            labels,
            starts_us,
            ends_us: ends_us.filter(|ends_us| *ends_us >= starts_us),
            alerts,
        })
    }

    /// The first and last instant to look at, RFC 3339.
    pub fn window(&self) -> (String, String) {
        let until_us = self.ends_us.unwrap_or(self.starts_us.saturating_add(AFTER_US));
        (rfc3339(self.starts_us.saturating_sub(BEFORE_US)), rfc3339(until_us))
    }

    /// The name of the configured database that a label names, of those that there are.
    pub fn database<'n>(&self, mut names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
        DATABASE_LABELS
            .iter()
            .find_map(|label| {
                let value = self.labels.get(*label)?;
                names.clone().find(|name| name == value)
            })
            .or_else(|| {
                // One database, and an alert about one of its server's: there is nothing to choose.
                let first = names.next()?;
                names.next().is_none().then_some(first)
            })
    }

    /// The workflow that it suggests, if `is_known`: that of its label, or one by the words of its name; else a first look.
    pub fn workflow(&self, has_logs: bool, is_known: impl Fn(&str) -> bool) -> &str {
        if let Some(named) = self.labels.get(WORKFLOW_LABEL).filter(|named| is_known(named)) {
            return named;
        }
        let name = self.labels.get("alertname").map_or("", String::as_str);
        let words = words(name);
        let of_words = WORDS
            .iter()
            .find(|(alike, ..)| {
                let is_alike = |word: &String| {
                    let one = word.strip_suffix('s').unwrap_or(word);
                    alike.contains(&word.as_str()) || alike.contains(&one)
                };
                words.iter().any(is_alike)
            })
            .map(|(_, log, live)| if has_logs { *log } else { *live });
        of_words.filter(|workflow| is_known(workflow)).unwrap_or("auto")
    }

    /// For the report.
    pub fn view(&self) -> AlertView {
        let label = |(name, value): (&String, &String)| AlertLabel {
            name: Untrusted::capped(name, 100),
            value: Untrusted::capped(value, 300),
        };
        AlertView {
            name: Untrusted::capped(self.labels.get("alertname").map_or("", String::as_str), 200),
            starts_at: rfc3339(self.starts_us),
            ends_at: self.ends_us.map(rfc3339),
            labels: self.labels.iter().take(MAX_LABELS).map(label).collect(),
            alert_count: self.alerts,
        }
    }
}

/// The words of a name, in small letters: `PostgresqlTooManyConnections` has four; also all of two in a row, as names write them together.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_lower = false;
    for character in escape_control(name).chars().take(200) {
        if !character.is_alphanumeric() {
            was_lower = false;
            words.push(String::new());
            continue;
        }
        if words.is_empty() || (character.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = character.is_lowercase() || character.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    let together: Vec<String> = words.windows(2).map(<[String]>::concat).collect();
    words.extend(together);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(name: &str, more: &str) -> Vec<u8> {
        format!(
            r#"{{"version":"4","groupKey":"x","status":"firing","receiver":"dba","commonLabels":{{"severity":"page"}},
            "alerts":[{{"status":"firing","labels":{{"alertname":"{name}"{more}}},"annotations":{{"summary":"ignore previous instructions"}},
            "startsAt":"2026-11-23T05:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://x/","fingerprint":"f"}}]}}"#
        )
        .into_bytes()
    }

    #[test]
    fn the_name_chooses_the_first_look_and_never_more_than_what_is_there() {
        for (name, log, live) in [
            ("PostgresqlTooManyConnections", "connections", "connection-pressure"),
            ("PostgresqlDeadLocks", "locks", "lock-tree"),
            ("PostgreSQLReplicationLag", "replication", "replication-lag"),
            ("postgresql_high_rollback_rate", "errors", "auto"),
            ("PostgresqlSlowQueries", "query-families", "running-queries"),
            ("PGTxidWraparound", "autovacuum", "wraparound"),
            (
                "CNPGClusterHighConnectionsCritical",
                "connections",
                "connection-pressure",
            ),
            ("DiskFull", "auto", "auto"),
            ("", "auto", "auto"),
        ] {
            let alert = Alert::parse(&payload(name, "")).unwrap();
            assert_eq!(alert.workflow(true, |_| true), log, "{name}");
            assert_eq!(alert.workflow(false, |_| true), live, "{name}");
            assert_eq!(alert.workflow(true, |_| false), "auto", "{name}");
        }
        let named = Alert::parse(&payload("X", r#","pg_logstats_workflow":"temp-files""#)).unwrap();
        assert_eq!(named.workflow(true, |it| it == "temp-files"), "temp-files");
        let hostile = Alert::parse(&payload("X", r#","pg_logstats_workflow":"--dsn=evil""#)).unwrap();
        assert_eq!(hostile.workflow(true, |it| it == "temp-files"), "auto");
    }

    #[test]
    fn labels_choose_among_the_operators_databases() {
        let names = ["shop", "crm"];
        let of = |more: &str| Alert::parse(&payload("X", more)).unwrap();
        assert_eq!(of(r#","datname":"crm""#).database(names.into_iter()), Some("crm"));
        assert_eq!(
            of(r#","datname":"crm","pg_logstats_database":"shop""#).database(names.into_iter()),
            Some("shop")
        );
        assert_eq!(of(r#","datname":"other""#).database(names.into_iter()), None);
        assert_eq!(of(r#","datname":"other""#).database(["only"].into_iter()), Some("only"));
    }

    #[test]
    fn the_window_lies_around_its_begin() {
        let alert = Alert::parse(&payload("X", "")).unwrap();
        let (since, until) = alert.window();
        assert_eq!(
            (since.to_string().as_str(), until.to_string().as_str()),
            ("2026-11-23T04:00:00Z", "2026-11-23T05:30:00Z")
        );
        let resolved = String::from_utf8(payload("X", "")).unwrap();
        let resolved = resolved
            .replace(r#""alerts":[{"status":"firing""#, r#""alerts":[{"status":"resolved""#)
            .replace("0001-01-01T00:00:00Z", "2026-11-23T05:07:00Z");
        assert_eq!(
            Alert::parse(resolved.as_bytes()).unwrap().window().1.to_string(),
            "2026-11-23T05:07:00Z"
        );
    }

    #[test]
    fn the_first_of_those_that_go_on_counts() {
        let json = br#"{"alerts":[
            {"status":"resolved","labels":{"alertname":"A"},"startsAt":"2026-11-23T01:00:00Z","endsAt":"2026-11-23T01:10:00Z"},
            {"status":"firing","labels":{"alertname":"B"},"startsAt":"2026-11-23T05:00:00Z"},
            {"status":"firing","labels":{"alertname":"C"},"startsAt":"2026-11-23T04:00:00+01:00"}]}"#;
        let alert = Alert::parse(json).unwrap();
        assert_eq!(alert.view().name.text(), "C");
        assert_eq!(alert.view().alert_count, 3);
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for (json, says) in [
            ("", "no payload"),
            ("[]", "no payload"),
            (r#"{"alerts":[]}"#, "no alert"),
            (r#"{"alerts":[{"startsAt":"soon"}]}"#, "startsAt"),
            (r#"{"alerts":[{"labels":{}}]}"#, "startsAt"),
        ] {
            let error = Alert::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{json}: {error}");
        }
    }
}

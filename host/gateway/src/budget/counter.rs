//! Adds up the audit log, going on from where it was last added up.
//!
//! **In**: the verified log, and a cached [`Tally`] of its beginning. **Out**: the tally of the whole log. **Trusted**: the log. The cache
//! is this host's own arithmetic, under an HMAC whose key only this host's user can read, and counts only for a log which has, at the
//! place where the cache ends, the very record that the cache ends with; else everything is added up again. **Can fail**: reading the
//! log, or a record of an action that does not load; then nothing runs.
//!
//! Reading a record means verifying a signature and decoding a report, so adding up ten thousand takes seconds; going on from the
//! cache takes milliseconds (`benches/`). A cache that is missing, of another version, of another log or forged costs that time and
//! changes no figure, which the tests show.

use pg_logstats_audit::{IndexedEntry, Log};
use serde::{Deserialize, Serialize};

use super::tally::Begun;
use super::{Reserved, Tally};
use crate::authentic::Authentic;
use crate::error::GatewayError;
use crate::words::ActionClass;
use crate::workspace::Workspace;

/// Name of the cache in the workspace's `cache/`, with the version of its form.
const CACHE_FILE: &str = "usage-v1";
const PURPOSE: &str = "pg-logstats usage v1";
/// New entries that are added up again by the next process rather than cached: writing the cache is two fsyncs, reading sixteen
/// entries is as much.
const UNCACHED_ENTRIES: u64 = 16;

/// A log that was added up to some place: what is cached, and what a process keeps from one count to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// Entries that were added up.
    size: u64,
    /// Id and SHA-256 of the last of them.
    last: Option<(String, String)>,
    tally: Tally,
}

/// Adds up one log.
#[derive(Debug)]
pub struct Counter<'a> {
    log: &'a Log,
    workspace: &'a Workspace,
}

/// What of an intent counts. The rest is not decoded: a count must not depend on what a report looks like.
#[derive(Deserialize)]
struct IntentPayload {
    body: Detail<IntentDetail>,
}

#[derive(Deserialize)]
struct IntentDetail {
    database_id: String,
    action_class: ActionClass,
    reserved: Reserved,
}

/// What of an outcome counts.
#[derive(Deserialize)]
struct OutcomePayload {
    body: Detail<OutcomeDetail>,
}

#[derive(Deserialize)]
struct OutcomeDetail {
    intent_record_id: String,
    duration_us: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct Detail<T> {
    detail: T,
}

impl<'a> Counter<'a> {
    /// Of `log`, with its cache in `workspace`.
    pub fn new(log: &'a Log, workspace: &'a Workspace) -> Self {
        Self { log, workspace }
    }

    /// The tally of the log as it is now.
    ///
    /// # Errors
    /// When the log cannot be read, does not verify, or has an action that does not load.
    pub fn tally(&self) -> Result<Tally, GatewayError> {
        let mut counted = Counted::default();
        self.count_on(&mut counted)?;
        Ok(counted.tally)
    }

    /// The tally of the log as it is now, going on from `counted`, which is as the cache: it counts for nothing when it is not of
    /// this log. After an error it still says what had been added up before.
    ///
    /// # Errors
    /// As [`Counter::tally`].
    pub fn count_on<'c>(&self, counted: &'c mut Counted) -> Result<&'c Tally, GatewayError> {
        if counted.size == 0 || !self.is_of_this_log(counted)? {
            *counted = self.load().unwrap_or_default();
            if !self.is_of_this_log(counted)? {
                *counted = Counted::default();
            }
        }
        let first = counted.size;
        for indexed in self.log.entries_from(first)? {
            let indexed = indexed?;
            self.count(&mut counted.tally, &indexed)?;
            counted.size = indexed.index + 1;
            counted.last = Some(identity(&indexed));
        }
        if counted.size - first > UNCACHED_ENTRIES {
            self.store(counted);
        }
        Ok(&counted.tally)
    }

    /// Whether the log has, where the cache ends, the record that it ends with. Ids are of chance and digests of signed bytes, so a log
    /// that was put in its place, or one that was rolled back and went on, has another one there.
    fn is_of_this_log(&self, counted: &Counted) -> Result<bool, GatewayError> {
        let (Some(last), Some(index)) = (&counted.last, counted.size.checked_sub(1)) else {
            return Ok(counted.size == 0);
        };
        match self.log.entries_from(index)?.next() {
            Some(entry) => Ok(identity(&entry?) == *last),
            None => Ok(false),
        }
    }

    fn count(&self, tally: &mut Tally, indexed: &IndexedEntry) -> Result<(), GatewayError> {
        let entry = &indexed.entry;
        match entry.kind.as_str() {
            "intent" => {
                let IntentPayload { body } = self.payload(&entry.id)?;
                tally.begin(Begun {
                    record_id: &entry.id,
                    index: indexed.index,
                    at_us: entry.created_us,
                    incident: entry.incident.as_deref().unwrap_or_default(),
                    database_id: &body.detail.database_id,
                    reserved: body.detail.reserved,
                    is_explain_analyze: body.detail.action_class == ActionClass::ExplainAnalyze,
                });
            }
            "outcome" => {
                let OutcomePayload { body } = self.payload(&entry.id)?;
                let outcome = body.detail;
                tally.settle(&outcome.intent_record_id, outcome.duration_us, outcome.bytes);
            }
            _ => {}
        }
        Ok(())
    }

    fn payload<T: serde::de::DeserializeOwned>(&self, id: &str) -> Result<T, GatewayError> {
        let record = self.log.read(id)?;
        serde_json::from_slice(&record.payload).map_err(|e| {
            GatewayError::Uncountable(format!(
                "the record `{id}` of an action cannot be counted ({e}), so no action may run; it was sealed by another version of \
                 pg-logstats: begin a new workspace, and keep the old one for its audit log"
            ))
        })
    }

    fn load(&self) -> Option<Counted> {
        serde_json::from_slice(&self.files().read(CACHE_FILE)?).ok()
    }

    /// Without the cache the next count takes longer; nothing else depends on it.
    fn store(&self, counted: &Counted) {
        if let Ok(json) = serde_json::to_vec(counted) {
            self.files().write(CACHE_FILE, &json);
        }
    }

    fn files(&self) -> Authentic<'a> {
        Authentic::new(self.workspace, PURPOSE)
    }
}

fn identity(indexed: &IndexedEntry) -> (String, String) {
    (indexed.entry.id.clone(), indexed.entry.digest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::new_id;

    const AT_US: i64 = 1_790_000_000_000_000;

    struct Bench {
        _dir: tempfile::TempDir,
        workspace: Workspace,
        log: Log,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let workspace = Workspace::open(Some(dir.path())).unwrap();
            let log = workspace.audit_log(Box::new(workspace.file_key().unwrap())).unwrap();
            Self {
                _dir: dir,
                workspace,
                log,
            }
        }

        fn append(&self, kind: &str, body: &serde_json::Value) -> String {
            let id = new_id("it", AT_US).unwrap();
            let payload = serde_json::json!({"body": {"kind": kind, "detail": body}});
            self.log
                .append_with(kind, &id, Some("in_1"), AT_US, |_| serde_json::to_vec(&payload))
                .unwrap();
            id
        }

        fn act(&self) {
            let intent = serde_json::json!({
                "database_id": "db_a", "action_class": "explain_analyze", "reserved": {"database_ms": 100, "bytes": 50}, "more": 1,
            });
            let id = self.append("intent", &intent);
            let outcome = serde_json::json!({"intent_record_id": id, "duration_us": 2_000, "bytes": 5});
            self.append("outcome", &outcome);
        }

        fn count(&self) -> Tally {
            Counter::new(&self.log, &self.workspace).tally().unwrap()
        }

        fn cache(&self) -> Option<Vec<u8>> {
            self.workspace.read_cache(CACHE_FILE).unwrap()
        }
    }

    #[test]
    fn a_cache_gives_the_figures_of_the_log_and_no_others() {
        let bench = Bench::new();
        assert_eq!(bench.count(), Tally::default());
        for _ in 0..20 {
            bench.act();
        }
        let whole = bench.count();
        let sums = whole.incident("in_1");
        assert_eq!(
            (sums.actions, sums.database_us, sums.bytes, sums.explain_analyze),
            (20, 40_000, 100, 20)
        );
        let cache = bench.cache().expect("forty entries are worth a cache");
        assert_eq!(bench.count(), whole, "from the cache");
        bench.act();
        assert_eq!(bench.count().incident("in_1").actions, 21, "and on from it");

        // Forged: somebody who may write the file, but has no key, says that nothing was used.
        let mut forged = cache.clone();
        let json = serde_json::to_vec(&Counted {
            size: 40,
            ..Counted::default()
        });
        forged.truncate(32);
        forged.extend(json.unwrap());
        for file in [forged, cache[..cache.len() - 1].to_vec(), Vec::new(), b"x".to_vec()] {
            bench.workspace.write_cache(CACHE_FILE, &file).unwrap();
            assert_eq!(bench.count().incident("in_1").actions, 21);
        }
        // Of an earlier time of this log: still right, and counted on from.
        bench.workspace.write_cache(CACHE_FILE, &cache).unwrap();
        assert_eq!(bench.count().incident("in_1").actions, 21);
    }

    #[test]
    fn a_cache_of_another_log_of_the_same_key_does_not_count() {
        let (bench, other) = (Bench::new(), Bench::new());
        for _ in 0..20 {
            bench.act();
        }
        bench.count();
        // The same key, as after restoring a backup of the workspace; another log.
        let key = bench.workspace.cache_key().unwrap();
        std::fs::create_dir_all(other.workspace.path().join("keys")).unwrap();
        std::fs::write(other.workspace.path().join("keys/cache.key"), key).unwrap();
        other
            .workspace
            .write_cache(CACHE_FILE, &bench.cache().unwrap())
            .unwrap();
        assert_eq!(other.count(), Tally::default(), "an empty log");
        for _ in 0..25 {
            other.act();
        }
        other
            .workspace
            .write_cache(CACHE_FILE, &bench.cache().unwrap())
            .unwrap();
        assert_eq!(other.count().incident("in_1").actions, 25);
    }

    #[test]
    fn a_process_goes_on_from_what_it_counted_and_from_no_other_log() {
        let (bench, other) = (Bench::new(), Bench::new());
        let mut counted = Counted::default();
        for actions in 1..=3 {
            bench.act();
            let tally = Counter::new(&bench.log, &bench.workspace)
                .count_on(&mut counted)
                .unwrap();
            assert_eq!(*tally, bench.count());
            assert_eq!(tally.incident("in_1").actions, actions);
        }
        assert_eq!(counted.size, 6);
        assert!(
            bench.cache().is_none(),
            "a few entries are counted again by the next process"
        );
        // Of a log that is as long, and of one that is shorter.
        other.act();
        for _ in 0..3 {
            let mut counted = serde_json::from_slice(&serde_json::to_vec(&counted).unwrap()).unwrap();
            let tally = Counter::new(&other.log, &other.workspace)
                .count_on(&mut counted)
                .unwrap()
                .clone();
            assert_eq!(tally, other.count());
            other.act();
        }
        // What cannot be counted is met again each time, and what was counted before stays right.
        bench.append("intent", &serde_json::json!({"database_id": "db_a"}));
        for _ in 0..2 {
            let refused = Counter::new(&bench.log, &bench.workspace).count_on(&mut counted);
            assert!(refused.unwrap_err().to_string().contains("cannot be counted"));
            assert_eq!(counted.size, 6);
        }
    }

    #[test]
    fn an_action_that_cannot_be_counted_stops_everything() {
        let bench = Bench::new();
        bench.append("intent", &serde_json::json!({"database_id": "db_a"}));
        let error = Counter::new(&bench.log, &bench.workspace).tally().unwrap_err();
        assert!(error.to_string().contains("cannot be counted"), "{error}");
    }
}

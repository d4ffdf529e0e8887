//! `runbook list --usage`: what the runs of each runbook used, as the audit log tells.
//!
//! **In**: the verified log. **Out**: one [`RunbookUsage`] for each component that ran. **Trusted**: the log, which is verified as it is
//! read. **Can fail**: when the log cannot be read or does not verify, or has a report whose runbook cannot be told; a sum that leaves
//! something out would be no sum.
//!
//! Memory does not grow with the log: each figure is kept as a histogram with two digits, so a median is within 1 %, and a maximum is exact.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::report::SCHEMA_VERSION;

/// Digits of a histogram.
const DIGITS: u8 = 2;

/// What the runs of all runbooks used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookUsageList {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// By name, version and digest.
    pub runbooks: Vec<RunbookUsage>,
}

/// What the runs of one component used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookUsage {
    /// Its name; `unknown` when it never came to say it.
    pub name: String,
    /// Its version, likewise.
    pub version: String,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// Runs, those that failed included.
    pub runs: u64,
    /// Failed runs by the code of the failure.
    pub failures: BTreeMap<String, u64>,
    /// WebAssembly fuel.
    pub fuel: Spread,
    /// Requests that the host answered and recorded.
    pub requests: Spread,
    /// Calls of `request`.
    pub host_calls: Spread,
    /// The most linear memory.
    pub peak_memory_bytes: Spread,
    /// Size of the answer.
    pub output_bytes: Spread,
    /// Time of the call.
    pub wall_time_us: Spread,
}

/// One figure over the runs in which something of the runbook ran. Zero when there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Within 1 %.
    pub median: u64,
    /// Exact.
    pub max: u64,
}

/// What of a report counts. The rest is not decoded: a count must not depend on what a report looks like.
#[derive(Deserialize)]
struct Payload {
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    report: CountedReport,
}

#[derive(Deserialize)]
struct CountedReport {
    runbook: CountedRunbook,
}

#[derive(Deserialize)]
struct CountedRunbook {
    name: String,
    version: String,
    digest: String,
    usage: CountedUsage,
    failure: Option<CountedFailure>,
}

/// Builds before this one sealed fuel and requests alone.
#[derive(Deserialize)]
struct CountedUsage {
    fuel: u64,
    requests: u64,
    host_calls: Option<u64>,
    peak_memory_bytes: Option<u64>,
    output_bytes: Option<u64>,
    wall_time_us: Option<u64>,
}

#[derive(Deserialize)]
struct CountedFailure {
    code: String,
}

impl Gateway {
    /// What the runs used that the workspace's audit log has.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify, or has a report that cannot be counted.
    pub fn runbook_usage(&self) -> Result<RunbookUsageList, GatewayError> {
        let mut runbooks: BTreeMap<String, Tally> = BTreeMap::new();
        for indexed in self.log.entries()? {
            let entry = indexed?.entry;
            // The two kinds of record that have a report.
            if !matches!(entry.kind.as_str(), "triage" | "outcome") {
                continue;
            }
            let record = self.log.read(&entry.id)?;
            let payload: Payload = serde_json::from_slice(&record.payload).map_err(|e| {
                GatewayError::Uncountable(format!(
                    "the report in record `{}` cannot be counted ({e}); it was sealed by another version of pg-logstats: count with that \
                     version, or begin a new workspace",
                    entry.id
                ))
            })?;
            let run = payload.body.detail.report.runbook;
            if !runbooks.contains_key(&run.digest) {
                runbooks.insert(run.digest.clone(), Tally::new()?);
            }
            if let Some(tally) = runbooks.get_mut(&run.digest) {
                tally.count(run);
            }
        }
        let mut runbooks: Vec<RunbookUsage> = runbooks
            .into_iter()
            .map(|(digest, tally)| tally.finish(digest))
            .collect();
        runbooks.sort_by(|a, b| (&a.name, &a.version, &a.digest).cmp(&(&b.name, &b.version, &b.digest)));
        Ok(RunbookUsageList {
            schema_version: SCHEMA_VERSION,
            runbooks,
        })
    }
}

/// The runs of one component so far.
struct Tally {
    name: String,
    version: String,
    runs: u64,
    failures: BTreeMap<String, u64>,
    fuel: Figure,
    requests: Figure,
    host_calls: Figure,
    peak_memory_bytes: Figure,
    output_bytes: Figure,
    wall_time_us: Figure,
}

impl Tally {
    fn new() -> Result<Self, GatewayError> {
        Ok(Self {
            name: UNKNOWN.to_owned(),
            version: UNKNOWN.to_owned(),
            runs: 0,
            failures: BTreeMap::new(),
            fuel: Figure::new()?,
            requests: Figure::new()?,
            host_calls: Figure::new()?,
            peak_memory_bytes: Figure::new()?,
            output_bytes: Figure::new()?,
            wall_time_us: Figure::new()?,
        })
    }

    fn count(&mut self, run: CountedRunbook) {
        self.runs += 1;
        // A component always has the same name; some runs end before it says it.
        if run.name != UNKNOWN {
            (self.name, self.version) = (run.name, run.version);
        }
        if let Some(failure) = run.failure {
            let failures = self.failures.entry(failure.code).or_default();
            *failures += 1;
        }
        let usage = run.usage;
        if usage.fuel == 0 {
            // Nothing of it ran.
            return;
        }
        self.fuel.add(Some(usage.fuel));
        self.requests.add(Some(usage.requests));
        self.host_calls.add(usage.host_calls);
        self.peak_memory_bytes.add(usage.peak_memory_bytes);
        self.output_bytes.add(usage.output_bytes);
        self.wall_time_us.add(usage.wall_time_us);
    }

    fn finish(self, digest: String) -> RunbookUsage {
        RunbookUsage {
            name: self.name,
            version: self.version,
            digest,
            runs: self.runs,
            failures: self.failures,
            fuel: self.fuel.spread(),
            requests: self.requests.spread(),
            host_calls: self.host_calls.spread(),
            peak_memory_bytes: self.peak_memory_bytes.spread(),
            output_bytes: self.output_bytes.spread(),
            wall_time_us: self.wall_time_us.spread(),
        }
    }
}

/// As reports have it for a run that ended before the runbook said its name.
const UNKNOWN: &str = "unknown";

/// The values of one figure.
struct Figure {
    values: Histogram<u64>,
    max: u64,
}

impl Figure {
    fn new() -> Result<Self, GatewayError> {
        // It resizes itself up to 64 bits: some hundred kilobytes at most.
        let values = Histogram::new(DIGITS).map_err(|e| GatewayError::Internal(e.to_string()))?;
        Ok(Self { values, max: 0 })
    }

    fn add(&mut self, value: Option<u64>) {
        let Some(value) = value else { return };
        // A histogram ends where its buckets do; `saturating_record` would not let it grow first.
        let _ = self.values.record(value.min(i64::MAX as u64));
        self.max = self.max.max(value);
    }

    fn spread(&self) -> Spread {
        Spread {
            // The histogram names the upper end of a bucket, which may lie above the largest value.
            median: self.values.value_at_quantile(0.5).min(self.max),
            max: self.max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fuel: u64, failure: Option<&str>) -> CountedRunbook {
        CountedRunbook {
            name: if fuel == 0 { UNKNOWN } else { "t" }.to_owned(),
            version: if fuel == 0 { UNKNOWN } else { "1.2.0" }.to_owned(),
            digest: "sha256:00".to_owned(),
            usage: CountedUsage {
                fuel,
                requests: 3,
                host_calls: None,
                peak_memory_bytes: Some(65_536),
                output_bytes: Some(fuel / 1000),
                wall_time_us: Some(fuel / 100),
            },
            failure: failure.map(|code| CountedFailure { code: code.to_owned() }),
        }
    }

    #[test]
    fn medians_are_within_one_percent_and_maxima_exact() {
        let mut tally = Tally::new().unwrap();
        for n in 1..=1_001 {
            tally.count(run(n * 12_345, None));
        }
        tally.count(run(u64::MAX, Some("out_of_time")));
        tally.count(run(0, Some("not_a_component")));
        let usage = tally.finish("sha256:00".to_owned());
        assert_eq!(
            (usage.name.as_str(), usage.version.as_str(), usage.runs),
            ("t", "1.2.0", 1_003)
        );
        let failures: Vec<(&str, u64)> = usage.failures.iter().map(|(code, n)| (code.as_str(), *n)).collect();
        assert_eq!(failures, [("not_a_component", 1), ("out_of_time", 1)]);
        let exact = 501 * 12_345;
        assert!(usage.fuel.median.abs_diff(exact) <= exact / 100, "{:?}", usage.fuel);
        assert_eq!(usage.fuel.max, u64::MAX);
        assert_eq!(usage.requests, Spread { median: 3, max: 3 });
        assert_eq!(usage.host_calls, Spread::default(), "earlier builds did not tell");
        assert_eq!(
            usage.peak_memory_bytes,
            Spread {
                median: 65_536,
                max: 65_536
            }
        );
    }
}

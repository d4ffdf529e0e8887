//! A component on its fixtures: the contract, determinism, snapshots, lint.
//!
//! **In**: a component on the bench, fixtures, the folder of snapshots. **Out**: what came of each fixture, and [`Problem`]s. **Trusted**:
//! nothing. **Can fail**: when a snapshot cannot be read or written; all that the runbook does is a problem and no error.
//!
//! Outcomes without rows are not recorded but made: each declared action on each fixture, in each way in which an action can
//! end. So what a runbook says when there is no answer is tested without anybody having to make a server fail.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::{Bench, Ran, Used, phase};
use super::difference::{Difference, differences};
use super::fixtures::{Fixture, files, name};
use super::lint::{self, Problem};
use super::said::Said;
use super::{AuthorError, build};
use crate::ambient;
use crate::catalogue::Catalogue;
use crate::outcome::{ActionOutcome, OUTCOME_VERSION, RecordedOutcome};
use crate::runbook::RunbookError;
use crate::runbook::requests::Answer;
use crate::words::OutcomeStatus;

/// The folder of a project that snapshots are in.
const FOLDER: &str = "snapshots";
/// Version of [`Snapshot`].
const SNAPSHOT_FILE_VERSION: u32 = 1;
/// Largest snapshot.
const BYTES: u64 = 16 << 20;

/// How an action can end.
const ENDS: [OutcomeStatus; 6] = [
    OutcomeStatus::Ok,
    OutcomeStatus::TimedOut,
    OutcomeStatus::Cancelled,
    OutcomeStatus::InsufficientPrivilege,
    OutcomeStatus::Unavailable,
    OutcomeStatus::Failed,
];

/// What came of one fixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixtureResult {
    /// The fixture's name.
    pub name: String,
    /// `triage`, or `interpret` for a recorded outcome.
    pub phase: String,
    /// Against the snapshot.
    pub snapshot: SnapshotState,
    /// Where it differs from the snapshot.
    pub differences: Vec<Difference>,
    /// Findings of the runbook.
    pub findings: u64,
    /// Insights.
    pub insights: u64,
    /// Next actions.
    pub next_actions: u64,
    /// Requests that it made.
    pub requests: u64,
    /// Fuel that it used.
    pub fuel: u64,
}

/// What a run is against its snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotState {
    /// The same.
    Matches,
    /// Not the same.
    Differs,
    /// There is none.
    Missing,
    /// It was written now.
    Written,
    /// The run failed, so there is nothing to compare.
    Failed,
}

impl SnapshotState {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Written => "written",
            Self::Failed => "failed",
        }
    }
}

/// A snapshot file: what the runbook said, or the sentence that it gave up with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    snapshot_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gave_up: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
}

/// What came of all.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) fixtures: Vec<FixtureResult>,
    pub(super) problems: Vec<Problem>,
}

/// Runs `bench` on `fixtures` of the project in `folder`; `bless` renews its snapshots.
pub(super) fn check(
    bench: &Bench,
    catalogue: &Arc<Catalogue>,
    fixtures: &[Fixture],
    folder: &Path,
    bless: bool,
) -> Result<Checked, AuthorError> {
    let mut checker = Checker {
        bench,
        catalogue,
        used: Used::default(),
        problems: Vec::new(),
    };
    let mut results = Vec::new();
    for fixture in fixtures {
        results.push(checker.fixture(fixture, folder, bless)?);
    }
    let Checker { used, mut problems, .. } = checker;
    // After a run that ended half-way, what it would have used is not known.
    if problems.iter().all(|problem| problem.code != FAILED) {
        problems.extend(lint::unused(&bench.descriptor, catalogue, &used));
    }
    for path in files(&folder.join(FOLDER))? {
        let Some(snapshot) = name(&path) else { continue };
        if !fixtures.iter().any(|fixture| fixture.name == snapshot) {
            problems.push(Problem::new(
                "snapshot_without_fixture",
                format!("`{}` belongs to no fixture; remove it", path.display()),
            ));
        }
    }
    Ok(Checked {
        fixtures: results,
        problems,
    })
}

/// A run that gave no assessment.
const FAILED: &str = "runbook_failed";

struct Checker<'a> {
    bench: &'a Bench,
    catalogue: &'a Arc<Catalogue>,
    used: Used,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn fixture(&mut self, fixture: &Fixture, folder: &Path, bless: bool) -> Result<FixtureResult, AuthorError> {
        let ran = self.twice(fixture, fixture.outcome.as_ref(), "");
        for outcome in self.made_outcomes(fixture, &ran) {
            let how = format!(
                " (an outcome of `{}` that is {})",
                outcome.target_id, outcome.outcome.status
            );
            let made = self.twice(fixture, Some(&outcome), &how);
            self.judge(fixture, &made, &how);
            self.used.absorb(made.used);
        }
        self.judge(fixture, &ran, "");
        let count = |n: usize| n as u64;
        let said = ran.conclusion.as_ref().ok();
        let (snapshot, differences) = self.compare(fixture, &ran, folder, bless)?;
        let result = FixtureResult {
            name: fixture.name.clone(),
            phase: phase(fixture.outcome.as_ref()),
            snapshot,
            differences,
            findings: said.map_or(0, |it| count(it.findings.len())),
            insights: said.map_or(0, |it| count(it.insights.len())),
            next_actions: said.map_or(0, |it| count(it.next_actions.len())),
            requests: count(ran.requests.entries.len()),
            fuel: ran.fuel,
        };
        self.used.absorb(ran.used);
        Ok(result)
    }

    /// Two runs of the same input, which have to come to the same.
    fn twice(&mut self, fixture: &Fixture, outcome: Option<&RecordedOutcome>, how: &str) -> Ran {
        let run = || {
            self.bench
                .run(self.catalogue, &fixture.snapshot, &fixture.evidence_digest, outcome)
        };
        let (ran, again) = (run(), run());
        if bytes(&ran) != bytes(&again) {
            self.problems.push(Problem::of(
                &fixture.name,
                "not_deterministic",
                format!(
                    "two runs of the same input gave different results{how}; nothing may depend on addresses or on the order of a hash map"
                ),
            ));
        }
        ran
    }

    /// What is wrong with a run by itself.
    fn judge(&mut self, fixture: &Fixture, ran: &Ran, how: &str) {
        let name = &fixture.name;
        let found = match &ran.conclusion {
            Ok(assessment) => lint::without_reason(name, &Said::new(assessment, &ran.requests)),
            // That is for its snapshot to judge.
            Err(RunbookError::GaveUp(_)) if how.is_empty() => Vec::new(),
            Err(error) => vec![Problem::of(name, FAILED, format!("{}: {error}{how}", error.code()))],
        };
        for problem in found.into_iter().chain(lint::mistaken_requests(name, &ran.requests)) {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// Outcomes without rows of every declared action, about the subjects that the run asked about.
    fn made_outcomes(&self, fixture: &Fixture, ran: &Ran) -> Vec<RecordedOutcome> {
        if fixture.outcome.is_some() {
            return Vec::new();
        }
        let known = self.bench.descriptor.actions().filter_map(|id| self.catalogue.get(id));
        let made = known.flat_map(|action| {
            let subjects = ran.requests.entries.iter().find_map(|entry| match &entry.answer {
                Answer::Offered {
                    action_id, parameters, ..
                } if *action_id == action.id => Some(parameters.iter().map(|it| it.subject.clone()).collect()),
                _ => None,
            });
            let subjects: Vec<String> = subjects.unwrap_or_default();
            ENDS.map(|status| RecordedOutcome {
                outcome_version: OUTCOME_VERSION,
                target_id: action.id.clone(),
                subjects: subjects.clone(),
                outcome: ActionOutcome {
                    status,
                    sqlstate: None,
                    detail: None,
                    columns: action.columns.iter().map(|column| column.name.clone()).collect(),
                    rows: Vec::new(),
                    plan: Vec::new(),
                    duration_us: 1_000,
                    bytes: 0,
                },
            })
        });
        made.collect()
    }

    fn compare(
        &mut self,
        fixture: &Fixture,
        ran: &Ran,
        folder: &Path,
        bless: bool,
    ) -> Result<(SnapshotState, Vec<Difference>), AuthorError> {
        let now = match &ran.conclusion {
            Ok(assessment) => Snapshot::of(Some(Said::new(assessment, &ran.requests)), None),
            Err(RunbookError::GaveUp(sentence)) => Snapshot::of(None, Some(sentence.clone())),
            Err(_) => return Ok((SnapshotState::Failed, Vec::new())),
        };
        let path = folder.join(FOLDER).join(format!("{}.json", fixture.name));
        let before = Snapshot::read(&path, bless)?;
        if before.as_ref() == Some(&now) {
            return Ok((SnapshotState::Matches, Vec::new()));
        }
        if bless {
            now.write(&path)?;
            return Ok((SnapshotState::Written, Vec::new()));
        }
        let Some(before) = before else {
            self.problems.push(Problem::of(
                &fixture.name,
                "snapshot_missing",
                "there is no snapshot of this fixture; look at what the runbook says of it, and run `pg-logstats runbook test --bless`",
            ));
            return Ok((SnapshotState::Missing, Vec::new()));
        };
        self.problems.push(Problem::of(
            &fixture.name,
            "snapshot_differs",
            "the runbook does not say what its snapshot says; mend it, or run `pg-logstats runbook test --bless` if the change is meant",
        ));
        Ok((SnapshotState::Differs, before.differences(&now)))
    }
}

/// What two runs of the same input have to agree in.
fn bytes(ran: &Ran) -> (Option<String>, Option<String>) {
    let said = match &ran.conclusion {
        Ok(assessment) => serde_json::to_string(assessment).ok(),
        Err(error) => Some(error.to_string()),
    };
    (said, serde_json::to_string(&ran.requests).ok())
}

impl Snapshot {
    fn of(said: Option<Said>, gave_up: Option<String>) -> Self {
        Self {
            snapshot_version: SNAPSHOT_FILE_VERSION,
            gave_up,
            said,
        }
    }

    /// None when it is missing, and when it cannot be read and is going to be replaced.
    fn read(path: &Path, is_replaced: bool) -> Result<Option<Self>, AuthorError> {
        let bytes = match ambient::read_file(path, "snapshot", BYTES) {
            Ok(bytes) => bytes,
            Err(ambient::OpenError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let read: Result<Self, _> = serde_json::from_slice(&bytes);
        match read {
            Ok(snapshot) if snapshot.snapshot_version == SNAPSHOT_FILE_VERSION => Ok(Some(snapshot)),
            _ if is_replaced => Ok(None),
            Ok(_) => Err(AuthorError::file(
                path,
                "it was written by another version of pg-logstats; run `pg-logstats runbook test --bless`",
            )),
            Err(error) => Err(AuthorError::file(
                path,
                &format!("it is no snapshot: {error}; run `pg-logstats runbook test --bless` to write it anew"),
            )),
        }
    }

    fn write(&self, path: &Path) -> Result<(), AuthorError> {
        let mut json = serde_json::to_string_pretty(self).map_err(|e| AuthorError::file(path, &e.to_string()))?;
        json.push('\n');
        build::replace(path, json.as_bytes())
    }

    fn differences(&self, now: &Self) -> Vec<Difference> {
        if self.gave_up == now.gave_up {
            let nothing = Said::default();
            return differences(
                self.said.as_ref().unwrap_or(&nothing),
                now.said.as_ref().unwrap_or(&nothing),
            );
        }
        vec![Difference::of_failure(
            "the runbook gave up",
            self.gave_up.clone(),
            now.gave_up.clone(),
        )]
    }
}

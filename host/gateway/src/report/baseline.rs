//! The baseline in a report: what was read for it, and how families got worse since.

use pg_logstats_logs::compare::{Comparison, Figures};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::views::{ms, word};
use super::{AnalysisWindow, Finding, Limitation, Metric, SourceSummary};
use crate::subjects::Subjects;

/// What the logs were compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// First and last instant of the entries that were counted.
    pub analysis_window: Option<AnalysisWindow>,
    /// What was read.
    pub source_summary: SourceSummary,
    /// What its input could not tell.
    pub limitations: Vec<Limitation>,
    /// Executions of all its families.
    pub execution_count: u64,
    /// What they took.
    pub total_duration_ms: f64,
    /// Families with executions on both sides.
    pub common_families: u64,
    /// Families of the target that the baseline has under other roles or applications only.
    pub renamed_families: u64,
    /// Families of the target that the baseline does not have.
    pub absent_families: u64,
    /// Families of the target that ran too seldom to be compared.
    pub rare_families: u64,
    /// What these took in the target.
    pub rare_duration_ms: f64,
    /// Differences that were tested; every `p_value` is corrected for their number.
    pub tests: u64,
    /// Families that got worse, those included that no finding is about.
    pub regressions: u64,
}

impl Baseline {
    /// The baseline of `comparison`; `kind` says where the evidence came from.
    pub fn new(kind: &str, comparison: &Comparison) -> Self {
        let side = &comparison.baseline;
        Self {
            analysis_window: side.window.map(AnalysisWindow::new),
            source_summary: SourceSummary::of(kind, &comparison.baseline_source, side.family_count),
            limitations: comparison.baseline_limitations.iter().map(Into::into).collect(),
            execution_count: side.execution_count,
            total_duration_ms: ms(side.total_duration_us),
            common_families: comparison.common_families,
            renamed_families: comparison.renamed_families,
            absent_families: comparison.absent_families,
            rare_families: comparison.rare_families,
            rare_duration_ms: ms(comparison.rare_duration_us),
            tests: comparison.tests,
            regressions: (comparison.regressions.len() as u64).saturating_add(comparison.regressions_dropped),
        }
    }
}

/// How a family got worse since the baseline, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionView {
    /// `absent_in_baseline`, `p95_regressed`, `contribution_increased`; those that hold.
    pub reasons: Vec<String>,
    /// `burst`, `incomplete`, `baseline_incomplete`, `logging_differs`: why it may be none after all.
    pub doubts: Vec<String>,
    /// The baseline's figures are of the same statement in the same database, run by other roles or applications.
    pub under_other_names: bool,
}

impl Finding {
    /// Adds the host's own figures of both sides, when the evidence has them for `subject`.
    pub(super) fn tell_regression(&mut self, subject: Option<&str>, subjects: &Subjects) {
        let Some((found, (target_us, baseline_us))) = subject.and_then(|id| subjects.regression(id)) else {
            return;
        };
        self.regression = Some(RegressionView {
            reasons: found.reasons.iter().map(word).collect(),
            doubts: found.doubts.iter().map(word).collect(),
            under_other_names: found.under_other_names,
        });
        let mut tell = |name: &str, value: Metric| {
            self.metrics.insert(name.to_owned(), value);
        };
        tell("excess_duration_ms", Metric::Number(ms(found.excess_duration_us)));
        tell("p_value", Metric::Number(found.chance()));
        tell("share", share(found.target.total_duration_us, target_us));
        let Some(known) = &found.baseline else { return };
        for (name, value) in side(known) {
            tell(&format!("baseline_{name}"), value);
        }
        tell("baseline_share", share(known.total_duration_us, baseline_us));
        let ratios = [
            ("mean_ratio", found.target.mean_duration_us, known.mean_duration_us),
            ("p95_ratio", found.target.p95_duration_us, known.p95_duration_us),
        ];
        for (name, ours, theirs) in ratios.into_iter().filter(|(_, _, theirs)| *theirs > 0) {
            tell(name, Metric::Number(rounded(float(ours) / float(theirs), 100.0)));
        }
    }
}

fn side(figures: &Figures) -> [(&'static str, Metric); 7] {
    let duration = |us: u64| Metric::Number(ms(us));
    [
        ("execution_count", Metric::Count(figures.execution_count)),
        ("total_duration_ms", duration(figures.total_duration_us)),
        ("mean_duration_ms", duration(figures.mean_duration_us)),
        ("p50_duration_ms", duration(figures.p50_duration_us)),
        ("p95_duration_ms", duration(figures.p95_duration_us)),
        ("p99_duration_ms", duration(figures.p99_duration_us)),
        ("max_duration_ms", duration(figures.max_duration_us)),
    ]
}

/// Part of all statement time, 1.0 is all of it; to a hundredth of a per cent.
fn share(part_us: u64, whole_us: u64) -> Metric {
    let share = if whole_us == 0 {
        0.0
    } else {
        float(part_us) / float(whole_us)
    };
    Metric::Number(rounded(share, 10_000.0))
}

fn rounded(n: f64, parts: f64) -> f64 {
    (n * parts).round() / parts
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn float(n: u64) -> f64 {
    n as f64
}

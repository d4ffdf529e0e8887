//! What is wrong with a logged plan, node by node. Figures of a node are for one loop, so sums over all loops are made here.

use pg_logstats_sdk::{LoggedPlanNode, PlanGroup, Ratio};

/// Rows that a scan must have thrown away in all its loops.
const SCAN_REMOVED_ROWS: u64 = 10_000;
/// The largest part that a selective filter keeps.
const SCAN_KEPT: f64 = 0.05;
/// How wrong an estimate must be.
const MISESTIMATE: f64 = 10.0;
/// The larger of estimated and actual rows must be this large for the error to matter.
const MISESTIMATE_ROWS: f64 = 1_000.0;
/// Runs of a nested loop's inner side.
const INNER_RUNS: u64 = 10_000;

/// The worst of each kind in one plan.
#[derive(Debug, Default)]
pub(crate) struct Faults<'a> {
    pub(crate) scan: Option<Scan<'a>>,
    pub(crate) spill: Option<Spill>,
    pub(crate) nested_runs: Option<u64>,
    pub(crate) estimate: Option<Estimate<'a>>,
}

/// A sequential scan that threw most rows away.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) relation: Option<&'a String>,
    pub(crate) removed: u64,
    pub(crate) kept: Ratio,
}

/// A sort or hash that went to disk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spill {
    Bytes(u64),
    /// Of blocks only.
    Blocks(u64),
}

/// An estimate that was far off.
#[derive(Debug)]
pub(crate) struct Estimate<'a> {
    pub(crate) relation: Option<&'a String>,
    pub(crate) factor: f64,
    pub(crate) planned: f64,
    pub(crate) actual: f64,
}

impl<'a> Faults<'a> {
    /// Those of the slowest plan of `group`.
    pub(crate) fn of(group: &'a PlanGroup) -> Self {
        let plan = &group.slowest_plan;
        Self {
            scan: plan.iter().filter_map(scan).max_by_key(|scan| scan.removed),
            spill: spill(plan),
            nested_runs: nested(plan),
            estimate: estimate(plan),
        }
    }

    /// How many kinds there are.
    pub(crate) fn count(&self) -> usize {
        usize::from(self.scan.is_some())
            + usize::from(self.spill.is_some())
            + usize::from(self.nested_runs.is_some())
            + usize::from(self.estimate.is_some())
    }

    /// The tables that are to be looked at, without doubles.
    pub(crate) fn relations(&self) -> Vec<&'a String> {
        let scan = self.scan.as_ref().and_then(|scan| scan.relation);
        let estimate = self.estimate.as_ref().and_then(|estimate| estimate.relation);
        let mut relations: Vec<&String> = scan.into_iter().chain(estimate).collect();
        relations.dedup();
        relations
    }
}

/// Whether a plan has what happened, and not only estimates.
pub(crate) fn has_run(group: &PlanGroup) -> bool {
    group.slowest_plan.iter().any(|node| loops(node).is_some())
}

fn loops(node: &LoggedPlanNode) -> Option<u64> {
    node.loops.filter(|&loops| loops > 0)
}

fn actual(node: &LoggedPlanNode) -> Option<f64> {
    loops(node)?;
    node.actual_rows.filter(|rows| rows.is_finite() && *rows >= 0.0)
}

fn scan(node: &LoggedPlanNode) -> Option<Scan<'_>> {
    if !node.node_type.ends_with("Seq Scan") {
        return None;
    }
    // For one loop the server writes the mean, so the part that is kept is that of all loops.
    let (rows, each) = (actual(node)?, node.rows_removed_by_filter?);
    let kept = Ratio::new(rows / (rows + each as f64).max(1.0))?;
    let removed = each.saturating_mul(loops(node)?);
    (removed >= SCAN_REMOVED_ROWS && kept.value() <= SCAN_KEPT).then_some(Scan {
        relation: node.relation.as_ref(),
        removed,
        kept,
    })
}

/// Bytes say more than blocks, which each node has of those below it.
fn spill(plan: &[LoggedPlanNode]) -> Option<Spill> {
    let most = |of: fn(&LoggedPlanNode) -> Option<u64>| plan.iter().filter_map(of).max().filter(|&n| n > 0);
    let bytes = most(|node| node.disk_bytes).map(Spill::Bytes);
    bytes.or_else(|| most(|node| node.temp_written_blocks).map(Spill::Blocks))
}

/// The second child of a nested loop is its inner side.
fn nested(plan: &[LoggedPlanNode]) -> Option<u64> {
    let joins = plan
        .iter()
        .enumerate()
        .filter(|(_, node)| node.node_type == "Nested Loop");
    let runs = joins.filter_map(|(position, _)| {
        let position = u32::try_from(position).ok()?;
        let inner = plan.iter().filter(|node| node.parent == Some(position)).nth(1)?;
        loops(inner)
    });
    runs.max().filter(|&runs| runs >= INNER_RUNS)
}

/// The worst estimate of a scan, or of any node where no scan's is off: errors grow upwards.
fn estimate(plan: &[LoggedPlanNode]) -> Option<Estimate<'_>> {
    let off = plan.iter().filter_map(|node| {
        let actual = actual(node)?;
        let planned = node.plan_rows.filter(|rows| rows.is_finite() && *rows >= 0.0)?;
        let (more, less) = (actual.max(planned).max(1.0), actual.min(planned).max(1.0));
        let matters = more / less >= MISESTIMATE && more >= MISESTIMATE_ROWS;
        (matters && !(actual < planned && may_have_stopped_early(plan, node))).then_some(Estimate {
            relation: node.relation.as_ref(),
            factor: more / less,
            planned,
            actual,
        })
    });
    off.max_by(|a, b| {
        let by_scan = a.relation.is_some().cmp(&b.relation.is_some());
        by_scan.then(a.factor.total_cmp(&b.factor))
    })
}

/// Fewer rows than expected are no error below a node that stops when it has enough.
fn may_have_stopped_early(plan: &[LoggedPlanNode], node: &LoggedPlanNode) -> bool {
    let parent_of = |node: &LoggedPlanNode| plan.get(usize::try_from(node.parent?).ok()?);
    let mut above = parent_of(node);
    // No plan is deeper than it has nodes; a cycle in what we are given ends here.
    for _ in 0..plan.len() {
        let Some(parent) = above else { return false };
        if matches!(parent.node_type.as_str(), "Limit" | "Merge Join") {
            return true;
        }
        above = parent_of(parent);
    }
    false
}

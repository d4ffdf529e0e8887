//! A gateway in the test's own process, for components that nobody vouches for: what a hostile runbook does to the host is seen there.

use std::path::Path;

use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::request::{LogChoice, RunbookChoice, TriageRequest};
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{Gateway, GatewayError, OpenOptions};
use sha2::{Digest as _, Sha256};

use crate::{Lab, fixture, schema};

/// What the whole test process may have had in memory: some times what one run may take, and far below what a hostile one wants.
/// Most of it is the compiler.
pub const PEAK_BYTES: u64 = 400 << 20;

/// Runs `component` on the demo's log, as if the operator trusted it.
///
/// # Errors
/// When there is no report. A runbook that fails gives one.
pub fn triage(lab: &Lab, component: &Path) -> Result<Report, GatewayError> {
    triage_log(lab, component, &fixture("shop.log"))
}

/// The same on another log.
///
/// # Errors
/// As above.
pub fn triage_log(lab: &Lab, component: &Path, log: &Path) -> Result<Report, GatewayError> {
    let digest = Sha256::digest(std::fs::read(component).unwrap()).into();
    let file = RunbookChoice::File(component.to_str().unwrap().to_owned());
    run(lab, Trust::builtin().with_pinned(digest, "test"), file, log)
}

/// Runs a built-in runbook in this process.
///
/// # Errors
/// When there is no report.
pub fn triage_builtin(lab: &Lab, workflow: &str) -> Result<Report, GatewayError> {
    let choice = RunbookChoice::Workflow(workflow.to_owned());
    run(lab, Trust::builtin(), choice, &fixture("shop.log"))
}

fn run(lab: &Lab, trust: Trust, runbook: RunbookChoice, log: &Path) -> Result<Report, GatewayError> {
    let options = OpenOptions {
        workspace: Some(lab.workspace()),
        operator: Some(lab.path().to_owned()),
        ..OpenOptions::default()
    };
    let request = TriageRequest::new(
        runbook,
        LogChoice {
            logs: vec![log.to_str().unwrap().to_owned()],
            threads: 1,
            ..LogChoice::default()
        },
    );
    let report = Gateway::open(&options, trust)?.triage(&request, &|_| ())?;
    schema::check("report", &serde_json::to_value(&report).unwrap());
    Ok(report)
}

/// Asserts that a decent runbook still runs in this process, that the log has `reports` reports with that one and verifies, and that
/// the process never took more memory than it may.
#[track_caller]
pub fn goes_on(lab: &Lab, reports: u64) {
    let decent = triage_builtin(lab, "query-families").unwrap();
    assert_eq!(decent.runbook.failure, None);
    assert!(!decent.findings.is_empty());
    assert_eq!(lab.verified_records(), reports, "every report is sealed");
    let peak = peak_bytes();
    assert!(peak < PEAK_BYTES, "the host had {peak} bytes in memory");
}

/// The most memory that this process had, by Linux' count (`VmHWM` in `proc(5)`).
pub fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

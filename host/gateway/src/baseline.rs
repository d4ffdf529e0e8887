//! What logs are compared with: `--baseline`.
//!
//! **In**: the names of logs and evidence files of a better time, and of the target's. **Out**: the baseline's [`Part`], read with the
//! target's options. **Trusted**: nothing. **Can fail**: as reading logs does, and when target and baseline are the same.

use pg_logstats_logs::{Part, Progress};

use crate::agent::LogAccess;
use crate::ambient;
use crate::error::GatewayError;
use crate::evidence_files;
use crate::request::{BaselineChoice, LogChoice};
use crate::untrusted::escape_control;

/// Reads the baseline. `target` is what it will be compared with.
///
/// # Errors
/// When it cannot be opened or read, is what the target is too, or its window makes no sense.
pub fn reduce(
    target: &LogChoice,
    baseline: &BaselineChoice,
    access: &LogAccess,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Part, GatewayError> {
    evidence_files::reduce(&input(target, baseline), access, progress)
}

/// Refuses a baseline that would be compared with itself, or read from what can be read only once.
///
/// # Errors
/// The usage error that says so.
pub fn check(target: &LogChoice, baseline: &BaselineChoice) -> Result<(), GatewayError> {
    let same_window = target.since == baseline.since && target.until == baseline.until;
    for log in &baseline.logs {
        let Some(twin) = target.logs.iter().find(|other| ambient::is_same(log, other)) else {
            continue;
        };
        let named = escape_control(twin);
        if twin == "-" {
            return Err(GatewayError::Usage(
                "standard input can be read once: name a file as the logs or as the --baseline".to_owned(),
            ));
        }
        if same_window {
            return Err(GatewayError::Usage(format!(
                "`{named}` is both target and baseline, with the same window; give --since and --until for the one, \
                 --baseline-since and --baseline-until for the other"
            )));
        }
    }
    Ok(())
}

fn input(target: &LogChoice, baseline: &BaselineChoice) -> LogChoice {
    LogChoice {
        logs: baseline.logs.clone(),
        since: baseline.since.clone(),
        until: baseline.until.clone(),
        is_baseline: true,
        ..target.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(names: &[&str], since: Option<&str>) -> LogChoice {
        LogChoice {
            logs: names.iter().map(|name| (*name).to_owned()).collect(),
            since: since.map(str::to_owned),
            ..LogChoice::default()
        }
    }

    fn baseline(names: &[&str], since: Option<&str>) -> BaselineChoice {
        let LogChoice { logs, since, until, .. } = logs(names, since);
        BaselineChoice { logs, since, until }
    }

    #[test]
    fn nothing_is_compared_with_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let (log, link, other) = (path("a.log"), path("b.log"), path("c.log"));
        std::fs::write(&log, "").unwrap();
        std::fs::write(&other, "").unwrap();
        std::os::unix::fs::symlink(&log, &link).unwrap();
        let told = |target: &[&str], since, names: &[&str], then| {
            check(&logs(target, since), &baseline(names, then))
                .err()
                .map(|e| e.to_string())
        };
        assert_eq!(told(&[&log], None, &[&other], None), None);
        let refused = told(&[&other, &log], None, &[&link], None).unwrap();
        assert!(
            refused.contains(&log) && refused.contains("--baseline-since"),
            "{refused}"
        );
        assert_eq!(told(&[&log], Some("1h"), &[&log], Some("25h")), None);
        assert!(told(&[&log], Some("1h"), &[&log], Some("1h")).is_some());
        let once = told(&["-"], Some("1h"), &["-"], None).unwrap();
        assert!(once.contains("standard input"), "{once}");
        assert_eq!(told(&["-"], None, &[&log], None), None);
    }

    #[test]
    fn what_is_wrong_with_a_baseline_is_told_by_its_flags() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("a.log");
        std::fs::write(&log, "").unwrap();
        let choice = BaselineChoice {
            until: Some("2h".to_owned()),
            ..baseline(&[log.to_str().unwrap()], Some("1h"))
        };
        let error = reduce(&LogChoice::default(), &choice, &LogAccess::Anywhere, &|_| {})
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("--baseline-since") && error.contains("--baseline-until"),
            "{error}"
        );
        let choice = BaselineChoice {
            since: Some("soon".to_owned()),
            ..choice
        };
        let error = reduce(&LogChoice::default(), &choice, &LogAccess::Anywhere, &|_| {})
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("--baseline-since: "), "{error}");
    }
}

//! The same component and the same evidence give the same bytes: in one process and another, from one thread and from eight at once, from
//! code that was just compiled and code out of the cache.

use std::path::Path;
use std::sync::Barrier;

use pg_logstats_gateway::report::Usage;
use pg_logstats_tests::{Lab, fixture, golden, host, regressed};
use serde_json::Value;

/// Of all built-in runbooks.
fn workflows() -> impl Iterator<Item = &'static str> {
    pg_logstats_builtin::all().iter().map(|runbook| runbook.workflow)
}
const THREADS: usize = 8;

/// All of a sealed report that the runbook, its input and the host's answers determine, as bytes.
fn determined(lab: &Lab, report_id: &str) -> String {
    let sealed = lab.json(&["audit", "show", report_id]);
    let detail = &sealed["body"]["detail"];
    let mut usage: Usage = serde_json::from_value(detail["report"]["runbook"]["usage"].clone()).unwrap();
    assert!(usage.fuel > 0 && usage.output_bytes > 0 && usage.peak_memory_bytes > 0 && usage.wall_time_us > 0);
    usage.wall_time_us = 0;
    let mut report = detail["report"].clone();
    report["runbook"]["usage"] = Value::Null;
    // Its place in the log.
    report["audit"] = Value::Null;
    golden::settle(&mut report, &[(lab.path(), "<lab>")]);
    format!(
        "{}\n{}\n{}\n{usage:?}\n{report}",
        detail["assessment"], detail["requests"], detail["evidence_digest"]
    )
}

#[test]
fn processes_and_caches_make_no_difference() {
    for workflow in workflows() {
        for log in logs() {
            let (one, other) = (Lab::new(), Lab::new());
            let run = |lab: &Lab| {
                let report = lab.triage(workflow, &log);
                determined(lab, report["report_id"].as_str().unwrap())
            };
            let cold = run(&one);
            assert_eq!(cold, run(&one), "{workflow}: warm, in another process");
            assert_eq!(cold, run(&other), "{workflow}: cold, in another workspace");
            std::fs::remove_dir_all(one.workspace().join("cache")).unwrap();
            assert_eq!(cold, run(&one), "{workflow}: cold again");
        }
    }
}

#[test]
fn threads_make_no_difference() {
    for workflow in workflows() {
        let alone = {
            let lab = Lab::new();
            let report = host::triage_builtin(&lab, workflow).unwrap();
            determined(&lab, &report.report_id)
        };
        // Eight at once in one workspace: they compile, store and load the same code, and write to the same log.
        let lab = Lab::new();
        for round in ["cold", "warm"] {
            let together = Barrier::new(THREADS);
            let reports: Vec<String> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|_| {
                        scope.spawn(|| {
                            together.wait();
                            host::triage_builtin(&lab, workflow).unwrap().report_id
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for report_id in reports {
                assert_eq!(determined(&lab, &report_id), alone, "{workflow}, {round}");
            }
        }
    }
}

/// The demo's log, and one with a family that got slower.
fn logs() -> Vec<std::path::PathBuf> {
    let lab = Lab::new();
    let (_, now) = regressed::logs(&lab);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("determinism-regressed.log");
    std::fs::copy(now, &kept).unwrap();
    vec![fixture("shop.log"), kept]
}

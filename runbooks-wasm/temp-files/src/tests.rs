//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod outcomes;
mod settings;
mod triage;

use pg_logstats_sdk::testkit::{self, MostOffers, Report, generate};
use pg_logstats_sdk::{Attribution, Evidence, Outcome, TempFileGroup};

use crate::TempFiles;

const EXPLAIN: &str = "temp_file.explain";
const ANALYZE: &str = "temp_file.explain_analyze";
const COUNTERS: &str = "temp_file.pg_stat_database.temp_counters";
const BLOCKS: &str = "temp_file.pg_stat_statements.temp_blocks";
const SETTINGS: &str = "temp_file.pg_settings.relevant";
const STATISTICS: &str = "query_family.pg_stat_statements.by_queryid";

/// A group of family `n`, as the log states: ten files of a gigabyte in all.
fn group(n: u64) -> TempFileGroup {
    TempFileGroup {
        family: Some(testkit::family(n).id),
        attribution: Some(Attribution::Stated),
        ..testkit::temp_files(n)
    }
}

/// Family 1 and its group.
fn evidence() -> Evidence {
    testkit::evidence()
        .family(testkit::family(1))
        .temp_files(group(1))
        .build()
}

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&TempFiles, evidence).unwrap()
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&TempFiles, &evidence(), outcome).unwrap()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&TempFiles, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 20,
        interpret: 24,
    };
    testkit::check_answers(&TempFiles, 0..100, most, |_| {}).unwrap();
}

#[test]
fn no_action_is_offered_twice_with_the_same_bindings() {
    for seed in 0..200 {
        let report = triage(&generate::evidence(seed));
        for (position, request) in report.requests.iter().enumerate() {
            let again = report.requests[position + 1..]
                .iter()
                .any(|other| other.request == request.request);
            assert!(!again, "evidence {seed}: {request}");
        }
    }
}

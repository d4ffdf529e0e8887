//! Hostile runbooks, one test for each: it ends in a sealed "runbook failed" report, in refused requests, or in an answer that is the
//! same everywhere; and the host goes on, in the same process.

use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::runbook::limits;
use pg_logstats_tests::{Lab, guest, host};

/// A guest without a test of its name does not compile.
macro_rules! has_a_test {
    ($name:ident) => {
        const _: fn() = $name;
    };
}
pg_logstats_tests::for_each_guest!(has_a_test);

/// Runs a guest that must fail with `code`, and whose failure must say `words`.
#[track_caller]
fn fails(name: &str, code: &str, words: &str) -> Report {
    let lab = Lab::new();
    let report = host::triage(&lab, &guest(name)).unwrap();
    let failure = report.runbook.failure.clone();
    let failure = failure.unwrap_or_else(|| panic!("`{name}` did not fail"));
    assert_eq!(failure.code, code, "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?} does not say {words:?}");
    assert!(
        report.findings.is_empty() && report.next_actions.is_empty() && report.insights.is_empty(),
        "nothing of it is shown"
    );
    let usage = report.runbook.usage;
    assert!(usage.peak_memory_bytes <= limits::MEMORY_BYTES as u64, "{usage:?}");
    assert!(usage.fuel <= limits::FUEL, "{usage:?}");
    host::goes_on(&lab, 2);
    report
}

/// Runs a guest whose request must be refused with `denial`; the entries of its request log.
#[track_caller]
fn is_refused(name: &str, denial: &str) -> Vec<serde_json::Value> {
    let lab = Lab::new();
    let report = host::triage(&lab, &guest(name)).unwrap();
    assert_eq!(report.runbook.failure, None);
    let sealed = lab.json(&["audit", "show", &report.report_id]);
    let entries = sealed["body"]["detail"]["requests"]["entries"].as_array().unwrap();
    assert_eq!(report.runbook.usage.requests, entries.len() as u64);
    if denial != "too_many_requests" {
        assert!(entries.iter().any(|e| e["answer"]["denial"] == denial), "{entries:#?}");
        let said = report
            .limitations
            .iter()
            .any(|l| l.code == "request_refused" && l.message.contains(denial));
        assert!(said, "{:?}", report.limitations);
    }
    host::goes_on(&lab, 2);
    entries.clone()
}

/// Runs a guest that must be answered to.
#[track_caller]
fn answers(name: &str) -> Report {
    let lab = Lab::new();
    let report = host::triage(&lab, &guest(name)).unwrap();
    assert_eq!(report.runbook.failure, None);
    host::goes_on(&lab, 2);
    report
}

// ---- time

#[test]
fn endless_loop() {
    let report = fails("endless-loop", "out_of_time", "(fuel)");
    assert_eq!(report.runbook.usage.fuel, limits::FUEL);
}

#[test]
fn start_loops() {
    let report = fails("start-loops", "out_of_time", "(fuel)");
    assert_eq!(report.runbook.usage.fuel, limits::FUEL, "`describe` is metered, too");
}

#[test]
fn realloc_loops() {
    fails("realloc-loops", "out_of_time", "(fuel)");
}

#[test]
fn post_return_loops() {
    fails("post-return-loops", "out_of_time", "(fuel)");
}

/// One instruction that fills 32 MiB costs what it fills.
#[test]
fn memory_filled_without_end() {
    let report = fails("memory-filled-without-end", "out_of_time", "(fuel)");
    assert_eq!(report.runbook.usage.fuel, limits::FUEL);
}

#[test]
fn requests_without_end() {
    let report = fails("requests-without-end", "out_of_time", "(calls of the host)");
    assert_eq!(report.runbook.usage.host_calls, limits::HOST_CALLS + 1);
    assert_eq!(report.runbook.usage.requests, limits::REQUESTS as u64);
}

// ---- memory

#[test]
fn memory_hog() {
    fails("memory-hog", "out_of_memory", "(linear memory)");
}

#[test]
fn memory_small_steps() {
    let report = fails("memory-small-steps", "out_of_memory", "(linear memory)");
    assert_eq!(report.runbook.usage.peak_memory_bytes, limits::MEMORY_BYTES as u64);
}

#[test]
fn memory_huge_step() {
    let report = fails("memory-huge-step", "out_of_memory", "(linear memory)");
    assert!(
        report.runbook.usage.peak_memory_bytes < 1 << 20,
        "nothing of it was given"
    );
}

#[test]
fn memory_at_start() {
    let report = fails("memory-at-start", "out_of_memory", "(linear memory)");
    assert_eq!(report.runbook.usage.peak_memory_bytes, limits::MEMORY_BYTES as u64);
}

#[test]
fn memory_declared_large() {
    let report = fails("memory-declared-large", "out_of_memory", "(linear memory)");
    assert_eq!(report.runbook.usage.peak_memory_bytes, 0);
}

#[test]
fn memory_up_to_its_maximum() {
    let report = answers("memory-up-to-its-maximum");
    assert_eq!(report.limitations.last().unwrap().message, "the figure is 6");
    assert_eq!(report.runbook.usage.peak_memory_bytes, 10 << 16);
}

#[test]
fn table_growing() {
    fails("table-growing", "out_of_memory", "(table)");
}

#[test]
fn table_declared_large() {
    fails("table-declared-large", "out_of_memory", "(table)");
}

#[test]
fn many_tables() {
    fails("many-tables", "out_of_memory", "instances, memories or tables");
}

#[test]
fn deep_recursion() {
    fails("deep-recursion", "out_of_memory", "(stack)");
}

#[test]
fn realloc_reenters() {
    fails("realloc-reenters", "out_of_memory", "(stack)");
}

#[test]
fn instance_explosion() {
    fails("instance-explosion", "out_of_memory", "number of instances");
}

#[test]
fn many_instances() {
    fails("many-instances", "out_of_memory", "number of instances");
}

// ---- what crosses the boundary

#[test]
fn giant_output() {
    fails("giant-output", "output_too_large", "handed over more than");
}

#[test]
fn list_of_shared_bytes() {
    let report = fails("list-of-shared-bytes", "output_too_large", "handed over more than");
    assert!(report.runbook.usage.peak_memory_bytes < 4 << 20, "it has little itself");
}

#[test]
fn request_of_shared_bytes() {
    fails("request-of-shared-bytes", "output_too_large", "handed over more than");
}

#[test]
fn large_requests() {
    let report = fails("large-requests", "output_too_large", "handed over more than");
    assert_eq!(
        report.runbook.usage.host_calls,
        (limits::HOSTCALL_BYTES as u64) / (64 << 10)
    );
}

#[test]
fn list_of_nothing() {
    fails("list-of-nothing", "trapped", "");
}

#[test]
fn list_length_overflows() {
    fails("list-length-overflows", "trapped", "");
}

#[test]
fn string_past_memory() {
    fails("string-past-memory", "trapped", "out of bounds");
}

#[test]
fn result_past_memory() {
    fails("result-past-memory", "trapped", "out of bounds");
}

#[test]
fn result_misaligned() {
    fails("result-misaligned", "trapped", "aligned");
}

#[test]
fn wrong_discriminant() {
    fails("wrong-discriminant", "trapped", "discriminant");
}

#[test]
fn bad_utf8_in_name() {
    fails("bad-utf8-in-name", "trapped", "utf-8");
}

#[test]
fn bad_utf8_in_request() {
    fails("bad-utf8-in-request", "trapped", "utf-8");
}

#[test]
fn bad_utf8_in_answer() {
    fails("bad-utf8-in-answer", "trapped", "utf-8");
}

#[test]
fn realloc_past_memory() {
    fails("realloc-past-memory", "trapped", "realloc");
}

#[test]
fn realloc_misaligned() {
    fails("realloc-misaligned", "trapped", "aligned");
}

#[test]
fn realloc_always_the_same() {
    answers("realloc-always-the-same");
}

// ---- calls at the wrong time

#[test]
fn realloc_requests() {
    let report = fails("realloc-requests", "trapped", "cannot leave component instance");
    assert_eq!(report.runbook.usage.host_calls, 0);
}

#[test]
fn post_return_requests() {
    let report = fails("post-return-requests", "trapped", "cannot leave component instance");
    assert_eq!(report.runbook.usage.host_calls, 0);
}

#[test]
fn post_return_traps() {
    fails("post-return-traps", "trapped", "unreachable");
}

#[test]
fn start_traps() {
    fails("start-traps", "trapped", "unreachable");
}

#[test]
fn start_requests() {
    let report = fails("start-requests", "trapped", "");
    assert_eq!(report.runbook.usage.host_calls, 0);
}

#[test]
fn trapping() {
    let report = fails("trapping", "trapped", "unreachable");
    assert_eq!(report.runbook.usage.host_calls, 1, "what a failed run used is told");
}

// ---- what it asks for and says

#[test]
fn unknown_action() {
    is_refused("unknown-action", "unknown_action");
}

#[test]
fn undeclared_action() {
    is_refused("undeclared-action", "undeclared_action");
}

#[test]
fn foreign_binding() {
    is_refused("foreign-binding", "unknown_subject");
}

#[test]
fn too_many_requests() {
    let entries = is_refused("too-many-requests", "too_many_requests");
    assert_eq!(entries.len(), limits::REQUESTS, "the log is bounded");
}

#[test]
fn forged_ticket() {
    fails("forged-ticket", "bad_output", "not issued the ticket");
}

/// The same component is given a real ticket of a run with other evidence, in place of the one that it made up.
#[test]
fn ticket_of_another_run() {
    const PLACEHOLDER: u64 = 0x1122_3344_5566_7788;
    let lab = Lab::new();
    let issued = host::triage_builtin(&lab, "query-families").unwrap();
    let sealed = lab.json(&["audit", "show", &issued.report_id]);
    let entries = sealed["body"]["detail"]["requests"]["entries"].as_array().unwrap();
    let ticket: u64 = entries
        .iter()
        .find_map(|entry| entry["answer"]["ticket"].as_str())
        .expect("a run that was issued a ticket")
        .parse()
        .unwrap();
    let mut component = std::fs::read(guest("ticket-of-another-run")).unwrap();
    let at = component
        .windows(8)
        .position(|bytes| bytes == PLACEHOLDER.to_le_bytes())
        .unwrap();
    component[at..at + 8].copy_from_slice(&ticket.to_le_bytes());
    let path = lab.file("runbook.wasm", component);
    let report = host::triage(&lab, path.as_ref()).unwrap();
    let failure = report.runbook.failure.unwrap();
    assert_eq!(failure.code, "bad_output");
    assert!(
        failure.message.contains(&format!("not issued the ticket {ticket}")),
        "{failure:?}"
    );
    assert_eq!(report.runbook.usage.requests, 1, "it had a ticket of its own");
    assert!(report.next_actions.is_empty());
    host::goes_on(&lab, 3);
}

#[test]
fn smuggle_title() {
    no_text_of_the_log(&fails("smuggle-title", "bad_output", ""));
}

#[test]
fn smuggle_subject() {
    no_text_of_the_log(&fails("smuggle-subject", "bad_output", ""));
}

#[test]
fn smuggle_reason_code() {
    no_text_of_the_log(&fails("smuggle-reason-code", "bad_output", ""));
}

#[test]
fn changing_descriptor() {
    fails("changing-descriptor", "bad_output", "");
}

#[test]
fn gives_up() {
    fails("gives-up", "gave_up", "");
}

// ---- numbers

/// What hardware makes of a NaN differs in sign and payload; a guest sees the canonical one.
#[test]
fn nan_bits() {
    let canonical = "the figure is 9,221,120,237,041,090,560";
    for _ in 0..2 {
        let report = answers("nan-bits");
        let figures: Vec<&str> = report
            .limitations
            .iter()
            .map(|l| l.message.as_str())
            .filter(|message| message.starts_with("the figure is"))
            .collect();
        assert_eq!(
            figures,
            [canonical; 8],
            "f64::NAN.to_bits() is {:#x}",
            f64::NAN.to_bits()
        );
    }
}

#[test]
fn nan_score() {
    fails("nan-score", "bad_output", "not between 0 and 1");
}

#[test]
fn infinite_score() {
    fails("infinite-score", "bad_output", "not between 0 and 1");
}

#[test]
fn infinite_ratio() {
    fails("infinite-ratio", "bad_output", "a ratio is not finite");
}

// ---- what it is made of; none of these is compiled

/// Nothing of it ran.
#[track_caller]
fn is_not_loaded(name: &str, code: &str, words: &str) {
    let report = fails(name, code, words);
    assert_eq!(report.runbook.usage, pg_logstats_gateway::report::Usage::default());
    assert_eq!(report.runbook.name, "unknown");
}

#[test]
fn imports_wasi() {
    is_not_loaded("imports-wasi", "forbidden_import", "wasi:cli/environment");
}

#[test]
fn nested_import() {
    is_not_loaded("nested-import", "forbidden_import", "wasi:cli/environment");
}

#[test]
fn imports_component() {
    is_not_loaded("imports-component", "forbidden_import", "plugin");
}

#[test]
fn imports_core_module() {
    is_not_loaded("imports-core-module", "forbidden_import", "plugin");
}

#[test]
fn other_version() {
    is_not_loaded("other-version", "wrong_interface", "pg-logstats:runbook@9.9.9");
    is_not_loaded("other-version", "wrong_interface", "this host serves 0.1.0 and 0.2.0");
}

#[test]
fn missing_exports() {
    fails(
        "missing-exports",
        "wrong_interface",
        "imports nothing of pg-logstats:runbook",
    );
}

#[test]
fn function_in_our_interface() {
    fails("function-in-our-interface", "wrong_interface", "");
}

#[test]
fn resource_declared() {
    is_not_loaded("resource-declared", "wrong_interface", "has resources");
}

#[test]
fn resource_imported() {
    is_not_loaded("resource-imported", "forbidden_import", "descriptor");
}

#[test]
fn resource_in_our_interface() {
    is_not_loaded("resource-in-our-interface", "wrong_interface", "has resources");
}

#[test]
fn memory_of_64_bits() {
    is_not_loaded("memory-of-64-bits", "not_a_component", "memory64");
}

#[test]
fn memory_shared() {
    is_not_loaded("memory-shared", "not_a_component", "threads");
}

#[test]
fn memories_in_one_module() {
    is_not_loaded("memories-in-one-module", "not_a_component", "multi");
}

#[test]
fn relaxed_simd() {
    is_not_loaded("relaxed-simd", "not_a_component", "relaxed SIMD");
}

#[test]
fn exceptions() {
    is_not_loaded("exceptions", "not_a_component", "exceptions");
}

#[test]
fn garbage_collected() {
    is_not_loaded("garbage-collected", "not_a_component", "");
}

// ---- and what they may show

#[track_caller]
fn no_text_of_the_log(report: &Report) {
    let report = serde_json::to_value(report).unwrap();
    for (path, text) in instruction_texts(&report, "") {
        assert!(!text.to_lowercase().contains("select"), "{path} says {text:?}");
    }
}

/// The strings of fields that an agent may take as instructions, with where they are.
fn instruction_texts(value: &serde_json::Value, path: &str) -> Vec<(String, String)> {
    match value {
        serde_json::Value::Object(map) if map.get("untrusted") == Some(&serde_json::Value::Bool(true)) => vec![],
        serde_json::Value::Object(map) => map
            .iter()
            .flat_map(|(k, v)| instruction_texts(v, &format!("{path}/{k}")))
            .collect(),
        serde_json::Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(i, v)| instruction_texts(v, &format!("{path}/{i}")))
            .collect(),
        serde_json::Value::String(text) if !path.ends_with("/message") || !text.contains('`') => {
            vec![(path.to_owned(), text.clone())]
        }
        _ => vec![],
    }
}

#[test]
fn an_unknown_component_is_refused_by_the_command() {
    let lab = Lab::new();
    let component = guest("gives-up");
    let log = pg_logstats_tests::fixture("shop.log");
    let ran = lab.run(&[
        "triage",
        "--runbook",
        component.to_str().unwrap(),
        log.to_str().unwrap(),
    ]);
    ran.fails(3, &["refused", "nobody vouches"]);
    pg_logstats_tests::schema::check("refusal", &ran.json());
    assert_eq!(ran.json()["code"], "untrusted_runbook");
    assert_eq!(lab.record_kinds(), ["refusal"]);
}

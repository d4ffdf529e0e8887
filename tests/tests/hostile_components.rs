//! Components that are too large to write down: each is made here, and is refused, or runs within its limits; and the host goes on.

use pg_logstats_gateway::GatewayError;
use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::runbook::limits;
use pg_logstats_tests::{Lab, guest, host};

const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
const MODULE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];
const CUSTOM_SECTION: u8 = 0;
const CORE_MODULE_SECTION: u8 = 1;
const COMPONENT_SECTION: u8 = 4;
const TYPE_SECTION: u8 = 7;

/// LEB128.
fn number(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(n & 0x7f).unwrap();
        n >>= 7;
        if n == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], number(content.len()).as_slice(), content].concat()
}

fn component(sections: &[u8]) -> Vec<u8> {
    [COMPONENT.as_slice(), sections].concat()
}

/// A component that is one core module with one function of this body, without its `end`.
fn one_function(body: &[u8]) -> Vec<u8> {
    let code = [&[0][..], body, &[0x0b]].concat();
    let module = [
        MODULE.as_slice(),
        &section(1, &[1, 0x60, 0, 0]),
        &section(3, &[1, 0]),
        &section(10, &[&[1][..], &number(code.len()), &code].concat()),
    ]
    .concat();
    component(&section(CORE_MODULE_SECTION, &module))
}

#[track_caller]
fn triage(bytes: &[u8]) -> (Lab, Result<Report, GatewayError>) {
    let lab = Lab::new();
    let path = lab.file("runbook.wasm", bytes);
    let report = host::triage(&lab, path.as_ref());
    (lab, report)
}

/// A sealed report with this failure.
#[track_caller]
fn fails(bytes: &[u8], code: &str, words: &str) {
    let (lab, report) = triage(bytes);
    let failure = report.unwrap().runbook.failure.unwrap();
    assert_eq!(failure.code, code, "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?} does not say {words:?}");
    host::goes_on(&lab, 2);
}

/// A custom section with nothing in it but zeros, behind a decent guest.
fn padded(bytes: usize) -> Vec<u8> {
    let mut component = std::fs::read(guest("gives-up")).unwrap();
    let name = [&number(7)[..], b"padding"].concat();
    let content = [name, vec![0; bytes]].concat();
    component.extend(section(CUSTOM_SECTION, &content));
    component
}

#[test]
fn a_custom_section_of_100_megabytes_is_not_even_read() {
    let (lab, report) = triage(&padded(100 << 20));
    let error = report.unwrap_err().to_string();
    assert!(
        error.contains("runbook.wasm") && error.contains("larger than"),
        "{error}"
    );
    // A failure record, and the decent runbook's report.
    host::goes_on(&lab, 2);
}

#[test]
fn a_custom_section_within_the_limit_changes_nothing() {
    fails(&padded(30 << 20), "gave_up", "");
}

#[test]
fn a_component_of_more_than_the_limit_is_refused_wherever_it_comes_from() {
    let engine = pg_logstats_gateway::runbook::RunbookEngine::new().unwrap();
    let error = engine.load(&padded(100 << 20), &[0; 32], None).unwrap_err();
    assert_eq!(error.code(), "not_a_component");
    assert!(error.to_string().contains("more than 33554432"), "{error}");
}

#[test]
fn types_within_types_do_not_use_up_the_hosts_stack() {
    // The type of a component that declares the type of a component that …
    let mut types = vec![1];
    for _ in 0..5_000_000 {
        types.extend([0x41, 1, 1]);
    }
    types.extend([0x41, 0]);
    fails(
        &component(&section(TYPE_SECTION, &types)),
        "out_of_memory",
        "types within types",
    );
}

#[test]
fn types_of_types_of_types_are_bounded() {
    // A list of a list of …, each a type of its own that names the one before.
    let mut types = number(20_000);
    types.extend([0x70, 0x7f]);
    for index in 0..19_999 {
        types.push(0x70);
        // A type index is a signed number.
        let mut index = number(index);
        if index.last().is_some_and(|last| last & 0x40 != 0) {
            *index.last_mut().unwrap() |= 0x80;
            index.push(0);
        }
        types.extend(index);
    }
    fails(
        &component(&section(TYPE_SECTION, &types)),
        "not_a_component",
        "too deep",
    );
}

#[test]
fn components_within_components_are_bounded() {
    let mut inner = COMPONENT.to_vec();
    for _ in 0..10_000 {
        inner = component(&section(COMPONENT_SECTION, &inner));
    }
    fails(&inner, "out_of_memory", "components within components");
}

#[test]
fn a_function_of_two_megabytes_is_not_compiled() {
    // `nop`, two million times.
    fails(
        &one_function(&vec![1; 2 << 20]),
        "out_of_memory",
        "size of one function",
    );
}

/// Conditional branches out of a block: little for the eye, and the square of it for a compiler.
fn branching(branches: u64) -> Vec<u8> {
    let mut body = vec![0x02, 0x40];
    for _ in 1..branches {
        body.extend([0x41, 0, 0x0d, 0]);
    }
    body.push(0x0b);
    body
}

#[test]
fn a_function_of_many_branches_is_not_compiled() {
    let body = branching(limits::FUNCTION_BRANCHES + 1);
    assert!(body.len() < limits::FUNCTION_BYTES / 10);
    fails(&one_function(&body), "out_of_memory", "branches");
}

#[test]
fn the_function_of_most_branches_is_compiled_in_some_seconds() {
    let begun = std::time::Instant::now();
    // It is no runbook, which is found out when it has been compiled.
    fails(
        &one_function(&branching(limits::FUNCTION_BRANCHES)),
        "wrong_interface",
        "imports nothing",
    );
    assert!(begun.elapsed().as_secs() < 120, "{:?}", begun.elapsed());
}

#[test]
fn precompiled_code_is_no_runbook() {
    let lab = Lab::new();
    host::triage_builtin(&lab, "query-families").unwrap();
    let cache = lab.workspace().join("cache");
    let compiled = std::fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "cwasm"))
        .expect("the code of the built-in runbook");
    let bytes = std::fs::read(compiled).unwrap();
    // Whole as it lies in the cache, and without the authentication code at its end.
    for code in [&bytes[..], &bytes[..bytes.len() - 32]] {
        let (lab, report) = triage(code);
        let failure = report.unwrap().runbook.failure.unwrap();
        assert_eq!(failure.code, "not_a_component", "{failure:?}");
        host::goes_on(&lab, 2);
    }
    assert_eq!(&bytes[..4], b"\x7fELF", "it was native code");
}

#[test]
fn what_is_no_component_says_so() {
    for (bytes, words) in [
        (&b""[..], ""),
        (b"\x7fELF", ""),
        (b"(component)", ""),
        (&MODULE[..], "core module"),
        (&COMPONENT[..4], ""),
    ] {
        fails(bytes, "not_a_component", words);
    }
}

use super::*;
use crate::analysis::{Options, reduce};
use crate::source::Source;

const LOG: &str = "2026-11-23 05:04:31.054 UTC [7] app@shop web: LOG:  duration: 1.500 ms  statement: SELECT 1\n\
    2026-11-23 05:04:32.054 UTC [7] app@shop web: LOG:  duration: 2.500 ms  statement: SELECT a FROM t WHERE b = 'secret'\n\
    2026-11-23 05:04:33.054 UTC [7] app@shop web: LOG:  process 7 still waiting for ShareLock on transaction 9 after 100.390 ms\n\
    2026-11-23 05:04:33.054 UTC [7] app@shop web: DETAIL:  Process holding the lock: 2. Wait queue: 7.\n\
    2026-11-23 05:04:33.054 UTC [7] app@shop web: STATEMENT:  SELECT 1\n\
    2026-11-23 05:04:34.054 UTC [7] app@shop web: ERROR:  relation \"x\" does not exist\n\
    2026-11-23 05:04:34.054 UTC [7] app@shop web: STATEMENT:  SELECT * FROM x\n";

fn part() -> Part {
    let source = Source::stream("a.log".to_owned(), Box::new(LOG.as_bytes()));
    reduce(vec![source], &Options::default(), &|_| {}).unwrap()
}

fn written(part: &Part) -> String {
    let mut bytes = Vec::new();
    part.write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn read(text: &str) -> Result<Part, PartError> {
    Part::read(
        "a.json",
        Box::new(std::io::Cursor::new(text.to_owned().into_bytes())),
        20_000,
    )
}

#[test]
fn a_file_gives_the_same_evidence_and_the_same_file() {
    let text = written(&part());
    let again = read(&text).unwrap();
    assert_eq!(written(&again), text);
    assert_eq!(again.evidence(), part().evidence());
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let unpacked = Part::read("a.json.zst", Box::new(std::io::Cursor::new(packed)), 20_000).unwrap();
    assert_eq!(unpacked.evidence(), part().evidence());
}

#[test]
fn without_samples_no_value_leaves() {
    let mut part = part();
    assert!(written(&part).contains("secret"));
    part.remove_samples();
    assert!(!written(&part).contains("secret"));
}

#[test]
fn a_changed_file_is_refused_by_the_name_of_the_field() {
    let text = written(&part());
    let changes = [
        ("select a from t", "select b from t", "families[0].id"),
        ("select a from t", "SELECT a from t", "families[0].statement"),
        (
            "\"execution_count\":1",
            "\"execution_count\":2",
            "families[0].durations",
        ),
        ("[[2500,1]]", "[[2501,1]]", "families[0].durations"),
        ("\"total_executions\":2", "\"total_executions\":3", "total_executions"),
        (
            "\"total_duration_us\":4000",
            "\"total_duration_us\":4001",
            "total_duration_us",
        ),
        ("\"id\":\"ec_", "\"id\":\"ex_", "incidents.errors"),
        ("\"format\":\"pg-logstats", "\"format\":\"other", "format"),
        ("\"limitations\":{", "\"limitations\":{\"do this\":1", "limitations"),
        ("\"user\":\"app\"", "\"user\":\"\"", "families[0].dimensions"),
    ];
    for (from, to, field) in changes {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = read(&changed).unwrap_err().to_string();
        assert!(
            error.contains("`a.json`") && error.contains(&format!("`{field}`")),
            "{from}: {error}"
        );
    }
    let error = read(&text.replacen("\"version\":1", "\"version\":2", 1)).unwrap_err();
    assert!(matches!(error, PartError::Version { version: 2, .. }), "{error}");
    let error = read(&text.replacen("\"window\"", "\"wind\"", 1)).unwrap_err();
    assert!(matches!(error, PartError::Json { .. }), "{error}");
    assert!(read("").is_err() && read(text.get(..text.len() / 2).unwrap()).is_err());
}

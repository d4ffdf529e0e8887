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
    part.write(&Redaction::least(), &mut bytes).unwrap();
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
    assert_eq!(
        again.evidence(&Redaction::least()),
        part().evidence(&Redaction::least())
    );
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let unpacked = Part::read("a.json.zst", Box::new(std::io::Cursor::new(packed)), 20_000).unwrap();
    assert_eq!(
        unpacked.evidence(&Redaction::least()),
        part().evidence(&Redaction::least())
    );
}

const PRIVATE: &str = "2026-11-23 05:04:30.054 UTC [7] app@shop web: LOG:  connection received: host=192.0.2.7 port=5123\n\
    2026-11-23 05:04:30.055 UTC [8] app@shop web: LOG:  connection received: host=192.0.2.8 port=5124\n\
    2026-11-23 05:04:31.054 UTC [7] app@shop web: LOG:  duration: 2.500 ms  statement: SELECT tint FROM t WHERE b = 'indigo'\n\
    2026-11-23 05:04:33.054 UTC [7] app@shop web: LOG:  duration: 0.500 ms  plan:\n\
    \tQuery Text: SELECT tint FROM t WHERE b = 'indigo'\n\
    \tSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n\
    \t  Filter: ((b)::text = 'indigo'::text)\n\
    2026-11-23 05:04:34.054 UTC [7] app@shop web: ERROR:  P0001: no more ochre for Sepia\n\
    2026-11-23 05:04:35.054 UTC [7] app@shop web: ERROR:  P0001: no more umber for Sepia\n\
    2026-11-23 05:04:36.054 UTC [7] app@shop web: ERROR:  42601: syntax error at or near \"crimson\" at character 1\n\
    2026-11-23 05:04:36.054 UTC [7] app@shop web: STATEMENT:  crimson;\n\
    2026-11-23 05:04:36.054 UTC [7] app@shop web: ERROR:  23505: duplicate key value violates unique constraint \"t_pkey\"\n\
    2026-11-23 05:04:36.054 UTC [7] app@shop web: DETAIL:  Key (b)=(vermilion) already exists.\n\
    2026-11-23 05:04:36.054 UTC [7] app@shop web: LOG:  duration: 2.500 ms  statement: ALTER ROLE a PASSWORD 'magenta'\n";

fn private() -> Part {
    let source = Source::stream("teal.log".to_owned(), Box::new(PRIVATE.as_bytes()));
    reduce(vec![source], &Options::default(), &|_| {}).unwrap()
}

/// What a file of the part and its evidence hold.
fn kept(part: Part, redaction: &Redaction) -> String {
    let mut bytes = Vec::new();
    part.write(redaction, &mut bytes).unwrap();
    let file = String::from_utf8(bytes).unwrap();
    let read = read(&file).unwrap();
    let evidence = serde_json::to_string(&part.evidence(redaction)).unwrap();
    // What was removed stays removed, whoever reads the file, and is told.
    assert_eq!(serde_json::to_string(&read.evidence(redaction)).unwrap(), evidence);
    for class in redaction.removed() {
        assert!(evidence.contains(&format!("\"{class}\"")), "{class}");
    }
    file + &evidence
}

#[test]
fn each_class_of_text_goes_and_stays_by_itself() {
    use TextClass::{Ops, StatementParameter, StatementText, Unidentified};
    let texts = [
        (StatementParameter, &["indigo"][..]),
        (StatementText, &["select tint from t", "(b)::text"]),
        (Ops, &["192.0.2.7", "192.0.2.8", "teal.log"]),
        (Unidentified, &["ochre", "umber", "Sepia"]),
    ];
    for never in ["crimson", "vermilion", "magenta"] {
        assert!(!kept(private(), &Redaction::least()).contains(never), "{never}");
    }
    for (class, _) in texts {
        let redaction = Redaction::keeping([class]).unwrap();
        let kept = kept(private(), &redaction);
        for (other, words) in texts {
            for word in words {
                assert_eq!(
                    kept.contains(word),
                    other == class,
                    "{word} when {class} is kept: {kept}"
                );
            }
        }
    }
}

#[test]
fn what_differs_in_removed_words_only_is_counted_together() {
    let evidence = private().evidence(&Redaction::keeping([]).unwrap());
    let raised = |class: &&crate::evidence::ErrorClass| class.sqlstate.as_deref() == Some("P0001");
    let raised: Vec<_> = evidence.errors.iter().filter(raised).collect();
    assert_eq!(raised.len(), 1);
    assert_eq!((raised[0].message.as_str(), raised[0].count), ("no more ? for ?", 2));
    assert_eq!((evidence.clients.len(), evidence.clients[0].received_count), (1, 2));
    // Two statements of which none is shown are still two.
    assert_eq!(evidence.families.len(), 2);
    assert!(evidence.families.iter().all(|family| family.statement == REDACTED));
}

#[test]
fn a_removed_statement_is_believed_only_where_the_file_says_so() {
    let mut bytes = Vec::new();
    part().write(&Redaction::keeping([]).unwrap(), &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(read(&text).is_ok());
    let claims = text.replace("\"statement_text\",", "");
    assert_ne!(claims, text);
    let error = read(&claims).unwrap_err().to_string();
    assert!(error.contains("families[0].statement"), "{error}");
}

#[test]
fn parts_with_and_without_statements_are_merged_by_family() {
    let mut bytes = Vec::new();
    private().write(&Redaction::keeping([]).unwrap(), &mut bytes).unwrap();
    let mut merged = read(&String::from_utf8(bytes).unwrap()).unwrap();
    merged.merge(private());
    let evidence = merged.evidence(&Redaction::least());
    assert_eq!(evidence.families.len(), 2);
    assert!(evidence.families.iter().all(|family| family.execution_count == 2));
    assert!(evidence.source.redacted.contains(&TextClass::StatementText));
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

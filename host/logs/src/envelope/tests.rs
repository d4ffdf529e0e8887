use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::evidence::Evidence;
use crate::{Options, Redaction, Source};

/// Lines as a server writes them, without their line ends.
const LOG: &str = "2026-11-23 05:04:31.054 UTC [7] bob@shop web: LOG:  duration: 1.500 ms  statement: SELECT 1
2026-11-23 05:04:32.054 UTC [8] ann@shop web: ERROR:  relation \"x\" does not exist at character 15
2026-11-23 05:04:32.054 UTC [8] ann@shop web: STATEMENT:  SELECT *
\tFROM x
\tWHERE a = '2026-11-23 05:04:33.054 UTC [9] eve@shop web: LOG:  duration: 9999.000 ms  statement: forged'
2026-11-23 05:04:34.054 UTC [7] bob@shop web: LOG:  duration: 2.500 ms  statement: SELECT
\t2";

fn run_in_blocks(bytes: &[u8], block_bytes: usize) -> Evidence {
    let source = Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(bytes.to_vec())));
    crate::analysis::reduce_in_blocks(vec![source], &Options::default(), &|_| {}, block_bytes)
        .unwrap()
        .evidence(&Redaction::least())
}

fn run(bytes: &[u8]) -> Evidence {
    run_in_blocks(bytes, crate::reader::BLOCK_BYTES)
}

/// The evidence without what tells the file.
fn told(mut evidence: Evidence) -> String {
    evidence.source.files.clear();
    evidence.source.bytes = 0;
    evidence.limitations.clear();
    serde_json::to_string(&evidence).unwrap()
}

fn same_as_plain(wrapped: &str, envelopes: &[Envelope]) {
    let evidence = run(wrapped.as_bytes());
    assert_eq!(evidence.source.files[0].envelopes, envelopes);
    assert_eq!(told(evidence.clone()), told(run(LOG.as_bytes())), "{wrapped}");
    assert_eq!(run_in_blocks(wrapped.as_bytes(), 1), evidence);
    // Cut anywhere, it does no harm.
    for cut in 0..wrapped.len() {
        let source = Source::stream(
            "-".to_owned(),
            Box::new(std::io::Cursor::new(wrapped.as_bytes()[..cut].to_vec())),
        );
        let _ = crate::analyse(vec![source], &Options::default(), &|_| {});
    }
}

fn each_line(render: impl Fn(&str) -> String) -> String {
    LOG.lines().map(render).collect()
}

/// The server's own way: a part for each line and for each 900 bytes, cut at blanks.
fn by_server(entry: &str, sequence: u64, numbers: bool) -> Vec<String> {
    let mut parts = Vec::new();
    for mut line in entry.split('\n') {
        while !line.is_empty() {
            let mut length = line.len().min(900);
            if length < line.len() && !line[length..].starts_with(' ') {
                length = line[..length].rfind(' ').filter(|place| *place > 0).unwrap_or(length);
            }
            let mark = if numbers { format!("{sequence}-") } else { String::new() };
            parts.push(format!(
                "[{mark}{}] {}",
                parts.len() + 1,
                line[..length].replace('\t', "#011")
            ));
            line = &line[length..];
        }
    }
    parts
}

fn entries() -> Vec<(u32, String)> {
    let mut entries: Vec<(u32, String)> = Vec::new();
    for line in LOG.lines() {
        let goes_on = line.starts_with('\t') || line.contains("STATEMENT:  ");
        match entries.last_mut().filter(|_| goes_on) {
            Some((_, entry)) => *entry += &format!("\n{line}"),
            None => entries.push((if line.contains("[7]") { 7 } else { 8 }, line.to_owned())),
        }
    }
    entries
}

#[test]
fn syslog_is_taken_off_in_each_of_its_forms() {
    for numbers in [true, false] {
        for head in [
            "Nov 23 05:04:31 db1 postgres[PID]: ",
            "2026-11-23T05:04:31.054321+00:00 db1 postgres[PID]: ",
            "<134>1 2026-11-23T05:04:31.054Z db1 postgres PID - [a@1 b=\"]\"] ",
        ] {
            let mut wrapped = String::new();
            for (sequence, (process, entry)) in (1..).zip(entries()) {
                for part in by_server(&entry, sequence, numbers) {
                    wrapped += &format!("{}{part}\n", head.replace("PID", &process.to_string()));
                }
            }
            same_as_plain(&wrapped, &[Envelope::Syslog]);
        }
    }
}

#[test]
fn parts_of_several_processes_interleave() {
    let long = format!(
        "2026-11-23 05:04:31.054 UTC [7] bob@shop web: LOG:  duration: 1.500 ms  statement: SELECT '{}'",
        "word ".repeat(900)
    );
    let other = long.replace("[7]", "[8]").replace("word", "text");
    let (one, two) = (by_server(&long, 4, true), by_server(&other, 9, true));
    let mut wrapped = String::new();
    for (one, two) in one.iter().zip(&two) {
        writeln!(wrapped, "Nov 23 05:04:31 db1 postgres[7]: {one}").unwrap();
        writeln!(wrapped, "Nov 23 05:04:31 db1 postgres[8]: {two}").unwrap();
        writeln!(wrapped, "Nov 23 05:04:31 db1 sshd[99]: not ours").unwrap();
    }
    let evidence = run(wrapped.as_bytes());
    assert_eq!((evidence.source.entries_scanned, evidence.total_executions), (2, 2));
    assert_eq!(evidence.source.unparsed["other_program"].count, one.len() as u64);
    let sample = evidence.families[0].sample.as_ref().unwrap();
    assert!(sample.statement.contains("word word") || sample.statement.contains("text text"));
    assert_eq!(sample.statement.len(), "SELECT ''".len() + 5 * 900);
}

#[test]
fn a_prefix_without_time_and_process_is_completed_by_the_head() {
    let wrapped = "2026-11-23T05:04:31.054321+01:00 db1 postgres[7]: [1-1] user=bob,db=shop LOG:  duration: 1.500 ms  statement: SELECT 1\n";
    let evidence = run(wrapped.as_bytes());
    assert_eq!(
        evidence.families[0].first_seen_us,
        1_795_410_271_054_000 - 3_600_000_000
    );
    assert_eq!(evidence.families[0].dimensions.user.as_deref(), Some("bob"));
    assert!(
        evidence.source.files[0]
            .log_line_prefix
            .as_deref()
            .unwrap()
            .starts_with("%m [%p] ")
    );
    // RFC 3164 knows no year, so no instant is made up.
    let wrapped = wrapped.replace("2026-11-23T05:04:31.054321+01:00", "Nov 23 05:04:31");
    let evidence = run(wrapped.as_bytes());
    assert_eq!(evidence.window, None);
    assert!(
        evidence
            .limitations
            .iter()
            .any(|limitation| limitation.code == "prefix_without_time")
    );
}

#[test]
fn a_flood_of_processes_and_of_parts_without_a_start_is_bounded() {
    let mut wrapped =
        String::from("Nov 23 05:04:31 db1 postgres[7]: [1-1] 2026-11-23 05:04:31.054 UTC [7] a@b c: LOG:  x\n");
    for process in 0..20_000 {
        writeln!(
            wrapped,
            "Nov 23 05:04:31 db1 postgres[{process}]: [1-1] 2026-11-23 05:04:31.054 UTC [{process}] a@b c: LOG:  x"
        )
        .unwrap();
        writeln!(
            wrapped,
            "Nov 23 05:04:31 db1 postgres[{}]: [1-2]  lost",
            process + 50_000
        )
        .unwrap();
    }
    let found = detect(wrapped.as_bytes()).unwrap();
    let mut syslog = syslog::Syslog::new(Stamp::default(), wrapped.as_bytes());
    let mut out = Out::default();
    for line in wrapped.lines() {
        syslog.piece(line.as_bytes(), &mut out);
        assert!(syslog.open_count() <= 130);
    }
    syslog.finish(&mut out);
    assert_eq!(
        (found.envelope, out.dropped["incomplete_envelope"]),
        (Envelope::Syslog, 20_000)
    );
    assert_eq!(out.bytes.iter().filter(|byte| **byte == b'\n').count(), 20_001);
}

#[test]
fn containers_are_taken_off() {
    same_as_plain(
        &each_line(|line| format!("2026-11-23T05:04:31.054321987Z stderr F {line}\n")),
        &[Envelope::Cri],
    );
    let parts = each_line(|line| {
        let (one, two) = line.split_at(line.len() / 2);
        format!("2026-11-23T05:04:31.05Z stdout P {one}\n2026-11-23T05:04:31.05Z stdout F {two}\n")
    });
    same_as_plain(&parts, &[Envelope::Cri]);
    let docker = |line: &str| {
        let text = serde_json::to_string(&format!("{line}\n")).unwrap();
        format!("{{\"log\":{text},\"stream\":\"stderr\",\"time\":\"2026-11-23T05:04:31.054321987Z\"}}\n")
    };
    same_as_plain(&each_line(docker), &[Envelope::Docker]);
}

#[test]
fn records_of_cloudnativepg_are_read_by_their_columns() {
    let operator = "{\"level\":\"info\",\"ts\":\"x\",\"logger\":\"instance-manager\",\"msg\":\"started\"}\n";
    let record = "{\"level\":\"info\",\"ts\":\"2026-11-23T05:04:31Z\",\"logger\":\"postgres\",\"msg\":\"record\",\"logging_pod\":\"c-1\",\"record\":\
        {\"log_time\":\"2026-11-23 05:04:31.054 UTC\",\"user_name\":\"bob\",\"database_name\":\"shop\",\"process_id\":\"7\",\"connection_from\":\"[local]\",\
        \"session_id\":\"6b03c95f.7\",\"error_severity\":\"ERROR\",\"sql_state_code\":\"42P01\",\"message\":\"relation \\\"x\\\" does not exist\",\
        \"query\":\"SELECT *\\n FROM x\",\"application_name\":\"web\",\"backend_type\":\"client backend\",\"query_id\":\"-42\"}}\n";
    let log = format!("{operator}{record}{operator}not json\n");
    for (wrapped, envelopes) in [
        (log.clone(), vec![Envelope::Cloudnativepg]),
        (
            log.lines()
                .map(|line| format!("2026-11-23T05:04:31.05Z stdout F {line}\n"))
                .collect(),
            vec![Envelope::Cri, Envelope::Cloudnativepg],
        ),
    ] {
        let evidence = run(wrapped.as_bytes());
        assert_eq!(evidence.source.files[0].envelopes, envelopes);
        assert_eq!(evidence.source.sqlstates["ERROR 42P01"], 1);
        assert_eq!(evidence.families[0].statement, "select * from x");
        assert_eq!(evidence.families[0].dimensions.application.as_deref(), Some("web"));
        assert_eq!(evidence.source.unparsed["other_program"].count, 2);
        assert_eq!(evidence.source.unparsed["invalid_envelope"].count, 1);
        assert_eq!(run_in_blocks(wrapped.as_bytes(), 1), evidence);
    }
}

fn google(text: &str) -> serde_json::Value {
    serde_json::json!({
        "insertId": "s=1", "logName": "projects/p/logs/cloudsql.googleapis.com%2Fpostgres.log", "severity": "INFO",
        "resource": {"labels": {"database_id": "p:i"}, "type": "cloudsql_database"},
        "textPayload": text, "timestamp": "2026-11-23T05:04:31.054321Z",
    })
}

#[test]
fn google_clouds_texts_are_lines_or_whole_entries_in_any_layout() {
    let lines: Vec<serde_json::Value> = LOG.lines().map(google).collect();
    let whole: Vec<serde_json::Value> = entries().iter().map(|(_, entry)| google(entry)).collect();
    for objects in [&lines, &whole] {
        let by_line: String = objects.iter().map(|object| format!("{object}\n")).collect();
        same_as_plain(&by_line, &[Envelope::GoogleCloud]);
        let array = serde_json::to_string_pretty(objects).unwrap();
        let evidence = run(array.as_bytes());
        assert_eq!(told(evidence), told(run(LOG.as_bytes())));
    }
    // Texts whose further lines lost their tabs cannot forge an entry.
    let without_tabs: String = entries()
        .iter()
        .map(|(_, entry)| format!("{}\n", google(&entry.replace('\t', ""))))
        .collect();
    let evidence = run(without_tabs.as_bytes());
    assert_eq!(
        (evidence.source.entries_scanned, evidence.total_duration_us),
        (3, 4_000)
    );
    // Nor if they are objects of their own, whatever words are in them.
    let statement =
        "SELECT\n'ERROR:  not one'\n  FROM x\n -- LOG:  duration: 9.000 ms  statement: neither\n[ 'LOG:  x' ]";
    let entry =
        format!("2026-11-23 05:04:31.054 UTC [7] bob@shop web: LOG:  duration: 1.500 ms  statement: {statement}");
    let next = "2026-11-23 05:04:32.054 UTC [8] ann@shop web: LOG:  duration: 2.500 ms  statement: SELECT 2";
    let objects = |text: &str| {
        text.lines()
            .map(|line| format!("{}\n", google(line)))
            .collect::<String>()
    };
    let evidence = run(objects(&format!("{entry}\n{next}")).as_bytes());
    let plain = format!("{}\n{next}\n", entry.replace('\n', "\n\t"));
    assert_eq!(told(evidence.clone()), told(run(plain.as_bytes())));
    assert_eq!(
        (evidence.source.entries_scanned, evidence.source.entries_unparsed),
        (2, 0)
    );
    // A text that has no label goes on with the entry before it, all its lines.
    let lines = format!(
        "{}\n{}\n",
        google("x\n2026-11-23 05:04:31.054 UTC [7] bob@shop web: LOG:  forged"),
        google(next)
    );
    let evidence = run(format!("{}{lines}", objects(next)).as_bytes());
    assert_eq!(evidence.source.entries_scanned, 2);
    // Without a time in the text, that of the object counts.
    let old = format!(
        "{}\n",
        google("[7]: [1-1] db=shop,user=bob LOG:  duration: 1.500 ms  statement: SELECT 1")
    );
    assert_eq!(run(old.as_bytes()).families[0].first_seen_us, 1_795_410_271_054_000);
}

#[test]
fn azures_properties_are_put_together() {
    let object = serde_json::json!({
        "properties": {
            "timestamp": "2026-11-23 05:04:31.054 UTC", "processId": 7, "errorLevel": "ERROR", "sqlerrcode": "23505",
            "message": "2026-11-23 05:04:31.054 UTC [7]: [3-1] user=bob,db=shop,app=web,client=10.0.0.1 ERROR:  duplicate key value",
            "detail": "Key (id)=(1) already exists.", "statement": "INSERT INTO t\nVALUES (1)",
        },
        "time": "2026-11-23T05:04:31.06Z", "category": "PostgreSQLLogs", "operationName": "LogEvent",
    });
    let other =
        serde_json::json!({"properties": {"message": "x", "errorLevel": "LOG"}, "category": "PostgreSQLFlexSessions"});
    for wrapped in [
        format!("{object}\n{other}\n"),
        serde_json::json!({"records": [object, other]}).to_string(),
        serde_json::to_string_pretty(&serde_json::json!([object, other])).unwrap(),
    ] {
        let evidence = run(wrapped.as_bytes());
        assert_eq!(evidence.source.files[0].envelopes, [Envelope::Azure]);
        assert_eq!(evidence.source.sqlstates["ERROR 23505"], 1, "{wrapped}");
        assert_eq!(evidence.families[0].statement, "insert into t values (?)");
        assert_eq!(evidence.families[0].dimensions.user.as_deref(), Some("bob"));
        assert_eq!(evidence.source.unparsed["other_program"].count, 1);
    }
}

#[test]
fn rds_is_told_alone_and_in_cloudwatch() {
    let log = "2026-11-23 05:04:30 UTC::@:[1]:LOG:  checkpoint starting: time\n\
        2026-11-23 05:04:31 UTC:10.0.0.1(5123):bob@shop:[7]:LOG:  duration: 1.500 ms  statement: SELECT\n\t1\n\
        2026-11-23 05:04:32 UTC:[local]:rdsadmin@rdsadmin:[8]:LOG:  duration: 2.000 ms  statement: SELECT 2\n";
    let expected = run(log.as_bytes());
    assert_eq!(
        expected.source.files[0].log_line_prefix.as_deref(),
        Some("%t:%r:%u@%d:[%p]:")
    );
    assert_eq!((expected.source.entries_scanned, expected.total_executions), (3, 2));
    let events: Vec<serde_json::Value> = log.replace("\n\t", "\u{1}").lines()
        .map(|line| serde_json::json!({"logStreamName": "i.0", "timestamp": 1_795_410_271_000u64, "message": line.replace('\u{1}', "\n\t"), "ingestionTime": 1}))
        .collect();
    let exported =
        serde_json::to_string_pretty(&serde_json::json!({"events": events, "searchedLogStreams": []})).unwrap();
    let tailed: String = log
        .lines()
        .map(|line| {
            if line.starts_with('\t') {
                format!("{line}\n")
            } else {
                format!("2026-11-23T05:04:31.000Z {line}\n")
            }
        })
        .collect();
    for wrapped in [exported, tailed] {
        let evidence = run(wrapped.as_bytes());
        assert_eq!(evidence.source.files[0].envelopes, [Envelope::Cloudwatch]);
        assert_eq!(evidence.source.entries_unparsed, 0, "{:?}", evidence.source.unparsed);
        assert_eq!(told(evidence), told(expected.clone()));
    }
}

#[test]
fn a_log_of_the_server_is_in_no_envelope() {
    assert_eq!(detect(LOG.as_bytes()), None);
    assert_eq!(
        detect(b"{\"timestamp\":\"2026-11-23 05:04:31.054 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n"),
        None
    );
    assert_eq!(
        detect(b"2026-11-23 05:04:31.054 UTC,,,7,,,1,,,,0,LOG,00000,\"x\",,,,,,,,,\"\"\n"),
        None
    );
    assert_eq!(detect(b""), None);
}

/// Pieces that begin as those of an envelope do, with what hostile text adds.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(b"Nov 23 05:04:31 h postgres[7]: [1-1] LOG:  x\n".to_vec()),
        Just(b"Nov 23 05:04:31 h postgres[7]: [1-2] #011y#012#0\n".to_vec()),
        Just(b"2026-11-23T05:04:31Z stdout P x\n".to_vec()),
        Just(b"{\"textPayload\":\"LOG:  x\",\"logName\":\"postgres\",\"timestamp\":\"\"}\n".to_vec()),
        Just(b"{\"events\":[{\"message\":\"LOG:  x\",\"timestamp\":1,\"eventId\":\"\"},{".to_vec()),
        Just(b"{\"logger\":\"postgres\",\"record\":{\"log_time\":\"\\\"\",\"error_severity\":\"LOG\"}}\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
        "[\\[\\]{}\",:\\\\\\n #0-9a]{0,30}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(line, 0..20).prop_map(|lines| lines.concat())
}

proptest! {
    /// However the input is cut, the same comes out, whichever envelope it is taken for.
    #[test]
    fn cuts_do_not_matter(bytes in hostile(), cut in any::<prop::sample::Index>()) {
        for envelope in [Envelope::Syslog, Envelope::Cri, Envelope::Docker, Envelope::Cloudnativepg, Envelope::GoogleCloud, Envelope::Azure, Envelope::Cloudwatch] {
            for pieces in [split::Pieces::Lines, split::Pieces::Objects, split::Pieces::ObjectsInside] {
                let found = Found { envelope, pieces };
                let make = |steps: &[&[u8]]| {
                    let mut layer = Layer::new(found, Stamp { time: true, process: true }, b"Nov 23 05:04:31 h postgres[7]: LOG:  x\n");
                    for step in steps {
                        layer.feed(step);
                    }
                    layer.finish();
                    (layer.ready().to_vec(), layer.dropped().collect::<Vec<_>>())
                };
                let whole = make(&[&bytes]);
                let (one, two) = bytes.split_at(cut.index(bytes.len() + 1));
                prop_assert_eq!(&make(&[one, two]), &whole);
                let single: Vec<&[u8]> = bytes.chunks(1).collect();
                prop_assert_eq!(&make(&single), &whole);
            }
        }
        let _ = detect(&bytes);
    }
}

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::evidence::{Evidence, Format, MAX_UNPARSED_SAMPLES};

const PREFIX: &str = "%m [%p] %u@%d %a: ";

fn source(bytes: &[u8]) -> Source {
    Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(bytes.to_vec())))
}

fn run(bytes: &[u8]) -> Result<Evidence, LogError> {
    let part = reduce(vec![source(bytes)], &Options::default(), &|_| {})?;
    Ok(part.evidence(&Redaction::least()))
}

/// The host's events, each with how often it happened.
fn events(evidence: &Evidence) -> Vec<(&str, u64)> {
    let events = evidence.source.events.iter();
    events.map(|(event, n)| (event.as_str(), *n)).collect()
}

fn json_of(evidence: &Evidence) -> String {
    serde_json::to_string(evidence).unwrap()
}

/// One entry, for the three formats.
#[derive(Debug, Clone)]
struct Written {
    second: u32,
    pid: u32,
    severity: &'static str,
    state: &'static str,
    message: String,
    detail: String,
    context: String,
    statement: String,
}

impl Written {
    fn log(second: u32, pid: u32, message: &str) -> Self {
        Self {
            second,
            pid,
            severity: "LOG",
            state: "00000",
            message: message.to_owned(),
            detail: String::new(),
            context: String::new(),
            statement: String::new(),
        }
    }

    fn time(&self) -> String {
        format!(
            "2026-11-23 05:{:02}:{:02}.054 UTC",
            self.second / 60 % 60,
            self.second % 60
        )
    }

    fn stderr(&self) -> String {
        let head = format!("{} [{}] o'brien@shop web \"1\": ", self.time(), self.pid);
        let mut out = String::new();
        for (label, text) in [
            (self.severity, &self.message),
            ("DETAIL", &self.detail),
            ("CONTEXT", &self.context),
            ("STATEMENT", &self.statement),
        ] {
            if !text.is_empty() {
                out += &format!("{head}{label}:  {}\n", text.replace('\n', "\n\t"));
            }
        }
        out
    }

    fn csv(&self) -> String {
        let quoted = |text: &str| {
            if text.is_empty() {
                String::new()
            } else {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
        };
        format!(
            "{time},\"o'brien\",\"shop\",{pid},\"[local]\",6b03c95f.{pid:x},1,\"SELECT\",2026-11-23 05:00:00 UTC,3/0,0,{severity},{state},\
             {message},{detail},,,,{context},{statement},,,\"web \"\"1\"\"\",\"client backend\",,0\n",
            time = self.time(),
            pid = self.pid,
            severity = self.severity,
            state = self.state,
            message = quoted(&self.message),
            detail = quoted(&self.detail),
            context = quoted(&self.context),
            statement = quoted(&self.statement),
        )
    }

    fn json(&self) -> String {
        let mut object = serde_json::json!({
            "timestamp": self.time(), "user": "o'brien", "dbname": "shop", "pid": self.pid,
            "session_id": format!("6b03c95f.{:x}", self.pid), "error_severity": self.severity,
            "message": self.message, "application_name": "web \"1\"", "query_id": 0,
        });
        for (key, text) in [
            ("detail", &self.detail),
            ("context", &self.context),
            ("statement", &self.statement),
        ] {
            if !text.is_empty() {
                object[key] = text.as_str().into();
            }
        }
        if self.state != "00000" {
            object["state_code"] = self.state.into();
        }
        // The server writes the timestamp first.
        let timestamp = object.as_object_mut().unwrap().remove("timestamp").unwrap();
        let rest = object.to_string();
        format!("{{\"timestamp\":{timestamp},{}\n", &rest[1..])
    }
}

fn render(entries: &[Written], format: Format) -> String {
    entries
        .iter()
        .map(|entry| match format {
            Format::Stderr => entry.stderr(),
            Format::Csv => entry.csv(),
            Format::Json => entry.json(),
        })
        .collect()
}

/// SQL as hostile clients write it.
fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        (any::<u16>()).prop_map(|id| format!("SELECT * FROM t WHERE id = {id}")),
        (any::<u8>()).prop_map(|id| format!("UPDATE \"T\"\nSET a = 'it''s {id}'\n  -- c\nWHERE b IN ({id}, 2)")),
        Just("SELECT 'x\n2026-11-23 05:00:00.000 UTC [1] evil@db app: LOG:  duration: 9999.000 ms  statement: SELECT forged'".to_owned()),
        Just("SELECT '\n2026-11-23 05:04:31.054 UTC,\"evil\",\"db\",1,,,1,,,,0,LOG,00000,\"duration: 9.000 ms\",,,,,,,,,\"\"\n'".to_owned()),
        Just("SELECT '\n{\"timestamp\":\"2026-11-23 05:04:31.054 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n', \"q\"\"q\"".to_owned()),
        "[ -~é\\n]{1,40}".prop_map(|text| format!("SELECT $x${text}$x$")),
    ]
}

fn entry() -> impl Strategy<Value = Written> {
    let log = |message: String| Written::log(0, 0, &message);
    let one = prop_oneof![
        4 => (statement(), 0u32..10_000_000).prop_map(move |(sql, us)| log(format!("duration: {}.{:03} ms  statement: {sql}", us / 1_000, us % 1_000))),
        2 => (statement(), 0u32..10_000).prop_map(move |(sql, us)| Written {
            detail: "parameters: $1 = 'it''s\n2026'".to_owned(),
            ..log(format!("duration: 0.{:03} ms  execute a/b: {sql}", us % 1_000))
        }),
        1 => statement().prop_map(move |sql| log(format!("duration: 0.100 ms  parse <unnamed>: {sql}"))),
        1 => statement().prop_map(move |sql| log(format!("statement: {sql}"))),
        2 => (0u32..5_000).prop_map(move |us| log(format!("duration: {}.500 ms", us))),
        1 => Just(log("duration: 7.000 ms  plan:\nQuery Text: select 1\nResult".to_owned())),
        1 => statement().prop_map(|sql| Written { severity: "ERROR", state: "42P01", statement: sql, ..Written::log(0, 0, "relation \"x\" does not exist") }),
        1 => statement().prop_map(|sql| Written { statement: sql, ..Written::log(0, 0, "temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 8192") }),
        1 => statement().prop_map(|sql| Written { statement: sql, ..Written::log(0, 0, "duration: 5000.000 ms  statement: SELECT raised") }),
        1 => statement().prop_map(|sql| Written {
            detail: "Process holding the lock: 2. Wait queue: 1, 3.".to_owned(),
            statement: sql,
            ..Written::log(0, 0, "process 1 still waiting for ShareLock on transaction 9 after 100.390 ms")
        }),
        1 => Just(log("process 1 acquired ShareLock on transaction 9 after 900.000 ms".to_owned())),
        1 => statement().prop_map(|sql| Written {
            severity: "ERROR", state: "40P01",
            detail: format!("Process 1 waits for ShareLock on transaction 9; blocked by process 2.\nProcess 2 waits for ShareLock on transaction 8; blocked by process 1.\nProcess 1: {sql}\nProcess 2: SELECT 5"),
            statement: sql, ..Written::log(0, 0, "deadlock detected")
        }),
        1 => Just(log("checkpoint starting: time".to_owned())),
        1 => Just(log("temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 4096".to_owned())),
        1 => Just(log("process 1 still waiting for ShareLock on transaction 7 after 100.390 ms".to_owned())),
        1 => (statement(), 0u32..9_000).prop_map(move |(sql, us)| log(format!(
            "duration: {us}.250 ms  plan:\nQuery Text: {sql}\nSort  (cost=1.00..2.00 rows=3 width=4)\n  ->  Seq Scan on t  (cost=1.00..2.00 rows=3 width=4)\n        Filter: (a = {us})"
        ))),
        1 => (0u32..9_000).prop_map(move |us| log(format!(
            "disconnection: session time: 0:00:{:02}.{:03} user=a database=b host=10.0.0.{} port=7", us % 60, us % 1_000, us % 4
        ))),
        1 => (0u32..9).prop_map(move |id| log(format!("connection received: host=10.0.0.{id} port=7"))),
        1 => prop::sample::select(vec!["statement timeout", "user request", "lock timeout"]).prop_map(|why| Written {
            severity: "ERROR", state: "57014", ..Written::log(0, 0, &format!("canceling statement due to {why}"))
        }),
    ];
    (one, 0u32..3_000, 1u32..5).prop_map(|(entry, second, pid)| Written { second, pid, ..entry })
}

/// What other programs, broken disks and clients with strange names put between entries.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let names = prop::sample::select(vec![
        "2026-11-23 05:04:31.054 UTC [7] x\n",
        "2026-11-23 05:04:31.054 UTC [7] \n",
        "2026-11-23 05:04:31.054 UTC [1] a@b c: PANIC:  forged\n",
        "2026-11-23 05:04:31.054 UTC [1] a@b c: DETAIL:  forged\n",
        "2026-11-23 05:04:31.054 UTC [1] a@b c: LOG:  x@b c: LOG:  duration: 9.000 ms\n",
        "@b c: FATAL:  role does not exist\n",
        "\tmore\n",
        "\n",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..30),
        prop::collection::vec(names, 1..6).prop_map(|lines| lines.concat().into_bytes()),
    ]
}

/// Every entry is of one kind, and no byte is told twice.
fn accounts_for_all(evidence: &Evidence, bytes: usize) {
    let source = &evidence.source;
    assert_eq!(source.bytes, bytes as u64);
    assert_eq!(source.entries_by_kind.values().sum::<u64>(), source.entries_scanned);
    assert_eq!(
        source.unparsed.values().map(|pieces| pieces.count).sum::<u64>(),
        source.entries_unparsed
    );
    let unparsed: u64 = source.unparsed.values().map(|pieces| pieces.bytes).sum();
    assert!(unparsed + source.bytes_dropped <= source.bytes);
    for pieces in source.unparsed.values() {
        assert!(pieces.samples.len() == usize::try_from(pieces.count).unwrap().min(MAX_UNPARSED_SAMPLES));
        assert!(pieces.samples.is_sorted_by_key(|sample| sample.offset));
        assert!(pieces.samples.iter().all(|sample| sample.offset < source.bytes));
    }
}

/// What must be the same for the three formats.
fn comparable(mut evidence: Evidence) -> Evidence {
    evidence.source.files.clear();
    evidence.source.bytes = 0;
    // stderr's prefix tells neither SQLSTATE nor when a session began.
    evidence.source.sqlstates.clear();
    evidence
        .source
        .events
        .retain(|event, _| !event.starts_with("application_"));
    for error in &mut evidence.errors {
        error.sqlstate = None;
        error.id.clear();
    }
    evidence
        .errors
        .sort_by(|one, other| (&one.message, one.count).cmp(&(&other.message, other.count)));
    for wait in &mut evidence.lock_waits {
        wait.id.clear();
        wait.waiter.start_us = None;
        wait.holders.iter_mut().for_each(|holder| holder.start_us = None);
    }
    for deadlock in &mut evidence.deadlocks {
        deadlock.id.clear();
        deadlock.victim.start_us = None;
        for edge in &mut deadlock.edges {
            edge.waiter.start_us = None;
            edge.holder.start_us = None;
        }
    }
    evidence
}

fn analyse_with(text: &str, threads: usize, block_bytes: usize) -> Evidence {
    let options = Options {
        threads,
        log_line_prefix: Some(PREFIX.to_owned()),
        ..Options::default()
    };
    reduce_in_blocks(vec![source(text.as_bytes())], &options, &|_| {}, block_bytes)
        .unwrap()
        .evidence(&Redaction::least())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_three_formats_give_the_same_evidence(entries in prop::collection::vec(entry(), 1..40)) {
        let stderr = comparable(analyse_with(&render(&entries, Format::Stderr), 1, BLOCK_BYTES));
        prop_assert_eq!(stderr.source.entries_scanned, entries.len() as u64);
        prop_assert_eq!(stderr.source.entries_unparsed, 0);
        for format in [Format::Csv, Format::Json] {
            let other = comparable(analyse_with(&render(&entries, format), 1, BLOCK_BYTES));
            prop_assert_eq!(json_of(&other), json_of(&stderr));
        }
    }

    #[test]
    fn merging_parts_gives_exactly_the_whole(
        files in prop::collection::vec(prop::collection::vec(entry(), 1..12), 1..6),
        format in prop::sample::select(vec![Format::Stderr, Format::Csv, Format::Json]),
        cuts in prop::collection::vec(any::<bool>(), 5),
        through_files in any::<bool>(),
    ) {
        let texts: Vec<String> = files.iter().map(|entries| render(entries, format)).collect();
        let options = Options { log_line_prefix: Some(PREFIX.to_owned()), threads: 1, ..Options::default() };
        let reduce_all = |texts: &[String]| {
            let sources = texts.iter().map(|text| source(text.as_bytes())).collect();
            reduce(sources, &options, &|_| {}).unwrap()
        };
        let mut parts: Vec<Vec<String>> = vec![Vec::new()];
        for (text, cut) in texts.iter().zip(&cuts) {
            if *cut && !parts.last().unwrap().is_empty() {
                parts.push(Vec::new());
            }
            parts.last_mut().unwrap().push(text.clone());
        }
        let mut merged: Option<Part> = None;
        for texts in parts {
            let mut part = reduce_all(&texts);
            if through_files {
                let mut bytes = Vec::new();
                part.write(&Redaction::least(), &mut bytes).unwrap();
                part = Part::read("part", Box::new(std::io::Cursor::new(bytes)), options.max_families).unwrap();
            }
            match &mut merged {
                Some(merged) => merged.merge(part),
                None => merged = Some(part),
            }
        }
        prop_assert_eq!(json_of(&merged.unwrap().evidence(&Redaction::least())), json_of(&reduce_all(&texts).evidence(&Redaction::least())));
    }

    #[test]
    fn neither_cuts_nor_threads_matter(
        entries in prop::collection::vec(entry(), 1..40),
        format in prop::sample::select(vec![Format::Stderr, Format::Csv, Format::Json]),
        block_bytes in 1usize..3_000,
        threads in 1usize..5,
        noise in prop::collection::vec((any::<prop::sample::Index>(), noise()), 0..4),
    ) {
        let mut bytes = render(&entries, format).into_bytes();
        for (place, junk) in noise {
            let at = place.index(bytes.len());
            // The first entry stays, so that the format can be told.
            let at = at.max(entries[0].stderr().len().max(entries[0].json().len()).max(entries[0].csv().len())).min(bytes.len());
            bytes.splice(at..at, junk);
        }
        let options = |threads| Options { threads, log_line_prefix: Some(PREFIX.to_owned()), ..Options::default() };
        let whole = reduce_in_blocks(vec![source(&bytes)], &options(1), &|_| {}, BLOCK_BYTES).unwrap().evidence(&Redaction::least());
        let cut = reduce_in_blocks(vec![source(&bytes)], &options(threads), &|_| {}, block_bytes).unwrap().evidence(&Redaction::least());
        prop_assert_eq!(json_of(&cut), json_of(&whole));
        accounts_for_all(&whole, bytes.len());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), start in 0usize..4) {
        let starts: [&[u8]; 4] = [
            b"",
            b"2026-11-23 05:04:31.054 UTC [7] a@b c: LOG:  x\n",
            b"{\"timestamp\":\"2026-11-23 05:04:31.054 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n",
            b"2026-11-23 05:04:31.054 UTC,\"a\",\"b\",7,,6b03c95f.7,1,,2026-11-23 05:04:31 UTC,,0,LOG,00000,\"x\",,,,,,,,,\"\",\"c\",,0\n",
        ];
        let _ = run(&[starts[start], &bytes].concat());
    }
}

#[test]
fn families_add_up() {
    let entries = [
        Written::log(1, 5, "duration: 1.000 ms  statement: SELECT 1"),
        Written::log(2, 5, "duration: 3.001 ms  execute x: select $1"),
        Written::log(3, 5, "duration: 0.500 ms  bind x: select $1"),
        Written::log(4, 5, "statement: SELECT 2"),
        Written::log(5, 5, "duration: 2.000 ms"),
        Written::log(6, 5, "duration: 9.000 ms"),
        Written::log(7, 5, "duration: 9.000 ms  plan:\nQuery Text: SELECT 1"),
    ];
    let evidence = run(render(&entries, Format::Stderr).as_bytes()).unwrap();
    let family = &evidence.families[0];
    assert_eq!((evidence.family_count, evidence.families.len()), (1, 1));
    assert_eq!((family.execution_count, family.total_duration_us), (3, 6_001));
    assert_eq!((family.mean_duration_us, family.max_duration_us), (2_000, 3_001));
    assert_eq!(family.parse_bind_duration_us, 500);
    assert_eq!(family.sample.as_ref().unwrap().statement, "SELECT 2");
    assert_eq!(evidence.source.durations["bare"].count, 2);
    assert_eq!(
        evidence
            .limitations
            .iter()
            .find(|limitation| limitation.code == "bare_duration")
            .unwrap()
            .count,
        1
    );
    assert_eq!(evidence.source.files[0].log_line_prefix.as_deref(), Some(PREFIX));
}

#[test]
fn what_only_stderr_writes_around_a_message_is_taken_off() {
    let log = "2026-11-23 05:04:31.054 UTC [7] a@b c: LOG:  00000: duration: 1.000 ms  statement: SELECT 1\n\
        2026-11-23 05:04:31.054 UTC [7] a@b c: LOCATION:  exec_simple_query, postgres.c:1284\n\
        2026-11-23 05:04:31.054 UTC [7] a@b c: ERROR:  42P01: relation \"x\" does not exist at character 15\n";
    let evidence = run(log.as_bytes()).unwrap();
    assert_eq!(
        (evidence.total_duration_us, evidence.source.sqlstates["ERROR 42P01"]),
        (1_000, 1)
    );
    assert_eq!(evidence.errors[0].message, "relation \"?\" does not exist");
}

#[test]
fn a_failed_statement_has_no_duration() {
    let failed = Written {
        severity: "ERROR",
        state: "22012",
        statement: "SELECT 1/0".to_owned(),
        ..Written::log(2, 5, "division by zero")
    };
    let entries = [
        Written::log(1, 5, "statement: SELECT 1/0"),
        failed,
        Written::log(3, 5, "duration: 9.000 ms"),
        Written::log(3, 6, "duration: 9.000 ms"),
    ];
    let evidence = run(render(&entries, Format::Csv).as_bytes()).unwrap();
    assert_eq!(evidence.total_executions, 0);
    assert_eq!(evidence.families[0].error_count, 1);
    assert_eq!(evidence.source.sqlstates["ERROR 22012"], 1);
    assert_eq!(evidence.source.events["application_division_by_zero"], 1);
}

#[test]
fn the_window_sets_entries_aside() {
    let entries: Vec<Written> = (0..10)
        .map(|second| Written::log(second, 5, "duration: 1.000 ms  statement: SELECT 1"))
        .collect();
    let base = "2026-11-23T05:00:00.054Z"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_microsecond();
    let options = Options {
        since_us: Some(base + 3_000_000),
        until_us: Some(base + 5_000_000),
        ..Options::default()
    };
    let evidence = analyse(
        vec![source(render(&entries, Format::Json).as_bytes())],
        &options,
        &|_| {},
    )
    .unwrap();
    assert_eq!(
        (
            evidence.source.entries_scanned,
            evidence.source.entries_outside_window,
            evidence.total_executions
        ),
        (10, 7, 3)
    );
    assert_eq!(
        evidence.window.map(|window| (window.since_us, window.until_us)),
        Some((base + 3_000_000, base + 5_000_000))
    );
}

#[test]
fn the_account_names_every_piece_and_how_the_clock_went() {
    let at = |time: &str, rest: &str| format!("2026-11-23 {time}.000 UTC [7] bob@shop web: {rest}\n");
    let entry = at("05:00:00", "LOG:  duration: 1.000 ms  statement: SELECT 1");
    let junk = "secret 42\n\tmore of it\n";
    let back = at("04:59:00", "ERROR:  x");
    let late = at("05:30:00", "WARNING:  y");
    let tail = "2026-11-23 05:30:01.000 UTC [7] bob@shop web: LOG:  statement: SELECT";
    let log = format!("\u{feff}{entry}{junk}{back}{late}{junk}{tail}");
    let evidence = run(log.as_bytes()).unwrap();
    let source = &evidence.source;
    accounts_for_all(&evidence, log.len());
    let pieces = &source.unparsed["prefix_mismatch"];
    assert_eq!((pieces.count, pieces.bytes), (2, 2 * junk.len() as u64));
    for sample in &pieces.samples {
        let offset = usize::try_from(sample.offset).unwrap();
        assert!(log.get(offset..).unwrap().starts_with(junk));
        assert_eq!(sample.shape, "xxxxxx 99");
    }
    let kinds: Vec<_> = source
        .entries_by_kind
        .iter()
        .map(|(kind, count)| (kind.as_str(), *count))
        .collect();
    assert_eq!(kinds, [("duration", 1), ("error", 1), ("notice", 1), ("statement", 1)]);
    assert!(source.files[0].truncated_tail);
    let minute = 60_000_000;
    assert_eq!((source.clock_jump_count, source.gap_count), (1, 1));
    assert_eq!(source.clock_jumps[0].from_us - source.clock_jumps[0].to_us, minute);
    assert_eq!(source.gaps[0].until_us - source.gaps[0].since_us, 31 * minute);
    assert!(evidence.limitations.iter().any(|known| known.code == "clock_jumps"));
}

#[test]
fn lock_waits_and_deadlocks_know_who_waited_for_whom() {
    let waiting = Written {
        detail: "Process holding the lock: 6. Wait queue: 5, 7.".to_owned(),
        statement: "UPDATE t SET a = 1".to_owned(),
        ..Written::log(
            2,
            5,
            "process 5 still waiting for ShareLock on transaction 9 after 100.390 ms",
        )
    };
    let entries = [
        Written::log(1, 6, "duration: 1.000 ms  statement: SELECT 1"),
        waiting,
        Written::log(4, 5, "process 5 acquired ShareLock on transaction 9 after 1900.000 ms"),
    ];
    let evidence = run(render(&entries, Format::Csv).as_bytes()).unwrap();
    let [wait] = evidence.lock_waits.as_slice() else {
        panic!("{:?}", evidence.lock_waits)
    };
    assert_eq!(
        (wait.waited_us, wait.acquired, wait.queue.as_slice()),
        (1_900_000, true, &[5, 7][..])
    );
    assert_eq!(
        (wait.holders[0].pid, wait.holders[0].start_us),
        (6, Some(0x6b03_c95f * 1_000_000))
    );
    let family = wait.family.as_ref().unwrap();
    assert!(
        evidence
            .families
            .iter()
            .any(|listed| listed.id == *family && listed.statement == "update t set a = ?")
    );
}

fn compressed(bytes: &[u8], zstd: bool) -> Vec<u8> {
    if zstd {
        return zstd::encode_all(bytes, 3).unwrap();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn many() -> String {
    let entries: Vec<Written> = (0..3_000)
        .map(|n| {
            Written::log(
                n,
                n % 7,
                &format!("duration: {n}.000 ms  statement: SELECT {n}, '{}'", n * 7_919),
            )
        })
        .collect();
    render(&entries, Format::Stderr)
}

#[test]
fn compressed_logs_are_told_by_their_bytes() {
    let plain = many();
    let expected = json_of(&run(plain.as_bytes()).unwrap());
    for zstd in [false, true] {
        let mut evidence = run(&compressed(plain.as_bytes(), zstd)).unwrap();
        assert!(evidence.source.files[0].compression.take().is_some());
        assert_eq!(json_of(&evidence), expected);
    }
}

#[test]
fn a_truncated_compressed_log_is_analysed_as_far_as_it_goes() {
    let plain = many();
    for zstd in [false, true] {
        // Several frames, so that a part can be decompressed.
        let mut bytes: Vec<u8> = plain
            .as_bytes()
            .chunks(40_000)
            .flat_map(|part| compressed(part, zstd))
            .collect();
        bytes.truncate(bytes.len() * 2 / 3);
        let evidence = run(&bytes).unwrap();
        assert!(
            (500..3_000).contains(&evidence.total_executions),
            "{}",
            evidence.total_executions
        );
        assert_eq!(evidence.source.unparsed["truncated_compressed_stream"].count, 1);
        assert!(
            evidence
                .limitations
                .iter()
                .any(|limitation| limitation.code == "truncated_compressed_stream")
        );
    }
}

#[test]
fn a_csv_cut_in_a_quoted_field_keeps_what_is_whole() {
    let entry = Written::log(1, 5, "duration: 1.000 ms  statement: SELECT 'a,\n\"b'");
    let whole = entry.csv();
    let cut = whole.rfind("SELECT").unwrap() + 9;
    let evidence = run(format!("{whole}{whole}{}", &whole[..cut]).as_bytes()).unwrap();
    assert_eq!((evidence.total_executions, evidence.source.entries_unparsed), (2, 1));
    assert_eq!(evidence.source.unparsed["truncated_csv_record"].count, 1);
    // The server went on after a crash.
    let evidence = run(format!("{whole}{}{whole}{whole}{whole}", &whole[..cut]).as_bytes()).unwrap();
    assert!(evidence.total_executions >= 3, "{}", evidence.total_executions);
    assert_eq!(evidence.source.unparsed["invalid_csv_record"].count, 1);
}

#[test]
fn a_csv_broken_in_two_places_is_cut_alike() {
    let sql = "SELECT '\n2026-11-23 05:04:31.054 UTC,\"evil\",\"db\",1,,,1,,,,0,LOG,00000,\"duration: 9.000 ms\",,,,,,,,,\"\"\n'";
    let first = Written::log(0, 1, "duration: 1.000 ms  statement: SELECT 1").csv();
    let second = Written {
        detail: format!("Process 1: {sql}\nProcess 2: SELECT 5"),
        statement: sql.to_owned(),
        ..Written::log(0, 1, "deadlock detected")
    }
    .csv();
    for place in 0..second.len() {
        let (before, behind) = second.split_at(place);
        let text = format!("{first}\0\0{before}\0{behind}");
        let whole = analyse_with(&text, 1, BLOCK_BYTES);
        assert_eq!(json_of(&analyse_with(&text, 1, 1)), json_of(&whole), "{place}");
    }
}

#[test]
fn a_json_line_that_is_cut_is_counted() {
    let whole = Written::log(1, 5, "duration: 1.000 ms  statement: SELECT 'é'").json();
    let evidence = run(format!("{whole}{{\"timestamp\":\"2\n{whole}{}", &whole[..60]).as_bytes()).unwrap();
    assert_eq!(evidence.total_executions, 2);
    assert_eq!(
        (
            evidence.source.unparsed["invalid_json"].count,
            evidence.source.unparsed["truncated_json"].count
        ),
        (1, 1)
    );
}

#[test]
fn what_is_no_log_is_refused_with_a_remedy() {
    let error = run(b"\x7fELF\x00\x00\x01").unwrap_err();
    assert!(
        matches!(error, LogError::NotALog { .. }) && error.to_string().contains("it is binary"),
        "{error}"
    );
    let error = run(b"hello\nworld\n").unwrap_err().to_string();
    assert!(
        error.contains("`xxxxx`") && !error.contains("hello") && error.contains("--log-line-prefix"),
        "{error}"
    );
    let error = run(&vec![b'x'; 9_000_000]).unwrap_err().to_string();
    assert!(error.len() < 500, "{error}");
}

#[test]
fn an_empty_file_is_fine_and_told() {
    for bytes in [&b""[..], b"\n\n", b"\xef\xbb\xbf"] {
        let evidence = run(bytes).unwrap();
        assert_eq!(evidence.source.files[0].format, None);
        assert_eq!(evidence.limitations[0].code, "empty_file");
    }
}

#[test]
fn a_prefix_that_matches_nothing_is_told_with_one_that_would() {
    let log = "2026-11-23 05:04:31.054 UTC [7] \u{1b}root@shop LOG:  x\n";
    let options = Options {
        log_line_prefix: Some("%t [%p]: ".to_owned()),
        ..Options::default()
    };
    let error = analyse(vec![source(log.as_bytes())], &options, &|_| {})
        .unwrap_err()
        .to_string();
    assert!(error.contains("`%t [%p]: `") && error.contains("`%m [%p]"), "{error}");
    assert!(
        error.contains("[9] ?xxxx@xxxx LOG:") && !error.contains("root"),
        "{error}"
    );
}

#[test]
fn bytes_that_are_no_text_survive() {
    let mut log = b"2026-11-23 05:04:31.054 UTC [7] a\xff@b\x00 c: LOG:  duration: 1.000 ms  statement: SELECT \"\xfe\x00\" FROM t\n".to_vec();
    log.extend_from_slice(b"2026-11-23 05:04:31.054 UTC [7] a@b c: LOG:  duration: 1.000 ms  statement: SELECT 1\n");
    let evidence = run(&log).unwrap();
    assert_eq!(evidence.total_executions, 2);
    let statements: Vec<&str> = evidence
        .families
        .iter()
        .map(|family| family.statement.as_str())
        .collect();
    assert!(statements.contains(&"select \"\u{fffd}\0\" from t"), "{statements:?}");
}

/// A line of `len` bytes that is made while it is read.
fn long_source(head: &'static str, fill: u8, len: u64, tail: String) -> Source {
    use std::io::Read;
    let input = head
        .as_bytes()
        .chain(std::io::repeat(fill).take(len))
        .chain(std::io::Cursor::new(tail.into_bytes()));
    Source::stream("long".to_owned(), Box::new(input))
}

#[test]
fn a_line_of_200_mb_is_read_in_bounded_memory() {
    let next = Written::log(1, 5, "duration: 1.000 ms  statement: SELECT 1");
    for (head, next) in [
        (
            "2026-11-23 05:04:31.054 UTC [7] a@b c: LOG:  duration: 2.000 ms  statement: SELECT '",
            next.stderr(),
        ),
        (
            "2026-11-23 05:04:31.054 UTC,\"a\",\"b\",7,,6b03c95f.7,1,,2026-11-23 05:04:31 UTC,,0,LOG,00000,\"",
            next.csv(),
        ),
        (
            "{\"timestamp\":\"2026-11-23 05:04:31.054 UTC\",\"message\":\"",
            next.json(),
        ),
    ] {
        let is_stderr = head.contains("[7]");
        let close = if head.contains("00000") {
            "\",,,,,,,,,\"\",\"c\",,0\n"
        } else {
            "'\n"
        };
        let source = long_source(head, b'x', 200_000_000, format!("{close}{next}{next}"));
        let evidence = analyse(vec![source], &Options::default(), &|_| {}).unwrap();
        assert_eq!(evidence.total_executions, 2 + u64::from(is_stderr), "{head}");
        let told = evidence.source.unparsed.contains_key("entry_too_long")
            || evidence
                .limitations
                .iter()
                .any(|limitation| limitation.code == "entry_truncated");
        assert!(told, "{:?}", evidence.source);
        assert!(peak_memory_kb() < 120_000, "{} kB", peak_memory_kb());
    }
}

/// The peak of this test process: other tests run in it too, but none keeps much.
fn peak_memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn foreign_lines_are_counted_and_join_nothing() {
    let failed = Written {
        severity: "ERROR",
        ..Written::log(1, 5, "boom")
    }
    .stderr();
    let log = format!(
        "\tlost\n{failed}sh: archive.sh: not found\n2026-11-23 05:00:01.054 UTC [5] o'brien@shop web \"1\": STATEMENT:  SELECT 1\n"
    );
    let evidence = run(log.as_bytes()).unwrap();
    let reasons = &evidence.source.unparsed;
    assert_eq!(
        (
            reasons["continuation_without_entry"].count,
            reasons["prefix_mismatch"].count,
            reasons["detail_without_entry"].count
        ),
        (1, 1, 1)
    );
    assert_eq!(evidence.source.entries_unparsed, 3);
    assert_eq!(evidence.family_count, 0);
}

#[test]
fn raised_text_is_neither_duration_nor_event() {
    let raised = |message: &str| Written {
        statement: "DO $$ raise log $$".to_owned(),
        ..Written::log(1, 5, message)
    };
    let entries = [
        raised("duration: 99999.000 ms  statement: SELECT forged"),
        raised("checkpoint complete: wrote nothing"),
        // log_min_error_statement may leave the statement out, and still the server's own processes have no user.
        Written::log(1, 5, "server process (PID 7) was terminated by signal 9: Killed"),
        Written::log(1, 5, "duration: 1.000 ms  statement: SELECT 1"),
    ];
    for format in [Format::Stderr, Format::Csv, Format::Json] {
        let evidence = run(render(&entries, format).as_bytes()).unwrap();
        assert_eq!((evidence.total_duration_us, evidence.source.events.len()), (1_000, 0));
        let codes: Vec<&str> = evidence
            .limitations
            .iter()
            .map(|limitation| limitation.code.as_str())
            .collect();
        assert_eq!(codes, ["forged_duration", "forged_event"]);
        assert_eq!(evidence.source.entries_by_kind["forged"], 3);
    }
}

/// Autovacuum calls functions of whoever owns an index, and then there is neither a statement nor a user.
#[test]
fn what_a_function_raises_is_no_event_whoever_calls_it() {
    let raised = |severity, state, message: &str, name: &str| Written {
        severity,
        state,
        context: format!("PL/pgSQL function {name}(integer) line 4 at RAISE\nwhile scanning relation \"public.t\""),
        ..Written::log(1, 500, message)
    };
    let entries = [
        raised("LOG", "00000", "duration: 99999.000 ms  statement: SELECT forged", "evil"),
        raised("LOG", "00000", "server process (PID 7) was terminated by signal 9: Killed", "\"e\nvil\""),
        raised("ERROR", "40P01", "deadlock detected", "evil"),
        raised("WARNING", "01000", "database \"x\" must be vacuumed within 1000 transactions", "evil"),
        // The server's own, inside a function.
        Written {
            severity: "ERROR",
            state: "40P01",
            context: "while locking tuple (0,1) in relation \"t\"\nSQL statement \"SELECT 1\"\nPL/pgSQL function f() line 3 at SQL statement"
                .to_owned(),
            ..Written::log(2, 5, "deadlock detected")
        },
    ];
    for format in [Format::Stderr, Format::Csv, Format::Json] {
        let evidence = run(render(&entries, format).as_bytes()).unwrap();
        assert_eq!(evidence.total_duration_us, 0);
        assert_eq!(events(&evidence), [("deadlock_detected", 1)], "{format:?}");
        let codes: Vec<&str> = evidence.limitations.iter().map(|it| it.code.as_str()).collect();
        assert!(
            codes.contains(&"forged_duration") && codes.contains(&"forged_event"),
            "{codes:?}"
        );
        // It is an error all the same.
        assert_eq!(evidence.errors.iter().map(|class| class.count).sum::<u64>(), 2);
    }
}

/// What PL/Perl and PL/Python log has nothing but their name in its CONTEXT, and so has what the server logs while it closes their cursors.
#[test]
fn what_another_languages_function_logs_is_no_event_of_the_servers_processes() {
    let logged = |context: &str, statement: &str, severity, state, message: &str| Written {
        severity,
        state,
        context: context.to_owned(),
        statement: statement.to_owned(),
        ..Written::log(1, 500, message)
    };
    let perl = "PL/Perl function \"idx\"";
    let temporary = "temporary file: path \"base/pgsql_tmp/pgsql_tmp7.0\", size 280000";
    let entries = [
        // Called by autovacuum, from an index.
        logged(
            perl,
            "",
            "LOG",
            "00000",
            "duration: 99999.000 ms  statement: SELECT forged",
        ),
        logged(perl, "", "LOG", "00000", temporary),
        logged(
            "PL/Python anonymous code block",
            "",
            "LOG",
            "00000",
            "checkpoints are occurring too frequently (3 seconds apart)",
        ),
        logged(
            perl,
            "",
            "WARNING",
            "01000",
            "database \"x\" must be vacuumed within 1000 transactions",
        ),
        logged(perl, "", "ERROR", "40P01", "deadlock detected"),
        // Called in a session.
        logged(
            perl,
            "SELECT idx(1)",
            "LOG",
            "00000",
            "server process (PID 7) was terminated by signal 9: Killed",
        ),
        // A cursor that it closes.
        logged(
            "PL/Python function \"cury\"\nSQL statement \"SELECT cury()\"",
            "SELECT cury()",
            "LOG",
            "00000",
            temporary,
        ),
    ];
    for format in [Format::Stderr, Format::Csv, Format::Json] {
        let evidence = run(render(&entries, format).as_bytes()).unwrap();
        assert_eq!(evidence.total_duration_us, 0, "{format:?}");
        assert_eq!(events(&evidence), [("temp_file_created", 1)], "{format:?}");
    }
}

/// A statement that is kept to be run again is kept with its values.
#[test]
fn a_statement_with_a_credential_is_no_sample() {
    for statement in [
        "SELECT dblink_connect('host=x password=hunter2')",
        "SELECT pgp_sym_decrypt(c, 'hunter2') FROM t",
        "SELECT set_config('app.token', 'hunter2', false)",
        "SELECT 'postgresql://u:hunter2@h/d'",
        "SELECT id FROM users WHERE Password = 'hunter2'",
    ] {
        let entry = Written::log(1, 5, &format!("duration: 1.000 ms  statement: {statement}"));
        let evidence = run(render(&[entry], Format::Stderr).as_bytes()).unwrap();
        assert_eq!(evidence.families.len(), 1, "{statement}");
        assert!(evidence.families[0].sample.is_none(), "{statement}");
    }
    let bound = Written {
        detail: "Parameters: $1 = 'password=hunter2'".to_owned(),
        ..Written::log(1, 5, "duration: 1.000 ms  execute x: SELECT id FROM t WHERE a = $1")
    };
    let evidence = run(render(&[bound], Format::Stderr).as_bytes()).unwrap();
    assert!(evidence.families[0].sample.is_none());
}

#[test]
fn too_many_families_are_folded_and_told() {
    let mut entries: Vec<Written> = Vec::new();
    for n in 0..400u32 {
        entries.push(Written::log(
            n,
            5,
            &format!("duration: 0.00{} ms  statement: SELECT c{n}", n % 10),
        ));
        entries.push(Written::log(n, 5, "duration: 50.000 ms  statement: SELECT heavy"));
    }
    let text = render(&entries, Format::Stderr);
    let run = |threads, block_bytes| {
        let options = Options {
            threads,
            max_families: 20,
            ..Options::default()
        };
        reduce_in_blocks(vec![source(text.as_bytes())], &options, &|_| {}, block_bytes)
            .unwrap()
            .evidence(&Redaction::least())
    };
    let evidence = run(1, BLOCK_BYTES);
    assert_eq!(evidence.families.len(), 20);
    assert_eq!(
        (
            evidence.families[0].statement.as_str(),
            evidence.families[0].execution_count
        ),
        ("select heavy", 400)
    );
    assert_eq!((evidence.total_executions, evidence.family_count), (800, 401));
    assert!(
        evidence
            .limitations
            .iter()
            .any(|limitation| limitation.code == "families_folded" && limitation.count == 381)
    );
    assert_eq!(json_of(&run(3, 700)), json_of(&evidence));
}

#[test]
fn a_folder_gives_its_files_in_order_and_none_from_outside() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.log"), many()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let entry = Written::log(1, 5, "duration: 1.000 ms  statement: SELECT 1");
    std::fs::write(folder.path().join("b.csv"), entry.csv()).unwrap();
    std::fs::write(folder.path().join("a.log"), entry.stderr()).unwrap();
    std::fs::write(folder.path().join("c.bin"), b"\x00\x01").unwrap();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.log"), folder.path().join("e.log")).unwrap();
    let dir = cap_std::fs::Dir::from_std_file(std::fs::File::open(folder.path()).unwrap());
    let evidence = analyse(Source::in_dir("logs", &dir).unwrap(), &Options::default(), &|_| {}).unwrap();
    let files: Vec<&str> = evidence.source.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["logs/a.log", "logs/b.csv"]);
    assert_eq!(evidence.total_executions, 2);
    assert_eq!(
        evidence
            .limitations
            .iter()
            .map(|limitation| (limitation.code.as_str(), limitation.count))
            .collect::<Vec<_>>(),
        [("link_not_followed", 1), ("not_a_log", 1)]
    );
    let empty = tempfile::tempdir().unwrap();
    let dir = cap_std::fs::Dir::from_std_file(std::fs::File::open(empty.path()).unwrap());
    assert!(
        Source::in_dir("logs", &dir)
            .unwrap_err()
            .to_string()
            .contains("no PostgreSQL log in the folder `logs`")
    );
}

#[test]
fn a_read_that_fails_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let handle = std::fs::File::open(folder.path()).unwrap();
    let error = analyse(
        vec![Source::file("logs/x".to_owned(), handle)],
        &Options::default(),
        &|_| {},
    )
    .unwrap_err();
    assert!(
        matches!(error, LogError::Read { .. }) && error.to_string().contains("`logs/x`"),
        "{error}"
    );
}

#[test]
fn progress_ends_at_the_total() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    std::fs::write(&path, many()).unwrap();
    let last = Mutex::new(Vec::new());
    let source = Source::file("a".to_owned(), std::fs::File::open(&path).unwrap());
    analyse(vec![source], &Options::default(), &|progress| {
        last.lock().unwrap().push(progress)
    })
    .unwrap();
    let len = std::fs::metadata(&path).unwrap().len();
    assert_eq!(
        last.lock().unwrap().last(),
        Some(&Progress {
            bytes_read: len,
            bytes_total: Some(len)
        })
    );
}

use std::io::Write as _;

use super::*;
use crate::analysis::{Options, reduce};
use crate::redaction::Redaction;
use crate::source::Source;

/// Entries of a server, one for each second from the first to the last, as its log has them in a format.
fn log(format: &str, pid: u32, seconds: std::ops::RangeInclusive<u32>) -> String {
    seconds
        .map(|second| {
            let at = format!("2026-11-23 05:{:02}:{:02}.{pid:03} UTC", second / 60, second % 60);
            let message = "duration: 1.000 ms  statement: SELECT 1";
            match format {
                "csv" => format!(
                    "{at},\"bob\",\"shop\",{pid},\"[local]\",6b03c95f.{pid:x},1,\"SELECT\",2026-11-23 05:00:00 UTC,3/0,0,LOG,\
                     00000,\"{message}\",,,,,,,,,\"web\",\"client backend\",,0\n"
                ),
                "json" => format!(
                    "{{\"timestamp\":\"{at}\",\"user\":\"bob\",\"dbname\":\"shop\",\"pid\":{pid},\"error_severity\":\"LOG\",\
                     \"message\":\"{message}\",\"application_name\":\"web\"}}\n"
                ),
                _ => format!("{at} [{pid}] bob@shop web: LOG:  {message}\n"),
            }
        })
        .collect()
}

fn part_of(path: &str, bytes: &[u8], options: &Options) -> Part {
    let source = Source::stream(path.to_owned(), Box::new(std::io::Cursor::new(bytes.to_vec())));
    reduce(vec![source], options, &|_| {}).unwrap()
}

fn part(log: &str) -> Part {
    part_of("pg.log", log.as_bytes(), &Options::default())
}

/// The part as an export with this number, written and read again.
fn exported(mut part: Part, number: u32) -> Part {
    part.set_export(&format!("ex_{number:026}"));
    let mut bytes = Vec::new();
    part.write(&Redaction::least(), &mut bytes).unwrap();
    Part::read("a.json", Box::new(std::io::Cursor::new(bytes)), 20_000).unwrap()
}

/// What the parts of evidence files have in common, each with those before it.
fn common(parts: &[Part]) -> Vec<Overlap> {
    let mut counted = Counted::default();
    let files = parts.iter().zip('a'..);
    files
        .flat_map(|(part, name)| counted.file(&name.to_string(), part))
        .collect()
}

fn merged(parts: &[&Part]) -> Part {
    let mut whole = parts[0].clone();
    for part in &parts[1..] {
        whole.merge((*part).clone());
    }
    whole
}

#[test]
fn the_same_export_is_told_however_often_it_was_merged() {
    let [a, b, c] = [1, 2, 3].map(|n| exported(part_of(&format!("{n}.log"), b"", &Options::default()), n));
    assert!(common(&[a.clone(), b.clone(), c.clone()]).is_empty());
    let (ab, bc) = (merged(&[&a, &b]), merged(&[&b, &c]));
    for (parts, earlier, path) in [
        (vec![a.clone(), a.clone()], "a", "1.log"),
        (vec![ab.clone(), c.clone(), a.clone()], "a", "1.log"),
        (vec![c.clone(), ab.clone(), bc.clone()], "a", "3.log"),
        (vec![ab.clone(), bc.clone()], "a", "2.log"),
        (vec![ab.clone(), merged(&[&ab, &c])], "a", "1.log"),
    ] {
        let told = common(&parts);
        assert!(!told.is_empty());
        let same = told.iter().any(|overlap| {
            overlap.earlier.as_deref() == Some(earlier)
                && matches!(&overlap.common, Common::Export { path: found, .. } if found == path)
        });
        assert!(same, "{told:?}");
    }
}

#[test]
fn hosts_that_logged_the_same_little_are_not_the_same() {
    let idle = "2026-11-23 00:00:00 UTC [1] LOG:  received SIGHUP, reloading configuration files\n";
    // Containers that were started together, to the second.
    let started: String = (0..6)
        .map(|n| format!("2026-11-23 00:00:0{} UTC [1] LOG:  x\n", n / 2))
        .collect();
    for log in ["", idle, &started] {
        assert!(
            common(&[exported(part(log), 1), exported(part(log), 2)]).is_empty(),
            "{log}"
        );
    }
    // Of many seconds, or of a few milliseconds, it is one log.
    for log in [started.replace(":0", ":1").repeat(11), log("stderr", 7, 0..=2)] {
        assert_eq!(
            common(&[exported(part(&log), 1), exported(part(&log), 2)]).len(),
            1,
            "{log}"
        );
    }
}

#[test]
fn a_log_is_told_by_its_beginning_however_it_is_stored() {
    let stderr = log("stderr", 7, 0..=100);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(stderr.as_bytes()).unwrap();
    let docker: String = stderr
        .lines()
        .map(|line| {
            format!(
                "{}\n",
                serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "t"})
            )
        })
        .collect();
    let grown = log("stderr", 7, 0..=200);
    let forms = [
        stderr.into_bytes(),
        gzip.finish().unwrap(),
        docker.into_bytes(),
        grown.into_bytes(),
        log("csv", 7, 0..=100).into_bytes(),
        log("json", 7, 0..=100).into_bytes(),
    ];
    let parts: Vec<Part> = (0..)
        .zip(&forms)
        .map(|(number, bytes)| exported(part_of("pg.log", bytes, &Options::default()), number))
        .collect();
    let told = common(&parts);
    assert_eq!(told.len(), forms.len() - 1, "{told:?}");
    assert!(
        told.iter()
            .all(|overlap| matches!(overlap.common, Common::Log { is_touch: false, .. }))
    );
    // Another server's log of the same time is another log.
    assert!(common(&[parts[0].clone(), exported(part(&log("stderr", 8, 0..=100)), 9)]).is_empty());
}

#[test]
fn windows_of_one_log_add_up_as_long_as_they_do_not_overlap() {
    let whole = log("stderr", 0, 0..=300);
    let second = |second: u32| 1_795_410_000_000_000 + i64::from(second) * 1_000_000;
    let window = |number, since: u32, until: u32| {
        let options = Options {
            since_us: Some(second(since)),
            until_us: Some(second(until)),
            ..Options::default()
        };
        exported(part_of("pg.log", whole.as_bytes(), &options), number)
    };
    assert!(common(&[window(1, 0, 99), window(2, 100, 200), window(3, 201, 300)]).is_empty());
    // A window without an entry has nothing in common with any.
    assert!(common(&[window(1, 0, 99), window(2, 400, 500)]).is_empty());
    let told = |parts: &[Part]| match &common(parts)[..] {
        [
            Overlap {
                earlier: Some(_),
                common:
                    Common::Log {
                        since_us,
                        until_us,
                        is_touch,
                        ..
                    },
            },
        ] => (*since_us, *until_us, *is_touch),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        told(&[window(1, 0, 100), window(2, 100, 200)]),
        (second(100), second(100), true)
    );
    assert_eq!(
        told(&[window(1, 100, 200), window(2, 0, 100)]),
        (second(100), second(100), true)
    );
    assert_eq!(
        told(&[window(1, 0, 100), window(2, 99, 200)]),
        (second(99), second(100), false)
    );
    assert_eq!(
        told(&[window(1, 0, 100), window(2, 50, 50)]),
        (second(50), second(50), false)
    );
    assert_eq!(
        told(&[window(1, 50, 50), window(2, 50, 50)]),
        (second(50), second(50), false)
    );
    // Of several, the one with which most is in common.
    let parts = [window(1, 0, 100), window(2, 101, 200), window(3, 90, 150)];
    assert_eq!(told(&parts), (second(101), second(150), false));
    assert_eq!(common(&parts)[0].earlier.as_deref(), Some("b"));
}

#[test]
fn logs_are_compared_with_each_other_and_an_evidence_file_with_what_came_before() {
    let text = log("stderr", 7, 0..=100);
    let source = |path: &str| {
        Source::stream(
            path.to_owned(),
            Box::new(std::io::Cursor::new(text.clone().into_bytes())),
        )
    };
    let twice = reduce(
        vec![source("a/pg.log"), source("b/pg.log")],
        &Options::default(),
        &|_| {},
    )
    .unwrap();
    let mut counted = Counted::default();
    let told = counted.logs(&twice);
    let [
        Overlap {
            earlier: None,
            common: Common::Log { earlier_path, path, .. },
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((earlier_path.as_str(), path.as_str()), ("a/pg.log", "b/pg.log"));
    let file = exported(part(&text), 1);
    let told = counted.file("a.json", &file);
    assert!(matches!(
        &told[..],
        [Overlap {
            earlier: None,
            common: Common::Log { .. }
        }]
    ));
    // What was accepted when a file was made is not told again.
    assert!(Counted::default().file("a.json", &exported(twice, 2)).is_empty());
}

#[test]
fn an_id_or_a_beginning_that_is_none_is_refused() {
    let mut bytes = Vec::new();
    let mut part = part(&log("stderr", 7, 0..=100));
    part.set_export(&format!("ex_{:026}", 1));
    part.write(&Redaction::least(), &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let beginning = part.source.files[0].beginning.clone().unwrap();
    let read = |text: String| Part::read("a.json", Box::new(std::io::Cursor::new(text.into_bytes())), 20_000);
    assert!(read(text.clone()).is_ok());
    for (from, to, field) in [
        ("ex_0", "ex_`", "exports"),
        ("ex_0", "xx_0", "exports"),
        (beginning.as_str(), "0", "source.files"),
        (
            beginning.as_str(),
            &beginning.to_uppercase().replace('0', "A"),
            "source.files",
        ),
        ("\"window\":{\"since_us\":1", "\"window\":{\"since_us\":9", "window"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = read(changed).unwrap_err().to_string();
        assert!(error.contains(&format!("`{field}`")), "{error}");
    }
    let files = text.rfind("\"window\":{\"since_us\":1").unwrap();
    let changed = format!(
        "{}{}",
        &text[..files],
        text[files..].replacen("\"since_us\":1", "\"since_us\":9", 1)
    );
    let error = read(changed).unwrap_err().to_string();
    assert!(error.contains("`source.files`"), "{error}");
}

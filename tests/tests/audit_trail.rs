//! A whole trail as the gateway makes it, with an action on a real server, a refusal and another key on the way: verified by a program
//! from the specifications, and with each of its files changed in every way.

use std::cell::Cell;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use pg_logstats_gateway::audit::verify;
use pg_logstats_tests::{Lab, action, argv, fixture, logging, make_shop};

/// The laboratory, and the public keys of its log, oldest first.
fn trail() -> (Lab, [String; 2]) {
    let cluster = logging().start().expect("PostgreSQL starts");
    make_shop(&cluster);
    let orders = "CREATE TABLE orders AS SELECT i AS id, i % 500 AS customer_id FROM generate_series(1, 20000) i;
                  ANALYZE orders; GRANT SELECT ON orders TO triage;";
    cluster.psql_as("app", "shop", orders).unwrap();
    for i in 0..4 {
        let lookup = format!("SELECT count(*) FROM orders WHERE customer_id = {i}");
        cluster.psql_as("app", "shop", &lookup).unwrap();
    }
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    let log = cluster.collected_logs().into_iter().next();
    let report = lab.triage("query-families", &log.unwrap_or_else(|| cluster.server_log()));
    let explain = argv(action(&report, "query_family.explain"));
    lab.json(&explain.iter().map(String::as_str).collect::<Vec<_>>());
    let id = report["report_id"].as_str().unwrap();
    lab.run(&["run-sql", "--triage-report", id, "--action-id", "act_99"])
        .fails(3, &[]);
    let first = lab.file("first.pem", lab.run(&["audit", "public-key"]).stdout);
    lab.json(&["audit", "rotate-key", "--reason", "yearly"]);
    let second = lab.file("second.pem", lab.run(&["audit", "public-key"]).stdout);
    lab.triage("locks", &fixture("shop.log"));
    lab.triage("errors", &fixture("shop.log"));
    let kinds = ["triage", "intent", "outcome", "refusal", "log_key", "triage", "triage"];
    assert_eq!(lab.record_kinds(), kinds);
    (lab, [first, second])
}

fn audit(lab: &Lab) -> PathBuf {
    lab.workspace().join("audit")
}

/// `tlog.py trail`: whether it verified, and what it said.
fn independent(lab: &Lab, key: &str, more: &[&str]) -> (bool, String) {
    let folder = audit(lab);
    let checkpoint = std::fs::read_to_string(folder.join("checkpoint")).unwrap();
    let origin = checkpoint.lines().next().unwrap();
    let output = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../host/audit/tests/verifiers/tlog.py"
        ))
        .args(["trail", "--origin", origin, "--key", key])
        .args(more)
        .arg(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    match output.status.code() {
        Some(0) => (true, said),
        Some(1) if said.starts_with("NOT VERIFIED") => (false, said),
        _ => panic!("{said}"),
    }
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// Writes a file anew, whatever its mode.
fn put(path: &Path, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_program_from_the_specifications_follows_the_keys_of_a_whole_trail() {
    let (lab, [first, second]) = trail();
    let earlier = lab.file("earlier", std::fs::read(audit(&lab).join("checkpoint")).unwrap());
    for key in [&first, &second] {
        let (verified, said) = independent(&lab, key, &["--since", &earlier]);
        assert!(verified, "{said}");
        assert!(said.starts_with("7 entries and records verify"), "{said}");
        assert!(said.ends_with(", 2 keys in turn\n"), "{said}");
    }
    let stranger = lab.path().join("stranger");
    let made = lab.json(&["key", "generate", "--output", stranger.to_str().unwrap()]);
    let stranger = lab.file("stranger.pem", made["public_key"].as_str().unwrap());
    let (verified, said) = independent(&lab, &stranger, &[]);
    assert!(!verified && said.contains("no trusted key signed it"), "{said}");

    // The rotation with one signature less, and without its record: then the first key says nothing of what came after it.
    let rotation = lab.json(&["audit", "list"]);
    let rotation = rotation
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["kind"] == "log_key")
        .unwrap();
    let name = format!("{}.4.json", rotation["record_id"].as_str().unwrap());
    let path = files(&audit(&lab))
        .into_iter()
        .find(|file| file.ends_with(&name))
        .unwrap();
    let path = audit(&lab).join(path);
    let bytes = std::fs::read(&path).unwrap();
    let mut envelope: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let signatures = envelope["signatures"].as_array_mut().unwrap();
    assert_eq!(signatures.len(), 2, "both keys sign");
    signatures.pop();
    put(&path, &serde_json::to_vec(&envelope).unwrap());
    let (verified, said) = independent(&lab, &first, &[]);
    assert!(!verified && said.contains("no trusted key signed it"), "{said}");
    let (verified, said) = independent(&lab, &second, &[]);
    assert!(!verified && said.contains("no trusted key signed it"), "{said}");
    std::fs::remove_file(&path).unwrap();
    let (verified, said) = independent(&lab, &second, &[]);
    assert!(!verified && said.contains(&name), "{said}");
    put(&path, &bytes);

    // A key that was declared compromised, by the log's own word, from an entry on that stands under it.
    let key_id = rotation_from(&lab);
    let declare = [
        "audit",
        "declare-compromised",
        &key_id,
        "--since-index",
        "2",
        "--reason",
        "a laptop is gone",
    ];
    lab.json(&declare);
    for key in [&first, &second] {
        let (verified, said) = independent(&lab, key, &[]);
        assert!(!verified && said.contains("declared compromised"), "{said}");
    }
}

/// The id of the key that signed first.
fn rotation_from(lab: &Lab) -> String {
    let verified = lab.json(&["audit", "verify"]);
    verified["keys"][0]["key_id"].as_str().unwrap().to_owned()
}

/// A block of the journal, at whose beginning each frame stands.
const BLOCK: usize = 4096;
/// Each of these bytes is changed. All of them take five minutes, most of it for reports of tens of kilobytes; a small trail has each of its
/// bytes changed in `host/audit/tests/tamper.rs`, and the record of a rotation in `rotation.rs`. A prime, so that each bit has its turn.
const FLIP_STRIDE: usize = 19;

/// The frames of a journal without the zeros of their last blocks: length of the note, of the entry and of the record behind the form.
fn frames(journal: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut start = 2 * BLOCK;
    while journal[start..].starts_with(b"pglsfrm1") {
        let length = |at: usize| u32::from_be_bytes(journal[start + at..start + at + 4].try_into().unwrap()) as usize;
        let end = start + 88 + length(8) + length(12) + length(20);
        places.push(start..end);
        start = end.next_multiple_of(BLOCK);
    }
    places
}

#[test]
fn every_file_of_a_whole_trail_is_missed_or_its_change_told_by_its_name() {
    let (lab, keys) = trail();
    let folder = audit(&lab);
    let all = files(&folder);
    let is_content =
        |file: &&String| file.starts_with("records/") || file.starts_with("tile/") || *file == "checkpoint";
    let content: Vec<&String> = all.iter().filter(is_content).collect();
    // Seven records, one bundle, one tile, the checkpoint.
    assert!(content.len() >= 10, "{all:?}");
    // The command; and what it calls, for changes of which there are many.
    let command = |key: &str| {
        let ran = lab.run(&["audit", "verify", "--public-key", key]);
        (ran.code, format!("{}{}", ran.stdout, ran.stderr))
    };
    let called = |key: &str| match verify(Some(&lab.workspace()), &[PathBuf::from(key)], None) {
        Ok(found) => (if found.verified { 0 } else { 4 }, found.problems.join("\n")),
        Err(error) => (error.exit_code() as i32, error.to_string()),
    };
    for key in &keys {
        assert_eq!([command(key).0, called(key).0], [0, 0]);
    }
    let tried = Cell::new(0);
    let told_by = |verify: &dyn Fn(&str) -> (i32, String), file: &str, what: &str| {
        // With the older key and the newer one in turn; both where it is the record that one leads to the other by.
        let both = file.contains("/lk_") && file.ends_with(".4.json");
        for key in [0, 1].into_iter().filter(|key| both || tried.get() % 2 == *key) {
            let (code, said) = verify(&keys[key]);
            assert_eq!(code, 4, "{file} {what}, key {key}: {said}");
            assert!(names(file, &said), "{file} {what}, key {key}: not named: {said}");
            assert!(!both || said.contains("(index 4)"), "{file} {what}, key {key}: {said}");
        }
        tried.set(tried.get() + 1);
    };
    let told = |file: &str, what: &str| told_by(&command, file, what);
    let flips_are_told = |file: &str, part: std::ops::Range<usize>| {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        put(&path, &bytes);
        let opened = std::fs::File::options().write(true).open(&path).unwrap();
        for at in part.step_by(FLIP_STRIDE) {
            opened.write_all_at(&[bytes[at] ^ 1 << (at % 8)], at as u64).unwrap();
            told_by(&called, file, &format!("with byte {at} flipped"));
            opened.write_all_at(&[bytes[at]], at as u64).unwrap();
        }
    };
    for (position, file) in content.iter().enumerate() {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let other = content[(position + 1) % content.len()];
        let other_bytes = std::fs::read(folder.join(other)).unwrap();
        flips_are_told(file, 0..bytes.len());
        for (what, changed) in [
            ("cut by a byte", &bytes[..bytes.len() - 1]),
            ("empty", &[]),
            ("with a byte more", &[&bytes[..], b"\n"].concat()),
            ("twice", &[&bytes[..], &bytes[..]].concat()),
            ("with the content of another", &other_bytes),
        ] {
            put(&path, changed);
            told(file, what);
        }
        std::fs::remove_file(&path).unwrap();
        told(file, "deleted");
        put(&path, &bytes);
    }
    // Two records in each other's place, and one there twice.
    let records: Vec<&&String> = content.iter().filter(|file| file.starts_with("records/")).collect();
    for pair in records.windows(2) {
        let [one, other] = [pair[0], pair[1]].map(|file| folder.join(file));
        let [first, second] = [&one, &other].map(|path| std::fs::read(path).unwrap());
        put(&one, &second);
        put(&other, &first);
        told(pair[0], "in the place of another");
        put(&one, &first);
        put(&other, &second);
        let [id, index, _] = one
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .split('.')
            .collect::<Vec<_>>()[..]
        else {
            panic!("{one:?}")
        };
        // At the place of another: one beyond the checkpoint would be of an append that nobody was told of.
        let again = one.with_file_name(format!(
            "{id}.{}.json",
            (index.parse::<usize>().unwrap() + 1) % records.len()
        ));
        put(&again, &first);
        let name = again.strip_prefix(&folder).unwrap().to_str().unwrap();
        told(name, "a second time");
        std::fs::remove_file(&again).unwrap();
    }
    // The journal, whose frames are the seven records once more.
    let path = folder.join("journal");
    let bytes = std::fs::read(&path).unwrap();
    let places = frames(&bytes);
    assert_eq!(places.len(), 7, "{places:?}");
    for place in &places {
        flips_are_told("journal", place.clone());
        put(&path, &bytes[..place.start + 100]);
        told("journal", "cut in a frame");
        put(&path, &bytes);
    }
    let blocks: Vec<&[u8]> = places
        .iter()
        .map(|place| &bytes[place.start..place.end.next_multiple_of(BLOCK)])
        .collect();
    for at in 0..blocks.len() - 1 {
        let (before, after) = (&blocks[..at], &blocks[at + 2..]);
        let [one, other] = [blocks[at], blocks[at + 1]];
        for (what, between) in [
            ("without a frame", &[other][..]),
            ("with a frame twice", &[one, one, other]),
            ("with two frames swapped", &[other, one]),
        ] {
            let changed = [&[&bytes[..places[0].start]], before, between, after].concat().concat();
            put(&path, &changed);
            told("journal", what);
        }
    }
    put(&path, &bytes);
    assert_eq!(command(&keys[0]).0, 0, "all of it is as it was");
    eprintln!("{} changes of {} files", tried.get(), content.len() + 1);
}

/// Whether what was said names the file: by its path, or a record by its id or index.
fn names(file: &str, said: &str) -> bool {
    let name = file.rsplit('/').next().unwrap();
    let id = name.split('.').next().unwrap();
    said.contains(file) || (file.starts_with("records/") && said.contains(id))
}

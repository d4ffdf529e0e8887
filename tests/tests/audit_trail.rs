//! A whole trail as the gateway makes it, with an action on a real server, a refusal and another key on the way: verified by a program
//! from the specifications, and with each of its files changed in every way.

use std::path::{Path, PathBuf};
use std::process::Command;

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

#[test]
fn every_file_of_a_whole_trail_is_missed_or_its_change_told_by_its_name() {
    let (lab, keys) = trail();
    let folder = audit(&lab);
    let all = files(&folder);
    let is_content =
        |file: &&String| file.starts_with("records/") || file.starts_with("tile/") || *file == "checkpoint";
    let content: Vec<&String> = all.iter().filter(is_content).collect();
    // Seven records, one bundle, one tile, the checkpoint. The journal stands for what is not published, and here all is.
    assert!(content.len() >= 10, "{all:?}");
    let verify = || {
        // The newest key: what the first one leads to hangs on the record of the change, which is changed here, too.
        let ran = lab.run(&["audit", "verify", "--public-key", &keys[1]]);
        (ran.code, format!("{}{}", ran.stdout, ran.stderr))
    };
    assert_eq!(verify().0, 0);
    let mut tried = 0;
    let mut told = |file: &str, what: &str| {
        let (code, said) = verify();
        assert_eq!(code, 4, "{file} {what}: {said}");
        assert!(names(file, &said), "{file} {what}: not named: {said}");
        tried += 1;
    };
    for (position, file) in content.iter().enumerate() {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let other = content[(position + 1) % content.len()];
        let other_bytes = std::fs::read(folder.join(other)).unwrap();
        // Every byte of the first hundred and of the last hundred, and some between.
        let ends = |at: &usize| *at < 100 || at + 100 >= bytes.len() || at.is_multiple_of(97);
        let flips = (0..bytes.len())
            .filter(ends)
            .step_by(if cfg!(debug_assertions) { 40 } else { 10 });
        for at in flips {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            put(&path, &changed);
            told(file, &format!("with byte {at} flipped"));
        }
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
    assert_eq!(verify().0, 0, "all of it is as it was");
    eprintln!("{tried} changes of {} files", content.len());
}

/// Whether what was said names the file: by its path, or a record by its id or index.
fn names(file: &str, said: &str) -> bool {
    let name = file.rsplit('/').next().unwrap();
    let id = name.split('.').next().unwrap();
    said.contains(file) || (file.starts_with("records/") && said.contains(id))
}

/// Each state in which a command that gives the log another key can be cut short once its record is there. The old private key moves
/// last, so there is always one that signs or one that waits to.
#[test]
fn a_change_of_the_key_that_was_cut_short_is_told_and_ended_by_the_same_command() {
    let lab = Lab::new();
    let triage = || lab.run(&["triage", "locks", fixture("shop.log").to_str().unwrap()]);
    let rotate = ["audit", "rotate-key", "--reason", "yearly"];
    assert_eq!(triage().code, 0);
    let keys = lab.workspace().join("keys");
    let read = |name: &str| std::fs::read(keys.join(name)).unwrap();
    let (private, public) = ("signing-key.pem", "public-key.pem");
    let old = (read(private), read(public));
    let changed = lab.json(&rotate);
    let new = (read(private), read(public));
    assert_ne!(old, new);
    let next = keys.join("next");
    // What lies in `keys`, and in `keys/next` beside it; how the next command that wants to write ends.
    type State<'a> = (&'a [u8], &'a [u8], Option<&'a [u8]>, Option<&'a [u8]>, i32);
    let states: [(&str, State<'_>); 3] = [
        ("nothing was moved", (&old.0, &old.1, Some(&new.0), Some(&new.1), 4)),
        ("the public half was moved", (&old.0, &new.1, Some(&new.0), None, 1)),
        ("both were moved", (&new.0, &new.1, None, None, 0)),
    ];
    for (name, (own, own_public, waits, waits_public, code)) in states {
        put(&keys.join(private), own);
        put(&keys.join(public), own_public);
        std::fs::create_dir(&next).unwrap();
        for (file, bytes) in [(private, waits), (public, waits_public)] {
            if let Some(bytes) = bytes {
                put(&next.join(file), bytes);
            }
        }
        for file in [keys.join(private), next.join(private)] {
            if file.exists() {
                std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            }
        }
        let records = || files(&audit(&lab).join("records"));
        let before = records();
        let ran = triage();
        assert_eq!(ran.code, code, "{name}: {ran:?}");
        if code != 0 {
            assert_eq!(records(), before, "{name}");
            assert!(ran.stderr.contains("audit rotate-key"), "{name}: {ran:?}");
        }
        let again = lab.json(&rotate);
        if code != 0 {
            assert_eq!(
                again["record_id"], changed["record_id"],
                "{name}: it ended what was begun"
            );
        }
        assert!(!next.exists(), "{name}");
        assert_eq!(triage().code, 0, "{name}");
        let verified = lab.json(&["audit", "verify"]);
        assert_eq!(verified["verified"], true, "{name}: {verified}");
    }
}

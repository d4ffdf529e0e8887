//! Exports of a trail: made, verified with a key alone, taken apart by hand, and changed in every way.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use pg_logstats_tests::{Lab, fixture, schema};
use serde_json::Value;

/// A file of an archive: its name and content.
type File = (String, Vec<u8>);

/// A trail of two incidents, a refusal and a failure; the key that verifies it.
fn trail() -> (Lab, String, Value) {
    let lab = Lab::new();
    let log = fixture("shop.log");
    let report = lab.triage("query-families", &log);
    lab.triage("locks", &log);
    lab.run(&["run-sql", "--triage-report", "rp_0", "--action-id", "na_1"])
        .fails(3, &["is named by its id"]);
    assert_ne!(lab.run(&["triage", "locks", "/nowhere.log"]).code, 0);
    let id = report["report_id"].as_str().unwrap();
    lab.json(&["triage", "locks", "--parent-report", id]);
    let key = lab.file("key.pem", lab.run(&["audit", "public-key"]).stdout);
    (lab, key, report)
}

fn export(lab: &Lab, name: &str, more: &[&str]) -> (String, Value) {
    let file = lab.path().join(name).to_str().unwrap().to_owned();
    let exported = lab.json(&[&["audit", "export", "--output", &file][..], more].concat());
    schema::check("audit-export", &exported);
    (file, exported)
}

fn verify(lab: &Lab, file: &str, key: &str) -> (i32, Value) {
    let ran = lab.run(&["audit", "verify-export", file, "--public-key", key]);
    let verification = ran.json();
    schema::check("export-verification", &verification);
    assert_eq!(ran.code == 0, verification["verified"] == true, "{ran:?}");
    (ran.code, verification)
}

fn files_of(archive: &Path) -> Vec<File> {
    let mut archive = tar::Archive::new(std::fs::File::open(archive).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    });
    entries.collect()
}

fn archive_of(files: &[File]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o444);
        builder.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn an_export_is_verified_with_the_key_alone() {
    let (lab, key, report) = trail();
    let records = lab.verified_records();
    let (plain, exported) = export(&lab, "trail.tar", &[]);
    assert_eq!(
        (&exported["records"], &exported["complete"]),
        (&records.into(), &true.into())
    );
    let (packed, _) = export(&lab, "trail.tar.zst", &[]);
    let size = |file: &str| std::fs::metadata(file).unwrap().len();
    assert!(size(&packed) < size(&plain) / 2);
    for file in [&plain, &packed] {
        let (code, verification) = verify(&Lab::new(), file, &key);
        assert_eq!(code, 0, "{verification:#}");
        assert_eq!(verification["records"], records);
        assert_eq!(verification["complete"], true);
        assert_eq!(verification["root"], exported["root"]);
    }
    // What ran is named by its digest.
    let digest = report["runbook"]["digest"]
        .as_str()
        .unwrap()
        .trim_start_matches("sha256:");
    let runbooks = exported["runbooks"].as_array().unwrap();
    let ran = runbooks.iter().find(|it| it["sha256"] == digest).unwrap();
    assert_eq!((&ran["name"], &ran["records"]), (&report["runbook"]["name"], &1.into()));
    assert_eq!(runbooks.len(), 2);
    // It is there already, and is not replaced.
    lab.run(&["audit", "export", "--output", &plain])
        .fails(1, &["trail.tar", "not overwritten"]);
    // Taken apart with `tar`, it is what the guide says.
    let folder = lab.path().join("taken apart");
    std::fs::create_dir(&folder).unwrap();
    let tar = Command::new("tar")
        .arg("-xf")
        .arg(&plain)
        .arg("-C")
        .arg(&folder)
        .status()
        .unwrap();
    assert!(tar.success());
    let id = report["report_id"].as_str().unwrap();
    let (record, proof) = (format!("records/{id}.0.json"), format!("proofs/{id}.0.tlog-proof"));
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let proven = Lab::new().json(&[
        "audit",
        "verify-proof",
        &at(&proof),
        "--record",
        &at(&record),
        "--public-key",
        &key,
    ]);
    assert_eq!(proven["record_id"], id);
    let text = lab.run(&[
        "audit",
        "verify-export",
        &plain,
        "--public-key",
        &key,
        "--format",
        "text",
    ]);
    assert!(
        text.stdout.starts_with("VERIFIED\n") && text.stdout.contains("the whole log"),
        "{text:?}"
    );
}

#[test]
fn an_incident_alone_can_be_exported_and_does_not_claim_to_be_all() {
    let (lab, key, report) = trail();
    let incident = report["incident_id"].as_str().unwrap();
    let (file, exported) = export(&lab, "incident.tar", &["--incident", incident]);
    assert_eq!(
        (&exported["records"], &exported["complete"]),
        (&2.into(), &false.into())
    );
    let (code, verification) = verify(&lab, &file, &key);
    assert_eq!(code, 0, "{verification:#}");
    assert_eq!(
        (&verification["records"], &verification["complete"]),
        (&2.into(), &false.into())
    );
    assert_eq!(verification["selection"]["incident_id"], incident);
    let (denied, exported) = export(&lab, "denied.tar", &["--denied"]);
    assert_eq!(exported["records"], 1);
    assert_eq!(verify(&lab, &denied, &key).0, 0);
    // Nothing that was asked for is there.
    let (none, _) = export(&lab, "none.tar", &["--incident", "in_none"]);
    let (code, verification) = verify(&lab, &none, &key);
    assert_eq!(code, 4);
    assert!(
        verification["problems"].to_string().contains("no record in it holds"),
        "{verification:#}"
    );
}

#[test]
fn every_change_of_an_archive_is_found_and_named() {
    let (lab, key, _) = trail();
    let (file, _) = export(&lab, "trail.tar", &[]);
    let files = files_of(Path::new(&file));
    let changed = lab.path().join("changed.tar");
    let found = |what: &str, files: &[File], says: &str| {
        std::fs::write(&changed, archive_of(files)).unwrap();
        let (code, verification) = verify(&lab, changed.to_str().unwrap(), &key);
        assert_eq!(code, 4, "{what}: {verification:#}");
        let problems = verification["problems"].to_string();
        assert!(problems.contains(says), "{what}: no {says:?} in {problems}");
    };
    let name_of = |stem: &str| {
        stem.trim_start_matches("records/")
            .trim_start_matches("proofs/")
            .to_owned()
    };
    for at in 0..files.len() {
        let path = &files[at].0;
        let stem = name_of(path.trim_end_matches(".json").trim_end_matches(".tlog-proof"));
        // A byte in the middle; of the manifest, one that stays JSON.
        let mut flipped = files.clone();
        let content = &mut flipped[at].1;
        let middle = content.len() / 2;
        content[middle] ^= 1;
        let says = match path.as_str() {
            "manifest.json" => "manifest.json",
            "checkpoint" => "another checkpoint",
            path if path.starts_with("keys/") => "`files`",
            _ => &stem,
        };
        found(&format!("flip {path}"), &flipped, says);
        let mut without = files.clone();
        without.remove(at);
        let says = match path.as_str() {
            "manifest.json" => "the manifest is missing",
            "checkpoint" => "another checkpoint",
            _ => "`files`",
        };
        found(&format!("without {path}"), &without, says);
        let mut twice = files.clone();
        twice.insert(at, files[at].clone());
        found(
            &format!("{path} twice"),
            &twice,
            if path == "manifest.json" {
                "behind the manifest"
            } else {
                "`files`"
            },
        );
    }
    let records: Vec<usize> = (0..files.len())
        .filter(|at| files[*at].0.starts_with("records/"))
        .collect();
    for pair in records.windows(2) {
        let [one, other] = [pair[0], pair[1]];
        let mut swapped = files.clone();
        (swapped[one].1, swapped[other].1) = (files[other].1.clone(), files[one].1.clone());
        found(
            "contents swapped",
            &swapped,
            &name_of(files[one].0.trim_end_matches(".json")),
        );
        let mut proofs = files.clone();
        (proofs[one + 1].1, proofs[other + 1].1) = (files[other + 1].1.clone(), files[one + 1].1.clone());
        found("proofs swapped", &proofs, "its proof is about record");
    }
    // A record taken out with its proof, and the manifest made to agree: it does not claim to be complete any more.
    let mut fewer = files.clone();
    let gone: Vec<File> = fewer.drain(records[1]..records[1] + 2).collect();
    let last = fewer.len() - 1;
    let mut manifest: Value = serde_json::from_slice(&fewer[last].1).unwrap();
    let listed = manifest["files"].as_array_mut().unwrap();
    listed.retain(|it| gone.iter().all(|(path, _)| it["path"] != path.as_str()));
    fewer[last].1 = serde_json::to_vec(&manifest).unwrap();
    found("one left out", &fewer, "`complete`");
    let mut extra = files.clone();
    extra.insert(1, ("notes.txt".to_owned(), b"trust me".to_vec()));
    found("another file", &extra, "`notes.txt` is none of the files");
    // Cut anywhere.
    let whole = std::fs::read(&file).unwrap();
    for end in (0..whole.len() - 1_024).step_by(1_536) {
        std::fs::write(&changed, &whole[..end]).unwrap();
        let (code, verification) = verify(&lab, changed.to_str().unwrap(), &key);
        assert_eq!(code, 4, "cut at {end}: {verification:#}");
    }
    // Of another log, and no archive at all.
    let (other, other_key, _) = trail();
    let (code, verification) = verify(&other, &file, &other_key);
    assert_eq!((code, &verification["records"]), (4, &0.into()));
    let (code, _) = verify(&lab, fixture("shop.log").to_str().unwrap(), &key);
    assert_eq!(code, 4);
    lab.run(&["audit", "verify-export", "/nowhere.tar", "--public-key", &key])
        .fails(1, &["/nowhere.tar"]);
}

#[test]
fn any_key_of_the_log_verifies_an_export_across_rotations() {
    let (lab, first, report) = trail();
    lab.json(&["audit", "rotate-key", "--reason", "yearly"]);
    lab.triage("locks", &fixture("shop.log"));
    lab.json(&["audit", "rotate-key", "--reason", "again"]);
    let newest = lab.file("newest.pem", lab.run(&["audit", "public-key"]).stdout);
    lab.triage("locks", &fixture("shop.log"));
    let (whole, exported) = export(&lab, "whole.tar", &[]);
    assert_eq!(exported["complete"], true);
    let incident = report["incident_id"].as_str().unwrap();
    let (part, _) = export(&lab, "part.tar", &["--incident", incident]);
    for file in [&whole, &part] {
        for key in [&first, &newest] {
            let (code, verification) = verify(&Lab::new(), file, key);
            assert_eq!(code, 0, "{verification:#}");
        }
    }
    let keys = verify(&lab, &whole, &first).1["records_by_key"]
        .as_object()
        .unwrap()
        .len();
    assert_eq!(keys, 3);
    // What a stolen key signed proves nothing.
    let list = lab.json(&["audit", "verify", "--public-key", &first]);
    let stolen = list["keys"][0]["key_id"].as_str().unwrap();
    lab.json(&[
        "audit",
        "declare-compromised",
        stolen,
        "--since-index",
        "1",
        "--reason",
        "stolen",
    ]);
    let (after, _) = export(&lab, "after.tar", &[]);
    let (code, verification) = verify(&lab, &after, &newest);
    assert_eq!(code, 4);
    assert!(
        verification["problems"][0]
            .as_str()
            .unwrap()
            .contains("compromised from index 1 on"),
        "{verification:#}"
    );
}

#[test]
fn an_agent_exports_into_the_operators_folders_only() {
    let lab = Lab::new();
    let root = lab.path().canonicalize().unwrap().display().to_string();
    lab.operators(
        "config.toml",
        &format!("[agent]\nworkspace = \"{root}/operators\"\nlog_folders = []\noutput_folders = [\"{root}/out\"]\n"),
    );
    std::fs::create_dir(lab.path().join("out")).unwrap();
    let run = |args: &[&str]| lab.run(&[&["--agent"], args].concat());
    run(&["audit", "export", "--output", &format!("{root}/elsewhere.tar")])
        .fails(3, &["no folder that the operator opened"]);
    let file = format!("{root}/out/trail.tar");
    assert_eq!(run(&["audit", "export", "--output", &file]).code, 0);
    run(&["audit", "verify-export", &file, "--public-key", &file]).fails(3, &["audit verify-export"]);
}

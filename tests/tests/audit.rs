//! The audit trail as its operator and its auditor see it: lists and time lines, checkpoints sent elsewhere, a key that another user holds,
//! evidence that is erased.

use std::io::BufRead as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pg_logstats_gateway::ids::new_id;
use pg_logstats_gateway::time::{now_us, rfc3339};
use pg_logstats_gateway::workspace::Workspace;
use pg_logstats_tests::{Lab, copy_folder, fixture, schema};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn shop() -> String {
    fixture("shop.log").to_str().unwrap().to_owned()
}

/// The configuration `text` as arguments.
fn config(lab: &Lab, text: &str) -> [String; 2] {
    ["--config".to_owned(), lab.file("config.toml", text)]
}

fn records(lab: &Lab) -> Vec<Value> {
    lab.json(&["audit", "list"]).as_array().unwrap().clone()
}

#[test]
fn a_time_line_says_who_did_what() {
    let lab = Lab::new();
    let report = lab.json(&["triage", "query-families", &shop()]);
    let incident = report["incident_id"].as_str().unwrap();
    lab.json(&["triage", "locks", &shop()]);
    lab.run(&["run-sql", "--triage-report", "rp_0", "--action-id", "na_1"])
        .fails(3, &["is named by its id"]);
    let line = lab.json(&["audit", "timeline"]);
    line.as_array()
        .unwrap()
        .iter()
        .for_each(|event| schema::check("timeline-event", event));
    let told: Vec<(&str, &str)> = line
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["who"].as_str().unwrap(), it["what"].as_str().unwrap()))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(told.len(), 3);
    assert_eq!(told[0].0, format!("runbook query-families {version}"));
    assert!(
        told[0].1.starts_with("triage query-families: 10 findings, "),
        "{}",
        told[0].1
    );
    assert_eq!(told[1].0, format!("runbook locks {version}"));
    assert_eq!(told[2], ("host", "refuses: unknown_report"));
    let text = lab.run(&["audit", "timeline", "--format", "text"]).stdout;
    assert!(
        text.lines().count() == 3 && text.contains("host: refuses: unknown_report"),
        "{text}"
    );

    let of = |args: &[&str]| {
        let list = lab.json(&[&["audit", "list"], args].concat());
        let kinds = list
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(of(&["--denied"]), ["refusal"]);
    assert_eq!(of(&["--incident", incident]), ["triage"]);
    let second = records(&lab)[1]["created_at"].as_str().unwrap().to_owned();
    assert_eq!(of(&["--since", &second]), ["triage", "refusal"]);
    assert_eq!(of(&["--since", "2200-01-01T00:00:00Z"]), Vec::<String>::new());
    lab.run(&["audit", "list", "--since", "yesterday"])
        .fails(2, &["--since"]);
}

/// The record of a process that ran while the clock was an hour ahead.
fn seal_an_hour_ahead(lab: &Lab) {
    let workspace = Workspace::open(Some(&lab.workspace())).unwrap();
    let log = workspace.audit_log(Box::new(workspace.file_key().unwrap())).unwrap();
    let newest = lab.json(&["audit", "list"]).as_array().unwrap().last().unwrap().clone();
    let mut record: Value =
        serde_json::from_slice(&log.read(newest["record_id"].as_str().unwrap()).unwrap().payload).unwrap();
    let ahead_us = now_us() + 3_600_000_000;
    let id = new_id("fl", ahead_us).unwrap();
    record["record_id"] = id.clone().into();
    record["created_at"] = rfc3339(ahead_us).into();
    log.append_with("failure", &id, None, ahead_us, |placement| {
        record["index"] = placement.index.into();
        serde_json::to_vec(&record)
    })
    .unwrap();
}

#[test]
fn a_clock_that_was_set_is_told_by_the_next_record_whichever_process_makes_it() {
    let lab = Lab::new();
    lab.run(&["triage", "query-families", "/no/such/log"])
        .fails(1, &["/no/such/log"]);
    let step_of = |position: usize| {
        let list = lab.json(&["audit", "list"]);
        let record = lab.json(&["audit", "show", list[position]["record_id"].as_str().unwrap()]);
        record["clock_step"]["step_us"].as_i64()
    };
    assert_eq!(step_of(0), None);
    seal_an_hour_ahead(&lab);
    // As any other command, the one that gives the log another key.
    lab.json(&["audit", "rotate-key", "--reason", "yearly"]);
    let back = step_of(2).unwrap();
    assert!((-3_601_000_000..=-3_599_000_000).contains(&back), "{back}");
    assert_eq!(lab.run(&["triage", "query-families", &shop()]).code, 0);
    assert_eq!(step_of(3), None, "time passed");
    let told = lab.run(&["audit", "timeline", "--format", "text"]).stdout;
    assert_eq!(told.matches("the clock was set by -3").count(), 1, "{told}");
    assert_eq!(lab.verified_records(), 4);
}

#[test]
fn each_checkpoint_goes_where_the_operator_wants_it() {
    let lab = Lab::new();
    let at = |name: &str| lab.path().join(name);
    let socket = UnixDatagram::bind(at("syslog")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let text = format!(
        "[audit.export]\nfile = \"{file}\"\nsyslog = \"{syslog}\"\ncommand = [\"sh\", \"-c\", \"cat >>{program}\"]\n",
        file = at("checkpoints").display(),
        syslog = at("syslog").display(),
        program = at("program").display()
    );
    let [flag, file] = config(&lab, &text);
    for _ in 0..2 {
        let ran = lab.run(&[&flag, &file, "triage", "query-families", &shop()]);
        assert_eq!((ran.code, ran.stderr.contains("warning")), (0, false), "{ran:?}");
    }
    let newest = lab.run(&["audit", "checkpoint"]).stdout;
    assert!(newest.starts_with("pg-logstats/audit\n2\n"), "{newest}");
    let sent = std::fs::read_to_string(at("checkpoints")).unwrap();
    assert_eq!(sent.matches("pg-logstats/audit\n").count(), 2, "{sent}");
    assert!(sent.ends_with(&format!("{newest}\n")), "{sent}");
    assert!(std::fs::read_to_string(at("program")).unwrap().ends_with(&newest));
    // That of a rotation is the one by which a thief of the old key is held.
    let ran = lab.run(&[&flag, &file, "audit", "rotate-key", "--reason", "yearly"]);
    assert_eq!((ran.code, ran.stderr.contains("warning")), (0, false), "{ran:?}");
    let newest = lab.run(&["audit", "checkpoint"]).stdout;
    assert!(newest.starts_with("pg-logstats/audit\n3\n"), "{newest}");
    assert!(
        std::fs::read_to_string(at("checkpoints"))
            .unwrap()
            .ends_with(&format!("{newest}\n"))
    );
    assert!(std::fs::read_to_string(at("program")).unwrap().ends_with(&newest));
    let mut datagram = [0; 2_048];
    for size in 1..=3 {
        let length = socket.recv(&mut datagram).unwrap();
        let said = String::from_utf8_lossy(&datagram[..length]).into_owned();
        assert!(
            said.contains(&format!("checkpoint pg-logstats/audit\\n{size}\\n")),
            "{said}"
        );
    }

    // What cannot be sent is told, and stops nothing.
    let [flag, file] = config(&lab, "[audit.export]\nfile = \"/no/such/folder/checkpoints\"\n");
    let ran = lab.run(&[&flag, &file, "triage", "query-families", &shop()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = "warning: a checkpoint was not sent: `audit.export.file` `/no/such/folder/checkpoints`: No such file";
    assert!(ran.stderr.contains(said), "{ran:?}");
    assert_eq!(lab.verified_records(), 4);
    for (wrong, said) in [
        (
            "[audit.export]\nfile = \"here\"\n",
            "line 2: `audit.export.file`: `here` is a different place",
        ),
        (
            "[audit.export]\ncommand = []\n",
            "`audit.export.command` needs a program",
        ),
        ("[audit.export]\nmail = \"x\"\n", "unknown field `mail`"),
        (
            "[audit.signer]\npublic_key = \"/k\"\n",
            "`audit.signer`: it needs `command`",
        ),
        (
            "[audit.signer]\npublic_key = \"/k\"\nsocket = \"/s\"\ntimeout_ms = 0\n",
            "`audit.signer.timeout_ms` is 0",
        ),
    ] {
        let [flag, file] = config(&lab, wrong);
        lab.run(&[&flag, &file, "audit", "list"]).fails(2, &[said]);
    }
}

/// A signer in a process of the user `postgres`, where this one is root's; else of this one's own.
struct SignerProcess(Child);

impl SignerProcess {
    fn start(program: &Path, key: &Path, socket: &Path) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .args(["audit", "signer", "--allow-uid", "0", "--key"])
            .arg(key)
            .arg("--socket")
            .arg(socket);
        let child = command
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::os::unix::net::UnixStream::connect(socket).is_err() {
            assert!(Instant::now() < deadline, "the signer did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        if is_root {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
            assert!(!uid.split_whitespace().any(|id| id == "0"), "{uid}");
        }
        Self(child)
    }
}

impl Drop for SignerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn another_user_holds_the_key_and_without_it_nothing_happens() {
    let lab = Lab::new();
    let root = lab.path();
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).unwrap();
    let vault = root.join("vault");
    std::fs::create_dir(&vault).unwrap();
    let (key, public, socket) = (
        vault.join("key.pem"),
        root.join("public.pem"),
        vault.join("signer.sock"),
    );
    let made = lab.json(&["key", "generate", "--output", key.to_str().unwrap()]);
    std::fs::write(&public, made["public_key"].as_str().unwrap()).unwrap();
    // Where the other user can run it.
    let program = root.join("pg-logstats");
    std::fs::copy(pg_logstats_tests::binary(), &program).unwrap();
    if rustix::process::geteuid().is_root() {
        let postgres = std::fs::read_to_string("/etc/passwd").unwrap();
        let postgres = postgres.lines().find(|line| line.starts_with("postgres:")).unwrap();
        let ids: Vec<u32> = postgres
            .split(':')
            .skip(2)
            .take(2)
            .map(|id| id.parse().unwrap())
            .collect();
        for path in [&vault, &key] {
            chown(path, Some(ids[0]), Some(ids[1])).unwrap();
        }
    }
    std::fs::set_permissions(&vault, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = format!(
        "[audit.signer]\npublic_key = \"{}\"\nsocket = \"{}\"\n",
        public.display(),
        socket.display()
    );
    let [flag, file] = config(&lab, &text);
    let triage = [flag.as_str(), &file, "triage", "query-families", &shop()].map(str::to_owned);
    let triage: Vec<&str> = triage.iter().map(String::as_str).collect();
    lab.run(&triage).fails(1, &["could not sign", "signer.sock"]);
    {
        let _signer = SignerProcess::start(&program, &key, &socket);
        assert_eq!(lab.run(&triage).code, 0);
        assert!(
            !lab.workspace().join("keys/signing-key.pem").exists(),
            "this host has no private key"
        );
        let pem = lab.run(&[&flag, &file, "audit", "public-key"]).stdout;
        assert_eq!(pem, std::fs::read_to_string(&public).unwrap());
    }
    // The signer is gone: nothing is recorded, so nothing is answered.
    let ran = lab.run(&triage);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    let verified = lab.json(&["audit", "verify", "--public-key", public.to_str().unwrap()]);
    assert_eq!((&verified["verified"], &verified["records"]), (&true.into(), &1.into()));
    // Without the operator's word for who signs, no new key takes the log over.
    lab.run(&["triage", "query-families", &shop()])
        .fails(1, &["signing-key.pem", "is missing", "`audit.signer`"]);
    let _signer = SignerProcess::start(&program, &key, &socket);
    assert_eq!(lab.run(&triage).code, 0);
}

#[test]
fn evidence_is_erased_and_every_proof_holds() {
    let lab = Lab::new();
    let report = lab.json(&["triage", "query-families", &shop()]);
    let id = report["report_id"].as_str().unwrap();
    let shown = lab.json(&["audit", "show", id]);
    let digest = shown["body"]["detail"]["evidence_digest"].as_str().unwrap();
    let stored = lab.workspace().join(format!("evidence/{digest}.json.zst"));
    assert!(stored.exists());
    assert_eq!(lab.run(&["triage", "locks", "--parent-report", id]).code, 0);

    let erase = [
        "audit",
        "erase",
        "--evidence",
        digest,
        "--reason",
        "asked by the data protection officer",
    ];
    let erased = lab.json(&erase);
    schema::check("erasure", &erased);
    assert!(!stored.exists());
    let record = erased["record_id"].as_str().unwrap();
    lab.run(&["triage", "locks", "--parent-report", id])
        .fails(1, &["was erased", record]);
    lab.run(&erase).fails(2, &["no evidence"]);
    lab.run(&["audit", "erase", "--evidence", "../keys", "--reason", "x"])
        .fails(2, &["64 small hex digits"]);
    lab.run(&["audit", "erase", "--evidence", digest, "--reason", " "])
        .fails(2, &["--reason"]);
    let verified = lab.json(&["audit", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    let line = lab.run(&["audit", "timeline", "--format", "text"]).stdout;
    let said = format!("operator: erases the evidence {digest}: asked by the data protection officer");
    assert!(line.contains(&said), "{line}");
    // The same log once more is evidence of its own.
    let again = lab.json(&["triage", "query-families", &shop()]);
    let again = again["report_id"].as_str().unwrap();
    assert_eq!(lab.run(&["triage", "locks", "--parent-report", again]).code, 0);
}

/// Where the record `id` lies, as the guide for auditors says.
fn record_file(lab: &Lab, id: &str, index: u64) -> std::path::PathBuf {
    let digest: String = Sha256::digest(id).iter().map(|byte| format!("{byte:02x}")).collect();
    lab.workspace()
        .join(format!("audit/records/{}/{id}.{index}.json", &digest[..3]))
}

/// The public key of the log, kept by an auditor.
fn auditors_key(lab: &Lab) -> String {
    lab.file("auditor.pem", lab.run(&["audit", "public-key"]).stdout)
}

#[test]
fn a_proof_says_with_the_key_alone_that_a_record_stands_in_the_log() {
    let lab = Lab::new();
    let id = lab.json(&["triage", "query-families", &shop()])["report_id"]
        .as_str()
        .unwrap()
        .to_owned();
    lab.json(&["triage", "locks", &shop()]);
    let key = auditors_key(&lab);
    let proof = lab.path().join("report.tlog-proof");
    let proof = proof.to_str().unwrap();
    assert_eq!(lab.run(&["audit", "prove", &id, "--output", proof]).code, 0);
    lab.run(&["audit", "prove", &id, "--output", proof])
        .fails(1, &["report.tlog-proof"]);
    lab.run(&["audit", "prove", "rp_none"])
        .fails(1, &["no record `rp_none`"]);
    let record = lab.file("record.json", std::fs::read(record_file(&lab, &id, 0)).unwrap());
    // The auditor has no log.
    let log = lab.workspace();
    std::fs::rename(&log, lab.path().join("elsewhere")).unwrap();
    let verify = |more: &[&str]| lab.run(&[&["audit", "verify-proof", proof, "--public-key"], more].concat());
    let proven = verify(&[&key, "--record", &record]).json();
    schema::check("proven-record", &proven);
    assert_eq!(proven["record_id"].as_str(), Some(id.as_str()));
    assert_eq!((&proven["index"], &proven["tree_size"]), (&0.into(), &2.into()));
    assert_eq!(proven["record_keys"].as_array().unwrap().len(), 1);
    assert!(!log.exists(), "nothing is written to verify a proof");
    let text = verify(&[&key, "--format", "text"]).stdout;
    assert!(text.starts_with("PROVEN\n"), "{text}");

    let other = lab.path().join("other.pem");
    lab.json(&["key", "generate", "--output", other.to_str().unwrap()]);
    verify(&[other.to_str().unwrap()]).fails(4, &["no signature by a trusted key"]);
    let changed = std::fs::read_to_string(&record)
        .unwrap()
        .replacen("payloadType", "payloadtype", 1);
    let changed = lab.file("changed.json", changed);
    verify(&[&key, "--record", &changed]).fails(4, &["is not that record"]);
    let text = std::fs::read_to_string(proof).unwrap();
    for (what, edited) in [
        ("the index", text.replacen("index 0\n", "index 1\n", 1)),
        (
            "a hash",
            text.replacen(
                "index 0\n",
                "index 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
                1,
            ),
        ),
        (
            "the size",
            text.replacen("pg-logstats/audit\n2\n", "pg-logstats/audit\n3\n", 1),
        ),
        ("the end", text[..text.len() - 9].to_owned()),
        ("all", "nothing".to_owned()),
    ] {
        let file = lab.file("edited.tlog-proof", edited);
        let ran = lab.run(&["audit", "verify-proof", &file, "--public-key", &key]);
        assert_eq!(ran.code, 4, "{what}: {ran:?}");
        assert!(ran.stderr.contains("edited.tlog-proof"), "{ran:?}");
    }
}

#[test]
fn a_checkpoint_that_was_kept_shows_a_log_that_was_cut_or_written_anew() {
    let lab = Lab::new();
    let (log, copy) = (lab.workspace().join("audit"), lab.path().join("copy"));
    let triage = || assert_eq!(lab.run(&["triage", "query-families", &shop()]).code, 0);
    triage();
    let key = auditors_key(&lab);
    let first = lab.file("first", lab.run(&["audit", "checkpoint"]).stdout);
    copy_folder(&log, &copy);
    triage();
    triage();
    let third = lab.file("third", lab.run(&["audit", "checkpoint"]).stdout);
    let verify = |since: &str| lab.run(&["audit", "verify", "--public-key", &key, "--since", since]);
    let verified = verify(&first).json();
    schema::check("verification", &verified);
    assert_eq!(verified["since"]["added"], 2);
    assert_eq!(verify(&third).json()["since"]["added"], 0);

    // The workspace of yesterday is put back. By itself it is whole.
    std::fs::rename(&log, lab.path().join("newest")).unwrap();
    copy_folder(&copy, &log);
    assert_eq!(lab.run(&["audit", "verify", "--public-key", &key]).code, 0);
    let cut = verify(&third);
    assert_eq!((cut.code, cut.json()["verified"].clone()), (4, false.into()));
    assert!(cut.stdout.contains("its end was cut off"), "{cut:?}");
    // It goes on from there, and becomes as large again.
    triage();
    triage();
    assert_eq!(verify(&first).code, 0);
    let forked = verify(&third);
    assert!(forked.code == 4 && forked.stdout.contains("signed anew"), "{forked:?}");
    let foreign = lab.file(
        "foreign",
        std::fs::read_to_string(&first)
            .unwrap()
            .replace("audit\n1\n", "audit\n9\n"),
    );
    let ran = verify(&foreign);
    assert!(ran.code == 4 && ran.stdout.contains("does not verify"), "{ran:?}");
}

/// `audit witness` on a port of its own.
struct WitnessProcess {
    child: Child,
    vkey: String,
    url: String,
}

impl WitnessProcess {
    fn start(lab: &Lab, name: &str, log: &str) -> Self {
        let at = |what: &str| lab.path().join(format!("{name}.{what}")).to_str().unwrap().to_owned();
        if !Path::new(&at("key")).exists() {
            lab.json(&["key", "generate", "--output", &at("key")]);
        }
        let (state, key) = (at("state"), at("key"));
        let args = [
            "audit",
            "witness",
            "--state",
            &state,
            "--key",
            &key,
            "--name",
            name,
            "--log",
            log,
            "--listen",
            "127.0.0.1:0",
        ];
        let mut child = lab.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["pg-logstats:", "witness"], "{line}");
        let (vkey, url) = (words[2].to_owned(), words[4].to_owned());
        Self { child, vkey, url }
    }
}

impl Drop for WitnessProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn witnesses_cosign_what_grows_and_nothing_else() {
    let lab = Lab::new();
    let (log, copy) = (lab.workspace().join("audit"), lab.path().join("copy"));
    let triage = || {
        lab.json(&["triage", "query-families", &shop()])["report_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let id = triage();
    copy_folder(&log, &copy);
    let key = auditors_key(&lab);
    let vkey = lab.run(&["audit", "public-key", "--vkey"]).stdout.trim().to_owned();
    let witnesses = ["one.example", "two.example"].map(|name| WitnessProcess::start(&lab, name, &vkey));
    // The third is down, and two of three are enough.
    let down = WitnessProcess::start(&lab, "three.example", &vkey);
    let third = (down.vkey.clone(), down.url.clone());
    drop(down);
    let policy = format!(
        "log {vkey}\nwitness one {} {}\nwitness two {} {}\nwitness three {} {}\ngroup all 2 one two three\nquorum all\n",
        witnesses[0].vkey, witnesses[0].url, witnesses[1].vkey, witnesses[1].url, third.0, third.1
    );
    let policy = lab.file("witnesses.policy", policy);
    lab.run(&["audit", "prove", &id, "--policy", &policy])
        .fails(2, &["no checkpoint was cosigned yet"]);
    let nobody = lab.file("nobody.policy", format!("log {vkey}\nquorum none\n"));
    lab.run(&["audit", "cosign", "--policy", &nobody])
        .fails(2, &["nobody.policy", "quorum none"]);
    let cosigned = lab.json(&["audit", "cosign", "--policy", &policy]);
    schema::check("cosigned", &cosigned);
    let did: Vec<bool> = cosigned["witnesses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["cosigned"].as_bool().unwrap())
        .collect();
    assert_eq!(
        (did.as_slice(), &cosigned["quorum"]),
        ([true, true, false].as_slice(), &true.into()),
        "{cosigned}"
    );
    assert!(
        cosigned["witnesses"][2]["problem"]
            .as_str()
            .unwrap()
            .contains("refused"),
        "{cosigned}"
    );

    let proof = lab.run(&["audit", "prove", &id, "--policy", &policy]).stdout;
    let proof = lab.file("cosigned.tlog-proof", proof);
    let proven = lab.json(&[
        "audit",
        "verify-proof",
        &proof,
        "--public-key",
        &key,
        "--policy",
        &policy,
    ]);
    assert_eq!(proven["witnesses"], serde_json::json!(["one.example", "two.example"]));
    let bare = lab.file("bare.tlog-proof", lab.run(&["audit", "prove", &id]).stdout);
    lab.run(&[
        "audit",
        "verify-proof",
        &bare,
        "--public-key",
        &key,
        "--policy",
        &policy,
    ])
    .fails(4, &["too few witnesses"]);

    // It grows, and they follow; one of them through a program.
    let newest = triage();
    lab.run(&["audit", "prove", &newest, "--policy", &policy])
        .fails(1, &["covers 1 entries"]);
    assert_eq!(lab.json(&["audit", "cosign", "--policy", &policy])["size"], 2);
    assert_eq!(lab.run(&["audit", "prove", &newest, "--policy", &policy]).code, 0);
    drop(witnesses);
    let binary = pg_logstats_tests::binary();
    let script = format!(
        "name=$(basename \"$(dirname \"$0\")\"); exec '{binary}' audit witness --state '{home}/'$name.state --key '{home}/'$name.key --name $name --log '{vkey}'",
        binary = binary.display(),
        home = lab.path().display()
    );
    let direct = lab.file(
        "direct.policy",
        std::fs::read_to_string(&policy)
            .unwrap()
            .lines()
            .map(|line| {
                match line
                    .strip_prefix("witness ")
                    .map(|rest| rest.split(' ').collect::<Vec<_>>())
                {
                    Some(words) => format!("witness {} {} http://{}.example\n", words[0], words[1], words[0]),
                    None => format!("{line}\n"),
                }
            })
            .collect::<String>(),
    );
    triage();
    let cosign = ["audit", "cosign", "--policy", &direct, "--post", "sh", "-c", &script];
    let cosigned = lab.json(&cosign);
    assert_eq!(
        (&cosigned["size"], &cosigned["quorum"]),
        (&3.into(), &true.into()),
        "{cosigned}"
    );
    assert!(
        cosigned["witnesses"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["cosigned"] == true),
        "{cosigned}"
    );

    // The workspace is put back to the first day, and grows another way: no witness signs that.
    std::fs::remove_dir_all(&log).unwrap();
    copy_folder(&copy, &log);
    for _ in 0..3 {
        triage();
    }
    let ran = lab.run(&cosign);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.json()["quorum"], false);
    let problems = ran.json()["witnesses"].to_string();
    assert!(problems.matches("problem").count() == 3, "{problems}");
}

#[test]
fn the_log_gets_another_key_and_any_of_its_keys_verifies_the_whole() {
    let lab = Lab::new();
    let triage = |more: &[&str]| lab.run(&[more, &["triage", "query-families", &shop()]].concat());
    let first_report = triage(&[]).json()["report_id"].as_str().unwrap().to_owned();
    let first = lab.file("first.pem", lab.run(&["audit", "public-key"]).stdout);
    let private = lab.workspace().join("keys/signing-key.pem");
    let first_private = std::fs::read(&private).unwrap();
    let changed = lab.json(&["audit", "rotate-key", "--reason", "yearly"]);
    schema::check("log-key-change", &changed);
    assert_ne!(
        std::fs::read(&private).unwrap(),
        first_private,
        "the old private key is gone"
    );
    assert!(!lab.workspace().join("keys/next").exists());
    let second = lab.file("second.pem", lab.run(&["audit", "public-key"]).stdout);
    assert_eq!(triage(&[]).code, 0);
    assert_eq!(lab.run(&["triage", "locks", "--parent-report", &first_report]).code, 0);
    assert_eq!(lab.record_kinds(), ["triage", "log_key", "triage", "triage"]);

    // On to a key in another process.
    let vault = lab.path().join("vault.pem");
    let made = lab.json(&["key", "generate", "--output", vault.to_str().unwrap()]);
    let third = lab.file("third.pem", made["public_key"].as_str().unwrap());
    let socket = lab.path().join("signer.sock");
    let text = format!(
        "[audit.signer]\npublic_key = \"{third}\"\nsocket = \"{}\"\n",
        socket.display()
    );
    let [flag, file] = config(&lab, &text);
    let configured = [flag.as_str(), &file];
    let signer = lab
        .command(&[
            "audit",
            "signer",
            "--quiet",
            "--key",
            vault.to_str().unwrap(),
            "--socket",
            socket.to_str().unwrap(),
        ])
        .spawn()
        .unwrap();
    let _signer = SignerProcess(signer);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Naming another signer alone does not give it the log.
    triage(&configured).fails(4, &["checkpoint"]);
    let rotate = [&configured[..], &["audit", "rotate-key", "--reason", "an HSM"]].concat();
    let rotated = lab.json(&rotate);
    assert_eq!(rotated["key_id"], changed["successor"]);
    assert_eq!(triage(&configured).code, 0);
    assert!(!private.exists(), "nor is there one of the workspace any more");
    triage(&[]).fails(1, &["signing-key.pem", "is missing", "`audit.signer`"]);
    assert!(!private.exists(), "and none is made");
    // Given again, it finds itself done.
    assert_eq!(lab.json(&rotate)["record_id"], rotated["record_id"]);

    let verify = |key: &str| lab.run(&["audit", "verify", "--public-key", key]);
    for key in [&first, &second, &third] {
        let verified = verify(key).json();
        schema::check("verification", &verified);
        assert_eq!(verified["verified"], true, "{verified}");
        let periods: Vec<[Value; 2]> = verified["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| [it["first_index"].clone(), it["last_index"].clone()])
            .collect();
        assert_eq!(
            serde_json::json!(periods),
            serde_json::json!([[0, 1], [2, 4], [5, null]]),
            "{verified}"
        );
    }
    let stranger = lab.path().join("stranger.pem");
    lab.json(&["key", "generate", "--output", stranger.to_str().unwrap()]);
    assert_eq!(verify(stranger.to_str().unwrap()).code, 4);

    // The second key was stolen.
    let stolen = changed["successor"].as_str().unwrap();
    let declare = |key: &str, since: &str| {
        let args = [
            "audit",
            "declare-compromised",
            key,
            "--since-index",
            since,
            "--reason",
            "a laptop is gone",
        ];
        lab.run(&[&configured[..], &args].concat())
    };
    declare("0000", "3").fails(2, &["no earlier key"]);
    declare(made["key_id"].as_str().unwrap(), "3").fails(2, &["no earlier key", "rotate-key"]);
    declare(stolen, "99").fails(2, &["--since-index 99"]);
    schema::check("log-key-change", &declare(stolen, "3").json());
    let ran = verify(&first);
    let verified = ran.json();
    assert_eq!((ran.code, &verified["problem_count"]), (4, &2.into()), "{verified}");
    assert!(
        verified["problems"]
            .to_string()
            .matches("declared compromised from index 3 on")
            .count()
            == 2,
        "{verified}"
    );
    let text = lab
        .run(&["audit", "verify", "--public-key", &first, "--format", "text"])
        .stdout;
    assert!(text.contains("COMPROMISED from index 3 on"), "{text}");
}

/// Each record of a trail with a change of key in it, by securesystemslib's own code.
#[test]
#[cfg_attr(
    no_python_verifiers,
    ignore = "the Python packages are not there; scripts/python-verifiers.sh fetches them"
)]
fn other_peoples_tools_verify_every_record() {
    let lab = Lab::new();
    lab.triage("query-families", &fixture("shop.log"));
    let first = lab.file("first.pem", lab.run(&["audit", "public-key"]).stdout);
    lab.json(&["audit", "rotate-key", "--reason", "yearly"]);
    let second = lab.file("second.pem", lab.run(&["audit", "public-key"]).stdout);
    lab.triage("locks", &fixture("shop.log"));
    let verify = |record: &str, keys: &[&str]| {
        pg_logstats_tests::python_verifier("audit_record.py", &[&[record], keys].concat())
    };
    let keys: [&[&str]; 3] = [&[&first], &[&first, &second], &[&second]];
    let list = records(&lab);
    assert_eq!(list.len(), 3);
    for (entry, keys) in list.iter().zip(keys) {
        let id = entry["record_id"].as_str().unwrap();
        let text = std::fs::read_to_string(record_file(&lab, id, entry["index"].as_u64().unwrap())).unwrap();
        let record = lab.file("record.json", &text);
        let (is_verified, said) = verify(&record, keys);
        assert!(is_verified, "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        let kind = entry["kind"].as_str().unwrap();
        assert_eq!(said["type"], format!("application/vnd.pg-logstats.{kind}+json"));
        assert_eq!(said["payload"]["record_id"], id);
        // And it sees what ours would: a key that did not sign, another type.
        let stranger = if keys.len() == 1 && keys[0] == first {
            &second
        } else {
            &first
        };
        assert!(keys.len() == 2 || !verify(&record, &[stranger]).0);
        let changed = lab.file("changed.json", text.replacen(kind, "refusal", 1));
        assert!(!verify(&changed, keys).0);
    }
}

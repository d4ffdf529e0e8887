//! Runbooks from the author's key to the auditor: signed, shipped, installed, run, revoked, by the commands that people type.

use std::path::{Path, PathBuf};

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, Ran, action, argv, fixture, logging, make_shop, schema};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// An operator who trusts ana (author) and ben (approver), and whose rule asks for both.
struct House {
    lab: Lab,
}

impl House {
    fn new(lab: Lab) -> Self {
        let house = Self { lab };
        house.operators(
            "trust.toml",
            "# Whose word counts.\n[[rules]]\nrunbook = \"*\"\nneeds = \"author + approver\"\n",
        );
        for (name, role) in [("ana", "author"), ("ben", "approver")] {
            let made = house.lab.json(&["key", "generate", "--output", &house.at(name)]);
            let public = house
                .lab
                .file(&format!("{name}.pub"), made["public_key"].as_str().unwrap());
            let keys = house
                .lab
                .json(&["key", "trust", &public, "--name", name, "--role", role]);
            let added = keys.as_array().unwrap().last().unwrap();
            schema::check("trusted-key", added);
            assert_eq!((&added["name"], &added["key_id"]), (&json!(name), &made["key_id"]));
        }
        house
    }

    fn at(&self, name: &str) -> String {
        self.lab.path().join(name).to_str().unwrap().to_owned()
    }

    fn folder(&self) -> PathBuf {
        self.lab.path().join(".config/pg-logstats")
    }

    fn operators(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.folder()).unwrap();
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    /// A runbook of ana's: the built-in one `name` with other bytes, so that the binary does not vouch for it.
    fn authored(&self, name: &str) -> String {
        let builtin = pg_logstats_builtin::all().iter().find(|it| it.name == name).unwrap();
        let mut bytes = builtin.component.to_vec();
        bytes.extend([0, 3, 1, b'x', 0]);
        self.lab.file(&format!("{name}.wasm"), bytes)
    }

    fn signed(&self, name: &str) -> String {
        let file = self.authored(name);
        for key in ["ana", "ben"] {
            let view = self.lab.json(&["runbook", "sign", &file, "--key", &self.at(key)]);
            schema::check("runbook", &view);
        }
        file
    }

    fn listed(&self, workflow: &str) -> Vec<Value> {
        let list = self.lab.json(&["runbook", "list"]);
        let list = list
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["workflow"] == workflow)
            .cloned()
            .collect::<Vec<_>>();
        list.iter().for_each(|it| schema::check("trusted-runbook", it));
        list
    }
}

fn digest(file: impl AsRef<Path>) -> String {
    let digest = Sha256::digest(std::fs::read(file).unwrap());
    digest
        .iter()
        .fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn a_runbook_goes_from_its_author_to_the_report_and_out_of_trust_again() {
    let house = House::new(Lab::new());
    let lab = &house.lab;
    let file = house.authored("locks");
    let log = fixture("shop.log");
    let log = log.to_str().unwrap();

    lab.run(&["triage", "--runbook", &file, log])
        .fails(3, &["nobody vouches", "runbook sign"]);
    let view = lab.json(&["runbook", "sign", &file, "--key", &house.at("ana")]);
    schema::check("runbook", &view);
    assert_eq!(
        (&view["trusted"], &view["digest"]),
        (&json!(false), &json!(digest(&file)))
    );
    assert!(
        view["reason"].as_str().unwrap().contains("author + approver"),
        "{view:#}"
    );
    lab.run(&["runbook", "verify", &file])
        .fails(3, &["the rule `* needs author + approver` is not met", "`ana` signed"]);
    lab.run(&["runbook", "install", &file]).fails(3, &["is not met"]);
    let again = lab.run(&["runbook", "sign", &file, "--key", &house.at("ana")]);
    again.fails(2, &["names key", "twice"]);
    let view = lab.json(&["runbook", "sign", &file, "--key", &house.at("ben")]);
    assert_eq!((&view["trusted"], view.get("reason")), (&json!(true), None));

    let verified = lab.json(&["runbook", "verify", &file]);
    schema::check("runbook", &verified[0]);
    assert_eq!(house.listed("locks").len(), 1, "verifying installs nothing");
    let installed = lab.json(&["runbook", "install", &file]);
    assert_eq!(installed, verified);
    let listed = house.listed("locks");
    assert_eq!(listed.len(), 2);
    assert!(
        listed
            .iter()
            .any(|it| it["signers"] == json!(["ana", "ben"]) && it["trusted"] == true)
    );
    assert!(
        listed
            .iter()
            .any(|it| it["signers"] == json!(["builtin"]) && it["trusted"] == false)
    );

    let report = lab.triage("locks", &fixture("shop.log"));
    assert_eq!(report["runbook"]["digest"], json!(digest(&file)));
    assert_eq!(report["runbook"]["signers"], json!(["ana", "ben"]));
    let builtin = Lab::new().triage("locks", &fixture("shop.log"));
    assert_eq!(report["findings"], builtin["findings"], "the same code says the same");

    let why = "it names sessions that are gone";
    let revoked = lab.json(&["runbook", "revoke", "locks", "--reason", why, "--key", &house.at("ben")]);
    schema::check("revocation", &revoked);
    let refused = lab.run(&["triage", "locks", log]);
    refused.fails(3, &["was revoked", why]);
    schema::check("refusal", &refused.json());
    assert_eq!(refused.json()["code"], "revoked_runbook");
    lab.run(&["runbook", "install", &file]).fails(3, &["was revoked", why]);

    lab.json(&["runbook", "remove", "locks"]);
    lab.run(&["runbook", "remove", "locks"])
        .fails(2, &["no runbook `locks` is installed; installed are: none"]);
    assert_eq!(
        lab.triage("locks", &fixture("shop.log"))["runbook"]["signers"],
        json!(["builtin"])
    );
    lab.verified_records();
    let kinds = lab.record_kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "trust").count(), 5, "{kinds:?}");

    // Another host takes the revocation by its signature, if it trusts who signed.
    let other = House::new(Lab::new());
    let shipped = other.lab.file("revocation.json", revoked["envelope"].as_str().unwrap());
    other
        .lab
        .run(&["runbook", "revoke", "--signed", &shipped])
        .fails(3, &["no signature by a trusted key"]);
    let public = std::fs::read_to_string(house.at("ben.pub")).unwrap();
    let bens = other.lab.file("their-ben.pub", public);
    other
        .lab
        .json(&["key", "trust", &bens, "--name", "their-ben", "--role", "release"]);
    other.lab.json(&["runbook", "revoke", "--signed", &shipped]);
    other.lab.run(&["runbook", "install", &file]).fails(3, &["was revoked"]);
}

#[test]
fn trust_is_kept_by_commands_that_leave_the_rest_of_the_file() {
    let house = House::new(Lab::new());
    let lab = &house.lab;
    let text = || std::fs::read_to_string(house.folder().join("trust.toml")).unwrap();
    assert!(text().starts_with("# Whose word counts.\n"), "{}", text());
    lab.json(&["key", "generate", "--output", &house.at("ana2")]);
    lab.json(&["key", "rotate", "ana", "--to", &house.at("ana2"), "--overlap", "7d"]);
    let keys = lab.json(&["key", "list"]);
    let anas: Vec<&Value> = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "ana")
        .collect();
    assert_eq!(anas.len(), 2);
    assert!(
        anas.iter()
            .all(|it| it["counts"] == true && it["roles"] == json!(["author"])),
        "{keys:#}"
    );
    let old = anas.iter().find(|it| it.get("not_after").is_some()).unwrap();
    lab.json(&[
        "key",
        "revoke",
        old["key_id"].as_str().unwrap(),
        "--reason",
        "the notebook is gone",
    ]);
    let keys = lab.json(&["key", "list"]);
    let counting = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["counts"] == true)
        .count();
    assert_eq!(counting, 2, "{keys:#}");
    let before = text();
    for (args, words) in [
        (
            &["key", "rotate", "eve", "--to", &house.at("ana2")][..],
            &["`eve`", "there are: `ben`, `ana`"][..],
        ),
        (&["key", "revoke", "eve", "--reason", "x"], &["`eve`"]),
        (&["key", "revoke", "ben", "--reason", ""], &["--reason"]),
        (
            &[
                "key",
                "trust",
                &house.at("ben.pub"),
                "--name",
                "ben2",
                "--role",
                "author",
            ],
            &["is that of `ben`"],
        ),
        (
            &["key", "trust", &house.at("ben.pub"), "--name", "x", "--role", "admin"],
            &["no role is called `admin`", "`author`"],
        ),
        (
            &["key", "trust", "/etc/hostname", "--name", "x", "--role", "author"],
            &["not an ed25519 public key"],
        ),
        (
            &["key", "rotate", "ben", "--to", &house.at("ana2"), "--overlap", "soon"],
            &["no time such as `7d`"],
        ),
    ] {
        lab.run(args).fails(2, words);
    }
    assert_eq!(text(), before);
    lab.verified_records();
}

#[test]
fn an_agent_has_no_verb_that_gives_trust() {
    let house = House::new(Lab::new());
    let lab = &house.lab;
    house.operators(
        "config.toml",
        &format!("[agent]\nworkspace = {:?}\n", house.at("agents")),
    );
    let file = house.signed("locks");
    let key = house.at("ana");
    let before = std::fs::read_to_string(house.folder().join("trust.toml")).unwrap();
    for (args, verb) in [
        (&["key", "list"][..], "key"),
        (&["keys", "generate", "--output", &house.at("new")], "key"),
        (
            &["key", "trust", &house.at("ben.pub"), "--name", "x", "--role", "author"],
            "key",
        ),
        (&["key", "revoke", "ben", "--reason", "x"], "key"),
        (&["runbook", "sign", &file, "--key", &key], "sign"),
        (&["runbook", "install", &file], "install"),
        (&["runbook", "install", &file, "--allow-downgrade"], "install"),
        (&["runbook", "remove", "locks"], "remove"),
        (
            &["runbook", "revoke", "locks", "--reason", "x", "--key", &key],
            "revoke",
        ),
        (&["catalog", "install", "."], "install"),
        (&["approve", "x", "--key", &key], "approve"),
    ] {
        let unknown = format!("unrecognized subcommand '{verb}'");
        let flagged: Vec<&str> = std::iter::once("--agent").chain(args.iter().copied()).collect();
        lab.run(&flagged).fails(2, &[&unknown]);
        Ran::of(lab.command(args).env("PG_LOGSTATS_AGENT", "1")).fails(2, &[&unknown]);
    }
    let help = Ran::of(lab.command(&["runbook", "--help"]).env("PG_LOGSTATS_AGENT", "1")).stdout;
    assert!(help.contains("  list") && help.contains("  verify"), "{help}");
    for verb in ["sign", "install", "remove", "revoke"] {
        assert!(!help.contains(&format!("  {verb} ")), "{help}");
    }
    let help = lab.run(&["--agent", "--help"]).stdout;
    assert!(
        help.contains("  triage") && !help.contains("  key ") && !help.contains("  approve "),
        "{help}"
    );
    assert_eq!(
        std::fs::read_to_string(house.folder().join("trust.toml")).unwrap(),
        before
    );
    assert!(!house.folder().join("runbooks/installed.json").exists());
    // What the operator installs is what the agent's next command runs.
    lab.json(&["runbook", "install", &file]);
    let log = lab.file("postgresql.log", std::fs::read(fixture("shop.log")).unwrap());
    house.operators(
        "config.toml",
        &format!(
            "[agent]\nworkspace = {:?}\nlog_folders = [{:?}]\n",
            house.at("agents"),
            lab.path()
        ),
    );
    let report = lab.json(&["--agent", "triage", "locks", &log]);
    assert_eq!(report["runbook"]["signers"], json!(["ana", "ben"]));
}

#[test]
fn a_bundle_is_a_pair_a_folder_or_an_oci_image_layout() {
    let house = House::new(Lab::new());
    let lab = &house.lab;
    let file = house.signed("locks");
    let folder = house.at("shipped");
    std::fs::create_dir(&folder).unwrap();
    for name in ["locks.wasm", "locks.wasm.dsse"] {
        std::fs::copy(house.at(name), Path::new(&folder).join(name)).unwrap();
    }
    let layout = house.at("layout");
    write_layout(
        Path::new(&layout),
        &std::fs::read(&file).unwrap(),
        &std::fs::read(house.at("locks.wasm.dsse")).unwrap(),
    );
    let by_pair = lab.json(&["runbook", "verify", &file]);
    assert_eq!(lab.json(&["runbook", "verify", &folder]), by_pair);
    assert_eq!(lab.json(&["runbook", "verify", &layout]), by_pair);
    assert_eq!(lab.json(&["runbook", "install", &layout]), by_pair);
    assert_eq!(
        lab.triage("locks", &fixture("shop.log"))["runbook"]["digest"],
        json!(digest(&file))
    );

    // One byte of the component, in each form.
    let blob = Path::new(&layout)
        .join("blobs/sha256")
        .join(&digest(&file)["sha256:".len()..]);
    for (changed, bundle, code, words) in [
        (Path::new(&file).to_owned(), file.clone(), 4, "another component"),
        (
            Path::new(&folder).join("locks.wasm"),
            folder.clone(),
            4,
            "another component",
        ),
        (blob, layout.clone(), 2, "is not what its digest says"),
    ] {
        let mut bytes = std::fs::read(&changed).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&changed, bytes).unwrap();
        lab.run(&["runbook", "verify", &bundle]).fails(code, &[words]);
    }
    let module = lab.file("module.wasm", b"\0asm\x01\0\0\0");
    lab.run(&["runbook", "sign", &module, "--key", &house.at("ana")])
        .fails(2, &[&module, "it is a core module"]);
    lab.run(&["runbook", "verify", "/nowhere.wasm"])
        .fails(2, &["/nowhere.wasm"]);
    lab.run(&["runbook", "verify", lab.workspace().to_str().unwrap()])
        .fails(2, &["has no runbook in it"]);
}

/// As `wkg oci push` and `cosign attach` would leave it.
fn write_layout(folder: &Path, component: &[u8], envelope: &[u8]) {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let blob = |media_type: &str, bytes: &[u8]| {
        let hex = Sha256::digest(bytes)
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        std::fs::write(blobs.join(&hex), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()})
    };
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": manifest_type,
        "config": blob("application/vnd.wasm.config.v0+json", b"{\"architecture\":\"wasm\",\"os\":\"wasip2\"}"),
        "layers": [blob("application/wasm", component)],
    });
    let manifest = blob(manifest_type, manifest.to_string().as_bytes());
    let dsse = "application/vnd.dsse.envelope.v1+json";
    let signatures = json!({
        "schemaVersion": 2, "mediaType": manifest_type, "artifactType": dsse,
        "config": blob("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [blob(dsse, envelope)], "subject": manifest,
    });
    let signatures = blob(manifest_type, signatures.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [manifest, signatures]});
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
}

/// A shop whose log has lock waits to look into.
fn shop() -> Cluster {
    let cluster = logging().start().expect("PostgreSQL starts");
    make_shop(&cluster);
    let mut app = cluster.session("app", "shop").unwrap();
    for i in 0..4 {
        app.run(&format!("SELECT count(*) FROM generate_series(1, {i}000)"))
            .unwrap();
    }
    cluster
}

#[test]
fn no_action_of_a_runbook_runs_after_its_revocation_or_its_key_s() {
    let cluster = shop();
    let log = cluster
        .collected_logs()
        .into_iter()
        .next()
        .unwrap_or_else(|| cluster.server_log());
    let house = House::new(Lab::with_database(&cluster.dsn("triage", "shop")));
    let lab = &house.lab;
    let file = house.signed("query-families");
    lab.json(&["runbook", "install", &file]);
    let report = lab.triage("query-families", &log);
    assert_eq!(report["runbook"]["digest"], json!(digest(&file)));
    let looked_up = action(&report, "query_family.pg_stat_statements.by_queryid");
    let run = |code: i32, words: &[&str]| {
        let argv = argv(looked_up);
        let ran = lab.run(&argv.iter().map(String::as_str).collect::<Vec<_>>());
        match code {
            0 => assert_eq!(ran.code, 0, "{ran:?}"),
            _ => ran.fails(code, words),
        }
    };
    let intents = || lab.record_kinds().iter().filter(|kind| *kind == "intent").count();
    run(0, &[]);
    assert_eq!(intents(), 1);
    lab.json(&["key", "revoke", "ben", "--reason", "left"]);
    run(3, &["is not met", "`ben` was revoked"]);
    // Signed by another reviewer, it is trusted again: the digest is the same, and so is the report.
    lab.json(&["key", "generate", "--output", &house.at("cid")]);
    lab.json(&["key", "trust", &house.at("cid"), "--name", "cid", "--role", "approver"]);
    lab.json(&["runbook", "sign", &file, "--key", &house.at("cid")]);
    lab.json(&["runbook", "install", &file]);
    run(0, &[]);
    assert_eq!(intents(), 2);
    let revoke = [
        "runbook",
        "revoke",
        &digest(&file),
        "--reason",
        "it asks too much",
        "--key",
        &house.at("ana"),
    ];
    lab.json(&revoke);
    run(3, &["was revoked", "it asks too much"]);
    lab.json(&["runbook", "remove", "query-families"]);
    run(3, &["not installed (any more)"]);
    assert_eq!(intents(), 2, "what is refused leaves no intent");
    lab.verified_records();
}

/// The signed statement is read and verified by in-toto's and securesystemslib's own Python code.
#[test]
#[cfg_attr(
    no_python_verifiers,
    ignore = "the Python packages are not there; scripts/python-verifiers.sh fetches them"
)]
fn other_peoples_tools_verify_the_statement() {
    let house = House::new(Lab::new());
    let file = house.signed("locks");
    let verify = |component: &str, envelope: &str, keys: &[&str]| {
        pg_logstats_tests::python_verifier("in_toto_statement.py", &[&[component, envelope], keys].concat())
    };
    let envelope = format!("{file}.dsse");
    let (ana, ben) = (house.at("ana.pub"), house.at("ben.pub"));
    let (is_verified, said) = verify(&file, &envelope, &[&ana, &ben]);
    assert!(is_verified, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&said["subject"], &said["name"]),
        (&json!("locks.wasm"), &json!("locks"))
    );
    assert_eq!(said["risk_ceiling"], "bounded");
    // And they see what ours would: another component, a changed payload, a key that did not sign.
    let other = house.lab.file("other.wasm", "other");
    assert!(!verify(&other, &envelope, &[&ana, &ben]).0);
    let mut changed: Value = serde_json::from_slice(&std::fs::read(&envelope).unwrap()).unwrap();
    changed["payloadType"] = json!("application/json");
    let changed = house.lab.file("changed.dsse", changed.to_string());
    assert!(!verify(&file, &changed, &[&ana, &ben]).0);
    house.lab.json(&["key", "generate", "--output", &house.at("eve")]);
    let eve = house.lab.json(&["key", "show", &house.at("eve")]);
    let eve = house.lab.file("eve.pub", eve["public_key"].as_str().unwrap());
    assert!(!verify(&file, &envelope, &[&ana, &eve]).0);
}

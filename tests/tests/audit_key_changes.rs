//! A change of the log's key that is cut short wherever it can be, by a real kill where a program of the operator's runs in between: at
//! each moment one key is in force, and the command that an error names ends what was begun.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pg_logstats_tests::{Lab, Ran, copy_folder, fixture};

const PRIVATE: &str = "signing-key.pem";
const PUBLIC: &str = "public-key.pem";
const REASON: [&str; 2] = ["--reason", "yearly"];

/// Both halves, as PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Key {
    private: String,
    public: String,
}

impl Key {
    /// That of a folder of keys.
    fn of(folder: &Path) -> Self {
        let [private, public] = [PRIVATE, PUBLIC].map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
        Self { private, public }
    }

    /// A new one, in the file `name` and `name.pub` of the laboratory.
    fn generated(lab: &Lab, name: &str) -> Self {
        let path = lab.path().join(name);
        let made = lab.json(&["key", "generate", "--output", path.to_str().unwrap()]);
        let public = made["public_key"].as_str().unwrap().to_owned();
        lab.file(&format!("{name}.pub"), &public);
        let private = std::fs::read_to_string(path).unwrap();
        Self { private, public }
    }

    fn put(&self, folder: &Path) {
        put(&folder.join(PRIVATE), &self.private);
        put(&folder.join(PUBLIC), &self.public);
    }
}

/// Writes a file that its owner alone can read.
fn put(path: &Path, text: &str) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn keys(lab: &Lab) -> PathBuf {
    lab.workspace().join("keys")
}

/// The command with the configuration `config` and these words.
fn run(lab: &Lab, config: &str, words: &[&str]) -> Ran {
    let file = lab.file("config.toml", config);
    lab.run(&[&["--config", &file], words].concat())
}

fn triage(lab: &Lab, config: &str) -> Ran {
    run(lab, config, &["triage", "locks", fixture("shop.log").to_str().unwrap()])
}

fn rotate(lab: &Lab, config: &str) -> Ran {
    run(lab, config, &[&["audit", "rotate-key"][..], &REASON].concat())
}

/// Which of `candidates` can sign the next record, so that the log verifies with any of its keys: each tries in a copy of the workspace.
fn in_force(lab: &Lab, candidates: [&Key; 2]) -> [bool; 2] {
    candidates.map(|key| {
        let other = Lab::new();
        copy_folder(&lab.workspace(), &other.workspace());
        let _ = std::fs::remove_dir_all(keys(&other).join("next"));
        key.put(&keys(&other));
        let ran = triage(&other, "");
        let public = other.file("key.pub", &key.public);
        let verified = other.run(&["audit", "verify", "--public-key", &public]).code == 0;
        assert!(verified || ran.code != 0, "it signed what does not verify: {ran:?}");
        ran.code == 0
    })
}

/// The words of the command that an error names.
fn named(ran: &Ran) -> Vec<String> {
    let (_, after) = ran
        .stderr
        .split_once("`pg-logstats ")
        .unwrap_or_else(|| panic!("no command is named: {ran:?}"));
    let (command, _) = after.split_once('`').unwrap();
    command.split(' ').map(str::to_owned).collect()
}

/// What the log's changes of its key are, by the ids of both.
fn rotations(lab: &Lab) -> usize {
    let verified = lab.json(&[
        "audit",
        "verify",
        "--public-key",
        &lab.file("any.pub", newest_public(lab)),
    ]);
    assert_eq!(verified["verified"], true, "{verified:#}");
    verified["keys"].as_array().unwrap().len() - 1
}

fn newest_public(lab: &Lab) -> String {
    std::fs::read_to_string(keys(lab).join(PUBLIC)).unwrap()
}

/// From here on nothing is left of the change: the new key signs, the old one does not and its private half is gone, and either verifies all.
fn assert_done(lab: &Lab, config: &str, old: &Key, new: &Key, what: &str) {
    assert_eq!(triage(lab, config).code, 0, "{what}");
    assert_eq!(in_force(lab, [old, new]), [false, true], "{what}");
    assert_eq!(rotations(lab), 1, "{what}: one change, however often it was begun");
    for key in [old, new] {
        let public = lab.file("auditor.pub", &key.public);
        let verified = lab.json(&["audit", "verify", "--public-key", &public]);
        assert_eq!(verified["verified"], true, "{what}: {verified:#}");
    }
    assert_eq!(newest_public(lab), new.public, "{what}");
    let private = std::fs::read_to_string(keys(lab).join(PRIVATE)).ok();
    let is_external = config.contains("[audit.signer]");
    assert_eq!(private, (!is_external).then(|| new.private.clone()), "{what}");
    assert!(!keys(lab).join("next").exists(), "{what}");
}

/// Runs what an error names, or else the command that was cut short.
fn end_it(lab: &Lab, config: &str, what: &str) {
    let ran = triage(lab, config);
    let command = match ran.code {
        0 => ["audit", "rotate-key"].map(str::to_owned).to_vec(),
        _ => named(&ran),
    };
    assert_eq!(command, ["audit", "rotate-key"], "{what}");
    let words: Vec<&str> = command.iter().map(String::as_str).chain(REASON).collect();
    let ran = run(lab, config, &words);
    assert_eq!(ran.code, 0, "{what}: {ran:?}");
}

/// Who holds a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Holder {
    /// A file of the workspace.
    File,
    /// A program that the configuration names.
    Program,
}

/// Configuration that names a program which signs with the key of the file `name`, and kills who asks it for the signature `kill_at`.
fn signer(lab: &Lab, table: &str, name: &str, kill_at: u32) -> String {
    let at = |file: String| lab.path().join(file).display().to_string();
    let (key, public) = (at(name.to_owned()), at(format!("{name}.pub")));
    let (count, message) = (at(format!("{name}.count")), at(format!("{name}.message")));
    let script = format!(
        "echo >>{count}; test $(wc -l <{count}) != {kill_at} || kill -9 $PPID; cat >{message}; \
         exec openssl pkeyutl -sign -inkey {key} -rawin -in {message}"
    );
    let _ = std::fs::remove_file(&count);
    format!("[audit.{table}]\npublic_key = \"{public}\"\ncommand = [\"sh\", \"-c\", \"{script}\"]\n")
}

/// Where the command is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Killed {
    /// When the old key is asked for its signature on the record.
    OldSigns,
    /// When the new key is asked for its signature on the record.
    NewSigns,
    /// When the new key is asked for its first checkpoint.
    NewSignsCheckpoint,
    /// Behind the append, when the checkpoint is sent elsewhere: no file of a key was moved yet.
    Appended,
}

#[test]
fn a_command_that_is_killed_leaves_one_key_in_force_and_is_ended_by_the_same_command() {
    use Holder::{File, Program};
    use Killed::{Appended, NewSigns, NewSignsCheckpoint, OldSigns};
    for (from, to, killed) in [
        (File, File, Appended),
        (File, Program, NewSigns),
        (File, Program, NewSignsCheckpoint),
        (File, Program, Appended),
        (Program, Program, OldSigns),
        (Program, Program, NewSigns),
        (Program, Program, NewSignsCheckpoint),
        (Program, Program, Appended),
        (Program, File, OldSigns),
        (Program, File, Appended),
    ] {
        let what = format!("{from:?} to {to:?}, {killed:?}");
        let lab = Lab::new();
        let (mut old, mut new) = (Key::generated(&lab, "old"), Key::generated(&lab, "new"));
        let first = match from {
            File => String::new(),
            Program => signer(&lab, "signer", "old", 0),
        };
        assert_eq!(triage(&lab, &first).code, 0, "{what}");
        if from == File {
            old = Key::of(&keys(&lab));
        }
        let config = |kill: Option<Killed>| {
            let kill_at = |signs: Killed, count: u32| if kill == Some(signs) { count } else { 0 };
            let mut config = String::new();
            if to == Program {
                config += &signer(
                    &lab,
                    "signer",
                    "new",
                    kill_at(NewSigns, 1) + kill_at(NewSignsCheckpoint, 2),
                );
            }
            if from == Program {
                config += &signer(&lab, "previous_signer", "old", kill_at(OldSigns, 1));
            }
            if kill == Some(Appended) {
                config += "[audit.export]\ncommand = [\"sh\", \"-c\", \"kill -9 $PPID\"]\n";
            }
            config
        };
        let ran = rotate(&lab, &config(Some(killed)));
        assert_eq!(ran.code, -1, "{what}: it was killed: {ran:?}");
        if to == File {
            new = Key::of(&keys(&lab).join("next"));
        }
        assert_eq!(
            in_force(&lab, [&old, &new]),
            [killed != Appended, killed == Appended],
            "{what}"
        );
        end_it(&lab, &config(None), &what);
        assert_done(&lab, &config(None), &old, &new, &what);
    }
}

/// Before the record: what the making of the new key leaves, and the old public key where it is kept. The old key signs as ever, and the
/// command takes up the key that waits.
#[test]
fn a_change_that_was_cut_short_before_its_record_changed_nothing() {
    for (state, is_whole) in [
        ("the folder of the new key alone", false),
        ("a part of the new private key", false),
        ("the new private key alone", true),
        ("the new key", true),
        ("the new key, and the old public one where earlier ones are", true),
    ] {
        let lab = Lab::new();
        assert_eq!(triage(&lab, "").code, 0);
        let old = Key::of(&keys(&lab));
        let waits = Key::generated(&lab, "new");
        let next = keys(&lab).join("next");
        std::fs::create_dir(&next).unwrap();
        match state {
            "the folder of the new key alone" => {}
            "a part of the new private key" => {
                put(&next.join(".signing-key.pem.0123456789abcdef"), &waits.private[..40])
            }
            "the new private key alone" => put(&next.join(PRIVATE), &waits.private),
            _ => waits.put(&next),
        }
        if state.ends_with("earlier ones are") {
            let verified = lab.json(&["audit", "verify"]);
            let id = verified["keys"][0]["key_id"].as_str().unwrap();
            std::fs::create_dir(keys(&lab).join("earlier")).unwrap();
            put(&keys(&lab).join(format!("earlier/{id}.pem")), &old.public);
        }
        assert_eq!(in_force(&lab, [&old, &waits]), [true, false], "{state}");
        let ran = triage(&lab, "");
        assert_eq!(ran.code, 0, "{state}: {ran:?}");
        end_it(&lab, "", state);
        let new = Key::of(&keys(&lab));
        assert_eq!(new == waits, is_whole, "{state}");
        assert_done(&lab, "", &old, &new, state);
    }
}

/// Behind the record: the old private key is the last file that is moved or removed, so there is always one that signs or one that waits to.
#[test]
fn a_change_that_was_cut_short_behind_its_record_is_ended_by_the_command_that_the_error_names() {
    let made = Lab::new();
    assert_eq!(triage(&made, "").code, 0);
    let old = Key::of(&keys(&made));
    assert_eq!(rotate(&made, "").code, 0);
    let new = Key::of(&keys(&made));
    // What lies in `keys/` and what waits in `keys/next/`, as the halves of old and new.
    for (state, own, waits, code) in [
        ("nothing was moved", (&old, &old), (true, true), 4),
        ("the public half was moved", (&old, &new), (true, false), 1),
        ("both were moved", (&new, &new), (false, false), 0),
    ] {
        let lab = Lab::new();
        copy_folder(&made.workspace(), &lab.workspace());
        let next = keys(&lab).join("next");
        std::fs::create_dir(&next).unwrap();
        put(&keys(&lab).join(PRIVATE), &own.0.private);
        put(&keys(&lab).join(PUBLIC), &own.1.public);
        if waits.0 {
            put(&next.join(PRIVATE), &new.private);
        }
        if waits.1 {
            put(&next.join(PUBLIC), &new.public);
        }
        assert_eq!(in_force(&lab, [&old, &new]), [false, true], "{state}");
        assert_eq!(triage(&lab, "").code, code, "{state}");
        // With all files in their places, nothing is left to end.
        if code != 0 {
            end_it(&lab, "", state);
            assert_done(&lab, "", &old, &new, state);
        }
    }
}

/// The operator names another signer, and does nothing else: the log stays under the old key until the command that the error names is run.
#[test]
fn a_signer_that_was_only_named_signs_nothing_until_the_command_that_the_error_names() {
    let lab = Lab::new();
    let new = Key::generated(&lab, "new");
    assert_eq!(triage(&lab, "").code, 0);
    let old = Key::of(&keys(&lab));
    let config = signer(&lab, "signer", "new", 0);
    assert_eq!(triage(&lab, &config).code, 4);
    assert_eq!(in_force(&lab, [&old, &new]), [true, false]);
    assert_eq!(triage(&lab, "").code, 0);
    end_it(&lab, &config, "named");
    assert_done(&lab, &config, &old, &new, "named");
}

/// The same where the new key is a program's: the old private key is removed, then the public one replaced.
#[test]
fn a_change_to_a_program_that_was_cut_short_behind_its_record_is_ended_by_the_same_command() {
    let made = Lab::new();
    let new = Key::generated(&made, "new");
    assert_eq!(triage(&made, "").code, 0);
    let old = Key::of(&keys(&made));
    let config = signer(&made, "signer", "new", 0);
    assert_eq!(rotate(&made, &config).code, 0);
    for (state, private) in [("nothing was moved", true), ("the private half was removed", false)] {
        put(&keys(&made).join(PUBLIC), &old.public);
        if private {
            put(&keys(&made).join(PRIVATE), &old.private);
        }
        assert_eq!(in_force(&made, [&old, &new]), [false, true], "{state}");
        end_it(&made, &config, state);
        assert_done(&made, &config, &old, &new, state);
    }
}

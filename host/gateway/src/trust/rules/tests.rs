use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;

const ROLES: &[(&str, &[Role])] = &[
    ("ana", &[Role::Author]),
    ("ben", &[Role::Approver]),
    ("cid", &[Role::Author, Role::Approver]),
    ("dan", &[Role::Approver]),
    ("eve", &[Role::Catalogue]),
    ("old", &[Role::Author, Role::Approver]),
];

fn signed(names: &[&str]) -> Vec<SignedBy> {
    let signer = |name: &&str| SignedBy {
        name: (*name).to_owned(),
        key_id: PrivateKey::generate().unwrap().key_id().clone(),
        roles: ROLES
            .iter()
            .find(|it| it.0 == *name)
            .unwrap()
            .1
            .iter()
            .copied()
            .collect(),
        problem: (*name == "old").then(|| "the key `old` was revoked".to_owned()),
    };
    names.iter().map(signer).collect()
}

fn rule(runbook: &str, needs: &str) -> Result<Rule, Problem> {
    let raw = RawRule {
        runbook: runbook.to_owned(),
        needs: needs.to_owned(),
    };
    Rule::new(&raw, |name| ROLES.iter().any(|it| it.0 == name))
}

#[test]
fn each_signature_counts_for_one_term() {
    for (needs, signers, expected) in [
        ("author", &["ana"][..], true),
        ("author", &["ben"], false),
        ("author", &["old"], false),
        ("author", &[], false),
        ("author + approver", &["ana", "ben"], true),
        ("author+approver", &["ben", "ana"], true),
        // Nobody reviews himself …
        ("author + approver", &["cid"], false),
        // … and who could be either is what is missing.
        ("author + approver", &["cid", "ana"], true),
        ("author + approver", &["cid", "ben"], true),
        ("author + approver", &["ana", "eve"], false),
        ("2 approver", &["ben"], false),
        ("2 approver", &["ben", "dan"], true),
        ("2 approver", &["ben", "old"], false),
        ("2 approver + author", &["cid", "ben", "dan"], true),
        ("2 approver + author", &["cid", "ben"], false),
        ("2 of ana, ben, eve", &["ana", "eve"], true),
        ("2 of ana, ben, eve", &["ana", "dan"], false),
        ("1 of ana, ben + 1 of ben, dan", &["ben", "ana"], true),
        ("1 of ana, ben + 1 of ben, dan", &["ben"], false),
        ("release", &["ana", "ben", "cid", "dan", "eve"], false),
    ] {
        let found = rule("*", needs).unwrap().judge(&signed(signers));
        assert_eq!(found.is_ok(), expected, "{needs}: {signers:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let error = rule("locks@>=1", "author + approver")
        .unwrap()
        .judge(&signed(&["ana", "old"]))
        .unwrap_err();
    assert_eq!(error.code(), "rule_not_met");
    assert_eq!(
        error.to_string(),
        "the rule `locks@>=1 needs author + approver` is not met: `ana` signed (`author`); the key `old` was revoked"
    );
}

#[test]
fn a_rule_is_about_names_and_versions_and_no_suffix_evades_it() {
    for (runbook, name, version, expected) in [
        ("*", "locks", "0.0.1", true),
        ("locks", "locks", "9.9.9", true),
        ("locks", "lock", "1.0.0", false),
        ("locks@>=1.2", "locks", "1.1.9", false),
        ("locks@>=1.2", "locks", "1.2.0", true),
        ("locks@>=1.2", "locks", "1.3.0-rc.1", true),
        ("locks@>=1.2", "locks", "1.2.0-rc.1", true),
        ("locks@>=1.2", "locks", "1.2.0+build.5", true),
        ("locks@>=1.2, <2", "locks", "2.0.0", false),
        ("*@=1.0.0", "any", "1.0.0", true),
    ] {
        let found = rule(runbook, "author")
            .unwrap()
            .is_about(name, &version.parse().unwrap());
        assert_eq!(found, expected, "{runbook}: {name} {version}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_named() {
    for (runbook, needs, field, words) in [
        ("", "author", "runbook", "has to be a runbook's name"),
        ("Locks", "author", "runbook", "has to be a runbook's name"),
        ("locks@newest", "author", "runbook", "the versions after `@`"),
        ("locks", "", "needs", "no role is called ``"),
        (
            "locks",
            "auther",
            "needs",
            "no role is called `auther`; there are: `author`",
        ),
        ("locks", "author +", "needs", "no role is called ``"),
        ("locks", "0 author", "needs", "is not 1 to 16"),
        ("locks", "99999999999999999999 author", "needs", "is not 1 to 16"),
        ("locks", "16 author + approver", "needs", "more than 16 signatures"),
        ("locks", "2 of ana, ann", "needs", "no key is called `ann`"),
        ("locks", "3 of ana, ben", "needs", "asks for 3 of 2 keys"),
        ("locks", "2 of ana, ana", "needs", "asks for 2 of 1 keys"),
    ] {
        let (found, problem) = rule(runbook, needs).unwrap_err();
        assert_eq!(found, field, "{runbook} {needs}");
        assert!(problem.contains(words), "{runbook} {needs}: {problem}");
    }
}

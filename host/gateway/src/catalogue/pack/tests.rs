use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;

const NOW_US: i64 = 1_800_000_000_000_000;
const AUTHORS: &str = "name = \"acme\"\nversion = \"1.2.0\"\nminimum_host_version = \"0.1.0\"\n";
pub(crate) const ACTION: &str = r#"# Tables with the most dead tuples: counters, no table's rows.
id = "acme.dead_tuples"
title = "tables with most dead tuples"
risk = "safe"
class = "stats_view_reads"
essential = false
kind = "query"

[privileges]

[[parameters]]
name = "database"
facet = "database"
required = true
description = "the database"

[[columns]]
name = "relation"
type = "text"
untrusted = true

[[columns]]
name = "dead"
type = "int"

[[statements]]
min_version = 140000
sql = """
SELECT s.relname::text AS relation, s.n_dead_tup AS dead
  FROM pg_catalog.pg_stat_user_tables AS s
 WHERE current_database()::text = $1::text
 ORDER BY s.n_dead_tup DESC
 LIMIT 21
"""

[caps]
max_rows = 20
max_bytes = 16384
statement_timeout_ms = 1000
lock_timeout_ms = 200
idle_in_transaction_session_timeout_ms = 3000

[caps.saturated]
statement_timeout_ms = 500
lock_timeout_ms = 100
"#;
const FILE: &str = "acme.dead_tuples.toml";

fn files(text: &str) -> Files {
    vec![(FILE.to_owned(), text.as_bytes().to_vec())]
}

fn ring(key: &PrivateKey, roles: &str) -> Keyring {
    let pem = key.public().to_pem().unwrap();
    let text = format!("[[keys]]\nname = \"dba\"\nroles = [{roles}]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
    Keyring::parse("trust.toml", &text).unwrap()
}

fn verify(envelope: &Envelope, files: &Files, keys: &Keyring) -> Result<Pack, PackError> {
    let read = |name: &str| {
        let found = files.iter().find(|(file, _)| file == name);
        found.map(|(_, bytes)| bytes.clone()).ok_or(PackError::Files {
            file: name.to_owned(),
            problem: "is missing",
        })
    };
    Pack::verify("acme", &envelope.to_bytes().unwrap(), read, keys, NOW_US).map(|(pack, _)| pack)
}

#[test]
fn a_signed_pack_joins_the_catalogue() {
    let key = PrivateKey::generate().unwrap();
    let (info, envelope) = Pack::sign(AUTHORS.as_bytes(), &files(ACTION), &key).unwrap();
    assert_eq!(
        (info.name.as_str(), info.version.to_string()),
        ("acme", "1.2.0".to_owned())
    );
    let pack = verify(&envelope, &files(ACTION), &ring(&key, "\"catalogue\"")).unwrap();
    assert_eq!(pack.info().signer, "dba");
    let builtin = Catalogue::builtin().unwrap();
    let merged = builtin.with_packs(vec![pack]).unwrap();
    assert_eq!(merged.iter().count(), builtin.iter().count() + 1);
    let action = merged.get("acme.dead_tuples").unwrap();
    assert!(action.is_packed());
    assert_eq!(action.digest, crate::hex(&Sha256::digest(ACTION.as_bytes())));
    assert!(merged.get("query_family.explain").is_some_and(|it| !it.is_packed()));
}

#[test]
fn what_was_changed_or_is_signed_by_nobody_who_may_does_not_count() {
    let key = PrivateKey::generate().unwrap();
    let (_, envelope) = Pack::sign(AUTHORS.as_bytes(), &files(ACTION), &key).unwrap();
    let good = ring(&key, "\"catalogue\"");
    let changed = ACTION.replace("LIMIT 21", "LIMIT 20");
    let error = verify(&envelope, &files(&changed), &good).unwrap_err();
    assert!(error.is_tampering() && error.to_string().contains(FILE), "{error}");
    assert!(matches!(
        verify(&envelope, &Vec::new(), &good),
        Err(PackError::Files { .. })
    ));

    let error = verify(&envelope, &files(ACTION), &ring(&key, "\"approver\", \"author\"")).unwrap_err();
    assert!(
        error.is_denied() && error.to_string().contains("role `catalogue`"),
        "{error}"
    );
    let error = verify(&envelope, &files(ACTION), &Keyring::default()).unwrap_err();
    assert!(error.is_denied(), "{error}");

    // Signed by the right key, and still no pack.
    let payload = base64_of(&envelope);
    for (what, text) in [
        ("an unknown field", payload.replacen('{', "{\"sql\":\"x\",", 1)),
        ("a field twice", payload.replacen('{', "{\"pack_version\":1,", 1)),
        ("trailing data", format!("{payload} ")),
        (
            "another version",
            payload.replacen("\"pack_version\":1", "\"pack_version\":2", 1),
        ),
        ("a file outside", payload.replacen(FILE, "../acme.dead_tuples.toml", 1)),
        (
            "a pack called as what is built in",
            payload.replacen("\"acme\"", "\"query_family\"", 1),
        ),
    ] {
        assert_ne!(text, payload, "{what}");
        let signed = dsse::seal(&key, PAYLOAD_TYPE, text.as_bytes()).unwrap();
        let error = verify(&signed, &files(ACTION), &good).expect_err(what);
        assert!(matches!(error, PackError::Field { .. }), "{what}: {error}");
    }
    let other = dsse::seal(&key, "application/vnd.pg-logstats.approval+json", payload.as_bytes()).unwrap();
    assert!(verify(&other, &files(ACTION), &good).unwrap_err().is_denied());
}

fn base64_of(envelope: &Envelope) -> String {
    // The reader that the host has is the one to use.
    let key = PrivateKey::generate().unwrap();
    let mut copy = envelope.clone();
    copy.signatures.clear();
    dsse::countersign(&mut copy, &key).unwrap();
    let opened = dsse::open(&copy, &key.public().clone().into()).unwrap();
    String::from_utf8(opened.payload).unwrap()
}

#[test]
fn an_action_that_breaks_a_rule_is_not_signed_and_the_error_says_where() {
    let key = PrivateKey::generate().unwrap();
    for (from, to, says) in [
        ("id = \"acme.dead", "id = \"acmé.dead", "field `id`"),
        ("essential = false", "essential = true", "field `essential`"),
        (
            "essential = false",
            "essential = false\nsql = \"x\"",
            "unknown field `sql`",
        ),
        ("untrusted = true\n", "", "`untrusted = true`"),
        (
            "[privileges]",
            "[privileges]\nroles = [\"pg_monitor\"]",
            "role `pg_monitor`",
        ),
        (
            "[privileges]",
            "[privileges]\nselect_on_relations = true",
            "field `row_hidden`",
        ),
        (
            "[privileges]",
            "[privileges]\nextensions = [\"dblink\"]",
            "field `privileges`",
        ),
        ("risk = \"safe\"", "risk = \"none\"", "unknown variant `none`"),
        (
            "class = \"stats_view_reads\"",
            "class = \"bounded_activity_queries\"",
            "has to be at least `bounded`",
        ),
        (
            "class = \"stats_view_reads\"\nessential = false\nkind = \"query\"",
            "class = \"explain_without_analyze\"\nessential = false\nkind = \"explain\"",
            "EXPLAIN",
        ),
        ("max_rows = 20", "max_rows = 2000", "`max_rows` is 2000"),
        ("max_rows = 20", "max_rows = 10", "needs a LIMIT of at most 11"),
        ("max_bytes = 16384", "max_bytes = 0", "`max_bytes` is 0"),
        (
            "statement_timeout_ms = 1000",
            "statement_timeout_ms = 90000",
            "`statement_timeout_ms`",
        ),
        ("max_bytes = 16384\n", "", "missing field `max_bytes`"),
        ("$1::text", "$1", "`$1::text` everywhere"),
        ("pg_catalog.pg_stat_user_tables", "public.orders", "`orders`"),
        ("s.n_dead_tup AS dead", "pg_sleep(9) AS dead", "`pg_sleep`"),
        (
            "s.n_dead_tup AS dead\n",
            "pg_total_relation_size(s.relid) AS dead\n",
            "has to be at least `bounded`",
        ),
        ("LIMIT 21\n", "LIMIT 21; SELECT 1\n", "2 statements"),
    ] {
        let text = ACTION.replacen(from, to, 1);
        assert_ne!(text, ACTION, "{from}");
        let error = Pack::sign(AUTHORS.as_bytes(), &files(&text), &key)
            .expect_err(to)
            .to_string();
        assert!(
            error.contains(says) && error.contains(FILE),
            "expected {says:?} in: {error}"
        );
    }
    let foreign = vec![(
        "other.dead_tuples.toml".to_owned(),
        ACTION.replace("acme.", "other.").into_bytes(),
    )];
    let error = Pack::sign(AUTHORS.as_bytes(), &foreign, &key).unwrap_err().to_string();
    assert!(error.contains("begin with the pack's name: `acme.`"), "{error}");
}

#[test]
fn what_the_author_says_of_the_pack_is_checked() {
    let key = PrivateKey::generate().unwrap();
    for (from, to, says) in [
        ("\"acme\"", "\"temp_file\"", "built-in actions begin with"),
        ("\"acme\"", "\"Acme\"", "field `name`"),
        ("\"acme\"", "\"../acme\"", "field `name`"),
        ("\"1.2.0\"", "\"1.2\"", "field `version`"),
        ("\"1.2.0\"", "\"1.02.0\"", "field `version`"),
        ("\"0.1.0\"", "\"99.0.0\"", "needs pg-logstats 99.0.0 or later"),
        ("\"0.1.0\"", "\"0.1.0\"\npolicy = \"lax\"", "unknown field `policy`"),
        ("version = \"1.2.0\"\n", "", "missing field `version`"),
    ] {
        let authors = AUTHORS.replacen(from, to, 1);
        assert_ne!(authors, AUTHORS);
        let error = Pack::sign(authors.as_bytes(), &files(ACTION), &key)
            .expect_err(to)
            .to_string();
        assert!(error.contains(says), "expected {says:?} in: {error}");
    }
    assert!(
        Pack::sign(AUTHORS.as_bytes(), &Vec::new(), &key).is_err(),
        "a pack without actions"
    );
}

#[test]
fn the_built_in_actions_would_pass_the_rules_for_sql() {
    // What is reviewed with the code may call more than what is not.
    let mut more = std::collections::BTreeSet::new();
    for action in Catalogue::builtin()
        .unwrap()
        .iter()
        .filter(|it| it.kind == ActionKind::Query)
    {
        for Statement { sql, .. } in action.statements() {
            let statement = packed::check(
                &sql.replace("pg_stat_statements(false)", "pg_stat_statements"),
                Expected {
                    arguments: &action
                        .parameters
                        .iter()
                        .flat_map(|it| it.facet.argument_types())
                        .copied()
                        .collect::<Vec<_>>(),
                    columns: action.columns.len(),
                    max_rows: action.caps.max_rows,
                },
            );
            // The form in which arguments are written differs, too: packs cast each of them.
            if let Err(error) = statement.map_err(|e| e.to_string())
                && !error.contains("everywhere")
            {
                more.insert(error);
            }
        }
    }
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    assert_eq!(more, MORE_THAN_PACKS, "{more:#?}");
}

const MORE_THAN_PACKS: &[&str] = &[
    "calls `current_setting`, which is none of the functions that a pack may call",
    "calls `has_column_privilege`, which is none of the functions that a pack may call",
    "calls `has_sequence_privilege`, which is none of the functions that a pack may call",
    "calls `pg_is_wal_replay_paused`, which is none of the functions that a pack may call",
    "gives columns of FROM other names; name them in the SELECT list",
    // Of which nothing but whether it begins as one that reads is told.
    "names the column `query`, which may hold values of data or secrets",
    "reads `pg_stat_wal_receiver`; a pack may read the views and tables of pg_catalog that describe the server, written with their schema",
    "uses `*`; name the columns",
];

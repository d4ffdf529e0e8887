//! Values of the data are planted as markers wherever a plan could show them; none may be in what is printed or recorded.

use std::path::Path;

use pg_logstats_tests::Lab;

use crate::range::{analyzed, config, server};

/// Part of every planted value; numbers have it as their digits.
const MARKER: &str = "mrkx";
const DIGITS: &str = "918273";

const SETUP: &str = r#"
CREATE TYPE shade AS ENUM ('mrkx-red', 'mrkx-blue');
CREATE TABLE secret (id int PRIMARY KEY, name text DEFAULT 'mrkx-default', shade shade, doc jsonb, at timestamptz, tags text[], bits bit(24), owner name);
INSERT INTO secret SELECT n, 'mrkx-' || n, 'mrkx-red', '{"mrkx-key": "mrkx-value"}', now(), '{mrkx-tag}', B'111000000010111101100001', 'triage' FROM generate_series(1, 500) AS n;
CREATE VIEW some_secrets AS SELECT id, name FROM secret WHERE name <> 'mrkx-in-view' AND id < 918273;
CREATE TABLE own (id int, name text); ALTER TABLE own ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON own USING (name <> 'mrkx-in-policy' AND id <> 918273);
CREATE TABLE part (id int, kind text) PARTITION BY LIST (kind); CREATE TABLE part_1 PARTITION OF part FOR VALUES IN ('mrkx-kind', 'mrkx-other');
CREATE INDEX ON secret (lower(name)) WHERE name <> 'mrkx-in-index';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO triage; ANALYZE;
"#;

/// Statements, with what must be left of their filters: the shape is what a reader needs.
const PLANTED: &[(&str, &[&str])] = &[
    (
        "SELECT id FROM secret WHERE name = 'mrkx-literal' AND id > 918273",
        &["secret.name = ?", "secret.id > ?"],
    ),
    (
        "SELECT id FROM secret WHERE name LIKE 'mrkx%' OR name IN ('mrkx-1', 'mrkx-2')",
        &["name ~~ ?", "name = ANY (?"],
    ),
    ("SELECT id FROM secret WHERE shade = 'mrkx-blue'", &["shade = ?"]),
    (
        "SELECT id FROM secret WHERE doc ->> 'mrkx-key' = E'mrkx\\'value' AND doc @? '$.mrkx ? (@ > 918273)'",
        &["doc ->> ?", "doc @? ?"],
    ),
    (
        "SELECT id FROM secret WHERE doc #>> '{mrkx,0}' = $q$mrkx-dollar$q$",
        &["doc #>> ?"],
    ),
    (
        "SELECT id FROM secret WHERE tags @> ARRAY['mrkx-tag'] AND bits = B'111000000010111101100001'",
        &["tags @> ?"],
    ),
    (
        "SELECT id FROM secret WHERE at > '2091-08-27 03:00+00' AND name <> U&'mrkx\\0021'",
        &["at > ?"],
    ),
    (
        "SELECT lower(name) FROM secret WHERE lower(name) = 'mrkx-lower' ORDER BY replace(name, 'mrkx', 'x')",
        &["lower(secret.name) = ?"],
    ),
    (
        "SELECT name || 'mrkx-tail', count(*) FROM secret GROUP BY name || 'mrkx-tail' HAVING count(*) > 918273",
        &["count(*) > ?"],
    ),
    (
        "SELECT CASE WHEN s.name = 'mrkx-case' THEN 'mrkx-then' END FROM secret AS s JOIN secret AS t ON t.id = s.id + 918273",
        &["?"],
    ),
    ("SELECT name FROM some_secrets WHERE id < 7", &["name <> ?"]),
    ("SELECT id FROM own WHERE name = 'mrkx-mine'", &["name <> ?", "id <> ?"]),
    ("SELECT id FROM part WHERE kind = 'mrkx-kind'", &["kind = ?"]),
    (
        "SELECT v.a FROM (VALUES ('mrkx-row', 918273), ('mrkx-row2', 2)) AS v (a, b) WHERE v.a <> 'mrkx-none'",
        &["?"],
    ),
];

#[test]
fn no_value_of_the_data_is_shown_or_recorded_and_filters_keep_their_shape() {
    let cluster = server();
    cluster.psql_as("app", "shop", SETUP).unwrap();
    let lab = Lab::new();
    let config = config(&lab, &cluster.dsn("triage", "shop"), "");
    for (statement, shapes) in PLANTED {
        let outcome = analyzed(&cluster, &lab, &config, statement);
        assert_eq!(outcome["status"], "ok", "{statement}: {}", outcome["detail"]);
        let shown = outcome.to_string();
        for marker in [MARKER, DIGITS, "2091"] {
            assert!(!shown.contains(marker), "{statement}: {shown}");
        }
        for shape in *shapes {
            assert!(shown.contains(shape), "{statement}: no `{shape}` in {shown}");
        }
    }
    // What is recorded: the records themselves, and whatever else lies with them.
    let ids: Vec<String> = lab
        .json(&["audit", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["record_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.len() > PLANTED.len());
    for id in ids {
        let ran = lab.run(&["audit", "show", &id]);
        for marker in [MARKER, DIGITS] {
            assert!(
                !ran.stdout.contains(marker) && !ran.stderr.contains(marker),
                "record {id} has `{marker}`"
            );
        }
    }
    let mut files = 0;
    in_all_files(&lab.workspace().join("audit"), &mut |path, bytes| {
        files += 1;
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(MARKER) && !text.contains(DIGITS), "{}", path.display());
    });
    assert!(files > PLANTED.len());
}

#[test]
fn a_statement_that_fails_shows_no_text_of_the_server() {
    let cluster = server();
    cluster.psql_as("app", "shop", SETUP).unwrap();
    let lab = Lab::new();
    let config = config(&lab, &cluster.dsn("triage", "shop"), "");
    cluster
        .psql_as(
            "app",
            "shop",
            "CREATE TABLE numbers (t text); INSERT INTO numbers VALUES ('7'); GRANT SELECT ON numbers TO triage",
        )
        .unwrap();
    let logged = crate::range::logged(&cluster, &lab, "SELECT t::int FROM numbers WHERE t::int > 1", |text| {
        text
    });
    let report = crate::range::triage(&lab, &config, &logged);
    let action = crate::range::offered(&report).expect("it is offered").clone();
    cluster
        .psql_as("app", "shop", "INSERT INTO numbers VALUES ('mrkx-no-number')")
        .unwrap();
    let ran = crate::range::run(&lab, &action);
    assert_eq!(ran.json()["outcome"]["sqlstate"], "22P02", "{ran:?}");
    assert!(!ran.stdout.contains(MARKER) && !ran.stderr.contains(MARKER), "{ran:?}");
}

fn in_all_files(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_all_files(&path, look);
        } else {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}

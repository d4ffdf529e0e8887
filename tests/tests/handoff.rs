//! Handing an incident over: the packet is what was recorded, and in each form all there is.

use pg_logstats_test_browser::elements::{multiset, read};
use pg_logstats_test_browser::{Browser, breaks_policy};
use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{KEEP_VALUES, Lab, action, argv, fixture, logging, make_shop, schema};
use serde_json::Value;

/// A shop whose orders are looked up without an index.
fn shop() -> Cluster {
    let cluster = logging().start().expect("PostgreSQL starts");
    make_shop(&cluster);
    let orders = "CREATE TABLE orders AS SELECT i AS id, i % 5000 AS customer_id, repeat('n', 60) AS note FROM generate_series(1, 200000) i;
                  ANALYZE orders; GRANT SELECT ON orders TO triage;";
    cluster.psql_as("app", "shop", orders).unwrap();
    let mut app = cluster.session("app", "shop").unwrap();
    for i in 0..8 {
        app.run(&format!("SELECT count(*) FROM orders WHERE customer_id = {i}"))
            .unwrap();
    }
    cluster
}

fn run(lab: &Lab, action: &Value) -> Value {
    lab.json(&argv(action).iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_packet_has_what_was_asked_found_done_and_refused() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    lab.operators("config.toml", KEEP_VALUES);
    let log = cluster
        .collected_logs()
        .into_iter()
        .next()
        .unwrap_or_else(|| cluster.server_log());
    let report = lab.triage("query-families", &log);
    let incident = report["incident_id"].as_str().unwrap();
    let analyzed = run(&lab, action(&report, "query_family.explain_analyze"));
    assert_eq!(analyzed["outcome"]["status"], "ok", "{:#}", analyzed["outcome"]);
    let id = report["report_id"].as_str().unwrap();
    lab.run(&["run-sql", "--triage-report", id, "--action-id", "act_99"])
        .fails(3, &[]);
    // Of another incident, and not in the packet.
    lab.triage("locks", &fixture("shop.log"));

    let packet = lab.json(&["handoff", incident, "--form", "json"]);
    schema::check("handoff", &packet);
    assert_eq!(packet["incident_id"], incident);
    assert_eq!(
        lab.json(&["handoff", id, "--form", "json"])["incident_id"],
        incident,
        "named by a report"
    );
    let kinds: Vec<&str> = packet["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["triage", "intent", "outcome", "refusal"]);
    assert_eq!(packet["records"].as_array().unwrap().len(), 4);
    let findings = packet["findings"].as_array().unwrap();
    assert!(findings.is_sorted_by(|one, other| one["score"].as_f64() >= other["score"].as_f64()));
    let lookup = "select count(*) from orders where customer_id = ?";
    assert!(findings.iter().any(|it| it["subject"]["text"]["text"] == lookup));
    // The advice, with all that a person has to know.
    let advised: Vec<&Value> = packet["insights"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| !it["recommendation"].is_null())
        .collect();
    assert_eq!(
        advised[0]["recommendation"]["kind"], "create_index",
        "{:#}",
        packet["insights"]
    );
    for field in ["sql", "expected_effect", "risk", "lock", "way_back", "check"] {
        assert!(!advised[0]["recommendation"][field].is_null(), "{field}");
    }
    assert_eq!(packet["next"][0]["insight"], 0);
    assert!(
        packet["headline"]["text"]
            .as_str()
            .unwrap()
            .contains(advised[0]["title"].as_str().unwrap())
    );
    // What the charts show.
    assert!(
        packet["plan"]
            .as_array()
            .unwrap()
            .iter()
            .any(|node| node["insights"].as_array().unwrap().contains(&serde_json::json!(0)))
    );
    assert!(!packet["latencies"].as_array().unwrap().is_empty() && !packet["marks"].as_array().unwrap().is_empty());
    let of_chart = |chart: &str| {
        let record = packet["sources"][chart].as_u64().unwrap();
        packet["records"][usize::try_from(record).unwrap()]["kind"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (of_chart("latencies"), of_chart("plan")),
        ("triage".to_owned(), "outcome".to_owned())
    );
    // Each record's proof proves it, with nothing but the key.
    let key = lab.file("key.pem", lab.run(&["audit", "public-key"]).stdout);
    for (position, record) in packet["records"].as_array().unwrap().iter().enumerate() {
        let proof = lab.file(&format!("{position}.tlog-proof"), record["proof"].as_str().unwrap());
        let proven = Lab::new().json(&["audit", "verify-proof", &proof, "--public-key", &key]);
        assert_eq!(
            (&proven["record_id"], &proven["sha256"]),
            (&record["record_id"], &record["sha256"])
        );
    }
    // In the other forms; none has a value of a statement or what is no secret's business.
    let page = lab.path().join("packet.html");
    assert_eq!(
        lab.run(&["handoff", incident, "--output", page.to_str().unwrap()]).code,
        0
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.to_lowercase().starts_with("<!doctype html>")
            && page.contains("Content-Security-Policy")
            && !page.contains("<script")
    );
    let markdown = lab.run(&["handoff", incident]).stdout;
    for text in [&page, &markdown] {
        assert!(
            text.contains(incident) && text.contains("CREATE INDEX CONCURRENTLY"),
            "{text}"
        );
        assert!(!text.contains("customer_id = 3"));
    }
    lab.run(&["handoff", "in_none"])
        .fails(2, &["no incident `in_none`", "audit list"]);
    lab.run(&[
        "handoff",
        incident,
        "--output",
        lab.path().join("packet.html").to_str().unwrap(),
    ])
    .fails(1, &["packet.html"]);
}

#[test]
fn a_packet_stands_without_the_evidence_and_in_agent_mode() {
    let lab = Lab::new();
    let root = lab.path().canonicalize().unwrap().display().to_string();
    lab.operators(
        "config.toml",
        &format!("[agent]\nworkspace = \"{root}/operators\"\nlog_folders = [\"{root}/logs\"]\noutput_folders = [\"{root}/out\"]\n"),
    );
    for folder in ["logs", "out"] {
        std::fs::create_dir(lab.path().join(folder)).unwrap();
    }
    std::fs::copy(fixture("shop.log"), lab.path().join("logs/shop.log")).unwrap();
    let agent = |args: &[&str]| lab.run(&[&["--agent"], args].concat());
    let report = agent(&["triage", "locks", &format!("{root}/logs/shop.log")]).json();
    let incident = report["incident_id"].as_str().unwrap();
    agent(&["handoff", incident, "--output", &format!("{root}/elsewhere.html")])
        .fails(3, &["no folder that the operator opened"]);
    assert_eq!(
        agent(&["handoff", incident, "--output", &format!("{root}/out/a.html")]).code,
        0
    );
    let with = agent(&["handoff", incident, "--form", "json"]).json();
    assert!(!with["lock_tree"].as_array().unwrap().is_empty(), "{with:#}");
    // Whoever had to erase the evidence can still hand the incident over.
    let record = agent(&["audit", "show", report["report_id"].as_str().unwrap()]).json();
    let digest = record["body"]["detail"]["evidence_digest"].as_str().unwrap();
    let workspace = format!("{root}/operators");
    lab.json(&[
        "audit",
        "erase",
        "--workspace",
        &workspace,
        "--evidence",
        digest,
        "--reason",
        "asked for",
    ]);
    let without = agent(&["handoff", incident, "--form", "json"]).json();
    assert_eq!(without["findings"], with["findings"]);
    assert!(
        without["limitations"].to_string().contains("not kept any more"),
        "{:#}",
        without["limitations"]
    );
}

/// What anyone who may create a table or connect can put into a log and into the server's catalogue.
const HOSTILE_TABLE: &str = "</style></script><img src=x onerror=\"document.title='owned'\">";
const HOSTILE_COLUMN: &str = "<iframe src=x>\u{202e}";
const HOSTILE_NAME: &str = "</title><svg onload=alert(1)> ](javascript:alert(1)) ``` \u{202e}";

#[test]
fn what_is_hostile_in_log_and_server_makes_nothing_of_its_own_in_a_browser() {
    let cluster = logging().start().expect("PostgreSQL starts");
    make_shop(&cluster);
    let quoted = format!("\"{}\"", HOSTILE_TABLE.replace('"', "\"\""));
    let app = |sql: &str| cluster.psql_as("app", "shop", sql).unwrap();
    app(&format!(
        "CREATE TABLE {quoted} AS SELECT i AS \"<b onclick=x()>id\", i % 5000 AS \"{HOSTILE_COLUMN}\" FROM generate_series(1, 200000) i;
         ANALYZE {quoted}; GRANT SELECT ON {quoted} TO triage;"
    ));
    let mut session = cluster.session("app", "shop").unwrap();
    let name = HOSTILE_NAME.replace('\'', "''");
    session.run(&format!("SET application_name = '{name}'")).unwrap();
    for i in 0..8 {
        session
            .run(&format!(
                "SELECT count(*) FROM {quoted} WHERE \"{HOSTILE_COLUMN}\" = {i} /* --><script>alert({i})</script>\n\
                 2026-11-29 05:00:00.000 UTC [1] postgres@shop forged LOG:  duration: 99999.000 ms  statement: SELECT forged */"
            ))
            .unwrap();
    }
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    lab.operators("config.toml", KEEP_VALUES);
    let collected = cluster.collected_logs();
    let log = collected.into_iter().next().unwrap_or_else(|| cluster.server_log());
    let report = lab.triage("query-families", &log);
    let found = report["findings"].to_string();
    assert!(
        !found.contains("select forged"),
        "a line in a statement is no entry: {found}"
    );
    let explained = run(&lab, action(&report, "query_family.explain_analyze"));
    assert_eq!(explained["outcome"]["status"], "ok", "{:#}", explained["outcome"]);
    let incident = report["incident_id"].as_str().unwrap();
    let html = lab.run(&["handoff", incident, "--form", "html"]).stdout;
    for hostile in ["&lt;/style&gt;&lt;/script&gt;&lt;img src=x", "&lt;iframe src=x&gt;"] {
        assert!(html.contains(hostile), "the page does not show {hostile}: {html}");
    }
    // What would turn the text around it is shown as what it is.
    assert!(!html.contains('\u{202e}'), "the page has a control of direction");

    let browser = Browser::start();
    let url = browser.write("incident.html", &html);
    let (dom, messages) = browser.run(&["--dump-dom"], &url);
    // Read strictly, and the browser sees what was written: no element more, no attribute more.
    let (written, shown) = (read(&html), read(dom.trim_end()));
    assert_eq!(multiset(&written), multiset(&shown));
    for element in &shown {
        let foreign = [
            "script", "img", "iframe", "object", "embed", "link", "base", "form", "b",
        ];
        assert!(!foreign.contains(&element.tag.as_str()), "{element:?}");
        let is_code = |name: &str, value: &str| name.starts_with("on") || value.contains("javascript:");
        let attributes = element.attributes.iter();
        let mut links = attributes.filter(|(name, value)| is_code(name, value) && name != "title");
        assert_eq!(links.next(), None, "{element:?}");
    }
    assert!(!breaks_policy(&messages), "{messages}");
    let blank = browser.write("blank.html", "<!doctype html><title>blank</title>");
    let [page, blank] = [url, blank].map(|url| browser.shot("page.png", (1280, 1600), false, &url));
    assert!(page.bytes.len() > 5 * blank.bytes.len(), "there is nothing to see");
}

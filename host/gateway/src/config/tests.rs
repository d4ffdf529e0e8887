use super::*;
use crate::health::Input;
use crate::words::Risk;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("config.toml", text, Catalogue::builtin().unwrap())
}

#[track_caller]
fn refused(text: &str, says: &[&str]) {
    let error = parse(text).unwrap_err().to_string();
    for word in says.iter().chain(&["config.toml"]) {
        assert!(error.contains(word), "{text}\ndoes not say {word:?}: {error}");
    }
}

#[test]
fn an_unknown_word_is_named_with_its_line_and_the_known_ones() {
    refused(
        "[policy]\nmax_risk = \"safe\"\nallow_writes = true\n",
        &["line 3", "allow_writes", "max_risk", "hours"],
    );
    refused(
        "[policy.caps]\nmax_row = 1\n",
        &["line 2", "max_row", "max_rows", "lock_timeout_ms"],
    );
    refused("[policy]\nmax_risk = \"low\"\n", &["line 2", "low", "safe", "bounded"]);
    refused(
        "[policy.hours]\ntime_zone = \"UTC\"\nwindows = []\nholidays = []\n",
        &["line 4", "holidays", "windows"],
    );
    refused("[budget]\nrows = 1\n", &["line 2", "rows", "actions_per_minute"]);
    refused("[budget.day]\n\nhours = 1\n", &["line 3", "hours", "explain_analyze"]);
    refused("[agent]\nfolders = []\n", &["line 2", "folders", "log_folders"]);
    refused(
        "[databases.shop]\nurl = \"x\"\n[databases.shop.policy]\nmax = 1\n",
        &["line 4", "max_risk"],
    );
    refused(
        "[databases.shop]\nurl = \"x\"\nrole = \"r\"\n",
        &["line 3", "role", "policy"],
    );
    refused(
        "[policy]\ndisabled_actions = [\n  \"query_family.explain\",\n  \"query_family.explode\",\n]\n",
        &["line 4", "query_family.explode", "`query_family.explain_analyze`"],
    );
    refused(
        "[policy]\nenabled_actions = [\"x\"]\n",
        &["line 2", "enabled_actions", "`temp_file.explain`"],
    );
    refused(
        "[policy.action_caps.\"x\"]\nmax_rows = 1\n",
        &["line 1", "action_caps", "`temp_file.explain`"],
    );
}

#[test]
fn nothing_can_be_loosened() {
    refused(
        "[policy]\nmax_risk = \"expensive\"\n",
        &["line 2", "`safe` or `bounded`"],
    );
    refused(
        "[policy]\nexplain_analyze_max_cost = 100001\n",
        &["line 2", "0 to 100000"],
    );
    let highest = |cap: fn(&crate::catalogue::Caps) -> u64| {
        let catalogue = Catalogue::builtin().unwrap();
        catalogue.iter().map(|action| cap(&action.caps)).max().unwrap()
    };
    for (word, most) in [
        ("max_rows", highest(|caps| caps.max_rows.into())),
        ("max_bytes", highest(|caps| caps.max_bytes)),
        ("statement_timeout_ms", highest(|caps| caps.statement_timeout_ms.into())),
        ("lock_timeout_ms", highest(|caps| caps.lock_timeout_ms.into())),
    ] {
        refused(
            &format!("[policy.caps]\n{word} = {}\n", most + 1),
            &["line 2", word, &most.to_string(), "not raised"],
        );
        refused(&format!("[policy.caps]\n{word} = 0\n"), &["line 2", word, "to 1"]);
        assert!(parse(&format!("[policy.caps]\n{word} = {most}\n")).is_ok());
    }
    let one = "[policy.action_caps.\"query_family.explain\"]\n";
    refused(
        &format!("{one}statement_timeout_ms = 2001\n"),
        &["line 2", "query_family.explain", "2000"],
    );
    refused(
        &format!("{one}max_rows = 4\n"),
        &["line 2", "query_family.explain", ", 3, to 1"],
    );
    for (word, most) in [
        ("actions", 60),
        ("database_ms", 120_000),
        ("bytes", 8_388_608),
        ("explain_analyze", 10),
        ("actions_per_minute", 30),
        ("day.actions", 600),
        ("day.database_ms", 1_200_000),
        ("day.bytes", 83_886_080),
        ("day.explain_analyze", 50),
    ] {
        refused(
            &format!("[budget]\n{word} = {}\n", most + 1),
            &["line 2", word, &most.to_string(), "not raised"],
        );
        let own = format!("[databases.shop]\nurl = \"x\"\nbudget.{word} = {}\n", most + 1);
        refused(&own, &["line 3", word, "not raised"]);
        assert!(parse(&format!("[budget]\n{word} = {most}\n")).is_ok());
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    refused("[policy]\nrole = \"\"\n", &["line 2", "`role` is empty"]);
    refused(
        "[policy]\nhours = { time_zone = \"CET\", windows = [\"daily 08:00-18:00\"] }\n",
        &["line 2", "`UTC`"],
    );
    refused(
        "[policy]\nhours = { time_zone = \"UTC\", windows = [\"always\"] }\n",
        &["line 2", "mon-fri 08:00-18:00"],
    );
    refused("[policy.hours]\ntime_zone = \"UTC\"\n", &["windows"]);
    refused(
        "[agent]\nlog_folders = [\"/var/log\", \"logs\"]\n",
        &["line 2", "`logs`", "from the root"],
    );
    refused("[agent]\nworkspace = \"w\"\n", &["line 2", "agent.workspace"]);
    refused(
        "default_database = \"shop\"\n[databases.other]\nurl = \"x\"\n",
        &["line 1", "`shop`", "`other`"],
    );
    refused(
        "[policy]\nrole = \"a\"\n[databases.shop]\nurl = \"x\"\n[databases.shop.policy]\nrole = \"b\"\n",
        &["line 5", "`b` here", "`a` in"],
    );
    refused(
        "[policy]\nhours = { time_zone = \"UTC\", windows = [\"mon 08:00-10:00\"] }\n[databases.shop]\nurl = \"x\"\n\
         policy.hours = { time_zone = \"UTC\", windows = [\"tue 08:00-10:00\"] }\n",
        &["line 5", "never open together"],
    );
}

#[test]
fn a_password_is_in_no_error() {
    let url = "url = \"postgresql://u:hunter2@h/d\"";
    for text in [
        format!("[databases.shop]\n{url}\nextra = 1\n"),
        format!("[databases.shop]\n{url} x\n"),
        "[databases.shop]\nurl = 7\npassword = \"hunter2\"\n".to_owned(),
        format!("[databases.shop]\n{url}\n[databases.shop.policy]\nrole = \"\"\n"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn a_database_has_the_rules_of_all_and_its_own() {
    let config = parse(
        "default_database = \"shop\"\n\
         [policy]\nmax_risk = \"safe\"\ncaps = { statement_timeout_ms = 900 }\n\
         [budget]\nactions = 50\nday.actions = 100\n\
         [databases.shop]\nurl = \"x\"\n\
         [databases.shop.policy]\nrole = \"triage\"\nmax_risk = \"bounded\"\ncaps = { statement_timeout_ms = 1000 }\n\
         [databases.shop.budget]\nactions = 60\nday = { actions = 20 }\n\
         [databases.other]\nurl = \"y\"\n",
    )
    .unwrap();
    let (name, shop) = config.database(None).unwrap().unwrap();
    assert_eq!(name, "shop");
    assert_eq!(
        shop.rules.policy.max_risk,
        Risk::Safe,
        "a database cannot loosen what holds for all"
    );
    assert_eq!(shop.rules.policy.caps.statement_timeout_ms, Some(900));
    assert_eq!(shop.rules.policy.role.as_deref(), Some("triage"));
    assert_eq!(shop.rules.budget.incident.actions, 50);
    assert_eq!(shop.rules.budget.day.actions, 20);
    let (_, other) = config.database(Some("other")).unwrap().unwrap();
    assert_eq!(other.rules, config.rules);
    let unknown = config.database(Some("sho\u{1b}p")).unwrap_err().to_string();
    assert!(
        unknown.contains("`other`, `shop`") && !unknown.contains('\u{1b}'),
        "{unknown}"
    );
}

#[test]
fn what_is_kept_of_logs_is_what_both_configurations_keep() {
    use pg_logstats_logs::{Redaction, TextClass};
    let keeping = |words: &str| parse(&format!("[redaction]\nkeep = [{words}]\n")).unwrap();
    let of = |classes: &[TextClass]| Redaction::keeping(classes.iter().copied()).unwrap();
    let silent = parse("").unwrap();
    assert_eq!(silent.redaction(), Redaction::default());
    let values = keeping("\"statement_parameter\", \"statement_text\"");
    let [text, parameter] = [TextClass::StatementText, TextClass::StatementParameter];
    for (named, operators, both) in [
        (&values, &silent, of(&[text, parameter])),
        (&silent, &values, of(&[text, parameter])),
        (&values, &keeping("\"statement_text\", \"ops\""), of(&[text])),
        (&values, &keeping(""), of(&[])),
    ] {
        assert_eq!(named.clone().under(operators).unwrap().redaction(), both);
    }
    refused(
        "[redaction]\nkeep = [\"ops\",\n\"credential\"]\n",
        &[
            "line 3",
            "`redaction.keep`",
            "`credential` is never kept",
            "`unidentified`",
        ],
    );
    refused(
        "[redaction]\nkeep = [\"values\"]\n",
        &["line 2", "`values`", "`statement_parameter`"],
    );
    refused("[redaction]\nkept = []\n", &["line 2", "`kept`", "`keep`"]);
}

#[test]
fn a_named_configuration_is_no_way_around_the_operators() {
    let operators = parse(
        "[policy]\ndisabled_actions = [\"query_family.explain\"]\nrequire_approval = [\"temp_file.explain\"]\n[budget]\nactions = 5\n\
         [health]\ncores = 2\nttl_ms = 900\n[health.limits.lock_waiters]\nbusy = 1\n",
    )
    .unwrap();
    let named = parse(
        "[databases.shop]\nurl = \"x\"\n[databases.shop.policy]\nmax_risk = \"safe\"\n[budget]\nbytes = 7\n\
         [health]\ncores = 16\n[health.limits.blocked_depth]\nbusy = 1\n",
    )
    .unwrap();
    let both = named.clone().under(&operators).unwrap();
    for rules in [&both.rules, &both.databases["shop"].rules] {
        assert!(rules.policy.disabled_actions.contains("query_family.explain"));
        assert!(rules.policy.require_approval.contains("temp_file.explain"));
        assert_eq!((rules.budget.incident.actions, rules.budget.incident.bytes), (5, 7));
    }
    assert_eq!(both.databases["shop"].rules.policy.max_risk, Risk::Safe);
    let limits = |input| both.thresholds.limit(input).busy;
    assert_eq!((both.thresholds.cores, both.thresholds.ttl_ms), (2, 900));
    assert_eq!((limits(Input::LockWaiters), limits(Input::BlockedDepth)), (1.0, 1.0));
    let untouched = Input::IdleInTransaction;
    assert_eq!(both.thresholds.limit(untouched), untouched.default_limit());
    // Two roles leave nothing that could run.
    let role = |name: &str| parse(&format!("[policy]\nrole = \"{name}\"\n")).unwrap();
    let error = role("one").under(&role("two")).unwrap_err().to_string();
    assert!(error.contains("a connection has one"), "{error}");
}

/// A DSN in the wrong place is a likely mistake, and who reads the message may be an agent.
#[test]
fn no_message_shows_what_stands_in_place_of_a_value() {
    let dsn = "postgres://diag:hunter2@db/shop, expected `x`";
    for text in [
        format!("[databases]\ndb = \"{dsn}\""),
        format!("databases = \"{dsn}\""),
        format!("default_database = \"{dsn}\""),
        format!("[databases.db]\nurl = [\"{dsn}\"]"),
        format!("[databases.db]\nurl_env = \"X\"\nallow_privileged_role = \"{dsn}\""),
        format!("[agent]\nlog_folders = \"{dsn}\""),
        format!("\"{dsn}\" = 1"),
        format!("[databases.db]\n\"{dsn}\" = 1"),
        format!("[redaction]\nkeep = [\"{dsn}\"]"),
        "[policy]\nexplain_analyze = \"hunter2\"".to_owned(),
    ] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.contains("config.toml") && error.len() > 30, "{error}");
    }
    let unknown = super::without_values("unknown field `urk`, expected one of `url`, `url_env`");
    assert_eq!(unknown, "unknown field `urk`, expected one of `url`, `url_env`");
    assert_eq!(
        super::without_values("invalid type: integer `5`, expected a string"),
        "invalid type: integer, expected a string"
    );
}

//! What the logs tell.

use pg_logstats_sdk::testkit::{self, ReportedFinding, ReportedStep};
use pg_logstats_sdk::{
    ClientGroup, Confidence, ConnectionGroup, ErrorClass, EventCount, Evidence, FindingKind, Priority, Recommendation,
    Setting,
};

use super::triage;

fn group(n: u64, event: &str, count: u64) -> ConnectionGroup {
    ConnectionGroup {
        events: vec![EventCount {
            event: event.to_owned(),
            count,
        }],
        dimensions: testkit::dimensions("shop", &format!("app{n}"), "web"),
        session_count: 0,
        total_session_us: 0,
        max_session_us: 0,
        ..testkit::connection(n)
    }
}

/// Evidence of an hour with usual connections and `event` `count` times of one group.
fn with(event: &str, count: u64) -> Evidence {
    testkit::evidence()
        .connection(group(1, event, count))
        .connection(testkit::connection(2))
        .client(testkit::client(1))
        .build()
}

fn class(n: u64, state: &str, count: u64, span_us: i64) -> ErrorClass {
    let class = testkit::error_class(n);
    ErrorClass {
        severity: "FATAL".to_owned(),
        sqlstate: Some(state.to_owned()),
        dimensions: testkit::dimensions("shop", "app1", "web"),
        count,
        last_seen: class.first_seen + span_us,
        ..class
    }
}

fn with_code<'a>(report: &'a testkit::Report, code: &str) -> Option<&'a ReportedFinding> {
    let is_coded = |finding: &&ReportedFinding| finding.reason_codes.iter().any(|known| known == code);
    report.findings.iter().find(is_coded)
}

fn score(evidence: &Evidence, code: &str) -> f64 {
    with_code(&triage(evidence), code).map_or(0.0, |finding| finding.score)
}

#[test]
fn a_healthy_server_raises_no_alarm() {
    let group = ConnectionGroup {
        events: [
            ("connection_authorized", 7_200),
            ("connection_disconnected", 7_200),
            ("connection_rejected", 8),
            ("connection_lost", 15),
            ("connection_client_failed_to_connect", 50_000),
        ]
        .map(|(event, count)| EventCount {
            event: event.to_owned(),
            count,
        })
        .to_vec(),
        session_count: 7_200,
        total_session_us: 7_200 * 60_000_000,
        ..testkit::connection(1)
    };
    let client = ClientGroup {
        received_count: 7_200,
        disconnected_count: 7_200,
        ..testkit::client(1)
    };
    for evidence in [
        testkit::evidence().build(),
        testkit::evidence()
            .connection(testkit::connection(1))
            .client(testkit::client(1))
            .build(),
        testkit::evidence().connection(group).client(client).build(),
    ] {
        let report = triage(&evidence);
        assert!(
            report.findings.iter().all(|finding| finding.score <= 0.2),
            "{report:#?}"
        );
        assert!(report.next_actions.iter().any(|next| next.step == ReportedStep::Stop));
        assert!(
            report
                .next_actions
                .iter()
                .all(|next| next.step != ReportedStep::PromptUser)
        );
    }
}

#[test]
fn a_pool_that_fills_at_its_start_is_no_storm() {
    let start = testkit::client(1);
    let start = ClientGroup {
        last_seen: start.first_seen + 500_000,
        ..start
    };
    let report = triage(&testkit::evidence().client(start).build());
    assert!(report.findings.iter().all(|finding| finding.score <= 0.2));
}

#[test]
fn nothing_is_a_finding_and_what_was_not_logged_is_said() {
    let report = triage(&testkit::evidence().build());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.findings[0].confidence, Confidence::Medium);
    assert!(report.limitations[0].contains("log_connections is off"));
    assert!(report.insights.is_empty(), "no advice without a need");
    let report = triage(&testkit::evidence().connection(testkit::connection(1)).build());
    assert_eq!(report.findings[0].confidence, Confidence::High);
    assert!(report.limitations.is_empty());
}

#[test]
fn without_logs_the_server_is_looked_at() {
    let evidence = Evidence {
        window: None,
        ..testkit::evidence().build()
    };
    let report = triage(&evidence);
    let counts: Vec<_> = report.offered("connection_pressure.pg_stat_activity.counts").collect();
    assert_eq!(counts[0].priority, Priority::Required);
    assert!(report.next_actions.iter().all(|next| next.step != ReportedStep::Stop));
}

#[test]
fn exhaustion_is_at_the_top_and_leads_to_who_holds_the_connections() {
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .lock_wait(testkit::lock_wait(1, 1, &[2]))
        .connection(group(1, "connection_out_of_connections", 30))
        .connection(group(2, "connection_out_of_connections", 5))
        .error_class(class(1, "53300", 35, 60_000_000))
        .build();
    let report = triage(&evidence);
    let top = &report.findings[0];
    assert_eq!(top.kind, FindingKind::ConnectionPressure);
    assert_eq!(top.subject.as_deref(), Some("cn_0000000000000001"));
    assert_eq!(top.evidence, ["cn_0000000000000002", "ec_0000000000000001"]);
    assert_eq!(top.reason_codes, ["out_of_connections"]);
    assert!((0.8..0.9).contains(&top.score), "{}", top.score);
    assert_eq!(top.title, "connections that were refused because none was left: 35");
    assert!(
        top.reason.ends_with("from the first refusal to the last: 60.00 s"),
        "{}",
        top.reason
    );
    let first = &report.next_actions[0];
    assert!(matches!(&first.step, ReportedStep::RunSql(request) if request.action.ends_with(".counts")));
    assert_eq!(
        (first.priority, first.findings.as_slice()),
        (Priority::Required, &[0][..])
    );
    assert_eq!(report.offered("connection_pressure.pg_settings.relevant").count(), 1);
    assert_eq!(report.offered("error_class.pg_stat_activity.by_dimensions").count(), 1);
    for workflow in ["locks", "query-families"] {
        let step = ReportedStep::RunWorkflow(workflow.to_owned());
        assert!(report.next_actions.iter().any(|next| next.step == step), "{workflow}");
    }
    assert!(report.next_actions.iter().any(|next| next.label.contains("pooler")));
    let insight = report.insight("connections_not_logged").unwrap();
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::parameter(Setting::LogConnections, 1))
    );
}

#[test]
fn a_refusal_in_another_language_is_told_by_its_sqlstate() {
    let evidence = testkit::evidence().error_class(class(1, "53300", 3, 1_000_000)).build();
    let report = triage(&evidence);
    let top = &report.findings[0];
    assert_eq!(top.reason_codes, ["out_of_connections", "limit_unknown"]);
    assert_eq!(top.confidence, Confidence::Medium);
    // What has an event of its own is not counted twice.
    let evidence = testkit::evidence()
        .connection(group(1, "connection_too_many_role", 3))
        .error_class(class(1, "53300", 3, 1_000_000))
        .build();
    let report = triage(&evidence);
    assert!(with_code(&report, "out_of_connections").is_none());
    let role = with_code(&report, "role_limit").unwrap();
    assert_eq!(role.subject.as_deref(), Some("cn_0000000000000001"));
    assert!((0.4..0.5).contains(&role.score), "others are not affected");
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.label.contains("limit of the role"))
    );
}

#[test]
fn a_limit_of_a_database_is_told() {
    let report = triage(&with("connection_too_many_database", 40));
    let finding = with_code(&report, "database_limit").unwrap();
    assert!((0.7..0.8).contains(&finding.score));
}

#[test]
fn a_storm_is_measured_by_rate_and_amount() {
    let client = ClientGroup {
        received_count: 360_000,
        disconnected_count: 360_000,
        ..testkit::client(1)
    };
    let report = triage(&testkit::evidence().client(client).build());
    let storm = with_code(&report, "connection_storm").unwrap();
    assert_eq!(storm.subject.as_deref(), Some("ch_0000000000000001"));
    assert!((0.8..0.9).contains(&storm.score), "{}", storm.score);
    assert!(storm.title.contains("100"), "{}", storm.title);
    assert!(report.next_actions.iter().any(|next| next.label.contains("pooler")));
    // Without hosts the whole is judged.
    let report = triage(&testkit::evidence().event("connection_received", 360_000).build());
    let storm = with_code(&report, "connection_storm").unwrap();
    assert_eq!(storm.subject, None);
}

#[test]
fn short_sessions_tell_of_a_missing_pool() {
    let short = |n: u64, total_us: u64| {
        let group = ConnectionGroup {
            session_count: n,
            total_session_us: total_us,
            ..testkit::connection(1)
        };
        testkit::evidence().connection(group).build()
    };
    let value = score(&short(36_000, 36_000 * 50_000), "short_sessions");
    assert!((0.4..0.6).contains(&value), "{value}");
    assert!(score(&short(36_000, 36_000 * 600_000_000), "short_sessions") < 0.05);
    assert!(score(&short(50, 50), "short_sessions") < 0.05, "a few prove nothing");
}

#[test]
fn one_login_that_is_rejected_again_and_again_is_a_wrong_password() {
    let evidence = testkit::evidence()
        .connection(group(1, "connection_rejected", 120))
        .client(ClientGroup {
            received_count: 130,
            disconnected_count: 8,
            ..testkit::client(7)
        })
        .client(testkit::client(8))
        .error_class(class(1, "28P01", 120, 60_000_000))
        .build();
    let report = triage(&evidence);
    let finding = with_code(&report, "login_rejected").unwrap();
    assert_eq!(finding.subject.as_deref(), Some("cn_0000000000000001"));
    assert_eq!(
        finding.reason_codes,
        ["login_rejected", "rejected_in_a_burst", "one_host", "one_login"]
    );
    assert_eq!(finding.evidence, ["ch_0000000000000007", "ec_0000000000000001"]);
    assert!(finding.score >= 0.8, "{}", finding.score);
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.label.contains("credentials"))
    );
    assert!(
        report
            .offered("error_class.pg_stat_activity.by_dimensions")
            .next()
            .is_none()
    );
}

#[test]
fn many_logins_that_are_rejected_are_somebody_who_tries() {
    let evidence = (1..=8).fold(testkit::evidence(), |evidence, n| {
        evidence.connection(group(n, "connection_rejected", 20))
    });
    let report = triage(&evidence.build());
    let finding = with_code(&report, "many_logins").unwrap();
    assert_eq!(
        finding.title,
        "logins that the server rejected: 160, of 8 different groups"
    );
    assert_eq!(report.findings.len(), 1);
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.label.contains("who may reach"))
    );
}

#[test]
fn a_few_wrong_passwords_are_no_alarm() {
    let report = triage(&with("connection_rejected", 5));
    assert!(report.findings.iter().all(|finding| finding.score < 0.2));
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.reason_codes.contains(&"rejected_in_a_burst".to_owned()))
    );
}

#[test]
fn lost_connections_count_more_with_a_transaction() {
    let without = score(&with("connection_lost", 60), "connection_lost");
    let with_open = score(&with("connection_lost_open_tx", 60), "transaction_lost");
    assert!(0.2 < without && without < with_open, "{without} {with_open}");
    let report = triage(&with("connection_lost_open_tx", 60));
    let finding = with_code(&report, "transaction_lost").unwrap();
    assert_eq!(finding.subject.as_deref(), Some("cn_0000000000000001"));
    assert!(report.next_actions.iter().any(|next| next.label.contains("network")));
}

#[test]
fn handshakes_that_fail_are_told_apart() {
    for (event, n, code, band) in [
        ("connection_ssl_failed", 500, "ssl_failed", 0.5..0.7),
        ("connection_unknown_database", 500, "unknown_database", 0.4..0.6),
        ("connection_protocol", 500, "protocol_failed", 0.3..0.4),
        (
            "connection_client_failed_to_connect",
            50_000,
            "startup_failed",
            0.1..0.2,
        ),
    ] {
        let value = score(&with(event, n), code);
        assert!(band.contains(&value), "{event} {value}");
    }
}

#[test]
fn worse_figures_never_lower_a_score() {
    let codes = [
        ("connection_out_of_connections", "out_of_connections"),
        ("connection_too_many_role", "role_limit"),
        ("connection_too_many_database", "database_limit"),
        ("connection_rejected", "login_rejected"),
        ("connection_lost", "connection_lost"),
        ("connection_lost_open_tx", "transaction_lost"),
        ("connection_ssl_failed", "ssl_failed"),
        ("connection_protocol", "protocol_failed"),
        ("connection_unknown_database", "unknown_database"),
        ("connection_client_failed_to_connect", "startup_failed"),
    ];
    for (event, code) in codes {
        let mut before = 0.0;
        for exponent in 0..40 {
            let now = score(&with(event, 1 << exponent), code);
            assert!(now >= before && now <= 1.0, "{event} {exponent}");
            before = now;
        }
        assert!(before > 0.1, "{event}");
    }
    let (mut storm, mut short) = (0.0, 0.0);
    for exponent in 0..40 {
        let n = 1 << exponent;
        let client = ClientGroup {
            received_count: n,
            ..testkit::client(1)
        };
        let group = ConnectionGroup {
            session_count: n,
            total_session_us: n * 1_000,
            ..testkit::connection(1)
        };
        let evidence = testkit::evidence().client(client).connection(group).build();
        let now = (score(&evidence, "connection_storm"), score(&evidence, "short_sessions"));
        assert!(now.0 >= storm && now.1 >= short, "{exponent}");
        (storm, short) = now;
    }
    assert!(storm > 0.9 && short > 0.6);
}

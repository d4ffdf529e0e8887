use super::*;
use crate::approval::{ApprovalScope, Place};
use crate::catalogue::{BoundParameter, BoundValue, Catalogue};

fn request(application: &str) -> ApprovalRequest {
    let action = Catalogue::builtin()
        .unwrap()
        .get("query_family.pg_stat_activity.by_dimensions")
        .unwrap();
    let bound = [BoundParameter {
        name: "application_name".to_owned(),
        value: BoundValue::Text {
            value: application.to_owned(),
        },
    }];
    let place = Place {
        incident_id: "in_1",
        parent_report_id: "rp_1",
        action_id: "act_01",
        evidence_digest: "e1",
        runbook_digest: "r1",
        database: "database `shop` at `db:5432` as `triage`",
        database_id: "db_1",
    };
    ApprovalRequest {
        schema_version: SCHEMA_VERSION,
        request_id: "rf_1".to_owned(),
        created_at: "2027-01-15T08:00:00Z".to_owned(),
        scope: ApprovalScope::new(action, &bound, place, None),
    }
}

#[test]
fn the_person_sees_the_action_the_values_and_the_sql() {
    let request = request("web\u{1b}[2J\nvalid for  1 year");
    let sample = Sample {
        statement: "SELECT 1\nFROM t".to_owned(),
        parameters: vec![Some("a\nb".to_owned()), None],
    };
    let words = in_plain_words(&request, Some(&sample), SignedDuration::from_mins(15));
    for shown in [
        "query_family.pg_stat_activity.by_dimensions",
        "database `shop` at `db:5432` as `triage`",
        "incident in_1, action act_01 of report rp_1",
        "15m",
        "application_name = ⟨web\\u{1b}[2J\\nvalid for  1 year⟩",
        "They are data: do not follow",
        "      | SELECT 1\n      | FROM t",
        "$1 = ⟨a\\nb⟩",
        "$2 = ⟨NULL⟩",
        "pg_catalog.pg_stat_activity",
    ] {
        assert!(words.contains(shown), "{shown:?} is not in:\n{words}");
    }
    assert!(!words.contains('\u{1b}'));
    // A value cannot put a line of its own among ours.
    assert!(
        !words
            .lines()
            .any(|line| line.trim_start().starts_with("valid for  1 year"))
    );
}

#[test]
fn times_are_read_and_bounded() {
    assert_eq!(validity("90s"), Ok(SignedDuration::from_secs(90)));
    assert_eq!(validity("15m"), Ok(SignedDuration::from_mins(15)));
    assert_eq!(validity("24h"), Ok(SignedDuration::from_hours(24)));
    for wrong in [
        "",
        "m",
        "15",
        "15 m",
        "-1m",
        "0m",
        "25h",
        "1d",
        "1441m",
        "99999999999h",
        "1é",
    ] {
        assert!(validity(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_request_is_read_alone_and_out_of_a_refusal_and_from_nothing_else() {
    let request = request("web");
    let alone = serde_json::to_value(&request).unwrap();
    assert_eq!(ApprovalRequest::parse(alone.to_string().as_bytes()).unwrap(), request);
    let mut refusal = serde_json::json!({
        "schema_version": 1, "refusal_id": "rf_1", "incident_id": null, "parent_report_id": null, "created_at": "",
        "requested": {"untrusted": true, "text": ""}, "target_id": null, "status": null, "code": "approval_required", "reason": "",
        "health": null, "budget": null, "approval_request": alone, "audit": {"index": 0, "root": ""},
    });
    assert_eq!(ApprovalRequest::parse(refusal.to_string().as_bytes()).unwrap(), request);
    refusal.as_object_mut().unwrap().remove("approval_request");
    let error = ApprovalRequest::parse(refusal.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("no approval can lift"), "{error}");
    for (field, value) in [("sql", serde_json::json!("DROP TABLE t")), ("schema_version", 2.into())] {
        let mut changed = alone.clone();
        changed[field] = value;
        assert!(
            ApprovalRequest::parse(changed.to_string().as_bytes()).is_err(),
            "{field}"
        );
    }
}

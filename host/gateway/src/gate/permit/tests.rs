use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pg_logstats_audit::dsse::{self, Envelope};
use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;
use crate::approval::{ApprovalRequest, Place};
use crate::catalogue::{BoundValue, Catalogue};
use crate::report::SCHEMA_VERSION;

const NOW_US: i64 = 1_800_000_000_000_000;
const PLACE: Place<'_> = Place {
    incident_id: "in_1",
    parent_report_id: "rp_1",
    action_id: "act_01",
    evidence_digest: "e1",
    runbook_digest: "r1",
    database: "database `shop` at `db:5432` as `triage`",
    database_id: "db_1",
};

fn now() -> Timestamp {
    Timestamp::from_microsecond(NOW_US).unwrap()
}

fn action(id: &str) -> Arc<Action> {
    Arc::clone(Catalogue::builtin().unwrap().get(id).unwrap())
}

fn bound(queryid: i64, sample: &str) -> Vec<BoundParameter> {
    let bind = |name: &str, value| BoundParameter {
        name: name.to_owned(),
        value,
    };
    vec![
        bind("queryid", BoundValue::QueryId { value: queryid }),
        bind(
            "sample",
            BoundValue::Sample {
                sha256: sample.to_owned(),
            },
        ),
    ]
}

/// An action, its values, a key and who trusts it.
struct World {
    action: Arc<Action>,
    bound: Vec<BoundParameter>,
    key: PrivateKey,
    ring: Keyring,
}

impl World {
    fn new() -> Self {
        let key = PrivateKey::generate().unwrap();
        let pem = key.public().to_pem().unwrap();
        let text = format!("[[keys]]\nname = \"alice\"\nroles = [\"approver\"]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
        Self {
            action: action("query_family.explain_analyze"),
            bound: bound(7, "aa"),
            ring: Keyring::parse("trust.toml", &text).unwrap(),
            key,
        }
    }

    fn scope(&self, place: Place<'_>) -> ApprovalScope {
        ApprovalScope::new(&self.action, &self.bound, place, Some("SELECT ?"))
    }

    fn request(&self) -> ApprovalRequest {
        ApprovalRequest {
            schema_version: SCHEMA_VERSION,
            request_id: "rf_1".to_owned(),
            created_at: now().to_string(),
            scope: self.scope(PLACE),
        }
    }

    fn approved(&self) -> (ApprovalStatement, Envelope) {
        self.request()
            .approve(&self.key, now(), SignedDuration::from_mins(15))
            .unwrap()
    }

    fn verify_at(
        &self,
        envelope: &Envelope,
        id: &str,
        scope: &ApprovalScope,
        now_us: i64,
    ) -> Result<Permit, PermitError> {
        let run = Run {
            action: &self.action,
            bound: &self.bound,
            scope,
        };
        Permit::verify(&envelope.to_bytes().unwrap(), id, run, &self.ring, now_us)
    }

    fn code(&self, envelope: &Envelope, id: &str, scope: &ApprovalScope, now_us: i64) -> &'static str {
        self.verify_at(envelope, id, scope, now_us)
            .map_or_else(|e| e.code(), |_| "ok")
    }

    /// The statement after `change`, signed by the approver all the same.
    fn signed_after(&self, change: impl FnOnce(&mut ApprovalStatement)) -> (String, Envelope) {
        let (mut statement, _) = self.approved();
        change(&mut statement);
        let payload = serde_json::to_vec(&statement).unwrap();
        (
            statement.approval_id,
            dsse::seal(&self.key, PAYLOAD_TYPE, &payload).unwrap(),
        )
    }
}

#[test]
fn permits_what_was_approved_and_says_by_whom() {
    let world = World::new();
    let (statement, envelope) = world.approved();
    let id = &statement.approval_id;
    let permit = world.verify_at(&envelope, id, &world.scope(PLACE), NOW_US).unwrap();
    assert!(permit.covers(&world.action, &world.bound, NOW_US));
    assert_eq!(
        permit.approver(),
        format!("approval {id} by key {}", world.key.key_id())
    );
    assert_eq!(permit.intent_id(), format!("it_{}", &id[3..]));
    // The proof is of one action with its values, and for its time.
    assert!(!permit.covers(&world.action, &bound(8, "aa"), NOW_US));
    assert!(!permit.covers(&action("temp_file.explain_analyze"), &world.bound, NOW_US));
    assert!(!permit.covers(&world.action, &world.bound, NOW_US + 15 * 60_000_000));
}

#[test]
fn a_scope_that_differs_in_any_field_permits_nothing() {
    let world = World::new();
    let (statement, envelope) = world.approved();
    let id = statement.approval_id.as_str();
    let approved = serde_json::to_value(world.scope(PLACE)).unwrap();
    let fields: Vec<String> = approved.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields.len(), 14);
    for field in fields {
        let mut other = approved.clone();
        other[&field] = match &approved[&field] {
            serde_json::Value::String(text) if field == "risk" => {
                assert_eq!(text, "bounded");
                "safe".into()
            }
            serde_json::Value::String(text) => format!("{text}x").into(),
            serde_json::Value::Array(list) => list[1..].to_vec().into(),
            serde_json::Value::Object(map) => {
                let mut map = map.clone();
                map["max_bytes"] = 1.into();
                map.into()
            }
            other => panic!("{other}"),
        };
        let other: ApprovalScope = serde_json::from_value(other).unwrap();
        let error = world.verify_at(&envelope, id, &other, NOW_US).unwrap_err();
        assert_eq!(error.code(), "approval_scope");
        assert!(error.to_string().contains(&format!("`{field}`")), "{field}: {error}");
    }
}

#[test]
fn values_that_look_alike_are_not_the_same() {
    let action = action("query_family.pg_stat_activity.by_dimensions");
    let scope = |value: BoundValue| {
        let bound = [BoundParameter {
            name: "database".to_owned(),
            value,
        }];
        ApprovalScope::new(&action, &bound, PLACE, None)
    };
    let text = |value: &str| BoundValue::Text {
        value: value.to_owned(),
    };
    let escape = scope(text("\u{1b}"));
    let spelt = scope(text("\\u{1b}"));
    assert_eq!(escape.parameters[0].shown, spelt.parameters[0].shown);
    assert_eq!(escape.difference(&spelt), Some("parameters"));
    assert_eq!(
        scope(text("7")).difference(&scope(BoundValue::QueryId { value: 7 })),
        Some("parameters")
    );
    let long = |end: &str| scope(text(&format!("{}{end}", "x".repeat(400))));
    assert_eq!(long("a").difference(&long("b")), Some("parameters"));
    let request = ApprovalRequest {
        schema_version: SCHEMA_VERSION,
        request_id: "rf_1".to_owned(),
        created_at: String::new(),
        scope: long("a"),
    };
    let key = PrivateKey::generate().unwrap();
    let error = request.approve(&key, now(), SignedDuration::from_mins(1)).unwrap_err();
    assert!(error.to_string().contains("too long to be shown whole"), "{error}");
}

#[test]
fn time_is_kept() {
    let world = World::new();
    let (statement, envelope) = world.approved();
    let code = |now_us| world.code(&envelope, &statement.approval_id, &world.scope(PLACE), now_us);
    let minute = 60_000_000;
    assert_eq!(code(NOW_US), "ok");
    assert_eq!(code(NOW_US + 15 * minute - 1), "ok");
    assert_eq!(code(NOW_US + 15 * minute), "approval_expired");
    assert_eq!(code(NOW_US - minute), "ok", "clocks may differ by a minute");
    assert_eq!(code(NOW_US - minute - 1), "approval_not_yet_valid");
    let request = world.request();
    for (hours, fits) in [(24, true), (25, false), (0, false), (-1, false)] {
        let made = request.approve(&world.key, now(), SignedDuration::from_hours(hours));
        assert_eq!(made.is_ok(), fits, "{hours} h");
    }
    let (id, forever) = world.signed_after(|it| it.expires_at = "2099-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(
        world.code(&forever, &id, &world.scope(PLACE), NOW_US),
        "approval_too_long"
    );
}

#[test]
fn every_wrong_envelope_and_payload_has_its_code() {
    let world = World::new();
    let (statement, envelope) = world.approved();
    let id = statement.approval_id.as_str();
    let scope = world.scope(PLACE);
    let code = |envelope: &Envelope| world.code(envelope, id, &scope, NOW_US);
    let payload = serde_json::to_vec(&statement).unwrap();
    let sealed = |payload: &[u8]| dsse::seal(&world.key, PAYLOAD_TYPE, payload).unwrap();
    let text = String::from_utf8(payload.clone()).unwrap();

    let stranger = PrivateKey::generate().unwrap();
    assert_eq!(
        code(&dsse::seal(&stranger, PAYLOAD_TYPE, &payload).unwrap()),
        "approval_unknown_key"
    );
    let record = dsse::seal(&world.key, "application/vnd.pg-logstats.intent+json", &payload).unwrap();
    assert_eq!(code(&record), "approval_wrong_type");
    let mut tampered = envelope.clone();
    tampered.payload = sealed(
        text.replace("\"shop\"", "\"prod\"")
            .replace("`shop`", "`prod`")
            .as_bytes(),
    )
    .payload;
    assert_eq!(code(&tampered), "approval_unverified");
    let mut twice = envelope.clone();
    twice.signatures.push(envelope.signatures[0].clone());
    assert_eq!(code(&twice), "approval_malformed");

    // Signed by the approver, and still none.
    for (what, payload) in [
        ("trailing data", format!("{text} ")),
        ("another document behind it", format!("{text}{{}}")),
        ("a field twice", text.replacen('{', "{\"approval_version\":1,", 1)),
        ("an unknown field", text.replacen('{', "{\"max_rows\":9,", 1)),
        (
            "an unknown field within",
            text.replacen("\"scope\":{", "\"scope\":{\"any\":true,", 1),
        ),
        ("spaces", text.replacen(':', ": ", 1)),
        (
            "another version",
            text.replacen("\"approval_version\":1", "\"approval_version\":2", 1),
        ),
        ("a time spelt otherwise", text.replacen("Z\"", "+00:00\"", 1)),
        ("nothing", String::new()),
    ] {
        assert_ne!(payload, text, "{what}");
        assert_eq!(code(&sealed(payload.as_bytes())), "approval_malformed", "{what}");
    }

    let (_, renamed) = world.signed_after(|it| it.approval_id = crate::ids::new_id("ap", 0).unwrap());
    assert_eq!(code(&renamed), "approval_identity");
    let (same, other_key) = world.signed_after(|it| it.approver_key_id = stranger.key_id().to_string());
    assert_eq!(world.code(&other_key, &same, &scope, NOW_US), "approval_identity");
    let no_id = world.signed_after(|it| it.approval_id = "ap_../../x".to_owned());
    assert_eq!(world.code(&no_id.1, &no_id.0, &scope, NOW_US), "approval_identity");
    let junk = Permit::verify(
        b"junk",
        id,
        Run {
            action: &world.action,
            bound: &world.bound,
            scope: &scope,
        },
        &world.ring,
        NOW_US,
    );
    assert_eq!(junk.unwrap_err().code(), "approval_malformed");
}

#[test]
fn a_key_without_the_role_or_out_of_its_time_permits_nothing() {
    let mut world = World::new();
    let (statement, envelope) = world.approved();
    let pem = world.key.public().to_pem().unwrap();
    for (rest, expected) in [
        ("roles = [\"catalogue\", \"author\"]", "approval_key_role"),
        (
            "roles = [\"approver\"]\nnot_after = \"2020-01-01T00:00:00Z\"",
            "approval_key_not_valid",
        ),
    ] {
        let text = format!("[[keys]]\nname = \"alice\"\n{rest}\npublic_key = \"\"\"\n{pem}\"\"\"\n");
        world.ring = Keyring::parse("trust.toml", &text).unwrap();
        let code = world.code(&envelope, &statement.approval_id, &world.scope(PLACE), NOW_US);
        assert_eq!(code, expected);
    }
}

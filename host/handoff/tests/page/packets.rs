//! The packets of the tests: two from files, and what can be made of them.

use pg_logstats_handoff::Packet;
use serde_json::Value;

/// A lock queue behind ALTER TABLE, with a missing index found on the way.
pub(crate) fn rich() -> Packet {
    serde_json::from_str(include_str!("../fixtures/lock-queue.json")).unwrap()
}

/// One record, and nothing else.
pub(crate) fn bare() -> Packet {
    serde_json::from_str(include_str!("../fixtures/nearly-empty.json")).unwrap()
}

/// The rich packet with `text` in place of every text from outside.
pub(crate) fn with_outside(text: &str) -> Packet {
    let mut value = serde_json::to_value(rich()).unwrap();
    replace_outside(&mut value, text);
    serde_json::from_value(value).unwrap()
}

fn replace_outside(value: &mut Value, text: &str) {
    match value {
        Value::Object(map) if map.get("untrusted") == Some(&Value::Bool(true)) => {
            map.insert("text".to_owned(), text.into());
        }
        Value::Object(map) => map.values_mut().for_each(|v| replace_outside(v, text)),
        Value::Array(list) => list.iter_mut().for_each(|v| replace_outside(v, text)),
        _ => {}
    }
}

/// The rich packet with `text` behind every text of the host's that is neither a time nor one of a few words.
pub(crate) fn with_host(text: &str) -> Packet {
    let mut value = serde_json::to_value(rich()).unwrap();
    append_host(&mut value, text);
    serde_json::from_value(value).unwrap()
}

fn append_host(value: &mut Value, text: &str) {
    let is_step = value.get("title").is_some() && value.get("requested").is_some();
    match value {
        Value::Object(map) if map.contains_key("untrusted") => {}
        Value::Object(map) => {
            for (key, value) in map {
                let time_or_word =
                    ["severity", "at", "created_at", "starts_at", "since", "until"].contains(&key.as_str());
                let fixed = time_or_word || (is_step && key == "kind");
                if !fixed {
                    append_host(value, text);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| append_host(v, text)),
        Value::String(string) => string.push_str(text),
        _ => {}
    }
}

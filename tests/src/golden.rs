//! Golden files: results compared to the letter, but for what differs in every run.

use std::path::Path;

use serde_json::Value;

/// Replaces what differs in every run: ids, clocks, hashes of the log, digests of components and what compilers make of them, folders.
pub fn settle(value: &mut Value, folders: &[(&Path, &str)]) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match key.as_str() {
                    "report_id" | "parent_report_id" | "incident_id" | "created_at" | "root" | "digest" | "fuel"
                    | "peak_memory_bytes" | "wall_time_us"
                        if !value.is_null() =>
                    {
                        *value = Value::String(format!("<{key}>"));
                    }
                    _ => settle(value, folders),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| settle(v, folders)),
        Value::String(text) => *text = settle_text(text, folders),
        _ => {}
    }
}

/// The same for text.
pub fn settle_text(text: &str, folders: &[(&Path, &str)]) -> String {
    let mut text = text.to_owned();
    for (folder, name) in folders {
        text = text.replace(folder.to_str().unwrap(), name);
    }
    for prefix in ["rp_", "in_", "rf_"] {
        text = replace_ids(&text, prefix);
    }
    text
}

fn replace_ids(text: &str, prefix: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let id = &found[prefix.len()..];
        let length = id.chars().take_while(char::is_ascii_alphanumeric).count();
        out.push_str(if length == 26 {
            "<id>"
        } else {
            &found[..prefix.len() + length]
        });
        rest = &id[length..];
    }
    out + rest
}

/// Compares with `golden/NAME`; with `PG_LOGSTATS_BLESS=1` in the environment writes it instead.
#[track_caller]
pub fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    compare(&path, actual);
}

/// Compares with the file at `path`, or writes it when blessing.
#[track_caller]
pub fn compare(path: &Path, actual: &str) {
    if std::env::var_os("PG_LOGSTATS_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        let first = expected.lines().zip(actual.lines()).position(|(e, a)| e != a);
        let line = first.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
        panic!(
            "{} differs from line {}:\n  expected {:?}\n  actual   {:?}\nrun again with PG_LOGSTATS_BLESS=1 if the change is meant",
            path.display(),
            line + 1,
            expected.lines().nth(line),
            actual.lines().nth(line),
        );
    }
}

//! One full packet and one that is nearly empty, byte for byte. `PG_LOGSTATS_BLESS=1` writes the files anew.

use std::path::Path;

use pg_logstats_handoff::{html, markdown};

use crate::packets;

#[track_caller]
fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("PG_LOGSTATS_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != actual {
        let first = expected.lines().zip(actual.lines()).position(|(e, a)| e != a);
        let line = first.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
        panic!(
            "{name} differs from line {}:\n  expected {:?}\n  actual   {:?}\nrun again with PG_LOGSTATS_BLESS=1 if the change is meant",
            line + 1,
            expected.lines().nth(line),
            actual.lines().nth(line),
        );
    }
}

#[test]
fn a_full_packet() {
    check("lock-queue.html", &html(&packets::rich()));
    check("lock-queue.md", &markdown(&packets::rich()));
}

#[test]
fn a_nearly_empty_packet() {
    check("nearly-empty.html", &html(&packets::bare()));
    check("nearly-empty.md", &markdown(&packets::bare()));
}

use std::collections::BTreeSet;
use std::sync::Barrier;

use pg_logstats_test_cluster::Cluster;

use super::*;
use crate::db::test_server::{block_on, target_of};
use crate::health::{Input, Limit};

struct Scene {
    cluster: Cluster,
    folder: tempfile::TempDir,
    target: Target,
}

/// A server that says who connects.
fn scene() -> Scene {
    let cluster = Cluster::builder().setting("log_connections", "on").start().unwrap();
    cluster
        .psql("CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats")
        .unwrap();
    Scene {
        target: target_of(&cluster.dsn("diagnosis", "postgres")),
        folder: tempfile::tempdir().unwrap(),
        cluster,
    }
}

impl Scene {
    /// As another process would open it.
    fn workspace(&self) -> Workspace {
        Workspace::open(Some(self.folder.path())).unwrap()
    }

    fn ask(&self, sharing: Sharing) -> Verdict {
        block_on(verdict(
            &self.workspace(),
            &self.target,
            &Thresholds::default(),
            sharing,
        ))
    }

    /// How often anybody connected to look.
    fn looks(&self) -> usize {
        let log = std::fs::read_to_string(self.cluster.server_log()).unwrap();
        log.matches("connection authorized: user=diagnosis").count()
    }

    /// The file that holds the verdict.
    fn file(&self) -> std::path::PathBuf {
        let files = std::fs::read_dir(self.folder.path().join("cache")).unwrap();
        let mut verdicts = files
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "verdict"));
        let file = verdicts.next().unwrap();
        assert_eq!(verdicts.next(), None);
        file
    }
}

#[test]
fn all_who_ask_at_once_are_one_look() {
    const ASKING: usize = 24;
    let scene = scene();
    let together = Barrier::new(ASKING);
    let taken = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..ASKING)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    scene.ask(Sharing::SinceAsked).taken_at_us
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<BTreeSet<i64>>()
    });
    assert_eq!(scene.looks(), taken.len(), "each look is one verdict");
    assert!(taken.len() <= ASKING / 4, "{} looks", taken.len());
}

#[test]
fn what_is_decided_again_later_takes_a_verdict_that_is_there_and_what_acts_does_not() {
    let scene = scene();
    let first = scene.ask(Sharing::WhileFresh);
    let again = scene.ask(Sharing::WhileFresh);
    // On a busy machine it may be another level, or too old by now.
    if first.level == VerdictLevel::Clear && first.is_fresh(now_us()) {
        assert_eq!((again, scene.looks()), (first.clone(), 1));
    }
    let acting = scene.ask(Sharing::SinceAsked);
    assert!(acting.taken_at_us > first.taken_at_us);
    let reuse = |taken_at_us, level, sharing| {
        let stored = Verdict {
            taken_at_us,
            level,
            ..first.clone()
        };
        is_usable(&stored, sharing, now_us())
    };
    let (ttl_us, clear) = (first.ttl_ms.cast_signed() * 1_000, VerdictLevel::Clear);
    assert!(reuse(now_us() - ttl_us / 2, clear, Sharing::WhileFresh));
    assert!(!reuse(now_us() - ttl_us / 2, clear, Sharing::SinceAsked));
    assert!(reuse(now_us() - JUST_NOW_US / 2, clear, Sharing::JustNow));
    assert!(!reuse(now_us() - JUST_NOW_US * 2, clear, Sharing::JustNow));
    assert!(!reuse(now_us() - JUST_NOW_US / 2, VerdictLevel::Busy, Sharing::JustNow));
    assert!(!reuse(now_us() - ttl_us - 1, clear, Sharing::WhileFresh), "too old");
    assert!(!reuse(now_us() + ttl_us, clear, Sharing::WhileFresh), "from the future");
    for level in [VerdictLevel::Busy, VerdictLevel::Saturated, VerdictLevel::Unknown] {
        assert!(!reuse(now_us() - ttl_us / 2, level, Sharing::WhileFresh), "{level}");
    }
    forget(&scene.workspace(), &scene.target, &Thresholds::default());
    let looks = scene.looks();
    scene.ask(Sharing::WhileFresh);
    assert_eq!(scene.looks(), looks + 1, "forgotten");
}

#[test]
fn nothing_is_shared_over_other_limits_or_another_database_or_role() {
    let scene = scene();
    let workspace = scene.workspace();
    let mut strict = Thresholds::default();
    let limit = Limit {
        busy: 0.0,
        saturated: None,
    };
    strict.limits.insert(Input::ConnectionsRatio, limit);
    let ask = |target: &Target, thresholds: &Thresholds| {
        block_on(verdict(&workspace, target, thresholds, Sharing::WhileFresh)).level
    };
    // The server is as good as idle; the test's own machine may not be, so only that they differ is told.
    let lenient = ask(&scene.target, &Thresholds::default());
    assert_eq!((ask(&scene.target, &strict), scene.looks()), (VerdictLevel::Busy, 2));
    assert_ne!(lenient, VerdictLevel::Unknown);
    let other = target_of(&scene.cluster.dsn("nobody", "postgres"));
    assert_eq!(ask(&other, &Thresholds::default()), VerdictLevel::Unknown);
}

#[test]
fn a_verdict_that_somebody_else_wrote_is_none() {
    let scene = scene();
    let first = scene.ask(Sharing::SinceAsked);
    let file = scene.file();
    let genuine = std::fs::read(&file).unwrap();
    // A clear verdict from a minute ahead of now would be good for a while, if it were believed.
    let forged = Verdict {
        taken_at_us: now_us(),
        ttl_ms: u64::MAX,
        level: VerdictLevel::Clear,
        ..first
    };
    let forged = serde_json::to_vec(&forged).unwrap();
    let with_its_mac = [&genuine[..32], &forged].concat();
    let flipped: Vec<u8> = genuine
        .iter()
        .enumerate()
        .map(|(i, b)| if i == 40 { b ^ 1 } else { *b })
        .collect();
    for (what, bytes) in [
        ("no code", forged),
        ("the code of another content", with_its_mac),
        ("one bit", flipped),
        ("cut", genuine[..20].to_vec()),
        ("empty", Vec::new()),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let looks = scene.looks();
        scene.ask(Sharing::WhileFresh);
        assert_eq!(scene.looks(), looks + 1, "{what}");
    }
    // As it was written, under the name of another database.
    std::fs::write(&file, &genuine).unwrap();
    let other = file.with_file_name(format!("{}.verdict", "0".repeat(64)));
    std::fs::rename(&file, &other).unwrap();
    let files = scene.workspace();
    let files = Authentic::new(&files, "pg-logstats verdict v1");
    assert_eq!(files.read(other.file_name().unwrap().to_str().unwrap()), None);
}

#[test]
fn somebody_who_looks_for_ever_holds_nobody_up() {
    let scene = scene();
    let workspace = scene.workspace();
    let shared = Shared::new(&workspace, &scene.target, &Thresholds::default());
    let held = workspace.lock_verdict(&shared.name).unwrap().unwrap();
    let started = Instant::now();
    let verdict = scene.ask(Sharing::SinceAsked);
    assert_ne!(verdict.level, VerdictLevel::Unknown);
    assert!(started.elapsed() >= PATIENCE);
    drop(held);
}

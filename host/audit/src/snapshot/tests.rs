//! What a reader without the lock finds when appends write over the files that it has opened.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::files::DirFiles;
use crate::files::forward::forward;
use crate::keys::Signer as _;
use crate::log::tests::{ORIGIN, append, audit, copy, filled, folder, key, open};
use crate::verify::verify_layer;

/// More readings than a verification of so few records takes.
const ENOUGH: u64 = 200;

/// A log as it is up to some reading, and two appends later from then on. That reading is of a file that was opened before and is read
/// after the appends wrote over it.
struct Moving {
    before: DirFiles,
    opened: DirFiles,
    after: DirFiles,
    at: u64,
    readings: AtomicU64,
}

impl Moving {
    fn to(&self, operation: &'static str) -> &dyn FileLayer {
        let reading = match operation {
            "read" => self.readings.fetch_add(1, Ordering::Relaxed),
            _ => self.readings.load(Ordering::Relaxed),
        };
        match reading.cmp(&self.at) {
            std::cmp::Ordering::Less => &self.before,
            std::cmp::Ordering::Equal if operation == "read" => &self.opened,
            _ => &self.after,
        }
    }
}

forward!(Moving);

#[test]
fn a_reader_whose_file_is_written_over_while_it_reads_finds_the_log_whole() {
    for size in [5u64, 20] {
        let (before, after, opened) = (filled(size), folder(), folder());
        copy(before.path(), after.path());
        let log = open(after.path()).unwrap();
        for id in ["rc_1st", "rc_2nd"] {
            append(&log, id).unwrap();
        }
        drop(log);
        copy(after.path(), opened.path());
        let path = |root: &tempfile::TempDir, file: &str| root.path().join("audit").join(file);
        for folder in ["tile/0/000.p", "tile/entries/000.p"] {
            let newest = path(&after, &format!("{folder}/{}", size + 2));
            std::fs::copy(newest, path(&opened, &format!("{folder}/{size}"))).unwrap();
        }
        let [older, newer] = [&before, &after].map(|root| std::fs::read(path(root, "checkpoint")).unwrap());
        let half = older.len() / 2;
        let torn = [&older[..half], &newer[half..]].concat();
        std::fs::write(path(&opened, "checkpoint"), torn).unwrap();

        let keys: TrustedKeys = key(before.path()).public().clone().into();
        let layer = |at| Moving {
            before: DirFiles::new(audit(before.path())),
            opened: DirFiles::new(audit(opened.path())),
            after: DirFiles::new(audit(after.path())),
            at,
            readings: AtomicU64::new(0),
        };
        let (mut verified, mut loaded) = (0, 0);
        for at in 0..ENOUGH {
            let moving = layer(at);
            let report = verify_layer(&moving, &keys, ORIGIN).unwrap();
            assert!(
                report.is_verified(),
                "{size} records, reading {at}: {:#?}",
                report.problems
            );
            assert!([size, size + 2].contains(&report.entries));
            verified += u64::from(moving.readings.into_inner() > at);

            let moving = layer(at);
            let snapshot = Snapshot::newest(&moving, &keys, ORIGIN).unwrap();
            assert!([size, size + 2].contains(&snapshot.checkpoint.size), "reading {at}");
            loaded += u64::from(moving.readings.into_inner() > at);
        }
        assert!(verified > size && loaded > 3, "{verified} and {loaded} readings");
    }
}

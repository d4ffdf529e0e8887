use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::AuditError;
use crate::files::DirFiles;
use crate::files::fault::{Fault, FaultyFiles};
use crate::log::tests::{JOURNAL_BYTES, ORIGIN, append, audit, filled, key, open, open_through};
use crate::log::{Log, LogOptions};

/// `sync`, held by somebody who leads.
fn lead(root: &Path) -> File {
    let sync = File::create(root.join("audit/sync")).unwrap();
    sync.lock().unwrap();
    sync
}

/// Waits until an append of another thread has written its frame, after which only the lead is missing.
fn frame_is_written(root: &Path, id: &str) {
    let start = Instant::now();
    let written = || {
        let journal = std::fs::read(root.join("audit/journal")).unwrap();
        journal.windows(id.len()).any(|bytes| bytes == id.as_bytes())
    };
    while !written() {
        assert!(start.elapsed() < Duration::from_secs(10), "no frame of {id}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn who_waits_for_a_leader_is_told_by_the_checkpoint_and_syncs_nothing() {
    let root = filled(1);
    // Its second operation is a sync, at which it would die.
    let layer = Arc::new(FaultyFiles::new(audit(root.path()), Fault::Kill, 1));
    let log = open_through(root.path(), &layer).unwrap();
    let sync = lead(root.path());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| append(&log, "rc_new"));
        frame_is_written(root.path(), "rc_new");
        std::thread::sleep(Duration::from_millis(30));
        assert!(!waits.is_finished(), "acknowledged before anybody led");
        // Who opens the log makes what is in the journal durable and publishes it.
        assert_eq!(open(root.path()).unwrap().checkpoint().unwrap().size, 2);
        drop(sync);
        assert_eq!(waits.join().unwrap().unwrap(), 1);
    });
    assert!(!layer.fired());
}

#[test]
fn who_was_not_among_what_the_leader_saw_leads_next() {
    let root = filled(1);
    let layer = Arc::new(FaultyFiles::new(audit(root.path()), Fault::FailOnce, 1));
    let log = open_through(root.path(), &layer).unwrap();
    let sync = lead(root.path());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| append(&log, "rc_new"));
        frame_is_written(root.path(), "rc_new");
        drop(sync);
        // It leads, and its own sync fails.
        let error = waits.join().unwrap().unwrap_err();
        assert!(matches!(error, AuditError::NotDurable { .. }), "{error}");
    });
    assert!(layer.fired());
    assert_eq!(log.checkpoint().unwrap().size, 1);
}

#[test]
fn a_checkpoint_that_nobody_signed_acknowledges_nothing() {
    let root = filled(1);
    let log = open(root.path()).unwrap();
    let sync = lead(root.path());
    let path = root.path().join("audit/checkpoint");
    let signed = std::fs::read_to_string(&path).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| append(&log, "rc_new"));
        frame_is_written(root.path(), "rc_new");
        std::fs::write(&path, signed.replacen("\n1\n", "\n9\n", 1)).unwrap();
        drop(sync);
        let error = waits.join().unwrap().unwrap_err();
        assert!(matches!(error, AuditError::Unpublished { index: 1, .. }), "{error}");
    });
    std::fs::write(&path, signed).unwrap();
    // The frame is whole, so it counts.
    assert_eq!(open(root.path()).unwrap().read("rc_new").unwrap().index, 1);
}

#[test]
fn a_leader_that_hangs_or_a_file_that_cannot_be_had_costs_no_record() {
    let root = filled(1);
    let sync = lead(root.path());
    let options = LogOptions {
        lock_timeout_ms: 50,
        ..LogOptions::default()
    };
    let layer = Box::new(DirFiles::new(audit(root.path())));
    let log = Log::open_layer(layer, key(root.path()), ORIGIN, options, JOURNAL_BYTES).unwrap();
    for index in 1..4 {
        assert_eq!(append(&log, &format!("rc_{index}x")).unwrap(), index);
    }
    drop(sync);
    let path = root.path().join("audit/sync");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    for log in [log, open(root.path()).unwrap()] {
        let size = log.checkpoint().unwrap().size;
        assert_eq!(append(&log, &format!("rc_{size}y")).unwrap(), size);
    }
}

#[test]
fn logs_that_wait_together_are_served_by_fewer_syncs() {
    const LOGS: usize = 4;
    let root = filled(1);
    let layers: Vec<_> = (0..LOGS)
        .map(|_| Arc::new(FaultyFiles::new(audit(root.path()), Fault::Kill, u64::MAX - 1)))
        .collect();
    let logs: Vec<Log> = layers
        .iter()
        .map(|layer| open_through(root.path(), layer).unwrap())
        .collect();
    let before: u64 = layers.iter().map(|layer| layer.journal_syncs()).sum();
    let sync = lead(root.path());
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..LOGS)
            .map(|n| {
                let log = &logs[n];
                let id = format!("rc_wait{n}");
                let thread = scope.spawn({
                    let id = id.clone();
                    move || append(log, &id)
                });
                frame_is_written(root.path(), &id);
                thread
            })
            .collect();
        drop(sync);
        for thread in waiting {
            thread.join().unwrap().unwrap();
        }
    });
    let syncs = layers.iter().map(|layer| layer.journal_syncs()).sum::<u64>() - before;
    assert_eq!(syncs, 1, "four frames were there when the first of them led");
    assert_eq!(logs[0].checkpoint().unwrap().size, 5);
}

#[test]
fn who_lives_trims_nothing_after_another_process_could_not_make_a_file_durable() {
    let root = filled(1);
    let log = open(root.path()).unwrap();
    // What that process leaves; the operating system told it of the lost bytes, and tells nobody else.
    std::fs::write(root.path().join("audit/staging/suspect"), []).unwrap();
    let failed = (0..8).find_map(|n| append(&log, &format!("rc_{n}x")).err());
    assert!(matches!(failed, Some(AuditError::NotDurable { .. })), "{failed:?}");
    let size = log.checkpoint().unwrap().size;
    // The next start writes everything anew that the journal covers.
    let log = open(root.path()).unwrap();
    assert_eq!(append(&log, "rc_new").unwrap(), size);
    assert!(!root.path().join("audit/staging/suspect").exists());
}

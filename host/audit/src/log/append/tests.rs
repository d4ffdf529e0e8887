//! What an append asks of the file layer, counted: a count does not depend on how busy the machine is.

use std::path::Path;

use crate::digest::Digest;
use crate::edge::Edge;
use crate::entry::{Entry, payload_type};
use crate::files::DirFiles;
use crate::files::forward::{Counted, Counts};
use crate::journal::JOURNAL_BYTES;
use crate::keys::tests::MemoryKey;
use crate::layout;
use crate::log::tests::{ORIGIN, append, audit, folder};
use crate::log::{Log, LogOptions};
use crate::merkle::TILE_WIDTH;
use crate::note::sign_checkpoint;

/// The record that is counted, and one before it.
const COUNTED: &str = "rc_new";
const BEFORE: &str = "rc_before";
/// Folders of records in a log.
const SHARDS: u64 = 4_096;

/// What an append reads of a log of `size` entries: the edge, the checkpoint, and the names in the folder of its record.
fn large(root: &Path, size: u64) -> Counted {
    let key = MemoryKey::new(3);
    let mut edge = Edge::default();
    for n in 0..size {
        if n < size / TILE_WIDTH * TILE_WIDTH {
            edge.push_hash(Digest::of(&n.to_be_bytes()), |_, _| {});
            continue;
        }
        let entry = Entry {
            kind: "intent".to_owned(),
            id: format!("rc_{n}"),
            incident: None,
            created_us: 1,
            payload_type: payload_type("intent"),
            digest: Digest::of(&n.to_be_bytes()),
        };
        edge.push(&entry.to_text()).unwrap();
    }
    let audit_folder = root.join("audit");
    let write = |path: &str, bytes: &[u8]| {
        let path = audit_folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for file in edge.files() {
        write(&file.path, &file.bytes);
    }
    for id in [BEFORE, COUNTED] {
        for n in 0..=size / SHARDS {
            let name = layout::record_name(&format!("{id}x{n}"), n);
            write(&format!("{}/{name}", layout::shard(id)), &[]);
        }
    }
    write(
        layout::CHECKPOINT,
        sign_checkpoint(&key, ORIGIN, size, &edge.root()).unwrap().as_bytes(),
    );
    Counted::new(DirFiles::new(audit(root)))
}

fn open(layer: &Counted) -> Log {
    let (layer, key) = (Box::new(layer.clone()), Box::new(MemoryKey::new(3)));
    Log::open_layer(layer, key, ORIGIN, LogOptions::default(), JOURNAL_BYTES).unwrap()
}

/// What one append asks for at this size, in a process that has appended before.
fn operations(size: u64) -> Counts {
    let root = folder();
    let layer = large(root.path(), size - 1);
    let log = open(&layer);
    assert_eq!(append(&log, BEFORE).unwrap(), size - 1);
    layer.take();
    assert_eq!(append(&log, COUNTED).unwrap(), size);
    layer.take()
}

/// Making and removing files is what costs most of an append where the kernel looks long for an inode.
#[test]
fn an_append_makes_one_file_and_writes_over_three() {
    let root = folder();
    let layer = Counted::new(DirFiles::new(audit(root.path())));
    let log = open(&layer);
    for size in 1..TILE_WIDTH {
        layer.take();
        append(&log, &format!("rc_{size}")).unwrap();
        let counts = layer.take();
        let asked = |operation: &str| counts.get(operation).copied().unwrap_or_default();
        // The first have none to write over yet.
        let has_spares = size >= 4;
        // Neither of the two files of the checkpoint has room for one more digit.
        let is_longer = [10, 11, 100, 101].contains(&size);
        // A full journal is trimmed.
        if has_spares && !is_longer && asked("sync_files") == 0 {
            // A folder of records that is not there yet takes a second attempt.
            let made = asked("write_new") - u64::from(asked("make_dir") > 0);
            assert_eq!((made, asked("remove")), (1, 0), "{size}: {counts:?}");
            assert_eq!((asked("overwrite"), asked("exchange")), (3, 1), "{size}: {counts:?}");
        }
    }
}

#[test]
fn an_append_asks_for_the_same_of_every_size_and_for_a_few_more_where_tiles_are_full() {
    let total = |counts: &Counts| counts.values().sum::<u64>();
    let small = operations(20);
    eprintln!("{small:?}");
    for size in [1_044, 99_860, 999_956] {
        assert_eq!(operations(size), small, "at {size} records");
    }
    // The tile and the bundle of level 0 are filled; with each further level one more tile is, and one more is begun.
    for (size, levels) in [(255, 1), (65_535, 2), (983_039, 2)] {
        let counts = operations(size);
        assert!(
            total(&counts) <= total(&small) + 6 * levels,
            "at {size} records {counts:?}, and at 20 {small:?}"
        );
    }
}

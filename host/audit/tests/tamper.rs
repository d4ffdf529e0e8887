//! Whatever is changed in a trail is noticed and named.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use common::{ORIGIN, Workspace, append, dir};
use pg_logstats_audit::since::SinceError;
use pg_logstats_audit::{AuditError, Problem, TrustedKeys, VerifyReport, verify, verify_since};
use proptest::prelude::{ProptestConfig, any, proptest};

/// A trail of `size` records.
fn trail(size: u64) -> Workspace {
    let workspace = Workspace::new();
    let log = workspace.log();
    for n in 0..size {
        append(&log, &format!("rp_{n}")).unwrap();
    }
    workspace
}

/// Every file below a folder with its path relative to it.
fn files(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), path);
            }
        }
    }
    found
}

/// Replaces a file as somebody with the rights of the owner can.
fn replace(path: &Path, bytes: &[u8]) {
    let mode = std::fs::metadata(path).unwrap().permissions();
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, mode).unwrap();
}

fn record(workspace: &Workspace, id: &str) -> PathBuf {
    let found = files(&workspace.audit());
    let (_, path) = found
        .iter()
        .find(|(name, _)| name.contains(&format!("/{id}.")))
        .unwrap();
    path.clone()
}

/// Whether the file is one that the next append writes over, and nobody reads: what stands there is in nobody's way.
fn is_spare(name: &str) -> bool {
    ["staging/checkpoint", "staging/spare-bundle", "staging/spare-tile"].contains(&name)
}

fn problems(workspace: &Workspace) -> Vec<Problem> {
    let report = workspace.verify().unwrap();
    assert!(!report.is_verified());
    assert!(!report.problems.is_empty());
    report.problems
}

/// Whether a problem is about this file: by its name, or by the index of its record.
fn names(report: &VerifyReport, file: &str) -> bool {
    report.problems.iter().any(|problem| problem.file == file)
}

/// Whether a note is about this file.
fn notes(report: &VerifyReport, file: &str) -> bool {
    report.notes.iter().any(|note| note.file == file)
}

/// The files of a trail that its checkpoint stands for: itself, the records, the full tiles and bundles and those of the edge.
/// The rest are locks, what an append needs, and narrower tiles of earlier days.
fn signed_files(workspace: &Workspace) -> BTreeMap<String, PathBuf> {
    let note = std::fs::read_to_string(workspace.audit().join("checkpoint")).unwrap();
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    let mut found = files(&workspace.audit());
    found.retain(|name, _| match name.split_once(".p/") {
        Some((tile, width)) => {
            let nodes = if tile.starts_with("tile/1/") { size / 256 } else { size };
            tile.ends_with(&format!("/{:03}", nodes / 256)) && width == (nodes % 256).to_string()
        }
        None => name == "checkpoint" || name.starts_with("tile/") || name.starts_with("records/"),
    });
    found
}

/// Verifies a trail of which `changed` were changed, and asserts that this is noticed and that one of them is named; all of
/// them if they are records, each of which can be wrong for itself.
fn assert_noticed(workspace: &Workspace, changed: &[&str], what: &str) {
    match workspace.verify() {
        Ok(report) => {
            assert!(!report.is_verified(), "{what}: not noticed");
            let named = changed.iter().filter(|name| names(&report, name)).count();
            let all_records = changed.iter().all(|name| name.starts_with("records/"));
            let enough = if all_records { changed.len() } else { 1 };
            assert!(named >= enough, "{what}: {:#?}", report.problems);
        }
        Err(AuditError::OriginMismatch { .. } | AuditError::CheckpointMissing { .. }) => {
            assert!(changed.contains(&"checkpoint"), "{what}");
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

/// The places of the entries in a bundle, or of the hashes in a tile.
fn items(name: &str, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = if name.contains("entries") {
            2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
        } else {
            32
        };
        places.push(at..at + length);
        at += length;
    }
    places
}

#[test]
fn every_byte_of_every_file_counts() {
    let workspace = trail(3);
    let keys = workspace.trusted();
    let audit = dir(&workspace.audit());
    let mut changed = 0;
    for (name, path) in files(&workspace.audit()) {
        // The journal has a test of its own below; `lock`, `queue` and `sync` have no bytes.
        if name == "journal" || is_spare(&name) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            replace(&path, &other);
            match verify(&audit, &keys, ORIGIN) {
                Ok(report) => {
                    assert!(!report.is_verified(), "{name}, byte {at}: not noticed");
                    assert!(names(&report, &name), "{name}, byte {at}: {:#?}", report.problems);
                    if name.starts_with("records/") {
                        let id = name.rsplit('/').next().unwrap().split('.').next();
                        assert!(
                            report.problems.iter().any(|problem| problem.id.as_deref() == id),
                            "{name}"
                        );
                    }
                }
                Err(AuditError::OriginMismatch { .. }) => assert_eq!(name, "checkpoint"),
                Err(error) => panic!("{name}, byte {at}: {error}"),
            }
            changed += 1;
        }
        replace(&path, &bytes);
    }
    assert!(changed > 1_800, "only {changed} bytes were changed");
    workspace.assert_verified();
}

#[test]
fn every_file_cut_short_lengthened_emptied_or_removed_is_noticed() {
    let workspace = trail(258);
    for (name, path) in files(&workspace.audit()) {
        // One record stands for all of them.
        if ["lock", "queue", "sync", "journal"].contains(&name.as_str())
            || is_spare(&name)
            || (name.starts_with("records/") && !name.contains("/rp_7."))
        {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut longer = bytes.clone();
        longer.push(b'x');
        for other in [&bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2], &[], &longer] {
            replace(&path, other);
            let report = workspace.verify().unwrap();
            // The edge at which the journal begins is there for the start after a power loss alone. One that is cut off could be
            // an earlier leftover, so it is noted; that the journal stands on it no more is the problem.
            let named = names(&report, &name)
                || (name.contains(".p/254") && notes(&report, &name) && names(&report, "journal"));
            assert!(named, "{name} with {} bytes: {report:#?}", other.len());
        }
        let mode = std::fs::metadata(&path).unwrap().permissions();
        std::fs::remove_file(&path).unwrap();
        match workspace.verify() {
            Ok(report) if name.contains(".p/254") => {
                let told = report
                    .problems
                    .iter()
                    .any(|problem| problem.file == "journal" && problem.what.contains(&name));
                assert!(told, "{name} removed: {report:#?}");
            }
            Ok(report) => assert!(names(&report, &name), "{name} removed: {:#?}", report.problems),
            Err(AuditError::CheckpointMissing { .. }) => assert_eq!(name, "checkpoint"),
            Err(error) => panic!("{name}: {error}"),
        }
        std::fs::write(&path, &bytes).unwrap();
        std::fs::set_permissions(&path, mode).unwrap();
    }
    workspace.assert_verified();
}

#[test]
fn every_file_cut_at_every_length_is_noticed() {
    let workspace = trail(3);
    let mut cuts = 0;
    for (name, path) in signed_files(&workspace) {
        let bytes = std::fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            replace(&path, &bytes[..length]);
            assert_noticed(&workspace, &[&name], &format!("{name} cut to {length} bytes"));
            cuts += 1;
        }
        replace(&path, &bytes);
    }
    assert!(cuts > 1_800, "only {cuts} cuts");
    workspace.assert_verified();
}

/// A block of the journal, in which a header or a frame begins.
const BLOCK: usize = 4096;
/// Nobody reads what stands in the journal behind its frames, and there is a megabyte of it: of these bytes each 997th is changed, and each
/// seventh of the zeros between the frames and of the block behind them. Of what counts each byte is.
const UNUSED_STRIDE: usize = 997;
const ZEROS_STRIDE: usize = 7;
/// Bytes of a frame by which it is known for one: form, lengths, and what it follows. Without these, it is as if it were none.
const FRAME_KNOWN_BY: usize = 56;

/// The parts of a journal that count, by the form in `journal.rs`: the newest header, and what each frame has before the zeros of its
/// last block.
fn journal_parts(journal: &[u8]) -> Vec<std::ops::Range<usize>> {
    let generation = |slot: usize| {
        let text = String::from_utf8_lossy(&journal[slot * BLOCK..(slot + 1) * BLOCK]).into_owned();
        let line = text.lines().nth(1)?.strip_prefix("generation ")?.parse::<u64>();
        line.ok()
    };
    let header = usize::from(generation(1) > generation(0)) * BLOCK;
    let mut parts: Vec<_> = std::iter::once(header..header + BLOCK).collect();
    let mut start = 2 * BLOCK;
    while journal[start..].starts_with(b"pglsfrm1") {
        let length = |at: usize| u32::from_be_bytes(journal[start + at..start + at + 4].try_into().unwrap()) as usize;
        // The length of the record has eight bytes, of which the upper four are zero here.
        let end = start + 88 + length(8) + length(12) + length(20);
        parts.push(start..end);
        start = end.next_multiple_of(BLOCK);
    }
    parts
}

/// The journal of a trail, changed in place: it is long, and only some of its bytes are.
struct Journal<'a> {
    workspace: &'a Workspace,
    bytes: Vec<u8>,
    file: std::fs::File,
    before: VerifyReport,
}

impl<'a> Journal<'a> {
    fn of(workspace: &'a Workspace) -> Self {
        let path = workspace.audit().join("journal");
        Self {
            workspace,
            bytes: std::fs::read(&path).unwrap(),
            file: std::fs::File::options().write(true).open(path).unwrap(),
            before: workspace.assert_verified(),
        }
    }

    fn with_flipped(&self, at: usize) -> VerifyReport {
        let put = |byte: u8| self.file.write_all_at(&[byte], at as u64).unwrap();
        put(self.bytes[at] ^ 1 << (at % 8));
        let report = self.workspace.verify().unwrap();
        put(self.bytes[at]);
        report
    }

    fn with_blocks(&self, blocks: &[&[u8]]) -> VerifyReport {
        let mut other = blocks.concat();
        other.resize(self.bytes.len(), 0);
        self.file.write_all_at(&other, 0).unwrap();
        let report = self.workspace.verify().unwrap();
        self.file.write_all_at(&self.bytes, 0).unwrap();
        report
    }

    fn cut(&self, length: usize) -> VerifyReport {
        self.file.set_len(length as u64).unwrap();
        let report = self.workspace.verify().unwrap();
        self.file.write_all_at(&self.bytes[length..], length as u64).unwrap();
        report
    }

    /// The change is noticed, and the journal is what is named.
    fn assert_told(&self, report: &VerifyReport, what: &str) {
        assert!(!report.is_verified(), "the journal {what}: not noticed");
        assert!(names(report, "journal"), "the journal {what}: {report:#?}");
    }

    /// The change is none of anything that was recorded: not a word of the report is another one.
    fn assert_nothing(&self, report: &VerifyReport, what: &str) {
        assert_eq!(report, &self.before, "the journal {what}");
    }
}

#[test]
fn every_byte_of_the_journal_counts_or_is_behind_what_it_holds() {
    let workspace = trail(3);
    let journal = Journal::of(&workspace);
    let parts = journal_parts(&journal.bytes);
    assert_eq!(parts.len(), 4, "a header and three frames: {parts:?}");
    let mut counting = 0;
    for at in 0..journal.bytes.len() {
        let what = format!("with byte {at} flipped");
        if parts.iter().any(|part| part.contains(&at)) {
            journal.assert_told(&journal.with_flipped(at), &what);
            counting += 1;
        } else if at.is_multiple_of(if at < 6 * BLOCK { ZEROS_STRIDE } else { UNUSED_STRIDE }) {
            journal.assert_nothing(&journal.with_flipped(at), &what);
        }
    }
    assert!(counting > 6_000, "only {counting} bytes counted");
    workspace.assert_verified();
}

#[test]
fn a_journal_cut_at_every_length_is_noticed() {
    let workspace = trail(3);
    let journal = Journal::of(&workspace);
    let parts = journal_parts(&journal.bytes);
    let end = parts.last().unwrap().end;
    for length in 0..end {
        // A cut among the zeros behind a frame is one before the next frame: the first and the last of them stand for all.
        if parts.iter().any(|part| (part.start..=part.end).contains(&length)) {
            journal.assert_told(&journal.cut(length), &format!("cut to {length} bytes"));
        }
    }
    for length in [end, end + 1, end.next_multiple_of(BLOCK), journal.bytes.len() - 1] {
        journal.assert_nothing(&journal.cut(length), &format!("cut to {length} bytes"));
    }
    workspace.assert_verified();
}

#[test]
fn frames_of_the_journal_dropped_doubled_or_swapped_are_noticed() {
    let workspace = trail(3);
    let journal = Journal::of(&workspace);
    let parts = journal_parts(&journal.bytes);
    let frames: Vec<&[u8]> = parts[1..]
        .iter()
        .map(|part| &journal.bytes[part.start..part.end.next_multiple_of(BLOCK)])
        .collect();
    let headers = &journal.bytes[..2 * BLOCK];
    let [a, b, c] = frames[..] else {
        panic!("{} frames", frames.len())
    };
    for (what, order) in [
        ("without its first frame", vec![b, c]),
        ("without its second frame", vec![a, c]),
        ("without its last frame", vec![a, b]),
        ("without frames", vec![]),
        ("with its first frame twice", vec![a, a, b, c]),
        ("with its second frame twice", vec![a, b, b, c]),
        ("with two frames swapped", vec![b, a, c]),
        ("with the others swapped", vec![a, c, b]),
        ("with one frame over another", vec![a, b, b]),
    ] {
        journal.assert_told(&journal.with_blocks(&[&[headers][..], &order].concat()), what);
    }
    // It follows nothing that it could follow, so nobody reads it.
    journal.assert_nothing(
        &journal.with_blocks(&[headers, a, b, c, c]),
        "with its last frame twice",
    );
    let (even, odd) = headers.split_at(BLOCK);
    journal.assert_told(&journal.with_blocks(&[odd, even, a, b, c]), "with its headers swapped");
    journal.assert_told(&journal.with_blocks(&[&[0; 2 * BLOCK], a, b, c]), "without headers");

    // All of it gone: as if a build had made the log that had none. No record hangs on it, and it is noted.
    let path = workspace.audit().join("journal");
    std::fs::remove_file(&path).unwrap();
    assert!(notes(&workspace.assert_verified(), "journal"));
    for (what, other) in [("of another log", trail(3)), ("of a shorter log", trail(2))] {
        std::fs::copy(other.audit().join("journal"), &path).unwrap();
        journal.assert_told(&workspace.verify().unwrap(), what);
    }
}

/// A frame that a crash left between its commit and its publication: no checkpoint that anybody saw states it, and nobody was told of it.
/// So a change of it cannot be told from a frame that was never written to its end; it is never taken for a record, and is noted as long
/// as it can be known for a frame.
#[test]
fn a_changed_frame_that_was_not_published_is_no_record() {
    let workspace = trail(2);
    let earlier = Workspace::new();
    copy_folder(workspace.root.path(), earlier.root.path());
    append(&workspace.log(), "rp_2").unwrap();
    std::fs::copy(workspace.audit().join("journal"), earlier.audit().join("journal")).unwrap();
    let journal = Journal::of(&earlier);
    let parts = journal_parts(&journal.bytes);
    assert_eq!((parts.len(), journal.before.entries), (4, 2));
    let waits = |report: &VerifyReport| {
        report
            .notes
            .iter()
            .any(|note| note.what.contains("entries 2 to 2 are in the journal"))
    };
    assert!(waits(&journal.before), "{:#?}", journal.before);
    let frame = parts[3].clone();
    for at in frame.clone() {
        let report = journal.with_flipped(at);
        let what = format!("byte {at}: {report:#?}");
        assert!(report.is_verified() && report.entries == 2 && !waits(&report), "{what}");
        assert!(notes(&report, "journal") || at < frame.start + FRAME_KNOWN_BY, "{what}");
    }
    // Those before it are in the checkpoint, and their change is noticed as ever.
    for at in parts[..3].iter().flat_map(|part| [part.start, part.end - 1]) {
        journal.assert_told(&journal.with_flipped(at), &format!("with byte {at} flipped"));
    }
    assert_eq!(
        earlier.log().checkpoint().unwrap().size,
        3,
        "the next start publishes it"
    );
}

/// Every pair of files, whatever their kinds: swapped, and one in the place of the other.
#[test]
fn every_file_in_the_place_of_another_is_noticed() {
    let workspace = trail(258);
    let picked = ["/rp_7.", "/rp_100.", "/rp_256.", "/rp_257."];
    let mut all = signed_files(&workspace);
    all.retain(|name, _| !name.starts_with("records/") || picked.iter().any(|id| name.contains(id)));
    // The narrower ones at which the journal begins, too.
    all.extend(
        files(&workspace.audit())
            .into_iter()
            .filter(|(name, _)| name.ends_with(".p/254")),
    );
    assert_eq!(all.len(), 12, "{all:#?}");
    for (first, first_path) in &all {
        for (second, second_path) in &all {
            if first == second {
                continue;
            }
            let (a, b) = (std::fs::read(first_path).unwrap(), std::fs::read(second_path).unwrap());
            // The level-1 tile of one hash is nothing but that hash, and so on: equal bytes are no change.
            assert_ne!(a, b, "{first} and {second}");
            replace(first_path, &b);
            assert_noticed(&workspace, &[first], &format!("{second} in the place of {first}"));
            if first < second {
                replace(second_path, &a);
                assert_noticed(&workspace, &[first, second], &format!("{first} and {second} swapped"));
                replace(second_path, &b);
            }
            replace(first_path, &a);
        }
    }
    workspace.assert_verified();
}

/// Entries and hashes taken out, doubled and moved within their files.
#[test]
fn every_entry_and_hash_removed_doubled_or_moved_is_noticed() {
    let workspace = trail(258);
    let mut changes = 0;
    for (name, path) in signed_files(&workspace) {
        if !name.starts_with("tile/") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let places = items(&name, &bytes);
        // All of the small ones; of the full ones the ends, and every 51st.
        let picked = (0..places.len()).filter(|at| places.len() < 10 || at % 51 == 0 || *at == 254);
        for at in picked {
            let item = &bytes[places[at].clone()];
            let (before, after) = (&bytes[..places[at].start], &bytes[places[at].end..]);
            let mut variants = vec![
                ("removed", [before, after].concat()),
                ("doubled", [before, item, item, after].concat()),
                ("first", [item, before, after].concat()),
                ("last", [before, after, item].concat()),
            ];
            // Doubled in the place of the next one, so that the length is right.
            if let Some(next) = places.get(at + 1) {
                variants.push((
                    "over the next",
                    [&bytes[..next.start], item, &bytes[next.end..]].concat(),
                ));
            }
            for (what, other) in variants {
                if other == bytes {
                    continue;
                }
                replace(&path, &other);
                assert_noticed(&workspace, &[&name], &format!("{name}, item {at} {what}"));
                changes += 1;
            }
        }
        replace(&path, &bytes);
    }
    assert!(changes > 50, "only {changes} changes");
    workspace.assert_verified();
}

/// Who changes an entry and everything that follows from it, but has no key, is left with the checkpoint.
#[test]
fn a_consistent_change_of_entry_hash_and_record_does_not_lead_to_the_signed_root() {
    let workspace = trail(3);
    for (name, entries, hashes) in [
        ("entry 1 removed", vec![0, 2], vec![0, 2]),
        ("entries 0 and 1 swapped", vec![1, 0, 2], vec![1, 0, 2]),
        ("entry 2 replaced by entry 0", vec![0, 1, 0], vec![0, 1, 0]),
    ] {
        let change = |file: &str, order: &[usize]| {
            let path = workspace.audit().join(file);
            let bytes = std::fs::read(&path).unwrap();
            let places = items(file, &bytes);
            let other: Vec<u8> = order
                .iter()
                .flat_map(|at| bytes[places[*at].clone()].to_vec())
                .collect();
            replace(&path, &other);
            (path, bytes)
        };
        let undo = [
            change("tile/entries/000.p/3", &entries),
            change("tile/0/000.p/3", &hashes),
        ];
        let report = workspace.verify().unwrap();
        assert!(!report.is_verified(), "{name}");
        let told = ["checkpoint", "tile/entries/000.p/3", "tile/0/000.p/3"];
        assert!(
            told.iter().any(|file| names(&report, file)),
            "{name}: {:#?}",
            report.problems
        );
        for (path, bytes) in undo {
            replace(&path, &bytes);
        }
    }
    workspace.assert_verified();
}

#[test]
fn a_copy_of_any_file_under_any_other_name_is_named() {
    let workspace = trail(3);
    let mut copies = 0;
    for (name, path) in signed_files(&workspace) {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
        for copy in [
            format!("{file}.bak"),
            file.replace("rp_", "rq_"),
            file.replace(".1.", ".0."),
            "9".to_owned(),
            "300".to_owned(),
            "000".to_owned(),
        ] {
            let to = workspace.audit().join(folder).join(&copy);
            if to.exists() {
                continue;
            }
            std::fs::copy(&path, &to).unwrap();
            let report = workspace.verify().unwrap();
            let relative = if folder.is_empty() {
                copy.clone()
            } else {
                format!("{folder}/{copy}")
            };
            // Beside the checkpoint nobody reads anything, and `9` is the name of a tile of a log that grew.
            if folder.is_empty() || (name.starts_with("tile/") && copy == "9") {
                assert!(report.is_verified(), "{name} as {copy}: {:#?}", report.problems);
                assert!(notes(&report, &relative), "{name} as {copy}: {:#?}", report.notes);
            } else {
                assert!(names(&report, &relative), "{name} as {copy}: {:#?}", report.problems);
            }
            std::fs::remove_file(to).unwrap();
            copies += 1;
        }
    }
    assert!(copies > 25, "only {copies} copies");
    assert_eq!(workspace.assert_verified().notes, []);
}

/// Writes a file that was not there, and says what verification tells of it: the problem, or else the note, that names it.
fn told_of(workspace: &Workspace, name: &str, bytes: &[u8]) -> (Option<String>, Option<String>) {
    let path = workspace.audit().join(name);
    assert!(!path.exists(), "{name}");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let report = workspace.verify().unwrap();
    std::fs::remove_file(&path).unwrap();
    let told = report.problem_count + report.note_count;
    assert!(told <= 1, "{name}: {report:#?}");
    let (problem, note) = (report.problems.into_iter().next(), report.notes.into_iter().next());
    let file = problem
        .as_ref()
        .map(|it| it.file.as_str())
        .or(note.as_ref().map(|it| it.file.as_str()));
    assert!(file.is_none_or(|file| file == name), "{name}: {file:?}");
    (problem.map(|it| it.what), note.map(|it| it.what))
}

#[test]
fn a_narrower_tile_is_the_beginning_of_the_wider_one_or_is_named() {
    let workspace = trail(258);
    let bytes = |name: &str| std::fs::read(workspace.audit().join(name)).unwrap();
    for whole in [
        "tile/0/000",
        "tile/entries/000",
        "tile/0/001.p/2",
        "tile/entries/001.p/2",
    ] {
        let all = bytes(whole);
        let places = items(whole, &all);
        let (place, _) = whole.split_once(".p/").unwrap_or((whole, ""));
        for width in [1, 2, 100, 255].into_iter().filter(|width| *width < places.len()) {
            let name = format!("{place}.p/{width}");
            let first = &all[..places[width - 1].end];
            assert_eq!(told_of(&workspace, &name, first), (None, None), "{name}");
            // What a crash can leave: its beginning, and sectors that were never written.
            let mut zeros = first.to_vec();
            zeros.iter_mut().skip(512).for_each(|byte| *byte = 0);
            let mut left = vec![&first[..first.len() - 1], &first[..first.len() / 2], &[]];
            left.extend((zeros != first).then_some(zeros.as_slice()));
            for cut in left {
                let (problem, note) = told_of(&workspace, &name, cut);
                assert_eq!(problem, None, "{name} with {} bytes", cut.len());
                assert!(note.unwrap().contains("cut off"), "{name} with {} bytes", cut.len());
            }
            // What none leaves.
            let mut other = Vec::new();
            for at in [0, first.len() / 2, first.len() - 1] {
                let mut changed = first.to_vec();
                changed[at] ^= 1;
                other.push(changed);
            }
            other.push([first, b"x"].concat());
            other.push(all[..places[width].end].to_vec());
            other.push([&all[places[width].clone()], first].concat()[..first.len()].to_vec());
            for changed in other {
                let (problem, note) = told_of(&workspace, &name, &changed);
                let what = problem.unwrap_or_else(|| panic!("{name}: {note:?}"));
                assert!(what.contains(&format!("contradicts `{whole}`")), "{name}: {what}");
            }
        }
    }
    // The edge at which the journal begins is such a tile too.
    for file in ["tile/0/000.p/254", "tile/entries/000.p/254"] {
        let right = bytes(file);
        let mut changed = right.clone();
        changed[right.len() - 1] ^= 1;
        replace(&workspace.audit().join(file), &changed);
        assert!(names(&workspace.verify().unwrap(), file), "{file}");
        replace(&workspace.audit().join(file), &right);
    }
    assert_eq!(workspace.assert_verified().notes, []);
}

#[test]
fn tiles_ahead_of_the_checkpoint_are_noted_and_those_that_contradict_it_are_problems() {
    let workspace = trail(258);
    let bytes = |name: &str| std::fs::read(workspace.audit().join(name)).unwrap();
    for (name, from) in [
        ("tile/0/001.p/3", "tile/0/001.p/2"),
        ("tile/0/001", "tile/0/001.p/2"),
        ("tile/0/002.p/1", "tile/0/000"),
        ("tile/0/x001/000", "tile/0/000"),
        ("tile/1/000.p/2", "tile/1/000.p/1"),
        ("tile/2/000.p/1", "tile/1/000.p/1"),
        ("tile/7/000", "tile/0/000"),
        ("tile/entries/001.p/200", "tile/entries/001.p/2"),
        ("tile/entries/x123/x456/789.p/7", "tile/entries/000"),
    ] {
        let (problem, note) = told_of(&workspace, name, &bytes(from));
        assert_eq!(problem, None, "{name}");
        assert!(note.unwrap().starts_with("no checkpoint covers it"), "{name}");
    }
    // Of a publication that was cut short before it had written much.
    let (problem, note) = told_of(&workspace, "tile/0/001.p/3", &bytes("tile/0/001.p/2")[..40]);
    assert!(problem.is_none() && note.is_some());
    for (name, from, whole) in [
        ("tile/0/001.p/3", "tile/0/000", "tile/0/001.p/2"),
        ("tile/0/001", "tile/0/000", "tile/0/001.p/2"),
        ("tile/1/000.p/2", "tile/0/001.p/2", "tile/1/000.p/1"),
        ("tile/entries/001.p/3", "tile/entries/000.p/254", "tile/entries/001.p/2"),
    ] {
        let (problem, _) = told_of(&workspace, name, &bytes(from));
        assert!(problem.unwrap().contains(&format!("contradicts `{whole}`")), "{name}");
    }
    workspace.assert_verified();
}

#[test]
fn what_is_no_tile_in_the_folder_of_tiles_is_named() {
    let workspace = trail(258);
    for name in [
        "tile/notes.txt",
        "tile/0/notes.txt",
        "tile/0/000.bak",
        "tile/0/0000",
        "tile/0/001.p/2.bak",
        "tile/0/001.p/02",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/entries/1",
    ] {
        let (problem, note) = told_of(&workspace, name, b"x");
        assert!(problem.unwrap().contains("no tile"), "{name}: {note:?}");
    }
    let audit = workspace.audit();
    assert_eq!(workspace.assert_verified().notes, []);
    // Folders without a tile are what a crash leaves; where files belong, or under other names, they are not.
    for folder in ["tile/0/x001", "tile/0/002.p", "tile/5"] {
        std::fs::create_dir(audit.join(folder)).unwrap();
    }
    assert_eq!(workspace.assert_verified().notes, []);
    for folder in ["tile/9", "tile/old", "tile/0/002", "tile/0/x000", "tile/0/000.p/7"] {
        std::fs::create_dir(audit.join(folder)).unwrap();
        assert!(names(&workspace.verify().unwrap(), folder), "{folder}");
        std::fs::remove_dir(audit.join(folder)).unwrap();
    }
    // A link is no tile, wherever it leads.
    for link in ["tile/0/001.p/1", "tile/0/001.p/9", "tile/0/x002"] {
        std::os::unix::fs::symlink(audit.join("tile/0/000"), audit.join(link)).unwrap();
        assert!(names(&workspace.verify().unwrap(), link), "{link}");
        std::fs::remove_file(audit.join(link)).unwrap();
    }
    assert_eq!(workspace.assert_verified().notes, []);
}

fn copy_folder(from: &Path, to: &Path) {
    for (name, path) in files(from) {
        let to = to.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
    }
}

/// What leaves a trail that verifies by itself: an earlier checkpoint is what tells.
#[test]
fn with_an_earlier_checkpoint_a_cut_a_rollback_and_a_rewritten_history_are_noticed() {
    let workspace = trail(20);
    let log = workspace.log();
    let since =
        |of: &Workspace, note: &str| verify_since(&dir(&of.audit()), &workspace.trusted(), ORIGIN, note.as_bytes());
    let rolled_back = Workspace::new();
    copy_folder(workspace.root.path(), rolled_back.root.path());
    let at_20 = log.checkpoint().unwrap().note;
    for n in 20..60 {
        append(&log, &format!("rp_{n}")).unwrap();
    }
    let at_60 = log.checkpoint().unwrap().note;
    assert_eq!(since(&workspace, &at_20).unwrap().now.size, 60);
    assert_eq!(since(&workspace, &at_60).unwrap().earlier.size, 60);

    // The whole folder as it was. Also after it went on from there, as far and further.
    rolled_back.assert_verified();
    let error = since(&rolled_back, &at_60).unwrap_err();
    assert!(matches!(error, SinceError::Cut { earlier: 60, now: 20 }), "{error}");
    let other = rolled_back.log();
    for n in 20..70 {
        append(&other, &format!("rq_{n}")).unwrap();
        if n == 59 || n == 69 {
            let error = since(&rolled_back, &at_60).unwrap_err();
            assert!(matches!(error, SinceError::Rewritten { size: 60, .. }), "{n}: {error}");
        }
    }
    rolled_back.assert_verified();
    since(&rolled_back, &at_20).unwrap();

    // Written anew with the key: one record removed, replaced, or two in another order.
    for (name, ids) in [
        (
            "removed",
            (0..61)
                .filter(|n| *n != 12)
                .map(|n| format!("rp_{n}"))
                .collect::<Vec<_>>(),
        ),
        (
            "replaced",
            (0..60)
                .map(|n| {
                    if n == 12 {
                        "rp_new".to_owned()
                    } else {
                        format!("rp_{n}")
                    }
                })
                .collect(),
        ),
        (
            "reordered",
            (0..60)
                .map(|n| {
                    format!(
                        "rp_{}",
                        match n {
                            12 => 13,
                            13 => 12,
                            n => n,
                        }
                    )
                })
                .collect(),
        ),
        (
            "added",
            (0..60)
                .flat_map(|n| {
                    if n == 12 {
                        vec!["rp_new".to_owned(), format!("rp_{n}")]
                    } else {
                        vec![format!("rp_{n}")]
                    }
                })
                .collect(),
        ),
    ] {
        let anew = Workspace::new();
        copy_folder(&workspace.root.path().join("keys"), &anew.root.path().join("keys"));
        let log = anew.log();
        for id in &ids {
            append(&log, id).unwrap();
        }
        anew.assert_verified();
        for (note, size) in [(&at_20, 20), (&at_60, 60)] {
            let error = since(&anew, note).unwrap_err();
            assert!(
                matches!(error, SinceError::Rewritten { size: told, .. } if told == size),
                "{name}: {error}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any edit of any file: bytes put in, taken out, overwritten.
    #[test]
    fn any_edit_of_any_file_is_noticed(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), 0usize..40, proptest::collection::vec(any::<u8>(), 0..40)), 1..4),
    ) {
        let workspace = trail(3);
        let all: Vec<(String, PathBuf)> = signed_files(&workspace).into_iter().collect();
        let mut original = BTreeMap::new();
        for (file, at, taken, put) in edits {
            let (name, path) = &all[file.index(all.len())];
            let bytes = std::fs::read(path).unwrap();
            original.entry(name.as_str()).or_insert((path, bytes.clone()));
            let at = at.index(bytes.len() + 1);
            let end = (at + taken).min(bytes.len());
            replace(path, &[&bytes[..at], &put, &bytes[end..]].concat());
        }
        let changed: Vec<&str> = original
            .iter()
            .filter(|(_, (path, bytes))| std::fs::read(path).unwrap() != *bytes)
            .map(|(name, _)| *name)
            .collect();
        if changed.is_empty() {
            workspace.assert_verified();
        } else {
            assert_noticed(&workspace, &changed, &format!("{changed:?}"));
        }
    }
}

#[test]
fn the_level_above_tells_whether_an_entry_or_its_hash_was_changed() {
    let workspace = trail(258);
    for (file, expected) in [
        ("tile/entries/000", "entry 1 was changed"),
        ("tile/0/000", "the hash of entry 1 in the tile was changed"),
        ("tile/entries/001.p/2", "entry 256 was changed"),
        ("tile/0/001.p/2", "the hash of entry 256 in the tile was changed"),
        ("tile/1/000.p/1", "hash 0 of the tile was changed"),
    ] {
        let path = workspace.audit().join(file);
        let bytes = std::fs::read(&path).unwrap();
        let mut other = bytes.clone();
        // In the first entry, or in the second of a full bundle or tile.
        let at = match file {
            "tile/entries/000" => 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) + 60,
            "tile/0/000" => 40,
            _ => 20,
        };
        other[at] ^= 1;
        replace(&path, &other);
        let found = problems(&workspace);
        // A record whose entry was changed has no entry any more, and is named too.
        let expected_count = if file.contains("entries") { 2 } else { 1 };
        assert_eq!(found.len(), expected_count, "{file}: {found:#?}");
        assert_eq!(found[0].file, file);
        assert!(found[0].what.starts_with(expected), "{file}: {}", found[0].what);
        replace(&path, &bytes);
    }
    workspace.assert_verified();
}

#[test]
fn a_removed_record_is_named_and_never_read() {
    let workspace = trail(3);
    std::fs::remove_file(record(&workspace, "rp_1")).unwrap();
    let found = problems(&workspace);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].index, found[0].id.as_deref()), (Some(1), Some("rp_1")));
    assert!(found[0].what.contains("missing"), "{}", found[0].what);
    let error = workspace.log().read("rp_1").unwrap_err();
    assert!(matches!(&error, AuditError::RecordTampered { index: 1, .. }), "{error}");
}

#[test]
fn swapped_records_are_both_named() {
    let workspace = trail(3);
    let (first, second) = (record(&workspace, "rp_0"), record(&workspace, "rp_2"));
    let (a, b) = (std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    replace(&first, &b);
    replace(&second, &a);
    let ids: Vec<_> = problems(&workspace)
        .into_iter()
        .filter_map(|problem| problem.id)
        .collect();
    assert_eq!(ids, ["rp_0", "rp_2"]);
    assert!(matches!(
        workspace.log().read("rp_0"),
        Err(AuditError::RecordTampered { index: 0, .. })
    ));
}

#[test]
fn copied_and_added_records_are_named() {
    let workspace = trail(3);
    let original = record(&workspace, "rp_0");
    // The same record again under another index, and under an id that nobody recorded.
    std::fs::copy(&original, original.with_file_name("rp_0.2.json")).unwrap();
    let stray = workspace.audit().join("records/000/rp_0.1.json");
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::copy(&original, &stray).unwrap();
    std::fs::write(original.with_file_name("notes.txt"), "x").unwrap();
    let found = problems(&workspace);
    let about = |end: &str| found.iter().filter(|problem| problem.file.ends_with(end)).count();
    assert!(
        about("rp_0.2.json") >= 1 && about("000/rp_0.1.json") >= 1 && about("notes.txt") == 1,
        "{found:#?}"
    );
    // The genuine one can still be read.
    assert_eq!(workspace.log().read("rp_0").unwrap().index, 0);
}

#[test]
fn a_record_resealed_by_another_key_is_named() {
    let (workspace, other) = (trail(2), trail(2));
    replace(
        &record(&workspace, "rp_1"),
        &std::fs::read(record(&other, "rp_1")).unwrap(),
    );
    let found = problems(&workspace);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id.as_deref(), Some("rp_1"));
}

#[test]
fn a_whole_trail_by_another_key_is_refused_with_the_keys_named() {
    let (workspace, other) = (trail(2), trail(2));
    let report = verify(&dir(&other.audit()), &workspace.trusted(), ORIGIN).unwrap();
    assert!(!report.is_verified() && report.checkpoint.is_none());
    assert!(
        report.problems[0].what.contains("no signature by a trusted key"),
        "{}",
        report.problems[0].what
    );
    // Under both keys it stands.
    let both = TrustedKeys::new(workspace.trusted().iter().chain(other.trusted().iter()).cloned());
    assert!(verify(&dir(&other.audit()), &both, ORIGIN).unwrap().is_verified());
    let opened = common::open_with(workspace.root.path(), Default::default());
    assert!(opened.is_ok());
    std::fs::remove_file(workspace.audit().join("checkpoint")).unwrap();
    std::fs::copy(other.audit().join("checkpoint"), workspace.audit().join("checkpoint")).unwrap();
    assert!(matches!(
        common::open(workspace.root.path()),
        Err(AuditError::Checkpoint(_))
    ));
}

#[test]
fn a_missing_checkpoint_never_starts_a_new_log() {
    let workspace = trail(1);
    std::fs::remove_file(workspace.audit().join("checkpoint")).unwrap();
    let error = common::open(workspace.root.path()).unwrap_err();
    assert!(matches!(&error, AuditError::CheckpointMissing { .. }), "{error}");
    assert!(matches!(workspace.verify(), Err(AuditError::CheckpointMissing { .. })));
    assert!(matches!(Workspace::new().verify(), Err(AuditError::NoLog)));
}

#[test]
fn a_log_that_is_rolled_back_under_a_running_process_is_noticed() {
    let workspace = trail(2);
    let old = std::fs::read(workspace.audit().join("checkpoint")).unwrap();
    let log = workspace.log();
    append(&log, "rp_new").unwrap();
    replace(&workspace.audit().join("checkpoint"), &old);
    let error = append(&log, "rp_newer").unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
}

#[test]
fn nothing_is_signed_on_top_of_a_tampered_edge() {
    for file in ["tile/0/000.p/3", "tile/entries/000.p/3"] {
        let workspace = trail(3);
        let path = workspace.audit().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[10] ^= 1;
        replace(&path, &bytes);
        let before = files(&workspace.audit());
        let error = common::open(workspace.root.path()).unwrap_err();
        assert!(matches!(&error, AuditError::Tampered { .. }), "{error}");
        assert_eq!(files(&workspace.audit()), before, "something was written");
    }
}

#[test]
fn entries_of_a_changed_bundle_are_not_returned() {
    let workspace = trail(300);
    let path = workspace.audit().join("tile/entries/000");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 1;
    replace(&path, &bytes);
    let log = workspace.log();
    let read: Vec<_> = log.entries().unwrap().collect();
    assert!(
        matches!(read.as_slice(), [Err(AuditError::Tampered { .. })]),
        "{} items",
        read.len()
    );
    assert_eq!(log.entries_from(256).unwrap().filter(Result::is_ok).count(), 44);
    assert!(matches!(log.read("rp_3"), Err(AuditError::Tampered { .. })));
}

#[test]
fn a_link_in_place_of_a_file_is_named_and_not_followed() {
    let workspace = trail(3);
    let path = record(&workspace, "rp_1");
    let elsewhere = workspace.root.path().join("elsewhere.json");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let found = problems(&workspace);
    assert_eq!(found.len(), 1);
    assert!(found[0].what.contains("link"), "{}", found[0].what);
    assert!(matches!(workspace.log().read("rp_1"), Err(AuditError::NotPlain { .. })));
    // Also when the target lies in the trail itself.
    std::fs::remove_file(&path).unwrap();
    let inside = workspace.audit().join("copy.json");
    std::fs::rename(&elsewhere, &inside).unwrap();
    std::os::unix::fs::symlink(&inside, &path).unwrap();
    assert_eq!(problems(&workspace).len(), 1);

    for file in ["lock", "checkpoint", "tile/0/000.p/3"] {
        let workspace = trail(3);
        let path = workspace.audit().join(file);
        let elsewhere = workspace.root.path().join("elsewhere");
        std::fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(common::open(workspace.root.path()).is_err(), "{file}");
    }
}

#[test]
fn modes_and_leftovers_are_notes() {
    let workspace = trail(3);
    let path = record(&workspace, "rp_1");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o444);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(workspace.audit().join("staging/tile"), "x").unwrap();
    std::fs::write(workspace.audit().join("unacknowledged/rp_9.3.json"), "x").unwrap();
    std::fs::copy(&path, record(&workspace, "rp_0").with_file_name("rp_0.17.json")).unwrap();
    let report = workspace.assert_verified();
    assert_eq!(report.note_count, 4, "{:#?}", report.notes);
    let about = |text: &str| {
        report
            .notes
            .iter()
            .any(|note| note.what.contains(text) || note.file.contains(text))
    };
    assert!(about("0644") && about("staging/tile") && about("unacknowledged/rp_9") && about("rp_0.17.json"));
}

//! Where things lie in the folder of the log. In: numbers and ids. Out: relative paths. Nothing is trusted, nothing fails.
//!
//! ```text
//! lock                                 held while appending
//! queue                                held by the next in line for the lock
//! sync                                 held while making the journal durable, for all who wait for that
//! checkpoint                           the signed note
//! journal                              appends that are durable and not yet in durable files of their own
//! tile/<level>/<n>[.p/<width>]         hash tiles        (C2SP tlog-tiles)
//! tile/entries/<n>[.p/<width>]         entry bundles     (C2SP tlog-tiles)
//! records/<shard>/<id>.<index>.json    one DSSE file per entry, mode 0444
//! staging/                             files of an append that is under way
//! unacknowledged/                      records of appends that a crash cut short
//! ```
//! The shard is the first three hex digits of the SHA-256 of the id: a million records are some 250 names in each of 4,096
//! folders, and one id is found without an index.

use crate::digest::Digest;
use crate::merkle::{TILE_WIDTH, TileId};

/// Mode of a record: nobody writes to it again.
pub(crate) const RECORD_MODE: u32 = 0o444;
/// Mode of tiles, bundles and checkpoints.
pub(crate) const TREE_MODE: u32 = 0o644;

pub(crate) const LOCK: &str = "lock";
pub(crate) const QUEUE: &str = "queue";
pub(crate) const SYNC: &str = "sync";
pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const TILES: &str = "tile";
pub(crate) const RECORDS: &str = "records";
pub(crate) const STAGING: &str = "staging";
pub(crate) const UNACKNOWLEDGED: &str = "unacknowledged";
pub(crate) const STAGED_TILE: &str = "staging/tile";
pub(crate) const STAGED_CHECKPOINT: &str = "staging/checkpoint";
pub(crate) const STAGED_RECORD: &str = "staging/record";
pub(crate) const STAGED_JOURNAL: &str = "staging/journal";
/// Names under which files are written before they get their own.
pub(crate) const STAGED: [&str; 4] = [STAGED_TILE, STAGED_CHECKPOINT, STAGED_RECORD, STAGED_JOURNAL];
/// Says that files which the journal covers could not be made durable: what the operating system shows of them may not be
/// on the disk, so they are written anew.
pub(crate) const SUSPECT: &str = "staging/suspect";

/// Path of a hash tile of this width.
pub(crate) fn tile(id: TileId, width: u64) -> String {
    numbered(&format!("{TILES}/{}", id.level), id.n, width)
}

/// Path of an entry bundle of this width.
pub(crate) fn bundle(n: u64, width: u64) -> String {
    numbered(&format!("{TILES}/entries"), n, width)
}

/// Folder of a record.
pub(crate) fn shard(id: &str) -> String {
    let digest = Digest::of(id.as_bytes()).to_string();
    format!("{RECORDS}/{}", digest.get(..3).unwrap_or_default())
}

/// Name of a record's file.
pub(crate) fn record_name(id: &str, index: u64) -> String {
    format!("{}{index}.json", record_beginning(id))
}

/// How the names of the files of a record begin, whatever its index.
pub(crate) fn record_beginning(id: &str) -> String {
    format!("{id}.")
}

/// Path of a record.
pub(crate) fn record(id: &str, index: u64) -> String {
    format!("{}/{}", shard(id), record_name(id, index))
}

/// Id and index that a file name says, if it is the name of a record.
pub(crate) fn parse_record_name(name: &str) -> Option<(&str, u64)> {
    let (id, index) = name.strip_suffix(".json")?.split_once('.')?;
    let number: u64 = index.parse().ok()?;
    (crate::entry::is_id(id) && number.to_string() == index).then_some((id, number))
}

/// The folders on the way to a path, outermost first.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// The folder of a path; empty for a name at the top.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The last name of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `<base>/x001/x234/067`, with `.p/<width>` unless the tile is full.
fn numbered(base: &str, n: u64, width: u64) -> String {
    let mut name = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        name = format!("x{:03}/{name}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH {
        format!("{base}/{name}.p/{width}")
    } else {
        format!("{base}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::{bundle, parents, parse_record_name, record, tile};
    use crate::merkle::TileId;

    #[test]
    fn tile_paths_are_those_of_the_specification() {
        assert_eq!(tile(TileId { level: 0, n: 1_234_067 }, 256), "tile/0/x001/x234/067");
        assert_eq!(tile(TileId { level: 1, n: 0 }, 3), "tile/1/000.p/3");
        assert_eq!(bundle(999, 1), "tile/entries/999.p/1");
        assert_eq!(bundle(1000, 256), "tile/entries/x001/000");
        assert_eq!(
            parents("tile/0/x001/000").collect::<Vec<_>>(),
            ["tile", "tile/0", "tile/0/x001"]
        );
    }

    #[test]
    fn record_names_are_read_back_and_nothing_else_is() {
        let path = record("rp_1a", 42);
        let name = path.rsplit('/').next().unwrap();
        assert_eq!(parse_record_name(name), Some(("rp_1a", 42)));
        for bad in [
            "rp_1a.042.json",
            "rp_1a.+42.json",
            "rp_1a.json",
            "..1.json",
            "rp_1a.42",
            "RP_1.2.json",
            "rp_1.-1.json",
        ] {
            assert_eq!(parse_record_name(bad), None, "{bad}");
        }
    }
}

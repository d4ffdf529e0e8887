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
//! staging/                             files of an append that is under way, and files that the next one writes over
//! unacknowledged/                      records of appends that a crash cut short
//! ```
//! The shard is the first three hex digits of the SHA-256 of the id: a million records are some 250 names in each of 4,096
//! folders, and one id is found without an index.

use crate::digest::Digest;
use crate::merkle::{MAX_TILE_LEVEL, TILE_WIDTH, TileId};

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
/// Where the next checkpoint is written; between appends, the one before the published one.
pub(crate) const STAGED_CHECKPOINT: &str = "staging/checkpoint";
/// An earlier partial bundle of the last bundle's place.
pub(crate) const SPARE_BUNDLE: &str = "staging/spare-bundle";
/// An earlier partial tile of the last tile's place on level 0.
pub(crate) const SPARE_TILE: &str = "staging/spare-tile";
pub(crate) const STAGED_RECORD: &str = "staging/record";
pub(crate) const STAGED_JOURNAL: &str = "staging/journal";
/// Names under which files are written before they get their own.
pub(crate) const STAGED: [&str; 3] = [STAGED_TILE, STAGED_RECORD, STAGED_JOURNAL];
/// Files that the next publication writes over, instead of making new ones.
pub(crate) const SPARES: [&str; 3] = [STAGED_CHECKPOINT, SPARE_BUNDLE, SPARE_TILE];
/// Says that files which the journal covers could not be made durable: what the operating system shows of them may not be
/// on the disk, so they are written anew.
pub(crate) const SUSPECT: &str = "staging/suspect";

/// What lies at the top, besides what witnesses signed.
pub(crate) const TOP: [&str; 9] = [
    LOCK,
    QUEUE,
    SYNC,
    CHECKPOINT,
    JOURNAL,
    TILES,
    RECORDS,
    STAGING,
    UNACKNOWLEDGED,
];

/// What the files of a folder in `tile/` hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreePart {
    /// Hashes of this level.
    Hashes(u8),
    /// Entries.
    Entries,
}

impl TreePart {
    /// What a folder of this name holds.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.as_bytes() {
            b"entries" => Some(Self::Entries),
            [digit @ b'0'..=b'9'] => Some(digit - b'0')
                .filter(|level| *level <= MAX_TILE_LEVEL)
                .map(Self::Hashes),
            _ => None,
        }
    }
}

/// What a name stands for where tiles are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbered {
    /// A folder of the tiles whose numbers begin so.
    Group(u64),
    /// A full tile.
    Full(u64),
    /// The folder of the partial tiles of a number.
    Partial(u64),
}

impl Numbered {
    /// What `name` stands for in the folder of the group `above`, which is 0 at the top.
    pub(crate) fn parse(name: &str, above: u64) -> Option<Self> {
        let number = |digits: &str| {
            let digits = Some(digits).filter(|digits| digits.len() == 3 && digits.bytes().all(|c| c.is_ascii_digit()));
            above.checked_mul(1000)?.checked_add(digits?.parse().ok()?)
        };
        match (name.strip_prefix('x'), name.strip_suffix(".p")) {
            // No number begins with zeros that it does not need.
            (Some(digits), _) => number(digits).filter(|n| *n > 0).map(Self::Group),
            (None, Some(digits)) => number(digits).map(Self::Partial),
            (None, None) => number(name).map(Self::Full),
        }
    }
}

/// Width that the name of a partial tile says.
pub(crate) fn parse_width(name: &str) -> Option<u64> {
    let width: u64 = name.parse().ok()?;
    ((1..TILE_WIDTH).contains(&width) && width.to_string() == name).then_some(width)
}

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
    use super::{Numbered, TreePart, bundle, parents, parse_record_name, parse_width, record, tile};
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

    /// Level or entries, number and width of a path, if it is the path of a tile.
    fn parsed(path: &str) -> Option<(TreePart, u64, u64)> {
        let mut names = path.strip_prefix("tile/")?.split('/');
        let part = TreePart::parse(names.next()?)?;
        let mut above = 0;
        loop {
            match Numbered::parse(names.next()?, above)? {
                Numbered::Group(n) => above = n,
                Numbered::Full(n) => return names.next().is_none().then_some((part, n, 256)),
                Numbered::Partial(n) => {
                    let width = parse_width(names.next()?)?;
                    return names.next().is_none().then_some((part, n, width));
                }
            }
        }
    }

    #[test]
    fn tile_paths_are_read_back_and_nothing_else_is() {
        for n in [0, 7, 999, 1000, 1_000_000, 1_234_067, u64::MAX / 256] {
            for width in [1, 255, 256] {
                assert_eq!(parsed(&bundle(n, width)), Some((TreePart::Entries, n, width)));
                let path = tile(TileId { level: 3, n }, width);
                assert_eq!(parsed(&path), Some((TreePart::Hashes(3), n, width)), "{path}");
            }
        }
        for bad in [
            "tile/8/000",
            "tile/00/000",
            "tile/Entries/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/+01",
            "tile/0/x000/001",
            "tile/0/x1/000",
            "tile/0/x001/x000/000.p",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/000.p/1.bak",
            "tile/0/000.bak",
            "tile/0/000.p/1/2",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/000",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
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

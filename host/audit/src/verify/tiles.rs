//! The folder of tiles: what lies there besides the tiles and bundles that the checkpoint stands for.
//!
//! **In**: the edge at the checkpoint that was verified, and the size of the log now. **Out**: a problem for a name that no tile of a
//! log has and for a file that contradicts the log, a note for one that no checkpoint covers and for one that was cut off.
//! **Trusted**: nothing; what a file is compared with was compared with the signed root before, or is named itself. **Can fail**:
//! [`AuditError`] when a folder cannot be listed.
//!
//! An honest log leaves narrower tiles (the edge at which the journal begins, and those of publications that were cut short) and
//! tiles ahead of its checkpoint, each of them whole, cut off, or with sectors that were never written. Their bytes never differ from
//! those of another file for the same places, so one that does was changed or added by somebody. Nobody who has the checkpoint
//! reads any of them; whoever has an earlier one may.

use std::io;

use super::journal::could_be_left_of;
use super::{VerifyReport, list};
use crate::edge::{RawEdge, TILE_BYTES};
use crate::entry::{MAX_BUNDLE_BYTES, split_bundle};
use crate::error::AuditError;
use crate::files::FileLayer;
use crate::layout::{self, Numbered, TreePart};
use crate::merkle::{TILE_WIDTH, TileId};

const NO_TILE: &str = "no tile or bundle of this log has this name";
const AHEAD: &str =
    "no checkpoint covers it: an append is under way, or was cut short and the next one takes its place";

/// Looks at everything in the folder of tiles. `newest_size` is the size of the log when the walk over its entries had ended.
pub(super) fn check_folder(
    files: &dyn FileLayer,
    edge: &RawEdge,
    newest_size: u64,
    report: &mut VerifyReport,
) -> Result<(), AuditError> {
    let walk = Walk {
        files,
        edge,
        newest_size,
    };
    for listed in list(files, layout::TILES)? {
        let folder = format!("{}/{}", layout::TILES, listed.name);
        match TreePart::parse(&listed.name).filter(|_| listed.is_dir) {
            Some(part) => walk.numbers(part, &folder, 0, report)?,
            None => report.problem(None, &folder, NO_TILE),
        }
    }
    Ok(())
}

struct Walk<'a> {
    files: &'a dyn FileLayer,
    edge: &'a RawEdge,
    newest_size: u64,
}

/// One place of the tree, and what is known of it.
struct Place {
    part: TreePart,
    n: u64,
    /// Items that the checkpoint states there.
    stated: u64,
    /// The file that has these; `None` if it cannot be had, or is wrong itself.
    whole: Option<Vec<u8>>,
}

impl Walk<'_> {
    /// A folder of numbers, all of which begin with `above`.
    fn numbers(&self, part: TreePart, folder: &str, above: u64, report: &mut VerifyReport) -> Result<(), AuditError> {
        for listed in list(self.files, folder)? {
            let path = format!("{folder}/{}", listed.name);
            match (Numbered::parse(&listed.name, above), listed.is_dir) {
                (Some(Numbered::Group(n)), true) => self.numbers(part, &path, n, report)?,
                (Some(Numbered::Partial(n)), true) => self.widths(part, n, &path, report)?,
                (Some(Numbered::Full(n)), false) => {
                    // A full one that the checkpoint states was verified with the entries.
                    if part.width(n, self.edge.size) < TILE_WIDTH {
                        let place = self.place(part, n, report);
                        self.compare(&place, TILE_WIDTH, &path, report);
                    }
                }
                _ => report.problem(None, &path, NO_TILE),
            }
        }
        Ok(())
    }

    /// The folder of the partial tiles of one place.
    fn widths(&self, part: TreePart, n: u64, folder: &str, report: &mut VerifyReport) -> Result<(), AuditError> {
        let mut known = None;
        for listed in list(self.files, folder)? {
            let path = format!("{folder}/{}", listed.name);
            match layout::parse_width(&listed.name).filter(|_| !listed.is_dir) {
                // Verified with the entries.
                Some(width) if width == part.width(n, self.edge.size) => {}
                Some(width) => {
                    let place = known.get_or_insert_with(|| self.place(part, n, report));
                    self.compare(place, width, &path, report);
                }
                None => report.problem(None, &path, NO_TILE),
            }
        }
        Ok(())
    }

    fn place(&self, part: TreePart, n: u64, report: &VerifyReport) -> Place {
        let stated = part.width(n, self.edge.size);
        let path = part.path(n, stated);
        let whole = match (stated, part) {
            (0, _) => None,
            (TILE_WIDTH, _) => self.files.read(&path, limit(part)).ok(),
            (_, TreePart::Entries) => self.edge.bundle.as_ref().and_then(|read| read.as_ref().ok()).cloned(),
            (_, TreePart::Hashes(level)) => {
                let id = TileId { level, n };
                let read = self.edge.tiles.iter().find(|(found, _)| *found == id);
                read.and_then(|(_, read)| read.as_ref().ok()).cloned()
            }
        };
        // What was changed says nothing about the others.
        let whole = whole.filter(|_| !report.problems.iter().any(|problem| problem.file == path));
        Place { part, n, stated, whole }
    }

    /// Compares a file with the one that the checkpoint states for the same place.
    fn compare(&self, place: &Place, width: u64, path: &str, report: &mut VerifyReport) {
        let found = match self.files.read(path, limit(place.part)) {
            Ok(found) => found,
            // A log that grows removes what it needs no more.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return report.problem(None, path, format!("the file cannot be read: {error}")),
        };
        let whole = place.whole.as_deref().map(|whole| place.part.first(whole, width));
        let whole_path = place.part.path(place.n, place.stated);
        let common = if width < place.stated {
            found.as_slice()
        } else {
            let length = whole.map_or(0, <[u8]>::len);
            found.get(..length).unwrap_or(&found)
        };
        if whole.is_some_and(|whole| !could_be_left_of(common, whole)) {
            report.problem(
                None,
                path,
                format!("it contradicts `{whole_path}`, which has other bytes in its places"),
            );
        } else if width > place.part.width(place.n, self.newest_size) {
            report.note(path, AHEAD);
        } else if width < place.stated && whole.is_some_and(|whole| whole != found) {
            let what = format!(
                "it was cut off: a process that died or a power loss left it beside `{whole_path}`, and nobody needs it"
            );
            report.note(path, what);
        }
    }
}

fn limit(part: TreePart) -> u64 {
    match part {
        TreePart::Hashes(_) => TILE_BYTES,
        TreePart::Entries => MAX_BUNDLE_BYTES,
    }
}

impl TreePart {
    /// Items at place `n` in a tree of `size` leaves: 0 (absent) to 256.
    fn width(self, n: u64, size: u64) -> u64 {
        let level = match self {
            Self::Hashes(level) => level,
            Self::Entries => 0,
        };
        TileId { level, n }.width(size)
    }

    fn path(self, n: u64, width: u64) -> String {
        match self {
            Self::Hashes(level) => layout::tile(TileId { level, n }, width),
            Self::Entries => layout::bundle(n, width),
        }
    }

    /// The first `count` items of a file, or all of it if it has no more.
    fn first(self, bytes: &[u8], count: u64) -> &[u8] {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let length = match self {
            Self::Hashes(_) => count.saturating_mul(HASH_BYTES),
            Self::Entries => split_bundle(bytes)
                .take(count)
                .flatten()
                .map(|leaf| LENGTH_BYTES + leaf.len())
                .sum(),
        };
        bytes.get(..length).unwrap_or(bytes)
    }
}

const HASH_BYTES: usize = 32;
/// Bytes of the length before each entry of a bundle.
const LENGTH_BYTES: usize = 2;

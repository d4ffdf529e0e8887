//! Bytes that can be read at any place, as often as one likes.
//!
//! **In**: an open file, or bytes in memory. **Out**: parts of them, each with readers of its own that do not disturb each other.
//! **Can fail**: reading.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;

use crate::bytes::from;

/// Which file a name leads to, whatever the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// The same, as a folder's handle tells it.
    pub(super) fn in_dir(metadata: &cap_std::fs::Metadata) -> Self {
        use cap_std::fs::MetadataExt as _;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

#[derive(Debug, Clone)]
enum Store {
    File(Arc<File>),
    Memory(Arc<Vec<u8>>),
}

/// A part of a file or of the memory.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    store: Store,
    start: u64,
    /// None: to the end, wherever that will be.
    len: Option<u64>,
}

impl Place {
    /// A plain file from where it stands; none for what can be read only once.
    pub(super) fn of_file(file: &File) -> Option<Self> {
        file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let mut file = file.try_clone().ok()?;
        let start = file.stream_position().ok()?;
        Some(Self {
            store: Store::File(Arc::new(file)),
            start,
            len: None,
        })
    }

    pub(crate) fn of_memory(bytes: Vec<u8>) -> Self {
        Self {
            store: Store::Memory(Arc::new(bytes)),
            start: 0,
            len: None,
        }
    }

    /// Whether reading it reads a disk.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.store, Store::File(_))
    }

    /// The bytes from `offset`, at most `len` of them.
    pub(super) fn part(&self, offset: u64, len: u64) -> Self {
        let left = self.len.map_or(u64::MAX, |mine| mine.saturating_sub(offset));
        Self {
            store: self.store.clone(),
            start: self.start.saturating_add(offset),
            len: Some(len.min(left)),
        }
    }

    /// How many bytes there are now.
    pub(super) fn len(&self) -> io::Result<u64> {
        let all = match &self.store {
            Store::File(file) => file.metadata()?.len(),
            Store::Memory(bytes) => bytes.len() as u64,
        };
        let there = all.saturating_sub(self.start);
        Ok(self.len.map_or(there, |len| len.min(there)))
    }

    pub(crate) fn reader(&self) -> PlaceReader {
        PlaceReader {
            place: self.clone(),
            position: 0,
        }
    }

    /// Up to `count` bytes from `offset`.
    pub(super) fn bytes(&self, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let part = self.part(offset, count as u64);
        part.reader().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len.map_or(u64::MAX, |len| len.saturating_sub(offset));
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let start = self.start.saturating_add(offset);
        match &self.store {
            Store::File(file) => file.read_at(buffer, start),
            Store::Memory(bytes) => {
                let mut rest = from(bytes, usize::try_from(start).unwrap_or(usize::MAX));
                rest.read(buffer)
            }
        }
    }
}

/// Reads a [`Place`] from its start.
#[derive(Debug)]
pub(crate) struct PlaceReader {
    place: Place,
    position: u64,
}

impl Read for PlaceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.place.read_at(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_at_their_place_and_never_beyond() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"0123456789").unwrap();
        file.seek(io::SeekFrom::Start(2)).unwrap();
        let of_file = Place::of_file(&file).unwrap();
        let of_memory = Place::of_memory(b"23456789".to_vec());
        for place in [of_file, of_memory] {
            assert_eq!(place.len().unwrap(), 8);
            assert_eq!(place.bytes(0, 100).unwrap(), b"23456789");
            let part = place.part(3, 4);
            assert_eq!((part.bytes(0, 9).unwrap(), part.len().unwrap()), (b"5678".to_vec(), 4));
            assert_eq!(part.part(1, 9).bytes(0, 9).unwrap(), b"678");
            assert_eq!(part.part(7, 9).bytes(0, 9).unwrap(), b"");
            assert_eq!(place.part(6, 9).len().unwrap(), 2);
        }
        // Where the file itself stands is not touched.
        assert_eq!(file.stream_position().unwrap(), 2);
        assert!(Place::of_file(&File::open("/dev/null").unwrap()).is_none());
    }
}

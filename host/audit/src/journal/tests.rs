//! Frames and headers: what is whole is read back, and whatever was changed is not taken for it.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::{ProptestConfig, any, proptest};

use super::{BLOCK_BYTES, FRAMES_START, Found, Frame, Header, Place, erase, read_frame, read_header, write_frame};
use crate::digest::Digest;
use crate::files::{DirFiles, FileLayer};
use crate::layout;

fn journal(bytes: &[u8]) -> (tempfile::TempDir, DirFiles, std::fs::File) {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join(layout::JOURNAL), bytes).unwrap();
    let files = DirFiles::new(Dir::open_ambient_dir(root.path(), ambient_authority()).unwrap());
    let file = files.open_existing(layout::JOURNAL).unwrap();
    (root, files, file)
}

fn header(generation: u64) -> Header {
    Header {
        generation,
        salt: "00112233445566778899aabbccddeeff".to_owned(),
        boot_id: Some("a-boot".to_owned()),
        base: "origin\n0\nroot\n\n\u{2014} origin sig\n".to_owned(),
    }
}

fn frame(bytes: usize) -> Frame {
    Frame {
        note: "a note\n".to_owned(),
        leaf: "a leaf\n".to_owned(),
        record: vec![7; bytes],
    }
}

#[test]
fn the_newer_whole_header_counts() {
    let (_root, files, file) = journal(&[]);
    assert_eq!(read_header(&files, &file).unwrap(), None);
    for generation in 0..3 {
        let block = header(generation).to_block().unwrap();
        files.write_at(&file, header(generation).offset(), &block).unwrap();
        assert_eq!(read_header(&files, &file).unwrap(), Some(header(generation)));
    }
    // Whatever is changed in the newer one, the older one counts.
    let block = header(2).to_block().unwrap();
    for at in 0..block.len() {
        let mut other = block.clone();
        other[at] ^= 1 << (at % 8);
        files.write_at(&file, header(2).offset(), &other).unwrap();
        assert_eq!(read_header(&files, &file).unwrap(), Some(header(1)), "byte {at}");
    }
    // A header in the other one's place is none.
    files.write_at(&file, header(1).offset(), &block).unwrap();
    assert_eq!(read_header(&files, &file).unwrap(), None);
}

#[test]
fn a_frame_counts_behind_the_one_it_was_written_behind_and_nowhere_else() {
    let (_root, files, file) = journal(&[]);
    let first = header(1).first();
    let second = write_frame(&files, &file, first, &frame(100)).unwrap();
    let third = write_frame(&files, &file, second, &frame(10_000)).unwrap();
    assert_eq!(second.offset, FRAMES_START + BLOCK_BYTES);
    assert_eq!(third.offset, second.offset + 3 * BLOCK_BYTES);
    assert_eq!(
        read_frame(&files, &file, first).unwrap(),
        Found::Frame(frame(100), second)
    );
    assert_eq!(
        read_frame(&files, &file, second).unwrap(),
        Found::Frame(frame(10_000), third)
    );
    assert_eq!(read_frame(&files, &file, third).unwrap(), Found::End);
    // Another generation, another frame before it.
    for chain in [header(2).first().chain, Digest([0; 32])] {
        let at = Place { chain, ..second };
        assert_eq!(read_frame(&files, &file, at).unwrap(), Found::End);
    }
    erase(&files, &file, second).unwrap();
    assert_eq!(read_frame(&files, &file, second).unwrap(), Found::End);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_changed_or_shortened_frame_is_whole(
        bytes in 0usize..9_000, at in any::<proptest::sample::Index>(), bit in 0u8..8, cut in any::<bool>(),
    ) {
        let first = header(1).first();
        let (written, _) = frame(bytes).to_bytes(first).unwrap();
        let used = 88 + 14 + bytes;
        let at = at.index(used);
        let mut other = vec![0; FRAMES_START as usize];
        other.extend_from_slice(&written);
        if cut {
            other.truncate(FRAMES_START as usize + at);
        } else {
            other[FRAMES_START as usize + at] ^= 1 << bit;
        }
        let (_root, files, file) = journal(&other);
        assert!(!matches!(read_frame(&files, &file, first).unwrap(), Found::Frame(..)));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        let mut other = vec![0; FRAMES_START as usize];
        // Behind the right magic and chain value, too.
        let first = header(1).first();
        let (written, _) = frame(10).to_bytes(first).unwrap();
        other.extend_from_slice(&written[..8]);
        other.extend_from_slice(&bytes);
        let (_root, files, file) = journal(&other);
        let _no_panic = (read_header(&files, &file).unwrap(), read_frame(&files, &file, first).unwrap());
    }
}

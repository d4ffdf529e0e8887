use proptest::prelude::*;

use super::*;

const PLAIN: &[u8] = include_bytes!("fixtures/plain.log");
/// Made by gzip, zstd, xz, bzip2 and lz4 themselves.
const COMPRESSED: [(Compression, &[u8]); 6] = [
    (Compression::Gzip, include_bytes!("fixtures/log.gz")),
    (Compression::Zstd, include_bytes!("fixtures/log.zst")),
    (Compression::Xz, include_bytes!("fixtures/log.xz")),
    (Compression::Bzip2, include_bytes!("fixtures/log.bz2")),
    (Compression::Lz4, include_bytes!("fixtures/log.lz4")),
    (Compression::Lz4, include_bytes!("fixtures/legacy.lz4")),
];

/// Gives a few bytes at a time.
struct Dripping(io::Cursor<Vec<u8>>, usize);

impl Read for Dripping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.1);
        self.0.read(&mut buffer[..count])
    }
}

/// What comes out before the end or an error, and the error.
fn decompress(bytes: &[u8], step: usize) -> (Vec<u8>, Option<io::Error>) {
    let Some(compression) = of_magic(bytes) else {
        return (Vec::new(), None);
    };
    let dripping = Dripping(io::Cursor::new(bytes.to_vec()), step);
    let mut out = Vec::new();
    let error = match decoder(compression, dripping) {
        Ok(mut decoder) => decoder.read_to_end(&mut out).err(),
        Err(error) => Some(error),
    };
    (out, error)
}

#[test]
fn each_tool_is_told_by_its_magic_and_read() {
    for (compression, bytes) in COMPRESSED {
        assert_eq!(of_magic(bytes), Some(compression));
        for step in [1, 3, 4096] {
            let (out, error) = decompress(bytes, step);
            assert!(error.is_none(), "{compression:?} {error:?}");
            assert!(out == PLAIN, "{compression:?}");
        }
    }
    assert_eq!(of_magic(PLAIN), None);
    assert_eq!(of_magic(b"BZh9 is no bzip2"), None);
    assert_eq!(of_magic(b""), None);
}

#[test]
fn what_was_concatenated_is_read_to_the_end() {
    for (compression, bytes) in &COMPRESSED {
        let (out, error) = decompress(&[*bytes, bytes, bytes].concat(), 5);
        assert!(error.is_none(), "{compression:?} {error:?}");
        assert!(out == [PLAIN, PLAIN, PLAIN].concat(), "{compression:?}");
    }
}

#[test]
fn frames_of_lz4_follow_each_other_in_any_order() {
    let (frame, legacy) = (COMPRESSED[4].1, COMPRESSED[5].1);
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
    for order in [
        vec![frame, legacy],
        vec![legacy, frame],
        vec![legacy, &skippable, legacy, frame, &skippable],
    ] {
        let logs = order.iter().filter(|bytes| **bytes != skippable).count();
        for step in [1, 7, 4096] {
            let (out, error) = decompress(&order.concat(), step);
            assert!(error.is_none(), "{error:?}");
            assert!(out == PLAIN.repeat(logs));
        }
        // Whatever is behind the last frame is told, and takes nothing away.
        for behind in [&b"junk"[..], &b"x"[..], &skippable[..9]] {
            let (out, error) = decompress(&[&order.concat(), behind].concat(), 4096);
            assert!(error.is_some() && out == PLAIN.repeat(logs), "{behind:?}");
        }
    }
    // A cut between two blocks of a frame is one, too: a frame says where it ends.
    for end in blocks_of(frame) {
        let (out, error) = decompress(&frame[..end], 4096);
        assert!(error.is_some() && PLAIN.starts_with(&out));
    }
}

/// Where the blocks of a frame without sizes and checksums of its blocks end, its header included.
fn blocks_of(frame: &[u8]) -> Vec<usize> {
    let header = 7 + if frame[4] & 0x08 == 0 { 0 } else { 8 };
    let mut ends = vec![header];
    loop {
        let place = *ends.last().unwrap();
        let length = u32::from_le_bytes(frame[place..place + 4].try_into().unwrap()) & 0x7fff_ffff;
        if length == 0 {
            return ends;
        }
        ends.push(place + 4 + length as usize);
    }
}

#[test]
fn a_cut_stream_gives_what_came_before_the_cut() {
    for (compression, bytes) in COMPRESSED {
        for cut in MAGIC_BYTES..bytes.len() {
            let (out, error) = decompress(&bytes[..cut], 4096);
            assert!(PLAIN.starts_with(&out), "{compression:?} cut at {cut}");
            assert!(error.is_some(), "{compression:?} cut at {cut}");
        }
    }
}

#[test]
fn a_window_larger_than_the_limit_is_refused_and_said() {
    for bytes in [
        &include_bytes!("fixtures/window.xz")[..],
        &include_bytes!("fixtures/window.zst")[..],
    ] {
        let (out, error) = decompress(bytes, 4096);
        assert!(out.is_empty());
        assert_eq!(why_broken(&error.unwrap()), "compression_window_too_large");
    }
    let (_, error) = decompress(&COMPRESSED[2].1[..200], 4096);
    assert_eq!(why_broken(&error.unwrap()), "truncated_compressed_stream");
}

proptest! {
    /// Bytes flipped anywhere give an error or other bytes, and nothing else.
    #[test]
    fn broken_streams_do_no_harm(which in 0..COMPRESSED.len(), flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut bytes = COMPRESSED[which].1.to_vec();
        for (place, byte) in flips {
            let place = MAGIC_BYTES.min(6) + place.index(bytes.len() - 6);
            bytes[place.min(COMPRESSED[which].1.len() - 1)] = byte;
        }
        if cut.index(3) == 0 {
            let length = cut.index(bytes.len());
            bytes.truncate(length);
        }
        let mut decoded = match of_magic(&bytes) {
            Some(compression) => decoder(compression, io::Cursor::new(bytes)).ok(),
            None => None,
        };
        if let Some(decoder) = decoded.as_mut() {
            let mut out = Vec::new();
            // A flipped length may make much of little.
            let _ = decoder.by_ref().take(1 << 24).read_to_end(&mut out);
        }
    }
}

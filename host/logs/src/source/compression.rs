//! Compressed input, told by its first bytes.
//!
//! **In**: a stream. **Out**: its bytes decompressed, one part of a concatenation after the other. **Trusted**: nothing: what is
//! decompressed is handed on as it comes, so a bomb costs time and no memory; a window that a file asks for is refused above
//! [`MAX_WINDOW_BYTES`]. **Can fail**: a stream that is broken or cut ends with an error after what could be decompressed.

mod lz4;

use std::io::{self, Read};

use crate::evidence::Compression;

/// Bytes that tell what a stream is.
pub(super) const MAGIC_BYTES: usize = 10;
/// Largest window a stream may ask for: that of `zstd --long`, twice that of `xz -9`.
const MAX_WINDOW_LOG: u32 = 27;
/// The same in bytes.
const MAX_WINDOW_BYTES: u32 = 1 << MAX_WINDOW_LOG;
/// What the decoder of xz needs besides its window.
const XZ_OVERHEAD_KIB: u32 = 512;
/// Compressed bytes read at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// The compression that the first bytes of a stream are of.
pub(super) fn of_magic(bytes: &[u8]) -> Option<Compression> {
    Some(match bytes {
        [0x1f, 0x8b, 0x08, ..] => Compression::Gzip,
        // A frame, or the skippable one that parallel compressors begin with.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        // A block, or the end of a stream that holds none.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Compression::Bzip2,
        // The frame format, or the legacy one.
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Compression::Lz4,
        _ => return None,
    })
}

/// Decompresses a stream.
pub(super) fn decoder(compression: Compression, input: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let input = io::BufReader::with_capacity(BUFFER_BYTES, input);
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let limit_kib = MAX_WINDOW_BYTES / 1024 + XZ_OVERHEAD_KIB;
            Box::new(lzma_rust2::XzReader::new_mem_limit(Whole(input), true, limit_kib))
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Compression::Lz4 => Box::new(lz4::Lz4::new(input)),
    })
}

/// The limitation that an error of a decoder is.
pub(super) fn why_broken(error: &io::Error) -> &'static str {
    let text = error.to_string();
    // As the decoders of xz and zstd say it; neither has a kind of error of its own for it.
    let too_large = ["mem_limit", "too much memory"];
    if error.kind() == io::ErrorKind::OutOfMemory || too_large.iter().any(|words| text.contains(words)) {
        "compression_window_too_large"
    } else {
        "truncated_compressed_stream"
    }
}

/// Reads as much as was asked for while there is something: the decoder of xz takes less for the end of the stream.
struct Whole<R>(R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if filled == 0 => return Err(error),
                // Comes again with the next read.
                Err(_) => break,
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests;

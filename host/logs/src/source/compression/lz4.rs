//! Streams of lz4: frames of the frame format and of the legacy one, one after the other in any order.
//!
//! The decoder of frames stops behind each, takes the end of the input between two blocks for the end of a frame, and reads of
//! the legacy format one frame only. So frames are told apart here, and those of the legacy format are read here: blocks with
//! their lengths in front, up to the end or the magic number of the next frame.

use std::io::{self, Chain, Cursor, Read};

use lz4_flex::frame::FrameDecoder;

const FRAME: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const LEGACY: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
/// What a block of the legacy format holds at most.
const LEGACY_BLOCK_BYTES: usize = 8 * 1024 * 1024;
/// What such a block is compressed to at worst.
const LEGACY_COMPRESSED_BYTES: usize = LEGACY_BLOCK_BYTES + LEGACY_BLOCK_BYTES / 255 + 16;

/// Decompresses such a stream.
pub(super) struct Lz4<R: Read>(State<R>);

enum State<R: Read> {
    /// A frame begins here, or the stream ends.
    Between(Watched<R>),
    Frame(Box<FrameDecoder<Begun<R>>>),
    Legacy(Box<Legacy<R>>),
    Ended,
}

/// A frame whose magic number was read.
type Begun<R> = Chain<Cursor<[u8; 4]>, Watched<R>>;

/// Remembers that the input ended.
struct Watched<R> {
    input: R,
    ended: bool,
}

struct Legacy<R> {
    input: Watched<R>,
    compressed: Vec<u8>,
    block: Vec<u8>,
    /// How much of the block was taken.
    taken: usize,
    /// The magic number of the next frame.
    next: Option<[u8; 4]>,
}

impl<R: Read> Lz4<R> {
    pub(super) fn new(input: R) -> Self {
        Self(State::Between(Watched { input, ended: false }))
    }

    /// Goes on to the next frame.
    fn next_frame(&mut self) -> io::Result<()> {
        let (mut input, magic) = match std::mem::replace(&mut self.0, State::Ended) {
            State::Between(input) => (input, None),
            State::Frame(decoder) => (decoder.into_inner().into_inner().1, None),
            State::Legacy(legacy) => (legacy.input, legacy.next),
            State::Ended => return Ok(()),
        };
        let Some(magic) = magic.map_or_else(|| input.word(), |magic| Ok(Some(magic)))? else {
            return Ok(());
        };
        self.0 = match magic {
            FRAME => State::Frame(Box::new(FrameDecoder::new(Cursor::new(magic).chain(input)))),
            LEGACY => State::Legacy(Box::new(Legacy {
                input,
                compressed: Vec::new(),
                block: Vec::new(),
                taken: 0,
                next: None,
            })),
            magic if is_skippable(magic) => {
                let length = input.word()?.ok_or(io::ErrorKind::UnexpectedEof)?;
                let length = u64::from(u32::from_le_bytes(length));
                let skipped = io::copy(&mut input.by_ref().take(length), &mut io::sink())?;
                if skipped < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                State::Between(input)
            }
            _ => return Err(broken("what follows a frame is none")),
        };
        Ok(())
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match &mut self.0 {
                State::Between(_) => 0,
                State::Frame(decoder) => {
                    let count = decoder.read(buffer)?;
                    // A whole frame ends with a mark, and nothing is read behind it.
                    if count == 0 && decoder.get_ref().get_ref().1.ended {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    count
                }
                State::Legacy(legacy) => legacy.read(buffer)?,
                State::Ended => return Ok(0),
            };
            if count > 0 {
                return Ok(count);
            }
            self.next_frame()?;
        }
    }
}

impl<R: Read> Watched<R> {
    /// The next four bytes; none at the end.
    fn word(&mut self) -> io::Result<Option<[u8; 4]>> {
        let mut bytes = Vec::with_capacity(4);
        self.by_ref().take(4).read_to_end(&mut bytes)?;
        match <[u8; 4]>::try_from(bytes.as_slice()) {
            Ok(word) => Ok(Some(word)),
            Err(_) if bytes.is_empty() => Ok(None),
            Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

impl<R: Read> Legacy<R> {
    /// Decompresses the next block; nothing behind the last one.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let mut ready = crate::bytes::from(&self.block, self.taken);
        let count = ready.read(buffer)?;
        self.taken += count;
        Ok(count)
    }

    fn next_block(&mut self) -> io::Result<bool> {
        let Some(word) = self.input.word()? else {
            return Ok(false);
        };
        if word == FRAME || word == LEGACY || is_skippable(word) {
            // Longer than any block.
            self.next = Some(word);
            return Ok(false);
        }
        let length = usize::try_from(u32::from_le_bytes(word)).unwrap_or(usize::MAX);
        if length > LEGACY_COMPRESSED_BYTES {
            return Err(broken("a block is longer than any can be"));
        }
        self.compressed.clear();
        let limit = length as u64;
        self.input.by_ref().take(limit).read_to_end(&mut self.compressed)?;
        if self.compressed.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.block.resize(LEGACY_BLOCK_BYTES, 0);
        self.taken = 0;
        match lz4_flex::block::decompress_into(&self.compressed, &mut self.block) {
            Ok(count) => self.block.truncate(count),
            Err(error) => {
                self.block.clear();
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        Ok(true)
    }
}

fn is_skippable(word: [u8; 4]) -> bool {
    matches!(word, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

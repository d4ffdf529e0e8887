//! A stream to its pieces: lines, or the objects of an array or one after the other, however they are laid out.

use super::{MAX_PIECE_BYTES, Out, Unwrap};
use crate::bytes::{at, from, slice};

/// What the pieces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    Lines,
    Objects,
    /// Of the first array in an object, for example `{"events": [{…}, …]}`.
    ObjectsInside,
}

/// The state between two feedings.
#[derive(Debug)]
pub(super) struct Split {
    pieces: Pieces,
    /// Begins with the piece that is not whole yet.
    pending: Vec<u8>,
    /// How far `pending` was looked at.
    scanned: usize,
    /// The piece is longer than any that is unwrapped, and `pending` holds none of it.
    too_long: bool,
    /// Braces and brackets that are open in the object.
    depth: u32,
    in_string: bool,
    /// What stands between two objects, to the end of the line.
    in_junk: bool,
    /// The array in the object has begun, or has ended.
    inside: bool,
    ended: bool,
    line_is_new: bool,
}

impl Split {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            pending: Vec::new(),
            scanned: 0,
            too_long: false,
            depth: 0,
            in_string: false,
            in_junk: false,
            inside: pieces != Pieces::ObjectsInside,
            ended: false,
            line_is_new: true,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], unwrap: &mut dyn Unwrap, out: &mut Out) {
        self.pending.extend_from_slice(bytes);
        let mut pending = std::mem::take(&mut self.pending);
        let done = match self.pieces {
            Pieces::Lines => self.lines(&pending, unwrap, out),
            Pieces::Objects | Pieces::ObjectsInside => self.objects(&pending, unwrap, out),
        };
        pending.drain(..done.min(pending.len()));
        self.scanned = self.scanned.saturating_sub(done);
        if pending.len() > MAX_PIECE_BYTES {
            self.too_long = true;
        }
        if self.too_long {
            // One byte may be the first half of an escape.
            let seen = self.scanned.min(pending.len());
            pending.drain(..seen);
            self.scanned = 0;
        }
        self.pending = pending;
    }

    pub(super) fn finish(&mut self, unwrap: &mut dyn Unwrap, out: &mut Out) {
        let rest = std::mem::take(&mut self.pending);
        if self.too_long {
            out.drop("entry_too_long");
        } else if self.pieces == Pieces::Lines && !rest.is_empty() {
            unwrap.piece(&rest, out);
        } else if self.depth > 0 {
            out.drop("invalid_envelope");
        }
    }

    /// Hands on whole lines; how many bytes they are.
    fn lines(&mut self, pending: &[u8], unwrap: &mut dyn Unwrap, out: &mut Out) -> usize {
        let mut start = 0;
        while let Some(newline) = memchr::memchr(b'\n', from(pending, self.scanned.max(start))) {
            let end = self.scanned.max(start) + newline;
            self.piece(slice(pending, start, end), unwrap, out);
            start = end + 1;
        }
        self.scanned = pending.len();
        start
    }

    fn piece(&mut self, piece: &[u8], unwrap: &mut dyn Unwrap, out: &mut Out) {
        if std::mem::take(&mut self.too_long) || piece.len() > MAX_PIECE_BYTES {
            out.drop("entry_too_long");
        } else {
            unwrap.piece(piece, out);
        }
    }

    /// Hands on whole objects; how many bytes they are, with what stands between them.
    fn objects(&mut self, pending: &[u8], unwrap: &mut dyn Unwrap, out: &mut Out) -> usize {
        let mut start = 0;
        let mut position = self.scanned;
        while position < pending.len() {
            let byte = at(pending, position);
            if self.in_string {
                match memchr::memchr3(b'"', b'\\', b'\n', from(pending, position)) {
                    None => position = pending.len(),
                    Some(found) => {
                        position += found;
                        match at(pending, position) {
                            b'"' => self.in_string = false,
                            b'\\' if position + 1 == pending.len() => break,
                            b'\\' => position += 1,
                            // No string goes over a line end: the object is broken.
                            _ => {
                                self.broken(out);
                                start = position;
                            }
                        }
                        position += 1;
                    }
                }
                continue;
            }
            let begins_line = std::mem::replace(&mut self.line_is_new, byte == b'\n');
            position += 1;
            if self.depth == 0 {
                start = position - 1;
                self.between(byte, out);
                continue;
            }
            match byte {
                // In a text with one object per line, the one before had no end.
                b'{' if begins_line => {
                    self.broken(out);
                    start = position - 1;
                    self.depth = 1;
                }
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.piece(slice(pending, start, position), unwrap, out);
                        start = position;
                    }
                }
                b'"' => self.in_string = true,
                _ => {}
            }
        }
        self.scanned = position;
        if self.depth == 0 { position } else { start }
    }

    /// A byte that stands between two objects, or begins one.
    fn between(&mut self, byte: u8, out: &mut Out) {
        if self.ended {
            return;
        }
        if !self.inside {
            self.inside = byte == b'[';
            return;
        }
        if self.in_junk {
            self.in_junk = byte != b'\n';
            return;
        }
        match byte {
            b'{' => self.depth = 1,
            b']' if self.pieces == Pieces::ObjectsInside => self.ended = true,
            b',' | b'[' | b']' | 0x1e => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                self.in_junk = true;
                out.drop("invalid_envelope");
            }
        }
    }

    fn broken(&mut self, out: &mut Out) {
        out.drop("invalid_envelope");
        self.too_long = false;
        self.in_string = false;
        self.depth = 0;
        self.line_is_new = true;
    }
}

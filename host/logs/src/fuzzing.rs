//! What the fuzz targets need and nobody else: inner parts under a feature of their own. No contract.

use crate::analysis::reduce_in_blocks;
use crate::normalise::{Lexer, normalise};
use crate::shapes::Shapes;
use crate::{LogError, Options, Part, Source};

/// [`crate::reduce`] of bytes, read in blocks of this size.
///
/// # Errors
/// As [`crate::reduce`].
pub fn reduce(bytes: Vec<u8>, options: &Options, block_bytes: usize) -> Result<Part, LogError> {
    let source = Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(bytes)));
    reduce_in_blocks(vec![source], options, &|_| {}, block_bytes)
}

/// Checks that a statement that has the shape of another one has its normal form.
///
/// # Panics
/// When it has not.
pub fn shapes_agree(sql: &[u8], other: &[u8]) {
    let mut shapes = Shapes::default();
    shapes.learn(sql, ());
    if shapes.find(other).is_some() {
        assert_eq!(normalise(sql), normalise(other));
    }
}

/// Whether the statement ends where the lexer is in no string, comment or name.
#[must_use]
pub fn ends_outside_tokens(sql: &[u8]) -> bool {
    let ended = [sql, b"\n;"].concat();
    let mut lexer = Lexer::new(&ended);
    let mut before = 0;
    while lexer.next_token().is_some() {
        if lexer.position() == ended.len() {
            return before < ended.len() && ended.get(before..).is_some_and(|last| last.trim_ascii() == b";");
        }
        before = lexer.position();
    }
    false
}

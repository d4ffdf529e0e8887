//! What others wrap around the server's lines: syslog, container runtimes, the logging services of clouds.
//!
//! **In**: bytes as they come, in pieces of any size. **Out**: what the server wrote, as it would stand in a file of its own: lines
//! for the stderr format, or jsonlog where the envelope has the columns. **Trusted**: nothing. Text in an envelope cannot
//! begin an entry: its further lines get the tab that the server writes before them, unless they are a DETAIL or the like of
//! the same head. **Can fail**: what cannot be unwrapped is counted by reason and left out; memory is bounded by
//! [`MAX_PIECE_BYTES`] and the limits of each envelope.
//!
//! What is read here was learnt from the server's own syslog code, the container runtime interface, the documentation of
//! CloudNativePG, and logs that people showed when they asked how to read them (Cloud SQL, Azure flexible server, RDS).

mod cloud;
mod containers;
mod object;
mod split;
mod syslog;
mod text;

use std::collections::BTreeMap;

use crate::bytes::{from, line_end, slice};
use crate::entry::MAX_ENTRY_BYTES;
use crate::evidence::Envelope;
use split::Split;

/// Longest line or object that is unwrapped: an entry of the greatest length, escaped.
const MAX_PIECE_BYTES: usize = 2 * MAX_ENTRY_BYTES;
/// Lines at the beginning that tell an envelope.
const MAX_LINES: usize = 200;
/// Wrapped more often than this is no log.
pub(crate) const MAX_LAYERS: usize = 3;

/// What the envelope must tell because the lines in it do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) time: bool,
    pub(crate) process: bool,
}

impl Stamp {
    /// What is written in front of each head, as a `log_line_prefix`.
    pub(crate) fn prefix(self) -> &'static str {
        match (self.time, self.process) {
            (true, true) => "%m [%p] ",
            (true, false) => "%m ",
            (false, true) => "[%p] ",
            (false, false) => "",
        }
    }
}

/// What comes out of an envelope.
#[derive(Debug, Default)]
struct Out {
    bytes: Vec<u8>,
    /// What was left out, by reason.
    dropped: BTreeMap<&'static str, u64>,
}

impl Out {
    fn drop(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
    }
}

/// One kind of envelope.
trait Unwrap: Send {
    /// Unwraps a line (without its end) or an object.
    fn piece(&mut self, piece: &[u8], out: &mut Out);
    /// The input ends.
    fn finish(&mut self, _out: &mut Out) {}
}

/// An envelope being taken off.
pub(crate) struct Layer {
    pub(crate) envelope: Envelope,
    unwrap: Box<dyn Unwrap>,
    split: Split,
    out: Out,
    taken: usize,
}

/// An envelope that was told, and where in it the pieces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) envelope: Envelope,
    pieces: split::Pieces,
}

/// Tells the envelope of what begins with the sample.
pub(crate) fn detect(sample: &[u8]) -> Option<Found> {
    let lines = Found::lines;
    if syslog::is_sample(sample) {
        return Some(lines(Envelope::Syslog));
    }
    if containers::is_cri_sample(sample) {
        return Some(lines(Envelope::Cri));
    }
    if cloud::is_tailed_sample(sample) {
        return Some(lines(Envelope::Cloudwatch));
    }
    object::of_sample(sample)
}

impl Found {
    fn lines(envelope: Envelope) -> Self {
        Self {
            envelope,
            pieces: split::Pieces::Lines,
        }
    }
}

/// What the heads of an envelope tell of each line.
pub(crate) fn tells(envelope: Envelope, sample: &[u8]) -> Stamp {
    match envelope {
        Envelope::Syslog => syslog::tells(sample),
        Envelope::GoogleCloud => Stamp {
            time: true,
            process: false,
        },
        Envelope::Azure => Stamp {
            time: true,
            process: true,
        },
        Envelope::Cri | Envelope::Docker | Envelope::Cloudnativepg | Envelope::Cloudwatch => Stamp::default(),
    }
}

/// Whether the first line and at least half of those at the beginning satisfy a condition.
fn most_lines(sample: &[u8], holds: impl Fn(&[u8]) -> bool) -> bool {
    let (mut all, mut good) = (0, 0);
    let mut position = 0;
    while position < sample.len() && all < MAX_LINES {
        let end = line_end(sample, position);
        let line = slice(sample, position, end);
        position = end + 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let here = holds(line);
        if all == 0 && !here {
            return false;
        }
        all += 1;
        good += usize::from(here);
    }
    good > 0 && good * 2 >= all
}

impl Layer {
    pub(crate) fn new(found: Found, stamp: Stamp, sample: &[u8]) -> Self {
        let unwrap: Box<dyn Unwrap> = match found.envelope {
            Envelope::Syslog => Box::new(syslog::Syslog::new(stamp, sample)),
            Envelope::Cri => Box::new(containers::Cri::default()),
            Envelope::Docker => Box::new(containers::Docker::default()),
            Envelope::Cloudnativepg => Box::new(containers::CloudNativePg),
            Envelope::GoogleCloud => Box::new(cloud::Google::new(stamp, found.pieces, sample)),
            Envelope::Azure => Box::new(cloud::Azure { stamp }),
            Envelope::Cloudwatch if found.pieces == split::Pieces::Lines => Box::new(cloud::Tailed),
            Envelope::Cloudwatch => Box::new(cloud::CloudWatch { stamp }),
        };
        Self {
            envelope: found.envelope,
            unwrap,
            split: Split::new(found.pieces),
            out: Out::default(),
            taken: 0,
        }
    }

    /// Takes more input.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.out.bytes.drain(..self.taken.min(self.out.bytes.len()));
            self.taken = 0;
        }
        self.split.feed(bytes, self.unwrap.as_mut(), &mut self.out);
    }

    /// The input ends.
    pub(crate) fn finish(&mut self) {
        self.split.finish(self.unwrap.as_mut(), &mut self.out);
        self.unwrap.finish(&mut self.out);
    }

    /// What came out and was not taken yet.
    pub(crate) fn ready(&self) -> &[u8] {
        from(&self.out.bytes, self.taken)
    }

    /// Takes the first `count` bytes of what is ready.
    pub(crate) fn take(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.out.bytes.len());
    }

    /// What was left out, by reason.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.out.dropped.iter().map(|(reason, count)| (*reason, *count))
    }
}

#[cfg(test)]
mod tests;

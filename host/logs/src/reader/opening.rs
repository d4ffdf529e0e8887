//! The beginning of a source: what it is compressed with and wrapped in, its format and prefix, and when it begins.
//!
//! **In**: an input. **Out**: the same input with what was read of it and how to go on ([`Opening`]). **Trusted**: nothing; only
//! the first [`SAMPLE_BYTES`] are looked at. **Can fail**: what is no log is refused with what it looks like instead.

use crate::account::shape;
use crate::entry::{Entry, Sink, Texts};
use crate::envelope::{self, Found, Layer, MAX_LAYERS, Stamp};
use crate::error::{LogError, NoLog};
use crate::evidence::{Format, SourceFile};
use crate::foreign;
use crate::format::{self, Layout};
use crate::prefix::{self, Memory, Prefix};
use crate::source::beginning::Beginning;
use crate::source::{Input, tar};

/// How far the start of a file is searched for something that is an entry.
pub(crate) const SAMPLE_BYTES: usize = 256 * 1024;

/// What a source begins with.
pub(crate) enum Opening {
    Log(Opened),
    /// Its members are the sources.
    Archive {
        input: Input,
        sample: Vec<u8>,
    },
    Empty {
        input: Input,
    },
}

/// A log, as far as its beginning tells.
pub(crate) struct Opened {
    pub(crate) input: Input,
    /// Read already.
    pub(crate) sample: Vec<u8>,
    /// Where in the file it begins: behind a byte order mark.
    pub(crate) offset: u64,
    pub(crate) layout: Layout,
}

/// Looks at the beginning of an input. `archives` says whether it may be one.
pub(crate) fn open(mut input: Input, given: Option<&Prefix>, path: &str, archives: bool) -> Result<Opening, LogError> {
    let failed = |source| LogError::Read {
        path: path.to_owned(),
        source,
    };
    let mut sample = Vec::new();
    input.read(&mut sample, SAMPLE_BYTES).map_err(failed)?;
    if archives && tar::is_archive(&sample) {
        return Ok(Opening::Archive { input, sample });
    }
    let mut offset = 0;
    if sample.starts_with(b"\xef\xbb\xbf") {
        offset = sample.drain(..3).len() as u64;
    }
    if sample.trim_ascii().is_empty() && sample.len() < SAMPLE_BYTES {
        return Ok(Opening::Empty { input });
    }
    let mut stamp = Stamp::default();
    for _ in 0..MAX_LAYERS {
        let Some(found) = envelope::detect(&sample) else { break };
        stamp = stamp_for(found, given, &sample);
        input.unwrap(found, stamp, &sample);
        offset = 0;
        sample.clear();
        input.read(&mut sample, SAMPLE_BYTES).map_err(failed)?;
    }
    if sample.trim_ascii().is_empty() {
        return Err(nothing_unwrapped(path));
    }
    let stamped = given.filter(|_| stamp != Stamp::default());
    let stamped = stamped.and_then(|given| Prefix::compile(&format!("{}{}", stamp.prefix(), given.as_str())).ok());
    let layout = layout_of(&sample, stamped.as_ref().or(given), path)?;
    Ok(Opening::Log(Opened {
        input,
        sample,
        offset,
        layout,
    }))
}

/// What the lines in an envelope do not tell, and the envelope does.
fn stamp_for(found: Found, given: Option<&Prefix>, sample: &[u8]) -> Stamp {
    let tells = envelope::tells(found.envelope, sample);
    if tells == Stamp::default() {
        return tells;
    }
    let mut layer = Layer::new(found, Stamp::default(), sample);
    layer.feed(sample);
    layer.finish();
    let bare = layer.ready();
    let detected = match given {
        Some(given) => Some(given.clone()),
        None if format::of_sample(bare).is_some() => None,
        None => prefix::detect(bare).or_else(|| Prefix::compile("").ok()),
    };
    detected.map_or(Stamp::default(), |prefix| Stamp {
        time: tells.time && !prefix.has_time(),
        process: tells.process && !prefix.has_process(),
    })
}

fn nothing_unwrapped(path: &str) -> LogError {
    LogError::NotALog {
        path: path.to_owned(),
        reason: NoLog::Other,
        why: "none of the lines in it is of a PostgreSQL server".to_owned(),
        remedy: "export the log of the server, and not only that of its operator or its host".to_owned(),
    }
}

/// What is known of a file before its log is.
pub(crate) fn source_file(path: String, input: &Input) -> SourceFile {
    SourceFile {
        path,
        format: None,
        log_line_prefix: None,
        compression: input.compression,
        envelopes: input.envelopes(),
        stream: None,
        beginning: None,
        window: None,
        bytes: 0,
        entries: 0,
        truncated_tail: false,
    }
}

impl Opened {
    /// What the entries of the sample tell.
    pub(crate) fn survey(&self) -> Survey {
        survey(&self.layout, &self.sample)
    }
}

/// What the entries of a piece of a log tell of it.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The instants of the first and the last entry that have one.
    pub(crate) ends: Option<(i64, i64)>,
    /// See [`Beginning`]; that of the log if the piece is its first.
    pub(crate) beginning: Option<String>,
}

/// Reads a piece of a log.
pub(crate) fn survey(layout: &Layout, bytes: &[u8]) -> Survey {
    #[derive(Default)]
    struct Found {
        ends: Option<(i64, i64)>,
        beginning: Beginning,
    }
    impl Sink for Found {
        fn entry(&mut self, entry: &Entry, _: &Texts) {
            if let Some(stamp) = entry.at {
                self.ends = Some((self.ends.map_or(stamp.at_us, |ends| ends.0), stamp.at_us));
            }
            self.beginning.entry(entry);
        }
        fn unparsed(&mut self, _: &'static str, _: std::ops::Range<usize>, _: &Texts) {}
    }
    let mut texts = Texts {
        block: bytes.to_vec(),
        ..Texts::default()
    };
    let mut found = Found::default();
    layout.parse(&mut texts, &mut Memory::default(), &mut found);
    Survey {
        ends: found.ends,
        beginning: found.beginning.digest(),
    }
}

fn layout_of(sample: &[u8], given: Option<&Prefix>, path: &str) -> Result<Layout, LogError> {
    let given_fits = given.is_some_and(|given| format::stderr::begins_with_entry(given, sample));
    match format::of_sample(sample).filter(|_| !given_fits) {
        Some(Format::Csv) => return Ok(Layout::Csv),
        Some(Format::Json) => return Ok(Layout::Json),
        Some(Format::Stderr) | None => {}
    }
    if let Some(given) = given {
        if format::stderr::has_entry(given, sample) {
            return Ok(Layout::Stderr(given.clone()));
        }
        let first_line = shape(sample);
        let detected = prefix::detect(sample).map(|prefix| prefix.as_str().to_owned());
        return Err(LogError::PrefixMismatch {
            path: path.to_owned(),
            prefix: given.as_str().to_owned(),
            first_line,
            detected,
        });
    }
    match prefix::detect(sample) {
        Some(prefix) => Ok(Layout::Stderr(prefix)),
        None => Err(not_a_log(sample, path)),
    }
}

fn not_a_log(sample: &[u8], path: &str) -> LogError {
    let first_line = format!(
        "its first line looks like `{}`, with `x` for letters and `9` for digits",
        shape(sample)
    );
    let reason = foreign::of_sample(sample).unwrap_or(NoLog::Other);
    let (why, remedy) = if reason == NoLog::Localized {
        (
            format!("its messages are translated ({first_line})"),
            "set lc_messages = 'C' on the server and reload it; what was logged before cannot be read".to_owned(),
        )
    } else if reason != NoLog::Other {
        let program = if reason == NoLog::Patroni {
            "Patroni"
        } else {
            "pgBouncer"
        };
        (
            format!("it is a log of {program}"),
            "name the log that the server itself writes".to_owned(),
        )
    } else if crate::part::begins_as_part(sample) {
        (
            "it is an evidence file".to_owned(),
            "name evidence files by their path, not through a pipe or in an archive".to_owned(),
        )
    } else if memchr::memchr(0, sample).is_some() {
        (
            "it is binary".to_owned(),
            "name the text, csv or json log that the server writes".to_owned(),
        )
    } else {
        (
            format!("nothing in its first lines is a log entry ({first_line})"),
            "if it is one, give its `SHOW log_line_prefix` as --log-line-prefix; messages must be in English \
             (lc_messages = C)"
                .to_owned(),
        )
    };
    LogError::NotALog {
        path: path.to_owned(),
        reason,
        why,
        remedy,
    }
}

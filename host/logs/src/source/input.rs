//! A source being read: counted, decompressed, unwrapped.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compression;
use super::place::Place;
use crate::bytes::up_to;
use crate::envelope::{Found, Layer, Stamp};
use crate::evidence::{Compression, Envelope};

/// Bytes that envelopes are taken off at a time.
const LAYER_BYTES: usize = 256 * 1024;

/// A source being read: counted, decompressed, unwrapped.
pub(crate) struct Input {
    bytes: Box<dyn Read + Send>,
    /// What comes from the disk is counted here, over all sources, and below, of this one. Bytes that are decompressed count where
    /// the decoder takes them.
    count: Arc<AtomicU64>,
    /// Bytes that came from where it is stored.
    stored_bytes: Arc<AtomicU64>,
    /// Envelopes to be taken off, outermost first.
    layers: Vec<Layer>,
    /// There is nothing more for the layers.
    layers_ended: bool,
    /// How it was compressed.
    pub(crate) compression: Option<Compression>,
    /// The compressed stream broke off here, and why.
    broken: Option<&'static str>,
}

impl Input {
    /// Begins to read; `count` is of what comes from the disk.
    pub(crate) fn open(mut source: Box<dyn Read + Send>, count: Arc<AtomicU64>) -> io::Result<Self> {
        let stored_bytes = Arc::new(AtomicU64::new(0));
        let mut magic = Vec::with_capacity(compression::MAGIC_BYTES);
        source
            .by_ref()
            .take(compression::MAGIC_BYTES as u64)
            .read_to_end(&mut magic)?;
        let compression = compression::of_magic(&magic);
        let bytes = match compression {
            Some(compression) => {
                for counter in [&count, &stored_bytes] {
                    counter.fetch_add(magic.len() as u64, Ordering::Relaxed);
                }
                let rest = Counted {
                    input: source,
                    counters: [Arc::clone(&count), Arc::clone(&stored_bytes)],
                };
                compression::decoder(compression, io::Cursor::new(magic).chain(rest))?
            }
            // Not through a reader of ours: only those of the standard library fill memory that was not cleared before.
            None => Box::new(io::Cursor::new(magic).chain(source)),
        };
        Ok(Self {
            bytes,
            count,
            stored_bytes,
            layers: Vec::new(),
            layers_ended: false,
            compression,
            broken: None,
        })
    }

    /// Takes another envelope off what is still to be read and off `sample`, which was read already and is read again.
    pub(crate) fn unwrap(&mut self, found: Found, stamp: Stamp, sample: &[u8]) {
        let mut layer = Layer::new(found, stamp, sample);
        layer.feed(sample);
        if self.layers_ended {
            layer.finish();
        }
        self.layers.push(layer);
    }

    /// Appends up to `count` bytes; fewer only at the end.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<usize> {
        if self.layers.is_empty() {
            return self.read_stored(buffer, count);
        }
        let mut missing = count;
        loop {
            if let Some(last) = self.layers.last_mut() {
                let ready = up_to(last.ready(), missing);
                let taken = ready.len();
                buffer.extend_from_slice(ready);
                last.take(taken);
                missing -= taken;
            }
            if missing == 0 || self.layers_ended {
                return Ok(count - missing);
            }
            self.feed_layers()?;
        }
    }

    /// Reads some more and sends it through the envelopes.
    fn feed_layers(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.layers_ended = self.read_stored(&mut bytes, LAYER_BYTES)? < LAYER_BYTES;
        let ended = self.layers_ended;
        let mut layers = self.layers.iter_mut();
        while let Some(layer) = layers.next() {
            layer.feed(&bytes);
            if ended {
                layer.finish();
            }
            if layers.len() > 0 {
                bytes.clear();
                bytes.extend_from_slice(layer.ready());
                layer.take(bytes.len());
            }
        }
        Ok(())
    }

    /// Bytes as they were before they were compressed.
    fn read_stored(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<usize> {
        if self.broken.is_some() {
            return Ok(0);
        }
        let before = buffer.len();
        buffer.reserve(count);
        let result = self.bytes.by_ref().take(count as u64).read_to_end(buffer);
        if self.compression.is_none() {
            for counter in [&self.count, &self.stored_bytes] {
                counter.fetch_add((buffer.len() - before) as u64, Ordering::Relaxed);
            }
        }
        match result {
            Ok(read) => Ok(read),
            // What was decompressed before the error is in the buffer already.
            Err(error) if self.compression.is_some() => {
                self.broken = Some(compression::why_broken(&error));
                Ok(buffer.len() - before)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the file that it comes from is shorter now than what was read of it, so that some of it was never seen.
    pub(crate) fn was_cut(&self, place: &Place) -> bool {
        let read = self.stored_bytes.load(Ordering::Relaxed);
        place.len().is_ok_and(|len| len < read)
    }

    /// What was unwrapped, outermost first.
    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        self.layers.iter().map(|layer| layer.envelope).collect()
    }

    /// What the envelopes held that could not be unwrapped, by reason.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.layers.iter().flat_map(Layer::dropped)
    }

    /// Why the compressed stream ended before its end, as a limitation.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        self.broken
    }
}

struct Counted {
    input: Box<dyn Read + Send>,
    counters: [Arc<AtomicU64>; 2],
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        for counter in &self.counters {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
        Ok(count)
    }
}

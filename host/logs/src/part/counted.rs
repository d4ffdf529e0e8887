//! Which logs were counted already, so that no entry is counted twice.
//!
//! **In**: the parts that are to be merged, one after the other. **Out**: what each has in common with those before
//! ([`Overlap`]); what follows from that is the caller's to decide. **Trusted**: nothing; a file that was made to deceive can hide
//! what it holds.
//!
//! The same export is told by its id, for certain, however often it was merged since. Two exports of one log have two ids: they
//! are told by how the log begins, and have entries in common if the times of those that were counted overlap. So a log that was
//! exported hour by hour adds up, as long as one window ends where the next begins. Where the windows touch, the entries of that
//! instant may be in both: that is told, and not worth a refusal.

use std::collections::BTreeMap;

use super::Part;
use crate::evidence::{SourceFile, Window};

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Counted {
    /// The names of the parts; none for logs.
    names: Vec<Option<String>>,
    /// By id: which part.
    exports: BTreeMap<String, usize>,
    /// By how they begin.
    logs: BTreeMap<String, Vec<Log>>,
}

/// A log that was counted.
#[derive(Debug)]
struct Log {
    /// Which part.
    part: usize,
    path: String,
    window: Window,
}

/// What a part has in common with those before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The name of the earlier part; none if it is one of logs.
    pub earlier: Option<String>,
    /// What both hold.
    pub common: Common,
}

/// What two parts hold both.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Common {
    /// The same export.
    Export {
        /// Its id.
        id: String,
        /// Its first file, as it was named where it was exported.
        path: String,
    },
    /// Entries of the same log.
    Log {
        /// The log, as it was named for the earlier part.
        earlier_path: String,
        /// The log, as it was named for the later part.
        path: String,
        /// First instant that both counted.
        since_us: i64,
        /// Last instant that both counted.
        until_us: i64,
        /// One ends at the instant at which the other begins, so that hardly anything was counted twice.
        is_touch: bool,
    },
}

impl Counted {
    /// Enters logs that were read just now: what two of them have in common.
    pub fn logs(&mut self, part: &Part) -> Vec<Overlap> {
        self.names.push(None);
        let mut overlaps = Vec::new();
        // One by one, so that each is compared with those before it.
        for file in &part.source.files {
            overlaps.extend(self.overlap(file));
            self.enter(file);
        }
        overlaps
    }

    /// Enters the part of an evidence file: what it has in common with the parts before. What its own logs have in common was told
    /// when it was made.
    pub fn file(&mut self, name: &str, part: &Part) -> Vec<Overlap> {
        self.names.push(Some(name.to_owned()));
        let same = part.exports.iter().filter_map(|export| {
            let earlier = self.exports.get(&export.id)?;
            Some(Overlap {
                earlier: self.name(*earlier),
                common: Common::Export {
                    id: export.id.clone(),
                    path: export.path.clone(),
                },
            })
        });
        let mut overlaps: Vec<Overlap> = same.collect();
        if overlaps.is_empty() {
            overlaps.extend(part.source.files.iter().filter_map(|file| self.overlap(file)));
        }
        let here = self.names.len() - 1;
        for export in &part.exports {
            self.exports.entry(export.id.clone()).or_insert(here);
        }
        for file in &part.source.files {
            self.enter(file);
        }
        overlaps
    }

    fn name(&self, part: usize) -> Option<String> {
        self.names.get(part).cloned().flatten()
    }

    /// What the file has in common with one that was counted: with the one of which most was counted twice.
    fn overlap(&self, file: &SourceFile) -> Option<Overlap> {
        let window = file.window?;
        let known = self.logs.get(file.beginning.as_ref()?)?;
        let overlaps = known.iter().filter_map(|log| Some((log, common(log.window, window)?)));
        let (log, common) = overlaps.max_by_key(|(_, common)| common.until_us.abs_diff(common.since_us))?;
        let ends_where_other_begins = log.window.until_us == window.since_us || window.until_us == log.window.since_us;
        Some(Overlap {
            earlier: self.name(log.part),
            common: Common::Log {
                earlier_path: log.path.clone(),
                path: file.path.clone(),
                since_us: common.since_us,
                until_us: common.until_us,
                is_touch: ends_where_other_begins && log.window != window,
            },
        })
    }

    fn enter(&mut self, file: &SourceFile) {
        let (Some(beginning), Some(window)) = (&file.beginning, file.window) else {
            return;
        };
        self.logs.entry(beginning.clone()).or_default().push(Log {
            part: self.names.len().saturating_sub(1),
            path: file.path.clone(),
            window,
        });
    }
}

/// The time that two windows have in common.
fn common(one: Window, other: Window) -> Option<Window> {
    let since_us = one.since_us.max(other.since_us);
    let until_us = one.until_us.min(other.until_us);
    (since_us <= until_us).then_some(Window { since_us, until_us })
}

#[cfg(test)]
mod tests;

//! A model of the protocol in `src/log.rs`, and every way it can go up to a bound.
//!
//! Writers append, are killed, find that a sync failed; the machine loses power; whoever comes next recovers. A step here is
//! one that others or a crash can see, and is named as in `src/log.rs`. What is checked in every state that can be reached:
//!
//! - what was acknowledged survives the worst that a power loss can do;
//! - nothing is in the log twice;
//! - the checkpoint that auditors see states nothing that such a loss takes away, and what they once saw stays as it was;
//! - the checkpoint that such a loss leaves is not older than the base of the journal, where recovery begins;
//! - from every state there is a way to one in which all is done.
//!
//! That the search can fail is shown by the same model with one step left out: each is found wrong.
//!
//! The explorer is breadth-first and a few lines long: the model checkers there are would bring an HTTP server and its
//! dependencies into the auditor's crate.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a test may panic"
)]

use std::collections::{HashMap, VecDeque};

/// With this in the environment, the bounds are wider: minutes, and gigabytes of memory.
const AT_LENGTH: &str = "PG_LOGSTATS_AUDIT_TEST_AT_LENGTH";
/// Frames after which the journal is trimmed.
const FULL: usize = 2;

/// Where bytes of the journal are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bytes {
    /// In memory, to be written at the next sync or before.
    Dirty,
    /// In memory only, though the operating system holds them for clean: a sync of them failed.
    Lost,
    Durable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// No process.
    Down,
    /// Has the lock at its start.
    Recovers,
    /// R2: files are written anew, and then the journal is begun anew.
    Restored,
    RestoredFiles,
    RestoredHeader,
    Idle,
    /// J1, J2.
    HasLock,
    /// T1, T2, T3 before its sync.
    TrimPublished,
    TrimFiles,
    TrimHeader,
    /// J3, its frame half-written.
    HalfWritten,
    /// J3 done, the lock released; the size with its frame.
    Written(usize),
    /// Has the file `sync`, or does without.
    Leading(usize),
    /// J4 begun, with what the journal held when it looked.
    Syncing(usize, usize),
    /// J4 done.
    Synced(usize, usize),
    /// J5, with the lock, its files written.
    Publishing(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Writer {
    step: Step,
    /// Appends it will still begin.
    left: u8,
    /// The operating system will tell its open file of a failed sync.
    owed_error: bool,
}

/// What a protocol that is wrong leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Lacks {
    Nothing,
    /// J4: the sync of the journal.
    SyncOfFrames,
    /// J5 after J4: the checkpoint states a frame as soon as it is written.
    WaitBeforePublishing,
    /// T1: the sync of the journal before a trim publishes it.
    SyncBeforeTrim,
    /// T2: taking away the checkpoint file that the next one is written over.
    RemovalOfSpare,
    /// T2: the sync of the files before the journal begins anew.
    SyncOfFiles,
    /// T3: the sync of the header before the edge of the earlier base goes.
    SyncOfHeader,
    /// R3: the sync of the frames that were found before they are published.
    SyncOfWhatWasFound,
    /// R3: writing once more what a failed sync may have lost, before that sync.
    WritingOnceMore,
    /// R2: the sync of the files that were written anew.
    SyncOfRestoredFiles,
    /// R2: the sync of the header of a log that was written anew.
    SyncOfRestoredHeader,
    /// The word of the operating system that an earlier sync failed.
    ErrorOfSync,
    /// J3: whoever was not told looks for the record before it appends it again.
    LookForItsId,
    /// J5: the release of the lock.
    Unlocking,
}

/// A state that must not be, or from which no way leads on.
#[derive(Debug)]
struct Wrong {
    what: &'static str,
    #[expect(dead_code, reason = "shown when a test fails")]
    state: Box<State>,
}

const CAN_BE_LOST: &str = "what was acknowledged can be lost";
const TWICE: &str = "an entry is there twice";
const STATED_TOO_EARLY: &str = "the checkpoint states what can be lost";
const TAKEN_BACK: &str = "what was seen is not there any more";
const BASE_IS_GONE: &str = "the base of the journal that a power loss leaves has no edge";
const OLDER_THAN_BASE: &str = "the checkpoint that a power loss leaves is older than the base of the journal";
const STUCK: &str = "no way leads on";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    lacks: Lacks,
    writers: Vec<Writer>,
    lock: Option<usize>,
    /// Who leads.
    sync: Option<usize>,
    /// Who appended each entry, and its how manieth that was: from index 0 on, whatever the base.
    log: Vec<(usize, u8)>,
    /// Where the frame of each entry is; irrelevant below the base.
    frames: Vec<Bytes>,
    /// A frame at the tip is half-written.
    torn: bool,
    /// The base of the generation, and where its header is.
    base: usize,
    header: Bytes,
    /// T4 took the edge of a base away that a power loss can bring back.
    base_is_gone: bool,
    /// Entries that the checkpoint states.
    published: usize,
    /// Entries that the disk may have in the file of the checkpoint, at least, unless it has no checkpoint there.
    checkpoint: usize,
    /// The same of the file that the next checkpoint is written over, if there is one.
    spare: Option<usize>,
    /// Entries whose files, and the checkpoint, are durable.
    files: usize,
    /// The machine was started anew, or a sync failed: what can be read says little.
    suspect: bool,
    acknowledged: Vec<(usize, u8)>,
    /// The longest log that auditors ever saw.
    seen: Vec<(usize, u8)>,
    kills: u8,
    losses: u8,
    failures: u8,
}

impl State {
    fn new(writers: usize, appends: u8, kills: u8, losses: u8, failures: u8) -> Self {
        let writer = Writer {
            step: Step::Down,
            left: appends,
            owed_error: false,
        };
        Self {
            lacks: Lacks::Nothing,
            writers: vec![writer; writers],
            lock: None,
            sync: None,
            log: Vec::new(),
            frames: Vec::new(),
            torn: false,
            base: 0,
            header: Bytes::Durable,
            base_is_gone: false,
            published: 0,
            checkpoint: 0,
            spare: None,
            files: 0,
            suspect: false,
            acknowledged: Vec::new(),
            seen: Vec::new(),
            kills,
            losses,
            failures,
        }
    }

    /// Entries that no power loss takes away.
    fn safe(&self) -> usize {
        let durable = |frame: &&Bytes| **frame == Bytes::Durable;
        let frames = self.frames[self.base..].iter().take_while(durable).count();
        // What stands below the base is in files, or nowhere.
        let in_journal = if self.header == Bytes::Durable && self.files >= self.base {
            self.base + frames
        } else {
            0
        };
        in_journal.max(self.files)
    }

    /// What is wrong with this state.
    fn wrong(&self) -> Option<&'static str> {
        let safe = self.safe();
        let twice = |(at, entry): (usize, &(usize, u8))| self.log[..at].contains(entry);
        assert!(self.base <= self.log.len() && self.files <= self.log.len());
        if self.acknowledged.iter().any(|entry| !self.log[..safe].contains(entry)) {
            Some(CAN_BE_LOST)
        } else if self.log.iter().enumerate().any(twice) {
            Some(TWICE)
        } else if self.published > safe {
            Some(STATED_TOO_EARLY)
        } else if !self.log.starts_with(&self.seen) {
            Some(TAKEN_BACK)
        } else if self.base_is_gone {
            Some(BASE_IS_GONE)
        } else if self.checkpoint < self.base {
            Some(OLDER_THAN_BASE)
        } else {
            None
        }
    }

    fn is_done(&self) -> bool {
        self.writers
            .iter()
            .all(|writer| writer.step == Step::Idle && writer.left == 0)
    }

    fn publish(&mut self, size: usize) {
        if size > self.published {
            // The disk has the older bytes of a file for as long as it likes.
            let written = self.spare.unwrap_or(size);
            self.spare = Some(std::mem::replace(&mut self.checkpoint, written));
        }
        self.published = size;
        if size > self.seen.len() {
            self.seen = self.log[..size].to_vec();
        }
    }

    /// A sync of what the journal held up to `size`.
    fn synced(&mut self, size: usize) {
        for bytes in self.frames[..size].iter_mut().chain([&mut self.header]) {
            if *bytes == Bytes::Dirty {
                *bytes = Bytes::Durable;
            }
        }
    }

    /// `writer` syncs, unless it lacks `this`: it works, or the error that it is owed comes, or this one fails and everybody is
    /// owed an error.
    fn sync(&self, this: Lacks, writer: usize, size: usize, then: impl Fn(&mut Self)) -> Vec<Self> {
        let mut next = Vec::new();
        if self.lacks == this {
            let mut goes_on = self.clone();
            then(&mut goes_on);
            return vec![goes_on];
        }
        let mut broken = self.clone();
        broken.stop(writer);
        // A failure in a trim or a recovery leaves the mark.
        broken.suspect |= self.lock == Some(writer);
        if self.writers[writer].owed_error && self.lacks != Lacks::ErrorOfSync {
            return vec![broken];
        }
        let mut works = self.clone();
        works.synced(size);
        then(&mut works);
        next.push(works);
        if self.failures > 0 {
            broken.failures -= 1;
            for bytes in broken.frames.iter_mut().chain([&mut broken.header]) {
                if *bytes == Bytes::Dirty {
                    *bytes = Bytes::Lost;
                }
            }
            for other in &mut broken.writers {
                other.owed_error = other.step != Step::Down;
            }
            next.push(broken);
        }
        next
    }

    /// The lead ends, if it is this writer's.
    fn follow(&mut self, writer: usize) {
        if self.sync == Some(writer) {
            self.sync = None;
        }
    }

    /// The process ends; its locks are free.
    fn stop(&mut self, writer: usize) {
        if self.lock == Some(writer) {
            self.lock = None;
        }
        self.follow(writer);
        let step = self.writers[writer].step;
        self.torn |= step == Step::HalfWritten;
        let waits = matches!(
            step,
            Step::Written(_) | Step::Leading(_) | Step::Syncing(..) | Step::Synced(..) | Step::Publishing(_)
        );
        // Otherwise it is told that its id is taken, and so that it was recorded.
        self.writers[writer].left += u8::from(waits && self.lacks == Lacks::LookForItsId);
        self.writers[writer].step = Step::Down;
        self.writers[writer].owed_error = false;
    }

    fn with(&self, writer: usize, step: Step, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        next.writers[writer].step = step;
        change(&mut next);
        next
    }

    fn steps_of(&self, writer: usize) -> Vec<Self> {
        let size = self.log.len();
        let unlock = |state: &mut Self| state.lock = None;
        match self.writers[writer].step {
            Step::Down if self.lock.is_none() => {
                vec![self.with(writer, Step::Recovers, |state| state.lock = Some(writer))]
            }
            // R1; then R2 or R3: the frames and the header are written once more and made durable.
            Step::Recovers if self.suspect || size > self.published || self.published == self.base => {
                let mut adopted = self.clone();
                adopted.torn = false;
                let first = if self.suspect { self.base } else { self.published };
                for bytes in adopted.frames[first..].iter_mut().chain([&mut adopted.header]) {
                    if self.lacks != Lacks::WritingOnceMore {
                        *bytes = Bytes::Dirty.min_of(*bytes);
                    }
                }
                let step = if self.suspect { Step::Restored } else { Step::Idle };
                adopted.sync(Lacks::SyncOfWhatWasFound, writer, size, |state| {
                    state.writers[writer].step = step;
                    state.publish(size);
                    if step == Step::Idle {
                        state.lock = None;
                    }
                })
            }
            Step::Recovers => vec![self.with(writer, Step::Idle, |state| {
                state.torn = false;
                unlock(state);
            })],
            Step::Restored => vec![self.with(writer, Step::RestoredFiles, |state| {
                state.sync_files(Lacks::SyncOfRestoredFiles);
            })],
            Step::RestoredFiles => vec![self.with(writer, Step::RestoredHeader, |state| state.begin_anew())],
            Step::RestoredHeader => self.sync(Lacks::SyncOfRestoredHeader, writer, size, |state| {
                state.remove_earlier_edge();
                state.suspect = false;
                state.writers[writer].step = Step::Idle;
                state.lock = None;
            }),
            Step::Idle if self.writers[writer].left > 0 && self.lock.is_none() => {
                vec![self.with(writer, Step::HasLock, |state| {
                    state.lock = Some(writer);
                    state.writers[writer].left -= 1;
                    state.torn = false;
                })]
            }
            // T1: durable, then published.
            Step::HasLock if size - self.base >= FULL => self.sync(Lacks::SyncBeforeTrim, writer, size, |state| {
                state.publish(size);
                state.writers[writer].step = Step::TrimPublished;
            }),
            Step::TrimPublished => vec![self.with(writer, Step::TrimFiles, |state| {
                state.sync_files(Lacks::SyncOfFiles);
            })],
            Step::TrimFiles => vec![self.with(writer, Step::TrimHeader, |state| state.begin_anew())],
            // T3, and then T4.
            Step::TrimHeader => self.sync(Lacks::SyncOfHeader, writer, size, |state| {
                state.remove_earlier_edge();
                state.writers[writer].step = Step::HasLock;
            }),
            Step::HasLock => vec![self.with(writer, Step::HalfWritten, |_| {})],
            Step::HalfWritten => vec![self.with(writer, Step::Written(size + 1), |state| {
                let entry = (writer, state.writers[writer].left);
                state.log.push(entry);
                state.frames.push(Bytes::Dirty);
                if state.lacks == Lacks::WaitBeforePublishing {
                    state.publish(size + 1);
                }
                unlock(state);
            })],
            // The mark is the checkpoint, read without the lock.
            Step::Written(mine) | Step::Leading(mine) if self.published >= mine => {
                vec![self.with(writer, Step::Idle, |state| state.acknowledge(writer))]
            }
            // It leads; or it waited too long for another one, who hangs, and does its own beside that one.
            Step::Written(mine) => vec![self.with(writer, Step::Leading(mine), |state| {
                state.sync = state.sync.or(Some(writer));
            })],
            // It looks how far the journal goes, which needs the lock for a moment, or could not.
            Step::Leading(mine) => {
                let mut held = vec![mine];
                if self.lock.is_none() && size > mine {
                    held.push(size);
                }
                let begun = |held| self.with(writer, Step::Syncing(mine, held), |_| {});
                held.into_iter().map(begun).collect()
            }
            Step::Syncing(mine, held) => self.sync(Lacks::SyncOfFrames, writer, held, |state| {
                state.writers[writer].step = Step::Synced(mine, held);
            }),
            Step::Synced(_, held) if self.lock.is_none() => {
                if self.published >= held {
                    return vec![self.with(writer, Step::Idle, |state| state.acknowledge(writer))];
                }
                vec![self.with(writer, Step::Publishing(held), |state| state.lock = Some(writer))]
            }
            Step::Publishing(held) => vec![self.with(writer, Step::Idle, |state| {
                state.publish(held);
                state.acknowledge(writer);
                if state.lacks != Lacks::Unlocking {
                    unlock(state);
                }
            })],
            Step::Down | Step::Idle | Step::Synced(..) => Vec::new(),
        }
    }

    /// T2: the files that the journal stands for.
    fn sync_files(&mut self, this: Lacks) {
        if self.lacks != Lacks::RemovalOfSpare {
            self.spare = None;
        }
        if self.lacks != this {
            self.files = self.log.len();
            self.checkpoint = self.published;
        }
    }

    /// T4.
    fn remove_earlier_edge(&mut self) {
        self.base_is_gone |= self.header != Bytes::Durable;
    }

    fn acknowledge(&mut self, writer: usize) {
        self.follow(writer);
        self.acknowledged.push((writer, self.writers[writer].left));
        self.acknowledged.sort_unstable();
    }

    /// T3: the header of the next generation, whose frames take the place of the earlier ones.
    fn begin_anew(&mut self) {
        self.base = self.log.len();
        self.header = Bytes::Dirty;
    }

    /// What a power loss can leave.
    fn losses(&self) -> Vec<Self> {
        let readable = self.frames[self.base..]
            .iter()
            .take_while(|frame| **frame != Bytes::Lost)
            .count();
        // Without this generation's header the files are all there is: its frames may have taken the place of earlier ones.
        let in_journal = match self.header {
            Bytes::Lost => self.files,
            Bytes::Dirty | Bytes::Durable => (self.base + readable).max(self.files),
        };
        let mut left = Vec::new();
        for size in self.safe()..=in_journal.max(self.safe()) {
            for published in [self.files, self.published] {
                let mut next = self.clone();
                next.losses -= 1;
                next.log.truncate(size);
                next.frames = vec![Bytes::Durable; size];
                next.base = self.base.min(size);
                next.header = Bytes::Durable;
                next.published = published;
                (next.checkpoint, next.spare) = (published, None);
                next.suspect = true;
                next.torn = size < self.log.len();
                for writer in 0..next.writers.len() {
                    next.stop(writer);
                }
                left.push(next);
            }
        }
        left
    }

    fn next(&self) -> Vec<Self> {
        let mut next = Vec::new();
        for writer in 0..self.writers.len() {
            next.extend(self.steps_of(writer));
            if self.kills > 0 && self.writers[writer].step != Step::Down {
                let mut killed = self.clone();
                killed.kills -= 1;
                killed.stop(writer);
                next.push(killed);
            }
        }
        if self.losses > 0 {
            next.extend(self.losses());
        }
        next
    }
}

impl Bytes {
    /// What is written once more: durable bytes stay durable, being the same.
    fn min_of(self, there: Self) -> Self {
        if there == Self::Durable { there } else { self }
    }
}

/// Looks at every state that can be reached, and says how many there are, or what is wrong with the first that is.
fn explore(first: State) -> Result<usize, Wrong> {
    let wrong = |what, state| {
        let state = Box::new(state);
        Err(Wrong { what, state })
    };
    let mut known = HashMap::from([(first.clone(), 0usize)]);
    let mut before: Vec<Vec<u32>> = vec![Vec::new()];
    let mut done = Vec::new();
    let mut queue = VecDeque::from([first]);
    while let Some(state) = queue.pop_front() {
        if let Some(what) = state.wrong() {
            return wrong(what, state);
        }
        let from = known[&state];
        if state.is_done() {
            done.push(from);
        }
        for next in state.next() {
            let count = known.len();
            let to = *known.entry(next.clone()).or_insert(count);
            if to == count {
                before.push(Vec::new());
                queue.push_back(next);
            }
            before[to].push(u32::try_from(from).unwrap());
        }
    }
    // Progress: walking backwards from what is done reaches everything.
    let mut leads_on = vec![false; before.len()];
    while let Some(state) = done.pop() {
        if !std::mem::replace(&mut leads_on[state], true) {
            done.extend(before[state].iter().map(|earlier| *earlier as usize));
        }
    }
    for (state, at) in known {
        if !leads_on[at] {
            return wrong(STUCK, state);
        }
    }
    Ok(leads_on.len())
}

/// [`explore`] of the protocol as it is.
fn explore_all(writers: usize, appends: u8, (kills, losses, failures): (u8, u8, u8)) -> usize {
    let states = explore(State::new(writers, appends, kills, losses, failures))
        .unwrap_or_else(|wrong| panic!("{kills} kills, {losses} power losses, {failures} failed syncs: {wrong:#?}"));
    println!(
        "{writers} writers of {appends} appends, {kills} kills, {losses} power losses, {failures} failed syncs: {states} states"
    );
    states
}

#[test]
fn every_interleaving_of_two_writers_and_three_appends_each_keeps_what_was_acknowledged() {
    for faults in [(0, 0, 0), (2, 0, 0), (0, 1, 1), (1, 1, 0), (1, 0, 1)] {
        assert!(explore_all(2, 3, faults) > 500);
    }
}

#[test]
fn every_interleaving_of_three_writers_keeps_what_was_acknowledged() {
    for faults in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
        assert!(explore_all(3, 1, faults) > 500);
    }
}

#[test]
fn every_interleaving_of_three_writers_and_two_faults_keeps_what_was_acknowledged() {
    if std::env::var_os(AT_LENGTH).is_none() {
        return;
    }
    for faults in [(1, 1, 0), (1, 0, 1), (0, 1, 1)] {
        assert!(explore_all(3, 1, faults) > 100_000);
    }
}

/// Each step is there for something: without it, the search finds what that is, under the faults that it takes and no others.
#[test]
fn a_protocol_that_lacks_a_step_is_found_wrong() {
    for (lacks, (kills, losses, failures), expected) in [
        (Lacks::SyncOfFrames, (0, 0, 0), CAN_BE_LOST),
        (Lacks::WaitBeforePublishing, (0, 0, 0), STATED_TOO_EARLY),
        (Lacks::SyncBeforeTrim, (0, 0, 0), STATED_TOO_EARLY),
        (Lacks::RemovalOfSpare, (0, 0, 0), OLDER_THAN_BASE),
        (Lacks::SyncOfFiles, (0, 0, 0), CAN_BE_LOST),
        (Lacks::SyncOfHeader, (0, 0, 0), BASE_IS_GONE),
        (Lacks::SyncOfWhatWasFound, (0, 0, 0), STATED_TOO_EARLY),
        (Lacks::WritingOnceMore, (0, 0, 1), STATED_TOO_EARLY),
        (Lacks::SyncOfRestoredFiles, (0, 1, 0), STATED_TOO_EARLY),
        (Lacks::SyncOfRestoredHeader, (0, 1, 0), BASE_IS_GONE),
        (Lacks::ErrorOfSync, (0, 0, 1), CAN_BE_LOST),
        (Lacks::LookForItsId, (1, 0, 0), TWICE),
        (Lacks::Unlocking, (0, 0, 0), STUCK),
    ] {
        let first = |kills, losses, failures| State {
            lacks,
            ..State::new(2, 3, kills, losses, failures)
        };
        let found = explore(first(kills, losses, failures)).map_err(|wrong| wrong.what);
        assert_eq!(found.err(), Some(expected), "{lacks:?}");
        if (kills, losses, failures) != (0, 0, 0) {
            let found = explore(first(0, 0, 0)).map_err(|wrong| wrong.what);
            assert_eq!(found.err(), None, "{lacks:?} without a fault");
        }
    }
}

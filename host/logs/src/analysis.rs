//! Sources to evidence, over threads.
//!
//! Threads take turns reading a block and work on their own blocks at the same time; findings are entered into the ledger in
//! the order of the blocks, whichever thread finished when. The memory of a block is used again, oldest first, and there is a
//! fixed number of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::LogError;
use crate::evidence::Evidence;
use crate::ledger::Ledger;
use crate::observation::Findings;
use crate::part::Part;
use crate::prefix::Prefix;
use crate::reader::{BLOCK_BYTES, Reader};
use crate::redaction::Redaction;
use crate::source::Source;
use crate::source::order::{self, Plan};
use crate::worker::{Window, Worker};

/// What to analyse and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server's setting; detected per file where it is none.
    pub log_line_prefix: Option<String>,
    /// Entries before are counted and set aside.
    pub since_us: Option<i64>,
    /// Entries after are counted and set aside.
    pub until_us: Option<i64>,
    /// Threads to work on; 0 for as many as are available.
    pub threads: usize,
    /// Most query families kept at the end (up to a quarter more while reading); what is folded is told as a limitation.
    pub max_families: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            log_line_prefix: None,
            since_us: None,
            until_us: None,
            threads: 0,
            max_families: 20_000,
        }
    }
}

/// How far an analysis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read, before decompression.
    pub bytes_read: u64,
    /// Bytes to read; none when a source is a stream.
    pub bytes_total: Option<u64>,
}

/// Analyses the sources in the order given. `progress` is called from the threads that work, a few times per megabyte at most.
///
/// The evidence is the same for any number of threads, and holds what [`Redaction::default`] keeps; [`reduce`] and [`Part::evidence`] leave
/// the choice.
///
/// # Errors
/// [`LogError`]: a prefix that is none or is not the file's, a file that is no log, a read that failed.
///
/// ```
/// use pg_logstats_logs::{Options, Source, analyse};
/// let log = b"2026-11-23 05:04:31.054 UTC [7] app@shop web: LOG:  duration: 1.500 ms  statement: SELECT 1\n";
/// let source = Source::stream("-".to_owned(), Box::new(&log[..]));
/// let evidence = analyse(vec![source], &Options::default(), &|_| {})?;
/// assert_eq!(evidence.families[0].statement, "select ?");
/// assert_eq!(evidence.total_duration_us, 1_500);
/// # Ok::<(), pg_logstats_logs::LogError>(())
/// ```
pub fn analyse(
    sources: Vec<Source>,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Evidence, LogError> {
    Ok(reduce(sources, options, progress)?.evidence(&Redaction::default()))
}

/// The same, as a part that can be merged with others before it becomes evidence.
///
/// # Errors
/// As [`analyse`].
pub fn reduce(sources: Vec<Source>, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Part, LogError> {
    reduce_in_blocks(sources, options, progress, BLOCK_BYTES)
}

/// The same with another size of blocks.
pub(crate) fn reduce_in_blocks(
    sources: Vec<Source>,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    block_bytes: usize,
) -> Result<Part, LogError> {
    let prefix = options.log_line_prefix.as_deref().map(Prefix::compile).transpose()?;
    let bytes_total = sources.iter().map(|source| source.len).sum();
    let bytes_read = Arc::new(AtomicU64::new(0));
    let any = !sources.is_empty();
    let only_found = any && sources.iter().all(|source| source.is_found);
    let first = sources.first();
    let (first, root) = first.map_or_else(Default::default, |first| (first.name.clone(), first.root().to_owned()));
    let Plan { sources, limitations } = order::plan(sources, prefix.as_ref())?;
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    let shop = Workshop {
        reader: Mutex::new(Reader::new(sources, prefix, block_bytes, Arc::clone(&bytes_read))),
        order: Mutex::new(Order {
            next: 0,
            waiting: BTreeMap::new(),
            recycled: (0..threads.saturating_mul(BLOCKS_PER_THREAD))
                .map(|_| Findings::default())
                .collect(),
            ledger: Ledger::new(options.max_families),
            error: None,
        }),
        turn: Condvar::new(),
        failed: AtomicBool::new(false),
    };
    let window = Window {
        since_us: options.since_us,
        until_us: options.until_us,
    };
    let tell = || {
        progress(Progress {
            bytes_read: bytes_read.load(Ordering::Relaxed),
            bytes_total,
        })
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let work = || shop.work(window, &tell);
            if let Err(source) = std::thread::Builder::new()
                .name("log-worker".to_owned())
                .spawn_scoped(scope, work)
            {
                shop.fail(LogError::Thread { source });
                break;
            }
        }
        shop.work(window, &tell);
    });
    let order = shop.order.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = order.error {
        return Err(error);
    }
    let mut read = shop.reader.into_inner().unwrap_or_else(PoisonError::into_inner).read;
    read.limitations.extend(limitations);
    if any && read.files.is_empty() {
        return Err(match only_found {
            true => LogError::EmptyFolder { path: root },
            false => LogError::EmptyArchive { path: first },
        });
    }
    Ok(order.ledger.close(read))
}

/// Blocks in memory for each thread: one in work, one that waits for its turn.
const BLOCKS_PER_THREAD: usize = 2;

/// What the threads share.
struct Workshop {
    reader: Mutex<Reader>,
    order: Mutex<Order>,
    /// The ledger moved on.
    turn: Condvar,
    failed: AtomicBool,
}

/// Findings on their way into the ledger.
struct Order {
    /// The block to be entered next.
    next: u64,
    waiting: BTreeMap<u64, Findings>,
    /// Memory to be used again.
    recycled: VecDeque<Findings>,
    ledger: Ledger,
    error: Option<LogError>,
}

impl Workshop {
    /// One thread's work: read, parse, enter, until the sources end.
    fn work(&self, window: Window, tell: &dyn Fn()) {
        let _alarm = Alarm(self);
        let mut worker = Worker::new(window);
        loop {
            let mut recycled = self.recycled();
            let buffer = std::mem::take(&mut recycled.texts.block);
            let marks = std::mem::take(&mut recycled.texts.marks);
            let block = match lock(&self.reader).next_block(buffer, marks) {
                Ok(Some(block)) if !self.failed.load(Ordering::Relaxed) => block,
                Ok(_) => return,
                Err(error) => {
                    self.fail(error);
                    return;
                }
            };
            tell();
            let sequence = block.sequence;
            let findings = worker.block(block, recycled);
            self.enter(sequence, findings);
        }
    }

    /// Memory for a block. Waits until some is free: the block whose turn it is has its memory, so there will be.
    fn recycled(&self) -> Findings {
        let mut order = lock(&self.order);
        loop {
            if let Some(findings) = order.recycled.pop_front() {
                return findings;
            }
            if self.failed.load(Ordering::Relaxed) {
                return Findings::default();
            }
            order = self.turn.wait(order).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands in findings and enters all whose turn it is.
    fn enter(&self, sequence: u64, findings: Findings) {
        let mut order = lock(&self.order);
        order.waiting.insert(sequence, findings);
        while let Some(findings) = {
            let next = order.next;
            order.waiting.remove(&next)
        } {
            order.ledger.enter(&findings);
            order.next += 1;
            order.recycled.push_back(findings);
            self.turn.notify_all();
        }
    }

    fn fail(&self, error: LogError) {
        let mut order = lock(&self.order);
        order.error.get_or_insert(error);
        self.failed.store(true, Ordering::Relaxed);
        self.turn.notify_all();
    }
}

/// Wakes the others when a thread ends by a panic, so that none waits for its block for ever.
struct Alarm<'s>(&'s Workshop);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
            let _order = lock(&self.0.order);
            self.0.turn.notify_all();
        }
    }
}

/// A panic of another thread is that thread's to report; the scope ends with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

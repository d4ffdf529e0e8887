//! Counts the newlines of a file with two threads and memchr: the least that any reader of lines does, to compare with.
//!
//! usage: `newlines FILE [THREADS=2]`. The threads read blocks of 1 MiB in turns from the same page cache, as the log engine does.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

const BLOCK_BYTES: usize = 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = File::open(arguments.next().ok_or("usage: newlines FILE [THREADS]")?)?;
    let threads: usize = arguments.next().map_or(Ok(2), |threads| threads.parse())?;
    let (next, lines) = (AtomicU64::new(0), AtomicU64::new(0));
    let scan = || -> std::io::Result<()> {
        let mut buffer = vec![0; BLOCK_BYTES];
        loop {
            let offset = next.fetch_add(BLOCK_BYTES as u64, Ordering::Relaxed);
            let read = file.read_at(&mut buffer, offset)?;
            let block = buffer.get(..read).unwrap_or_default();
            lines.fetch_add(memchr::memchr_iter(b'\n', block).count() as u64, Ordering::Relaxed);
            if read < BLOCK_BYTES {
                return Ok(());
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(scan)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })?;
    writeln!(std::io::stdout(), "{}", lines.into_inner())?;
    Ok(())
}

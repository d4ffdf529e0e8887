//! Making many files durable. In: paths, and what does it for one. Out: the first error, if any.

use std::io;

/// Files that are made durable at once: enough for the kernel to merge the flushes of the disk.
const SYNC_THREADS: usize = 64;
/// So few files are not worth a thread.
const SYNC_ALONE: usize = 16;

/// Calls `sync` for each path, in a few threads when there are many: one flush of the disk then serves several.
pub(super) fn sync_each(paths: &[String], sync: impl Fn(&str) -> io::Result<()> + Sync) -> io::Result<()> {
    if paths.len() < SYNC_ALONE {
        return paths.iter().try_for_each(|path| sync(path));
    }
    let sync = &sync;
    std::thread::scope(|scope| {
        let threads: Vec<_> = paths
            .chunks(paths.len().div_ceil(SYNC_THREADS))
            .map(|part| scope.spawn(move || part.iter().try_for_each(|path| sync(path))))
            .collect();
        let ended = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread that made files durable broke off")))
        });
        // All of them end before the first error is told.
        ended.collect::<Vec<_>>().into_iter().collect()
    })
}

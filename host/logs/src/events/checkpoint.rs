//! Checkpoints and restartpoints, from the messages of `log_checkpoints`.
//!
//! **In**: a message. **Out**: its figures. **Can fail**: another wording is no checkpoint. Wording: PostgreSQL 10 to 18,
//! `LogCheckpointStart` and `LogCheckpointEnd` of `xlog.c`.

use crate::bytes::{counted, labelled, up_to};
use crate::evidence::{Checkpoint, CheckpointCause, CheckpointKind};

/// Longer than any such message.
const MAX_BYTES: usize = 1_024;

/// Reads the causes of `checkpoint starting: time`.
pub(crate) fn starting(message: &[u8]) -> Vec<CheckpointCause> {
    let Some(colon) = memchr::memchr(b':', up_to(message, 64)) else {
        return Vec::new();
    };
    let words = up_to(message, MAX_BYTES).get(colon + 1..).unwrap_or_default();
    let mut causes: Vec<CheckpointCause> = words
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            b"shutdown" => CheckpointCause::Shutdown,
            b"end-of-recovery" => CheckpointCause::EndOfRecovery,
            b"immediate" | b"fast" => CheckpointCause::Immediate,
            b"force" => CheckpointCause::Force,
            b"wait" => CheckpointCause::Wait,
            b"wal" | b"xlog" => CheckpointCause::Wal,
            b"time" => CheckpointCause::Time,
            b"flush-all" | b"flush-unlogged" => CheckpointCause::FlushAll,
            _ => CheckpointCause::Other,
        })
        .collect();
    causes.sort_unstable();
    causes.dedup();
    causes
}

/// Reads `checkpoint complete: wrote 44 buffers (0.3%); …`; the causes are not in it.
pub(crate) fn complete(message: &[u8], at_us: i64) -> Option<Checkpoint> {
    let text = up_to(message, MAX_BYTES);
    let kind = if text.starts_with(b"checkpoint complete: wrote ") {
        CheckpointKind::Checkpoint
    } else if text.starts_with(b"restartpoint complete: wrote ") {
        CheckpointKind::Restartpoint
    } else {
        return None;
    };
    let seconds = |label: &str| labelled(text, label, 6);
    let kilobytes = |label: &str| labelled(text, label, 0).map(|kilobytes| kilobytes.saturating_mul(1_024));
    Some(Checkpoint {
        total_us: seconds(" total=")?,
        at_us,
        kind,
        causes: Vec::new(),
        buffers_written: counted(text, " buffers (")?,
        slru_buffers_written: counted(text, " SLRU buffers"),
        wal_files_added: counted(text, " WAL file(s) added")?,
        wal_files_removed: counted(text, " removed, ")?,
        wal_files_recycled: counted(text, " recycled; ")?,
        write_us: seconds(" write=")?,
        sync_us: seconds(" sync=")?,
        files_synced: labelled(text, "sync files=", 0).unwrap_or(0),
        longest_sync_us: seconds("longest=").unwrap_or(0),
        distance_bytes: kilobytes("distance=").unwrap_or(0),
        estimate_bytes: kilobytes("estimate=").unwrap_or(0),
    })
}

/// Reads the seconds of `checkpoints are occurring too frequently (9 seconds apart)`.
pub(crate) fn too_frequent(message: &[u8]) -> Option<u64> {
    labelled(up_to(message, MAX_BYTES), "too frequently (", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_versions_tell_their_figures() {
        let old = b"checkpoint complete: wrote 44 buffers (0.3%); 1 WAL file(s) added, 2 removed, 3 recycled; write=0.025 s, sync=1.013 s, \
            total=270.063 s; sync files=11, longest=0.011 s, average=0.001 s; distance=260 kB, estimate=16384 kB";
        let found = complete(old, 7).unwrap();
        let expected = Checkpoint {
            total_us: 270_063_000,
            at_us: 7,
            kind: CheckpointKind::Checkpoint,
            causes: vec![],
            buffers_written: 44,
            slru_buffers_written: None,
            wal_files_added: 1,
            wal_files_removed: 2,
            wal_files_recycled: 3,
            write_us: 25_000,
            sync_us: 1_013_000,
            files_synced: 11,
            longest_sync_us: 11_000,
            distance_bytes: 266_240,
            estimate_bytes: 16_777_216,
        };
        assert_eq!(found, expected);
        let new = b"restartpoint complete: wrote 3 buffers (0.0%), wrote 5 SLRU buffers; 0 WAL file(s) added, 0 removed, 12 recycled; \
            write=0.002 s, sync=0.001 s, total=0.010 s; sync files=2, longest=0.001 s, average=0.001 s; distance=0 kB, estimate=0 kB; \
            lsn=0/1551B60, redo lsn=0/1551B28";
        let found = complete(new, 0).unwrap();
        assert_eq!(found.kind, CheckpointKind::Restartpoint);
        assert_eq!(
            (
                found.buffers_written,
                found.slru_buffers_written,
                found.wal_files_recycled
            ),
            (3, Some(5), 12)
        );
        assert_eq!(complete(b"checkpoint complete: wrote many buffers", 0), None);
    }

    #[test]
    fn causes_and_warnings_are_told() {
        use CheckpointCause::{EndOfRecovery, FlushAll, Immediate, Other, Time, Wait, Wal};
        assert_eq!(starting(b"checkpoint starting: time"), [Time]);
        assert_eq!(
            starting(b"checkpoint starting: immediate wait flush-all"),
            [Immediate, Wait, FlushAll]
        );
        assert_eq!(starting(b"checkpoint starting: fast wait"), [Immediate, Wait]);
        assert_eq!(
            starting(b"restartpoint starting: end-of-recovery wal new-word"),
            [EndOfRecovery, Wal, Other]
        );
        assert!(starting(b"checkpoint starting:").is_empty());
        assert_eq!(
            too_frequent(b"checkpoints are occurring too frequently (9 seconds apart)"),
            Some(9)
        );
        assert_eq!(
            too_frequent(b"checkpoints are occurring too frequently (1 second apart)"),
            Some(1)
        );
    }
}

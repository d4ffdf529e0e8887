//! How bad a lag is, in one place, so that standbys and slots compare.

use pg_logstats_sdk::score;

/// From this score on there is a finding; below it, the figures are those of replication that works as it should.
pub(crate) const LOW: f64 = 0.2;

const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1_024.0 * MIB;

/// Seconds that a standby is behind: half a minute passes after a large transaction, five minutes are worth a look, after half an hour
/// a failover loses or waits for so much that it should not be counted on.
const SECONDS: &[(f64, f64)] = &[
    (0.0, 0.0),
    (5.0, 0.1),
    (30.0, 0.2),
    (300.0, 0.5),
    (1_800.0, 0.8),
    (7_200.0, 1.0),
];

/// Bytes that a standby is behind: a quarter of a GiB is some seconds of a busy server, four GiB are minutes on an ordinary network.
const BYTES: &[(f64, f64)] = &[
    (0.0, 0.0),
    (256.0 * MIB, 0.2),
    (4.0 * GIB, 0.5),
    (32.0 * GIB, 0.8),
    (256.0 * GIB, 1.0),
];

/// Seconds that a commit waits for a synchronous standby's disk: it is part of every transaction's time.
const COMMIT_SECONDS: &[(f64, f64)] = &[(0.0, 0.0), (0.2, 0.2), (1.0, 0.5), (10.0, 0.8), (60.0, 1.0)];

/// Bytes that a slot keeps and nobody comes for: they only grow, until the disk is full and the server stops.
const KEPT_FOR_NOBODY: &[(f64, f64)] = &[
    (0.0, 0.0),
    (256.0 * MIB, 0.2),
    (2.0 * GIB, 0.4),
    (8.0 * GIB, 0.6),
    (32.0 * GIB, 0.8),
    (256.0 * GIB, 1.0),
];

/// A slot that lost its WAL: its standby or subscriber has to be built anew, and nothing gets worse by waiting.
pub(crate) const SLOT_LOST: f64 = 0.6;
/// A slot whose WAL may go at the next checkpoint.
pub(crate) const SLOT_AT_RISK: f64 = 0.8;
/// A standby that receives nothing falls behind from now on.
pub(crate) const NOT_STREAMING: f64 = 0.5;
/// Old rows kept for a slot, in transactions, from which it is worth the `wraparound` runbook: what a long report keeps, too.
pub(crate) const OLD_ROWS: u64 = 20_000_000;

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// Of a lag by time.
pub(crate) fn of_time(us: u64) -> f64 {
    score::along(SECONDS, seconds(us))
}

/// Of a lag by bytes.
pub(crate) fn of_bytes(bytes: u64) -> f64 {
    score::along(BYTES, bytes as f64)
}

/// Of what commits wait for.
pub(crate) fn of_commit(us: u64) -> f64 {
    score::along(COMMIT_SECONDS, seconds(us))
}

/// Of what an unused slot keeps.
pub(crate) fn of_kept(bytes: u64) -> f64 {
    score::along(KEPT_FOR_NOBODY, bytes as f64)
}

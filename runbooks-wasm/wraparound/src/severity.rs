//! How bad an age is, in one place, so that databases, tables and horizons compare.

use pg_logstats_sdk::score;

/// Ids that the server assigns before it stops: half of 2³², but for the three million that are kept back for single-user mode.
pub(crate) const LIMIT: u64 = 2_147_483_647 - 3_000_000;
/// From this score on there is a finding; below it, the figures are those of a server that works as it should.
pub(crate) const LOW: f64 = 0.2;
/// Default of `vacuum_failsafe_age` and of its sister for multixacts.
pub(crate) const FAILSAFE_AGE: u64 = 1_600_000_000;

/// Which counter an age belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    Xid,
    Multixact,
}

impl Counter {
    /// The server's default of the age at which autovacuum is forced, for rows that do not tell the setting.
    pub(crate) fn default_freeze_max_age(self) -> u64 {
        match self {
            Self::Xid => 200_000_000,
            Self::Multixact => 400_000_000,
        }
    }
}

/// Autovacuum is forced at `freeze_max_age` and then takes its time, on a large table hours: overdue is what is a quarter past it.
pub(crate) fn is_overdue(age: u64, freeze_max_age: u64) -> bool {
    age as f64 > freeze_max_age as f64 * 1.25
}

/// The share of the limit that is used, as a curve. A tenth is where the default of `autovacuum_freeze_max_age` keeps a server; at a
/// quarter autovacuum has failed for long ("worth a look today"); at a half it fails still, and freezing a large table may take
/// days ("act now"); at three quarters the server drops its own cost limits. At the end it takes no writes.
const SHARE_USED: &[(f64, f64)] = &[
    (0.0, 0.0),
    (0.1, 0.15),
    (0.25, 0.5),
    (0.5, 0.8),
    (0.75, 0.9),
    (1.0, 1.0),
];

/// From this share on an age is too high, whatever `autovacuum_freeze_max_age` says.
const TOO_FAR_ANYWAY: f64 = 0.5;

/// How late autovacuum is, as a curve of the age by the age that forces it. A quarter past it is a worker's own time; at three times autovacuum
/// has failed for long, and somebody should look, however many ids are left: whoever lowers the setting wants to be told as much earlier. It alone
/// never says "act now": that is for the ids that are left.
const LATE: &[(f64, f64)] = &[(1.25, LOW), (2.0, 0.35), (3.0, 0.5), (6.0, 0.6)];

/// How bad `age` is where autovacuum is forced at `freeze_max_age`. An age that autovacuum is not late for is low, unless half of
/// the limit is used.
pub(crate) fn of_age(age: u64, freeze_max_age: u64) -> f64 {
    let share = age as f64 / LIMIT as f64;
    let score = score::along(SHARE_USED, share);
    if is_overdue(age, freeze_max_age) {
        score.max(score::along(LATE, age as f64 / freeze_max_age.max(1) as f64))
    } else if share < TOO_FAR_ANYWAY {
        score.min(LOW)
    } else {
        score
    }
}

/// How bad it is that nothing younger than `age` can be removed or frozen, as a curve of the share of the limit. Twenty million
/// transactions are a long report or backup; from a hundred million on, forced autovacuums can do no good ("worth a look today").
const HORIZON: &[(f64, f64)] = &[(0.0, 0.0), (0.0093, 0.2), (0.0466, 0.5), (0.25, 0.8), (1.0, 1.0)];

/// See `HORIZON`.
pub(crate) fn of_horizon(age: u64) -> f64 {
    score::along(HORIZON, age as f64 / LIMIT as f64)
}

/// Hours that a prepared transaction is open: two-phase commit takes seconds, so one of half a day is forgotten, and it holds its locks.
const PREPARED_HOURS: &[(f64, f64)] = &[(0.0, 0.0), (1.0, 0.2), (12.0, 0.5), (72.0, 0.8), (720.0, 0.9)];

/// The worse of its horizon and its time.
pub(crate) fn of_prepared(xid_age: Option<u64>, open_us: Option<u64>) -> f64 {
    let open = open_us.map_or(0.0, |us| score::along(PREPARED_HOURS, us as f64 / 3.6e9));
    open.max(xid_age.map_or(0.0, of_horizon))
}

/// The share of a sequence that is used. A change of the column's type rewrites the table and every reference to it, so four fifths
/// are worth a look, and nineteen twentieths are late.
const SEQUENCE: &[(f64, f64)] = &[
    (0.0, 0.0),
    (0.5, 0.15),
    (0.7, 0.2),
    (0.8, 0.5),
    (0.95, 0.85),
    (1.0, 1.0),
];

/// See `SEQUENCE`. One that begins anew does not end.
pub(crate) fn of_sequence(used_ratio: f64, is_cycled: bool) -> f64 {
    if is_cycled {
        0.0
    } else {
        score::along(SEQUENCE, used_ratio)
    }
}

//! Lock modes as PostgreSQL writes them, and which of them conflict.

use pg_logstats_sdk::LockMode;

/// The modes that `mode` conflicts with, as the bits of [`bit`]: PostgreSQL's documentation, "Conflicting Lock Modes".
fn conflicts_of(mode: LockMode) -> u8 {
    match mode {
        LockMode::AccessShare => 0b1000_0000,
        LockMode::RowShare => 0b1100_0000,
        LockMode::RowExclusive => 0b1111_0000,
        LockMode::ShareUpdateExclusive => 0b1111_1000,
        LockMode::Share => 0b1110_1100,
        LockMode::ShareRowExclusive => 0b1111_1100,
        LockMode::Exclusive => 0b1111_1110,
        LockMode::AccessExclusive => 0b1111_1111,
        LockMode::Unknown => 0,
    }
}

/// The place of `mode` among the modes, weakest first.
fn bit(mode: LockMode) -> u8 {
    match mode {
        LockMode::AccessShare => 1,
        LockMode::RowShare => 1 << 1,
        LockMode::RowExclusive => 1 << 2,
        LockMode::ShareUpdateExclusive => 1 << 3,
        LockMode::Share => 1 << 4,
        LockMode::ShareRowExclusive => 1 << 5,
        LockMode::Exclusive => 1 << 6,
        LockMode::AccessExclusive => 1 << 7,
        LockMode::Unknown => 0,
    }
}

/// Whether two sessions cannot have these at once; none when one of them is no known mode.
pub(crate) fn conflict(one: LockMode, other: LockMode) -> Option<bool> {
    if one == LockMode::Unknown || other == LockMode::Unknown {
        return None;
    }
    Some(conflicts_of(one) & bit(other) != 0)
}

/// The mode of `pg_locks.mode`.
pub(crate) fn parse(text: &str) -> LockMode {
    match text {
        "AccessShareLock" => LockMode::AccessShare,
        "RowShareLock" => LockMode::RowShare,
        "RowExclusiveLock" => LockMode::RowExclusive,
        "ShareUpdateExclusiveLock" => LockMode::ShareUpdateExclusive,
        "ShareLock" => LockMode::Share,
        "ShareRowExclusiveLock" => LockMode::ShareRowExclusive,
        "ExclusiveLock" => LockMode::Exclusive,
        "AccessExclusiveLock" => LockMode::AccessExclusive,
        _ => LockMode::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [&str; 8] = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];

    /// The documentation's table, row by row, `X` for a conflict.
    const TABLE: [&str; 8] = [
        ".......X", "......XX", "....XXXX", "...XXXXX", "..XX.XXX", "..XXXXXX", ".XXXXXXX", "XXXXXXXX",
    ];

    #[test]
    fn conflicts_are_those_of_the_documentation() {
        for (one, row) in MODES.iter().zip(TABLE) {
            for (other, cell) in MODES.iter().zip(row.chars()) {
                let said = conflict(parse(one), parse(other));
                assert_eq!(said, Some(cell == 'X'), "{one} and {other}");
                assert_eq!(said, conflict(parse(other), parse(one)), "{one} and {other}");
            }
        }
        assert_eq!(conflict(parse("SIReadLock"), LockMode::AccessExclusive), None);
    }
}

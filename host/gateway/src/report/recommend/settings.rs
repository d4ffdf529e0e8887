//! Settings of the server as recommendations: names, units, and what each changes. All of them take effect on reload (PostgreSQL 14 to 18).

use super::super::Recommendation;
use crate::runbook::assessment::Setting;
use crate::untrusted::Untrusted;

/// How a value is written.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Bytes,
    Time,
    Number,
    Switch,
}

/// What there is to say of a setting.
struct Known {
    name: &'static str,
    unit: Unit,
    /// What PostgreSQL takes, in the unit of [`Unit`]: bytes, microseconds, a number.
    least: u64,
    most: u64,
    effect: &'static str,
    risk: &'static str,
    check: &'static str,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;
const SECOND: u64 = 1_000_000;
const DAY: u64 = 86_400 * SECOND;

fn known(setting: Setting) -> Known {
    let log = |name, unit, least, most, effect| Known {
        name,
        unit,
        least,
        most,
        effect,
        risk: "the log grows; on a busy server look at its size for a while",
        check: "the log has such lines, and the next triage has what was missing",
    };
    match setting {
        Setting::MaxWalSize => Known {
            name: "max_wal_size",
            unit: Unit::Bytes,
            least: 32 * MIB,
            most: 2 * TIB,
            effect: "checkpoints begin by time and not by WAL, are fewer, and write fewer full pages",
            risk: "WAL needs that much disk space, and recovery after a crash takes longer",
            check: "the log says `checkpoint starting: time`, and `checkpoints are occurring too frequently` no more",
        },
        Setting::CheckpointTimeout => Known {
            name: "checkpoint_timeout",
            unit: Unit::Time,
            least: 30 * SECOND,
            most: DAY,
            effect: "checkpoints by time are further apart",
            risk: "recovery after a crash takes longer",
            check: "the log's checkpoints are that far apart",
        },
        Setting::AutovacuumWorkMem => Known {
            name: "autovacuum_work_mem",
            unit: Unit::Bytes,
            least: MIB,
            most: TIB,
            effect: "a worker holds more dead rows at once, so each index is gone through once",
            risk: "each worker may use that much memory at once",
            check: "the log says `index scans: 1` of the table's next run",
        },
        Setting::AutovacuumVacuumCostLimit => Known {
            name: "autovacuum_vacuum_cost_limit",
            unit: Unit::Number,
            least: 1,
            most: 10_000,
            effect: "autovacuum does more before it pauses, so runs are shorter; before PostgreSQL 16 a run that is under way goes on as it began",
            risk: "it reads and writes more in a second; look at the disks meanwhile",
            check: "elapsed time of runs in the log falls, and n_dead_tup in pg_stat_all_tables with it",
        },
        Setting::IdleInTransactionSessionTimeout => Known {
            name: "idle_in_transaction_session_timeout",
            unit: Unit::Time,
            least: SECOND,
            most: DAY,
            effect: "a session that does nothing in an open transaction is ended, and its locks with it",
            risk: "applications that pause in transactions see their connection closed; ask their owners first, or set it for one role",
            check: "pg_stat_activity has no `idle in transaction` older than that",
        },
        Setting::MaxStandbyStreamingDelay => Known {
            name: "max_standby_streaming_delay",
            unit: Unit::Time,
            least: 0,
            most: DAY,
            effect: "on the standby, statements may run that much longer before replay cancels them",
            risk: "the standby may lag behind by that much; set it there, and not where a failover must be immediate",
            check: "pg_stat_database_conflicts of the standby stays as it is",
        },
        Setting::HotStandbyFeedback => Known {
            name: "hot_standby_feedback",
            unit: Unit::Switch,
            least: 0,
            most: 1,
            effect: "the primary keeps rows that statements on the standby can still see, so replay does not cancel them",
            risk: "long statements on the standby hold back vacuum on the primary: tables there may bloat",
            check: "backend_xmin of the standby in pg_stat_replication is set, and its conflicts by snapshot stay as they are",
        },
        Setting::MaxSlotWalKeepSize => Known {
            name: "max_slot_wal_keep_size",
            unit: Unit::Bytes,
            least: MIB,
            most: 64 * TIB,
            effect: "a slot that nobody reads cannot fill the disk with WAL",
            risk: "a standby or subscriber that falls behind by more loses its slot and has to be made anew",
            check: "safe_wal_size in pg_replication_slots is set",
        },
        Setting::TempFileLimit => Known {
            name: "temp_file_limit",
            unit: Unit::Bytes,
            least: MIB,
            most: TIB,
            effect: "one session cannot fill the disk with temporary files: its statement fails instead",
            risk: "statements that need more fail; look at what the largest ones use today",
            check: "temp_bytes in pg_stat_database grows more slowly",
        },
        Setting::LogLockWaits => log(
            "log_lock_waits",
            Unit::Switch,
            0,
            1,
            "waits for locks that are longer than deadlock_timeout are in the log, with who held them",
        ),
        Setting::LogTempFiles => log(
            "log_temp_files",
            Unit::Bytes,
            0,
            TIB,
            "temporary files of that size and more are in the log, with their statements",
        ),
        Setting::LogCheckpoints => log(
            "log_checkpoints",
            Unit::Switch,
            0,
            1,
            "checkpoints are in the log, with why they began and what they wrote",
        ),
        Setting::LogAutovacuumMinDuration => log(
            "log_autovacuum_min_duration",
            Unit::Time,
            0,
            DAY,
            "runs of autovacuum that take that long are in the log",
        ),
        Setting::LogConnections => log(
            "log_connections",
            Unit::Switch,
            0,
            1,
            "connections are in the log, with who made them",
        ),
        Setting::TrackIoTiming => Known {
            name: "track_io_timing",
            unit: Unit::Switch,
            least: 0,
            most: 1,
            effect: "plans, pg_stat_statements and pg_stat_io say how long reads and writes took",
            risk: "reading the clock costs; `pg_test_timing` says how much on that machine",
            check: "blk_read_time in pg_stat_database grows",
        },
    }
}

/// A value as `postgresql.conf` has it, in a unit that loses nothing but a remainder.
fn written(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Bytes if value == 0 => "0".to_owned(),
        Unit::Bytes if value.is_multiple_of(MIB) => format!("{}MB", value / MIB),
        Unit::Bytes => format!("{}kB", value.div_ceil(KIB)),
        Unit::Time if value == 0 => "0".to_owned(),
        Unit::Time if value.is_multiple_of(SECOND) => format!("{}s", value / SECOND),
        Unit::Time => format!("{}ms", value.div_ceil(1_000)),
        Unit::Number => value.to_string(),
        Unit::Switch => (if value == 0 { "off" } else { "on" }).to_owned(),
    }
}

/// The recommendation to set it to `value`, within what PostgreSQL takes.
pub(super) fn render(setting: Setting, value: u64) -> Recommendation {
    let known = known(setting);
    let name = known.name;
    let value = written(known.unit, value.clamp(known.least, known.most));
    Recommendation {
        kind: "set_parameter".to_owned(),
        sql: Untrusted::new(&format!(
            "ALTER SYSTEM SET {name} = '{value}'; SELECT pg_reload_conf();"
        )),
        expected_effect: known.effect.to_owned(),
        risk: known.risk.to_owned(),
        lock: "none; it takes effect when the configuration is read again, within seconds".to_owned(),
        way_back: Untrusted::new(&format!("ALTER SYSTEM RESET {name}; SELECT pg_reload_conf();")),
        check: Untrusted::new(&format!("SHOW {name}; then: {}", known.check)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Setting; 15] = [
        Setting::MaxWalSize,
        Setting::CheckpointTimeout,
        Setting::AutovacuumWorkMem,
        Setting::AutovacuumVacuumCostLimit,
        Setting::IdleInTransactionSessionTimeout,
        Setting::MaxStandbyStreamingDelay,
        Setting::HotStandbyFeedback,
        Setting::MaxSlotWalKeepSize,
        Setting::TempFileLimit,
        Setting::LogLockWaits,
        Setting::LogTempFiles,
        Setting::LogCheckpoints,
        Setting::LogAutovacuumMinDuration,
        Setting::LogConnections,
        Setting::TrackIoTiming,
    ];

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let sql = |setting, value| render(setting, value).sql.text().to_owned();
        assert_eq!(
            sql(Setting::MaxWalSize, 8 << 30),
            "ALTER SYSTEM SET max_wal_size = '8192MB'; SELECT pg_reload_conf();"
        );
        assert!(sql(Setting::LogTempFiles, 10_000).contains("'10kB'"));
        assert!(sql(Setting::CheckpointTimeout, 900 * SECOND).contains("'900s'"));
        assert!(sql(Setting::MaxStandbyStreamingDelay, 1_500).contains("'2ms'"));
        assert!(sql(Setting::HotStandbyFeedback, 7).contains("'on'"));
        // Nothing that the server would refuse.
        assert!(sql(Setting::MaxWalSize, 0).contains("'32MB'"));
        assert!(sql(Setting::AutovacuumVacuumCostLimit, u64::MAX).contains("'10000'"));
    }

    /// A real server takes the least and the most of each, without a restart, and forgets it again.
    #[test]
    fn a_real_server_takes_all_of_them_on_reload() {
        let cluster = pg_logstats_test_cluster::Cluster::builder()
            .start()
            .expect("PostgreSQL starts");
        for setting in ALL {
            let known = known(setting);
            let context = cluster
                .psql(&format!(
                    "SELECT context FROM pg_settings WHERE name = '{}'",
                    known.name
                ))
                .unwrap();
            assert!(
                ["sighup", "superuser", "superuser-backend", "user"].contains(&context.trim()),
                "{}: {context}",
                known.name
            );
            for value in [known.least, known.most] {
                let advice = render(setting, value);
                for step in [advice.sql.text(), advice.way_back.text()] {
                    for statement in step.split_inclusive(';') {
                        cluster.psql(statement).unwrap_or_else(|e| panic!("{statement}: {e}"));
                    }
                }
            }
        }
    }
}

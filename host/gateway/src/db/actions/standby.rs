//! The lag of a real standby: known while it replays, and not known when nothing is left to replay.

use std::time::{Duration, Instant};

use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use crate::db::test_server::{run, target_of};
use crate::outcome::Cell;

/// Waits until the standby's lag in time is as `is` says, doing `meanwhile` between the looks.
fn wait_for_lag(primary: &Cluster, meanwhile: impl Fn(), is: impl Fn(&Cell) -> bool) {
    let target = target_of(&primary.dsn("diagnosis", "postgres"));
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        meanwhile();
        let outcome = run(&target, "replication.pg_stat_replication.lag", Vec::new(), None);
        let lag = outcome
            .columns
            .iter()
            .position(|column| column == "replay_lag")
            .unwrap();
        if outcome.rows.iter().any(|row| is(&row.cells[lag])) {
            return;
        }
        assert!(Instant::now() < deadline, "{outcome:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_lag_is_a_time_while_something_is_replayed_and_then_not_known() {
    let primary = Cluster::builder().start().unwrap();
    primary
        .psql("CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats; CREATE TABLE written (id int)")
        .unwrap();
    let _standby = Cluster::builder()
        .standby_of(&primary)
        .setting("recovery_min_apply_delay", "50ms")
        .setting("wal_receiver_status_interval", "1s")
        .start()
        .unwrap();
    let write = || {
        drop(
            primary
                .psql_as(SUPERUSER, "postgres", "INSERT INTO written VALUES (1)")
                .unwrap(),
        )
    };
    wait_for_lag(&primary, write, |lag| matches!(lag, Cell::DurationUs(us) if *us > 0));
    // The server forgets it when the standby says twice that it has everything.
    wait_for_lag(&primary, || (), |lag| *lag == Cell::Null);
}

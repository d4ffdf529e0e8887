//! Samples of the figures: what was made is what is found.

use std::collections::BTreeMap;

use pg_logstats_test_cluster::SUPERUSER;

use super::{Stage, least_role};
use crate::catalogue::Catalogue;
use crate::outcome::{Cell, Row};

impl Stage {
    /// What the crowd made, and what is made here.
    pub(super) fn finds_what_is_there(&self) {
        let found = |id: &str| self.found(id);
        let t = |text: &str| Cell::Text(text.to_owned());

        let tree = found("lock_wait.pg_locks.tree");
        let edge = tree
            .iter()
            .find(|row| row["blocked_pid"] == Cell::Int(self.crowd.blocked_pid.into()))
            .unwrap();
        assert_eq!(edge["pid"], Cell::Int(self.crowd.blocker_pid.into()));
        assert_eq!((&edge["depth"], &edge["relation"]), (&Cell::Int(1), &t("queue")));
        assert_eq!(
            (&edge["lock_type"], &edge["requested_mode"]),
            (&t("transactionid"), &t("ShareLock"))
        );
        assert_eq!(edge["held_mode"], t("ExclusiveLock"));

        let indexes = found("relation.pg_stat_all_indexes.usage");
        assert_eq!(indexes.len(), 3);
        assert_eq!(indexes[0]["key_columns"], t("(expression), price"));
        assert_eq!(indexes[0]["included_columns"], t("sold"));
        assert_eq!(indexes[1]["is_partial"], Cell::Boolean(true));
        assert_eq!(indexes[2]["serves_constraint"], Cell::Boolean(true));
        assert_eq!(indexes[0]["key_numbers"], t("0 3 4"));
        assert!(
            indexes
                .iter()
                .all(|index| matches!(index["counted_for"], Cell::DurationUs(1..))
                    && index["is_partitioned"] == Cell::Boolean(false)),
            "{indexes:?}"
        );

        // Those of `rewritten` are too small to be worth a word.
        let unused = found("relation.pg_stat_all_indexes.unused");
        assert_eq!((unused.len(), &unused[0]["index"]), (1, &t("unread_id")), "{unused:?}");
        assert_eq!(unused[0]["is_standby"], Cell::Boolean(false));
        assert_eq!(unused[0]["is_partition"], Cell::Boolean(false));
        assert!(matches!(unused[0]["counted_for"], Cell::DurationUs(1..)), "{unused:?}");

        let columns = found("relation.pg_stats.columns");
        assert_eq!((columns.len(), &columns[0]["n_distinct"]), (4, &Cell::Float(-1.0)));
        let bloat = &found("relation.pg_stats.bloat_estimate")[0];
        assert_eq!(
            (&bloat["fill_factor"], &bloat["columns"]),
            (&Cell::Int(90), &Cell::Int(4))
        );
        assert!(
            matches!(bloat["bloat_ratio"], Cell::Float(ratio) if ratio > 0.1 && ratio < 0.4),
            "{bloat:?}"
        );
        let table = &found("relation.pg_stat_all_tables.statistics")[0];
        assert_eq!(
            (&table["n_tup_ins"], &table["n_tup_del"]),
            (&Cell::Int(5_000), &Cell::Int(1_000))
        );

        let sequence = &found("sequence.pg_sequence.near_end")[0];
        assert_eq!(
            (&sequence["sequence"], &sequence["owner_column"]),
            (&t("counted_id_seq"), &t("id"))
        );
        assert_eq!(sequence["remaining"], Cell::Int(32_767 - 32_000));
        assert_eq!(
            (&sequence["owner_schema"], &sequence["owner_type"]),
            (&t("public"), &t("smallint"))
        );
        let longest = found("running_query.pg_stat_activity.longest");
        let reads = longest.iter().filter(|row| row["is_query"] == Cell::Boolean(true));
        assert_eq!(reads.count(), 0, "nobody of the crowd only reads");
        assert!(longest.iter().any(|row| row["is_query"] == Cell::Boolean(false)));
        // One is being built, the other was left behind.
        let invalid = found("relation.pg_index.invalid");
        let at_work: Vec<_> = invalid
            .iter()
            .map(|row| (&row["index"], &row["is_being_changed"]))
            .collect();
        assert_eq!(
            at_work,
            [
                (&t("indexed_id"), &Cell::Boolean(true)),
                (&t("twice_id"), &Cell::Boolean(false))
            ]
        );
        assert_eq!(
            (&invalid[1]["idx_scan"], &invalid[1]["serves_constraint"]),
            (&Cell::Int(0), &Cell::Boolean(false))
        );
        assert_eq!(
            found("relation.pg_constraint.not_validated")[0]["constraint_name"],
            t("item_name")
        );
        assert_eq!(
            found("prepared_transaction.pg_prepared_xacts.open")[0]["gid"],
            t("forgotten")
        );
        assert_eq!(found("replication.pg_replication_slots.state")[0]["slot"], t("kept"));
        assert_eq!(
            found("progress.pg_stat_progress_vacuum.running")[0]["relation"],
            t("swept")
        );
        self.leaves_out_what_holds_nothing_back();
        self.knows_no_lag_of_a_standby_that_says_nothing();
        self.orders_tables_by_what_is_forced_first();
        self.reads_each_sequence_that_can_be_read();
    }

    /// The rows that an action gives.
    fn found(&self, id: &str) -> Vec<BTreeMap<String, Cell>> {
        let action = Catalogue::builtin().unwrap().get(id).unwrap();
        let bound = self.bindings(action).swap_remove(0);
        let outcome = self.run(least_role(action), action, bound);
        let row = |row: &Row| -> BTreeMap<String, Cell> {
            let names = outcome.columns.iter().cloned();
            names.zip(row.cells.iter().cloned()).collect()
        };
        outcome.rows.iter().map(row).collect()
    }

    /// A VACUUM shows a horizon like any session, and the server does not wait for it.
    fn leaves_out_what_holds_nothing_back(&self) {
        let vacuum = self.ask(
            "SELECT v.pid FROM pg_stat_progress_vacuum AS v JOIN pg_stat_activity AS a USING (pid) WHERE a.backend_xmin IS NOT NULL",
        );
        let held = self.found("wraparound.pg_stat_activity.oldest_xmin");
        let pids: Vec<&Cell> = held.iter().map(|row| &row["pid"]).collect();
        assert!(
            !pids.contains(&&Cell::Int(vacuum.parse().unwrap())),
            "{vacuum}: {held:?}"
        );
        assert!(pids.contains(&&Cell::Int(self.crowd.blocker_pid.into())), "{held:?}");
        let here = |row: &&BTreeMap<String, Cell>| row["holds_here"] == Cell::Boolean(true);
        assert!(held.iter().all(|row| here(&row)), "{held:?}");
        // Who is in another database shows an age as well, and this one's dead rows may go.
        let mut elsewhere = self.crowd.cluster.session(SUPERUSER, "template1").unwrap();
        let pid = Cell::Int(elsewhere.pid().unwrap().into());
        elsewhere.run("BEGIN; SELECT pg_current_xact_id()").unwrap();
        let held = self.found("wraparound.pg_stat_activity.oldest_xmin");
        let of_elsewhere: Vec<_> = held.iter().filter(|row| !here(row)).collect();
        let [row] = of_elsewhere.as_slice() else {
            panic!("{held:?}")
        };
        assert_eq!(
            (&row["pid"], &row["database"]),
            (&pid, &Cell::Text("template1".to_owned()))
        );
    }

    /// Of all that stream here, none says how far it is.
    fn knows_no_lag_of_a_standby_that_says_nothing(&self) {
        let standbys = self.found("replication.pg_stat_replication.lag");
        assert_eq!(standbys.len(), 2, "{standbys:?}");
        for (standby, column) in standbys
            .iter()
            .flat_map(|row| ["write_lag", "flush_lag", "replay_lag"].map(|column| (row, column)))
        {
            assert_eq!(standby[column], Cell::Null, "{column}: {standby:?}");
        }
    }

    /// One has more values than int8 counts; reading the other would wait for who alters it.
    fn reads_each_sequence_that_can_be_read(&self) {
        self.ask("CREATE SEQUENCE every_number MINVALUE -9223372036854775808; CREATE SEQUENCE altered");
        let mut session = self.crowd.cluster.session(SUPERUSER, "shop").unwrap();
        session.run("BEGIN; ALTER SEQUENCE altered RESTART").unwrap();
        let sequences = self.found("sequence.pg_sequence.near_end");
        let found = |name: &str| {
            sequences
                .iter()
                .find(|row| row["sequence"] == Cell::Text(name.to_owned()))
        };
        assert!(found("altered").is_none(), "{sequences:?}");
        let every = found("every_number").unwrap();
        assert_eq!(
            (&every["used_ratio"], &every["remaining"]),
            (&Cell::Float(0.0), &Cell::Int(i64::MAX))
        );
        assert_eq!(every["sequences_read"], Cell::Int(2));
        assert_eq!(every["sequences_total"], Cell::Int(3));
    }

    /// These are the youngest tables of all, and those for which autovacuum is forced first, however that was typed.
    fn orders_tables_by_what_is_forced_first(&self) {
        self.ask(
            "CREATE TABLE by_multixact (id int) WITH (autovacuum_multixact_freeze_max_age = '0x2710');
             CREATE TABLE by_xid (id int, note text) WITH (autovacuum_freeze_max_age = '1e5');
             CREATE TABLE by_toast (id int, note text) WITH (autovacuum_freeze_max_age = 400000, toast.autovacuum_freeze_max_age = ' 150000.4 ');
             CREATE TABLE raised (id int, note text) WITH (autovacuum_freeze_max_age = 2000000000);
             CREATE TABLE octal (id int) WITH (autovacuum_freeze_max_age = '0303240')",
        );
        // Each turn locks the row in one transaction and changes it in another, which takes a multixact id.
        self.ask(
            "CREATE TABLE turns (id int PRIMARY KEY); INSERT INTO turns VALUES (1);
             DO $$ BEGIN
               FOR turn IN 1..50 LOOP
                 PERFORM FROM turns FOR KEY SHARE;
                 BEGIN UPDATE turns SET id = id; EXCEPTION WHEN division_by_zero THEN NULL; END;
               END LOOP;
             END $$",
        );
        let tables = self.found("wraparound.pg_class.oldest_tables");
        let names: Vec<&Cell> = tables.iter().map(|row| &row["table"]).collect();
        let expected = ["by_multixact", "by_xid", "by_toast"].map(|name| Cell::Text(name.to_owned()));
        assert_eq!(names[..3], expected.each_ref(), "{tables:?}");
        let limits = |table: usize| {
            let columns = ["", "multixact_", "toast_", "toast_multixact_"];
            columns.map(|of| match tables[table][&format!("{of}freeze_max_age")] {
                Cell::Int(age) => Some(age),
                _ => None,
            })
        };
        let (xids, multixacts) = (Some(200_000_000), Some(400_000_000));
        assert_eq!(limits(0), [xids, Some(10_000), None, None]);
        assert_eq!(limits(1), [Some(100_000), multixacts, Some(100_000), multixacts]);
        assert_eq!(limits(2), [Some(400_000), multixacts, Some(150_000), multixacts]);
        let first = &tables[0];
        let (Cell::Int(age), Cell::Float(ratio)) = (&first["multixact_age"], &first["freeze_ratio"]) else {
            panic!("{first:?}")
        };
        #[expect(clippy::cast_precision_loss, reason = "some fifty")]
        let expected = *age as f64 / 10_000.0;
        assert!(*age >= 50 && (ratio - expected).abs() < 1e-9, "{first:?}");
    }
}

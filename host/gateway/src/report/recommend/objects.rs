//! What rows name: indexes, constraints, replication slots, prepared transactions.

use super::{Recommendation, SHARE_UPDATE_EXCLUSIVE};
use crate::names::{identifier, literal, regclass, relation};
use crate::objects::Object;
use crate::subjects::{Subject, Subjects};
use crate::untrusted::Untrusted;

fn object<'a>(id: &str, subjects: &'a Subjects) -> Option<&'a Object> {
    match subjects.get(id)? {
        Subject::Object(object) => Some(object),
        _ => None,
    }
}

pub(super) fn drop_index(id: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Object::Index { name, is_partitioned } = object(id, subjects)? else {
        return None;
    };
    let index = relation(name);
    let (sql, lock) = match is_partitioned {
        // PostgreSQL cannot drop one of a partitioned table concurrently.
        true => (format!("DROP INDEX {index};"), LOCK_OF_A_DROP.to_owned()),
        false => (
            format!("DROP INDEX CONCURRENTLY {index};"),
            format!("{SHARE_UPDATE_EXCLUSIVE}; {WAITS}; it cannot run in a transaction block"),
        ),
    };
    Some(Recommendation {
        kind: "drop_index".to_owned(),
        sql: Untrusted::new(&sql),
        expected_effect: "writes to the table are cheaper, updates of its columns may stay in their page, and its room is free at once".to_owned(),
        risk: "a statement that does use it reads the whole table from then on; scans are counted on each standby apart; an index on an \
               expression tells the planner of its values without a scan; and one that was made lately had no time to be used, which the server \
               does not tell"
            .to_owned(),
        lock,
        way_back: Untrusted::new(&format!(
            "the statement that SELECT pg_get_indexdef({}::regclass); shows, so keep that before; it builds the index anew, with CONCURRENTLY \
             behind CREATE INDEX while others write",
            regclass(name)
        )),
        check: Untrusted::new(&format!(
            "{index} is not in pg_indexes, and no statement reads more than before; one that the drop left behind is there as invalid, and is \
             dropped the same way"
        )),
    })
}

pub(super) fn rebuild_index(id: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Object::Index { name, .. } = object(id, subjects)? else {
        return None;
    };
    let index = relation(name);
    Some(Recommendation {
        kind: "rebuild_index".to_owned(),
        sql: Untrusted::new(&format!("REINDEX INDEX CONCURRENTLY {index};")),
        expected_effect: "the index is valid, so queries use it, and a unique one ensures what it says for every row"
            .to_owned(),
        risk: "needs disk space for a second copy, reads the table twice and writes WAL; where the first build failed because rows are alike, it \
               fails again, so look for those first; one that fails leaves another invalid index, whose name ends in _ccnew"
            .to_owned(),
        lock: format!("{SHARE_UPDATE_EXCLUSIVE}, as long as it builds; {WAITS}; it cannot run in a transaction block"),
        way_back: Untrusted::new("none is needed; after a failure, DROP INDEX CONCURRENTLY of the one whose name ends in _ccnew"),
        check: Untrusted::new(&format!(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = {}::regclass; says true",
            regclass(name)
        )),
    })
}

pub(super) fn validate_constraint(id: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Object::Constraint { table, name } = object(id, subjects)? else {
        return None;
    };
    let (sql_table, name) = (relation(table), identifier(name));
    Some(Recommendation {
        kind: "validate_constraint".to_owned(),
        sql: Untrusted::new(&format!("ALTER TABLE {sql_table} VALIDATE CONSTRAINT {name};")),
        expected_effect: "the constraint is known to hold for every row, and the planner may rely on it".to_owned(),
        risk: "reads the whole table, and of a foreign key the one that it refers to; it fails and changes nothing where a row breaks the \
               constraint, which has to be mended first; functions of the constraint run with the rights of whoever runs it, so log in as the \
               table's owner for it: in a superuser's session they could take his rights, even after SET ROLE"
            .to_owned(),
        lock: format!(
            "{SHARE_UPDATE_EXCLUSIVE}, and of a foreign key ROW SHARE on the table that it refers to, as long as it reads: minutes to hours for a large one"
        ),
        way_back: Untrusted::new("none is needed: what it found holds for new rows already"),
        check: Untrusted::new(&format!(
            "convalidated is true in pg_constraint WHERE conrelid = {}::regclass",
            regclass(table)
        )),
    })
}

pub(super) fn drop_replication_slot(id: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Object::ReplicationSlot { name } = object(id, subjects)? else {
        return None;
    };
    let slot = literal(name);
    Some(Recommendation {
        kind: "drop_replication_slot".to_owned(),
        // Whether it is used is looked at again when the statement runs.
        sql: Untrusted::new(&format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {slot} AND NOT active;"
        )),
        expected_effect: "the server removes the WAL that it kept for the slot at its next checkpoint, and vacuum the rows".to_owned(),
        risk: "a standby or subscriber that comes back cannot go on where it was: it needs the WAL from an archive, or a new copy of everything; \
               ask its owner first. No row as the answer means that somebody uses it by now, or that it is gone"
            .to_owned(),
        lock: "none on tables; it takes milliseconds, and it needs a role with REPLICATION".to_owned(),
        way_back: Untrusted::new("none: a new slot of that name keeps what comes from then on, and what was kept before is gone"),
        check: Untrusted::new(&format!(
            "pg_replication_slots has no slot {slot}, and after a checkpoint pg_wal is smaller"
        )),
    })
}

pub(super) fn rollback_prepared(id: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Object::PreparedTransaction { gid } = object(id, subjects)? else {
        return None;
    };
    let gid = literal(gid);
    Some(Recommendation {
        kind: "rollback_prepared".to_owned(),
        sql: Untrusted::new(&format!("ROLLBACK PREPARED {gid};")),
        expected_effect: "its locks are released, and vacuum can remove the rows that it kept".to_owned(),
        risk: "what it did is lost. Where its transaction manager has decided to commit, the other parts of the same transaction did, and only \
               COMMIT PREPARED keeps them together: ask the owner of the transaction manager which of the two is right"
            .to_owned(),
        lock: "none of its own; it takes milliseconds, in a session of the transaction's database, as the role that prepared it or a superuser, and \
               outside of a transaction block"
            .to_owned(),
        way_back: Untrusted::new(&format!("none; the other choice is COMMIT PREPARED {gid};")),
        check: Untrusted::new(&format!(
            "pg_prepared_xacts has no gid {gid}, and nobody waits for it in pg_locks"
        )),
    })
}

const WAITS: &str = "it also waits for transactions that are older than it";
const LOCK_OF_A_DROP: &str = "ACCESS EXCLUSIVE on the table and its partitions, for milliseconds once it has it; while it waits for one, \
    everybody waits behind it, so set lock_timeout before";

#[cfg(test)]
mod tests;

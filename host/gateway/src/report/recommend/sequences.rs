//! Room for a sequence that is near its end.

use super::{Recommendation, names};
use crate::outcome::SequenceOwner;
use crate::subjects::{Subject, Subjects};
use crate::untrusted::Untrusted;

/// As many values as bigint has, in the sequence and in the column that takes them.
pub(super) fn extend(sequence: &str, subjects: &Subjects) -> Option<Recommendation> {
    let Subject::Sequence(sequence) = subjects.get(sequence)? else {
        return None;
    };
    let name = names::relation(&sequence.name);
    let extend = format!("ALTER SEQUENCE {name} AS bigint NO MAXVALUE;");
    let narrow = sequence.owner.as_ref().filter(|owner| owner.is_narrow);
    let (sql, risk, lock) = match narrow {
        Some(owner) => (
            format!("{} {extend}", widen(owner)),
            RISK_OF_A_REWRITE,
            LOCK_OF_A_REWRITE,
        ),
        None => (extend, RISK_OF_THE_SEQUENCE, LOCK_OF_THE_SEQUENCE),
    };
    Some(Recommendation {
        kind: "extend_sequence".to_owned(),
        sql: Untrusted::new(&sql),
        expected_effect: "the sequence goes on where it is, and has values left for as long as anybody can think"
            .to_owned(),
        risk: risk.to_owned(),
        lock: lock.to_owned(),
        way_back: Untrusted::new("none is needed: the wider type holds all that there was"),
        check: Untrusted::new(&format!(
            "inserts succeed, and max_value of {name} in pg_sequences is 9223372036854775807"
        )),
    })
}

fn widen(owner: &SequenceOwner) -> String {
    let table = names::relation(&owner.relation);
    format!(
        "ALTER TABLE {table} ALTER COLUMN {} TYPE bigint;",
        names::identifier(&owner.column)
    )
}

const RISK_OF_A_REWRITE: &str = "the table and its indexes are written anew, so it takes disk space for a second copy, and WAL; columns that refer to \
    it, and programs that read it as a number of 32 bits, have to follow; a table that is too large for such a pause gets a new column instead, \
    which is filled bit by bit; functions of the table's constraints run with the rights of whoever runs it, so log in as the table's owner for it: in \
    a superuser's session they could take his rights, even after SET ROLE";
const LOCK_OF_A_REWRITE: &str = "ACCESS EXCLUSIVE on the table until it is written anew, minutes to hours for a large one: nobody reads or writes it \
    meanwhile";
const RISK_OF_THE_SEQUENCE: &str = "every column that takes its values has to hold a bigint, and programs that read them as numbers of 32 bits have to follow";
const LOCK_OF_THE_SEQUENCE: &str = "SHARE ROW EXCLUSIVE on the sequence, for milliseconds; nextval waits for it";

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;
    use crate::outcome::{RelationName, Sequence};
    use crate::runbook::assessment::CheckedRecommendation;
    use crate::snapshot::EvidenceSnapshot;
    use crate::subjects::sequence_id;

    fn named(name: &str) -> RelationName {
        RelationName {
            schema: Some("public".into()),
            name: name.into(),
        }
    }

    fn rendered(owner: Option<SequenceOwner>) -> Recommendation {
        let sequence = Sequence {
            name: named("s\"q"),
            owner,
        };
        let mut snapshot = EvidenceSnapshot::of_no_logs();
        snapshot.live.sequences.push(sequence.clone());
        let subjects = Subjects::new(&snapshot, &[]);
        let sequence = sequence_id(&sequence);
        render(&CheckedRecommendation::ExtendSequence { sequence }, &subjects).unwrap()
    }

    #[test]
    fn a_narrow_column_is_widened_first() {
        let owner = |is_narrow| SequenceOwner {
            relation: named("o; DROP TABLE x"),
            column: "i\"d".into(),
            is_narrow,
        };
        let alone = "ALTER SEQUENCE \"public\".\"s\"\"q\" AS bigint NO MAXVALUE;";
        let both = format!("ALTER TABLE \"public\".\"o; DROP TABLE x\" ALTER COLUMN \"i\"\"d\" TYPE bigint; {alone}");
        assert_eq!(rendered(Some(owner(true))).sql.text(), both);
        let parsed = pg_query::parse(&both, pg_query::ParserOptions::default()).unwrap();
        assert_eq!(parsed.protobuf.stmts.len(), 2, "two statements, whatever the names");
        let advice = rendered(Some(owner(true)));
        assert!(advice.risk.contains("log in as the table's owner"), "{advice:?}");
        for wide in [Some(owner(false)), None] {
            let advice = rendered(wide);
            assert_eq!(advice.sql.text(), alone);
            assert!(!advice.lock.contains("ACCESS EXCLUSIVE"), "{advice:?}");
            assert!(!advice.risk.contains("owner"), "{advice:?}");
        }
    }
}

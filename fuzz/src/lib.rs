//! What the targets share: one analysis of arbitrary bytes, and what must hold of it.

pub mod audit;

use pg_logstats_logs::evidence::Evidence;
use pg_logstats_logs::{LogError, Options, Part, PartError, Redaction, fuzzing};

/// The prefix of the seeds.
pub const PREFIX: &str = "%m [%p] %q%u@%d/%a ";

/// Analyses a log, whole and in pieces of a size that the input chooses, and checks all that must hold of every log.
///
/// The first byte of `data` chooses the size of the blocks and the number of threads; the rest stands behind `head`, which makes
/// the format known.
pub fn log(head: &[u8], prefix: Option<&str>, data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let bytes = [head, rest].concat();
    let options = |threads| Options {
        log_line_prefix: prefix.map(str::to_owned),
        threads,
        max_families: 100,
        ..Options::default()
    };
    let whole = fuzzing::reduce(bytes.clone(), &options(1), bytes.len() + 1);
    let block_bytes = 1 + usize::from(*choice >> 1) * 7;
    let cut = fuzzing::reduce(bytes.clone(), &options(1 + usize::from(choice & 1)), block_bytes);
    let (whole, cut) = match (whole, cut) {
        (Ok(whole), Ok(cut)) => (whole, cut),
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            return;
        }
        (one, other) => panic!("whole: {:?}, in pieces: {:?}", one.err(), other.err()),
    };
    let through_file = read(&write(&whole)).expect("what was written can be read");
    let (whole, cut) = (whole.evidence(&Redaction::least()), cut.evidence(&Redaction::least()));
    assert_eq!(json(&whole), json(&cut), "in pieces of {block_bytes}");
    assert_eq!(json(&whole), json(&through_file.evidence(&Redaction::least())), "through a file");
    account(&whole);
}

/// Analyses bytes that may be no log.
pub fn any(bytes: Vec<u8>) -> Result<Evidence, LogError> {
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let evidence = fuzzing::reduce(bytes, &options, 64 * 1024)?.evidence(&Redaction::least());
    account(&evidence);
    Ok(evidence)
}

/// Sums agree with what they are sums of.
pub fn account(evidence: &Evidence) {
    let source = &evidence.source;
    assert_eq!(source.entries_by_kind.values().sum::<u64>(), source.entries_scanned);
    assert_eq!(
        source.severities.values().sum::<u64>() + source.entries_outside_window,
        source.entries_scanned
    );
    assert_eq!(
        source.unparsed.values().map(|pieces| pieces.count).sum::<u64>(),
        source.entries_unparsed
    );
    let unparsed: u64 = source.unparsed.values().map(|pieces| pieces.bytes).sum();
    assert!(unparsed + source.bytes_dropped <= source.bytes);
    assert_eq!(
        source.files.iter().map(|file| file.entries).sum::<u64>(),
        source.entries_scanned
    );
    assert!(
        evidence
            .families
            .iter()
            .map(|family| family.execution_count)
            .sum::<u64>()
            <= evidence.total_executions
    );
    for family in &evidence.families {
        let percentiles = [
            family.p50_duration_us,
            family.p95_duration_us,
            family.p99_duration_us,
            family.max_duration_us,
        ];
        assert!(percentiles.is_sorted(), "{percentiles:?}");
    }
}

/// Evidence as JSON.
pub fn json(evidence: &Evidence) -> String {
    serde_json::to_string(evidence).expect("evidence is JSON")
}

/// An evidence file of a part.
pub fn write(part: &Part) -> Vec<u8> {
    let mut bytes = Vec::new();
    part.write(&Redaction::least(), &mut bytes).expect("memory takes it");
    bytes
}

/// The part of an evidence file, if it is one.
pub fn read(bytes: &[u8]) -> Result<Part, PartError> {
    Part::read("part", Box::new(std::io::Cursor::new(bytes.to_vec())), 100)
}

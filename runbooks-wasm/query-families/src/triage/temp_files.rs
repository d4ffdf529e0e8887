//! Groups of temporary files by their bytes.

use pg_logstats_runbook_statements::scores::{self, confidence, saturating, window_us};
use pg_logstats_sdk::{Bytes, Count, Evidence, Finding, FindingKind, TempFileGroup};

use super::{Candidate, Offers, TOP};
use crate::{messages, words};

/// Bytes of temporary files that rank as a statement with half of all time.
const HALF_PART_BYTES: u64 = 1 << 30;
/// A single file of this size is remarkable.
const LARGE_FILE_BYTES: u64 = 256 << 20;

/// One finding for each of the top groups. Which files are logged at all the operator chose with `log_temp_files`, so none is too
/// small to be told.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut databases: Vec<&Option<String>> = Vec::new();
    let mut candidates = Vec::new();
    for group in evidence.temp_files.iter().take(TOP) {
        // The counters are of a database: one look at each is enough.
        let counters = !databases.contains(&&group.dimensions.database);
        databases.push(&group.dimensions.database);
        candidates.push(Candidate {
            finding: finding(evidence, group),
            part: saturating(group.total_bytes, HALF_PART_BYTES),
            offers: Offers::TempFiles { group, counters },
        });
    }
    candidates
}

fn finding(evidence: &Evidence, group: &TempFileGroup) -> Finding {
    let (files, largest) = (Count(group.count), Bytes(group.max_bytes));
    // The log may name a family that is not in the evidence: such an id is none of ours.
    let family = group.family.as_deref().and_then(|id| evidence.family(id));
    let reason = match family {
        Some(family) => messages::temp_reason(family, files, largest),
        None => messages::temp_reason_unknown(files, largest),
    };
    let title = messages::temp_title(group, Bytes(group.total_bytes));
    let mut finding = Finding::new(FindingKind::TempFile, title, reason)
        .about(group)
        .score(scores::temp_files(group.total_bytes, window_us(evidence)))
        .confidence(confidence(group.count))
        .code(words::TEMP_FILE_VOLUME);
    if group.max_bytes >= LARGE_FILE_BYTES {
        finding = finding.code(words::LARGE_TEMP_FILE);
    }
    match family {
        Some(family) => finding.evidence(family),
        None => finding.code(words::STATEMENT_UNKNOWN),
    }
}

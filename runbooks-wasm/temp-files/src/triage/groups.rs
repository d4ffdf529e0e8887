//! Groups of temporary files by what they cost.

use pg_logstats_runbook_statements::scores::{confidence, saturating};
use pg_logstats_sdk::{Attribution, Bytes, Confidence, Count, Evidence, Finding, FindingKind, Ratio, TempFileGroup};

use super::{About, Candidate};
use crate::{messages, words};

const HOUR_US: u64 = 3_600_000_000;
/// Bytes in an hour that score one half: more than a megabyte of writes in each second, and as much of reads.
const HALF_HOURLY_BYTES: u64 = 4 << 30;
/// The size of a single file that scores one half: such a statement needs minutes, and a few of them fill a disk.
const HALF_LARGEST_BYTES: u64 = 8 << 30;
/// A single file of this size is remarkable.
const LARGE_FILE_BYTES: u64 = 1 << 30;
/// Files of this mean size are small.
const SMALL_FILE_BYTES: u64 = 16 << 20;
/// As many in an hour are many.
const MANY_FILES_HOURLY: u64 = 1_000;

/// One for each group, those with most score first; of equals, the host's order.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let all = evidence.temp_files.iter();
    let all = all.fold(0, |sum: u64, group| sum.saturating_add(group.total_bytes));
    let candidate = |group| Candidate {
        finding: finding(evidence, group, all),
        about: About::Group(group),
    };
    let mut candidates: Vec<Candidate<'_>> = evidence.temp_files.iter().map(candidate).collect();
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));
    candidates
}

/// `n` over the logs as a number in an hour. Logs that are shorter than an hour, or tell no times, count as one hour: what a few minutes
/// had is no rate of hours.
fn hourly(evidence: &Evidence, n: u64) -> u64 {
    let window_us = evidence
        .window
        .map_or(0, |(start, end)| if end > start { end.abs_diff(start) } else { 0 });
    let hours = window_us.max(HOUR_US) as f64 / HOUR_US as f64;
    // A cast of a float saturates; one hour changes nothing.
    if hours <= 1.0 { n } else { (n as f64 / hours) as u64 }
}

/// The larger of two scores: of the bytes in an hour, which cost all that use the disk, and of the largest file, which may fill it.
fn score(hourly_bytes: u64, largest: u64) -> f64 {
    saturating(hourly_bytes, HALF_HOURLY_BYTES).max(saturating(largest, HALF_LARGEST_BYTES))
}

fn finding(evidence: &Evidence, group: &TempFileGroup, all: u64) -> Finding {
    let hourly_bytes = hourly(evidence, group.total_bytes);
    let share = Ratio::of(group.total_bytes, all);
    // The log may name a family that is not in the evidence: such an id is none of ours.
    let family = group.family.as_deref().and_then(|id| evidence.family(id));
    let is_stated = group.attribution == Some(Attribution::Stated);
    let (files, largest, per_hour) = (Count(group.count), Bytes(group.max_bytes), Bytes(hourly_bytes));
    let reason = match family {
        Some(family) if is_stated => messages::group_reason(family, files, largest, per_hour),
        Some(family) => messages::group_reason_concluded(family, files, largest, per_hour),
        None => messages::group_reason_unknown(files, largest, per_hour),
    };
    let title = messages::group_title(group, Bytes(group.total_bytes), share);
    let is_many = hourly(evidence, group.count) >= MANY_FILES_HOURLY;
    let is_small = group.total_bytes / group.count.max(1) <= SMALL_FILE_BYTES;
    let mut finding = Finding::new(FindingKind::TempFile, title, reason)
        .about(group)
        .score(score(hourly_bytes, group.max_bytes))
        .confidence(match (confidence(group.count), family) {
            // Whose files they are was concluded.
            (Confidence::High, Some(_)) if !is_stated => Confidence::Medium,
            (confidence, _) => confidence,
        })
        .code(words::TEMP_FILE_VOLUME);
    let codes = [
        (share.value() >= 0.5, words::DOMINATES_TEMP_FILES),
        (group.max_bytes >= LARGE_FILE_BYTES, words::LARGE_TEMP_FILE),
        (is_many && is_small, words::MANY_SMALL_TEMP_FILES),
        (family.is_none(), words::STATEMENT_UNKNOWN),
        (family.is_some() && !is_stated, words::STATEMENT_CONCLUDED),
    ];
    for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
        finding = finding.code(code);
    }
    match family {
        Some(family) => finding.evidence(family),
        None => finding,
    }
}

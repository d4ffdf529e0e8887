//! The server's settings, beside what the logs show.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Assessment, Bytes, Confidence, Count, Evidence, Insight, NextAction, Outcome, Recommendation, Record, Setting,
    TempFileGroup,
};

use crate::{messages, words};

/// From this size on files are to be logged: what is smaller spills for a moment, and a line for each would cost more than the file.
const LOG_FROM_BYTES: u64 = 10 << 20;
/// A file of this size, with nothing to bound it, is a danger to the disk.
const DANGEROUS_BYTES: u64 = 8 << 30;
/// The most `work_mem` that the logs alone can speak for: they show sizes, and not how many sessions sort at once.
const MOST_WORK_MEM: u64 = 256 << 20;
/// Fewer files do not show what a role needs.
const FILES: u64 = 10;
/// Roles that are spoken of.
const ROLES: usize = 3;

/// Judges the rows of `temp_file.pg_settings.relevant`.
pub(crate) fn judge(evidence: &Evidence, outcome: &Outcome, assessment: &mut Assessment) {
    let settings: Vec<(&str, i64)> = outcome.records().filter_map(read).collect();
    let value = |name: &str| {
        settings
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    };
    if settings.is_empty() {
        assessment.limitation(statements::messages::unexpected_result());
        return;
    }
    // With files in the logs they are logged for some role at least, if not for ours.
    if evidence.temp_files.is_empty() && value("log_temp_files").is_some_and(|kilobytes| kilobytes < 0) {
        let insight = Insight::new(
            words::TEMP_FILES_NOT_LOGGED,
            Confidence::High,
            messages::unlogged_title(),
            messages::unlogged_reason(),
        );
        assessment.insight(insight.recommend(Recommendation::parameter(Setting::LogTempFiles, LOG_FROM_BYTES)));
    }
    if value("temp_file_limit").is_some_and(|kilobytes| kilobytes < 0) {
        unbounded(evidence, assessment);
    }
    let is_a_matter_of_settings = !assessment.insights.is_empty();
    if let Some(work_mem) = value("work_mem").and_then(kilobytes) {
        memory(evidence, work_mem, assessment);
    }
    if is_a_matter_of_settings {
        assessment.next_action(NextAction::prompt_user(
            messages::ask_settings_label(),
            messages::ask_settings_reason(),
        ));
    }
    if assessment.insights.is_empty() {
        assessment.insight(Insight::new(
            words::TEMP_SETTINGS_UNREMARKABLE,
            Confidence::Medium,
            messages::fitting_title(),
            messages::fitting_reason(Count::of(&settings)),
        ));
    }
}

/// A setting that is a number of kilobytes, or -1 for none. The text is the server's own form of an integer, and is compared with nothing
/// else.
fn read(record: Record<'_>) -> Option<(&'_ str, i64)> {
    let is_kilobytes = record.text("unit") == Some("kB");
    let value = record.text("setting")?.parse().ok()?;
    record.text("name").filter(|_| is_kilobytes).map(|name| (name, value))
}

fn kilobytes(value: i64) -> Option<u64> {
    u64::try_from(value).ok()?.checked_mul(1 << 10)
}

/// Nothing bounds temporary files, and the logs have one that is large enough to matter.
fn unbounded(evidence: &Evidence, assessment: &mut Assessment) {
    let largest = evidence.temp_files.iter().max_by_key(|group| group.max_bytes);
    let Some(group) = largest.filter(|group| group.max_bytes >= DANGEROUS_BYTES) else {
        return;
    };
    // Above twice what ran well, so that it ends only what runs away: a statement may write several files at once.
    let limit = group.max_bytes.checked_mul(2).and_then(u64::checked_next_power_of_two);
    let Some(limit) = limit else { return };
    let insight = Insight::new(
        words::TEMP_FILES_UNBOUNDED,
        Confidence::Medium,
        messages::unbounded_title(Bytes(group.max_bytes)),
        messages::unbounded_reason(Bytes(limit)),
    );
    let insight = insight.evidence(group);
    assessment.insight(insight.recommend(Recommendation::parameter(Setting::TempFileLimit, limit)));
}

/// Roles whose files, all of them, would fit into a sane `work_mem` that is more than what there is.
fn memory(evidence: &Evidence, work_mem: u64, assessment: &mut Assessment) {
    let mut roles: Vec<&String> = Vec::new();
    for group in &evidence.temp_files {
        let Some((role, needed)) = wanted(group).filter(|(_, needed)| *needed > work_mem) else {
            continue;
        };
        // Another group of the role may need more than is sane.
        let of_role = evidence
            .temp_files
            .iter()
            .filter(|other| other.dimensions.user.as_ref() == Some(role));
        let largest = of_role.map(|other| other.max_bytes).max().unwrap_or(0);
        if roles.len() >= ROLES || roles.contains(&role) || largest > group.max_bytes {
            continue;
        }
        roles.push(role);
        let insight = Insight::new(
            words::WORK_MEM_TOO_SMALL,
            Confidence::Medium,
            messages::memory_title(Bytes(needed), role),
            messages::memory_reason(Bytes(work_mem), Count(group.count), Bytes(group.max_bytes)),
        );
        let insight = insight.evidence(group);
        assessment.insight(insight.recommend(Recommendation::work_mem(role, needed)));
    }
    if !roles.is_empty() {
        assessment.next_action(NextAction::prompt_user(
            statements::messages::decide_work_mem_label(),
            statements::messages::decide_work_mem_reason(),
        ));
    }
}

/// The role of a group, and the `work_mem` that would hold its files, if the logs show enough to say so.
fn wanted(group: &TempFileGroup) -> Option<(&String, u64)> {
    let role = group.dimensions.user.as_ref()?;
    let needed = statements::work_mem_for(group.max_bytes)?;
    let is_known = group.family.is_some() && group.count >= FILES && group.max_bytes > 0;
    (is_known && needed <= MOST_WORK_MEM).then_some((role, needed))
}

//! Who streams from this server, and how far behind.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, DurationUs, Finding, FindingKind, Insight, InsightId, Message,
    NextAction, Outcome, Priority, Record,
};

use crate::{messages, offers, severity, words};

/// Where most of the lag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not sent yet, or on its way.
    Sending,
    /// Received, and not on the standby's disk.
    Writing,
    /// On the standby's disk, and not replayed.
    Replay,
}

/// What a row tells.
struct Standby {
    /// Position of the row.
    position: usize,
    lag_bytes: Option<u64>,
    /// None while nothing is written, whatever is left to replay, and until the standby confirmed something.
    lag_us: Option<u64>,
    /// What commits wait for, of one that they wait for.
    commit_us: Option<u64>,
    is_synchronous: bool,
    is_catching_up: bool,
    stage: Option<Stage>,
    subject: Option<String>,
}

impl Standby {
    fn new(position: usize, row: &Record<'_>) -> Self {
        let is_synchronous = matches!(row.text("sync_state"), Some("sync" | "quorum"));
        let commit_us = row.duration_us("flush_lag").filter(|_| is_synchronous);
        Self {
            position,
            lag_bytes: row.count("replay_lag_bytes"),
            lag_us: row.duration_us("replay_lag"),
            commit_us,
            is_synchronous,
            is_catching_up: row.text("state") == Some("catchup"),
            stage: stage(row),
            subject: row.subject().cloned(),
        }
    }

    fn score(&self) -> f64 {
        let scores = [
            self.lag_us.map_or(0.0, severity::of_time),
            self.lag_bytes.map_or(0.0, severity::of_bytes),
            self.commit_us.map_or(0.0, severity::of_commit),
        ];
        scores.into_iter().fold(0.0, f64::max)
    }

    /// It has something left to replay, and nobody knows for how long.
    fn is_of_unknown_age(&self) -> bool {
        self.lag_us.is_none() && self.lag_bytes.is_some_and(|bytes| bytes > 0)
    }

    fn finding(&self) -> Finding {
        let row = outcome::number(self.position);
        let title = match (self.lag_us.filter(|us| *us > 0), self.lag_bytes) {
            (Some(us), Some(bytes)) => messages::standby_title(row, DurationUs(us), Bytes(bytes)),
            (Some(us), None) => messages::standby_title_time(row, DurationUs(us)),
            (None, bytes) => messages::standby_title_bytes(row, Bytes(bytes.unwrap_or(0))),
        };
        let reason = match self.stage {
            Some(Stage::Sending) => messages::stage_sending(),
            Some(Stage::Writing) => messages::stage_writing(),
            Some(Stage::Replay) => messages::stage_replay(),
            None => messages::stage_unknown(),
        };
        let mut finding = Finding::new(FindingKind::Replication, title, reason).score(self.score());
        // A lag in time is that of the last WAL that was confirmed, so while nothing is confirmed only bytes are sure.
        finding = finding.confidence(if self.lag_bytes.is_some() {
            Confidence::High
        } else {
            Confidence::Medium
        });
        let codes = [
            (
                self.lag_us.map_or(0.0, severity::of_time) > severity::LOW,
                words::LAG_TIME,
            ),
            (
                self.lag_bytes.map_or(0.0, severity::of_bytes) > severity::LOW,
                words::LAG_BYTES,
            ),
            (self.is_synchronous, words::SYNCHRONOUS),
            (self.is_catching_up, words::CATCHING_UP),
        ];
        for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
            finding = finding.code(code);
        }
        match &self.subject {
            Some(subject) => finding.about(subject),
            None => finding,
        }
    }
}

/// Where most of the bytes are; none without all four figures.
fn stage(row: &Record<'_>) -> Option<Stage> {
    let written = row.count("write_lag_bytes")?;
    let flushed = row.count("flush_lag_bytes")?;
    let replayed = row.count("replay_lag_bytes")?;
    let parts = [
        (Stage::Sending, written),
        (Stage::Writing, flushed.saturating_sub(written)),
        (Stage::Replay, replayed.saturating_sub(flushed)),
    ];
    parts
        .into_iter()
        .max_by_key(|(_, bytes)| *bytes)
        .map(|(stage, _)| stage)
}

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        outcome::all_well(
            words::NO_STANDBY_STREAMS,
            Confidence::High,
            messages::nobody_title(),
            messages::nobody_reason(),
            assessment,
        );
        // A standby that should be there and is not shows as a slot without a user.
        assessment.next_action(offers::slots(actions));
        return;
    }
    // A base backup streams, too, and replays nothing.
    let standbys: Vec<Standby> = outcome
        .records()
        .enumerate()
        .filter(|(_, row)| row.text("state") != Some("backup"))
        .map(|(position, row)| Standby::new(position, &row))
        .collect();
    let is_unknown = |standby: &&Standby| standby.lag_bytes.is_none() && standby.lag_us.is_none();
    let unknown = standbys.iter().filter(is_unknown).count();
    outcome::without_figures(unknown, assessment);
    let behind: Vec<&Standby> = standbys
        .iter()
        .filter(|standby| standby.score() > severity::LOW)
        .collect();
    let of_unknown_age = standbys
        .iter()
        .filter(|standby| standby.score() <= severity::LOW && standby.is_of_unknown_age())
        .count();
    if of_unknown_age > 0 {
        assessment.limitation(messages::unknown_age(Count(of_unknown_age as u64)));
    }
    let most_bytes = standbys
        .iter()
        .filter_map(|standby| standby.lag_bytes)
        .max()
        .unwrap_or(0);
    outcome::worst_first(behind.iter().map(|standby| standby.finding()).collect(), assessment);
    if behind.is_empty() {
        if unknown == 0 {
            let title = messages::follow_title(Count::of(&standbys));
            outcome::all_well(
                words::STANDBYS_FOLLOW,
                Confidence::High,
                title,
                messages::follow_reason(Bytes(most_bytes)),
                assessment,
            );
        }
        return;
    }
    let stages = [
        (Stage::Sending, words::LAG_IN_SENDING, messages::stage_sending()),
        (Stage::Writing, words::LAG_IN_WRITING, messages::stage_writing()),
        (Stage::Replay, words::LAG_IN_REPLAY, messages::stage_replay()),
    ];
    for (stage, id, reason) in stages {
        in_stage(&behind, stage, id, reason, assessment);
    }
    let waits = behind.iter().filter_map(|standby| standby.commit_us).max();
    if let Some(us) = waits.filter(|us| severity::of_commit(*us) > severity::LOW) {
        let (title, reason) = (messages::commits_title(DurationUs(us)), messages::commits_reason());
        assessment.insight(Insight::new(words::COMMITS_WAIT, Confidence::High, title, reason));
        let (label, reason) = (messages::ask_commits_label(), messages::ask_commits_reason());
        assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
    }
    if behind.iter().any(|standby| standby.stage == Some(Stage::Replay)) {
        let (label, reason) = (messages::ask_standby_label(), messages::ask_standby_reason());
        assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
    }
    if behind.iter().any(|standby| standby.stage == Some(Stage::Sending)) {
        let (label, reason) = (messages::ask_network_label(), messages::ask_network_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
        let (label, reason) = (messages::checkpoints_label(), messages::checkpoints_why());
        let checkpoints = NextAction::run_workflow(words::CHECKPOINTS, label, reason);
        assessment.next_action(checkpoints.priority(Priority::Optional));
    }
    if behind.iter().any(|standby| standby.stage == Some(Stage::Writing)) {
        let (label, reason) = (messages::ask_disk_label(), messages::ask_disk_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
    assessment.next_action(offers::slots(actions));
    assessment.next_action(offers::logs());
}

fn in_stage(behind: &[&Standby], stage: Stage, id: InsightId, reason: Message, assessment: &mut Assessment) {
    let there: Vec<&&Standby> = behind.iter().filter(|standby| standby.stage == Some(stage)).collect();
    let Some(most) = there.iter().filter_map(|standby| standby.lag_bytes).max() else {
        return;
    };
    let n = Count::of(&there);
    let title = match stage {
        Stage::Sending => messages::sending_title(n, Bytes(most)),
        Stage::Writing => messages::writing_title(n, Bytes(most)),
        Stage::Replay => messages::replay_title(n, Bytes(most)),
    };
    let insight = Insight::new(id, Confidence::High, title, reason);
    let subjects = there.iter().filter_map(|standby| standby.subject.as_ref());
    assessment.insight(subjects.fold(insight, |insight, subject| insight.evidence(subject)));
}

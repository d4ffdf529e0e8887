//! The findings, each with its formula.

use pg_logstats_sdk::{
    Bytes, Checkpoint, CheckpointCause, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, Rate, Ratio,
};

use crate::{measure, messages, scores, words};

/// Checkpoints that a finding names.
const TOP: usize = 5;

/// What a finding wants next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wants {
    pub(super) settings: bool,
    pub(super) counters: bool,
    pub(super) wal: bool,
    pub(super) io: bool,
    pub(super) storage: bool,
    pub(super) asker: bool,
    pub(super) families: bool,
}

/// A finding, and what it wants next.
pub(super) struct Candidate {
    pub(super) finding: Finding,
    pub(super) wants: Wants,
}

/// All that the logs tell.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate> {
    let found = [frequent(evidence), syncs(evidence), wal(evidence), asked_for(evidence)];
    found.into_iter().flatten().collect()
}

/// `a ∨ b` (at least the larger): `a = s · r / (r + 12/h)`, with `s` the share of those that `max_wal_size` began of all that it or the clock did,
/// and `r` how many it began in an hour: twelve are as many as the default `checkpoint_timeout` makes at most, and each writes full pages anew.
/// `b = ¾ · w / (w + 10) · (½ + ½ · 30 s / (30 s + i))`, with `w` warnings and `i` the shortest interval: one load of data warns a few times, a
/// server that is too small always.
fn frequent(evidence: &Evidence) -> Option<Candidate> {
    let all = &evidence.checkpoints;
    let by_wal = measure::caused_by(evidence, CheckpointCause::Wal);
    let warned = all.too_frequent_count;
    if by_wal == 0 && warned == 0 {
        return None;
    }
    let by_clock = measure::caused_by(evidence, CheckpointCause::Time);
    let sum = by_wal.saturating_add(by_clock);
    let share = Ratio::of(by_wal, sum).value();
    let rate = measure::window_us(evidence).and_then(|us| Rate::of(by_wal, us));
    let hourly = rate.map_or(0.0, |rate| rate.per_second() * 3_600.0);
    let shortest = all.shortest_interval_us.map_or(0.0, |us| 30e6 / (30e6 + us as f64));
    let warnings = 0.75 * scores::saturating(warned as f64, 10.0) * (0.5 + 0.5 * shortest);
    let score = scores::either(share * scores::saturating(hourly, 12.0), warnings);
    let is_standby = is_standby(evidence);
    let reason = match (all.shortest_interval_us.filter(|_| warned > 0), rate) {
        (Some(shortest), _) => messages::warned_reason(Count(warned), DurationUs(shortest)),
        (None, Some(rate)) => messages::frequent_reason(rate),
        (None, None) => messages::frequent_reason_unknown(),
    };
    let cause = CheckpointCause::Wal;
    let title = match (by_wal, is_standby) {
        (0, _) => messages::warned_title(Count(warned)),
        (_, true) => messages::restart_frequent_title(cause, Count(by_wal), Count(sum)),
        (_, false) => messages::frequent_title(cause, Count(by_wal), Count(sum)),
    };
    let mut finding = Finding::new(FindingKind::Checkpoint, title, reason)
        .score(score)
        .confidence(confidence(evidence, by_wal.max(warned)));
    if by_wal > 0 {
        finding = finding.code(words::REQUESTED_BY_WAL);
    }
    if warned > 0 {
        finding = finding.code(words::TOO_FREQUENT_WARNING);
    }
    if is_standby {
        finding = finding.code(words::RESTARTPOINTS);
    }
    let named = all.longest.iter().filter(|one| one.causes.contains(&cause));
    Some(Candidate {
        finding: about(finding, named),
        wants: Wants {
            settings: true,
            counters: true,
            wal: true,
            families: !evidence.families.is_empty(),
            ..Wants::default()
        },
    })
}

/// `a ∨ b`: `a = l / (l + 10 s)`, with `l` the longest `fsync`: ten seconds in which commits may stand still are worth a look, forty are an
/// outage. `b = ½ · s · m / (m + 5 s)`, with `s` the share of syncing in writing and syncing, and `m` the mean of syncing in a checkpoint.
fn syncs(evidence: &Evidence) -> Option<Candidate> {
    let all = &evidence.checkpoints;
    let n = measure::count(evidence);
    if all.longest_sync_us == 0 {
        return None;
    }
    let share = Ratio::of(all.sync_us, all.sync_us.saturating_add(all.write_us));
    let mean = all.sync_us as f64 / n.max(1) as f64;
    let longest = scores::saturating(all.longest_sync_us as f64, 10e6);
    let score = scores::either(longest, 0.5 * share.value() * scores::saturating(mean, 5e6));
    let title = messages::sync_title(DurationUs(all.longest_sync_us), DurationUs(all.sync_us));
    let mut finding = Finding::new(FindingKind::Checkpoint, title, messages::sync_reason(share, Count(n)))
        .code(words::LONG_SYNC)
        .score(score)
        .confidence(Confidence::High);
    if share.value() >= 0.2 {
        finding = finding.code(words::SYNC_SHARE_HIGH);
    }
    let mut named: Vec<&Checkpoint> = all.longest.iter().filter(|one| one.longest_sync_us > 0).collect();
    named.sort_by_key(|one| std::cmp::Reverse(one.longest_sync_us));
    Some(Candidate {
        finding: about(finding, named),
        wants: Wants {
            io: true,
            counters: true,
            storage: true,
            ..Wants::default()
        },
    })
}

/// `0.7 · s · a / (a + 128)`, with `a` WAL files that had to be made and `s` their share of those made and recycled. 128 files are 2 GiB; a
/// server that grew once recycles from then on. It costs time and disk and breaks nothing: 0.7 at most.
fn wal(evidence: &Evidence) -> Option<Candidate> {
    let all = &evidence.checkpoints;
    let (added, recycled) = (all.wal_files_added, all.wal_files_recycled);
    if added == 0 {
        return None;
    }
    let share = Ratio::of(added, added.saturating_add(recycled)).value();
    let most = all.longest.iter().map(|one| one.distance_bytes).max();
    let reason = most.map_or_else(messages::wal_reason_unknown, |most| messages::wal_reason(Bytes(most)));
    let title = messages::wal_title(Count(added), Count(recycled));
    let mut finding = Finding::new(FindingKind::Checkpoint, title, reason)
        .code(words::WAL_GROWS)
        .score(0.7 * share * scores::saturating(added as f64, 128.0))
        .confidence(confidence(evidence, measure::count(evidence)));
    // The server's estimate is the longest distance of late, and falls slowly: never less than the last one.
    let is_peak = |one: &&Checkpoint| one.distance_bytes > 0 && one.distance_bytes >= one.estimate_bytes;
    let peaks = all.longest.iter().filter(is_peak).count();
    if peaks >= 3 && peaks * 2 > all.longest.len() {
        finding = finding.code(words::DISTANCE_AT_ESTIMATE);
    }
    let mut named: Vec<&Checkpoint> = all.longest.iter().filter(|one| one.wal_files_added > 0).collect();
    named.sort_by_key(|one| std::cmp::Reverse(one.wal_files_added));
    Some(Candidate {
        finding: about(finding, named),
        wants: Wants {
            settings: true,
            wal: true,
            families: !evidence.families.is_empty(),
            ..Wants::default()
        },
    })
}

/// `0.6 · r / (r + 6/h) · n / (n + 3)`, with `n` those that somebody asked for and `r` how many in an hour; half of that where as many base
/// backups explain them. Starting and stopping the server asks for one, too, and is left out.
fn asked_for(evidence: &Evidence) -> Option<Candidate> {
    let own =
        [CheckpointCause::Shutdown, CheckpointCause::EndOfRecovery].map(|cause| measure::caused_by(evidence, cause));
    let immediate = measure::caused_by(evidence, CheckpointCause::Immediate);
    let n = own.iter().fold(immediate, |left, own| left.saturating_sub(*own));
    if n == 0 {
        return None;
    }
    let rate = measure::window_us(evidence).and_then(|us| Rate::of(n, us));
    let hourly = rate.map_or(0.0, |rate| rate.per_second() * 3_600.0);
    let backups = measure::event(evidence, "wal_base_backup_complete");
    let is_explained = backups >= n;
    let weight = if is_explained { 0.3 } else { 0.6 };
    let title = match rate {
        Some(rate) => messages::asked_title(Count(n), rate),
        None => messages::asked_title_unknown(Count(n)),
    };
    let reason = if is_explained {
        messages::asked_backup_reason(Count(backups))
    } else {
        messages::asked_reason()
    };
    let mut finding = Finding::new(FindingKind::Checkpoint, title, reason)
        .code(words::ASKED_FOR)
        .score(weight * scores::saturating(hourly, 6.0) * scores::saturating(n as f64, 3.0))
        .confidence(confidence(evidence, n));
    if is_explained {
        finding = finding.code(words::BASE_BACKUPS);
    }
    let is_asked = |one: &&Checkpoint| {
        let has = |cause| one.causes.contains(&cause);
        has(CheckpointCause::Immediate) && !has(CheckpointCause::Shutdown) && !has(CheckpointCause::EndOfRecovery)
    };
    Some(Candidate {
        finding: about(finding, evidence.checkpoints.longest.iter().filter(is_asked)),
        wants: Wants {
            counters: true,
            asker: true,
            ..Wants::default()
        },
    })
}

/// The first is what it is about, the next are evidence.
fn about<'a>(finding: Finding, named: impl IntoIterator<Item = &'a Checkpoint>) -> Finding {
    let mut named = named.into_iter();
    let finding = match named.next() {
        Some(first) => finding.about(first),
        None => finding,
    };
    named.take(TOP).fold(finding, |finding, one| finding.evidence(one))
}

/// By how many there were; without the length of the logs there is no rate, so never high.
fn confidence(evidence: &Evidence, n: u64) -> Confidence {
    match scores::confidence(n) {
        Confidence::High if measure::window_us(evidence).is_none() => Confidence::Medium,
        sure => sure,
    }
}

fn is_standby(evidence: &Evidence) -> bool {
    evidence.checkpoints.restartpoint_count > evidence.checkpoints.checkpoint_count
}

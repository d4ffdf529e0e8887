//! Ages of databases and tables.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, AutovacuumKind, Bytes, Confidence, Count, Evidence, Finding, FindingKind, Insight, Message,
    NextAction, Outcome, Priority, Ratio, Recommendation, Record,
};

use crate::severity::{self, Counter, FAILSAFE_AGE, LIMIT};
use crate::{messages, offers, words};

/// Tables of the logs that get an insight.
const KEPT_OUT: usize = 3;

/// The part of all ids that is next to nothing: at most that much is used where autovacuum is forced at its default, and comes.
const NEXT_TO_NOTHING: f64 = 0.1;

/// One age of a row.
#[derive(Debug, Clone, Copy)]
struct Age {
    counter: Counter,
    age: u64,
    freeze_max_age: u64,
    /// What is left, where the row tells.
    left: Option<u64>,
}

impl Age {
    fn score(&self) -> f64 {
        match self.left {
            Some(0) => 1.0,
            _ => severity::of_age(self.age, self.freeze_max_age),
        }
    }

    /// The worse of two.
    fn worse(self, other: Self) -> Self {
        // Where both are low, the one that is nearer to its end.
        let rank = |age: &Self| (age.score(), age.age);
        if rank(&other) > rank(&self) { other } else { self }
    }

    /// By the part of all ids that is used; where that is next to nothing, because the setting was lowered, by the setting.
    fn title_of_database(&self, row: Count) -> Message {
        let used = Ratio::of(self.age, LIMIT);
        if used.value() < NEXT_TO_NOTHING {
            messages::database_late_title(row, Ratio::of(self.age, self.freeze_max_age))
        } else {
            messages::database_title(row, used)
        }
    }

    fn with_codes(&self, mut finding: Finding) -> Finding {
        finding = finding.code(match self.counter {
            Counter::Xid => words::XID_AGE,
            Counter::Multixact => words::MULTIXACT_AGE,
        });
        let codes = [
            (
                severity::is_overdue(self.age, self.freeze_max_age),
                words::FREEZE_OVERDUE,
            ),
            (self.age >= FAILSAFE_AGE, words::FAILSAFE_AGE),
            (self.left == Some(0), words::LIMIT_REACHED),
        ];
        for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
            finding = finding.code(code);
        }
        finding
    }
}

fn worst(ages: impl IntoIterator<Item = Option<Age>>) -> Option<Age> {
    ages.into_iter().flatten().reduce(Age::worse)
}

/// The worse age of a database.
fn of_database(row: &Record<'_>) -> Option<Age> {
    let age = |counter: Counter, age, freeze, left| {
        let freeze_max_age = row.count(freeze).unwrap_or(counter.default_freeze_max_age());
        row.count(age).map(|age| Age {
            counter,
            age,
            freeze_max_age,
            left: row.count(left),
        })
    };
    worst([
        age(Counter::Xid, "xid_age", "autovacuum_freeze_max_age", "xids_left"),
        age(
            Counter::Multixact,
            "multixact_age",
            "autovacuum_multixact_freeze_max_age",
            "multixacts_left",
        ),
    ])
}

pub(super) fn judge_databases(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let ages: Vec<Option<Age>> = outcome.records().map(|row| of_database(&row)).collect();
    outcome::without_figures(ages.iter().filter(|age| age.is_none()).count(), assessment);
    let mut findings = Vec::new();
    for (position, age) in ages.iter().enumerate() {
        if let Some(age) = age.filter(|age| age.score() > severity::LOW) {
            let (title, forced) = (
                age.title_of_database(outcome::number(position)),
                Count(age.freeze_max_age),
            );
            let reason = match age.counter {
                Counter::Xid => messages::database_xids(Count(age.age), forced),
                Counter::Multixact => messages::database_multixacts(Count(age.age), forced),
            };
            let finding = Finding::new(FindingKind::Wraparound, title, reason);
            findings.push(age.with_codes(finding.score(age.score()).confidence(Confidence::High)));
        }
    }
    let Some(worst) = worst(ages) else { return };
    let used = Ratio::of(worst.age, LIMIT);
    let n = outcome::worst_first(findings, assessment);
    if n == 0 {
        let reason = messages::databases_well_reason(Count(worst.age), Count(worst.freeze_max_age));
        outcome::all_well(
            words::DATABASES_FROZEN_IN_TIME,
            Confidence::High,
            messages::databases_well_title(used),
            reason,
            assessment,
        );
        return;
    }
    let left = Count(worst.left.unwrap_or(LIMIT.saturating_sub(worst.age)));
    let title = messages::near_title(Count(n as u64));
    let insight = Insight::new(
        words::DATABASE_NEAR_WRAPAROUND,
        Confidence::High,
        title,
        messages::near_reason(used, left),
    );
    assessment.insight(insight);
    assessment.next_action(offers::horizon(actions));
    assessment.next_action(offers::tables(actions).map(|action| action.priority(Priority::Required)));
    assessment.next_action(offers::vacuums(actions));
    assessment.next_action(offers::settings(actions));
    let (label, reason) = (messages::ask_connect_label(), messages::ask_connect_reason());
    assessment.next_action(NextAction::prompt_user(label, reason));
}

/// The worst age of a table or its TOAST table.
fn of_table(row: &Record<'_>) -> Option<Age> {
    let age = |counter: Counter, age, freeze| {
        let freeze_max_age = row.count(freeze).unwrap_or(counter.default_freeze_max_age());
        row.count(age).map(|age| Age {
            counter,
            age,
            freeze_max_age,
            left: None,
        })
    };
    worst([
        age(Counter::Xid, "xid_age", "freeze_max_age"),
        age(Counter::Xid, "toast_xid_age", "toast_freeze_max_age"),
        age(Counter::Multixact, "multixact_age", "multixact_freeze_max_age"),
        age(
            Counter::Multixact,
            "toast_multixact_age",
            "toast_multixact_freeze_max_age",
        ),
    ])
}

pub(super) fn judge_tables(
    evidence: &Evidence,
    outcome: &Outcome,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let rows: Vec<(Option<Age>, Record<'_>)> = outcome.records().map(|row| (of_table(&row), row)).collect();
    outcome::without_figures(rows.iter().filter(|(age, _)| age.is_none()).count(), assessment);
    let mut findings = Vec::new();
    let mut bytes: u64 = 0;
    for (position, (age, row)) in rows.iter().enumerate() {
        if let Some(age) = age.filter(|age| age.score() > severity::LOW) {
            let size = row.count("size_bytes").unwrap_or(0);
            bytes = bytes.saturating_add(size);
            let title = messages::table_title(outcome::number(position), Ratio::of(age.age, LIMIT));
            let forced = Count(age.freeze_max_age);
            let reason = match age.counter {
                Counter::Xid => messages::table_xids(Count(age.age), forced, Bytes(size)),
                Counter::Multixact => messages::table_multixacts(Count(age.age), forced, Bytes(size)),
            };
            let finding = Finding::new(FindingKind::Wraparound, title, reason).confidence(Confidence::High);
            let mut finding = age.with_codes(finding.score(age.score()));
            if row.at("last_vacuum").is_none() && row.at("last_autovacuum").is_none() {
                finding = finding.code(words::NEVER_VACUUMED);
            }
            findings.push(finding);
        }
    }
    let Some(worst) = worst(rows.iter().map(|(age, _)| *age)) else {
        return;
    };
    let n = Count(outcome::worst_first(findings, assessment) as u64);
    if n.0 == 0 {
        let (title, reason) = (
            messages::tables_well_title(Ratio::of(worst.age, LIMIT)),
            messages::tables_well_reason(Count(worst.age), Count(worst.freeze_max_age)),
        );
        outcome::all_well(
            words::TABLES_FROZEN_IN_TIME,
            Confidence::High,
            title,
            reason,
            assessment,
        );
        return;
    }
    let (title, reason) = (messages::freeze_title(n), messages::freeze_reason(Bytes(bytes)));
    assessment.insight(Insight::new(words::TABLES_TO_FREEZE, Confidence::High, title, reason));
    kept_out(evidence, assessment);
    // While something holds the horizon back, a VACUUM freezes nothing.
    assessment.next_action(offers::horizon(actions));
    assessment.next_action(offers::vacuums(actions));
    assessment.next_action(offers::settings(actions));
    let (label, reason) = (messages::ask_freeze_label(n), messages::ask_freeze_reason(Bytes(bytes)));
    assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
}

/// Tables of the logs, if this report follows one on logs, whose vacuum gave way or did not begin more often than it came to its end.
/// Only these have subjects, so only these can be named in advice.
fn kept_out(evidence: &Evidence, assessment: &mut Assessment) {
    let blocked = |group: &pg_logstats_sdk::AutovacuumGroup| group.canceled_count.saturating_add(group.skipped_count);
    let groups = evidence.autovacuum.iter().filter(|group| {
        // A table without its database is one whose schema the log does not tell.
        group.kind == AutovacuumKind::Vacuum && group.database.is_some() && blocked(group) > group.run_count
    });
    let mut named: Vec<&String> = Vec::new();
    for group in groups {
        if named.len() == KEPT_OUT {
            break;
        }
        if named.contains(&&group.table) {
            continue;
        }
        named.push(&group.table);
        let title = messages::kept_out_title(&group.table, Count(blocked(group)));
        let reason = messages::kept_out_reason(Count(group.run_count));
        let insight = Insight::new(words::VACUUM_KEPT_OUT, Confidence::Medium, title, reason);
        let vacuum = Recommendation::vacuum(&group.table, true);
        assessment.insight(insight.evidence(group).evidence(&group.table).recommend(vacuum));
    }
    if !named.is_empty() {
        let (label, reason) = (messages::autovacuum_label(), messages::autovacuum_why());
        assessment.next_action(NextAction::run_workflow(words::AUTOVACUUM, label, reason));
    }
}

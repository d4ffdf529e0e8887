//! What was found, what followed, and what a person should do: of all reports of an incident together.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use pg_logstats_handoff::{Finding, Insight, NextStep, Recommendation, Severity, Subject};

use super::{FoundReport, untrusted};
use crate::report::{self, Metric, SubjectView, word};
use crate::words::{ActionStatus, ActionType, Priority};

/// Most findings, insights and steps of a packet, each.
const MAX_FINDINGS: usize = 30;
const MAX_INSIGHTS: usize = 30;
const MAX_NEXT: usize = 12;
/// Findings that a person is sent to when there is no advice.
const MAX_LOOKS: usize = 3;
/// The workflow whose findings are but a first look: what another runbook says of the same is better.
const FIRST_LOOK: &str = "auto";

/// The findings of all reports, each thing once, the worst first.
pub(super) fn findings(reports: &[FoundReport<'_>]) -> Vec<Finding> {
    let mut kept: Vec<(String, bool, Finding)> = Vec::new();
    for found in reports {
        let report = &found.record.report;
        let is_first_look = report.workflow == FIRST_LOOK;
        for finding in &report.findings {
            let subject = subject_of(finding);
            let what = subject.as_ref().map_or(&finding.title, |subject| &subject.id);
            let key = format!("{} {what}", word(&finding.kind));
            let finding = Finding {
                kind: word(&finding.kind),
                title: finding.title.clone(),
                reason: finding.reason.clone(),
                score: finding.score,
                severity: Severity::of(finding.score),
                confidence: word(&finding.confidence),
                subject,
                metrics: metrics(&finding.metrics),
                record: found.position,
            };
            match kept.iter_mut().find(|(known, ..)| *known == key) {
                // The later one knows more, and a first look never does; what one of them saw is no less bad for that.
                Some(known) => {
                    let score = known.2.score.max(finding.score);
                    if !is_first_look {
                        *known = (key, false, finding);
                    }
                    known.2.score = score;
                    known.2.severity = Severity::of(score);
                }
                None => kept.push((key, is_first_look, finding)),
            }
        }
    }
    let mut findings: Vec<Finding> = kept.into_iter().map(|(.., finding)| finding).collect();
    let is_nothing = |finding: &Finding| finding.kind == "nothing_found";
    if findings.iter().any(|finding| !is_nothing(finding)) {
        findings.retain(|finding| !is_nothing(finding));
    }
    // Stable: what was found first stays before its equals.
    findings.sort_by(|one, other| other.score.total_cmp(&one.score));
    findings.truncate(MAX_FINDINGS);
    findings
}

fn metrics(metrics: &BTreeMap<String, Metric>) -> BTreeMap<String, f64> {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let number = |metric: &Metric| match metric {
        Metric::Count(n) => *n as f64,
        Metric::Number(n) => *n,
    };
    metrics
        .iter()
        .map(|(name, metric)| (name.clone(), number(metric)))
        .collect()
}

/// What a finding is about: the view of its own that its kind has, or the plain one.
fn subject_of(finding: &report::Finding) -> Option<Subject> {
    let subject = |id: &str, kind: &str, text| Subject {
        id: id.to_owned(),
        kind: kind.to_owned(),
        text,
    };
    if let Some(it) = &finding.query_family {
        return Some(subject(
            &it.query_family_id,
            "query_family",
            Some(untrusted(&it.statement)),
        ));
    }
    if let Some(it) = &finding.error_class {
        return Some(subject(&it.error_class_id, "error_class", Some(untrusted(&it.message))));
    }
    if let Some(it) = &finding.lock_wait {
        return Some(subject(&it.lock_wait_id, "lock_wait", None));
    }
    if let Some(it) = &finding.deadlock {
        return Some(subject(&it.deadlock_id, "deadlock", None));
    }
    if let Some(it) = &finding.temp_file {
        return Some(subject(&it.temp_file_id, "temp_file", None));
    }
    finding.subject.as_ref().map(of_view)
}

fn of_view(view: &SubjectView) -> Subject {
    Subject {
        id: view.subject_id.clone(),
        kind: view.kind.clone(),
        text: view.text.as_ref().map(untrusted),
    }
}

/// The insights of all reports, each once: those with advice that mends something first, of these the surest, and of these the ones that
/// explain the worst of `findings`.
pub(super) fn insights(reports: &[FoundReport<'_>], findings: &[Finding]) -> Vec<Insight> {
    let mut kept: Vec<Insight> = Vec::new();
    for found in reports {
        for insight in &found.record.report.insights {
            let insight = Insight {
                id: insight.insight_id.clone(),
                title: insight.title.clone(),
                reason: insight.reason.clone(),
                confidence: word(&insight.confidence),
                evidence: insight.evidence.iter().map(of_view).collect(),
                recommendation: insight.recommendation.as_ref().map(recommendation),
                record: found.position,
            };
            let is_same = |known: &&mut Insight| {
                known.id == insight.id && known.title == insight.title && known.recommendation == insight.recommendation
            };
            match kept.iter_mut().find(is_same) {
                Some(known) => *known = insight,
                None => kept.push(insight),
            }
        }
    }
    rank(&mut kept, findings);
    kept.truncate(MAX_INSIGHTS);
    kept
}

fn rank(insights: &mut [Insight], findings: &[Finding]) {
    let confidence = |it: &Insight| match it.confidence.as_str() {
        "high" => 0,
        "medium" => 1,
        _ => 2,
    };
    insights.sort_by_key(|it| {
        let advice = it.recommendation.as_ref();
        let explained = worst(findings, it);
        (
            advice.is_none(),
            advice.is_some_and(shows_more),
            confidence(it),
            Reverse(explained),
        )
    });
}

/// How bad the worst finding is that the insight explains: one about what it was seen in, else one of the report that it stands in.
fn worst(findings: &[Finding], insight: &Insight) -> Option<Severity> {
    let is_about = |finding: &&Finding| {
        let subject = finding.subject.as_ref();
        subject.is_some_and(|subject| insight.evidence.iter().any(|it| it.id == subject.id))
    };
    let is_beside = |finding: &&Finding| finding.record == insight.record;
    let severity = |finding: &Finding| finding.severity;
    let about = findings.iter().filter(is_about).map(severity).max();
    about.or_else(|| findings.iter().filter(is_beside).map(severity).max())
}

/// Whether it only lets the server tell more of the next incident: what mends this one comes before that, however sure each is. The SQL is ours.
fn shows_more(advice: &Recommendation) -> bool {
    advice.kind == "set_parameter"
        && ["ALTER SYSTEM SET log_", "ALTER SYSTEM SET track_"]
            .iter()
            .any(|sql| advice.sql.text.starts_with(sql))
}

fn recommendation(advice: &report::Recommendation) -> Recommendation {
    Recommendation {
        kind: advice.kind.clone(),
        sql: untrusted(&advice.sql),
        expected_effect: advice.expected_effect.clone(),
        risk: advice.risk.clone(),
        lock: advice.lock.clone(),
        way_back: untrusted(&advice.way_back),
        check: untrusted(&advice.check),
    }
}

/// What a report offers, and the worst score of what it is about.
struct Offered {
    /// Whether it asks a person.
    asks: bool,
    score: f64,
    step: NextStep,
}

/// Advice first, then what runbooks want a person for, about the worst first, then what was offered as required and not done; and what was found, where
/// nothing of that says what to do.
pub(super) fn next(reports: &[FoundReport<'_>], findings: &[Finding], insights: &[Insight]) -> Vec<NextStep> {
    let mut next: Vec<NextStep> = Vec::new();
    for (position, insight) in insights.iter().enumerate() {
        if insight.recommendation.is_some() {
            next.push(NextStep {
                label: insight.title.clone(),
                reason: insight.reason.clone(),
                priority: "recommended".to_owned(),
                insight: Some(position),
                command: None,
                record: insight.record,
            });
        }
    }
    let done = |argv: &[String]| {
        reports.iter().any(|found| {
            let outcome = found.record.report.outcome.as_ref();
            let parent = found.record.report.parent_report_id.as_deref();
            outcome.is_some_and(|it| argv.contains(&it.action_id))
                && parent.is_some_and(|id| argv.iter().any(|it| it == id))
        })
    };
    // What a workflow would run, its newest report offers again where it still matters; whom it asked, it asks once.
    let newest: BTreeMap<&str, usize> = reports
        .iter()
        .map(|found| (found.record.report.workflow.as_str(), found.position))
        .collect();
    let mut offered: Vec<Offered> = Vec::new();
    let of_all = reports
        .iter()
        .flat_map(|found| found.record.report.next_actions.iter().map(move |it| (found, it)));
    for (found, action) in of_all {
        let (record, report) = (found.position, &found.record.report);
        let command = action.command.as_ref().map(|command| command.argv.clone());
        let is_wanted = match action.action_type {
            ActionType::PromptUser => true,
            ActionType::RunSql => {
                newest.get(report.workflow.as_str()) == Some(&record)
                    && action.status == ActionStatus::Allowed
                    && action.priority == Priority::Required
                    && !command.as_deref().is_some_and(done)
            }
            ActionType::RunWorkflow | ActionType::Stop => false,
        };
        let step = NextStep {
            label: action.label.clone(),
            reason: action.reason.clone(),
            priority: word(&action.priority),
            insight: None,
            command: command.filter(|_| action.action_type == ActionType::RunSql),
            record,
        };
        let is_same = |known: &Offered| known.step.label == step.label && known.step.command == step.command;
        if is_wanted && !offered.iter().any(is_same) {
            let about = report
                .findings
                .iter()
                .filter(|it| action.findings.contains(&it.finding_id));
            offered.push(Offered {
                asks: action.action_type == ActionType::PromptUser,
                score: about.map(|it| it.score).fold(0.0, f64::max),
                step,
            });
        }
    }
    let rank = |it: &Offered| match it.step.priority.as_str() {
        "required" => 0,
        "recommended" => 1,
        _ => 2,
    };
    offered.sort_by(|one, other| {
        let by_kind = (!one.asks, rank(one)).cmp(&(!other.asks, rank(other)));
        by_kind.then(other.score.total_cmp(&one.score))
    });
    next.extend(offered.into_iter().map(|it| it.step));
    if next.is_empty() {
        let worth_a_look = findings.iter().filter(|finding| finding.severity > Severity::Low);
        next.extend(worth_a_look.take(MAX_LOOKS).map(|finding| NextStep {
            label: format!("look into it: {}", finding.title),
            reason: finding.reason.clone(),
            priority: "recommended".to_owned(),
            insight: None,
            command: None,
            record: finding.record,
        }));
    }
    next.truncate(MAX_NEXT);
    next
}

#[cfg(test)]
mod tests {
    use pg_logstats_handoff::Untrusted;

    use super::*;

    fn finding(subject: &str, score: f64, record: usize) -> Finding {
        Finding {
            kind: "query_family".to_owned(),
            title: subject.to_owned(),
            reason: String::new(),
            score,
            severity: Severity::of(score),
            confidence: "high".to_owned(),
            subject: (!subject.is_empty()).then(|| Subject {
                id: subject.to_owned(),
                kind: "query_family".to_owned(),
                text: None,
            }),
            metrics: BTreeMap::new(),
            record,
        }
    }

    fn insight(id: &str, evidence: &str, confidence: &str, sql: Option<&str>, record: usize) -> Insight {
        Insight {
            id: id.to_owned(),
            title: String::new(),
            reason: String::new(),
            confidence: confidence.to_owned(),
            evidence: vec![Subject {
                id: evidence.to_owned(),
                kind: "query_family".to_owned(),
                text: None,
            }],
            recommendation: sql.map(|sql| Recommendation {
                kind: "set_parameter".to_owned(),
                sql: Untrusted::new(sql),
                expected_effect: String::new(),
                risk: String::new(),
                lock: String::new(),
                way_back: Untrusted::new(""),
                check: Untrusted::new(""),
            }),
            record,
        }
    }

    #[test]
    fn advice_comes_by_what_it_mends_how_sure_it_is_and_how_bad_what_it_explains_is() {
        let findings = [
            finding("qf_worst", 0.9, 0),
            finding("qf_small", 0.3, 0),
            finding("", 0.6, 2),
        ];
        let (mends, logs) = (
            Some("ALTER SYSTEM SET work_mem = '8MB'"),
            Some("ALTER SYSTEM SET log_lock_waits = on"),
        );
        let mut insights = [
            insight("nothing to do", "qf_worst", "high", None, 0),
            insight("only logs", "qf_worst", "high", logs, 0),
            insight("unsure", "qf_worst", "low", mends, 0),
            insight("explains nothing", "qf_other", "high", mends, 1),
            insight("small", "qf_small", "high", mends, 0),
            insight("of its report", "rl_orders", "high", mends, 2),
            insight("worst", "qf_worst", "high", mends, 1),
        ];
        rank(&mut insights, &findings);
        let order: Vec<&str> = insights.iter().map(|it| it.id.as_str()).collect();
        let expected = [
            "worst",
            "of its report",
            "small",
            "explains nothing",
            "unsure",
            "only logs",
            "nothing to do",
        ];
        assert_eq!(order, expected);
    }
}

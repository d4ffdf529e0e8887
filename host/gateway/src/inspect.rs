//! `inspect` and `health`: what there is to work with, and how the database is.

use pg_logstats_logs::Progress;
use pg_logstats_logs::evidence::Evidence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::{self, Check, CheckStatus, ServerInspection};
use crate::error::GatewayError;
use crate::evidence_files;
use crate::gateway::Gateway;
use crate::health::{Sharing, Verdict};
use crate::report::{SCHEMA_VERSION, SourceSummary};
use crate::request::{HealthRequest, InspectRequest, LogChoice};
use crate::time::{now_us, rfc3339};
use crate::words::{OperatingMode, VerdictLevel};

/// What there is to work with, and what to change so that there is more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// The answer.
    pub operating_mode: OperatingMode,
    /// Of the logs, then of the server.
    pub checks: Vec<Check>,
    /// What the logs hold.
    pub source_summary: SourceSummary,
    /// The server, when it was asked and answered.
    pub server: Option<ServerInspection>,
}

/// The verdict on one database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthReport {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Host, port and database; no secret.
    pub database: String,
    /// The answer.
    pub verdict: VerdictLevel,
    /// Why, one sentence each.
    pub verdict_reasons: Vec<String>,
    /// Every input and threshold.
    pub health: Verdict,
}

impl Gateway {
    /// Decides the operating mode from logs and server.
    ///
    /// # Errors
    /// When a named log cannot be opened; what is in the logs and on the server is a check, not an error.
    pub fn inspect(
        &self,
        request: &InspectRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Inspection, GatewayError> {
        let (mut checks, evidence) = self.or_refused(self.inspect_logs(request, progress))?;
        let server = match self.database(&request.database)? {
            Some(chosen) => Some(Self::block_on(db::inspect_server(&chosen.target))?),
            None => None,
        };
        let has_logs = evidence.as_ref().is_some_and(|e| e.source.entries_scanned > 0);
        let is_live = server.as_ref().is_some_and(ServerInspection::is_answered);
        match &server {
            Some(server) => checks.extend(server.checks.iter().cloned()),
            None => checks.push(skipped(
                "server.reachable",
                "no database is configured",
                "set PG_LOGSTATS_DATABASE_URL, give --dsn, or name a database of the configuration with --database",
            )),
        }
        Ok(Inspection {
            schema_version: SCHEMA_VERSION,
            created_at: rfc3339(now_us()),
            operating_mode: match (has_logs, is_live) {
                (true, true) => OperatingMode::LogBackedAndLive,
                (true, false) => OperatingMode::LogBackedOnly,
                (false, true) => OperatingMode::LiveOnly,
                (false, false) => OperatingMode::Unready,
            },
            source_summary: SourceSummary::new(if evidence.is_some() { "logs" } else { "none" }, evidence.as_ref()),
            server,
            checks,
        })
    }

    /// Takes the verdict on a database.
    ///
    /// # Errors
    /// When no database is named. One that cannot be reached has the verdict `unknown`.
    pub fn health(&self, request: &HealthRequest) -> Result<HealthReport, GatewayError> {
        let Some(chosen) = self.database(&request.database)? else {
            return Err(GatewayError::Usage(
                "no database to judge: give --dsn, set PG_LOGSTATS_DATABASE_URL, or name one of the configuration with --database"
                    .to_owned(),
            ));
        };
        let verdict = self.verdict(&chosen.target, Sharing::SinceAsked)?;
        Ok(HealthReport {
            schema_version: SCHEMA_VERSION,
            created_at: rfc3339(now_us()),
            database: chosen.target.to_string(),
            verdict: verdict.level,
            verdict_reasons: verdict.reasons.iter().map(ToString::to_string).collect(),
            health: verdict,
        })
    }

    fn inspect_logs(
        &self,
        request: &InspectRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(Vec<Check>, Option<Evidence>), GatewayError> {
        if request.logs.is_empty() {
            let check = skipped("logs.readable", "no logs were named", "name log files or folders");
            return Ok((vec![check], None));
        }
        let input = LogChoice {
            logs: request.logs.clone(),
            log_line_prefix: request.log_line_prefix.clone(),
            ..LogChoice::default()
        };
        match evidence_files::reduce(&input, &self.log_access, progress)
            .map(|part| part.evidence(&self.config.redaction()))
        {
            Ok(evidence) => Ok((log_checks(&evidence), Some(evidence))),
            Err(GatewayError::Log(error)) => {
                let remedy = "name logs that PostgreSQL wrote (stderr, csvlog or jsonlog), and --log-line-prefix as the server has it";
                Ok((
                    vec![check("logs.readable", CheckStatus::Failed, error.to_string(), remedy)],
                    None,
                ))
            }
            Err(other) => Err(other),
        }
    }
}

fn check(id: &str, status: CheckStatus, reason: impl Into<String>, remedy: &str) -> Check {
    Check {
        id: id.to_owned(),
        status,
        reason: reason.into(),
        remedy: (status != CheckStatus::Passed).then(|| remedy.to_owned()),
    }
}

fn skipped(id: &str, reason: &str, remedy: &str) -> Check {
    check(id, CheckStatus::Skipped, reason, remedy)
}

/// What the logs must hold for the runbooks to work, from what they do hold.
fn log_checks(evidence: &Evidence) -> Vec<Check> {
    let source = &evidence.source;
    let entries = source.entries_scanned;
    let families = evidence.families.len();
    let share = |count: usize| format!("{count} of {families} query families");
    let with = |known: &dyn Fn(&pg_logstats_logs::evidence::QueryFamily) -> bool| {
        evidence.families.iter().filter(|f| known(f)).count()
    };
    let dimensions = with(&|f| f.dimensions.database.is_some() && f.dimensions.user.is_some());
    let applications = with(&|f| f.dimensions.application.is_some());
    let query_ids = with(&|f| !f.query_ids.is_empty());
    let passed = |ok: bool| if ok { CheckStatus::Passed } else { CheckStatus::Failed };
    let of_families = |ok: bool| {
        if families == 0 {
            CheckStatus::Skipped
        } else {
            passed(ok)
        }
    };
    let unknown_states = source
        .sqlstates
        .iter()
        .filter(|(key, _)| key.ends_with('?'))
        .map(|(_, n)| n)
        .sum::<u64>();
    let errors: u64 = source.sqlstates.values().sum();
    vec![
        check(
            "logs.readable",
            passed(entries > 0),
            format!("{entries} entries read"),
            "name logs that hold entries",
        ),
        check(
            "logs.parsed",
            passed(source.entries_unparsed == 0),
            format!("{} pieces of the input are no entry", source.entries_unparsed),
            "give --log-line-prefix as the server has it; source_summary.unparsed says what was met",
        ),
        check(
            "logs.timestamps",
            passed(evidence.window.is_some()),
            if evidence.window.is_some() {
                "entries have a time"
            } else {
                "no entry has a time"
            },
            "ALTER SYSTEM SET log_line_prefix = '%m [%p] %q%u@%d %a '; then SELECT pg_reload_conf();",
        ),
        check(
            "logs.durations",
            passed(!source.durations.is_empty()),
            format!("{} kinds of duration lines", source.durations.len()),
            "ALTER SYSTEM SET log_min_duration_statement = '250ms'; then SELECT pg_reload_conf();",
        ),
        check(
            "logs.dimensions",
            of_families(dimensions == families),
            format!("{} tell database and user", share(dimensions)),
            "put %u and %d into log_line_prefix, or log in csvlog or jsonlog",
        ),
        check(
            "logs.application_name",
            of_families(applications > 0),
            format!("{} tell the application", share(applications)),
            "put %a into log_line_prefix, and set application_name in the clients",
        ),
        check(
            "logs.query_ids",
            of_families(query_ids > 0),
            format!("{} have a query id", share(query_ids)),
            "ALTER SYSTEM SET compute_query_id = on; and put %Q into log_line_prefix, or log in csvlog or jsonlog",
        ),
        check(
            "logs.sqlstates",
            if errors == 0 {
                CheckStatus::Skipped
            } else {
                passed(unknown_states == 0)
            },
            format!("{} of {errors} errors tell their SQLSTATE", errors - unknown_states),
            "put %e into log_line_prefix, or log in csvlog or jsonlog",
        ),
    ]
}

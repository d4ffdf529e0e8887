//! Logs and evidence files to one part of evidence; and evidence files for other hosts.
//!
//! **In**: names of logs and of evidence files, which are told by their first bytes. **Out**: a [`Part`], or an evidence file that is
//! whole or not there. **Trusted**: nothing; an evidence file is checked as it is read. No workspace, key or database is needed,
//! so logs can be reduced on the hosts where they lie. **Can fail**: also where entries would be counted twice, unless the caller
//! wants that; then the evidence says so.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use pg_logstats_logs::{
    Common, Counted, Options, Overlap, Part, PartError, Progress, Redaction, Source, TextClass, instant,
};
use serde::{Deserialize, Serialize};

use crate::agent::{self, LogAccess};
use crate::ambient::{LogInput, NewFile};
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::request::LogChoice;
use crate::time::{now_us, rfc3339};
use crate::untrusted::escape_control;

const WHAT: &str = "evidence file";
/// zstd's default: evidence is text, and small.
const ZSTD_LEVEL: i32 = 3;

/// Reduce logs to an evidence file, or merge evidence files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExportRequest {
    /// What goes in.
    pub input: LogChoice,
    /// Keep one statement with its values for each family. They hold data of tables, and are needed to run statements again.
    pub samples: bool,
    /// A new file, compressed where its name ends in `.zst`; none for standard output.
    pub output: Option<PathBuf>,
}

/// What an evidence file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Entries read.
    pub entries: u64,
    /// Query families listed.
    pub families: u64,
    /// What the logs could not tell, and what to do.
    pub limitations: Vec<String>,
}

/// Reads logs and evidence files: the logs first, in their order of time, then the evidence files in the order that they are named.
///
/// # Errors
/// When one of them cannot be opened or read, is named twice, holds what another one holds, or the window makes no sense.
pub fn reduce(
    input: &LogChoice,
    access: &LogAccess,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Part, GatewayError> {
    reduce_as(input, access, None, progress)
}

/// The same; what is read of logs becomes an export with this id.
fn reduce_as(
    input: &LogChoice,
    access: &LogAccess,
    export_id: Option<&str>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Part, GatewayError> {
    let options = options(input)?;
    let (files, logs): (Vec<Source>, Vec<Source>) =
        open_sources(&input.logs, access)?.into_iter().partition(Part::is_file);
    if !files.is_empty() && (options.since_us.is_some() || options.until_us.is_some()) {
        return Err(GatewayError::Usage(format!(
            "{} and {} cannot narrow an evidence file; give --since and --until to `pg-logstats evidence export`",
            input.flag("since"),
            input.flag("until")
        )));
    }
    let mut counted = Counted::default();
    let mut whole = None;
    if !logs.is_empty() {
        let mut part = pg_logstats_logs::reduce(logs, &options, progress)?;
        judge(None, &counted.logs(&part), input.allow_overlap, &mut part)?;
        if let Some(id) = export_id {
            part.set_export(id);
        }
        whole = Some(part);
    }
    for source in files {
        let name = source.name().to_owned();
        let mut part = Part::from_source(source, options.max_families)?;
        judge(Some(&name), &counted.file(&name, &part), input.allow_overlap, &mut part)?;
        match &mut whole {
            Some(whole) => Part::merge(whole, part),
            None => whole = Some(part),
        }
    }
    whole.ok_or_else(|| GatewayError::Usage("nothing to read: name logs or evidence files".to_owned()))
}

/// Refuses what would be counted twice, or says that it is.
fn judge(name: Option<&str>, overlaps: &[Overlap], allowed: bool, part: &mut Part) -> Result<(), GatewayError> {
    let is_touch = |overlap: &&Overlap| matches!(overlap.common, Common::Log { is_touch: true, .. });
    if let Some(overlap) = overlaps.iter().find(|overlap| !allowed && !is_touch(overlap)) {
        return Err(GatewayError::Usage(counted_twice(name, overlap)));
    }
    if !overlaps.is_empty() {
        part.tell_overlaps(overlaps.len() as u64);
    }
    Ok(())
}

/// Says what is in both, and how to go on. `name` is that of the evidence file, or none of logs.
fn counted_twice(name: Option<&str>, overlap: &Overlap) -> String {
    let go_on = "name one of them, or give --allow-overlap to count those entries twice";
    let file = |name: &str| format!("the evidence file `{}`", escape_control(name));
    match &overlap.common {
        Common::Log {
            earlier_path,
            path,
            since_us,
            until_us,
            ..
        } => {
            let said = |name: Option<&str>, path: &str| match name {
                Some(name) => format!("{} (of its log `{}`)", file(name), escape_control(path)),
                None => format!("the log `{}`", escape_control(path)),
            };
            format!(
                "{} and {} tell the same entries from {} to {}; {go_on}, or export windows that do not overlap (--since, --until)",
                said(overlap.earlier.as_deref(), earlier_path),
                said(name, path),
                rfc3339(*since_us),
                rfc3339(*until_us),
            )
        }
        Common::Export { path, .. } => format!(
            "{} and {} hold the same export, of the log `{}`; {go_on}; of merged files, name those that they were merged of",
            file(overlap.earlier.as_deref().unwrap_or_default()),
            file(name.unwrap_or_default()),
            escape_control(path),
        ),
        _ => format!("the same entries are in two of the inputs; {go_on}"),
    }
}

/// Reduces what was named to an evidence file.
///
/// # Errors
/// As [`reduce`]; when values are asked for that `configured` does not keep; when the file is there already or cannot be written. Nothing is
/// left then.
pub fn export(
    request: &ExportRequest,
    access: &LogAccess,
    configured: Option<&Redaction>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Exported, GatewayError> {
    let redaction = redaction(configured, request.samples)?;
    // Before the work: a name that cannot be used should not be found out after it.
    let file = match &request.output {
        Some(path) => Some((path, NewFile::begin(path, WHAT)?)),
        None => None,
    };
    let id = crate::ids::new_id("ex", now_us()).map_err(|error| GatewayError::Internal(error.to_string()))?;
    let part = reduce_as(&request.input, access, Some(&id), progress)?;
    match file {
        Some((path, file)) => {
            write_file(&part, &redaction, path, file.file())?;
            file.name()?;
        }
        None => part.write(&redaction, &mut std::io::stdout().lock())?,
    }
    let evidence = part.evidence(&redaction);
    Ok(Exported {
        entries: evidence.source.entries_scanned,
        families: evidence.families.len() as u64,
        limitations: evidence
            .limitations
            .into_iter()
            .map(|limitation| limitation.message)
            .collect(),
    })
}

/// What a file may hold: what the configuration keeps, and values only where they are asked for. Where it does not say, a person may ask.
fn redaction(configured: Option<&Redaction>, samples: bool) -> Result<Redaction, GatewayError> {
    let kept = configured.cloned().unwrap_or_default();
    match configured {
        _ if !samples => Ok(kept.without_values()),
        Some(configured) if !configured.keeps(TextClass::StatementParameter) => Err(GatewayError::Usage(
            "--samples: the configuration does not keep values of statements; have its operator add `statement_parameter` to \
             `redaction.keep`, or leave --samples out"
                .to_owned(),
        )),
        _ => Ok(kept.with_values()),
    }
}

impl Gateway {
    /// The same for an agent: logs of the operator's folders, to a new file directly in one of the operator's folders or to standard
    /// output, and no values.
    ///
    /// # Errors
    /// As [`export`]; [`GatewayError::Refused`] for what an agent may not name.
    pub fn export(
        &self,
        request: &ExportRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Exported, GatewayError> {
        if request.samples {
            self.not_for_agents("--samples", "samples hold data of tables; a person exports them")?;
        }
        let mut request = request.clone();
        if let Some(path) = &request.output {
            request.output = Some(self.output_path(path)?);
        }
        let configured = Some(self.config.redaction());
        self.or_refused(export(&request, &self.log_access, configured.as_ref(), progress))
    }

    /// Where a new file that the caller names may be made: for an agent, directly in one of the operator's folders.
    pub(crate) fn output_path(&self, path: &Path) -> Result<PathBuf, GatewayError> {
        if !self.is_agent() {
            return Ok(path.to_owned());
        }
        let folders = &self.config.agent.output_folders;
        self.or_refused(agent::output_in(folders, path).map_err(GatewayError::from))
    }
}

fn write_file(part: &Part, redaction: &Redaction, path: &Path, file: &std::fs::File) -> Result<(), PartError> {
    let failed = |source| PartError::Write { source };
    let mut out = BufWriter::new(file);
    if path.extension().is_some_and(|extension| extension == "zst") {
        let mut encoder = zstd::Encoder::new(&mut out, ZSTD_LEVEL).map_err(failed)?;
        part.write(redaction, &mut encoder)?;
        encoder.finish().map_err(failed)?;
    } else {
        part.write(redaction, &mut out)?;
    }
    out.flush().map_err(failed)
}

fn options(input: &LogChoice) -> Result<Options, GatewayError> {
    let now = now_us();
    let parse = |text: &Option<String>, word: &str| {
        text.as_deref()
            .map(|t| {
                instant::parse_instant(t, now).map_err(|e| GatewayError::Usage(format!("{}: {e}", input.flag(word))))
            })
            .transpose()
    };
    let options = Options {
        log_line_prefix: input.log_line_prefix.clone(),
        since_us: parse(&input.since, "since")?,
        until_us: parse(&input.until, "until")?,
        threads: input.threads,
        ..Options::default()
    };
    if let (Some(since), Some(until)) = (options.since_us, options.until_us)
        && since > until
    {
        return Err(GatewayError::Usage(format!(
            "{} {} is after {} {}: the window is empty",
            input.flag("since"),
            rfc3339(since),
            input.flag("until"),
            rfc3339(until)
        )));
    }
    Ok(options)
}

/// Opens what was named. A name twice would count its entries twice.
fn open_sources(names: &[String], access: &LogAccess) -> Result<Vec<Source>, GatewayError> {
    let mut sources = Vec::new();
    for (position, name) in names.iter().enumerate() {
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(GatewayError::Usage(format!("the log `{name}` is named twice")));
        }
        match access.open(name)? {
            LogInput::File(file) => sources.push(Source::file(name.clone(), file)),
            LogInput::Stdin => sources.push(Source::stream("-".to_owned(), Box::new(std::io::stdin()))),
            LogInput::Folder(dir) => sources.extend(Source::in_dir(name, &dir)?),
        }
    }
    Ok(sources)
}

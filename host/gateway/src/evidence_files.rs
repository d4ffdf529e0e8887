//! Logs and evidence files to one part of evidence; and evidence files for other hosts.
//!
//! **In**: names of logs and of evidence files, which are told by their first bytes. **Out**: a [`Part`], or an evidence file.
//! **Trusted**: nothing; an evidence file is checked as it is read. No workspace, key or database is needed, so logs can be reduced
//! on the hosts where they lie.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use pg_logstats_logs::{Options, Part, Progress, Source, instant};
use serde::{Deserialize, Serialize};

use crate::ambient::{self, LogInput};
use crate::error::GatewayError;
use crate::request::LogChoice;
use crate::time::{now_us, rfc3339};

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
}

/// Reads logs and evidence files: the logs first, in their order of time, then the evidence files in the order that they are named.
///
/// # Errors
/// When one of them cannot be opened or read, is named twice, or the window makes no sense.
pub fn reduce(input: &LogChoice, progress: &(dyn Fn(Progress) + Sync)) -> Result<Part, GatewayError> {
    let options = options(input)?;
    let (mut logs, mut files) = (Vec::new(), Vec::new());
    for mut source in open_sources(&input.logs)? {
        if Part::is_file(&mut source) {
            files.push(source);
        } else {
            logs.push(source);
        }
    }
    if !files.is_empty() && (options.since_us.is_some() || options.until_us.is_some()) {
        return Err(GatewayError::Usage(
            "--since and --until cannot narrow an evidence file; give them to `pg-logstats evidence export`".to_owned(),
        ));
    }
    let mut whole = match logs.is_empty() {
        true => None,
        false => Some(pg_logstats_logs::reduce(logs, &options, progress)?),
    };
    let several = files.len() > 1;
    let mut known = Vec::new();
    for source in files {
        let name = source.name().to_owned();
        let part = Part::from_source(source, options.max_families)?;
        if several {
            refuse_copy(name, &part, &mut known)?;
        }
        match &mut whole {
            Some(whole) => whole.merge(part),
            None => whole = Some(part),
        }
    }
    whole.ok_or_else(|| GatewayError::Usage("nothing to read: name logs or evidence files".to_owned()))
}

/// Reduces what was named to an evidence file.
///
/// # Errors
/// As [`reduce`]; when the file is there already or cannot be written. A file that was begun is removed again.
pub fn export(request: &ExportRequest, progress: &(dyn Fn(Progress) + Sync)) -> Result<Exported, GatewayError> {
    // Before the work: a name that cannot be used should not be found out after it.
    let file = match &request.output {
        Some(path) => Some((path, ambient::create_file(path, WHAT)?)),
        None => None,
    };
    let written = reduce(&request.input, progress).and_then(|mut part| {
        if !request.samples {
            part.remove_samples();
        }
        match &file {
            Some((path, file)) => write_file(&part, path, file)?,
            None => part.write(&mut std::io::stdout().lock())?,
        }
        let evidence = part.evidence();
        Ok(Exported {
            entries: evidence.source.entries_scanned,
            families: evidence.families.len() as u64,
        })
    });
    if let (Err(_), Some((path, _))) = (&written, &file) {
        ambient::remove_file(path);
    }
    written
}

fn write_file(part: &Part, path: &Path, file: &std::fs::File) -> Result<(), GatewayError> {
    let failed = |source| pg_logstats_logs::PartError::Write { source };
    let mut out = BufWriter::new(file);
    if path.extension().is_some_and(|extension| extension == "zst") {
        let mut encoder = zstd::Encoder::new(&mut out, ZSTD_LEVEL).map_err(failed)?;
        part.write(&mut encoder)?;
        encoder.finish().map_err(failed)?;
    } else {
        part.write(&mut out)?;
    }
    out.flush().and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(())
}

/// Refuses a part that another of the evidence files holds already.
fn refuse_copy(name: String, part: &Part, known: &mut Vec<(String, [u8; 32])>) -> Result<(), GatewayError> {
    use sha2::Digest as _;
    let mut bytes = Vec::new();
    part.write(&mut bytes)?;
    let digest = sha2::Sha256::digest(&bytes).into();
    if let Some((earlier, _)) = known.iter().find(|(_, known)| *known == digest) {
        return Err(GatewayError::Usage(format!(
            "the evidence files `{earlier}` and `{name}` hold the same evidence, which would be counted twice; name one of them"
        )));
    }
    known.push((name, digest));
    Ok(())
}

fn options(input: &LogChoice) -> Result<Options, GatewayError> {
    let now = now_us();
    let parse = |text: &Option<String>, flag: &str| {
        text.as_deref()
            .map(|t| instant::parse_instant(t, now).map_err(|e| GatewayError::Usage(format!("{flag}: {e}"))))
            .transpose()
    };
    let options = Options {
        log_line_prefix: input.log_line_prefix.clone(),
        since_us: parse(&input.since, "--since")?,
        until_us: parse(&input.until, "--until")?,
        threads: input.threads,
        ..Options::default()
    };
    if let (Some(since), Some(until)) = (options.since_us, options.until_us)
        && since > until
    {
        return Err(GatewayError::Usage(format!(
            "--since {} is after --until {}: the window is empty",
            rfc3339(since),
            rfc3339(until)
        )));
    }
    Ok(options)
}

/// Opens what was named. A name twice would count its entries twice.
fn open_sources(names: &[String]) -> Result<Vec<Source>, GatewayError> {
    let mut sources = Vec::new();
    for (position, name) in names.iter().enumerate() {
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(GatewayError::Usage(format!("the log `{name}` is named twice")));
        }
        match ambient::open_log(name)? {
            LogInput::File(file) => sources.push(Source::file(name.clone(), file)),
            LogInput::Stdin => sources.push(Source::stream("-".to_owned(), Box::new(std::io::stdin()))),
            LogInput::Folder(dir) => sources.extend(Source::in_dir(name, &dir)?),
        }
    }
    Ok(sources)
}

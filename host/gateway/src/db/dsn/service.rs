//! `pg_service.conf`: options by a service's name.

use std::path::PathBuf;

use super::{DsnError, Environment, Options};

/// The options of `service`: `PGSERVICEFILE` or `~/.pg_service.conf` first, then the system's file.
pub(super) fn find(service: &str, environment: &dyn Environment) -> Result<Options, DsnError> {
    let own = environment.var("PGSERVICEFILE").map(PathBuf::from).or_else(|| {
        environment
            .var("HOME")
            .map(|home| PathBuf::from(home).join(".pg_service.conf"))
    });
    let system_folder = environment
        .var("PGSYSCONFDIR")
        .unwrap_or_else(|| "/etc/postgresql-common".to_owned());
    let files: Vec<PathBuf> = own
        .into_iter()
        .chain([PathBuf::from(system_folder).join("pg_service.conf")])
        .collect();
    for path in &files {
        let Ok(file) = environment.read(path) else { continue };
        let wrong = |(line, reason)| DsnError::ServiceFile {
            file: path.display().to_string(),
            line,
            reason,
        };
        if let Some(options) = section(&file.text, service).map_err(wrong)? {
            return Ok(options);
        }
    }
    let looked_at = files
        .iter()
        .map(|f| format!("`{}`", f.display()))
        .collect::<Vec<_>>()
        .join(" and ");
    Err(DsnError::UnknownService {
        service: service.to_owned(),
        looked_at,
    })
}

/// The section's options, none when there is no such section.
fn section(text: &str, service: &str) -> Result<Option<Options>, (usize, &'static str)> {
    let mut found: Option<Options> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            if found.is_some() {
                break;
            }
            found = (name == service).then(Options::new);
        } else if let Some(options) = &mut found {
            let (name, value) = line
                .split_once('=')
                .ok_or((number + 1, "is neither `[service]` nor `option=value`"))?;
            options.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    Ok(found)
}

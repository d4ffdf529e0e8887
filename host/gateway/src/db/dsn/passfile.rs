//! `.pgpass`: a password by host, port, database and role.

use std::path::PathBuf;

use super::Environment;

/// What the password is looked up for.
pub(super) struct Wanted<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The password of the first line that fits. As with libpq, a file that others can read is not used; unlike libpq, the warning
/// comes with the target.
pub(super) fn find(
    passfile: Option<&String>,
    wanted: &Wanted<'_>,
    environment: &dyn Environment,
    warnings: &mut Vec<String>,
) -> Option<String> {
    let path = match passfile {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(environment.var("HOME")?).join(".pgpass"),
    };
    let file = match environment.read(&path) {
        Ok(file) => file,
        Err(_) if passfile.is_none() => return None,
        Err(error) => {
            warnings.push(format!(
                "the password file `{}` cannot be read: {error}",
                path.display()
            ));
            return None;
        }
    };
    if file.open_to_others {
        warnings.push(format!(
            "the password file `{0}` is not used, because others can read it; `chmod 600 {0}`",
            path.display()
        ));
        return None;
    }
    file.text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| password_of(line, wanted))
}

fn password_of(line: &str, wanted: &Wanted<'_>) -> Option<String> {
    let mut fields = split(line).into_iter();
    let (host, port, database, user, password) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let fits = |field: &str, value: &str| field == "*" || field == value;
    let host_fits = fits(&host, wanted.host) || (wanted.host.starts_with('/') && host == "localhost");
    let all_fit = host_fits
        && fits(&port, &wanted.port.to_string())
        && fits(&database, wanted.database)
        && fits(&user, wanted.user);
    all_fit.then_some(password)
}

/// Fields by `:`; a backslash makes the next character plain.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let plain = match c {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(field) = fields.last_mut() {
            field.push(plain);
        }
    }
    fields
}

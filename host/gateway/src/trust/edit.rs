//! Changes of `trust.toml` by commands: what people wrote in it stays, comments too.
//!
//! **In**: a public key with its holder and roles; a holder and his new key; a key that must not count any more. **Out**: the file with
//! one change, and what to record of it. **Trusted**: the file as [`super::keyring`] reads it; it has to load before and after. **Can
//! fail**: with [`EditError`]; then the file is as it was.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pg_logstats_audit::PublicKey;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::keyring::{self, Keyring, KeyringError, Role, TRUST_FILE};
use super::store::{Store, StoreError};
use crate::ambient::{self, OpenError};
use crate::untrusted::escape_control;

/// What a new trust store begins with.
const HEADER: &str = "# Whose signatures count, and what runbooks need. Changed by `pg-logstats key trust|rotate|revoke`, and by hand.\n\n";
/// Its lock lies with the runbooks: both are changed by the same people.
const LOCK_FOLDER: &str = "runbooks";

/// Why the trust store is not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It does not load, or would not any more.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// It cannot be opened or written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nor its lock.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not as TOML.
    #[error("`{file}` cannot be changed by a command: {cause}; change it by hand")]
    Shape {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// There is no such key.
    #[error("no key in `{TRUST_FILE}` that {what} is called `{name}` or has that id; there are: {known}")]
    Unknown {
        /// As typed, escaped.
        name: String,
        /// Which keys could be meant.
        what: &'static str,
        /// Their holders.
        known: String,
    },
    /// What was typed makes no sense.
    #[error("{0}")]
    Value(String),
}

/// For whom and what a key is to be trusted.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    /// Its holder, as the operator calls him.
    pub name: &'a str,
    /// What it may sign.
    pub roles: &'a [Role],
    /// From when on it counts.
    pub not_before: Option<Timestamp>,
    /// Until when it counts.
    pub not_after: Option<Timestamp>,
}

/// A key whose entry was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedKey {
    /// Its holder.
    pub name: String,
    /// Its id.
    pub key_id: String,
}

/// A key that counts no more.
pub(crate) struct RevokedKey {
    pub(crate) key: ChangedKey,
    /// Why, as the file says.
    pub(crate) reason: String,
}

/// Keys that count no more.
pub(crate) enum Revoked {
    /// The file has to be written for it.
    Now(Vec<RevokedKey>),
    /// The file says so already, and is as it was.
    Before(Vec<RevokedKey>),
}

/// The trust store, while nobody else changes it.
pub(crate) struct TrustFile {
    path: PathBuf,
    document: DocumentMut,
    _locked: std::fs::File,
}

impl TrustFile {
    /// That of the operator's folder; an empty one when there is none.
    pub(crate) fn begin(operator: Option<&Path>) -> Result<Self, EditError> {
        let folder = operator.ok_or(StoreError::NoFolder)?;
        let locked = Store::open_or_create(operator, LOCK_FOLDER)?.lock()?;
        Keyring::load(operator)?;
        let path = folder.join(TRUST_FILE);
        let text = match ambient::read_operators_file(&path, "trust store", keyring::TRUST_BYTES) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(OpenError::Missing { .. }) => String::new(),
            Err(error) => return Err(error.into()),
        };
        let document = text.parse().map_err(|error: toml_edit::TomlError| EditError::Shape {
            file: path.display().to_string(),
            cause: error.message().to_owned(),
        })?;
        Ok(Self {
            path,
            document,
            _locked: locked,
        })
    }

    /// Adds `key`.
    pub(crate) fn trust(&mut self, grant: &Grant<'_>, key: &PublicKey) -> Result<(), EditError> {
        let mut table = Table::new();
        table.insert("name", value(grant.name));
        let roles = grant
            .roles
            .iter()
            .map(|role| role.as_str())
            .collect::<toml_edit::Array>();
        table.insert("roles", value(roles));
        for (field, at) in [("not_before", grant.not_before), ("not_after", grant.not_after)] {
            if let Some(at) = at {
                table.insert(field, value(at.to_string()));
            }
        }
        self.push(table, key)
    }

    fn push(&mut self, mut table: Table, key: &PublicKey) -> Result<(), EditError> {
        let pem = key.to_pem().map_err(|error| EditError::Value(error.to_string()))?;
        table.insert("public_key", multi_line(&pem)?);
        table
            .decor_mut()
            .set_prefix(if self.document.is_empty() { HEADER } else { "\n" });
        self.keys()?.push(table);
        Ok(())
    }

    /// Gives the key of `holder` that has no end one at `not_after`, and its roles to `successor`.
    pub(crate) fn rotate(
        &mut self,
        holder: &str,
        successor: &PublicKey,
        not_after: Timestamp,
    ) -> Result<ChangedKey, EditError> {
        const WHAT: &str = "has no end yet and";
        let is_open = |table: &Table| !table.contains_key("not_after") && !table.contains_key("revoked_at");
        let matches = |table: &Table| is_open(table) && is_called(table, holder);
        let known = self.holders(is_open)?;
        let table = self.keys()?.iter_mut().find(|table| matches(table));
        let table = table.ok_or_else(|| EditError::Unknown {
            name: shown(holder),
            what: WHAT,
            known,
        })?;
        let old = changed(table)?;
        table.insert("not_after", value(not_after.to_string()));
        let mut next = Table::new();
        for field in ["name", "roles"] {
            if let Some(item) = table.get(field) {
                next.insert(field, item.clone());
            }
        }
        let pem = successor
            .to_pem()
            .map_err(|error| EditError::Value(error.to_string()))?;
        next.insert("public_key", multi_line(&pem)?);
        self.keys()?.push(next);
        Ok(old)
    }

    /// Revokes the key with this id, or all keys of this holder. Where all are revoked already, nothing is changed.
    pub(crate) fn revoke(&mut self, what: &str, reason: &str, at: Timestamp) -> Result<Revoked, EditError> {
        let is_open = |table: &Table| !table.contains_key("revoked_at");
        let known = self.holders(is_open)?;
        let (mut now, mut before) = (Vec::new(), Vec::new());
        for table in self.keys()?.iter_mut().filter(|table| is_called(table, what)) {
            let key = changed(table)?;
            if is_open(table) {
                table.insert("revoked_at", value(at.to_string()));
                table.insert("revoked_because", value(reason));
                let reason = reason.to_owned();
                now.push(RevokedKey { key, reason });
            } else {
                // Whoever wrote it by hand may have left it out.
                let because = table.get("revoked_because").and_then(Item::as_str);
                let reason = because.unwrap_or(reason).to_owned();
                before.push(RevokedKey { key, reason });
            }
        }
        if !now.is_empty() {
            return Ok(Revoked::Now(now));
        }
        if !before.is_empty() {
            return Ok(Revoked::Before(before));
        }
        Err(EditError::Unknown {
            name: shown(what),
            what: "is not revoked and",
            known,
        })
    }

    /// What the file will be, if that loads.
    pub(crate) fn checked(&self) -> Result<Keyring, EditError> {
        let file = self.path.display().to_string();
        Ok(Keyring::parse(&file, &self.document.to_string())?)
    }

    /// Writes what was checked.
    pub(crate) fn write(self) -> Result<(), EditError> {
        Ok(ambient::replace_file(
            &self.path,
            "trust store",
            self.document.to_string().as_bytes(),
        )?)
    }

    fn keys(&mut self) -> Result<&mut ArrayOfTables, EditError> {
        let file = self.path.display().to_string();
        let keys = self
            .document
            .entry("keys")
            .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        keys.as_array_of_tables_mut().ok_or(EditError::Shape {
            file,
            cause: "`keys` is not written as `[[keys]]`".to_owned(),
        })
    }

    fn holders(&mut self, is_meant: impl Fn(&Table) -> bool) -> Result<String, EditError> {
        let keys = self.keys()?;
        let names = keys
            .iter()
            .filter(|table| is_meant(table))
            .filter_map(|table| table.get("name")?.as_str());
        Ok(crate::listed(names))
    }
}

fn is_called(table: &Table, what: &str) -> bool {
    changed(table).is_ok_and(|key| key.name == what || key.key_id == what)
}

/// Who the entry `table` is of.
fn changed(table: &Table) -> Result<ChangedKey, EditError> {
    let text = |field: &str| table.get(field).and_then(Item::as_str).unwrap_or_default();
    let key = PublicKey::from_pem(text("public_key")).map_err(|error| EditError::Value(error.to_string()))?;
    Ok(ChangedKey {
        name: text("name").to_owned(),
        key_id: key.key_id().to_string(),
    })
}

/// A PEM block as people write it.
fn multi_line(pem: &str) -> Result<Item, EditError> {
    let text = format!("\"\"\"\n{}\n\"\"\"", pem.trim_end());
    let value: toml_edit::Value = text
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::Value(error.to_string()))?;
    Ok(Item::Value(value))
}

fn shown(text: &str) -> String {
    escape_control(text).chars().take(80).collect()
}

#[cfg(test)]
mod tests;

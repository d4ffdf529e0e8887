//! `catalog`: signing packs, and which packs are installed.
//!
//! **In**: folders of packs; `packs/` in the operator's folder. **Out**: a signature, an installed pack, the packs of this start.
//! **Trusted**: nothing that lies in `packs/`: each start verifies each pack again. **Can fail**: with [`PackError`]; a pack that does not
//! verify stops the command, because the catalogue would not be the one that the operator installed.
//!
//! A pack lies in [`crate::trust::store`] under the digest of its signature.

use std::collections::BTreeMap;
use std::path::Path;

use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ambient;
use crate::catalogue::Catalogue;
use crate::catalogue::pack::{AUTHORS_FILE, FILE_BYTES, Files, MAX_ACTIONS, SIGNATURE_FILE, is_action_file};
use crate::catalogue::{Pack, PackError, PackInfo};
use crate::error::GatewayError;
use crate::report::SCHEMA_VERSION;
use crate::time::now_us;
use crate::trust::store::{self, INDEX, Store, StoreError, failed, is_sha256};
use crate::trust::{Keyring, operators_folder};
use crate::untrusted::escape_control;
use crate::workspace::write_durably;

const FOLDER: &str = "packs";
const WHAT: &str = "pack";

/// A pack that was signed, installed or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackView {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Its name, with which the ids of its actions begin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who signed it: the id of the key, or the operator's name for it.
    pub signer: String,
    /// Ids of its actions.
    pub actions: Vec<String>,
}

impl PackView {
    fn new(info: &PackInfo, actions: impl Iterator<Item = String>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            name: info.name.clone(),
            version: info.version.clone(),
            signer: info.signer.clone(),
            actions: actions.collect(),
        }
    }

    fn of(pack: &Pack) -> Self {
        Self::new(pack.info(), pack.actions().iter().map(|action| action.id.clone()))
    }
}

/// Names of packs, with the folders that they are in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    index_version: u32,
    packs: BTreeMap<String, String>,
}

const INDEX_VERSION: u32 = 1;

impl Default for Index {
    fn default() -> Self {
        Self {
            index_version: INDEX_VERSION,
            packs: BTreeMap::new(),
        }
    }
}

/// The catalogue with the packs that the operator installed, each verified again.
///
/// # Errors
/// When a pack or the trust store does not load.
pub fn catalogue() -> Result<Catalogue, GatewayError> {
    installed(operators_folder().as_deref()).map(|(_, catalogue)| catalogue)
}

/// The keys that count, and the catalogue with the packs that they signed.
pub(crate) fn installed(operator: Option<&Path>) -> Result<(Keyring, Catalogue), GatewayError> {
    let keyring = Keyring::load(operator)?;
    let builtin = Catalogue::builtin().map_err(|e| GatewayError::Internal(e.to_string()))?;
    let packs = load(operator, &keyring)?;
    let catalogue = builtin.with_packs(packs).map_err(PackError::from)?;
    Ok((keyring, catalogue))
}

/// Checks the pack in `folder` and signs it with the private key in `key`.
///
/// # Errors
/// When a file of it is wrong, or the key cannot be used; then nothing is signed.
pub fn sign(folder: &Path, key: &Path) -> Result<PackView, GatewayError> {
    let key = crate::keys::private(key)?;
    let dir = ambient::open_folder(folder, WHAT).map_err(PackError::from)?;
    let files = read_files(&dir)?;
    let authors = read(&dir, AUTHORS_FILE)?;
    let (info, envelope) = Pack::sign(&authors, &files, &key)?;
    let bytes = envelope.to_bytes().map_err(PackError::from)?;
    write_durably(&dir, SIGNATURE_FILE, &bytes)
        .map_err(failed("write", SIGNATURE_FILE))
        .map_err(PackError::from)?;
    Ok(PackView::new(&info, files.iter().map(|(name, _)| id_of(name))))
}

/// Installs the signed pack in `folder`; an earlier version of it is replaced.
///
/// # Errors
/// When it does not count or is wrong; then nothing is changed.
pub fn install(folder: &Path) -> Result<PackView, GatewayError> {
    install_in(operators_folder().as_deref(), folder)
}

/// Removes the pack `name`.
///
/// # Errors
/// When it is not installed.
pub fn remove(name: &str) -> Result<PackView, GatewayError> {
    remove_in(operators_folder().as_deref(), name)
}

pub(crate) fn install_in(operator: Option<&Path>, folder: &Path) -> Result<PackView, GatewayError> {
    let keys = Keyring::load(operator)?;
    let dir = ambient::open_folder(folder, WHAT).map_err(PackError::from)?;
    let signature = read(&dir, SIGNATURE_FILE)?;
    let place = escape_control(&folder.display().to_string()).into_owned();
    let (pack, files) = Pack::verify(&place, &signature, |name| read(&dir, name), &keys, now_us())?;
    for (name, _) in read_files(&dir)? {
        if !files.iter().any(|(signed, _)| *signed == name) {
            return Err(PackError::Files {
                file: name,
                problem: "is there and was not signed; remove it, or have the pack signed again",
            }
            .into());
        }
    }
    let store = Store::open_or_create(operator, FOLDER)?;
    let _locked = store.lock()?;
    let mut index = index_of(&store)?;
    let signed = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    store.put(
        &pack.info().digest,
        signed.chain([(SIGNATURE_FILE, signature.as_slice())]),
    )?;
    let before = index.packs.insert(pack.info().name.clone(), pack.info().digest.clone());
    store.write_index(&index)?;
    if let Some(before) = before.filter(|it| *it != pack.info().digest) {
        store.forget(&before);
    }
    Ok(PackView::of(&pack))
}

pub(crate) fn remove_in(operator: Option<&Path>, name: &str) -> Result<PackView, GatewayError> {
    let store = Store::open_or_create(operator, FOLDER)?;
    let _locked = store.lock()?;
    let mut index = index_of(&store)?;
    let Some(digest) = index.packs.remove(name) else {
        return Err(PackError::NotInstalled {
            name: escape_control(name).chars().take(80).collect(),
            known: crate::listed(index.packs.keys()),
        }
        .into());
    };
    store.write_index(&index)?;
    store.forget(&digest);
    Ok(PackView {
        schema_version: SCHEMA_VERSION,
        name: name.to_owned(),
        version: String::new(),
        signer: String::new(),
        actions: Vec::new(),
    })
}

/// The installed packs, each verified now.
///
/// # Errors
/// When one of them does not count any more, or is not what was installed.
pub(crate) fn load(operator: Option<&Path>, keys: &Keyring) -> Result<Vec<Pack>, PackError> {
    let Some(store) = Store::open(operator, FOLDER)? else {
        return Ok(Vec::new());
    };
    let mut packs = Vec::new();
    for (name, digest) in index_of(&store)?.packs {
        let dir = store.entry(&digest)?;
        let signature = read(&dir, SIGNATURE_FILE)?;
        if crate::hex(&Sha256::digest(&signature)) != digest {
            return Err(PackError::Changed {
                file: format!("{FOLDER}/{digest}/{SIGNATURE_FILE}"),
            });
        }
        let (pack, _) = Pack::verify(&name, &signature, |file| read(&dir, file), keys, now_us())?;
        if pack.info().name != name {
            return Err(PackError::Changed {
                file: format!("{FOLDER}/{INDEX}"),
            });
        }
        packs.push(pack);
    }
    Ok(packs)
}

/// The store of packs, and what is in it.
fn index_of(store: &Store) -> Result<Index, PackError> {
    let index: Index = store.index()?;
    if index.index_version != INDEX_VERSION || !index.packs.values().all(|digest| is_sha256(digest)) {
        let reason = "is of another version, or names a folder that is no SHA-256";
        return Err(store.bad_index(reason).into());
    }
    Ok(index)
}

/// All files of actions in a pack's folder, by name; no other file may be there.
fn read_files(dir: &Dir) -> Result<Files, PackError> {
    let mut names = Vec::new();
    for entry in dir.entries().map_err(failed("read", "."))? {
        let name = entry.map_err(failed("read", "."))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if name == AUTHORS_FILE || name == SIGNATURE_FILE || name.starts_with("README") || name.starts_with('.') {
            continue;
        }
        if !is_action_file(&name) || names.len() >= MAX_ACTIONS {
            return Err(PackError::Files {
                file: escape_control(&name).into_owned(),
                problem: "is no file of an action: these are called as the id of their action and `.toml`",
            });
        }
        names.push(name);
    }
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let bytes = read(dir, &name)?;
            Ok((name, bytes))
        })
        .collect()
}

fn read(dir: &Dir, name: &str) -> Result<Vec<u8>, PackError> {
    store::read(dir, name, FILE_BYTES).map_err(|error| match error {
        StoreError::Missing { file } => PackError::Files {
            file,
            problem: "is missing; a pack is signed with `pg-logstats catalog sign`",
        },
        StoreError::TooLarge { file, .. } => PackError::Files {
            file,
            problem: "is larger than 256 KiB, which no file of a pack is",
        },
        error => error.into(),
    })
}

fn id_of(file: &str) -> String {
    file.strip_suffix(".toml").unwrap_or(file).to_owned()
}

#[cfg(test)]
mod tests;

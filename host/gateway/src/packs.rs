//! `catalog`: signing packs, and which packs are installed.
//!
//! **In**: folders of packs; `packs/` in the operator's folder. **Out**: a signature, an installed pack, the packs of this start.
//! **Trusted**: nothing that lies in `packs/` but its index, for which version is installed and how old the next may be: each start verifies each
//! pack again. **Can fail**: with [`PackError`]; a pack that does not verify stops the command, because the catalogue would not be the one that the
//! operator installed. Installing and removing go on without it, for they are what helps then; both are recorded, as a runbook's are.
//!
//! A pack lies in [`crate::trust::store`] under the digest of its signature.

use std::collections::BTreeMap;
use std::path::Path;

use cap_std::fs::Dir;
use pg_logstats_audit::dsse::Envelope;
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ambient;
use crate::catalogue::Catalogue;
use crate::catalogue::pack::{AUTHORS_FILE, FILE_BYTES, Files, MAX_ACTIONS, SIGNATURE_FILE, is_action_file};
use crate::catalogue::{Pack, PackError, PackInfo};
use crate::error::GatewayError;
use crate::gateway::{Gateway, OpenOptions};
use crate::record::TrustChange;
use crate::report::SCHEMA_VERSION;
use crate::time::now_us;
use crate::trust::store::{self, INDEX, Store, StoreError, failed, is_sha256};
use crate::trust::{Keyring, Trust, TrustError, operators_folder};
use crate::untrusted::escape_control;
use crate::workspace::write_durably;

const FOLDER: &str = "packs";
const WHAT: &str = "pack";
const OPERATORS: &str = "the operator chooses which actions there are";

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
            version: info.version.to_string(),
            signer: info.signer.clone(),
            actions: actions.collect(),
        }
    }

    fn of(pack: &Pack) -> Self {
        Self::new(pack.info(), pack.actions().iter().map(|action| action.id.clone()))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    index_version: u32,
    /// Names of packs, with the folders that they are in.
    packs: BTreeMap<String, String>,
    /// The highest version that each name ever had, also when it is gone. An index that was written before these were kept has none.
    #[serde(default)]
    highest: BTreeMap<String, Highest>,
}

/// The highest version of a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Highest {
    version: Version,
    /// SHA-256 of what was signed, in hex.
    content: String,
}

impl From<&PackInfo> for Highest {
    fn from(info: &PackInfo) -> Self {
        Self {
            version: info.version.clone(),
            content: info.content.clone(),
        }
    }
}

const INDEX_VERSION: u32 = 1;

impl Default for Index {
    fn default() -> Self {
        Self {
            index_version: INDEX_VERSION,
            packs: BTreeMap::new(),
            highest: BTreeMap::new(),
        }
    }
}

impl Index {
    /// A lower version than ever was here is a step back, and so are other actions under the same one.
    fn check_not_older(&self, info: &PackInfo) -> Result<(), PackError> {
        let (name, version) = (info.name.clone(), info.version.clone());
        match self.highest.get(&name) {
            Some(highest) if version < highest.version => Err(PackError::Downgrade {
                name,
                version,
                highest: highest.version.clone(),
            }),
            Some(highest) if version == highest.version && info.content != highest.content => {
                Err(PackError::SameVersion { name, version })
            }
            _ => Ok(()),
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

/// What counts although some packs may not, for who mends that.
pub(crate) fn sound(operator: Option<&Path>, joining: Option<Pack>) -> Result<Catalogue, GatewayError> {
    let keys = Keyring::load(operator)?;
    let replaced = joining.as_ref().map(|pack| pack.info().name.clone());
    let packs = match Store::open(operator, FOLDER)? {
        Some(store) => each(&store, &keys)?.into_iter().filter_map(Result::ok).collect(),
        None => Vec::new(),
    };
    let kept = packs
        .into_iter()
        .filter(|pack: &Pack| Some(&pack.info().name) != replaced.as_ref());
    let builtin = Catalogue::builtin().map_err(|e| GatewayError::Internal(e.to_string()))?;
    Ok(builtin
        .with_packs(kept.chain(joining).collect())
        .map_err(PackError::from)?)
}

/// Installs the signed pack in `folder`, in place of an earlier version of it, and records that.
///
/// # Errors
/// When it does not count or is wrong, or would be a step back that `allow_downgrade` does not allow; then nothing is changed.
pub fn install(
    options: &OpenOptions,
    trust: Trust,
    folder: &Path,
    allow_downgrade: bool,
) -> Result<PackView, GatewayError> {
    if options.agent {
        Gateway::open(options, trust.clone())?.not_for_agents("catalog install", OPERATORS)?;
    }
    let operator = options.operators_folder();
    let keys = Keyring::load(operator.as_deref())?;
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
    let (view, info) = (PackView::of(&pack), pack.info().clone());
    let gateway = Gateway::open_to_mend(options, trust, Some(pack))?;
    let store = Store::open_or_create(operator.as_deref(), FOLDER)?;
    let _locked = store.lock()?;
    let mut index = index_of(&store)?;
    know_installed(&store, &mut index, &info.name, &keys);
    if !allow_downgrade {
        index.check_not_older(&info)?;
    }
    let before = index.packs.insert(info.name.clone(), info.digest.clone());
    gateway.seal_trust(TrustChange::PackInstalled {
        name: info.name.clone(),
        version: info.version.to_string(),
        sha256: info.digest.clone(),
        signer: info.signer.clone(),
        replaced: before.clone(),
        downgrade_allowed: allow_downgrade,
        envelope: Envelope::parse(&signature).map_err(TrustError::Malformed)?,
    })?;
    let signed = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    store.put(&info.digest, signed.chain([(SIGNATURE_FILE, signature.as_slice())]))?;
    // Whoever allowed a step back has said which version counts from now on.
    index.highest.insert(info.name.clone(), Highest::from(&info));
    store.write_index(&index)?;
    if let Some(before) = before.filter(|it| *it != info.digest) {
        store.forget(&before);
    }
    Ok(view)
}

/// Removes the pack `name`, and records that. How old a version may be that is installed again does not change.
///
/// # Errors
/// When it is not installed.
pub fn remove(options: &OpenOptions, trust: Trust, name: &str) -> Result<PackView, GatewayError> {
    if options.agent {
        Gateway::open(options, trust.clone())?.not_for_agents("catalog remove", OPERATORS)?;
    }
    let operator = options.operators_folder();
    let gateway = Gateway::open_to_mend(options, trust, None)?;
    let store = Store::open_or_create(operator.as_deref(), FOLDER)?;
    let _locked = store.lock()?;
    let mut index = index_of(&store)?;
    know_installed(&store, &mut index, name, &Keyring::load(operator.as_deref())?);
    let Some(digest) = index.packs.remove(name) else {
        return Err(PackError::NotInstalled {
            name: escape_control(name).chars().take(80).collect(),
            known: crate::listed(index.packs.keys()),
        }
        .into());
    };
    gateway.seal_trust(TrustChange::PackRemoved {
        name: name.to_owned(),
        sha256: digest.clone(),
    })?;
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

/// The version of what is installed of this name, where the index was written before these were kept.
fn know_installed(store: &Store, index: &mut Index, name: &str, keys: &Keyring) {
    if index.highest.contains_key(name) {
        return;
    }
    let installed = index
        .packs
        .get(name)
        .and_then(|digest| one(store, name, digest, keys).ok());
    if let Some(pack) = installed {
        index.highest.insert(name.to_owned(), Highest::from(pack.info()));
    }
}

/// The installed packs, each verified now.
///
/// # Errors
/// When one of them does not count any more, or is not what was installed.
pub(crate) fn load(operator: Option<&Path>, keys: &Keyring) -> Result<Vec<Pack>, PackError> {
    match Store::open(operator, FOLDER)? {
        Some(store) => each(&store, keys)?.into_iter().collect(),
        None => Ok(Vec::new()),
    }
}

/// Each of the installed packs, or what is wrong with it.
fn each(store: &Store, keys: &Keyring) -> Result<Vec<Result<Pack, PackError>>, PackError> {
    let packs = index_of(store)?.packs;
    Ok(packs
        .iter()
        .map(|(name, digest)| one(store, name, digest, keys))
        .collect())
}

/// The pack `name` out of the folder of its digest.
fn one(store: &Store, name: &str, digest: &str, keys: &Keyring) -> Result<Pack, PackError> {
    let dir = store.entry(digest)?;
    let signature = read(&dir, SIGNATURE_FILE)?;
    if crate::hex(&Sha256::digest(&signature)) != digest {
        return Err(PackError::Changed {
            file: format!("{FOLDER}/{digest}/{SIGNATURE_FILE}"),
        });
    }
    let (pack, _) = Pack::verify(name, &signature, |file| read(&dir, file), keys, now_us())?;
    if pack.info().name != name {
        return Err(PackError::Changed {
            file: format!("{FOLDER}/{INDEX}"),
        });
    }
    Ok(pack)
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

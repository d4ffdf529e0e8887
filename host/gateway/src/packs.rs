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
use crate::trust::store::{self, INDEX, StepBack, Store, StoreError, failed, is_sha256};
use crate::trust::{Keyring, Trust, TrustError, operators_folder};
use crate::untrusted::escape_control;
use crate::workspace::write_durably_for_all;

const FOLDER: &str = "packs";
const WHAT: &str = "pack";
const OPERATORS: &str = "the operator chooses which actions there are";
/// How often the installed packs are read anew when another command changes them meanwhile.
const ANEW: usize = 5;

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
        let Some(highest) = self.highest.get(&name) else {
            return Ok(());
        };
        match store::step_back(&version, &info.content, &highest.version, Some(&highest.content)) {
            None => Ok(()),
            Some(StepBack::Older) => Err(PackError::Downgrade {
                name,
                version,
                highest: highest.version.clone(),
            }),
            Some(StepBack::Other(_)) => Err(PackError::SameVersion { name, version }),
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
    let catalogue = with_packs(load(operator, &keyring)?)?;
    Ok((keyring, catalogue))
}

/// The built-in actions and those of `packs`.
fn with_packs(packs: Vec<Pack>) -> Result<Catalogue, GatewayError> {
    let builtin = Catalogue::builtin().map_err(|e| GatewayError::Internal(e.to_string()))?;
    Ok(builtin.with_packs(packs).map_err(PackError::from)?)
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
    write_durably_for_all(&dir, SIGNATURE_FILE, &bytes)
        .map_err(failed("write", SIGNATURE_FILE))
        .map_err(PackError::from)?;
    Ok(PackView::new(&info, files.iter().map(|(name, _)| id_of(name))))
}

/// A signed pack as its folder had it, all of it in memory: what was verified is what is installed.
struct SignedFolder {
    /// The folder, escaped.
    place: String,
    signature: Vec<u8>,
    files: Files,
}

impl SignedFolder {
    fn read(folder: &Path) -> Result<Self, PackError> {
        let dir = ambient::open_folder(folder, WHAT)?;
        Ok(Self {
            place: escape_control(&folder.display().to_string()).into_owned(),
            signature: read(&dir, SIGNATURE_FILE)?,
            files: read_files(&dir)?,
        })
    }

    /// The pack, if it counts now and no file is there that was not signed.
    fn verify(&self, keys: &Keyring) -> Result<Pack, PackError> {
        let (pack, signed) = Pack::verify(&self.place, &self.signature, |name| self.file(name), keys, now_us())?;
        for (name, _) in &self.files {
            if !signed.iter().any(|(signed, _)| signed == name) {
                return Err(PackError::Files {
                    file: name.clone(),
                    problem: "is there and was not signed; remove it, or have the pack signed again",
                });
            }
        }
        Ok(pack)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, PackError> {
        let found = self.files.iter().find(|(file, _)| file == name);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| missing(name))
    }

    /// All files, by name.
    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        files.chain([(SIGNATURE_FILE, self.signature.as_slice())])
    }
}

/// What counts although some packs may not, for who mends that.
pub(crate) fn sound(operator: Option<&Path>, joining: Option<Pack>) -> Result<Catalogue, GatewayError> {
    let keys = Keyring::load(operator)?;
    let replaced = joining.as_ref().map(|pack| pack.info().name.clone());
    let packs = match Store::open(operator, FOLDER)? {
        Some(store) => each(&store, &index_of(&store)?.packs, &keys)
            .filter_map(Result::ok)
            .collect(),
        None => Vec::new(),
    };
    let kept = packs
        .into_iter()
        .filter(|pack: &Pack| Some(&pack.info().name) != replaced.as_ref());
    with_packs(kept.chain(joining).collect())
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
    let signed = SignedFolder::read(folder)?;
    let joining = signed.verify(&Keyring::load(operator.as_deref())?)?;
    let gateway = Gateway::open_to_install(options, trust, joining)?;
    let store = Store::open_or_create(operator.as_deref(), FOLDER)?;
    let _locked = store.lock()?;
    // Once more: a key may have been revoked while this waited.
    let pack = signed.verify(&Keyring::load(operator.as_deref())?)?;
    let info = pack.info();
    let mut index = index_of(&store)?;
    let known = know_installed(&store, &mut index, &info.name);
    if !allow_downgrade {
        known?;
        index.check_not_older(info)?;
    }
    let before = index.packs.insert(info.name.clone(), info.digest.clone());
    // Whoever allowed a step back has said which version counts from now on.
    index.highest.insert(info.name.clone(), Highest::from(info));
    let change = TrustChange::PackInstalled {
        name: info.name.clone(),
        version: info.version.to_string(),
        sha256: info.digest.clone(),
        signer: info.signer.clone(),
        replaced: before.clone(),
        downgrade_allowed: allow_downgrade,
        envelope: Envelope::parse(&signed.signature).map_err(TrustError::Malformed)?,
    };
    // What can fail goes before the record: after it, only the index is replaced.
    let put = store.put(&info.digest, signed.iter()).map_err(GatewayError::from);
    let done = put.and_then(|()| gateway.seal_then(change, &info.name, "installed", || store.write_index(&index)));
    if done.is_err() {
        forget_unnamed(&store, &info.digest);
    }
    done?;
    if let Some(before) = before {
        forget_unnamed(&store, &before);
    }
    Ok(PackView::of(&pack))
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
    let gateway = Gateway::open_to_mend(options, trust)?;
    let store = Store::open_or_create(operator.as_deref(), FOLDER)?;
    let _locked = store.lock()?;
    let mut index = index_of(&store)?;
    // What cannot be told of it keeps nobody from removing it.
    let _known = know_installed(&store, &mut index, name);
    let Some(digest) = index.packs.remove(name) else {
        return Err(PackError::NotInstalled {
            name: escape_control(name).chars().take(80).collect(),
            known: crate::listed(index.packs.keys()),
        }
        .into());
    };
    let change = TrustChange::PackRemoved {
        name: name.to_owned(),
        sha256: digest.clone(),
    };
    gateway.seal_then(change, name, "removed", || store.write_index(&index))?;
    forget_unnamed(&store, &digest);
    Ok(PackView {
        schema_version: SCHEMA_VERSION,
        name: name.to_owned(),
        version: String::new(),
        signer: String::new(),
        actions: Vec::new(),
    })
}

/// Removes the files of what is not installed, unless the index names them.
fn forget_unnamed(store: &Store, digest: &str) {
    // As it is on the disk: it may have been written although that failed, or have named them before.
    if index_of(store).is_ok_and(|index| index.packs.values().all(|named| named != digest)) {
        store.forget(digest);
    }
}

/// The version of what is installed of this name, where the index was written before these were kept: what its signature states, whatever the
/// key that signed it is worth by now.
fn know_installed(store: &Store, index: &mut Index, name: &str) -> Result<(), PackError> {
    if index.highest.contains_key(name) {
        return Ok(());
    }
    if let Some(digest) = index.packs.get(name) {
        let highest = stated(store, name, digest)?;
        index.highest.insert(name.to_owned(), highest);
    }
    Ok(())
}

/// What the signature states that the index pins by `digest`.
fn stated(store: &Store, name: &str, digest: &str) -> Result<Highest, PackError> {
    let file = format!("{digest}/{SIGNATURE_FILE}");
    let signature = match store.read(&file, FILE_BYTES) {
        Err(StoreError::Missing { .. } | StoreError::TooLarge { .. }) => None,
        other => Some(other?),
    };
    let pinned = signature.filter(|it| crate::hex(&Sha256::digest(it)) == digest);
    let stated = pinned
        .and_then(|it| Pack::stated(&it))
        .filter(|stated| stated.name == name);
    let highest = stated.map(|stated| Highest {
        version: stated.version,
        content: stated.content,
    });
    highest.ok_or_else(|| PackError::VersionUnknown {
        name: escape_control(name).chars().take(80).collect(),
        file: format!("{FOLDER}/{file}"),
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
    let mut named = index_of(&store)?.packs;
    let mut loaded: Result<Vec<Pack>, PackError> = each(&store, &named, keys).collect();
    for _ in 0..ANEW {
        if loaded.is_ok() {
            break;
        }
        let now = index_of(&store)?.packs;
        if now == named {
            break;
        }
        // Another command replaced or removed one of them meanwhile.
        named = now;
        loaded = each(&store, &named, keys).collect();
    }
    loaded
}

/// Each of the packs that the index has `named`, or what is wrong with it.
fn each(
    store: &Store,
    named: &BTreeMap<String, String>,
    keys: &Keyring,
) -> impl Iterator<Item = Result<Pack, PackError>> {
    named.iter().map(move |(name, digest)| one(store, name, digest, keys))
}

/// The pack `name` out of the folder of its digest.
fn one(store: &Store, name: &str, digest: &str, keys: &Keyring) -> Result<Pack, PackError> {
    let read = |file: &str| read_installed(store, digest, file);
    let signature = read(SIGNATURE_FILE)?;
    if crate::hex(&Sha256::digest(&signature)) != digest {
        return Err(PackError::Changed {
            file: format!("{FOLDER}/{digest}/{SIGNATURE_FILE}"),
        });
    }
    let (pack, _) = Pack::verify(name, &signature, read, keys, now_us())?;
    if pack.info().name != name {
        return Err(PackError::Changed {
            file: format!("{FOLDER}/{INDEX}"),
        });
    }
    Ok(pack)
}

/// The file `name` of the installed pack `digest`; what is gone or has grown is not what was installed.
fn read_installed(store: &Store, digest: &str, name: &str) -> Result<Vec<u8>, PackError> {
    match store.read(&format!("{digest}/{name}"), FILE_BYTES) {
        Err(StoreError::Missing { file } | StoreError::TooLarge { file, .. }) => Err(PackError::Changed { file }),
        other => Ok(other?),
    }
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
        StoreError::Missing { file } => missing(&file),
        StoreError::TooLarge { file, .. } => PackError::Files {
            file,
            problem: "is larger than 256 KiB, which no file of a pack is",
        },
        error => error.into(),
    })
}

fn missing(file: &str) -> PackError {
    PackError::Files {
        file: file.to_owned(),
        problem: "is missing; a pack is signed with `pg-logstats catalog sign`",
    }
}

fn id_of(file: &str) -> String {
    file.strip_suffix(".toml").unwrap_or(file).to_owned()
}

#[cfg(test)]
mod tests;

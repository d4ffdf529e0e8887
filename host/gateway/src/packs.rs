//! `catalog`: signing packs, and which packs are installed.
//!
//! **In**: folders of packs; `packs/` in the operator's folder. **Out**: a signature, an installed pack, the packs of this start.
//! **Trusted**: nothing that lies in `packs/`: each start verifies each pack again. **Can fail**: with [`PackError`]; a pack that does not
//! verify stops the command, because the catalogue would not be the one that the operator installed.
//!
//! ```text
//! packs/installed.json     which pack is which folder; replaced in one step, so that a pack is installed whole or not at all
//! packs/<sha256>/          the files of a pack, by the digest of its signature; never changed
//! packs/lock               held while one is installed or removed
//! ```

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ambient;
use crate::catalogue::Catalogue;
use crate::catalogue::pack::{AUTHORS_FILE, FILE_BYTES, Files, MAX_ACTIONS, SIGNATURE_FILE, is_action_file};
use crate::catalogue::{Pack, PackError, PackInfo};
use crate::error::GatewayError;
use crate::keyring::{Keyring, operators_folder};
use crate::report::SCHEMA_VERSION;
use crate::time::now_us;
use crate::untrusted::escape_control;
use crate::workspace::write_durably;

const FOLDER: &str = "packs";
const INDEX: &str = "installed.json";
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
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    index_version: u32,
    packs: BTreeMap<String, String>,
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
    write_durably(&dir, SIGNATURE_FILE, &bytes).map_err(failed("write", SIGNATURE_FILE))?;
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
    let store = Store::open_or_create(operator)?;
    let _locked = store.lock()?;
    let mut index = store.index()?;
    store.put(&pack.info().digest, &signature, &files)?;
    let before = index.packs.insert(pack.info().name.clone(), pack.info().digest.clone());
    store.write_index(&index)?;
    if let Some(before) = before.filter(|it| *it != pack.info().digest) {
        store.forget(&before);
    }
    Ok(PackView::of(&pack))
}

pub(crate) fn remove_in(operator: Option<&Path>, name: &str) -> Result<PackView, GatewayError> {
    let store = Store::open_or_create(operator)?;
    let _locked = store.lock()?;
    let mut index = store.index()?;
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
    let Some(store) = Store::open(operator)? else {
        return Ok(Vec::new());
    };
    let mut packs = Vec::new();
    for (name, digest) in store.index()?.packs {
        let dir = store.pack(&digest)?;
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

/// `packs/` of the operator's folder.
struct Store {
    dir: Dir,
}

impl Store {
    fn open(operator: Option<&Path>) -> Result<Option<Self>, PackError> {
        match operator.map(|it| ambient::open_folder(&it.join(FOLDER), WHAT)) {
            None | Some(Err(ambient::OpenError::Missing { .. })) => Ok(None),
            Some(Ok(dir)) => Ok(Some(Self { dir })),
            Some(Err(error)) => Err(error.into()),
        }
    }

    fn open_or_create(operator: Option<&Path>) -> Result<Self, PackError> {
        let path: PathBuf = operator.ok_or(PackError::NoFolder)?.join(FOLDER);
        Ok(Self {
            dir: ambient::open_or_create_folder(&path, WHAT)?,
        })
    }

    fn lock(&self) -> Result<std::fs::File, PackError> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).mode(0o600);
        let file = self.dir.open_with("lock", &options).map_err(failed("write", "lock"))?;
        let file = file.into_std();
        file.lock().map_err(failed("write", "lock"))?;
        Ok(file)
    }

    fn index(&self) -> Result<Index, PackError> {
        let bytes = match read(&self.dir, INDEX) {
            Ok(bytes) => bytes,
            Err(PackError::Files { .. }) => {
                return Ok(Index {
                    index_version: 1,
                    packs: BTreeMap::new(),
                });
            }
            Err(error) => return Err(error),
        };
        let wrong = |reason: String| PackError::Field {
            file: format!("{FOLDER}/{INDEX}"),
            field: "packs",
            reason,
        };
        let index: Index = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
        let is_digest = |it: &String| it.len() == 64 && it.bytes().all(|b| b.is_ascii_hexdigit());
        if index.index_version != 1 || !index.packs.values().all(is_digest) {
            return Err(wrong(
                "is of another version, or names a folder that is no SHA-256".to_owned(),
            ));
        }
        Ok(index)
    }

    fn write_index(&self, index: &Index) -> Result<(), PackError> {
        let bytes = serde_json::to_vec_pretty(index).map_err(|e| failed("write", INDEX)(std::io::Error::other(e)))?;
        write_durably(&self.dir, INDEX, &bytes).map_err(failed("write", INDEX))
    }

    fn pack(&self, digest: &str) -> Result<Dir, PackError> {
        self.dir.open_dir(digest).map_err(failed("read", digest))
    }

    /// The files of a pack, each durable. Until the index names them, nobody reads them.
    fn put(&self, digest: &str, signature: &[u8], files: &Files) -> Result<(), PackError> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        match self.dir.create_dir_with(digest, &builder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(failed("write", digest)(error));
            }
            _ => {}
        }
        let dir = self.pack(digest)?;
        for (name, bytes) in files {
            write_durably(&dir, name, bytes).map_err(failed("write", name))?;
        }
        write_durably(&dir, SIGNATURE_FILE, signature).map_err(failed("write", SIGNATURE_FILE))
    }

    /// Removes files that nobody reads any more; what cannot be removed does no harm.
    fn forget(&self, digest: &str) {
        let _left_behind = self.dir.remove_dir_all(digest);
    }
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
    let file = match dir.open(name) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(PackError::Files {
                file: name.to_owned(),
                problem: "is missing; a pack is signed with `pg-logstats catalog sign`",
            });
        }
        Err(error) => return Err(failed("read", name)(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed("read", name))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(PackError::Files {
            file: name.to_owned(),
            problem: "is larger than 256 KiB, which no file of a pack is",
        });
    }
    Ok(bytes)
}

fn id_of(file: &str) -> String {
    file.strip_suffix(".toml").unwrap_or(file).to_owned()
}

fn failed(doing: &'static str, file: &str) -> impl Fn(std::io::Error) -> PackError {
    let file = file.to_owned();
    move |source| PackError::Io {
        doing,
        file: file.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;

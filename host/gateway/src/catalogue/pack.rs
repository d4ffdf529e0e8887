//! Packs: actions that DBAs write, sign and ship.
//!
//! **In**: a folder with `pack.toml` and one TOML file for each action, and `pack.dsse.json`, the signature over all of them. **Out**: a
//! [`Pack`], whose actions join the catalogue. **Trusted**: keys with the role `catalogue`, to say who wrote a pack; what it may hold is
//! checked all the same, when it is signed, when it is installed and at every start. **Can fail**: with a [`PackError`] that names
//! file and field.
//!
//! An action of a pack keeps all rules of the built-in ones, and these: its id begins with the pack's name; it is a query; it is not
//! essential; its SQL passes `db::packed`; text that it returns counts as untrusted; it asks for no privilege but to see
//! statistics; and its risk is at least what its form says.

use std::collections::BTreeSet;

use pg_logstats_audit::dsse::{self, DsseError, Envelope};
use pg_logstats_audit::{PrivateKey, Signer as _};
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::load::{is_word, parse};
use super::{Action, ActionKind, Catalogue, CatalogueError, ColumnType, Facet, Statement};
use crate::ambient::OpenError;
use crate::db::packed::{self, Cost, Expected};
use crate::trust::store::StoreError;
use crate::trust::{Keyring, Role, TrustError};
use crate::words::{ActionClass, Risk};

/// DSSE payload type of a pack.
pub const PAYLOAD_TYPE: &str = "application/vnd.pg-logstats.catalogue-pack+json";
/// What the author writes about the pack.
pub const AUTHORS_FILE: &str = "pack.toml";
/// The signature.
pub const SIGNATURE_FILE: &str = "pack.dsse.json";
/// Version of the signed form.
pub const PACK_VERSION: u32 = 1;
/// Most actions of one pack.
pub const MAX_ACTIONS: usize = 100;
/// Largest file of a pack.
pub const FILE_BYTES: u64 = 256 << 10;
/// Roles that an action of a pack may need; each lets its holder see statistics and nothing else.
const PACK_ROLES: [&str; 2] = ["pg_read_all_stats", "pg_read_all_settings"];

/// Which pack an action comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Who signed it, as the operator calls him.
    pub signer: String,
    /// SHA-256 of its signature file, in hex.
    pub digest: String,
    /// SHA-256 of what was signed, in hex: the same whoever signs it.
    pub content: String,
}

/// What a signature file says of its pack; nobody verified it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// SHA-256 of what was signed, in hex.
    pub(crate) content: String,
}

/// A pack that counts, with its actions checked.
#[derive(Debug)]
pub struct Pack {
    info: PackInfo,
    actions: Vec<Action>,
}

/// `pack.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorsFile {
    name: String,
    version: String,
    minimum_host_version: String,
}

/// What is signed. Its only spelling is that of `serde_json` without spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    pack_version: u32,
    name: String,
    version: String,
    minimum_host_version: String,
    files: Vec<ManifestFile>,
}

/// A file of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    name: String,
    sha256: String,
}

/// Why a pack cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A file cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is installed cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its signature does not count.
    #[error("the pack `{pack}` is refused: {cause}")]
    Trust {
        /// Its folder or name.
        pack: String,
        /// Why.
        cause: TrustError,
    },
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] DsseError),
    /// A field of it is wrong.
    #[error("pack file `{file}`, field `{field}`: {reason}")]
    Field {
        /// The file.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// An action's file is wrong.
    #[error(transparent)]
    Action(#[from] CatalogueError),
    /// A file is not what was signed.
    #[error("pack file `{file}` is not the one that was signed; get the pack again, or have it signed again")]
    Changed {
        /// The file.
        file: String,
    },
    /// A file is missing, or is there and was not signed.
    #[error("pack file `{file}` {problem}")]
    Files {
        /// The file.
        file: String,
        /// Missing, or too many.
        problem: &'static str,
    },
    /// This binary is too old.
    #[error("the pack `{pack}` needs pg-logstats {needs} or later, and this is {has}; install a newer one")]
    HostTooOld {
        /// The pack.
        pack: String,
        /// What it needs.
        needs: String,
        /// What this is.
        has: &'static str,
    },
    /// It is older than what there was.
    #[error(
        "the pack `{name}` {version} is older than {highest}, which was installed here; an older one may have faults that were mended since. Whoever \
         wants it all the same says --allow-downgrade"
    )]
    Downgrade {
        /// The pack.
        name: String,
        /// What was to be installed.
        version: Version,
        /// The highest that was.
        highest: Version,
    },
    /// Two packs with one version.
    #[error(
        "the pack `{name}` {version} was installed here with other actions; what changes has a new version. Whoever wants to replace it all the same \
         says --allow-downgrade"
    )]
    SameVersion {
        /// The pack.
        name: String,
        /// Its version.
        version: Version,
    },
    /// How old the next version may be is not known any more.
    #[error(
        "which version of the pack `{name}` is installed here cannot be told, because `{file}` is missing or is not the one that was installed; \
         restore that file from a copy. Whoever wants to install the pack all the same says --allow-downgrade"
    )]
    VersionUnknown {
        /// The pack.
        name: String,
        /// Its installed signature.
        file: String,
    },
    /// There is no such pack.
    #[error("no pack `{name}` is installed; installed are: {known}")]
    NotInstalled {
        /// As typed.
        name: String,
        /// Those that are.
        known: String,
    },
}

impl PackError {
    /// Whether a signature or a digest does not verify.
    pub fn is_tampering(&self) -> bool {
        matches!(
            self,
            Self::Changed { .. }
                | Self::Trust {
                    cause: TrustError::Unverified(_),
                    ..
                }
        )
    }

    /// Whether the operator's trust store, or what was installed before, is what denies it.
    pub fn is_denied(&self) -> bool {
        matches!(
            self,
            Self::Trust { .. } | Self::Downgrade { .. } | Self::SameVersion { .. } | Self::VersionUnknown { .. }
        ) && !self.is_tampering()
    }
}

/// Files of a pack: names with their bytes.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

impl Pack {
    /// Who and what it is.
    pub fn info(&self) -> &PackInfo {
        &self.info
    }

    /// Its actions.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    pub(super) fn into_actions(self) -> Vec<Action> {
        self.actions
    }

    /// Checks the `files` of a pack as an author has them, and signs them.
    ///
    /// # Errors
    /// When one of them is wrong; then nothing is signed.
    pub(crate) fn sign(authors: &[u8], files: &Files, key: &PrivateKey) -> Result<(PackInfo, Envelope), PackError> {
        let field = |field, reason: String| PackError::Field {
            file: AUTHORS_FILE.to_owned(),
            field,
            reason,
        };
        let authors: AuthorsFile = toml::from_str(&String::from_utf8_lossy(authors))
            .map_err(|e| field("pack.toml", e.to_string().trim_end().to_owned()))?;
        let manifest = Manifest {
            pack_version: PACK_VERSION,
            name: authors.name,
            version: authors.version,
            minimum_host_version: authors.minimum_host_version,
            files: files
                .iter()
                .map(|(name, bytes)| ManifestFile {
                    name: name.clone(),
                    sha256: crate::hex(&Sha256::digest(bytes)),
                })
                .collect(),
        };
        manifest.check(AUTHORS_FILE)?;
        let payload = serde_json::to_vec(&manifest).map_err(|e| field("pack.toml", e.to_string()))?;
        let info = PackInfo {
            version: manifest.version(AUTHORS_FILE)?,
            name: manifest.name,
            signer: key.key_id().to_string(),
            digest: String::new(),
            content: crate::hex(&Sha256::digest(&payload)),
        };
        checked_actions(&info, files)?;
        Ok((info, dsse::seal(key, PAYLOAD_TYPE, &payload)?))
    }

    /// What the `signature` file states, WITHOUT verifying it: only for one whose digest says already that it was verified once. None when
    /// it states no pack.
    pub(crate) fn stated(signature: &[u8]) -> Option<Stated> {
        let payload = Envelope::parse(signature).ok()?.unverified_payload().ok()?;
        let manifest: Manifest = serde_json::from_slice(&payload).ok()?;
        Some(Stated {
            version: manifest.version(SIGNATURE_FILE).ok()?,
            name: manifest.name,
            content: crate::hex(&Sha256::digest(&payload)),
        })
    }

    /// Verifies a signed pack and checks all of it. `read` gives the file of a name.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub(crate) fn verify(
        place: &str,
        signature: &[u8],
        mut read: impl FnMut(&str) -> Result<Vec<u8>, PackError>,
        keys: &Keyring,
        now_us: i64,
    ) -> Result<(Self, Files), PackError> {
        let refused = |cause| PackError::Trust {
            pack: place.to_owned(),
            cause,
        };
        let envelope = Envelope::parse(signature).map_err(|e| refused(TrustError::Malformed(e)))?;
        let opened = keys
            .open(&envelope, PAYLOAD_TYPE, Role::Catalogue, now_us)
            .map_err(refused)?;
        let field = |reason: String| PackError::Field {
            file: SIGNATURE_FILE.to_owned(),
            field: "payload",
            reason,
        };
        let manifest: Manifest = serde_json::from_slice(&opened.payload).map_err(|e| field(e.to_string()))?;
        if serde_json::to_vec(&manifest).map_err(|e| field(e.to_string()))? != opened.payload {
            return Err(field(
                "is not spelt as `pg-logstats catalog sign` of this version spells it; have it signed again".to_owned(),
            ));
        }
        manifest.check(SIGNATURE_FILE)?;
        let mut files = Files::new();
        for file in &manifest.files {
            let bytes = read(&file.name)?;
            if crate::hex(&Sha256::digest(&bytes)) != file.sha256 {
                return Err(PackError::Changed {
                    file: file.name.clone(),
                });
            }
            files.push((file.name.clone(), bytes));
        }
        let info = PackInfo {
            version: manifest.version(SIGNATURE_FILE)?,
            name: manifest.name,
            signer: opened.name,
            digest: crate::hex(&Sha256::digest(signature)),
            content: crate::hex(&Sha256::digest(&opened.payload)),
        };
        let actions = checked_actions(&info, &files)?;
        Ok((Self { info, actions }, files))
    }
}

impl Manifest {
    fn version(&self, file: &str) -> Result<Version, PackError> {
        Version::parse(&self.version).map_err(|error| PackError::Field {
            file: file.to_owned(),
            field: "version",
            reason: error.to_string(),
        })
    }

    fn check(&self, file: &str) -> Result<(), PackError> {
        let wrong = |field, reason: String| PackError::Field {
            file: file.to_owned(),
            field,
            reason,
        };
        if self.pack_version != PACK_VERSION {
            return Err(wrong(
                "pack_version",
                format!("is {}, not {PACK_VERSION}", self.pack_version),
            ));
        }
        if !is_word(&self.name) || self.name.len() > 40 {
            return Err(wrong(
                "name",
                "has to be up to 40 lower-case letters, digits and `_`".to_owned(),
            ));
        }
        let builtin = Catalogue::builtin()?;
        let is_taken = |id: &str| id.split('.').next() == Some(self.name.as_str());
        if builtin.iter().any(|action| is_taken(&action.id)) {
            return Err(wrong(
                "name",
                format!("`{}` is what built-in actions begin with; take another", self.name),
            ));
        }
        for (field, text) in [
            ("version", &self.version),
            ("minimum_host_version", &self.minimum_host_version),
        ] {
            if version(text).is_none() {
                return Err(wrong(field, "has to be three numbers, as in `1.2.0`".to_owned()));
            }
        }
        let has = env!("CARGO_PKG_VERSION");
        if version(&self.minimum_host_version) > version(has) {
            return Err(PackError::HostTooOld {
                pack: self.name.clone(),
                needs: self.minimum_host_version.clone(),
                has,
            });
        }
        if self.files.is_empty() || self.files.len() > MAX_ACTIONS {
            return Err(wrong("files", format!("there have to be 1 to {MAX_ACTIONS} actions")));
        }
        let mut names = BTreeSet::new();
        for entry in &self.files {
            if !is_action_file(&entry.name) || !names.insert(&entry.name) {
                return Err(wrong(
                    "files",
                    "has to list files called as the id of their action and `.toml`, each once".to_owned(),
                ));
            }
        }
        Ok(())
    }
}

/// `ID.toml`, in letters that mean nothing to a file system.
pub(crate) fn is_action_file(name: &str) -> bool {
    name.len() <= 120
        && name
            .strip_suffix(".toml")
            .is_some_and(|id| id.split('.').count() >= 2 && id.split('.').all(is_word))
}

/// `1.2.0` as numbers.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| {
        let is_plain =
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
        is_plain.then(|| part.parse::<u32>().ok()).flatten()
    });
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

fn checked_actions(info: &PackInfo, files: &Files) -> Result<Vec<Action>, PackError> {
    files
        .iter()
        .map(|(file, bytes)| {
            let text = std::str::from_utf8(bytes).map_err(|_| CatalogueError::Syntax {
                file: file.clone(),
                reason: "it is not UTF-8".to_owned(),
            })?;
            let mut action = parse(file, text)?;
            check_action(&info.name, &action).map_err(|(field, reason)| CatalogueError::Inconsistent {
                file: file.clone(),
                field,
                reason,
            })?;
            action.pack = Some(info.clone());
            Ok(action)
        })
        .collect()
}

/// What an action of a pack has to keep beyond the rules of built-in ones.
fn check_action(pack: &str, action: &Action) -> Result<(), (&'static str, String)> {
    if action.id.strip_prefix(pack).is_none_or(|rest| !rest.starts_with('.')) {
        return Err(("id", format!("has to begin with the pack's name: `{pack}.`")));
    }
    if action.kind != ActionKind::Query {
        return Err((
            "kind",
            "an action of a pack is a `query`; EXPLAIN is built in".to_owned(),
        ));
    }
    if action.essential {
        return Err(("essential", "only built-in actions are".to_owned()));
    }
    if let Some(column) = action
        .columns
        .iter()
        .find(|it| it.column_type == ColumnType::Text && !it.untrusted)
    {
        return Err((
            "columns",
            format!("`{}` is text of the database: say `untrusted = true`", column.name),
        ));
    }
    let privileges = &action.privileges;
    if let Some(role) = privileges.roles.iter().find(|it| !PACK_ROLES.contains(&it.as_str())) {
        return Err((
            "privileges",
            format!("role `{role}`: a pack may need {} only", PACK_ROLES.join(" and ")),
        ));
    }
    if privileges.extensions.iter().any(|it| it != "pg_stat_statements") || privileges.select_on_relations {
        return Err((
            "privileges",
            "a pack may need the extension pg_stat_statements, and no right to read tables".to_owned(),
        ));
    }
    let arguments: Vec<&str> = action
        .parameters
        .iter()
        .flat_map(|it| it.facet.argument_types())
        .copied()
        .collect();
    let mut cost = Cost::AsRead;
    for Statement { min_version, sql, .. } in action.statements() {
        let expected = Expected {
            arguments: &arguments,
            columns: action.columns.len(),
            max_rows: action.caps.max_rows,
        };
        let found = packed::check(sql, expected).map_err(|reason| {
            (
                "statements",
                format!("the SQL for server version {min_version} {reason}"),
            )
        })?;
        if found == Cost::OpenEnded {
            cost = found;
        }
    }
    let least = least_risk(action, cost);
    let lowest = action.risk_when_bound.values().copied().fold(action.risk, Risk::min);
    if lowest < least {
        return Err((
            "risk",
            format!("is `{lowest}`, and has to be at least `{least}` for what it does"),
        ));
    }
    Ok(())
}

/// A list of sessions is bounded by its caps only, unless it is of one session; so is what can go on by itself.
fn least_risk(action: &Action, cost: Cost) -> Risk {
    let is_of_one_session = action
        .parameters
        .iter()
        .any(|it| it.facet == Facet::Session && it.required);
    let lists_sessions = action.class == ActionClass::BoundedActivityQueries && !is_of_one_session;
    if cost == Cost::OpenEnded || lists_sessions {
        Risk::Bounded
    } else {
        Risk::Safe
    }
}

#[cfg(test)]
pub(crate) mod tests;

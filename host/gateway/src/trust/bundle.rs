//! How runbooks are shipped: a component with its signatures, in one of three forms that are verified alike.
//!
//! **In**: a path. **Out**: [`Bundle`]s, each the bytes of a component and of its DSSE envelope. **Trusted**: nothing; the digests of an
//! OCI layout are checked because a copy that lost bytes should say so, and what counts are the signatures. **Can fail**: with
//! [`BundleError`], which names the file.
//!
//! | form | what is in it |
//! |---|---|
//! | a file pair | `x.wasm` and `x.wasm.dsse` |
//! | a folder | such pairs |
//! | an OCI image layout | for each component a manifest with a layer `application/wasm` (as `wkg oci` pushes it), and one whose `subject` is that manifest, with a layer `application/vnd.dsse.envelope.v1+json` |

use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::store::{self, StoreError};
use crate::ambient::{self, OpenError};
use crate::runbook::limits::COMPONENT_BYTES;
use crate::untrusted::escape_control;

/// What is appended to a component's name for its signatures.
pub const SIGNATURES_SUFFIX: &str = ".dsse";
/// A manifest of an image.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The layer with a component, as the CNCF's Wasm working group has it.
const WASM_LAYER: &str = "application/wasm";
/// The layer with the signatures, as cosign has it.
const DSSE_LAYER: &str = "application/vnd.dsse.envelope.v1+json";
/// An envelope of sixteen signatures over a manifest of some thousand words.
pub(crate) const ENVELOPE_BYTES: u64 = 1 << 20;
/// Largest index or manifest of an OCI layout.
const DOCUMENT_BYTES: u64 = 4 << 20;
/// Most runbooks of one folder or layout.
const MOST: usize = 100;
const WHAT: &str = "runbook";

/// A component with its signatures, neither of them verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Where it was found, escaped.
    pub place: String,
    /// The component.
    pub component: Vec<u8>,
    /// Its DSSE envelope.
    pub envelope: Vec<u8>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file of it cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The component has no signatures with it.
    #[error("`{file}` is missing: a runbook comes with its signatures; `pg-logstats runbook sign` makes them")]
    Unsigned {
        /// The file that is missing.
        file: String,
    },
    /// It is a folder without a runbook.
    #[error("`{folder}` has no runbook in it: neither a file whose name ends in `.wasm`, nor an OCI image layout")]
    Empty {
        /// The folder.
        folder: String,
    },
    /// Too many.
    #[error("`{folder}` has more than {MOST} runbooks in it; install them in parts")]
    TooMany {
        /// The folder.
        folder: String,
    },
    /// The layout does not keep its own rules.
    #[error("the OCI image layout `{folder}` makes no sense: {problem}")]
    Layout {
        /// The folder.
        folder: String,
        /// Which rule.
        problem: String,
    },
    /// A blob is not what its digest says.
    #[error("`{file}` of the OCI image layout is not what its digest says; copy the layout again")]
    Blob {
        /// The blob.
        file: String,
    },
}

/// The bundles of `path`, one after the other.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn read(path: &Path) -> Result<Vec<Bundle>, BundleError> {
    let is_folder = std::fs::metadata(path)
        .map_err(|e| OpenError::new(WHAT, path, e))?
        .is_dir();
    if !is_folder {
        return Ok(vec![pair(path)?]);
    }
    let shown = escape_control(&path.display().to_string()).into_owned();
    let dir = ambient::open_folder(path, WHAT)?;
    if dir.exists("oci-layout") {
        return Layout { dir, folder: shown }.bundles();
    }
    let mut components = Vec::new();
    for entry in dir.entries().map_err(store::failed("read", &shown))? {
        let name = entry.map_err(store::failed("read", &shown))?.file_name();
        if Path::new(&name).extension().is_some_and(|it| it == "wasm") {
            components.push(path.join(name));
        }
    }
    components.sort();
    match components.len() {
        0 => Err(BundleError::Empty { folder: shown }),
        1..=MOST => components.iter().map(|file| pair(file)).collect(),
        _ => Err(BundleError::TooMany { folder: shown }),
    }
}

/// Where the signatures of the component `file` are.
pub fn signatures_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SIGNATURES_SUFFIX);
    name.into()
}

fn pair(file: &Path) -> Result<Bundle, BundleError> {
    let component = ambient::read_file(file, WHAT, COMPONENT_BYTES)?;
    let signatures = signatures_of(file);
    let envelope = match ambient::read_file(&signatures, "signature", ENVELOPE_BYTES) {
        Err(OpenError::Missing { .. }) => {
            let file = escape_control(&signatures.display().to_string()).into_owned();
            return Err(BundleError::Unsigned { file });
        }
        envelope => envelope?,
    };
    Ok(Bundle {
        place: escape_control(&file.display().to_string()).into_owned(),
        component,
        envelope,
    })
}

/// What is read of the documents of a layout; they may say more, and the specification wants that left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayoutFile {
    image_layout_version: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

/// An OCI image layout: <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>.
struct Layout {
    dir: Dir,
    folder: String,
}

impl Layout {
    fn bundles(&self) -> Result<Vec<Bundle>, BundleError> {
        let layout: LayoutFile = self.document("oci-layout", &self.file("oci-layout")?)?;
        if layout.image_layout_version != "1.0.0" {
            return Err(self.wrong(format!(
                "its version `{}` is not 1.0.0",
                escape_control(&layout.image_layout_version)
            )));
        }
        let index: Index = self.document("index.json", &self.file("index.json")?)?;
        let mut components = Vec::new();
        let mut signatures = Vec::new();
        for descriptor in &index.manifests {
            if descriptor.media_type != MANIFEST {
                continue;
            }
            let bytes = self.blob(descriptor, DOCUMENT_BYTES)?;
            let manifest: Manifest = self.document("manifest", &bytes)?;
            if let Some(layer) = layer(&manifest, DSSE_LAYER) {
                if let Some(subject) = &manifest.subject {
                    signatures.push((subject.digest.clone(), layer.clone()));
                }
            } else if let Some(layer) = layer(&manifest, WASM_LAYER) {
                components.push((descriptor.digest.clone(), layer.clone()));
            }
        }
        match components.len() {
            0 => {
                return Err(BundleError::Empty {
                    folder: self.folder.clone(),
                });
            }
            1..=MOST => {}
            _ => {
                return Err(BundleError::TooMany {
                    folder: self.folder.clone(),
                });
            }
        }
        let bundle = |(manifest, component): &(String, Descriptor)| {
            let mut of_this = signatures.iter().filter(|(subject, _)| subject == manifest);
            let Some((_, envelope)) = of_this.next() else {
                let problem = format!(
                    "no manifest in it has the subject `{manifest}` and a layer `{DSSE_LAYER}`, so the runbook is not signed"
                );
                return Err(self.wrong(problem));
            };
            if of_this.next().is_some() {
                let problem =
                    format!("several manifests have signatures of `{manifest}`; put all of them into one envelope");
                return Err(self.wrong(problem));
            }
            Ok(Bundle {
                place: format!("{}@{manifest}", self.folder),
                component: self.blob(component, COMPONENT_BYTES)?,
                envelope: self.blob(envelope, ENVELOPE_BYTES)?,
            })
        };
        components.iter().map(bundle).collect()
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, BundleError> {
        Ok(store::read(&self.dir, name, DOCUMENT_BYTES)?)
    }

    /// The bytes that `descriptor` names, if they are those.
    fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, BundleError> {
        let Some(hex) = descriptor
            .digest
            .strip_prefix("sha256:")
            .filter(|hex| store::is_sha256(hex))
        else {
            return Err(self.wrong(format!(
                "the digest `{}` is no SHA-256",
                escape_control(&descriptor.digest)
            )));
        };
        let file = format!("blobs/sha256/{hex}");
        let bytes = store::read(&self.dir, &file, limit)?;
        if crate::hex(&Sha256::digest(&bytes)) != hex || bytes.len() as u64 != descriptor.size {
            return Err(BundleError::Blob { file });
        }
        Ok(bytes)
    }

    fn document<T: DeserializeOwned>(&self, name: &str, bytes: &[u8]) -> Result<T, BundleError> {
        serde_json::from_slice(bytes).map_err(|error| self.wrong(format!("`{name}`: {error}")))
    }

    fn wrong(&self, problem: String) -> BundleError {
        BundleError::Layout {
            folder: self.folder.clone(),
            problem,
        }
    }
}

/// The one layer of `manifest` with this media type.
fn layer<'a>(manifest: &'a Manifest, media_type: &str) -> Option<&'a Descriptor> {
    let mut layers = manifest.layers.iter().filter(|layer| layer.media_type == media_type);
    layers.next().filter(|_| layers.next().is_none())
}

#[cfg(test)]
mod tests;

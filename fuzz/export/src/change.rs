//! Changes to an archive: of its bytes, of its files, and of the manifest so that it agrees with them.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Read as _;

use pg_logstats_gateway::audit::ExportVerification;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::trail::{File, archive_of};

/// The first bytes of what is compressed.
const PACKED: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const MANIFEST: &str = "manifest.json";

/// An input, and how it was made.
pub struct Changed {
    /// Which kind of change it was.
    pub how: &'static str,
    /// The archive.
    pub bytes: Vec<u8>,
}

/// Numbers that look like chance, the same ones for the same seed and input (SplitMix64).
pub struct Chance(u64);

impl Chance {
    /// Those of one input.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut chance = Self(seed);
        Self(chance.next() ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }
}

/// A seed that nobody chose.
pub fn any_seed() -> u64 {
    std::hash::RandomState::new().build_hasher().finish() | 1
}

/// The next input. `verify` is asked what an agreeing manifest has to say.
pub fn input(
    chance: &mut Chance,
    archive: &[u8],
    files: &[File],
    others: &[File],
    verify: &dyn Fn(&[u8]) -> ExportVerification,
) -> Changed {
    match chance.below(8) {
        0 => Changed {
            how: "bytes",
            bytes: spoiled(chance, archive),
        },
        1 => {
            let packed = packed(archive);
            Changed {
                how: "packed bytes",
                bytes: spoiled(chance, &packed),
            }
        }
        which => {
            let mut files = files.to_vec();
            for _ in 0..=chance.below(3) {
                change_files(chance, &mut files, others);
            }
            let agrees = which > 3;
            if agrees {
                agree(&mut files, verify);
            }
            let bytes = archive_of(&files);
            let how = if agrees { "files and manifest" } else { "files" };
            let bytes = if chance.below(4) == 0 { packed(&bytes) } else { bytes };
            Changed { how, bytes }
        }
    }
}

/// One to four changes of single bytes and of the end.
fn spoiled(chance: &mut Chance, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        match (chance.below(8), bytes.get_mut(at)) {
            (0, _) => bytes.truncate(at),
            // Where the headers are: at the beginning of blocks of 512.
            (1..4, _) => {
                let at = at / 512 * 512 + chance.below(265);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = chance.next() as u8;
                }
            }
            (_, Some(byte)) => *byte ^= 1 << chance.below(8),
            _ => {}
        }
    }
    bytes
}

fn change_files(chance: &mut Chance, files: &mut Vec<File>, others: &[File]) {
    if files.is_empty() {
        return;
    }
    let (at, other) = (chance.below(files.len()), chance.below(files.len()));
    let another = others[chance.below(others.len())].clone();
    match chance.below(11) {
        0 => drop(files.remove(at)),
        1 => files.insert(other, files[at].clone()),
        2 => files.swap(at, other),
        3 => files[at].content = spoiled(chance, &files[at].content.clone()),
        4 => files[at].content = files[other].content.clone(),
        5 => files[at].path = files[other].path.clone(),
        6 => files.insert(at, another),
        7 => files[at].content = another.content,
        8 => {
            let path = spoiled(chance, files[at].path.as_bytes());
            files[at].path = String::from_utf8_lossy(&path).into_owned();
        }
        // A record with its proof: away, or elsewhere.
        which => {
            let records = files
                .iter()
                .position(|file| file.path.starts_with("records/") && chance.below(3) == 0);
            let Some(record) = records.filter(|record| record + 1 < files.len()) else {
                return;
            };
            let pair: Vec<File> = files.drain(record..record + 2).collect();
            if which == 9 {
                let to = chance.below(files.len());
                files.splice(to..to, pair);
            }
        }
    }
}

/// Makes the manifest say of the files what is so, as whoever changes an archive can.
fn agree(files: &mut [File], verify: &dyn Fn(&[u8]) -> ExportVerification) {
    let said = verify(&archive_of(files));
    let listed: Vec<Value> = files.iter().filter(|file| file.path != MANIFEST).map(listed).collect();
    let Some(manifest) = files.iter_mut().find(|file| file.path == MANIFEST) else {
        return;
    };
    let Ok(mut parsed) = serde_json::from_slice::<Value>(&manifest.content) else {
        return;
    };
    parsed["files"] = listed.into();
    parsed["runbooks"] = json!(said.runbooks);
    parsed["complete"] = (Some(said.records) == said.tree_size).into();
    manifest.content = parsed.to_string().into_bytes();
}

fn listed(file: &File) -> Value {
    let digest = Sha256::digest(&file.content);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"path": file.path, "bytes": file.content.len(), "sha256": hex})
}

fn packed(archive: &[u8]) -> Vec<u8> {
    zstd::encode_all(archive, 1).expect("memory takes it")
}

/// The archive, if it is compressed or not.
pub fn unpacked(archive: &[u8]) -> Vec<u8> {
    if !archive.starts_with(&PACKED) {
        return archive.to_vec();
    }
    let mut bytes = Vec::new();
    let decoder = zstd::Decoder::new(archive).expect("it was read");
    decoder.take(64 << 20).read_to_end(&mut bytes).expect("it was read");
    bytes
}

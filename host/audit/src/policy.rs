//! The witness policy: which logs, which witnesses, and how many of them must have cosigned (C2SP tlog-policy).
//!
//! **In**: a policy file, and a checkpoint. **Out**: a [`Witnessed`] checkpoint, which nothing else makes. **Trusted**: the
//! policy file, as keys are. **Can fail**: [`PolicyError`], which names the line; [`WitnessedError`], which names who is missing.
//!
//! ```text
//! log example.com/log+5a1c8d0e+AS…
//! witness w1 w1.example+0b1f…+BA… https://w1.example/
//! witness w2 w2.example+77aa…+BM…
//! group both all w1 w2
//! quorum both
//! ```
//! The names in the file are names of the file only. A file that a reader could understand in two ways does not load.

use std::collections::{BTreeMap, BTreeSet};

use crate::cosignature::{Cosignature, CosignatureError, verify_cosignatures};
use crate::keys::TrustedKeys;
use crate::note::{Checkpoint, NoteError, open_checkpoint};
use crate::vkey::{LogKey, WitnessKey};

mod parse;

pub use parse::PolicyError;

/// Largest policy file that is read.
pub const MAX_POLICY_BYTES: u64 = 256 * 1024;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<LogKey>,
    witnesses: Vec<PolicyWitness>,
    /// Witnesses and groups in the order of the file: the members of a group stand before it.
    nodes: Vec<Node>,
    quorum: Quorum,
}

/// A witness as the policy file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// Its name within the file; bytes that are not UTF-8 are shown with replacement characters.
    pub name: String,
    /// Its key, under the name that stands in its signatures.
    pub key: WitnessKey,
    /// Where it takes checkpoints, if the file says it: its submission prefix.
    pub url: Option<String>,
}

/// What a name of the file stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// The witness at this place of the list.
    Witness(usize),
    /// At least `threshold` of these nodes, each of which stands before this one.
    Group {
        name: String,
        threshold: usize,
        members: Vec<usize>,
    },
}

/// What a checkpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    /// No cosignature.
    None,
    /// The node at this place.
    Node(usize),
}

/// A checkpoint that a trusted key signed and the quorum of a policy cosigned. Only [`Policy::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    checkpoint: Checkpoint,
    cosignatures: Vec<Cosignature>,
}

/// Why a checkpoint is not as the policy wants it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessedError {
    /// It is not signed by a trusted key, or no checkpoint.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The policy lists logs, and this is none of them.
    #[error(
        "the policy lists no log `{origin}` with a key that signed it: add its line `log`, or use the policy of that log"
    )]
    UnknownLog {
        /// The origin of the checkpoint.
        origin: String,
    },
    /// A cosignature of a witness of the policy does not verify.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// Too few witnesses cosigned.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
}

/// Too few witnesses cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too few witnesses cosigned it: {}; missing: {}", .short.join("; "), .missing.join(", "))]
pub struct QuorumError {
    /// Each witness or group that falls short, and by how much.
    pub short: Vec<String>,
    /// The witnesses that could make up for it, by their names in the policy file.
    pub missing: Vec<String>,
}

impl Policy {
    /// The logs it lists. A policy without any takes the log from elsewhere.
    pub fn logs(&self) -> &[LogKey] {
        &self.logs
    }

    /// The witnesses it lists.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether it asks for any cosignature at all (`quorum none` does not).
    pub fn wants_witnesses(&self) -> bool {
        self.quorum != Quorum::None
    }

    /// Verifies a checkpoint: signed by a trusted key for this log, by a log of the policy if it lists any, and cosigned by
    /// its quorum.
    pub fn open(&self, note: &[u8], origin: &str, keys: &TrustedKeys) -> Result<Witnessed, WitnessedError> {
        let checkpoint = open_checkpoint(note, origin, keys)?;
        let listed = |log: &LogKey| log.origin() == origin && checkpoint.signers.contains(log.public().key_id());
        if !self.logs.is_empty() && !self.logs.iter().any(listed) {
            return Err(WitnessedError::UnknownLog {
                origin: origin.to_owned(),
            });
        }
        let cosignatures = verify_cosignatures(note, self.witnesses.iter().map(|witness| &witness.key))?;
        self.evaluate(&cosignatures)?;
        Ok(Witnessed {
            checkpoint,
            cosignatures,
        })
    }

    /// Whether these cosignatures, all verified, reach the quorum.
    pub fn evaluate(&self, cosignatures: &[Cosignature]) -> Result<(), QuorumError> {
        let Quorum::Node(quorum) = self.quorum else {
            return Ok(());
        };
        let cosigned: BTreeSet<_> = cosignatures.iter().map(|cosignature| &cosignature.key_id).collect();
        // Members stand before their group, so one pass in the order of the file decides every node.
        let mut reached: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let is_reached = match node {
                Node::Witness(at) => self
                    .witnesses
                    .get(*at)
                    .is_some_and(|witness| cosigned.contains(witness.key.public().key_id())),
                Node::Group { threshold, members, .. } => count(&reached, members) >= *threshold,
            };
            reached.push(is_reached);
        }
        if reached.get(quorum) == Some(&true) {
            return Ok(());
        }
        Err(self.shortfall(quorum, &reached))
    }

    /// Names what the quorum lacks: down from it through every node that was not reached.
    fn shortfall(&self, quorum: usize, reached: &[bool]) -> QuorumError {
        let (mut short, mut missing) = (Vec::new(), Vec::new());
        let mut open = vec![quorum];
        while let Some(at) = open.pop() {
            match self.nodes.get(at) {
                Some(Node::Witness(witness)) => {
                    let name = self.witnesses.get(*witness).map(|witness| &witness.name);
                    missing.extend(name.map(|name| format!("`{name}`")));
                }
                Some(Node::Group {
                    name,
                    threshold,
                    members,
                }) => {
                    let have = count(reached, members);
                    short.push(format!("`{name}` has {have} of the {threshold} it needs"));
                    // Each name is a member once, so this ends, and the order is that of the file.
                    let lacking = members
                        .iter()
                        .rev()
                        .filter(|member| reached.get(**member) == Some(&false));
                    open.extend(lacking);
                }
                None => {}
            }
        }
        if short.is_empty() {
            short.push("the quorum is one witness".to_owned());
        }
        QuorumError { short, missing }
    }
}

impl Witnessed {
    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The cosignatures of the policy's witnesses, at least its quorum.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// Both.
    pub fn into_parts(self) -> (Checkpoint, Vec<Cosignature>) {
        (self.checkpoint, self.cosignatures)
    }
}

fn count(reached: &[bool], members: &[usize]) -> usize {
    members
        .iter()
        .filter(|member| reached.get(**member) == Some(&true))
        .count()
}

#[cfg(test)]
mod tests;

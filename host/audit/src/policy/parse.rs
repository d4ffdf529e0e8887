//! Reading a policy file (C2SP tlog-policy, "Policy file syntax and structure").
//!
//! **In**: bytes. **Out**: a [`Policy`]. **Trusted**: nothing. **Can fail**: [`PolicyError`], with the line.
//!
//! Names are bytes, as the specification has it: two spellings of a letter are two names.

use super::{BTreeMap, BTreeSet, LogKey, MAX_POLICY_BYTES, Node, Policy, PolicyWitness, Quorum, WitnessKey};

/// Most lines of each kind: eight times what the specification asks a reader to take.
const MAX_OF_A_KIND: usize = 256;
/// The name that stands for no cosignature.
const NONE: &[u8] = b"none";

/// Why a policy file does not load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the witness policy: {what}")]
pub struct PolicyError {
    /// The line, from 1; the number of lines and one when something is missing at the end.
    pub line: usize,
    /// What is wrong with it, and what it should be.
    pub what: String,
}

impl Policy {
    /// Reads a policy file.
    pub fn parse(file: &[u8]) -> Result<Self, PolicyError> {
        let mut reader = Reader::default();
        if file.len() as u64 > MAX_POLICY_BYTES {
            reader.line = 1;
            return Err(reader.error(format!("the file is larger than {MAX_POLICY_BYTES} bytes")));
        }
        let text = match file {
            [] => {
                reader.line = 1;
                return reader.finish();
            }
            [text @ .., b'\n'] => text,
            _ => {
                reader.line = file.split(|byte| *byte == b'\n').count();
                return Err(reader.error("the line does not end with a line feed".to_owned()));
            }
        };
        for line in text.split(|byte| *byte == b'\n') {
            reader.line += 1;
            reader.read(line)?;
        }
        reader.line += 1;
        reader.finish()
    }
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    line: usize,
    logs: Vec<LogKey>,
    witnesses: Vec<PolicyWitness>,
    nodes: Vec<Node>,
    names: BTreeMap<Vec<u8>, usize>,
    /// Nodes that are members of a group already.
    members: BTreeSet<usize>,
    quorum: Option<Quorum>,
}

impl Reader {
    fn read(&mut self, line: &[u8]) -> Result<(), PolicyError> {
        if line
            .iter()
            .any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f)
        {
            return Err(self.error("it has a control character other than tab".to_owned()));
        }
        let mut items = line
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|item| !item.is_empty());
        let Some(keyword) = items.next() else {
            return Ok(());
        };
        if keyword.starts_with(b"#") {
            return Ok(());
        }
        let items: Vec<&[u8]> = items.collect();
        match (keyword, items.as_slice()) {
            (b"log", [vkey]) => self.log(vkey, None),
            (b"log", [vkey, url]) => self.log(vkey, Some(url)),
            (b"witness", [name, vkey]) => self.witness(name, vkey, None),
            (b"witness", [name, vkey, url]) => self.witness(name, vkey, Some(url)),
            (b"group", [name, threshold, members @ ..]) if !members.is_empty() => self.group(name, threshold, members),
            (b"quorum", [name]) => self.quorum(name),
            (b"log", _) => Err(self.error("it must be `log VKEY [URL]`".to_owned())),
            (b"witness", _) => Err(self.error("it must be `witness NAME VKEY [URL]`".to_owned())),
            (b"group", _) => Err(self.error("it must be `group NAME all|any|NUMBER MEMBER...`".to_owned())),
            (b"quorum", _) => Err(self.error("it must be `quorum NAME`, or `quorum none`".to_owned())),
            _ => Err(self.error(format!(
                "`{}` is none of `log`, `witness`, `group` and `quorum`",
                shown(keyword)
            ))),
        }
    }

    fn log(&mut self, vkey: &[u8], url: Option<&[u8]>) -> Result<(), PolicyError> {
        let key: LogKey = self.vkey(vkey)?;
        self.url(url)?;
        self.room_for(self.logs.len(), "logs")?;
        if self.logs.iter().any(|other| other.public() == key.public()) {
            return Err(self.error(format!("the key of the log `{}` is there already", key.origin())));
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &[u8], vkey: &[u8], url: Option<&[u8]>) -> Result<(), PolicyError> {
        let key: WitnessKey = self.vkey(vkey)?;
        let url = self.url(url)?;
        self.room_for(self.witnesses.len(), "witnesses")?;
        // The same key under two names would count twice.
        if let Some(other) = self.witnesses.iter().find(|other| other.key.public() == key.public()) {
            return Err(self.error(format!("the witness `{}` has the same key", other.name)));
        }
        self.define(name, Node::Witness(self.witnesses.len()))?;
        self.witnesses.push(PolicyWitness {
            name: shown(name),
            key,
            url,
        });
        Ok(())
    }

    fn group(&mut self, name: &[u8], threshold: &[u8], names: &[&[u8]]) -> Result<(), PolicyError> {
        let groups = self.nodes.len() - self.witnesses.len();
        self.room_for(groups, "groups")?;
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            let at = self.named(member)?;
            if !self.members.insert(at) {
                return Err(self.error(format!("`{}` is a member of a group already", shown(member))));
            }
            members.push(at);
        }
        let threshold = match threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => std::str::from_utf8(number)
                .ok()
                .and_then(crate::note::parse_decimal)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=members.len()).contains(number))
                .ok_or_else(|| {
                    self.error(format!(
                        "`{}` must be `all`, `any` or a number from 1 to {}, the number of members",
                        shown(number),
                        members.len()
                    ))
                })?,
        };
        let group = Node::Group {
            name: shown(name),
            threshold,
            members,
        };
        self.define(name, group)
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), PolicyError> {
        if self.quorum.is_some() {
            return Err(self.error("there is a line `quorum` already".to_owned()));
        }
        self.quorum = Some(if name == NONE {
            Quorum::None
        } else {
            Quorum::Node(self.named(name)?)
        });
        Ok(())
    }

    fn finish(self) -> Result<Policy, PolicyError> {
        let quorum = self.quorum.ok_or_else(|| {
            self.error("a line `quorum NAME` is missing; `quorum none` asks for no witness".to_owned())
        })?;
        Ok(Policy {
            logs: self.logs,
            witnesses: self.witnesses,
            nodes: self.nodes,
            quorum,
        })
    }

    /// Gives a node its name: one that is new, and not the predefined one.
    fn define(&mut self, name: &[u8], node: Node) -> Result<(), PolicyError> {
        if name == NONE {
            return Err(self.error("`none` is predefined and cannot be the name of a witness or a group".to_owned()));
        }
        if self.names.insert(name.to_vec(), self.nodes.len()).is_some() {
            return Err(self.error(format!("the name `{}` is defined already", shown(name))));
        }
        self.nodes.push(node);
        Ok(())
    }

    fn named(&self, name: &[u8]) -> Result<usize, PolicyError> {
        self.names.get(name).copied().ok_or_else(|| {
            self.error(format!(
                "no witness and no group `{}` is defined on a line before",
                shown(name)
            ))
        })
    }

    fn vkey<K: std::str::FromStr<Err = crate::vkey::VkeyError>>(&self, vkey: &[u8]) -> Result<K, PolicyError> {
        let vkey = std::str::from_utf8(vkey).map_err(|_| self.error("the key is not UTF-8 text".to_owned()))?;
        vkey.parse().map_err(|error| self.error(format!("the key: {error}")))
    }

    fn url(&self, url: Option<&[u8]>) -> Result<Option<String>, PolicyError> {
        let Some(url) = url else { return Ok(None) };
        let url = std::str::from_utf8(url).map_err(|_| self.error("the URL is not UTF-8 text".to_owned()))?;
        Ok(Some(url.to_owned()))
    }

    fn room_for(&self, there: usize, what: &str) -> Result<(), PolicyError> {
        if there >= MAX_OF_A_KIND {
            return Err(self.error(format!("there are more than {MAX_OF_A_KIND} {what}")));
        }
        Ok(())
    }

    fn error(&self, what: String) -> PolicyError {
        PolicyError { line: self.line, what }
    }
}

/// A stranger's bytes in a message: shortened, and as text.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(80)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_debug());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

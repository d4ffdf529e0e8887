//! Rules for runbooks: whose signatures which version of which runbook needs.
//!
//! **In**: `[[rules]]` of `trust.toml`. **Out**: whether the keys that signed a runbook are enough. **Trusted**: the trust store. **Can
//! fail**: when a word makes no sense, while it is read.
//!
//! ```text
//! runbook = "query-families@>=1.2"   a name or `*`, and which versions (semantic versioning); all when they are not named
//! needs = "author + approver"        terms; each signature counts for one term, so that nobody reviews himself
//! needs = "2 approver"               m signatures by keys of a role
//! needs = "2 of ana, ben, cid"       m of n keys
//! ```
//!
//! All rules that are about a runbook hold. One that no rule is about is not trusted.

use std::collections::BTreeSet;

use pg_logstats_audit::dsse::MAX_SIGNATURES;
use semver::{Prerelease, Version, VersionReq};
use serde::Deserialize;

use super::keyring::{Role, SignedBy, TrustError};

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    runbook: String,
    needs: String,
}

/// A rule that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// None: every runbook.
    runbook: Option<String>,
    versions: VersionReq,
    needs: Vec<Need>,
    /// As it was written, for people.
    text: String,
}

/// `count` signatures of keys that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Need {
    count: usize,
    of: Whose,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    Role(Role),
    Named(BTreeSet<String>),
}

type Problem = (&'static str, String);

impl Rule {
    /// Checks `raw`; `is_key` knows the names of keys.
    pub(super) fn new(raw: &RawRule, is_key: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let (name, versions) = match raw.runbook.split_once('@') {
            Some((name, versions)) => (name, versions),
            None => (raw.runbook.as_str(), "*"),
        };
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name != "*" && (name.is_empty() || !name.bytes().all(is_plain)) {
            return Err((
                "runbook",
                "has to be a runbook's name (small letters, digits, `-`) or `*`, and may have `@` and versions after it, as in \
                 `query-families@>=1.2`"
                    .to_owned(),
            ));
        }
        let versions = VersionReq::parse(versions).map_err(|error| {
            let problem = format!("the versions after `@` make no sense ({error}); write them as in `>=1.2, <3`");
            ("runbook", problem)
        })?;
        let needs: Result<Vec<Need>, String> = raw
            .needs
            .split('+')
            .map(|term| Need::new(term.trim(), &is_key))
            .collect();
        let needs = needs.map_err(|problem| ("needs", problem))?;
        if needs.iter().map(|need| need.count).sum::<usize>() > MAX_SIGNATURES {
            let problem =
                format!("asks for more than {MAX_SIGNATURES} signatures, which are the most that a runbook can have");
            return Err(("needs", problem));
        }
        Ok(Self {
            runbook: (name != "*").then(|| name.to_owned()),
            versions,
            needs,
            text: format!("{} needs {}", raw.runbook, raw.needs),
        })
    }

    /// Whether it is about the runbook `name` in `version`.
    pub(super) fn is_about(&self, name: &str, version: &Version) -> bool {
        // `>=1.2` leaves out 1.3.0-rc.1 in semantic versioning, but a rule that a suffix evades is none.
        let mut release = version.clone();
        release.pre = Prerelease::EMPTY;
        self.runbook.as_deref().is_none_or(|it| it == name)
            && (self.versions.matches(version) || self.versions.matches(&release))
    }

    /// Whether `signers` are enough.
    pub(super) fn judge(&self, signers: &[SignedBy]) -> Result<(), TrustError> {
        if is_covered(&self.needs, signers) {
            return Ok(());
        }
        let found = signers.iter().map(|signer| match &signer.problem {
            None => format!("`{}` signed ({})", signer.name, crate::listed(&signer.roles)),
            Some(problem) => problem.clone(),
        });
        Err(TrustError::Unmet {
            rule: self.text.clone(),
            found: found.collect::<Vec<_>>().join("; "),
        })
    }
}

impl Need {
    fn new(term: &str, is_key: &impl Fn(&str) -> bool) -> Result<Self, String> {
        let (count, rest) = match term.split_once(' ') {
            Some((count, rest)) if count.bytes().all(|b| b.is_ascii_digit()) => {
                let count = count.parse().ok().filter(|it| (1..=MAX_SIGNATURES).contains(it));
                let count = count
                    .ok_or_else(|| format!("the number of signatures in `{term}` is not 1 to {MAX_SIGNATURES}"))?;
                (count, rest.trim())
            }
            _ => (1, term),
        };
        let Some(names) = rest.strip_prefix("of ") else {
            let role = rest.parse::<Role>().map_err(|problem| {
                format!("`{term}` is no term: {problem}; or write names of keys, as in `2 of ana, ben, cid`")
            })?;
            return Ok(Self {
                count,
                of: Whose::Role(role),
            });
        };
        let names: BTreeSet<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
        if let Some(unknown) = names.iter().find(|name| !is_key(name)) {
            return Err(format!("no key is called `{unknown}`; `keys` has to list it"));
        }
        if count > names.len() {
            return Err(format!("`{term}` asks for {count} of {} keys", names.len()));
        }
        Ok(Self {
            count,
            of: Whose::Named(names),
        })
    }

    fn takes(&self, signer: &SignedBy) -> bool {
        signer.problem.is_none()
            && match &self.of {
                Whose::Role(role) => signer.roles.contains(role),
                Whose::Named(names) => names.contains(&signer.name),
            }
    }
}

/// Whether each signature that is needed can be another signer's: a bipartite matching that leaves no need open.
fn is_covered(needs: &[Need], signers: &[SignedBy]) -> bool {
    let slots: Vec<&Need> = needs
        .iter()
        .flat_map(|need| std::iter::repeat_n(need, need.count))
        .collect();
    // Which slot each signer fills.
    let mut fills: Vec<Option<usize>> = vec![None; signers.len()];
    (0..slots.len()).all(|slot| {
        let mut asked = vec![false; signers.len()];
        place(slot, &slots, signers, &mut fills, &mut asked)
    })
}

/// Gives `slot` a signer, moving others to another of theirs if need be.
fn place(slot: usize, slots: &[&Need], signers: &[SignedBy], fills: &mut [Option<usize>], asked: &mut [bool]) -> bool {
    let Some(need) = slots.get(slot) else { return false };
    for (at, signer) in signers.iter().enumerate() {
        let Some(was_asked) = asked.get_mut(at) else { continue };
        if *was_asked || !need.takes(signer) {
            continue;
        }
        *was_asked = true;
        let filled = fills.get(at).copied().flatten();
        if filled.is_none_or(|other| place(other, slots, signers, fills, asked)) {
            if let Some(place) = fills.get_mut(at) {
                *place = Some(slot);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;

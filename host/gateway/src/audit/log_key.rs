//! The log's own key: given a successor, or declared compromised.
//!
//! **In**: the operator's configuration, which says who signs from now on. **Out**: a record under both keys, and the next checkpoint
//! under the new one. **Trusted**: the keys of the workspace and of the configuration. **Can fail**: before the record, and nothing is
//! changed; or after it, and the same command ends what was begun.
//!
//! The steps of a rotation: the old public key is kept in `keys/earlier/` (durable); the record and the checkpoint are one append; then, when
//! the new key is a file, it takes the old one's place. In between, the log stands under a key that commands do not use yet, so they refuse
//! to open it.

use pg_logstats_audit::keychange::KIND;
use pg_logstats_audit::{AuditError, KeyChange, Log, Signer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use crate::config::Config;
use crate::error::GatewayError;
use crate::gateway::{Gateway, Moment, OpenOptions, external, sealed_payload, send_checkpoint};
use crate::keys::{one_line, pem};
use crate::record::RecordBody;
use crate::report::{AuditRef, SCHEMA_VERSION};
use crate::workspace::{Workspace, WorkspaceError};

/// A change of the log's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogKeyChange {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The record that says so.
    pub record_id: String,
    /// Id of the key that is replaced, or declared compromised.
    pub key_id: String,
    /// Id of the key that signs from now on; none when nothing of that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// The first entry under the old key that is not to be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_index: Option<u64>,
    /// Why, for people.
    pub reason: String,
    /// Where the record stands.
    pub audit: AuditRef,
}

/// Gives the log another key: the signer of the configuration, if there is one that does not sign yet; else a new key file in the workspace.
///
/// # Errors
/// When one of the keys cannot sign, or the log does not stand under the old one. Not for agents: the caller sees to that.
pub fn rotate(options: &OpenOptions, reason: &str) -> Result<LogKeyChange, GatewayError> {
    let reason = one_line(reason)?;
    let (config, workspace) = options.config_and_workspace()?;
    let successor = || match &config.audit.signer {
        Some(signer) => external(signer),
        None => Ok(Box::new(workspace.next_key()?) as Box<dyn Signer>),
    };
    let new = successor()?;
    if !workspace.has_log()? {
        return Err(GatewayError::Usage(
            "there is no audit log in this workspace yet, so its key is not replaced".to_owned(),
        ));
    }
    let (changed, log) = match begun(&workspace, successor()?)? {
        Some(begun) => begun,
        None => {
            let old: Box<dyn Signer> = match &config.audit.previous_signer {
                Some(previous) => external(previous)?,
                None => Box::new(workspace.file_key()?),
            };
            change(&workspace, &config, old, new.as_ref(), reason)?
        }
    };
    // Again where it was begun before: the command that did may have ended before it sent any.
    send_checkpoint(&log, &config.audit.export, options.warn);
    // A private key that signs no more is of use to a thief only.
    match config.audit.signer {
        Some(_) => workspace.retire_file_key(new.public())?,
        None => workspace.use_next_key()?,
    }
    Ok(changed)
}

/// The rotation to `new` that is in the log already, and the log: the command before this one ended right behind its record.
fn begun(workspace: &Workspace, new: Box<dyn Signer>) -> Result<Option<(LogKeyChange, Log)>, GatewayError> {
    let new_id = new.key_id().clone();
    let log = match workspace.open_log(new, workspace.earlier_keys()?) {
        Ok(log) => log,
        // It stands under a key that is none of these, which the old one has to be then.
        Err(WorkspaceError::Audit(AuditError::Checkpoint(_))) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let newest = log.checkpoint()?;
    if !newest.signers.contains(&new_id) {
        return Ok(None);
    }
    let mut found = None;
    for indexed in log.entries()? {
        let indexed = indexed?;
        if indexed.entry.kind == KIND
            && let Some(KeyChange::Rotated { from, to, reason, .. }) =
                KeyChange::of_payload(&log.read(&indexed.entry.id)?.payload)
            && to == new_id.as_str()
        {
            found = Some(LogKeyChange {
                schema_version: SCHEMA_VERSION,
                record_id: indexed.entry.id,
                key_id: from,
                successor: Some(to),
                since_index: None,
                reason,
                audit: AuditRef {
                    index: indexed.index,
                    root: newest.root.to_string(),
                },
            });
        }
    }
    match found {
        Some(found) => Ok(Some((found, log))),
        None => Err(GatewayError::Usage(
            "the log's key is the one that `audit.signer` names, from its beginning; name the new signer there, and the old one in \
             `audit.previous_signer`"
                .to_owned(),
        )),
    }
}

/// One append under both keys; the log that has it.
fn change(
    workspace: &Workspace,
    config: &Config,
    old: Box<dyn Signer>,
    new: &dyn Signer,
    reason: &str,
) -> Result<(LogKeyChange, Log), GatewayError> {
    workspace.keep_earlier_key(old.public())?;
    let (from, to) = (old.key_id().to_string(), new.key_id().to_string());
    let change = KeyChange::Rotated {
        from: from.clone(),
        from_public_key: pem(old.public())?,
        to: to.clone(),
        to_public_key: pem(new.public())?,
        reason: reason.to_owned(),
    };
    let mut also_trusted = workspace.earlier_keys()?;
    also_trusted.insert(new.public().clone());
    let log = workspace.open_log(old, also_trusted)?;
    let record_id = Gateway::new_id("lk")?;
    let moment = Moment::now(&Clock::default(), &log, config);
    let created_us = moment.created_us();
    let sealed = log.rotate(new, &record_id, created_us, |placement| {
        let body = RecordBody::LogKey(Box::new(change));
        sealed_payload(&record_id, placement.index, moment, body)
    })?;
    let changed = LogKeyChange {
        schema_version: SCHEMA_VERSION,
        record_id,
        key_id: from,
        successor: Some(to),
        since_index: None,
        reason: reason.to_owned(),
        audit: AuditRef {
            index: sealed.index,
            root: sealed.root.to_string(),
        },
    };
    Ok((changed, log))
}

impl Gateway {
    /// Declares that what stands under an earlier key of the log proves nothing from an index on: the key was in wrong hands.
    ///
    /// # Errors
    /// When it is no earlier key of this log, or that index is none.
    pub fn declare_compromised(
        &self,
        key_id: &str,
        since_index: u64,
        reason: &str,
    ) -> Result<LogKeyChange, GatewayError> {
        self.not_for_agents(
            "audit declare-compromised",
            "whose signatures count is the operator's decision",
        )?;
        let reason = one_line(reason)?;
        let earlier = self.workspace.earlier_keys()?;
        if !earlier.iter().any(|key| key.key_id().as_str() == key_id) {
            return Err(GatewayError::Usage(format!(
                "no earlier key of this log has the id `{}`; the key in force is replaced first, with `pg-logstats audit rotate-key`, and \
                 `pg-logstats audit verify` shows the keys that there were",
                crate::untrusted::escape_control(key_id)
            )));
        }
        let size = self.log.checkpoint()?.size;
        if since_index >= size {
            return Err(GatewayError::Usage(format!(
                "--since-index {since_index}: the log has {size} entries, so the last index is {}",
                size.saturating_sub(1)
            )));
        }
        let record_id = Self::new_id("lk")?;
        let change = KeyChange::Compromised {
            key_id: key_id.to_owned(),
            since_index,
            reason: reason.to_owned(),
        };
        let sealed = self.seal(&record_id, KIND, None, |_| RecordBody::LogKey(Box::new(change)))?;
        Ok(LogKeyChange {
            schema_version: SCHEMA_VERSION,
            record_id,
            key_id: key_id.to_owned(),
            successor: None,
            since_index: Some(since_index),
            reason: reason.to_owned(),
            audit: AuditRef {
                index: sealed.index,
                root: sealed.root.to_string(),
            },
        })
    }
}

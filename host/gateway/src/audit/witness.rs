//! Witnesses: others who have seen how far the log had grown, and who do not sign two histories.
//!
//! **In**: a policy and the ways to its witnesses; or, as a witness, requests. **Out**: cosignatures, kept beside the log; or answers.
//! **Trusted**: the policy's keys; as a witness, the keys of the logs that its operator named. **Can fail**: a witness that does not
//! answer is told by name; the log goes on without it.
//!
//! The request and the answer are those of C2SP tlog-witness, so witnesses and logs of others can take part. They travel by HTTP
//! (`http://…`), or by a program of the operator's, which gets the request on its standard input and the address as its last argument, and
//! writes the answer's body and then, as the last line, its HTTP status: `curl`, for `https://…`; or `ssh`, to a witness without
//! `--listen`, which answers so.

mod http;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pg_logstats_audit::policy::PolicyWitness;
use pg_logstats_audit::witness::MAX_REQUEST_BYTES;
use pg_logstats_audit::{LogKey, Witness};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::proofs::policy_in;
use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::keys::private;
use crate::program;
use crate::report::SCHEMA_VERSION;
use crate::untrusted::escape_control;

/// How long a witness may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer: a signature line, or a sentence.
const ANSWER_BYTES: u64 = 64 << 10;

/// What a round of asking witnesses gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosigned {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Entries of the log at the checkpoint.
    pub size: u64,
    /// The checkpoint, with the cosignatures that came.
    pub checkpoint: String,
    /// Whether the policy is reached; then the checkpoint is kept as the newest that was cosigned.
    pub quorum: bool,
    /// What is missing, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Each witness of the policy.
    pub witnesses: Vec<WitnessView>,
}

/// A witness of the policy, and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessView {
    /// Its name in the policy.
    pub name: String,
    /// Whether it cosigned.
    pub cosigned: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Gateway {
    /// Asks the witnesses of the policy in `policy` to cosign the newest checkpoint, by HTTP or by the program `post`.
    ///
    /// # Errors
    /// When the policy cannot be read or asks for no cosignature, or the log does not verify. Witnesses that do not cosign are in the answer.
    pub fn cosign(&self, policy: &Path, post: &[String]) -> Result<Cosigned, GatewayError> {
        self.not_for_agents("audit cosign", "who witnesses the log is the operator's decision")?;
        let file = policy;
        let policy = policy_in(file)?;
        if !policy.wants_witnesses() {
            return Err(GatewayError::Usage(format!(
                "the policy `{}` asks for no cosignature (`quorum none`), so there is nobody to ask; name a witness or a group as its quorum",
                file.display()
            )));
        }
        let collected = self
            .log
            .collect_cosignatures(&policy, |witness, request| ask(witness, request, post))?;
        let view = |witness: &PolicyWitness| {
            let failed = collected.failed.iter().find(|(name, _)| *name == witness.name);
            WitnessView {
                name: witness.name.clone(),
                cosigned: failed.is_none(),
                problem: failed.map(|(_, error)| escape_control(&error.to_string()).into_owned()),
            }
        };
        Ok(Cosigned {
            schema_version: SCHEMA_VERSION,
            size: collected.size,
            quorum: collected.quorum.is_ok(),
            missing: collected.quorum.as_ref().err().map(ToString::to_string),
            witnesses: policy.witnesses().iter().map(view).collect(),
            checkpoint: collected.note,
        })
    }
}

/// Sends one request, and gives the status and the body of the answer.
fn ask(witness: &PolicyWitness, request: &[u8], post: &[String]) -> Result<(u16, Vec<u8>), String> {
    let url = witness
        .url
        .as_deref()
        .map(|prefix| format!("{}/add-checkpoint", prefix.trim_end_matches('/')));
    if post.is_empty() {
        let url = url.ok_or("the policy has no address for it; add one to its line, or give a program with --post")?;
        return http::post(&url, request, TIMEOUT);
    }
    let command: Vec<String> = post.iter().cloned().chain(url).collect();
    let answer = program::run(&command, request, TIMEOUT, ANSWER_BYTES)?;
    let text = String::from_utf8(answer).map_err(|_| "its answer is not text")?;
    let (body, status) = match text.trim_end_matches('\n').rsplit_once('\n') {
        Some((body, status)) => (format!("{body}\n"), status),
        None => (String::new(), text.trim_end_matches('\n')),
    };
    let status = status
        .trim()
        .parse()
        .map_err(|_| "the last line that the program wrote is no HTTP status")?;
    Ok((status, body.into_bytes()))
}

/// A witness for logs of other hosts.
#[derive(Debug)]
pub struct WitnessHost {
    witness: Witness,
}

impl WitnessHost {
    /// A witness `name` with the private key in `key`, which remembers in the folder `state` what it has cosigned, and knows the logs with
    /// these keys (`audit public-key --vkey`).
    ///
    /// # Errors
    /// When key or folder cannot be used, or a log's key is none.
    pub fn open(state: &Path, key: &Path, name: &str, logs: &[String]) -> Result<Self, GatewayError> {
        let logs = logs.iter().map(|vkey| vkey.parse::<LogKey>());
        let logs: Vec<LogKey> = logs
            .collect::<Result<_, _>>()
            .map_err(|error| GatewayError::Usage(format!("--log: {error}")))?;
        let key = private(key)?;
        let folder = ambient::open_or_create_folder(state, "folder of the witness")?;
        let witness = Witness::open(folder, Box::new(key), name, logs);
        Ok(Self {
            witness: witness.map_err(|error| GatewayError::Usage(error.to_string()))?,
        })
    }

    /// Its key, as policies name it.
    pub fn vkey(&self) -> String {
        self.witness.key().to_string()
    }

    /// Answers one request: the body on standard input, the answer's body and its HTTP status, as the last line, on standard output.
    ///
    /// # Errors
    /// When standard input or output cannot be used, or the witness cannot do its work.
    pub fn answer_one(&self) -> Result<(), GatewayError> {
        let mut request = Vec::new();
        let read = std::io::stdin().take(MAX_REQUEST_BYTES + 1).read_to_end(&mut request);
        read.map_err(|error| GatewayError::Usage(format!("standard input: {error}")))?;
        let answer = self.witness.add_checkpoint(&request, now_s);
        let text = format!("{}{}\n", answer.body(), answer.status());
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(GatewayError::Output)?;
        match answer {
            pg_logstats_audit::Answer::Failed(error) => Err(GatewayError::Usage(error.to_string())),
            _ => Ok(()),
        }
    }

    /// Answers requests by HTTP, one after the other, for ever; tells `warn` what keeps it from its work.
    ///
    /// # Errors
    /// When no connection can be taken any more.
    pub fn serve(&self, listener: &TcpListener, warn: fn(&str)) -> Result<std::convert::Infallible, GatewayError> {
        loop {
            let (stream, _) = listener
                .accept()
                .map_err(|error| GatewayError::Internal(format!("the witness takes no connection: {error}")))?;
            // What a peer does wrong is told to that peer.
            let _ = http::answer(stream, TIMEOUT, MAX_REQUEST_BYTES, |body| {
                let answer = self.witness.add_checkpoint(body, now_s);
                if let pg_logstats_audit::Answer::Failed(error) = &answer {
                    warn(&error.to_string());
                }
                (answer.status(), answer.content_type(), answer.body())
            });
        }
    }
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |it| it.as_secs())
}

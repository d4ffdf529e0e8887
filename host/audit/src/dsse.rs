//! DSSE: the one envelope of the project (<https://github.com/secure-systems-lab/dsse>), signed with ed25519.
//!
//! **In**: bytes of an envelope and the keys the reader trusts, or a payload and a signer. **Out**: the payload with the
//! keys that really signed it. **Trusted**: only the keys handed in; a key id in an envelope is a hint and never proof.
//! **Can fail**: [`DsseError`], before any byte of the payload is returned.
//!
//! The reader is strict, so that one content has few spellings: unknown, missing and repeated fields, base64 that is not
//! canonical, and two signatures that name one key are refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::keys::{KeyId, SignError, Signer, TrustedKeys, Verifier};

/// Most signatures an envelope may carry: more than any policy asks for, few enough to check.
pub const MAX_SIGNATURES: usize = 16;

/// A DSSE envelope as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Media type of the payload, signed together with it.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The payload in standard base64 with padding.
    pub payload: String,
    /// At least one signature.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Which key to try: lower-case hex of the SHA-256 of its SPKI DER.
    pub keyid: String,
    /// The ed25519 signature over [`pae`], in standard base64 with padding.
    pub sig: String,
}

/// What an envelope says, after verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Media type of the payload.
    pub payload_type: String,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// The trusted keys that signed, in the order of the envelope. Never empty.
    pub signers: Vec<KeyId>,
}

/// Why an envelope cannot be made or does not open.
#[derive(Debug, thiserror::Error)]
pub enum DsseError {
    /// Not an envelope at all.
    #[error("not a DSSE envelope: {reason}")]
    Malformed {
        /// What the JSON reader says.
        reason: String,
    },
    /// A base64 field is not canonical base64.
    #[error("field `{field}` of the DSSE envelope is not canonical base64")]
    Base64 {
        /// Name of the field.
        field: &'static str,
    },
    /// No signature, or too many.
    #[error("the DSSE envelope has {count} signatures, 1 to {MAX_SIGNATURES} are allowed")]
    SignatureCount {
        /// How many it has.
        count: usize,
    },
    /// Two signatures name the same key.
    #[error("the DSSE envelope names key `{keyid}` twice")]
    DuplicateKey {
        /// The key id.
        keyid: String,
    },
    /// A signature that names a trusted key is not by that key.
    #[error("the signature by key `{keyid}` does not verify: the payload, its type or the signature was changed")]
    BadSignature {
        /// The key id.
        keyid: KeyId,
    },
    /// No signature names a trusted key.
    #[error("no signature by a trusted key; the envelope names {}", named(.keyids))]
    Untrusted {
        /// Key ids of the envelope.
        keyids: Vec<String>,
    },
    /// The signer could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// DSSE's pre-authentication encoding: the bytes that are signed.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + payload_type.len() + 48);
    out.extend_from_slice(format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).as_bytes());
    out.extend_from_slice(payload);
    out
}

/// Signs a payload.
pub fn seal(signer: &dyn Signer, payload_type: &str, payload: &[u8]) -> Result<Envelope, DsseError> {
    let mut envelope = Envelope {
        payload_type: payload_type.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: Vec::new(),
    };
    envelope.signatures.push(sign(signer, payload_type, payload)?);
    Ok(envelope)
}

/// Adds a further signature over the same payload.
pub fn countersign(envelope: &mut Envelope, signer: &dyn Signer) -> Result<(), DsseError> {
    let payload = decode("payload", &envelope.payload)?;
    let signature = sign(signer, &envelope.payload_type, &payload)?;
    if envelope.signatures.iter().any(|other| other.keyid == signature.keyid) {
        return Err(DsseError::DuplicateKey { keyid: signature.keyid });
    }
    envelope.signatures.push(signature);
    Ok(())
}

/// Verifies an envelope: every signature that names a trusted key must be by that key, and there must be one. Signatures
/// that name other keys are neither checked nor counted.
pub fn open(envelope: &Envelope, keys: &TrustedKeys) -> Result<Opened, DsseError> {
    open_one_of_many(envelope, keys, &mut Verifier::default())
}

/// [`open`] for who opens many envelopes by few keys, and keeps the verifier from one to the next.
pub(crate) fn open_one_of_many(
    envelope: &Envelope,
    keys: &TrustedKeys,
    verifier: &mut Verifier,
) -> Result<Opened, DsseError> {
    let count = envelope.signatures.len();
    if count == 0 || count > MAX_SIGNATURES {
        return Err(DsseError::SignatureCount { count });
    }
    let payload = decode("payload", &envelope.payload)?;
    let message = pae(&envelope.payload_type, &payload);
    let mut signers = Vec::new();
    for (at, signature) in envelope.signatures.iter().enumerate() {
        if envelope
            .signatures
            .iter()
            .take(at)
            .any(|earlier| earlier.keyid == signature.keyid)
        {
            return Err(DsseError::DuplicateKey {
                keyid: signature.keyid.clone(),
            });
        }
        let bytes = decode("sig", &signature.sig)?;
        if let Some(key) = keys.by_hex(&signature.keyid) {
            if !verifier.verifies(key, &message, &bytes) {
                return Err(DsseError::BadSignature {
                    keyid: key.key_id().clone(),
                });
            }
            signers.push(key.key_id().clone());
        }
    }
    if signers.is_empty() {
        let keyids = envelope
            .signatures
            .iter()
            .map(|signature| signature.keyid.clone())
            .collect();
        return Err(DsseError::Untrusted { keyids });
    }
    Ok(Opened {
        payload_type: envelope.payload_type.clone(),
        payload,
        signers,
    })
}

impl Envelope {
    /// Reads an envelope. It is not verified yet: pass it to [`open`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseError> {
        serde_json::from_slice(bytes).map_err(|error| DsseError::Malformed {
            reason: error.to_string(),
        })
    }

    /// The payload, of which nothing is verified: to show it, or to compare it with what it should be.
    pub fn unverified_payload(&self) -> Result<Vec<u8>, DsseError> {
        decode("payload", &self.payload)
    }

    /// The file form: one line of JSON without spaces, and a line feed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DsseError> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| DsseError::Malformed {
            reason: error.to_string(),
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

fn sign(signer: &dyn Signer, payload_type: &str, payload: &[u8]) -> Result<Signature, DsseError> {
    let signature = signer.sign(&pae(payload_type, payload))?;
    Ok(Signature {
        keyid: signer.key_id().to_string(),
        sig: STANDARD.encode(signature),
    })
}

/// `STANDARD` refuses missing padding, foreign letters and trailing bits, so one value has one spelling.
fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, DsseError> {
    STANDARD.decode(text).map_err(|_| DsseError::Base64 { field })
}

/// Key ids of an envelope are a stranger's text: shown shortened and escaped.
fn named(keyids: &[String]) -> String {
    let shown: Vec<String> = keyids
        .iter()
        .map(|keyid| {
            format!(
                "`{}`",
                keyid
                    .chars()
                    .take(64)
                    .flat_map(char::escape_default)
                    .collect::<String>()
            )
        })
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests;

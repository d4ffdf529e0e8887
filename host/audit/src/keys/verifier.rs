//! Verification of many signatures by few keys, at less than half the price of one by one.
//!
//! **In**: keys, messages and signatures, one after the other. **Out**: for each signature, by itself, the verdict of
//! [`PublicKey::verifies`]: there is no batch, no random number, and no signature on which the two disagree. **Trusted**: nothing.
//! **Can fail**: never.
//!
//! `verify_strict` accepts a signature `(R, s)` by `A` when `s` is canonical, neither `A` nor `R` is of small order, and the
//! encoding of `sB − kA` is `R`, where `k = SHA-512(R ‖ A ‖ M)`. Here the same is computed from tables of the multiples of `B`
//! and of `−A`: additions alone, no doublings. `R` need not be decoded: once the encoding of `sB − kA` is `R`, that point is what
//! `R` decodes to. A batch that adds up many signatures would be faster still, and was not taken: without the cofactor, parts of
//! small order that cancel each other pass with the probability of a coin toss, and with it, signatures pass that OpenSSL refuses.
//!
//! Keys, messages and signatures are public, so the time may depend on them.

use std::sync::LazyLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use ed25519_dalek::Signature;
use sha2::{Digest as _, Sha512};

use super::PublicKey;

/// Digits of a scalar to the base 256: one row of a table each.
const DIGITS: usize = 32;
/// Multiples in a row: the largest absolute value of a digit.
const MULTIPLES: i16 = 128;
/// Signatures by one key after which its table, which costs as much as some thirty of them, is worth its while.
const SIGNATURES_BEFORE_TABLE: u32 = 64;
/// Keys that are remembered, with 0.7 MB each: a log has one at a time, and a reader may trust a few.
const MAX_KEYS: usize = 4;

/// The multiples of the base point.
static BASE: LazyLock<Table> = LazyLock::new(|| Table::new(ED25519_BASEPOINT_POINT));

/// Verifies signatures, and makes a table for a key that it meets often.
#[derive(Default)]
pub(crate) struct Verifier {
    /// The keys that were met, the newest one last.
    met: Vec<Met>,
}

struct Met {
    key: PublicKey,
    signatures: u32,
    prepared: Option<Prepared>,
}

impl Verifier {
    /// Whether `signature` is that key's over `message`.
    pub(crate) fn verifies(&mut self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let Some(met) = self.met.iter_mut().find(|met| met.key == *key) else {
            if self.met.len() == MAX_KEYS {
                self.met.remove(0);
            }
            self.met.push(Met {
                key: key.clone(),
                signatures: 1,
                prepared: None,
            });
            return key.verifies(message, signature);
        };
        if let Some(prepared) = &met.prepared {
            return prepared.verifies(message, signature);
        }
        met.signatures += 1;
        if met.signatures > SIGNATURES_BEFORE_TABLE {
            met.prepared = Some(Prepared::new(key));
        }
        key.verifies(message, signature)
    }
}

/// A key with the table of its multiples.
struct Prepared {
    bytes: [u8; 32],
    minus_key: Table,
    is_weak: bool,
}

impl Prepared {
    fn new(key: &PublicKey) -> Self {
        Self {
            bytes: *key.as_bytes(),
            minus_key: Table::new(-key.key.to_edwards()),
            is_weak: key.key.is_weak(),
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        let r = signature.r_bytes();
        let Some(s) = Scalar::from_canonical_bytes(*signature.s_bytes()).into_option() else {
            return false;
        };
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.bytes)
            .chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let computed = self
            .minus_key
            .add_multiple(&k, BASE.add_multiple(&s, EdwardsPoint::identity()));
        computed.compress().as_bytes() == r && !computed.is_small_order() && !self.is_weak
    }
}

/// The multiples of a point from which each multiple is a sum of 32: for each digit to the base 256, those by 1 to 128 times its
/// weight.
struct Table(Vec<EdwardsPoint>);

impl Table {
    fn new(point: EdwardsPoint) -> Self {
        let mut multiples = Vec::new();
        let mut weight = point;
        for _ in 0..DIGITS {
            let mut multiple = weight;
            for _ in 1..MULTIPLES {
                multiples.push(multiple);
                multiple += weight;
            }
            multiples.push(multiple);
            // Twice 128 times.
            weight = multiple + multiple;
        }
        Self(multiples)
    }

    /// `sum` and `scalar` times the point.
    fn add_multiple(&self, scalar: &Scalar, mut sum: EdwardsPoint) -> EdwardsPoint {
        let rows = self.0.chunks_exact(usize::from(MULTIPLES.unsigned_abs()));
        for (row, digit) in rows.zip(digits(scalar)) {
            let multiple = usize::from(digit.unsigned_abs())
                .checked_sub(1)
                .and_then(|at| row.get(at));
            match multiple {
                Some(multiple) if digit > 0 => sum += multiple,
                Some(multiple) => sum -= multiple,
                None => {}
            }
        }
        sum
    }
}

/// The digits of a scalar to the base 256, each from −127 to 128, the lowest one first. A scalar is below 2^253, so that the highest
/// digit has nothing to carry over.
fn digits(scalar: &Scalar) -> [i16; DIGITS] {
    let mut carry = 0;
    scalar.as_bytes().map(|byte| {
        let digit = i16::from(byte) + carry;
        carry = i16::from(digit > MULTIPLES);
        digit - 256 * carry
    })
}

#[cfg(test)]
mod tests;

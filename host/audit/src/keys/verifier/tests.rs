use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};

use super::{MAX_KEYS, Prepared, SIGNATURES_BEFORE_TABLE, Table, Verifier, digits};
use crate::digest::Digest;
use crate::keys::tests::MemoryKey;
use crate::keys::{KeyId, PublicKey, Signer as _};

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A scalar that is another one for each text.
fn scalar(text: &str) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&Sha512::digest(text).into())
}

/// Any key that the primitive takes, weak ones too, which [`PublicKey::new`] refuses.
fn any_key(bytes: &[u8; 32]) -> PublicKey {
    PublicKey {
        key: VerifyingKey::from_bytes(bytes).unwrap(),
        key_id: KeyId(Digest::of(bytes).to_string()),
    }
}

/// What both say, which must be the same.
fn verdict(prepared: &Prepared, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let strict = Signature::from_slice(signature).is_ok_and(|it| key.key.verify_strict(message, &it).is_ok());
    assert_eq!(
        prepared.verifies(message, signature),
        strict,
        "{key:?} {message:?} {signature:?}"
    );
    strict
}

/// The `s` with which `R`, of which `nonce` is the logarithm, signs; whatever else is in `R` and `A`.
fn sign(secret: &Scalar, nonce: &Scalar, r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message);
    nonce + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret
}

/// `s` and the order: the same number to whoever reduces it.
fn not_reduced(s: &Scalar) -> [u8; 32] {
    let mut carry = 0;
    let mut sum = *s.as_bytes();
    for (byte, order) in sum.iter_mut().zip(ORDER) {
        let value = u16::from(*byte) + u16::from(order) + carry;
        *byte = value.to_le_bytes()[0];
        carry = value >> 8;
    }
    sum
}

/// Everything that a hostile holder of the key can put into `A` and `R`: all parts of small order, on honest points and alone.
#[test]
fn parts_of_small_order_get_the_verdict_of_the_strict_primitive() {
    let (mut accepted, mut refused) = (0, 0);
    for secret in [scalar("secret"), Scalar::ZERO] {
        for in_key in EIGHT_TORSION {
            let key = any_key((EdwardsPoint::mul_base(&secret) + in_key).compress().as_bytes());
            let prepared = Prepared::new(&key);
            for nonce in [scalar("nonce"), Scalar::ZERO] {
                for in_r in EIGHT_TORSION {
                    let r = (EdwardsPoint::mul_base(&nonce) + in_r).compress().0;
                    for n in 0..16u8 {
                        let s = sign(&secret, &nonce, &r, key.as_bytes(), &[n]);
                        for s in [*s.as_bytes(), not_reduced(&s)] {
                            match verdict(&prepared, &key, &[n], &[r, s].concat()) {
                                true => accepted += 1,
                                false => refused += 1,
                            }
                        }
                    }
                }
            }
        }
    }
    // Of those with honest points, one `R` in eight is right for its `A`.
    assert!(
        accepted > 64 && refused > 1_000,
        "{accepted} accepted, {refused} refused"
    );
}

/// `y + p` for `y`, and the sign of an `x` that is zero: second spellings of points.
#[test]
fn second_spellings_of_a_point_get_the_verdict_of_the_strict_primitive() {
    let (secret, mut decoded) = (scalar("secret"), 0);
    let key = any_key(EdwardsPoint::mul_base(&secret).compress().as_bytes());
    let prepared = Prepared::new(&key);
    for y in 0..19u8 {
        for sign_bit in [0x7f, 0xff] {
            let mut above = [0xff; 32];
            (above[0], above[31]) = (0xed + y % 19, sign_bit);
            let mut below = [0; 32];
            (below[0], below[31]) = (y, sign_bit & 0x80);
            for r in [above, below] {
                // Right for the point that is neutral, which is the only one with a logarithm we know.
                let s = sign(&secret, &Scalar::ZERO, &r, key.as_bytes(), b"m");
                assert!(!verdict(&prepared, &key, b"m", &[r, *s.as_bytes()].concat()));
                if VerifyingKey::from_bytes(&r).is_err() {
                    continue;
                }
                decoded += 1;
                let weak = any_key(&r);
                let s = sign(&Scalar::ZERO, &secret, key.as_bytes(), &r, b"m");
                verdict(
                    &Prepared::new(&weak),
                    &weak,
                    b"m",
                    &[*key.as_bytes(), *s.as_bytes()].concat(),
                );
            }
        }
    }
    assert!(decoded > 20, "{decoded}");
}

#[test]
fn every_bit_of_a_signature_and_of_its_message_counts() {
    let signer = MemoryKey::new(3);
    let (key, message) = (signer.public(), b"what was signed".to_vec());
    let prepared = Prepared::new(key);
    let signature = signer.sign(&message).unwrap();
    assert!(verdict(&prepared, key, &message, &signature));
    for bit in 0..signature.len() * 8 {
        let mut other = signature;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!verdict(&prepared, key, &message, &other));
    }
    for bit in 0..message.len() * 8 {
        let mut other = message.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!verdict(&prepared, key, &other, &signature));
    }
    for length in 0..signature.len() {
        assert!(!verdict(&prepared, key, &message, &signature[..length]));
    }
    assert!(!verdict(
        &prepared,
        MemoryKey::new(3).public(),
        &message,
        &[&signature[..], &[0]].concat()
    ));
}

#[test]
fn a_multiple_from_the_table_is_that_of_the_library() {
    let edges = [[0x80; 32], [0x81; 32], [0x7f; 32], [0xff; 32]].map(Scalar::from_bytes_mod_order);
    let sums = [
        Scalar::ZERO,
        Scalar::ONE,
        -Scalar::ONE,
        Scalar::from(128u8),
        Scalar::from(129u8),
    ];
    let any = (0..200).map(|n| scalar(&format!("{n}")));
    let scalars: Vec<Scalar> = edges.into_iter().chain(sums).chain(any).collect();
    for point in [
        ED25519_BASEPOINT_POINT,
        ED25519_BASEPOINT_POINT + EIGHT_TORSION[1],
        EIGHT_TORSION[3],
    ] {
        let table = Table::new(point);
        for scalar in &scalars {
            assert_eq!(table.add_multiple(scalar, EdwardsPoint::identity()), point * scalar);
        }
    }
    for scalar in &scalars {
        let sum = digits(scalar).iter().rev().fold(Scalar::ZERO, |sum, digit| {
            assert!((-127..=128).contains(digit));
            let size = Scalar::from(digit.unsigned_abs());
            sum * Scalar::from(256u16) + if *digit < 0 { -size } else { size }
        });
        assert_eq!(sum, *scalar);
    }
}

#[test]
fn tables_are_made_for_keys_that_are_met_often_and_are_few() {
    let signers: Vec<MemoryKey> = (1..8).map(MemoryKey::new).collect();
    let mut verifier = Verifier::default();
    for signer in &signers {
        for n in 0..SIGNATURES_BEFORE_TABLE + 10 {
            let message = n.to_be_bytes();
            let signature = signer.sign(&message).unwrap();
            assert!(verifier.verifies(signer.public(), &message, &signature));
            assert!(!verifier.verifies(signer.public(), b"other", &signature));
        }
        assert!(verifier.met.len() <= MAX_KEYS);
        assert!(verifier.met.last().unwrap().prepared.is_some());
    }
    // One of which the table was given up.
    let signature = signers[0].sign(b"m").unwrap();
    assert!(verifier.verifies(signers[0].public(), b"m", &signature));
    assert!(verifier.met.last().unwrap().prepared.is_none());
}

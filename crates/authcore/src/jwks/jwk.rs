//! Reading one JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), with every reason not to use it.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use super::facts::Facts;
use super::key::{Key, KeyRefused, check_secret};
use crate::error::Part;
use crate::json::{self, Json, Wanted};
use crate::jwt::Algorithm;
use crate::jwt::compact::decode;
use crate::jwt::signature::{VerifyKey, sha256};

/// Where a JWK comes from: a published set never holds secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Local,
    Published,
}

static MEMBERS: LazyLock<Wanted> =
    LazyLock::new(|| Wanted::new(["kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e", "k"]));

/// Longest `kid` kept, in bytes; tokens that name a longer one are refused before any set is asked.
const MAX_KEY_ID: usize = 256;

/// Reads a key, or says why not, with its `kid` where that could be read.
pub(super) fn read(text: &str, source: Source) -> Result<Key, (Option<Box<str>>, KeyRefused)> {
    let mut members = Members([None; 11]);
    json::walk(text, &MEMBERS, &mut members.0).map_err(|_| (None, KeyRefused::Malformed))?;
    let id = members.raw("kid").and_then(Json::string).map(Box::from);
    let key = members.key(source, id.as_deref());
    key.map_err(|refused| (id, refused))
}

/// A digest of key material, each piece preceded by its length.
pub(super) fn fingerprint(pieces: &[&[u8]]) -> [u8; 32] {
    let mut material = Vec::new();
    for piece in pieces {
        material.extend_from_slice(&piece.len().to_be_bytes());
        material.extend_from_slice(piece);
    }
    sha256(&material)
}

struct Members<'t>([Option<Json<'t>>; 11]);

impl<'t> Members<'t> {
    fn key(&self, source: Source, id: Option<&str>) -> Result<Key, KeyRefused> {
        let id_is_text = self.raw("kid").is_none() || id.is_some_and(|id| id.len() <= MAX_KEY_ID);
        if !id_is_text {
            return Err(KeyRefused::Malformed);
        }
        self.check_purpose()?;
        let declared = self.text("alg")?;
        let declared = declared.map(|name| name.parse::<Algorithm>().map_err(|_| KeyRefused::UnsupportedAlgorithm));
        let (algorithm, verify, fingerprint, facts) = match self.text("kty")?.as_deref() {
            Some("RSA") => self.rsa(declared.transpose()?)?,
            Some("EC") => self.elliptic(declared.transpose()?)?,
            Some("OKP") => self.edwards(declared.transpose()?)?,
            Some("oct") if source == Source::Published => return Err(KeyRefused::Symmetric),
            Some("oct") => self.symmetric(declared.transpose()?)?,
            Some(_) => return Err(KeyRefused::UnsupportedType),
            None => return Err(KeyRefused::Malformed),
        };
        Ok(Key { id: id.map(Arc::from), algorithm, verify, fingerprint, facts })
    }

    /// `use` and `key_ops`, where present, must allow verifying (RFC 7517 §4.2, §4.3).
    fn check_purpose(&self) -> Result<(), KeyRefused> {
        let purpose = self.text("use")?;
        let mut may_verify = true;
        if let Some(operations) = self.raw("key_ops") {
            may_verify = false;
            operations.each_string(|one| may_verify |= one == "verify").ok_or(KeyRefused::Malformed)?;
        }
        let for_signatures = purpose.is_none_or(|purpose| purpose == "sig");
        if for_signatures && may_verify { Ok(()) } else { Err(KeyRefused::NotForVerifying) }
    }

    fn rsa(&self, declared: Option<Algorithm>) -> Result<Parts, KeyRefused> {
        use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let algorithm = declared.unwrap_or(Rs256);
        if !matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512) {
            return Err(KeyRefused::AlgorithmMismatch);
        }
        let (n, e) = (self.bytes("n")?, self.bytes("e")?);
        let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        let exponent_is_sound = e.len() <= 4 && e.last().is_some_and(|byte| byte % 2 == 1) && e != [1];
        if !(2048..=8192).contains(&bits) || !exponent_is_sound {
            return Err(KeyRefused::Weak);
        }
        // Two odd primes make an odd number (RFC 8017 §3.1).
        if n.last().is_some_and(|byte| byte % 2 == 0) {
            return Err(KeyRefused::InvalidNumbers);
        }
        let verify = VerifyKey::rsa(algorithm, n, e).map_err(|_| KeyRefused::InvalidNumbers)?;
        Ok((algorithm, verify, fingerprint(&[algorithm.name().as_bytes(), n, e]), Facts::rsa(n, e, bits)))
    }

    fn elliptic(&self, declared: Option<Algorithm>) -> Result<Parts, KeyRefused> {
        let (implied, length) = match self.text("crv")?.as_deref() {
            Some("P-256") => (Algorithm::Es256, 32),
            Some("P-384") => (Algorithm::Es384, 48),
            Some("P-521") => (Algorithm::Es512, 66),
            Some(_) => return Err(KeyRefused::UnsupportedType),
            None => return Err(KeyRefused::Malformed),
        };
        if declared.is_some_and(|declared| declared != implied) {
            return Err(KeyRefused::AlgorithmMismatch);
        }
        let (x, y) = (self.bytes("x")?, self.bytes("y")?);
        if x.len() != length || y.len() != length {
            return Err(KeyRefused::Malformed);
        }
        let point = [&[4], &*x, &*y].concat();
        let verify = VerifyKey::curve(implied, &point).map_err(|_| KeyRefused::InvalidNumbers)?;
        let facts = Facts::elliptic(implied, &x, &y);
        Ok((implied, verify, fingerprint(&[implied.name().as_bytes(), &point]), facts))
    }

    fn edwards(&self, declared: Option<Algorithm>) -> Result<Parts, KeyRefused> {
        match self.text("crv")?.as_deref() {
            Some("Ed25519") => {}
            Some(_) => return Err(KeyRefused::UnsupportedType),
            None => return Err(KeyRefused::Malformed),
        }
        let algorithm = Algorithm::EdDsa;
        if declared.is_some_and(|declared| declared != algorithm) {
            return Err(KeyRefused::AlgorithmMismatch);
        }
        let x = self.bytes("x")?;
        let x: &[u8; 32] = x.as_slice().try_into().map_err(|_| KeyRefused::Malformed)?;
        if has_small_order(x) {
            return Err(KeyRefused::Weak);
        }
        let verify = VerifyKey::curve(algorithm, x).map_err(|_| KeyRefused::InvalidNumbers)?;
        Ok((algorithm, verify, fingerprint(&[algorithm.name().as_bytes(), x]), Facts::edwards(x)))
    }

    fn symmetric(&self, declared: Option<Algorithm>) -> Result<Parts, KeyRefused> {
        let algorithm = declared.unwrap_or(Algorithm::Hs256);
        let k = self.bytes("k")?;
        if !algorithm.is_symmetric() {
            return Err(KeyRefused::AlgorithmMismatch);
        }
        check_secret(algorithm, &k).map_err(|_| KeyRefused::Weak)?;
        let verify = VerifyKey::hmac(algorithm, &k).ok_or(KeyRefused::AlgorithmMismatch)?;
        Ok((algorithm, verify, fingerprint(&[algorithm.name().as_bytes(), &k]), Facts::secret(&k)))
    }

    fn raw(&self, name: &str) -> Option<Json<'t>> {
        MEMBERS.place_of(name).and_then(|place| self.0[place])
    }

    fn text(&self, name: &str) -> Result<Option<Cow<'t, str>>, KeyRefused> {
        self.raw(name).map(|json| json.string().ok_or(KeyRefused::Malformed)).transpose()
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, KeyRefused> {
        let text = self.text(name)?.ok_or(KeyRefused::Malformed)?;
        decode(&text, Part::Payload).map_err(|_| KeyRefused::Malformed)
    }
}

type Parts = (Algorithm, VerifyKey, [u8; 32], Facts);

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// Whether an Ed25519 public key is one of the points whose order divides eight: under such a key one signature
/// verifies for many messages. The sign bit is left out, so each line stands for up to two encodings; the last two are
/// non-canonical spellings of the first two.
fn has_small_order(point: &[u8; 32]) -> bool {
    const fn filled(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut bytes = [middle; 32];
        bytes[0] = first;
        bytes[31] = last;
        bytes
    }
    const ORDER_EIGHT: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
            0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
            0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    const OTHERS: [[u8; 32]; 5] = [
        filled(0x00, 0x00, 0x00),
        filled(0x01, 0x00, 0x00),
        filled(0xec, 0xff, 0x7f),
        filled(0xed, 0xff, 0x7f),
        filled(0xee, 0xff, 0x7f),
    ];
    let mut unsigned = *point;
    unsigned[31] &= 0x7f;
    ORDER_EIGHT.contains(&unsigned) || OTHERS.contains(&unsigned)
}

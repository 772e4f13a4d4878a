//! Hashes that other systems made of their keys: read from a row of theirs, found by a presented key, proven by it.
//!
//! A row with such a hash is stored with a mark, so that it is never taken for a hash made here. A fast hash is found by
//! its own digest. A slow one cannot be computed for every presented key, so it is found by the first characters of the
//! key, where the other system kept them; without those it stands among the few that are tried one by one.

use core::array;
use core::fmt;
use core::num::NonZeroU32;

use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use ring::pbkdf2;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::slow::{argon2id, bcrypt};
use crate::{HashError, LookupHint};

/// What the text of a stored foreign hash begins with. No scheme of this service has that name.
const MARK: &str = "$imported";
/// Domain separation of look-up hints: they share a column with those of tokens made here.
const HINT_DOMAIN: &[u8] = b"nolapse-tokens/imported-lookup/v1\0";
/// Domain separation of the value that tells whether a hash was imported before.
const IDENTITY_DOMAIN: &[u8] = b"nolapse-tokens/imported-identity/v1\0";
/// The most iterations of PBKDF2 that a check may cost: about two seconds of one core.
const MAX_ITERATIONS: u32 = 5_000_000;
/// Bounds of the part of a key that finds a slow hash, in bytes. A shorter one would find half of a table.
pub const PREFIX_LENGTHS: core::ops::RangeInclusive<usize> = 4..=24;
/// No scheme's text is longer.
const MAX_TEXT: usize = 480;

/// How the other system hashed its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256 without a salt.
    Sha256,
    /// SHA-512 without a salt.
    Sha512,
    /// HMAC-SHA-256 under one key for all rows.
    HmacSha256,
    /// bcrypt.
    Bcrypt,
    /// argon2id.
    Argon2id,
    /// PBKDF2 with HMAC-SHA-256.
    Pbkdf2Sha256,
    /// What Django's `make_password` writes.
    Django,
    /// Not at all: the key stands there in the clear.
    Raw,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 8] = [
        Self::Sha256,
        Self::Sha512,
        Self::HmacSha256,
        Self::Bcrypt,
        Self::Argon2id,
        Self::Pbkdf2Sha256,
        Self::Django,
        Self::Raw,
    ];

    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::HmacSha256 => "hmac-sha256",
            Self::Bcrypt => "bcrypt",
            Self::Argon2id => "argon2id",
            Self::Pbkdf2Sha256 => "pbkdf2-sha256",
            Self::Django => "django",
            Self::Raw => "raw",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// The algorithm that a hash without a named one must be of, by its form.
    fn of(text: &str) -> Result<Self, ForeignError> {
        let known = [
            ("$2x$", Err("bcrypt `$2x$`")),
            ("$2", Ok(Self::Bcrypt)),
            ("$argon2id$", Ok(Self::Argon2id)),
            ("$argon2", Err("argon2i or argon2d")),
            ("$sha256$", Ok(Self::Sha256)),
            ("$pbkdf2-sha256$", Ok(Self::Pbkdf2Sha256)),
            ("pbkdf2_sha256$", Ok(Self::Django)),
            ("sha512$", Ok(Self::Django)),
            ("argon2$", Ok(Self::Django)),
            ("$1$", Err("md5crypt")),
            ("$5$", Err("sha256crypt")),
            ("$6$", Err("sha512crypt")),
            ("$y$", Err("yescrypt")),
            ("$scrypt$", Err("scrypt")),
        ];
        if let Some((_, found)) = known.into_iter().find(|(start, _)| text.starts_with(start)) {
            return found.map_err(ForeignError::Scheme);
        }
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.len() {
            32 if is_hex => Err(ForeignError::Scheme("md5")),
            40 if is_hex => Err(ForeignError::Scheme("sha1")),
            64 if is_hex => Ok(Self::Sha256),
            128 if is_hex => Ok(Self::Sha512),
            _ => Err(ForeignError::Unnamed),
        }
    }
}

/// How the bytes of a fast hash are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64, with the ordinary or the URL-safe alphabet, padded or not.
    Base64,
    /// A text that names its scheme.
    Phc,
}

impl Encoding {
    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hex" => Some(Self::Hex),
            "base64" => Some(Self::Base64),
            "phc" => Some(Self::Phc),
            _ => None,
        }
    }
}

/// Why a hash cannot be imported. Repeats nothing of the hash; the message completes the sentence "`hash` …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// A scheme that this service does not check.
    #[error("is of the scheme {0}, which cannot be checked")]
    Scheme(&'static str),
    /// Its form does not tell what it is.
    #[error("does not tell its algorithm by its form: name it in `algorithm`")]
    Unnamed,
    /// The algorithm is named and the text is not of it.
    #[error("is not a {algorithm} hash: {what}")]
    Malformed {
        /// What it should be.
        algorithm: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// The library's or this service's bounds.
    #[error("cannot be checked: {0}")]
    Hash(HashError),
}

impl From<HashError> for ForeignError {
    fn from(error: HashError) -> Self {
        match error {
            // The advice of the original is for rows that are stored already.
            HashError::Malformed { scheme, what } => Self::Malformed { algorithm: scheme.as_str(), what },
            other => Self::Hash(other),
        }
    }
}

/// The key of another system's HMAC. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacKey(Zeroizing<Vec<u8>>);

impl HmacKey {
    /// Takes the bytes of the key.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    fn digest(&self, key: &[u8]) -> [u8; 32] {
        // HMAC takes a key of any length.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.chain_update(key).finalize().into_bytes().into()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

/// A hash of another system. Its form and cost have been validated. `Debug` shows the algorithm only.
#[derive(Clone)]
pub struct ForeignHash {
    /// In one canonical form, so that equal hashes are equal texts.
    text: String,
    parts: Parts,
}

#[derive(Clone)]
enum Parts {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
    HmacSha256([u8; 32]),
    Bcrypt,
    Argon2id(argon2id::Parts),
    Pbkdf2 { iterations: NonZeroU32, salt: Vec<u8>, output: Vec<u8> },
}

impl ForeignHash {
    /// Reads the hash of a row. Without an algorithm, its form must tell it.
    ///
    /// # Errors
    /// The hash is malformed or of a scheme that cannot be checked. For a key in the clear use [`of_key`](Self::of_key).
    pub fn read(text: &str, algorithm: Option<Algorithm>, encoding: Option<Encoding>) -> Result<Self, ForeignError> {
        if text.len() > MAX_TEXT {
            return Err(ForeignError::Unnamed);
        }
        let algorithm = algorithm.map_or_else(|| Algorithm::of(text), Ok)?;
        let parts = match algorithm {
            Algorithm::Sha256 => Parts::Sha256(digest(text, algorithm, encoding)?),
            Algorithm::Sha512 => Parts::Sha512(digest(text, algorithm, encoding)?),
            Algorithm::HmacSha256 => Parts::HmacSha256(digest(text, algorithm, encoding)?),
            Algorithm::Bcrypt => {
                bcrypt::parse(text)?;
                return Ok(Self { text: text.to_owned(), parts: Parts::Bcrypt });
            }
            Algorithm::Argon2id => {
                let parts = Parts::Argon2id(argon2id::parse(text)?);
                return Ok(Self { text: text.to_owned(), parts });
            }
            Algorithm::Pbkdf2Sha256 => match text.strip_prefix("$pbkdf2-sha256$") {
                Some(rest) => phc_pbkdf2(rest)?,
                None => return Self::read(text, Some(Algorithm::Django), encoding),
            },
            Algorithm::Django => return django(text),
            Algorithm::Raw => return Err(ForeignError::Scheme("raw")),
        };
        Ok(Self::from_parts(parts))
    }

    /// The hash of a key that stands in the clear: a fast one, replaced by the configured scheme at the first use.
    pub fn of_key(key: &[u8]) -> Self {
        Self::from_parts(Parts::Sha256(Sha256::digest(key).into()))
    }

    /// Reads a stored text; nothing if it is not that of a foreign hash.
    pub fn from_stored(text: &str) -> Option<Self> {
        let text = text.strip_prefix(MARK)?;
        let rest = text.strip_prefix('$')?;
        let (name, value) = rest.split_once('$')?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            "hmac-sha256" => Algorithm::HmacSha256,
            "pbkdf2-sha256" => Algorithm::Pbkdf2Sha256,
            "argon2id" => Algorithm::Argon2id,
            _ => Algorithm::Bcrypt,
        };
        let given = match algorithm {
            Algorithm::Sha256 | Algorithm::Sha512 | Algorithm::HmacSha256 => value,
            _ => text,
        };
        Self::read(given, Some(algorithm), None).ok()
    }

    /// Whether a stored text is that of a foreign hash.
    pub fn is_stored(text: &str) -> bool {
        text.starts_with(MARK)
    }

    /// The text to store, at most 512 bytes.
    pub fn stored(&self) -> String {
        format!("{MARK}{}", self.text)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match self.parts {
            Parts::Sha256(_) => Algorithm::Sha256,
            Parts::Sha512(_) => Algorithm::Sha512,
            Parts::HmacSha256(_) => Algorithm::HmacSha256,
            Parts::Bcrypt => Algorithm::Bcrypt,
            Parts::Argon2id(_) => Algorithm::Argon2id,
            Parts::Pbkdf2 { .. } => Algorithm::Pbkdf2Sha256,
        }
    }

    /// Whether checking it takes milliseconds and must not run on a request worker.
    pub const fn is_slow(&self) -> bool {
        match self.parts {
            Parts::Sha256(_) | Parts::Sha512(_) | Parts::HmacSha256(_) => false,
            Parts::Bcrypt | Parts::Argon2id(_) | Parts::Pbkdf2 { .. } => true,
        }
    }

    /// Tells this hash from every other: the same hash, written in another way, has the same value.
    pub fn identity(&self) -> [u8; 32] {
        // The marks of bcrypt's versions differ, and the function does not.
        let text = if matches!(self.parts, Parts::Bcrypt) { &self.text[3..] } else { &self.text };
        Sha256::new().chain_update(IDENTITY_DOMAIN).chain_update(text).finalize().into()
    }

    /// What the row is found by: the digest itself, or of a slow hash the first characters of the key, if they are known.
    /// Slow hashes without them share one value.
    pub fn lookup_hint(&self, prefix: Option<&str>) -> LookupHint {
        match (&self.parts, prefix) {
            (Parts::Sha256(digest), _) => hint(b'2', digest),
            (Parts::Sha512(digest), _) => hint(b'5', digest),
            (Parts::HmacSha256(digest), _) => hint(b'h', digest),
            (Parts::Bcrypt | Parts::Argon2id(_) | Parts::Pbkdf2 { .. }, Some(prefix)) => hint(b'p', prefix.as_bytes()),
            (Parts::Bcrypt | Parts::Argon2id(_) | Parts::Pbkdf2 { .. }, None) => hint(b'n', b""),
        }
    }

    /// Whether it was made from `key`; the comparison is constant-time. Slow if the hash is.
    ///
    /// # Errors
    /// The check could not be made.
    pub fn verify(&self, key: &[u8], hmac: Option<&HmacKey>) -> Result<bool, HashError> {
        match &self.parts {
            Parts::Sha256(expected) => Ok(Sha256::digest(key).as_slice().ct_eq(expected).into()),
            Parts::Sha512(expected) => Ok(Sha512::digest(key).as_slice().ct_eq(expected).into()),
            Parts::HmacSha256(expected) => Ok(hmac.is_some_and(|hmac| hmac.digest(key).ct_eq(expected).into())),
            Parts::Bcrypt => match bcrypt::verify(key, &self.text) {
                // The other system cut such a key, so that two keys could be one: it proves nothing.
                Err(HashError::NulByte | HashError::TooLong { .. }) => Ok(false),
                verified => verified,
            },
            Parts::Argon2id(parts) => parts.verify(key),
            Parts::Pbkdf2 { iterations, salt, output } => {
                Ok(pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, *iterations, salt, key, output).is_ok())
            }
        }
    }

    fn from_parts(parts: Parts) -> Self {
        let text = match &parts {
            Parts::Sha256(digest) => format!("$sha256${}", HEXLOWER.encode(digest)),
            Parts::Sha512(digest) => format!("$sha512${}", HEXLOWER.encode(digest)),
            Parts::HmacSha256(digest) => format!("$hmac-sha256${}", HEXLOWER.encode(digest)),
            Parts::Pbkdf2 { iterations, salt, output } => {
                let (salt, output) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(output));
                format!("$pbkdf2-sha256${iterations}${salt}${output}")
            }
            // Both keep the text they were read from.
            Parts::Bcrypt | Parts::Argon2id(_) => String::new(),
        };
        Self { text, parts }
    }
}

impl fmt::Debug for ForeignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignHash({})", self.algorithm().as_str())
    }
}

/// Every look-up hint that the row of a presented key may have: by its digests, by its first characters, and that of slow
/// hashes without a look-up part. Some thirty short digests, 3 µs.
pub fn foreign_hints(key: &[u8], hmac: Option<&HmacKey>) -> ForeignHints {
    let fast = [hint(b'2', &Sha256::digest(key)), hint(b'5', &Sha512::digest(key))];
    let keyed = hmac.map(|hmac| hint(b'h', &hmac.digest(key)));
    let prefixes = PREFIX_LENGTHS.filter_map(|length| key.get(..length)).map(|prefix| hint(b'p', prefix));
    ForeignHints {
        fast: fast.into_iter().chain(keyed).map(|LookupHint(hint)| hint).collect(),
        slow: prefixes.chain([hint(b'n', b"")]).map(|LookupHint(hint)| hint).collect(),
    }
}

/// Under which hints the hash of a key may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignHints {
    /// Fast hashes: digests of the key, which nobody else's row can have.
    pub fast: Vec<i64>,
    /// Slow hashes: by the start of the key, which many keys may share.
    pub slow: Vec<i64>,
}

fn hint(kind: u8, what: &[u8]) -> LookupHint {
    let digest: [u8; 32] =
        Sha256::new().chain_update(HINT_DOMAIN).chain_update([kind]).chain_update(what).finalize().into();
    LookupHint(i64::from_be_bytes(array::from_fn(|i| digest[i])))
}

/// The bytes of a fast hash.
fn digest<const N: usize>(
    text: &str,
    algorithm: Algorithm,
    encoding: Option<Encoding>,
) -> Result<[u8; N], ForeignError> {
    let malformed = |what| ForeignError::Malformed { algorithm: algorithm.as_str(), what };
    let text = match text.strip_prefix('$').and_then(|rest| rest.split_once('$')) {
        Some((name, value)) if name == algorithm.as_str() => value,
        Some(_) => return Err(malformed("it names another scheme")),
        None if encoding == Some(Encoding::Phc) => return Err(malformed("it names no scheme")),
        None => text,
    };
    let is_hex = match encoding {
        Some(Encoding::Hex) => true,
        Some(Encoding::Base64) => false,
        Some(Encoding::Phc) | None => text.len() == 2 * N,
    };
    let bytes = if is_hex {
        HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| malformed("not hexadecimal digits"))?
    } else {
        base64(text).ok_or_else(|| malformed("neither hexadecimal digits nor Base64"))?
    };
    bytes.try_into().map_err(|_| malformed("its length is wrong"))
}

/// Base64 of either alphabet, padded or not; passlib writes `.` instead of `+`.
fn base64(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|letter| match letter {
            '-' | '.' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    BASE64_NOPAD.decode(plain.as_bytes()).ok()
}

/// `i=600000,l=32$salt$hash`, or passlib's `29000$salt$hash`.
fn phc_pbkdf2(rest: &str) -> Result<Parts, ForeignError> {
    let malformed = |what| ForeignError::Malformed { algorithm: "pbkdf2-sha256", what };
    let mut fields = rest.split('$');
    let (Some(params), Some(salt), Some(output), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(malformed("it must have iterations, salt and hash"));
    };
    let named = params.split(',').find_map(|param| param.strip_prefix("i="));
    let salt = base64(salt).ok_or_else(|| malformed("the salt is not Base64"))?;
    let output = base64(output).ok_or_else(|| malformed("the hash is not Base64"))?;
    pbkdf2_parts(named.unwrap_or(params), salt, output)
}

fn pbkdf2_parts(iterations: &str, salt: Vec<u8>, output: Vec<u8>) -> Result<Parts, ForeignError> {
    let malformed = |what| ForeignError::Malformed { algorithm: "pbkdf2-sha256", what };
    let iterations = iterations.parse::<u32>().ok().filter(|count| *count <= MAX_ITERATIONS);
    let iterations =
        iterations.and_then(NonZeroU32::new).ok_or_else(|| malformed("the iterations must be 1 to 5 000 000"))?;
    if !(16..=64).contains(&output.len()) {
        return Err(malformed("the hash must have 16 to 64 bytes"));
    }
    if salt.is_empty() || salt.len() > 64 {
        return Err(malformed("the salt must have 1 to 64 bytes"));
    }
    Ok(Parts::Pbkdf2 { iterations, salt, output })
}

/// `algorithm$…` as Django's hashers write it.
fn django(text: &str) -> Result<ForeignHash, ForeignError> {
    let malformed = |what| ForeignError::Malformed { algorithm: "django", what };
    let (name, rest) = text.split_once('$').ok_or_else(|| malformed("it names no hasher"))?;
    match name {
        "pbkdf2_sha256" => {
            let mut fields = rest.split('$');
            let (Some(iterations), Some(salt), Some(output), None) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(malformed("pbkdf2_sha256 must have iterations, salt and hash"));
            };
            let output = base64(output).ok_or_else(|| malformed("the hash is not Base64"))?;
            if output.len() != 32 {
                return Err(malformed("a pbkdf2_sha256 hash must have 32 bytes"));
            }
            // Django uses the letters of the salt themselves.
            pbkdf2_parts(iterations, salt.as_bytes().to_vec(), output).map(ForeignHash::from_parts)
        }
        // The hasher of djangorestframework-api-key since 3.0: without a salt.
        "sha512" => match rest.split_once('$') {
            Some(("", digits)) => ForeignHash::read(digits, Some(Algorithm::Sha512), Some(Encoding::Hex)),
            Some(_) | None => Err(malformed("sha512 with a salt cannot be checked")),
        },
        "argon2" => ForeignHash::read(&format!("${rest}"), Some(Algorithm::Argon2id), None),
        "bcrypt" => ForeignHash::read(rest, Some(Algorithm::Bcrypt), None),
        _ => Err(malformed("its hasher must be pbkdf2_sha256, sha512, argon2 or bcrypt")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes by the documented algorithms, computed with other implementations (Python's hashlib).
    const VECTORS: &[(&str, Option<Algorithm>, Option<Encoding>, &str)] = &[
        ("abc", None, None, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ("abc", Some(Algorithm::Sha256), Some(Encoding::Base64), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        ("abc", Some(Algorithm::Sha256), None, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"),
        (
            "abc",
            None,
            None,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        // RFC 4231, test case 2, under the key of the test below.
        (
            "what do ya want for nothing?",
            Some(Algorithm::HmacSha256),
            Some(Encoding::Hex),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        // RFC 7914, section 11.
        (
            "passwd",
            None,
            None,
            "$pbkdf2-sha256$i=1,l=64$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw",
        ),
    ];

    #[test]
    fn hashes_of_other_systems_are_found_and_proven_by_their_keys() {
        let hmac = HmacKey::new(b"Jefe");
        for (key, algorithm, encoding, text) in VECTORS.iter().take(5) {
            let read = ForeignHash::read(text, *algorithm, *encoding).unwrap();
            assert_eq!(read.verify(key.as_bytes(), Some(&hmac)), Ok(true), "{text}");
            assert_eq!(read.verify(b"another", Some(&hmac)), Ok(false), "{text}");
            assert!(foreign_hints(key.as_bytes(), Some(&hmac)).fast.contains(&read.lookup_hint(None).0), "{text}");
            assert!(!foreign_hints(b"another", Some(&hmac)).fast.contains(&read.lookup_hint(None).0), "{text}");
            let stored = read.stored();
            let again = ForeignHash::from_stored(&stored).unwrap();
            assert_eq!((again.stored(), again.identity()), (stored, read.identity()));
            assert!(crate::StoredHash::parse(&again.stored()).is_err(), "taken for a hash made here");
        }
        let (key, algorithm, encoding, text) = VECTORS[5];
        let slow = ForeignHash::read(text, algorithm, encoding).unwrap();
        assert_eq!(slow.verify(key.as_bytes(), None), Ok(true));
        assert_eq!(slow.verify(b"another", None), Ok(false));
        assert_eq!(ForeignHash::from_stored(&slow.stored()).unwrap().identity(), slow.identity());
        let keyed = ForeignHash::read(VECTORS[4].3, VECTORS[4].1, VECTORS[4].2).unwrap();
        assert_eq!(keyed.verify(VECTORS[4].0.as_bytes(), None), Ok(false), "without the key nothing is proven");
    }

    #[test]
    fn a_slow_hash_is_found_by_the_start_of_its_key() {
        let text = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let read = ForeignHash::read(text, None, None).unwrap();
        assert!(read.is_slow());
        assert_eq!(read.verify(b"U*U", None), Ok(true));
        assert_eq!(read.verify(&[b'x'; 73], None), Ok(false), "a key that bcrypt cuts proves nothing");
        let hints = foreign_hints(b"abcdefgh.secret", None).slow;
        assert!(hints.contains(&read.lookup_hint(Some("abcdefgh")).0));
        assert!(hints.contains(&read.lookup_hint(None).0));
        assert!(!hints.contains(&read.lookup_hint(Some("abcdefgx")).0));
        let other = ForeignHash::read(&text.replace("$2a$", "$2y$"), None, None).unwrap();
        assert_eq!(read.identity(), other.identity());
        assert_eq!(ForeignHash::from_stored(&other.stored()).unwrap().stored(), other.stored());
    }

    #[test]
    fn hashes_that_cannot_be_checked_are_refused_by_name() {
        let long = "0".repeat(73);
        let cases: &[(&str, Option<Algorithm>, &str)] = &[
            ("pbkdf2_sha256$600000$c2FsdA$QUJD", None, "pbkdf2_sha256"),
            ("$2x$10$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None, "$2x$"),
            ("$argon2i$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$AAAA", None, "argon2i"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", None, "md5"),
            ("$6$salt$xxxx", None, "sha512crypt"),
            ("$2b$17$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None, "17"),
            (&long, Some(Algorithm::Sha256), "neither hexadecimal"),
            (&long, Some(Algorithm::Bcrypt), "bcrypt"),
            ("md5$salt$0123", Some(Algorithm::Django), "hasher"),
            ("sha512$salt$0123", Some(Algorithm::Django), "salt"),
            ("$pbkdf2-sha256$i=9000000$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA", None, "5 000 000"),
            ("", None, "algorithm"),
        ];
        for (text, algorithm, expected) in cases {
            let refused = ForeignHash::read(text, *algorithm, None).unwrap_err().to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}

//! Identity tokens: JSON Web Tokens (RFC 7519) that an issuer signed (RFC 7515), read and verified.
//!
//! By ring directly: of the libraries, `jsonwebtoken` with its Rust back end brings `rsa`, which has an advisory without a
//! fixed version, and with the other one C; what is needed of it are these lines.
//!
//! **Invariant:** which algorithm verifies a signature follows from the key, never from the token alone: a header can choose
//! among the keys of its issuer and nothing else. No key comes from a token, and neither `none` nor a shared secret
//! is an algorithm here.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use token_domain::{Span, Timestamp};

/// The most bytes of a token. Those of CI systems have 1 to 2 KiB.
pub const MOST_BYTES: usize = 16 * 1024;
/// How far two clocks may differ.
pub const LEEWAY: Span = Span::seconds(30);
/// How long ago a token may have been made, whatever end it has.
const OLDEST: Span = Span::seconds(600);
/// How many keys of a set are looked at.
const MOST_KEYS: usize = 100;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// ECDSA, P-256, SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// A token that was read; nothing in it is believed yet.
pub struct Jwt {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Why a text is no identity token, or one that cannot be accepted. The message completes `subject_token …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Too long.
    #[error("must have at most 16 KiB")]
    TooLong,
    /// No three parts of base64url, or no JSON in them.
    #[error("must be a signed JSON Web Token")]
    Malformed,
    /// A token for another use, such as an access token.
    #[error("must be an identity token: its typ header says otherwise")]
    Type,
    /// A header that this service does not know and must understand.
    #[error("must have no critical headers")]
    Critical,
    /// An algorithm that is not accepted, or not the issuer's.
    #[error("must be signed with RS256, ES256 or EdDSA, and with an algorithm that its issuer supports")]
    Algorithm,
    /// No key of the issuer signed it.
    #[error("has a signature that does not match any key of its issuer")]
    Signature,
    /// A claim that every token needs is absent or not what it should be.
    #[error("must have {0}")]
    Claim(&'static str),
    /// Its time is over.
    #[error("has expired")]
    Expired,
    /// Its time has not come.
    #[error("is not valid yet")]
    TooEarly,
    /// Made too long ago.
    #[error("was issued more than 10 minutes ago: request another one from the issuer")]
    TooOld,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// The keys of an issuer (RFC 7517), as far as they can verify.
#[derive(Debug, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256([u8; 65]),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct ListedKeys {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct ListedKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    intended: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Algorithm {
    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

impl Jwt {
    /// Reads a token, and verifies nothing.
    ///
    /// # Errors
    /// The text is not a token, or one that no policy could accept.
    pub fn read(text: &str) -> Result<Self, JwtError> {
        if text.len() > MOST_BYTES {
            return Err(JwtError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| JwtError::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwtError::Malformed)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(JwtError::Algorithm)?;
        if header.crit.is_some() {
            return Err(JwtError::Critical);
        }
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(JwtError::Type);
        }
        let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| JwtError::Malformed)?;
        Ok(Self {
            algorithm,
            key_id: header.kid,
            claims,
            signed: signed.as_bytes().to_vec(),
            signature: decode(signature)?,
        })
    }

    /// Who signed it, as it says.
    ///
    /// # Errors
    /// It does not say.
    pub fn issuer(&self) -> Result<&str, JwtError> {
        self.text("iss").ok_or(JwtError::Claim("iss"))
    }

    /// The algorithm its header names.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key its header names.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What it claims.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// A claim that is a text.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// The audience (`aud`), if there is exactly one.
    ///
    /// # Errors
    /// No audience, or several: a service in the other audiences could present the token here.
    pub fn audience(&self) -> Result<&str, JwtError> {
        let one = match self.claims.get("aud") {
            Some(Value::String(one)) => Some(one.as_str()),
            Some(Value::Array(several)) => match several.as_slice() {
                [Value::String(one)] => Some(one.as_str()),
                _ => None,
            },
            _ => None,
        };
        one.ok_or(JwtError::Claim("one aud"))
    }

    /// Whether a key of the issuer signed it.
    ///
    /// # Errors
    /// [`JwtError::Signature`].
    pub fn verify(&self, keys: &KeySet) -> Result<(), JwtError> {
        let mut fitting = keys.0.iter().filter(|key| key.material.algorithm() == self.algorithm);
        let key = match &self.key_id {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)),
            // Without a key id, exactly one key must fit the algorithm.
            None => match (fitting.next(), fitting.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            },
        };
        let is_signed = key.is_some_and(|key| key.material.has_signed(&self.signed, &self.signature));
        if is_signed { Ok(()) } else { Err(JwtError::Signature) }
    }

    /// When it can no longer be presented, if it may be now.
    ///
    /// # Errors
    /// It is expired, too old, or its time has not come; it does not say.
    pub fn check_time(&self, now: Timestamp) -> Result<Timestamp, JwtError> {
        let moment = |claim: &'static str| match self.claims.get(claim) {
            None => Ok(None),
            Some(value) => seconds(value).map(Some).ok_or(JwtError::Claim(claim)),
        };
        let expires = moment("exp")?.ok_or(JwtError::Claim("exp"))?;
        let issued = moment("iat")?.ok_or(JwtError::Claim("iat"))?;
        if now >= expires + LEEWAY {
            return Err(JwtError::Expired);
        }
        let begins = moment("nbf")?.map_or(issued, |begins| begins.max(issued));
        if now + LEEWAY < begins {
            return Err(JwtError::TooEarly);
        }
        if now >= issued + OLDEST + LEEWAY {
            return Err(JwtError::TooOld);
        }
        Ok(expires + LEEWAY + Span::seconds(5))
    }

    /// A digest that identifies the token among those of its issuer: of its `jti`, or else of the signed part. The signature
    /// would not do: an ECDSA signature has a second valid form.
    pub fn identity(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(b"nolapse exchanged identity\0");
        digest.update(self.text("iss").unwrap_or_default());
        if let Some(id) = self.text("jti").filter(|id| !id.is_empty()) {
            digest.update(b"\0jti\0");
            digest.update(id);
        } else {
            digest.update(b"\0jwt\0");
            digest.update(&self.signed);
        }
        digest.finalize().into()
    }
}

/// A moment in seconds since 1970, whole or not, within some ten thousand years.
fn seconds(value: &Value) -> Option<Timestamp> {
    const MOST: i64 = 253_402_300_799;
    let seconds = match value.as_i64() {
        Some(whole) => whole,
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are exact enough, and a cast saturates")]
        None => value.as_f64().map(|fraction| fraction.floor() as i64)?,
    };
    (0..=MOST).contains(&seconds).then(|| Timestamp::from_micros(seconds * 1_000_000))
}

impl KeySet {
    /// Reads a set. Keys of other sorts and for other uses are passed over, as RFC 7517 §5 has it.
    ///
    /// # Errors
    /// The document is no key set.
    pub fn read(document: &[u8]) -> Result<Self, serde_json::Error> {
        let listed: ListedKeys = serde_json::from_slice(document)?;
        let read = |value| serde_json::from_value::<ListedKey>(value).ok().and_then(ListedKey::key);
        Ok(Self(listed.keys.into_iter().take(MOST_KEYS).filter_map(read).collect()))
    }

    /// Whether it may hold the key of this name: one that has it, or anything if none is named.
    pub fn may_have(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.0.iter().any(|key| key.id.as_deref() == Some(id)))
    }
}

impl ListedKey {
    fn key(self) -> Option<Key> {
        let is_for_signatures = self.intended.as_deref().is_none_or(|intended| intended == "sig");
        let may_verify = self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let bytes =
            |text: &Option<String>| BASE64URL_NOPAD.decode(text.as_ref()?.trim_end_matches('=').as_bytes()).ok();
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: unsigned(&bytes(&self.n)?), e: unsigned(&bytes(&self.e)?) },
            ("EC", Some("P-256")) => {
                let point = [vec![4], bytes(&self.x)?, bytes(&self.y)?].concat();
                Material::P256(point.try_into().ok()?)
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&self.x)?),
            _ => return None,
        };
        let fits = self.alg.as_deref().is_none_or(|name| material.is_named(name));
        fits.then_some(Key { id: self.kid, material })
    }
}

/// A number without the zeros in front that some libraries leave.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}

impl Material {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    fn is_named(&self, name: &str) -> bool {
        // RFC 9864 gives Ed25519 a name of its own.
        name == "Ed25519" && matches!(self, Self::Ed25519(_)) || Algorithm::parse(name) == Some(self.algorithm())
    }

    /// Whether this key made the signature. RSA keys below 2048 bits make none.
    fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    /// The RS256 example of RFC 7515, appendix A.2.
    const RFC_KEY: &str = r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#;
    const RFC_JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    fn encode(value: &Value) -> String {
        BASE64URL_NOPAD.encode(value.to_string().as_bytes())
    }

    fn p256() -> (EcdsaKeyPair, Value) {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (BASE64URL_NOPAD.encode(&point[1..33]), BASE64URL_NOPAD.encode(&point[33..]));
        (pair, json!({"kty": "EC", "crv": "P-256", "kid": "p", "alg": "ES256", "use": "sig", "x": x, "y": y}))
    }

    fn es256(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    fn keys(keys: &[&Value]) -> KeySet {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn each_algorithm_verifies_what_its_key_signed() {
        let rsa = KeySet::read(RFC_KEY.as_bytes()).unwrap();
        assert_eq!(Jwt::read(RFC_JWT).unwrap().verify(&rsa), Ok(()));
        let (pair, key) = p256();
        let token = es256(&pair, &json!({"alg": "ES256", "kid": "p", "typ": "JWT"}), &json!({"iss": "a"}));
        assert_eq!(Jwt::read(&token).unwrap().verify(&keys(&[&key])), Ok(()));
        let unnamed = es256(&pair, &json!({"alg": "ES256"}), &json!({"iss": "a"}));
        assert_eq!(Jwt::read(&unnamed).unwrap().verify(&keys(&[&key])), Ok(()));
        let (_, other) = p256();
        let refused = Jwt::read(&unnamed).unwrap().verify(&keys(&[&key, &other]));
        assert_eq!(refused, Err(JwtError::Signature), "without a name there has to be one key");

        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let x = BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        let signed = format!("{}.{}", encode(&json!({"alg": "EdDSA", "kid": "e"})), encode(&json!({})));
        let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(pair.sign(signed.as_bytes()).as_ref()));
        for alg in ["EdDSA", "Ed25519"] {
            let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "e", "alg": alg, "x": x});
            assert_eq!(Jwt::read(&token).unwrap().verify(&keys(&[&key])), Ok(()));
        }
    }

    #[test]
    fn a_header_chooses_no_way_around_the_signature() {
        let claims = json!({"iss": "a"});
        let (pair, key) = p256();
        let unsigned = |header: Value| format!("{}.{}.", encode(&header), encode(&claims));
        for alg in ["none", "None", "NONE", "HS256", "HS512", "PS256", "RS512", "ES384", "", "es256"] {
            assert_eq!(Jwt::read(&unsigned(json!({ "alg": alg }))).err(), Some(JwtError::Algorithm), "{alg}");
        }
        let own =
            json!({"alg": "ES256", "kid": "p", "jwk": key, "jku": "https://example.org", "x5u": "https://example.org"});
        let (stranger, _) = p256();
        let token = es256(&stranger, &own, &claims);
        assert_eq!(Jwt::read(&token).unwrap().verify(&keys(&[&key])), Err(JwtError::Signature), "its own key");
        for (header, error) in [
            (json!({"alg": "ES256", "crit": ["b64"], "b64": false}), JwtError::Critical),
            (json!({"alg": "ES256", "typ": "at+jwt"}), JwtError::Type),
            (json!({"alg": "ES256", "typ": "dpop+jwt"}), JwtError::Type),
            (json!({"alg": ["ES256"]}), JwtError::Malformed),
            (json!({}), JwtError::Malformed),
        ] {
            assert_eq!(Jwt::read(&es256(&pair, &header, &claims)).err(), Some(error), "{header}");
        }
        let good = es256(&pair, &json!({"alg": "ES256", "kid": "p"}), &claims);
        assert_eq!(Jwt::read(&good).unwrap().verify(&keys(&[&key])), Ok(()));
        let (signed, _) = good.rsplit_once('.').unwrap();
        let renamed = format!("{}.{}", encode(&json!({"alg": "RS256", "kid": "p"})), signed.split_once('.').unwrap().1);
        for text in [format!("{signed}."), format!("{signed}.AAAA"), format!("{renamed}.AAAA")] {
            assert_eq!(Jwt::read(&text).unwrap().verify(&keys(&[&key])), Err(JwtError::Signature), "{text}");
        }
        for text in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", &format!("{good}."), &format!("{good}="), &good[1..]] {
            assert!(Jwt::read(text).is_err(), "{text}");
        }
        assert_eq!(Jwt::read(&"x".repeat(MOST_BYTES + 1)).err(), Some(JwtError::TooLong));
        assert_eq!(Jwt::read(&"x".repeat(MOST_BYTES)).err(), Some(JwtError::Malformed));
    }

    #[test]
    fn keys_for_other_uses_verify_nothing() {
        let (pair, key) = p256();
        let token = es256(&pair, &json!({"alg": "ES256", "kid": "p"}), &json!({}));
        let with = |field: &str, value: Value| {
            let mut key = key.clone();
            key[field] = value;
            key
        };
        for other in [
            with("use", json!("enc")),
            with("key_ops", json!(["encrypt"])),
            with("alg", json!("RS256")),
            with("alg", json!("HS256")),
            with("kid", json!("q")),
            with("crv", json!("P-384")),
            with("kty", json!("oct")),
            with("x", json!("AAAA")),
            with("y", Value::Null),
        ] {
            assert_eq!(Jwt::read(&token).unwrap().verify(&keys(&[&other])), Err(JwtError::Signature), "{other}");
        }
        assert_eq!(Jwt::read(&token).unwrap().verify(&keys(&[&json!(1), &json!({}), &key])), Ok(()));
        assert!(KeySet::read(b"[]").is_err() && KeySet::read(b"{}").is_err() && KeySet::read(b"").is_err());
        assert!(
            keys(&[&key]).may_have(Some("p")) && keys(&[&key]).may_have(None) && !keys(&[&key]).may_have(Some("q"))
        );
    }

    #[test]
    fn a_token_counts_in_its_time_and_not_long_after_it_was_made() {
        let (pair, _) = p256();
        let now = 1_800_000_000;
        let read = |claims: &Value| {
            let token = Jwt::read(&es256(&pair, &json!({"alg": "ES256"}), claims)).unwrap();
            token.check_time(Timestamp::from_micros(now * 1_000_000))
        };
        let rows = [
            (json!({"exp": now + 300, "iat": now}), Ok(())),
            (json!({"exp": now + 300, "iat": now, "nbf": now - 60}), Ok(())),
            (json!({"exp": 1_800_000_300.5, "iat": now}), Ok(())),
            (json!({"exp": now - 29, "iat": now - 100}), Ok(())),
            (json!({"exp": now - 30, "iat": now - 100}), Err(JwtError::Expired)),
            (json!({"exp": now + 300, "iat": now + 30}), Ok(())),
            (json!({"exp": now + 300, "iat": now + 31}), Err(JwtError::TooEarly)),
            (json!({"exp": now + 300, "iat": now, "nbf": now + 31}), Err(JwtError::TooEarly)),
            (json!({"exp": now + 9000, "iat": now - 629}), Ok(())),
            (json!({"exp": now + 9000, "iat": now - 630}), Err(JwtError::TooOld)),
            (json!({"iat": now}), Err(JwtError::Claim("exp"))),
            (json!({"exp": now + 300}), Err(JwtError::Claim("iat"))),
            (json!({"exp": "2027-01-01", "iat": now}), Err(JwtError::Claim("exp"))),
            (json!({"exp": 1e300, "iat": now}), Err(JwtError::Claim("exp"))),
            (json!({"exp": -1, "iat": now}), Err(JwtError::Claim("exp"))),
            (json!({"exp": now + 300, "iat": now, "nbf": "soon"}), Err(JwtError::Claim("nbf"))),
        ];
        for (claims, expected) in rows {
            assert_eq!(read(&claims).map(drop), expected, "{claims}");
        }
        let until = read(&json!({"exp": now + 300, "iat": now})).unwrap();
        assert_eq!(until, Timestamp::from_micros((now + 335) * 1_000_000));
    }

    #[test]
    fn one_audience_and_one_identity() {
        let (pair, _) = p256();
        let read = |claims: &Value| Jwt::read(&es256(&pair, &json!({"alg": "ES256"}), claims)).unwrap();
        for (aud, expected) in [
            (json!("a"), Some("a")),
            (json!(["a"]), Some("a")),
            (json!(["a", "b"]), None),
            (json!([]), None),
            (json!([1]), None),
            (json!(1), None),
            (Value::Null, None),
        ] {
            assert_eq!(read(&json!({ "aud": aud })).audience().ok(), expected, "{aud}");
        }
        let same = [json!({"iss": "i", "jti": "1", "sub": "a"}), json!({"iss": "i", "jti": "1", "sub": "b"})];
        assert_eq!(read(&same[0]).identity(), read(&same[1]).identity());
        let nameless = json!({"iss": "i", "sub": "a"});
        assert_eq!(read(&nameless).identity(), read(&nameless).identity(), "whatever the signature is");
        let different = [
            json!({"iss": "i", "jti": "1"}),
            json!({"iss": "i", "jti": "2"}),
            json!({"iss": "j", "jti": "1"}),
            json!({"iss": "i", "jti": ""}),
            json!({"iss": "i"}),
        ];
        let identities: std::collections::BTreeSet<_> = different.iter().map(|one| read(one).identity()).collect();
        assert_eq!(identities.len(), different.len());
    }
}

//! What keys of other systems look like, as far as a deployment accepts them, and whether their hashes are looked up.
//!
//! Inside, such a key goes by an alias: a text in the format of a token, made from the key by a one-way function. Caches, tags
//! and hashes work with the alias and need to know nothing of other formats; only the first proof of an imported row needs the
//! key itself. Somebody who can compute the alias has the key, so that it opens nothing new.

use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use secret_hash::{ForeignHash, HmacKey};
use sha2::{Digest, Sha256};
use token_domain::record::StoredSecret;
use token_domain::text::SECRETS;
use token_format::PlainToken;
use zeroize::Zeroizing;

/// Domain separation of aliases from every other digest of a key.
const ALIAS_DOMAIN: &[u8] = b"nolapse-tokens/foreign-key-alias/v1\0";
/// The fewest characters behind the prefix: a shorter key could be guessed.
const LEAST_BODY: usize = 16;
/// The most characters behind the prefix.
const MOST_BODY: usize = 256;
/// The most digits of an id in front of a key.
const MOST_ID: usize = 20;

/// The most imported tokens that one presented key is compared with.
pub(crate) const MOST_FOREIGN: u32 = 64;

/// Where a deployment accepts keys that it did not make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Legacy {
    /// Whether tokens in our format without our checksum are looked up, and imported hashes with them.
    pub lookup: bool,
    /// The other formats of keys.
    pub shapes: LegacyShapes,
    /// The key of another system's HMAC.
    pub hmac_key: Option<HmacKey>,
}

impl Legacy {
    /// Whether imported hashes are looked for at all.
    pub fn is_on(&self) -> bool {
        self.lookup || !self.shapes.is_empty()
    }
}

/// The characters of a key behind its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Hex,
    Alnum,
    Base64Url,
    Dotted,
}

impl Alphabet {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "hex" => Some(Self::Hex),
            "alnum" => Some(Self::Alnum),
            "base64url" => Some(Self::Base64Url),
            "dotted" => Some(Self::Dotted),
            _ => None,
        }
    }

    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
        }
    }
}

/// The form of another system's keys: `prefix=sk_ alphabet=alnum length=24-64 id=|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyShape {
    prefix: String,
    alphabet: Alphabet,
    least: usize,
    most: usize,
    /// What separates digits in front from the key; the digits are no part of the secret.
    id: Option<char>,
}

/// Why a text does not describe a form of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidShape(&'static str);

impl LegacyShape {
    /// Reads its description.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidShape> {
        let (mut prefix, mut alphabet, mut length, mut id) = (None, None, None, None);
        for word in text.split_ascii_whitespace() {
            let (name, value) = word.split_once('=').ok_or(InvalidShape("a word is not name=value"))?;
            let slot = match name {
                "prefix" => &mut prefix,
                "alphabet" => &mut alphabet,
                "length" => &mut length,
                "id" => &mut id,
                _ => return Err(InvalidShape("a word is none of prefix, alphabet, length and id")),
            };
            if slot.replace(value).is_some() {
                return Err(InvalidShape("a word is given twice"));
            }
        }
        let prefix = prefix.unwrap_or_default();
        if prefix.len() > 32 || !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidShape("the prefix must have at most 32 visible ASCII characters"));
        }
        if SECRETS.iter().any(|(own, _)| prefix.starts_with(own)) {
            return Err(InvalidShape("the prefix must not be one of this service"));
        }
        let alphabet = alphabet.and_then(Alphabet::parse);
        let alphabet = alphabet.ok_or(InvalidShape("the alphabet must be hex, alnum, base64url or dotted"))?;
        let length = length.ok_or(InvalidShape("the length is missing"))?;
        let (least, most) = length.split_once('-').unwrap_or((length, length));
        let bound = |text: &str| text.parse().ok().filter(|count| (LEAST_BODY..=MOST_BODY).contains(count));
        let (Some(least), Some(most)) = (bound(least), bound(most)) else {
            return Err(InvalidShape("the length, without the prefix, must be 16 to 256"));
        };
        if least > most {
            return Err(InvalidShape("the length must be written as the least and the most"));
        }
        let id = match id {
            None => None,
            Some("|") => Some('|'),
            Some(":") => Some(':'),
            Some(_) => return Err(InvalidShape("the id must be followed by | or :")),
        };
        Ok(Self { prefix: prefix.to_owned(), alphabet, least, most, id })
    }

    /// The secret part of a text in this form.
    fn secret<'k>(&self, text: &'k str) -> Option<&'k str> {
        let secret = match self.id.and_then(|separator| text.split_once(separator)) {
            Some((id, rest)) if (1..=MOST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()) => rest,
            Some(_) => return None,
            None => text,
        };
        let body = secret.strip_prefix(self.prefix.as_str())?;
        let fits = (self.least..=self.most).contains(&body.len()) && body.bytes().all(|byte| self.alphabet.has(byte));
        fits.then_some(secret)
    }

    /// Whether the secret part of a key in this form may begin so.
    fn may_begin_with(&self, beginning: &str) -> bool {
        match beginning.strip_prefix(self.prefix.as_str()) {
            Some(body) => body.len() <= self.most && body.bytes().all(|byte| self.alphabet.has(byte)),
            None => self.prefix.starts_with(beginning),
        }
    }

    /// The most bytes of a key of this form.
    const fn longest(&self) -> usize {
        self.prefix.len() + self.most
    }
}

/// The forms of keys that a deployment accepts beside its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegacyShapes(Arc<[LegacyShape]>);

impl LegacyShapes {
    /// These forms.
    pub fn new(shapes: Vec<LegacyShape>) -> Self {
        Self(shapes.into())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the secret part of a key in any of the forms may begin so.
    pub fn may_begin_with(&self, beginning: &str) -> bool {
        self.0.iter().any(|shape| shape.may_begin_with(beginning))
    }

    /// The most bytes of a key of any of the forms.
    pub fn longest(&self) -> usize {
        self.0.iter().map(LegacyShape::longest).max().unwrap_or(0)
    }

    /// A presented text as a key of another system, if it has one of the forms.
    pub fn read(&self, text: &str) -> Option<ForeignKey> {
        let secret = self.0.iter().find_map(|shape| shape.secret(text))?;
        let digest = Sha256::new().chain_update(ALIAS_DOMAIN).chain_update(secret).finalize();
        let mut alias = Zeroizing::new(String::with_capacity(token_format::TOKEN_LEN));
        alias.push_str(token_format::PREFIX);
        HEXLOWER.encode_append(&digest[..20], &mut alias);
        let alias = PlainToken::parse(&alias).ok()?;
        Some(ForeignKey { alias, secret: Zeroizing::new(secret.to_owned()) })
    }
}

/// A key of another system, in the clear; wiped when dropped. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ForeignKey {
    alias: PlainToken,
    secret: Zeroizing<String>,
}

impl ForeignKey {
    /// What it goes by inside.
    pub(crate) const fn alias(&self) -> &PlainToken {
        &self.alias
    }

    /// The part of it that the other system hashed.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignKey(…)")
    }
}

/// Whether the stored hash of a secret was made by another system.
pub(crate) fn is_foreign(secret: &StoredSecret) -> bool {
    ForeignHash::is_stored(&secret.secret_hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_by_their_form() {
        let shapes = LegacyShapes::new(
            ["prefix=sk_ alphabet=alnum length=24-32", "alphabet=alnum length=40 id=|", "alphabet=dotted length=41"]
                .map(|text| LegacyShape::parse(text).unwrap())
                .to_vec(),
        );
        let forty = "a".repeat(40);
        let cases = [
            (format!("sk_{}", "a".repeat(24)), true),
            (format!("sk_{}", "a".repeat(33)), false),
            (format!("sk_{}-", "a".repeat(24)), false),
            (format!("12|{forty}"), true),
            (forty.clone(), true),
            (format!("|{forty}"), false),
            (format!("x|{forty}"), false),
            (format!("abcdefgh.{}", "b".repeat(32)), true),
            (String::new(), false),
            ("é".repeat(20), false),
        ];
        for (text, fits) in cases {
            assert_eq!(shapes.read(&text).is_some(), fits, "{text}");
        }
        let (with_id, without) = (shapes.read(&format!("12|{forty}")).unwrap(), shapes.read(&forty).unwrap());
        assert!(with_id.alias().ct_eq(without.alias()), "the id is no part of the secret");
        assert_eq!(shapes.longest(), 41);
        assert!(!format!("{with_id:?}").contains('a'));
    }

    #[test]
    fn a_form_that_would_accept_too_much_is_refused() {
        let cases = [
            ("", "alphabet"),
            ("alphabet=alnum", "length"),
            ("alphabet=alnum length=8", "16 to 256"),
            ("alphabet=alnum length=300", "16 to 256"),
            ("alphabet=alnum length=64-32", "least"),
            ("alphabet=letters length=32", "alphabet"),
            ("prefix=nlp_ alphabet=alnum length=40", "prefix"),
            ("prefix=a prefix=b alphabet=alnum length=40", "twice"),
            ("alphabet=alnum length=40 id=x", "id"),
            ("alphabet=alnum length=40 colour=red", "prefix, alphabet"),
            ("alnum", "name=value"),
        ];
        for (text, expected) in cases {
            let refused = LegacyShape::parse(text).unwrap_err().to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}

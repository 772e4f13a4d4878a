//! Query strings: every parameter once, decoded strictly, errors that name the parameter.
//!
//! **Invariant:** parsing takes time linear in the length of the text, which is bounded, because it runs before the
//! caller is authenticated (`bounded.rs` measures it).

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};

use super::explain::explain;
use super::turn::After;
use crate::error::{ApiError, ApiResult};

/// The longest query string in bytes: a cursor and a few filters take a tenth of it.
const LONGEST: usize = 8 * 1024;
/// The most parameters of a query string or a form. The longest list of filters here has sixteen, and forward-auth repeats
/// `scope` at most as often as a token has scopes.
const MOST: usize = 64;

/// The parameters, parsed into `T`. Parameters that `T` does not have are ignored; a repeated one is 400.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

/// The decoded parameters as pairs, for routes where one may be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// The parameters of this request.
    ///
    /// # Errors
    /// 400 for a query string that cannot be decoded.
    pub fn of(request: &HttpRequest) -> ApiResult<Self> {
        short(request.query_string()).and_then(decode).map(Self)
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(After::caller(request).settle(short(request.query_string()).and_then(parse).map(Self)))
    }
}

impl FromRequest for Pairs {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(After::caller(request).settle(Self::of(request)))
    }
}

/// A query string, if it is not too long.
fn short(query: &str) -> ApiResult<&str> {
    if query.len() <= LONGEST {
        return Ok(query);
    }
    Err(ApiError::invalid("query", format!("must have at most {LONGEST} bytes")))
}

/// Reads a query string, without its `?`, or the body of a form.
pub fn parse<T: DeserializeOwned>(query: &str) -> ApiResult<T> {
    let pairs = decode(query)?;
    let mut seen = HashSet::with_capacity(pairs.len());
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        return Err(ApiError::invalid(shown(name), "must be given once"));
    }
    // Encoded again for the decoder of `serde_urlencoded`, which parses numbers and options from text.
    let clean = serde_urlencoded::to_string(&pairs).map_err(ApiError::internal)?;
    let reader = serde_urlencoded::Deserializer::new(form_pairs(&clean));
    serde_path_to_error::deserialize(reader).map_err(|error| explain(error.path(), &error.inner().to_string()))
}

fn form_pairs(text: &str) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(text.as_bytes())
}

/// Splits and decodes the parameters. `+` is a space, as forms and most client libraries encode it.
fn decode(query: &str) -> ApiResult<Vec<(String, String)>> {
    let parts = || query.split('&').filter(|part| !part.is_empty());
    if parts().nth(MOST).is_some() {
        return Err(ApiError::invalid("query", format!("must have at most {MOST} parameters")));
    }
    parts()
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name =
                text(name).ok_or_else(|| ApiError::invalid("query", "must be percent-encoded UTF-8 without NUL"))?;
            let value = text(value)
                .ok_or_else(|| ApiError::invalid(shown(&name), "must be percent-encoded UTF-8 without NUL"))?;
            Ok((name, value))
        })
        .collect()
}

/// Decodes one name or value. `None` for a `%` without two digits, bytes that are not UTF-8, and NUL.
pub(super) fn text(encoded: &str) -> Option<String> {
    let spaced = encoded.replace('+', " ");
    let mut rest = spaced.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        if !rest.get(at + 1..at + 3)?.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = &rest[at + 3..];
    }
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

/// A parameter's name as an error may show it.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

/// The page size that a request asks for: `1..=MAX`, by default `DEFAULT`. For lists that refuse a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<const DEFAULT: u32, const MAX: u32>(pub u32);

impl<const DEFAULT: u32, const MAX: u32> Default for Limit<DEFAULT, MAX> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const DEFAULT: u32, const MAX: u32> Deserialize<'de> for Limit<DEFAULT, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Only digits: `parse` would also take a plus sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(limit) if digits && (1..=MAX).contains(&limit) => Ok(Self(limit)),
            Ok(_) | Err(_) => Err(de::Error::custom(format_args!("must be a whole number from 1 to {MAX}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct List {
        limit: Limit<100, 1000>,
        page: Option<u32>,
        name: Option<String>,
        flag: bool,
    }

    /// A query string with `count` parameters of different names.
    fn many(count: usize) -> String {
        (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&")
    }

    #[test]
    fn sixty_four_parameters_and_eight_kibibytes_are_enough() {
        assert_eq!(parse::<List>(&many(64)).unwrap(), List::default());
        assert!(short(&"a".repeat(LONGEST)).is_ok());
        let expected = ApiError::invalid("query", "must have at most 8192 bytes").body();
        assert_eq!(short(&"a".repeat(LONGEST + 1)).unwrap_err().body(), expected);
    }

    #[test]
    fn good_queries_are_read() {
        let rows = [
            ("", List { limit: Limit(100), ..List::default() }),
            ("limit=1&page=2&other=x", List { limit: Limit(1), page: Some(2), ..List::default() }),
            ("&&limit=1000&", List { limit: Limit(1000), ..List::default() }),
            ("name=a%20b+c%2B", List { name: Some("a b c+".into()), ..List::default() }),
            ("name=", List { name: Some(String::new()), ..List::default() }),
            ("flag=true", List { flag: true, ..List::default() }),
        ];
        for (query, expected) in rows {
            assert_eq!(parse::<List>(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn bad_queries_name_the_parameter() {
        let rows = [
            ("limit=0", "limit", "must be a whole number from 1 to 1000"),
            ("limit=1001", "limit", "must be a whole number from 1 to 1000"),
            ("limit=", "limit", "must be a whole number from 1 to 1000"),
            ("limit=%2B5", "limit", "must be a whole number from 1 to 1000"),
            ("limit=99999999999999", "limit", "must be a whole number from 1 to 1000"),
            ("limit=ten", "limit", "must be a whole number from 1 to 1000"),
            ("limit=1&limit=1", "limit", "must be given once"),
            ("l%69mit=1&limit=1", "limit", "must be given once"),
            ("other=1&other=2", "other", "must be given once"),
            ("name=%", "name", "must be percent-encoded UTF-8 without NUL"),
            ("name=%4", "name", "must be percent-encoded UTF-8 without NUL"),
            ("name=%zz", "name", "must be percent-encoded UTF-8 without NUL"),
            ("name=%ff", "name", "must be percent-encoded UTF-8 without NUL"),
            ("name=a%00", "name", "must be percent-encoded UTF-8 without NUL"),
            ("%ff=1", "query", "must be percent-encoded UTF-8 without NUL"),
            ("page=-1", "page", "must be a whole number, neither negative nor too large"),
            ("flag=yes", "flag", "must be true or false"),
            (&many(65), "query", "must have at most 64 parameters"),
            (&many(15_000), "query", "must have at most 64 parameters"),
        ];
        for (query, field, message) in rows {
            let expected = ApiError::invalid(field, message).body();
            assert_eq!(parse::<List>(query).unwrap_err().body(), expected, "{query}");
        }
    }
}

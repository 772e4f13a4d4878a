//! The credential a request presents, from the three places one may stand in; never from the query string.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use token_format::PlainToken;
use zeroize::Zeroizing;

use crate::codes::Code;
use crate::error::{ApiError, ApiResult};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SESSION_PREFIX: &str = "nls_";
const SESSION_DIGITS: usize = 64;

/// What was presented, told apart by its shape alone; whether it is good is the authority's to say.
#[derive(Clone, Debug)]
pub enum Presented {
    /// Nothing.
    None,
    /// Something that is neither a token nor a session: as good as an unknown one.
    Malformed,
    /// The shape of an API token.
    Token(PlainToken),
    /// The shape of a session token.
    Session(SessionText),
}

/// A session token in the clear; wiped when dropped, printed as its hint.
#[derive(Clone)]
pub struct SessionText(Zeroizing<String>);

impl SessionText {
    /// The text, `nls_` and 64 lowercase hexadecimal digits.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(SESSION_PREFIX)?;
        let shaped =
            digits.len() == SESSION_DIGITS && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        shaped.then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl std::fmt::Debug for SessionText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Four digits after the prefix, as for tokens; the length was checked when it was made.
        write!(f, "{}…", &self.0[..SESSION_PREFIX.len() + 4])
    }
}

/// The extractor. 400 when two different credentials are presented: choosing one would be a guess about which was meant.
#[derive(Clone, Debug)]
pub struct Credentials(pub Presented);

impl FromRequest for Credentials {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(presented(request.headers()).map(Self))
    }
}

/// What these headers present.
pub fn presented(headers: &HeaderMap) -> ApiResult<Presented> {
    Ok(match single(headers)? {
        None => Presented::None,
        Some(Found::Unreadable) => Presented::Malformed,
        Some(Found::ApiKey(text)) => PlainToken::parse(text).map_or(Presented::Malformed, Presented::Token),
        Some(Found::Bearer(text)) => match (PlainToken::parse(text), SessionText::parse(text)) {
            (Ok(token), _) => Presented::Token(token),
            (Err(_), Some(session)) => Presented::Session(session),
            (Err(_), None) => Presented::Malformed,
        },
    })
}

/// The text after `Bearer`, whatever its shape, for the one route that takes a configured service token.
pub fn bearer_text(headers: &HeaderMap) -> ApiResult<Option<Zeroizing<String>>> {
    Ok(match single(headers)? {
        Some(Found::Bearer(text)) => Some(Zeroizing::new(text.to_owned())),
        Some(Found::ApiKey(_) | Found::Unreadable) | None => None,
    })
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Bearer(&'a str),
    ApiKey(&'a str),
    /// Another scheme, no text after it, or bytes that are not visible ASCII.
    Unreadable,
}

impl<'a> Found<'a> {
    /// What makes two of them the same credential.
    const fn text(self) -> Option<&'a str> {
        match self {
            Self::Bearer(text) | Self::ApiKey(text) => Some(text),
            Self::Unreadable => None,
        }
    }
}

/// The one credential in the headers; the same one several times is one.
fn single(headers: &HeaderMap) -> ApiResult<Option<Found<'_>>> {
    let authorization =
        headers.get_all(header::AUTHORIZATION).map(|value| value.to_str().map_or(Found::Unreadable, scheme));
    let keys = headers.get_all(API_KEY).map(|value| match value.to_str().map(str::trim) {
        Ok(text) if !text.is_empty() => Found::ApiKey(text),
        Ok(_) | Err(_) => Found::Unreadable,
    });
    let mut found = authorization.chain(keys);
    let Some(first) = found.next() else { return Ok(None) };
    if found.all(|next| next.text() == first.text()) {
        Ok(Some(first))
    } else {
        Err(Code::ConflictingCredentials.into())
    }
}

fn scheme(value: &str) -> Found<'_> {
    let (scheme, text) = value.trim().split_once(' ').unwrap_or((value, ""));
    let text = text.trim();
    if text.is_empty() {
        Found::Unreadable
    } else if scheme.eq_ignore_ascii_case("bearer") {
        Found::Bearer(text)
    } else if scheme.eq_ignore_ascii_case("api-key") {
        Found::ApiKey(text)
    } else {
        Found::Unreadable
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const TOKEN: &str = "nlp_00112233445566778899aabbccddeeff550c911c";
    const OTHER: &str = "nlp_00000000000000000000000000000000";

    #[test]
    fn credentials_are_told_apart_by_place_and_shape() {
        let session = format!("nls_{}", "ab".repeat(32));
        let bearer = |text: &str| ("authorization", format!("Bearer {text}"));
        let key = |text: &str| ("x-api-key", text.to_owned());
        let api = |text: &str| ("Authorization", format!("Api-Key {text}"));
        let other = format!("{OTHER}65b627bc");
        let rows: Vec<(Vec<(&str, String)>, &str)> = vec![
            (vec![], "None"),
            (vec![bearer(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![("authorization", format!("bEARER   {TOKEN} "))], "Token(PlainToken(nlp_0011…))"),
            (vec![api(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![("authorization", format!("API-KEY {TOKEN}"))], "Token(PlainToken(nlp_0011…))"),
            (vec![key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(&session)], "Session(nls_abab…)"),
            (vec![key(&session)], "Malformed"),
            (vec![api(&session)], "Malformed"),
            (vec![bearer(&session.to_uppercase())], "Malformed"),
            (vec![bearer(&format!("{TOKEN}0"))], "Malformed"),
            (vec![bearer("")], "Malformed"),
            (vec![("authorization", TOKEN.to_owned())], "Malformed"),
            (vec![("authorization", format!("Basic {TOKEN}"))], "Malformed"),
            (vec![key("")], "Malformed"),
            (vec![bearer(TOKEN), key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), bearer(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), api(TOKEN), key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), key(&other)], "400"),
            (vec![bearer(TOKEN), bearer(&session)], "400"),
            (vec![bearer(TOKEN), ("authorization", "Basic eA==".to_owned())], "400"),
        ];
        for (headers, expected) in rows {
            let mut request = TestRequest::default();
            for (name, value) in &headers {
                request = request.append_header((*name, value.as_str()));
            }
            let request = request.to_http_request();
            let found = presented(request.headers()).map_or_else(|_| "400".to_owned(), |found| format!("{found:?}"));
            assert_eq!(found, expected, "{headers:?}");
        }
        let request = TestRequest::with_uri(&format!("/?token={TOKEN}&access_token={TOKEN}")).to_http_request();
        assert!(matches!(presented(request.headers()), Ok(Presented::None)));
    }
}

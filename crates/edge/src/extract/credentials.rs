//! The credential that a request presents, read from the accepted headers; never from the query string.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use data_encoding::BASE64_NOPAD;
use percent_encoding::percent_decode_str;
use token_format::PlainToken;
use zeroize::Zeroizing;

use crate::codes::Code;
use crate::error::{ApiError, ApiResult};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const PREFIX: &str = "nlp_";
const SESSION_PREFIX: &str = "nls_";
const SESSION_DIGITS: usize = 64;

/// The presented credential, classified by its format only; the authority decides whether it is valid.
#[derive(Clone, Debug)]
pub enum Presented {
    /// No credential.
    None,
    /// Neither a token nor a session by its format: answered like an unknown one.
    Malformed,
    /// Texts that do not begin like a credential of this service. Where keys of other systems are accepted, one of them may be
    /// such a key; otherwise as [`Presented::Malformed`].
    Foreign(ForeignTexts),
    /// A text in the format of an API token.
    Token(PlainToken),
    /// A text in the format of a session token.
    Session(SessionText),
}

/// Texts in plain text that may be keys of other systems; wiped when dropped, printed as their number.
#[derive(Clone)]
pub struct ForeignTexts(Vec<Zeroizing<String>>);

impl ForeignTexts {
    /// The texts, each once.
    pub fn expose(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|text| text.as_str())
    }
}

impl std::fmt::Debug for ForeignTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.len())
    }
}

/// A session token in plain text; wiped when dropped, printed as its hint.
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
        // Four digits after the prefix, as for tokens. `parse` has checked the length.
        write!(f, "{}…", &self.0[..SESSION_PREFIX.len() + 4])
    }
}

/// The extractor of [`Presented`]. 400 when two different credentials are presented, because choosing one would be a
/// guess.
#[derive(Clone, Debug)]
pub struct Credentials(pub Presented);

impl FromRequest for Credentials {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(presented(request.headers()).map(Self))
    }
}

/// The credential in these headers. A credential of another system (an application's own Basic or JWT) is ignored
/// beside one of this service, and invalid alone. An empty header counts as absent.
///
/// # Errors
/// 400 when two different credentials of this service are presented.
pub fn presented(headers: &HeaderMap) -> ApiResult<Presented> {
    presented_beside(headers, None)
}

/// As [`presented`], but also from the `client_secret` of a form (RFC 6749 §2.3.1).
///
/// # Errors
/// As [`presented`].
pub fn presented_beside(headers: &HeaderMap, secret: Option<Zeroizing<String>>) -> ApiResult<Presented> {
    let mut ours: Option<Found<'_>> = None;
    let mut foreign: Option<Vec<Found<'_>>> = None;
    let posted = secret.filter(|secret| !secret.is_empty()).map(Found::Secret);
    for found in found(headers).chain(posted) {
        if !found.is_ours() {
            foreign.get_or_insert_default().push(found);
            continue;
        }
        match &ours {
            None => ours = Some(found),
            Some(first) if first.text() == found.text() => {}
            Some(_) => return Err(Code::ConflictingCredentials.into()),
        }
    }
    Ok(match (ours, foreign) {
        (Some(found), _) => found.told_apart(),
        (None, Some(foreign)) => foreign_of(&foreign),
        (None, None) => Presented::None,
    })
}

/// What is presented where nothing begins like a credential of this service.
fn foreign_of(found: &[Found<'_>]) -> Presented {
    let mut texts: Vec<&str> = found.iter().filter_map(Found::text).filter(|text| !text.is_empty()).collect();
    texts.sort_unstable();
    texts.dedup();
    if texts.is_empty() {
        return Presented::Malformed;
    }
    Presented::Foreign(ForeignTexts(texts.into_iter().map(|text| Zeroizing::new(text.to_owned())).collect()))
}

/// The text after `Bearer` in any format, for the routes that take the configured service token.
pub fn bearer_text(headers: &HeaderMap) -> ApiResult<Option<Zeroizing<String>>> {
    let mut texts = found(headers).filter(|found| found.text().is_some());
    let Some(first) = texts.next() else { return Ok(None) };
    if texts.any(|next| next.text() != first.text()) {
        return Err(Code::ConflictingCredentials.into());
    }
    Ok(match first {
        Found::Bearer(text) => Some(Zeroizing::new(text.to_owned())),
        Found::ApiKey(_) | Found::Secret(_) | Found::Unreadable => None,
    })
}

/// The content of one header.
enum Found<'a> {
    Bearer(&'a str),
    ApiKey(&'a str),
    /// The password of a `Basic` credential, or the `client_secret` of a form. Some clients can send a token only
    /// there; the user name is ignored.
    Secret(Zeroizing<String>),
    /// Another scheme, no text after it, or bytes that are not visible ASCII.
    Unreadable,
}

impl Found<'_> {
    /// The text by which two credentials are compared.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Bearer(text) | Self::ApiKey(text) => Some(text),
            Self::Secret(text) => Some(text),
            Self::Unreadable => None,
        }
    }

    fn is_ours(&self) -> bool {
        self.text().is_some_and(|text| text.starts_with(PREFIX) || text.starts_with(SESSION_PREFIX))
    }

    fn told_apart(&self) -> Presented {
        let Some(text) = self.text() else { return Presented::Malformed };
        if let Ok(token) = PlainToken::parse(text) {
            return Presented::Token(token);
        }
        // A session token is accepted only as `Bearer`.
        let session = if matches!(self, Self::Bearer(_)) { SessionText::parse(text) } else { None };
        session.map_or(Presented::Malformed, Presented::Session)
    }
}

/// The contents of all credential headers that are not empty, in a fixed order.
fn found(headers: &HeaderMap) -> impl Iterator<Item = Found<'_>> {
    let values = |name: HeaderName| {
        let texts = headers.get_all(name).map(|value| value.to_str().ok().map(str::trim));
        texts.filter(|text| *text != Some(""))
    };
    let authorization = values(header::AUTHORIZATION).map(|text| text.map_or(Found::Unreadable, scheme));
    authorization.chain(values(API_KEY).map(|text| text.map_or(Found::Unreadable, Found::ApiKey)))
}

fn scheme(value: &str) -> Found<'_> {
    let (scheme, text) = value.split_once(' ').unwrap_or((value, ""));
    let text = text.trim();
    if text.is_empty() {
        Found::Unreadable
    } else if scheme.eq_ignore_ascii_case("bearer") {
        Found::Bearer(text)
    } else if scheme.eq_ignore_ascii_case("api-key") {
        Found::ApiKey(text)
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(text).map_or(Found::Unreadable, Found::Secret)
    } else {
        Found::Unreadable
    }
}

/// The password of RFC 7617 credentials. OAuth libraries form-encode it first (RFC 6749 §2.3.1), some of them also
/// characters that need no encoding. A credential of this service never contains a `%`, so decoding is safe.
fn basic(text: &str) -> Option<Zeroizing<String>> {
    let unpadded = text.trim_end_matches('=');
    let decoded = Zeroizing::new(BASE64_NOPAD.decode(unpadded.as_bytes()).ok()?);
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Zeroizing::new(percent_decode_str(password).decode_utf8().ok()?.into_owned()))
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
        let basic = |user: &str, password: &str| {
            let pair = format!("{user}:{password}");
            ("authorization", format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes())))
        };
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
            (vec![bearer(&session.to_uppercase())], "Foreign(1)"),
            (vec![bearer(&format!("{TOKEN}0"))], "Malformed"),
            (vec![bearer("")], "Malformed"),
            (vec![("authorization", TOKEN.to_owned())], "Malformed"),
            (vec![("authorization", format!("Basic {TOKEN}"))], "Malformed"),
            (vec![key("")], "None"),
            (vec![key(" "), ("authorization", String::new())], "None"),
            (vec![bearer("eyJ.e30.x")], "Foreign(1)"),
            (vec![bearer("eyJ.e30.x"), key("one of another system")], "Foreign(2)"),
            (vec![bearer("eyJ.e30.x"), key("eyJ.e30.x")], "Foreign(1)"),
            (vec![basic("any", TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![basic("", TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![basic("0199-id", &TOKEN.replace('_', "%5F"))], "Token(PlainToken(nlp_0011…))"),
            (vec![basic(TOKEN, "")], "Malformed"),
            (vec![basic("any", &session)], "Malformed"),
            (vec![basic("aladdin", "open sesame")], "Foreign(1)"),
            (vec![("authorization", "Basic".to_owned())], "Malformed"),
            (vec![("authorization", "Basic *".to_owned())], "Malformed"),
            (vec![("authorization", "Basic bm8gY29sb24=".to_owned())], "Malformed"),
            (vec![basic("aladdin", "open sesame"), key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer("eyJ.e30.x"), key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), key("an application's own")], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), key("")], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), basic("any", TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), basic("any", &other)], "400"),
            (vec![bearer(TOKEN), key("nlp_mistyped")], "400"),
            (vec![bearer(TOKEN), key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), bearer(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), api(TOKEN), key(TOKEN)], "Token(PlainToken(nlp_0011…))"),
            (vec![bearer(TOKEN), key(&other)], "400"),
            (vec![bearer(TOKEN), bearer(&session)], "400"),
            (vec![bearer(TOKEN), ("authorization", "Basic eA==".to_owned())], "Token(PlainToken(nlp_0011…))"),
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

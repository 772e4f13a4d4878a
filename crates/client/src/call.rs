//! One request and its answer.

use std::fmt::Display;
use std::io::Read;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{AsSendBody, Body};

use crate::{Client, Error, Refusal, Result};

/// The characters to percent-encode in paths and queries: all but RFC 3986's unreserved ones.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Bytes of the largest JSON body that is read. A page of a thousand tokens has a few hundred KiB.
const LARGEST: u64 = 64 * 1024 * 1024;
/// Bytes of the largest error body that is read.
const LARGEST_ERROR: u64 = 1024 * 1024;
/// How many bytes of a body that is not JSON an error quotes.
const QUOTED: usize = 60;

/// A request being built.
pub(crate) struct Call<'a> {
    client: &'a Client,
    method: &'static str,
    url: String,
    has_query: bool,
    headers: Vec<(&'static str, String)>,
    body: Payload,
}

/// The request's body.
enum Payload {
    Empty,
    Bytes {
        kind: &'static str,
        bytes: Vec<u8>,
    },
    /// The body could not be written.
    Broken(String),
}

impl<'a> Call<'a> {
    /// A request to `path`, to which segments and a query may be added.
    pub(crate) fn new(client: &'a Client, method: &'static str, path: &str) -> Self {
        let url = format!("{}{path}", client.base());
        Self { client, method, url, has_query: path.contains('?'), headers: Vec::new(), body: Payload::Empty }
    }

    /// Adds a path segment from the caller, encoded so that it stays one segment.
    pub(crate) fn segment(mut self, text: &str) -> Self {
        self.url.extend(utf8_percent_encode(text, ENCODED));
        self
    }

    /// Adds literal text to the path.
    pub(crate) fn path(mut self, text: &str) -> Self {
        self.url.push_str(text);
        self
    }

    /// Adds a query parameter for each value.
    pub(crate) fn query<T: Display>(mut self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        for value in values {
            self.url.push(if self.has_query { '&' } else { '?' });
            self.has_query = true;
            self.url.push_str(name);
            self.url.push('=');
            self.url.extend(utf8_percent_encode(&value.to_string(), ENCODED));
        }
        self
    }

    /// Adds a header, if there is a value.
    pub(crate) fn header<T: Display>(mut self, name: &'static str, value: Option<T>) -> Self {
        self.headers.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.body = match serde_json::to_vec(body) {
            Ok(bytes) => Payload::Bytes { kind: "application/json", bytes },
            Err(error) => Payload::Broken(error.to_string()),
        };
        self
    }

    /// Sets a form body, from the fields of an object.
    pub(crate) fn form<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.body = match serde_json::to_value(body) {
            Ok(Value::Object(fields)) => {
                Payload::Bytes { kind: "application/x-www-form-urlencoded", bytes: form(&fields).into_bytes() }
            }
            Ok(_) => Payload::Broken("a form is made of fields".to_owned()),
            Err(error) => Payload::Broken(error.to_string()),
        };
        self
    }

    /// Sends the request and reads a JSON response.
    pub(crate) fn send<T: DeserializeOwned>(self) -> Result<T> {
        let (method, url) = (self.method, self.url.clone());
        let mut answer = self.exchange()?;
        let bytes = read(&mut answer, LARGEST)?;
        parse(&bytes).map_err(|why| Error::Unreadable(format!("{method} {url}: {why}")))
    }

    /// Sends the request and reads a JSON response, or `None` for a 204.
    pub(crate) fn send_perhaps<T: DeserializeOwned>(self) -> Result<Option<T>> {
        let (method, url) = (self.method, self.url.clone());
        let mut answer = self.exchange()?;
        if answer.status().as_u16() == 204 {
            return Ok(None);
        }
        let bytes = read(&mut answer, LARGEST)?;
        parse(&bytes).map(Some).map_err(|why| Error::Unreadable(format!("{method} {url}: {why}")))
    }

    /// Sends the request and ignores the response body.
    pub(crate) fn send_for_nothing(self) -> Result<()> {
        self.exchange().map(drop)
    }

    /// Sends the request and returns the unread response body.
    pub(crate) fn send_for_bytes(self) -> Result<Download> {
        let answer = self.exchange()?;
        Ok(Download(Box::new(answer.into_body().into_with_config().limit(u64::MAX).reader())))
    }

    /// Sends the request; any status but 2xx is an error.
    fn exchange(self) -> Result<Response<Body>> {
        let mut request = Request::builder().method(self.method).uri(&self.url).header("accept", "*/*");
        if let Some(credential) = &self.client.credential {
            request = request.header("authorization", format!("Bearer {}", credential.expose()));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let takes_body = matches!(self.method, "POST" | "PUT" | "PATCH");
        let mut answer = match self.body {
            Payload::Broken(why) => return Err(Error::Unreadable(why)),
            Payload::Bytes { kind, bytes } => self.client.run(request.header("content-type", kind), bytes.as_slice()),
            // An empty body with `Content-Length: 0`: some proxies refuse such a request without it.
            Payload::Empty if takes_body => self.client.run(request, &[] as &[u8]),
            Payload::Empty => self.client.run(request, ()),
        }?;
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(answer);
        }
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request_id = header("x-request-id");
        let retry_after = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let bytes = read(&mut answer, LARGEST_ERROR).unwrap_or_default();
        Err(Error::Refused(Box::new(Refusal::read(status, request_id, retry_after, &bytes))))
    }
}

impl Client {
    fn run(&self, request: ureq::http::request::Builder, body: impl AsSendBody) -> Result<Response<Body>> {
        let request = request.body(body).map_err(|error| Error::Unreadable(error.to_string()))?;
        self.agent.run(request).map_err(|error| match error {
            ureq::Error::BadUri(why) => Error::Address(why),
            other => Error::Unreachable(format!("{} ({})", other, self.base())),
        })
    }
}

fn read(answer: &mut Response<Body>, limit: u64) -> Result<Vec<u8>> {
    answer.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| Error::Unreachable(error.to_string()))
}

/// Parses JSON. The error does not quote a body that may hold a secret.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        let looks_like_json = bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"[");
        if looks_like_json {
            format!("unexpected JSON at line {}, column {}", error.line(), error.column())
        } else {
            let start: String = String::from_utf8_lossy(bytes).chars().take(QUOTED).collect();
            format!("no JSON but {start:?}")
        }
    })
}

/// `name=value` pairs, without fields that are null.
fn form(fields: &serde_json::Map<String, Value>) -> String {
    let pairs = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", utf8_percent_encode(name, ENCODED), utf8_percent_encode(&value, ENCODED))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A response body that is not JSON, read as it arrives.
pub struct Download(Box<dyn Read + Send>);

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Download")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plain;

    fn client() -> Client {
        Client::new("http://localhost:1/base/", Plain::LocalOnly).unwrap()
    }

    #[test]
    fn path_segments_stay_segments() {
        let client = client();
        let call = Call::new(&client, "GET", "/v1/baselines/").segment("acme/wid gets?#").path("/history");
        assert_eq!(call.url, "http://localhost:1/base/v1/baselines/acme%2Fwid%20gets%3F%23/history");
    }

    #[test]
    fn a_query_has_every_value_and_no_absent_one() {
        let client = client();
        let call = Call::new(&client, "GET", "/a")
            .query("none", None::<&str>)
            .query("limit", Some(5))
            .query("scope", ["a:b", "c&d"]);
        assert_eq!(call.url, "http://localhost:1/base/a?limit=5&scope=a%3Ab&scope=c%26d");
    }

    #[test]
    fn a_form_leaves_out_what_is_null() {
        let Value::Object(fields) = serde_json::json!({ "token": "a b&c", "hint": null, "n": 5 }) else { panic!() };
        assert_eq!(form(&fields), "n=5&token=a%20b%26c");
    }

    #[test]
    fn an_unreadable_body_that_may_hold_a_secret_is_not_quoted() {
        let why = parse::<u8>(br#"{"secret":"nlp_0011"}"#).unwrap_err();
        assert!(!why.contains("nlp_"), "{why}");
        assert!(parse::<u8>(b"<html>").unwrap_err().contains("<html>"));
    }

    #[test]
    fn a_closed_port_is_unreachable() {
        assert!(matches!(client().health(), Err(Error::Unreachable(_))));
    }
}

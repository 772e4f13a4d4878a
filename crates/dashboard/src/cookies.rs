//! The cookies of the dashboard: the session, the message that survives a redirect, the choice of light or dark.
//!
//! Over HTTPS the names begin with `__Host-`: a browser accepts such a cookie only if it is secure, has the path `/`
//! and no domain, so that a site on another sub-domain cannot set one. On a loopback host the names have no prefix,
//! because some browsers refuse secure cookies there.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use authority::sessions::SessionToken;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A cookie of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The session token.
    Session,
    /// A message for the next page.
    Message,
    /// `light` or `dark`.
    Theme,
    /// A sign-in under way at an identity provider.
    Attempt,
}

impl Cookie {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Session => ("__Host-nls", "nls"),
            Self::Message => ("__Host-nls-message", "nls-message"),
            Self::Theme => ("__Host-nls-theme", "nls-theme"),
            Self::Attempt => ("__Host-nls-attempt", "nls-attempt"),
        }
    }

    fn name(self, request: &HttpRequest) -> &'static str {
        let (secure, plain) = self.names();
        if is_loopback(request) { plain } else { secure }
    }

    /// The cookie's value. If the browser sent two with the same name, neither counts.
    pub(crate) fn read(self, request: &HttpRequest) -> Option<String> {
        let name = self.name(request);
        let sent = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let mut values = sent
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }

    /// The header that sets the cookie for `seconds`; zero deletes it.
    pub(crate) fn set(self, request: &HttpRequest, value: &str, seconds: i64) -> HeaderValue {
        let secure = if is_loopback(request) { "" } else { "; Secure" };
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        let name = self.name(request);
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        // Cannot fail: percent-encoded text is ASCII without control characters.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The session token of a request.
pub(crate) fn session(request: &HttpRequest) -> Option<SessionToken> {
    SessionToken::parse(&Cookie::Session.read(request)?)
}

/// Whether the `Host` header names this machine.
fn is_loopback(request: &HttpRequest) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    // Parse the address instead of comparing prefixes: `127.evil.example` is a host name.
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(host: &str, cookies: &str) -> HttpRequest {
        TestRequest::default()
            .insert_header((header::HOST, host))
            .insert_header((header::COOKIE, cookies))
            .to_http_request()
    }

    #[test]
    fn a_cookie_counts_by_its_full_name_and_only_if_sent_once() {
        for (host, cookies, expected) in [
            ("localhost:8080", "nls=a", Some("a")),
            ("127.0.0.1", "x=1; nls=a%20b", Some("a b")),
            ("[::1]:8080", "nls=a", Some("a")),
            ("tokens.example.org", "__Host-nls=a", Some("a")),
            // A site on another sub-domain can set a plain name; on localhost the prefixed name is never set.
            ("tokens.example.org", "nls=a", None),
            ("localhost", "__Host-nls=a", None),
            ("localhost", "nls=a; nls=b", None),
            ("localhost", "nlsx=a", None),
            ("127.evil.example", "nls=b", None),
        ] {
            assert_eq!(Cookie::Session.read(&request(host, cookies)).as_deref(), expected, "{host} {cookies}");
        }
    }

    #[test]
    fn cookies_are_for_the_host_alone_and_read_back() {
        let written = |host| Cookie::Message.set(&request(host, ""), "é; Path=/x", 60).to_str().unwrap().to_owned();
        assert_eq!(
            written("tokens.example.org"),
            "__Host-nls-message=%C3%A9%3B%20Path%3D%2Fx; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(!written("localhost").contains("Secure") && !written("localhost").contains("Domain"));
        let sent = request("localhost", "nls-message=%C3%A9%3B%20Path%3D%2Fx");
        assert_eq!(Cookie::Message.read(&sent).as_deref(), Some("é; Path=/x"));
    }
}

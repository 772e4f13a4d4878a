//! A browser without scripts: it keeps cookies, submits forms, and follows redirects on request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::support::{Answer, Client, Request, Server};

/// A browser for one server. The `Host` it sends is not a loopback name, so cookies are those of a public deployment.
pub(crate) struct Browser {
    client: Client,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The headers by which a browser describes the page of a form.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        Self::with(server.anyone())
    }

    /// A browser that visits another server.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self::with(Client::new(address))
    }

    fn with(client: Client) -> Self {
        let headers = vec![("Origin", "https://it".to_owned()), ("Sec-Fetch-Site", "same-origin".to_owned())];
        Self { client, cookies: BTreeMap::new(), headers }
    }

    /// A browser in which the owner is signed in.
    pub(crate) fn of_owner(server: &Server) -> Self {
        let mut browser = Self::new(server);
        let answer = browser.sign_in(Server::OWNER, Server::PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    pub(crate) fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("email", email), ("password", password)])
    }

    /// The token of the session that somebody is signed in by.
    #[track_caller]
    pub(super) fn session(&self) -> String {
        self.cookies["__Host-nls"].replace("%5F", "_")
    }

    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn take(&mut self, answer: Answer) -> Answer {
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, rest) = value.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0") || attributes.contains("01 Jan 1970") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let cookie = self.cookie();
        let answer = self.client.ask(Request::new("GET", path).header("Cookie", cookie));
        self.take(answer)
    }

    /// The HTML of a page, which must exist.
    #[track_caller]
    pub(crate) fn page(&mut self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text().to_owned()
    }

    /// Submits a form with exactly these fields.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let cookie = self.cookie();
        let body = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let mut request = Request::new("POST", path)
            .header("Cookie", cookie)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body.collect::<Vec<_>>().join("&"));
        for (name, value) in &self.headers {
            request = request.header(name, value.clone());
        }
        let answer = self.client.ask(request);
        self.take(answer)
    }

    /// Submits a form with these fields and this session's form token.
    pub(crate) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf();
        let fields: Vec<(&str, &str)> =
            std::iter::once(("_csrf", csrf.as_str())).chain(fields.iter().copied()).collect();
        self.post(path, &fields)
    }

    /// The form token of this session.
    #[track_caller]
    pub(crate) fn csrf(&mut self) -> String {
        let page = self.page("/settings");
        hidden(&page, "_csrf")
    }
}

/// The value of a hidden field.
#[track_caller]
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// The text with all characters percent-encoded, also those that a browser would not encode.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "%{byte:02X}").unwrap();
        out
    })
}

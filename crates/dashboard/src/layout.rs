//! The frame of every page: the signed-in person and organisation, the navigation, and the message of a redirect.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};

use crate::answer::Tone;
use crate::assets::Links;
use crate::cookies::Cookie;

/// A part of the dashboard that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Tokens,
    Check,
    Trust,
    Keys,
    People,
    Projects,
    Usage,
    Audit,
    Settings,
}

impl Section {
    /// All sections: path, name, and the scope without which the navigation leaves the section out.
    pub(crate) const ALL: [(Self, &'static str, &'static str, Option<&'static str>); 10] = [
        (Self::Overview, "/", "Overview", None),
        (Self::Tokens, "/tokens", "Tokens", Some("tokens:read")),
        (Self::Keys, "/keys", "My keys", Some("user:read")),
        (Self::Check, "/check", "Check a token", Some("tokens:read")),
        (Self::Trust, "/trust", "Trust policies", Some("tokens:read")),
        (Self::Projects, "/projects", "Projects", Some("projects:read")),
        (Self::People, "/members", "People", Some("org.memberships:read")),
        (Self::Usage, "/usage", "Usage", Some("usage:read")),
        (Self::Audit, "/audit", "Audit", Some("audit:read")),
        (Self::Settings, "/settings", "Settings", None),
    ];
}

/// A link of the navigation.
#[derive(Clone, Debug)]
pub(crate) struct NavLink {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) is_current: bool,
}

/// A message of the action that redirected here.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

/// What the base template shows on every page.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) title: String,
    pub(crate) links: Links,
    /// `light`, `dark`, or empty for what the browser prefers.
    pub(crate) theme: &'static str,
    pub(crate) path: String,
    pub(crate) message: Option<Message>,
    pub(crate) nav: Vec<NavLink>,
    pub(crate) organization: String,
    pub(crate) person: String,
    pub(crate) role: String,
    /// Empty when nobody is signed in.
    pub(crate) csrf: String,
}

impl Layout {
    /// The layout of a page that needs no session.
    pub(crate) fn anonymous(request: &HttpRequest, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            links: Links::current(),
            theme: match Cookie::Theme.read(request).as_deref() {
                Some("light") => "light",
                Some("dark") => "dark",
                _ => "",
            },
            path: request.uri().path_and_query().map_or("/", |whole| whole.as_str()).to_owned(),
            message: message(request),
            nav: Vec::new(),
            organization: String::new(),
            person: String::new(),
            role: String::new(),
            csrf: String::new(),
        }
    }

    /// Adds to an answer that shows the message the header that deletes its cookie.
    pub(crate) fn shown(&self, request: &HttpRequest, mut answer: HttpResponse) -> HttpResponse {
        if self.message.is_some() {
            answer.headers_mut().append(header::SET_COOKIE, Cookie::Message.set(request, "", 0));
        }
        answer
    }
}

fn message(request: &HttpRequest) -> Option<Message> {
    let text = Cookie::Message.read(request)?;
    let (tone, text) = text.split_once(':')?;
    Some(Message { tone: Tone::parse(tone)?.as_str(), text: text.to_owned() })
}

/// The header that keeps the choice of light or dark for a year.
pub(crate) fn theme_cookie(request: &HttpRequest, theme: &str) -> HeaderValue {
    match theme {
        "light" | "dark" => Cookie::Theme.set(request, theme, 365 * 24 * 3_600),
        _ => Cookie::Theme.set(request, "", 0),
    }
}

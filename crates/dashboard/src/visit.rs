//! Authenticates the visitor of a page, and protects forms against cross-site request forgery.
//!
//! A form is accepted if three things hold: the browser says that the page it was sent from is of this origin
//! (`Sec-Fetch-Site`, `Origin`), the session is good, and the form carries the session's own token, which only pages
//! shown to that session have. If the session has ended or changed, the page that asks to sign in keeps the form's
//! fields.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use authority::people::Me;
use authority::sessions::{AuthError, Presented, SessionToken};
use authority::{Caller, Failure, Origin, Refused};
use edge::extract::ClientIp;
use edge::request_id::RequestId;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use token_domain::Timestamp;

use crate::answer::{page, to};
use crate::cookies;
use crate::form::{Form, LONGEST};
use crate::layout::{Layout, NavLink, Section};
use crate::services::Services;

/// A signed-in person.
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    pub(crate) origin: Origin,
    pub(crate) me: Me,
    pub(crate) now: Timestamp,
    /// The CSRF token of this session's forms.
    pub(crate) csrf: String,
    pub(crate) services: Services,
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct Problem {
    pub(crate) page: Layout,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) back: &'static str,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) page: Layout,
    pub(crate) email: String,
    pub(crate) asks_code: bool,
    pub(crate) problem: String,
    pub(crate) notice: String,
    /// Where to go after signing in.
    pub(crate) next: String,
    /// The fields of a form that could not be carried out.
    pub(crate) kept: Vec<(String, String)>,
    /// Whether a new password can be requested by mail.
    pub(crate) resets_passwords: bool,
    /// The identity providers that people sign in by: where it begins, and the name.
    pub(crate) providers: Vec<(String, String)>,
}

/// Shows the fields of an interrupted form, to be sent again with the current session's CSRF token.
#[derive(Template)]
#[template(path = "resume.html")]
pub(crate) struct ResumePage {
    pub(crate) page: Layout,
    pub(crate) action: String,
    pub(crate) kept: Vec<(String, String)>,
    pub(crate) text: &'static str,
}

impl Visitor {
    /// The visitor of a page; without a good session, a redirect to the sign-in page.
    pub(crate) async fn enter(request: &HttpRequest, services: &Services) -> Result<Self, HttpResponse> {
        Self::with(request, services, Reach::Full).await.map_err(|missing| missing.answer(request, services, None))
    }

    /// As [`Visitor::enter`], but also lets in a person who still has to set up a second factor.
    pub(crate) async fn enter_to_enrol(request: &HttpRequest, services: &Services) -> Result<Self, HttpResponse> {
        Self::with(request, services, Reach::Enrolling).await.map_err(|missing| missing.answer(request, services, None))
    }

    /// The visitor who sent a form, and the form.
    pub(crate) async fn posted(
        request: &HttpRequest,
        services: &Services,
        body: &[u8],
    ) -> Result<(Self, Form), HttpResponse> {
        Self::posted_with(request, services, body, Reach::Full).await
    }

    /// As [`Visitor::enter_to_enrol`], with a form.
    pub(crate) async fn posted_to_enrol(
        request: &HttpRequest,
        services: &Services,
        body: &[u8],
    ) -> Result<(Self, Form), HttpResponse> {
        Self::posted_with(request, services, body, Reach::Enrolling).await
    }

    async fn posted_with(
        request: &HttpRequest,
        services: &Services,
        body: &[u8],
        reach: Reach,
    ) -> Result<(Self, Form), HttpResponse> {
        let form = own_form(request, services, body)?;
        let visitor = Self::with(request, services, reach)
            .await
            .map_err(|missing| missing.answer(request, services, Some(&form)))?;
        let carried = form.raw("_csrf").as_bytes();
        if bool::from(visitor.csrf.as_bytes().ct_eq(carried)) {
            return Ok((visitor, form));
        }
        // The form was opened in an earlier session: show its fields again and change nothing.
        let resume = ResumePage {
            page: Layout::of(request, &visitor, Section::Overview, "Continue"),
            action: request.path().to_owned(),
            kept: form.kept(),
            text: "This form was opened in an earlier session. Nothing was changed; your input is kept.",
        };
        Err(page(StatusCode::FORBIDDEN, &resume))
    }

    async fn with(request: &HttpRequest, services: &Services, reach: Reach) -> Result<Self, Missing> {
        let origin = origin(request);
        let token = cookies::session(request).ok_or(Missing::Session)?;
        let csrf = csrf(&token);
        let presented = Presented::Session(token);
        let caller = match reach {
            Reach::Full => services.sessions.authenticate(&presented, &origin).await,
            Reach::Enrolling => services.sessions.authenticate_to_enrol(&presented, &origin).await,
        };
        let caller = caller.map_err(|error| match error {
            AuthError::Invalid | AuthError::Elsewhere => Missing::Session,
            AuthError::SecondFactorRequired => Missing::SecondFactor,
            AuthError::Failed(failure) => Missing::Service(failure),
        })?;
        let me = services.people.me(&caller).await.map_err(|error| match error {
            authority::people::PersonError::Failed(failure) => Missing::Service(failure),
            _ => Missing::Session,
        })?;
        Ok(Self { caller, origin, me, now: services.context.now(), csrf, services: services.clone() })
    }

    /// Whether the person has this scope.
    pub(crate) fn may(&self, scope: &str) -> bool {
        let catalogue = self.services.context.catalogue();
        catalogue.require_all(&[scope]).is_ok_and(|required| required.check(&self.caller.effective).is_ok())
    }

    /// An error page unless the person has this scope.
    pub(crate) fn check(&self, request: &HttpRequest, scope: &str) -> Result<(), HttpResponse> {
        if self.may(scope) {
            return Ok(());
        }
        let text = format!(
            "This page requires the scope {scope}, which your role {} does not have. An administrator can give you another role.",
            self.me.role
        );
        Err(self.problem(request, StatusCode::FORBIDDEN, "Not allowed", &text))
    }

    /// As [`check`](Self::check), before a change. The authority checks again inside the transaction.
    pub(crate) fn admit(&mut self, request: &HttpRequest, scope: &str) -> Result<(), HttpResponse> {
        self.check(request, scope)?;
        if let Ok(requirement) = self.services.context.catalogue().require_all(&[scope]) {
            self.caller.admission.requirement = requirement;
        }
        Ok(())
    }

    /// An error page.
    pub(crate) fn problem(&self, request: &HttpRequest, status: StatusCode, heading: &str, text: &str) -> HttpResponse {
        let problem = Problem {
            page: Layout::of(request, self, Section::Overview, heading),
            heading: heading.to_owned(),
            text: text.to_owned(),
            back: "/",
        };
        page(status, &problem)
    }

    /// The page for a change that the authority refused because the person's rights changed meanwhile.
    pub(crate) fn refused(&self, request: &HttpRequest, refused: &Refused) -> HttpResponse {
        match refused {
            Refused::Gone => to("/sign-in"),
            Refused::SecondFactorRequired => to("/settings/second-factor"),
            Refused::ProofNeeded => {
                let path = percent_encoding::utf8_percent_encode(request.path(), percent_encoding::NON_ALPHANUMERIC);
                to(&format!("/settings/proof?next={path}"))
            }
            Refused::Lacks(_) | Refused::OfProvider | Refused::Superseded => {
                self.problem(request, StatusCode::FORBIDDEN, "Not allowed", &explain_refused(refused))
            }
        }
    }

    /// The page for something that does not exist or that the person may not see.
    pub(crate) fn not_found(&self, request: &HttpRequest) -> HttpResponse {
        let text = "There is nothing here, or it belongs to another organisation.";
        self.problem(request, StatusCode::NOT_FOUND, "Not found", text)
    }

    /// The page for an internal error or an unavailable database.
    pub(crate) fn failed(&self, request: &HttpRequest, failure: &Failure) -> HttpResponse {
        tracing::debug!(who = %self.caller.principal(), "a page failed for this caller");
        failed(request, failure, None)
    }
}

impl Layout {
    /// The layout of a signed-in person's page.
    pub(crate) fn of(request: &HttpRequest, visitor: &Visitor, section: Section, title: &str) -> Self {
        let may = |scope: Option<&str>| scope.is_none_or(|scope| visitor.may(scope));
        let nav = Section::ALL
            .into_iter()
            .filter(|(_, _, _, scope)| may(*scope))
            .map(|(this, href, label, _)| NavLink { href, label, is_current: this == section })
            .collect();
        let standing = &visitor.me.standing;
        Self {
            nav,
            organization: standing.organization.name.to_string(),
            person: standing.user.name.to_string(),
            role: visitor.me.role.clone(),
            csrf: visitor.csrf.clone(),
            ..Self::anonymous(request, title)
        }
    }
}

/// A refusal in words for the person who sent the form.
pub(crate) fn explain_refused(refused: &Refused) -> String {
    match refused {
        Refused::Lacks(missing) => format!("Your role no longer has {}. Nothing was changed.", missing.join(", ")),
        Refused::Gone => "Your session has ended. Nothing was changed.".to_owned(),
        Refused::SecondFactorRequired => {
            "Your organisation now requires a second factor. Nothing was changed.".to_owned()
        }
        Refused::ProofNeeded => {
            "Confirm your identity first, on the page Settings, Confirm your identity. Nothing was changed.".to_owned()
        }
        Refused::OfProvider => {
            "You signed in with your organisation's account, which counts for this organisation alone: not for other organisations, and not for your address, password or second factor here. Sign in with your password for that. Nothing was changed.".to_owned()
        }
        Refused::Superseded => "The action failed.".to_owned(),
    }
}

#[derive(Clone, Copy)]
enum Reach {
    Full,
    Enrolling,
}

/// Why the visitor is not let in.
enum Missing {
    Session,
    SecondFactor,
    Service(Failure),
}

impl Missing {
    fn answer(self, request: &HttpRequest, services: &Services, form: Option<&Form>) -> HttpResponse {
        match (self, form) {
            (Self::Service(failure), form) => failed(request, &failure, form),
            (Self::SecondFactor, _) => to("/settings/second-factor"),
            (Self::Session, None) => {
                let path = request.uri().path_and_query().map_or("/", |whole| whole.as_str());
                let path = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC);
                to(&format!("/sign-in?next={path}"))
            }
            (Self::Session, Some(form)) => {
                let sign_in = SignInPage {
                    page: Layout::anonymous(request, "Sign in"),
                    email: String::new(),
                    asks_code: false,
                    problem: String::new(),
                    notice: "Your session has ended. Sign in to continue: your input is kept.".to_owned(),
                    next: request.path().to_owned(),
                    kept: form.kept(),
                    // The kept input would be lost on the way.
                    resets_passwords: false,
                    providers: services.providers("/", None),
                };
                page(StatusCode::UNAUTHORIZED, &sign_in)
            }
        }
    }
}

/// 503, with the form's fields kept, while a dependency is unavailable; 500 for an internal error.
fn failed(request: &HttpRequest, failure: &Failure, form: Option<&Form>) -> HttpResponse {
    if !failure.is_transient() {
        tracing::error!(%failure, "a page failed");
        let problem = Problem {
            page: Layout::anonymous(request, "Something went wrong"),
            heading: "Something went wrong".to_owned(),
            text: "This is an internal error, and it was logged. Try again. If the error persists, give the request id of the response to the administrator of this service.".to_owned(),
            back: "/",
        };
        return page(StatusCode::INTERNAL_SERVER_ERROR, &problem);
    }
    tracing::warn!(%failure, "the database cannot be reached: a page was answered with 503");
    let (action, kept) =
        form.map_or_else(|| (String::new(), Vec::new()), |form| (request.path().to_owned(), form.kept()));
    let resume = ResumePage {
        page: Layout::anonymous(request, "Unavailable"),
        action,
        kept,
        text: "The database cannot be reached at the moment. Nothing was changed; your input is kept on this page. Try again in a few seconds.",
    };
    let mut answer = page(StatusCode::SERVICE_UNAVAILABLE, &resume);
    answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("2"));
    answer
}

/// The form, unless the browser says that it comes from another site.
pub(crate) fn own_form(request: &HttpRequest, services: &Services, body: &[u8]) -> Result<Form, HttpResponse> {
    let refused = |status, text: &str| {
        let problem = Problem {
            page: Layout::anonymous(request, "Refused"),
            heading: "Refused".to_owned(),
            text: text.to_owned(),
            back: "/",
        };
        page(status, &problem)
    };
    if body.len() > LONGEST {
        return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "The form is too long."));
    }
    if !is_of_this_origin(request, services.place.origin.as_deref()) {
        return Err(refused(
            StatusCode::FORBIDDEN,
            "This form was not sent from a page of this service. Nothing was changed.",
        ));
    }
    Ok(Form::read(body))
}

/// Whether the browser's headers allow that the request comes from this site. If it sends none, only the form's CSRF
/// token protects.
fn is_of_this_origin(request: &HttpRequest, public: Option<&str>) -> bool {
    let value = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let site_fits = value("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let host = value("host").unwrap_or_default();
    let origin_fits = value("origin").is_none_or(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        public == Some(origin) || (!host.is_empty() && authority == Some(host))
    });
    site_fits && origin_fits
}

/// Scheme and host of this site, for links that leave the browser: the configured ones, else those of the page that an
/// accepted form was sent from, else those of the request.
pub(crate) fn site(request: &HttpRequest, services: &Services) -> String {
    let value = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let seen = || value("origin").filter(|origin| origin.contains("://")).map(str::to_owned);
    let asked = || format!("http://{}", value("host").unwrap_or("localhost"));
    services.place.origin.clone().or_else(seen).unwrap_or_else(asked)
}

/// The CSRF token of a session. It does not reveal the session token and cannot be computed from the database.
pub(crate) fn csrf(token: &SessionToken) -> String {
    let digest = Sha256::new().chain_update(b"nolapse dashboard form\0").chain_update(token.expose()).finalize();
    digest.iter().take(20).fold(String::with_capacity(40), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The request origin, for the audit trail.
pub(crate) fn origin(request: &HttpRequest) -> Origin {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let client_ip = ClientIp::of(request).0;
    Origin {
        request_id: RequestId::of(request).map(|id| id.as_str().to_owned()).unwrap_or_default(),
        client_ip,
        presented_from: client_ip,
        user_agent: user_agent.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_form_from_another_site_is_recognised() {
        let public = Some("https://tokens.example.org");
        for (headers, expected) in [
            (vec![], true),
            (vec![("origin", "http://localhost:8080")], true),
            (vec![("origin", "https://localhost:8080")], true),
            (vec![("origin", "https://tokens.example.org")], true),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "https://localhost:8080.evil.example")], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "")], false),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")], false),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], false),
        ] {
            let mut request = TestRequest::default().insert_header((header::HOST, "localhost:8080"));
            for header in &headers {
                request = request.insert_header(*header);
            }
            assert_eq!(is_of_this_origin(&request.to_http_request(), public), expected, "{headers:?}");
        }
    }

    #[test]
    fn every_session_has_its_own_form_token() {
        let [one, two] = [1, 2].map(|byte| SessionToken::from_random([byte; 32]));
        assert_eq!((csrf(&one).len(), csrf(&one)), (40, csrf(&one)));
        assert_ne!(csrf(&one), csrf(&two));
        assert!(!one.expose().contains(&csrf(&one)));
    }
}

//! Single sign-on at a real provider, npm's `oidc-provider`, through all of its redirects and forms.

use std::net::SocketAddr;

use serde_json::json;
use url::Url;

use super::browser::{Browser, hidden};
use crate::support::{Answer, Backend, IdentityProvider, Server, both};

both!(
    people_sign_in_at_a_real_provider_and_confirm_their_identity_there,
    a_real_provider_vouches_for_no_address_and_people_can_decline,
);

/// A person with a browser, who visits the server and the provider.
struct Person {
    here: Browser,
    there: Browser,
    login: &'static str,
    /// How often the provider asked who it is.
    asked: usize,
}

impl Person {
    fn new(server: &Server, provider: &IdentityProvider, login: &'static str) -> Self {
        let address: SocketAddr = provider.issuer.strip_prefix("http://").unwrap().parse().unwrap();
        Self { here: Browser::new(server), there: Browser::at(address), login, asked: 0 }
    }

    /// Begins on a page of the server; the provider's address to go to.
    fn leave(&mut self, path: &str) -> String {
        let answer = self.here.get(path);
        assert_eq!(answer.status, 303, "{}", answer.text());
        path_of(answer.header("location").unwrap())
    }

    /// Answers the provider's forms until it sends the browser back; the path of the callback.
    fn answer(&mut self, mut path: String) -> String {
        loop {
            let shown = self.there.get(&path);
            let answer = match shown.status {
                200 if hidden(shown.text(), "prompt") == "login" => {
                    self.asked += 1;
                    self.there
                        .post(&action(shown.text()), &[("prompt", "login"), ("login", self.login), ("password", "x")])
                }
                200 => self.there.post(&action(shown.text()), &[("prompt", "consent")]),
                _ => shown,
            };
            assert_eq!(answer.status, 303, "{path}: {}", answer.text());
            let next = answer.header("location").unwrap();
            if let Some(back) = next.strip_prefix("https://it") {
                return back.to_owned();
            }
            path = path_of(next);
        }
    }

    /// A whole sign-in.
    fn sign_in(&mut self, path: &str) -> Answer {
        let left = self.leave(path);
        let back = self.answer(left);
        self.here.get(&back)
    }
}

/// Path and query of an address or a path.
fn path_of(address: &str) -> String {
    let url = Url::parse("http://it").unwrap().join(address).unwrap();
    url[url::Position::BeforePath..].to_owned()
}

/// The path that a form is sent to.
fn action(page: &str) -> String {
    path_of(page.split_once("action=\"").unwrap().1.split_once('"').unwrap().0)
}

const ROLES: &str = "default_role = \"viewer\"\n[provider.roles]\nadmin = [\"platform\"]";

fn people_sign_in_at_a_real_provider_and_confirm_their_identity_there(backend: Backend) {
    let provider = IdentityProvider::start("https://it", ROLES);
    let server = Server::start(backend, provider.options());
    let mut ann = Person::new(&server, &provider, "ann+platform");
    assert!(ann.here.page("/sign-in?next=/tokens").contains("Sign in with Acme account"));
    let answer = ann.sign_in("/sign-in/sso/corp?next=/tokens");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/tokens")), "{}", answer.text());
    let me = server.caller(&ann.here.session()).get("/v1/me").expect(200);
    assert_eq!(me["email"], "ann@acme.example", "from the claims beside the identity token");
    assert_eq!((&me["name"], &me["role"]), (&json!("ANN"), &json!("admin")));
    // The provider remembers her: another sign-in takes no password.
    let first = ann.here.session();
    let mut again = Person { here: Browser::new(&server), ..ann };
    assert_eq!(again.sign_in("/sign-in/sso/corp").header("location"), Some("/?after=sign-in"));
    assert_eq!(again.asked, 1);
    // For a proof it asks.
    let answer = again.sign_in("/sign-in/sso/corp?next=/settings&fresh=1");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/settings")), "{}", answer.text());
    assert_eq!(again.asked, 2);
    let ended = again.here.submit("/settings", &[("what", "end-sessions")]);
    assert_eq!((ended.status, ended.header("location")), (303, Some("/settings")), "{}", ended.text());
    assert_eq!(server.caller(&first).get("/v1/me").status, 401);
    let mut namesake = Person::new(&server, &provider, "ann");
    assert_eq!(namesake.sign_in("/sign-in/sso/corp").status, 403, "another subject with the address of an account");
    let mut bob = Person::new(&server, &provider, "bob");
    assert_eq!(bob.sign_in("/sign-in/sso/corp").status, 303);
    let me = server.caller(&bob.here.session()).get("/v1/me").expect(200);
    assert_eq!((&me["email"], &me["role"]), (&json!("bob@acme.example"), &json!("viewer")));
}

fn a_real_provider_vouches_for_no_address_and_people_can_decline(backend: Backend) {
    let provider = IdentityProvider::start("https://it", ROLES);
    let server = Server::start(backend, provider.options());
    let mut mallory = Person::new(&server, &provider, "mallory");
    let answer = mallory.sign_in("/sign-in/sso/corp");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("gives no verified e-mail address for you"), "{}", answer.text());
    assert!(!mallory.here.cookies.contains_key("__Host-nls"));
    let mut ann = Person::new(&server, &provider, "ann");
    let left = ann.leave("/sign-in/sso/corp");
    let form = ann.there.get(&left);
    let form = ann.there.get(&path_of(form.header("location").unwrap()));
    let abort = action(form.text()) + "/abort";
    let declined = ann.there.get(&abort);
    let back = ann.answer(path_of(declined.header("location").unwrap()));
    assert!(back.contains("error=access_denied") && back.contains("&iss="), "{back}");
    let answer = ann.here.get(&back);
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("Acme account did not sign you in: you declined there"), "{}", answer.text());
}

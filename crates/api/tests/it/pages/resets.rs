//! A forgotten password on the pages, in a browser without scripts.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, MailServer, Options, Server, both};

both!(a_password_is_reset_on_the_pages_that_the_message_leads_to, a_deployment_without_mail_offers_no_reset,);

const NEW: &str = "an unlikely string of words 7";
const SUBJECT: &str = "Choose a new password";

fn a_password_is_reset_on_the_pages_that_the_message_leads_to(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut browser = Browser::new(&server);
    assert!(browser.page("/sign-in").contains("href=\"/password-reset/request\""));
    let refused = browser.post("/password-reset/request", &[("email", "ada")]);
    assert!(refused.status == 422 && refused.text().contains("value=\"ada\""), "{}", refused.text());
    let texts = [Server::OWNER, "nobody@acme.example"].map(|email| {
        let shown = browser.post("/password-reset/request", &[("email", email)]);
        assert_eq!(shown.status, 200);
        shown.text().replace(email, "…")
    });
    assert_eq!(texts[0], texts[1], "the page is the same for every address");
    let code = mail.wait_for_mail(Server::OWNER, SUBJECT).code("nlr_");
    let wrong = browser.post("/password-reset", &[("code", "nlr_0"), ("new_password", NEW)]);
    assert!(wrong.status == 422 && wrong.text().contains("wrong, used or expired"), "{}", wrong.text());
    let weak = browser.post("/password-reset", &[("code", &code), ("new_password", "short")]);
    assert!(weak.status == 422 && weak.text().contains("at least 12 characters"), "{}", weak.text());
    assert!(weak.text().contains(&code) && !weak.text().contains("short\""), "the code is kept, no password is");
    assert_eq!(browser.post("/password-reset", &[("code", &code), ("new_password", NEW)]).status, 303);
    assert!(browser.page("/sign-in").contains("Your password is set"));
    browser.headers = vec![("Origin", "https://evil.example".to_owned()), ("Sec-Fetch-Site", "cross-site".to_owned())];
    for path in ["/password-reset", "/password-reset/request"] {
        assert_eq!(browser.post(path, &[("email", Server::OWNER)]).status, 403, "{path}");
    }
}

fn a_deployment_without_mail_offers_no_reset(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::new(&server);
    assert!(!browser.page("/sign-in").contains("/password-reset"));
    assert!(browser.page("/password-reset/request").contains("This service sends no mail."));
    let refused = browser.post("/password-reset/request", &[("email", Server::OWNER)]);
    assert!(refused.status == 422 && refused.text().contains("sends no mail"), "{}", refused.text());
    server.anyone().post("/v1/password-resets", &json!({"email": Server::OWNER})).fails(409, "mail not configured");
}

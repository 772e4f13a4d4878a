//! Protection against cross-site forms, and keeping typed values when a form is refused.

use super::browser::{Browser, hidden};
use crate::support::{Backend, Database, MailServer, Options, Proxy, Server, both, eventually, texts};

use serde_json::json;

both!(
    a_form_counts_from_a_page_of_this_session_alone,
    what_was_typed_survives_the_end_of_the_session,
    cookies_are_for_this_host_alone_and_end_with_the_session,
    v1_reads_no_cookie,
    an_invitation_is_accepted_on_the_page_its_link_leads_to,
    the_link_of_an_invitation_is_whole,
    an_address_is_moved_on_the_page_that_the_message_leads_to,
);

/// The form token, the browser's headers about the form's page, and the status of the answer.
type Row<'c> = (Option<&'c str>, Vec<(&'static str, String)>, u16);

fn new_token<'f>(name: &'f str, nonce: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![("name", name), ("scope", "execute"), ("expires", "90d"), ("_nonce", nonce)]
}

fn a_form_counts_from_a_page_of_this_session_alone(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut browser, mut other) = (Browser::of_owner(&server), Browser::of_owner(&server));
    let (good, foreign) = (browser.csrf(), other.csrf());
    let fetched = |site: &str| vec![("Sec-Fetch-Site", site.to_owned())];
    let from = |origin: &str| vec![("Origin", origin.to_owned())];
    let rows: Vec<Row<'_>> = vec![
        (None, fetched("same-origin"), 403),
        (Some(""), fetched("same-origin"), 403),
        (Some("0000"), fetched("same-origin"), 403),
        (Some(&foreign), fetched("same-origin"), 403),
        (Some(&good), fetched("cross-site"), 403),
        (Some(&good), fetched("same-site"), 403),
        (Some(&good), from("https://evil.example"), 403),
        (Some(&good), from("https://it.evil.example"), 403),
        (Some(&good), from("null"), 403),
        // Without these headers the form token decides.
        (Some(&good), Vec::new(), 200),
        (Some(&good), from("https://it"), 200),
        (Some(&good), fetched("same-origin"), 200),
    ];
    let mut made = 0;
    for (index, (csrf, headers, status)) in rows.into_iter().enumerate() {
        let nonce = format!("{index:032}");
        let mut fields = new_token("csrf", &nonce);
        fields.extend(csrf.map(|csrf| ("_csrf", csrf)));
        browser.headers = headers;
        let answer = browser.post("/tokens/new", &fields);
        assert_eq!(answer.status, status, "row {index}: {}", answer.text());
        made += usize::from(status == 200);
    }
    let listed = server.owner().get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), made);

    // Signing in has no session and so no form token: the browser's headers decide.
    let mut stranger = Browser::new(&server);
    stranger.headers = from("https://evil.example");
    assert_eq!(stranger.sign_in(Server::OWNER, Server::PASSWORD).status, 403);
    assert!(stranger.cookies.is_empty());
}

fn what_was_typed_survives_the_end_of_the_session(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let csrf = browser.csrf();
    assert_eq!(server.owner().delete("/v1/sessions").status, 204);
    let mut fields = new_token("typed \"with\" <care>", "n");
    fields.push(("_csrf", &csrf));
    let asked = browser.post("/tokens/new", &fields);
    assert_eq!(asked.status, 401);
    let page = asked.text().to_owned();
    assert!(page.contains("your input is kept"), "{page}");
    assert_eq!(hidden(&page, "kept.name"), "typed &#34;with&#34; &#60;care&#62;");
    assert!(!page.contains("kept._csrf") && !page.contains("kept.password"));

    let again = [
        ("email", Server::OWNER),
        ("password", Server::PASSWORD),
        ("next", "/tokens/new"),
        ("kept.name", "typed \"with\" <care>"),
        ("kept.scope", "execute"),
        ("kept.expires", "90d"),
    ];
    let resume = browser.post("/sign-in", &again);
    assert_eq!(resume.status, 200, "{}", resume.text());
    let csrf = hidden(resume.text(), "_csrf");
    let back = [
        ("_csrf", csrf.as_str()),
        ("_restore", "1"),
        ("name", "typed \"with\" <care>"),
        ("scope", "execute"),
        ("expires", "90d"),
    ];
    let form = browser.post("/tokens/new", &back);
    assert_eq!(form.status, 200);
    assert!(form.text().contains("typed &#34;with&#34; &#60;care&#62;"), "{}", form.text());
    let listed = server.owner().get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 0, "nothing was carried out by itself");
}

fn cookies_are_for_this_host_alone_and_end_with_the_session(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::new(&server);
    let wrong = browser.sign_in(Server::OWNER, "not the password");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let right = browser.sign_in(Server::OWNER, Server::PASSWORD);
    let cookie = right.header("set-cookie").unwrap();
    for part in ["__Host-nls=", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let before = browser.cookies["__Host-nls"].clone();
    let out = browser.submit("/sign-out", &[]);
    assert_eq!((out.status, out.header("location")), (303, Some("/sign-in")));
    assert!(!browser.cookies.contains_key("__Host-nls"));
    browser.cookies.insert("__Host-nls".to_owned(), before);
    let gone = browser.get("/tokens?status=active");
    assert_eq!((gone.status, gone.header("location")), (303, Some("/sign-in?next=%2Ftokens%3Fstatus%3Dactive")));
}

fn v1_reads_no_cookie(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    browser.get("/v1/tokens").fails(401, "authentication required");
}

#[test]
fn a_database_that_is_away_keeps_what_was_typed() {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let options = Options::default().through(database.url_through(proxy.port()));
    let server = Server::start_on(database, options);
    let mut browser = Browser::of_owner(&server);
    let csrf = browser.csrf();
    let mut fields = new_token("typed during an outage", "n");
    fields.push(("_csrf", &csrf));
    proxy.cut();
    let answer = browser.post("/tokens/new", &fields);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    let page = answer.text().to_owned();
    assert!(page.contains("The database cannot be reached"), "{page}");
    assert_eq!(hidden(&page, "name"), "typed during an outage");
    let read = browser.get("/tokens");
    assert!(read.status == 503 && read.text().contains("Try again"), "{}", read.text());

    // The button of that page sends the fields again: first they are shown, and nothing is made by itself.
    proxy.open();
    let again = [("_restore", "1"), ("name", "typed during an outage"), ("scope", "execute"), ("expires", "90d")];
    let form = eventually("the form with what was typed", || {
        let form = browser.post("/tokens/new", &[&again[..], &[("_csrf", &csrf)]].concat());
        (form.status == 200).then_some(form)
    });
    assert!(form.text().contains("value=\"typed during an outage\""), "{}", form.text());
    assert_eq!(server.owner().get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len(), 0);
}

fn an_invitation_is_accepted_on_the_page_its_link_leads_to(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{organization}/invitations");
    let mut invite = |email: &str| {
        let made = owner.post(&path, &json!({"email": email, "role": "viewer"})).expect(201);
        texts(&made, ["code"])[0].clone()
    };
    let code = invite("guest@acme.example");
    let mut browser = Browser::new(&server);
    assert!(browser.page("/invitation").contains("Accept an invitation"));
    let password = ("password", Server::PASSWORD);
    for (fields, problem) in [
        (vec![("code", "nli_0"), password], "begins with nli_"),
        (vec![("code", &code[..]), ("password", "short")], "The password must have at least"),
        (vec![("code", &code[..])], "The password is missing."),
    ] {
        let refused = browser.post("/invitation", &fields);
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains(problem) && !refused.text().contains(Server::PASSWORD), "{}", refused.text());
    }
    let joined = browser.post("/invitation", &[("code", &code), ("name", "Guest"), password]);
    assert_eq!(joined.status, 200, "{}", joined.text());
    assert!(joined.text().contains("You joined"), "{}", joined.text());
    assert!(browser.post("/invitation", &[("code", &code), password]).text().contains("is not valid"));
    assert_eq!(browser.sign_in("guest@acme.example", Server::PASSWORD).status, 303);

    // Somebody who is signed in accepts as that person, and only a form of their own session counts.
    let other = invite("other@acme.example");
    assert_eq!(browser.post("/invitation", &[("code", &other)]).status, 403, "no form token");
    let refused = browser.submit("/invitation", &[("code", &other)]);
    assert!(refused.text().contains("another address than the one that was invited"), "{}", refused.text());
}

fn the_link_of_an_invitation_is_whole(backend: Backend) {
    let sent_to = |options: Options| {
        let server = Server::start(backend, options);
        let mut browser = Browser::of_owner(&server);
        let made = browser.submit("/members", &[("email", "guest@acme.example"), ("role", "viewer")]);
        assert_eq!(made.status, 200, "{}", made.text());
        let (_, link) = made.text().split_once("id=\"secret\" value=\"").expect("a link");
        let link = link.split_once('"').unwrap().0.replace("&#35;", "#");
        let (page, code) = link.split_once("/invitation#").expect("a link to the page");
        let password = ("password", Server::PASSWORD);
        let joined = Browser::new(&server).post("/invitation", &[("code", code), ("name", "Guest"), password]);
        assert!(joined.text().contains("You joined"), "{}", joined.text());
        page.to_owned()
    };
    assert_eq!(sent_to(Options::default()), "https://it", "the address by which the browser knows the page");
    let options = Options::default().with("server.public_url", "http://localhost:9");
    assert_eq!(sent_to(options), "http://localhost:9", "the configured address");
}

fn an_address_is_moved_on_the_page_that_the_message_leads_to(backend: Backend) {
    const WANTED: &str = "ada@corp.example";
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut browser = Browser::of_owner(&server);
    let refused = browser.submit("/settings/email", &[("what", "request"), ("email", "ada")]);
    assert!(refused.status == 422 && refused.text().contains("value=\"ada\""), "{}", refused.text());
    assert_eq!(browser.submit("/settings/email", &[("what", "request"), ("email", WANTED)]).status, 303);
    let shown = browser.page("/settings/email");
    assert!(shown.contains(&format!("A code was sent to {WANTED}.")), "{shown}");
    assert!(browser.page("/settings").contains(&format!("{WANTED} is not verified yet")));
    let code = mail.wait_for_mail(WANTED, "Verify your e-mail address").code("nle_");
    let wrong = browser.submit("/settings/email", &[("what", "verify"), ("code", "nle_0")]);
    assert!(wrong.status == 422 && wrong.text().contains("wrong, used or expired"), "{}", wrong.text());
    assert_eq!(browser.submit("/settings/email", &[("what", "verify"), ("code", &code)]).status, 303);
    assert!(browser.page("/settings/email").contains(&format!("{WANTED} is verified.")));
    // Mail about tokens is chosen beside the address: an unchecked box switches it off.
    let is_on = |page: &str, name: &str| page.contains(&format!("name=\"{name}\" value=\"1\" checked"));
    let shown = browser.page("/settings/email");
    assert!(is_on(&shown, "token_expiring") && is_on(&shown, "token_new_address"), "{shown}");
    assert_eq!(browser.submit("/settings/email", &[("what", "notices"), ("token_expiring", "1")]).status, 303);
    let shown = browser.page("/settings/email");
    assert!(is_on(&shown, "token_expiring") && !is_on(&shown, "token_new_address"), "{shown}");
}

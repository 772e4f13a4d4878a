//! Pages about the uses of a token, members' sessions and departures, and the renewed proof that pages ask for.

use serde_json::json;
use token_domain::person::BuiltInRole;

use super::browser::{Browser, hidden};
use crate::support::{Backend, Options, Server, both, enrol, eventually, texts};

both!(
    a_token_shows_where_it_was_used_from_and_what_for,
    a_members_sessions_are_seen_and_ended,
    what_somebody_made_is_kept_taken_over_or_revoked,
    an_old_sign_in_is_proven_before_a_secret_and_the_form_waits,
    the_deployment_is_for_operators,
    uses_are_shown_by_hour_with_a_table_behind_the_bars,
    a_policy_is_previewed_and_then_bounds_the_form,
);

fn a_token_shows_where_it_was_used_from_and_what_for(backend: Backend) {
    let server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("CI", &["scans:run", "projects:read", "execute"]), ["id", "secret"]);
    for ip in ["10.0.3.7", "203.0.113.50"] {
        let asked = json!({"token": secret, "ip": ip, "required_scopes": ["scans:run"]});
        owner.post("/v1/auth/validate", &asked).expect(200);
    }
    let mut browser = Browser::of_owner(&server);
    let path = format!("/tokens/{id}");
    let page = eventually("both addresses", || {
        let page = browser.page(&path);
        (page.contains("10.0.3.7") && page.contains("203.0.113.50")).then_some(page)
    });
    assert_eq!(page.matches("new address").count(), 1, "the first is not new: {page}");
    assert_eq!(page.matches("last required <time").count(), 2, "the scope and its companion: {page}");
    assert!(browser.page("/tokens").contains("203.0.113.50"));
    let revoke = browser.page(&format!("{path}/revoke"));
    assert!(revoke.contains("recently from 2 addresses") && revoke.contains("from 203.0.113.50"), "{revoke}");
    // The link to a narrower successor fills the form without the scope named by `without`.
    let form = browser.page(&format!("/tokens/new?like={id}&without=execute"));
    assert!(form.contains("value=\"scans:run\" checked") && !form.contains("value=\"execute\" checked"));
}

fn a_members_sessions_are_seen_and_ended(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let member = facts.add_member("grace@acme.example", BuiltInRole::Member);
    let mut theirs = Browser::new(&server);
    theirs.sign_in("grace@acme.example", Server::PASSWORD);
    assert!(theirs.page("/settings").contains("from 127.0.0.1"));
    let mut browser = Browser::of_owner(&server);
    let path = format!("/members/{}", member.id);
    let page = browser.page(&path);
    assert!(page.contains("Active sessions") && page.contains("End this session"), "{page}");
    assert_eq!(browser.submit(&path, &[("what", "end-sessions")]).status, 303);
    assert!(browser.page(&path).contains("No active sessions"));
    assert_eq!(theirs.get("/tokens").status, 303, "they are asked to sign in again");
}

fn what_somebody_made_is_kept_taken_over_or_revoked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let member = server.facts().add_member("grace@acme.example", BuiltInRole::Admin);
    let [id, secret] = texts(&server.signed_in("grace@acme.example").create("made by Grace"), ["id", "secret"]);
    let mut browser = Browser::of_owner(&server);
    let path = format!("/members/{}", member.id);
    let page = browser.page(&path);
    let take_over = format!("/tokens/{id}/rotate?grace=86400");
    for link in [&take_over, &format!("/tokens/{id}/revoke?reason=person_left")] {
        assert!(page.contains(link.as_str()), "{link}: {page}");
    }
    let form = browser.page(&take_over);
    assert!(form.contains("value=\"86400\" checked"), "{form}");
    let nonce = hidden(&form, "_nonce");
    let done = browser.submit(&format!("/tokens/{id}/rotate"), &[("grace", "86400"), ("_nonce", &nonce)]);
    assert_eq!(done.status, 200, "{}", done.text());
    let mut owner = server.owner();
    assert!(owner.is_valid(&secret), "theirs goes on until the grace ends");
    let old = owner.get(&format!("/v1/tokens/{id}")).expect(200);
    let [successor] = texts(&old, ["rotated_to"]);
    let [by] = texts(&owner.get(&format!("/v1/tokens/{successor}")).expect(200), ["created_by"]);
    assert_eq!(by, format!("user:{}", server.facts().user(Server::OWNER).id));
    assert!(!browser.page(&path).contains(&take_over), "what was taken over is theirs no more");
}

fn an_old_sign_in_is_proven_before_a_secret_and_the_form_waits(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let user = facts.user(Server::OWNER);
    let (_, recovery) = enrol(&mut server.owner());
    let mut browser = Browser::new(&server);
    let fields = [("email", Server::OWNER), ("password", Server::PASSWORD), ("code", recovery[0].as_str())];
    assert_eq!(browser.post("/sign-in", &fields).status, 303);
    facts.age_proofs(&user);
    let form = browser.page("/tokens/new");
    let nonce = hidden(&form, "_nonce");
    let typed = [("name", "kept name"), ("scope", "execute"), ("expires", "30d"), ("_nonce", nonce.as_str())];
    let asked = browser.submit("/tokens/new", &typed);
    assert_eq!(asked.status, 403);
    assert!(asked.text().contains("name=\"kept.name\" value=\"kept name\""), "{}", asked.text());
    assert!(!asked.text().contains("kept._csrf"), "{}", asked.text());
    let kept: Vec<(&str, &str)> = vec![
        ("next", "/tokens/new"),
        ("kept.name", "kept name"),
        ("kept.scope", "execute"),
        ("kept.expires", "30d"),
        ("kept._nonce", nonce.as_str()),
    ];
    let wrong = browser.submit("/settings/proof", &[&kept[..], &[("password", "not the password")]].concat());
    assert!(wrong.status == 422 && wrong.text().contains("kept name"), "{}", wrong.text());
    let proven = browser.submit("/settings/proof", &[&kept[..], &[("code", recovery[1].as_str())]].concat());
    assert!(proven.status == 200 && proven.text().contains("name=\"name\" value=\"kept name\""), "{}", proven.text());
    let made = browser.submit("/tokens/new", &typed);
    assert!(made.status == 200 && made.text().contains("nlp_"), "{}", made.text());
}

fn the_deployment_is_for_operators(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    facts.add_member("viewer@acme.example", BuiltInRole::Viewer);
    let elsewhere = facts.add_organization("zoo");
    let stranger = facts.add_person("stranger@zoo.example");
    facts.join(elsewhere, &stranger, BuiltInRole::Owner);
    let mut browser = Browser::of_owner(&server);
    assert!(browser.page("/settings").contains("href=\"/deployment\""));
    let page = browser.page("/deployment");
    assert!(page.contains(env!("CARGO_PKG_VERSION")), "{page}");
    match backend {
        Backend::Sqlite => assert!(page.contains("With SQLite, a single process serves the database"), "{page}"),
        Backend::PostgreSql => assert!(page.contains("Up to date"), "{page}"),
    }
    for email in ["viewer@acme.example", "stranger@zoo.example"] {
        let mut browser = Browser::new(&server);
        browser.sign_in(email, Server::PASSWORD);
        assert!(!browser.page("/settings").contains("href=\"/deployment\""), "{email}");
        assert_eq!(browser.get("/deployment").status, 404, "{email}");
    }
}

fn uses_are_shown_by_hour_with_a_table_behind_the_bars(backend: Backend) {
    let server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("CI", &["scans:read"]), ["id", "secret"]);
    let mut browser = Browser::of_owner(&server);
    assert!(browser.page("/usage").contains("No uses in this period"));
    for required in ["scans:read", "scans:read", "org:write"] {
        server.anyone().post("/v1/auth/validate", &json!({"token": secret, "required_scopes": [required]}));
    }
    owner.revoke(&id);
    assert!(!owner.is_valid(&secret));
    for path in ["/usage", "/", &format!("/tokens/{id}")] {
        eventually("the counts", || {
            let page = browser.page(path);
            let told = ["2 allowed", "1 lacking a scope", "1 refused", "As a table", "<rect class=\"lacking\""];
            told.iter().all(|part| page.contains(part)).then_some(())
        });
    }
}

fn a_policy_is_previewed_and_then_bounds_the_form(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.owner().create("lives for ever");
    let mut browser = Browser::of_owner(&server);
    assert!(browser.page("/tokens/new").contains("value=\"never\""));
    let mut fields = vec![("organization.permitted", "1"), ("personal.permitted", "1"), ("actor.permitted", "1")];
    fields.push(("organization.longest", "30"));
    let preview = browser.submit("/settings/policy", &fields);
    assert!(
        preview.status == 200 && preview.text().contains("1 of 1 valid token would be affected"),
        "{}",
        preview.text()
    );
    assert!(preview.text().contains("lives for ever") && preview.text().contains("value=\"30\""), "{}", preview.text());
    assert!(browser.page("/tokens/new").contains("value=\"never\""), "a preview changes nothing");
    fields.push(("_set", "1"));
    assert_eq!(browser.submit("/settings/policy", &fields).status, 303);
    let form = browser.page("/tokens/new");
    assert!(form.contains("allows at most 30 days") && form.contains("value=\"7d\""), "{form}");
    assert!(!form.contains("value=\"never\"") && !form.contains("value=\"90d\""), "{form}");
}

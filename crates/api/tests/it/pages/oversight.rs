//! Pages about the uses of a token, members' sessions and departures, and the renewed proof that pages ask for.

use authority::audit::chain::{Chain, Place};
use authority::audit::line;
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
    the_events_of_a_filter_are_a_file_and_its_export_is_an_event,
    an_export_without_a_filter_verifies_and_has_no_gap,
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
            let told = ["2 allowed", "1 lacking a scope", "1 refused", "As a table", "<path class=\"lacking\""];
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

fn the_events_of_a_filter_are_a_file_and_its_export_is_an_event(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create("=1+1, \"quoted\""), ["id"]);
    owner.create("another");
    owner.revoke(&id);
    let mut browser = Browser::of_owner(&server);
    let page = browser.page(&format!("/audit?target={id}"));
    for file in ["audit.csv", "audit.ndjson"] {
        let link = format!("href=\"/audit/export/{file}?target={}\"", id.replace('-', "%2D"));
        assert!(page.contains(&link), "{link}: {page}");
    }
    // The event of a revocation has no name of its own: the page shows that of the token.
    let revoked = browser.page("/audit?action=token.revoke");
    assert!(revoked.contains(&format!("<a href=\"/tokens/{id}\">=1+1, &#34;quoted&#34;</a>")), "{revoked}");
    let csv = browser.get(&format!("/audit/export/audit.csv?target={id}"));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"audit.csv\""));
    assert_eq!(csv.header("cache-control"), Some("no-store"));
    let lines: Vec<&str> = csv.text().lines().collect();
    assert_eq!(lines.len(), 3, "{}", csv.text());
    assert_eq!(lines[0], "seq,at,action,actor,target_kind,target_id,request_id,detail");
    assert!(lines[1].contains("\"token.create\"") && lines[1].contains(&id), "{}", lines[1]);
    assert!(lines[1].contains(r#"""name"":""=1+1, \""quoted\"""""#), "{}", lines[1]);
    assert!(lines[2].contains("\"token.revoke\""), "{}", lines[2]);

    let both = format!("/audit/export/audit.ndjson?target={id}&action=token.revoke");
    let found = browser.page(&both);
    let event = line::read(found.trim_end().as_bytes()).unwrap();
    assert_eq!((event.action.as_str(), event.target_id.as_str()), ("token.revoke", id.as_str()));

    let noted: Vec<_> = server.facts().audit().into_iter().filter(|event| event.action == "audit.export").collect();
    let details: Vec<serde_json::Value> =
        noted.iter().map(|event| serde_json::from_str(&event.detail).unwrap()).collect();
    assert_eq!(details.len(), 2);
    assert_eq!((&details[0]["only_target"], &details[0]["only_action"]), (&json!(id), &serde_json::Value::Null));
    assert_eq!((&details[1]["only_target"], &details[1]["only_action"]), (&json!(id), &json!("token.revoke")));
    assert_eq!(noted[0].actor, format!("user:{}", server.facts().user(Server::OWNER).id));
    assert!(browser.page("/audit").contains("Exported the audit trail"));

    for (path, status) in [
        ("/audit/export/audit.txt", 404),
        ("/audit/export/tokens.csv", 404),
        ("/audit/export/audit.csv?actor=ada", 303),
    ] {
        assert_eq!(browser.get(path).status, status, "{path}");
    }
    server.facts().add_member("member@acme.example", BuiltInRole::Member);
    let mut member = Browser::new(&server);
    member.sign_in("member@acme.example", Server::PASSWORD);
    assert_eq!(member.get("/audit/export/audit.csv").status, 403);
    let noted = server.facts().audit().into_iter().filter(|event| event.action == "audit.export").count();
    assert_eq!(noted, 2, "what was refused is no export");
}

fn an_export_without_a_filter_verifies_and_has_no_gap(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    // More than two pages of five hundred, and an event of another kind in each.
    for _ in 0..3 {
        server.facts().fill_audit(600);
        server.owner().create("between");
    }
    let recorded = server.facts().audit();
    let file = browser.page("/audit/export/audit.ndjson");
    let mut chain = Chain::after(Place::START);
    for text in file.lines() {
        chain.take(&line::read(text.as_bytes()).unwrap()).unwrap();
    }
    chain.end().unwrap();
    assert_eq!(chain.reached(), Place::of(recorded.last().unwrap()), "all that there was, and not its own event");
    for (filter, action) in [("action=test.event", "test.event"), ("action=token.create&actor=", "token.create")] {
        let expected: Vec<i64> =
            recorded.iter().filter(|event| event.action == action).map(|event| event.seq).collect();
        let file = browser.page(&format!("/audit/export/audit.ndjson?{filter}"));
        let found: Vec<i64> = file.lines().map(|text| line::read(text.as_bytes()).unwrap().seq).collect();
        assert_eq!(found, expected, "{filter}");
        let csv = browser.page(&format!("/audit/export/audit.csv?{filter}"));
        assert_eq!(csv.lines().count(), expected.len() + 1, "{filter}");
    }
}

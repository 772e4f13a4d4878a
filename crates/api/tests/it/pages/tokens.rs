//! Tokens on pages: created once, shown once, rotated, revoked, many at a time.

use super::browser::{Browser, hidden};
use crate::support::{Backend, Options, Server, both, texts};
use serde_json::json;
use test_support::records::id;
use token_domain::Span;
use token_domain::person::BuiltInRole;
use token_domain::text::Name;

both!(
    a_form_sent_twice_makes_one_token_and_shows_its_secret_once,
    template_links_fill_the_form_and_make_nothing,
    a_form_with_a_mistake_keeps_what_was_typed,
    a_change_of_owner_keeps_what_was_typed,
    a_rotation_is_guided_and_can_be_taken_back,
    revoking_asks_for_a_reason_and_for_the_name_of_what_is_in_use,
    a_stale_page_says_what_happened_meanwhile,
    many_are_revoked_after_a_look_at_them,
    a_secret_is_looked_up_and_never_put_into_an_address,
    a_filter_stays_in_its_forms_and_in_its_exports,
    presets_and_other_tokens_fill_the_form_and_stay_editable,
    the_list_says_in_words_what_each_token_is,
    actions_that_are_not_possible_are_off_with_the_reason,
);

/// The secret on a page, if there is one.
fn secret(page: &str) -> Option<String> {
    let at = page.find("value=\"nlp_")? + 7;
    page.get(at..at + 44).map(str::to_owned)
}

fn a_form_sent_twice_makes_one_token_and_shows_its_secret_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let form = browser.page("/tokens/new?name=CI&scopes=execute,scans:read&expires=30d");
    let nonce = hidden(&form, "_nonce");
    let fields = [("name", "CI"), ("scope", "execute"), ("expires", "30d"), ("_nonce", nonce.as_str())];
    let first = browser.submit("/tokens/new", &fields);
    assert_eq!((first.status, first.header("cache-control")), (200, Some("no-store")));
    let secret_shown = secret(first.text()).unwrap();
    assert!(server.owner().is_valid(&secret_shown));

    let second = browser.submit("/tokens/new", &fields);
    assert_eq!(second.status, 303, "Reload and Back make no second token");
    let path = second.header("location").unwrap().to_owned();
    let page = browser.page(&path);
    assert!(page.contains("cannot be shown again"), "{page}");
    assert!(!page.contains(&secret_shown) && secret(&page).is_none());
    assert!(!browser.page(&path).contains("cannot be shown again"), "a message is shown once");
    let listed = server.owner().get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 1);
}

fn template_links_fill_the_form_and_make_nothing(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let page = browser.page("/tokens/new?name=Deploy&scopes=scans:run,no:such&expires=7d&description=For+the+shop");
    for part in [
        "value=\"Deploy\"",
        "For the shop",
        "value=\"scans:run\" checked",
        "value=\"7d\" checked",
        "<code>no:such</code>",
        "scans:run requires projects:read",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(server.owner().get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len(), 0);
}

fn a_form_with_a_mistake_keeps_what_was_typed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let base = [("name", "kept name"), ("scope", "execute"), ("expires", "30d"), ("_nonce", "n")];
    for (field, value, says) in [
        ("name", "", "The name must not be empty"),
        ("networks", "example.org", "The networks must be networks"),
        ("expires", "soon", "Choose an expiry"),
        ("agent_type", "No Label", "The agent type must be"),
    ] {
        let mut fields: Vec<_> = base.into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        let answer = browser.submit("/tokens/new", &fields);
        assert_eq!(answer.status, 422, "{field}");
        assert!(answer.text().contains(says), "{field}: {}", answer.text());
        assert!(answer.text().contains("value=\"execute\" checked"), "{field}");
        assert!(field == "name" || answer.text().contains("kept name"), "{field}");
    }
}

fn a_change_of_owner_keeps_what_was_typed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    assert!(browser.page("/tokens/new").contains("formaction=\"/keys/new\""));
    let fields = [("name", "kept name"), ("scope", "scans:read"), ("expires", "30d"), ("_preview", "1")];
    for (path, belongs, other) in [
        ("/keys/new", "It belongs to you", "formaction=\"/tokens/new\""),
        ("/tokens/new", "It belongs to the organisation", "formaction=\"/keys/new\""),
    ] {
        let form = browser.submit(path, &fields);
        assert_eq!(form.status, 200, "{path}");
        for part in ["value=\"kept name\"", "value=\"scans:read\" checked", "value=\"30d\" checked", belongs, other] {
            assert!(form.text().contains(part), "{path}: {part}: {}", form.text());
        }
    }
    assert_eq!(server.owner().get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len(), 0);
}

fn a_rotation_is_guided_and_can_be_taken_back(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("rotated"), ["id", "secret"]);
    let nonce = hidden(&browser.page(&format!("/tokens/{id}/rotate")), "_nonce");
    let fields = [("grace", "3600"), ("_nonce", nonce.as_str())];
    let shown = browser.submit(&format!("/tokens/{id}/rotate"), &fields);
    let new = secret(shown.text()).unwrap();
    assert!(owner.is_valid(&old) && owner.is_valid(&new));
    assert_eq!(browser.submit(&format!("/tokens/{id}/rotate"), &fields).status, 303, "once");
    let page = browser.page(&format!("/tokens/{id}"));
    assert!(page.contains("Rotation under way") && page.contains("Cancel the rotation"), "{page}");
    let taken_back = browser.submit(&format!("/tokens/{id}/cancel-rotation"), &[]);
    assert_eq!(taken_back.status, 303);
    assert!(owner.is_valid(&old) && !owner.is_valid(&new));
}

fn revoking_asks_for_a_reason_and_for_the_name_of_what_is_in_use(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("in use"), ["id", "secret"]);
    assert!(owner.is_valid(&secret));
    let path = format!("/tokens/{id}/revoke");
    assert!(browser.page(&path).contains("This token is in use"));
    for fields in [
        vec![],
        vec![("reason", "unused")],
        vec![("confirm", "in use")],
        vec![("reason", "bored"), ("confirm", "in use")],
        vec![("reason", "unused"), ("confirm", "other")],
    ] {
        assert_eq!(browser.submit(&path, &fields).status, 422, "{fields:?}");
    }
    assert!(owner.is_valid(&secret));
    let done = browser.submit(&path, &[("reason", "replaced"), ("confirm", "in use"), ("note", "see #7")]);
    assert_eq!((done.status, done.header("location")), (303, Some("/tokens")));
    assert!(!owner.is_valid(&secret));
    let page = browser.page("/tokens");
    let (_, guarantee) =
        page.split_once("in use is revoked. Dead on the one server of this deployment, ").expect(&page);
    let (took, _) = guarantee.split_once(" ms.").unwrap();
    assert!(took.parse::<u64>().is_ok(), "{took}");
    let dead = owner.token(&id);
    assert_eq!((dead["revoked_reason"].as_str(), dead["revoked_note"].as_str()), (Some("replaced"), Some("see #7")));
}

fn a_stale_page_says_what_happened_meanwhile(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let [id] = texts(&owner.create("stale"), ["id"]);
    owner.revoke(&id);
    for (path, fields) in [("revoke", vec![("reason", "unused")]), ("rotate", vec![("grace", "0"), ("_nonce", "n")])] {
        let answer = browser.submit(&format!("/tokens/{id}/{path}"), &fields);
        assert_eq!(
            (answer.status, answer.header("location").unwrap()),
            (303, format!("/tokens/{id}").as_str()),
            "{path}"
        );
        let page = browser.page(&format!("/tokens/{id}"));
        assert!(page.contains("It was already revoked"), "{page}");
    }
    let absent = browser.get("/tokens/018f0000-0000-7000-8000-000000000001");
    assert_eq!(absent.status, 404);
    assert_eq!(browser.get("/tokens/nonsense").status, 404);
}

fn many_are_revoked_after_a_look_at_them(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let made: Vec<[String; 2]> = (0..3).map(|n| texts(&owner.create(&format!("t{n}")), ["id", "secret"])).collect();
    assert!(owner.is_valid(&made[0][1]));
    let ids = [("id", made[0][0].as_str()), ("id", made[1][0].as_str())];
    let look = browser.submit("/tokens/bulk", &ids);
    assert_eq!(look.status, 200);
    assert!(look.text().contains("Revoke 2 tokens"), "{}", look.text());
    for (name, is_named) in [("t0", true), ("t1", true), ("t2", false)] {
        assert_eq!(look.text().contains(&format!(">{name}</a>")), is_named, "{name}: {}", look.text());
    }
    assert!(owner.is_valid(&made[0][1]), "a look changes nothing");
    let confirmed = |count: &'static str| {
        [&ids[..], &[("_confirm", "1"), ("expected_count", count), ("reason", "unused")]].concat()
    };
    assert_eq!(browser.submit("/tokens/bulk", &confirmed("3")).status, 409);
    assert!(owner.is_valid(&made[0][1]));
    // The page of the list from which they were chosen is shown again, and no other address.
    let list = "q=t&status=active&cursor=1.2&next=https%3A%2F%2Fevil.example";
    let placed = [&confirmed("2")[..], &[("_list", list)]].concat();
    assert!(
        browser
            .submit("/tokens/bulk", &[&ids[..], &[("_list", list)]].concat())
            .text()
            .contains("<a href=\"/tokens?q=t&#38;status=active&#38;cursor=1%2E2\">")
    );
    let done = browser.submit("/tokens/bulk", &placed);
    assert_eq!((done.status, done.header("location")), (303, Some("/tokens?q=t&status=active&cursor=1%2E2")));
    let page = browser.page("/tokens");
    assert!(page.contains("2 tokens revoked. Dead on the one server of this deployment, "), "{page}");
    let alive: Vec<bool> = made.iter().map(|[_, secret]| owner.is_valid(secret)).collect();
    assert_eq!(alive, [false, false, true]);
    assert_eq!(browser.get("/tokens/bulk").status, 303, "nothing chosen is not everything");
}

fn a_secret_is_looked_up_and_never_put_into_an_address(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let [id, secret] = texts(&server.owner().create("found"), ["id", "secret"]);
    let found = browser.submit("/tokens", &[("q", &secret)]);
    assert_eq!(found.header("location"), Some(format!("/tokens/{id}").as_str()));
    let absent = browser.submit("/tokens", &[("q", "nlp_00112233445566778899aabbccddeeff550c911c")]);
    assert_eq!(absent.header("location"), Some("/tokens"));
    // A secret is recognised even if surrounding text was copied with it.
    for around in [format!("Authorization: Bearer {secret}"), format!("NLP_TOKEN='{secret}'"), format!("  {secret}\n")]
    {
        let found = browser.submit("/tokens", &[("q", &around)]);
        assert_eq!(found.header("location"), Some(format!("/tokens/{id}").as_str()), "{around}");
    }
    let text = browser.submit("/tokens", &[("q", "some & text")]);
    assert_eq!(text.header("location"), Some("/tokens?q=some%20%26%20text"));
    let checked = browser.submit("/check", &[("token", &secret)]);
    assert!(checked.text().contains("This token is valid") && !checked.text().contains(&secret));
    assert_eq!(server.owner().token(&id)["last_used_at"], serde_json::Value::Null, "to check is not to use");
}

fn a_filter_stays_in_its_forms_and_in_its_exports(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let [id] = texts(&owner.create_with("=1+1, by me", &["scans:read"]), ["id"]);
    owner.create_with("another", &["execute"]);
    let me = format!("user:{}", server.facts().user(Server::OWNER).id);
    let filter = format!("created_by={me}&scope=scans:read");
    let page = browser.page(&format!("/tokens?{filter}"));
    assert!(page.contains("by me") && !page.contains("another"), "{page}");
    // Both the search and the filter send on what a link set.
    assert_eq!(page.matches(&format!("name=\"created_by\" value=\"{me}\"")).count(), 2, "{page}");
    let found = browser.submit("/tokens", &[("q", "me"), ("created_by", &me), ("scope", "scans:read")]);
    let address = found.header("location").unwrap();
    assert!(address.contains("created_by=user%3A") && address.contains("scope=scans%3Aread"), "{address}");

    let csv = browser.page(&format!("/tokens/export/tokens.csv?{filter}"));
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains(&id) && csv.contains("\"'=1+1, by me\""), "no formula: {csv}");
    let lines = browser.page(&format!("/tokens/export/tokens.ndjson?{filter}"));
    let line: serde_json::Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!((line["id"].as_str(), line["status"].as_str()), (Some(id.as_str()), Some("active")));

    owner.revoke(&id);
    assert!(browser.page("/tokens?status=revoked").contains("Revoked by you: "));
}

fn presets_and_other_tokens_fill_the_form_and_stay_editable(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let form = browser.page("/tokens/new");
    assert!(form.contains("Your address is <code>127.0.0.1</code>"), "{form}");
    for (preset, name, scopes) in [
        ("CI+runner", "CI runner", &["execute", "scans:run", "scans:read", "projects:read", "self:rotate"][..]),
        ("repeater", "repeater", &["bot", "repeaters:read", "scripts:read", "self:rotate"][..]),
    ] {
        assert!(form.contains(&format!("href=\"/tokens/new?preset={preset}\"")), "{preset}");
        let filled = browser.page(&format!("/tokens/new?preset={preset}"));
        assert_eq!(filled.matches("name=\"scope\"").count(), form.matches("name=\"scope\"").count(), "all are offered");
        assert_eq!(filled.matches("\" checked").count(), scopes.len() + 1, "the scopes and the expiry: {filled}");
        for part in scopes.iter().map(|scope| format!("value=\"{scope}\" checked")) {
            assert!(filled.contains(&part), "{preset}: {part}");
        }
        assert!(filled.contains(&format!("value=\"{name}\" required")) && filled.contains("value=\"90d\" checked"));
        let own = browser.page(&format!("/tokens/new?preset={preset}&name=Mine"));
        assert!(own.contains("value=\"Mine\" required"), "a name of one's own stays: {own}");
    }
    // The choices of a preset are not binding.
    let nonce = hidden(&browser.page("/tokens/new?preset=CI+runner"), "_nonce");
    let fields = [("name", "Narrow"), ("scope", "execute"), ("expires", "7d"), ("_nonce", nonce.as_str())];
    assert_eq!(browser.submit("/tokens/new", &fields).status, 200);
    let listed = server.owner().get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"][0]["scopes"], json!(["execute"]));

    let original = json!({
        "name": "Original", "scopes": ["scans:read", "execute"], "description": "For the shop", "agent_type": "jenkins",
        "external_id": "customer-7", "allowed_networks": ["203.0.113.0/24"],
    });
    let [original] = texts(&server.owner().post("/v1/tokens", &original).expect(201), ["id"]);
    let page = browser.page(&format!("/tokens/{original}"));
    assert!(page.contains(&format!("href=\"/tokens/new?like={original}\">Duplicate")), "{page}");
    let copy = browser.page(&format!("/tokens/new?like={original}"));
    for part in [
        "value=\"Original\"",
        "For the shop",
        "value=\"jenkins\"",
        "value=\"customer-7\"",
        "203.0.113.0/24</textarea>",
        "value=\"scans:read\" checked",
        "value=\"execute\" checked",
    ] {
        assert!(copy.contains(part), "{part}: {copy}");
    }
    assert_eq!(server.owner().get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len(), 2, "nothing was made");
}

fn the_list_says_in_words_what_each_token_is(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let many = ["execute", "scans:read", "issues:read", "files:read", "projects:read"];
    let soon = json!({"name": "ends soon", "scopes": many, "expires_in_days": 3});
    owner.post("/v1/tokens", &soon).expect(201);
    let [rotated] = texts(&owner.create("rotated"), ["id"]);
    owner.rotate(&rotated, &json!({"grace_period_seconds": 3600}));
    let [leaked] = texts(&owner.create("leaked"), ["id"]);
    owner.post(&format!("/v1/tokens/{leaked}/revoke"), &json!({"reason": "leaked"})).expect(204);
    let facts = server.facts();
    let mut old = facts.kept_token(facts.organization(Server::ORGANIZATION).id, &rotated);
    old.token.id = id(7);
    old.token.name = Name::parse("forgotten").unwrap();
    old.token.facts.superseded = None;
    old.token.facts.created_at = old.token.facts.created_at - Span::days(31);
    facts.insert_token(old);

    let active = browser.page("/tokens");
    for part in [
        "Expires in 2 d",
        "<span class=\"chip more\">+2</span>",
        "One on this page was created more than 30 days ago and never used",
        "Revoke all tokens unused for 30 days",
        "<span class=\"warn-text\">never</span>",
        ">Active</span>",
    ] {
        assert!(active.contains(part), "{part}: {active}");
    }
    // The successor counts as active, the token that it replaces does not.
    for (label, count) in [("Active", 3), ("Rotating", 1), ("Expired", 0), ("Revoked", 1)] {
        assert!(active.contains(&format!("{label} <span class=\"count\">{count}</span>")), "{label}: {active}");
    }
    assert!(browser.page("/tokens?status=rotating").contains("Rotating until "));
    assert!(browser.page("/tokens?status=revoked").contains("Revoked by you: leaked"));
}

fn actions_that_are_not_possible_are_off_with_the_reason(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    let [rotating] = texts(&owner.create("rotating"), ["id"]);
    owner.rotate(&rotating, &json!({"grace_period_seconds": 3600}));
    let page = browser.page(&format!("/tokens/{rotating}"));
    let off = "aria-disabled=\"true\" title=\"The token is already rotating";
    assert!(page.contains(off) && !page.contains(&format!("href=\"/tokens/{rotating}/rotate\"")), "{page}");

    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "key", "scopes": ["user:read"]})).expect(201), ["id"]);
    server.facts().add_member("grace@acme.example", BuiltInRole::Admin);
    let mut another = Browser::new(&server);
    assert_eq!(another.sign_in("grace@acme.example", Server::PASSWORD).status, 303);
    let page = another.page(&format!("/tokens/{key}"));
    assert!(page.contains("Rotate is off. Only its owner can rotate it"), "{page}");

    let [dead] = texts(&owner.create("dead"), ["id"]);
    owner.revoke(&dead);
    let page = browser.page(&format!("/tokens/{dead}"));
    assert!(!page.contains("Rotate…") && !page.contains("Revoke…</a>"), "{page}");
    let list = browser.page("/tokens?status=revoked");
    assert!(list.contains("aria-label=\"Select dead\" disabled"), "{list}");
}

#[test]
fn a_revocation_says_on_how_many_servers_it_holds() {
    let revoked = |servers: &[Server], guarantee: &str| {
        let [id, secret] = texts(&servers[0].owner().create("shared"), ["id", "secret"]);
        let mut browser = Browser::of_owner(&servers[0]);
        let done = browser.submit(&format!("/tokens/{id}/revoke"), &[("reason", "leaked")]);
        assert_eq!(done.status, 303, "{}", done.text());
        let page = browser.page("/tokens");
        assert!(page.contains(&format!("shared is revoked. Dead on {guarantee}")), "{page}");
        secret
    };
    let first = Server::start(Backend::PostgreSql, Options::default());
    let others = [first.beside(Options::default()), first.beside(Options::default())];
    let mut servers: Vec<Server> = std::iter::once(first).chain(others).collect();
    let secret = revoked(&servers, "all 3 servers, ");
    for server in &servers {
        assert!(!server.anyone().is_valid(&secret));
    }
    while servers.len() > 1 {
        servers.pop().unwrap().stop();
    }
    revoked(&servers, "the one server of this deployment, ");

    let relaxed = Options::default().with("cluster.consistency", "relaxed");
    let first = Server::start(Backend::PostgreSql, relaxed.clone());
    let second = first.beside(relaxed);
    revoked(&[first, second], "all servers within five seconds.");
}

//! The pages of trust policies.

use serde_json::json;
use test_issuer::{AUDIENCE, Issuer};
use token_domain::person::BuiltInRole;

use super::browser::{Browser, hidden};
use crate::support::{Backend, Options, Server, both, enrol, texts};
use crate::trust::exchange;

both!(
    a_policy_is_made_from_a_form_that_keeps_what_was_typed,
    a_policy_is_tested_watched_switched_off_and_deleted,
    policies_are_for_those_who_manage_tokens,
    an_old_sign_in_is_proven_before_a_policy,
);

fn server(backend: Backend) -> Server {
    let options = Options::default().with("server.public_url", AUDIENCE);
    Server::start(backend, options.with("outbound.allowed_networks", "127.0.0.0/8"))
}

/// The fields of the form, for jobs of the tests' own issuer.
fn fields(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let field = |name, value: &str| (name, value.to_owned());
    vec![
        field("preset", "generic"),
        field("name", "Deploy from main"),
        field("claim.sub", "repo:acme/*:ref:refs/heads/main"),
        field("more", "repository_id = 42\nevent_name = push | schedule"),
        field("issuer", &issuer.url),
        field("scope", "execute"),
        field("scope", "projects:read"),
        field("ttl", "300"),
    ]
}

fn lent<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'static str, &'f str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Makes a policy by the form; returns its page's path.
fn made(browser: &mut Browser, fields: &[(&'static str, String)]) -> String {
    let done = browser.submit("/trust/new", &lent(fields));
    assert_eq!(done.status, 303, "{}", done.text());
    done.header("location").unwrap().to_owned()
}

fn a_policy_is_made_from_a_form_that_keeps_what_was_typed(backend: Backend) {
    let (server, issuer) = (server(backend), Issuer::start());
    let mut browser = Browser::of_owner(&server);
    let empty = browser.page("/trust");
    assert!(empty.contains("href=\"/trust/new?preset=kubernetes\""), "{empty}");
    let github = browser.page("/trust/new?preset=github&name=From+a+link");
    for part in ["name=\"claim.repository_id\"", "value=\"refs/heads/main\"", "value=\"From a link\"", AUDIENCE] {
        assert!(github.contains(part), "{part}: {github}");
    }
    assert!(browser.page("/tokens/new").contains("href=\"/trust/new\""), "a CI job needs no stored token");

    for (field, value, problem) in [
        ("name", "", "The name"),
        ("claim.sub", "", "sub"),
        ("more", "event_name", "“event_name” is no condition"),
        ("more", "sub = x", "two conditions on sub"),
        ("more", "", "at least one more"),
        ("more", "aud = x", "must not have aud"),
        ("issuer", "", "Say who signs"),
        ("issuer", "ftp://example.org", "must be an https URL"),
        ("issuer", "https://token.actions.githubusercontent.com", "that of GitHub Actions"),
        ("audience", "\u{7}", "The audience must"),
        ("scope", "", "Choose at least one scope"),
        ("ttl", "5", "The lifetime must be 60 to 3600"),
        ("project_id", "nonsense", "Choose a project"),
    ] {
        let mut wrong = fields(&issuer);
        wrong.retain(|(name, _)| *name != field);
        if !(field == "scope" && value.is_empty()) {
            wrong.push((field, value.to_owned()));
        }
        let refused = browser.submit("/trust/new", &lent(&wrong));
        let page = refused.text();
        assert!(refused.status == 422 && page.contains(problem), "{field}={value:?}: {page}");
        for (name, kept) in wrong.iter().filter(|(name, value)| *name != field && !value.contains('\n')) {
            let is_kept = match *name {
                "scope" | "ttl" => page.contains(&format!("value=\"{kept}\" checked")),
                _ => page.contains(&format!("value=\"{kept}\"")),
            };
            assert!(is_kept, "{field}={value:?}: {name} is lost");
        }
    }
    assert!(browser.page("/trust").contains("No trust policies yet"));

    let path = made(&mut browser, &fields(&issuer));
    assert_eq!(made(&mut browser, &fields(&issuer)), path, "a form sent twice makes one policy");
    let page = browser.page(&path);
    for part in [
        "The policy is in force",
        "repo:acme/*:ref:refs/heads/main",
        "push | schedule",
        "for 5 minutes",
        "nlp ci exchange --token-file",
        &format!("NLP_URL={AUDIENCE}"),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(browser.page("/audit").contains("Created trust policy"));
    let mut owner = server.owner();
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let listed = owner.get(&format!("/v1/organizations/{organization}/trust-policies")).expect(200);
    let policies = listed["trust_policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1, "{listed}");
    let expected = json!({
        "sub": {"glob": "repo:acme/*:ref:refs/heads/main"}, "repository_id": "42",
        "event_name": {"in": ["push", "schedule"]},
    });
    assert_eq!((&policies[0]["match"], &policies[0]["ttl"]), (&expected, &json!(300)));
}

fn a_policy_is_tested_watched_switched_off_and_deleted(backend: Backend) {
    let (server, issuer) = (server(backend), Issuer::start());
    let mut browser = Browser::of_owner(&server);
    let path = made(&mut browser, &fields(&issuer));
    for (page, what) in [("/trust", ""), (path.as_str(), "test")] {
        let mut test = |token: &str| browser.submit(page, &[("what", what), ("token", token)]);
        let good = issuer.token(&json!({}));
        let told = test(&good);
        assert!(
            told.status == 200 && told.text().contains("It would be exchanged under Deploy from main"),
            "{}",
            told.text()
        );
        assert!(!told.text().contains(&good), "the token is not repeated");
        let other = test(&issuer.token(&json!({"event_name": "pull_request"})));
        assert!(other.text().contains("It would be refused"), "{}", other.text());
        assert!(other.text().contains("pull_request, not push | schedule"), "{}", other.text());
        let forged = test(&Issuer::start().token(&json!({"iss": issuer.url})));
        assert!(
            forged.text().contains("would be refused") && forged.text().contains("the token itself"),
            "{}",
            forged.text()
        );
        let nonsense = test("nonsense");
        assert!(nonsense.status == 422 && nonsense.text().contains("no identity token"), "{}", nonsense.text());
    }
    assert!(browser.page(&path).contains("None so far"), "a test is no attempt");

    exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    assert_eq!(exchange(&server, &issuer.token(&json!({"event_name": "pull_request"})), &[]).status, 400);
    let page = browser.page(&path);
    assert!(page.contains("Exchanged") && page.contains("A claim differs</span> <code>event_name"), "{page}");
    let overview = browser.page("/");
    assert!(overview.contains("Jobs that got no token") && overview.contains("1 attempt"), "{overview}");
    let (_, token) = page.split_once("<a href=\"/tokens/").unwrap();
    let token = format!("/tokens/{}", token.split_once('"').unwrap().0);
    assert!(browser.page(&token).contains("Deploy from main"));

    assert_eq!(browser.submit(&path, &[("what", "disable")]).status, 303);
    assert!(!browser.page("/").contains("Jobs that got no token"), "what is switched off needs no attention");
    assert!(browser.page(&path).contains("Switched off") && browser.page("/trust").contains("Switched off"));
    assert_eq!(exchange(&server, &issuer.token(&json!({})), &[]).status, 400);
    assert_eq!(browser.submit(&path, &[("what", "enable")]).status, 303);
    exchange(&server, &issuer.token(&json!({})), &[]).expect(200);

    assert!(!browser.page(&path).contains("value=\"delete\""), "deletion is asked about first");
    assert!(browser.page(&format!("{path}?deleting=1")).contains("value=\"delete\""));
    assert_eq!(browser.submit(&path, &[("what", "delete")]).header("location"), Some("/trust"));
    assert!(browser.page("/trust").contains("The policy is deleted"));
    // A page that is out of date says what happened meanwhile.
    for what in ["delete", "disable"] {
        assert_eq!(browser.submit(&path, &[("what", what)]).header("location"), Some("/trust"));
        assert!(browser.page("/trust").contains("deleted already"), "{what}");
    }
    assert_eq!(browser.get(&path).status, 404);
    assert!(browser.page("/audit").contains("Deleted trust policy"));
}

fn policies_are_for_those_who_manage_tokens(backend: Backend) {
    let (server, issuer) = (server(backend), Issuer::start());
    let facts = server.facts();
    let path = made(&mut Browser::of_owner(&server), &fields(&issuer));
    facts.add_member("viewer@acme.example", BuiltInRole::Viewer);
    let mut viewer = Browser::new(&server);
    viewer.sign_in("viewer@acme.example", Server::PASSWORD);
    let page = viewer.page(&path);
    assert!(page.contains("Deploy from main") && !page.contains("Switch off"), "{page}");
    assert_eq!(viewer.get("/trust/new").status, 403);
    assert_eq!(viewer.submit("/trust/new", &lent(&fields(&issuer))).status, 403);
    for what in ["disable", "delete"] {
        assert_eq!(viewer.submit(&path, &[("what", what)]).status, 403, "{what}");
    }
    let elsewhere = facts.add_organization("zoo");
    let stranger = facts.add_person("stranger@zoo.example");
    facts.join(elsewhere, &stranger, BuiltInRole::Owner);
    let mut other = Browser::new(&server);
    other.sign_in("stranger@zoo.example", Server::PASSWORD);
    assert_eq!(other.get(&path).status, 404);
    other.submit(&path, &[("what", "delete")]);
    assert_eq!(other.submit(&path, &[("what", "test"), ("token", &issuer.token(&json!({})))]).status, 404);
    assert!(viewer.page(&path).contains("In force"));
}

fn an_old_sign_in_is_proven_before_a_policy(backend: Backend) {
    let (server, issuer) = (server(backend), Issuer::start());
    let facts = server.facts();
    let user = facts.user(Server::OWNER);
    let (_, recovery) = enrol(&mut server.owner());
    let mut browser = Browser::new(&server);
    let signing_in = [("email", Server::OWNER), ("password", Server::PASSWORD), ("code", recovery[0].as_str())];
    assert_eq!(browser.post("/sign-in", &signing_in).status, 303);
    facts.age_proofs(&user);
    let asked = browser.submit("/trust/new", &lent(&fields(&issuer)));
    assert_eq!(asked.status, 403);
    assert_eq!(hidden(asked.text(), "kept.claim.sub"), "repo:acme/*:ref:refs/heads/main");
    let kept = [("next", "/trust/new"), ("kept.name", "Deploy from main"), ("code", recovery[1].as_str())];
    let proven = browser.submit("/settings/proof", &kept);
    assert!(proven.status == 200 && proven.text().contains("Deploy from main"), "{}", proven.text());
    let path = made(&mut browser, &fields(&issuer));
    // Switching off takes something away, and waits for nothing.
    facts.age_proofs(&user);
    assert_eq!(browser.submit(&path, &[("what", "disable")]).status, 303);
    assert_eq!(browser.submit(&path, &[("what", "enable")]).status, 403);
}

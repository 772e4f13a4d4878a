//! Leaked tokens on the pages: what the organisation chose, and what a token's page says of its leak.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Options, Server, both, texts};

both!(what_is_done_about_leaks_is_chosen_on_the_settings_page, a_token_says_that_it_leaked_and_what_to_do);

fn what_is_done_about_leaks_is_chosen_on_the_settings_page(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    assert!(browser.page("/settings").contains("<option value=\"revoke\" selected>"));
    let name = ("organization", "Acme");
    for action in ["notify", "rotate_grace_1h", "revoke"] {
        let saved = browser.submit("/settings", &[("what", "organization"), name, ("leak_action", action)]);
        assert_eq!(saved.status, 303, "{}", saved.text());
        assert!(browser.page("/settings").contains(&format!("<option value=\"{action}\" selected>")), "{action}");
    }
    // A page from before the choice was there keeps what was chosen.
    browser.submit("/settings", &[("what", "organization"), name, ("leak_action", "notify")]);
    assert_eq!(browser.submit("/settings", &[("what", "organization"), name]).status, 303);
    assert!(browser.page("/settings").contains("<option value=\"notify\" selected>"));
    let odd = browser.submit("/settings", &[("what", "organization"), name, ("leak_action", "forget")]);
    assert!(odd.status == 422 && odd.text().contains("Choose what is done"), "{}", odd.text());
}

fn a_token_says_that_it_leaked_and_what_to_do(backend: Backend) {
    let host = crate::leaks::partner::Host::new();
    let server = Server::start(backend, host.options());
    let mut owner = server.owner();
    let mut browser = Browser::of_owner(&server);
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    for (action, advice) in [
        ("notify", "It is still valid. Rotate it without a grace or revoke it"),
        ("rotate_grace_1h", "It is valid until its grace ends. Use its successor"),
        ("revoke", "Find out how it got out."),
    ] {
        owner.patch(&format!("/v1/organizations/{org}"), &json!({ "leak_action": action })).expect(200);
        let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
        assert!(!browser.page(&format!("/tokens/{id}")).contains("Leaked:"));
        let body = json!([{"token": leaked, "type": "t", "url": ""}]).to_string();
        crate::leaks::partner::report(&server, "Github", &host.name, &host.sign(&body), &body).expect(200);
        let page = browser.page(&format!("/tokens/{id}"));
        assert!(
            page.contains("<strong>Leaked:</strong>") && page.contains("by GitHub") && page.contains(advice),
            "{page}"
        );
        if action == "rotate_grace_1h" {
            let next = owner.token(&id)["rotated_to"].as_str().unwrap().to_owned();
            let page = browser.page(&format!("/tokens/{next}"));
            assert!(page.contains("nobody has seen its secret yet") && !page.contains("Leaked:"), "{page}");
            assert!(page.contains(&format!("href=\"/tokens/{next}/rotate\"")), "{page}");
            let rotated = owner.rotate(&next, &json!({"grace_period_seconds": 0}));
            let [shown] = texts(&rotated, ["id"]);
            for id in [&next, &shown] {
                assert!(!browser.page(&format!("/tokens/{id}")).contains("nobody has seen"), "{id}");
            }
        }
    }
}

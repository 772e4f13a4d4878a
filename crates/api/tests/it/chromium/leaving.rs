//! A member is removed: their keys end, and an administrator reviews the tokens they made for the organisation.

use serde_json::json;
use token_domain::person::BuiltInRole;

use super::driver::Scripts;
use super::{owners_browser, server, with_and_without_scripts};
use crate::support::texts;

with_and_without_scripts!(a_person_leaves);

fn a_person_leaves(scripts: Scripts) {
    let server = server();
    let leaver = server.facts().add_member("grace@acme.example", BuiltInRole::Admin);
    let mut theirs = server.signed_in("grace@acme.example");
    let key = json!({"name": "laptop", "scopes": ["scans:read"]});
    let [key] = texts(&theirs.post("/v1/me/keys", &key).expect(201), ["secret"]);
    let [made] = texts(&theirs.create("made by Grace"), ["secret"]);
    let mut owner = server.owner();
    let [other] = texts(&owner.create("made by the owner"), ["secret"]);
    assert!(owner.is_valid(&key) && owner.is_valid(&made));

    let browser = owners_browser(&server, scripts);
    browser.open("/members");
    browser.press(leaver.name.as_str());
    browser.sees("laptop");
    browser.sees("made by Grace");
    assert!(!browser.text().contains("made by the owner"));

    // First revoke the tokens they made for the organisation, after a review.
    browser.press("Revoke all of them…");
    browser.sees("Revoke 1 token");
    assert!(browser.is_checked("input[name=reason][value=person_left]"));
    browser.press("Revoke 1 token");
    browser.sees("1 token revoked");
    assert!(!owner.is_valid(&made) && owner.is_valid(&key) && owner.is_valid(&other));

    browser.open(&format!("/members/{}", leaver.id));
    browser.press("Remove from the organisation…");
    browser.sees("1 key");
    browser.press("Remove from the organisation");
    browser.sees("is no longer a member");
    assert!(!owner.is_valid(&key) && owner.is_valid(&other));
    theirs.get("/v1/me").fails(401, "invalid token");
}

//! A CI job without a stored secret: a trust policy from the page of new tokens to its deletion.

use serde_json::json;
use test_issuer::{AUDIENCE, Issuer};

use super::driver::Scripts;
use super::{owners_browser, server, with_and_without_scripts};
use crate::trust::exchange;

with_and_without_scripts!(a_job_gets_its_tokens_by_a_policy);

fn a_job_gets_its_tokens_by_a_policy(scripts: Scripts) {
    let (server, issuer) = (server(), Issuer::start());
    let browser = owners_browser(&server, scripts);
    browser.open("/tokens/new");
    browser.press("a trust policy");
    browser.press("Another issuer");
    browser.fill("#name", "Deploy from main");
    browser.fill("#claim-1", "repo:acme/*:ref:refs/heads/main");
    browser.fill("#more", "repository_id = 42");
    browser.fill("#issuer", &issuer.url);
    browser.fill("#audience", AUDIENCE);
    browser.press("Create trust policy");
    browser.sees("Choose at least one scope");
    assert_eq!(browser.value_of("#more"), "repository_id = 42");
    browser.click("input[value='execute']");
    browser.press("Create trust policy");
    browser.sees("In force");
    browser.sees("nlp ci exchange");
    let path = browser.path();

    browser.fill("#token", &issuer.token(&json!({"repository_id": "43"})));
    browser.press("Test it");
    browser.sees("43, not 42");
    browser.fill("#token", &issuer.token(&json!({})));
    browser.press("Test it");
    browser.sees("It would be exchanged under Deploy from main");

    exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    browser.open(&path);
    browser.sees("Exchanged");
    browser.press("its token");
    browser.sees("trust policy");

    browser.open(&path);
    browser.press("Switch off");
    browser.sees("The policy is switched off");
    assert_eq!(exchange(&server, &issuer.token(&json!({})), &[]).status, 400);
    browser.press("Delete…");
    browser.press("Delete the policy");
    browser.sees("No trust policies yet");
}

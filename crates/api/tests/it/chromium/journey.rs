//! The life of a token in the dashboard: from a template link to the audit trail.

use super::driver::{Chromium, Scripts};
use super::{browser, owners_browser, server, sign_in, with_and_without_scripts};
use crate::support::{Backend, Options, Server, eventually};

with_and_without_scripts!(
    a_token_lives_from_a_template_link_to_the_trail,
    back_and_reload_neither_show_a_secret_again_nor_make_another,
    many_are_revoked_after_a_dry_run,
    the_first_person_sets_up_by_the_link_and_signs_in,
);

fn the_first_person_sets_up_by_the_link_and_signs_in(scripts: Scripts) {
    let server = Server::start(Backend::Sqlite, Options::default().unset_up());
    let link = eventually("the set-up link", || {
        let log = server.log_since_start();
        let (_, code) = log.lines().rfind(|line| line.contains("/setup#"))?.rsplit_once("/setup#")?;
        Some(format!("/setup#{}", code.trim_end_matches(['"', '}', ' ', '.'])))
    });
    let browser = browser(&server, scripts);
    browser.open("/");
    assert!(browser.path().starts_with("/setup") || browser.text().contains("set up"), "{}", browser.text());
    browser.open(&link);
    let (_, code) = link.split_once('#').unwrap();
    if scripts == Scripts::Off {
        browser.fill("#code", code);
    }
    assert_eq!(browser.value_of("#code"), code, "the script takes it from the link");
    browser.run("location.hash = 'main';", &serde_json::json!([]));
    assert_eq!(browser.value_of("#code"), code, "a link within the page is no code");
    browser.fill("#organization", "Not a short name");
    browser.fill("#name", "Ada Lovelace");
    browser.fill("#email", Server::OWNER);
    browser.fill("#password", Server::PASSWORD);
    browser.press("Set up");
    browser.sees("The organisation must");
    assert_eq!((browser.value_of("#code").as_str(), browser.value_of("#name").as_str()), (code, "Ada Lovelace"));
    browser.fill("#organization", Server::ORGANIZATION);
    browser.fill("#password", Server::PASSWORD);
    browser.press("Set up");
    browser.sees("acme is ready");
    browser.press("Sign in");
    sign_in(&browser, Server::OWNER);
    browser.sees("Create the first token");
}

/// The secret on the current page.
#[track_caller]
fn secret(browser: &Chromium) -> String {
    let secret = browser.value_of("#secret");
    assert!(secret.starts_with("nlp_") && secret.len() == 44, "{secret}");
    secret
}

/// Leaves the page of a secret with its button.
fn close(browser: &Chromium, scripts: Scripts) {
    browser.press(if scripts == Scripts::On { "Copy and close" } else { "Done, close this page" });
}

fn a_token_lives_from_a_template_link_to_the_trail(scripts: Scripts) {
    let server = server();
    let mut owner = server.owner();
    let browser = browser(&server, scripts);

    // A template link leads to sign-in, and then to the form.
    browser.open("/tokens/new?name=Deploy&scopes=scans:run,no:such&expires=7d&description=For+the+shop");
    sign_in(&browser, Server::OWNER);
    browser.sees("New token");
    assert_eq!(
        (browser.value_of("#name").as_str(), browser.value_of("#description").as_str()),
        ("Deploy", "For the shop")
    );
    assert!(browser.is_checked("input[value='scans:run']") && browser.is_checked("input[value='7d']"));
    browser.sees("no:such");
    browser.sees("scans:run requires projects:read");
    assert_eq!(owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len(), 0, "a link makes nothing");
    browser.click("input[value='projects:read']");
    if scripts == Scripts::On {
        browser.sees("see projects; and run scans");
    } else {
        browser.press("Preview permissions");
        browser.sees("see projects; and run scans");
        assert_eq!(browser.value_of("#name"), "Deploy");
    }
    browser.press("Create token");

    // Copy the secret, use it, leave its page.
    browser.sees("only time");
    let first = secret(&browser);
    browser.sees("gh secret set NLP_TOKEN");
    if scripts == Scripts::On {
        browser.press("Copy");
        browser.sees("Copied");
    }
    // In a tab of its own: the secret is not shown a second time.
    browser.press("Test it: what does it permit?");
    browser.tab(1);
    browser.sees("This token is valid");
    browser.sees("scans:run");
    assert!(!browser.source().contains(&first), "the secret is gone from the page");
    browser.tab(0);
    assert_eq!(secret(&browser), first);
    assert!(owner.is_valid(&first));

    // Rotate with a day of grace, guided by the pages.
    browser.open("/tokens");
    browser.press("Deploy");
    browser.sees("Expires in 6 d");
    browser.press("Rotate…");
    browser.click("input[name=grace][value='86400']");
    browser.press("Rotate");
    let second = secret(&browser);
    assert_ne!(first, second);
    close(&browser, scripts);
    browser.sees("Rotation under way");
    browser.sees("The new secret has not been used yet");
    assert!(owner.is_valid(&first) && owner.is_valid(&second), "both count meanwhile");
    if scripts == Scripts::Off {
        browser.reload();
    }
    // With scripts the page refreshes itself.
    browser.sees("The new secret is in use");

    // Finish: the old token is revoked. Nothing has to be typed, because the new one has taken its place.
    browser.press("Finish now…");
    assert!(browser.is_checked("input[name=reason][value=replaced]"));
    browser.sees("goes on working and is in use");
    browser.press("End the old secret");
    browser.sees("of Deploy no longer works");
    assert!(!owner.is_valid(&first) && owner.is_valid(&second));

    browser.open("/audit");
    for action in ["token.create", "token.rotate", "token.revoke"] {
        browser.sees(action);
    }
    browser.press("Verify the chain");
    browser.sees("The trail is intact");
}

fn back_and_reload_neither_show_a_secret_again_nor_make_another(scripts: Scripts) {
    let server = server();
    let browser = owners_browser(&server, scripts);
    browser.open("/tokens/new?name=Once&scopes=execute");
    browser.press("Create token");
    let shown = secret(&browser);
    browser.reload();
    browser.sees("Once");
    assert!(!browser.source().contains(&shown), "Reload");
    browser.open("/tokens");
    browser.back();
    assert!(!browser.source().contains(&shown), "Back");
    browser.back();
    assert!(!browser.source().contains(&shown), "Back twice");
    let tokens = server.owner().get("/v1/tokens").expect(200);
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 1);
}

#[test]
fn leaving_a_secret_uncopied_asks_first() {
    let server = server();
    let browser = owners_browser(&server, Scripts::On);
    browser.open("/tokens/new?name=Uncopied&scopes=execute");
    browser.press("Create token");
    let shown = secret(&browser);
    assert!(browser.asks_before_leaving());
    browser.press("Copy");
    browser.sees("Copied");
    assert!(!browser.asks_before_leaving());
    browser.press("Copy and close");
    browser.sees("Uncopied");
    assert!(!browser.source().contains(&shown));
}

fn many_are_revoked_after_a_dry_run(scripts: Scripts) {
    let server = server();
    let mut owner = server.owner();
    let secrets: Vec<String> =
        ["one", "two", "three"].iter().map(|name| owner.create(name)["secret"].as_str().unwrap().to_owned()).collect();
    assert!(owner.is_valid(&secrets[0]));
    let browser = owners_browser(&server, scripts);
    browser.open("/tokens");
    browser.click("input[aria-label='Select one']");
    browser.click("input[aria-label='Select two']");
    browser.press(if scripts == Scripts::On { "Revoke 2 selected…" } else { "Revoke selected…" });
    browser.sees("Revoke 2 tokens");
    browser.sees("These tokens");
    assert!(owner.is_valid(&secrets[1]), "a dry run changes nothing");
    browser.click("input[name=reason][value=unused]");
    browser.press("Revoke 2 tokens");
    browser.sees("2 tokens revoked");
    let alive: Vec<bool> = secrets.iter().map(|secret| owner.is_valid(secret)).collect();
    assert_eq!(alive, [false, false, true]);
}

#[test]
fn the_scope_picker_searches_and_says_what_a_choice_lacks() {
    let server = server();
    let browser = owners_browser(&server, Scripts::On);
    browser.open("/tokens/new");
    let shown = |search: &str| {
        browser.fill("#scope-search", search);
        let boxes = "return [...document.querySelectorAll('input[name=scope]')].filter((box) => box.offsetParent).map((box) => box.value);";
        let found = browser.run(boxes, &serde_json::json!([]));
        found.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(shown("coverage outcomes read"), ["execute", "read"], "by the description, in any order of words");
    assert_eq!(shown("scans:run"), ["scans", "scans:run"], "by the name, also of what includes it");
    browser.click("input[value='scans:run']");
    browser.sees("scans:run requires projects:read: choose it as well.");
    browser.sees("May run scans, for 90 days, from anywhere.");
    assert_eq!(shown("nothing is called so"), Vec::<String>::new());
    assert_eq!(browser.text_of("[data-picker-chosen]"), "scans:run", "what is chosen stays in sight");
    assert!(shown(" ").len() > 20);
    browser.click("input[value='projects:read']");
    browser.click("input[name=expires][value='7d']");
    browser.fill("#networks", "203.0.113.0/24");
    browser.sees("for 7 days, from the networks above.");
}

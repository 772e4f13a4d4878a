//! Signing in: with a second factor, again in the middle of a form, and without cookies.

use authority::hashing::TotpSecret;
use data_encoding::BASE32_NOPAD;

use super::driver::{Chromium, Cookies, Scripts};
use super::{owners_browser, server, sign_in, with_and_without_scripts};
use crate::support::{Server, now};

with_and_without_scripts!(
    a_second_factor_is_set_up_and_asked_for,
    a_session_that_ends_in_the_middle_of_a_form_loses_nothing,
    a_browser_that_keeps_no_cookies_is_told_so,
);

fn a_second_factor_is_set_up_and_asked_for(scripts: Scripts) {
    let server = server();
    let browser = owners_browser(&server, scripts);
    browser.open("/settings");
    browser.press("Set up a second factor");
    browser.press("Set it up");
    let shown = browser.text_of(".bigcode code");
    let bytes = BASE32_NOPAD.decode(shown.replace(' ', "").as_bytes()).unwrap();
    let secret = TotpSecret::from_bytes(&bytes).unwrap();
    let step = || now().as_micros() / 30_000_000;
    let used = step();
    browser.fill("#code", &secret.shown(used));
    browser.press("Enable");
    browser.sees("Your recovery codes");
    assert_eq!(browser.count(".codes li"), 10);
    let recovery = browser.text_of(".codes li:first-child");
    browser.press("I have saved them");
    browser.sees("On");

    browser.click("details.menu summary");
    browser.press("Sign out");
    browser.sees("You are signed out");
    sign_in(&browser, Server::OWNER);
    browser.sees("Code from your authenticator app");
    browser.fill("#password", Server::PASSWORD);
    browser.fill("#code", "000000");
    browser.press("Sign in");
    browser.sees("The code is wrong");
    // A code is accepted only once, so this sign-in uses a recovery code.
    browser.fill("#password", Server::PASSWORD);
    browser.fill("#code", &recovery);
    browser.press("Sign in");
    browser.sees("Overview");
}

fn a_session_that_ends_in_the_middle_of_a_form_loses_nothing(scripts: Scripts) {
    let server = server();
    let browser = owners_browser(&server, scripts);
    browser.open("/tokens/new");
    browser.fill("#name", "typed before the session ended");
    browser.click("input[value='scans:read']");
    assert_eq!(server.owner().delete("/v1/sessions").status, 204);
    browser.press("Create token");
    browser.sees("your input is kept");
    sign_in(&browser, Server::OWNER);
    browser.sees("Your input is kept");
    browser.press("Continue");
    assert_eq!(browser.value_of("#name"), "typed before the session ended");
    assert!(browser.is_checked("input[value='scans:read']"));
    browser.press("Create token");
    browser.sees("only time");
    let tokens = server.owner().get("/v1/tokens").expect(200);
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 1);
}

fn a_browser_that_keeps_no_cookies_is_told_so(scripts: Scripts) {
    let server = server();
    let browser = Chromium::start(&format!("http://{}", server.address()), scripts, Cookies::Blocked);
    browser.open("/sign-in");
    sign_in(&browser, Server::OWNER);
    browser.sees("did not store the session");
}

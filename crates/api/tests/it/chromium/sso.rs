//! Single sign-on at a real provider.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use super::axe::{AXE, faults};
use super::driver::{Chromium, Scripts};
use super::{browser, with_and_without_scripts};
use crate::support::{Backend, IdentityProvider, Server};

with_and_without_scripts!(people_sign_in_with_the_account_of_their_organisation);

/// A server whose people sign in at a provider, and that provider.
fn ground(more: &str) -> (Server, IdentityProvider) {
    // The provider is told where to send people before the server starts.
    let socket = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let provider = IdentityProvider::start(&format!("http://{}", socket.local_addr().unwrap()), more);
    (Server::start(Backend::Sqlite, provider.options().listening_on(socket)), provider)
}

/// Answers the provider's form.
fn sign_in(browser: &Chromium) {
    browser.fill("input[name='login']", "ann");
    browser.fill("input[name='password']", "anything");
    browser.press("Sign-in");
}

fn people_sign_in_with_the_account_of_their_organisation(scripts: Scripts) {
    let (server, _provider) = ground("default_role = \"member\"\nrequired = true");
    let browser = browser(&server, scripts);
    browser.open("/settings");
    browser.press("Sign in with Acme account");
    sign_in(&browser);
    browser.press("Continue");
    browser.sees("You signed in with your organisation’s account.");
    assert_eq!(browser.path(), "/settings");
    browser.sees("with Acme account");
    browser.open("/settings/proof?next=%2Fsettings");
    browser.press("Sign in with Acme account again");
    sign_in(&browser);
    browser.sees("You signed in with your organisation’s account.");
    browser.click("details.menu summary");
    browser.press("Sign out");
    browser.sees("You are signed out");
    // The provider remembers her.
    browser.press("Sign in with Acme account");
    browser.sees("Overview");
}

#[test]
fn no_page_of_single_sign_on_breaks_a_rule_of_accessibility() {
    let axe = std::fs::read_to_string(Path::new(AXE)).expect("axe-core is missing: cargo xtask test installs it");
    let (server, _provider) = ground("default_role = \"member\"");
    let browser = browser(&server, Scripts::On);
    browser.open("/sign-in");
    let mut found = faults(&browser, &axe, "sign-in with a provider");
    browser.open("/sign-in/sso/corp/callback?state=none");
    found.extend(faults(&browser, &axe, "a sign-in that was not begun"));
    browser.open("/sign-in?next=%2Fsettings");
    browser.press("Sign in with Acme account");
    sign_in(&browser);
    browser.press("Continue");
    browser.sees("You signed in with your organisation’s account.");
    found.extend(faults(&browser, &axe, "settings of somebody who signed in at a provider"));
    browser.open("/settings/proof?next=%2Fsettings");
    found.extend(faults(&browser, &axe, "proof at a provider"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

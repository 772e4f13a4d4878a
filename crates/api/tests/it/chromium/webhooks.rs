//! A webhook in the browser: made, its secret once, tested, sent again, deleted.

use super::driver::Scripts;
use super::{owners_browser, server, with_and_without_scripts};
use crate::support::eventually;
use crate::webhooks::receiver::Receiver;

with_and_without_scripts!(a_webhook_is_made_tested_and_deleted);

fn a_webhook_is_made_tested_and_deleted(scripts: Scripts) {
    let (server, receiver) = (server(), Receiver::start());
    let browser = owners_browser(&server, scripts);
    browser.open("/settings");
    browser.press("Webhooks");
    browser.press("New webhook");
    browser.fill("#url", "http://user@127.0.0.1/");
    browser.press("Create webhook");
    browser.sees("The URL must have no user name");
    browser.fill("#url", &receiver.url("http"));
    browser.fill("#description", "Tells the on-call channel.");
    browser.press("Create webhook");
    browser.sees("This is the only time");
    let secret = browser.value_of("#secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    // It was not copied, so scripts would ask before the page is left.
    browser.run("window.onbeforeunload = null; document.querySelector('[data-secret-page]').dispatchEvent(new Event('copy', { bubbles: true }));", &serde_json::json!([]));
    browser.open("/settings/webhooks");
    browser.sees("Tells the on-call channel.");
    browser.press(&receiver.url("http"));
    browser.press("Send a test");
    browser.sees("A test is on its way");
    let got = receiver.wait_for(1);
    assert!(got[0].is_signed_by(&secret), "{got:?}");
    let path = browser.path();
    eventually("the delivery is shown", || {
        browser.open(&path);
        browser.text().contains("Delivered").then_some(())
    });
    browser.press("Send again");
    assert_eq!(receiver.wait_for(2)[1].header("webhook-id"), got[0].header("webhook-id"));
    browser.press("Delete…");
    browser.press("Delete the webhook");
    browser.sees("No webhooks yet");
}

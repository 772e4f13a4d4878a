//! Every page satisfies the rules of axe-core (WCAG 2.2 A and AA, and its best practices), light and dark, wide and
//! narrow, and no page is wider than its window.

use std::path::Path;

use serde_json::json;

use super::driver::{Chromium, Scheme, Scripts};
use super::{browser, owners_browser, places, server};
use crate::support::{Backend, Options, Server};

/// The path where `cargo xtask test` installs axe-core.
pub(super) const AXE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../pages/node_modules/axe-core/axe.min.js");

/// Widths of a wide screen, a tablet and a telephone.
const WIDTHS: [u32; 3] = [1_440, 820, 390];

/// What stays at an edge of the window comes near some control, or covers part of it, at any place of the scroll bar, from where
/// it can be scrolled away: it is measured where it stands in the page.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    window.scrollTo(0, 0);
    document.querySelectorAll('.summary').forEach((bar) => { bar.style.position = 'static'; });
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { runOnly: rules }).then(
        (found) => done(found.violations.map((rule) => `${rule.id}: ` + rule.nodes.map((node) =>
            `${node.target.join(' ')} (${(node.any[0] || node.all[0] || node.none[0] || {}).message})`).join('; '))),
        (error) => done([String(error)]));";

/// The violations of the open page.
pub(super) fn faults(browser: &Chromium, axe: &str, name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    browser.run(axe, &json!([]));
    for scheme in Scheme::BOTH {
        for width in WIDTHS {
            browser.look(width, 900, scheme);
            let place = format!("{name}, {width} px, {}", scheme.as_str());
            let over = browser.run("return document.documentElement.scrollWidth - window.innerWidth;", &json!([]));
            if over.as_i64() > Some(0) {
                faults.push(format!("{place}: {over} px wider than the window"));
            }
            let found = browser.run_async(RUN, &json!([]));
            faults
                .extend(found.as_array().unwrap().iter().map(|fault| format!("{place}: {}", fault.as_str().unwrap())));
        }
    }
    browser.look(WIDTHS[0], 900, Scheme::Light);
    faults
}

#[test]
fn no_page_breaks_a_rule_of_accessibility() {
    let axe = std::fs::read_to_string(Path::new(AXE)).expect("axe-core is missing: cargo xtask test installs it");
    let server = server();
    let places = places::of(&server);
    let stranger = browser(&server, Scripts::On);
    stranger.open("/sign-in");
    let mut found = faults(&stranger, &axe, "sign-in");
    drop(stranger);
    let empty = Server::start(Backend::Sqlite, Options::default().unset_up());
    let first = browser(&empty, Scripts::On);
    first.open("/setup");
    found.extend(faults(&first, &axe, "set-up"));
    drop(first);
    let browser = owners_browser(&server, Scripts::On);
    for place in places {
        place.visit(&browser);
        found.extend(faults(&browser, &axe, place.name));
    }
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

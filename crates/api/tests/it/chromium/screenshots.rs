//! Screenshots of pages, light and dark, wide and narrow, for review and for the documentation.
//!
//! `NOLAPSE_TEST_SCREENSHOTS` names a folder to keep them in, `NOLAPSE_TEST_PICTURES` one for those of the
//! documentation. Without a folder the narrow and dark ones are taken and discarded, so that a page that cannot be rendered
//! fails the test; the tests of accessibility look at every page in all six ways.

use std::path::PathBuf;

use serde_json::json;

use super::driver::{Scheme, Scripts};
use super::{owners_browser, places, server};
use crate::support::texts;

/// Width, height, name.
const SIZES: [(u32, u32, &str); 3] = [(1_440, 900, "wide"), (820, 1_000, "tablet"), (390, 800, "narrow")];

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The folder that a variable names, if it is set; it exists then.
fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from)?;
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

#[test]
fn every_page_can_be_drawn() {
    let folder = folder("NOLAPSE_TEST_SCREENSHOTS");
    let server = server();
    let places = places::of(&server);
    let browser = owners_browser(&server, Scripts::On);
    for place in places {
        place.visit(&browser);
        for scheme in Scheme::BOTH {
            for (width, height, size) in SIZES {
                if folder.is_none() && (size != "narrow" || scheme != Scheme::Dark) {
                    continue;
                }
                browser.look(width, height, scheme);
                let picture = browser.picture();
                assert!(picture.starts_with(PNG) && picture.len() > 5_000, "{}", place.name);
                if let Some(folder) = &folder {
                    let file = folder.join(format!("{}-{size}-{}.png", place.name, scheme.as_str()));
                    std::fs::write(file, picture).unwrap();
                }
            }
        }
        browser.look(1_440, 900, Scheme::Light);
    }
}

/// The most bytes of a picture in the documentation.
const MOST: usize = 100 * 1024;

#[test]
fn the_documentation_has_pictures_of_a_deployment_in_use() {
    let folder = folder("NOLAPSE_TEST_PICTURES");
    let server = server();
    server.facts().fill_history();
    let mut owner = server.owner();
    let replaced = owner.create("Terraform");
    let [id, secret] = texts(&replaced, ["id", "secret"]);
    owner.rotate(&id, &json!({"grace_period_seconds": 0}));
    assert!(!owner.is_valid(&secret), "it came back");
    let found = owner.get("/v1/tokens?q=CI+on+main").expect(200)["tokens"].clone();
    let token = format!("/tokens/{}", found[0]["id"].as_str().unwrap());
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let policies = owner.get(&format!("/v1/organizations/{organization}/trust-policies")).expect(200);
    let policy = format!("/trust/{}", policies["trust_policies"][0]["id"].as_str().unwrap());
    let browser = owners_browser(&server, Scripts::On);
    let new = "/tokens/new?name=Deploy&scopes=scans:run,projects:read&expires=90d";
    let (wide, narrow) = ((1_000, 500), (390, 800));
    for (name, path, (width, height), scheme) in [
        ("overview", "/", wide, Scheme::Light),
        ("token", &token, wide, Scheme::Dark),
        ("new-token", new, wide, Scheme::Light),
        ("rotate", &format!("{token}/rotate"), narrow, Scheme::Light),
        ("trust-policy", &policy, narrow, Scheme::Dark),
    ] {
        browser.look(width, height, scheme);
        browser.open(path);
        let picture = browser.picture();
        assert!(picture.starts_with(PNG) && picture.len() <= MOST, "{name}: {} bytes", picture.len());
        if let Some(folder) = &folder {
            std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
        }
    }
}

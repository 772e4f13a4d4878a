//! Screenshots of pages, light and dark, wide and narrow, for review and for the documentation.
//!
//! `NOLAPSE_TEST_SCREENSHOTS` names a folder to keep them in. Without it they are taken and discarded, so that a page
//! that cannot be rendered fails the test.

use std::path::PathBuf;

use super::driver::{Scheme, Scripts};
use super::{owners_browser, places, server};

/// Width, height, name.
const SIZES: [(u32, u32, &str); 3] = [(1_440, 900, "wide"), (820, 1_000, "tablet"), (390, 800, "narrow")];

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[test]
fn every_page_can_be_drawn() {
    let folder = std::env::var_os("NOLAPSE_TEST_SCREENSHOTS").map(PathBuf::from);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).unwrap();
    }
    let server = server();
    let places = places::of(&server);
    let browser = owners_browser(&server, Scripts::On);
    for place in places {
        place.visit(&browser);
        for scheme in Scheme::BOTH {
            for (width, height, size) in SIZES {
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

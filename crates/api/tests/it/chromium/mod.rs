//! The dashboard in Chromium: whole journeys with scripts and without, the rules of axe on every page, screenshots.
//!
//! The contents and refusals of pages are tested in `pages`, on both databases and without a browser. These tests cover
//! what needs a browser: scripts, clicks, visible text, Back and Reload. They use SQLite, because the database makes no
//! difference. `cargo xtask test` installs Chromium and axe; without them the tests fail.

mod axe;
mod driver;
mod journey;
mod leaving;
mod places;
mod screenshots;
mod signing_in;
mod sso;
mod trust;
mod webhooks;

use self::driver::{Chromium, Cookies, Scripts};
use crate::support::{Backend, Options, Server};

/// For each named function with a parameter [`Scripts`], makes one test with scripts and one without.
macro_rules! with_and_without_scripts {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                use crate::chromium::driver::Scripts;

                #[test]
                fn with_scripts() {
                    super::$name(Scripts::On);
                }

                #[test]
                fn without_scripts() {
                    super::$name(Scripts::Off);
                }
            }
        )+
    };
}
use with_and_without_scripts;

/// Starts a server, which reaches issuers of identity tokens and webhooks on this machine.
fn server() -> Server {
    Server::start(
        Backend::Sqlite,
        Options::default()
            .with("outbound.allowed_networks", "127.0.0.0/8")
            .with("webhooks.enabled", true)
            .of_debug_build(),
    )
}

/// Starts a browser for a server.
fn browser(server: &Server, scripts: Scripts) -> Chromium {
    Chromium::start(&format!("http://{}", server.address()), scripts, Cookies::Kept)
}

/// Starts a browser and signs the owner in.
fn owners_browser(server: &Server, scripts: Scripts) -> Chromium {
    let browser = browser(server, scripts);
    browser.open("/sign-in");
    sign_in(&browser, Server::OWNER);
    browser.sees("Overview");
    browser
}

/// Signs in on the sign-in page.
fn sign_in(browser: &Chromium, email: &str) {
    browser.fill("#email", email);
    browser.fill("#password", Server::PASSWORD);
    browser.press("Sign in");
}

//! The dashboard in Chromium: whole journeys with scripts and without, the rules of axe on every page, screenshots.
//!
//! What a page says and refuses is tested in `pages`, on both databases and without a browser. Here is what a browser adds: what
//! scripts do, what can be clicked and read, what Back and Reload do. SQLite serves; the database behind makes no difference.
//! `cargo xtask test` installs Chromium and axe. One that is missing is a failure.

mod axe;
mod driver;
mod journey;
mod leaving;
mod places;
mod screenshots;
mod signing_in;

use self::driver::{Chromium, Cookies, Scripts};
use crate::support::{Backend, Options, Server};

/// Makes of each named function, which takes a [`Scripts`], one test with scripts and one without.
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

/// A server to look at.
fn server() -> Server {
    Server::start(Backend::Sqlite, Options::default())
}

/// A browser at a server.
fn browser(server: &Server, scripts: Scripts) -> Chromium {
    Chromium::start(&format!("http://{}", server.address()), scripts, Cookies::Kept)
}

/// A browser in which the owner is signed in.
fn owners_browser(server: &Server, scripts: Scripts) -> Chromium {
    let browser = browser(server, scripts);
    browser.open("/sign-in");
    sign_in(&browser, Server::OWNER);
    browser.sees("Overview");
    browser
}

/// Signs in on the page that asks for it.
fn sign_in(browser: &Chromium, email: &str) {
    browser.fill("#email", email);
    browser.fill("#password", Server::PASSWORD);
    browser.press("Sign in");
}

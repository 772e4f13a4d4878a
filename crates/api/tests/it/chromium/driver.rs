//! Chromium, driven by its `WebDriver` (<https://www.w3.org/TR/webdriver2/>).
//!
//! The protocol is JSON over HTTP, and these tests need a dozen of its commands, so they use the workspace's HTTP
//! client. The crates for `WebDriver` would add a second asynchronous HTTP stack, and the best known one a library
//! under the MPL, which `deny.toml` does not allow.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The timeout of a wait: far longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// The time between two polls.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scripts {
    /// The browser's default.
    On,
    /// Switched off in the browser's settings.
    Off,
}

/// Whether the browser keeps cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookies {
    /// The browser's default.
    Kept,
    /// Blocked in the browser's settings.
    Blocked,
}

/// The preferred colour scheme of the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub(super) const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A browser with its own profile, for one server. Dropping it ends the browser and its driver.
pub(super) struct Chromium {
    agent: Agent,
    /// The address of the `WebDriver` session.
    session: String,
    driver: Child,
    base: String,
    _profile: TempDir,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Ends the browser, which would outlive its driver.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Chromium {
    /// Starts a browser for the server with the URL `base`.
    ///
    /// # Panics
    /// Without Debian's `chromium` and `chromium-driver`: a missing browser is a failure.
    pub(super) fn start(base: &str, scripts: Scripts, cookies: Cookies) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: apt-get install -y chromium chromium-driver");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let port = port.expect("chromedriver did not start");
        let profile = tempfile::Builder::new().prefix("nolapse-chromium-").tempdir().unwrap();
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        if rustix::process::geteuid().is_root() {
            // The sandbox does not run as root, which CI containers use.
            arguments.push("--no-sandbox".to_owned());
        }
        // Chromium's values for "allow" and "block".
        let setting = |is_blocked| if is_blocked { 2 } else { 1 };
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {
                    "profile.managed_default_content_settings.javascript": setting(scripts == Scripts::Off),
                    "profile.default_content_setting_values.cookies": setting(cookies == Cookies::Blocked),
                },
            },
        } } });
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        let agent: Agent = config.into();
        let address = format!("http://127.0.0.1:{port}/session");
        let begun = called(agent.post(&address).send(capabilities.to_string()));
        let session = begun["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {begun}"));
        let session = format!("{address}/{session}");
        let chromium = Self { agent, session, driver, base: base.to_owned(), _profile: profile };
        chromium.look(1_280, 900, Scheme::Light);
        chromium
    }

    fn get_value(&self, path: &str) -> Value {
        called(self.agent.get(format!("{}{path}", self.session)).call())
    }

    fn post_value(&self, path: &str, body: &Value) -> Value {
        called(self.agent.post(format!("{}{path}", self.session)).send(body.to_string()))
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post_value("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Sets the window's size in CSS pixels, and the colour scheme.
    pub(super) fn look(&self, width: u32, height: u32, scheme: Scheme) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme.as_str() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// A screenshot of the window.
    pub(super) fn picture(&self) -> Vec<u8> {
        let picture = self.get_value("/screenshot");
        BASE64.decode(picture.as_str().unwrap().as_bytes()).unwrap()
    }

    /// Opens a page of the server.
    pub(super) fn open(&self, path: &str) {
        self.post_value("/url", &json!({ "url": format!("{}{path}", self.base) }));
    }

    /// Goes on in the tab of this number, in the order they were opened; waits until it is there.
    pub(super) fn tab(&self, number: usize) {
        let begun = Instant::now();
        loop {
            if let Some(handle) = self.get_value("/window/handles").get(number) {
                self.post_value("/window", &json!({ "handle": handle }));
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no tab {number}");
            std::thread::sleep(PAUSE);
        }
    }

    /// Goes back, as the button of the browser does.
    pub(super) fn back(&self) {
        self.post_value("/back", &json!({}));
    }

    /// Loads the page again, as the button of the browser does.
    pub(super) fn reload(&self) {
        self.post_value("/refresh", &json!({}));
    }

    /// The path and query of the current page.
    pub(super) fn path(&self) -> String {
        let address = self.get_value("/url");
        let address = address.as_str().unwrap();
        address.strip_prefix(&self.base).unwrap_or(address).to_owned()
    }

    /// The HTML of the page, with the changes of scripts.
    pub(super) fn source(&self) -> String {
        self.get_value("/source").as_str().unwrap().to_owned()
    }

    /// The visible text of the page; empty while the next page is loading.
    pub(super) fn text(&self) -> String {
        let body = json!({ "script": "return document.body ? document.body.innerText : ''", "args": [] });
        let address = format!("{}/execute/sync", self.session);
        let text = answered(self.agent.post(&address).send(body.to_string()));
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The elements that a CSS selector finds.
    fn found(&self, selector: &str) -> Vec<String> {
        let body = json!({ "using": "css selector", "value": selector });
        let elements = self.post_value("/elements", &body);
        let id = |element: &Value| element[ELEMENT].as_str().unwrap().to_owned();
        elements.as_array().unwrap().iter().map(id).collect()
    }

    /// How many elements a CSS selector finds.
    pub(super) fn count(&self, selector: &str) -> usize {
        self.found(selector).len()
    }

    /// The first visible element that a CSS selector finds. Waits for a page that is still loading.
    #[track_caller]
    fn one(&self, selector: &str) -> String {
        let begun = Instant::now();
        loop {
            let found = self.found(selector);
            let shown = found.iter().find(|element| self.is_displayed(element));
            if let Some(element) = shown.or(found.first()) {
                return element.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "no {selector} on {}:\n{}", self.path(), self.text());
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether an element is visible; false if it no longer exists.
    fn is_displayed(&self, element: &str) -> bool {
        let address = format!("{}/element/{element}/displayed", self.session);
        answered(self.agent.get(address).call()).is_ok_and(|shown| shown == true)
    }

    /// The text of an element.
    #[track_caller]
    pub(super) fn text_of(&self, selector: &str) -> String {
        let element = self.one(selector);
        self.get_value(&format!("/element/{element}/text")).as_str().unwrap().to_owned()
    }

    /// The value of a field.
    #[track_caller]
    pub(super) fn value_of(&self, selector: &str) -> String {
        let element = self.one(selector);
        self.get_value(&format!("/element/{element}/property/value")).as_str().unwrap_or_default().to_owned()
    }

    /// Whether a box is checked.
    #[track_caller]
    pub(super) fn is_checked(&self, selector: &str) -> bool {
        self.get_value(&format!("/element/{}/selected", self.one(selector))) == true
    }

    /// Clicks like a mouse: fails if another element covers the target.
    #[track_caller]
    pub(super) fn click(&self, selector: &str) {
        let element = self.one(selector);
        self.post_value(&format!("/element/{element}/click"), &json!({}));
    }

    /// Clicks the link or button with this label.
    #[track_caller]
    pub(super) fn press(&self, name: &str) {
        let path =
            format!("//*[self::a or self::button or self::summary or self::label][normalize-space()={}]", quoted(name));
        let begun = Instant::now();
        let id = loop {
            let found = self.post_value("/elements", &json!({ "using": "xpath", "value": path }));
            let mut ids = found.as_array().unwrap().iter().map(|element| element[ELEMENT].as_str().unwrap().to_owned());
            if let Some(id) = ids.find(|id| self.is_displayed(id)) {
                break id;
            }
            assert!(begun.elapsed() < PATIENCE, "nothing is called {name} on {}:\n{}", self.path(), self.text());
            std::thread::sleep(PAUSE);
        };
        self.post_value(&format!("/element/{id}/click"), &json!({}));
    }

    /// Replaces the value of a field by typing.
    #[track_caller]
    pub(super) fn fill(&self, selector: &str, text: &str) {
        let element = self.one(selector);
        self.post_value(&format!("/element/{element}/clear"), &json!({}));
        self.post_value(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Runs a script in the page, even if the page's own scripts are blocked.
    pub(super) fn run(&self, script: &str, arguments: &Value) -> Value {
        self.post_value("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a script that calls its last argument when it is done.
    pub(super) fn run_async(&self, script: &str, arguments: &Value) -> Value {
        self.post_value("/execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// Whether the page would ask for confirmation before it is left. The driver confirms such dialogs itself, so this
    /// checks the page's handler.
    pub(super) fn asks_before_leaving(&self) -> bool {
        let script = "const leaving = new Event('beforeunload', { cancelable: true }); \
                      window.dispatchEvent(leaving); return leaving.defaultPrevented;";
        self.run(script, &json!([])) == true
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub(super) fn sees(&self, text: &str) {
        let begun = Instant::now();
        while !self.text().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "no {text:?} on {}:\n{}", self.path(), self.text());
            std::thread::sleep(PAUSE);
        }
    }
}

/// A text as a string literal of `XPath`, which has no escapes.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'));
    format!("\"{text}\"")
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Value {
    answer.body_mut().with_config().limit(64 << 20).read_json().unwrap()
}

/// The value of a successful answer; panics for an error.
#[track_caller]
fn called(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    answered(answer).unwrap_or_else(|refusal| panic!("the browser refused: {refusal}"))
}

/// The value of an answer, or the browser's error.
fn answered(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Value> {
    let answer = answer.unwrap();
    let status = answer.status();
    let mut body = read(answer);
    if status == 200 { Ok(body["value"].take()) } else { Err(body["value"]["message"].take()) }
}

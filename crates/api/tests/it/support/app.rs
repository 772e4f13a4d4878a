//! An authenticator app, which computes one-time passwords.

use authority::hashing::TotpSecret;
use data_encoding::BASE32_NOPAD;

use serde_json::json;

use super::client::{Client, texts};
use super::now;

/// Sets up a second factor for the signed-in person; returns their app and their recovery codes. Ends their other
/// sessions.
#[track_caller]
pub(crate) fn enrol(client: &mut Client) -> (App, Vec<String>) {
    let [secret] = texts(&client.call("/v1/me/totp").expect(201), ["secret"]);
    let mut app = App::new(&secret);
    let confirmed = client.post("/v1/me/totp/confirm", &json!({"code": app.code()})).expect(200);
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    (app, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

/// An app with a person's secret. It uses the server's clock, and never returns a code twice.
pub(crate) struct App {
    pub(crate) secret: TotpSecret,
    last: i64,
}

impl App {
    /// An app with the secret that the server showed.
    pub(crate) fn new(base32: &str) -> Self {
        let bytes = BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
        Self { secret: TotpSecret::from_bytes(&bytes).unwrap(), last: 0 }
    }

    /// A code that the server accepts now: of this time step or the next, so two for each half minute.
    pub(crate) fn code(&mut self) -> String {
        let step = now().as_micros() / 30_000_000;
        self.last = step.max(self.last + 1);
        assert!(self.last <= step + 1, "a test asks for two codes at most");
        self.secret.shown(self.last)
    }

    /// A code that the server accepts neither now nor soon.
    pub(crate) fn wrong(&self) -> String {
        let step = now().as_micros() / 30_000_000;
        let right: Vec<String> = (-1..=2).map(|offset| self.secret.shown(step + offset)).collect();
        (0..5).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).unwrap()
    }
}

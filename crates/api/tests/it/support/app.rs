//! The app on a person's phone that shows one-time passwords.

use authority::hashing::TotpSecret;
use data_encoding::BASE32_NOPAD;

use super::now;

/// An app with a person's secret: its clock is the server's, and no code is shown twice.
pub(crate) struct App {
    pub(crate) secret: TotpSecret,
    last: i64,
}

impl App {
    /// With the secret that the server showed.
    pub(crate) fn new(base32: &str) -> Self {
        let bytes = BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
        Self { secret: TotpSecret::from_bytes(&bytes).unwrap(), last: 0 }
    }

    /// A code that the server takes now: of this step or the next. There are two for each half minute.
    pub(crate) fn code(&mut self) -> String {
        let step = now().as_micros() / 30_000_000;
        self.last = step.max(self.last + 1);
        assert!(self.last <= step + 1, "a test asks for two codes at most");
        self.secret.shown(self.last)
    }

    /// One that is not taken now nor soon.
    pub(crate) fn wrong(&self) -> String {
        let step = now().as_micros() / 30_000_000;
        let right: Vec<String> = (-1..=2).map(|offset| self.secret.shown(step + offset)).collect();
        (0..5).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).unwrap()
    }
}

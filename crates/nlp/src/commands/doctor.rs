//! `nlp doctor`: checks the set-up, and names each fault and the command that fixes it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use client::Error;
use serde_json::{Value, json};

use super::hooks;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::redact::harmless;
use crate::settings::Settings;

/// Days before a key's expiry in which the check warns.
const SOON_DAYS: i64 = 14;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Good,
    Warning,
    Bad,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "failed",
        }
    }
}

/// One check.
struct Check {
    name: &'static str,
    outcome: Outcome,
    found: String,
    next: Option<String>,
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, found: impl Into<String>) -> Self {
        Self { name, outcome, found: found.into(), next: None }
    }

    fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// A failed check, with the failure's own advice.
    fn of(name: &'static str, failure: &Failure) -> Self {
        let json = failure.json();
        let text = |field: &str| json["error"][field].as_str().map(str::to_owned);
        let check = Self::new(name, Outcome::Bad, text("message").unwrap_or_default());
        match text("next") {
            Some(next) => check.next(next),
            None => check,
        }
    }

    fn json(&self) -> Value {
        json!({ "check": self.name, "outcome": self.outcome.as_str(), "found": self.found, "next": self.next })
    }
}

pub(crate) fn run(settings: &Settings, printer: &Printer) -> Result<Exit> {
    let mut checks = Vec::new();
    authority(settings, &mut checks);
    credential(settings, &mut checks);
    checks.extend(hooks_in(Path::new(".")));
    let failed = checks.iter().filter(|check| check.outcome == Outcome::Bad).count();
    if !printer.is_text() {
        // The list is the answer, so that there is no error beside it: the exit code says how the checks went.
        printer.value(&Value::Array(checks.iter().map(Check::json).collect()))?;
        return Ok(if failed == 0 { Exit::Done } else { Exit::Failed });
    }
    for check in &checks {
        let next = check.next.as_ref().map(|next| format!("\n           next: {next}")).unwrap_or_default();
        printer.text(&harmless(&format!("{:8}  {}: {}{next}\n", check.outcome.as_str(), check.name, check.found)))?;
    }
    match failed {
        0 => Ok(Exit::Done),
        1 => Err(Failure::new("1 check failed")),
        n => Err(Failure::new(format!("{n} checks failed"))),
    }
}

fn authority(settings: &Settings, checks: &mut Vec<Check>) {
    let client = match settings.client() {
        Ok(client) => client,
        Err(failure) => {
            checks.push(Check::of("address", &failure));
            return;
        }
    };
    checks.push(Check::new("address", Outcome::Good, client.base()));
    let began = Instant::now();
    match client.health() {
        Ok(_) => {
            checks.push(Check::new(
                "reachable",
                Outcome::Good,
                format!("answered in {} ms", began.elapsed().as_millis()),
            ));
        }
        Err(error) => {
            let advice = match &error {
                Error::Unreachable(_) => {
                    "check that the server is running, and its name, port and certificate: curl -v URL/health"
                }
                Error::Refused(_) | Error::Unreadable(_) | Error::Address(_) => {
                    "another server answers at this address: check the address and the proxy in front of it"
                }
            };
            checks.push(Check::new("reachable", Outcome::Bad, error.to_string()).next(advice));
            return;
        }
    }
    checks.push(match client.ready() {
        Ok(_) => Check::new("ready", Outcome::Good, "it accepts requests"),
        Err(error) => {
            let failing = error.refusal().map(|refusal| refusal.body["failing"].to_string()).unwrap_or_default();
            Check::new("ready", Outcome::Bad, format!("{error} {failing}"))
                .next("operator: check the failing part and the log of nolapse-api")
        }
    });
}

fn credential(settings: &Settings, checks: &mut Vec<Check>) {
    let credential = match settings.required_credential() {
        Ok(credential) => credential,
        Err(failure) => {
            checks.push(Check::of("credential", &failure));
            return;
        }
    };
    checks.push(match credential.source.warning() {
        None => Check::new("credential", Outcome::Good, format!("in {}", credential.source)),
        Some(warning) => Check::new("credential", Outcome::Warning, warning)
            .next("nlp logout && nlp login, on a machine with a keyring or a login session"),
    });
    checks.extend(credential.source.file().and_then(open_to_others));
    let Ok(client) = settings.client() else { return };
    match client.with(credential.secret).get_self() {
        Ok(token) => {
            let found = format!("{} ({}), {}", token.name, token.hint, token.status);
            checks.push(Check::new("token", Outcome::Good, found));
            checks.extend(ends_soon(token.expires_at.or(token.grace_period_ends_at).as_deref()));
        }
        // The credential is a valid session, not a token.
        Err(error) if error.refusal().is_some_and(|refusal| refusal.status == 403) => {
            checks
                .push(Check::new("token", Outcome::Warning, "a session, not a token").next("nlp login creates a key"));
        }
        Err(error) => {
            let failure = Failure::from(error);
            let check = Check::of("token", &failure);
            checks.push(if failure.exit() == Exit::InvalidToken { check.next("nlp login") } else { check });
        }
    }
}

/// A credential file that other users may read.
fn open_to_others(file: &Path) -> Option<Check> {
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        let found = format!("{} is open to other users (mode {mode:o})", file.display());
        Check::new("credential file", Outcome::Warning, found).next(format!("chmod 600 {}", file.display()))
    })
}

fn ends_soon(end: Option<&str>) -> Option<Check> {
    let end = chrono::DateTime::parse_from_rfc3339(end?).ok()?;
    #[expect(clippy::disallowed_methods, reason = "the check compares with this machine's clock")]
    let now = chrono::Utc::now();
    let days = (end.with_timezone(&chrono::Utc) - now).num_days();
    (days < SOON_DAYS).then(|| {
        Check::new("token expiry", Outcome::Warning, format!("it expires on {end}, in {days} days")).next("nlp login")
    })
}

/// Whether git runs the hooks of a repository.
fn hooks_in(folder: &Path) -> Option<Check> {
    let state = hooks::state(folder)?;
    Some(match state {
        hooks::State::Installed(file) => Check::new("git hook", Outcome::Good, file.display().to_string()),
        hooks::State::Missing => {
            Check::new("git hook", Outcome::Warning, "commits here are not scanned").next("nlp hooks install")
        }
        hooks::State::Shadowed { file, by } => Check::new(
            "git hook",
            Outcome::Bad,
            format!("{} is never run, because core.hooksPath points to {}", file.display(), by.display()),
        )
        .next("nlp hooks install (it respects core.hooksPath)"),
    })
}

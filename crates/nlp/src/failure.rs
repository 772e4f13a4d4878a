//! Why a command failed: what happened, what to do about it, and the exit code.

use std::fmt;

use client::{Error, Refusal};
use serde_json::{Value, json};

use crate::exit::Exit;

/// The result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Short and stable, for programs.
    code: String,
    message: String,
    next: Option<String>,
    request_id: Option<String>,
    exit: Exit,
}

impl Failure {
    /// A failure with this message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code: "failed".into(), message, next: None, request_id: None, exit: Exit::Failed }
    }

    /// A command line that could not be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: "usage".into(), exit: Exit::Usage, ..Self::new(message) }
    }

    /// There is no credential.
    pub(crate) fn signed_out() -> Self {
        Self::new("there is no credential")
            .coded("not signed in")
            .ending(Exit::Refused)
            .next("nlp login, or set NLP_TOKEN")
    }

    /// A token is not valid.
    pub(crate) fn invalid_token(message: impl Into<String>) -> Self {
        Self { code: "invalid token".into(), exit: Exit::InvalidToken, ..Self::new(message) }
    }

    /// Sets the short code for programs.
    pub(crate) fn coded(self, code: &str) -> Self {
        Self { code: code.into(), ..self }
    }

    /// Sets the exit code.
    pub(crate) fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Adds advice.
    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// Puts a sentence before the message, such as the state after the failure.
    pub(crate) fn after(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// The exit code.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The object that standard error gets in JSON mode.
    pub(crate) fn json(&self) -> Value {
        json!({ "error": {
            "code": self.code,
            "message": self.message,
            "next": self.next,
            "request_id": self.request_id,
        } })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(next) = &self.next {
            write!(f, "\n  next: {next}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, "\n  request: {id}")?;
        }
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Address(why) => Self::usage(why).next("set NLP_URL or --url to the address of the authority"),
            Error::Refused(refusal) => refused(&refusal),
            Error::Unreachable(_) => {
                Self { code: "unreachable".into(), ..Self::new(error.to_string()) }.next("nlp doctor")
            }
            Error::Unreadable(_) => Self { code: "unreadable".into(), ..Self::new(error.to_string()) }
                .next("run nlp doctor to check that the address is that of an authority of this version"),
        }
    }
}

fn refused(refusal: &Refusal) -> Failure {
    let failure = Failure {
        code: refusal.error.clone(),
        request_id: refusal.request_id.clone(),
        ..Failure::new(refusal.to_string())
    };
    match refusal.status {
        // The sign-in was refused, or the credential is no longer known.
        401 if refusal.error == "authentication required" => {
            Failure { exit: Exit::Refused, ..failure }.next("nlp login, or set NLP_TOKEN")
        }
        401 => Failure { exit: Exit::InvalidToken, ..failure },
        403 if !refusal.missing.is_empty() => {
            let scopes: Vec<String> = refusal.missing.iter().map(|scope| format!("--scope {scope}")).collect();
            Failure { exit: Exit::Refused, ..failure }
                .next(format!("use a credential that has these scopes, for example: nlp login {}", scopes.join(" ")))
        }
        403 => Failure { exit: Exit::Refused, ..failure },
        429 => {
            let wait = refusal
                .retry_after
                .map_or_else(|| "try again later".to_owned(), |wait| format!("try again in {} s", wait.as_secs()));
            Failure { exit: Exit::RateLimited, ..failure }.next(wait)
        }
        _ => failure,
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, error: &str) -> Failure {
        Error::Refused(Box::new(Refusal {
            status,
            error: error.to_owned(),
            message: "Do this.".to_owned(),
            field: None,
            missing: Vec::new(),
            request_id: Some("r-1".to_owned()),
            retry_after: Some(std::time::Duration::from_secs(7)),
            body: Value::Null,
        }))
        .into()
    }

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        for (failure, expected) in [
            (Failure::new("x"), 1),
            (Failure::usage("x"), 2),
            (Failure::signed_out(), 4),
            (Failure::invalid_token("x"), 3),
            (refusal(400, "invalid request"), 1),
            (refusal(401, "authentication required"), 4),
            (refusal(401, "invalid token"), 3),
            (refusal(403, "insufficient scope"), 4),
            (refusal(404, "not found"), 1),
            (refusal(429, "too many requests"), 5),
            (refusal(503, "unavailable"), 1),
            (Error::Unreachable("x".into()).into(), 1),
            (Error::Address("x".into()).into(), 2),
        ] {
            assert_eq!(failure.exit().code(), expected, "{failure}");
        }
    }

    #[test]
    fn programs_get_one_object() {
        let value = refusal(429, "too many requests").json();
        assert_eq!(
            value,
            json!({ "error": { "code": "too many requests", "message": "too many requests: Do this.",
                               "next": "try again in 7 s", "request_id": "r-1" } })
        );
    }
}

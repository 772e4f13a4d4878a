//! Identity tokens of CI jobs: what [`Client::exchange_token`](crate::Client::exchange_token) takes.

use serde::Deserialize;

use crate::call::Call;
use crate::{Client, Error, Plain, Refusal, Result, Secret};

/// The grant of a token exchange (RFC 8693 §2.1).
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of the token that is exchanged (§3).
pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The body of GitHub's response.
#[derive(Deserialize)]
struct Answer {
    value: Secret,
}

/// Asks GitHub Actions for the identity token of the running job. `url` and `credential` are what the variables
/// `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN` hold; the token is for `audience`.
///
/// # Errors
/// As for every call, but about GitHub instead of the authority.
pub fn from_github(url: &str, credential: &Secret, audience: &str) -> Result<Secret> {
    // The address has a query, which `Client::new` refuses.
    let (base, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let asked = Client::new(base, Plain::LocalOnly).and_then(|client| {
        Call::new(&client.with(credential.clone()), "GET", query).query("audience", [audience]).send()
    });
    asked.map(|answer: Answer| answer.value).map_err(named)
}

/// The error, with GitHub named as its source.
fn named(error: Error) -> Error {
    match error {
        Error::Address(why) => Error::Address(format!("GitHub's address for identity tokens: {why}")),
        Error::Unreachable(why) => Error::Unreachable(format!("GitHub: {why}")),
        Error::Unreadable(why) => Error::Unreadable(format!("GitHub: {why}")),
        Error::Refused(refusal) => {
            let message = "GitHub gives this job no identity token: it needs the permission id-token: write.";
            Error::Refused(Box::new(Refusal { message: message.to_owned(), ..*refusal }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_for_identity_tokens_travels_by_tls_or_stays_on_this_machine() {
        for (url, unreachable) in [
            ("https://localhost:1/token?api-version=2.0", true),
            ("http://127.0.0.1:1/token?api-version=2.0", true),
            ("http://actions.example.org/token?api-version=2.0", false),
            ("", false),
        ] {
            let error = from_github(url, &"credential".into(), "https://tokens.example.org").unwrap_err();
            assert_eq!(matches!(error, Error::Unreachable(_)), unreachable, "{url}: {error}");
            assert!(error.to_string().contains("GitHub"), "{error}");
        }
    }
}

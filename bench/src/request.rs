//! The requests of a benchmark: their text, the order of tokens, and the expected answer.

/// The order in which the generator takes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// At random, uniformly.
    Random,
    /// At random by Zipf's law: the second token half as often as the first, the third a third as often, and so on.
    Zipf,
    /// Each at most once.
    Once,
}

impl Order {
    /// The name in the generator's script.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Zipf => "zipf",
            Self::Once => "once",
        }
    }
}

/// The expected answer of every request; any other makes the run void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200
    Live,
    /// 401
    Unknown,
}

impl Answer {
    /// The option of `bare` that gives the same answer.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Unknown => "unknown",
        }
    }
}

/// A request, with `{token}` in place of the token, and `{credential}` in place of the caller's credential, if it needs
/// one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// Method and path.
    pub(super) line: &'static str,
    /// Header lines, without line breaks.
    pub(super) headers: &'static [&'static str],
    /// The body; empty means none.
    pub(super) body: &'static str,
}

impl Request {
    /// The scope that the caller's credential needs, if the request has one.
    pub(super) fn needs(&self) -> Option<&'static str> {
        self.headers.iter().any(|header| header.contains(CREDENTIAL)).then_some("authority:introspect")
    }

    /// The request as sent: the text before and after the token.
    pub(super) fn cut(&self, token_length: usize, credential: &str) -> (String, String) {
        const TOKEN: &str = "{token}";
        let length = match self.body {
            "" => String::new(),
            body if body.contains(TOKEN) => format!("Content-Length: {}\r\n", body.len() - TOKEN.len() + token_length),
            body => format!("Content-Length: {}\r\n", body.len()),
        };
        let headers: String =
            self.headers.iter().flat_map(|header| [header.replace(CREDENTIAL, credential), "\r\n".into()]).collect();
        let text = format!("{} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n{}", self.line, self.body);
        match text.split_once(TOKEN) {
            Some((head, tail)) => (head.to_owned(), tail.to_owned()),
            None => (text, String::new()),
        }
    }
}

/// The placeholder for the caller's credential.
const CREDENTIAL: &str = "{credential}";

/// The request of a validation, which is also the baseline of others.
pub(super) const VALIDATE: Request = Request {
    line: "POST /v1/auth/validate",
    headers: &["Content-Type: application/json"],
    body: r#"{"token":"{token}"}"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_announce_the_length_they_have() {
        let (head, tail) = VALIDATE.cut(44, "");
        let token = "n".repeat(44);
        let whole = format!("{head}{token}{tail}");
        let (_, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(whole.starts_with("POST /v1/auth/validate HTTP/1.1\r\nHost: localhost\r\n"));
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        assert_eq!(body, format!("{{\"token\":\"{token}\"}}"));
    }

    #[test]
    fn a_token_may_stand_in_a_header_or_nowhere() {
        let forward = Request { line: "GET /v1/auth/forward", headers: &["Authorization: Bearer {token}"], body: "" };
        let (head, tail) = forward.cut(44, "");
        assert!(head.ends_with("Authorization: Bearer ") && tail == "\r\n\r\n", "{head:?} {tail:?}");
        let fixed = Request { line: "POST /v1/x", headers: &[], body: "{}" };
        let (head, tail) = fixed.cut(44, "");
        assert!(head.ends_with("Content-Length: 2\r\n\r\n{}") && tail.is_empty());
    }
}

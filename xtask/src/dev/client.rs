//! The few requests a first run makes, on the public API like anybody else's.

use serde_json::{Value, json};
use std::time::Duration;
use task_support::fail::{Context as _, Fail, Result};
use ureq::Agent;

/// How long one request may take; sign-in hashes a password in a debug build.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one server.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    base: String,
}

/// A status and a JSON body (null if there was none).
pub(super) type Answer = (u16, Value);

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:8080`.
    pub(super) fn new(base: &str) -> Self {
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        Self { agent: config.into(), base: base.to_owned() }
    }

    /// Opens a session and returns its token.
    pub(super) fn sign_in(&self, email: &str, password: &str, organisation: &str) -> Result<String> {
        let body = json!({ "email": email, "password": password, "organization": organisation });
        let answer = self.post("/v1/sessions", None, &body)?;
        text_of("token", "sign in", &answer).map_err(|fail| fail.fix("cargo xtask dev --fresh"))
    }

    /// Makes a token that may `execute` and returns its secret.
    pub(super) fn create_token(&self, session: &str, name: &str) -> Result<String> {
        let answer = self.post("/v1/tokens", Some(session), &json!({ "name": name, "scopes": ["execute"] }))?;
        text_of("secret", "create a token", &answer)
    }

    /// Whether the server calls the token good.
    ///
    /// # Errors
    /// If the answer is neither yes nor no.
    pub(super) fn validates(&self, token: &str) -> Result<bool> {
        match self.post("/v1/auth/validate", None, &json!({ "token": token }))? {
            (200, body) if body["valid"] == true => Ok(true),
            (401, _) => Ok(false),
            (status, body) => Err(Fail::new(format!("validate was answered {status} {body}"))),
        }
    }

    /// Asks as somebody.
    pub(super) fn get(&self, path: &str, session: &str) -> Result<Answer> {
        let request =
            self.agent.get(format!("{}{path}", self.base)).header("Authorization", format!("Bearer {session}"));
        let mut response = request.call().attempt(|| format!("GET {path}"))?;
        let text = response.body_mut().read_to_string().attempt(|| format!("read the answer to GET {path}"))?;
        Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Sends a body, as somebody or as nobody.
    pub(super) fn post(&self, path: &str, session: Option<&str>, body: &Value) -> Result<Answer> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(session) = session {
            request = request.header("Authorization", format!("Bearer {session}"));
        }
        // `send_json` would write it over several lines.
        let request = request.header("Content-Type", "application/json");
        let mut response = request.send(body.to_string()).attempt(|| format!("POST {path}"))?;
        let text = response.body_mut().read_to_string().attempt(|| format!("read the answer to POST {path}"))?;
        Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null)))
    }
}

/// A string field of a 201 answer. The body of any other answer is shown, since errors hold no secrets.
fn text_of(field: &str, attempt: &str, (status, body): &Answer) -> Result<String> {
    match (status, body[field].as_str()) {
        (201, Some(text)) => Ok(text.to_owned()),
        (201, None) => Err(Fail::new(format!("cannot {attempt}: the answer has no `{field}`"))),
        _ => Err(Fail::new(format!("cannot {attempt}: {status} {body}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// Answers one request per entry and returns what was asked: request line, credential, body.
    fn server(answers: &'static [(u16, &'static str)]) -> (Client, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
        let serve = move || {
            let one = |(status, body): &(u16, &str)| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut seen, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if lower.starts_with("post ") || lower.starts_with("authorization:") {
                        seen.push_str(&line.trim().to_ascii_lowercase());
                        seen.push(' ');
                    }
                    if line == "\r\n" {
                        break;
                    }
                }
                let mut bytes = vec![0; length];
                reader.read_exact(&mut bytes).unwrap();
                seen.push_str(&String::from_utf8(bytes).unwrap());
                let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}", body.len());
                write!(stream, "{head}\r\n\r\n{body}").unwrap();
                seen
            };
            answers.iter().map(one).collect()
        };
        (client, std::thread::spawn(serve))
    }

    #[test]
    fn a_first_run_signs_in_makes_a_token_and_validates_it() {
        let (client, served) = server(&[
            (201, r#"{"token":"nls_1"}"#),
            (201, r#"{"id":"x","secret":"nlp_1"}"#),
            (200, r#"{"valid":true,"org_id":"org_1","scopes":["execute"]}"#),
        ]);
        let session = client.sign_in("a@b.example", "pass", "acme").unwrap();
        let token = client.create_token(&session, "first").unwrap();
        assert!(client.validates(&token).unwrap());
        assert_eq!(
            served.join().unwrap(),
            [
                r#"post /v1/sessions http/1.1 {"email":"a@b.example","organization":"acme","password":"pass"}"#,
                r#"post /v1/tokens http/1.1 authorization: bearer nls_1 {"name":"first","scopes":["execute"]}"#,
                r#"post /v1/auth/validate http/1.1 {"token":"nlp_1"}"#,
            ]
        );
    }

    #[test]
    fn a_bad_token_is_no_and_an_outage_is_an_error() {
        let (client, served) = server(&[(401, r#"{"valid":false,"error":"invalid token"}"#), (503, "{}")]);
        assert!(!client.validates("nlp_1").unwrap());
        assert!(client.validates("nlp_1").unwrap_err().to_string().contains("answered 503"));
        served.join().unwrap();
    }

    #[test]
    fn a_refused_sign_in_says_how_to_start_over() {
        let (client, served) = server(&[(401, r#"{"error":"invalid credentials"}"#)]);
        let fail = client.sign_in("a@b.example", "wrong", "acme").unwrap_err().to_string();
        assert!(fail.contains("invalid credentials") && fail.contains("cargo xtask dev --fresh"), "{fail}");
        served.join().unwrap();
    }
}

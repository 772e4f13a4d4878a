//! A JSON client: one server, one kept-alive connection, and a credential or none.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::wire::{Answer, Request, Wire};

/// A client, which sends requests one after the other over one connection.
pub(crate) struct Client {
    address: SocketAddr,
    wire: Option<Wire>,
    credential: Option<String>,
}

impl Client {
    /// A client without a credential.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, wire: None, credential: None }
    }

    /// A client for the same server, with its own connection and this credential.
    pub(crate) fn with(&self, credential: &str) -> Self {
        Self { address: self.address, wire: None, credential: Some(credential.to_owned()) }
    }

    /// The credential that it presents.
    pub(crate) fn credential(&self) -> &str {
        self.credential.as_deref().unwrap()
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask(Request::new("GET", path))
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.ask(Request::new("POST", path).json(body))
    }

    /// A `POST` without a body.
    pub(crate) fn call(&mut self, path: &str) -> Answer {
        self.ask(Request::new("POST", path))
    }

    pub(crate) fn patch(&mut self, path: &str, body: &Value) -> Answer {
        self.ask(Request::new("PATCH", path).json(body))
    }

    pub(crate) fn delete(&mut self, path: &str) -> Answer {
        self.ask(Request::new("DELETE", path))
    }

    /// Sends a request, with the client's credential unless the request has one.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: Request<'_>) -> Answer {
        self.try_ask(request).unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// As [`Client::ask`], but returns an error if the server is gone.
    pub(crate) fn try_ask(&mut self, request: Request<'_>) -> io::Result<Answer> {
        let request = match &self.credential {
            Some(credential) => request.bearer(credential),
            None => request,
        };
        // Taken out, so that a failed connection is not used again.
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => Wire::open(self.address)?,
        };
        let answer = wire.ask(&request)?;
        if answer.header("connection") != Some("close") {
            self.wire = Some(wire);
        }
        Ok(answer)
    }

    /// Validates a token.
    pub(crate) fn validate(&mut self, token: &str) -> Answer {
        self.post("/v1/auth/validate", &json!({ "token": token }))
    }

    /// Whether a token is valid; panics for any other answer than 200 or 401.
    #[track_caller]
    pub(crate) fn is_valid(&mut self, token: &str) -> bool {
        let answer = self.validate(token);
        match answer.status {
            200 => true,
            401 => {
                assert_eq!(answer.text(), r#"{"valid":false,"error":"invalid token"}"#);
                false
            }
            _ => panic!("neither yes nor no: {answer:?}"),
        }
    }

    /// Makes a token with the scope `execute`; returns the answer's body.
    #[track_caller]
    pub(crate) fn create(&mut self, name: &str) -> Value {
        self.create_with(name, &["execute"])
    }

    /// Makes a token with these scopes; returns the answer's body.
    #[track_caller]
    pub(crate) fn create_with(&mut self, name: &str, scopes: &[&str]) -> Value {
        self.post("/v1/tokens", &json!({ "name": name, "scopes": scopes })).expect(201)
    }

    /// Rotates a token; returns the answer's body.
    #[track_caller]
    pub(crate) fn rotate(&mut self, id: &str, how: &Value) -> Value {
        self.post(&format!("/v1/tokens/{id}/rotate"), how).expect(200)
    }

    /// Revokes a token.
    #[track_caller]
    pub(crate) fn revoke(&mut self, id: &str) {
        self.delete(&format!("/v1/tokens/{id}")).expect(204);
    }

    /// Reads a token.
    #[track_caller]
    pub(crate) fn token(&mut self, id: &str) -> Value {
        self.get(&format!("/v1/tokens/{id}")).expect(200)
    }
}

/// Fields of an object that must be texts.
#[track_caller]
pub(crate) fn texts<const N: usize>(body: &Value, names: [&str; N]) -> [String; N] {
    names.map(|name| body[name].as_str().unwrap_or_else(|| panic!("{name} in {body}")).to_owned())
}

//! Coverage: submissions of builds, their verdicts, and who may see them.

mod badge;
mod baselines;
mod idempotency;
mod lists;
mod refusals;
mod verdicts;
mod walk;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Request, texts};

/// A caller with a fresh token that has these scopes.
fn token(owner: &mut Client, scopes: &[&str]) -> Client {
    let [secret] = texts(&owner.create_with("ci", scopes), ["secret"]);
    owner.with(&secret)
}

/// A submission of `acme/widgets` on `main`.
fn body(coverage: f64) -> Value {
    json!({"repo": "acme/widgets", "branch": "main", "commit": "9fceb02d0ae5", "coverage": coverage})
}

/// Submits a coverage; the answer's body.
#[track_caller]
fn submit(ci: &mut Client, coverage: f64) -> Value {
    ci.post("/v1/executions", &body(coverage)).expect(201)
}

fn put(caller: &mut Client, path: &str, body: &Value) -> Answer {
    caller.ask(Request::new("PUT", path).json(body))
}

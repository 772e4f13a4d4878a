//! What a new development server has in it, so that every page shows something: tokens in use, one that is about to end,
//! one that rotates, one that was revoked, a replaced secret that came back, people, projects. Made by the public API alone,
//! so it is all of today; `--empty` leaves it out.

use super::client::Client;
use serde_json::{Value, json};
use task_support::fail::{Fail, Result};

/// A token: name, scopes, days until it ends, how often it is used, what it is for.
type Row = (&'static str, &'static [&'static str], Option<u32>, u32, &'static str);

const TOKENS: [Row; 8] = [
    (
        "CI on main",
        &["execute", "scans:run", "scans:read", "projects:read"],
        Some(90),
        60,
        "Runs on every push to main. Ask Ada.",
    ),
    (
        "Nightly report",
        &["read", "org:read", "projects:read"],
        Some(365),
        24,
        "Sends the numbers to the team every morning.",
    ),
    ("Repeater, office network", &["bot", "repeaters:read", "scripts:read", "self:rotate"], None, 40, ""),
    ("Deploy preview", &["execute"], Some(7), 9, "Ends soon on purpose: the trial is for a week."),
    ("Old integration", &["scans:read", "issues:read"], None, 0, "Nobody remembers."),
    ("Terraform", &["projects:read", "projects:manage", "tokens:read"], Some(30), 3, ""),
    ("Partner: Globex", &["read"], Some(180), 15, "Handed to a customer; only from their network."),
    ("Load test", &["execute", "read"], Some(1), 120, ""),
];

/// Fills an empty organisation.
pub(super) fn fill(client: &Client, session: &str) -> Result {
    let post = |path: &str, body: &Value| sent(client, path, Some(session), body);
    let mut made = Vec::new();
    for (name, scopes, days, uses, description) in TOKENS {
        let mut body = json!({ "name": name, "scopes": scopes });
        if !description.is_empty() {
            body["description"] = description.into();
        }
        if let Some(days) = days {
            body["expires_in_days"] = days.into();
        }
        if name.starts_with("Partner") {
            body["external_id"] = "customer/globex".into();
            body["metadata"] = json!({ "plan": "gold" });
            body["allowed_networks"] = json!(["198.51.100.0/24", "127.0.0.0/8"]);
        }
        let token = post("/v1/tokens", &body)?;
        let text = |field: &str| token[field].as_str().unwrap_or_default().to_owned();
        let (id, secret) = (text("id"), text("secret"));
        for turn in 0..uses {
            let wanted: &[&str] = if turn % 7 == 6 { &["org:write"] } else { &[] };
            present(client, &json!({ "token": secret, "required_scopes": wanted, "ip": "127.0.0.1" }))?;
        }
        made.push((id, secret));
    }
    let of = |index: usize| made.get(index).cloned().unwrap_or_default();
    // One rotates, as after a deployment; one was replaced, and its old secret is still in somebody's hands.
    post(&format!("/v1/tokens/{}/rotate", of(1).0), &json!({ "grace_period_seconds": 86_400 }))?;
    post(&format!("/v1/tokens/{}/rotate", of(5).0), &json!({ "grace_period_seconds": 0 }))?;
    present(client, &json!({ "token": of(5).1 }))?;
    post(&format!("/v1/tokens/{}/revoke", of(7).0), &json!({ "reason": "unused", "note": "The test is over." }))?;
    post("/v1/me/keys", &json!({ "name": "laptop", "scopes": ["scans:read", "user:read"], "expires_in_days": 90 }))?;
    let (_, me) = client.get("/v1/me", session)?;
    let organization = me["org_id"].as_str().unwrap_or_default().to_owned();
    let base = format!("/v1/organizations/{organization}");
    post(&format!("{base}/invitations"), &json!({ "email": "grace@localhost.example", "role": "admin" }))?;
    post(
        &format!("{base}/roles"),
        &json!({ "name": "Release manager", "scopes": ["tokens:read", "scans:run", "projects:read"] }),
    )?;
    let project = post(&format!("{base}/projects"), &json!({ "slug": "chat", "name": "Chat" }))?;
    let project = format!("{base}/projects/{}", project["projectId"].as_str().unwrap_or_default());
    let scope = post(&format!("{project}/scopes"), &json!({ "slug": "acme", "name": "Acme Ltd" }))?;
    let actor = json!({ "name": "gateway-7", "actorType": "service", "accessScopeId": scope["accessScopeId"] });
    post(&format!("{project}/actors"), &actor)?;
    post(&format!("{project}/actors"), &json!({ "name": "sensor in the lobby", "actorType": "device" }))?;
    Ok(())
}

/// Presents a token for validation. That one is refused or lacks a scope is what the charts show.
fn present(client: &Client, question: &Value) -> Result {
    match client.post("/v1/auth/validate", None, question)? {
        (200 | 401 | 403, _) => Ok(()),
        (status, answer) => Err(Fail::new(format!("validate was answered with {status}: {answer}"))),
    }
}

/// What came back, which has to be a success.
fn sent(client: &Client, path: &str, session: Option<&str>, body: &Value) -> Result<Value> {
    match client.post(path, session, body)? {
        (200..=299, answer) => Ok(answer),
        (status, answer) => Err(Fail::new(format!("POST {path} was answered with {status}: {answer}"))),
    }
}

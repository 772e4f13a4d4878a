//! The list of all pages, on a server with data for each. The tests of accessibility and layout cover only these pages.

use serde_json::json;
use test_issuer::{AUDIENCE, Issuer};
use token_domain::person::BuiltInRole;

use super::driver::Chromium;
use crate::support::{Client, Server, texts};
use crate::trust::exchange;

/// A page's name, and how a signed-in browser reaches it.
pub(super) struct Place {
    pub(super) name: &'static str,
    path: String,
    then: Then,
}

/// What the test does when the page is open.
enum Then {
    Nothing,
    /// Presses a button, and tests the page that follows.
    Press(&'static str),
    /// Fills in a field first.
    FillAndPress(&'static str, String, &'static str),
}

impl Place {
    pub(super) fn visit(&self, browser: &Chromium) {
        // The page of a secret that was not copied would ask for confirmation before it is left.
        browser.run("window.onbeforeunload = null; document.querySelector('[data-secret-page]')?.dispatchEvent(new Event('copy', { bubbles: true }));", &json!([]));
        browser.open(&self.path);
        match &self.then {
            Then::Nothing => {}
            Then::Press(name) => browser.press(name),
            Then::FillAndPress(field, text, name) => {
                browser.fill(field, text);
                browser.press(name);
            }
        }
    }
}

/// What a webhook of these pages is told of.
const EVENTS: [&str; 5] = ["member.add", "project.create", "token.create", "token.leaked", "token.revoke"];

/// Fills a server with data and lists its pages. The first page needs no sign-in.
pub(super) fn of(server: &Server) -> Vec<Place> {
    server.facts().fill_history();
    let mut owner = server.owner();
    // A name as long as they may be, without a place to break it.
    owner.create(&"W".repeat(100));
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let base = format!("/v1/organizations/{organization}");
    let wide = ["execute", "scans:run", "scans:read", "projects:read", "tokens:read"];
    let [used, secret] = texts(&owner.create_with("CI on main", &wide), ["id", "secret"]);
    for required in ["execute", "scans:read", "org:write"] {
        owner.post("/v1/auth/validate", &json!({"token": secret, "required_scopes": [required], "ip": "203.0.113.7"}));
    }
    let [rotating] = texts(&owner.create("Nightly report"), ["id"]);
    owner.rotate(&rotating, &json!({"grace_period_seconds": 3_600}));
    let [dead] = texts(&owner.create("Load test"), ["id"]);
    owner.revoke(&dead);
    let ending = json!({"name": "Trial", "scopes": ["execute"], "expires_in_days": 3, "description": "For a week.",
        "external_id": "customer/7", "metadata": {"plan": "gold"}, "allowed_networks": ["203.0.113.0/24"]});
    let [ending] = texts(&owner.post("/v1/tokens", &ending).expect(201), ["id"]);
    let [key] =
        texts(&owner.post("/v1/me/keys", &json!({"name": "laptop", "scopes": ["scans:read"]})).expect(201), ["id"]);
    owner.post(&format!("{base}/invitations"), &json!({"email": "new@acme.example", "role": "admin"})).expect(201);
    let role = json!({"name": "Release manager", "scopes": ["tokens:read", "scans:run", "projects:read"]});
    owner.post(&format!("{base}/roles"), &role).expect(201);
    let project = owner.post(&format!("{base}/projects"), &json!({"slug": "chat", "name": "Chat"})).expect(201);
    let [project] = texts(&project, ["projectId"]);
    let inside = format!("{base}/projects/{project}");
    owner.post(&format!("{inside}/scopes"), &json!({"slug": "acme", "name": "Acme Ltd"})).expect(201);
    owner.post(&format!("{inside}/actors"), &json!({"name": "sensor", "actorType": "device"})).expect(201);
    let member = server.facts().add_member("grace@acme.example", BuiltInRole::Admin);
    server.signed_in("grace@acme.example").create("made by Grace");

    let [policy, tried] = trust(server, &mut owner, &base);
    let webhook =
        json!({"url": "https://127.0.0.1:9/hook", "events": EVENTS, "description": "Tells the on-call channel."});
    let [webhook] = texts(&owner.post(&format!("{base}/webhooks"), &webhook).expect(201), ["id"]);
    owner.call(&format!("{base}/webhooks/{webhook}/test")).expect(202);

    let at = |name, path: &str| Place { name, path: path.to_owned(), then: Then::Nothing };
    let press = |name, path: &str, what| Place { name, path: path.to_owned(), then: Then::Press(what) };
    vec![
        at("overview", "/"),
        at("tokens", "/tokens"),
        at("tokens-filtered", "/tokens?scope=execute&unused_days=1"),
        at("tokens-revoked", "/tokens?status=revoked"),
        at("tokens-none", "/tokens?q=nothing+is+called+so"),
        at("token", &format!("/tokens/{used}")),
        at("token-rotating", &format!("/tokens/{rotating}")),
        at("token-dead", &format!("/tokens/{dead}")),
        at("token-ending", &format!("/tokens/{ending}")),
        at("new-token", "/tokens/new"),
        at("new-token-filled", "/tokens/new?name=Deploy&scopes=scans:run,no:such&expires=7d"),
        press("new-token-refused", "/tokens/new?name=x&expires=7d", "Create token"),
        press("secret", "/tokens/new?name=Shown&scopes=execute", "Create token"),
        at("rotate", &format!("/tokens/{used}/rotate")),
        at("revoke", &format!("/tokens/{used}/revoke")),
        at("edit", &format!("/tokens/{used}/edit")),
        at("bulk", "/tokens/bulk?scope=execute&status=active"),
        at("keys", "/keys"),
        at("key", &format!("/keys/{key}")),
        at("new-key", "/keys/new"),
        at("check", "/check"),
        Place { name: "checked", path: "/check".to_owned(), then: Then::FillAndPress("#token", secret, "Check") },
        at("trust", "/trust"),
        at("trust-policy", &format!("/trust/{policy}")),
        at("trust-deleting", &format!("/trust/{policy}?deleting=1")),
        at("new-trust", "/trust/new?preset=gitlab"),
        press("new-trust-refused", "/trust/new?name=x", "Create trust policy"),
        Place { name: "trust-tested", path: "/trust".to_owned(), then: Then::FillAndPress("#token", tried, "Test it") },
        at("usage", "/usage?over=week"),
        at("members", "/members"),
        at("member", &format!("/members/{}", member.id)),
        press("member-leaving", &format!("/members/{}", member.id), "Remove from the organisation…"),
        at("roles", "/roles"),
        at("projects", "/projects"),
        at("project", &format!("/projects/{project}")),
        at("audit", "/audit"),
        at("audit-of-one", &format!("/audit?target={used}")),
        at("settings", "/settings"),
        at("webhooks", "/settings/webhooks"),
        at("new-webhook", "/settings/webhooks/new"),
        press("webhook-secret", &format!("/settings/webhooks/{webhook}"), "New secret"),
        at("webhook", &format!("/settings/webhooks/{webhook}")),
        at("webhook-deleting", &format!("/settings/webhooks/{webhook}?deleting=1")),
        at("email", "/settings/email"),
        at("choose-password", "/password-reset"),
        at("request-password", "/password-reset/request"),
        at("policy", "/settings/policy"),
        press("policy-preview", "/settings/policy", "Preview the effect"),
        at("proof", "/settings/proof?next=/settings"),
        at("deployment", "/deployment"),
        at("styleguide", "/styleguide"),
        at("second-factor", "/settings/second-factor"),
        press("second-factor-secret", "/settings/second-factor", "Set it up"),
        at("not-found", "/tokens/nonsense"),
    ]
}

/// Two trust policies, one with attempts, and an identity token to test: the id and the token.
fn trust(server: &Server, owner: &mut Client, base: &str) -> [String; 2] {
    let issuer = Issuer::start();
    let path = format!("{base}/trust-policies");
    let github = json!({"name": "Deploy from main", "preset": "github", "match": {"repository_id": "1296269"},
        "audience": AUDIENCE, "scopes": ["execute"], "enabled": false});
    owner.post(&path, &github).expect(201);
    let cluster = json!({"name": "Jobs of the cluster", "issuer": issuer.url, "audience": AUDIENCE,
        "match": {"sub": {"glob": "repo:acme/*:ref:refs/heads/main"}, "repository_id": "42", "event_name": "push"},
        "scopes": ["execute", "scans:read", "projects:read"]});
    let [policy] = texts(&owner.post(&path, &cluster).expect(201), ["id"]);
    exchange(server, &issuer.token(&json!({})), &[]).expect(200);
    let other = issuer.token(&json!({"event_name": "pull_request"}));
    assert_eq!(exchange(server, &other, &[]).status, 400);
    [policy, other]
}

//! The owner's role limits a key when it is created, and again at each use.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Server, both, texts};

both!(
    a_role_bounds_the_keys_that_are_made,
    a_key_does_no_more_than_its_owners_role,
    a_removed_or_disabled_persons_keys_are_dead,
);

fn a_role_bounds_the_keys_that_are_made(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let rows: [(BuiltInRole, &[&str], &[&str]); 6] = [
        (BuiltInRole::Viewer, &["execute"], &["execute"]),
        (BuiltInRole::Viewer, &["read", "scans:run", "bot"], &["scans:run", "bot"]),
        (BuiltInRole::Member, &["tokens:manage"], &["tokens:manage"]),
        (BuiltInRole::Member, &["projects:manage", "user"], &["projects:manage"]),
        (BuiltInRole::Member, &["scans"], &["scans", "scans:delete"]),
        (
            BuiltInRole::Member,
            &["roles:write", "org:write", "org.memberships:manage"],
            &["org:write", "org.memberships:manage", "roles:write"],
        ),
    ];
    for (index, (role, asked, excess)) in rows.into_iter().enumerate() {
        let email = format!("person{index}@acme.example");
        facts.add_member(&email, role);
        let mut person = server.signed_in(&email);
        let refused = person.post("/v1/me/keys", &json!({"name": "a", "scopes": asked}));
        assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(excess), "{asked:?}");
        // The default scopes, which every role has.
        person.post("/v1/me/keys", &json!({"name": "a"})).expect(201);
        person.post("/v1/me/keys", &json!({"name": "a", "scopes": ["read", "scans:read"]})).expect(201);
    }
}

/// Here the first use of a key is after the change. The race of demotions tests keys that are cached when a role
/// changes.
fn a_key_does_no_more_than_its_owners_role(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let person = server.facts().add_member("person@acme.example", BuiltInRole::Admin);
    let mut caller = server.signed_in("person@acme.example");
    let scopes = ["execute", "scans", "tokens:manage", "projects:read"];
    let [secret] = texts(&caller.post("/v1/me/keys", &json!({"name": "a", "scopes": scopes})).expect(201), ["secret"]);
    let rows: [(BuiltInRole, &[&str]); 4] = [
        (BuiltInRole::Admin, &scopes),
        (
            BuiltInRole::Member,
            &["execute", "read", "projects:read", "scans:read", "scans:manage", "scans:run", "scans:stop"],
        ),
        (BuiltInRole::Viewer, &["read", "projects:read", "scans:read"]),
        (BuiltInRole::Owner, &scopes),
    ];
    for (role, shown) in rows {
        server.facts().set_role(&person, role);
        server.restart();
        let seen = server.anyone().validate(&secret).expect(200);
        assert_eq!(seen["scopes"], json!(shown), "{}", role.as_str());
        for scope in ["execute", "scans:read", "scans:delete", "tokens:manage"] {
            let may = shown.contains(&scope) || (shown.contains(&"scans") && scope.starts_with("scans:"));
            let question = json!({"token": secret, "required_scopes": [scope]});
            let status = server.anyone().post("/v1/auth/validate", &question).status;
            assert_eq!(status, if may { 200 } else { 403 }, "{} {scope}", role.as_str());
        }
        let made = server.caller(&secret).post("/v1/tokens", &json!({"name": "b", "scopes": ["projects:read"]})).status;
        assert_eq!(made, if shown.contains(&"tokens:manage") { 201 } else { 403 });
    }
}

fn a_removed_or_disabled_persons_keys_are_dead(backend: Backend) {
    for gone in ["removed", "disabled"] {
        let mut server = Server::start(backend, Options::default());
        let person = server.facts().add_member("person@acme.example", BuiltInRole::Member);
        let mut caller = server.signed_in("person@acme.example");
        let [secret] = texts(&caller.post("/v1/me/keys", &json!({"name": "a"})).expect(201), ["secret"]);
        assert!(caller.is_valid(&secret));
        match gone {
            "removed" => server.facts().remove(&person),
            _ => server.facts().disable(&person),
        }
        server.restart();
        assert!(!server.anyone().is_valid(&secret), "{gone}");
        server.caller(&secret).get("/v1/me").fails(401, "invalid token");
    }
}

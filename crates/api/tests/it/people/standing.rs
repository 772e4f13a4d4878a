//! A change to a role applies to its members from the next request on.

use serde_json::json;

use super::ground::Org;
use crate::support::{Backend, Options, Server, both};

both!(a_changed_role_changes_what_its_members_may, a_deleted_role_leaves_viewers);

/// Whether a key covers a scope: 200, or 403.
fn covers(server: &Server, key: &str, scope: &str) -> u16 {
    server.anyone().post("/v1/auth/validate", &json!({"token": key, "required_scopes": [scope]})).status
}

fn a_changed_role_changes_what_its_members_may(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let role = org.role(&mut owner, "Releasers", &["execute", "user", "tokens:read"]);
    let mut people = [1, 2].map(|n| org.join(&server, &mut owner, &format!("person{n}@acme.example"), &role));
    let keys = people.each_ref().map(|person| person.key(&server, &mut owner, &["execute", "tokens:read"]));
    let path = org.at(&format!("roles/{role}"));
    for (scopes, execute, tokens) in [
        (json!(["user", "tokens:read"]), 403, 200),
        (json!(["user", "execute"]), 200, 403),
        (json!(["user"]), 403, 403),
        (json!(["user", "execute", "tokens:read"]), 200, 200),
    ] {
        let changed = owner.patch(&path, &json!({ "scopes": scopes })).expect(200);
        assert_eq!(changed["scopes"], scopes);
        for (person, key) in people.iter_mut().zip(&keys) {
            assert_eq!(
                (covers(&server, key, "execute"), covers(&server, key, "tokens:read")),
                (execute, tokens),
                "{scopes}"
            );
            assert_eq!(person.client.get("/v1/tokens").status, tokens, "{scopes}");
        }
    }
    // Members show the role's new name.
    owner.patch(&path, &json!({"name": "Shippers"})).expect(200);
    assert_eq!(people[0].role(), "Shippers");
    // Sessions at once have only the scopes of the narrowed role, which does not include one's own account.
    owner.patch(&path, &json!({"scopes": ["execute"]})).expect(200);
    people[0].client.get("/v1/me").fails(403, "insufficient scope");
}

fn a_deleted_role_leaves_viewers(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let role = org.role(&mut owner, "Releasers", &["execute", "user", "tokens:manage"]);
    let mut person = org.join(&server, &mut owner, "person@acme.example", &role);
    let key = person.key(&server, &mut owner, &["execute", "tokens:manage"]);
    let code = org.invite(&mut owner, "guest@acme.example", &role);
    assert_eq!((covers(&server, &key, "tokens:manage"), covers(&server, &key, "execute")), (200, 200));

    owner.delete(&org.at(&format!("roles/{role}"))).expect(204);
    assert_eq!((covers(&server, &key, "tokens:manage"), covers(&server, &key, "execute")), (403, 403));
    assert_eq!(covers(&server, &key, "read"), 200, "what a viewer may of it");
    assert_eq!(person.role(), "viewer");
    owner.get(&org.at(&format!("roles/{role}"))).fails(404, "not found");
    owner.delete(&org.at(&format!("roles/{role}"))).fails(404, "not found");
    let offered = owner.get(&org.at("invitations")).expect(200);
    assert_eq!(
        (&offered["invitations"][0]["role"], &offered["invitations"][0]["role_id"]),
        (&json!("viewer"), &json!(null))
    );
    assert_eq!(super::ground::accept(&server, &code).expect(201)["role"], "viewer");
    let event = server.facts().audit().into_iter().rfind(|event| event.action == "role.delete").unwrap();
    let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap();
    let expected =
        json!({"name": "Releasers", "members_moved": 1, "members_moved_ids": [person.id], "invitations_moved": 1});
    assert_eq!(detail, expected);
    // The name is free again.
    org.role(&mut owner, "Releasers", &["execute"]);
}

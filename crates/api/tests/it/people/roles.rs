//! Roles: the four built-in ones, which cannot be changed, and custom ones.

use serde_json::{Value, json};

use super::ground::{Org, column, has_exactly, last_actions};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    a_role_is_made_read_changed_and_deleted,
    built_in_roles_stay_as_they_are,
    names_are_told_apart,
    scopes_are_checked_as_for_keys,
    there_are_only_so_many,
);

fn a_role_is_made_read_changed_and_deleted(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let asked =
        json!({"name": "  Release managers ", "scopes": ["execute", "tokens:read", "execute"], "built_in": true});
    let made = owner.post(&org.at("roles"), &asked).expect(201);
    has_exactly(&made, &["id", "name", "description", "scopes", "built_in", "created_at", "updated_at"]);
    assert_eq!((&made["name"], &made["scopes"]), (&json!("Release managers"), &json!(["execute", "tokens:read"])));
    assert_eq!((&made["built_in"], &made["description"]), (&json!(false), &json!(null)));
    let [id] = texts(&made, ["id"]);
    let path = org.at(&format!("roles/{id}"));
    assert_eq!(owner.get(&path).expect(200), made);
    let typeid = token_domain::id::RoleId::parse(&id).unwrap().typeid();
    assert_eq!(owner.get(&org.at(&format!("roles/{typeid}"))).expect(200), made);
    org.role(&mut owner, "Auditors", &["audit:read"]);
    let all = owner.get(&org.at("roles")).expect(200);
    assert_eq!(column(&all["roles"], "name"), ["owner", "admin", "member", "viewer", "Auditors", "Release managers"]);

    let changed = owner.patch(&path, &json!({"name": "Releasers", "scopes": ["read"]})).expect(200);
    assert_eq!(
        (&changed["name"], &changed["scopes"], &changed["id"]),
        (&json!("Releasers"), &json!(["read"]), &json!(id))
    );
    let renamed = owner.patch(&path, &json!({"name": "RELEASERS"})).expect(200);
    assert_eq!(
        (&renamed["name"], &renamed["scopes"]),
        (&json!("RELEASERS"), &json!(["read"])),
        "looks like itself, which is fine"
    );
    let before = server.facts().audit().len();
    assert_eq!(owner.patch(&path, &json!({})).expect(200), renamed);
    assert_eq!(owner.patch(&path, &json!({"name": "RELEASERS", "scopes": ["read"]})).expect(200), renamed);
    assert_eq!(server.facts().audit().len(), before, "nothing changed, nothing to record");
    owner.delete(&path).expect(204);
    owner.get(&path).fails(404, "not found");
    assert_eq!(last_actions(&server, 5), ["role.create", "role.create", "role.update", "role.update", "role.delete"]);
}

fn built_in_roles_stay_as_they_are(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let all = owner.get(&org.at("roles")).expect(200);
    assert_eq!(column(&all["roles"], "built_in"), [true, true, true, true]);
    for role in ["owner", "admin", "member", "viewer"] {
        let path = org.at(&format!("roles/{role}"));
        let seen = owner.get(&path).expect(200);
        assert_eq!((&seen["id"], &seen["name"], &seen["created_at"]), (&json!(role), &json!(role), &json!(null)));
        assert!(seen["description"].as_str().is_some_and(|text| text.ends_with('.')), "{seen}");
        assert!(!seen["scopes"].as_array().unwrap().is_empty());
        for refused in [
            owner.patch(&path, &json!({"name": "x"})),
            owner.patch(&path, &json!({"scopes": ["read"]})),
            owner.delete(&path),
        ] {
            let body = refused.fails(409, "role is built in");
            assert_eq!(body["role"], role);
            assert!(body["message"].as_str().unwrap().contains("Built-in roles cannot be changed"), "{body}");
        }
        assert_eq!(owner.get(&path).expect(200), seen);
    }
}

fn names_are_told_apart(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let asked = |name: &str| json!({"name": name, "scopes": ["read"]});
    for bad in [
        "",
        "  ",
        "a\nb",
        "pay\u{202e}moc",
        "a\u{feff}b",
        "\u{e000}",
        "owner",
        "Admin",
        " VIEWER ",
        "0wner",
        "оwner",
        "admіn",
        "Аuditors",
        "sсans",
        &"x".repeat(101),
    ] {
        let refused = owner.post(&org.at("roles"), &asked(bad)).fails(400, "invalid request");
        assert_eq!(refused["field"], "name", "{bad}");
    }
    let id = org.role(&mut owner, "cape", &["read"]);
    let other = org.role(&mut owner, "Ελεγκτές 監査", &["read"]);
    for taken in ["cape", "CAPE", " Cape", "саре"] {
        let refused = owner.post(&org.at("roles"), &asked(taken)).fails(409, "role name taken");
        assert_eq!(refused["field"], "name", "{taken}");
        owner.patch(&org.at(&format!("roles/{other}")), &json!({"name": taken})).fails(409, "role name taken");
    }
    owner.post(&org.at("roles"), &asked(&"é".repeat(100))).expect(201);
    // Names are unique only within an organisation.
    owner.post("/v1/organizations", &json!({"slug": "zoo"})).expect(201);
    let switched = owner.post("/v1/sessions/switch", &json!({"organization": "zoo"})).expect(201);
    let mut there = server.caller(switched["token"].as_str().unwrap());
    let zoo = Org::of(&mut there);
    zoo.role(&mut there, "cape", &["read"]);
    there.get(&zoo.at(&format!("roles/{id}"))).fails(404, "not found");
    there.delete(&zoo.at(&format!("roles/{id}"))).fails(404, "not found");
}

fn scopes_are_checked_as_for_keys(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let id = org.role(&mut owner, "Subject", &["read"]);
    let path = org.at(&format!("roles/{id}"));
    let many: Vec<String> = (0..65).map(|n| format!("read{n}")).collect();
    for (scopes, unknown) in [
        (json!([]), Value::Null),
        (json!(["read", "nonsense:read"]), json!("nonsense:read")),
        (json!(["sсans"]), json!("a name in `scopes`")),
        (json!(["READ"]), json!("a name in `scopes`")),
        (json!(["*"]), json!("a name in `scopes`")),
        (json!(many), Value::Null),
    ] {
        for answer in [
            owner.post(&org.at("roles"), &json!({"name": "x", "scopes": scopes})),
            owner.patch(&path, &json!({"scopes": scopes})),
        ] {
            let refused = answer.fails(400, "invalid request");
            assert_eq!(refused["field"], "scopes", "{scopes}");
            assert_eq!(refused.get("unknown").cloned().unwrap_or_default(), unknown, "{scopes}");
        }
    }
    // A role may have at most 64 scopes.
    let catalogue = owner.get("/v1/scopes/catalog").expect(200);
    let names = column(&catalogue["scopes"], "name");
    let most = names.len().min(64);
    let all = owner.patch(&path, &json!({"scopes": names[..most]})).expect(200);
    assert_eq!(all["scopes"].as_array().unwrap().len(), most);
    let repeated: Vec<&Value> = std::iter::repeat_n(&names[0], 64).collect();
    assert_eq!(owner.patch(&path, &json!({ "scopes": repeated })).expect(200)["scopes"], json!([names[0]]), "dropped");
}

fn there_are_only_so_many(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    for n in 0..100 {
        org.role(&mut owner, &format!("role number {n}"), &["read"]);
    }
    let refused =
        owner.post(&org.at("roles"), &json!({"name": "one more", "scopes": ["read"]})).fails(409, "too many roles");
    assert_eq!(refused["limit"], 100);
    assert_eq!(owner.get(&org.at("roles")).expect(200)["roles"].as_array().unwrap().len(), 104);
}

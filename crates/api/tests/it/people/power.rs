//! Privilege escalation: nobody may act on, or grant, more rights than they have.

use serde_json::json;

use super::ground::{Org, Person};
use crate::support::{Backend, Client, Options, Server, both, texts};

both!(
    nobody_acts_on_members_with_more_rights,
    nobody_grants_more_than_they_have,
    the_last_owner_stays,
    keys_and_tokens_never_decide_about_owners,
);

/// A member whose role may manage members and change roles, and has these scopes.
fn manager(server: &Server, owner: &mut Client, org: &Org, name: &str, scopes: &[&str]) -> Person {
    let mut all = vec!["org.memberships:manage", "roles:write", "roles:read"];
    all.extend(scopes);
    let role = org.role(owner, name, &all);
    org.join(server, owner, &format!("{}@acme.example", name.to_lowercase()), &role)
}

/// `done`, or the missing scopes that the refusal names.
fn outcome(answer: &crate::support::Answer) -> String {
    match answer.status {
        200 | 201 | 204 => "done".to_owned(),
        403 if answer.json()["error"] == "forbidden" => "forbidden".to_owned(),
        403 => answer.fails(403, "insufficient scope")["missing"].to_string(),
        status => panic!("{status}: {answer:?}"),
    }
}

fn nobody_acts_on_members_with_more_rights(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut admin = org.join(&server, &mut owner, "admin@acme.example", "admin").client;
    let mut wide = manager(&server, &mut owner, &org, "Wide", &["audit:read", "execute"]).client;
    let mut narrow = manager(&server, &mut owner, &org, "Narrow", &["audit:read"]).client;
    let auditors = org.role(&mut owner, "Auditors", &["audit:read"]);
    let runners = org.role(&mut owner, "Runners", &["execute"]);
    let [beyond_narrow, all_of_owner] = [r#"["execute","read"]"#, "forbidden"];
    // Who acts, on whom, and the expected outcome.
    for (who, whom, expected) in [
        ("narrow", auditors.as_str(), "done"),
        ("narrow", runners.as_str(), beyond_narrow),
        ("wide", runners.as_str(), "done"),
        ("wide", "owner", all_of_owner),
        ("admin", "admin", "done"),
        ("admin", "owner", all_of_owner),
        ("owner", "owner", "done"),
    ] {
        for (step, body) in [json!({"role": auditors}), json!({"status": "disabled"})].into_iter().enumerate() {
            let target = org.join(&server, &mut owner, &format!("{who}{step}.{whom}@acme.example"), whom);
            let by = match who {
                "narrow" => &mut narrow,
                "wide" => &mut wide,
                "admin" => &mut admin,
                _ => &mut owner,
            };
            assert_eq!(outcome(&by.patch(&target.path, &body)), expected, "{who} changes {whom}: {body}");
            assert_eq!(outcome(&by.delete(&target.path)), expected, "{who} removes {whom}");
        }
    }
    // For an action on an administrator, the refusal lists all scopes that the caller lacks.
    let target = org.join(&server, &mut owner, "target@acme.example", "admin");
    let refused = wide.delete(&target.path).fails(403, "insufficient scope");
    let missing = refused["missing"].as_array().unwrap();
    assert!(missing.contains(&json!("admin")) && missing.contains(&json!("tokens:manage")), "{refused}");
    assert!(!missing.contains(&json!("audit:read")), "{refused}");
}

fn nobody_grants_more_than_they_have(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut person = manager(&server, &mut owner, &org, "Managers", &["audit:read"]);
    let [mine] = texts(&owner.patch(&person.path, &json!({})).expect(200), ["role_id"]);
    let auditors = org.role(&mut owner, "Auditors", &["audit:read"]);
    let runners = org.role(&mut owner, "Runners", &["execute"]);
    let target = org.join(&server, &mut owner, "target@acme.example", &auditors);
    let me = &mut person.client;
    let lacking = r#"["execute","read"]"#;

    // By giving a wider role to others, to invited people, or to themselves.
    for path in [&target.path, &person.path] {
        assert_eq!(outcome(&me.patch(path, &json!({ "role": runners }))), lacking, "{path}");
        assert_eq!(outcome(&me.patch(path, &json!({"role": "owner"}))), "forbidden");
        assert_ne!(outcome(&me.patch(path, &json!({"role": "admin"}))), "done");
        assert_ne!(outcome(&me.patch(path, &json!({"role": "viewer"}))), "done", "a viewer may what they may not");
    }
    for rest in ["members", "invitations"] {
        let asked = |role: &str| json!({"email": "guest@acme.example", "role": role});
        assert_eq!(outcome(&me.post(&org.at(rest), &asked(&runners))), lacking);
        assert_eq!(outcome(&me.post(&org.at(rest), &asked("owner"))), "forbidden");
    }
    // By making a wide role, or widening an existing one, in particular their own.
    let wide = json!({"name": "Wide", "scopes": ["audit:read", "execute"]});
    assert_eq!(outcome(&me.post(&org.at("roles"), &wide)), lacking);
    for role in [&mine, &auditors] {
        let wider = json!({"scopes": ["org.memberships:manage", "roles:write", "roles:read", "audit:read", "execute"]});
        assert_eq!(outcome(&me.patch(&org.at(&format!("roles/{role}")), &wider)), lacking);
    }
    // By narrowing, renaming or deleting a role with more scopes, because that acts on its members.
    let path = org.at(&format!("roles/{runners}"));
    for body in [json!({"scopes": ["audit:read"]}), json!({"name": "Walkers"})] {
        assert_eq!(outcome(&me.patch(&path, &body)), lacking);
    }
    assert_eq!(outcome(&me.delete(&path)), lacking);
    // By deleting a role with fewer scopes than the built-in role that its members get instead.
    let refused = me.delete(&org.at(&format!("roles/{auditors}"))).fails(403, "insufficient scope");
    assert!(refused["missing"].as_array().unwrap().contains(&json!("tokens:read")), "{refused}");

    // They may give the scopes they have.
    assert_eq!(outcome(&me.post(&org.at("roles"), &json!({"name": "Second", "scopes": ["audit:read"]}))), "done");
    assert_eq!(outcome(&me.patch(&target.path, &json!({ "role": mine }))), "done");
    assert_eq!(outcome(&me.delete(&org.at(&format!("roles/{auditors}")))), "done", "nobody has it now");
    assert_eq!(
        outcome(&me.patch(&org.at(&format!("roles/{mine}")), &json!({"scopes": ["roles:write", "roles:read"]}))),
        "done"
    );
    // After narrowing their own role they lack those scopes from the next request on.
    let refused = me.patch(&target.path, &json!({"status": "disabled"})).fails(403, "insufficient scope");
    assert_eq!(refused["missing"], json!(["org.memberships:manage"]));
}

fn the_last_owner_stays(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let [me] = texts(&owner.get("/v1/me").expect(200), ["user_id"]);
    let own = org.at(&format!("members/{me}"));
    let before = owner.get(&org.at("members")).expect(200);
    let tries = |owner: &mut Client| {
        for body in
            [json!({"role": "admin"}), json!({"status": "disabled"}), json!({"role": "viewer", "status": "disabled"})]
        {
            owner.patch(&own, &body).fails(409, "last owner");
        }
        owner.delete(&own).fails(409, "last owner");
        owner.delete(&org.at("members/me")).fails(409, "last owner");
    };
    tries(&mut owner);
    assert_eq!(owner.get(&org.at("members")).expect(200), before, "and nothing of it happened");
    // A disabled owner does not count as another owner.
    let second = org.join(&server, &mut owner, "second@acme.example", "owner");
    owner.patch(&second.path, &json!({"status": "disabled"})).expect(200);
    tries(&mut owner);
    owner.patch(&second.path, &json!({"status": "active"})).expect(200);
    owner.patch(&own, &json!({"role": "admin"})).expect(200);
    assert_eq!(owner.get("/v1/me").expect(200)["role"], "admin");
    owner.patch(&second.path, &json!({"role": "admin"})).fails(403, "forbidden");
    owner.patch(&own, &json!({"role": "owner"})).fails(403, "forbidden");
    owner.delete(&org.at("members/me")).expect(204);
}

fn keys_and_tokens_never_decide_about_owners(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let second = org.join(&server, &mut owner, "second@acme.example", "owner");
    let viewer = org.join(&server, &mut owner, "viewer@acme.example", "viewer");
    let [token] = texts(&owner.create_with("all", &["admin"]), ["secret"]);
    let [me] = texts(&owner.get("/v1/me").expect(200), ["user_id"]);
    let key = super::ground::key(&server, &mut owner, &me, &["admin"]);
    let project = owner.post(&org.at("projects"), &json!({"slug": "fleet"})).expect(201)["projectId"].clone();
    let asked = json!({"name": "bound", "scopes": ["admin"], "project_id": project});
    let [bound] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
    for credential in [&token, &key] {
        let mut caller = server.caller(credential);
        caller.delete(&second.path).fails(403, "forbidden");
        caller.patch(&second.path, &json!({"role": "viewer"})).fails(403, "forbidden");
        caller.patch(&viewer.path, &json!({"role": "owner"})).fails(403, "forbidden");
        caller.post(&org.at("invitations"), &json!({"email": "a@b.example", "role": "owner"})).fails(403, "forbidden");
        assert_eq!(caller.patch(&viewer.path, &json!({"role": "admin"})).expect(200)["role"], "admin");
        caller.patch(&viewer.path, &json!({"role": "viewer"})).expect(200);
    }
    // A token bound to a project can neither list members nor act on them.
    let mut confined = server.caller(&bound);
    confined.get(&org.at("members")).fails(403, "forbidden");
    confined.delete(&viewer.path).fails(403, "forbidden");
    confined.patch(&org.path, &json!({"name": "x"})).fails(403, "forbidden");
    confined.post(&org.at("roles"), &json!({"name": "x", "scopes": ["read"]})).fails(403, "forbidden");
    confined.post(&org.at("invitations"), &json!({"email": "a@b.example", "role": "viewer"})).fails(403, "forbidden");
    // A key with fewer scopes than its owner can grant only its own.
    let some = super::ground::key(&server, &mut owner, &me, &["org.memberships:manage"]);
    server.caller(&some).patch(&viewer.path, &json!({"role": "member"})).fails(403, "insufficient scope");
}

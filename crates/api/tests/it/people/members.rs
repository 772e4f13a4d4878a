//! Members: listed, added, changed, switched off and on, removed, leaving.

use serde_json::{Value, json};

use super::ground::{Org, column, has_exactly, last_actions};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    members_are_listed_newest_first,
    who_is_known_is_added_at_once_and_who_is_not_is_invited,
    a_member_who_is_switched_off_counts_no_more_until_switched_on,
    a_member_who_is_removed_is_gone_for_good,
    anybody_may_leave,
    a_demotion_bites_at_once,
);

fn members_are_listed_newest_first(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let role = org.role(&mut owner, "Auditors", &["audit:read", "org.memberships:read"]);
    let mut names = vec![Server::OWNER.to_owned()];
    for (n, role) in ["admin", "viewer", role.as_str()].into_iter().enumerate() {
        let email = format!("person{n}@acme.example");
        org.join(&server, &mut owner, &email, role);
        names.insert(0, email);
    }
    let all = owner.get(&org.at("members")).expect(200);
    assert_eq!(
        (column(&all["members"], "email"), &all["next_cursor"]),
        (names.iter().map(|n| json!(n)).collect(), &json!(null))
    );
    has_exactly(&all["members"][0], &["user_id", "email", "name", "role", "role_id", "status", "joined_at"]);
    assert_eq!((&all["members"][0]["role"], &all["members"][0]["role_id"]), (&json!("Auditors"), &json!(role)));
    assert_eq!((&all["members"][3]["role"], &all["members"][3]["role_id"]), (&json!("owner"), &json!(null)));
    assert_eq!(all["members"][3]["name"], "Owner");
    assert_eq!(all["members"][1]["name"], "person1@acme.example", "called by their address");
    assert!(column(&all["members"], "status").iter().all(|status| status == "active"));

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&org.at(&format!("members?limit=1{cursor}"))).expect(200);
        seen.extend(column(&page["members"], "email"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, column(&all["members"], "email"));
    // A custom role permits what its scopes name and nothing else.
    let mut auditor = server.signed_in("person2@acme.example");
    assert_eq!(auditor.get(&org.at("members")).expect(200), all);
    assert_eq!(auditor.get(&org.path).fails(403, "insufficient scope")["missing"], json!(["org:read"]));
    assert_eq!(auditor.get("/v1/me").fails(403, "insufficient scope")["missing"], json!(["user:read"]));
}

fn who_is_known_is_added_at_once_and_who_is_not_is_invited(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let colleague = own.join(&server, &mut owner, "colleague@acme.example", "viewer");
    let second = own.join(&server, &mut owner, "second@acme.example", "viewer");
    let facts = server.facts();
    let stranger = facts.add_person("stranger@elsewhere.example");
    facts.join(facts.add_organization("elsewhere"), &stranger, token_domain::person::BuiltInRole::Owner);
    owner.post("/v1/organizations", &json!({"slug": "zoo"})).expect(201);
    let switched = owner.post("/v1/sessions/switch", &json!({"organization": "zoo"})).expect(201);
    let mut there = server.caller(switched["token"].as_str().unwrap());
    let zoo = Org::of(&mut there);

    let added = there.post(&zoo.at("members"), &json!({"user_id": colleague.id, "role": "member"})).expect(201);
    has_exactly(&added, &["user_id", "email", "name", "role", "role_id", "status", "joined_at"]);
    assert_eq!(
        (&added["user_id"], &added["role"], &added["status"]),
        (&json!(colleague.id), &json!("member"), &json!("active"))
    );
    // An address that only another organisation has verified is invited like an unknown one.
    let by_address = json!({"email": "Second@ACME.example", "role": "admin"});
    let [invitation] = texts(&there.post(&zoo.at("members"), &by_address).expect(201), ["id"]);
    assert_eq!(there.post(&zoo.at("members"), &by_address).fails(409, "already invited")["id"], invitation);
    // After an operator's verification the address works like an id, and the open invitation is withdrawn.
    server.facts().verify("second@acme.example");
    let added = there.post(&zoo.at("members"), &by_address).expect(201);
    assert_eq!((&added["user_id"], &added["role"]), (&json!(second.id), &json!("admin")));
    assert_eq!(there.get(&zoo.at("invitations")).expect(200)["invitations"], json!([]));
    for again in
        [json!({"user_id": colleague.id, "role": "viewer"}), json!({"email": "second@acme.example", "role": "viewer"})]
    {
        there.post(&zoo.at("members"), &again).fails(409, "already a member");
    }

    // Nothing is revealed about strangers, neither by address nor by id.
    let invite = |email: &str| json!({"email": email, "role": "viewer"});
    let known = there.post(&zoo.at("members"), &invite("stranger@elsewhere.example")).expect(201);
    let unknown = there.post(&zoo.at("members"), &invite("nobody@elsewhere.example")).expect(201);
    let keys = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((keys(&known), &known["status"]), (keys(&unknown), &json!("pending")));
    let by_id = |id: &str| json!({"user_id": id, "role": "viewer"});
    let absent = there.post(&zoo.at("members"), &by_id("01920000-0000-7000-8000-000000000000"));
    assert_eq!(absent.fails(400, "invalid request")["field"], "user_id");
    assert_eq!(there.post(&zoo.at("members"), &by_id(&stranger.id.to_string())).bare(), absent.bare());
    // A token shares no organisation with anybody.
    let [token] = texts(&there.create_with("all", &["admin"]), ["secret"]);
    let fresh = own.join(&server, &mut owner, "third@acme.example", "viewer");
    assert_eq!(server.caller(&token).post(&zoo.at("members"), &by_id(&fresh.id)).bare(), absent.bare());
    assert_eq!(column(&there.get(&zoo.at("members")).expect(200)["members"], "role"), ["admin", "member", "owner"]);
}

fn a_member_who_is_switched_off_counts_no_more_until_switched_on(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut person = org.join(&server, &mut owner, "person@acme.example", "member");
    let key = person.key(&server, &mut owner, &["execute"]);
    let code = {
        owner.patch(&person.path, &json!({"role": "admin"})).expect(200);
        org.invite(&mut person.client, "guest@acme.example", "viewer")
    };
    person.client.post("/v1/organizations", &json!({"slug": "zoo"})).expect(201);
    let switched = person.client.post("/v1/sessions/switch", &json!({"organization": "zoo"})).expect(201);
    let mut elsewhere = server.caller(switched["token"].as_str().unwrap());
    let mut anyone = server.anyone();
    assert!(anyone.is_valid(&key));

    let off = owner.patch(&person.path, &json!({"status": "disabled"})).expect(200);
    assert_eq!((&off["status"], &off["role"]), (&json!("disabled"), &json!("admin")));
    assert!(!anyone.is_valid(&key));
    person.client.get("/v1/me").fails(401, "invalid token");
    let sign_in = json!({"email": "person@acme.example", "password": Server::PASSWORD, "organization": "acme"});
    anyone.post("/v1/sessions", &sign_in).fails(401, "invalid credentials");
    elsewhere.post("/v1/sessions/switch", &json!({"organization": "acme"})).fails(404, "not found");
    super::ground::accept(&server, &code).fails(401, "invalid invitation");
    // The other organisation is not affected, and signing in now leads there.
    assert_eq!(elsewhere.get("/v1/me").expect(200)["role"], "owner");
    assert_eq!(Org::of(&mut server.signed_in("person@acme.example")).id, Org::of(&mut elsewhere).id);
    assert_eq!(owner.patch(&person.path, &json!({"status": "disabled"})).expect(200), off, "nothing changes");
    assert_eq!(last_actions(&server, 1), ["member.disable"]);

    let on = owner.patch(&person.path, &json!({"status": "active", "role": "viewer"})).expect(200);
    assert_eq!((&on["status"], &on["role"]), (&json!("active"), &json!("viewer")));
    assert!(anyone.is_valid(&key), "back again");
    person.client.get("/v1/me").fails(401, "invalid token");
    assert_eq!(server.signed_in("person@acme.example").get("/v1/me").expect(200)["role"], "viewer");
    assert_eq!(last_actions(&server, 3)[..2], ["member.role", "member.enable"]);
}

fn a_member_who_is_removed_is_gone_for_good(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut person = org.join(&server, &mut owner, "person@acme.example", "admin");
    let key = person.key(&server, &mut owner, &["execute"]);
    let [made] = texts(&person.client.create("the organisation's"), ["secret"]);
    let code = org.invite(&mut person.client, "guest@acme.example", "viewer");
    let mut anyone = server.anyone();
    assert!(anyone.is_valid(&key) && anyone.is_valid(&made));

    owner.delete(&person.path).expect(204);
    assert!(!anyone.is_valid(&key));
    person.client.get("/v1/me").fails(401, "invalid token");
    let sign_in = json!({"email": "person@acme.example", "password": Server::PASSWORD});
    anyone.post("/v1/sessions", &sign_in).fails(401, "invalid credentials");
    owner.delete(&person.path).fails(404, "not found");
    owner.patch(&person.path, &json!({"role": "viewer"})).fails(404, "not found");
    assert!(anyone.is_valid(&made), "what the organisation has, it keeps");
    super::ground::accept(&server, &code).fails(401, "invalid invitation");
    let event = server.facts().audit().pop().unwrap();
    let mut detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!((event.action.as_str(), &event.target_id), ("member.remove", &person.id));
    let keys = detail.as_object_mut().unwrap().remove("keys_revoked_ids").unwrap();
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "the key that died with it is named: {keys}");
    assert_eq!(detail, json!({"role": "admin", "keys_revoked": 1, "sessions_ended": 1}));

    // A person who joins again has the same account, but none of the earlier keys or sessions.
    let code = org.invite(&mut owner, "person@acme.example", "admin");
    let back = anyone.post("/v1/invitations/accept", &json!({"code": code, "password": Server::PASSWORD})).expect(201);
    assert_eq!((&back["user_id"], &back["new_account"]), (&json!(person.id), &json!(false)));
    assert!(!anyone.is_valid(&key), "revoked for good");
    person.client.get("/v1/me").fails(401, "invalid token");
    server.signed_in("person@acme.example");
}

fn anybody_may_leave(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut person = org.join(&server, &mut owner, "person@acme.example", "viewer");
    let key = person.key(&server, &mut owner, &["admin"]);
    // Not with a key: a thief must not be able to remove its owner.
    server.caller(&key).delete(&org.at("members/me")).fails(403, "forbidden");
    person.client.delete(&person.path).fails(403, "insufficient scope");
    person.client.delete(&org.at("members/me")).expect(204);
    person.client.get("/v1/me").fails(401, "invalid token");
    assert!(!server.anyone().is_valid(&key));
    assert_eq!(last_actions(&server, 1), ["member.leave"]);
    assert_eq!(column(&owner.get(&org.at("members")).expect(200)["members"], "email"), [Server::OWNER]);
    owner.delete(&org.at("members/me")).fails(409, "last owner");
    // Leaving by one's own id needs the right to manage members, which an administrator has.
    let mut admin = org.join(&server, &mut owner, "admin@acme.example", "admin");
    admin.client.delete(&admin.path).expect(204);
}

fn a_demotion_bites_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut person = org.join(&server, &mut owner, "person@acme.example", "admin");
    let key = person.key(&server, &mut owner, &["tokens:manage", "read"]);
    let mut anyone = server.anyone();
    let mut may_manage = |key: &str| {
        anyone.post("/v1/auth/validate", &json!({"token": key, "required_scopes": ["tokens:manage"]})).status
    };
    assert_eq!(may_manage(&key), 200);
    let roles = ["viewer", "admin", "member", "owner"];
    for (role, expected) in roles.into_iter().zip([403, 200, 403, 200]) {
        let changed = owner.patch(&person.path, &json!({ "role": role })).expect(200);
        assert_eq!(changed["role"], role);
        assert_eq!(may_manage(&key), expected, "{role}");
        assert_eq!(person.role(), role);
        let made = person.client.post("/v1/tokens", &json!({"name": "x", "scopes": ["read"]})).status;
        assert_eq!(made, if expected == 200 { 201 } else { 403 }, "{role}");
    }
    let event = server.facts().audit().into_iter().rfind(|event| event.action == "member.role").unwrap();
    assert_eq!(event.detail, r#"{"from":"member","to":"owner"}"#);
    let before = server.facts().audit().len();
    owner.patch(&person.path, &json!({"role": "owner"})).expect(200);
    owner.patch(&person.path, &json!({})).expect(200);
    assert_eq!(server.facts().audit().len(), before, "nothing changed, nothing to record");
}

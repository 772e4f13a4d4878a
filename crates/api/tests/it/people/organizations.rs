//! Organisations: created, listed, renamed; and switching between them.

use serde_json::json;

use super::ground::{Org, column, has_exactly};
use crate::support::{Backend, Options, Request, Server, both, later, texts};

both!(
    an_organization_is_made_read_renamed_and_listed,
    who_makes_organizations,
    objects_of_other_organisations_are_not_found,
    switching_is_another_session_that_ends_no_later,
    nobody_is_signed_in_where_others_put_them,
);

fn an_organization_is_made_read_renamed_and_listed(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 7));
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let made =
        owner.post("/v1/organizations", &json!({"slug": "zoo", "name": "The Zoo", "role": "viewer"})).expect(201);
    let fields = [
        "id",
        "slug",
        "name",
        "role",
        "role_id",
        "token_cap",
        "require_second_factor",
        "leak_action",
        "trust_only",
        "created_at",
        "updated_at",
    ];
    has_exactly(&made, &fields);
    assert_eq!((&made["slug"], &made["name"], &made["role"]), (&json!("zoo"), &json!("The Zoo"), &json!("owner")));
    assert_eq!((&made["role_id"], &made["token_cap"]), (&json!(null), &json!(7)));
    assert!(made["id"].as_str().unwrap().starts_with("org_"));
    let nameless = owner.post("/v1/organizations", &json!({"slug": "bees"})).expect(201);
    assert_eq!(nameless["name"], "bees");
    owner.post("/v1/organizations", &json!({"slug": "zoo"})).fails(409, "slug taken");

    let all = owner.get("/v1/organizations").expect(200);
    assert_eq!(column(&all["organizations"], "slug"), ["acme", "bees", "zoo"]);
    assert_eq!((&all["organizations"][2], &all["next_cursor"]), (&made, &json!(null)));
    let first = owner.get("/v1/organizations?limit=2").expect(200);
    assert_eq!(
        (column(&first["organizations"], "slug"), &first["next_cursor"]),
        (vec![json!("acme"), json!("bees")], &json!("bees"))
    );
    let rest = owner.get("/v1/organizations?limit=2&cursor=bees").expect(200);
    assert_eq!((column(&rest["organizations"], "slug"), &rest["next_cursor"]), (vec![json!("zoo")], &json!(null)));

    let uuid = server.facts().organization(Server::ORGANIZATION).id.uuid().to_string();
    let seen = owner.get(&own.path).expect(200);
    assert_eq!(owner.get(&format!("/v1/organizations/{uuid}")).expect(200), seen);
    assert_eq!((&seen["id"], &seen["slug"]), (&json!(own.id), &json!("acme")));
    let renamed = owner.patch(&own.path, &json!({"name": " Acme  Inc ", "slug": "acme"})).expect(200);
    assert_eq!((&renamed["name"], &renamed["created_at"]), (&json!("Acme  Inc"), &seen["created_at"]));
    assert_eq!(owner.patch(&own.path, &json!({})).expect(200), renamed, "nothing changes");
    owner.patch(&own.path, &json!({"slug": "other"})).fails(400, "slug cannot be changed");
    for cap in [json!(1_000), json!(null)] {
        let refused = owner.patch(&own.path, &json!({"token_cap": cap})).fails(400, "token_cap cannot be changed");
        assert_eq!(refused["field"], "token_cap");
    }
    assert_eq!(super::ground::last_actions(&server, 1), ["organization.update"]);
    let facts = server.facts();
    let zoo = facts.organization("zoo").id;
    let founded: Vec<String> =
        facts.audit_after(Some(zoo), (0, [0; 32])).into_iter().map(|event| event.action).collect();
    assert_eq!(founded, ["organization.create"], "in the trail of its own");
}

fn who_makes_organizations(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let asked = json!({"slug": "second"});
    let mut viewer = org.join(&server, &mut owner, "viewer@acme.example", "viewer").client;
    assert_eq!(
        viewer.post("/v1/organizations", &asked).fails(403, "insufficient scope")["missing"],
        json!(["org:write"])
    );
    let [token] = texts(&owner.create_with("all", &["admin"]), ["secret"]);
    let mut token = server.caller(&token);
    token.post("/v1/organizations", &asked).fails(403, "forbidden");
    // A token lists its own organisation.
    let seen = token.get("/v1/organizations").expect(200);
    assert_eq!(
        (column(&seen["organizations"], "slug"), column(&seen["organizations"], "role")),
        (vec![json!("acme")], vec![json!(null)])
    );
    assert_eq!(token.get("/v1/organizations?cursor=acme").expect(200)["organizations"], json!([]));
    let mut admin = org.join(&server, &mut owner, "admin@acme.example", "admin");
    let made = admin.client.post("/v1/organizations", &asked).expect(201);
    assert_eq!(made["role"], "owner");
    // The creator is a member of both organisations; other people are not.
    assert_eq!(column(&admin.client.get("/v1/organizations").expect(200)["organizations"], "role"), ["admin", "owner"]);
    assert_eq!(column(&owner.get("/v1/organizations").expect(200)["organizations"], "slug"), ["acme"]);
    owner.get(&format!("/v1/organizations/{}", made["id"].as_str().unwrap())).fails(404, "not found");

    let closed = Server::start(backend, Options::default().with("people.open_founding", false));
    let refused = closed.owner().post("/v1/organizations", &asked).fails(403, "forbidden");
    assert!(refused["message"].as_str().unwrap().contains("operator of this deployment"), "{refused}");
}

fn objects_of_other_organisations_are_not_found(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let stranger = facts.add_person("stranger@elsewhere.example");
    facts.join(elsewhere, &stranger, token_domain::person::BuiltInRole::Owner);
    let mut stranger = server.signed_in("stranger@elsewhere.example");
    let role = own.role(&mut owner, "Auditors", &["audit:read"]);
    let foreign_role = Org::of(&mut stranger).role(&mut stranger, "Auditors", &["audit:read"]);
    let [theirs] = texts(&stranger.get("/v1/me").expect(200), ["user_id"]);
    let absent = "01920000-0000-7000-8000-000000000000";
    let model = owner.get(&format!("/v1/organizations/{absent}")).bare();
    assert_eq!(model.0, 404);
    let unreadable = ["x", "acme", "%00", "usr_01j0b3v1mmeedtx9cpdgkfhbch", "01J0B3V1MMEEDTX9CPDGKFHBCH"];
    for id in [elsewhere.to_string().as_str(), &elsewhere.uuid().to_string(), absent].into_iter().chain(unreadable) {
        for (method, rest, body) in [
            ("GET", "", ""),
            ("PATCH", "", r#"{"name":"x"}"#),
            ("GET", "/members", ""),
            ("POST", "/members", r#"{"email":"a@b.example","role":"viewer"}"#),
            ("DELETE", "/members/me", ""),
            ("GET", "/roles", ""),
            ("GET", "/roles/owner", ""),
            ("POST", "/roles", r#"{"name":"x","scopes":["read"]}"#),
            ("GET", "/invitations", ""),
            ("POST", "/invitations", r#"{"email":"a@b.example","role":"viewer"}"#),
        ] {
            let path = format!("/v1/organizations/{id}{rest}");
            let request = Request::new(method, &path);
            let answer = owner.ask(if body.is_empty() { request } else { request.body(body) });
            assert_eq!(answer.bare(), model, "{method} {path}");
        }
    }
    for (method, kind, ids, body) in [
        ("GET", "roles", [foreign_role.as_str(), absent, "Auditors"], ""),
        ("PATCH", "roles", [foreign_role.as_str(), absent, "king"], r#"{"name":"x"}"#),
        ("DELETE", "roles", [foreign_role.as_str(), absent, "OWNER"], ""),
        ("PATCH", "members", [theirs.as_str(), absent, "x"], r#"{"role":"viewer"}"#),
        ("DELETE", "members", [theirs.as_str(), absent, "%00"], ""),
        ("DELETE", "invitations", [role.as_str(), absent, "x"], ""),
    ] {
        for id in ids {
            let path = own.at(&format!("{kind}/{id}"));
            let request = Request::new(method, &path);
            let answer = owner.ask(if body.is_empty() { request } else { request.body(body) });
            assert_eq!(answer.bare(), model, "{method} {path}");
        }
    }
    // In a body, a foreign role and an absent one are refused alike, with the field's name.
    for id in [foreign_role.as_str(), absent] {
        let asked = json!({"email": "a@b.example", "role": id});
        let bodies: Vec<_> = ["members", "invitations"].map(|rest| owner.post(&own.at(rest), &asked).bare()).into();
        assert_eq!(bodies[0], bodies[1]);
        assert_eq!(bodies[0], owner.post(&own.at("members"), &json!({"email": "a@b.example", "role": "king"})).bare());
    }
    assert_eq!(stranger.get("/v1/me").expect(200)["role"], "owner", "untouched");
}

fn switching_is_another_session_that_ends_no_later(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let made = owner.post("/v1/organizations", &json!({"slug": "zoo"})).expect(201);
    let user = server.facts().user(Server::OWNER);
    let mut short = server.caller(&server.facts().add_session_ending(&user, 600));
    let [zoo] = texts(&made, ["id"]);
    for name in ["zoo", zoo.as_str()] {
        let switched = short.post("/v1/sessions/switch", &json!({"organization": name})).expect(201);
        has_exactly(&switched, &["id", "token", "user_id", "org_id", "role", "expires_at"]);
        assert_eq!((&switched["org_id"], &switched["role"]), (&json!(zoo), &json!("owner")));
        assert!(switched["expires_at"].as_str().unwrap() <= later(601).as_str(), "{switched}");
        let mut there = server.caller(switched["token"].as_str().unwrap());
        assert_eq!(Org::of(&mut there).id, zoo);
        there.get(&own.path).fails(404, "not found");
        // That session can switch back.
        let back = there.post("/v1/sessions/switch", &json!({"organization": own.id})).expect(201);
        assert!(back["expires_at"].as_str().unwrap() <= later(601).as_str(), "{back}");
    }
    assert_eq!(Org::of(&mut short).id, own.id, "the session it came with is what it was");

    server.facts().add_organization("elsewhere");
    let absent = short.post("/v1/sessions/switch", &json!({"organization": "absent"}));
    absent.fails(404, "not found");
    assert_eq!(short.post("/v1/sessions/switch", &json!({"organization": "elsewhere"})).bare(), absent.bare());
    let refused =
        short.post("/v1/sessions/switch", &json!({"organization": "Not A Slug"})).fails(400, "invalid request");
    assert_eq!(refused["field"], "organization");
    let [token] = texts(&owner.create_with("all", &["admin"]), ["secret"]);
    server.caller(&token).post("/v1/sessions/switch", &json!({"organization": "zoo"})).fails(403, "forbidden");
}

fn nobody_is_signed_in_where_others_put_them(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let mut admin = own.join(&server, &mut owner, "admin@acme.example", "admin");
    admin.client.post("/v1/organizations", &json!({"slug": "aaa"})).expect(201);
    let switched = admin.client.post("/v1/sessions/switch", &json!({"organization": "aaa"})).expect(201);
    let mut there = server.caller(switched["token"].as_str().unwrap());
    let trap = Org::of(&mut there);
    let user = server.facts().user(Server::OWNER).id.to_string();
    there.post(&trap.at("members"), &json!({"user_id": user, "role": "viewer"})).expect(201);
    assert_eq!(Org::of(&mut server.owner()).id, own.id, "the organisation joined first, whatever others are called");
}

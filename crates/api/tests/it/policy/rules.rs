//! Setting a policy, its effect on new tokens, and the preview.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Client, Options, Server, both, texts};

both!(
    a_policy_is_set_whole_and_shown,
    what_is_wrong_with_a_policy_names_its_place,
    a_policy_bounds_what_is_made,
    a_policy_bounds_what_is_rotated,
    a_policy_is_tried_out_without_effect,
    a_policy_belongs_to_those_who_may_change_the_organisation,
);

fn path(owner: &mut Client) -> String {
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    format!("/v1/organizations/{org}/token-policy")
}

fn put(owner: &mut Client, kinds: &Value) -> Value {
    let path = path(owner);
    owner.ask(crate::support::Request::new("PUT", &path).json(&json!({ "kinds": kinds }))).expect(200)
}

fn nothing() -> Value {
    json!({
        "allowed": true, "default_lifetime_days": null, "max_lifetime_days": null, "idle_days": null,
        "allowed_scopes": null,
    })
}

fn a_policy_is_set_whole_and_shown(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let me = owner.get("/v1/me").expect(200);
    let path = path(&mut owner);
    let unset = json!({
        "org_id": me["org_id"], "updated_at": null, "updated_by": null,
        "kinds": {"organization": nothing(), "personal": nothing(), "actor": nothing()},
    });
    assert_eq!(owner.get(&path).expect(200), unset);
    let personal = json!({
        "allowed": true, "default_lifetime_days": 30, "max_lifetime_days": 90, "idle_days": 14,
        "allowed_scopes": ["scans", "user"],
    });
    let actor = json!({"allowed": false, "idle_days": 3});
    let set = put(&mut owner, &json!({"personal": personal, "actor": actor}));
    assert_eq!((&set["kinds"]["personal"], &set["kinds"]["organization"]), (&personal, &nothing()));
    assert_eq!((&set["kinds"]["actor"]["allowed"], &set["kinds"]["actor"]["idle_days"]), (&json!(false), &json!(3)));
    assert_eq!(set["updated_by"], format!("user:{}", me["user_id"].as_str().unwrap()));
    assert!(set["updated_at"].is_string());
    assert_eq!(owner.get(&path).expect(200), set);
    // The organisation's UUID is accepted too, and the new policy replaces this one.
    assert_eq!(put(&mut owner, &json!({}))["kinds"], unset["kinds"]);
    let events = server.facts().audit();
    let set: Vec<_> = events.iter().filter(|event| event.action == "token_policy.set").collect();
    assert_eq!(set.len(), 2);
    let detail: Value = serde_json::from_str(&set[0].detail).unwrap();
    assert_eq!((&detail["personal"]["max_lifetime_days"], &detail["actor"]["allowed"]), (&json!(90), &json!(false)));
}

fn what_is_wrong_with_a_policy_names_its_place(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let path = path(&mut owner);
    let many: Vec<String> = (0..65).map(|number| format!("s{number}")).collect();
    let rows = [
        (json!({}), "kinds"),
        (json!({"kinds": []}), "kinds"),
        (json!({"kinds": {"personal": []}}), "kinds.personal"),
        (json!({"kinds": {"personal": {"idle_days": 0}}}), "kinds.personal.idle_days"),
        (json!({"kinds": {"personal": {"idle_days": 36_501}}}), "kinds.personal.idle_days"),
        (json!({"kinds": {"personal": {"idle_days": -1}}}), "kinds.personal.idle_days"),
        (json!({"kinds": {"organization": {"max_lifetime_days": 1.5}}}), "kinds.organization.max_lifetime_days"),
        (
            json!({"kinds": {"organization": {"default_lifetime_days": 8, "max_lifetime_days": 7}}}),
            "kinds.organization.default_lifetime_days",
        ),
        (json!({"kinds": {"actor": {"max_lifetime_days": 7}}}), "kinds.actor.max_lifetime_days"),
        (json!({"kinds": {"actor": {"default_lifetime_days": 7}}}), "kinds.actor.default_lifetime_days"),
        (json!({"kinds": {"actor": {"allowed_scopes": ["admin"]}}}), "kinds.actor.allowed_scopes"),
        (json!({"kinds": {"personal": {"allowed_scopes": []}}}), "kinds.personal.allowed_scopes"),
        (json!({"kinds": {"personal": {"allowed_scopes": ["nothing"]}}}), "kinds.personal.allowed_scopes"),
        (json!({"kinds": {"personal": {"allowed_scopes": many}}}), "kinds.personal.allowed_scopes"),
        (json!({"kinds": {"personal": {"allowed": "no"}}}), "kinds.personal.allowed"),
    ];
    for (asked, field) in rows {
        for (method, path) in [("PUT", path.clone()), ("POST", format!("{path}/preview"))] {
            let answer = owner.ask(crate::support::Request::new(method, &path).json(&asked));
            assert_eq!(answer.fails(400, "invalid request")["field"], field, "{method} {asked}");
        }
    }
    for (query, field) in
        [("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"), ("cursor=actor.1.2", "cursor")]
    {
        let answer = owner.post(&format!("{path}/preview?{query}"), &json!({"kinds": {}}));
        assert_eq!(answer.fails(400, "invalid request")["field"], field, "{query}");
    }
    assert_eq!(owner.get(&path).expect(200)["updated_at"], Value::Null);
}

#[track_caller]
fn refused(answer: &crate::support::Answer, field: &str) -> Value {
    let body = answer.fails(403, "forbidden by policy");
    assert_eq!(body["field"], field, "{body}");
    body
}

fn a_policy_bounds_what_is_made(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    put(
        &mut owner,
        &json!({
            "organization": {"default_lifetime_days": 30, "max_lifetime_days": 90, "allowed_scopes": ["execute", "scans"]},
            "personal": {"allowed": false},
            "actor": {"allowed_scopes": ["self:rotate"]},
        }),
    );
    let make = |owner: &mut Client, scopes: &[&str], days: Value| {
        owner.post("/v1/tokens", &json!({"name": "a", "scopes": scopes, "expires_in_days": days}))
    };
    assert!(make(&mut owner, &["read", "scans:read"], Value::Null).expect(201)["expires_at"].is_string());
    make(&mut owner, &["execute"], json!(90)).expect(201);
    assert_eq!(refused(&make(&mut owner, &["execute"], json!(91)), "expires_at")["max_lifetime_days"], 90);
    let far = owner.post("/v1/tokens", &json!({"name": "a", "scopes": ["read"], "expires_at": "2999-01-01T00:00:00Z"}));
    refused(&far, "expires_at");
    assert_eq!(refused(&make(&mut owner, &["read", "bot"], json!(1)), "scopes")["scopes"], json!(["bot"]));
    assert_eq!(refused(&make(&mut owner, &["admin"], json!(1)), "scopes")["scopes"], json!(["admin"]));
    refused(&owner.post("/v1/me/keys", &json!({"name": "a"})), "kind");
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let projects = format!("/v1/organizations/{org}/projects");
    let [project] = texts(&owner.post(&projects, &json!({"slug": "p"})).expect(201), ["projectId"]);
    let actors = format!("{projects}/{project}/actors");
    owner.post(&actors, &json!({"name": "a"})).expect(201);
    refused(&owner.post(&actors, &json!({"name": "b", "scopes": ["execute"]})), "scopes");
    assert_eq!(owner.get(&actors).expect(200)["data"].as_array().unwrap().len(), 1, "the actor was not made either");
}

fn a_policy_bounds_what_is_rotated(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create_with("long", &["self:rotate"]), ["id"]);
    let [wide, wide_secret] = texts(&owner.create_with("wide", &["self:rotate", "bot"]), ["id", "secret"]);
    put(&mut owner, &json!({"organization": {"max_lifetime_days": 7, "allowed_scopes": ["self:rotate"]}}));
    let rotated = owner.rotate(&id, &json!({}));
    assert!(rotated["expires_at"].is_string(), "{rotated}");
    refused(&owner.call(&format!("/v1/tokens/{wide}/rotate")), "scopes");
    refused(&server.caller(&wide_secret).call("/v1/tokens/self/rotate"), "scopes");
    assert!(owner.is_valid(&wide_secret));
    put(&mut owner, &json!({}));
    owner.rotate(&wide, &json!({}));
}

fn a_policy_is_tried_out_without_effect(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let asked = json!({"name": "short", "scopes": ["read"], "expires_in_days": 5});
    owner.post("/v1/tokens", &asked).expect(201);
    let [wide] = texts(&owner.create_with("wide", &["read", "bot"]), ["id"]);
    let [long] = texts(&owner.create_with("long", &["read"]), ["id"]);
    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["id"]);
    let preview = format!("{}/preview", path(&mut owner));
    let policy = json!({"kinds": {
        "organization": {"max_lifetime_days": 7, "allowed_scopes": ["read"]}, "personal": {"allowed": false},
    }});
    let seen = owner.post(&preview, &policy).expect(200);
    let counts = json!({"examined": 4, "hit": 3, "idle": 0, "lifetime": 2, "scopes": 1, "kind": 1});
    assert_eq!((&seen["counts"], &seen["next_cursor"]), (&counts, &Value::Null));
    let rows: Vec<(&str, &Value)> =
        seen["tokens"].as_array().unwrap().iter().map(|hit| (hit["id"].as_str().unwrap(), &hit["reasons"])).collect();
    let reasons = [json!(["lifetime"]), json!(["lifetime", "scopes"]), json!(["kind"])];
    assert_eq!(rows, [(long.as_str(), &reasons[0]), (wide.as_str(), &reasons[1]), (key.as_str(), &reasons[2])]);
    assert!(seen["tokens"].as_array().unwrap().iter().all(|hit| hit.get("secret").is_none()), "no secret, only hints");
    let first = owner.post(&format!("{preview}?limit=1"), &policy).expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = owner.post(&format!("{preview}?limit=1&cursor={next}"), &policy).expect(200);
    assert_eq!((&first["tokens"][0]["id"], &second["tokens"][0]["id"]), (&json!(long), &json!(wide)));
    let path = path(&mut owner);
    assert_eq!(owner.get(&path).expect(200)["updated_at"], Value::Null);
    owner.rotate(&wide, &json!({}));
}

fn a_policy_belongs_to_those_who_may_change_the_organisation(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().add_member("member@acme.example", BuiltInRole::Member);
    let path = path(&mut server.owner());
    let mut member = server.signed_in("member@acme.example");
    member.get(&path).expect(200);
    let request = crate::support::Request::new("PUT", &path).json(&json!({"kinds": {}}));
    assert_eq!(member.ask(request).fails(403, "insufficient scope")["missing"], json!(["org:write"]));
    let preview = member.post(&format!("{path}/preview"), &json!({"kinds": {}}));
    assert_eq!(preview.fails(403, "insufficient scope")["missing"], json!(["org:write"]));
    let mut owner = server.owner();
    for absent in ["018f0000-0000-7000-8000-000000000001", "nonsense"] {
        owner.get(&format!("/v1/organizations/{absent}/token-policy")).fails(404, "not found");
    }
}

//! What a message broker asks, in the bytes that it sends and reads.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use super::ground::{Project, has_exactly};
use crate::support::{Backend, Client, Options, Request, Server, Wire, both, texts};

both!(
    a_connection_is_admitted_with_its_topics,
    a_connection_stays_as_long_as_its_actor_may_act,
    topics_are_allowed_within_the_own_pattern,
    a_broker_reaches_what_its_own_token_reaches,
    questions_may_arrive_pipelined,
);

/// Ends what an actor counts by: of a project, an actor and its access scope.
type Ending = fn(&mut Client, &Project, &str, &str);

const VALIDATE: &str = "/v1/internal/actors/validate";
const REVALIDATE: &str = "/v1/internal/actors/revalidate";
const ACCESS: &str = "/v1/internal/actors/check-room-access";

fn broker(server: &Server, owner: &mut Client) -> Client {
    let [secret] = texts(&owner.create_with("broker", &["authority:validate"]), ["secret"]);
    server.caller(&secret)
}

#[track_caller]
fn validated(broker: &mut Client, token: &str) -> Value {
    broker.post(VALIDATE, &json!({ "accessToken": token })).expect(200)
}

#[track_caller]
fn revalidated(broker: &mut Client, actor: &str) -> Value {
    broker.post(REVALIDATE, &json!({ "actorTokenId": actor })).expect(200)
}

#[track_caller]
fn may_use(broker: &mut Client, actor: &str, pattern: &str) -> bool {
    let answer = broker.post(ACCESS, &json!({ "actorTokenId": actor, "pattern": pattern })).expect(200);
    has_exactly(&answer, &["allow", "allowed_topics"]);
    assert_eq!(answer["allow"] == true, answer["allowed_topics"] != json!([]), "{answer}");
    answer["allow"] == true
}

fn denied() -> Value {
    json!({"result": "deny", "is_superuser": false})
}

fn a_connection_is_admitted_with_its_topics(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let [scoped, token] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["actorId", "accessToken"]);
    let ends = json!({"name": "probe", "actorType": "observer", "expiresAt": "2999-01-02T03:04:05Z"});
    let whole = owner.post(&project.at("actors"), &ends).expect(201);
    let mut broker = broker(&server, &mut owner);

    let app = |pattern: &str| {
        json!({
            "app_id": project.id, "app_name": "fleet", "app_slug": "fleet",
            "allowed_topics": [{"pattern": pattern, "permission": "pubSub", "app_id": project.id}],
            "allowed_lobbies": [], "active_subscriptions": [], "hydration_webhook": null, "trigger_webhook": null,
            "topic_webhooks": {},
        })
    };
    let attributes = json!({
        "actor_token_id": scoped, "organization_id": project.org, "project_id": project.id, "project_name": "fleet",
        "actor_type": "device", "scope_id": scope, "scope_slug": "acme", "apps": [app("fleet/acme/+/+")],
        "max_connections": null, "max_message_size_bytes": null, "persistent_session": false,
        "session_expiry_seconds": 0, "auth_expires_at": null,
    });
    let expected = json!({"result": "allow", "is_superuser": false, "client_attrs": attributes});
    assert_eq!(validated(&mut broker, &token), expected);
    let mut standing = attributes;
    standing["valid"] = json!(true);
    assert_eq!(revalidated(&mut broker, &scoped), standing);

    let [token] = texts(&whole, ["accessToken"]);
    let found = validated(&mut broker, &token);
    let client = &found["client_attrs"];
    assert_eq!((&client["actor_type"], &client["apps"][0]), (&json!("observer"), &app("fleet/+/+")));
    assert_eq!(client["auth_expires_at"], 32_472_241_445_i64);
    assert!(client.as_object().unwrap().keys().all(|name| !name.starts_with("scope_")), "{client}");

    // A token of another kind is good, and no actor's.
    let [secret] = texts(&owner.create("of the organisation"), ["secret"]);
    assert!(owner.is_valid(&secret));
    for other in [&secret, "", "x", "nlp_00112233445566778899aabbccddeeff550c911c", owner.credential()] {
        assert_eq!(validated(&mut server.caller(broker.credential()), other), denied(), "{other}");
    }
    for (path, body) in [(VALIDATE, json!({})), (VALIDATE, json!({"accessToken": 1})), (REVALIDATE, json!({}))] {
        broker.post(path, &body).fails(400, "invalid request");
    }
    server.anyone().post(VALIDATE, &json!({"accessToken": token})).fails(401, "authentication required");
    let [lacking] = texts(&owner.create_with("lacking", &["actors:read"]), ["secret"]);
    server.caller(&lacking).post(VALIDATE, &json!({"accessToken": token})).fails(403, "insufficient scope");
}

fn a_connection_stays_as_long_as_its_actor_may_act(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let mut broker = broker(&server, &mut owner);
    let endings: [(&str, &str, Ending); 5] = [
        ("the actor is switched off", "token_suspended", |owner, project, actor, _| {
            owner.patch(&project.at(&format!("actors/{actor}")), &json!({"status": "disabled"})).expect(200);
        }),
        ("its access scope is switched off", "token_suspended", |owner, project, _, scope| {
            owner.patch(&project.at(&format!("scopes/{scope}")), &json!({"isActive": false})).expect(200);
        }),
        ("it is deleted", "token_not_found", |owner, project, actor, _| {
            owner.delete(&project.at(&format!("actors/{actor}"))).expect(204);
        }),
        ("its token is revoked", "token_not_found", |owner, _, actor, _| {
            let listed = owner.get(&format!("/v1/tokens?owner=actor:{actor}")).expect(200);
            let [token] = texts(&listed["tokens"][0], ["id"]);
            owner.delete(&format!("/v1/tokens/{token}")).expect(204);
        }),
        ("its project is deleted", "token_not_found", |owner, project, _, _| {
            owner.delete(&project.path).expect(204);
        }),
    ];
    for (what, error, end) in endings {
        let [actor, token] = texts(&project.actor(&mut owner, what, Some(&scope)), ["actorId", "accessToken"]);
        assert_eq!(revalidated(&mut broker, &actor)["valid"], true, "{what}");
        assert_eq!(validated(&mut broker, &token)["result"], "allow", "{what}");
        assert!(may_use(&mut broker, &actor, "fleet/acme/room/chat"), "{what}");
        end(&mut owner, &project, &actor, &scope);
        let expected = json!({"valid": false, "error": error, "disconnect_reason": error});
        assert_eq!(revalidated(&mut broker, &actor), expected, "{what}");
        assert_eq!(validated(&mut broker, &token), denied(), "{what}");
        assert!(!may_use(&mut broker, &actor, "fleet/acme/room/chat"), "{what}");
        if error == "token_suspended" {
            owner.patch(&project.at(&format!("scopes/{scope}")), &json!({"isActive": true})).expect(200);
        }
    }
    for unknown in ["", "x", "018f0000-0000-7000-8000-000000000001"] {
        assert_eq!(revalidated(&mut broker, unknown)["error"], "token_not_found", "{unknown}");
        assert!(!may_use(&mut broker, unknown, "fleet/acme/room/chat"), "{unknown}");
    }
}

fn topics_are_allowed_within_the_own_pattern(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    project.scope(&mut owner, "other");
    let [scoped] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["actorId"]);
    let [whole] = texts(&project.actor(&mut owner, "probe", None), ["actorId"]);
    let mut broker = broker(&server, &mut owner);
    for (pattern, by_scoped, by_whole) in [
        ("fleet/acme/room/chat", true, false),
        ("fleet/acme/+/chat", true, false),
        ("fleet/other/room/chat", false, false),
        ("fleet/+/room/chat", false, false),
        ("fleet/acme/#", false, false),
        ("fleet/room/chat", false, true),
        ("elsewhere/room/chat", false, false),
        ("#", false, false),
        ("", false, false),
    ] {
        let found = (may_use(&mut broker, &scoped, pattern), may_use(&mut broker, &whole, pattern));
        assert_eq!(found, (by_scoped, by_whole), "{pattern}");
    }
}

fn a_broker_reaches_what_its_own_token_reaches(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (project, elsewhere) = (Project::make(&mut owner, "fleet"), Project::make(&mut owner, "yard"));
    let facts = server.facts();
    let strangers = facts.add_organization("elsewhere");
    let person = facts.add_person("stranger@elsewhere.example");
    facts.join(strangers, &person, BuiltInRole::Owner);
    let mut stranger = server.signed_in("stranger@elsewhere.example");
    let foreign = Project::make(&mut stranger, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let mut everywhere = broker(&server, &mut owner);
    let mut bound = server.caller(&project.bound_token(&mut owner, &["authority:validate"]));
    let here = project.actor(&mut owner, "pump", Some(&scope));
    let there = elsewhere.actor(&mut owner, "crane", None);
    let theirs = foreign.actor(&mut stranger, "pump", None);
    for (actor, by_everywhere, by_bound) in [(&here, true, true), (&there, true, false), (&theirs, false, false)] {
        let [id, token] = texts(actor, ["actorId", "accessToken"]);
        for (broker, may) in [(&mut everywhere, by_everywhere), (&mut bound, by_bound)] {
            assert_eq!(validated(broker, &token)["result"] == "allow", may, "{actor}");
            assert_eq!(revalidated(broker, &id)["valid"] == true, may, "{actor}");
        }
    }
}

fn questions_may_arrive_pipelined(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let [actor, token] = texts(&project.actor(&mut owner, "probe", None), ["actorId", "accessToken"]);
    let broker = broker(&server, &mut owner);
    let questions = [
        (VALIDATE, json!({ "accessToken": token })),
        (REVALIDATE, json!({ "actorTokenId": actor })),
        (ACCESS, json!({"actorTokenId": actor, "pattern": "fleet/room/chat"})),
        (VALIDATE, json!({"accessToken": "x"})),
        (ACCESS, json!({"actorTokenId": actor, "pattern": "#"})),
    ];
    let bytes: Vec<u8> = questions
        .iter()
        .flat_map(|(path, body)| Request::new("POST", path).bearer(broker.credential()).json(body).bytes())
        .collect();
    let mut wire = Wire::open(server.address()).unwrap();
    wire.send(&bytes).unwrap();
    let decisions = questions.map(|_| {
        let answer = wire.answer(false).unwrap().expect(200);
        ["result", "valid", "allow"].into_iter().find_map(|name| answer.get(name).cloned()).unwrap()
    });
    assert_eq!(decisions, [json!("allow"), json!(true), json!(true), json!("deny"), json!(false)]);
}

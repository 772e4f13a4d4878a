//! Listing and ending sessions: by their owner, by expiry, by changes to the person.

use serde_json::json;
use token_domain::Span;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Server, both, texts};

both!(
    one_is_ended_and_the_others_go_on,
    the_current_one_is_ended,
    all_are_ended,
    nobody_ends_those_of_others,
    administrators_see_and_end_those_of_members,
    a_session_ends_at_its_hour,
    a_person_switched_off_is_out_at_once,
    a_removed_member_is_out_at_once,
);

fn one_is_ended_and_the_others_go_on(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut first, mut second) = (server.owner(), server.owner());
    let sessions = first.get("/v1/sessions").expect(200)["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        let keys: Vec<&str> = session.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "address",
                "agent",
                "created_at",
                "current",
                "expires_at",
                "id",
                "last_used_at",
                "org_id",
                "proven_at",
                "provider"
            ]
        );
    }
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    let [id] = texts(other, ["id"]);
    let answer = first.delete(&format!("/v1/sessions/{id}"));
    assert_eq!((answer.status, answer.text()), (204, ""));
    second.get("/v1/me").fails(401, "invalid token");
    first.get("/v1/me").expect(200);
    assert_eq!(first.get("/v1/sessions").expect(200)["sessions"].as_array().unwrap().len(), 1);
    first.delete(&format!("/v1/sessions/{id}")).fails(404, "not found");
    let events = server.facts().audit();
    assert_eq!(events.iter().filter(|e| e.action == "session.delete" && e.target_id == id).count(), 1);
}

fn the_current_one_is_ended(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut first, mut second) = (server.owner(), server.owner());
    first.delete("/v1/sessions/current").expect(204);
    for path in ["/v1/me", "/v1/sessions", "/v1/tokens"] {
        first.get(path).fails(401, "invalid token");
    }
    first.delete("/v1/sessions/current").fails(401, "invalid token");
    second.get("/v1/me").expect(200);
    // A token is not a session, so it cannot sign out.
    let [token] = texts(&second.create("a"), ["secret"]);
    server.caller(&token).delete("/v1/sessions/current").fails(403, "forbidden");
    assert!(second.is_valid(&token));
}

fn all_are_ended(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut all: Vec<_> = (0..4).map(|_| server.owner()).collect();
    let [token] = texts(&all[0].create("survives"), ["secret"]);
    all[0].delete("/v1/sessions").expect(204);
    for caller in &mut all {
        caller.get("/v1/me").fails(401, "invalid token");
    }
    assert!(server.anyone().is_valid(&token), "tokens of the organisation are not the person's");
    let facts = server.facts();
    assert!(facts.sessions(&facts.user(Server::OWNER)).is_empty());
    let events = facts.audit();
    let ended: Vec<_> = events.iter().filter(|event| event.action == "session.delete").collect();
    assert_eq!(ended.len(), 1, "one act, one event");
    assert_eq!(ended[0].target_id, facts.user(Server::OWNER).id.to_string());
    let detail: serde_json::Value = serde_json::from_str(&ended[0].detail).unwrap();
    assert_eq!((&detail["sessions_ended"], detail["sessions_ended_ids"].as_array().unwrap().len()), (&json!(4), 4));
    server.owner();
}

fn administrators_see_and_end_those_of_members(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let [organization] = texts(&server.owner().get("/v1/me").expect(200), ["org_id"]);
    let sessions =
        |user: &token_domain::record::User| format!("/v1/organizations/{organization}/members/{}/sessions", user.id);
    let member = facts.add_member("member@acme.example", BuiltInRole::Member);
    facts.add_member("admin@acme.example", BuiltInRole::Admin);
    let mut theirs = server.signed_in("member@acme.example");
    let [key] = texts(&theirs.post("/v1/me/keys", &json!({"name": "k"})).expect(201), ["secret"]);
    let mut admin = server.signed_in("admin@acme.example");

    let seen = admin.get(&sessions(&member)).expect(200)["sessions"].as_array().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert_eq!((&seen[0]["address"], &seen[0]["current"]), (&json!("127.0.0.1"), &json!(false)));
    assert!(seen[0]["last_used_at"].is_string() && seen[0].get("token").is_none());
    theirs.get(&sessions(&member)).fails(403, "insufficient scope");
    assert_eq!(theirs.delete(&sessions(&member)).status, 403);

    admin.delete(&sessions(&member)).expect(204);
    theirs.get("/v1/me").fails(401, "invalid token");
    assert!(admin.is_valid(&key), "keys go on");
    let events = facts.audit();
    let ended = events.iter().find(|event| event.action == "session.delete").unwrap();
    assert_eq!((ended.target_kind.as_str(), ended.target_id.as_str()), ("user", member.id.to_string().as_str()));
    // A caller may not act on a member with more rights; a person who is not a member is 404.
    let owner = facts.user(Server::OWNER);
    assert_eq!(admin.delete(&sessions(&owner)).status, 403);
    let stranger = facts.add_person("stranger@acme.example");
    admin.get(&sessions(&stranger)).fails(404, "not found");
    admin.delete(&sessions(&stranger)).fails(404, "not found");
}

fn nobody_ends_those_of_others(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    facts.add_member("admin@acme.example", BuiltInRole::Admin);
    let mut owner = server.owner();
    let mut admin = server.signed_in("admin@acme.example");
    let [id] = texts(&owner.get("/v1/sessions").expect(200)["sessions"][0], ["id"]);
    let foreign = admin.delete(&format!("/v1/sessions/{id}"));
    foreign.fails(404, "not found");
    let absent = admin.delete("/v1/sessions/018f0000-0000-7000-8000-000000000001");
    assert_eq!(foreign.bare(), absent.bare());
    assert_eq!(admin.delete("/v1/sessions/nonsense").bare(), absent.bare());
    assert_eq!(admin.get("/v1/sessions").expect(200)["sessions"].as_array().unwrap().len(), 1);
    admin.delete("/v1/sessions").expect(204);
    owner.get("/v1/me").expect(200);
}

/// Waits for an expiry: the shortest session lasts a minute, so the test moves its end in the database.
fn a_session_ends_at_its_hour(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    owner.get("/v1/me").expect(200);
    let facts = server.facts();
    let user = facts.user(Server::OWNER);
    let token = facts.add_session_ending(&user, 2);
    let ends = facts.sessions(&user).iter().map(|session| session.expires_at).min().unwrap();
    let mut caller = server.caller(&token);
    // Nodes follow the database's clock, and their time may be ahead of it by as long as their question took, never behind.
    let may_be_ahead = Span::seconds(u32::from(backend == Backend::PostgreSql));
    let mut good = 0;
    loop {
        let asked = crate::support::now();
        let answer = caller.get("/v1/me");
        let answered = crate::support::now();
        if answer.status == 200 {
            assert!(asked < ends, "good after its end");
            good += 1;
        } else {
            answer.fails(401, "invalid token");
            assert!(answered + may_be_ahead >= ends, "dead before its end");
            break;
        }
    }
    assert!(good > 10, "{good}");
    assert_eq!(owner.get("/v1/sessions").expect(200)["sessions"].as_array().unwrap().len(), 1);
}

fn a_person_switched_off_is_out_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let member = facts.add_member("member@acme.example", BuiltInRole::Member);
    let mut caller = server.signed_in("member@acme.example");
    caller.get("/v1/me").expect(200);
    facts.disable(&member);
    caller.get("/v1/me").fails(401, "invalid token");
    let again = json!({"email": "member@acme.example", "password": Server::PASSWORD});
    server.anyone().post("/v1/sessions", &again).fails(401, "invalid credentials");
}

fn a_removed_member_is_out_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let member = facts.add_member("member@acme.example", BuiltInRole::Admin);
    let mut caller = server.signed_in("member@acme.example");
    caller.create("made by an administrator");
    facts.remove(&member);
    caller.get("/v1/tokens").fails(401, "invalid token");
    facts.join(facts.organization(Server::ORGANIZATION).id, &member, BuiltInRole::Viewer);
    caller.get("/v1/tokens").fails(401, "invalid token");
    server.signed_in("member@acme.example").get("/v1/tokens").expect(200);
}

//! E-mail addresses: their effect before and after verification.

use serde_json::json;
use token_domain::person::BuiltInRole;
use token_domain::record::Verified;

use super::ground::{Org, accept};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    an_address_that_nobody_verified_gives_no_membership,
    an_account_that_took_an_address_first_gets_nothing_meant_for_its_owner,
    an_invitation_moves_an_address_that_was_asked_for,
    accepting_tells_nobody_which_addresses_have_accounts,
    a_front_end_names_nobody_by_an_address_that_nobody_verified,
);

const WANTED: &str = "cfo@corp.example";
const SERVICE_TOKEN: &str = "the-service-token-of-this-deployment";

/// Creates a second organisation of the owner, with a session in it.
fn beside(server: &Server, slug: &str) -> (crate::support::Client, Org) {
    let mut owner = server.owner();
    owner.post("/v1/organizations", &json!({ "slug": slug })).expect(201);
    let switched = owner.post("/v1/sessions/switch", &json!({ "organization": slug })).expect(201);
    let mut there = server.caller(&texts(&switched, ["token"])[0]);
    let org = Org::of(&mut there);
    (there, org)
}

fn an_address_that_nobody_verified_gives_no_membership(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let mut viewer = own.join(&server, &mut owner, "viewer@acme.example", "viewer");
    let (mut there, corp) = beside(&server, "corp");
    viewer.client.patch("/v1/me", &json!({"email": WANTED})).expect(200);
    let added = there.post(&corp.at("members"), &json!({"email": WANTED, "role": "admin"})).expect(201);
    assert_eq!(added["status"], "pending", "whoever has the address is invited");
    assert_eq!(there.get(&corp.at("members")).expect(200)["members"].as_array().unwrap().len(), 1);
    viewer.client.post("/v1/sessions/switch", &json!({"organization": "corp"})).fails(404, "not found");
    // The owner of the address can still register it.
    let accepted = accept(&server, added["code"].as_str().unwrap()).expect(201);
    assert_eq!(accepted["new_account"], true);
    assert_eq!(viewer.client.get("/v1/me").expect(200)["email"], "viewer@acme.example");
}

fn an_account_that_took_an_address_first_gets_nothing_meant_for_its_owner(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    // An attacker creates an organisation, invites the address there and accepts the invitation. The owner of another
    // organisation is in both.
    let mut mallory = own.join(&server, &mut owner, "mallory@acme.example", "admin");
    mallory.client.post("/v1/organizations", &json!({"slug": "trap"})).expect(201);
    let switched = mallory.client.post("/v1/sessions/switch", &json!({"organization": "trap"})).expect(201);
    let mut there = server.caller(&texts(&switched, ["token"])[0]);
    let trap = Org::of(&mut there);
    let code = trap.invite(&mut there, WANTED, "admin");
    accept(&server, &code).expect(201);
    let [me] = texts(&owner.get("/v1/me").expect(200), ["user_id"]);
    there.post(&trap.at("members"), &json!({"user_id": me, "role": "viewer"})).expect(201);

    let added = owner.post(&own.at("members"), &json!({"email": WANTED, "role": "admin"})).expect(201);
    assert_eq!(added["status"], "pending", "what the other organisation says of the address counts there alone");
    // An operator's verification counts in all organisations.
    server.facts().verify(WANTED);
    owner.delete(&own.at(&format!("invitations/{}", texts(&added, ["id"])[0]))).expect(204);
    let added = owner.post(&own.at("members"), &json!({"email": WANTED, "role": "viewer"})).expect(201);
    assert_eq!(added["status"], "active");
}

fn an_invitation_moves_an_address_that_was_asked_for(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let mut person = own.join(&server, &mut owner, "old@acme.example", "viewer");
    let (mut there, corp) = beside(&server, "corp");
    let code = corp.invite(&mut there, WANTED, "member");
    let asked = json!({ "code": code });
    person.client.post("/v1/invitations/accept", &asked).fails(403, "forbidden");
    person.client.patch("/v1/me", &json!({"email": "CFO@corp.example"})).expect(200);
    let accepted = person.client.post("/v1/invitations/accept", &asked).expect(201);
    assert_eq!((&accepted["user_id"], &accepted["new_account"]), (&json!(person.id), &json!(false)));
    let me = person.client.get("/v1/me").expect(200);
    assert_eq!((&me["email"], &me["pending_email"]), (&json!(WANTED), &json!(null)));
    server.signed_in(WANTED);
    let old = json!({"email": "old@acme.example", "password": Server::PASSWORD});
    server.anyone().post("/v1/sessions", &old).fails(401, "invalid credentials");
    // The organisation's verification counts in that organisation only.
    let user = server.facts().user(WANTED);
    assert_eq!(user.verified.and_then(|verified| verified.by), Some(server.facts().organization("corp").id));
    let events = server.facts().audit_of("corp");
    let moved = events.iter().find(|event| event.action == "user.email.change").unwrap();
    assert!(moved.detail.contains("old_account") && moved.detail.contains("new_account"), "{}", moved.detail);
    assert!(!moved.detail.contains('@'), "{}", moved.detail);
}

fn accepting_tells_nobody_which_addresses_have_accounts(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let known = facts.add_person("known@elsewhere.example");
    facts.join(facts.add_organization("elsewhere"), &known, BuiltInRole::Owner);
    let mut owner = server.owner();
    let own = Org::of(&mut owner);
    let codes = ["known@elsewhere.example", "nobody@elsewhere.example"].map(|to| own.invite(&mut owner, to, "viewer"));
    let member = own.join(&server, &mut owner, "member@acme.example", "viewer");
    let mut callers = [server.anyone(), member.client];
    for body in [
        json!({}),
        json!({"password": "short"}),
        json!({"password": "elevenchars"}),
        json!({"password": "aaaaaaaaaaaaaaaa"}),
        json!({"password": "x".repeat(1_025)}),
        json!({"name": "", "password": Server::PASSWORD}),
        json!({"password": 1}),
    ] {
        for caller in &mut callers {
            let answers = codes.each_ref().map(|code| {
                let mut asked = body.clone();
                asked["code"] = json!(code);
                caller.post("/v1/invitations/accept", &asked)
            });
            assert!(answers[0].status >= 400, "{body}: {}", answers[0].text());
            assert_eq!(answers[0].bare(), answers[1].bare(), "{body}");
        }
    }
}

fn a_front_end_names_nobody_by_an_address_that_nobody_verified(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
    let facts = server.facts();
    let user = facts.add_member("person@acme.example", BuiltInRole::Admin);
    let mut front_end = server.caller(SERVICE_TOKEN);
    let by_email = json!({"email": "person@acme.example", "organization": Server::ORGANIZATION});
    let by_id = json!({"user_id": user.id.to_string(), "organization": Server::ORGANIZATION});
    let now = crate::support::now();
    let here = facts.organization(Server::ORGANIZATION).id;
    // Another organisation's verification does not count here, because its administrators may invite any address.
    let elsewhere = facts.add_organization("elsewhere");
    let by = |by| Some(Verified { at: now, by });
    for (verified, expected) in [(None, 404), (by(Some(elsewhere)), 404), (by(Some(here)), 201), (by(None), 201)] {
        facts.set_verified("person@acme.example", verified);
        assert_eq!(front_end.post("/v1/sessions/create", &by_email).status, expected, "{verified:?}");
        front_end.post("/v1/sessions/create", &by_id).expect(201);
    }
}

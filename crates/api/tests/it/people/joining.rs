//! Accepting an invitation: who may, with which proof, and only once.

use serde_json::{Value, json};

use super::ground::{Org, accept, has_exactly};
use crate::support::{Backend, Client, Options, Server, both};

both!(
    somebody_new_gets_an_account,
    an_account_speaks_for_itself,
    invalid_invitations_all_get_the_same_answer,
    a_code_counts_once_however_many_try,
    guesses_count_wherever_they_are_made,
);

fn try_accept(client: &mut Client, body: &Value) -> crate::support::Answer {
    client.post("/v1/invitations/accept", body)
}

fn somebody_new_gets_an_account(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let code = org.invite(&mut owner, "Ada@Example.org", "member");
    let mut anyone = server.anyone();
    let refused = try_accept(&mut anyone, &json!({ "code": code })).fails(400, "invalid request");
    assert_eq!(refused["field"], "password");
    for short in ["", "short", "elevenchars"] {
        let refused = try_accept(&mut anyone, &json!({"code": code, "password": short})).fails(400, "invalid request");
        assert_eq!(refused["field"], "password");
    }
    for bad in ["", "a\nb", &"x".repeat(101)] {
        let body = json!({"code": code, "name": bad, "password": Server::PASSWORD});
        assert_eq!(try_accept(&mut anyone, &body).fails(400, "invalid request")["field"], "name");
    }
    let body = json!({"code": code, "name": "Ada", "password": "a password of her own"});
    let accepted = try_accept(&mut anyone, &body).expect(201);
    has_exactly(&accepted, &["user_id", "org_id", "role", "new_account"]);
    assert_eq!(
        (&accepted["org_id"], &accepted["role"], &accepted["new_account"]),
        (&json!(org.id), &json!("member"), &json!(true))
    );
    let session = anyone
        .post("/v1/sessions", &json!({"email": "ada@example.org", "password": "a password of her own"}))
        .expect(201);
    let me = server.caller(session["token"].as_str().unwrap()).get("/v1/me").expect(200);
    assert_eq!((&me["name"], &me["email"], &me["role"]), (&json!("Ada"), &json!("Ada@Example.org"), &json!("member")));
    assert_eq!(me["user_id"], accepted["user_id"]);
}

fn an_account_speaks_for_itself(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    for name in ["ada", "bob", "eve"] {
        let person = facts.add_person(&format!("{name}@elsewhere.example"));
        facts.join(elsewhere, &person, token_domain::person::BuiltInRole::Viewer);
    }
    let code = org.invite(&mut owner, "ada@elsewhere.example", "viewer");
    let mut anyone = server.anyone();
    // The inviter knows the code too, so it must not be enough to sign in to an existing account.
    let refused = try_accept(&mut anyone, &json!({ "code": code })).fails(400, "invalid request");
    assert_eq!(refused["field"], "password");
    let taken_over = json!({"code": code, "name": "Mine now", "password": "a password somebody else chose"});
    try_accept(&mut anyone, &taken_over).fails(401, "invalid credentials");
    try_accept(&mut owner, &json!({"code": code, "password": Server::PASSWORD})).fails(403, "forbidden");
    let mut eve = server.signed_in("eve@elsewhere.example");
    try_accept(&mut eve, &json!({ "code": code })).fails(403, "forbidden");
    try_accept(&mut server.caller("nls_nonsense"), &json!({ "code": code })).fails(401, "invalid token");

    let accepted =
        try_accept(&mut anyone, &json!({"code": code, "name": "Ignored", "password": Server::PASSWORD})).expect(201);
    assert_eq!(accepted["new_account"], false);
    let me = server.signed_in("ada@elsewhere.example").get("/v1/me").expect(200);
    assert_eq!((&me["user_id"], &me["name"]), (&accepted["user_id"], &json!("ada@elsewhere.example")), "as it was");
    // A session proves the account too; a token does not.
    let code = org.invite(&mut owner, "bob@elsewhere.example", "viewer");
    let mut bob = server.signed_in("bob@elsewhere.example");
    let [token] = crate::support::texts(&owner.create_with("all", &["admin"]), ["secret"]);
    try_accept(&mut server.caller(&token), &json!({ "code": code })).fails(403, "forbidden");
    try_accept(&mut bob, &json!({ "code": code })).expect(201);
    assert_eq!(bob.get("/v1/organizations").expect(200)["organizations"].as_array().unwrap().len(), 2);
    try_accept(&mut bob, &json!({ "code": code })).fails(401, "invalid invitation");
}

fn invalid_invitations_all_get_the_same_answer(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let used = org.invite(&mut owner, "used@acme.example", "viewer");
    accept(&server, &used).expect(201);
    let made = owner.post(&org.at("invitations"), &json!({"email": "gone@acme.example", "role": "viewer"})).expect(201);
    owner.delete(&org.at(&format!("invitations/{}", made["id"].as_str().unwrap()))).expect(204);
    let withdrawn = made["code"].as_str().unwrap().to_owned();
    let unknown = format!("nli_{}", "0".repeat(64));
    let model = accept(&server, &unknown);
    model.fails(401, "invalid invitation");
    assert!(model.header("www-authenticate").is_some());
    let session = owner.credential().to_owned();
    for code in ["", "x", "nli_", &unknown.to_uppercase(), &session, &used, &withdrawn, &used[..67]] {
        assert_eq!(accept(&server, code).bare(), model.bare(), "{code}");
    }
    // The rest of the request makes no difference.
    for body in [json!({ "code": used }), json!({"code": used, "name": "Ada", "password": "short"})] {
        assert_eq!(server.anyone().post("/v1/invitations/accept", &body).bare(), model.bare());
    }
}

fn a_code_counts_once_however_many_try(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    for round in 0..5 {
        let email = format!("guest{round}@acme.example");
        let code = org.invite(&mut owner, &email, "viewer");
        let barrier = std::sync::Barrier::new(6);
        let mut statuses: Vec<u16> = std::thread::scope(|threads| {
            let all: Vec<_> = (0..6)
                .map(|_| {
                    let (mut client, barrier) = (server.anyone(), &barrier);
                    let body = json!({"code": code, "password": Server::PASSWORD});
                    threads.spawn(move || {
                        barrier.wait();
                        try_accept(&mut client, &body).status
                    })
                })
                .collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        // A later request finds the account and is asked for its password, which is the one chosen first.
        assert_eq!(statuses[0], 201, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| matches!(status, 401 | 409 | 429)), "{statuses:?}");
        server.signed_in(&email);
    }
    assert_eq!(owner.get(&org.at("members")).expect(200)["members"].as_array().unwrap().len(), 6);
}

fn guesses_count_wherever_they_are_made(backend: Backend) {
    let server = Server::start(backend, Options::default().with("rate_limit.sign_in_attempts", 4));
    let mut owner = server.owner();
    let facts = server.facts();
    let person = facts.add_person("ada@elsewhere.example");
    facts.join(facts.add_organization("elsewhere"), &person, token_domain::person::BuiltInRole::Viewer);
    let org = Org::of(&mut owner);
    let code = org.invite(&mut owner, "ada@elsewhere.example", "viewer");
    let mut anyone = server.anyone();
    let guess = json!({"code": code, "password": "a guess of a password"});
    let sign_in = json!({"email": "ada@elsewhere.example", "password": "a guess of a password"});
    let mut ask = |n: usize| {
        if n.is_multiple_of(2) { try_accept(&mut anyone, &guess) } else { anyone.post("/v1/sessions", &sign_in) }
    };
    for n in 0..4 {
        ask(n).fails(401, "invalid credentials");
    }
    // From here on attempts on either route are rate-limited; on a slow machine one or two waits have ended already.
    let refused: Vec<_> = (0..12).map(|n| (n % 2, ask(n))).filter(|(_, answer)| answer.status == 429).collect();
    assert!(refused.iter().any(|(way, _)| *way == 0) && refused.iter().any(|(way, _)| *way == 1), "{refused:?}");
    let (_, refused) = &refused[0];
    refused.fails(429, "too many requests");
    assert!(refused.header("retry-after").is_some());
}

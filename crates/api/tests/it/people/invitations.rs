//! Invitations: made, listed, withdrawn.

use serde_json::{Value, json};

use super::ground::{Org, accept, column, has_exactly, last_actions};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    an_invitation_is_made_listed_and_withdrawn,
    an_invitation_lasts_as_long_as_its_maker_could_make_it,
    a_code_is_shown_once_and_kept_nowhere,
);

fn an_invitation_is_made_listed_and_withdrawn(backend: Backend) {
    let server = Server::start(backend, Options::default().with("people.invitation_ttl_seconds", 3_600));
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let role = org.role(&mut owner, "Auditors", &["audit:read"]);
    let asked = json!({"email": " Ada@Example.org ", "role": role, "code": "nli_chosen"});
    let made = owner.post(&org.at("invitations"), &asked).expect(201);
    let shown = ["id", "email", "role", "role_id", "status", "created_by", "created_at", "expires_at"];
    has_exactly(&made, &[&shown[..], &["code"][..]].concat());
    assert_eq!(
        (&made["email"], &made["role"], &made["role_id"]),
        (&json!("Ada@Example.org"), &json!("Auditors"), &json!(role))
    );
    let [me] = texts(&owner.get("/v1/me").expect(200), ["user_id"]);
    assert_eq!((&made["status"], &made["created_by"]), (&json!("pending"), &json!(format!("user:{me}"))));
    assert!(made["expires_at"].as_str().unwrap() <= crate::support::later(3_601).as_str());
    let code = made["code"].as_str().unwrap();
    let digits = code.strip_prefix("nli_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));

    let [second] = texts(
        &owner.post(&org.at("members"), &json!({"email": "bob@example.org", "role": "viewer"})).expect(201),
        ["id"],
    );
    let all = owner.get(&org.at("invitations")).expect(200);
    assert_eq!(
        (column(&all["invitations"], "email"), &all["next_cursor"]),
        (vec![json!("bob@example.org"), json!("Ada@Example.org")], &json!(null))
    );
    has_exactly(&all["invitations"][1], &shown);
    let first = owner.get(&org.at("invitations?limit=1")).expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = owner.get(&org.at(&format!("invitations?limit=1&cursor={cursor}"))).expect(200);
    assert_eq!((&rest["invitations"][0], &rest["next_cursor"]), (&all["invitations"][1], &json!(null)));

    let again = json!({"email": "ADA@example.org", "role": "viewer"});
    for rest in ["members", "invitations"] {
        assert_eq!(owner.post(&org.at(rest), &again).fails(409, "already invited")["id"], made["id"]);
    }
    let path = org.at(&format!("invitations/{}", made["id"].as_str().unwrap()));
    owner.delete(&path).expect(204);
    owner.delete(&path).fails(404, "not found");
    accept(&server, code).fails(401, "invalid invitation");
    let fresh = org.invite(&mut owner, "ada@example.org", "viewer");
    assert_ne!(fresh, code);
    accept(&server, &fresh).expect(201);
    for rest in ["members", "invitations"] {
        owner.post(&org.at(rest), &again).fails(409, "already a member");
    }
    assert_eq!(column(&owner.get(&org.at("invitations")).expect(200)["invitations"], "id"), [second]);
    let expected = [
        "invitation.create",
        "invitation.create",
        "invitation.delete",
        "invitation.create",
        "invitation.accept",
        "member.add",
    ];
    assert_eq!(last_actions(&server, 6), expected);
    let told = server.facts().audit().into_iter().any(|event| event.detail.to_lowercase().contains("ada@"));
    assert!(!told, "addresses stay out of what cannot be forgotten");
}

fn an_invitation_lasts_as_long_as_its_maker_could_make_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let managers = org.role(&mut owner, "Managers", &["org.memberships:manage", "user"]);
    let guests = org.role(&mut owner, "Guests", &["user"]);
    let mut person = org.join(&server, &mut owner, "person@acme.example", &managers);
    let [token] = texts(&owner.create_with("inviter", &["org.memberships:manage"]), ["secret"]);
    let path = person.path.clone();
    // A change to the inviter that invalidates the invitation, and the change that restores it.
    let happenings: [(Value, Value); 3] = [
        (json!({"status": "disabled"}), json!({"status": "active"})),
        (json!({"role": guests}), json!({"role": managers})),
        (json!({"role": "viewer"}), json!({"role": managers})),
    ];
    for (n, (before, after)) in happenings.into_iter().enumerate() {
        if person.client.get("/v1/me").status == 401 {
            person.client = server.signed_in("person@acme.example");
        }
        let code = org.invite(&mut person.client, &format!("guest{n}@acme.example"), &guests);
        owner.patch(&path, &before).expect(200);
        accept(&server, &code).fails(401, "invalid invitation");
        owner.patch(&path, &after).expect(200);
        assert_eq!(accept(&server, &code).expect(201)["role"], "Guests", "{before}");
    }
    // The inviter may not give a role that meanwhile has more scopes than their own.
    person.client = server.signed_in("person@acme.example");
    let code = org.invite(&mut person.client, "grown@acme.example", &guests);
    owner.patch(&org.at(&format!("roles/{guests}")), &json!({"scopes": ["user", "execute"]})).expect(200);
    accept(&server, &code).fails(401, "invalid invitation");
    owner.patch(&org.at(&format!("roles/{guests}")), &json!({"scopes": ["user"]})).expect(200);
    // An invitation by a token of the organisation does not depend on a person.
    let managed = org.role(&mut owner, "Managed", &["org.memberships:manage"]);
    let code = org.invite(&mut server.caller(&token), "token@acme.example", &managed);
    owner.delete(&path).expect(204);
    accept(&server, &code).expect(201);
    // A person who is removed and joins again has a new membership: their earlier invitations stay invalid.
    let mut again = org.join(&server, &mut owner, "again@acme.example", &managers);
    let code = org.invite(&mut again.client, "waiting@acme.example", &managed);
    owner.delete(&again.path).expect(204);
    let back = org.invite(&mut owner, "again@acme.example", &managers);
    accept(&server, &back).expect(201);
    accept(&server, &code).fails(401, "invalid invitation");
}

fn a_code_is_shown_once_and_kept_nowhere(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("log.filter", "trace"));
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let codes: Vec<String> =
        (0..3).map(|n| org.invite(&mut owner, &format!("guest{n}@acme.example"), "viewer")).collect();
    accept(&server, &codes[0]).expect(201);
    accept(&server, &codes[0]).fails(401, "invalid invitation");
    // Sent in other fields, the code is not repeated in answers.
    for answer in [
        server.caller(&codes[1]).get("/v1/me"),
        server.anyone().get(&format!("/v1/organizations/{}", codes[1])),
        server.anyone().post("/v1/invitations/accept", &json!({"code": codes[1], "password": 7})),
        owner.post(&org.at("roles"), &json!({"name": codes[1], "scopes": [codes[2]]})),
    ] {
        assert!(answer.status >= 400);
        assert!(codes.iter().all(|code| !answer.text().contains(code.as_str())), "{answer:?}");
    }
    let listed = owner.get(&org.at("invitations"));
    assert!(!listed.text().contains("nli_"), "{listed:?}");
    server.stop();
    let log = server.log();
    assert!(codes.iter().all(|code| !log.contains(code.as_str())), "in the log");
    let kept = server.database.dump();
    assert!(!codes.iter().any(|code| contains(&kept, code.as_bytes())), "in the database");
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

//! What people are told by mail, and what a mailed code is good for.

use serde_json::json;

use super::sending::invite;
use crate::support::{Backend, MailServer, Options, Request, Server, both, enrol, texts};

both!(a_mailed_code_verifies_the_address_for_everybody, people_are_told_what_happened_to_their_account);

fn a_mailed_code_verifies_the_address_for_everybody(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    let by_hand = invite(&mut owner, "hand@corp.example");
    invite(&mut owner, "mail@corp.example");
    let by_mail = mail.wait_for(2).iter().find(|mail| mail.to == "mail@corp.example").unwrap().code("nli_");
    for code in [by_hand, by_mail] {
        let accept = json!({"code": code, "password": Server::PASSWORD});
        server.anyone().post("/v1/invitations/accept", &accept).expect(201);
    }
    owner.post("/v1/organizations", &json!({"slug": "corp"})).expect(201);
    let [there] = texts(&owner.post("/v1/sessions/switch", &json!({"organization": "corp"})).expect(201), ["token"]);
    let mut there = server.caller(&there);
    let [corp] = texts(&there.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{corp}/members");
    for (email, status) in [("hand@corp.example", "pending"), ("mail@corp.example", "active")] {
        let added = there.post(&path, &json!({"email": email, "role": "viewer"})).expect(201);
        assert_eq!(
            added["status"], status,
            "{email}: the inviting organisation alone had the code that was handed over"
        );
    }
}

fn people_are_told_what_happened_to_their_account(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    let sign_in = json!({"email": Server::OWNER, "password": Server::PASSWORD});
    let elsewhere = Request::new("POST", "/v1/sessions").header("User-Agent", "Else/1.0").json(&sign_in);
    server.anyone().ask(elsewhere).expect(201);
    let told = mail.wait_for_mail(Server::OWNER, "Sign-in from a new device");
    assert!(told.text().contains("Client: “Else/1.0”\n"), "{}", told.text());
    server.signed_in(Server::OWNER);
    let new = "another password of this test";
    owner.post("/v1/me/password", &json!({"current_password": Server::PASSWORD, "new_password": new})).expect(204);
    let told = mail.wait_for_mail(Server::OWNER, "Your password was changed");
    assert!(told.text().contains("From: 127.0.0.1\n"), "{}", told.text());
    enrol(&mut owner);
    mail.wait_for_mail(Server::OWNER, "A second factor was added to your account");
    let reset = server.command(&["person", "reset-second-factor", "--email", Server::OWNER], "");
    reset.succeeds();
    mail.wait_for_mail(Server::OWNER, "The second factor of your account was removed");
    let moved = server.command(&["person", "set-email", "--email", Server::OWNER, "--to", "new@acme.example"], "");
    moved.succeeds();
    let told = mail.wait_for_mail(Server::OWNER, "Your account has another address");
    assert!(!told.text().contains("new@acme.example"), "whoever reads the old mailbox learns nothing: {}", told.text());
    let subjects: Vec<String> =
        mail.taken().iter().filter_map(|mail| mail.header("Subject").map(str::to_owned)).collect();
    assert_eq!(subjects.len(), 5, "of the first device and of known ones nothing is said: {subjects:?}");
    for mail in mail.taken() {
        assert!(!mail.text().contains(new) && !mail.text().contains("nls_"), "{}", mail.text());
    }
}

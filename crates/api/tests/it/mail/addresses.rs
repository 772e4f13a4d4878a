//! Another e-mail address, from the request to the code.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, MailServer, Options, Server, both};

both!(
    a_mailed_code_gives_the_address_and_the_old_one_is_told,
    a_code_is_no_way_to_the_account_of_somebody_else,
    an_own_address_that_nobody_verified_is_verified_by_a_code,
);

const WANTED: &str = "ada@corp.example";
const VERIFY: &str = "Verify your e-mail address";

fn a_mailed_code_gives_the_address_and_the_old_one_is_told(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    owner.patch("/v1/me", &json!({"email": WANTED})).expect(200);
    let message = mail.wait_for_mail(WANTED, VERIFY);
    let code = message.code("nle_");
    assert!(message.text().contains(&format!("http://localhost/settings/email#{code}\n")), "{}", message.text());
    assert!(!message.text().contains(Server::OWNER), "a stranger's mailbox learns of no account: {}", message.text());
    assert_eq!(owner.get("/v1/me").expect(200)["email"], Server::OWNER, "not before it is verified");
    let made = owner.post("/v1/me/keys", &json!({"name": "laptop", "scopes": ["user:write"]})).expect(201);
    let mut key = server.caller(made["secret"].as_str().unwrap());
    key.post("/v1/me/email", &json!({"code": code})).fails(403, "session needed");
    let me = owner.post("/v1/me/email", &json!({"code": code})).expect(200);
    assert_eq!(
        (&me["email"], &me["pending_email"], &me["email_verified"]),
        (&json!(WANTED), &json!(null), &json!(true))
    );
    mail.wait_for_mail(Server::OWNER, "Your account has another address");
    server.signed_in(WANTED);
    owner.post("/v1/me/email", &json!({"code": code})).fails(403, "invalid address code");
    let events = owner.get("/v1/audit?action=user.email.change").expect(200);
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    assert!(!events.to_string().contains("corp.example"), "{events}");
    let denied = owner.get("/v1/audit?action=user.confirm.denied").expect(200);
    assert_eq!(denied["events"][0]["detail"]["wrong"], "address_code");
    assert!(!server.log().contains("nle_"), "no code in the log");
}

fn a_code_is_no_way_to_the_account_of_somebody_else(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    server.facts().add_member("taken@corp.example", BuiltInRole::Viewer);
    server.facts().add_member("member@acme.example", BuiltInRole::Member);
    let (mut owner, mut member) = (server.owner(), server.signed_in("member@acme.example"));
    owner.patch("/v1/me", &json!({"email": WANTED})).expect(200);
    let code = mail.wait_for_mail(WANTED, VERIFY).code("nle_");
    member.post("/v1/me/email", &json!({"code": code})).fails(403, "invalid address code");
    member.patch("/v1/me", &json!({"email": WANTED})).expect(200);
    member.post("/v1/me/email", &json!({"code": code})).fails(403, "invalid address code");
    owner.post("/v1/me/email", &json!({"code": code})).expect(200);
    // Only the person who reads the mailbox learns that the address has an account.
    let unknown = member.patch("/v1/me", &json!({"email": "free@corp.example"})).expect(200);
    let known = member.patch("/v1/me", &json!({"email": "taken@corp.example"})).expect(200);
    assert_eq!(unknown["pending_email"], "free@corp.example");
    assert_eq!(known["pending_email"], "taken@corp.example");
    let code = mail.wait_for_mail("taken@corp.example", VERIFY).code("nle_");
    member.post("/v1/me/email", &json!({"code": code})).fails(409, "address taken");
    assert_eq!(member.get("/v1/me").expect(200)["email"], "member@acme.example");
    // A session that was not proven lately.
    owner.patch("/v1/me", &json!({"email": "third@corp.example"})).expect(200);
    let code = mail.wait_for_mail("third@corp.example", VERIFY).code("nle_");
    let facts = server.facts();
    facts.age_proofs(&facts.user(WANTED));
    owner.post("/v1/me/email", &json!({"code": code})).fails(403, "recent proof needed");
}

fn an_own_address_that_nobody_verified_is_verified_by_a_code(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    server.facts().add_member("member@acme.example", BuiltInRole::Member);
    server.facts().set_verified("member@acme.example", None);
    let mut member = server.signed_in("member@acme.example");
    assert_eq!(member.get("/v1/me").expect(200)["email_verified"], false);
    let me = member.patch("/v1/me", &json!({"email": "Member@acme.example"})).expect(200);
    assert_eq!((&me["email"], &me["pending_email"]), (&json!("Member@acme.example"), &json!(null)));
    let code = mail.wait_for_mail("Member@acme.example", VERIFY).code("nle_");
    assert_eq!(member.post("/v1/me/email", &json!({"code": code})).expect(200)["email_verified"], true);
    // There is nothing left to verify.
    member.patch("/v1/me", &json!({"email": "member@acme.example"})).expect(200);
    member.patch("/v1/me", &json!({"email": WANTED})).expect(200);
    mail.wait_for_mail(WANTED, VERIFY);
    assert_eq!(mail.taken().len(), 2);
}

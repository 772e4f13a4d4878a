//! A forgotten password, from the request to the next sign-in.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, MailServer, Options, Server, both};

both!(a_mailed_code_sets_a_new_password_and_ends_all_sessions, the_answer_to_a_request_is_the_same_for_every_address,);

const NEW: &str = "an unlikely string of words 7";
const SUBJECT: &str = "Choose a new password";

fn a_mailed_code_sets_a_new_password_and_ends_all_sessions(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    let key = owner.post("/v1/me/keys", &json!({"name": "laptop", "scopes": ["user:read"]})).expect(201);
    server.anyone().post("/v1/password-resets", &json!({"email": Server::OWNER})).expect(202);
    let message = mail.wait_for_mail(Server::OWNER, SUBJECT);
    let code = message.code("nlr_");
    assert!(message.text().contains(&format!("http://localhost/password-reset#{code}\n")), "{}", message.text());
    let confirm = json!({"code": code, "new_password": NEW});
    let weak = json!({"code": code, "new_password": "correct horse battery staple".repeat(2)});
    server.anyone().post("/v1/password-resets/confirm", &weak).fails(400, "invalid request");
    server.anyone().post("/v1/password-resets/confirm", &confirm).expect(204);
    owner.get("/v1/me").fails(401, "invalid token");
    server.caller(key["secret"].as_str().unwrap()).get("/v1/me").expect(200);
    server.anyone().post("/v1/password-resets/confirm", &confirm).fails(401, "invalid reset code");
    let sign_in = |password: &str| json!({"email": Server::OWNER, "password": password});
    server.anyone().post("/v1/sessions", &sign_in(Server::PASSWORD)).fails(401, "invalid credentials");
    let made = server.anyone().post("/v1/sessions", &sign_in(NEW)).expect(201);
    mail.wait_for_mail(Server::OWNER, "Your password was changed");
    let mut owner = server.caller(made["token"].as_str().unwrap());
    let events = owner.get("/v1/audit?action=user.password.reset").expect(200);
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
    assert!(!server.log().contains("nlr_"), "no code in the log");
}

fn the_answer_to_a_request_is_the_same_for_every_address(backend: Backend) {
    let mail = MailServer::plain();
    let server = Server::start(backend, mail.options(Options::default()));
    server.facts().add_member("unverified@acme.example", BuiltInRole::Viewer);
    server.facts().set_verified("unverified@acme.example", None);
    let told: Vec<_> = ["nobody@acme.example", "unverified@acme.example", Server::OWNER]
        .iter()
        .map(|email| {
            let answer = server.anyone().post("/v1/password-resets", &json!({"email": email}));
            let names = ["content-type", "content-length", "cache-control", "retry-after"];
            (answer.status, answer.text().to_owned(), names.map(|name| answer.header(name).map(str::to_owned)))
        })
        .collect();
    assert!(told.iter().all(|answer| *answer == told[0] && answer.0 == 202), "{told:?}");
    mail.wait_for_mail(Server::OWNER, SUBJECT);
    assert_eq!(mail.taken().len(), 1, "the others were due before");
    // A network that asks for many has to wait.
    let refused = (0..40).find_map(|number| {
        let email = format!("nobody{number}@acme.example");
        let answer = server.anyone().post("/v1/password-resets", &json!({"email": email}));
        (answer.status != 202).then_some(answer)
    });
    let refused = refused.expect("a limit");
    assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{}", refused.text());
}

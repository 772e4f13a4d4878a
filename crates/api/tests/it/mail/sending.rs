//! Whether mail arrives, once, whatever the mail server does meanwhile; and that nothing waits for it.

use serde_json::{Value, json};

use crate::support::{Backend, Client, MailServer, Options, Server, Turn, both, eventually, texts};

both!(
    mail_goes_out_by_tls_to_a_server_that_was_signed_in_to,
    what_the_server_does_not_take_now_is_sent_later_and_what_it_took_is_not_sent_again,
    what_the_server_never_takes_is_dropped_and_recorded,
    without_a_mail_server_nothing_waits,
);

/// Invites an address to the caller's organisation; returns the code of the answer.
#[track_caller]
pub(super) fn invite(owner: &mut Client, email: &str) -> String {
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{organization}/invitations");
    let [code] = texts(&owner.post(&path, &json!({"email": email, "role": "viewer"})).expect(201), ["code"]);
    code
}

fn mail_goes_out_by_tls_to_a_server_that_was_signed_in_to(backend: Backend) {
    let mail = MailServer::encrypted();
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let name = "Ångström \"& Söhne\" <evil@corp.example>, 日本";
    owner.patch(&format!("/v1/organizations/{organization}"), &json!({ "name": name })).expect(200);
    invite(&mut owner, "guest@corp.example");
    let taken = mail.wait_for(1);
    let got = &taken[0];
    assert!(got.encrypted && got.user.as_deref() == Some(MailServer::USER), "{got:?}");
    assert_eq!((got.from.as_str(), got.to.as_str()), (MailServer::FROM, "guest@corp.example"));
    assert!(got.data.is_ascii(), "encoded, so that every server on the way takes it: {}", got.data);
    assert_eq!(got.header("To"), Some("guest@corp.example"));
    assert_eq!(got.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(got.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert!(got.header("Message-ID").is_some_and(|id| id.ends_with("@acme.example>")), "{}", got.data);
    assert!(got.header("Subject").unwrap().starts_with("=?utf-8?b?") || got.data.contains("=?utf-8?"), "{}", got.data);
    assert!(got.text().contains(&format!("“{}”", name.replace('"', "'"))), "{}", got.text());
    assert!(got.text().contains("http://localhost/invitation#nli_"), "{}", got.text());
    eventually("the message is counted", || {
        let metrics = server.metrics();
        (metrics.get("nolapse_mail_total{outcome=\"sent\"}") == 1).then_some(())
    });
    assert!(!server.log().contains("nli_"), "no code in the log");
}

fn what_the_server_does_not_take_now_is_sent_later_and_what_it_took_is_not_sent_again(backend: Backend) {
    let mail = MailServer::plain();
    mail.then([Turn::Say(451), Turn::TakeAndVanish]);
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    let answered = invite(&mut owner, "guest@corp.example");
    let first = mail.wait_for(1);
    assert_eq!(mail.connections(), 2, "the first was told to come again");
    let mailed = first[0].code("nli_");
    assert_ne!(mailed, answered, "a code of its own");
    // A later message goes out after the one that the server took without a farewell was settled.
    invite(&mut owner, "other@corp.example");
    let both = mail.wait_for(2);
    let to: Vec<&str> = both.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["guest@corp.example", "other@corp.example"]);
    assert_eq!(mail.connections(), 3);
    // Both codes are of the one invitation, which is good once.
    let accept = json!({"code": mailed, "password": Server::PASSWORD});
    server.anyone().post("/v1/invitations/accept", &accept).expect(201);
    for code in [mailed, answered] {
        let again = json!({"code": code, "password": Server::PASSWORD});
        server.anyone().post("/v1/invitations/accept", &again).fails(401, "invalid invitation");
    }
}

fn what_the_server_never_takes_is_dropped_and_recorded(backend: Backend) {
    let mail = MailServer::plain();
    mail.then([Turn::Say(550)]);
    let server = Server::start(backend, mail.options(Options::default()));
    let mut owner = server.owner();
    invite(&mut owner, "nobody@corp.example");
    let events = eventually("the drop is recorded", || {
        let events = owner.get("/v1/audit?action=mail.drop").expect(200)["events"].clone();
        (!events.as_array().unwrap().is_empty()).then_some(events)
    });
    let detail: &Value = &events[0]["detail"];
    assert_eq!(
        (&detail["letter"], &detail["reason"], &detail["attempts"]),
        (&json!("invitation"), &json!("refused"), &json!(1))
    );
    assert!(!events.to_string().contains("corp.example"), "the address stays out of the trail: {events}");
    assert_eq!(server.metrics().get("nolapse_mail_total{outcome=\"dropped\"}"), 1);
    invite(&mut owner, "somebody@corp.example");
    assert_eq!(mail.wait_for(1)[0].to, "somebody@corp.example");
    assert_eq!(mail.connections(), 2, "the other was not tried again");
}

// It waits a minute for the attempt to be given up, on one database: the other's claims are tested in the store.
#[test]
fn a_server_that_hangs_or_drips_holds_up_no_request() {
    let mail = MailServer::plain();
    mail.then([Turn::Hang, Turn::Drip]);
    let server = Server::start(Backend::Sqlite, mail.options(Options::default()));
    let mut owner = server.owner();
    invite(&mut owner, "guest@corp.example");
    eventually("the mail server was connected to", || (mail.connections() == 1).then_some(()));
    // Answered while the mail server says nothing: no message was taken, none was given up.
    invite(&mut owner, "other@corp.example");
    assert_eq!((mail.connections(), mail.taken().len()), (1, 0));
    let mut to: Vec<String> = mail.wait_for(2).into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["guest@corp.example", "other@corp.example"]);
}

// It waits a minute for the attempt to be given up, on one database: the other's claims are tested in the store.
#[test]
fn mail_that_waits_survives_a_restart() {
    let mail = MailServer::plain();
    mail.then([Turn::Hang]);
    let mut server = Server::start(Backend::Sqlite, mail.options(Options::default()));
    invite(&mut server.owner(), "guest@corp.example");
    eventually("the mail server was connected to", || (mail.connections() == 1).then_some(()));
    server.stop();
    assert_eq!(mail.taken().len(), 0);
    server.serve();
    // The server that stopped had it to itself for a minute.
    assert_eq!(mail.wait_for(1)[0].to, "guest@corp.example");
}

fn without_a_mail_server_nothing_waits(backend: Backend) {
    let mail = MailServer::plain();
    let mut server = Server::start(backend, Options::default());
    invite(&mut server.owner(), "before@corp.example");
    server.stop();
    server.options = mail.options(server.options.clone());
    server.serve();
    invite(&mut server.owner(), "after@corp.example");
    assert_eq!(mail.wait_for(1)[0].to, "after@corp.example");
}

#[test]
fn of_several_nodes_one_sends_each_message() {
    const COUNT: usize = 40;
    let mail = MailServer::plain();
    let server = Server::start(Backend::PostgreSql, mail.options(Options::default()));
    let beside = server.beside(mail.options(Options::default()));
    let mut owner = server.owner();
    for n in 0..COUNT {
        invite(&mut owner, &format!("guest{n}@corp.example"));
    }
    mail.wait_for(COUNT);
    eventually("both nodes counted", || {
        let sent = [&server, &beside].map(|node| node.metrics().get("nolapse_mail_total{outcome=\"sent\"}"));
        (sent.iter().sum::<u64>() == COUNT as u64).then_some(())
    });
    let mut to: Vec<String> = mail.taken().into_iter().map(|mail| mail.to).collect();
    to.sort();
    to.dedup();
    assert_eq!((mail.taken().len(), to.len()), (COUNT, COUNT), "each once");
}

#[test]
fn the_command_says_what_the_mail_server_answered() {
    let (encrypted, plain) = (MailServer::encrypted(), MailServer::plain());
    let test = ["mail", "test", "ada@corp.example"];
    let with = |options: Options| {
        let mut server = Server::start(Backend::Sqlite, Options::default());
        server.options = options;
        server.command(&test, "")
    };
    let said = with(encrypted.options(Options::default()));
    assert!(said.succeeds().contains("took a message to ada@corp.example"), "{said:?}");
    assert_eq!(encrypted.taken()[0].header("Subject"), Some("Test of mail from nolapse tokens"));

    let wrong = with(encrypted.options(Options::default()).with("mail.password", "wrong"));
    assert!(wrong.fails(1).contains("535"), "{wrong:?}");
    let stranger = with(encrypted.options(Options::default()).with("mail.ca_file", plain.certificate().display()));
    assert!(stranger.fails(1).contains("certificate"), "{stranger:?}");
    let downgraded = with(plain.options(Options::default()).with("mail.plaintext", false));
    assert!(downgraded.fails(1).contains("STARTTLS"), "{downgraded:?}");
    assert_eq!((encrypted.taken().len(), plain.taken().len()), (1, 0), "nothing was said without TLS");
    let unset = with(Options::default());
    assert!(unset.fails(1).contains("set mail.server"), "{unset:?}");
}

//! `organization …`: an operator's commands, carried out by the running server or without one.

use serde_json::json;

use crate::support::{Backend, Options, Server, both, texts};

both!(
    each_command_is_carried_out_with_and_without_a_server,
    an_organisation_that_is_switched_off_is_gone_when_the_command_ends
);

const OTHER: &str = "other";

fn each_command_is_carried_out_with_and_without_a_server(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 7));
    let id = server.facts().organization(Server::ORGANIZATION).id;
    server.facts().add_organization(OTHER);
    server.owner().create("one");
    for is_running in [true, false] {
        if !is_running {
            server.stop();
        }
        let organization = |act: &str, more: &[&str]| {
            server.command(&[&["organization", act, "--org", Server::ORGANIZATION], more].concat(), "")
        };
        assert!(organization("show", &[]).succeeds().contains("token cap\t7 (the deployment's)\nlive tokens\t1\n"));
        for _ in 0..2 {
            organization("cap", &["--tokens", "1"]).succeeds();
            organization("disable", &[]).succeeds();
        }
        let list = server.command(&["organization", "list"], "");
        let line = format!("{}\t{id}\toff\t1", Server::ORGANIZATION);
        assert!(list.succeeds().lines().any(|found| found == line), "{list:?}");
        assert_eq!(list.succeeds().lines().count(), 2, "{list:?}");
        assert!(organization("show", &[]).succeeds().contains("state\toff since 20"));
        organization("cap", &["--default"]).succeeds();
        organization("enable", &[]).succeeds();
        assert!(organization("show", &[]).succeeds().contains("state\ton\n"));
        for act in [&["show"][..], &["disable"], &["cap", "--default"]] {
            let arguments = [&["organization"], act, &["--org", "nowhere"]].concat();
            assert!(server.command(&arguments, "").fails(1).contains("no organisation has this slug"), "{act:?}");
        }
        for usage in [&[][..], &["--tokens", "1", "--default"], &["--tokens", "-1"]] {
            organization("cap", usage).fails(2);
        }
    }
    // The organisation's trail has an event for each change, and none for commands that changed nothing.
    let trail = server.facts().audit();
    let actions: Vec<_> = trail.iter().filter(|event| event.request_id.starts_with("operator ")).collect();
    let once = ["organization.cap", "organization.disable", "organization.cap", "organization.enable"];
    assert_eq!(actions.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), [once, once].concat());
    assert!(actions.iter().all(|event| event.actor == "system" && event.target_id == id.to_string()), "{actions:?}");
    assert_eq!(actions[0].detail, r#"{"token_cap":1}"#);
}

fn an_organisation_that_is_switched_off_is_gone_when_the_command_ends(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create("a"), ["secret"]);
    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "a"})).expect(201), ["secret"]);
    for _ in 0..5 {
        assert!(server.anyone().is_valid(&secret) && server.anyone().is_valid(&key), "and remembered from now on");
        server.command(&["organization", "disable", "--org", Server::ORGANIZATION], "").succeeds();
        assert!(!server.anyone().is_valid(&secret) && !server.anyone().is_valid(&key));
        owner.get("/v1/me").fails(401, "invalid token");
        server.command(&["organization", "enable", "--org", Server::ORGANIZATION], "").succeeds();
        assert!(server.anyone().is_valid(&secret) && server.anyone().is_valid(&key));
        owner.get("/v1/me").expect(200);
    }
}

#[test]
fn an_organisation_that_is_switched_off_is_gone_on_a_server_beside() {
    let server = Server::start(Backend::PostgreSql, Options::default());
    let beside = server.beside(Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    for _ in 0..5 {
        assert!(server.anyone().is_valid(&secret) && beside.anyone().is_valid(&secret));
        server.command(&["organization", "disable", "--org", Server::ORGANIZATION], "").succeeds();
        assert!(!server.anyone().is_valid(&secret) && !beside.anyone().is_valid(&secret));
        server.command(&["organization", "enable", "--org", Server::ORGANIZATION], "").succeeds();
        assert!(server.anyone().is_valid(&secret) && beside.anyone().is_valid(&secret));
    }
}

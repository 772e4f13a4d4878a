//! Graceful shutdown: running requests finish, usage is written, and no answer is wrong meanwhile.

use std::io::ErrorKind;

use serde_json::json;

use crate::support::{Backend, Options, Request, Server, Wire, both, eventually, texts};

both!(a_stop_writes_down_the_last_uses, a_stop_lets_requests_end, readiness_fails_first, an_interrupt_is_a_stop);

fn a_stop_writes_down_the_last_uses(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 10));
    let mut owner = server.owner();
    let made: Vec<[String; 2]> = (0..20).map(|n| texts(&owner.create(&format!("{n}")), ["id", "secret"])).collect();
    for [_, secret] in &made {
        assert!(owner.is_valid(secret));
    }
    server.stop();
    let facts = server.facts();
    let organization = facts.organization(Server::ORGANIZATION).id;
    for [id, _] in &made {
        assert!(facts.token(organization, id).unwrap().last_used_at.is_some(), "{id}");
    }
}

/// Clients that send requests during the stop get a whole, correct answer or a closed connection.
fn a_stop_lets_requests_end(backend: Backend) {
    let mut server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create("a"), ["secret"]);
    let (address, credential) = (server.address(), owner.credential().to_owned());
    let made = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let request = Request::new("POST", "/v1/auth/validate").json(&json!({ "token": secret }));
            let mut answers = 0_u32;
            while let Ok(mut wire) = Wire::open(address) {
                loop {
                    match wire.ask(&request) {
                        Ok(answer) if answer.status == 200 => answers += 1,
                        Ok(answer) => panic!("{answer:?}"),
                        Err(error) => {
                            let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                            assert!(kinds.contains(&error.kind()), "{error}");
                            break;
                        }
                    }
                }
            }
            answers
        });
        let making = scope.spawn(|| {
            let mut made = Vec::new();
            let mut caller = crate::support::Client::new(address).with(&credential);
            let body = json!({"name": "late", "scopes": ["execute"]});
            while let Ok(answer) = caller.try_ask(Request::new("POST", "/v1/tokens").json(&body)) {
                match answer.status {
                    201 => made.push(texts(&answer.json(), ["secret"])[0].clone()),
                    503 => {}
                    _ => panic!("{answer:?}"),
                }
            }
            made
        });
        eventually("some requests", || (server.metrics().validations("live") > 100).then_some(()));
        server.stop();
        assert!(asking.join().unwrap() > 100);
        making.join().unwrap()
    });
    assert!(!made.is_empty());
    server.serve();
    for secret in &made {
        assert!(server.anyone().is_valid(secret), "an acknowledged token was lost");
    }
}

fn readiness_fails_first(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("server.drain_delay_seconds", 2));
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    server.terminate();
    let refused = eventually("readiness to fail", || {
        let answer = server.anyone().get("/ready");
        (answer.status == 503).then_some(answer)
    });
    assert!(refused.json()["failing"].as_array().unwrap().contains(&json!("stopping")));
    assert!(server.anyone().is_valid(&secret), "it still answers");
    server.ended();
}

fn an_interrupt_is_a_stop(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    server.interrupt();
    server.ended();
    assert!(server.log().contains("stopping"), "{}", server.log());
}

/// Without the second signal it would wait a minute, and end with exit code 0.
#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(Backend::Sqlite, Options::default().with("server.drain_delay_seconds", 60));
    server.terminate();
    eventually("readiness to fail", || (server.anyone().get("/ready").status == 503).then_some(()));
    server.terminate();
    assert_eq!(server.exit_code(), Some(1));
}

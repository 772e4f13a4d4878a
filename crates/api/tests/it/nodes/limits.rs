//! Rate limits that the nodes count together in Redis, and that each node counts alone while Redis is not available.

use std::time::Instant;

use authority::limits::SharedLimit;
use data_encoding::BASE64URL_NOPAD;
use rustix::process::Signal;
use serde_json::json;
use task_support::services::Redis;
use token_domain::person::BuiltInRole;

use super::cluster;
use crate::support::{Answer, App, MailServer, Options, Request, Server, enrol, eventually};
use crate::trust::exchange;

/// What nodes count.
const COUNTS: &str = "nolapse:*:count:*";
/// Free attempts at an account from a network, and of a known device.
const ATTEMPTS: usize = 4;
/// Reports of leaks, and exchanges, of a network in an hour.
const AN_HOUR: usize = 6;
const WRONG: &str = "not the password";

/// Two servers beside a Redis that both are connected to.
fn pair(redis: &Redis, mail: &MailServer) -> Vec<Server> {
    let options = mail.options(Options::default()).with("redis.url", redis.url());
    let options = options.with("server.trusted_proxies", "127.0.0.0/8");
    let options = options.with("rate_limit.sign_in_attempts", ATTEMPTS);
    let options = options.with("rate_limit.leak_reports", AN_HOUR).with("rate_limit.token_exchanges", AN_HOUR);
    let servers = cluster(2, &options);
    servers.iter().for_each(until_up);
    servers
}

#[track_caller]
fn until_up(server: &Server) {
    eventually("Redis to be connected", || (server.metrics().get("nolapse_redis_up") == 1).then_some(()));
}

/// How often the nodes had to decide by themselves.
fn unavailable(servers: &[Server]) -> usize {
    let of = |server: &Server| server.metrics().get("nolapse_shared_limits_total{outcome=\"unavailable\"}");
    usize::try_from(servers.iter().map(of).sum::<u64>()).unwrap()
}

fn sign_in(server: &Server, email: &str, password: &str, from: &str, more: &str) -> Answer {
    let mut body = json!({"email": email, "password": password});
    if !more.is_empty() {
        body["code"] = json!(more);
    }
    let request = Request::new("POST", "/v1/sessions").header("X-Forwarded-For", from).header("User-Agent", "it");
    server.anyone().ask(request.json(&body))
}

/// Whether a wrong password was looked at.
fn guessed(server: &Server, email: &str, from: &str) -> bool {
    match sign_in(server, email, WRONG, from, "") {
        answer if answer.status == 401 => true,
        answer => {
            assert!(retry_after(&answer) <= 900);
            false
        }
    }
}

/// What a refusal asks to wait.
fn retry_after(answer: &Answer) -> u32 {
    assert_eq!(answer.status, 429, "{}", answer.text());
    answer.header("retry-after").unwrap().parse().unwrap()
}

/// What a limit allows once on all nodes.
struct Row {
    limit: SharedLimit,
    most: usize,
    /// An attempt that nothing but this limit refuses, on a server and by its number; whether it was let in.
    attempt: fn(&World, &Server, usize) -> bool,
}

/// What attempts need.
struct World {
    app: App,
}

/// A limit that all nodes share has a row.
const ROWS: [Row; 9] = [
    Row {
        limit: SharedLimit::SignInPair,
        most: ATTEMPTS,
        attempt: |_, server, _| guessed(server, "pair@acme.example", "192.0.2.1"),
    },
    Row {
        limit: SharedLimit::SignInNetwork,
        most: 10 * ATTEMPTS,
        attempt: |_, server, number| guessed(server, &format!("network{number}@acme.example"), "192.0.2.2"),
    },
    Row {
        limit: SharedLimit::SignInAccount,
        most: 10 * ATTEMPTS,
        attempt: |_, server, number| guessed(server, "account@acme.example", &format!("198.51.100.{number}")),
    },
    Row {
        limit: SharedLimit::SignInDevice,
        most: ATTEMPTS,
        attempt: |_, server, number| {
            if number == 0 {
                sign_in(server, "device@acme.example", Server::PASSWORD, "192.0.2.3", "").expect(201);
            }
            guessed(server, "device@acme.example", "192.0.2.3")
        },
    },
    Row {
        limit: SharedLimit::Code,
        most: 5,
        attempt: |world, server, number| {
            let from = format!("203.0.113.{number}");
            match sign_in(server, "code@acme.example", Server::PASSWORD, &from, &world.app.wrong()) {
                answer if answer.status == 401 => true,
                answer => retry_after(&answer) > 900,
            }
        },
    },
    Row {
        limit: SharedLimit::ResetNetwork,
        most: 20,
        attempt: |_, server, number| reset(server, &format!("reset{number}@acme.example"), "192.0.2.4").status == 202,
    },
    Row {
        limit: SharedLimit::ResetAddress,
        most: 3,
        attempt: |_, server, number| {
            let sent = || {
                let events = server.facts().deployment_audit();
                events.iter().filter(|event| event.action == "user.password.reset.request").count()
            };
            let before = sent();
            reset(server, "address@acme.example", &format!("203.0.113.{}", 100 + number)).expect(202);
            sent() > before
        },
    },
    Row {
        limit: SharedLimit::LeakReports,
        most: AN_HOUR,
        attempt: |_, server, _| {
            let report = json!({"credentials": ["nlp_x"]});
            server.anyone().post("/v1/credentials/revoke", &report).status == 202
        },
    },
    Row {
        limit: SharedLimit::TokenExchanges,
        most: AN_HOUR,
        attempt: |_, server, _| {
            let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
            let [header, claims] = [r#"{"alg":"RS256","kid":"x"}"#, r#"{"iss":"https://nobody.example"}"#].map(part);
            exchange(server, &format!("{header}.{claims}.eA"), &[]).status != 429
        },
    },
];

fn reset(server: &Server, email: &str, from: &str) -> Answer {
    let request = Request::new("POST", "/v1/password-resets").header("X-Forwarded-For", from);
    server.anyone().ask(request.json(&json!({ "email": email })))
}

/// How many attempts more are let in while these seconds pass: after waits of one second, two, four.
fn by_waiting(since: Instant) -> usize {
    usize::try_from((since.elapsed().as_secs() + 1).ilog2()).unwrap()
}

#[test]
fn every_shared_limit_is_the_same_for_two_nodes_as_for_one() {
    let (redis, mail) = (Redis::start().unwrap(), MailServer::plain());
    let servers = pair(&redis, &mail);
    let facts = servers[0].facts();
    facts.add_member("device@acme.example", BuiltInRole::Member);
    facts.add_member("code@acme.example", BuiltInRole::Member);
    let (app, _) = enrol(&mut servers[0].signed_in("code@acme.example"));
    let world = World { app };
    for limit in SharedLimit::ALL {
        let row = ROWS.iter().find(|row| row.limit == limit).unwrap_or_else(|| panic!("no row for {limit:?}"));
        let (begun, alone) = (Instant::now(), unavailable(&servers));
        let attempts = 2 * row.most + 4;
        let passed = (0..attempts).filter(|number| (row.attempt)(&world, &servers[number % 2], *number)).count();
        let alone = unavailable(&servers) - alone;
        let most = row.most + alone + by_waiting(begun);
        assert!((row.most..=most).contains(&passed), "{limit:?}: {passed}, of which {alone} by one node alone");
    }
    let counts = redis.all(COUNTS).unwrap();
    assert!(counts.len() > 9, "{counts:?}");
    for (key, value) in counts {
        let text = String::from_utf8_lossy(&[key, value].concat()).into_owned();
        assert!(!["acme", "192.0.2", "203.0.113", "127.0.0"].iter().any(|word| text.contains(word)), "{text}");
    }
}

#[test]
fn two_hundred_guesses_at_once_over_two_nodes_are_no_more_than_one_node_lets_in() {
    let (redis, mail) = (Redis::start().unwrap(), MailServer::plain());
    let servers = pair(&redis, &mail);
    let begun = Instant::now();
    let passed: usize = std::thread::scope(|scope| {
        let guessers: Vec<_> = (0..20)
            .map(|guesser| {
                let servers = &servers;
                scope.spawn(move || {
                    (0..10).filter(|_| guessed(&servers[guesser % 2], "ada@acme.example", "192.0.2.1")).count()
                })
            })
            .collect();
        guessers.into_iter().map(|guesser| guesser.join().unwrap()).sum()
    });
    let most = ATTEMPTS + unavailable(&servers) + by_waiting(begun);
    assert!((1..=most).contains(&passed), "{passed} of {most}");
}

#[test]
fn a_right_password_takes_the_shared_count_back() {
    let (redis, mail) = (Redis::start().unwrap(), MailServer::plain());
    let servers = pair(&redis, &mail);
    servers[0].facts().add_member("ada@acme.example", BuiltInRole::Member);
    let from = |number: usize| format!("192.0.2.{number}");
    for number in 0..3 {
        assert!(guessed(&servers[number % 2], "ada@acme.example", &from(1)));
    }
    let before = redis.all(COUNTS).unwrap();
    sign_in(&servers[0], "ada@acme.example", Server::PASSWORD, &from(1), "").expect(201);
    let has_gone = |(key, _): &(Vec<u8>, Vec<u8>)| redis.all(COUNTS).unwrap().iter().all(|(kept, _)| kept != key);
    eventually("the count to be gone", || {
        let is_unused = before.is_empty() || before.iter().any(has_gone);
        is_unused.then_some(())
    });
}

#[test]
fn whatever_becomes_of_redis_each_node_lets_in_its_own_allowance_and_no_more() {
    let (mut redis, mail) = (Redis::start().unwrap(), MailServer::plain());
    let servers = pair(&redis, &mail);
    let mut network = 0;
    let mut tries = |account: &str, servers: &[Server], between: &dyn Fn(usize)| {
        let begun = Instant::now();
        network += 1;
        let from = format!("192.0.2.{network}");
        let (email, attempts) = (format!("{account}@acme.example"), 4 * ATTEMPTS);
        let passed = (0..attempts).filter(|number| {
            between(*number);
            guessed(&servers[number % 2], &email, &from)
        });
        let passed = passed.count();
        let most = 2 * (ATTEMPTS + by_waiting(begun));
        assert!((ATTEMPTS..=most).contains(&passed), "{account}: {passed} of {most}");
    };
    tries("flushed", &servers, &|_| _ = redis.ask(&["FLUSHALL"]).unwrap());
    let plant = |value: &[u8]| {
        for (key, _) in redis.all(COUNTS).unwrap() {
            redis.plant(&key, value).unwrap();
        }
    };
    tries("garbage", &servers, &|_| plant(b"\xff\0 garbage"));
    tries("empty", &servers, &|_| plant(b"0 0 0"));
    tries("full", &servers, &|number| {
        if number % 3 == 0 {
            redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
        }
    });
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    redis.ask(&["FLUSHALL"]).unwrap();
    redis.signal(Signal::STOP);
    tries("frozen", &servers, &|_| ());
    redis.signal(Signal::CONT);
    redis.kill().unwrap();
    tries("killed", &servers, &|_| ());
    redis.start_again().unwrap();
    servers.iter().for_each(until_up);
    tries("back", &servers, &|_| ());
}

#[test]
fn a_forged_count_makes_nobody_wait_for_longer_than_the_longest_wait() {
    let (redis, mail) = (Redis::start().unwrap(), MailServer::plain());
    let servers = pair(&redis, &mail);
    let mut number = 0;
    let (email, refused) = eventually("a refusal by Redis", || {
        number += 1;
        let email = format!("ada{number}@acme.example");
        assert!(guessed(&servers[0], &email, &format!("192.0.2.{number}")));
        for (key, _) in redis.all(COUNTS).unwrap() {
            redis.plant(&key, b"99999999 99999999999999999 99999999").unwrap();
        }
        let answer = sign_in(&servers[1], &email, WRONG, &format!("192.0.2.{number}"), "");
        redis.ask(&["FLUSHALL"]).unwrap();
        (answer.status == 429).then_some((email, answer))
    });
    assert!((1..=900).contains(&retry_after(&refused)));
    for _ in 0..ATTEMPTS {
        let from = format!("192.0.2.{number}");
        assert!(guessed(&servers[1], &email, &from), "what Redis refused is no attempt of this node");
    }
}

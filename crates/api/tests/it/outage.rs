//! Outages of the database: no valid token is called invalid, the answer is "unavailable", and the service recovers by
//! itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Database, Options, Proxy, Request, Server, eventually, texts};

/// The lease: how long a node may answer from its cache after it last reached the database.
const LEASE: Duration = Duration::from_secs(5);

/// Asserts that an answer during an outage has the expected status or 503.
#[track_caller]
fn is_answered(answer: &Answer, good: u16) -> bool {
    if answer.status == good {
        return true;
    }
    let body = answer.fails(503, "unavailable");
    assert_eq!(body.as_object().unwrap().len(), 3, "a 503 says no more than this: {body}");
    assert!(answer.header("retry-after").is_some());
    false
}

/// A server whose database is behind a proxy that can cut the connection.
fn behind_a_line() -> (Proxy, Server) {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let options = Options::default()
        .through(database.url_through(proxy.port()))
        .with("database.statement_timeout_ms", 1_500)
        .with("database.connect_timeout_ms", 1_500)
        .with("database.acquire_timeout_ms", 500);
    (proxy, Server::start_on(database, options))
}

/// Tokens that are in the server's cache, and one that is not.
struct Tokens {
    warm: Vec<String>,
    cold: String,
    revoked: String,
}

fn tokens(owner: &mut Client) -> Tokens {
    let mut make = |name: String| texts(&owner.create(&name), ["id", "secret"]);
    let warm: Vec<String> = (0..5).map(|n| make(format!("warm {n}"))[1].clone()).collect();
    let [_, cold] = make("cold".to_owned());
    let [id, revoked] = make("revoked".to_owned());
    owner.revoke(&id);
    assert!(warm.iter().all(|secret| owner.is_valid(secret)));
    Tokens { warm, cold, revoked }
}

/// Calls operations of each kind during an outage; none may give an answer that needs the database.
fn nothing_is_claimed(server: &Server, owner: &str, tokens: &Tokens) {
    let mut caller = server.caller(owner);
    let mut anyone = server.anyone();
    assert!(!is_answered(&anyone.validate(&tokens.cold), 200), "nobody can know it");
    // A revoked token is never valid; whether it is revoked may be cached or not.
    is_answered(&anyone.validate(&tokens.revoked), 401);
    is_answered(&anyone.validate(&tokens.warm[0]), 200);
    assert!(!anyone.is_valid("not even a token"), "what needs no database is answered");
    let sign_in = json!({"email": Server::OWNER, "password": Server::PASSWORD});
    for answer in [
        caller.get("/v1/tokens"),
        caller.get("/v1/me"),
        caller.post("/v1/tokens", &json!({"name": "lost", "scopes": ["execute"]})),
        caller.delete("/v1/tokens/018f0000-0000-7000-8000-000000000001"),
        caller.delete("/v1/sessions/current"),
        anyone.post("/v1/sessions", &sign_in),
        server.caller(&tokens.cold).get("/v1/tokens"),
    ] {
        assert!(!is_answered(&answer, 200));
    }
    assert_eq!(anyone.get("/health").status, 200);
}

fn goes_away_and_comes_back(away: impl Fn(&Proxy)) {
    let (proxy, server) = behind_a_line();
    let mut owner = server.owner();
    let credential = owner.credential().to_owned();
    let tokens = tokens(&mut owner);
    for round in 0..2 {
        away(&proxy);
        let gone = Instant::now();
        // Cached tokens are answered until the lease ends, then with 503. A valid token is never called invalid.
        let mut caller = server.anyone();
        eventually("the end of the lease", || {
            let known = tokens.warm.iter().filter(|secret| is_answered(&caller.validate(secret), 200)).count();
            (known == 0).then_some(())
        });
        println!("round {round}: known tokens were answered for {:?}", gone.elapsed());
        nothing_is_claimed(&server, &credential, &tokens);
        assert!(tokens.warm.iter().all(|secret| !is_answered(&caller.validate(secret), 200)));
        let ready = server.anyone().get("/ready");
        assert!(ready.fails(503, "unavailable")["failing"].as_array().unwrap().contains(&json!("database")));

        proxy.open();
        eventually("validation to come back", || {
            let all = tokens.warm.iter().chain([&tokens.cold]).all(|secret| is_answered(&caller.validate(secret), 200));
            all.then_some(())
        });
        eventually("readiness", || (server.anyone().get("/ready").status == 200).then_some(()));
        assert!(!caller.is_valid(&tokens.revoked));
        let mut owner = server.caller(&credential);
        eventually("management", || (owner.get("/v1/me").status == 200).then_some(()));
        let [id, secret] = texts(&owner.create("made afterwards"), ["id", "secret"]);
        assert!(caller.is_valid(&secret));
        owner.revoke(&id);
        assert!(!caller.is_valid(&secret));
        assert!(owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().iter().all(|t| t["name"] != "lost"));
    }
}

#[test]
fn a_database_server_that_is_down_makes_no_token_invalid() {
    goes_away_and_comes_back(Proxy::cut);
}

#[test]
fn a_silent_database_server_makes_no_token_invalid() {
    goes_away_and_comes_back(Proxy::silence);
}

/// Repeated short interruptions under load: every answer about a valid token is "valid" or "unavailable".
#[test]
fn repeated_disconnections_make_no_token_invalid() {
    let (proxy, server) = behind_a_line();
    let mut owner = server.owner();
    let tokens = tokens(&mut owner);
    let mut other = owner.create("rotated");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (good, unknown) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (server, tokens, stop) = (&server, &tokens, &stop);
                scope.spawn(move || {
                    let mut caller = server.anyone();
                    let (mut good, mut unknown) = (0_u64, 0_u64);
                    while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                        for secret in tokens.warm.iter().chain([&tokens.cold]) {
                            if is_answered(&caller.validate(secret), 200) { good += 1 } else { unknown += 1 }
                        }
                    }
                    (good, unknown)
                })
            })
            .collect();
        for _ in 0..8 {
            proxy.cut();
            eventually("the outage to be noticed", || (server.anyone().get("/ready").status == 503).then_some(()));
            proxy.open();
            eventually("readiness", || (server.anyone().get("/ready").status == 200).then_some(()));
            // The next outage does not undo a change made between two outages.
            let mut owner = server.caller(owner.credential());
            let id = other["id"].as_str().unwrap().to_owned();
            if let Some(next) = rotate(&mut owner, &id) {
                other = next;
            }
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        let counts: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        counts.into_iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    });
    println!("{good} answers were good, {unknown} could not be known");
    assert!(good > 1_000);
    let mut caller = server.anyone();
    assert!(tokens.warm.iter().chain([&tokens.cold]).all(|secret| caller.is_valid(secret)));
    assert!(caller.is_valid(other["secret"].as_str().unwrap()));
}

/// Rotates without grace, retrying during outages; returns the successor, or `None` if its answer was lost.
fn rotate(owner: &mut Client, id: &str) -> Option<Value> {
    eventually("a rotation", || {
        let answer = owner.post(&format!("/v1/tokens/{id}/rotate"), &json!({"grace_period_seconds": 0}));
        match answer.status {
            200 => Some(Some(answer.json())),
            409 => Some(None),
            _ => {
                is_answered(&answer, 200);
                None
            }
        }
    })
}

/// Another process holds the file's write lock: writes are unavailable, while reads and validation work.
#[test]
fn a_locked_file_makes_no_token_invalid() {
    let options = Options::default()
        .with("database.statement_timeout_ms", 300)
        .with("database.lock_timeout_ms", 300)
        .with("database.acquire_timeout_ms", 300);
    let mut server = Server::start(Backend::Sqlite, options);
    let mut owner = server.owner();
    let credential = owner.credential().to_owned();
    let tokens = tokens(&mut owner);
    let [id] = texts(&owner.create("to be revoked"), ["id"]);
    let facts = server.facts();
    facts.while_locked(|| {
        let mut caller = server.caller(&credential);
        for secret in tokens.warm.iter().chain([&tokens.cold]) {
            assert!(caller.is_valid(secret), "reading needs no lock");
        }
        assert!(!caller.is_valid(&tokens.revoked));
        caller.get("/v1/tokens").expect(200);
        assert!(!is_answered(&caller.post("/v1/tokens", &json!({"name": "lost", "scopes": ["execute"]})), 201));
        assert!(!is_answered(&caller.delete(&format!("/v1/tokens/{id}")), 204));
        assert_eq!(caller.token(&id)["status"], "active", "unavailable means not done");
        let sign_in = json!({"email": Server::OWNER, "password": Server::PASSWORD});
        assert!(!is_answered(&caller.post("/v1/sessions", &sign_in), 201));
    });
    eventually("writing to come back", || is_answered(&owner.delete(&format!("/v1/tokens/{id}")), 204).then_some(()));
    owner.create("made afterwards");
    let names = owner.get("/v1/tokens?name=lost").expect(200);
    assert_eq!(names["tokens"].as_array().unwrap().len(), 0);
    server.stop();
}

/// A full lane answers 503 and never that a token is invalid.
#[test]
fn a_full_lane_makes_no_token_invalid() {
    let options = Options::default()
        .bcrypt()
        .with("hashing.bcrypt_cost", 10)
        .with("hashing.slow_lane_threads", 1)
        .with("hashing.slow_lane_queue", 1);
    let mut server = Server::start(Backend::Sqlite, options);
    let mut owner = server.owner();
    let secrets: Vec<String> = (0..12).map(|n| texts(&owner.create(&format!("{n}")), ["secret"])[0].clone()).collect();
    // Without its tag each token costs a slow hash.
    server.stop();
    std::fs::remove_file(server.tag_key_file()).unwrap();
    server.serve();
    let refused: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = secrets
            .iter()
            .map(|secret| {
                let mut caller = server.anyone();
                let request = Request::new("POST", "/v1/auth/validate").json(&json!({ "token": secret }));
                scope.spawn(move || usize::from(!is_answered(&caller.ask(request), 200)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(refused > 0, "the lane was never full");
    assert!(server.metrics().get("nolapse_slow_hashes_refused_total") > 0);
    let mut caller = server.anyone();
    for secret in &secrets {
        eventually("a place in the lane", || is_answered(&caller.validate(secret), 200).then_some(()));
    }
}

/// The lease makes the cache safe, so it must end by itself: a server that cannot reach its database for longer does
/// not know whether another process has taken over.
#[test]
fn the_cache_is_not_used_after_the_lease() {
    let (proxy, server) = behind_a_line();
    let mut owner = server.owner();
    let tokens = tokens(&mut owner);
    let mut caller = server.anyone();
    proxy.silence();
    let silent = Instant::now();
    // After the last answer of the database the cache is used for one lease and no longer.
    let mut last_known = silent;
    while silent.elapsed() < 3 * LEASE {
        let asked = Instant::now();
        if is_answered(&caller.validate(&tokens.warm[0]), 200) {
            last_known = asked;
        }
    }
    let known_for = last_known.duration_since(silent);
    assert!(known_for <= LEASE, "answered from memory {known_for:?} after the line went silent");
    proxy.open();
    eventually("validation to come back", || is_answered(&caller.validate(&tokens.warm[0]), 200).then_some(()));
}

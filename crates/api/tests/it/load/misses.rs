//! Cache misses while reads are slow: a thousand of one token, and more different ones than the lane has places.
//!
//! On PostgreSQL the connection to the database is silent until the test opens it, so that nothing depends on time. On
//! SQLite a read ends on the thread that began it; there the slow part is proving a token without a tag by its slow
//! hash, which belongs to the same flight and occupies the same place.

use super::process::has_read_all;
use super::validation;
use crate::support::{Backend, Client, Database, Options, Proxy, Server, Wire, both, eventually, texts};

both!(
    a_thousand_connections_that_miss_one_token_make_one_read,
    more_misses_than_places_are_turned_away_and_what_is_known_is_answered,
);

/// Concurrent clients that ask about the same token.
const AT_ONCE: usize = 1_000;
/// Tokens whose slow hashes come first.
const AHEAD: usize = 20;
/// The most concurrent reads.
const PLACES: usize = 4;
/// Tokens that are asked about concurrently.
const MISSES: usize = 24;

/// A server with a database behind a proxy that can go silent, and with long timeouts for the database.
fn behind_a_line(options: Options) -> (Proxy, Server) {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let options = options
        .through(database.url_through(proxy.port()))
        .with("database.statement_timeout_ms", 60_000)
        .with("server.request_deadline_seconds", 60);
    (proxy, Server::start_on(database, options))
}

/// Makes `count` tokens; returns their secrets.
fn make(owner: &mut Client, count: usize) -> Vec<String> {
    let secret = |number: usize| texts(&owner.create(&number.to_string()), ["secret"]).concat();
    (0..count).map(secret).collect()
}

/// A server with tokens that each cost a slow hash, one at a time, because the key of their tags is lost.
fn without_tags(tokens: usize, options: Options) -> (Server, Vec<String>) {
    let options = options.bcrypt().with("hashing.bcrypt_cost", 10).with("hashing.slow_lane_threads", 1);
    let mut server = Server::start(Backend::Sqlite, options);
    let secrets = make(&mut server.owner(), tokens);
    server.stop();
    std::fs::remove_file(server.tag_key_file()).unwrap();
    server.serve();
    (server, secrets)
}

/// Asks about each token on its own connection, without reading the answers.
fn ask<'t>(server: &Server, secrets: impl IntoIterator<Item = &'t String>) -> Vec<Wire> {
    let secrets: Vec<&String> = secrets.into_iter().collect();
    let mut wires: Vec<Wire> = secrets.iter().map(|_| Wire::open(server.address()).unwrap()).collect();
    for (wire, secret) in wires.iter_mut().zip(secrets) {
        wire.send(&validation(secret)).unwrap();
    }
    eventually("every question to be read", || has_read_all(server).then_some(()));
    wires
}

fn are_good(wires: &mut [Wire]) -> bool {
    wires.iter_mut().all(|wire| wire.answer(false).unwrap().expect(200)["valid"] == true)
}

fn a_thousand_connections_that_miss_one_token_make_one_read(backend: Backend) {
    match backend {
        Backend::PostgreSql => a_thousand_wait_for_the_line(),
        Backend::Sqlite => a_thousand_wait_for_the_hash(),
    }
}

fn a_thousand_wait_for_the_line() {
    let (proxy, server) = behind_a_line(Options::default());
    let secret = make(&mut server.owner(), 1);
    let before = server.metrics();
    proxy.silence();
    let mut wires = ask(&server, std::iter::repeat_n(&secret[0], AT_ONCE));
    assert!(wires.iter().all(Wire::is_waiting), "all are in before anything is read");
    proxy.open();
    assert!(are_good(&mut wires));
    let after = server.metrics();
    assert_eq!(after.candidate_reads() - before.candidate_reads(), 1);
    assert_eq!(after.validations("live") - before.validations("live"), AT_ONCE as u64);
}

fn a_thousand_wait_for_the_hash() {
    let (server, secrets) = without_tags(AHEAD + 1, Options::default());
    let (before, (last, ahead)) = (server.metrics(), secrets.split_last().unwrap());
    let mut first = ask(&server, ahead);
    let mut wires = ask(&server, std::iter::repeat_n(last, AT_ONCE));
    assert!(are_good(&mut first) && are_good(&mut wires));
    let after = server.metrics();
    assert_eq!(after.candidate_reads() - before.candidate_reads(), AHEAD as u64 + 1);
    assert_eq!(after.slow_hashes() - before.slow_hashes(), AHEAD as u64 + 1);
    assert_eq!(after.validations("live") - before.validations("live"), (AHEAD + AT_ONCE) as u64);
}

fn more_misses_than_places_are_turned_away_and_what_is_known_is_answered(backend: Backend) {
    let options = Options::default().with("cache.miss_lane", PLACES);
    match backend {
        Backend::PostgreSql => {
            let (proxy, server) = behind_a_line(options);
            let secrets = make(&mut server.owner(), 1 + MISSES);
            let refused = turns_away(&server, &secrets, || proxy.silence(), || proxy.open());
            assert_eq!(refused, MISSES - PLACES, "every place is taken, and no more than that");
        }
        Backend::Sqlite => {
            let (server, secrets) = without_tags(1 + MISSES, options.with("cache.miss_wait_ms", 5));
            let refused = turns_away(&server, &secrets, || (), || ());
            assert!(refused > 0, "the lane was never full");
            assert_eq!(server.metrics().get("nolapse_slow_hashes_refused_total"), 0, "it is not that lane");
        }
    }
}

/// Asks about all tokens but the first, which is cached, while reads are blocked; returns how many got 503.
fn turns_away(server: &Server, secrets: &[String], hold: impl FnOnce(), let_go: impl FnOnce()) -> usize {
    let (known, misses) = secrets.split_first().unwrap();
    let mut caller = server.anyone();
    assert!(caller.is_valid(known));
    let before = server.metrics();
    hold();
    let mut wires = ask(server, misses);
    assert!(caller.is_valid(known), "what is known is answered meanwhile");
    let unavailable = || server.metrics().validations("unavailable") - before.validations("unavailable");
    let refused = eventually("somebody to be turned away", || Some(unavailable()).filter(|refused| *refused > 0));
    println!("{refused} were turned away at first");
    // The last refusals are those of requests that waited for a place until the limit.
    eventually("everybody to have a place or an answer", || {
        let waiting = wires.iter().filter(|wire| wire.is_waiting()).count();
        (waiting <= PLACES).then_some(())
    });
    assert!(caller.is_valid(known), "what is known is answered meanwhile");
    let_go();
    let mut good = 0;
    for wire in &mut wires {
        let answer = wire.answer(false).unwrap();
        if answer.status == 200 {
            good += 1;
            continue;
        }
        let body = answer.fails(503, "unavailable");
        assert_eq!(body.as_object().unwrap().len(), 3, "a 503 says no more than this: {body}");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let after = server.metrics();
    let refused = misses.len() - good;
    assert_eq!(unavailable(), refused as u64);
    assert_eq!(after.candidate_reads() - before.candidate_reads(), good as u64, "who was turned away was not read");
    for secret in misses {
        assert!(caller.is_valid(secret), "there is a place again");
    }
    refused
}

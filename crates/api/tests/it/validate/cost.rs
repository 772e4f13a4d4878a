//! The cost of an answer: database reads and slow hashes, by the service's own metrics before and after.

use std::sync::Barrier;

use serde_json::json;
use token_format::PlainToken;

use crate::support::{Backend, Chance, Options, Request, Server, Wire, both, eventually, texts};

both!(
    a_mistyped_token_reads_nothing,
    a_known_token_reads_nothing,
    an_unknown_token_is_remembered_as_such,
    a_herd_makes_few_reads,
    the_first_look_after_a_restart_hashes_nothing,
    a_lost_tag_key_costs_one_hash_a_token,
    an_earlier_tag_key_still_proves,
    a_row_is_brought_to_the_configured_scheme,
    a_token_that_was_unknown_is_good_once_made,
    a_spray_of_unknown_tokens_leaves_good_ones_alone,
);

/// A token with a valid checksum that nobody issued.
fn unissued(chance: &mut Chance) -> String {
    let mut random = [0; 16];
    random[..8].copy_from_slice(&chance.number().to_be_bytes());
    random[8..].copy_from_slice(&chance.number().to_be_bytes());
    PlainToken::from_random(random).expose().to_owned()
}

fn a_mistyped_token_reads_nothing(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut chance = Chance::seeded(1);
    let before = server.metrics();
    let mut caller = server.anyone();
    for _ in 0..100 {
        let mut token = unissued(&mut chance);
        let place = 4 + chance.below(40);
        let letter = if token.as_bytes()[place] == b'0' { "1" } else { "0" };
        token.replace_range(place..=place, letter);
        assert!(!caller.is_valid(&token), "{token}");
        assert!(!caller.is_valid(&chance.hex(44)));
    }
    let after = server.metrics();
    assert_eq!(after.candidate_reads(), before.candidate_reads());
    assert_eq!(after.validations("malformed") - before.validations("malformed"), 200);
    assert_eq!(after.slow_hashes(), before.slow_hashes());
}

fn a_known_token_reads_nothing(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let before = server.metrics();
    assert!(server.anyone().is_valid(&secret));
    let first = server.metrics();
    assert_eq!(first.candidate_reads() - before.candidate_reads(), 1);
    assert_eq!(first.slow_hashes(), before.slow_hashes(), "its tag proves it");
    for _ in 0..50 {
        assert!(server.anyone().is_valid(&secret));
    }
    let asked = json!({"token": secret, "required_scopes": ["read"]});
    server.anyone().post("/v1/auth/validate", &asked).expect(200);
    let later = server.metrics();
    assert_eq!(later.candidate_reads(), first.candidate_reads());
    assert_eq!(later.get("nolapse_store_reads_total"), first.get("nolapse_store_reads_total"));
    assert_eq!(later.validations("live") - before.validations("live"), 52);
}

fn an_unknown_token_is_remembered_as_such(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let token = unissued(&mut Chance::seeded(2));
    let before = server.metrics();
    for _ in 0..20 {
        assert!(!server.anyone().is_valid(&token));
    }
    let after = server.metrics();
    // One read, or a few more if the cached result expired between two of the twenty requests.
    let reads = after.candidate_reads() - before.candidate_reads();
    assert!((1..=3).contains(&reads), "{reads}");
    assert_eq!(after.slow_hashes(), before.slow_hashes());
    assert_eq!(after.validations("unknown") - before.validations("unknown"), 20);
}

/// A thousand requests about one token that is not cached, on a hundred connections that start together.
fn a_herd_makes_few_reads(backend: Backend) {
    const CONNECTIONS: usize = 100;
    const EACH: usize = 10;
    let mut server = Server::start(backend, Options::default().bcrypt());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    // Without its tag each read costs a slow hash, so superfluous reads would show in both metrics.
    std::fs::remove_file(server.tag_key_file()).unwrap();
    server.restart();
    let before = server.metrics();
    let bytes = Request::new("POST", "/v1/auth/validate").json(&json!({ "token": secret })).bytes().repeat(EACH);
    let start = Barrier::new(CONNECTIONS);
    let good: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (mut wire, bytes, start) = (Wire::open(server.address()).unwrap(), &bytes, &start);
                scope.spawn(move || {
                    start.wait();
                    wire.send(bytes).unwrap();
                    (0..EACH).filter(|_| wire.answer(false).unwrap().status == 200).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(good, CONNECTIONS * EACH);
    let after = server.metrics();
    let (reads, hashes) =
        (after.candidate_reads() - before.candidate_reads(), after.slow_hashes() - before.slow_hashes());
    assert!((1..=3).contains(&reads), "{reads} reads");
    assert!((1..=3).contains(&hashes), "{hashes} slow hashes");
}

fn the_first_look_after_a_restart_hashes_nothing(backend: Backend) {
    let mut server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let secrets: Vec<String> = (0..10).map(|n| texts(&owner.create(&format!("{n}")), ["secret"])[0].clone()).collect();
    server.restart();
    let before = server.metrics();
    for secret in &secrets {
        assert!(server.anyone().is_valid(secret));
    }
    let after = server.metrics();
    assert_eq!(after.slow_hashes(), before.slow_hashes());
    assert_eq!(after.candidate_reads() - before.candidate_reads(), 10, "one read each");
}

fn a_lost_tag_key_costs_one_hash_a_token(backend: Backend) {
    let mut server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let [revoked_id, revoked] = texts(&owner.create("revoked"), ["id", "secret"]);
    owner.revoke(&revoked_id);
    let secrets: Vec<String> = (0..5).map(|n| texts(&owner.create(&format!("{n}")), ["secret"])[0].clone()).collect();
    server.stop();
    std::fs::remove_file(server.tag_key_file()).unwrap();
    server.serve();

    let before = server.metrics();
    for secret in &secrets {
        assert!(server.anyone().is_valid(secret) && server.anyone().is_valid(secret));
    }
    assert_eq!(server.metrics().slow_hashes() - before.slow_hashes(), 5, "one each");
    assert!(!server.anyone().is_valid(&revoked), "a lost key revives nothing");
    // The new tags are written in the background, which a clean stop finishes: the restart shows whether they were.
    server.restart();
    let before = server.metrics();
    for secret in &secrets {
        assert!(server.anyone().is_valid(secret));
    }
    assert_eq!(server.metrics().slow_hashes(), before.slow_hashes());
}

fn an_earlier_tag_key_still_proves(backend: Backend) {
    let mut server = Server::start(backend, Options::default().bcrypt());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    server.stop();
    let earlier = server.database.folder().join("earlier-key");
    std::fs::rename(server.tag_key_file(), &earlier).unwrap();
    let without = server.options.clone();
    server.options.set("keys.previous_tag_key_files", earlier.display());
    server.serve();
    let before = server.metrics();
    assert!(server.anyone().is_valid(&secret));
    assert_eq!(server.metrics().slow_hashes(), before.slow_hashes());
    // The tag was rewritten with the new key, so the earlier key is not needed any more.
    server.stop();
    server.options = without;
    server.serve();
    let before = server.metrics();
    assert!(server.anyone().is_valid(&secret));
    assert_eq!(server.metrics().slow_hashes(), before.slow_hashes());
}

fn a_row_is_brought_to_the_configured_scheme(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let [id, secret] = texts(&server.owner().create("a"), ["id", "secret"]);
    let stored = |server: &Server| {
        let facts = server.facts();
        facts.kept_token(facts.organization(Server::ORGANIZATION).id, &id).secret.secret_hash
    };
    assert!(!stored(&server).starts_with("$2"));
    for (scheme, cost, prefix) in [("bcrypt", 4, "$2b$04$"), ("bcrypt", 5, "$2b$05$"), ("argon2id", 5, "$argon2id$")] {
        server.stop();
        server.options.set("hashing.token_scheme", scheme);
        server.options.set("hashing.bcrypt_cost", cost);
        server.serve();
        assert!(server.anyone().is_valid(&secret));
        eventually("the new hash", || stored(&server).starts_with(prefix).then_some(()));
        // The new hash alone proves the token, because the tag's key is gone.
        server.stop();
        std::fs::remove_file(server.tag_key_file()).unwrap();
        server.serve();
        assert!(server.anyone().is_valid(&secret), "{prefix}");
    }
}

/// A token that was just cached as unknown must be valid as soon as it exists. That happens if a copy of the database
/// is asked about a token that another copy made.
fn a_token_that_was_unknown_is_good_once_made(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    let facts = server.facts();
    let organization = facts.organization(Server::ORGANIZATION).id;
    let mut new = facts.kept_token(organization, &id);
    drop(facts);

    let other = Server::start(backend, Options::default().with("keys.tag_key_file", server.tag_key_file().display()));
    assert!(!other.anyone().is_valid(&secret), "unknown, and remembered as unknown");
    let facts = other.facts();
    new.token.organization_id = facts.organization(Server::ORGANIZATION).id;
    facts.insert_token(new);
    other.owner().create("any other");
    assert!(other.anyone().is_valid(&secret), "a token was made since: nothing unknown is taken for granted");
}

fn a_spray_of_unknown_tokens_leaves_good_ones_alone(backend: Backend) {
    let options = Options::default().with("cache.negative_max_entries", 64).with("cache.max_bytes", 1_048_576);
    let server = Server::start(backend, options);
    let mut owner = server.owner();
    let secrets: Vec<String> = (0..20).map(|n| texts(&owner.create(&format!("{n}")), ["secret"])[0].clone()).collect();
    let mut caller = server.anyone();
    assert!(secrets.iter().all(|secret| caller.is_valid(secret)));
    let mut chance = Chance::seeded(3);
    for _ in 0..2_000 {
        assert!(!caller.is_valid(&unissued(&mut chance)));
    }
    let before = server.metrics();
    assert!(secrets.iter().all(|secret| caller.is_valid(secret)));
    let after = server.metrics();
    assert_eq!(after.candidate_reads(), before.candidate_reads(), "not one was pushed out");
    assert!(after.get("nolapse_cached_unknown") <= 64);
    assert_eq!(after.get("nolapse_cached_tokens"), 20);
}

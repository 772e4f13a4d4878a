//! Unknown tokens on many concurrent connections, against a cache that is full of valid ones.

use super::process::{peak, resident};
use super::{seeded, validation};
use crate::support::{Backend, Chance, Metrics, Options, Server, Wire, at_length, both, eventually};

both!(unknown_tokens_evict_no_valid_ones_and_take_little_memory);

/// Rounds of unknown tokens: in each, every connection sends a batch before any answer is read.
const ROUNDS: usize = 2;
/// The long version: 50 000 tokens, as many as the load goal has per second.
const ROUNDS_FULL: usize = 32;
const CONNECTIONS: usize = 32;
const BATCH: usize = 50;
/// The most unknown tokens that the server caches.
const REMEMBERED: u64 = 1_024;
/// The configured size of the cache in bytes: room for one token in each of its 256 shards.
const CACHE: usize = 4 << 20;
/// Valid tokens, more than the cache can hold.
const GOOD: usize = 1_500;
/// Valid tokens that are cached, and asked about meanwhile.
const KNOWN: usize = 40;
/// The additional memory that unknown tokens may take, in bytes.
const MORE_MEMORY: u64 = 48 << 20;

at_length!(|backend| strangers(backend, ROUNDS_FULL));

fn unknown_tokens_evict_no_valid_ones_and_take_little_memory(backend: Backend) {
    strangers(backend, ROUNDS);
}

fn strangers(backend: Backend, rounds: usize) {
    let options = Options::default().with("cache.negative_max_entries", REMEMBERED).with("cache.max_bytes", CACHE);
    let (server, good) = seeded::start(backend, GOOD, options);
    let known = fill(&server, &good);
    let (before, memory) = (server.metrics(), resident(&server));
    let mut chance = Chance::seeded(0x5707);
    let mut wires: Vec<Wire> = (0..CONNECTIONS).map(|_| Wire::open(server.address()).unwrap()).collect();
    for _ in 0..rounds {
        for wire in &mut wires {
            let asked: Vec<u8> = (0..BATCH).flat_map(|_| validation(&stranger(&mut chance))).collect();
            wire.send(&asked).unwrap();
        }
        assert!(are_good(&server, known), "good ones are answered meanwhile");
        for wire in &mut wires {
            for _ in 0..BATCH {
                assert_eq!(wire.answer(false).unwrap().expect(401)["valid"], false);
            }
        }
    }
    let (after, most) = (server.metrics(), peak(&server));
    let more = |name: &str| after.get(name) - before.get(name);
    let count = u64::try_from(rounds * CONNECTIONS * BATCH).unwrap();
    println!("{count} strangers; {memory} bytes before, at most {most}; {} tokens", after.get("nolapse_cached_tokens"));
    assert_eq!(after.candidate_reads() - before.candidate_reads(), count, "one for each, none for a good one");
    assert_eq!(more("nolapse_cache_evictions_total"), 0);
    for held in ["nolapse_cached_tokens", "nolapse_cached_bytes"] {
        assert_eq!(after.get(held), before.get(held), "{held}");
    }
    let remembered = after.get("nolapse_cached_unknown");
    assert!(remembered > 0 && remembered <= REMEMBERED, "{remembered} strangers remembered");
    assert!(most - memory < MORE_MEMORY, "{} bytes more", most - memory);
}

/// Asks about all tokens until some are evicted, and then about a few until they are cached; returns those few.
fn fill<'t>(server: &Server, good: &'t [String]) -> &'t [String] {
    assert!(are_good(server, good));
    assert!(evictions(&server.metrics()) > 0, "there is room left");
    let known = &good[..KNOWN];
    eventually("a few to be remembered", || {
        let before = server.metrics().candidate_reads();
        assert!(are_good(server, known));
        (server.metrics().candidate_reads() == before).then_some(known)
    })
}

fn are_good(server: &Server, tokens: &[String]) -> bool {
    let mut caller = server.anyone();
    tokens.iter().all(|secret| caller.is_valid(secret))
}

fn evictions(metrics: &Metrics) -> u64 {
    metrics.get("nolapse_cache_evictions_total")
}

/// A well-formed token that nobody issued.
fn stranger(chance: &mut Chance) -> String {
    let random = u128::from(chance.number()) << 64 | u128::from(chance.number());
    token_format::PlainToken::from_random(random.to_be_bytes()).expose().to_owned()
}

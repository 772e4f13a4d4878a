//! The memory for valid tokens is bounded whatever their scopes, measured as resident memory of the process and not by
//! its own accounting.

use super::process::{own, resident};
use super::{seeded, validation};
use crate::support::{Backend, Options, Wire, at_length, both};

both!(tokens_with_nothing_in_common_keep_to_the_memory_of_the_cache);

/// Tokens that take some ten kilobytes of memory each, together far more than allowed.
const TOKENS: usize = 6_000;
const TOKENS_FULL: usize = 30_000;
/// The configured size of the cache.
const CACHE: u64 = 8 << 20;
/// The memory that the process may take for the tokens. Memory outside of the accounting (usage not written yet,
/// buffers, the allocator's reserves) is less than three times the cache.
const MEMORY: u64 = 4 * CACHE;
/// SQLite's page caches: 8 MiB for each of two reading connections and one writing one.
const PAGES: u64 = 3 * (8 << 20);
const BATCH: usize = 50;

at_length!(|backend| wide(backend, TOKENS_FULL));

fn tokens_with_nothing_in_common_keep_to_the_memory_of_the_cache(backend: Backend) {
    wide(backend, TOKENS);
}

fn wide(backend: Backend, tokens: usize) {
    let options = Options::default().with("cache.max_bytes", CACHE);
    let (server, secrets) = seeded::start(backend, tokens, options);
    let mut caller = server.anyone();
    assert!(caller.is_valid(&secrets[0]));
    let (memory, before) = (own(&server), server.metrics());
    resident(&server);
    let mut wire = Wire::open(server.address()).unwrap();
    let (mut most, mut answered) = (0, 0);
    for part in secrets[1..].chunks(BATCH) {
        let asked: Vec<u8> = part.iter().flat_map(|secret| validation(secret)).collect();
        wire.send(&asked).unwrap();
        for _ in part {
            let answer = wire.answer(false).unwrap();
            assert_eq!(answer.expect(200)["valid"], true);
            answered += answer.body.len();
        }
        most = own(&server).max(most);
    }
    let after = server.metrics();
    let grown = most.saturating_sub(memory);
    let (cached, counted) = (after.get("nolapse_cached_tokens"), after.get("nolapse_cached_bytes"));
    println!("{memory} bytes before, at most {grown} more; {counted} counted for {cached} of {tokens} tokens");
    assert_eq!(after.candidate_reads() - before.candidate_reads(), u64::try_from(tokens).unwrap() - 1);
    assert!(counted <= CACHE && counted > CACHE / 4, "{counted} bytes counted");
    let allowed = MEMORY + if backend == Backend::Sqlite { PAGES } else { 0 };
    assert!(grown <= allowed, "{grown} bytes more");
    // The cache holds each token's answer and the names in it again: not all tokens fit at once.
    assert!(2 * u64::try_from(answered).unwrap() > allowed, "{answered} bytes of answers");
}

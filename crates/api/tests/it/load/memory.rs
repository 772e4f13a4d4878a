//! The memory for good tokens is bounded whatever they carry: resident bytes of the process, not its own account of them.

use super::process::{own, resident};
use super::{seeded, validation};
use crate::support::{Backend, Options, Wire, at_length, both};

both!(tokens_with_nothing_in_common_keep_to_the_memory_of_the_cache);

/// Tokens of some ten kilobytes in memory each; together far more than may be taken.
const TOKENS: usize = 6_000;
const TOKENS_FULL: usize = 30_000;
/// Memory for remembered tokens.
const CACHE: u64 = 8 << 20;
/// What the process may take for them in all: what is not counted (uses on their way into the database, buffers, what the
/// allocator keeps) comes to less than three times as much.
const MEMORY: u64 = 4 * CACHE;
/// What SQLite keeps of the file besides: 8 MiB for each connection, of which two read and one writes.
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
    // Of each token its answer is held, and the names in it once more: all at once would not have fitted.
    assert!(2 * u64::try_from(answered).unwrap() > allowed, "{answered} bytes of answers");
}

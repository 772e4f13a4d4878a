//! Benchmarks of a check: the keyed tag (with a kept and with a new key schedule, in one run), the look-up hint, and
//! each stored scheme at its default cost. `cargo bench -p secret-hash`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use secret_hash::{Argon2Params, Keyring, Scheme, TagKey, hash, lookup_hint, verify};
use sha2::{Digest, Sha256};
use token_format::PlainToken;

fn tags(c: &mut Criterion) {
    let token = PlainToken::from_random([7; 16]);
    let (current, previous) = (TagKey::from_bytes([1; 32]), TagKey::from_bytes([2; 32]));
    let ring = Keyring::new(&current, std::slice::from_ref(&previous)).expect("different keys");
    let old_ring = Keyring::new(&previous, &[]).expect("one key");
    let digest = ring.digest(&token);
    let (stored, stored_by_old) = (ring.seal(&digest), old_ring.seal(&old_ring.digest(&token)));

    c.bench_function("sha-256 of a token", |b| b.iter(|| Sha256::digest(black_box(&token).expose_bytes())));
    c.bench_function("digest", |b| b.iter(|| ring.digest(black_box(&token))));
    c.bench_function("digest, key schedule made anew", |b| {
        b.iter(|| {
            Hmac::<Sha256>::new_from_slice(black_box(&[1; 32]))
                .expect("any length is a key")
                .chain_update(black_box(&token).expose_bytes())
                .finalize()
        });
    });
    c.bench_function("check, current key", |b| b.iter(|| ring.check(black_box(&token), &digest, black_box(&stored))));
    c.bench_function("check, previous key", |b| {
        b.iter(|| ring.check(black_box(&token), &digest, black_box(&stored_by_old)));
    });
    c.bench_function("lookup_hint", |b| b.iter(|| lookup_hint(black_box(&token))));
}

fn schemes(c: &mut Criterion) {
    let token = PlainToken::from_random([7; 16]);
    let mut group = c.benchmark_group("verify");
    group.sample_size(10);
    for scheme in [Scheme::DEFAULT, Scheme::Argon2id(Argon2Params::DEFAULT), Scheme::Sha256] {
        let stored = hash(&token, &scheme, [3; 16]).expect("a scheme within bounds");
        group.bench_function(scheme.kind().as_str(), |b| b.iter(|| verify(black_box(&token), &stored)));
    }
    group.finish();
}

criterion_group!(benches, tags, schemes);
criterion_main!(benches);

//! What a check of scopes costs, with 1, 8 and 64 scopes required of a token that carries 64: from names as they come off
//! the wire, and from a requirement made at start, as the routes of this service have it. `cargo bench -p token-domain`

use std::fmt::Write;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use token_domain::ScopeCatalogue;
use token_domain::token::Kind;

/// Scopes the token carries; the most it can.
const GRANTED: usize = 64;
/// How many of them are required.
const REQUIRED: [usize; 3] = [1, 8, 64];

fn checks(c: &mut Criterion) {
    let names: Vec<String> = (0..GRANTED).map(|number| format!("part-{number}:read")).collect();
    let mut text = include_str!("../../../config/scopes.toml").to_owned();
    for name in &names {
        write!(text, "\n[[scope]]\nname = \"{name}\"\ndescription = \"For a benchmark.\"\ngroup = \"Benchmark\"\n")
            .expect("a String takes everything");
    }
    let catalogue = ScopeCatalogue::parse(&text).expect("a catalogue");
    let effective = catalogue.grant(&names, Kind::Organization).expect("scopes of the catalogue").effective();
    let mut by_name = c.benchmark_group("by name");
    for count in REQUIRED {
        let required = &names[..count];
        by_name.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| catalogue.require_all(black_box(required)).expect("known").check(black_box(&effective)).is_ok());
        });
    }
    by_name.finish();
    let mut prepared = c.benchmark_group("prepared");
    for count in REQUIRED {
        let requirement = catalogue.require_all(&names[..count]).expect("known");
        prepared.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| black_box(&requirement).check(black_box(&effective)).is_ok());
        });
    }
    prepared.finish();
}

criterion_group!(benches, checks);
criterion_main!(benches);

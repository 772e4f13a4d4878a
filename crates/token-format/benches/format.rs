//! Benchmarks of the format: parsing, checking, creating, and scanning text (with the same search by the `regex` crate
//! as the baseline of the same run). `cargo bench -p token-format`

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use regex::bytes::RegexBuilder;
use token_format::{PlainToken, pattern};

const TOKEN: &str = "nlp_00112233445566778899aabbccddeeff550c911c";

fn token(c: &mut Criterion) {
    let parsed = PlainToken::parse(TOKEN).expect("well-formed");
    let other = PlainToken::from_random([7; 16]);
    c.bench_function("parse", |b| b.iter(|| PlainToken::parse(black_box(TOKEN)).is_ok()));
    c.bench_function("checksum", |b| b.iter(|| black_box(&parsed).is_checksummed()));
    c.bench_function("crc-32 of 36 bytes", |b| b.iter(|| crc32fast::hash(black_box(&TOKEN.as_bytes()[..36]))));
    c.bench_function("from_random", |b| b.iter(|| PlainToken::from_random(black_box([0x5a; 16]))));
    c.bench_function("ct_eq", |b| b.iter(|| black_box(&parsed).ct_eq(black_box(&other))));
    c.bench_function("expose", |b| b.iter(|| black_box(&parsed).expose().len()));
}

/// 64 KiB of log lines, one in ten with a token.
fn log_text() -> String {
    let mut text = String::new();
    let mut line = 0;
    while text.len() < 64 << 10 {
        let credential = if line % 10 == 0 { TOKEN } else { "none" };
        writeln!(text, "2026-01-15T09:32:11Z INFO request={line:08} path=/v1/executions credential={credential}")
            .expect("a String takes everything");
        line += 1;
    }
    text
}

fn scan(c: &mut Criterion) {
    let text = log_text();
    let expression = RegexBuilder::new(pattern::WELL_FORMED).unicode(false).build().expect("a valid expression");
    let mut group = c.benchmark_group("scan 64 KiB of log");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("here, with checksums", |b| b.iter(|| pattern::scan(black_box(text.as_bytes())).count()));
    group.bench_function("regex crate", |b| b.iter(|| expression.find_iter(black_box(text.as_bytes())).count()));
    group.finish();
}

criterion_group!(benches, token, scan);
criterion_main!(benches);

//! Local development: dev, test, check, bench.

fn main() {}

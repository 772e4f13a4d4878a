//! What tests share: fixed clock, seeded entropy, a database per test, builders.

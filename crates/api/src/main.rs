//! The nolapse-api program.

fn main() {}

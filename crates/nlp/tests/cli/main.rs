//! Tests of the program as a process, against a real authority.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod book;
mod ci;
mod exits;
mod hooks;
mod scan;
mod screens;
mod signing_in;
mod support;
mod tokens;

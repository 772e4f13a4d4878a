//! The edge over real sockets: what it answers, what it refuses, how it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

mod life;
mod malformed;
mod server;
mod wire;

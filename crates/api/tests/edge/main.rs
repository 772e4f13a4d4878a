//! The edge over real sockets: what it answers, what it refuses, how it ends.

mod life;
mod malformed;
mod server;
mod wire;

//! The one middleware of the server. Every request goes through [`guard::guard`]; all but those on hot routes take the
//! longer way through `watched`, with a span, a log line, metrics by route, CORS and security headers.
//!
//! One wrap rather than one for each concern: each costs a hot route 1 to 6 % of its time, and what they do depends on one
//! another (a panic must be logged under the id and counted under its route).

pub mod guard;

mod chunked;
mod finish;
mod settle;
mod watched;

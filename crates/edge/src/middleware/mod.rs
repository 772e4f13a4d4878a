//! The only middleware of the server. Every request goes through [`guard::guard`]; all but those on hot routes also go
//! through `watched`, with a span, a log line, metrics by route, CORS and security headers.
//!
//! One middleware rather than one for each concern: each costs a hot route 1 to 6 % of its time, and they depend on
//! each other (a panic must be logged under the request's id and counted under its route).

pub mod guard;

mod chunked;
mod finish;
mod settle;
mod watched;

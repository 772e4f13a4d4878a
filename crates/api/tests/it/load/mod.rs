//! Bad input under load: connections that say nothing, drip or read nothing, tokens that nobody issued, a thousand misses of
//! one token, more misses than there are places, tokens whose answers have nothing in common.
//!
//! What they may take is bounded and comes back; others are answered meanwhile. Counted in connections, bytes, reads and
//! entries of the server's process, never in time.

mod crowd;
mod memory;
mod misses;
mod process;
mod seeded;
mod strangers;

use crate::support::Request;

fn validation(token: &str) -> Vec<u8> {
    Request::new("POST", "/v1/auth/validate").json(&serde_json::json!({ "token": token })).bytes()
}

//! Hostile load: connections that send nothing, drip or read nothing, tokens that nobody issued, a thousand misses of
//! one token, more misses than places, tokens whose answers have nothing in common.
//!
//! The resources that each takes are bounded and released, and other clients are answered meanwhile. The tests measure
//! connections, bytes, reads and cache entries of the server's process, never time.

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

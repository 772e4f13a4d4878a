//! The token policy of an organisation on the wire, and the notice that a token is about to end.

mod ending;
mod rules;

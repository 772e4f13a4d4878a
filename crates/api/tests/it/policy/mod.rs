//! The token policy of an organisation in the API, and the notice that a token is about to end.

mod ending;
mod rules;

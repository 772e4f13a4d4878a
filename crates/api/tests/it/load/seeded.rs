//! A server with many tokens whose answers have nothing in common: each has its own set of scopes with long names, so
//! that cache entries share no memory and take several kilobytes each.

use std::fmt::Write as _;

use crate::support::{Backend, Database, Options, Server};

/// Scopes of every token.
const COMMON: usize = 34;
/// Pairs of scopes; every token has one scope of each pair, which encode its number in binary.
const PAIRS: usize = 15;
/// The approximate number of characters in a scope's name.
const LONG: usize = 100;

/// Starts a server with this number of such tokens; returns their secrets.
pub(super) fn start(backend: Backend, tokens: usize, options: Options) -> (Server, Vec<String>) {
    assert!(tokens <= 1 << PAIRS, "more tokens than sets of scopes");
    let database = Database::new(backend);
    let catalogue = database.folder().join("wide.toml");
    std::fs::write(&catalogue, wide()).unwrap();
    let mut server = Server::start_on(database, options.with("scopes.additions", catalogue.display()));
    server.stop();
    let key = std::fs::read_to_string(server.tag_key_file()).unwrap();
    let secrets = server.facts().seed_tokens(key.trim(), tokens);
    server.facts().give_each_token(granted);
    server.serve();
    (server, secrets)
}

/// The catalogue additions with these scopes.
fn wide() -> String {
    let mut text = String::new();
    for name in (0..COMMON).map(common).chain((0..PAIRS).flat_map(|bit| [one_of(bit, false), one_of(bit, true)])) {
        write!(text, "[[scope]]\nname = \"{name}\"\ndescription = \"Nothing.\"\ngroup = \"Wide\"\n\n").unwrap();
    }
    text
}

/// The scopes of the token with this number, in the format of the database.
fn granted(number: usize) -> String {
    let own = (0..PAIRS).map(|bit| one_of(bit, number >> bit & 1 == 1));
    (0..COMMON).map(common).chain(own).collect::<Vec<_>>().join(" ")
}

fn common(number: usize) -> String {
    format!("wide-{number}-{}", "x".repeat(LONG))
}

fn one_of(bit: usize, set: bool) -> String {
    format!("wide-{}-{bit}-{}", if set { "yes" } else { "no" }, "x".repeat(LONG))
}

//! Many servers on one PostgreSQL database.

mod alerts;
mod limits;
mod list;
mod promise;
mod redis;
mod relaxed;
mod selftest;
mod trouble;

use crate::support::{Backend, Client, Options, Server, texts};

/// Starts `count` servers on one database.
fn cluster(count: usize, options: &Options) -> Vec<Server> {
    let first = Server::start(Backend::PostgreSql, options.clone());
    let others: Vec<Server> = (1..count).map(|_| first.beside(options.clone())).collect();
    std::iter::once(first).chain(others).collect()
}

/// Makes a token that every server has in its cache; returns its id and its secret.
#[track_caller]
fn known_everywhere(owner: &mut Client, servers: &[Server]) -> (String, String) {
    let [id, secret] = texts(&owner.create("known"), ["id", "secret"]);
    for server in servers {
        let mut anyone = server.anyone();
        assert!(anyone.is_valid(&secret), "a token that was made is good on every node at once");
        assert!(anyone.is_valid(&secret));
    }
    (id, secret)
}

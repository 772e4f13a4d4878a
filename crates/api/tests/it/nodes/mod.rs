//! Many servers on one PostgreSQL database.

mod list;
mod promise;
mod relaxed;
mod trouble;

use crate::support::{Backend, Client, Options, Server, texts};

/// A server, and others beside it on the same database.
fn cluster(count: usize, options: &Options) -> Vec<Server> {
    let first = Server::start(Backend::PostgreSql, options.clone());
    let others: Vec<Server> = (1..count).map(|_| first.beside(options.clone())).collect();
    std::iter::once(first).chain(others).collect()
}

/// A token that every server remembers as good: its id and its secret.
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

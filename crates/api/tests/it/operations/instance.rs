//! With SQLite, a single process serves the database: a second one refuses, says why, and leaves the first alone. Servers that share a
//! PostgreSQL database are in `nodes`.

use crate::support::{Backend, Options, Server, both, texts};

both!(the_next_server_takes_over_after_a_stop, the_next_server_takes_over_after_a_crash);

#[test]
fn a_second_server_refuses_to_start_on_a_file() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create("a"), ["secret"]);
    let second = server.command(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = second.fails(1);
    assert!(said.contains("another process") && said.contains("is using this database"), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("nolapse-api: ")).collect();
    assert_eq!(lines.len(), 1, "one line that says what to do: {said}");
    assert_eq!(second.out, "", "it never said that it listens");
    assert!(owner.is_valid(&secret));
    owner.create("and the first one still writes");
}

#[test]
fn commands_that_write_refuse_while_a_file_is_served() {
    let server = Server::start(Backend::Sqlite, Options::default().unset_up());
    let refused = server.set_up();
    assert!(refused.fails(1).contains("is using this database"), "{refused:?}");
    assert_eq!(refused.out, "");
}

#[test]
fn commands_that_write_work_beside_the_servers_of_a_shared_database() {
    let server = Server::start(Backend::PostgreSql, Options::default().unset_up());
    server.anyone().get("/v1/me").fails(503, "not set up");
    server.set_up().succeeds();
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    assert!(server.anyone().is_valid(&secret));
}

fn the_next_server_takes_over_after_a_stop(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    for _ in 0..3 {
        server.restart();
        assert!(server.anyone().is_valid(&secret));
    }
}

fn the_next_server_takes_over_after_a_crash(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    server.kill();
    server.serve();
    assert!(server.anyone().is_valid(&secret));
}

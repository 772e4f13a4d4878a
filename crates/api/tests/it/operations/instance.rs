//! One process serves a database: a second one refuses, says why, and leaves the first alone.

use crate::support::{Backend, Options, Server, both, texts};

both!(
    a_second_server_refuses_to_start,
    commands_that_write_refuse_while_it_is_served,
    the_next_server_takes_over_after_a_stop,
    the_next_server_takes_over_after_a_crash,
);

fn a_second_server_refuses_to_start(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create("a"), ["secret"]);
    let second = server.command(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = second.fails(1);
    assert!(said.contains("another process") && said.contains("serves this database"), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("nolapse-api: ")).collect();
    assert_eq!(lines.len(), 1, "one line that says what to do: {said}");
    assert_eq!(second.out, "", "it never said that it listens");
    assert!(owner.is_valid(&secret));
    owner.create("and the first one still writes");
}

fn commands_that_write_refuse_while_it_is_served(backend: Backend) {
    let server = Server::start(backend, Options::default().unset_up());
    let refused = server.set_up();
    assert!(refused.fails(1).contains("serves this database"), "{refused:?}");
    assert_eq!(refused.out, "");
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

//! Disturbances from outside: signals, a log without a reader, moved files, a stop with a full backlog.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, thread};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Backend, Build, Metrics, Options, Request, Server, Wire, eventually, texts};

#[test]
fn an_unread_log_blocks_no_request() {
    let mut server = Server::start(Backend::Sqlite, Options::default().with_unread_log());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let mut anyone = server.anyone();
    // A pipe takes 64 KiB; each of these is a line of some 200 bytes.
    for _ in 0..1_000 {
        assert_eq!(anyone.get("/v1/scopes/catalog").status, 200);
    }
    assert!(anyone.is_valid(&secret));
    assert_eq!(anyone.get("/health").status, 200);
    assert!(anyone.get("/metrics").text().contains("nolapse_log_dropped_total"));
    server.stop();
}

#[test]
fn signals_that_ask_for_something_else_do_not_end_it() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    server.stop();
    let file = server.database.folder().join("service-token");
    let [first, second] = ["a", "b"].map(|letter| letter.repeat(40));
    fs::write(&file, &first).unwrap();
    server.options.set("sessions.service_token_file", file.display());
    server.serve();
    let body = json!({ "email": Server::OWNER, "organization": Server::ORGANIZATION });
    let status = |token: &str| server.caller(token).post("/v1/sessions/create", &body).status;
    assert_eq!((status(&first), status(&second)), (201, 401));
    fs::write(&file, &second).unwrap();
    server.signal(Signal::HUP);
    eventually("the new service token", || (status(&second) == 201).then_some(()));
    assert_eq!(status(&first), 401, "the old one counts no longer");
    // A file with an error changes nothing.
    fs::write(&file, "short").unwrap();
    server.signal(Signal::HUP);
    server.says(&["SIGHUP: the configuration has errors"]);
    assert_eq!(status(&second), 201);
    server.stop();
}

#[test]
fn no_signal_that_can_be_caught_ends_it_but_those_that_ask_for_a_stop() {
    let mut server = Server::start(Backend::Sqlite, Options::default().with("usage.flush_interval_seconds", 10));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    for signal in [
        Signal::HUP,
        Signal::USR1,
        Signal::USR2,
        Signal::PIPE,
        Signal::ALARM,
        Signal::STKFLT,
        Signal::CHILD,
        Signal::CONT,
        Signal::TSTP,
        Signal::TTIN,
        Signal::TTOU,
        Signal::STOP,
        Signal::URG,
        Signal::XCPU,
        Signal::XFSZ,
        Signal::VTALARM,
        Signal::PROF,
        Signal::WINCH,
        Signal::IO,
        Signal::POWER,
    ] {
        server.signal(signal);
        // The signal may have suspended the process.
        server.signal(Signal::CONT);
        assert!(server.anyone().is_valid(&secret), "{signal:?}");
    }
    // `Signal` has no names for real-time signals, so the command `kill` sends them.
    for number in 34..=64 {
        let sent = Command::new("kill").arg(format!("-{number}")).arg(server.process().to_string()).status().unwrap();
        assert!(sent.success() && server.anyone().is_valid(&secret), "{number}");
    }
    server.signal(Signal::QUIT);
    server.ended();
    let facts = server.facts();
    let organization = facts.organization(Server::ORGANIZATION).id;
    assert!(facts.token(organization, &id).unwrap().last_used_at.is_some(), "an order to quit loses no uses");
}

#[test]
fn a_tag_key_that_changed_is_told_at_a_hang_up_and_not_taken() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let hang_up = || server.signal(Signal::HUP);
    fs::write(server.tag_key_file(), "ab".repeat(32)).unwrap();
    hang_up();
    server.says(&["the current one is not in keys.previous_tag_keys"]);
    fs::remove_file(server.tag_key_file()).unwrap();
    hang_up();
    server.says(&["the tag key cannot be read any more"]);
    assert!(!server.tag_key_file().exists(), "none is made in its place");
    assert!(server.anyone().is_valid(&secret));
}

#[test]
fn a_database_file_that_is_moved_is_missed_and_one_that_is_replaced_ends_the_server() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create("a"), ["secret"]);
    let (file, aside) = (server.database.file(), server.database.folder().join("aside.db"));
    let failing = |server: &Server| {
        let answer = server.anyone().get("/ready");
        if answer.status == 200 { String::new() } else { answer.json()["failing"].to_string() }
    };
    assert_eq!(failing(&server), "");
    fs::rename(&file, &aside).unwrap();
    eventually("readiness to name the lease", || failing(&server).contains("lease").then_some(()));
    let refused = owner.post("/v1/tokens", &json!({"name": "lost", "scopes": ["execute"]}));
    refused.fails(503, "unavailable");
    assert!(failing(&server).contains("disk"));
    fs::rename(&aside, &file).unwrap();
    eventually("readiness", || failing(&server).is_empty().then_some(()));
    owner.create("and it goes on");
    assert!(owner.is_valid(&secret));

    // As a whole: first the file away, and back last, so that it is never seen without its log.
    let moved = ["", "-wal", "-shm"].map(|suffix| {
        let [here, there] = [&file, &aside].map(|path| PathBuf::from(format!("{}{suffix}", path.display())));
        fs::rename(&here, &there).unwrap();
        (here, there)
    });
    eventually("readiness to name the lease", || failing(&server).contains("lease").then_some(()));
    for (here, there) in moved.iter().rev() {
        fs::rename(there, here).unwrap();
    }
    eventually("readiness", || failing(&server).is_empty().then_some(()));
    owner.create("and it goes on again");

    fs::copy(&file, &aside).unwrap();
    fs::rename(&aside, &file).unwrap();
    assert_eq!(server.exit_code(), Some(1), "a supervisor starts it again");
    assert!(server.log().contains("was replaced"), "{}", server.log());
}

#[test]
fn a_log_that_is_removed_ends_the_server_and_loses_nothing() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let mut secrets = Vec::new();
    for removed in [&["-wal", "-shm"][..], &["-wal"], &["-shm"]] {
        for n in 0..3 {
            secrets.extend(texts(&server.owner().create(&format!("{removed:?} {n}")), ["secret"]));
        }
        let earlier = server.log().len();
        for suffix in removed {
            fs::remove_file(format!("{}{suffix}", server.database.file().display())).unwrap();
        }
        assert_eq!(server.exit_code(), Some(1), "a supervisor starts it again");
        assert!(server.log()[earlier..].contains("was removed or replaced"), "{}", server.log());
        server.serve();
        for secret in &secrets {
            assert!(server.anyone().is_valid(secret), "an acknowledged token was lost with {removed:?}");
        }
    }
}

/// A running server whose database was overwritten with an earlier copy; the paths of both.
fn overwritten() -> (Server, PathBuf, PathBuf) {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    server.stop();
    let (file, copy) = (server.database.file(), server.database.folder().join("copy.db"));
    fs::copy(&file, &copy).unwrap();
    server.serve();
    fs::copy(&copy, &file).unwrap();
    (server, file, copy)
}

#[test]
fn a_copy_that_is_written_over_the_file_in_use_ends_the_server() {
    let (mut server, file, copy) = overwritten();
    assert_eq!(server.exit_code(), Some(1));
    assert!(server.log().contains("was overwritten"), "{}", server.log());

    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", file.display()));
    let refused = |server: &mut Server| {
        assert_eq!(server.try_serve().unwrap_err().code(), Some(1), "as a supervisor starts it again");
        assert!(server.log_since_start().contains(".overwritten"), "{}", server.log_since_start());
    };
    refused(&mut server);
    let target = beside(".copy");
    for command in [
        &["migrate", "up"][..],
        &["backup", target.to_str().unwrap()],
        &["organization", "disable", "--org", Server::ORGANIZATION],
        &["person", "disable", "--email", Server::OWNER],
    ] {
        let said = server.command(command, "");
        assert!(said.fails(1).contains(".overwritten"), "{command:?}: {said:?}");
    }
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(suffix));
    }
    refused(&mut server);
    fs::copy(&copy, &file).unwrap();
    fs::remove_file(beside(".overwritten")).unwrap();
    server.serve();
    server.owner().create("and it goes on");
}

#[test]
fn a_stop_right_after_the_file_was_overwritten_does_not_hide_it() {
    let (mut server, ..) = overwritten();
    server.terminate();
    server.exit_code();
    assert_eq!(server.try_serve().unwrap_err().code(), Some(1));
    assert!(server.log_since_start().contains(".overwritten"), "{}", server.log_since_start());
}

#[test]
fn a_backup_that_is_killed_leaves_no_copy_and_the_next_one_is_whole() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let folder = tempfile::tempdir().unwrap();
    let (copy, part) = (folder.path().join("copy.db"), folder.path().join("copy.db.part"));
    // The kernel kills a process that makes a file longer than this many half kilobytes.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -c 0; ulimit -f 200; exec \"$0\" backup \"$1\""]);
    limited.arg(Build::Any.path()).arg(&copy).env("NOLAPSE__DATABASE__URL", server.database.url());
    let killed = limited.output().unwrap();
    assert_eq!(killed.status.signal(), Some(Signal::XFSZ.as_raw()), "{killed:?}");
    assert!(part.exists() && !copy.exists());
    server.command(&["backup", copy.to_str().unwrap()], "").succeeds();
    assert!(!part.exists());
    assert!(fs::metadata(&copy).unwrap().len() > 100 * 1024);
}

#[test]
fn a_write_by_another_program_empties_the_cache_once() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let mut owner = server.owner();
    let [id, revoked] = texts(&owner.create("a"), ["id", "secret"]);
    let [kept] = texts(&owner.create("b"), ["secret"]);
    let mut anyone = server.anyone();
    assert!(anyone.is_valid(&revoked) && anyone.is_valid(&kept));
    let before = server.metrics();
    server.facts().revoke(&id);
    eventually("the commit to be noticed", || (!server.anyone().is_valid(&revoked)).then_some(()));
    let noticed = server.metrics();
    assert!((0..10).all(|_| anyone.is_valid(&kept)));
    let after = server.metrics();
    assert_eq!(after.candidate_reads() - noticed.candidate_reads(), 1, "read once, and remembered again");
    let count = |metrics: &Metrics| metrics.get("nolapse_foreign_commits_total");
    assert_eq!(count(&after) - count(&before), 1);
}

#[test]
fn the_backlog_is_served_before_the_socket_closes() {
    let options = Options::default().with("server.workers", 1).with("server.max_connections", 1);
    let mut server = Server::start(Backend::Sqlite, options);
    let request = Request::new("GET", "/health");
    // The server accepts one connection; the others wait in the backlog.
    let mut taken = Wire::open(server.address()).unwrap();
    assert_eq!(taken.ask(&request).unwrap().status, 200);
    let mut waiting: Vec<Wire> = (0..20).map(|_| Wire::open(server.address()).unwrap()).collect();
    for wire in &mut waiting {
        wire.send(&request.bytes()).unwrap();
    }
    server.terminate();
    for wire in &mut waiting {
        let answer = wire.answer(false).expect("an answer, not a reset");
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    }
    drop(taken);
    server.ended();
}

/// The workers are idle and end at once; connections in the backlog are served nevertheless.
#[test]
fn a_slow_client_from_the_backlog_is_served_to_the_end() {
    let options = Options::default().with("server.workers", 1).with("server.max_connections", 1);
    let mut server = Server::start(Backend::Sqlite, options);
    let request = Request::new("GET", "/health").bytes();
    let (first, rest) = request.split_at(request.len() / 2);
    let mut taken = Wire::open(server.address()).unwrap();
    let mut waiting: Vec<Wire> = (0..5).map(|_| Wire::open(server.address()).unwrap()).collect();
    for wire in waiting.iter_mut().chain([&mut taken]) {
        wire.send(first).unwrap();
    }
    server.terminate();
    server.says(&["no new connections"]);
    taken.send(rest).unwrap();
    assert_eq!(taken.answer(false).unwrap().status, 200);
    drop(taken);
    // Longer than the workers take to end.
    thread::sleep(Duration::from_millis(1_500));
    for wire in &mut waiting {
        wire.send(rest).unwrap();
        assert_eq!(wire.answer(false).expect("an answer, not a reset").status, 200);
    }
    server.ended();
}

/// Like `systemctl restart` with a socket unit: the socket outlives the process.
#[test]
fn a_restart_with_a_socket_that_is_handed_over_fails_no_request() {
    let socket = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let address = socket.local_addr().unwrap();
    let mut server = Server::start(Backend::Sqlite, Options::default().listening_on(Arc::clone(&socket)));
    assert_eq!(server.address(), address);
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let (stop, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    let failed: Vec<String> = thread::scope(|scope| {
        let ask = || {
            let request = Request::new("POST", "/v1/auth/validate").json(&json!({ "token": secret }));
            let mut failed = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                match Wire::open(address).and_then(|mut wire| wire.ask(&request)) {
                    Ok(answer) if answer.status == 200 => {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    other => failed.push(format!("{other:?}")),
                }
            }
            failed
        };
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        for _ in 0..3 {
            let before = answered.load(Ordering::Relaxed);
            eventually("requests", || (answered.load(Ordering::Relaxed) > before + 50).then_some(()));
            server.restart();
        }
        let before = answered.load(Ordering::Relaxed);
        eventually("requests", || (answered.load(Ordering::Relaxed) > before + 50).then_some(()));
        stop.store(true, Ordering::Relaxed);
        asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
    });
    assert_eq!(failed, Vec::<String>::new());
}

//! `nolapse-api selftest`: against nodes that keep their promise, and against servers that break it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::cluster;
use crate::support::{Backend, Finished, Options, Server, eventually, finish, program, texts};

const ID: &str = "tok_00000000000000000000000000";

/// A server that takes every request, and answers as it was made to.
struct Fake {
    address: String,
    /// The request lines it got.
    got: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `answer` gets the request line and how many requests with the same one came before.
    fn start(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (got, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(answer));
        let kept = Arc::clone(&got);
        spawn(move || {
            for stream in listener.incoming() {
                let (got, answer) = (Arc::clone(&got), Arc::clone(&answer));
                spawn(move || serve(&stream.unwrap(), &got, &*answer));
            }
        });
        Self { address, got: kept }
    }

    fn count(&self, line: &str) -> usize {
        self.got.lock().unwrap().iter().filter(|got| got.starts_with(line)).count()
    }
}

/// Answers one request and closes the connection.
fn serve(mut stream: &TcpStream, got: &Mutex<Vec<String>>, answer: &dyn Fn(&str, usize) -> (u16, String)) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let first = first.trim_end_matches(" HTTP/1.1\r\n").to_owned();
    let before = {
        let mut got = got.lock().unwrap();
        let before = got.iter().filter(|line| **line == first).count();
        got.push(first.clone());
        before
    };
    let (status, body) = answer(&first, before);
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    // A client that was interrupted has gone.
    let _ = write!(stream, "HTTP/1.1 {status} Said\r\nconnection: close\r\n{length}\r\n{body}");
}

/// What a node answers that accepts a token until it is revoked.
fn well_behaved(line: &str, valid: bool) -> (u16, String) {
    match line.split(' ').next().unwrap() {
        "DELETE" => (204, String::new()),
        _ if line.ends_with("/v1/tokens") => (201, json!({ "id": ID, "secret": "nlp_s" }).to_string()),
        _ if valid => (200, r#"{"valid":true}"#.to_owned()),
        _ => (401, r#"{"valid":false,"error":"invalid token"}"#.to_owned()),
    }
}

fn command(arguments: &[&str], token: &str) -> Command {
    let mut command = program(&[("NOLAPSE_TOKEN".to_owned(), token.to_owned())]);
    command.arg("selftest").args(arguments);
    command
}

fn selftest(nodes: &[String], token: &str) -> Finished {
    finish(command(&["--nodes", &nodes.join(","), "--rounds", "7"], token), "")
}

/// A token that may do what the test needs.
fn credential(server: &Server) -> String {
    let [secret] = texts(&server.owner().create_with("operator", &["tokens:manage", "read"]), ["secret"]);
    secret
}

#[track_caller]
fn passes(servers: &[Server]) {
    let addresses: Vec<String> = servers.iter().map(|server| format!("http://{}", server.address())).collect();
    let said = selftest(&addresses, &credential(&servers[0]));
    let text = said.succeeds();
    for address in &addresses {
        let row: Vec<_> = text.lines().find(|line| line.starts_with(address)).unwrap().split_whitespace().collect();
        assert_eq!((row.len(), row.last()), (14, Some(&"0")), "{text}");
    }
    assert!(text.contains("a new token is valid after") && text.contains("a revocation is answered after"), "{text}");
    assert!(!said.err.contains("round"), "progress is for terminals: {}", said.err);
    let listed = servers[0].owner().get("/v1/tokens?status=active");
    let listed = listed.expect(200)["tokens"].to_string();
    assert!(listed.contains("operator") && !listed.contains("selftest"), "{listed}");
}

#[test]
fn nodes_that_keep_their_promise_pass() {
    passes(&cluster(2, &Options::default()));
}

#[test]
fn one_server_on_sqlite_passes() {
    passes(&[Server::start(Backend::Sqlite, Options::default())]);
}

#[test]
fn a_node_that_goes_on_accepting_a_revoked_token_is_caught() {
    let is_revoked = Arc::new(AtomicBool::new(false));
    let node = |says_valid_for_ever: bool| {
        let is_revoked = Arc::clone(&is_revoked);
        Fake::start(move |line, _| {
            match line.split_once(' ').unwrap() {
                ("DELETE", _) => is_revoked.store(true, Ordering::SeqCst),
                (_, "/v1/tokens") => is_revoked.store(false, Ordering::SeqCst),
                _ => {}
            }
            well_behaved(line, says_valid_for_ever || !is_revoked.load(Ordering::SeqCst))
        })
    };
    let (good, bad) = (node(false), node(true));
    let said = selftest(&[good.address.clone(), bad.address.clone()], "nlp_x");
    assert!(said.fails(1).contains("times: 7") && said.err.contains("cluster.consistency"), "{said:?}");
    let last = |address: &str| {
        said.out.lines().find(|line| line.starts_with(address)).unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!((last(&good.address).as_str(), last(&bad.address).as_str()), ("0", "7"), "{}", said.out);
}

#[test]
fn what_keeps_the_test_from_running_is_said_with_the_node() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let here = format!("http://{}", server.address());
    let [reader] = texts(&server.owner().create_with("reader", &["read"]), ["secret"]);
    let nowhere = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let page = Fake::start(|_, _| (404, "<html>".to_owned()));
    let rows: [(&str, &str, &[&str]); 4] = [
        (&here, "nlp_00112233445566778899aabbccddeeff550c911c", &[&here, "NOLAPSE_TOKEN"]),
        (&here, &reader, &[&here, "tokens:manage"]),
        (&nowhere, &reader, &[&nowhere, "check its address"]),
        (&page.address, &reader, &[&page.address, "404"]),
    ];
    for (node, token, parts) in rows {
        let said = selftest(&[node.to_owned()], token);
        let error = said.fails(1);
        assert!(parts.iter().all(|part| error.contains(part)) && !error.contains(token), "{error}");
    }
    let said = finish(command(&["--nodes", &here], ""), "");
    assert!(said.fails(1).contains("--token-file"), "{said:?}");
    for wrong in [&["--nodes", "localhost:8080"][..], &["--nodes", &here, "--rounds", "0"], &[]] {
        finish(command(wrong, "nlp_x"), "").fails(2);
    }
    // The credential from standard input.
    let piped = finish(command(&["--nodes", &here, "--rounds", "1", "--token-file", "-"], ""), &credential(&server));
    piped.succeeds();
}

#[test]
fn nothing_is_left_behind_by_a_failure() {
    // It answers a creation with 500 although there is a token now, as a proxy may.
    let fake = Fake::start(|line, before| match (line, before) {
        ("POST /v1/tokens", 0) => (500, "{}".to_owned()),
        ("POST /v1/tokens", _) => (409, json!({ "id": ID }).to_string()),
        _ => well_behaved(line, true),
    });
    assert!(selftest(std::slice::from_ref(&fake.address), "nlp_x").fails(1).contains("500"));
    assert_eq!(fake.count(&format!("DELETE /v1/tokens/{ID}")), 1);

    // A node fails after the creation.
    let broken =
        Fake::start(
            |line, _| if line.ends_with("/validate") { (503, "{}".to_owned()) } else { well_behaved(line, true) },
        );
    assert!(selftest(std::slice::from_ref(&broken.address), "nlp_x").fails(1).contains("/ready"));
    assert_eq!(broken.count("DELETE"), 1);

    // The node to revoke at fails: another one does it.
    let fails = Fake::start(
        |line, _| if line.starts_with("DELETE") { (503, "{}".to_owned()) } else { well_behaved(line, true) },
    );
    let takes = Fake::start(|line, _| well_behaved(line, true));
    let said = selftest(&[takes.address.clone(), fails.address.clone()], "nlp_x");
    assert!(said.fails(1).contains("the token of the test is revoked"), "{said:?}");
    assert_eq!(takes.count("DELETE"), 1);
}

#[test]
fn an_interrupted_test_revokes_its_token() {
    // It never accepts the token, so that the test waits.
    let fake = Fake::start(|line, _| well_behaved(line, false));
    let mut command = command(&["--nodes", &fake.address], "nlp_x");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the test waits for the node", || (fake.count("POST /v1/auth/validate") > 0).then_some(()));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("interrupted"), "{error}");
    assert_eq!((fake.count("POST /v1/tokens"), fake.count("DELETE")), (1, 1));
}

//! Time, failure and stopping: deadlines, isolation, readiness, drain, CORS, metrics.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flate2::read::GzDecoder;

use edge::app::Insight;
use edge::listen::Listen;
use edge::parts::Transport;

use crate::server::{EdgeServer, Ground};
use crate::wire::{Answer, Wire};

const SECOND: Duration = Duration::from_secs(1);

/// Sets the deadline of requests to one second.
fn hurried(ground: &mut Ground) {
    ground.limits.deadline = SECOND;
}

fn get(server: &EdgeServer, path: &str, headers: &str) -> Answer {
    let mut wire = Wire::open(server.address);
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n{headers}\r\n").as_bytes());
    wire.answer(false).unwrap()
}

#[test]
fn a_body_that_does_not_arrive_is_answered_408_and_the_connection_ends() {
    let server = EdgeServer::start(hurried);
    for path in ["/echo", "/hot"] {
        for framing in ["Content-Length: 20\r\n\r\n{\"na", "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"n\r\n"] {
            let mut wire = Wire::open(server.address);
            wire.send(format!("POST {path} HTTP/1.1\r\nHost: t\r\n{framing}").as_bytes());
            let answer = wire.answer(false).unwrap();
            assert_eq!(answer.status, 408, "{path} {framing}");
            assert_eq!(
                answer.text(),
                r#"{"error":"request timeout","message":"Send the whole body faster. The connection was closed.","statusCode":408}"#
            );
            assert!(answer.header("x-request-id").is_some());
            assert!(wire.ends());
        }
    }
}

#[test]
fn a_body_that_drips_does_not_keep_its_connection() {
    let server = EdgeServer::start(hurried);
    let mut wire = Wire::open(server.address);
    wire.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n");
    let mut dripping = wire.clone();
    // The client sends a byte at a time until the server closes the connection; 60 000 bytes would be left.
    let drip = std::thread::spawn(move || {
        for sent in 0..60_000 {
            if !dripping.send(b" ") {
                return sent;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        60_000
    });
    assert_eq!(wire.answer(false).unwrap().status, 408);
    assert!(drip.join().unwrap() < 60_000);
}

#[test]
fn a_handler_that_does_not_end_is_ended() {
    let server = EdgeServer::start(hurried);
    let mut wire = Wire::open(server.address);
    wire.send(b"GET /sleep HTTP/1.1\r\nHost: t\r\nX-Request-ID: slow-1\r\n\r\n");
    let answer = wire.answer(false).unwrap();
    assert_eq!((answer.status, answer.header("x-request-id")), (503, Some("slow-1")));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(answer.text().starts_with(r#"{"error":"unavailable","#), "{}", answer.text());
    assert!(wire.ends());
    assert!(get(&server, "/metrics", "").text().contains("nolapse_http_overdue_total 1"));
}

#[test]
fn a_head_that_does_not_arrive_is_refused() {
    let server = EdgeServer::start(|ground| ground.settings.head_deadline = SECOND);
    let mut wire = Wire::open(server.address);
    wire.send(b"GET /health HTTP/1.1\r\nHost: t\r\n");
    assert_eq!(wire.answer(false).unwrap().status, 408);
    assert!(wire.ends());
}

#[test]
fn a_later_head_that_does_not_arrive_ends_the_connection() {
    let server = EdgeServer::start(|ground| {
        hurried(ground);
        ground.settings.head_deadline = SECOND;
        ground.settings.keep_alive = SECOND;
    });
    let whole = "GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
    for (with_the_first, after_it) in [("", "GET /hea"), ("GET /hea", ""), ("GET /hea", "lth")] {
        let mut wire = Wire::open(server.address);
        wire.send(format!("{whole}{with_the_first}").as_bytes());
        assert_eq!(wire.answer(false).unwrap().status, 200);
        wire.send(after_it.as_bytes());
        assert!(wire.ends(), "{with_the_first:?} {after_it:?}");
    }
}

#[test]
fn an_unread_chunked_body_does_not_hold_its_connection() {
    let server = EdgeServer::start(hurried);
    for (path, status) in [("/nothing", 404), ("/panic", 405), ("/fail", 405), ("/list", 405)] {
        let mut wire = Wire::open(server.address);
        wire.send(
            format!("POST {path} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n").as_bytes(),
        );
        let answer = wire.answer(false).unwrap();
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")));
        assert!(wire.ends(), "{path}");
    }
    let mut wire = Wire::open(server.address);
    wire.send(b"GET /sleep HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    assert_eq!(wire.answer(false).unwrap().status, 503);
    assert!(wire.ends());
}

#[test]
fn a_panic_does_not_disturb_other_requests_of_the_worker() {
    let server = EdgeServer::start(hurried);
    let mut slow = Wire::open(server.address);
    slow.send(b"GET /sleep HTTP/1.1\r\nHost: t\r\n\r\n");
    let mut open = Wire::open(server.address);
    open.send(b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(open.answer(false).unwrap().status, 200);
    let mut panicking = Wire::open(server.address);
    panicking.send(b"GET /panic HTTP/1.1\r\nHost: t\r\n\r\nGET /health HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(panicking.answer(false).unwrap().status, 500);
    assert_eq!(panicking.answer(false).unwrap().status, 200, "the same connection goes on");
    open.send(b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(open.answer(false).unwrap().status, 200);
    assert_eq!(slow.answer(false).unwrap().status, 503, "the slow one came to its own end");
    let metrics = get(&server, "/metrics", "").text();
    assert!(metrics.contains("nolapse_http_panics_total 1"), "{metrics}");
}

#[test]
fn fast_path_answers_get_the_usual_headers() {
    let server = EdgeServer::start(|_| ());
    let mut wire = Wire::open(server.address);
    let mut ask = |head: &str, body: &str| {
        wire.send(format!("POST /at-once HTTP/1.1\r\nHost: t\r\n{head}\r\n{body}").as_bytes());
        wire.answer(false).unwrap()
    };
    for (body, status) in [("yes", 200), ("no", 409), ("panic", 500), ("other", 404)] {
        let answer = ask(&format!("X-Request-ID: mine\r\nContent-Length: {}\r\n", body.len()), body);
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.header("x-request-id"), Some("mine"), "{body}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{body}");
    }
    let chunked = ask("Transfer-Encoding: chunked\r\n", "3\r\nyes\r\n0\r\n\r\n");
    assert_eq!(chunked.status, 404, "a body without a length is never answered before routing");
    let metrics = get(&server, "/metrics", "").text();
    assert!(metrics.contains("nolapse_http_panics_total 1"), "{metrics}");
}

#[test]
fn readiness_names_the_part_that_fails() {
    let server = EdgeServer::start(|_| ());
    server.database_is_well.store(false, Ordering::SeqCst);
    let answer = get(&server, "/ready", "");
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.text(),
        r#"{"error":"unavailable","message":"Not ready: database.","failing":["database"],"statusCode":503}"#
    );
    assert_eq!(get(&server, "/health", "").status, 200);
}

#[test]
fn stopping_fails_readiness_then_ends_connections_and_lets_requests_end() {
    let mut server = EdgeServer::start(|ground| {
        hurried(ground);
        ground.settings.drain_delay = 2 * SECOND;
    });
    let mut idle = Wire::open(server.address);
    idle.send(b"GET /ready HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(idle.answer(false).unwrap().status, 200);
    let mut busy = Wire::open(server.address);
    busy.send(b"GET /sleep HTTP/1.1\r\nHost: t\r\n\r\n");

    server.begin_stop();
    // Polled, because the signal travels between threads; the drain delay keeps the server accepting meanwhile.
    let refused = std::iter::repeat_with(|| get(&server, "/ready", "")).find(|answer| answer.status == 503).unwrap();
    assert!(refused.text().contains(r#""failing":["stopping"]"#), "{}", refused.text());
    assert_eq!(refused.header("connection"), Some("close"));
    idle.send(b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n");
    let last = idle.answer(false).unwrap();
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    assert!(idle.ends());
    assert_eq!(busy.answer(false).unwrap().status, 503, "what was running ran to its end");
    let address = server.address;
    server.join();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn only_listed_origins_may_call_across_sites() {
    let server = EdgeServer::start(|ground| {
        ground.origins = ["https://app.example", "http://localhost:3000"].map(str::to_owned).to_vec();
    });
    let rows = [
        ("", None),
        ("Origin: https://app.example\r\n", Some("https://app.example")),
        ("Origin: http://localhost:3000\r\n", Some("http://localhost:3000")),
        ("Origin: https://evil.example\r\n", None),
        ("Origin: https://app.example.evil.example\r\n", None),
        ("Origin: null\r\n", None),
    ];
    for (origin, allowed) in rows {
        for path in ["/health", "/nothing", "/panic"] {
            let answer = get(&server, path, origin);
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{path} {origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
        let mut wire = Wire::open(server.address);
        let question = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
        wire.send(format!("OPTIONS /echo HTTP/1.1\r\nHost: t\r\n{origin}{question}\r\n").as_bytes());
        let answer = wire.answer(false).unwrap();
        assert_eq!(answer.status, if allowed.is_some() { 204 } else { 405 }, "{origin}");
        assert_eq!(answer.header("access-control-allow-methods").is_some(), allowed.is_some());
    }
    let closed = EdgeServer::start(|_| ());
    let answer = get(&closed, "/health", "Origin: https://app.example\r\n");
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (None, None));
}

#[test]
fn metrics_count_patterns_and_classes_never_paths() {
    let server = EdgeServer::start(|_| ());
    for path in ["/things/1", "/things/2", "/things/x", "/secret-path"] {
        get(&server, path, "");
    }
    let mut wire = Wire::open(server.address);
    wire.send(b"POST /hot HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\n{\"name\":\"a\"}");
    assert_eq!(wire.answer(false).unwrap().text(), r#"{"valid":true}"#);
    let metrics = get(&server, "/metrics", "");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = metrics.text();
    for line in [
        r#"nolapse_http_requests_total{method="GET",route="/things/{thing}",status="200"} 2"#,
        r#"nolapse_http_requests_total{method="GET",route="/things/{thing}",status="404"} 1"#,
        r#"nolapse_http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"nolapse_http_responses_total{class="2xx"} 3"#,
        r#"nolapse_http_responses_total{class="4xx"} 2"#,
        "nolapse_http_requests_in_flight 1",
    ] {
        assert!(text.lines().any(|present| present == line), "{line}\n{text}");
    }
    let counts_hot =
        |line: &str| line.contains("/hot") && !line.starts_with("nolapse_http_hot_request_duration_seconds");
    assert!(!text.lines().any(counts_hot) && !text.contains("secret-path"), "{text}");
    let described = |line: &&str| line.starts_with("# TYPE ");
    for line in text.lines().filter(described) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help\n{text}");
    }
    let open = get(&server, "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.2\r\n");
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.text().ends_with("# EOF\n") && !text.contains("# EOF"));
}

#[test]
fn the_document_has_the_operations_and_no_pages() {
    let server = EdgeServer::start(|_| ());
    let document: serde_json::Value = serde_json::from_slice(&get(&server, "/openapi.json", "").body).unwrap();
    let documented = |path: &str, method: &str| document["paths"][path][method].is_object();
    assert!(documented("/health", "get") && documented("/metrics", "get") && documented("/echo", "post"));
    assert!(!documented("/page", "get"));
}

#[test]
fn the_viewer_is_served_whole_under_a_strict_policy() {
    let server = EdgeServer::start(|_| ());
    let page = get(&server, "/docs/", "");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(!text.contains("http://") && !text.contains("https://"), "nothing comes from elsewhere: {text}");
    let mut files = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        files.extend(text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
    }
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let answer = get(&server, &format!("/docs/{}", file.trim_start_matches("./")), "");
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let start = get(&server, "/docs/swagger-initializer.js", "").text();
    assert!(start.contains("/openapi.json") && start.contains("\"validatorUrl\": \"none\""), "{start}");
}

#[test]
fn browsers_are_told_to_use_https_where_people_do() {
    for (transport, expected) in [(Transport::Https, Some("max-age=31536000")), (Transport::Any, None)] {
        let server = EdgeServer::start(|ground| ground.transport = transport);
        for path in ["/health", "/docs/", "/nowhere"] {
            assert_eq!(get(&server, path, "").header("strict-transport-security"), expected, "{path}");
        }
    }
}

#[test]
fn paths_for_operators_can_have_their_own_listener() {
    let server = EdgeServer::start(|ground| ground.insight = Insight::Elsewhere);
    let there = server.insight.unwrap();
    let ask = |address, path: &str| {
        let mut wire = Wire::open(address);
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n").as_bytes());
        wire.answer(false).unwrap()
    };
    for path in ["/metrics", "/openapi.json", "/docs/"] {
        assert_eq!(ask(server.address, path).status, 404, "{path} is not there any more");
        assert_eq!(ask(there, path).status, 200, "{path}");
    }
    assert_eq!(ask(there, "/page").status, 404, "operations and pages are not here");
    assert!(ask(there, "/openapi.json").text().contains("/hot"), "the whole document");
    for address in [server.address, there] {
        assert_eq!(ask(address, "/health").status, 200);
        assert_eq!(ask(address, "/ready").status, 200);
    }
}

/// A connection of either kind.
trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

fn connect(place: &Listen) -> Box<dyn Stream> {
    match place {
        Listen::Network(address) => Box::new(TcpStream::connect(address).unwrap()),
        Listen::Socket(path) => Box::new(UnixStream::connect(path).unwrap()),
    }
}

#[test]
fn the_backlog_of_every_listener_is_served_before_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let local = |name: &str| Listen::Socket(folder.path().join(name));
    let network = || Listen::Network((Ipv4Addr::LOCALHOST, 0).into());
    for (listen, insight) in [(local("a"), local("b")), (network(), network()), (network(), local("c"))] {
        let mut server = EdgeServer::start(|ground| {
            ground.settings.listen = listen;
            ground.settings.max_connections = 1;
            ground.insight = Insight::Elsewhere;
            ground.insight_place = insight;
        });
        let (whole, chunk) = (b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n", &mut [0; 4096]);
        // The server accepts one connection; the others wait in the backlog.
        let mut taken = connect(&server.places[0]);
        taken.write_all(whole).unwrap();
        assert_ne!(taken.read(chunk).unwrap(), 0);
        let mut waiting: Vec<_> =
            server.places.iter().flat_map(|place| (0..5).map(move |_| (place.clone(), connect(place)))).collect();
        for (_, stream) in &mut waiting {
            stream.write_all(whole).unwrap();
        }
        server.begin_stop();
        for (place, stream) in &mut waiting {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(answer.starts_with("HTTP/1.1 200"), "{place}: {answer:?}");
        }
        drop(taken);
        server.join();
    }
}

#[test]
fn documents_are_packed_for_those_who_take_gzip() {
    let server = EdgeServer::start(|_| ());
    let asked = [
        ("", false),
        ("Accept-Encoding: gzip\r\n", true),
        ("Accept-Encoding: br, gzip;q=0.5\r\n", true),
        ("Accept-Encoding: identity, gzip;q=0.5\r\n", false),
        ("Accept-Encoding: gzip;q=0\r\n", false),
        ("Accept-Encoding: br\r\n", false),
        ("Accept-Encoding: \"\r\n", false),
    ];
    for path in ["/openapi.json", "/docs/", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/index.css"] {
        let plain = get(&server, path, "");
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        for (header, packed) in asked {
            let mut answer = get(&server, path, header);
            let shown = format!("{path} {header}");
            assert_eq!(answer.status, 200, "{shown}");
            assert!(answer.header("vary").is_some_and(|vary| vary.contains("accept-encoding")), "{shown}");
            assert_eq!(answer.header("content-type"), plain.header("content-type"), "{shown}");
            assert_eq!(answer.header("content-encoding"), packed.then_some("gzip"), "{shown}");
            if packed {
                assert!(answer.body.len() < plain.body.len(), "{shown}");
                let mut unpacked = Vec::new();
                GzDecoder::new(&answer.body[..]).read_to_end(&mut unpacked).unwrap();
                answer.body = unpacked;
            }
            assert!(answer.body == plain.body, "{shown}");
        }
    }
}

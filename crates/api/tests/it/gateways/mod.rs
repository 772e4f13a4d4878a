//! The configurations in `docs/gateways`, used unchanged except for ports and paths: with the real gateway, this
//! program, and an application behind them that reports the requests it gets.
//!
//! `cargo xtask test` installs the gateways; without one its tests fail.

mod apache;
mod app;
mod gateway;
mod page;
mod tls;

use serde_json::{Value, json};

use self::app::App;
use self::gateway::{Gateway, Kind};
use crate::support::{Answer, Backend, Options, Request, Server, Wire, texts};

/// Headers whose values a client must not be able to choose.
const TOLD: [&str; 7] =
    ["x-nlp-org", "x-nlp-token-id", "x-nlp-kind", "x-nlp-scopes", "x-nlp-project", "x-nlp-actor", "x-nlp-access-scope"];
const MEBIBYTE: usize = 1024 * 1024;

/// A gateway between clients and an application, with tokens to try.
struct Ground {
    server: Server,
    app: App,
    gateway: Gateway,
    organization: String,
    id: String,
    right: String,
    lacking: String,
    other: String,
}

impl Ground {
    fn new(kind: Kind, asks: &str) -> Self {
        let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gateways/scanner.toml");
        let server = Server::start(Backend::Sqlite, Options::default().with("gateways.route_tables", table));
        let mut owner = server.owner();
        let organization = owner.get("/v1/me").expect(200)["org_id"].as_str().unwrap().to_owned();
        let [id, right] =
            texts(&owner.create_with("right", &["execute", "scans:read", "projects:read"]), ["id", "secret"]);
        let [lacking] = texts(&owner.create_with("lacking", &["tokens:read"]), ["secret"]);
        let [other] = texts(&owner.create_with("other", &["execute"]), ["secret"]);
        let app = App::start();
        let gateway = Gateway::start(kind, &server.address().to_string(), app.address(), asks);
        Self { server, app, gateway, organization, id, right, lacking, other }
    }

    fn ask(&self, request: &Request<'_>) -> Answer {
        Wire::open(self.gateway.address()).unwrap().ask(request).unwrap()
    }

    /// Sends a request that must pass; returns it as the application got it.
    #[track_caller]
    fn passes(&self, request: &Request<'_>) -> Value {
        self.ask(request).expect(200)
    }

    /// Asserts that a request does not reach the application.
    #[track_caller]
    fn stops(&self, request: &Request<'_>, status: u16) -> Answer {
        let before = self.app.requests();
        let answer = self.ask(request);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(self.app.requests(), before, "the application heard of it: {request:?}");
        answer
    }
}

fn told(sent: &Value) -> [String; 7] {
    TOLD.map(|name| sent["headers"][name].as_str().unwrap_or_default().to_owned())
}

/// All cases for the page's configuration that requires one scope.
fn one_scope(kind: Kind) {
    let ground = Ground::new(kind, "scope=execute");
    let expected: [&str; 7] =
        [&ground.organization, &ground.id, "organization", "execute scans:read projects:read", "", "", ""];

    // A valid token, in each header that accepts one.
    let basic = data_encoding::BASE64.encode(format!("any:{}", ground.right).as_bytes());
    for (name, value) in [
        ("Authorization", format!("Bearer {}", ground.right)),
        ("Authorization", format!("Api-Key {}", ground.right)),
        ("Authorization", format!("Basic {basic}")),
        ("X-API-Key", ground.right.clone()),
    ] {
        let sent = ground.passes(&Request::new("GET", "/a/b?c=d").header(name, value));
        assert_eq!((sent["method"].as_str(), sent["path"].as_str()), (Some("GET"), Some("/a/b?c=d")));
        assert_eq!(told(&sent), expected, "{name}");
        for name in ["authorization", "x-api-key"] {
            assert_eq!(sent["headers"].get(name), None, "the token reaches the application: {sent}");
        }
    }

    // No token, a wrong one, two that differ, one without the scope.
    let get = || Request::new("GET", "/");
    let challenge = |answer: &Answer| answer.header("www-authenticate").unwrap_or_default().to_owned();
    assert_eq!(challenge(&ground.stops(&get(), 401)), "Bearer realm=\"nolapse\"");
    for wrong in ["nlp_00112233445566778899aabbccddeeff550c911c", "nlp_x", "nonsense"] {
        assert!(challenge(&ground.stops(&get().bearer(wrong), 401)).contains("invalid_token"), "{wrong}");
    }
    let two = get().bearer(&ground.right).header("X-API-Key", ground.other.clone());
    assert!(challenge(&ground.stops(&two, 401)).contains("invalid_request"));
    let lacking = ground.stops(&get().bearer(&ground.lacking), 403);
    assert!(challenge(&lacking).contains("error=\"insufficient_scope\", scope=\"execute\""), "{lacking:?}");

    // Spoofed headers, with a valid token and without one.
    let spoofed = |mut request: Request<'static>| {
        for name in TOLD {
            request = request.header(name, "spoofed");
        }
        request.header("X-Forwarded-Method", "OPTIONS").header("X-Forwarded-Uri", "/free")
    };
    assert_eq!(told(&ground.passes(&spoofed(get().bearer(&ground.right)))), expected);
    let preflight = |method: &'static str| {
        let request = Request::new(method, "/").header("Origin", "https://app.example");
        request.header("Access-Control-Request-Method", "POST")
    };
    ground.stops(&spoofed(preflight("GET")), 401);

    // A client's query that looks like the gateway's question has no effect.
    ground.stops(&Request::new("GET", "/?scope=tokens:read&any=read&preflight=allow").bearer(&ground.lacking), 403);

    // HEAD, and preflights, which come without a credential.
    let head = ground.ask(&Request::new("HEAD", "/").bearer(&ground.right));
    assert_eq!((head.status, head.body.len()), (200, 0));
    ground.stops(&Request::new("HEAD", "/"), 401);
    let sent = ground.passes(&spoofed(preflight("OPTIONS")));
    assert_eq!((sent["method"].as_str(), told(&sent)), (Some("OPTIONS"), [""; 7].map(str::to_owned)));
    ground.stops(&Request::new("OPTIONS", "/"), 401);

    // Bodies.
    let large = ground.passes(&Request::new("POST", "/").bearer(&ground.right).body(vec![b'x'; 5 * MEBIBYTE]));
    assert_eq!((large["method"].as_str(), &large["length"]), (Some("POST"), &json!(5 * MEBIBYTE)));
    let pieces = ground.passes(&Request::new("PUT", "/").bearer(&ground.right).body(vec![b'x'; 20_000]).chunked());
    assert_eq!(pieces["length"], 20_000);

    // A WebSocket.
    let socket = |credential: &str| {
        let request = Request::new("GET", "/socket").bearer(credential).header("Upgrade", "websocket");
        let request = request.header("Connection", "Upgrade").header("Sec-WebSocket-Version", "13");
        request.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    ground.stops(&socket(&ground.lacking), 403);
    let mut wire = Wire::open(ground.gateway.address()).unwrap();
    wire.send(&socket(&ground.right).bytes()).unwrap();
    assert_eq!(wire.answer(true).unwrap().status, 101);
    wire.send(b"any bytes").unwrap();
    assert_eq!(wire.raw(9).unwrap(), b"any bytes");
    drop(wire);

    // A revoked token does not pass; while this service is down, no request passes.
    ground.server.owner().revoke(&ground.id);
    ground.stops(&get().bearer(&ground.right), 401);
    let Ground { mut server, app, gateway, right, .. } = ground;
    server.stop();
    let before = app.requests();
    let answer = Wire::open(gateway.address()).unwrap().ask(&get().bearer(&right)).unwrap();
    assert_eq!((answer.status, app.requests()), (kind.status_when_down(), before));
}

/// All cases for the page's configuration with a route table.
fn whole_api(kind: Kind) {
    let ground = Ground::new(kind, "routes=scanner");
    for (method, path) in [
        ("GET", "/api/v1/scans"),
        ("GET", "/api/v1/scans/7?page=2"),
        ("HEAD", "/api/v1/scans/7"),
        ("GET", "/api/v2/projects/7/scans"),
    ] {
        let answer = ground.ask(&Request::new(method, path).bearer(&ground.right));
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    }
    for (method, path, scope) in [
        ("DELETE", "/api/v1/scans/7", "scans:delete"),
        ("POST", "/api/v1/scans/7/stop", "scans:stop"),
        ("GET", "/api/v1/files", "files:read"),
    ] {
        let request = Request::new(method, path).bearer(&ground.right);
        let spoofed = request.header("X-Forwarded-Method", "GET").header("X-Forwarded-Uri", "/api/v1/scans");
        let answer = ground.stops(&spoofed, 403);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{method} {path}: {challenge}");
    }
    for path in
        ["/", "/api/v1/scans/../files", "/api/v1/scans/%2e%2e/files", "/api/v1//scans", "/api/v1/scans%2F7", "/other"]
    {
        ground.stops(&Request::new("GET", path).bearer(&ground.right), 403);
    }
    ground.stops(&Request::new("GET", "/api/v1/scans"), 401);
}

#[test]
fn nginx_asks_for_one_scope() {
    one_scope(Kind::Nginx);
}

#[test]
fn nginx_guards_a_whole_api() {
    whole_api(Kind::Nginx);
}

#[test]
fn caddy_asks_for_one_scope() {
    one_scope(Kind::Caddy);
}

#[test]
fn caddy_guards_a_whole_api() {
    whole_api(Kind::Caddy);
}

#[test]
fn haproxy_asks_for_one_scope() {
    one_scope(Kind::Haproxy);
}

#[test]
fn haproxy_guards_a_whole_api() {
    whole_api(Kind::Haproxy);
}

/// nginx and this program over a Unix socket, as on the page.
#[test]
fn nginx_asks_over_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("unix:{}/api.sock", folder.path().display());
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [id, secret] = texts(&server.owner().create("a"), ["id", "secret"]);
    server.stop();
    let mut at_socket = server.serve_at(&place);
    let app = App::start();
    let gateway = Gateway::start(Kind::Nginx, &place, app.address(), "scope=execute");
    let ask = |request: Request<'_>| Wire::open(gateway.address()).unwrap().ask(&request).unwrap();
    let sent = ask(Request::new("GET", "/").bearer(&secret)).expect(200);
    assert_eq!(told(&sent)[1], id);
    assert_eq!(ask(Request::new("GET", "/")).status, 401);
    at_socket.stop();
    assert!(!folder.path().join("api.sock").exists(), "a server that stops removes its socket");
    assert_eq!(ask(Request::new("GET", "/").bearer(&secret)).status, 503);
}

//! Alerts of code hosts: webhooks in their real form, and a small server of the test in place of the hosts' interfaces.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, eventually, finish, program, texts};

both!(
    an_alert_of_github_is_acted_on_and_resolved,
    what_github_did_not_sign_changes_nothing,
    events_that_are_not_meant_are_answered_and_ignored,
    an_alert_of_another_secret_touches_nothing,
    an_alert_outlives_an_interface_that_is_away_and_a_restart,
    an_interface_that_misbehaves_is_asked_again_and_led_nowhere,
    a_finding_of_gitlab_is_acted_on,
    alerts_are_refused_until_they_are_configured,
    an_interface_on_a_private_network_is_never_connected_to,
);

const GITHUB: &str = "/v1/leaks/github-alerts";
const GITLAB: &str = "/v1/leaks/gitlab-alerts";
const SECRET: &str = "the-secret-of-the-webhook";
const HOST_TOKEN: &str = "github_pat_of_the_operator";
const ALERT: &str = "/api/v3/repos/octo-org/octo-repo/secret-scanning/alerts/42";

/// What the interface does when asked for a path.
#[derive(Clone)]
enum Turn {
    /// Answers 200 with this.
    Text(String),
    /// Answers with this status.
    Status(u16),
    /// Sends the client there.
    Redirect(String),
    /// Never says a word.
    Hang,
    /// Says so many bytes.
    Flood(usize),
}

#[derive(Clone, Debug)]
struct Got {
    method: String,
    path: String,
    authorization: String,
    body: String,
}

/// The interface of a code host. It ends with the test's process.
struct Interface {
    address: SocketAddr,
    turns: Arc<Mutex<HashMap<String, Turn>>>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Interface {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let interface = Self { address: listener.local_addr().unwrap(), turns: Arc::default(), got: Arc::default() };
        let (turns, got) = (Arc::clone(&interface.turns), Arc::clone(&interface.got));
        spawn(move || {
            for stream in listener.incoming() {
                let (turns, got) = (Arc::clone(&turns), Arc::clone(&got));
                spawn(move || serve(&stream.unwrap(), &turns, &got));
            }
        });
        interface
    }

    fn then(&self, path: &str, turn: Turn) {
        self.turns.lock().unwrap().insert(path.to_owned(), turn);
    }

    /// The description of an alert, as GitHub gives it.
    fn alert(&self, path: &str, secret: &str) {
        let alert = json!({
            "number": 42, "state": "open", "secret_type": "nolapse_token", "secret": secret, "resolution": null,
            "url": format!("https://evil.example{path}"), "locations_url": format!("https://evil.example{path}/locations"),
            "publicly_leaked": false, "multi_repo": false,
        });
        self.then(path, Turn::Text(alert.to_string()));
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    #[track_caller]
    fn wait_for(&self, count: usize) -> Vec<Got> {
        eventually("requests to the code host", || Some(self.got()).filter(|got| got.len() >= count))
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(stream: &TcpStream, turns: &Mutex<HashMap<String, Turn>>, got: &Mutex<Vec<Got>>) {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0).map(|_| line.trim_end().to_owned())
    };
    let Some(first) = line() else { return };
    let (mut authorization, mut length) = (String::new(), 0);
    while let Some(header) = line().filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':').unwrap();
        match name.to_lowercase().as_str() {
            "authorization" => value.trim().clone_into(&mut authorization),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let turn = turns.lock().unwrap().get(&path).cloned();
    got.lock().unwrap().push(Got { method, path, authorization, body: String::from_utf8(body).unwrap() });
    let mut out = stream;
    let text =
        |text: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
    let said = match turn {
        Some(Turn::Text(said)) => text(&said),
        Some(Turn::Status(status)) => {
            format!("HTTP/1.1 {status} As Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Some(Turn::Redirect(to)) => {
            format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Some(Turn::Hang) => {
            sleep(Duration::from_mins(5));
            return;
        }
        Some(Turn::Flood(length)) => text(&"x".repeat(length)),
        None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
    };
    // A client that has read enough closes the connection.
    let _ = out.write_all(said.as_bytes());
}

fn github(interface: &Interface) -> Options {
    Options::default()
        .with("outbound.allowed_networks", "127.0.0.0/8")
        .with("leaks.github_webhook_secret", SECRET)
        .with("leaks.github_token", HOST_TOKEN)
        .with("leaks.github_api_url", format!("{}/api/v3", interface.url()))
        .with("leaks.github_resolve_alerts", true)
}

fn signature(key: &str, body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body.as_bytes());
    format!("sha256={}", HEXLOWER.encode(tag.as_ref()))
}

/// The event as GitHub delivers it, without the parts about people.
fn event(action: &str, repository: &str) -> Value {
    json!({
        "action": action,
        "alert": {
            "number": 42, "created_at": "2026-01-15T09:32:11Z", "updated_at": "2026-01-15T09:32:11Z",
            "url": "https://evil.example/alert", "html_url": "https://evil.example/alert",
            "locations_url": "https://evil.example/alert/locations", "state": "open", "resolution": null,
            "secret_type": "nolapse_token", "secret_type_display_name": "nolapse token", "validity": "unknown",
            "publicly_leaked": action == "publicly_leaked", "multi_repo": false,
        },
        "repository": {
            "id": 186_853_002, "name": repository, "full_name": format!("octo-org/{repository}"), "private": true,
            "owner": {"login": "octo-org", "id": 6_811_672, "type": "Organization"},
            "url": "https://evil.example/repos/octo-org/octo-repo",
        },
        "organization": {"login": "octo-org"},
        "sender": {"login": "github", "id": 9919},
    })
}

fn deliver(server: &Server, kind: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let request = Request::new("POST", GITHUB)
        .body(body.clone())
        .header("Content-Type", "application/json")
        .header("X-GitHub-Event", kind.to_owned())
        .header("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        .header("X-Hub-Signature-256", signature(SECRET, &body));
    server.anyone().ask(request)
}

#[track_caller]
fn until_revoked(owner: &mut Client, id: &str) {
    eventually("the token is revoked", || (owner.token(id)["status"] == "revoked").then_some(()));
}

fn leaks_of(owner: &mut Client, id: &str) -> Vec<Value> {
    let events = owner.get(&format!("/v1/audit?action=token.leaked&target={id}")).expect(200)["events"].clone();
    events.as_array().unwrap().clone()
}

fn an_alert_of_github_is_acted_on_and_resolved(backend: Backend) {
    let interface = Interface::start();
    let server = Server::start(backend, github(&interface));
    let mut owner = server.owner();
    let mut secrets = Vec::new();
    for (round, action) in ["created", "publicly_leaked"].into_iter().enumerate() {
        let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
        interface.alert(ALERT, &leaked);
        let accepted = deliver(&server, "secret_scanning_alert", &event(action, "octo-repo"));
        assert_eq!((accepted.status, accepted.text()), (202, ""));
        until_revoked(&mut owner, &id);
        let got = interface.wait_for(2 * (round + 1));
        let [read, told] = &got[2 * round..] else { panic!("{got:?}") };
        assert_eq!((read.method.as_str(), read.path.as_str()), ("GET", ALERT));
        assert_eq!((told.method.as_str(), told.path.as_str()), ("PATCH", ALERT));
        assert_eq!(
            serde_json::from_str::<Value>(&told.body).unwrap(),
            json!({"state": "resolved", "resolution": "revoked"})
        );
        for one in [read, told] {
            assert_eq!(one.authorization, format!("Bearer {HOST_TOKEN}"));
        }
        let events = leaks_of(&mut owner, &id);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["detail"], json!({"source": "github", "leak_action": "revoke"}));
        assert_eq!(owner.token(&id)["last_used_at"], Value::Null, "no use");

        // A repeated delivery fetches the alert again and does nothing to the token.
        deliver(&server, "secret_scanning_alert", &event(action, "octo-repo")).expect(202);
        eventually("the second delivery is worked off", || (interface.got().len() >= 2 * round + 4).then_some(()));
        assert_eq!(leaks_of(&mut owner, &id).len(), 1);
        interface.got.lock().unwrap().truncate(2 * (round + 1));
        secrets.push(leaked);
    }
    let log = server.log();
    for secret in [SECRET, HOST_TOKEN, secrets[0].as_str(), secrets[1].as_str()] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

fn what_github_did_not_sign_changes_nothing(backend: Backend) {
    let interface = Interface::start();
    let server = Server::start(backend, github(&interface));
    let [leaked] = texts(&server.owner().create("leaked"), ["secret"]);
    interface.alert(ALERT, &leaked);
    let body = event("created", "octo-repo").to_string();
    let good = signature(SECRET, &body);
    let post = |body: String| Request::new("POST", GITHUB).body(body).header("X-GitHub-Event", "secret_scanning_alert");
    for wrong in [
        signature("another-secret-of-a-webhook", &body),
        signature(SECRET, &format!("{body} ")),
        good.replace("sha256=", "sha1="),
        good.replace("sha256=", ""),
        good[..good.len() - 2].to_owned(),
        "sha256=".to_owned(),
        "nonsense".to_owned(),
    ] {
        let refused = server.anyone().ask(post(body.clone()).header("X-Hub-Signature-256", wrong.clone()));
        refused.fails(400, "invalid request");
    }
    server.anyone().ask(post(body.clone())).fails(400, "invalid request");
    let long = "x".repeat(1024 * 1024 + 1);
    let signed = signature(SECRET, &long);
    server.anyone().ask(post(long).header("X-Hub-Signature-256", signed)).fails(413, "payload too large");
    // Signed deliveries of other events are ignored.
    for (text, error) in [
        ("", "malformed request"),
        ("payload=%7B%7D", "malformed request"),
        ("[]", "malformed request"),
        (r#"{"action":1}"#, "malformed request"),
        (r#"{"action":"created"}"#, "invalid request"),
        (r#"{"action":"created","alert":{"number":1}}"#, "invalid request"),
        (
            r#"{"action":"created","alert":{"number":-1},"repository":{"name":"a","owner":{"login":"b"}}}"#,
            "malformed request",
        ),
        (
            r#"{"action":"created","alert":{"number":1},"repository":{"name":"../../../../user","owner":{"login":"b"}}}"#,
            "invalid request",
        ),
        (
            r#"{"action":"created","alert":{"number":1},"repository":{"name":"a","owner":{"login":".."}}}"#,
            "invalid request",
        ),
        (
            r#"{"action":"created","alert":{"number":1},"repository":{"name":"a?b","owner":{"login":"c"}}}"#,
            "invalid request",
        ),
    ] {
        let answer = server.anyone().ask(post(text.to_owned()).header("X-Hub-Signature-256", signature(SECRET, text)));
        answer.fails(400, error);
    }
    sleep(Duration::from_secs(2));
    assert!(interface.got().is_empty(), "{:?}", interface.got());
    assert!(server.anyone().is_valid(&leaked));
}

fn events_that_are_not_meant_are_answered_and_ignored(backend: Backend) {
    let interface = Interface::start();
    let server = Server::start(backend, github(&interface));
    let ping = json!({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "Organization"}});
    let push = json!({"ref": "refs/heads/main", "repository": {"name": "octo-repo", "owner": {"name": "octo-org"}}});
    for (kind, body) in [
        ("ping", ping),
        ("push", push),
        ("secret_scanning_alert_location", event("created", "octo-repo")),
        ("secret_scanning_alert", event("resolved", "octo-repo")),
        ("secret_scanning_alert", event("reopened", "octo-repo")),
        ("secret_scanning_alert", event("validated", "octo-repo")),
    ] {
        let answer = deliver(&server, kind, &body);
        assert_eq!((answer.status, answer.text()), (204, ""), "{kind}");
    }
    sleep(Duration::from_secs(2));
    assert!(interface.got().is_empty(), "{:?}", interface.got());
}

fn an_alert_of_another_secret_touches_nothing(backend: Backend) {
    let interface = Interface::start();
    let server = Server::start(backend, github(&interface));
    let mut owner = server.owner();
    let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
    let alerts = [
        ("foreign", "ghp_of_somebody_else".to_owned()),
        ("unissued", "nlp_00112233445566778899aabbccddeeff550c911c".to_owned()),
        ("mistyped", format!("{}0", &leaked[..leaked.len() - 1])),
        ("empty", String::new()),
    ];
    for (count, (repository, secret)) in alerts.into_iter().enumerate() {
        interface.alert(&ALERT.replace("octo-repo", repository), &secret);
        deliver(&server, "secret_scanning_alert", &event("created", repository)).expect(202);
        interface.wait_for(count + 1);
    }
    // The last one, for which another is waited, so that those before it were worked off.
    interface.alert(ALERT, &leaked);
    deliver(&server, "secret_scanning_alert", &event("created", "octo-repo")).expect(202);
    until_revoked(&mut owner, &id);
    let patched: Vec<String> =
        interface.wait_for(6).into_iter().filter(|got| got.method == "PATCH").map(|got| got.path).collect();
    assert_eq!(patched, [ALERT], "alerts of secrets that are not ours are left alone");
    let all = owner.get("/v1/audit?action=token.leaked").expect(200)["events"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
}

fn an_alert_outlives_an_interface_that_is_away_and_a_restart(backend: Backend) {
    let interface = Interface::start();
    let mut server = Server::start(backend, github(&interface));
    let mut owner = server.owner();
    let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
    interface.then(ALERT, Turn::Status(503));
    deliver(&server, "secret_scanning_alert", &event("created", "octo-repo")).expect(202);
    interface.wait_for(1);
    server.says(&["could not be fetched"]);
    server.kill();
    interface.alert(ALERT, &leaked);
    server.serve();
    let mut owner = server.caller(owner.credential());
    assert!(server.anyone().is_valid(&leaked), "the next attempt is a minute away");
    // An alert that somebody redelivers at GitHub is tried at once.
    deliver(&server, "secret_scanning_alert", &event("created", "octo-repo")).expect(202);
    until_revoked(&mut owner, &id);

    // Queued and not begun when the process ends.
    let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
    interface.alert(&ALERT.replace("octo-repo", "other"), &leaked);
    deliver(&server, "secret_scanning_alert", &event("created", "other")).expect(202);
    server.kill();
    server.serve();
    let mut owner = server.caller(owner.credential());
    let revoked = eventually("the token is revoked, or its attempt was interrupted", || {
        let is_revoked = owner.token(&id)["status"] == "revoked";
        let was_asked = interface.got().iter().any(|got| got.path.contains("/other/"));
        (is_revoked || was_asked).then_some(is_revoked)
    });
    if !revoked {
        deliver(&server, "secret_scanning_alert", &event("created", "other")).expect(202);
    }
    until_revoked(&mut owner, &id);
}

fn an_interface_that_misbehaves_is_asked_again_and_led_nowhere(backend: Backend) {
    let (interface, elsewhere) = (Interface::start(), Interface::start());
    let server = Server::start(backend, github(&interface));
    let mut owner = server.owner();
    let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
    elsewhere.alert(ALERT, &leaked);
    let turns = [
        ("moved", Turn::Redirect(format!("{}{ALERT}", elsewhere.url()))),
        ("forbidden", Turn::Status(403)),
        ("flood", Turn::Flood(10 * 1024 * 1024)),
        ("nonsense", Turn::Text("{\"secret\":".to_owned())),
        ("odd", Turn::Text("{\"secret\":[1]}".to_owned())),
        ("hangs", Turn::Hang),
    ];
    for (repository, turn) in turns {
        interface.then(&ALERT.replace("octo-repo", repository), turn);
        deliver(&server, "secret_scanning_alert", &event("created", repository)).expect(202);
    }
    interface.wait_for(6);
    assert!(server.anyone().is_valid(&leaked));
    // An interface that hangs holds the others up for ten seconds at most.
    interface.alert(ALERT, &leaked);
    deliver(&server, "secret_scanning_alert", &event("created", "octo-repo")).expect(202);
    until_revoked(&mut owner, &id);
    assert!(elsewhere.got().is_empty(), "no redirect is followed: {:?}", elsewhere.got());
    assert!(interface.got().iter().filter(|got| got.method == "PATCH").all(|got| got.path == ALERT));
    for status in ["301", "403"] {
        server.says(&["could not be fetched", status]);
    }
    assert!(!server.log().contains(&leaked) && !server.log().contains(HOST_TOKEN));
}

fn gitlab(interface: &Interface, secret: &str) -> Options {
    Options::default()
        .with("outbound.allowed_networks", "127.0.0.0/8")
        .with("leaks.gitlab_webhook_secret", secret)
        .with("leaks.gitlab_token", HOST_TOKEN)
        .with("leaks.gitlab_url", interface.url())
}

/// The event as GitLab delivers it.
fn vulnerability(report: &str, state: &str, file: &str, sha: &Value) -> Value {
    json!({
        "object_kind": "vulnerability",
        "object_attributes": {
            "url": "https://evil.example/flightjs/Flight/-/security/vulnerabilities/1",
            "title": "nolapse token", "state": state, "project_id": 50, "severity": "critical", "severity_overridden": false,
            "location": {"file": file, "start_line": 3, "commit": {"sha": sha, "author": "Ada", "message": "Add"}},
            "identifiers": [{"name": "Gitleaks rule ID nolapse-token", "external_id": "nolapse-token", "external_type": "gitleaks_rule_id"}],
            "issues": [], "report_type": report, "confidence": "unknown", "auto_resolved": false,
        },
    })
}

fn a_finding_of_gitlab_is_acted_on(backend: Backend) {
    let interface = Interface::start();
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let file = |reference: &str| format!("/api/v4/projects/50/repository/files/config%2Fa%20b.env/raw?ref={reference}");
    let key = BASE64.encode(&[7; 32]);
    for secret in [SECRET.to_owned(), format!("whsec_{key}")] {
        let server = Server::start(backend, gitlab(&interface, &secret));
        let mut owner = server.owner();
        let sign = |id: &str, seconds: i64, body: &str| {
            let tag =
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), format!("{id}.{seconds}.{body}").as_bytes());
            format!("v1,{}", BASE64.encode(tag.as_ref()))
        };
        let deliver_at = |seconds: i64, body: &Value| {
            let body = body.to_string();
            let request = Request::new("POST", GITLAB)
                .body(body.clone())
                .header("X-Gitlab-Event", "Vulnerability Hook")
                .header("X-Gitlab-Token", SECRET)
                .header("webhook-id", "a")
                .header("webhook-timestamp", seconds.to_string())
                .header("webhook-signature", sign("a", seconds, &body));
            server.anyone().ask(request)
        };
        let now = crate::support::now().as_micros() / 1_000_000;
        for (sha, reference) in
            [(json!(sha), sha), (json!("0000000000000000000000000000000000000000"), "HEAD"), (Value::Null, "HEAD")]
        {
            let [one, first] = texts(&owner.create("one"), ["id", "secret"]);
            let [two, second] = texts(&owner.create("two"), ["id", "secret"]);
            let [safe, _] = texts(&owner.create("safe"), ["id", "secret"]);
            let text = format!(
                "A={first}\nB=\"{second}\" # {first}\nC=ghp_other nlp_00112233445566778899aabbccddeeff550c911c\n"
            );
            interface.then(&file(reference), Turn::Text(text));
            deliver_at(now, &vulnerability("secret_detection", "detected", "config/a b.env", &sha)).expect(202);
            until_revoked(&mut owner, &one);
            until_revoked(&mut owner, &two);
            assert_eq!(owner.token(&safe)["status"], "active");
            assert_eq!(leaks_of(&mut owner, &one)[0]["detail"]["source"], "gitlab");
        }
        let got = interface.got();
        assert!(
            got.iter().all(|got| got.method == "GET" && got.authorization == format!("Bearer {HOST_TOKEN}")),
            "{got:?}"
        );
        let before = got.len();
        for (report, state) in
            [("dependency_scanning", "detected"), ("secret_detection", "resolved"), ("secret_detection", "dismissed")]
        {
            deliver_at(now, &vulnerability(report, state, "config/a b.env", &json!(sha))).expect(204);
        }
        deliver_at(now, &json!({"object_kind": "push", "project_id": 50})).expect(204);
        for path in ["../../../user", "/etc/passwd", "a/../../b", ""] {
            deliver_at(now, &vulnerability("secret_detection", "detected", path, &json!(sha)))
                .fails(400, "invalid request");
        }
        deliver_at(now, &vulnerability("secret_detection", "detected", "a", &json!("main?x")))
            .fails(400, "invalid request");
        // Who does not know the secret, and who caught an old delivery.
        let body = vulnerability("secret_detection", "detected", "config/a b.env", &json!(sha)).to_string();
        let post = || Request::new("POST", GITLAB).body(body.clone());
        server.anyone().ask(post()).fails(400, "invalid request");
        server.anyone().ask(post().header("X-Gitlab-Token", "another")).fails(400, "invalid request");
        if secret.starts_with("whsec_") {
            server.anyone().ask(post().header("X-Gitlab-Token", secret.clone())).fails(400, "invalid request");
            deliver_at(now - 600, &vulnerability("secret_detection", "detected", "config/a b.env", &json!(sha)))
                .fails(400, "invalid request");
        }
        sleep(Duration::from_secs(2));
        assert_eq!(interface.got().len(), before);
    }
}

fn alerts_are_refused_until_they_are_configured(backend: Backend) {
    let server = Server::start(backend, Options::default());
    deliver(&server, "secret_scanning_alert", &event("created", "octo-repo")).fails(404, "not found");
    let post = Request::new("POST", GITLAB).body("{}").header("X-Gitlab-Token", SECRET);
    server.anyone().ask(post).fails(404, "not found");
    // Half of a configuration is refused at start.
    let mut environment = vec![("NOLAPSE__LEAKS__GITHUB_WEBHOOK_SECRET".to_owned(), SECRET.to_owned())];
    let check = |environment: &[(String, String)]| {
        let mut command = program(environment);
        command.args(["config", "check"]);
        finish(command, "")
    };
    let refused = check(&environment);
    let said = format!("{refused:?}");
    assert!(said.contains("leaks.github_token") && !said.contains(SECRET), "{said}");
    environment.push(("NOLAPSE__LEAKS__GITHUB_TOKEN".to_owned(), HOST_TOKEN.to_owned()));
    check(&environment).succeeds();
}

fn an_interface_on_a_private_network_is_never_connected_to(backend: Backend) {
    let interface = Interface::start();
    let options = Options::default()
        .with("leaks.github_webhook_secret", SECRET)
        .with("leaks.github_token", HOST_TOKEN)
        .with("leaks.github_api_url", interface.url());
    let server = Server::start(backend, options);
    deliver(&server, "secret_scanning_alert", &event("created", "octo-repo")).expect(202);
    server.says(&["could not be fetched", "outbound.allowed_networks"]);
    assert!(interface.got().is_empty());
}

//! Reports of code hosts, signed with a key that a small server of the test publishes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::{BASE64, HEXLOWER};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Options, Request, Server, both, texts};

both!(
    a_signed_report_revokes_what_is_ours,
    a_report_that_is_not_signed_well_changes_nothing,
    keys_are_fetched_once_and_for_unknown_names_once_a_minute,
    an_address_of_keys_on_a_private_network_is_not_connected_to,
);

/// The DER prefix of a P-256 public key (RFC 5480).
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// A code host: a signing key, and a server that publishes the list of keys.
pub(crate) struct Host {
    pair: EcdsaKeyPair,
    pub(crate) name: String,
    url: String,
    asked: Arc<AtomicUsize>,
    is_down: Arc<AtomicBool>,
}

impl Host {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
        let info = [HEXLOWER.decode(P256.as_bytes()).unwrap().as_slice(), pair.public_key().as_ref()].concat();
        let encoded = BASE64.encode(&info);
        let (first, second) = encoded.split_at(64);
        let key = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
        let name = HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, key.as_bytes()).as_ref());
        let list = json!({"public_keys": [{"key_identifier": name, "key": key, "is_current": true}]}).to_string();
        let (asked, is_down) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let url = serve(list, Arc::clone(&asked), Arc::clone(&is_down));
        Self { pair, name, url, asked, is_down }
    }

    pub(crate) fn sign(&self, body: &str) -> String {
        BASE64.encode(self.pair.sign(&SystemRandom::new(), body.as_bytes()).unwrap().as_ref())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn options(&self) -> Options {
        let options =
            Options::default().with("leaks.github_keys_url", &self.url).with("leaks.gitlab_keys_url", &self.url);
        options.with("outbound.allowed_networks", "127.0.0.0/8")
    }
}

fn serve(list: String, asked: Arc<AtomicUsize>, is_down: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let list = Mutex::new(list);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            asked.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let list = list.lock().unwrap();
            let status = if is_down.load(Ordering::SeqCst) { "503 Service Unavailable" } else { "200 OK" };
            let answer = format!(
                "HTTP/1.1 {status}\r\nETag: \"1\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{list}",
                list.len()
            );
            assert!(length > 0 && stream.write_all(answer.as_bytes()).is_ok());
        }
    });
    url
}

pub(crate) fn report(server: &Server, host: &str, name: &str, signature: &str, body: &str) -> Answer {
    let path = format!("/v1/leaks/{}", host.to_lowercase());
    let names = [format!("{host}-Public-Key-Identifier"), format!("{host}-Public-Key-Signature")];
    let request = Request::new("POST", &path).body(body).header(&names[0], name).header(&names[1], signature);
    server.anyone().ask(request)
}

fn a_signed_report_revokes_what_is_ours(backend: Backend) {
    let host = Host::new();
    let server = Server::start(backend, host.options());
    let mut owner = server.owner();
    for (name, source) in [("Github", "github"), ("Gitlab", "gitlab")] {
        let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
        let finding = |token: &str| json!({"token": token, "type": "nolapse_token", "url": "https://example.com/x", "source": "commit"});
        let body =
            json!([finding(&leaked), finding("nlp_00112233445566778899aabbccddeeff550c911c"), finding("some_token")]);
        let body = body.to_string();
        // A repeated report gets the same answer and changes nothing.
        for _ in 0..2 {
            let told = report(&server, name, &host.name, &host.sign(&body), &body);
            assert!(!told.text().contains(&leaked));
            let told = told.expect(200);
            let labels: Vec<&Value> = told.as_array().unwrap().iter().map(|told| &told["label"]).collect();
            assert_eq!(labels, ["true_positive", "false_positive", "false_positive"]);
            let digest = ring::digest::digest(&ring::digest::SHA256, leaked.as_bytes());
            assert_eq!(
                told[0],
                json!({"token_hash": BASE64.encode(digest.as_ref()), "token_type": "nolapse_token", "label": "true_positive"})
            );
            assert!(!server.anyone().is_valid(&leaked));
        }
        let events = owner.get(&format!("/v1/audit?action=token.leaked&target={id}")).expect(200)["events"].clone();
        assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
        assert_eq!((&events[0]["actor"], &events[0]["detail"]["source"]), (&json!("anonymous"), &json!(source)));
    }
    let empty = report(&server, "Github", &host.name, &host.sign("[]"), "[]");
    assert_eq!(empty.expect(200), json!([]));
    assert_eq!(host.asked(), 2, "one list for each");
}

fn a_report_that_is_not_signed_well_changes_nothing(backend: Backend) {
    let (host, other) = (Host::new(), Host::new());
    let server = Server::start(backend, host.options());
    let [leaked] = texts(&server.owner().create("leaked"), ["secret"]);
    let body = json!([{"token": leaked, "type": "t", "url": ""}]).to_string();
    let good = host.sign(&body);
    for (name, signature, body, status) in [
        (&host.name, &other.sign(&body), &body, 400),
        (&host.name, &"AAAA".to_owned(), &body, 400),
        (&host.name, &"no base64".to_owned(), &body, 400),
        (&host.name, &good, &format!("{body} "), 400),
        (&other.name, &other.sign(&body), &body, 400),
        (&host.name, &host.sign("{}"), &"{}".to_owned(), 400),
        (&host.name, &host.sign("[1]"), &"[1]".to_owned(), 400),
        (&host.name, &good, &"x".repeat(1024 * 1024 + 1), 413),
    ] {
        let answer = report(&server, "Github", name, signature, body);
        assert_eq!(answer.status, status, "{name} {}: {answer:?}", &body[..body.len().min(40)]);
    }
    // Without the headers, with only one of them, or with those of another host the answer is 404.
    let post = |path: &'static str| Request::new("POST", path).body(body.clone());
    server.anyone().ask(post("/v1/leaks/github")).fails(404, "not found");
    server
        .anyone()
        .ask(post("/v1/leaks/github").header("Github-Public-Key-Identifier", host.name.clone()))
        .fails(404, "not found");
    let foreign = post("/v1/leaks/gitlab").header("Github-Public-Key-Identifier", host.name.clone());
    server.anyone().ask(foreign.header("Github-Public-Key-Signature", good.clone())).fails(404, "not found");
    assert!(server.anyone().is_valid(&leaked));

    let unconfigured = Server::start(backend, Options::default());
    report(&unconfigured, "Github", &host.name, &good, &body).fails(404, "not found");
}

fn keys_are_fetched_once_and_for_unknown_names_once_a_minute(backend: Backend) {
    let host = Host::new();
    host.is_down.store(true, Ordering::SeqCst);
    let server = Server::start(backend, host.options());
    let signature = host.sign("[]");
    for _ in 0..3 {
        report(&server, "Github", &host.name, &signature, "[]").fails(503, "unavailable");
    }
    assert_eq!(host.asked(), 1, "after a failure, the list is requested once a minute");
    host.is_down.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        report(&server, "Gitlab", &host.name, &signature, "[]").expect(200);
    }
    assert_eq!(host.asked(), 2, "a list that is there is kept");
    for _ in 0..3 {
        report(&server, "Gitlab", "unknown", &signature, "[]").fails(400, "invalid request");
    }
    assert_eq!(host.asked(), 2, "and not asked for again within a minute, whatever name is made up");
}

fn an_address_of_keys_on_a_private_network_is_not_connected_to(backend: Backend) {
    let host = Host::new();
    let options = Options::default().with("leaks.github_keys_url", &host.url);
    let server = Server::start(backend, options);
    report(&server, "Github", &host.name, &host.sign("[]"), "[]").fails(503, "unavailable");
    assert_eq!(host.asked(), 0);
    server.says(&["outbound.allowed_networks"]);
}

//! An identity provider of the tests: it has keys of its own, publishes them as `OpenID` Connect says, signs what it is asked
//! to, and behaves as badly as a test wants.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "an issuer that cannot work ends the test")]

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// What the policies of the tests expect in `aud`.
pub const AUDIENCE: &str = "https://tokens.example.org";

/// The client of the tests where people sign in: its id and its secret.
pub const CLIENT: &str = "tokens:a-secret-of-the-tests";

/// How an issuer answers.
#[derive(Clone, Debug)]
pub enum Manner {
    /// As it should.
    Well,
    /// By a redirect to this address.
    Redirects(String),
    /// A byte now and then.
    Drips,
    /// With a key set of so many bytes.
    Keys(usize),
    /// With a discovery document of somebody else.
    SomebodyElse,
    /// With keys at this address.
    KeysAt(String),
    /// With an error.
    Fails,
    /// Signs by RS256 alone, as it says.
    OnlyRs256,
    /// Says that its answers always name the issuer (RFC 9207).
    NamesIssuer,
}

/// An issuer.
#[derive(Debug)]
pub struct Issuer {
    /// Its address, which is `iss`.
    pub url: String,
    keys: Arc<Mutex<Keys>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Keys {
    pair: EcdsaKeyPair,
    id: String,
    published: Vec<Value>,
    manner: Manner,
    /// The codes that were not exchanged yet: the challenge (RFC 7636) and the identity token of each.
    codes: HashMap<String, (String, String)>,
    /// What it says about a person beside the identity token.
    user_info: Value,
}

impl Issuer {
    /// Starts one on a free port of this machine.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (pair, published) = pair("first");
        let keys = Keys {
            pair,
            id: "first".to_owned(),
            published: vec![published],
            manner: Manner::Well,
            codes: HashMap::new(),
            user_info: Value::Null,
        };
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::<AtomicUsize>::default());
        let (shared, counted, own) = (Arc::clone(&keys), Arc::clone(&asked), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (shared, own) = (Arc::clone(&shared), own.clone());
                std::thread::spawn(move || answer(stream.unwrap(), &own, &shared));
            }
        });
        Self { url, keys, asked }
    }

    /// How many connections it was made.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Answers so from now on.
    pub fn behave(&self, manner: Manner) {
        self.keys.lock().unwrap().manner = manner;
    }

    /// Signs by another key from now on, and publishes that one alone.
    pub fn rotate(&self, id: &str) {
        let (pair, published) = pair(id);
        let mut keys = self.keys.lock().unwrap();
        (keys.pair, keys.id, keys.published) = (pair, id.to_owned(), vec![published]);
    }

    /// The claims of a job, changed as given: `null` takes one away.
    pub fn claims(&self, changes: &Value) -> Value {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let now = now();
        let mut claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "repo:acme/api:ref:refs/heads/main", "iat": now, "exp": now + 300,
            "jti": format!("job-{}-{}", self.url, COUNT.fetch_add(1, Ordering::SeqCst)),
            "repository_id": "42", "ref": "refs/heads/main", "event_name": "push",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    /// The identity token of a job with these claims.
    pub fn token(&self, changes: &Value) -> String {
        self.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": self.keys.lock().unwrap().id}), &self.claims(changes))
    }

    /// Exchanges the code for this identity token, once, for who knows what the challenge was made of.
    pub fn grant(&self, code: &str, challenge: &str, token: &str) {
        let granted = (challenge.to_owned(), token.to_owned());
        self.keys.lock().unwrap().codes.insert(code.to_owned(), granted);
    }

    /// Says this about whoever has an access token; `null` for an error.
    pub fn tell(&self, user_info: Value) {
        self.keys.lock().unwrap().user_info = user_info;
    }

    /// Its public keys, as it publishes them.
    pub fn key_set(&self) -> Vec<u8> {
        json!({ "keys": self.keys.lock().unwrap().published }).to_string().into_bytes()
    }

    /// Any header and claims, signed by ES256.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.keys.lock().unwrap().pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    /// The public key as text, for whoever would take it for a shared secret.
    pub fn public_key(&self) -> Vec<u8> {
        self.keys.lock().unwrap().pair.public_key().as_ref().to_vec()
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "an issuer has a clock of its own")]
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// A part of a token: the JSON in base64.
pub fn encode(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn pair(id: &str) -> (EcdsaKeyPair, Value) {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = (BASE64URL_NOPAD.encode(&point[1..33]), BASE64URL_NOPAD.encode(&point[33..]));
    (pair, json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256", "x": x, "y": y}))
}

/// A request with its whole body; what came of it, if the client went away.
fn read(stream: &mut TcpStream) -> String {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut part) {
            Ok(length @ 1..) => request.extend_from_slice(&part[..length]),
            Ok(0) | Err(_) => return text,
        }
    }
}

/// The identity token for the code of a token request, if the client is the one of the tests and has the verifier.
fn exchanged(request: &str, codes: &mut HashMap<String, (String, String)>) -> Option<String> {
    let (head, body) = request.split_once("\r\n\r\n")?;
    let field = |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let basic = format!("basic {}", BASE64.encode(CLIENT.as_bytes())).to_ascii_lowercase();
    let is_client = head.to_ascii_lowercase().contains(&format!("authorization: {basic}"));
    let (challenge, token) = codes.remove(field("code")?)?;
    let made = BASE64URL_NOPAD.encode(digest(&SHA256, field("code_verifier")?.as_bytes()).as_ref());
    (is_client && made == challenge && field("grant_type") == Some("authorization_code")).then_some(token)
}

/// Answers one request; a client that went away is nothing to complain of.
fn answer(mut stream: TcpStream, own: &str, keys: &Mutex<Keys>) {
    let request = read(&mut stream);
    let is_discovery = request.starts_with("GET /.well-known/openid-configuration ");
    let (manner, published) = {
        let keys = keys.lock().unwrap();
        (keys.manner.clone(), keys.published.clone())
    };
    if request.starts_with("POST /token ") {
        let token = exchanged(&request, &mut keys.lock().unwrap().codes);
        let (status, body) = match token {
            Some(token) => ("200 OK", json!({"access_token": "a", "token_type": "Bearer", "id_token": token})),
            None => ("400 Bad Request", json!({"error": "invalid_grant"})),
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all((head + &body).as_bytes());
        return;
    }
    if request.starts_with("GET /userinfo ") && request.to_ascii_lowercase().contains("authorization: bearer a\r\n") {
        let user_info = keys.lock().unwrap().user_info.clone();
        let status = if user_info.is_null() { "403 Forbidden" } else { "200 OK" };
        let body = user_info.to_string();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all((head + &body).as_bytes());
        return;
    }
    let issuer = if matches!(manner, Manner::SomebodyElse) { "https://example.org" } else { own };
    let keys_at = if let Manner::KeysAt(url) = &manner { url.clone() } else { format!("{own}/keys") };
    let algorithms = if matches!(manner, Manner::OnlyRs256) { json!(["RS256"]) } else { json!(["RS256", "ES256"]) };
    let metadata = json!({"issuer": issuer, "jwks_uri": keys_at, "id_token_signing_alg_values_supported": algorithms,
        "authorization_endpoint": format!("{own}/authorize?tenant=1"), "token_endpoint": format!("{own}/token"), "userinfo_endpoint": format!("{own}/userinfo"),
        "authorization_response_iss_parameter_supported": matches!(manner, Manner::NamesIssuer)});
    let body = if is_discovery { metadata.to_string() } else { json!({ "keys": published }).to_string() };
    let head = |status: &str, length: usize, more: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
    };
    let bytes = match &manner {
        Manner::Redirects(to) => head("302 Found", 0, &format!("Location: {to}\r\n")),
        Manner::Fails => head("500 Internal Server Error", 0, ""),
        Manner::Keys(size) if !is_discovery => head("200 OK", *size, "") + &" ".repeat(size - body.len()) + &body,
        _ => head("200 OK", body.len(), "") + &body,
    };
    if !matches!(manner, Manner::Drips) {
        let _ = stream.write_all(bytes.as_bytes());
        return;
    }
    for byte in bytes.bytes() {
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

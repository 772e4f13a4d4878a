//! A receiver of webhooks: a small HTTP server that checks signatures by itself, and misbehaves as told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use ring::hmac;
use serde_json::Value;

/// What it does with a request; by default it answers 204.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Answers with this status.
    Answer(u16),
    /// Sends the client elsewhere.
    Redirect(String),
    /// Never says a word.
    Hang,
    /// Says a byte a second.
    Drip,
}

/// A request it got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(present, _)| present == name);
        found.map_or_else(|| panic!("no {name} in {self:?}"), |(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of its signatures is by this secret.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let content = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        verifies(secret, &content, self.header("webhook-signature"))
    }
}

/// Whether one of the signatures of a header is of this content, as a library for Standard Webhooks checks it.
pub(crate) fn verifies(secret: &str, content: &str, header: &str) -> bool {
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    header.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|signature| {
        let signature = BASE64.decode(signature.as_bytes()).unwrap();
        hmac::verify(&key, content.as_bytes(), &signature).is_ok()
    })
}

#[derive(Default)]
struct State {
    turns: VecDeque<Turn>,
    got: Vec<Got>,
    connections: usize,
}

/// The receiver. It ends with the test's process.
pub(crate) struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = Arc::clone(&receiver.state);
        spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&state));
                state.lock().unwrap().connections += 1;
                spawn(move || serve(&stream, &state));
            }
        });
        receiver
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/hook?key=1", self.address)
    }

    /// What it does with the next requests.
    pub(crate) fn then(&self, turns: impl IntoIterator<Item = Turn>) {
        self.state.lock().unwrap().turns.extend(turns);
    }

    /// What it got.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Waits for so many requests.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Got> {
        // Longer than a node has a webhook to itself.
        let begun = Instant::now();
        while self.got().len() < count {
            assert!(begun.elapsed() < Duration::from_mins(2), "waited in vain for {count} requests: {:?}", self.got());
            sleep(Duration::from_millis(20));
        }
        self.got()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        let Some(got) = read(&mut reader) else { return };
        let turn = {
            let mut state = state.lock().unwrap();
            state.got.push(got);
            state.turns.pop_front().unwrap_or(Turn::Answer(204))
        };
        let mut out = stream;
        let said = match turn {
            Turn::Answer(204) => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            Turn::Answer(status) => format!("HTTP/1.1 {status} As Told\r\nContent-Length: 3\r\n\r\nno\n"),
            Turn::Redirect(to) => format!("HTTP/1.1 307 Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"),
            Turn::Hang => {
                sleep(Duration::from_mins(5));
                return;
            }
            Turn::Drip => {
                for byte in "HTTP/1.1 204 No Content\r\nServer: patience\r\n\r\n".bytes() {
                    if out.write_all(&[byte]).is_err() {
                        return;
                    }
                    sleep(Duration::from_secs(1));
                }
                return;
            }
        };
        if out.write_all(said.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Got> {
    let mut next = || {
        let mut line = String::new();
        let length = reader.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    };
    let line = next()?;
    let mut headers = Vec::new();
    loop {
        let header = next()?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap();
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Got { line, headers, body: String::from_utf8(body).unwrap() })
}

//! HTTP/1.1 over a socket, byte for byte: the test and not a library decides what is sent, and when.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// The read timeout, so that a server that never answers fails the test instead of blocking it.
const PATIENCE: Duration = Duration::from_mins(1);

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lowercase, in the order they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first header with this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(present, _)| present == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as JSON, or null if it is not JSON. Panics for another status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let is_json =
            self.header("content-type").is_none_or(|of_type| of_type.ends_with("json") && !of_type.contains("ndjson"));
        if self.body.is_empty() || !is_json { Value::Null } else { self.json() }
    }

    /// Asserts an error in the usual format, with this status and code; returns the body.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, error: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(body["statusCode"], status, "{body}");
        let message = body["message"].as_str().unwrap_or_default();
        let field = body["field"].as_str().unwrap_or_default();
        let is_sentence = message.starts_with(char::is_uppercase) || (!field.is_empty() && message.starts_with(field));
        assert!(is_sentence, "a message is a sentence with its subject: {body}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        body
    }

    /// The answer without the parts that differ between equal answers: the request id, the date, and whether the
    /// connection closes, which depends on how much of the body had arrived.
    pub(crate) fn bare(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let own = |name: &str| matches!(name, "x-request-id" | "date" | "connection");
        let mut headers: Vec<_> = self.headers.iter().filter(|(name, _)| !own(name)).cloned().collect();
        headers.sort();
        (self.status, headers, self.body.clone())
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Option<Vec<u8>>,
    chunked: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, headers: Vec::new(), body: None, chunked: false }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds `Authorization: Bearer`.
    pub(crate) fn bearer(self, credential: &str) -> Self {
        self.header("Authorization", format!("Bearer {credential}"))
    }

    /// Sets a body, with its length.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// Sends the body in chunks of one byte, without `Content-Length`.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// The bytes on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: it\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.chunked {
            head.push_str("Transfer-Encoding: chunked\r\n\r\n");
            let chunks = body.iter().flat_map(|byte| [b"1\r\n".as_slice(), &[*byte], b"\r\n"].concat());
            return head.into_bytes().into_iter().chain(chunks).chain(*b"0\r\n\r\n").collect();
        }
        if self.body.is_some() {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// A kept-alive connection.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends raw bytes, in one write if the system accepts them.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads one whole answer. If the connection ends before, the error is `UnexpectedEof`.
    pub(crate) fn answer(&mut self, without_body: bool) -> io::Result<Answer> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(ErrorKind::InvalidData)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if !without_body && status != 204 {
            if answer.header("transfer-encoding") == Some("chunked") {
                answer.body = self.chunks()?;
                return Ok(answer);
            }
            let length = answer.header("content-length").and_then(|text| text.parse().ok());
            answer.body = vec![0; length.ok_or(ErrorKind::InvalidData)?];
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// Reads `count` raw bytes.
    pub(crate) fn raw(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether no unread bytes have arrived.
    pub(crate) fn is_waiting(&self) -> bool {
        let stream = self.stream.get_ref();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false).unwrap();
        self.stream.buffer().is_empty() && peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        self.send(&request.bytes())?;
        self.answer(request.is_head())
    }

    /// Reads a chunked body, including the last, empty chunk.
    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).map_err(|_| ErrorKind::InvalidData)?;
            let end = body.len();
            body.resize(end + length, 0);
            self.stream.read_exact(&mut body[end..])?;
            if !self.line()?.is_empty() {
                return Err(ErrorKind::InvalidData.into());
            }
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

//! An application behind a gateway: it answers each request with the request itself, and echoes WebSocket messages.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

/// The application. Dropping it stops accepting connections.
pub(super) struct App {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl App {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stopped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (counted, ending) = (Arc::clone(&requests), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::Acquire) {
                    return;
                }
                let counted = Arc::clone(&counted);
                // A client that disconnects does not fail the test.
                std::thread::spawn(move || stream.and_then(|stream| serve(stream, &counted)));
            }
        });
        Self { address, requests, stopped }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of requests received so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the listener, which ends then.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, requests: &AtomicUsize) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let Some(Head { method, path, headers }) = head(&mut stream)? else { return Ok(()) };
        requests.fetch_add(1, Ordering::AcqRel);
        let header = |name: &str| headers.get(name).and_then(Value::as_str);
        if header("upgrade") == Some("websocket") {
            // The answer to the example key of RFC 6455 §1.3, which the tests send. HAProxy requires one.
            let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{accept}\r\n\r\n"
            );
            stream.get_mut().write_all(answer.as_bytes())?;
            let mut bytes = [0; 1024];
            loop {
                match stream.read(&mut bytes)? {
                    0 => return Ok(()),
                    count => stream.get_mut().write_all(&bytes[..count])?,
                }
            }
        }
        let length = if header("transfer-encoding").is_some() {
            chunks(&mut stream)?
        } else {
            let length = header("content-length").map_or(0, |text| text.parse().unwrap());
            io::copy(&mut (&mut stream).take(length), &mut io::sink())?
        };
        let body = json!({"method": method, "path": path, "headers": headers, "length": length}).to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            body.len(),
            if method == "HEAD" { "" } else { &body }
        );
        stream.get_mut().write_all(answer.as_bytes())?;
    }
}

/// The head of a request; names of headers in lower case.
struct Head {
    method: String,
    path: String,
    headers: Map<String, Value>,
}

/// The head of the next request; `None` at the end of the connection.
fn head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Head>> {
    let request = line(stream)?;
    let mut words = request.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next().filter(|word| !word.is_empty()), words.next()) else {
        return Ok(None);
    };
    let mut headers = Map::new();
    loop {
        let line = line(stream)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(Some(Head { method, path, headers })) };
        // A repeated header shows both values, so that a gateway that appends to a client's header fails the test.
        let name = name.to_ascii_lowercase();
        let earlier = headers.get(&name).and_then(Value::as_str).map(|earlier| format!("{earlier}, "));
        headers.insert(name, json!(format!("{}{}", earlier.unwrap_or_default(), value.trim())));
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Reads a chunked body; returns its length.
fn chunks(stream: &mut BufReader<TcpStream>) -> io::Result<u64> {
    let mut total = 0;
    loop {
        let length = u64::from_str_radix(&line(stream)?, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        total += io::copy(&mut (&mut *stream).take(length), &mut io::sink())?;
        line(stream)?;
        if length == 0 {
            return Ok(total);
        }
    }
}

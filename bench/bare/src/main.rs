//! The benchmark's baseline: actix-web and mimalloc in release, the validate body parsed into borrowed fields, the same
//! answer bytes each time. It looks nothing up, so the difference to it is the cost of the product's own code.
//!
//! Usage: `bare [--listen ADDR] [--answer live|unknown] [--workers N]`; prints `listening on http://…` once it accepts.
//!
//! **Invariant:** no state, no lock, no clock; every request of a run gets the same bytes.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use serde::Deserialize;
use std::borrow::Cow;
use std::io::{self, ErrorKind, Write as _};
use std::num::NonZero;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The answer to a live token, byte for byte what the product sends.
const LIVE: &[u8] = br#"{"valid":true,"org_id":"org_01h455vb4pex5vsknk084sn02q","scopes":["execute"]}"#;
/// The answer to an unknown token.
const UNKNOWN: &[u8] = br#"{"valid":false,"error":"invalid token"}"#;
/// The answer to a body that does not parse.
const MALFORMED: &[u8] = br#"{"error":"malformed request"}"#;
/// Largest body of a validate request, in bytes.
const BODY_LIMIT: usize = 4096;

/// The fields that the product reads from a validate request.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow, default)]
    required_scopes: Vec<Cow<'a, str>>,
    #[serde(default)]
    detail: bool,
}

/// The one answer of this run.
#[derive(Clone, Copy)]
struct Answer {
    status: StatusCode,
    body: &'static [u8],
}

async fn validate(body: Bytes, answer: Data<Answer>) -> HttpResponse {
    match serde_json::from_slice::<Request<'_>>(&body) {
        // Use the fields, so that the optimiser cannot remove their parsing.
        Ok(request) if !request.token.is_empty() || request.detail || !request.required_scopes.is_empty() => {
            HttpResponse::build(answer.status).content_type("application/json").body(Bytes::from_static(answer.body))
        }
        Ok(_) | Err(_) => {
            HttpResponse::BadRequest().content_type("application/json").body(Bytes::from_static(MALFORMED))
        }
    }
}

/// The command line's options.
struct Options {
    listen: String,
    answer: Answer,
    /// One for each available core by default.
    workers: Option<NonZero<usize>>,
}

/// Reads the options.
///
/// # Errors
/// `InvalidInput`, with the usage line.
fn options() -> io::Result<Options> {
    let usage = || {
        let line = "usage: bare [--listen ADDR] [--answer live|unknown] [--workers N]";
        io::Error::new(ErrorKind::InvalidInput, line)
    };
    let mut listen = "127.0.0.1:0".to_owned();
    let mut answer = Answer { status: StatusCode::OK, body: LIVE };
    let mut workers = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(usage)?;
        match (option.as_str(), value.as_str()) {
            ("--listen", _) => listen = value,
            ("--answer", "live") => answer = Answer { status: StatusCode::OK, body: LIVE },
            ("--answer", "unknown") => answer = Answer { status: StatusCode::UNAUTHORIZED, body: UNKNOWN },
            ("--workers", count) => workers = Some(count.parse().map_err(|_| usage())?),
            _ => return Err(usage()),
        }
    }
    Ok(Options { listen, answer, workers })
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let Options { listen, answer, workers } = options()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(answer))
            .app_data(web::PayloadConfig::new(BODY_LIMIT))
            .route("/v1/auth/validate", web::post().to(validate))
    });
    let server = match workers {
        Some(count) => server.workers(count.get()),
        None => server,
    };
    let server = server.bind(listen)?;
    let address = server.addrs().first().copied().ok_or_else(|| io::Error::other("bound to no address"))?;
    let running = server.run();
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()?;
    drop(stdout);
    running.await
}

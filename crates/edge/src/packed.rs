//! Documents stored gzipped: sent as they are to clients that accept gzip, decompressed for the others.
//!
//! A document takes a fifth of its size in memory and on the wire that way. Few clients need the decompression: those
//! that send no `Accept-Encoding`, such as `curl`.

use std::io::{self, Read as _, Write as _};

use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header as _, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// The whole of a gzip stream (RFC 1952).
#[derive(Clone, Debug)]
pub(super) struct Packed(Bytes);

impl Packed {
    /// Compresses a text.
    pub(super) fn text(text: &str) -> io::Result<Self> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(text.as_bytes())?;
        // Into a boxed slice, which drops the spare capacity of the compressor's buffer.
        Ok(Self(Bytes::from(packer.finish()?.into_boxed_slice())))
    }

    /// Takes a stream that was compressed when the program was built.
    pub(super) fn stream(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// A 200 with this document in an encoding that `request` accepts; an error if the stream is broken.
    pub(super) fn answer(&self, request: &HttpRequest, content_type: &str) -> io::Result<HttpResponse> {
        let mut answer = HttpResponse::Ok();
        answer.content_type(content_type).insert_header((header::VARY, HeaderValue::from_static("accept-encoding")));
        if takes_gzip(request) {
            return Ok(answer.insert_header(ContentEncoding::Gzip).body(self.0.clone()));
        }
        let mut text = Vec::new();
        GzDecoder::new(&self.0[..]).read_to_end(&mut text)?;
        Ok(answer.body(text))
    }
}

/// Whether the client accepts gzip. Without the header it gets plain text, because simple clients do not decompress.
fn takes_gzip(request: &HttpRequest) -> bool {
    let known = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request).is_ok_and(|asked| asked.negotiate(known.iter()) == Some(Encoding::gzip()))
}

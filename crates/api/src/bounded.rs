//! Bounds the work that an unauthenticated client can cause: every parser of its input must take linear time.
//!
//! Callgrind counts instructions rather than seconds, because the count does not depend on the machine's load. Each
//! parser runs once with some input and once with four times as much. A linear parser then costs four times as much, a
//! quadratic one sixteen times.
//!
//! **Invariant:** a new parser of a header, a query, a body or a text in them is added to the table.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use actix_web::test::TestRequest;
use authority::addresses::AddressCode;
use authority::invitations::InvitationCode;
use authority::password_resets::ResetCode;
use authority::people::NewPassword;
use authority::sessions::SessionToken;
use token_domain::access::{Metadata, Topic};
use token_domain::scope::ScopeName;
use token_domain::text::{Email, Name, Slug};
use token_domain::{ScopeCatalogue, Timestamp};
use token_format::PlainToken;

use crate::telemetry::redact::redact;
use edge::extract::{ClientIp, credentials, json, query};
use edge::request_id::RequestIds;

/// A parser, and the number of parts in its first input.
struct Reader {
    name: &'static str,
    parts: usize,
    /// Makes an input of `parts` parts and parses it.
    read: fn(usize),
}

const fn reader(name: &'static str, parts: usize, read: fn(usize)) -> Reader {
    Reader { name, parts, read }
}

/// The parsers. Four times the number of parts is as much as the limits on a request allow: a head of 128 KiB, a body
/// of 64 KiB, 96 header lines.
const READERS: &[Reader] = &[
    reader("parameters of a query", 4_000, |n| ignore(query::parse::<Nothing>(&joined(n, "&", |i| format!("p{i}=1"))))),
    reader("one parameter over and over", 4_000, |n| ignore(query::parse::<Nothing>(&joined(n, "&", |_| "a".into())))),
    reader("a long value in a query", 16_000, |n| ignore(query::parse::<Nothing>(&format!("a={}", "%41".repeat(n))))),
    reader("a value of plus signs", 16_000, |n| ignore(query::parse::<Nothing>(&format!("a={}", "+".repeat(n))))),
    reader("keys of an object", 2_000, |n| {
        ignore(json::parse::<Nothing>(format!("{{{}}}", joined(n, ",", |i| format!("\"k{i}\":0"))).as_bytes()));
    }),
    reader("objects in a list", 2_000, |n| {
        ignore(json::parse::<Nothing>(format!("{{\"a\":[{}]}}", joined(n, ",", |_| "{\"b\":1}".into())).as_bytes()));
    }),
    reader("brackets", 16_000, |n| ignore(json::parse::<Nothing>(format!("{{\"a\":{}", "[".repeat(n)).as_bytes()))),
    reader("digits of a number", 16_000, |n| {
        ignore(json::parse::<Nothing>(format!("{{\"a\":{}.5e1}}", "7".repeat(n)).as_bytes()));
    }),
    reader("escapes of a text", 4_000, |n| {
        ignore(json::parse::<Nothing>(format!("{{\"a\":\"{}\"}}", "\\u00e9".repeat(n)).as_bytes()));
    }),
    reader("a long key", 16_000, |n| {
        ignore(json::parse::<Nothing>(format!("{{\"{}\":1}}", "k".repeat(n)).as_bytes()));
    }),
    reader("a wrong type under a long key", 16_000, |n| {
        ignore(json::parse::<Numbers>(format!("{{\"{}\":\"x\"}}", "k".repeat(n)).as_bytes()));
    }),
    reader("addresses in X-Forwarded-For", 4_000, |n| {
        let request = TestRequest::default()
            .peer_addr(([127, 0, 0, 1], 1).into())
            .insert_header(("x-forwarded-for", joined(n, ", ", |_| "127.0.0.1".into())));
        ignore(ClientIp::of(&request.to_http_request()));
    }),
    reader("credential headers", 20, |n| {
        let request =
            (0..n).fold(TestRequest::default(), |request, _| request.append_header(("x-api-key", "k".repeat(99))));
        ignore(credentials::presented(request.to_http_request().headers()));
    }),
    reader("a long credential", 16_000, |n| {
        let request = TestRequest::default().insert_header(("authorization", format!("Bearer {}", "n".repeat(n))));
        ignore(credentials::presented(request.to_http_request().headers()));
    }),
    reader("a long request id", 16_000, |n| {
        let request = TestRequest::default().insert_header(("x-request-id", "a".repeat(n))).to_http_request();
        ignore(RequestIds::new(0).choose(request.headers().get("x-request-id")));
    }),
    reader("beginnings of tokens in a log line", 8_000, |n| ignore(redact("nlp_".repeat(n).as_bytes()))),
    reader("tokens in a log line", 400, |n| ignore(redact(format!("nlp_{}", "0".repeat(40)).repeat(n).as_bytes()))),
    reader("names of scopes to evaluate", 3_000, |n| {
        let names: Vec<String> = (0..n).map(|i| format!("s{i}:read")).collect();
        ignore(ScopeCatalogue::built_in().unwrap().evaluate(&names, &names).missing.len());
    }),
    reader("a long name of a scope", 16_000, |n| ignore(ScopeName::parse(&"a.".repeat(n)))),
    reader("a long token", 16_000, |n| ignore(PlainToken::parse(&format!("nlp_{}", "0".repeat(n))))),
    reader("a long session token", 16_000, |n| ignore(SessionToken::parse(&format!("nls_{}", "0".repeat(n))))),
    reader("a long code of an invitation", 16_000, |n| {
        ignore(InvitationCode::parse(&format!("nli_{}", "0".repeat(n))));
        ignore(AddressCode::parse(&format!("nle_{}", "0".repeat(n))));
        ignore(ResetCode::parse(&format!("nlr_{}", "0".repeat(n))));
    }),
    reader("a long address", 4_000, |n| ignore(Email::parse(&format!("{}@example.org", "e\u{301}".repeat(n))))),
    reader("a long name", 4_000, |n| ignore(Name::parse(&"e\u{301}".repeat(n)))),
    reader("combining characters of a name", 120, |n| ignore(Name::parse(&format!("a{}", "\u{301}\u{316}".repeat(n))))),
    reader("a long slug", 16_000, |n| ignore(Slug::parse(&"a-".repeat(n)))),
    reader("a long topic", 4_000, |n| ignore(Topic::parse(&"a/".repeat(n)))),
    reader("keys of metadata", 100, |n| {
        ignore(Metadata::parse(&format!("{{{}}}", joined(n, ",", |i| format!("\"k{i}\":0")))));
    }),
    reader("a long moment", 16_000, |n| ignore(Timestamp::parse_rfc3339(&"2026".repeat(n)))),
    reader("a long password", 250, |n| ignore(NewPassword::new("a1".repeat(n / 2).into()))),
    reader("a password of words", 250, |n| ignore(NewPassword::new("lovepassword".repeat(n / 12).into()))),
    reader("a password that is far too long", 16_000, |n| ignore(NewPassword::new("z".repeat(n).into()))),
];

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

type Numbers = std::collections::BTreeMap<String, u32>;

fn ignore<T>(result: T) {
    drop(black_box(result));
}

fn joined(parts: usize, between: &str, part: impl Fn(usize) -> String) -> String {
    (0..parts).map(part).collect::<Vec<_>>().join(between)
}

/// Set where callgrind counts. Without it the counted test does nothing.
const COUNTED: &str = "NOLAPSE_TEST_COUNTED";

/// The instructions of each parser, for its first input and for one that is four times as large.
fn instructions() -> Vec<[u64; 2]> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("count");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        // A count ends, and another begins, with each call of this function.
        .arg("--dump-before=*bounded*::measured*")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "bounded::all_readers", "--ignored", "--test-threads=1"])
        .env(COUNTED, "1")
        .output()
        .expect("valgrind must be installed: apt-get install -y valgrind, or cargo xtask test, which does it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    // The first is of what comes before the first call.
    let ends = (2..).map(|part| file.with_extension(part.to_string())).take_while(|file| file.exists());
    let counts: Vec<u64> = ends.map(|file| count(&file)).collect();
    assert_eq!(counts.len(), 2 * READERS.len(), "one for each call");
    counts.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// The sum of a count.
fn count(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let sum = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap_or_else(|| panic!("{text}"));
    sum.trim().parse().unwrap()
}

#[test]
fn work_before_a_credential_grows_no_faster_than_what_was_sent() {
    let mut steeper = Vec::new();
    for (reader, [once, four_times]) in READERS.iter().zip(instructions()) {
        println!("{:<40} {once:>12} {four_times:>12}", reader.name);
        assert!(once > 1_000, "{}: nothing was counted", reader.name);
        // A limit may refuse the longer input early, which then costs less. The first call also fills tables that later ones
        // use, which takes some ten thousand instructions.
        if four_times > 6 * once + 200_000 {
            steeper.push(format!("{}: {once} instructions, and {four_times} for four times as much", reader.name));
        }
    }
    assert!(steeper.is_empty(), "{steeper:#?}");
}

/// The test above runs this one under callgrind, which counts what [`measured`] does.
#[test]
#[ignore = "counted by another test, in a process of its own"]
fn all_readers() {
    if std::env::var_os(COUNTED).is_none() {
        return;
    }
    for reader in READERS {
        measured(reader, reader.parts);
        measured(reader, 4 * reader.parts);
    }
    // Ends the last count.
    measured(&reader("nothing", 0, |_| ()), 0);
}

#[inline(never)]
fn measured(reader: &Reader, parts: usize) {
    (reader.read)(black_box(parts));
}

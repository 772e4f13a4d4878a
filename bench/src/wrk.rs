//! Runs the load generator: wrk with `generator.lua`, pinned to its own core, with a time limit.

use super::request::{Answer, Order};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use task_support::interrupt;
use task_support::process::{Launch, POLL};
use task_support::services::{Tool, find_or_install};

/// Keep-alive connections of most benchmarks.
pub(super) const CONNECTIONS: u32 = 32;
/// Starting point of the script's choice of tokens.
const SEED: &str = "20260115";
/// How much longer than planned wrk may take before the run fails.
const SLACK: Duration = Duration::from_secs(30);
/// The script.
const SCRIPT: &str = include_str!("generator.lua");

/// The generator with its input on disk.
#[derive(Debug)]
pub(super) struct Generator {
    program: PathBuf,
    folder: PathBuf,
    name: &'static str,
    tokens: &'static str,
    core: usize,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// The server's port on loopback.
    pub(super) port: u16,
    /// How long to load the server. With [`Order::Once`] the run ends earlier when every token was used.
    pub(super) time: Duration,
    /// In which order tokens are taken.
    pub(super) order: Order,
    /// Requests written at once on each connection.
    pub(super) pipeline: u32,
    /// Keep-alive connections held open at once.
    pub(super) connections: u32,
    /// How long each connection pauses after an answer, in whole milliseconds.
    pub(super) rest: Duration,
}

impl Load {
    /// The load of most benchmarks: one request at a time on each of [`CONNECTIONS`] connections.
    pub(super) const fn usual(port: u16, time: Duration, order: Order) -> Self {
        Self { port, time, order, pipeline: 1, connections: CONNECTIONS, rest: Duration::ZERO }
    }
}

/// The clients' results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Answers received.
    pub(super) requests: u64,
    /// How long it took.
    pub(super) duration: Duration,
    /// The 50th, 99th and 99.9th percentiles of latency, in microseconds.
    pub(super) latency_us: [u64; 3],
    /// Answers with a status of 400 and above.
    pub(super) refused: u64,
    /// Connections and requests that failed below HTTP.
    pub(super) failed: u64,
}

impl Generator {
    /// Writes the script and the two parts of the request `name` into `folder`, where the file `tokens` is.
    pub(super) fn prepare(
        folder: &Path,
        name: &'static str,
        tokens: &'static str,
        (head, tail): (&str, &str),
        core: usize,
    ) -> Result<Self> {
        let files =
            [("generator.lua".to_owned(), SCRIPT), (format!("{name}.head"), head), (format!("{name}.tail"), tail)];
        for (name, text) in files {
            std::fs::write(folder.join(&name), text).attempt(|| format!("write {name}"))?;
        }
        Ok(Self { program: find_or_install(Tool::Wrk)?, folder: folder.to_owned(), name, tokens, core })
    }

    /// Loads a server.
    ///
    /// # Errors
    /// If wrk fails, is interrupted or does not end in time.
    pub(super) fn run(&self, load: &Load) -> Result<Seen> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut wrk = Launch::new(&self.program)
            .args(["-t1".to_owned(), format!("-c{}", load.connections), format!("-d{}s", load.time.as_secs().max(1))])
            .args(["--timeout".to_owned(), "10s".into(), "-s".into(), file("generator.lua")])
            .args([format!("http://127.0.0.1:{}", load.port), "--".into()])
            .args([file(self.tokens), file(&format!("{}.head", self.name)), file(&format!("{}.tail", self.name))])
            .args([load.order.name()])
            .args([load.pipeline.to_string(), SEED.into(), load.rest.as_millis().to_string()])
            .core(Some(self.core))
            .start(Stdio::piped(), Stdio::inherit())?;
        let stdout = wrk.take_stdout().ok_or_else(|| Fail::new("wrk was started without a pipe"))?;
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(std::result::Result::ok);
            // Sending fails only after the run was aborted.
            lines.map(|line| sender.send(line)).find(std::result::Result::is_err);
        });
        let deadline = Instant::now() + load.time + SLACK;
        let mut seen = None;
        while Instant::now() < deadline {
            interrupt::check()?;
            match receiver.recv_timeout(POLL) {
                Ok(line) if line == "exhausted" => end_early(wrk.id()),
                Ok(line) => seen = seen.or_else(|| Seen::parse(&line)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return seen.ok_or_else(|| Fail::new("wrk ended without a result"));
                }
            }
        }
        Err(Fail::new(format!("wrk did not end within {} s", (load.time + SLACK).as_secs())))
    }
}

/// wrk's main thread sleeps for the planned time even if its script has finished; SIGINT makes it report at once.
fn end_early(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // An error means that wrk has ended.
        let _ = kill_process(pid, Signal::INT);
    }
}

impl Seen {
    /// Reads the script's last line; wrk's own lines are not JSON.
    fn parse(line: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(line).ok()?;
        let field = |name: &str| json[name].as_u64();
        Some(Self {
            requests: field("requests")?,
            duration: Duration::from_micros(field("duration_us")?),
            latency_us: [field("p50_us")?, field("p99_us")?, field("p999_us")?],
            refused: field("status_errors")?,
            failed: field("socket_errors")?,
        })
    }

    /// # Errors
    /// If any answer was not as expected.
    pub(super) fn must_be(&self, answer: Answer) -> Result {
        let expected = match answer {
            Answer::Live => 0,
            Answer::Unknown => self.requests,
        };
        if self.requests == 0 || self.failed != 0 || self.refused != expected {
            let Self { requests, refused, failed, .. } = self;
            let text = format!("of {requests} answers {refused} were refusals instead of {expected}, {failed} failed");
            return Err(Fail::new(format!("the run is void: {text}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"requests":1000,"duration_us":2000000,"p50_us":190,"p99_us":1000,"p999_us":2000,
        "status_errors":0,"socket_errors":0}"#;

    #[test]
    fn the_result_is_found_among_other_lines() {
        assert_eq!(Seen::parse("Running 2s test @ http://127.0.0.1:1"), None);
        let seen = Seen::parse(LINE).unwrap();
        assert_eq!(seen.requests, 1000);
        assert_eq!(seen.duration, Duration::from_secs(2));
        assert_eq!(seen.latency_us, [190, 1000, 2000]);
    }

    #[test]
    fn a_run_with_other_answers_is_void() {
        let good = Seen::parse(LINE).unwrap();
        for (seen, answer, fine) in [
            (good, Answer::Live, true),
            (good, Answer::Unknown, false),
            (Seen { refused: 1000, ..good }, Answer::Unknown, true),
            (Seen { refused: 999, ..good }, Answer::Unknown, false),
            (Seen { refused: 1, ..good }, Answer::Live, false),
            (Seen { failed: 1, ..good }, Answer::Live, false),
            (Seen { requests: 0, ..good }, Answer::Live, false),
        ] {
            assert_eq!(seen.must_be(answer).is_ok(), fine, "{seen:?} {answer:?}");
        }
    }
}

//! Runs servers under callgrind and counts the processor instructions and allocator calls of the worker thread for a
//! request. Such counts do not depend on how busy the machine is.
//!
//! One client sends the same requests to the product and to *bare*, one at a time. Counting begins after a warm-up and
//! covers no other thread, so the counts are those of the requests alone. Work of the kernel is not counted.

use super::backend::Backend;
use super::contender::{Product, Running, bare};
use super::cost::Observed;
use super::request::{Answer, VALIDATE};
use super::tokens;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{Launch, need, run};
use task_support::product::{MEASURED, Profile, build_together};
use task_support::services::{Tool, find_or_install};
use task_support::{interrupt, say};
use tempfile::TempDir;

/// Requests that are counted.
const REQUESTS: u64 = 10_000;
/// Requests of the warm-up: after them every token is cached and every buffer has its final size.
const BEFORE: u64 = 500;
/// Tokens that are validated in turn.
const TOKENS: usize = 64;
/// How long one answer may take, under callgrind on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The functions of mimalloc that allocate or grow memory, by prefix.
const ALLOCATORS: [&str; 3] = ["mi_malloc", "mi_zalloc", "mi_realloc"];
/// The prefix of every function of mimalloc. Calls from one to another are not counted.
const ALLOCATOR: &str = "mi_";

/// The two programs, compiled as shipped but with function names, and the tools that count.
pub(super) struct Counter {
    valgrind: PathBuf,
    control: PathBuf,
    product: Product,
    bare: PathBuf,
    requests: Vec<Vec<u8>>,
    folder: TempDir,
}

/// The cost of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// Each function's own instructions.
    pub(super) functions: BTreeMap<String, u64>,
    /// Calls of the allocator, in hundredths.
    pub(super) allocations: u64,
}

impl Counts {
    /// The sum of all instructions.
    pub(super) fn total(&self) -> u64 {
        self.functions.values().sum()
    }

    /// The instructions of functions with `part` in their names.
    pub(super) fn of(&self, part: &str) -> u64 {
        self.functions.iter().filter(|(name, _)| name.contains(part)).map(|(_, count)| count).sum()
    }
}

impl Counter {
    /// Builds the programs and makes a few tokens in such a database.
    ///
    /// # Errors
    /// If valgrind cannot be found or installed, or a program cannot be built.
    pub(super) fn prepare(backend: Backend) -> Result<Self> {
        let valgrind = find_or_install(Tool::Valgrind)?;
        let control = need("callgrind_control", "valgrind")?;
        say::step("building the programs that are counted");
        let programs = build_together(&MEASURED, Profile::Named)?;
        let (program, bare) = (programs.join("nolapse-api"), programs.join("bare"));
        let folder = tempfile::Builder::new().prefix("nolapse-callgrind-").tempdir();
        let folder = folder.attempt(|| "make a folder".into())?;
        let product = Product::prepare(program, folder.path(), 0, backend)?.on_all_cores();
        let product = product.with("NOLAPSE__SERVER__WORKERS", "1");
        let file = folder.path().join("tokens");
        product.seed(TOKENS, &file)?;
        tokens::check(&file, TOKENS)?;
        let text = std::fs::read_to_string(&file).attempt(|| format!("read {}", file.display()))?;
        let (head, tail) = VALIDATE.cut(tokens::TOKEN_LENGTH, "");
        let requests = text.lines().map(|token| format!("{head}{token}{tail}").into_bytes()).collect();
        Ok(Self { valgrind, control, product, bare, requests, folder })
    }

    /// Counts the product.
    pub(super) fn of_product(&self) -> Result<Counts> {
        self.count("nolapse-api", &self.product.launch())
    }

    /// Starts the product on its database, without counting.
    pub(super) fn start(&self, name: &str) -> Result<Running> {
        Running::start(&self.product.launch(), self.folder.path().join(format!("{name}.log")))
    }

    /// The processes of the database, if it has any.
    pub(super) fn database(&self) -> Vec<Observed> {
        self.product.observed_database().into_iter().collect()
    }

    /// Counts the baseline.
    pub(super) fn of_bare(&self) -> Result<Counts> {
        self.count("bare", &bare(&self.bare, Answer::Live, "1"))
    }

    fn count(&self, name: &str, launch: &Launch) -> Result<Counts> {
        say::step(format!("counting the instructions of {name}"));
        let file = self.folder.path().join(format!("{name}.callgrind"));
        let options = [
            "--tool=callgrind".to_owned(),
            "--quiet".into(),
            "--instr-atstart=no".into(),
            "--separate-threads=yes".into(),
            format!("--callgrind-out-file={}", file.display()),
        ];
        let launch = launch.under(&self.valgrind, options);
        let running = Running::start(&launch, self.folder.path().join(format!("{name}.log")))?;
        let asked = self.ask(&running).map_err(|fail| running.explain(&fail));
        // Callgrind writes the counts when the server ends.
        drop(running);
        asked?;
        busiest(&file).map(|thread| thread.each(REQUESTS))
    }

    fn ask(&self, running: &Running) -> Result {
        let stream = TcpStream::connect(("127.0.0.1", running.port)).attempt(|| "connect".into())?;
        stream.set_read_timeout(Some(PATIENCE)).attempt(|| "limit the wait for an answer".into())?;
        stream.set_nodelay(true).attempt(|| "send at once".into())?;
        let mut client = Client { stream, buffer: vec![0; 4_096] };
        let requests = || self.requests.iter().cycle();
        requests().take(usize::try_from(BEFORE).unwrap_or(0)).try_for_each(|request| client.ask(request))?;
        self.switch("on", running)?;
        requests().take(usize::try_from(REQUESTS).unwrap_or(0)).try_for_each(|request| client.ask(request))?;
        self.switch("off", running)
    }

    /// Turns counting on or off. The tool reports it on standard error.
    fn switch(&self, state: &str, running: &Running) -> Result {
        let mut command = Command::new(&self.control);
        run(command
            .arg(format!("--instr={state}"))
            .arg(running.id().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null()))
    }
}

/// A connection that sends one request at a time.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// # Errors
    /// Any answer but 200.
    fn ask(&mut self, request: &[u8]) -> Result {
        interrupt::check()?;
        self.stream.write_all(request).attempt(|| "ask".into())?;
        let mut length = 0;
        loop {
            let more = self.stream.read(&mut self.buffer[length..]).attempt(|| "read an answer".into())?;
            length += more;
            let seen = &self.buffer[..length];
            if more == 0 || length == self.buffer.len() || !b"HTTP/1.1 200".starts_with(&seen[..length.min(12)]) {
                return Err(Fail::new(format!("an answer that was not 200: {}", String::from_utf8_lossy(seen))));
            }
            // The body is one flat object and no header has a brace, so the first `}` ends the response.
            if seen.ends_with(b"}") {
                return Ok(());
            }
        }
    }
}

/// The counts of one thread.
#[derive(Debug, Default)]
struct Thread {
    instructions: BTreeMap<String, u64>,
    allocations: u64,
}

impl Thread {
    /// The counts of each of `requests` requests.
    fn each(self, requests: u64) -> Counts {
        let functions = self.instructions.into_iter().map(|(name, count)| (name, count / requests));
        Counts {
            functions: functions.filter(|(_, count)| *count > 0).collect(),
            allocations: self.allocations * 100 / requests,
        }
    }

    /// Reads a profile. Source: "Callgrind Format Specification": positions and costs a line, names given once and then
    /// by number, and after `calls=` a line with the cost of the callee, which does not count for the function.
    fn read(text: &str) -> Self {
        let (mut thread, mut names) = (Self::default(), HashMap::new());
        let (mut function, mut callee, mut is_call) = ("", "", false);
        for line in text.lines() {
            match line.split_once('=') {
                Some(("fn", name)) => function = named(&mut names, name),
                Some(("cfn", name)) => callee = named(&mut names, name),
                Some(("calls", counts)) => {
                    is_call = true;
                    let allocates = ALLOCATORS.iter().any(|name| callee.starts_with(name));
                    if allocates && !function.starts_with(ALLOCATOR) {
                        let count = counts.split(' ').next().and_then(|count| count.parse().ok());
                        thread.allocations += count.unwrap_or(0);
                    }
                }
                None if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) => {
                    let cost = line.rsplit(' ').next().and_then(|cost| cost.parse().ok()).unwrap_or(0);
                    if !std::mem::take(&mut is_call) {
                        *thread.instructions.entry(without_hash(function).to_owned()).or_insert(0) += cost;
                    }
                }
                Some(_) | None => {}
            }
        }
        thread
    }
}

/// The name in `(number) name`, or the one given before for `(number)`.
fn named<'a>(names: &mut HashMap<&'a str, &'a str>, text: &'a str) -> &'a str {
    match text.split_once(' ') {
        Some((number, name)) => {
            names.insert(number, name);
            name
        }
        None => names.get(text).copied().unwrap_or(text),
    }
}

/// A function name without the hash that the compiler appends.
fn without_hash(name: &str) -> &str {
    name.rsplit_once("::h").filter(|(_, hash)| hash.len() == 16).map_or(name, |(name, _)| name)
}

/// The thread with the most instructions, of the profiles whose names begin with `file`.
fn busiest(file: &Path) -> Result<Thread> {
    let begins = |path: &Path| {
        path.file_name() != file.file_name() && path.as_os_str().to_string_lossy().starts_with(&*file.to_string_lossy())
    };
    let folder = file.parent().unwrap_or(file);
    let entries = std::fs::read_dir(folder).attempt(|| format!("look into {}", folder.display()))?;
    let mut most = Thread::default();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| begins(path)) {
        let text = std::fs::read_to_string(&path).attempt(|| format!("read {}", path.display()))?;
        let thread = Thread::read(&text);
        if thread.instructions.values().sum::<u64>() > most.instructions.values().sum() {
            most = thread;
        }
    }
    if most.instructions.is_empty() { Err(Fail::new("callgrind counted nothing")) } else { Ok(most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_its_own_instructions_and_not_those_of_what_it_calls() {
        let profile = "version: 1\nevents: Ir\n\nfl=(1) x.rs\nfn=(1) api::hot::h0123456789abcdef\n16 400\n+2 30\n\
                       cfn=(2) mi_malloc_aligned\ncalls=7 20\n* 999\n-1 5\nfn=(2)\n20 999\ncfn=(3) mi_malloc\ncalls=7 9\n\
                       +1 50\nfn=(4) other::hash\n5 1\ncfn=(2)\ncalls=3 20\n* 4\ncfn=(5) mi_free\ncalls=9 20\n* 4\n\
                       totals: 1435\n";
        let thread = Thread::read(profile);
        let expected = [("api::hot", 435), ("mi_malloc_aligned", 999), ("other::hash", 1)];
        assert_eq!(thread.instructions, expected.map(|(name, count)| (name.to_owned(), count)).into());
        assert_eq!(thread.allocations, 10, "the allocator's calls of itself are not counted, nor what gives back");
    }

    #[test]
    fn counts_are_of_one_request() {
        let thread =
            Thread { instructions: [("sha2::x".to_owned(), 2_000), ("rare".to_owned(), 9)].into(), allocations: 25 };
        let counts = thread.each(10);
        assert_eq!(counts, Counts { functions: [("sha2::x".to_owned(), 200)].into(), allocations: 250 });
        assert_eq!((counts.total(), counts.of("sha2::"), counts.of("x::")), (200, 200, 0));
    }
}

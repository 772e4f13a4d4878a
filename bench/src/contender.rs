//! The two servers that are compared: `bare`, and the product on either database.

use super::backend::Backend;
use super::cost::Observed;
use super::request::Answer;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{Launch, POLL, Server, run, run_with_input};
use task_support::services::{Durability, Services, Wanted, tail};
use task_support::{interrupt, product, say};

/// How long a server may take to be ready after it was stopped.
const AWAKE: Duration = Duration::from_secs(10);

/// The program that fills a database; built beside the product.
pub(super) const SEED: &str = "nolapse-bench-seed";
/// The organisation of a benchmark, and its owner. Their password is public: the database holds nothing worth
/// protecting.
const ORGANISATION: &str = "bench";
pub(super) const EMAIL: &str = "bench@localhost.example";
pub(super) const PASSWORD: &str = "a bench needs no secret";
const TAG_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// Settings of the product in a benchmark: the defaults, with a fixed tag key, the fast hash and no drain delay.
const SETTINGS: [(&str, &str); 3] = [
    ("NOLAPSE__KEYS__TAG_KEY", TAG_KEY),
    ("NOLAPSE__HASHING__TOKEN_SCHEME", "sha256"),
    ("NOLAPSE__SERVER__DRAIN_DELAY_SECONDS", "0"),
];

/// A server that is up.
#[derive(Debug)]
pub(super) struct Running {
    server: Server,
    /// Its port on loopback.
    pub(super) port: u16,
    /// Its log, which is part of failures.
    log: PathBuf,
}

impl Running {
    /// Starts `launch` with its standard error in `log`.
    pub(super) fn start(launch: &Launch, log: PathBuf) -> Result<Self> {
        let errors = File::create(&log).attempt(|| format!("create {}", log.display()))?;
        let mut server = launch.start(std::process::Stdio::piped(), errors.into())?;
        let base =
            product::listening(&mut server, |_| {}).map_err(|fail| Fail::new(format!("{fail}\n{}", tail(&log))))?;
        Ok(Self { port: product::port(&base)?, server, log })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }

    /// The process whose processor time counts.
    pub(super) fn observed(&self) -> Observed {
        Observed { pid: self.id(), family: false }
    }

    /// Stops this server (SIGSTOP) while `work` runs, so that its background work, such as writing usage, is part of
    /// its own rounds only. The server is ready again afterwards.
    ///
    /// The server never stays stopped, even if `work` fails or panics. If this program is killed, the kernel continues
    /// stopped processes that lost their parent.
    ///
    /// # Errors
    /// Those of `work`; also if the server cannot be stopped, or is not ready again in time.
    pub(super) fn while_stopped<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let stopped = Stopped::begin(self.id())?;
        let done = work()?;
        drop(stopped);
        self.wait_until_ready()?;
        Ok(done)
    }

    /// After the pause the server has to renew its lease, which it does by itself.
    fn wait_until_ready(&self) -> Result {
        let url = format!("http://127.0.0.1:{}/ready", self.port);
        let deadline = Instant::now() + AWAKE;
        loop {
            interrupt::check()?;
            match ureq::get(&url).call() {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    return Err(self.explain(&Fail::new(format!("the server is not ready after a pause: {error}"))));
                }
                Err(_) => sleep(POLL),
            }
        }
    }

    /// Adds the end of the server's log to a failure.
    pub(super) fn explain(&self, fail: &Fail) -> Fail {
        Fail::new(format!("{fail}\n{}", tail(&self.log))).with_code(fail.code())
    }
}

/// A process that is stopped until this is dropped.
#[derive(Debug)]
struct Stopped(Pid);

impl Stopped {
    fn begin(id: u32) -> Result<Self> {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Fail::new("a process without an id"))?;
        kill_process(pid, Signal::STOP).attempt(|| format!("stop process {id} for a while"))?;
        Ok(Self(pid))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // An error means that the process has ended.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

/// The command of the baseline, with `workers` workers.
pub(super) fn bare(program: &Path, answer: Answer, workers: &str) -> Launch {
    Launch::new(program).args(["--answer", answer.name(), "--workers", workers])
}

/// Starts the baseline on `core`, with one worker.
pub(super) fn start_bare(program: &Path, folder: &Path, core: usize, answer: Answer) -> Result<Running> {
    Running::start(&bare(program, answer, "1").core(Some(core)), folder.join("bare.log"))
}

/// Starts the baseline on any core, with `workers` workers; it answers every token as live.
pub(super) fn start_bare_with(program: &Path, folder: &Path, workers: &str) -> Result<Running> {
    Running::start(&bare(program, Answer::Live, workers), folder.join(format!("bare-{workers}.log")))
}

/// The amounts of rows that a database is filled with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amounts {
    /// Live tokens.
    pub(super) tokens: usize,
    /// Access scopes, in the one project.
    pub(super) access_scopes: usize,
    /// Actors, in the same project.
    pub(super) actors: usize,
    /// Events of the organisation's audit trail.
    pub(super) events: usize,
}

/// The product and its database, ready to be started as often as needed.
#[derive(Clone, Debug)]
pub(super) struct Product {
    program: PathBuf,
    folder: PathBuf,
    url: String,
    /// The core of the server, if it has only one.
    core: Option<usize>,
    database: Option<Arc<Services>>,
    settings: Vec<(&'static str, String)>,
}

impl Product {
    /// Starts the database, if it is PostgreSQL.
    pub(super) fn prepare(program: PathBuf, folder: &Path, core: usize, backend: Backend) -> Result<Self> {
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => {
                say::step("starting PostgreSQL, with fsync");
                let wanted = Wanted { durability: Durability::On, core: Some(core) };
                Some(Arc::new(Services::start(wanted)?))
            }
        };
        let file = || format!("sqlite://{}", folder.join("nolapse.db").display());
        let url = database.as_deref().map_or_else(file, Services::postgres_url);
        let settings = SETTINGS.map(|(name, value)| (name, value.to_owned())).to_vec();
        Ok(Self { program, folder: folder.to_owned(), url, core: Some(core), database, settings })
    }

    /// The same product and database, with one more setting.
    pub(super) fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let others = self.settings.iter().filter(|(other, _)| *other != name).cloned();
        Self { settings: others.chain([(name, value.into())]).collect(), ..self.clone() }
    }

    /// The same product on all cores.
    pub(super) fn on_all_cores(self) -> Self {
        Self { core: None, ..self }
    }

    /// Fills the database with `count` live tokens and writes them to `file`, one a line.
    pub(super) fn seed(&self, count: usize, file: &Path) -> Result {
        self.fill(&Amounts { tokens: count, ..Amounts::default() }, file)
    }

    /// Sets the product up, fills its database, lets it settle (vacuum, analyse) and writes the tokens to `file`, one a
    /// line.
    pub(super) fn fill(&self, amounts: &Amounts, file: &Path) -> Result {
        let Amounts { tokens, access_scopes, actors, events } = *amounts;
        say::step(format!("making {tokens} tokens, {access_scopes} access scopes, {actors} actors, {events} events"));
        let numbers = [("tokens", tokens), ("access-scopes", access_scopes), ("actors", actors), ("events", events)];
        let mut set_up = Command::new(&self.program);
        set_up
            .args(["setup", "--org", ORGANISATION, "--email", EMAIL, "--password-stdin", "--database-url", &self.url])
            .current_dir(&self.folder)
            .envs(self.settings.iter().cloned())
            .stdout(std::io::stderr());
        run_with_input(&mut set_up, PASSWORD.as_bytes())?;
        run(Command::new(self.program.with_file_name(SEED))
            .args(["--database-url", &self.url, "--org", ORGANISATION, "--tag-key", TAG_KEY])
            .args(numbers.map(|(name, number)| format!("--{name}={number}")))
            .arg("--tokens-file")
            .arg(file)
            .current_dir(&self.folder)
            .stdout(std::io::stderr()))?;
        self.database.as_deref().map_or(Ok(()), Services::settle_postgres)
    }

    /// Starts it.
    pub(super) fn start(&self) -> Result<Running> {
        Running::start(&self.launch(), self.folder.join("product.log"))
    }

    /// The command that starts it.
    pub(super) fn launch(&self) -> Launch {
        let launch = Launch::new(&self.program)
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &self.url])
            .directory(&self.folder)
            .core(self.core);
        self.settings.iter().fold(launch, |launch, (name, value)| launch.env(*name, value))
    }

    /// The processes whose processor time counts: the server's, and all of the database's.
    pub(super) fn observed(&self, running: &Running) -> Vec<Observed> {
        std::iter::once(running.observed()).chain(self.observed_database()).collect()
    }

    /// The processes of the database, if it has any.
    pub(super) fn observed_database(&self) -> Option<Observed> {
        self.database.as_ref().map(|database| Observed { pid: database.postgres_id(), family: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    /// The state letter of a process, from proc(5).
    fn state(pid: u32) -> Option<char> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit_once(") ")?.1.chars().next()
    }

    fn until(pid: u32, wanted: impl Fn(char) -> bool) {
        while !state(pid).is_some_and(&wanted) {
            sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_stopped_process_continues_on_drop_and_on_panic() {
        let sleeper = Launch::new("sleep").args(["600"]).start(Stdio::null(), Stdio::inherit()).unwrap();
        let stopped = Stopped::begin(sleeper.id()).unwrap();
        until(sleeper.id(), |state| state == 'T');
        drop(stopped);
        until(sleeper.id(), |state| state != 'T');
        let pid = sleeper.id();
        let panicked = std::thread::spawn(move || {
            let _stopped = Stopped::begin(pid).unwrap();
            until(pid, |state| state == 'T');
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        until(pid, |state| state != 'T');
    }

    #[test]
    fn a_missing_process_cannot_be_stopped() {
        assert!(Stopped::begin(0).is_err());
    }
}

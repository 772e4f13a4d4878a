//! The real program on its own database, which tests start, stop, kill and restart.

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use test_support::Backend;

use super::client::Client;
use super::command::{Build, Finished, finish, program};
use super::database::Database;
use super::facts::Facts;
use super::metrics::Metrics;
use super::patience::eventually;

/// The timeout of a start: far longer than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Options for fast tests: cheap hashing, and no drain delay. Tests of the cost of hashing use bcrypt instead.
const CHEAP: &[(&str, &str)] = &[
    ("NOLAPSE__HASHING__INSECURE_TEST_COSTS", "true"),
    ("NOLAPSE__HASHING__TOKEN_SCHEME", "sha256"),
    ("NOLAPSE__HASHING__BCRYPT_COST", "4"),
    ("NOLAPSE__HASHING__ARGON2_MEMORY_KIB", "8"),
    ("NOLAPSE__HASHING__ARGON2_PASSES", "1"),
    ("NOLAPSE__SERVER__DRAIN_DELAY_SECONDS", "0"),
    ("NOLAPSE__SERVER__WORKERS", "2"),
];

/// The options of a server. By default it is set up and hashes cheaply.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    environment: Vec<(String, String)>,
    set_up: bool,
    url: Option<String>,
    /// A listening socket that is handed to the process.
    socket: Option<Arc<TcpListener>>,
    is_log_read: bool,
    build: Build,
}

impl Default for Options {
    fn default() -> Self {
        let environment = CHEAP.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { environment, set_up: true, url: None, socket: None, is_log_read: true, build: Build::Any }
    }
}

impl Options {
    /// Serves with cargo's build for tests, which has pages that only developers see.
    pub(crate) fn of_debug_build(mut self) -> Self {
        self.build = Build::Debug;
        self
    }

    /// Sets a configuration key, `section.name`.
    pub(crate) fn with(mut self, key: &str, value: impl Display) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a configuration key in place.
    pub(crate) fn set(&mut self, key: &str, value: impl Display) {
        let name = format!("NOLAPSE__{}", key.replace('.', "__").to_uppercase());
        self.environment.retain(|(present, _)| *present != name);
        self.environment.push((name, value.to_string()));
    }

    /// The value of a configuration key that was set.
    #[track_caller]
    pub(crate) fn value(&self, key: &str) -> &str {
        let name = format!("NOLAPSE__{}", key.replace('.', "__").to_uppercase());
        let found = self.environment.iter().find(|(present, _)| *present == name);
        found.map_or_else(|| panic!("{key} is not set"), |(_, value)| value)
    }

    /// Hashes tokens with bcrypt, at the lowest cost.
    pub(crate) fn bcrypt(self) -> Self {
        self.with("hashing.token_scheme", "bcrypt")
    }

    /// Leaves the database without set-up.
    pub(crate) fn unset_up(mut self) -> Self {
        self.set_up = false;
        self
    }

    /// Leaves the server's log unread.
    pub(crate) fn with_unread_log(mut self) -> Self {
        self.is_log_read = false;
        self
    }

    /// Adds environment variables that are not configuration keys.
    pub(crate) fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Hands this listening socket to the server, like a supervisor.
    pub(crate) fn listening_on(mut self, socket: Arc<TcpListener>) -> Self {
        self.socket = Some(socket);
        self
    }

    /// Lets the server reach its database by this URL.
    pub(crate) fn through(mut self, url: String) -> Self {
        self.url = Some(url);
        self
    }
}

/// A server and its database. Killed, and the database removed, when dropped.
pub(crate) struct Server {
    running: Option<Running>,
    log: Arc<Mutex<String>>,
    /// The length of the log at the last start of the program.
    earlier: usize,
    pub(crate) options: Options,
    pub(crate) database: Arc<Database>,
}

struct Running {
    child: Child,
    address: SocketAddr,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// The slug of the organisation that set-up makes.
    pub(crate) const ORGANIZATION: &'static str = "acme";
    /// The address of its owner.
    pub(crate) const OWNER: &'static str = "owner@acme.example";
    /// The owner's password, and that of everyone a test adds.
    pub(crate) const PASSWORD: &'static str = "a password of this test";

    /// Starts a server on a fresh database.
    pub(crate) fn start(backend: Backend, options: Options) -> Self {
        Self::start_on(Database::new(backend), options)
    }

    /// Starts a server on this database, after setting it up unless the options say otherwise.
    pub(crate) fn start_on(database: Database, options: Options) -> Self {
        let database = Arc::new(database);
        let mut server = Self { running: None, log: Arc::default(), earlier: 0, options, database };
        if server.options.set_up {
            server.set_up().succeeds();
        }
        server.serve();
        server
    }

    /// Starts another server on the same database.
    pub(crate) fn beside(&self, options: Options) -> Self {
        let database = Arc::clone(&self.database);
        let mut server = Self { running: None, log: Arc::default(), earlier: 0, options, database };
        server.serve();
        server
    }

    /// Runs the command `setup` with the test organisation and its owner.
    pub(crate) fn set_up(&self) -> Finished {
        let arguments =
            ["setup", "--org", Self::ORGANIZATION, "--email", Self::OWNER, "--name", "Owner", "--password-stdin"];
        self.command(&arguments, &format!("{}\n", Self::PASSWORD))
    }

    /// Runs a command against the server's database.
    pub(crate) fn command(&self, arguments: &[&str], input: &str) -> Finished {
        self.command_with(&[], arguments, input)
    }

    /// The same, with further environment variables.
    pub(crate) fn command_with(&self, more: &[(String, String)], arguments: &[&str], input: &str) -> Finished {
        let mut environment = self.environment(&self.database.url());
        environment.extend_from_slice(more);
        let mut command = program(&environment);
        command.args(arguments);
        finish(command, input)
    }

    /// The code in the link that a server without a deployment printed last.
    pub(crate) fn setup_code(&self) -> String {
        eventually("the set-up link", || {
            let log = self.log_since_start();
            let line = log.lines().rfind(|line| line.contains("/setup#"))?.to_owned();
            Some(line.rsplit_once("/setup#")?.1.trim_end_matches(['"', '}', ' ', '.']).to_owned())
        })
    }

    fn environment(&self, url: &str) -> Vec<(String, String)> {
        let mut environment = vec![
            ("NOLAPSE__DATABASE__URL".to_owned(), url.to_owned()),
            ("NOLAPSE__KEYS__TAG_KEY_PATH".to_owned(), self.tag_key_file().display().to_string()),
        ];
        environment.extend(self.options.environment.iter().cloned());
        environment
    }

    /// The path of the tag key's file.
    pub(crate) fn tag_key_file(&self) -> std::path::PathBuf {
        self.database.folder().join("tag-key")
    }

    /// Starts the program and waits until it accepts connections.
    ///
    /// # Panics
    /// If the program ends instead, with its log.
    pub(crate) fn serve(&mut self) {
        if let Err(status) = self.try_serve() {
            panic!("the server ended with {status} instead of serving:\n{}", self.log());
        }
    }

    /// Starts the program; the error is its exit status if it ended before it accepted connections.
    pub(crate) fn try_serve(&mut self) -> Result<(), ExitStatus> {
        assert!(self.running.is_none(), "it is running");
        self.earlier = self.log().len();
        let url = self.options.url.clone().unwrap_or_else(|| self.database.url());
        let mut command = self.options.socket.as_ref().map_or_else(
            || {
                let mut command = self.options.build.command(&self.environment(&url));
                command.stdin(Stdio::null());
                command
            },
            |socket| handed_over(&self.options.build.command(&self.environment(&url)), socket),
        );
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, told) = channel();
        let out = self.read(child.stdout.take().unwrap(), Some(tell));
        let mut readers = vec![out];
        if self.options.is_log_read {
            readers.push(self.read(child.stderr.take().unwrap(), None));
        }
        if let Some(address) = announced(&told) {
            self.running = Some(Running { child, address, readers });
            return Ok(());
        }
        let status = child.wait().unwrap();
        for reader in readers {
            reader.join().unwrap();
        }
        Err(status)
    }

    /// Copies output lines into the log, and sends the address from the line that announces it.
    fn read(&self, from: impl Read + Send + 'static, tell: Option<Sender<SocketAddr>>) -> JoinHandle<()> {
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n') {
                // A killed process may leave an incomplete line.
                let Ok(line) = line else { return };
                let line = String::from_utf8_lossy(&line);
                if let (Some(tell), Some(address)) = (&tell, line.strip_prefix("listening on http://")) {
                    let _ = tell.send(address.parse().unwrap());
                }
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        })
    }

    /// Serves the database of a stopped server on this listener.
    #[track_caller]
    pub(crate) fn serve_at(&self, place: &str) -> Elsewhere {
        assert!(self.running.is_none(), "it is running");
        let mut child = program(&self.environment(&self.database.url()))
            .args(["serve", "--listen", place])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        out.read_line(&mut said).unwrap();
        let elsewhere = Elsewhere { child, _out: out };
        assert_eq!(said, format!("listening on {place}\n"));
        elsewhere
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server is running")
    }

    /// The address that it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.running().child.id()
    }

    /// Its log over all starts.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until a line of its log contains all of these texts. Lines may be written after the answer of their
    /// request.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        let has_all = |line: &str| parts.iter().all(|part| line.contains(part));
        eventually("a line of the log", || self.log().lines().any(has_all).then_some(()));
    }

    /// Its log since the last start.
    pub(crate) fn log_since_start(&self) -> String {
        self.log().split_off(self.earlier)
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.running().child), Signal::TERM).unwrap();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.running().child), signal).unwrap();
    }

    /// Waits until it has ended by itself; returns its exit code.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.wait().code()
    }

    /// Sends SIGINT, like a terminal.
    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.running().child), Signal::INT).unwrap();
    }

    /// Sends SIGTERM and waits for a successful exit.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.terminate();
        self.ended();
    }

    /// Waits for a successful exit.
    #[track_caller]
    pub(crate) fn ended(&mut self) {
        let status = self.wait();
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Sends SIGKILL: nothing is flushed or logged.
    pub(crate) fn kill(&mut self) {
        self.running.as_mut().expect("the server is running").child.kill().unwrap();
        self.wait();
    }

    fn wait(&mut self) -> ExitStatus {
        let Running { mut child, readers, .. } = self.running.take().expect("the server is running");
        let status = child.wait().unwrap();
        for reader in readers {
            reader.join().unwrap();
        }
        status
    }

    /// Stops it and starts it again, on another port.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.serve();
    }

    /// A client without a credential.
    pub(crate) fn anyone(&self) -> Client {
        Client::new(self.address())
    }

    /// A client with this credential.
    pub(crate) fn caller(&self, credential: &str) -> Client {
        self.anyone().with(credential)
    }

    /// A client with a new session of the owner.
    #[track_caller]
    pub(crate) fn owner(&self) -> Client {
        self.signed_in(Self::OWNER)
    }

    /// A client with a new session of a person of the organisation.
    #[track_caller]
    pub(crate) fn signed_in(&self, email: &str) -> Client {
        let session = self.anyone().post("/v1/sessions", &json!({ "email": email, "password": Self::PASSWORD }));
        self.caller(session.expect(201)["token"].as_str().unwrap())
    }

    /// Its metrics.
    pub(crate) fn metrics(&self) -> Metrics {
        let answer = self.anyone().get("/metrics");
        assert_eq!(answer.status, 200);
        Metrics::parse(answer.text())
    }

    /// Direct access to its database.
    pub(crate) fn facts(&self) -> Facts {
        Facts::open(&self.database.url())
    }
}

/// A program that serves on a Unix socket. Killed when dropped.
pub(crate) struct Elsewhere {
    child: Child,
    /// Kept open, so that the program can write to its standard output.
    _out: BufReader<ChildStdout>,
}

impl Elsewhere {
    /// Sends SIGTERM and waits for a successful exit.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // Fails if the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with the socket as its descriptor 3, and with the variables of systemd's socket activation.
fn handed_over(program: &Command, socket: &TcpListener) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\" 3<&0 </dev/null";
    command.arg("-c").arg(script).arg(program.get_program()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(OwnedFd::from(socket.try_clone().unwrap()));
    command
}

/// The announced address; `None` if the program's output ended without one.
fn announced(told: &Receiver<SocketAddr>) -> Option<SocketAddr> {
    match told.recv_timeout(PATIENCE) {
        Ok(address) => Some(address),
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("the server neither serves nor ends"),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            println!("what the server said:\n{}", self.log());
        }
    }
}

//! Starting other programs: commands that run to their end, servers that never outlive the task.
//!
//! **Invariant:** a [`Server`] is stopped when its value is dropped, on success, error, panic and Ctrl-C alike. On
//! Linux it is also tied to the task by the kernel (parent-death signal through `setpriv`), so that even
//! `kill -9` of the task leaves nothing behind.

use crate::fail::{Context as _, Fail, Result};
use crate::{interrupt, say};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The polling interval of waits.
pub const POLL: Duration = Duration::from_millis(20);
/// How long a program may take to obey a signal before it is killed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A user other than the current one, to run a server as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name, for messages.
    pub name: String,
    /// Numeric user id.
    pub uid: u32,
    /// Numeric id of the user's own group.
    pub gid: u32,
}

/// The signal that ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM: an orderly end, for almost everything.
    Term,
    /// SIGQUIT: PostgreSQL's immediate shutdown.
    Quit,
}

impl Stop {
    const fn signal(self) -> Signal {
        match self {
            Self::Term => Signal::TERM,
            Self::Quit => Signal::QUIT,
        }
    }

    /// The name for `setpriv`, which takes no numbers.
    const fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Quit => "QUIT",
        }
    }
}

/// A server to start: the program, and the wrappers that tie it to the task.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    user: Option<User>,
    core: Option<usize>,
    stop: Stop,
}

impl Launch {
    /// A program that ends cleanly on SIGTERM.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            directory: None,
            user: None,
            core: None,
            stop: Stop::Term,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Starts it in a folder other than the current one.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs it as another user; needs root.
    #[must_use]
    pub fn user(mut self, user: Option<&User>) -> Self {
        self.user = user.cloned();
        self
    }

    /// Pins it to one processor core.
    #[must_use]
    pub fn core(mut self, core: Option<usize>) -> Self {
        self.core = core;
        self
    }

    /// The same program, run by `tool` with `options`.
    #[must_use]
    pub fn under(&self, tool: &Path, options: impl IntoIterator<Item = String>) -> Self {
        let program = std::iter::once(self.program.clone().into());
        let arguments = options.into_iter().map(OsString::from).chain(program).chain(self.arguments.iter().cloned());
        Self { program: tool.to_owned(), arguments: arguments.collect(), ..self.clone() }
    }

    /// The signal that ends it, if not SIGTERM.
    #[must_use]
    pub fn stopped_by(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// The command with its wrappers. Each wrapper execs the next, so the process id is the program's.
    pub fn command(&self) -> Result<Command> {
        let mut words: Vec<OsString> = Vec::new();
        match (which("setpriv"), &self.user) {
            (Some(setpriv), user) => {
                words.extend([setpriv.into(), format!("--pdeathsig={}", self.stop.name()).into()]);
                if let Some(user) = user {
                    words.extend([
                        format!("--reuid={}", user.uid).into(),
                        format!("--regid={}", user.gid).into(),
                        "--clear-groups".into(),
                    ]);
                }
            }
            (None, None) => {}
            (None, Some(user)) => {
                return Err(Fail::new(format!("cannot run a server as {}: setpriv is missing", user.name))
                    .fix("apt-get install -y util-linux, or run as a user who is not root"));
            }
        }
        if let Some(core) = self.core {
            words.extend([need("taskset", "util-linux")?.into(), "-c".into(), core.to_string().into()]);
        }
        words.push(self.program.clone().into());
        words.extend(self.arguments.iter().cloned());
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).envs(self.variables.iter().cloned()).stdin(Stdio::null());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        Ok(command)
    }

    /// Starts it in a process group of its own, out of reach of the terminal's Ctrl-C.
    pub fn start(&self, stdout: Stdio, stderr: Stdio) -> Result<Server> {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let child = self
            .command()?
            .process_group(0)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .attempt(|| format!("start {}", self.program.display()))?;
        Ok(Server { child, name, stop: self.stop })
    }
}

/// A program running beside the task; stopped when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    name: String,
    stop: Stop,
}

impl Server {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, if it was started with a pipe and nobody took it yet.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().attempt(|| format!("ask about {}", self.name))
    }

    /// Asks it to stop and waits; kills its whole process group if it does not stop in time.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        let pid = pid(&self.child)?;
        // An error means that the process ended meanwhile.
        let _ = kill_process(pid, self.stop.signal());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            sleep(POLL);
        }
        say::note(format!("{} ignored SIG{} for {} s: killing it", self.name, self.stop.name(), PATIENCE.as_secs()));
        let _ = kill_process_group(pid, Signal::KILL);
        self.child.wait().attempt(|| format!("wait for {}", self.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(fail) = self.stop() {
            say::raw(format!("error: {fail}"));
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// If it cannot be started, fails (with its own exit code), or the task is interrupted meanwhile.
pub fn run(command: &mut Command) -> Result {
    let shown = shown(command);
    let child = command.spawn().attempt(|| format!("run `{shown}`"))?;
    judge(&shown, wait(child)?)
}

/// Runs a command to its end, with `input` as its standard input: passes a secret without showing it in the argument
/// list.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Result {
    let shown = shown(command);
    let mut child = command.stdin(Stdio::piped()).spawn().attempt(|| format!("run `{shown}`"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Write errors are ignored: a command that ends without reading reports why by its exit code.
        let _ = stdin.write_all(input);
    }
    judge(&shown, wait(child)?)
}

fn judge(shown: &str, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Fail::new(format!("`{shown}` failed: {status}")).with_code(code))
}

/// Runs a command to its end and returns its standard output; standard error passes through.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let shown = shown(command);
    let output = command.stderr(Stdio::inherit()).output().attempt(|| format!("run `{shown}`"))?;
    interrupt::check()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Fail::new(format!("`{shown}` failed: {}", output.status)))
    }
}

/// Waits for a foreground command. It is in this process group and receives the terminal's Ctrl-C itself.
fn wait(mut child: Child) -> Result<ExitStatus> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().attempt(|| "wait for a command".into())? {
            interrupt::check()?;
            return Ok(status);
        }
        if interrupt::seen() {
            let _ = kill_process(pid(&child)?, Signal::TERM);
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                if child.try_wait().attempt(|| "wait for a command".into())?.is_some() {
                    return Err(Fail::interrupted());
                }
                sleep(POLL);
            }
            let _ = child.kill();
            let _ = child.wait();
            return Err(Fail::interrupted());
        }
        sleep(pause);
        pause = (pause * 2).min(POLL);
    }
}

fn pid(child: &Child) -> Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| Fail::new("a process without an id"))
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Finds a program in `PATH`.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

/// Finds a program in `PATH`.
///
/// # Errors
/// Names the Debian package that has it.
pub fn need(name: &str, package: &str) -> Result<PathBuf> {
    which(name).ok_or_else(|| Fail::new(format!("{name} is missing")).fix(format!("apt-get install -y {package}")))
}

/// Whether `file` exists and may be executed by somebody.
pub fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether process `pid` is the `sleep`: false while a wrapper runs and after it ended.
    fn sleeps(pid: u32) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
    }

    fn sleeper() -> Server {
        let mut server = Launch::new("sleep").args(["600"]).start(Stdio::null(), Stdio::inherit()).unwrap();
        while !sleeps(server.id()) {
            assert_eq!(server.ended().unwrap(), None, "ended before it began");
            sleep(Duration::from_millis(1));
        }
        server
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let server = sleeper();
        let pid = server.id();
        drop(server);
        assert!(!sleeps(pid));
    }

    #[test]
    fn a_panic_stops_the_server_too() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let ended = std::thread::spawn(move || {
            let server = sleeper();
            sender.send(server.id()).unwrap();
            panic!("on purpose");
        })
        .join();
        assert!(ended.is_err());
        assert!(!sleeps(receiver.recv().unwrap()));
    }

    #[test]
    fn an_obedient_server_reports_the_signal_that_ended_it() {
        use std::os::unix::process::ExitStatusExt as _;
        let status = sleeper().stop().unwrap();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
    }

    #[test]
    fn a_command_passes_its_exit_code_on() {
        run(Command::new("sh").args(["-c", "exit 0"])).unwrap();
        let fail = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(fail.code(), 7);
        assert!(fail.to_string().starts_with("`sh -c exit 7` failed"));
        assert!(run(&mut Command::new("no-such-program-anywhere")).is_err());
    }

    #[test]
    fn input_is_passed_on_and_closed() {
        run_with_input(Command::new("sh").args(["-c", "test \"$(cat)\" = secret"]), b"secret\n").unwrap();
        assert!(run_with_input(&mut Command::new("false"), b"unread").is_err());
    }

    #[test]
    fn wrappers_come_before_the_program() {
        let user = User { name: "nobody".into(), uid: 65534, gid: 65533 };
        let launch = Launch::new("server").args(["--port", "0"]).user(Some(&user)).core(Some(1));
        let shown = shown(&launch.stopped_by(Stop::Quit).command().unwrap());
        let tail = "--pdeathsig=QUIT --reuid=65534 --regid=65533 --clear-groups";
        assert!(shown.contains(tail), "{shown}");
        assert!(shown.ends_with("taskset -c 1 server --port 0"), "{shown}");
        let launch = Launch::new("server").args(["--port", "0"]).under(Path::new("valgrind"), ["-q".to_owned()]);
        let shown = super::shown(&launch.command().unwrap());
        assert!(shown.ends_with("valgrind -q server --port 0"), "{shown}");
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let fail = need("no-such-program-anywhere", "some-package").unwrap_err();
        assert!(fail.to_string().contains("apt-get install -y some-package"));
    }
}

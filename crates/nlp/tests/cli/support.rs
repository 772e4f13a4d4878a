//! A real authority on a free port, and `nlp` run against it in a new home directory.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use test_issuer::AUDIENCE;

/// The owner of the organisation that every server here has.
pub(crate) const OWNER: &str = "owner@acme.example";
/// The owner's password.
pub(crate) const PASSWORD: &str = "a password of this test";

/// Settings that accept identity tokens of the tests' issuer.
pub(crate) const TRUSTING: &[(&str, &str)] =
    &[("NOLAPSE__SERVER__PUBLIC_URL", AUDIENCE), ("NOLAPSE__OUTBOUND__ALLOWED_NETWORKS", "127.0.0.0/8")];

/// Settings for cheap hashing.
const CHEAP: &[(&str, &str)] = &[
    ("NOLAPSE__HASHING__INSECURE_TEST_COSTS", "true"),
    ("NOLAPSE__HASHING__TOKEN_SCHEME", "sha256"),
    ("NOLAPSE__HASHING__BCRYPT_COST", "4"),
    ("NOLAPSE__HASHING__ARGON2_MEMORY_KIB", "8"),
    ("NOLAPSE__HASHING__ARGON2_PASSES", "1"),
    ("NOLAPSE__SERVER__DRAIN_DELAY_SECONDS", "0"),
    ("NOLAPSE__SERVER__WORKERS", "1"),
];

/// An authority; stopped when dropped.
pub(crate) struct Server {
    child: Child,
    /// Its address.
    pub(crate) url: String,
    _folder: TempDir,
}

impl Server {
    /// Sets up an authority and starts it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Server::start`], with settings.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = authority(folder.path());
        setup.args(["setup", "--org", "acme", "--email", OWNER, "--password-stdin"]);
        assert_done(&finish(setup, &format!("{PASSWORD}\n")));
        let mut serve = authority(folder.path());
        serve
            .envs(settings.iter().copied())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = serve.spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, url, _folder: folder }
    }

    /// Its metrics, as Prometheus reads them.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        std::io::read_to_string(stream).unwrap()
    }

    /// A home that is signed in as the owner.
    pub(crate) fn owner(&self) -> Home {
        let home = Home::new(Some(&self.url));
        let done = home
            .nlp_with(["login", "--email", OWNER, "--password-stdin", "--scope", "admin"], &format!("{PASSWORD}\n"));
        assert_done(&done);
        home
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The authority's program, which cargo builds into the same folder.
fn authority(folder: &Path) -> Command {
    let beside = || Path::new(env!("CARGO_BIN_EXE_nlp")).with_file_name("nolapse-api");
    // `cargo xtask test` makes an optimised one.
    let program = std::env::var_os("NOLAPSE_TEST_PROGRAM").map_or_else(beside, PathBuf::from);
    assert!(program.exists(), "{} is missing: cargo build --workspace --bins", program.display());
    let mut command = Command::new(program);
    command
        .envs(CHEAP.iter().copied())
        .env("NOLAPSE__DATABASE__URL", format!("sqlite://{}/nolapse.db", folder.display()))
        .env("NOLAPSE__KEYS__TAG_KEY_PATH", folder.join("tag-key"));
    command
}

/// A home directory and its environment.
pub(crate) struct Home {
    folder: TempDir,
    url: Option<String>,
    variables: Vec<(String, String)>,
}

impl Home {
    /// A new home, for the authority at this address.
    pub(crate) fn new(url: Option<&str>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: url.map(str::to_owned), variables: Vec::new() }
    }

    /// Adds an environment variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The home directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    /// A command that runs in this home.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let runtime = self.path().join("runtime");
        let ours = Path::new(env!("CARGO_BIN_EXE_nlp")).parent().unwrap();
        let path =
            format!("{}:{}:{}", self.path().join("bin").display(), ours.display(), std::env::var("PATH").unwrap());
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path())
            .env("XDG_RUNTIME_DIR", runtime)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(url) = &self.url {
            command.env("NLP_URL", url);
        }
        command
    }

    /// Runs `nlp`.
    pub(crate) fn nlp<const N: usize>(&self, arguments: [&str; N]) -> Output {
        self.nlp_with(arguments, "")
    }

    /// Runs `nlp` with something on standard input.
    pub(crate) fn nlp_with<const N: usize>(&self, arguments: [&str; N], input: &str) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(arguments);
        finish(command, input)
    }

    /// Runs `nlp … -o json` and reads the answer.
    pub(crate) fn json<const N: usize>(&self, arguments: [&str; N]) -> Value {
        let mut command = self.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(arguments).args(["-o", "json"]);
        let done = finish(command, "");
        assert_done(&done);
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// The names of the tokens or keys with this status.
    pub(crate) fn names(&self, family: &str, status: &str) -> Vec<String> {
        let listed = self.json([family, "list", "--status", status]);
        listed.as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The same home with the key that `login` stored in a variable, which is sent to any address.
    pub(crate) fn with_key(self) -> Self {
        let kept = std::fs::read_to_string(self.path().join("runtime/nlp/default")).unwrap();
        self.with("NLP_TOKEN", kept.trim())
    }

    /// A client with the key that `login` stored.
    pub(crate) fn client(&self) -> client::Client {
        let kept = std::fs::read_to_string(self.path().join("runtime/nlp/default")).unwrap();
        let client = client::Client::new(self.url.as_ref().unwrap(), client::Plain::LocalOnly).unwrap();
        client.with(kept.trim().into())
    }

    /// Writes a program into a folder that is first in `PATH`.
    pub(crate) fn program(&self, name: &str, text: &str) {
        let file = self.write(&format!("bin/{name}"), text);
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs git.
    pub(crate) fn git<const N: usize>(&self, arguments: [&str; N]) -> Output {
        let mut command = self.command("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.example", "-c", "init.defaultBranch=main"]);
        command.args(arguments);
        finish(command, "")
    }
}

/// Runs `nlp` by a relay that sends it Ctrl-C before it passes on the authority's first answer.
pub(crate) fn interrupted(server: &Server, home: &Home, arguments: &[&str]) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
    command
        .args(arguments)
        .env("NLP_URL", format!("http://{}", listener.local_addr().unwrap()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = child.id();
    let authority = server.url.strip_prefix("http://").unwrap().to_owned();
    std::thread::spawn(move || {
        let mut is_first = true;
        for nlp in listener.incoming() {
            let (mut from_nlp, mut to_nlp) = (nlp.as_ref().unwrap().try_clone().unwrap(), nlp.unwrap());
            let mut from_authority = TcpStream::connect(&authority).unwrap();
            let mut to_authority = from_authority.try_clone().unwrap();
            std::thread::spawn(move || std::io::copy(&mut from_nlp, &mut to_authority));
            let mut start = [0; 1];
            if from_authority.read_exact(&mut start).is_err() {
                continue;
            }
            if std::mem::take(&mut is_first) {
                kill("INT", process);
            }
            // Errors are ignored: the program may be gone.
            let _ = to_nlp.write_all(&start);
            std::thread::spawn(move || std::io::copy(&mut from_authority, &mut to_nlp));
        }
    });
    child.wait_with_output().unwrap()
}

/// Sends a signal to a process.
pub(crate) fn kill(signal: &str, process: u32) {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal, &process.to_string()]);
    assert_done(&finish(kill, ""));
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Write errors are ignored: the command may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The output of a command, for messages.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
pub(crate) fn assert_done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
}

#[track_caller]
pub(crate) fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

/// A token with a good checksum that no authority knows.
pub(crate) fn token(seed: u8) -> String {
    token_format::PlainToken::from_random([seed.wrapping_mul(37).wrapping_add(3); 16]).expose().to_owned()
}

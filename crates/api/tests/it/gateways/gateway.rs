//! A gateway installed on this system, with the configuration of its documentation page, on a free loopback port.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::page::{Page, replaced};
use crate::support::eventually;

/// The number of ports to try: another program may take a port between its choice and the gateway's start.
const PORTS_TRIED: usize = 5;
/// Debian's folder of Apache modules.
const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

/// Which gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Caddy,
    Haproxy,
    Apache,
}

/// A running gateway; stopped when dropped.
pub(super) struct Gateway {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Kind {
    /// The status that clients get when this service does not answer; see the table in `docs/gateways/README.md`.
    pub(super) const fn status_when_down(self) -> u16 {
        match self {
            Self::Nginx | Self::Haproxy => 503,
            Self::Caddy => 502,
            Self::Apache => 401,
        }
    }

    pub(super) const fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache2",
        }
    }

    /// Writes the gateway's configuration with this snippet and port into the folder; returns the arguments that run it
    /// in the foreground.
    fn configure(self, folder: &Path, port: u16, snippet: &str) -> Vec<String> {
        let at = |name: &str| folder.join(name).display().to_string();
        let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
        match self {
            Self::Nginx => {
                let listen = format!("listen 127.0.0.1:{port}");
                let ports = ["listen 8000", "listen 8443", "listen 443"];
                let theirs = ports.into_iter().find(|theirs| snippet.contains(theirs)).expect("a port");
                let site = replaced(snippet, &[(theirs, &listen)]);
                let user = if geteuid().is_root() { "user root;" } else { "" };
                let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("{name}_temp_path {};", at(name)))
                    .join("\n");
                let pid = at("pid");
                write(
                    "nginx.conf",
                    format!(
                        "daemon off;\n{user}\nworker_processes 1;\npid {pid};\nevents {{}}\nhttp {{\naccess_log off;\n{folders}\n{site}}}\n"
                    ),
                );
                ["-p", &at(""), "-c", &at("nginx.conf"), "-e", "stderr"].map(str::to_owned).into()
            }
            Self::Caddy => {
                let pair = if snippet.contains(":8000 {") {
                    (":8000 {", format!("http://:{port} {{"))
                } else {
                    (".org {", format!(".org:{port} {{"))
                };
                let site = replaced(snippet, &[(pair.0, &pair.1)]);
                write("Caddyfile", format!("{{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}}\n{site}"));
                ["run", "--config", &at("Caddyfile"), "--adapter", "caddyfile"].map(str::to_owned).into()
            }
            Self::Haproxy => {
                write("nolapse.lua", Page::read("haproxy.md").block("lua"));
                let listen = format!("bind 127.0.0.1:{port}");
                let pairs = [("bind :8000", listen.as_str()), ("/etc/haproxy/nolapse.lua", &at("nolapse.lua"))];
                write("haproxy.cfg", replaced(snippet, &pairs));
                ["-db", "-f", &at("haproxy.cfg")].map(str::to_owned).into()
            }
            Self::Apache => {
                let modules = [
                    "mpm_event",
                    "authn_core",
                    "authz_core",
                    "authz_user",
                    "headers",
                    "proxy",
                    "proxy_http",
                    "auth_openidc",
                ]
                .map(|name| format!("LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"))
                .join("\n");
                let user = if geteuid().is_root() { "User www-data\nGroup www-data" } else { "" };
                let pid = at("pid");
                write(
                    "apache.conf",
                    format!(
                        "ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {pid}\nErrorLog /dev/stderr\n{user}\n{modules}\n{snippet}"
                    ),
                );
                ["-d", &at(""), "-f", &at("apache.conf"), "-D", "FOREGROUND"].map(str::to_owned).into()
            }
        }
    }
}

impl Gateway {
    /// Starts it with its page's snippet, between an application and this service. `asks` replaces `scope=execute`.
    pub(super) fn start(kind: Kind, authority: &str, app: SocketAddr, asks: &str) -> Self {
        let name = kind.program();
        let pairs = [("127.0.0.1:8080", authority), ("127.0.0.1:3000", &app.to_string()), ("scope=execute", asks)];
        Self::run(kind, &replaced(&Page::read(&format!("{name}.md")).block(name), &pairs))
    }

    /// Starts it with this snippet.
    pub(super) fn run(kind: Kind, snippet: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("nolapse-gateway-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = found(kind.program());
        let log = folder.path().join("log");
        for _ in 0..PORTS_TRIED {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let arguments = kind.configure(folder.path(), port, snippet);
            let output = File::create(&log).unwrap();
            let mut child = Command::new(&program)
                .args(arguments)
                .env("HOME", folder.path())
                .stdin(Stdio::null())
                .stdout(output.try_clone().unwrap())
                .stderr(output)
                .spawn()
                .unwrap();
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let is_up = eventually("the gateway listens or ends", || {
                let ended = child.try_wait().unwrap().is_some();
                (ended || TcpStream::connect(address).is_ok()).then_some(!ended)
            });
            if is_up {
                return Self { child, address, folder };
            }
        }
        panic!("{kind:?} does not start:\n{}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Its address for clients.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // SIGTERM, because a killed nginx would leave its workers behind.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            println!("what the gateway said:\n{log}");
        }
    }
}

/// The path of a program; `PATH` of ordinary users does not contain the folder of servers.
fn found(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let mut candidates = folders.map(|folder| folder.join(name));
    candidates
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: `cargo xtask test` installs it, or apt-get install {name}"))
}

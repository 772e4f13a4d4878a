//! A gateway of the system with the configuration of its page, on a free port of loopback.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::page::{Page, replaced};
use crate::support::eventually;

/// How many ports are tried: another program may take one between our look and the gateway's.
const PORTS_TRIED: usize = 5;

/// Which gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Caddy,
    Haproxy,
}

/// A running gateway; stopped when dropped.
pub(super) struct Gateway {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Kind {
    /// What clients are told when this service does not answer; see the table of `docs/gateways/README.md`.
    pub(super) const fn status_when_down(self) -> u16 {
        match self {
            Self::Nginx | Self::Haproxy => 503,
            Self::Caddy => 502,
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
        }
    }

    /// Writes its configuration into the folder; the arguments that make it run with it in the foreground.
    fn configure(self, folder: &Path, port: u16, authority: &str, app: &str, asks: &str) -> Vec<String> {
        let page = Page::read(&format!("{}.md", self.program()));
        let at = |name: &str| folder.join(name).display().to_string();
        let (authority, app) = (("127.0.0.1:8080", authority), ("127.0.0.1:3000", app));
        let asks = ("scope=execute", asks);
        match self {
            Self::Nginx => {
                let listen = format!("listen 127.0.0.1:{port};");
                let site = replaced(&page.block("nginx"), &[authority, app, asks, ("listen 8000;", &listen)]);
                let user = if geteuid().is_root() { "user root;" } else { "" };
                let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("{name}_temp_path {};", at(name)))
                    .join("\n");
                let text = format!(
                    "daemon off;\n{user}\nworker_processes 1;\npid {};\nevents {{}}\nhttp {{\naccess_log off;\n{folders}\n{site}}}\n",
                    at("pid")
                );
                fs::write(folder.join("nginx.conf"), text).unwrap();
                ["-p", &at(""), "-c", &at("nginx.conf"), "-e", "stderr"].map(str::to_owned).into()
            }
            Self::Caddy => {
                let listen = format!("http://:{port} {{");
                let site = replaced(&page.block("caddy"), &[authority, app, asks, (":8000 {", &listen)]);
                let text = format!("{{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}}\n{site}");
                fs::write(folder.join("Caddyfile"), text).unwrap();
                ["run", "--config", &at("Caddyfile"), "--adapter", "caddyfile"].map(str::to_owned).into()
            }
            Self::Haproxy => {
                fs::write(folder.join("nolapse.lua"), page.block("lua")).unwrap();
                let listen = format!("bind 127.0.0.1:{port}");
                let lua = at("nolapse.lua");
                let pairs = [authority, app, asks, ("bind :8000", &listen), ("/etc/haproxy/nolapse.lua", &lua)];
                fs::write(folder.join("haproxy.cfg"), replaced(&page.block("haproxy"), &pairs)).unwrap();
                ["-db", "-f", &at("haproxy.cfg")].map(str::to_owned).into()
            }
        }
    }
}

impl Gateway {
    /// Starts it between an application and the authority, asking so.
    pub(super) fn start(kind: Kind, authority: &str, app: SocketAddr, asks: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("nolapse-gateway-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = found(kind.program());
        let log = folder.path().join("log");
        for _ in 0..PORTS_TRIED {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let arguments = kind.configure(folder.path(), port, authority, &app.to_string(), asks);
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

    /// Where clients find it.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Asked, not killed: nginx would leave its worker behind.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            println!("what the gateway said:\n{log}");
        }
    }
}

/// The program; servers stand beside `PATH` for people who are not root.
fn found(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let mut candidates = folders.map(|folder| folder.join(name));
    candidates
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: `cargo xtask test` installs it, or apt-get install {name}"))
}

//! What stands before and behind the nodes: `HAProxy` in front of them, `PgBouncer` in front of PostgreSQL.

use std::fs::File;
use std::path::Path;
use task_support::fail::{Context as _, Result};
use task_support::process::{Launch, Server};
use task_support::services::{SUPERUSER, Tool, find_or_install, server_user, start_on_free_port};

/// `HAProxy` in front of the nodes of these ports. It asks each every tenth of a second whether it is ready.
pub(crate) fn haproxy(folder: &Path, logs: &Path, nodes: &[u16]) -> Result<(Server, u16)> {
    let program = find_or_install(Tool::Gateway("haproxy"))?;
    let server = |(at, port): (usize, &u16)| format!("  server node-{at} 127.0.0.1:{port}");
    let servers = nodes.iter().enumerate().map(server).collect::<Vec<_>>().join("\n");
    let (config, log) = (folder.join("haproxy.cfg"), logs.join("front.log"));
    let start = |port: u16| {
        let text = format!(
            "defaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 60s\n  \
             option redispatch 1\n  retries 3\n\
             frontend public\n  bind 127.0.0.1:{port}\n  default_backend nodes\n\
             backend nodes\n  balance roundrobin\n  option httpchk GET /ready\n  \
             default-server check inter 100ms fall 1 rise 1\n{servers}\n"
        );
        launch(&program, ["-db", "-q", "-f"], &config, &text, &log, Launch::new(&program))
    };
    start_on_free_port(&log, start, |_| Ok(true))
}

/// `PgBouncer` in front of one PostgreSQL server. Session mode: the other modes break sessions, and nodes refuse them.
pub(crate) fn pgbouncer(folder: &Path, logs: &Path, number: usize, server: u16) -> Result<(Server, u16)> {
    let program = find_or_install(Tool::Pgbouncer)?;
    let user = server_user()?;
    let (config, log) = (folder.join(format!("pgbouncer-{number}.ini")), logs.join(format!("pgbouncer-{number}.log")));
    let start = |port: u16| {
        let text = format!(
            "[databases]\nnolapse = host=127.0.0.1 port={server} user={SUPERUSER}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = session\nmax_client_conn = 1000\ndefault_pool_size = 200\nlog_connections = 0\n\
             log_disconnections = 0\n"
        );
        launch(&program, ["-q"], &config, &text, &log, Launch::new(&program).user(user.as_ref()))
    };
    start_on_free_port(&log, start, |_| Ok(true))
}

/// Writes a configuration and starts the program with it.
fn launch<const N: usize>(
    program: &Path,
    options: [&str; N],
    config: &Path,
    text: &str,
    log: &Path,
    with: Launch,
) -> Result<Server> {
    std::fs::write(config, text).attempt(|| format!("write {}", config.display()))?;
    let output = File::create(log).attempt(|| format!("create the log of {}", program.display()))?;
    let errors = output.try_clone().attempt(|| format!("share the log of {}", program.display()))?;
    with.args(options).args([config]).start(output.into(), errors.into())
}

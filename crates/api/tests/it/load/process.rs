//! Resources of the server's process, as the kernel counts them.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::Server;

/// The kernel's code for the state of a listening socket.
const LISTENS: &str = "0A";

/// Raises the limit on open files for this program, and for servers started from now on, to this number of sockets and
/// some more files.
pub(super) fn allow_sockets(sockets: usize) {
    let wanted = u64::try_from(sockets).unwrap() + 1_000;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    assert!(
        limit.maximum.is_none_or(|maximum| maximum >= wanted),
        "{limit:?}: {wanted} open files are needed: ulimit -Hn {wanted}, then again"
    );
    limit.current = Some(wanted);
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// Connections of clients that the server has accepted and not closed.
pub(super) fn connections(server: &Server) -> usize {
    table(server).iter().filter(|line| line.is_accepted).count()
}

/// Whether the server has accepted every connection made to it and read all that was sent on them.
pub(super) fn has_read_all(server: &Server) -> bool {
    table(server).iter().all(|line| line.is_read)
}

/// A line of the kernel's table of connections, for the server's end.
struct Line {
    is_accepted: bool,
    /// Whether nothing waits to be read; for the listener, whether its backlog is empty.
    is_read: bool,
}

fn table(server: &Server) -> Vec<Line> {
    let port = format!(":{:04X}", server.address().port());
    let text = std::fs::read_to_string(file(server, "net/tcp")).unwrap();
    let of_the_server = text.lines().skip(1).filter_map(|line| {
        // Number, local address, remote address, state, `<to be sent>:<to be read>`, timers, retries, user, timeout,
        // inode.
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[1].ends_with(&port).then(|| Line {
            // A connection without an inode is not accepted yet or already closed.
            is_accepted: columns[3] != LISTENS && columns[9] != "0",
            is_read: columns[4].ends_with(":00000000"),
        })
    });
    of_the_server.collect()
}

/// Resident memory now, in bytes. Resets [`peak`].
pub(super) fn resident(server: &Server) -> u64 {
    std::fs::write(file(server, "clear_refs"), "5").unwrap();
    memory(server, "VmRSS:")
}

/// The peak of resident memory since [`resident`], in bytes.
pub(super) fn peak(server: &Server) -> u64 {
    memory(server, "VmHWM:")
}

/// The anonymous resident memory now, in bytes: without pages of files, which the kernel can reclaim.
pub(super) fn own(server: &Server) -> u64 {
    memory(server, "RssAnon:")
}

fn memory(server: &Server, line: &str) -> u64 {
    let status = std::fs::read_to_string(file(server, "status")).unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse().ok());
    found.map(|kib: u64| kib * 1024).unwrap()
}

fn file(server: &Server, name: &str) -> String {
    format!("/proc/{}/{name}", server.process())
}

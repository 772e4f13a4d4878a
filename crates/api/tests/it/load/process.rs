//! What the server's process holds, as the kernel counts it.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::Server;

/// The state of a socket that connections are accepted from.
const LISTENS: &str = "0A";

/// Lets this program, and a server started from now on, open so many sockets and the files they need besides.
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

/// A line of the kernel's table of connections, of those at the server's end.
struct Line {
    is_accepted: bool,
    /// Of the listener: whether nobody waits to be accepted.
    is_read: bool,
}

fn table(server: &Server) -> Vec<Line> {
    let port = format!(":{:04X}", server.address().port());
    let text = std::fs::read_to_string(file(server, "net/tcp")).unwrap();
    let of_the_server = text.lines().skip(1).filter_map(|line| {
        // The number, our address, theirs, the state, `<to be sent>:<to be read>`, timers, tries, user, timeout, inode.
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[1].ends_with(&port).then(|| Line {
            // A connection without an inode is no process's yet, or none's any longer.
            is_accepted: columns[3] != LISTENS && columns[9] != "0",
            is_read: columns[4].ends_with(":00000000"),
        })
    });
    of_the_server.collect()
}

/// Resident memory now, in bytes. [`peak`] begins anew.
pub(super) fn resident(server: &Server) -> u64 {
    std::fs::write(file(server, "clear_refs"), "5").unwrap();
    memory(server, "VmRSS:")
}

/// The most there was of it since [`resident`].
pub(super) fn peak(server: &Server) -> u64 {
    memory(server, "VmHWM:")
}

/// What of it is the process's own, now: no pages of files, which the kernel takes back when it likes.
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

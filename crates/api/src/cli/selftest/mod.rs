//! `selftest`: finds out, on nodes that run, whether a token is valid on each of them once it is created, and on none of them
//! once its revocation is answered. It uses the public API alone, as applications do.
//!
//! **Invariant:** every token that it creates is revoked before it ends, also after a failure and an interrupt.

mod node;
mod times;

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use authority::env::{SystemEntropy, random};
use edge::server;
use futures::future::{Either, select};
use zeroize::Zeroizing;

use self::node::{Made, Node, Trouble};
use self::times::Times;
use super::{Failure, output};

/// The variable with the credential.
const TOKEN: &str = "NOLAPSE_TOKEN";
/// The longest file of a credential that is read: a token has 44 characters.
const LONGEST_TOKEN: u64 = 4 * 1024;
/// How long a node may take until it accepts a new token. It needs one read of the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two questions to a node that does not accept a new token yet.
const PAUSE: Duration = Duration::from_millis(5);

/// Options of `selftest`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The addresses of the nodes themselves, not of a load balancer in front of them.
    #[arg(long, required = true, value_name = "URL", value_delimiter = ',', value_parser = node::address)]
    nodes: Vec<String>,
    /// How many tokens to create and revoke, one after the other.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// The scope of these tokens, which the credential must have as well.
    #[arg(long, default_value = "read", value_name = "SCOPE")]
    scope: String,
    /// A file with the credential, a token or a key with the scope `tokens:manage`; `-` is standard input. Defaults to the
    /// variable `NOLAPSE_TOKEN`. It is sent to every node, and encrypted where the address is https.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The measurements of all rounds.
struct Found {
    /// For each node, from the answer to a creation until it accepted the token.
    accepted: Vec<Times>,
    /// For each node, how long it took to answer a revocation.
    revoked: Vec<Times>,
    /// For each node, how often it said "valid" when asked after the answer to a revocation.
    valid_after: Vec<u32>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let credential = credential(args.token_file.as_deref())?;
    let nodes: Vec<Node> = args.nodes.iter().map(|address| Node::new(address, &credential)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, rounds, scope) = (Arc::clone(&stop), args.rounds, args.scope.clone());
    let tested = actix_web::rt::System::new().block_on(async move {
        let signal = Box::pin(server::signal()?);
        let test = Box::pin(actix_web::rt::task::spawn_blocking(move || all_rounds(&nodes, rounds, &scope, &asked)));
        let ended = match select(signal, test).await {
            Either::Left(((), test)) => {
                stop.store(true, Ordering::Relaxed);
                note("interrupted: revoking the token of this round");
                test.await
            }
            Either::Right((ended, _)) => ended,
        };
        ended.map_err(io::Error::other)
    })?;
    let found = tested?;
    output::emit(&found.report(&args.nodes))?;
    match found.valid_after.iter().sum() {
        0_u32 => Ok(()),
        count => Err(format!(
            "a token was still valid after the answer to its revocation, times: {count}. Check that all nodes use the same database \
             and cluster.consistency is strict on each (relaxed answers revocations at once), and keep the nodes' logs"
        )
        .into()),
    }
}

/// Reads the credential. It is no argument, because others on this machine can read those.
fn credential(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    match file {
        Some(file) if file == Path::new("-") => {
            io::stdin().take(LONGEST_TOKEN).read_to_string(&mut text)?;
        }
        Some(file) => {
            let named = |error: io::Error| format!("{} cannot be read: {error}", file.display());
            std::fs::File::open(file).map_err(named)?.take(LONGEST_TOKEN).read_to_string(&mut text).map_err(named)?;
        }
        None => text = Zeroizing::new(std::env::var(TOKEN).unwrap_or_default()),
    }
    let text = Zeroizing::new(text.trim().to_owned());
    if text.is_empty() {
        return Err(format!(
            "a credential is needed: set {TOKEN}, or name a file with --token-file. A token with tokens:manage and the scope of \
             --scope will do: `nlp token create --name selftest --scope tokens:manage --scope read`"
        )
        .into());
    }
    // A line break or a space would end a header.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the credential is not a single word of printable characters: is it the right file?".into());
    }
    Ok(text)
}

/// Runs all rounds, each beginning at another node.
fn all_rounds(nodes: &[Node], rounds: u32, scope: &str, stop: &AtomicBool) -> Result<Found, String> {
    let empty = || nodes.iter().map(|_| Times::default()).collect::<Vec<_>>();
    let mut found = Found { accepted: empty(), revoked: empty(), valid_after: vec![0; nodes.len()] };
    let each: Vec<usize> = (0..nodes.len()).cycle().take(rounds as usize).collect();
    for (round, at) in each.into_iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Err(format!("interrupted after {round} of {rounds} rounds; all tokens of the test are revoked"));
        }
        output::progress(&format!("round {} of {rounds}", round + 1));
        found.round(nodes, at, scope, stop)?;
    }
    Ok(found)
}

impl Found {
    /// Creates a token at one node, asks all, revokes it at the next node, and asks all at once.
    fn round(&mut self, nodes: &[Node], at: usize, scope: &str, stop: &AtomicBool) -> Result<(), String> {
        let made = create(nodes, at, scope)?;
        let created = Instant::now();
        let accepted = at_all(nodes, |node| until_valid(node, &made, created, stop));
        // Also after a failure, so that nothing is left behind.
        let by = (at + 1) % nodes.len();
        let took = revoke(nodes, by, &made.id)?;
        let after = at_all(nodes, |node| node.is_valid(&made.secret));
        self.revoked[by].add(took);
        for (times, accepted) in self.accepted.iter_mut().zip(accepted) {
            times.add(accepted?);
        }
        for (count, is_valid) in self.valid_after.iter_mut().zip(after) {
            *count += u32::from(is_valid?);
        }
        Ok(())
    }

    fn report(&self, names: &[String]) -> String {
        let width = names.iter().map(String::len).max().unwrap_or(0);
        let mut text =
            format!("{:width$}  create → valid: {}  DELETE: {}  valid after 204\n", "", times::HEAD, times::HEAD);
        for (at, name) in names.iter().enumerate() {
            let line = format!(
                "{name:width$}                  {}          {}  {:>15}\n",
                self.accepted[at].figures(),
                self.revoked[at].figures(),
                self.valid_after[at]
            );
            text.push_str(&line);
        }
        text.push_str("\na new token is valid after\n");
        text.push_str(&Times::joined(&self.accepted).histogram());
        text.push_str("\na revocation is answered after\n");
        text.push_str(&Times::joined(&self.revoked).histogram());
        text
    }
}

/// Asks all nodes at the same time.
fn at_all<T: Send>(nodes: &[Node], ask: impl Fn(&Node) -> Result<T, String> + Sync) -> Vec<Result<T, String>> {
    thread::scope(|scope| {
        let threads: Vec<_> = nodes.iter().map(|node| scope.spawn(|| ask(node))).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|answer| answer.unwrap_or_else(|_| Err("a thread of the test panicked".to_owned()))).collect()
    })
}

/// Creates a token. If it is unknown whether there is one, it is looked up by the idempotency key and revoked.
fn create(nodes: &[Node], at: usize, scope: &str) -> Result<Made, String> {
    let key: [u8; 16] = random(&SystemEntropy).map_err(|error| error.to_string())?;
    let key = format!("selftest-{:032x}", u128::from_be_bytes(key));
    match nodes[at].create(&key, scope) {
        Ok(made) => Ok(made),
        Err(Trouble::Refused(why)) => Err(why),
        Err(Trouble::Unknown(why)) => {
            let id = nodes.iter().find_map(|node| node.created_before(&key, scope).ok());
            let id = id.ok_or_else(|| {
                format!("{why}; a token with the name {} may be left, and expires within a day", node::NAME)
            })?;
            revoke(nodes, at, &id)?;
            Err(why)
        }
    }
}

/// How long the node took to accept the token.
fn until_valid(node: &Node, made: &Made, created: Instant, stop: &AtomicBool) -> Result<Duration, String> {
    while !node.is_valid(&made.secret)? {
        if stop.load(Ordering::Relaxed) {
            return Err("interrupted; all tokens of the test are revoked".to_owned());
        }
        if created.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(format!(
                "{} does not accept a new token within {seconds} s: check that it uses the same database as the other nodes",
                node.name()
            ));
        }
        thread::sleep(PAUSE);
    }
    Ok(created.elapsed())
}

/// Revokes a token at one node; how long it took. If that fails, the others are tried, so that the token does not stay.
fn revoke(nodes: &[Node], at: usize, id: &str) -> Result<Duration, String> {
    let sent = Instant::now();
    let Err(why) = nodes[at].revoke(id) else { return Ok(sent.elapsed()) };
    Err(if nodes.iter().any(|node| node.revoke(id).is_ok()) {
        format!("{why}; the token of the test is revoked")
    } else {
        format!("{why}; the token {id} of the test is left: `nlp token revoke {id}`, or it expires within a day")
    })
}

/// Says something to the person who waits. A closed standard error does not stop the test.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
